"""Long-running containers beside podman's: entering them, and having many."""

import itertools
import statistics

from berth_bench.bench import DEMO
from berth_bench.measure import Contestant, interleaved, milliseconds
from berth_bench.monitors import memory, processes, wait_for

MANY = 500
EDGE = 25  # of the many, so many at the beginning and at the end are compared
STAY = ("sleep", "100000")


class Side:
    """An engine, by the words that both know."""

    def __init__(self, name, command, env=None):
        self.name = name
        self.command = command
        self.env = env
        self._numbers = itertools.count()

    def milliseconds(self, *words):
        return milliseconds(self.command(*words), self.env)

    def started(self, *words):
        """The time that `run -d` takes, and the container's name."""
        name = f"bench{next(self._numbers)}"
        return self.milliseconds("run", "-d", "--name", name, *words), name

    def remove(self, name):
        self.milliseconds("rm", "-f", *(("-t", "0") if self.name == "podman" else ()), name)


def both(bench):
    podman = bench.podman
    return (Side("berth", bench.berth.command), Side("podman", podman.command, podman.env))


def compare(bench, section, what, once, limit):
    """Runs once(side) for both in turn; ours must be at most `limit` of theirs."""
    ours, theirs = both(bench)
    figures = interleaved([Contestant(f"{ours.name}, {what}", lambda: once(ours)),
                           Contestant(f"{theirs.name}, {what}", lambda: once(theirs), every=2)], bench.rounds)
    bench.report.table(section, figures, [f"{theirs.name}, {what}"])
    ratio = figures[f"{ours.name}, {what}"].median / figures[f"{theirs.name}, {what}"].median
    bench.report.target(f"{what}, as a part of podman's time", ratio, limit)


def measure_exec(bench):
    names = {side.name: side.started("--network", "none", DEMO, *STAY)[1] for side in both(bench)}
    compare(bench, "exec", "exec of true", lambda side: side.milliseconds("exec", names[side.name], "true"), 1 / 8)
    for side in both(bench):
        side.remove(names[side.name])


def measure_many(bench):
    """The 500th container beside the first, and what is asked of 500."""
    ours, theirs = both(bench)
    before = set(processes("berth-monitor"))
    names = {side.name: [] for side in (ours, theirs)}
    times = []
    for side in (ours, theirs):
        bench.settle()
        for _ in range(MANY):
            took, name = side.started("--network", "none", DEMO, *STAY)
            names[side.name].append(name)
            if side is ours:
                times.append(took)
    first, last = statistics.median(times[:EDGE]), statistics.median(times[-EDGE:])
    bench.report.value("many", f"berth, run -d, the first {EDGE}", first, "ms")
    bench.report.value("many", f"berth, run -d, the last {EDGE} of {MANY}", last, "ms")
    bench.report.target(f"the {MANY}th start, as a multiple of the first", last / first, 1.2)
    private = sum(memory(pid)[0] for pid in wait_for("berth-monitor", before, MANY))
    bench.report.value("many", f"berth, private memory of {MANY} monitors", private, "MB")
    conmon = sum(memory(pid)[0] for pid in wait_for("conmon", set(), MANY))
    bench.report.value("many", f"podman, private memory of {MANY} monitors", conmon, "MB")
    bench.report.target("private memory of all monitors, as a part of podman's", private / conmon, 1.0)
    compare(bench, "many", f"ps with {MANY} running", lambda side: side.milliseconds("ps"), 1 / 10)
    for side in (ours, theirs):
        for at in range(0, MANY, 50):
            side.milliseconds("rm", "-f", *(("-t", "0") if side is theirs else ()), *names[side.name][at:at + 50])
