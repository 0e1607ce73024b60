"""berth-runtime's limits where they hold: cgroup v2 with all its controllers, on Debian 12's kernel.

What the files of a cgroup say is tests/conformance/test_resources.py, which test_conformance.py runs here; this is what
becomes of somebody who wants more than he may have.
"""

import json
import pathlib
import subprocess

from support.runtime_case import BerthRuntimeCase, main
from support.waiting import until

MIB = 1 << 20
SCRATCH = "/dev/nvme0n3"  # an empty disk
SWAP = pathlib.Path("/var/tmp/swap")
TAKES_MEMORY = "x=0123456789abcdef; while true; do x=$x$x; done"


class LimitCase(BerthRuntimeCase):
    def limited(self, **resources):
        container = self.container()
        container.bundle.linux["resources"].update(resources)
        return container

    def flat(self, container, controller, file):
        """The lines "NAME VALUE" of a file."""
        return {name: int(value) for name, value in map(str.split, container.cgroup_file(controller, file).splitlines())}


class Memory(LimitCase):
    def test_one_that_takes_more_is_killed(self):
        self.assertEqual(self.limited(memory={"limit": 16 * MIB}).shell(TAKES_MEMORY).status, 137)

    def test_the_kill_is_told_by_events(self):
        container = self.limited(memory={"limit": 16 * MIB})
        container.bundle.process["args"] = [
            "/bin/sh", "-c", f"while [ ! -e /data/go ]; do sleep 0.1; done; sh -c '{TAKES_MEMORY}'; sleep 1000"]
        container.started()
        process = subprocess.Popen(self.command("events", "--interval", "1h", container.id), stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        until(lambda: b"poll" in pathlib.Path(f"/proc/{process.pid}/wchan").read_bytes(), "it watches")
        (container.rootfs / "data/go").touch()
        self.assertEqual(json.loads(process.stdout.readline()), {"type": "oom", "id": container.id})
        self.assertEqual(self.flat(container, "memory", "memory.events")["oom_kill"], 1)
        self.assertEqual(container.status(), "running", "only the process that took too much is killed")

    def test_high_slows_down_and_does_not_kill(self):
        container = self.limited(unified={"memory.high": str(8 * MIB), "memory.max": str(64 * MIB)})
        container.bundle.process["args"] = ["/bin/sh", "-c", "dd if=/dev/zero of=/data/file bs=1M count=24 2>&1; sleep 1000"]
        container.started()
        until(lambda: self.flat(container, "memory", "memory.events")["high"] > 0, "it is over memory.high")
        self.assertEqual(self.flat(container, "memory", "memory.events")["oom_kill"], 0)

    def test_swap_counts_beside_memory(self):
        SWAP.write_bytes(b"")
        for words in (["fallocate", "-l", "64M", SWAP], ["chmod", "600", SWAP], ["mkswap", "-q", SWAP], ["swapon", SWAP]):
            subprocess.run(list(map(str, words)), check=True, stdout=subprocess.DEVNULL)
        self.addCleanup(lambda: subprocess.run(["swapoff", str(SWAP)], check=True))
        container = self.limited(memory={"limit": 16 * MIB, "swap": 40 * MIB})
        container.bundle.mount("/big", "tmpfs", "tmpfs", ["size=64m"])
        fill = "dd if=/dev/zero of=/big/a bs=1M count={} 2>&1; sleep 1000"
        container.bundle.process["args"] = ["/bin/sh", "-c", fill.format(24)]
        container.started()
        self.assertEqual(container.cgroup_file("memory", "memory.swap.max"), str(24 * MIB))
        until(lambda: int(container.cgroup_file("memory", "memory.swap.current")) > 4 * MIB, "some is swapped",
                        patience=20)
        self.assertEqual(self.limited(memory={"limit": 16 * MIB, "swap": 16 * MIB}).shell(TAKES_MEMORY).status, 137)


class Processor(LimitCase):
    def test_a_quota_throttles(self):
        container = self.limited(cpu={"quota": 5000, "period": 100000})
        container.bundle.process["args"] = ["/bin/sh", "-c", "while true; do :; done"]
        container.started()
        until(lambda: self.flat(container, "cpu", "cpu.stat")["nr_throttled"] > 2, "it is throttled")
        event = json.loads(self.ok(self.berth_runtime("events", "--stats", container.id)).stdout)
        self.assertGreater(event["data"]["cpu"]["throttling"]["throttledPeriods"], 0)

    def test_a_set_of_processors(self):
        container = self.limited(cpu={"cpus": "1", "mems": "0"})
        self.assertEqual(container.probe()["scheduling"]["affinity"], [1])

    def test_processors_that_are_not_there_are_refused(self):
        done = self.limited(cpu={"cpus": "7"}).refused()
        self.assertIn("cpu.cpus", done.stderr)


class Processes(LimitCase):
    def test_no_more_can_be_made(self):
        done = self.limited(pids={"limit": 5}).shell("for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo all")
        self.assertIn("can't fork", done.stderr)


class Disk(LimitCase):
    def number(self):
        return tuple(map(int, pathlib.Path("/sys/block", pathlib.Path(SCRATCH).name, "dev").read_text().split(":")))

    def test_a_rate_slows_down(self):
        major, minor = self.number()
        container = self.limited(blockIO={"throttleWriteBpsDevice": [{"major": major, "minor": minor, "rate": MIB}]},
                                 devices=[{"allow": True, "type": "b", "major": major, "minor": minor, "access": "rwm"}])
        container.bundle.linux["devices"] = [{"path": "/dev/disk", "type": "b", "major": major, "minor": minor}]
        done = self.ok(container.shell("before=$(cut -d. -f1 /proc/uptime); dd if=/dev/zero of=/dev/disk bs=1M count=3 conv=fsync "
                                       "2>/dev/null; echo $(($(cut -d. -f1 /proc/uptime) - before))"))
        self.assertGreaterEqual(int(done.stdout), 2, "3 MiB at 1 MiB a second")

    def test_weights(self):
        container = self.limited(blockIO={"weight": 500}).sleeping()
        self.assertIn("default 4950", container.cgroup_file("io", "io.weight"))

    def test_unified_entries(self):
        major, minor = self.number()
        wanted = {"io.max": f"{major}:{minor} riops=120", "cpu.weight": "42", "memory.min": str(4 * MIB), "pids.max": "33"}
        container = self.limited(unified=wanted).sleeping()
        self.assertEqual(container.cgroup_file("io", "io.max"), f"{major}:{minor} rbps=max wbps=max riops=120 wiops=max")
        for file in ("cpu.weight", "memory.min", "pids.max"):
            self.assertEqual(container.cgroup_file("cpu", file), wanted[file])


class HugePages(LimitCase):
    def test_a_limit(self):
        container = self.limited(hugepageLimits=[{"pageSize": "2MB", "limit": 4 * MIB}]).sleeping()
        self.assertEqual(container.cgroup_file("hugetlb", "hugetlb.2MB.max"), str(4 * MIB))


main()
