"""What holds whatever was killed, filled or cut off: what `ps -a` says is so, what was said to be done is done, all can go."""

import collections
import json
import os
import pathlib
import re
import sqlite3
import threading

from support import leftovers
from support.case import run
from support.detached import Detached
from support.networked import elements, links, tables
from support.waiting import until

WEB = "web"  # a network with names


class Acknowledged:
    """What commands have said is done, and what others may have done unheard. For several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self.made = {}  # ID of each container whose making was acknowledged, to whether it goes when it ends
        self.leaving = set()  # somebody has asked for their removal
        self.gone = set()  # and has been told that it is done
        self.ended = {}  # ID to the exit status that somebody was told of
        self.begun_again = set()  # somebody has asked for another start since

    def make(self, container, goes_with_its_end=False):
        with self._lock:
            self.made[container] = goes_with_its_end

    def some(self, choose):
        """One that may be there; None if there is none."""
        with self._lock:
            there = [container for container in self.made if container not in self.leaving]
            return choose(there) if there else None

    def count(self):
        with self._lock:
            return len(self.made) - len(self.leaving)

    def leave(self, container):
        with self._lock:
            self.leaving.add(container)

    def left(self, container):
        with self._lock:
            self.gone.add(container)

    def begin_again(self, container):
        with self._lock:
            self.begun_again.add(container)

    def end(self, container, status):
        """An end that a start before it may have come after is nobody's to rely on."""
        with self._lock:
            if container not in self.begun_again:
                self.ended[container] = status


def first_processes():
    """PIDs of all first processes of PID namespaces below this one."""
    found = set()
    for pid in leftovers.processes():
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        numbers = re.search(r"^NSpid:\s*(.*)$", status, re.M).group(1).split()
        if len(numbers) > 1 and numbers[-1] == "1" and not re.search(r"^State:\s*[ZX]", status, re.M):
            found.add(pid)
    return found


def kinds_of_processes(root):
    """PIDs of the processes of the store `root`, by what they are."""
    found = collections.defaultdict(list)
    for pid, text in leftovers.processes().items():
        words = text.split()[3:]
        program = os.path.basename(words[0]) if words else ""
        if program == "berth-monitor":
            found["monitor"].append(pid)
        elif program == "aardvark-dns":
            found["name server"].append(pid)
        elif program == "berth" and str(root) in words:
            found["finish" if words[5:7] == ["container", "finish"] else "command"].append(pid)
    found["first process"] = sorted(first_processes())
    return found


def thaw(pid):
    """What v1's freezer holds does not even die, which a machine without power has no trouble with."""
    try:
        paths = re.findall(r"^\d+:freezer:(/.*)$", pathlib.Path(f"/proc/{pid}/cgroup").read_text(), re.M)
        for path in paths:
            if path != "/":
                (leftovers.CGROUPS / "freezer" / path[1:] / "freezer.state").write_text("THAWED")
    except OSError:
        pass


class TrueAfterwards(Detached):
    """The network namespace is that of all tests of a file: each test ends with none of its own interfaces or rules in it."""

    def end_all(self):
        super().end_all()
        for table in tables():
            run("nft", "delete", "table", "inet", table)
        for link in links() - {"lo"}:
            run("ip", "link", "delete", link)

    def rows(self):
        return {row["Id"]: row for row in json.loads(self.ok("ps", "-a", "--no-trunc", "--format", "json"))}

    def untrue(self, acknowledged):
        """What `ps -a` says and is not so, or was acknowledged and is not so."""
        rows = self.rows()
        wrong = [f"{container} was made, and is not listed" for container, goes in acknowledged.made.items()
                 if container not in rows and container not in acknowledged.leaving and not goes]
        wrong += [f"{container} was removed, and is listed" for container in acknowledged.gone if container in rows]
        for container, status in acknowledged.ended.items():
            row = rows.get(container)
            if row and container not in acknowledged.begun_again and (row["State"], row["ExitCode"]) != ("exited", status):
                wrong.append(f"{container} ended with {status}, and is listed as {row['State']} ({row['ExitCode']})")
        runs = {row["Pid"] for row in rows.values() if row["State"] in ("running", "paused")}
        wrong += [f"process {pid} is listed, and does not run" for pid in runs - first_processes()]
        wrong += [f"process {pid} runs, and is not listed" for pid in first_processes() - runs]
        return wrong

    def assert_true(self, acknowledged):
        """Some time after the last command: policies are followed, ends recorded."""
        found = []

        def is_true():
            found[:] = self.untrue(acknowledged)
            return not found
        until(is_true, lambda: "\n  ".join(found))

    def assert_all_start_and_go(self):
        for container, row in self.rows().items():
            if row["State"] not in ("running", "paused"):
                self.ok("start", container)
        for container in self.rows():
            self.ok("rm", "-f", container)
        self.assertEqual(self.rows(), {})

    def rows_of(self, *queries):
        connection = sqlite3.connect(f"file:{self.root}/berth.db?mode=ro", uri=True)
        try:
            return [row for query in queries for row in connection.execute(query)]
        finally:
            connection.close()

    def assert_no_traces(self):
        """No mount, process, cgroup, bank, file, interface, rule, address or port of any container."""
        if WEB in self.ok("network", "ls", "--format", "{{.Name}}").split():
            self.ok("network", "rm", WEB)
        self.ok("system", "repair")
        self.assert_nothing_left()
        for base in (self.root / "containers", self.root / "volumes", self.runroot / "containers",
                     self.runroot / "names/networks"):
            names = [path.name for path in base.iterdir()] if base.exists() else []
            self.assertEqual([name for name in names if name not in ("creating.lock", "aardvark.pid")], [], base)
        until(lambda: not [link for link in links() if link.startswith("veth")], lambda: f"interfaces are left: {links()}")
        self.assertEqual(elements(), [])
        self.assertEqual(self.rows_of("SELECT * FROM network_attachments", "SELECT * FROM published_ports",
                                      "SELECT * FROM container_banks"), [])
