"""kill -9 of every kind of process at random, under load; and many containers at once. How long, and again: CONTRIBUTING.md."""

import collections
import concurrent.futures
import os
import random
import shutil
import signal
import sys
import threading
import time

from support import leftovers
from support.case import DEMO, main, run
from support.load import Shell
from support.truth import WEB, Acknowledged, TrueAfterwards, kinds_of_processes, thaw

SECONDS = float(os.environ.get("BERTH_FAULT_SECONDS", "45"))
SEED = os.environ.get("BERTH_FAULT_SEED") or str(random.SystemRandom().randrange(10**9))
SHELLS = 6
PAUSE = (0.01, 0.15)  # seconds between two kills
KINDS = ("command", "monitor", "first process", "name server", "finish")


class Killer(threading.Thread):
    """Kills a process of each kind in turn, whichever there is."""

    def __init__(self, root, seed, deadline):
        super().__init__()
        self.root, self.deadline = root, deadline
        self.random = random.Random(f"{seed}-killer")
        self.killed = collections.Counter()

    def run(self):
        turn = 0
        while time.monotonic() < self.deadline:
            time.sleep(self.random.uniform(*PAUSE))
            there = kinds_of_processes(self.root)
            for offset in range(len(KINDS)):
                kind = KINDS[(turn + offset) % len(KINDS)]
                if there[kind]:
                    self.kill(kind, self.random.choice(there[kind]))
                    turn += offset + 1
                    break

    def kill(self, kind, pid):
        try:
            os.kill(pid, signal.SIGKILL)
            self.killed[kind] += 1
        except ProcessLookupError:
            pass


def said(title, counter):
    for text, count in counter.most_common():
        print(f"    {title} {count:5} {text}", file=sys.stderr)


class Load(TrueAfterwards):
    def setUp(self):
        super().setUp()
        self.ok("network", "create", WEB)
        self.acknowledged = Acknowledged()

    def shells(self, seconds, others=()):
        """Lets shells work, and what is given beside them, to the end."""
        deadline = time.monotonic() + seconds
        shells = [Shell(self, number, SEED, deadline, self.acknowledged) for number in range(SHELLS)]
        killers = [make(deadline) for make in others]
        for thread in (*shells, *killers):
            thread.start()
        for thread in (*shells, *killers):
            thread.join()
        total = collections.Counter()
        for shell in shells:
            total.update(shell.commands)
        said("done", total)
        said("failed", sum((shell.said for shell in shells), collections.Counter()))
        self.assertEqual([text for shell in shells for text in shell.wrong], [])
        self.assertGreater(total["run"], 0)
        return killers


class KillAtRandom(Load):
    def test_every_kind_of_process(self):
        print(f"\n    BERTH_FAULT_SECONDS={SECONDS:g} BERTH_FAULT_SEED={SEED}", file=sys.stderr)
        (killer,) = self.shells(SECONDS, [lambda deadline: Killer(self.root, SEED, deadline)])
        said("killed", killer.killed)
        self.assertEqual(set(killer.killed), set(KINDS), "each kind was there to be killed")
        self.assert_true(self.acknowledged)
        self.assert_all_start_and_go()
        self.assert_no_traces()


class PowerCut(Load):
    def cut(self, power):
        """Ends all processes of the store, in the order in which they are found, and drops what lies below the run root."""
        power.clear()
        while any((found := kinds_of_processes(self.root)).values()):
            for pid in [pid for pids in found.values() for pid in pids]:
                thaw(pid)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        shutil.rmtree(self.runroot, ignore_errors=True)
        power.set()

    def test_in_the_middle_of_everything(self):
        power = threading.Event()
        power.set()
        deadline = time.monotonic() + 6
        shells = [Shell(self, number, SEED, deadline, self.acknowledged, power) for number in range(SHELLS)]
        for shell in shells:
            shell.start()
        while time.monotonic() < deadline:
            time.sleep(1.5)
            self.cut(power)
        for shell in shells:
            shell.join()
        self.cut(power)
        self.assertEqual([text for shell in shells for text in shell.wrong], [])
        self.assert_true(self.acknowledged)
        self.ok("system", "boot")
        self.assert_true(self.acknowledged)
        self.assert_all_start_and_go()
        self.assert_no_traces()


class ChangedAtOnce(Load):
    def test_its_limits_and_its_networks(self):
        self.sleeping("--network", "bridge")
        deadline = time.monotonic() + 3

        def repeat(*commands):
            while time.monotonic() < deadline:
                for words in commands:
                    self.ok(*words, "job")

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            work = [pool.submit(repeat, ("network", "connect", WEB), ("network", "disconnect", WEB)),
                    pool.submit(repeat, ("update", "--memory", "32m"), ("update", "--memory", "64m"))]
        for one in work:
            one.result()
        self.assertEqual(self.look()["HostConfig"]["Memory"], 64 << 20)
        self.ok("rm", "-f", "job")
        self.assert_no_traces()

    def test_its_starts_and_its_networks(self):
        self.sleeping("--network", "bridge")
        deadline = time.monotonic() + 3

        def repeat(*words):
            while time.monotonic() < deadline:
                self.berth(*words, "job")  # the other way round it may be so already

        def restart():
            while time.monotonic() < deadline:
                self.ok("restart", "-t", "1", "job")

        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            work = [pool.submit(restart), *[pool.submit(repeat, "network", verb, WEB) for verb in ("connect", "disconnect") * 2]]
        for one in work:
            one.result()
        self.ok("rm", "-f", "job")
        self.assert_no_traces()


class TwoStores(TrueAfterwards):
    """Of one host, whose commands all tidy up what killed ones have left in the cgroups that they share."""

    SECONDS = 6

    def other(self, *words):
        """A command of the other store."""
        command = self.command(*words)
        command[command.index(str(self.root))] = str(self.work / "other")
        command[command.index(str(self.runroot))] = str(self.runroot.parent / "o")
        return run(*command, env=self.environment, cwd=self.work)

    @staticmethod
    def leave_cgroups(container, over):
        """As monitors that are killed one after the other, each in another of the hierarchies, until `over` is set."""
        paths = [parent / f"container-{container}" for parent in leftovers.CGROUPS.glob("*/berth")]
        while not over.is_set():
            for path in paths:
                try:
                    path.mkdir()
                except FileExistsError:
                    continue

    def start_among_leftovers(self, container):
        over = threading.Event()
        leaving = threading.Thread(target=self.leave_cgroups, args=(container, over))
        leaving.start()
        try:
            return self.berth("start", "-a", container)
        finally:
            over.set()
            leaving.join()

    def test_one_starts_and_the_other_tidies_up(self):
        self.ok("run", "--rm", DEMO, "true")
        deadline = time.monotonic() + self.SECONDS

        def starting(_):
            failed = []
            while time.monotonic() < deadline:
                container = self.ok("create", DEMO, "true").strip()
                done = self.start_among_leftovers(container)
                if done.status != 0:
                    failed.append(str(done))
                self.ok("rm", container)
            return failed

        def tidying(_):
            failed = []
            while time.monotonic() < deadline:
                done = self.other("ps", "-a")
                if done.status != 0:
                    failed.append(str(done))
            return failed

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            work = [pool.submit(each, number) for number in range(3) for each in (starting, tidying)]
        self.assertEqual([text for one in work for text in one.result()], [])
        self.assert_no_traces()


class ManyAtOnce(TrueAfterwards):
    COUNT = 200
    SHELLS = 8

    def test_starting_and_stopping(self):
        each = self.COUNT // self.SHELLS
        acknowledged = Acknowledged()

        def shell(number):
            names = [f"c{number}-{turn}" for turn in range(each)]
            for name in names:
                done = self.berth("run", "-d", "--name", name, DEMO, "sleep", "1000")
                self.assertEqual((done.status, done.stderr), (0, ""), done)
                acknowledged.make(done.stdout.strip())
            done = self.berth("stop", *names[::2])
            self.assertEqual((done.status, done.stderr), (0, ""), done)
            done = self.berth("start", *names[:each // 2:2])
            self.assertEqual((done.status, done.stderr), (0, ""), done)

        with concurrent.futures.ThreadPoolExecutor(self.SHELLS) as pool:
            list(pool.map(shell, range(self.SHELLS)))
        rows = self.rows().values()
        self.assertEqual(len(rows), self.COUNT)
        running = [row for row in rows if row["State"] == "running"]
        stopped = [row for row in rows if row["State"] == "exited"]
        self.assertEqual(len(running) + len(stopped), self.COUNT)
        self.assertEqual({row["ExitCode"] for row in stopped}, {143})
        self.assert_true(acknowledged)
        banks = leftovers.held_banks(self.root)
        self.assertEqual(len(set(banks)), self.COUNT, "each has a bank of its own")
        ids = [row["Id"] for row in rows]
        with concurrent.futures.ThreadPoolExecutor(self.SHELLS) as pool:
            for done in pool.map(lambda number: self.berth("rm", "-f", *ids[number::self.SHELLS]), range(self.SHELLS)):
                self.assertEqual((done.status, done.stderr), (0, ""), done)
        self.assert_no_traces()


if __name__ == "__main__":
    main()
