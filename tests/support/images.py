"""Images for one test: busybox with more in it, or other settings."""

import pathlib
import subprocess
import sys

from support.case import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
import docker_archive as archive  # noqa: E402  (after the path is set)

APPLETS = ("sh", "cat", "id", "whoami", "ls", "stat", "touch", "sleep", "true", "env", "chmod", "chown", "mkdir")


def busybox_entries(passwd=None, group=None):
    """A small system: busybox, some of its applets, and accounts if given."""
    yield archive.directory("bin")
    yield archive.file("bin/busybox", pathlib.Path("/bin/busybox").read_bytes(), mode=0o755)
    for applet in APPLETS:
        yield archive.link(f"bin/{applet}", "busybox")
    for name in ("etc", "proc", "sys", "dev"):
        yield archive.directory(name)
    yield archive.directory("tmp", mode=0o1777)
    if passwd is not None:
        yield archive.file("etc/passwd", passwd)
    if group is not None:
        yield archive.file("etc/group", group)


def load(case, name, entries, settings=None):
    """Makes an image of one layer and loads it; gives its name."""
    path = case.work / f"{name.replace('/', '-')}.tar"
    machine = subprocess.run(["dpkg", "--print-architecture"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    settings = {"Cmd": ["/bin/sh"], "Env": ["PATH=/usr/bin:/bin"], **(settings or {})}
    archive.write(path, [f"localhost/{name}:latest"], [archive.tar_bytes(entries)], settings, machine)
    case.ok("load", "-i", path)
    return f"localhost/{name}:latest"
