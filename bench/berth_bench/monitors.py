"""What ten running containers cost in memory for their monitors."""

import pathlib
import statistics
import subprocess
import time

from berth_bench.bench import DEMO

COUNT = 10
START = 20.0  # seconds until all run
PRIVATE_MB = 0.3
PSS_MB = 0.6


def processes(name):
    """PIDs by the name that the kernel has for them (its first 15 characters)."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().strip() == name[:15]:
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def memory(pid):
    """(Private_Dirty, Pss) in MB of 1,000 kB."""
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        fields[name] = int(value.split()[0]) / 1000
    return fields["Private_Dirty"], fields["Pss"]


def wait_for(name, before, count):
    deadline = time.monotonic() + START
    while True:
        found = set(processes(name)) - before
        if len(found) >= count:
            time.sleep(0.5)  # until they are idle
            return sorted(found)
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(found)} of {count} processes named {name} after {START:.0f} s")
        time.sleep(0.05)


def report(bench, name, pids):
    values = [memory(pid) for pid in pids]
    private = max(value[0] for value in values)
    pss = statistics.fmean(value[1] for value in values)
    bench.report.value("monitor", f"{name}, Private_Dirty, the largest", private, "MB")
    bench.report.value("monitor", f"{name}, PSS, mean", pss, "MB")
    return private, pss


def measure_monitors(bench):
    before = set(processes("berth-monitor"))
    clients = [subprocess.Popen(bench.berth.run_command(DEMO, "sleep", "1000"), stdin=subprocess.DEVNULL)
               for _ in range(COUNT)]
    try:
        ours = report(bench, "berth-monitor", wait_for("berth-monitor", before, COUNT))
    finally:
        for client in clients:
            client.terminate()
        for client in clients:
            client.wait()
    before = set(processes("conmon"))
    for _ in range(COUNT):
        bench.podman.call("run", "--rm", "--detach", "--network=none", DEMO, "sleep", "1000")
    theirs = report(bench, "conmon", wait_for("conmon", before, COUNT))
    bench.podman.call("kill", "--all")
    bench.report.target("Private_Dirty of a monitor", ours[0], PRIVATE_MB, " MB")
    bench.report.target("PSS of a monitor", ours[1], PSS_MB, " MB")
    print(f"(conmon, the same way: {theirs[0]:.2f} MB private, {theirs[1]:.2f} MB PSS)")
