"""config-linux.md: the time namespace and its offsets."""

import os
import subprocess
import time

from support.oci_runtime import MUST, RuntimeCase, requirement, main
from support.waiting import until

TIME = "config-linux.md, Offset for Time Namespace"
BASE = 0x60000000


class TimeNamespace(RuntimeCase):
    def timed(self, user=True, **offsets):
        container = self.container()
        if user:
            container.bundle.user_namespace((0, BASE, 65536))
            container.bundle.give_to(BASE, BASE)
        container.bundle.namespace("time")
        if offsets:
            container.bundle.linux["timeOffsets"] = offsets
        return container

    @requirement("config-linux.md, Namespaces", MUST, "an entry without a path makes a new time namespace")
    def test_new(self):
        self.assertNotEqual(self.timed().probe()["namespaces"]["time"], os.stat("/proc/self/ns/time").st_ino)

    @requirement("config-linux.md, Namespaces", MUST, "a new time namespace needs no user namespace beside it")
    def test_new_without_user_namespace(self):
        report = self.timed(user=False, monotonic={"secs": 86400}).probe()
        self.assertNotEqual(report["namespaces"]["time"], os.stat("/proc/self/ns/time").st_ino)
        self.assertGreater(float(report["clocks"]["monotonic"]), time.monotonic() + 86000)

    @requirement("config-linux.md, Namespaces", MUST, "without an entry, the time namespace is the runtime's")
    def test_inherited(self):
        self.assertEqual(self.container().probe()["namespaces"]["time"], os.stat("/proc/self/ns/time").st_ino)

    @requirement("config-linux.md, Namespaces", MUST, "an entry with a path joins that time namespace")
    def test_joined(self):
        ready = self.work / "ready"
        other = subprocess.Popen(["unshare", "-T", "--monotonic", "1000000", "--fork", "--kill-child",
                                  "sh", "-c", f"echo $$ > {ready}.part; mv {ready}.part {ready}; sleep 1000"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        until(ready.exists, "the namespace is there")
        path = f"/proc/{ready.read_text().strip()}/ns/time"
        container = self.container()
        container.bundle.namespace("time", path=path)
        report = container.probe()
        self.assertEqual(report["namespaces"]["time"], os.stat(path).st_ino)
        self.assertGreater(float(report["clocks"]["monotonic"]), time.monotonic() + 999000)

    @requirement(TIME, MUST, "the clocks are moved by secs: monotonic and boottime")
    def test_seconds(self):
        clocks = self.timed(monotonic={"secs": 86400}, boottime={"secs": 172800}).probe()["clocks"]
        self.assertAlmostEqual(float(clocks["monotonic"]) - time.monotonic(), 86400, delta=20)
        self.assertAlmostEqual(float(clocks["boottime"]) - time.clock_gettime(time.CLOCK_BOOTTIME), 172800, delta=20)

    @requirement(TIME, MUST, "nanosecs are added")
    def test_nanoseconds(self):
        offsets = self.timed(monotonic={"secs": 5, "nanosecs": 250000000}).probe()["clocks"]["offsets"]
        self.assertIn(["monotonic", "5", "250000000"], [line.split() for line in offsets])

    @requirement(TIME, MUST, "offsets may be negative")
    def test_negative(self):
        offsets = self.timed(boottime={"secs": -1}).probe()["clocks"]["offsets"]
        self.assertIn(["boottime", "-1", "0"], [line.split() for line in offsets])

    @requirement(TIME, MUST, "a clock that does not exist is an error")
    def test_unknown_clock(self):
        self.timed(realtime={"secs": 5}).refused()

    @requirement(TIME, MUST, "offsets without a time namespace are an error")
    def test_without_namespace(self):
        container = self.container()
        container.bundle.linux["timeOffsets"] = {"monotonic": {"secs": 5}}
        container.refused()

    @requirement(TIME, MUST, "nanosecs of a second or more are an error")
    def test_too_many_nanoseconds(self):
        self.timed(monotonic={"nanosecs": 1000000000}).refused()


if __name__ == "__main__":
    main()
