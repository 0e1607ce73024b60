"""What a default container sees of itself, compared with files that a person has read (tests/support/golden.py)."""

import os
import pathlib

from support import attack, case, golden


class Golden(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def compare(self, name, text):
        golden.compare(self, name, text)

    def seen(self, *words, flags=()):
        return self.ok("run", "--rm", "--hostname", "golden", *flags, case.DEMO, *words)

    def test_mounts(self):
        for name, flags in (("mounts", ()), ("mounts-privileged", ("--privileged",)),
                            ("mounts-read-only", ("--read-only",))):
            self.compare(name, golden.mounts(self.seen("cat", "/proc/self/mountinfo", flags=flags)))

    def test_masks_and_read_only_paths(self):
        seen = {line.split()[4]: line for line in self.seen("cat", "/proc/self/mountinfo").splitlines()}
        masked = ("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                  "/proc/sched_debug", "/proc/scsi", "/proc/interrupts", "/sys/firmware", "/sys/fs/selinux",
                  "/sys/devices/virtual/powercap")
        read_only = ("/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
        for path in (*masked, *read_only):
            if pathlib.Path(path).exists():
                self.assertIn(path, seen)
                line = seen[path]
                self.assertTrue(" ro," in line or (path in masked and " /null " in line), line)
        self.assertIn("/proc/sys", seen)
        self.assertIn("/proc/keys", seen)

    def test_status(self):
        for name, flags in (("status", ()), ("status-user", ("-u", "10000")), ("status-privileged", ("--privileged",)),
                            ("status-no-new-privileges", ("--security-opt", "no-new-privileges"))):
            self.compare(name, golden.status(self.seen("cat", "/proc/self/status", flags=flags)))

    def test_environment(self):
        self.compare("environment", self.seen("env"))
        self.compare("environment-user", self.seen("env", flags=("-u", "10000")))

    def test_limits_are_the_callers(self):
        """No limit is raised or dropped by the way; core files are the caller's choice too."""
        inside = self.seen("sh", "-c", "ulimit -a").split("\n")
        outside = case.run("/bin/busybox", "sh", "-c", "ulimit -a").stdout.split("\n")
        self.assertEqual(inside, outside)

    def test_descriptors(self):
        said = self.ok("run", "--rm", *self.programs(), case.DEMO, "/attack/descriptors", "self", "1")
        self.compare("descriptors", said)

    def test_devices(self):
        said = self.seen("sh", "-c", golden.DEVICES)
        self.compare("devices", said)

    def test_namespaces_are_private(self):
        inside = dict(line.split(" -> ") for line in self.seen(
            "sh", "-c", "cd /proc/self/ns && for n in *; do echo \"$n -> $(readlink $n)\"; done").splitlines())
        for name in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
            self.assertNotEqual(inside[name], os.readlink(f"/proc/self/ns/{name}"), name)


case.main()
