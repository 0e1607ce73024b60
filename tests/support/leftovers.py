"""What a command may leave behind by mistake: mounts, processes, cgroups, half-made files, banks."""

import dataclasses
import os
import pathlib
import sqlite3
import time

CGROUPS = pathlib.Path("/sys/fs/cgroup")
PF_KTHREAD = 0x200000
FLAGS = 5  # of proc_pid_stat(5)'s numbers after the state: ppid, pgrp, session, tty_nr, tpgid, flags
PATIENCE = 5.0  # seconds that something may take to go after the command that started it has ended


def mounts():
    """The mount points of this mount namespace, with their file system."""
    found = []
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        found.append(f"mount {fields[4]} ({fields[fields.index('-') + 1]})")
    return sorted(found)


def processes():
    """PID to command line, of all processes that this PID namespace has and that are not kernel threads."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            state, *numbers = pathlib.Path("/proc", name, "stat").read_text().rsplit(")", 1)[1].split()
            words = pathlib.Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(numbers[FLAGS]) & PF_KTHREAD:
            continue
        text = " ".join(word.decode(errors="backslashreplace") for word in words).strip()
        found[int(name)] = f"process {name} ({state}) {text or '?'}"
    return found


def _has_processes(cgroup):
    try:
        return pathlib.Path(cgroup, "pids.current").read_text() != "0\n"
    except OSError:
        return False


def cgroups():
    """
    berth's cgroups in every hierarchy, without the one that all of them are in, and without those of another PID
    namespace. Its processes show as 0 in v2, and not at all in v1, where pids.current counts them all the same; a
    container's cgroups have one name in all hierarchies.
    """
    found, of_others = [], set()
    for directory, _, _ in os.walk(CGROUPS):
        if "berth" not in directory or directory.endswith("/berth"):
            continue
        try:
            members = pathlib.Path(directory, "cgroup.procs").read_text().split()
        except OSError:
            continue
        found.append(directory)
        if "0" in members or (not members and _has_processes(directory)):
            of_others.add(pathlib.Path(directory).name)
    return [f"cgroup {directory}" for directory in found if pathlib.Path(directory).name not in of_others]


@dataclasses.dataclass
class Snapshot:
    """The state of the machine at one time."""

    mounts: list
    processes: dict
    cgroups: list

    @staticmethod
    def take():
        return Snapshot(mounts(), processes(), cgroups())

    def left_since(self, before):
        """What this has that `before` had not."""
        left = [text for text in self.mounts if text not in before.mounts]
        left += [text for pid, text in self.processes.items() if pid not in before.processes and pid != os.getpid()]
        left += [text for text in self.cgroups if text not in before.cgroups]
        return left


def wait_until_gone(before, but_cgroups=False):
    """
    What is still there some time after `before`, although it had time to go. Without cgroups, where the next command is
    to take them away.
    """
    deadline = time.monotonic() + PATIENCE
    lasting = None  # the cgroups that every look has found: those of other tests come and go
    while True:
        left = Snapshot.take().left_since(before)
        groups = [text for text in left if text.startswith("cgroup ") and not but_cgroups]
        lasting = [text for text in groups if lasting is None or text in lasting]
        left = [text for text in left if not text.startswith("cgroup ")] + lasting
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def unfinished(root):
    """Names below the store's tmp/: work that nobody goes on with."""
    staging = pathlib.Path(root, "tmp")
    return [f"unfinished {path}" for path in sorted(staging.iterdir())] if staging.is_dir() else []


def _query(root, sql):
    database = pathlib.Path(root, "berth.db")
    if not database.exists():
        return []
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute(sql)]
    finally:
        connection.close()


def containers(root):
    return _query(root, "SELECT id FROM containers")


def held_banks(root):
    return _query(root, "SELECT number FROM banks WHERE owner IS NOT NULL")
