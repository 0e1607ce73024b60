"""Running a command and knowing how long it took, and what came of many such runs."""

import dataclasses
import os
import pathlib
import re
import statistics
import sys
import time


class Failed(Exception):
    """A measured command that did not succeed: its time means nothing."""


def start(command, env=None):
    """Starts a command with its output thrown away; gives its PID."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    words = [str(word) for word in command]
    return os.posix_spawnp(words[0], words, os.environ if env is None else env, file_actions=actions)


def finish(pid, command):
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise Failed(f"{' '.join(map(str, command))}: status {os.waitstatus_to_exitcode(status)}")


def milliseconds(command, env=None):
    """Runs a command and gives the time from its start to its end."""
    began = time.perf_counter_ns()
    finish(start(command, env), command)
    return (time.perf_counter_ns() - began) / 1e6


def _family(pid):
    """A process and all that descend from it."""
    try:
        children = [int(word) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children")
                    for word in path.read_text().split()]
    except OSError:
        children = []
    return [pid] + [one for child in children for one in _family(child)]


def _peak_kb(pid):
    try:
        match = re.search(r"^VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(match.group(1)) if match else 0


def peak_while(command, seconds):
    """The largest resident set, in MB, that the command itself had after so long; it has to run longer than that."""
    pid = start(command)
    time.sleep(seconds)
    peak = _peak_kb(pid)
    finish(pid, command)
    return peak / 1000


def milliseconds_and_peak(command, env=None):
    """As milliseconds(), and the largest resident sets of the command and its children, added up, in MB.

    Not wait4's ru_maxrss: that begins with the size of the process that spawned it.
    """
    peaks = {}
    began = time.perf_counter_ns()
    pid = start(command, env)
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        for one in _family(pid):
            peaks[one] = max(peaks.get(one, 0), _peak_kb(one))
        time.sleep(0.02)
    took = (time.perf_counter_ns() - began) / 1e6
    finish(pid, command)
    return took, sum(peaks.values()) / 1000


@dataclasses.dataclass
class Figures:
    """Many times of the same thing, in milliseconds."""

    name: str
    times: list = dataclasses.field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.times)

    @property
    def mean(self):
        return statistics.fmean(self.times)

    @property
    def best(self):
        return min(self.times)


@dataclasses.dataclass
class Contestant:
    """One row of a comparison. `measure` runs it once and gives milliseconds; every `every`-th round it takes part."""

    name: str
    measure: object
    every: int = 1


def interleaved(contestants, rounds, warm_up=True):
    """Runs all in turn, so that what disturbs the machine disturbs all. The round of warming up is not counted."""
    figures = {contestant.name: Figures(contestant.name) for contestant in contestants}
    for number in range(0 if warm_up else 1, rounds + 1):
        for contestant in contestants:
            if number == 0 or number % contestant.every == 0:
                took = contestant.measure()
                if number > 0:
                    figures[contestant.name].times.append(took)
        if sys.stderr.isatty():
            print(f"\r{number}/{rounds}", end="\r", file=sys.stderr, flush=True)
    return figures
