"""How fast what a detached container writes gets into its log, all of it."""

import subprocess
import time

from berth_bench.bench import DEMO
from berth_bench.measure import Contestant, interleaved

MEGABYTES = 300
LINE = 100  # bytes, with its end
AT_MOST = 0.5  # of podman's time
ENDS = 120.0  # seconds at most


def make_lines(directory):
    directory.mkdir()
    line = bytes(97 + i % 26 for i in range(LINE - 1)) + b"\n"
    with (directory / "lines").open("wb") as file:
        for _ in range(MEGABYTES):
            file.write(line * (1_000_000 // LINE))
    return directory


def milliseconds_to_the_end(run, has_ended, remove):
    began = time.perf_counter_ns()
    identity = run().strip()
    while not has_ended(identity):
        if (time.perf_counter_ns() - began) / 1e9 > ENDS:
            raise RuntimeError("the container does not end")
        time.sleep(0.002)
    took = (time.perf_counter_ns() - began) / 1e6
    remove(identity)
    return took


def measure_log(bench):
    lines = make_lines(bench.work / "lines")
    words = ["-v", f"{lines}:/lines:ro", DEMO, "cat", "/lines/lines"]
    podman = bench.podman
    berth = bench.berth

    def berth_once(*flags):
        return milliseconds_to_the_end(
            lambda: berth.call("run", "-d", "--network", "none", *flags, *words),
            lambda identity: (berth.root / "containers" / identity / "exit").read_text().strip() != "",
            lambda identity: berth.call("rm", "-f", identity))

    def podman_once():
        return milliseconds_to_the_end(
            lambda: podman.call("run", "-d", "--network=none", "--log-driver=k8s-file", *words),
            lambda identity: not conmon_runs(identity),
            lambda identity: podman.call("rm", "-f", identity))

    ours, bounded, theirs = "berth run -d, --log-opt max-size=-1", "berth run -d", "podman run -d"
    bench.settle()
    figures = interleaved([
        Contestant(ours, lambda: berth_once("--log-opt", "max-size=-1")),
        Contestant(bounded, berth_once),
        Contestant(theirs, podman_once),
    ], max(3, bench.rounds // 10))
    bench.report.table("log", figures, [theirs])
    for name in (ours, bounded, theirs):
        bench.report.value("log", f"{name}: throughput", MEGABYTES / figures[name].median * 1000, "MB/s")
    bench.report.target("output into the log, as a part of the time that podman takes",
                        figures[ours].median / figures[theirs].median, AT_MOST)


def conmon_runs(identity):
    return subprocess.run(["pgrep", "-f", f"conmon.*{identity}"], stdout=subprocess.DEVNULL, check=False).returncode == 0
