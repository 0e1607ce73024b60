"""The parts of the conformance suite that depend on the kernel's version or on cgroups, where both are different."""

import pathlib
import subprocess
import unittest

from support import case

SUITE = pathlib.Path(__file__).resolve().parents[2] / "conformance/run"
PARTS = ("resources", "devices")


class Conformance(unittest.TestCase):
    def test_all_requirements(self):
        done = subprocess.run([SUITE, case.PROGRAMS / "berth-runtime", *PARTS], check=False,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0)


case.main()
