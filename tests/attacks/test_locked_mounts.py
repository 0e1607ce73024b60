"""Mounts are locked against a container that may mount: what is read-only or covered stays so."""

import subprocess

from support import attack, case


class LockedMounts(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.shared = self.work / "shared"
        self.shared.mkdir()
        (self.shared / "below").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.shared / "below"], check=True)
        self.addCleanup(subprocess.run, ["umount", self.shared / "below"], check=True)

    def mounts(self):
        return ("--volume", f"{self.shared}:/shared:ro", "--volume", "vol:/volume:ro")

    def check(self, *flags, words=()):
        said = self.attack(case.DEMO, "mounts", "ro=/shared", "ro=/volume", "ro=/shared/below", "cover=/shared/below",
                           *words, flags=(*self.mounts(), *flags))
        self.assertIn("held direct: remount /volume", said)
        self.assertIn("held nested: mount_setattr /shared", said)
        self.assertEqual([path.name for path in self.shared.rglob("*")], ["below"])

    def test_privileged(self):
        self.check("--privileged")

    def test_capability_and_no_filter(self):
        self.check(*attack.ADMIN, words=("ro=/sys", "cover=/proc/kcore", "cover=/proc/keys", "cover=/proc/sys",
                                         "cover=/proc/sysrq-trigger", "cover=/sys/firmware", "cover=/dev/shm"))

    def test_capability_with_the_default_filter(self):
        done = self.berth("run", "--rm", *self.programs(), *self.mounts(), "--cap-add", "SYS_ADMIN", case.DEMO,
                          "/attack/mounts", "ro=/shared", "ro=/volume", "cover=/proc/kcore")
        self.assertNotIn("BROKEN", done.stdout, done)
        self.assertIn("held direct: unmount /proc/kcore", done.stdout, done)

    def test_no_proc_without_masks(self):
        done = self.berth("run", "--rm", *self.programs(), *attack.ADMIN, case.DEMO, "/attack/mounts", "proc")
        self.assertNotIn("BROKEN", done.stdout, done)
        self.assertIn("held direct: mount a proc without masks", done.stdout, done)
        self.assertIn("held nested: mount a proc without masks", done.stdout, done)

    def test_read_only_root(self):
        self.attack(case.DEMO, "mounts", "ro=/", flags=("--read-only", *attack.ADMIN))

    def test_masks_show_nothing(self):
        for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts"):
            said = self.ok("run", "--rm", case.DEMO, "sh", "-c", f"test ! -e {path} || wc -c < {path}")
            self.assertIn(said.strip(), ("", "0"), path)
        for path in ("/proc/acpi", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"):
            self.assertEqual(self.ok("run", "--rm", case.DEMO, "sh", "-c", f"test ! -e {path} || ls -A {path}"), "")

    def test_the_host_sees_no_mount(self):
        before = self._before.mounts
        running = self.start("run", "--rm", "--name", "one", case.DEMO, "sh", "-c", "echo up; sleep 30",
                             stdout=subprocess.PIPE)
        self.assertEqual(running.stdout.readline(), b"up\n")
        from support import leftovers
        self.assertEqual([one for one in leftovers.mounts() if one not in before and "shared" not in one], [])
        running.terminate()
        running.wait(20)


case.main()
