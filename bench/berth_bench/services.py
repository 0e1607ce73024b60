"""Long-running containers beside podman's and Docker's: entering them, and having many."""

import itertools
import pathlib
import statistics

from berth_bench.bench import DEMO
from berth_bench.measure import Contestant, interleaved, milliseconds
from berth_bench.monitors import memory, processes, wait_for

MANY = 500
EDGE = 25  # of the many, so many at the beginning and at the end are compared
STAY = ("sleep", "100000")
KEYS = pathlib.Path("/proc/sys/kernel/keys/maxkeys")  # of one user (keyrings(7))
SPARE_KEYS = 10


class Side:
    """An engine, by the words that all know."""

    def __init__(self, name, engine, most=MANY):
        self.name = name
        self.most = most  # containers at a time
        self._engine = engine
        self._numbers = itertools.count()

    def milliseconds(self, *words):
        return milliseconds(self._engine.command(*words), self._engine.env)

    def started(self, *words):
        """The time that `run -d` takes, and the container's name."""
        name = f"bench{next(self._numbers)}"
        return self.milliseconds("run", "-d", "--name", name, *words), name

    def remove(self, *names):
        self._engine.remove(*names)


def all_sides(bench):
    """Ours first. With userns-remap the root of all of Docker's containers is one user, and each has a keyring."""
    keys = int(KEYS.read_text()) - SPARE_KEYS
    return [Side("berth", bench.berth), Side("podman", bench.podman),
            Side("docker", bench.docker, most=min(MANY, keys))]


def compare(bench, sides, section, what, once, limit):
    """Runs once(side) for all in turn; ours must be at most `limit` of podman's."""
    figures = interleaved([Contestant(f"{side.name}, {what}", lambda side=side: once(side), every=1 if at == 0 else 2)
                           for at, side in enumerate(sides)], bench.rounds)
    bench.report.table(section, figures, [f"podman, {what}"])
    ratio = figures[f"berth, {what}"].median / figures[f"podman, {what}"].median
    bench.report.target(f"{what}, as a part of podman's time", ratio, limit)


def measure_exec(bench):
    sides = all_sides(bench)
    names = {side.name: side.started("--network", "none", DEMO, *STAY)[1] for side in sides}
    compare(bench, sides, "exec", "exec of true", lambda side: side.milliseconds("exec", names[side.name], "true"), 1 / 8)
    for side in sides:
        side.remove(names[side.name])


def measure_many(bench):
    """The 500th container beside the first, and what is asked of 500."""
    sides = all_sides(bench)
    for side in sides:
        if side.most < MANY:
            side.name += f" with {side.most}, which is all that it can have"
    before = set(processes("berth-monitor"))
    names = {side.name: [] for side in sides}
    times = []
    for side in sides:
        bench.settle()
        for _ in range(side.most):
            took, name = side.started("--network", "none", DEMO, *STAY)
            names[side.name].append(name)
            if side is sides[0]:
                times.append(took)
    first, last = statistics.median(times[:EDGE]), statistics.median(times[-EDGE:])
    bench.report.value("many", f"berth, run -d, the first {EDGE}", first, "ms")
    bench.report.value("many", f"berth, run -d, the last {EDGE} of {MANY}", last, "ms")
    bench.report.target(f"the {MANY}th start, as a multiple of the first", last / first, 1.2)
    helpers = zip(("berth-monitor", "conmon", "containerd-shim"), (side.most for side in sides))
    private = {name: (sum(memory(pid)[0] for pid in wait_for(name, before, most)), most) for name, most in helpers}
    for name, (sum_of_all, most) in private.items():
        bench.report.value("many", f"{name}, private memory of {most}", sum_of_all, "MB")
    bench.report.target("private memory of all monitors, as a part of podman's",
                        private["berth-monitor"][0] / private["conmon"][0], 1.0)
    compare(bench, sides, "many", "ps of all", lambda side: side.milliseconds("ps"), 1 / 10)
    for side in sides:
        for at in range(0, side.most, 50):
            side.remove(*names[side.name][at:at + 50])
