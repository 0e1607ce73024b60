#!/usr/bin/python3
"""Runs one test file where it can leave nothing: in mount, PID, network and IPC namespaces of its own.

    isolated.py WORK_DIRECTORY FILE [unittest arguments...]

WORK_DIRECTORY is emptied before and removed after, whatever happened. /run is an empty tmpfs, /dev/null a node of its own,
the network a loopback interface, and when the tests end the kernel ends every process that they started.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys

OVERLAYFS_MAGIC = 0x794C7630
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def clean(directory):
    """Removes a tree that containers may have written: immutable flags apart, root can remove all of it."""
    if directory.exists():
        shutil.rmtree(directory)


def file_system_magic(path):
    buffer = ctypes.create_string_buffer(256)  # struct statfs begins with f_type, a long
    if LIBC.statfs(os.fsencode(path), buffer) != 0:
        raise OSError(ctypes.get_errno(), f"statfs {path}")
    return ctypes.cast(buffer, ctypes.POINTER(ctypes.c_long))[0]


def reap_until(child):
    """PID 1's duty: waits for everything, and gives the child's status when it ends."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def take_own_null_device():
    """crun gives its standard input to the container's root, /dev/null too: that must not be the host's."""
    own = pathlib.Path("/dev/shm/null")  # where it keeps its name: runc binds it, which nothing without one can be
    subprocess.run(["mknod", "-m", "666", str(own), "c", "1", "3"], check=True)
    subprocess.run(["mount", "--bind", str(own), "/dev/null"], check=True)


def inside(work, test, arguments):
    """Is PID 1 of the namespaces."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    # podman keeps its locks there, for all of its stores.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/dev/shm"], check=True)
    take_own_null_device()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if file_system_magic(work) == OVERLAYFS_MAGIC:
        # A machine that is itself a container: overlayfs can't stand on overlayfs.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", str(work)], check=True)
    child = os.fork()
    if child == 0:
        os.environ["BERTH_TEST_WORK"] = str(work)
        os.execv(sys.executable, [sys.executable, "-B", "-u", str(test), *arguments])
    status = reap_until(child)
    sys.exit(status if status >= 0 else 128 - status)


def outside(work, test, arguments):
    clean(work)
    work.mkdir(parents=True)
    work.chmod(stat.S_IRWXU)
    command = ["unshare", "--mount", "--propagation", "private", "--net", "--ipc", "--pid", "--fork",
               "--kill-child=SIGKILL", "--mount-proc", "--",
               sys.executable, "-B", __file__, "--inside", str(work), str(test), *arguments]
    # Whoever kills this process (a time limit) kills the whole of it.
    child = subprocess.Popen(command, preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
    signal.signal(signal.SIGTERM, lambda *_: child.kill())
    signal.signal(signal.SIGINT, lambda *_: child.kill())
    status = child.wait()
    clean(work)
    sys.exit(status if status >= 0 else 128 - status)


def main():
    if os.geteuid() != 0:
        sys.exit("this test needs root: run ./test, or ctest with sudo")
    words = sys.argv[1:]
    if words[0] == "--inside":
        inside(pathlib.Path(words[1]), pathlib.Path(words[2]), words[3:])
    outside(pathlib.Path(words[0]).resolve(), pathlib.Path(words[1]).resolve(), words[2:])


main()
