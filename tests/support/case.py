"""The frame of a test that uses berth as a person does: a store of its own, and nothing left behind."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import leftovers

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("BERTH_BIN_DIR", REPOSITORY / "build" / "dev" / "bin"))
ATTACK_PROGRAMS = pathlib.Path(os.environ.get("BERTH_ATTACK_DIR", PROGRAMS.parent / "attacks"))
WORK = pathlib.Path(os.environ.get("BERTH_TEST_WORK", tempfile.gettempdir()))
DEMO = "localhost/demo:latest"


@dataclasses.dataclass
class Finished:
    """A command that has ended."""

    args: list
    status: int
    stdout: str
    stderr: str

    def __str__(self):
        return (f"{' '.join(map(str, self.args))}\n"
                f"  status {self.status}\n  stdout: {self.stdout}\n  stderr: {self.stderr}")


def run(*args, input=None, timeout=120, env=None, cwd=None):
    """Runs any command; bytes that are no text come back escaped."""
    done = subprocess.run([str(arg) for arg in args], input=input.encode() if isinstance(input, str) else input,
                          stdin=subprocess.DEVNULL if input is None else None, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, env=env, cwd=cwd, check=False)
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Finished(list(args), status, done.stdout.decode(errors="backslashreplace"),
                    done.stderr.decode(errors="backslashreplace"))


class BerthCase(unittest.TestCase):
    """Each test has an empty store in self.root and self.runroot, and a scratch directory self.work.

    After each test no mount, process, cgroup or unfinished file may be left; a test that leaves containers on purpose
    need not remove them.
    """

    maxDiff = None

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="t", dir=WORK))
        self.root = self.work / "root"
        # Short, because sockets are below it; on the tmpfs that the isolated run has there.
        self.runroot = pathlib.Path(tempfile.mkdtemp(prefix="berth-", dir="/run" if os.geteuid() == 0 else WORK)) / "r"
        self.environment = dict(os.environ, HOME=str(self.work), LC_ALL="C.UTF-8")
        for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"):
            self.environment.pop(name, None)
        # Most tests are about something else, and start faster without. Those of networks say which.
        config = self.work / "no-network.toml"
        config.write_text('[defaults]\nnetwork = "none"\n')
        self.environment["BERTH_CONFIG"] = str(config)
        self._before = leftovers.Snapshot.take()
        # First in, last out: after every other clean-up of the test.
        self.addCleanup(self._end)

    def _end(self):
        try:
            self._check_left()
        finally:
            shutil.rmtree(self.work, ignore_errors=True)
            shutil.rmtree(self.runroot.parent, ignore_errors=True)

    def _check_left(self):
        left = leftovers.wait_until_gone(self._before) + leftovers.unfinished(self.root)
        if left:
            self.fail("left behind:\n  " + "\n  ".join(left))

    # -- running berth

    def command(self, *args):
        """The argument list of a berth command on this test's store."""
        return [str(PROGRAMS / "berth"), "--root", str(self.root), "--runroot", str(self.runroot), *map(str, args)]

    def berth(self, *args, input=None, timeout=120, env=None):
        """Runs a berth command to its end and gives its Finished."""
        return run(*self.command(*args), input=input, timeout=timeout, env={**self.environment, **(env or {})},
                   cwd=self.work)

    def ok(self, *args, **options):
        """As berth(), and the status must be 0; gives the standard output."""
        done = self.berth(*args, **options)
        self.assertEqual(done.status, 0, done)
        return done.stdout

    def fails(self, status, *args, saying=(), **options):
        """As berth(), and it must fail with this status and one clear message that has every string of `saying`."""
        done = self.berth(*args, **options)
        self.assertEqual(done.status, status, done)
        self.assertRegex(done.stderr, r"(?m)^berth: ", "an error begins with the program's name")
        for text in [saying] if isinstance(saying, str) else saying:
            self.assertIn(text, done.stderr)
        return done

    def start(self, *args, **options):
        """Starts a berth command and gives its Popen; it is killed at the end of the test if it still runs."""
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.command(*args), env=self.environment, cwd=self.work, **options)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self.addCleanup(end)
        return process

    # -- images

    def load_demo(self):
        """Puts the demo image (busybox) into the store; its name is DEMO."""
        archive = demo_archive()
        self.ok("load", "-i", archive)
        return DEMO

    # -- what must not be left

    def assert_nothing_left(self):
        """No container, bank, mount, process, cgroup or unfinished file."""
        self._check_left()
        self.assertEqual(leftovers.containers(self.root), [], "containers in the store")
        self.assertEqual(leftovers.held_banks(self.root), [], "banks that are held")


def demo_archive():
    """The demo image's docker-archive, made once a test file."""
    path = WORK / "demo.tar"
    if not path.exists():
        making = path.with_suffix(".part")
        subprocess.run([REPOSITORY / "scripts" / "make-demo-image", making, DEMO], check=True,
                       stdout=subprocess.DEVNULL)
        making.rename(path)
    return path


def main():
    """Runs the tests of the calling file. Without root they fail: nothing is skipped."""
    if os.geteuid() != 0:
        sys.exit("these tests need root: run ./test, or ctest with sudo")
    unittest.main(verbosity=2)
