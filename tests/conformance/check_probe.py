"""The probe itself, by the tools that set what it reports: so that what no peer supports yet is not tested by a blind eye."""

import json
import os
import subprocess
import unittest

from support.bundle import PROBE


def report(*command, **options):
    done = subprocess.run([*command, PROBE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, **options)
    return json.loads(done.stdout)


class Probe(unittest.TestCase):
    def test_policies(self):
        for flag, policy in (("--other", 0), ("--batch", 3), ("--idle", 5)):
            self.assertEqual(report("chrt", flag, "0")["scheduling"]["policy"], policy)
        for flag, policy in (("--fifo", 1), ("--rr", 2)):
            found = report("chrt", flag, "7")["scheduling"]
            self.assertEqual((found["policy"], found["priority"]), (policy, 7))

    def test_deadline(self):
        found = report("chrt", "--deadline", "-T", "1000000", "-D", "8000000", "-P", "10000000", "0")["scheduling"]
        self.assertEqual((found["policy"], found["runtime"], found["deadline"], found["period"]),
                         (6, 1000000, 8000000, 10000000))

    def test_reset_on_fork(self):
        self.assertEqual(report("chrt", "--reset-on-fork", "--batch", "0")["scheduling"]["flags"] & 1, 1)

    def test_nice(self):
        self.assertEqual(report("nice", "-n", "7")["scheduling"]["nice"], 7 + os.nice(0))

    def test_io_priority(self):
        for number in (1, 2):
            found = report("ionice", "-c", str(number), "-n", "5")["scheduling"]
            self.assertEqual((found["io_class"], found["io_priority"]), (number, 5))
        self.assertEqual(report("ionice", "-c", "3")["scheduling"]["io_class"], 3)

    def test_affinity(self):
        cpu = max(os.sched_getaffinity(0))
        self.assertEqual(report("taskset", "-c", str(cpu))["scheduling"]["affinity"], [cpu])

    def test_personality(self):
        found = report("setarch", "i686")
        self.assertEqual((found["personality"], found["system"]["machine"]), (8, "i686"))

    def test_time_offsets(self):
        found = report("unshare", "-T", "--monotonic", "86400", "--boottime", "-1", "--fork")["clocks"]
        self.assertEqual([line.split() for line in found["offsets"]], [["monotonic", "86400", "0"], ["boottime", "-1", "0"]])
        self.assertGreater(float(found["monotonic"]), 86400)

    def test_umask_and_limits(self):
        found = report("prlimit", "--core=1:2", umask=0o035)
        self.assertEqual((found["umask"], found["limits"]["RLIMIT_CORE"]), (0o035, [1, 2]))

    def test_descriptors(self):
        with open("/etc/passwd", encoding="utf-8") as file:
            found = report(pass_fds=[file.fileno()])["fds"]
            self.assertEqual(found[str(file.fileno())], "/etc/passwd")


if __name__ == "__main__":
    unittest.main(verbosity=2)
