"""containerd with berth-runtime under its shim: what all that is built on containerd asks of a runtime."""

import os
import pathlib
import pty
import secrets
import subprocess
import unittest

from support import case, documented
from support.engine_case import EngineClient
from support.waiting import until

CGROUPS = pathlib.Path("/sys/fs/cgroup")
STATE = pathlib.Path("/run/containerd/runc")  # what the shim gives its runtime as --root, and the namespace
FIRST_ID = 2147483648  # outside of berth's own banks
CONFIGURATION = """\
version = 2
root = "{work}/root"
state = "/run/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "/run/containerd/own.sock"
"""


def shims():
    """The command lines of the shims that run; each container has one."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"containerd-shim-runc-v2"):
            found.append(words)
    return found


class Daemon(EngineClient):
    """A containerd with a root, a state, a socket and, if a class says so, a `path` of its own."""

    client = ("ctr",)
    path = os.environ["PATH"]

    @classmethod
    def setUpClass(cls):
        work = cls.work = case.WORK / cls.__name__
        work.mkdir()
        cls.runtime = case.PROGRAMS / "berth-runtime"
        (work / "config.toml").write_text(CONFIGURATION.format(work=work))
        cls.log = (work / "log").open("wb")
        cls.addClassCleanup(cls.log.close)
        # The cgroups of this test's containers are told from all others by the name of containerd's namespace.
        cls.space = f"test-of-containerd-{secrets.token_hex(4)}"
        cls.env = dict(os.environ, CONTAINERD_ADDRESS="/run/containerd/own.sock", CONTAINERD_NAMESPACE=cls.space)
        cls.daemon = subprocess.Popen(["containerd", "--config", work / "config.toml"], stdin=subprocess.DEVNULL,
                                      stdout=cls.log, stderr=cls.log, env=dict(os.environ, PATH=cls.path))
        cls.addClassCleanup(cls.close)
        until(lambda: cls.call("version").returncode == 0, "containerd answers")
        cls.image = case.DEMO
        cls.ok("image", "import", case.demo_archive())

    @classmethod
    def close(cls):
        cls.daemon.terminate()
        cls.daemon.wait(20)
        for path in CGROUPS.glob(f"*/{cls.space}"):  # the parent of its containers' cgroups
            path.rmdir()

    def run_in(self, *words, flags=(), mode="--rm", **options):
        return self.call("run", mode, "--runc-binary", self.runtime, *flags, self.image, self.id(), *words, **options)

    def id(self):
        return super().id().rsplit(".", 1)[-1].replace("_", "-")

    def shell(self, script, *flags):
        done = self.run_in("sh", "-c", script, flags=flags)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def stay(self, *flags):
        """A container that stays until it is removed; its name."""
        done = self.run_in("sleep", "1000", flags=flags, mode="--detach")
        self.assertEqual(done.returncode, 0, done)
        self.addCleanup(self.remove)
        return self.id()

    def remove(self):
        self.call("task", "kill", "--signal", "KILL", self.id())
        until(lambda: self.state() != "RUNNING", "the task has ended")
        self.call("task", "delete", self.id())
        self.call("container", "delete", self.id())

    def state(self):
        """RUNNING, PAUSED, STOPPED, or nothing where there is no such task."""
        for line in self.ok("task", "list").splitlines()[1:]:
            name, _, state = line.split()
            if name == self.id():
                return state
        return ""


class Containerd(Daemon, unittest.TestCase):
    def test_a_command_and_its_status(self):
        self.assertEqual(self.shell("id -u; echo hello"), "0\nhello\n")
        self.assertEqual(self.run_in("sh", "-c", "echo error >&2; exit 7").stderr, "error\n")
        self.assertEqual(self.run_in("sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.run_in("sh", "-c", "sleep 9 & kill -9 $!; wait $!").returncode, 137)

    def test_a_command_that_is_not_there(self):
        done = self.run_in("nosuch")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nosuch", done.stderr)

    def test_the_input(self):
        # A line and no end of file: this ctr loses one that comes before the task is started.
        source, sink = os.pipe()
        os.write(sink, b"through\n")
        try:
            done = self.run_in("head", "-n", "1", stdin=source)
        finally:
            os.close(source)
            os.close(sink)
        self.assertEqual((done.returncode, done.stdout), (0, "through\n"), done)

    def test_a_terminal(self):
        ours, theirs = pty.openpty()
        try:
            words = ["ctr", "run", "--rm", "-t", "--runc-binary", str(self.runtime), self.image, self.id(), "tty"]
            done = subprocess.run(words, env=self.env, stdin=theirs, stdout=theirs, stderr=theirs, check=False, timeout=60)
            shown = os.read(ours, 4096).decode()
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertEqual((done.returncode, shown.split()), (0, ["/dev/pts/0"]))

    def test_a_mount(self):
        data = self.work / "data"
        data.mkdir()
        mount = f"type=bind,src={data},dst=/data,options=rbind"
        self.shell("echo kept > /data/file", "--mount", f"{mount}:rw")
        self.assertEqual((data / "file").read_text(), "kept\n")
        done = self.run_in("touch", "/data/other", flags=["--mount", f"{mount}:ro"])
        self.assertNotEqual(done.returncode, 0)

    def test_settings(self):
        self.assertEqual(self.shell("echo $ONE; pwd", "--env", "ONE=1", "--cwd", "/var/www"), "1\n/var/www\n")
        self.assertNotEqual(self.run_in("touch", "/file", flags=["--read-only"]).returncode, 0)
        self.assertIn("Seccomp:\t2", self.shell("cat /proc/self/status", "--seccomp"))

    def test_limits(self):
        got = self.shell("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us",
                         "--memory-limit", "67108864", "--cpus", "0.5",
                         "--mount", "type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro")
        self.assertEqual(got.split(), ["67108864", "50000"])

    def test_figures(self):
        name = self.stay("--memory-limit", "67108864")
        figures = dict(line.split() for line in self.ok("task", "metrics", name).splitlines() if len(line.split()) == 2)
        self.assertEqual(figures["memory.limit_in_bytes"], "67108864")
        self.assertGreater(int(figures["memory.usage_in_bytes"]), 0)
        self.assertEqual(figures["pids.current"], "1")

    def test_further_processes(self):
        name = self.stay()
        first = self.ok("task", "exec", "--exec-id", "one", name, "sh", "-c", "echo in; id -u")
        self.assertEqual(first.split(), ["in", "0"])
        self.assertEqual(self.call("task", "exec", "--exec-id", "two", name, "sh", "-c", "exit 3").returncode, 3)
        done = self.call("task", "exec", "--exec-id", "three", name, "nosuch")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nosuch", done.stderr)
        # All three are gone; a further one that stays is seen beside the first process.
        self.ok("task", "exec", "--detach", "--exec-id", "four", name, "sleep", "1000")
        self.assertEqual(len(self.ok("task", "ps", name).splitlines()), 3)
        self.ok("task", "kill", "--exec-id", "four", "--signal", "KILL", name)
        until(lambda: "four" not in self.ok("task", "ps", name), "the further process has ended")

    def test_a_container_that_stays(self):
        name = self.stay()
        self.assertEqual(self.state(), "RUNNING")
        self.assertEqual(len([words for words in shims() if name.encode() in words]), 1)
        listed = case.run(self.runtime, "--root", STATE / self.space, "list", "--quiet")
        self.assertEqual(listed.stdout.split(), [name], listed)
        self.ok("task", "pause", name)
        self.assertEqual(self.state(), "PAUSED")
        self.ok("task", "resume", name)
        self.assertEqual(self.state(), "RUNNING")
        # sleep has no handler, so the signal that a first process ignores is one that does not end it.
        self.ok("task", "kill", "--signal", "TERM", name)
        self.assertEqual(self.state(), "RUNNING")
        self.ok("task", "kill", "--signal", "KILL", name)
        until(lambda: self.state() == "STOPPED", "the task has ended")
        self.ok("task", "delete", name)
        self.ok("container", "delete", name)

    def test_for_one_container(self):
        _, *words = documented.words("containerd", IMAGE=self.image, NAME=self.id())
        self.assertTrue(self.ok(*words).startswith("uid=0(root)"))

    def test_checkpoints_are_refused(self):
        name = self.stay()
        done = self.call("task", "checkpoint", name)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("checkpoint", done.stderr)
        self.assertEqual(self.ok("task", "exec", "--exec-id", "one", name, "echo", "runs"), "runs\n")

    def test_a_killed_command_s_status(self):
        running = subprocess.Popen(["ctr", "run", "--rm", "--null-io", "--runc-binary", str(self.runtime), self.image,
                                    self.id(), "sleep", "1000"], env=self.env, stdin=subprocess.DEVNULL)
        until(lambda: self.state() == "RUNNING", "the task runs")
        self.ok("task", "kill", "--signal", "KILL", self.id())
        self.assertEqual(running.wait(20), 137)

    def test_force_removes_what_runs(self):
        name = self.stay()
        self.call("task", "delete", "--force", name)
        self.assertEqual(self.state(), "")

    def test_nothing_is_left(self):
        self.shell("true")
        self.run_in("nosuch")
        self.stay()
        self.remove()
        self.assertEqual(self.ok("task", "list", "--quiet"), "")
        self.assertEqual(self.ok("container", "list", "--quiet"), "")
        until(lambda: not shims(), "the shims have gone")
        self.assertEqual(list(CGROUPS.glob(f"*/{self.space}/*/")), [])
        # Beside containers the runtime keeps the seccomp filters that it has compiled.
        self.assertEqual([path for path in (STATE / self.space).iterdir() if path.name != "@seccomp"], [])


class Mapped(Daemon, unittest.TestCase):
    """With maps, this ctr forgets --runc-binary: the shim executes runc, of its PATH."""

    @classmethod
    def setUpClass(cls):
        cls.path = documented.path_with("runc")
        super().setUpClass()

    def test_a_user_namespace_of_its_own(self):
        name = self.stay("--uidmap", f"0:{FIRST_ID}:65536", "--gidmap", f"0:{FIRST_ID}:65536")
        listed = case.run(self.runtime, "--root", STATE / self.space, "list", "--quiet")
        self.assertEqual(listed.stdout.split(), [name], listed)
        seen = self.ok("task", "exec", "--exec-id", "one", name, "sh", "-c",
                       "cat /proc/self/uid_map; touch /tmp/own; stat -c %u:%g /tmp/own")
        self.assertEqual(seen.split(), ["0", str(FIRST_ID), "65536", "0:0"])


if __name__ == "__main__":
    case.main()
