"""Several shells that make, change and remove containers of one store, each on its own and without asking the others."""

import collections
import random
import re
import threading
import time

from support.case import DEMO
from support.truth import WEB

KILLED = 137
# Nobody may see these, whoever else was killed.
INTERNAL = re.compile(r"locked|malformed|damaged|out of turn|terminate called|Assertion|constraint")
MOST = 14  # containers that a store has before some are removed


class Shell(threading.Thread):
    """Runs commands until `deadline` (time.monotonic()), and notes what each of them has said was done."""

    def __init__(self, case, number, seed, deadline, acknowledged, power=None):
        super().__init__()
        self.power = power  # an Event: nothing is run while it is not set
        self.case, self.number, self.deadline, self.acknowledged = case, number, deadline, acknowledged
        self.random = random.Random(f"{seed}-{number}")
        self.said = collections.Counter()  # what commands that failed have said
        self.commands = collections.Counter()  # verbs of those that did not
        self.wrong = []

    def run(self):
        steps = [self.make] * 5 + [self.remove] * 2 + [self.stop, self.start_again, self.restart, self.kill, self.run_inside,
                                                       self.wait_for, self.connect, self.disconnect, self.look, self.log,
                                                       self.pause, self.change]
        while time.monotonic() < self.deadline:
            try:
                self.random.choice(steps)()
            except Exception as error:  # a thread has nobody else to tell
                self.wrong.append(repr(error))
                return

    def berth(self, *words):
        if self.power:
            self.power.wait()
        done = self.case.berth(*words, timeout=90)
        if done.status == 0:
            self.commands[words[0]] += 1
        elif done.status > 128 and done.status != KILLED and words[0] != "exec":
            self.wrong.append(f"crashed: {done}")
        elif INTERNAL.search(done.stderr):
            self.wrong.append(f"nobody can make anything of this: {done}")
        else:
            error = [line for line in done.stderr.splitlines() if line.startswith("berth: ")]
            self.said[f"{words[0]} ({done.status}): " + re.sub(r"[0-9a-f]{12,}|[a-z]+_[a-z]+\d*|\d+", "…", error[-1] if error else "")] += 1
        return done

    def one(self):
        return self.acknowledged.some(self.random.choice)

    def on_one(self, *words):
        """Runs a command for some container, which comes last; gives the ID where it has succeeded."""
        container = self.one()
        return container if container and self.berth(*words, container).status == 0 else None

    def make(self):
        if self.acknowledged.count() >= MOST:
            self.remove()
            return
        network = self.random.choice([[], [], ["--network", "bridge", "-p", "80"], ["--network", WEB], ["--network", WEB, "-p", "80"]])
        goes = self.random.random() < 0.15
        command = ["sleep", "1000"]
        policy = ["--rm"] if goes else self.random.choice([[], ["--restart", "always"], ["--restart", "unless-stopped"]])
        if self.random.random() < 0.3 and not goes:
            command = ["sh", "-c", f"exit {self.random.randrange(1, 100)}"]
            policy = self.random.choice([[], [], ["--restart", "on-failure:2"]])
        done = self.berth("run", "-d", *network, *policy, DEMO, *command)
        if done.status == 0:
            self.acknowledged.make(done.stdout.strip(), goes)

    def remove(self):
        container = self.one()
        if not container:
            return
        self.acknowledged.leave(container)
        done = self.berth("rm", "-f", container)
        # Who may go with its end may be gone before.
        if done.status == 0 or "there is no container" in done.stderr:
            self.acknowledged.left(container)

    def stop(self):
        self.on_one("stop", "-t", "1")

    def kill(self):
        self.on_one("kill")

    def start_again(self):
        self.begin("start")

    def restart(self):
        self.begin("restart", "-t", "1")

    def begin(self, *words):
        container = self.one()
        if container:
            self.acknowledged.begin_again(container)
            self.berth(*words, container)

    def run_inside(self):
        container = self.one()
        if container:
            self.berth("exec", container, "true")

    def wait_for(self):
        """Of those that have ended by themselves, so that nobody waits for ever."""
        container = self.one()
        if container is None:
            return
        listed = self.berth("ps", "-aq", "--no-trunc", "--filter", "status=exited").stdout.split()
        if container in listed:
            done = self.berth("inspect", "--format", "{{.State.ExitCode}} {{.State.Error}}", container)
            words = done.stdout.split()
            if done.status == 0 and len(words) == 1 and words[0].isdigit():
                self.acknowledged.end(container, int(words[0]))

    def connect(self):
        self.on_one("network", "connect", WEB)

    def disconnect(self):
        self.on_one("network", "disconnect", WEB)

    def look(self):
        self.berth(*self.random.choice([("ps", "-a"), ("ps", "-a", "--format", "json"), ("network", "ls"), ("system", "repair")]))

    def log(self):
        self.on_one("logs")

    def pause(self):
        self.on_one("pause")
        self.on_one("unpause")

    def change(self):
        self.on_one("update", "--memory", f"{self.random.randrange(32, 64)}m")
