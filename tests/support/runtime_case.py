"""The frame of a test of berth-runtime's own: what it does beyond what tests/conformance asks of every runtime."""

import os
import subprocess
import time

from support import leftovers
from support.case import PROGRAMS, Finished, main
from support.oci_runtime import BUNDLES, RuntimeCase

__all__ = ["BerthRuntimeCase", "main"]


class BerthRuntimeCase(RuntimeCase):
    """As RuntimeCase, and after each test nothing may be left."""

    def setUp(self):
        BUNDLES.mkdir(exist_ok=True)
        self._before = leftovers.Snapshot.take()
        self.addCleanup(self._check_left)  # after the clean-up of RuntimeCase
        super().setUp()

    def _check_left(self):
        # Cgroups are the whole machine's: those of this test are asked for by their names (assert_gone).
        deadline = time.monotonic() + leftovers.PATIENCE
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(left, [], "left behind")

    def _left(self):
        return [text for text in leftovers.Snapshot.take().left_since(self._before) if not text.startswith("cgroup ")]

    def command(self, *words):
        return [str(PROGRAMS / "berth-runtime"), "--root", str(self.root), *map(str, words)]

    def berth_runtime(self, *words, env=None, stdin="", timeout=20, flags=()):
        """Runs a command that starts no container, with its output taken."""
        program, *rest = self.command(*words)
        done = subprocess.run([program, *map(str, flags), *rest], input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout, check=False, cwd=self.work,
                              env={**os.environ, **(env or {})})
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return Finished(done.args, status, done.stdout, done.stderr)

    def fails(self, *words, saying, **options):
        """The command fails with one clear message."""
        done = self.berth_runtime(*words, **options)
        self.assertEqual(done.status, 1, done)
        self.assertRegex(done.stderr, r"(?m)^berth-runtime: ")
        self.assertIn(saying, done.stderr)
        return done
