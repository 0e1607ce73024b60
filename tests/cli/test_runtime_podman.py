"""podman with berth-runtime as its OCI runtime: what its users do every day."""

import os
import pathlib
import pty
import subprocess
import unittest

from support import case, podman
from support.engine_case import EngineCase

CGROUPS = pathlib.Path("/sys/fs/cgroup")


class Everyday(podman.Podman, EngineCase, unittest.TestCase):
    def test_a_terminal(self):
        ours, theirs = pty.openpty()
        try:
            done = subprocess.run(["podman", "run", "--rm", "-t", "--network=none", self.image, "sh", "-c", "tty; stty size"],
                                  env=self.env, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  check=False, timeout=60)
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertEqual(done.stdout.split()[0], "/dev/pts/0", done)

    def test_a_user_namespace_of_its_own(self):
        uid_map = self.shell("cat /proc/self/uid_map", "--userns=auto").split()
        self.assertEqual(uid_map[0], "0")
        self.assertGreaterEqual(int(uid_map[1]), 2147483648)

    def test_volumes(self):
        data = self.work / "data"
        data.mkdir(exist_ok=True)
        self.shell("echo kept > /data/file", "-v", f"{data}:/data")
        self.assertEqual((data / "file").read_text(), "kept\n")
        done = self.run_in("-v", f"{data}:/data:ro", self.image, "touch", "/data/other")
        self.assertNotEqual(done.returncode, 0)
        self.shell("touch /data/mapped", "--userns=auto", "-v", f"{data}:/data:idmap")
        self.assertEqual((data / "mapped").stat().st_uid, 0, "what the container's root makes is the host root's")

    def test_a_container_that_stays(self):
        name = self.ok("run", "-d", "--network=none", self.image, "sleep", "1000").strip()
        self.assertTrue(self.ok("ps", "--format", "{{.Status}}").startswith("Up"))
        self.assertEqual(self.ok("exec", name, "sh", "-c", "echo in; id -u").split(), ["in", "0"])
        self.assertEqual(self.call("exec", name, "sh", "-c", "exit 3").returncode, 3)
        self.assertEqual(self.call("exec", name, "nosuch").returncode, 127)
        self.ok("pause", name)
        self.assertEqual(self.ok("inspect", name, "--format", "{{.State.Status}}").strip(), "paused")
        self.ok("unpause", name)
        self.ok("restart", "-t", "0", name)
        self.ok("stop", "-t", "0", name)
        self.assertEqual(self.ok("inspect", name, "--format", "{{.State.ExitCode}}").strip(), "137")
        self.ok("rm", name)

    def test_exec_where_others_may_trace(self):
        """Its process is made otherwise there (src/runtime/last_born.h), also through podman's seccomp profile."""
        name = self.ok("run", "-d", "--network=none", "--cap-add", "SYS_PTRACE", self.image, "sleep", "1000").strip()
        self.assertEqual(self.ok("exec", name, "sh", "-c", "echo in; id -u").split(), ["in", "0"])
        self.assertEqual(self.call("exec", name, "sh", "-c", "exit 3").returncode, 3)
        self.assertEqual(self.call("exec", name, "nosuch").returncode, 127)
        self.assertIn("/dev/pts/", self.ok("exec", "-t", name, "readlink", "/proc/self/fd/0"))
        self.assertIn("Seccomp:\t2", self.ok("exec", name, "cat", "/proc/self/status"))
        self.ok("rm", "-f", "-t", "0", name)

    def test_a_pod(self):
        # Its first container needs an image that is nowhere here, so the containers share what one of them has.
        first = self.ok("run", "-d", "--network=none", self.image, "sleep", "1000").strip()
        space = self.ok("exec", first, "readlink", "/proc/self/ns/net").strip()
        other = self.ok("run", "--rm", "--network", f"container:{first}", self.image, "readlink", "/proc/self/ns/net").strip()
        self.assertEqual(other, space)
        self.ok("rm", "-f", "-t", "0", first)

    def test_nothing_is_left(self):
        self.shell("true")
        self.assertEqual(self.ok("ps", "-aq"), "")
        left = [path for path in CGROUPS.glob("*/libpod_parent/libpod-*") if path.is_dir()]
        self.assertEqual(left, [])


if __name__ == "__main__":
    case.main()
