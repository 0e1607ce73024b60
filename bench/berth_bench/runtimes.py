"""berth-runtime beside crun and runc, on the same bundles."""

import itertools
import json
import shutil
import statistics
import subprocess
import time

from berth_bench.floor import FLOOR, floor
from berth_bench.measure import Contestant, finish, interleaved, milliseconds, peak_while, start
from berth_bench.peers import make_bundle

OURS = "berth-runtime"
AT_ONCE = 200
RULES = 400
_numbers = itertools.count()


class Runtime:
    def __init__(self, name, program, root):
        self.name = name
        self.program = program
        self.root = root

    def command(self, *words):
        return [self.program, "--root", self.root, *map(str, words)]

    def call(self, *words):
        command = self.command(*words)
        finish(start(command), command)

    def run(self, bundle):
        return self.command("run", "--bundle", bundle, new_id())


def new_id():
    return f"bench-{next(_numbers)}"


def life_once(runtime, bundle):
    """create, start and delete; the process has ended when it is deleted."""
    name = new_id()
    took = milliseconds(runtime.command("create", "--bundle", bundle, name))
    took += milliseconds(runtime.command("start", name))
    return took + milliseconds(runtime.command("delete", "--force", name))


def all_at_once(runtime, bundle):
    """The time that AT_ONCE of them take together."""
    began = time.perf_counter_ns()
    commands = [runtime.run(bundle) for _ in range(AT_ONCE)]
    for pid, command in [(start(command), command) for command in commands]:
        finish(pid, command)
    return (time.perf_counter_ns() - began) / 1e6


def filtered_bundle(bench):
    """With a seccomp profile of RULES rules, each about another argument so that none can be put together."""
    directory = make_bundle(bench.work / "filtered", bench.layer)
    path = directory / "config.json"
    config = json.loads(path.read_text())
    config["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": ["ioctl"], "action": "SCMP_ACT_ERRNO",
                      "args": [{"index": 1, "value": 0x40000000 + number, "op": "SCMP_CMP_EQ"}]}
                     for number in range(RULES)]}
    path.write_text(json.dumps(config))
    return directory


class Comparison:
    """The three runtimes, measured in turn; the floor beside them where that says something."""

    def __init__(self, bench):
        self.bench = bench
        self.rounds = max(bench.rounds, 50)
        self.runtimes = [Runtime(OURS, bench.build / "bin/berth-runtime", "/run/bench-berth"),
                         Runtime("crun", "crun", "/run/bench-crun"), Runtime("runc", "runc", "/run/bench-runc")]

    def compare(self, what, once, most, rounds=None, others=()):
        contestants = [Contestant(f"{runtime.name}, {what}", lambda runtime=runtime: once(runtime))
                       for runtime in self.runtimes]
        figures = interleaved([*contestants, *others], rounds or self.rounds)
        crun = figures[f"crun, {what}"]
        ours = figures[f"{OURS}, {what}"]
        self.bench.report.table("runtime", figures, [crun.name])
        self.bench.report.target(f"berth-runtime, {what}, as a part of crun's time", ours.median / crun.median, most)
        return figures

    def starts(self):
        bundle = self.bench.bundle
        figures = self.compare("run of true", lambda runtime: milliseconds(runtime.run(bundle)), 0.5,
                               others=[floor(self.bench)])
        self.bench.report.target("berth-runtime, run of true, as a multiple of the floor",
                                 figures[f"{OURS}, run of true"].median / figures[FLOOR].median, 2.0)
        self.compare("create, start and delete", lambda runtime: life_once(runtime, bundle), 0.5)
        self.compare(f"run of {AT_ONCE} at once", lambda runtime: all_at_once(runtime, bundle), 0.6, rounds=5)

    def execs(self):
        sleeping = make_bundle(self.bench.work / "sleeping", self.bench.layer, "sleep", "1000")
        names = {runtime.name: new_id() for runtime in self.runtimes}
        for runtime in self.runtimes:
            runtime.call("run", "--detach", "--bundle", sleeping, names[runtime.name])
        self.compare("exec of true",
                     lambda runtime: milliseconds(runtime.command("exec", names[runtime.name], "true")), 0.6)
        for runtime in self.runtimes:
            runtime.call("delete", "--force", names[runtime.name])
        self.bench.remove(sleeping)

    def filters(self):
        """What a seccomp profile costs: the first time, and when its filter is there already."""
        filtered = filtered_bundle(self.bench)
        rows = []
        for runtime in self.runtimes:
            rows += [
                Contestant(f"{runtime.name}, no filter",
                           lambda runtime=runtime: milliseconds(runtime.run(self.bench.bundle))),
                Contestant(f"{runtime.name}, {RULES} rules",
                           lambda runtime=runtime: milliseconds(runtime.run(filtered))),
                Contestant(f"{runtime.name}, {RULES} rules, cold",
                           lambda runtime=runtime: self.cold(runtime, filtered), every=2)]
        figures = interleaved(rows, self.rounds)
        self.bench.report.table("runtime", figures, [f"{OURS}, no filter"])
        self.bench.report.target(f"berth-runtime, a cached filter of {RULES} rules, as a multiple of none",
                                 figures[f"{OURS}, {RULES} rules"].median / figures[f"{OURS}, no filter"].median, 1.2)
        self.bench.remove(filtered)

    def cold(self, runtime, bundle):
        """With a root of its own, where no filter is kept."""
        root = f"{runtime.root}-cold"
        took = milliseconds(Runtime(runtime.name, runtime.program, root).run(bundle))
        shutil.rmtree(root)
        return took

    def sizes(self):
        napping = make_bundle(self.bench.work / "napping", self.bench.layer, "sleep", "0.3")
        peaks = {runtime.name: statistics.median(peak_while(runtime.run(napping), 0.15) for _ in range(5))
                 for runtime in self.runtimes}
        for name, peak in peaks.items():
            self.bench.report.value("runtime", f"{name}: largest resident set", peak, "MB")
        self.bench.report.target("berth-runtime, largest resident set, as a part of crun's",
                                 peaks[OURS] / peaks["crun"], 1.0)
        stripped = self.bench.work / "stripped"
        subprocess.run(["strip", "-o", stripped, self.runtimes[0].program], check=True)
        self.bench.report.value("runtime", "berth-runtime, static and stripped", stripped.stat().st_size / 1e6, "MB")
        self.bench.remove(napping)


def measure_runtimes(bench):
    comparison = Comparison(bench)
    bench.settle()
    comparison.starts()
    comparison.execs()
    comparison.filters()
    comparison.sizes()
