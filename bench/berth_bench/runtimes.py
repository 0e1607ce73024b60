"""berth-runtime beside crun and runc, on the same bundles."""

import itertools
import subprocess
import time

from berth_bench.measure import Contestant, finish, interleaved, milliseconds, milliseconds_and_peak, start
from berth_bench.peers import make_bundle

OURS = "berth-runtime"
AT_ONCE = 200
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


def new_id():
    return f"bench-{next(_numbers)}"


def run_once(runtime, bundle):
    return milliseconds(runtime.command("run", "--bundle", bundle, new_id()))


def life_once(runtime, bundle):
    """create, start and delete; the process has ended when it is deleted."""
    name = new_id()
    took = milliseconds(runtime.command("create", "--bundle", bundle, name))
    took += milliseconds(runtime.command("start", name))
    return took + milliseconds(runtime.command("delete", "--force", name))


def all_at_once(runtime, bundle):
    """The time that AT_ONCE of them take together."""
    def everyone():
        commands = [runtime.command("run", "--bundle", bundle, new_id()) for _ in range(AT_ONCE)]
        for pid, command in [(start(command), command) for command in commands]:
            finish(pid, command)
    began = time.perf_counter_ns()
    everyone()
    return (time.perf_counter_ns() - began) / 1e6


def compare(bench, section, what, once, most, rounds):
    figures = interleaved([Contestant(f"{runtime.name}, {what}", lambda runtime=runtime: once(runtime))
                           for runtime in bench_runtimes(bench)], rounds)
    crun = figures[f"crun, {what}"]
    bench.report.table(section, figures, [f"crun, {what}"])
    if most:
        bench.report.target(f"berth-runtime, {what}, as a part of crun's time", figures[f"{OURS}, {what}"].median / crun.median,
                            most)
    return figures


def bench_runtimes(bench):
    return [Runtime(OURS, bench.build / "bin/berth-runtime", "/run/bench-berth"), Runtime("crun", "crun", "/run/bench-crun"),
            Runtime("runc", "runc", "/run/bench-runc")]


def measure_runtimes(bench):
    bundle = bench.bundle
    bench.settle()
    compare(bench, "runtime", "run of true", lambda runtime: run_once(runtime, bundle), 0.5, max(bench.rounds, 50))
    compare(bench, "runtime", "create, start and delete", lambda runtime: life_once(runtime, bundle), 0.5,
            max(bench.rounds, 50))
    sleeping = make_bundle(bench.work / "sleeping", bench.layer, "sleep", "1000")
    names = {}
    for runtime in bench_runtimes(bench):
        names[runtime.name] = new_id()
        runtime.call("run", "--detach", "--bundle", sleeping, names[runtime.name])
    compare(bench, "runtime", "exec of true", lambda runtime: milliseconds(runtime.command("exec", names[runtime.name], "true")),
            0.6, max(bench.rounds, 50))
    for runtime in bench_runtimes(bench):
        runtime.call("delete", "--force", names[runtime.name])
    compare(bench, "runtime", f"run of {AT_ONCE} at once", lambda runtime: all_at_once(runtime, bundle), 0.6, 3)
    peaks = {}
    for runtime in bench_runtimes(bench):
        _, peaks[runtime.name] = milliseconds_and_peak(runtime.command("run", "--bundle", bundle, new_id()))
        bench.report.value("runtime", f"{runtime.name}: largest resident set", peaks[runtime.name], "MB")
    size = subprocess.run(["sh", "-c", 'cp "$1" "$2" && strip "$2" && stat -c %s "$2"', "sh", bench.build / "bin/berth-runtime",
                           bench.work / "stripped"], check=True, stdout=subprocess.PIPE, text=True).stdout
    bench.report.value("runtime", "berth-runtime, stripped", int(size) / 1e6, "MB")
    bench.remove(bench.work / "sleeping")
