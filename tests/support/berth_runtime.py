"""The frame of a test of berth-runtime that is not from the specification: that of the conformance suite."""

import os
import sys
import unittest

from support import case

os.environ["BERTH_CONFORMANCE_RUNTIME"] = str(case.PROGRAMS / "berth-runtime")

from support import oci_runtime  # noqa: E402  (after the program is named)


class BerthRuntimeCase(oci_runtime.RuntimeCase):
    def fails(self, done, *texts, status=255):
        """The command must have ended with this status, and said each of the texts."""
        self.assertEqual(done.status, status, done)
        for text in texts:
            self.assertIn(text, done.stderr, done)
        return done

    def processes_in(self, container):
        """The PIDs in the container's cgroup."""
        return sorted(map(int, container.cgroup_file("pids", "cgroup.procs").split()))


def main():
    if os.geteuid() != 0:
        sys.exit("these tests need root: run ./test, or ctest with sudo")
    oci_runtime.prepare_host()
    unittest.main(verbosity=2)
