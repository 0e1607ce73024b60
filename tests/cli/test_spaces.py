"""--pid and --ipc: namespaces that containers share, where they share a bank, and the host's."""

import os
import subprocess

from support.case import DEMO, BerthCase, main


class Spaces(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "--force", "--all")

    def sleeping(self, name, *flags, command=("sleep", "1000")):
        self.ok("run", "-d", "--name", name, *flags, DEMO, *command)

    def run_in(self, script, *flags):
        return self.ok("run", "--rm", *flags, DEMO, "sh", "-c", script)


class Pid(Spaces):
    def test_the_other_s_processes_are_there(self):
        self.sleeping("first", command=("sleep", "4711"))
        seen = self.run_in("ps -o pid,args; readlink /proc/1/ns/pid /proc/self/ns/pid || true; kill -0 1 && echo reached",
                           "--userns", "container:first", "--pid", "container:first")
        self.assertIn("sleep 4711", seen)
        self.assertIn("reached", seen)
        # Files are each one's own.
        self.ok("exec", "first", "touch", "/tmp/first")
        self.assertEqual(self.run_in("ls /tmp", "--userns", "container:first", "--pid", "container:first"), "")

    def test_of_a_named_bank(self):
        self.ok("bank", "create", "team")
        self.sleeping("first", "--bank", "team", command=("sleep", "4711"))
        self.assertIn("sleep 4711", self.run_in("ps -o args", "--bank", "team", "--pid", "container:first"))

    def test_exec_goes_to_where_its_container_is(self):
        self.sleeping("first", command=("sleep", "4711"))
        self.sleeping("second", "--userns", "container:first", "--pid", "container:first", command=("sleep", "4712"))
        seen = self.ok("exec", "second", "ps", "-o", "args")
        self.assertIn("sleep 4711", seen)
        self.assertIn("sleep 4712", seen)

    def test_nothing_is_left_of_it_in_the_other(self):
        self.sleeping("first")
        self.sleeping("second", "--userns", "container:first", "--pid", "container:first",
                      command=("sh", "-c", "sleep 4713 & setsid sleep 4714 & sleep 4715"))
        self.ok("rm", "-f", "second")
        self.assertNotIn("sleep 47", self.ok("exec", "first", "ps", "-o", "args"))

    def test_without_a_bank_in_common_it_says_so(self):
        self.sleeping("first")
        for flag in ("--pid", "--ipc"):
            self.fails(125, "run", "--rm", flag, "container:first", DEMO, "true",
                       saying=[f"{flag} container:first: the two don't have the same user IDs", "--userns container:first"])
            self.fails(125, "run", "--rm", flag, "container:nothere", DEMO, "true", saying="nothere")
            self.fails(125, "run", "--rm", flag, "nonsense", DEMO, "true", saying=f"{flag} nonsense")
        self.ok("create", "--name", "made", "--userns", "container:first", DEMO, "true")
        self.fails(125, "run", "--rm", "--userns", "container:first", "--pid", "container:made", DEMO, "true",
                   saying="does not run")
        self.ok("project", "create", "lab")
        self.fails(125, "run", "--rm", "--project", "lab", "--pid", "container:first", DEMO, "true", saying="not of the same project")

    def test_the_host_s(self):
        self.fails(125, "run", "--rm", "--pid", "host", DEMO, "true", saying=["--pid host", "--userns host"])
        with subprocess.Popen(["sleep", "4716"]) as process:
            seen = self.run_in("ps -o args", "--userns", "host", "--pid", "host")
            process.kill()
        self.assertIn("sleep 4716", seen)
        self.ok("project", "create", "lab")
        self.fails(125, "run", "--rm", "--project", "lab", "--pid", "host", DEMO, "true", saying="--pid host is refused")


class Ipc(Spaces):
    SHARED = ("--userns", "container:first", "--ipc", "container:first")

    def test_shared_memory_and_the_namespace(self):
        self.sleeping("first")
        self.ok("exec", "first", "sh", "-c", "echo hello > /dev/shm/file")
        self.assertEqual(self.run_in("cat /dev/shm/file; echo back > /dev/shm/other", *self.SHARED), "hello\n")
        self.assertEqual(self.ok("exec", "first", "cat", "/dev/shm/other"), "back\n")
        own = self.ok("exec", "first", "ls", "-l", "/proc/self/ns/ipc").split()[-1]
        self.assertIn(own, self.run_in("ls -l /proc/self/ns/ipc", *self.SHARED))
        self.assertNotIn(own, self.run_in("ls -l /proc/self/ns/ipc"))

    def test_private_ones(self):
        self.sleeping("first")
        self.ok("exec", "first", "touch", "/dev/shm/file")
        for flags in ((), ("--ipc", "private"), ("--ipc", "shareable")):
            self.assertEqual(self.run_in("ls /dev/shm", *flags), "")
        self.assertEqual(self.run_in("grep -c /dev/shm /proc/mounts || true", "--ipc", "none"), "0\n")

    def test_the_host_s(self):
        self.fails(125, "run", "--rm", "--ipc", "host", DEMO, "true", saying=["--ipc host", "--userns host"])
        self.assertIn(os.readlink("/proc/self/ns/ipc"), self.run_in("ls -l /proc/self/ns/ipc", "--userns", "host", "--ipc", "host"))

    def test_what_is_the_other_s_is_not_set(self):
        self.sleeping("first")
        self.fails(125, "run", "--rm", *self.SHARED, "--sysctl", "kernel.shmmax=1000000", DEMO, "true", saying="--sysctl kernel.shmmax")

    def test_what_the_other_has_there_is_no_way_to_the_host(self):
        self.sleeping("first", "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined",
                      command=("sh", "-c", "umount /dev/shm; rmdir /dev/shm; ln -s / /dev/shm; echo swapped; sleep 1000"))
        done = self.berth("run", "--rm", *self.SHARED, DEMO, "ls", "/dev/shm")
        if done.status != 0:
            self.assertIn("share /dev/shm", done.stderr)
        self.assertNotIn("lib64", done.stdout)


main()
