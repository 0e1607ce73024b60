"""Rules for devices on cgroup v2: programs that the kernel asks at every open and mknod."""

import pathlib

from support.runtime_case import BerthRuntimeCase, main

SCRATCH = pathlib.Path("/sys/block/nvme0n3/dev")
FUSE = {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}


class Devices(BerthRuntimeCase):
    def with_rules(self, *rules, devices=()):
        container = self.container()
        container.bundle.linux["resources"]["devices"] = [{"allow": False, "access": "rwm"}, *rules]
        container.bundle.linux["devices"] = list(devices)
        return container

    def test_what_every_container_has(self):
        self.ok(self.with_rules().shell("echo x > /dev/null && head -c 8 /dev/urandom > /dev/zero && mknod /data/n c 1 3"))

    def test_the_host_s_disk_can_be_made_and_not_opened(self):
        major, minor = SCRATCH.read_text().strip().split(":")
        done = self.with_rules().shell(f"mknod /data/disk b {major} {minor} && cat /data/disk")
        self.assertNotEqual(done.status, 0)
        self.assertIn("Operation not permitted", done.stderr)

    def test_only_what_is_allowed_of_it(self):
        major, minor = map(int, SCRATCH.read_text().split(":"))
        rule = {"allow": True, "type": "b", "major": major, "minor": minor, "access": "rm"}
        container = self.with_rules(rule, devices=[{"path": "/dev/disk", "type": "b", "major": major, "minor": minor}])
        done = container.shell("head -c 4 /dev/disk | wc -c; echo x > /dev/disk")
        self.assertEqual(done.stdout.strip(), "4")
        self.assertIn("Operation not permitted", done.stderr)

    def test_a_later_rule_decides(self):
        allowed = {"allow": True, "type": "c", "major": 10, "access": "rwm"}
        denied = {"allow": False, "type": "c", "major": 10, "minor": 229, "access": "rw"}
        container = self.with_rules(allowed, denied, devices=[FUSE])
        self.assertIn("Operation not permitted", container.shell("cat /dev/fuse").stderr)

    def test_a_privileged_one_may_all(self):
        major, minor = SCRATCH.read_text().strip().split(":")
        container = self.with_rules({"allow": True, "access": "rwm"})
        self.ok(container.shell(f"mknod /data/disk b {major} {minor} && head -c 4 /data/disk"))


main()
