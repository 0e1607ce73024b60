"""config-linux.md, Devices, Default Devices, Allowed Device list."""

import os
import stat

from support.oci_runtime import MUST, PRACTICE, RuntimeCase, expand, family, requirement, main

DEVICES = "config-linux.md, Devices"
DEFAULTS = {"/dev/null": (1, 3), "/dev/zero": (1, 5), "/dev/full": (1, 7), "/dev/random": (1, 8),
            "/dev/urandom": (1, 9), "/dev/tty": (5, 0)}
LINKS = {"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0", "/dev/stdout": "/proc/self/fd/1",
         "/dev/stderr": "/proc/self/fd/2"}
ALLOWED = "config-linux.md, Allowed Device list"


@expand
class Devices(RuntimeCase):
    @family({path.removeprefix("/dev/"): ("config-linux.md, Default Devices", MUST, f"{path} is there and can be used", path)
             for path in DEFAULTS})
    def _default(self, path):
        found = self.container().probe("--device", path)["devices"][path]
        self.assertEqual((found["type"], found["major"], found["minor"]), ("c", *DEFAULTS[path]))
        self.assertEqual(found["mode"], 0o666)
        # There is no terminal that /dev/tty could be.
        self.assertEqual(found["read"], "ENXIO" if path == "/dev/tty" else "ok")

    @requirement("config-linux.md, Default Devices", MUST, "/dev/ptmx is that of the container's own devpts")
    def test_ptmx(self):
        report = self.container().probe("--device", "/dev/ptmx", "--stat", "/dev/pts/ptmx")
        found = report["devices"]["/dev/ptmx"]
        self.assertEqual((found["major"], found["minor"], found["read"]), (5, 2, "ok"))
        self.assertEqual(found["device"], report["stats"]["/dev/pts/ptmx"]["device"])

    @requirement("config-linux.md, Default Devices", MUST, "/dev/console is not there without a terminal")
    def test_no_console(self):
        self.assertIsNone(self.container().probe("--device", "/dev/console")["devices"]["/dev/console"])

    @family({path.removeprefix("/dev/"): ("command line", PRACTICE, f"{path} is a link to {target}", path)
             for path, target in LINKS.items()})
    def _link(self, path):
        self.assertEqual(self.ok(self.container().shell(f"readlink {path}")).stdout.strip(), LINKS[path])

    @requirement(DEVICES, MUST, "no other device of the host's is there")
    def test_no_others(self):
        done = self.ok(self.container().shell("ls -l /dev | grep '^[bc]'"))
        names = {line.split()[-1] for line in done.stdout.splitlines()}
        self.assertEqual(names - {path.removeprefix("/dev/") for path in DEFAULTS} - {"ptmx"}, set())

    def with_device(self, **entry):
        container = self.container()
        container.bundle.linux["devices"] = [entry]
        return container

    @requirement(DEVICES, MUST, "a character device has its numbers, mode and owner")
    def test_character(self):
        container = self.with_device(path="/dev/own", type="c", major=1, minor=3, fileMode=0o640, uid=12, gid=34)
        found = container.probe("--device", "/dev/own")["devices"]["/dev/own"]
        self.assertEqual((found["type"], found["major"], found["minor"]), ("c", 1, 3))
        self.assertEqual((found["mode"], found["uid"], found["gid"]), (0o640, 12, 34))

    @requirement(DEVICES, MUST, "u is a character device too")
    def test_unbuffered(self):
        container = self.with_device(path="/dev/own", type="u", major=1, minor=5, fileMode=0o666)
        found = container.probe("--device", "/dev/own")["devices"]["/dev/own"]
        self.assertEqual((found["type"], found["major"], found["minor"]), ("c", 1, 5))

    @requirement(DEVICES, MUST, "a block device has its numbers and mode")
    def test_block(self):
        container = self.with_device(path="/dev/own", type="b", major=7, minor=77, fileMode=0o600)
        found = container.probe("--device", "/dev/own")["devices"]["/dev/own"]
        self.assertEqual((found["type"], found["major"], found["minor"], found["mode"]), ("b", 7, 77, 0o600))

    @requirement(DEVICES, MUST, "p is a pipe, which needs no numbers")
    def test_pipe(self):
        container = self.with_device(path="/dev/own", type="p", fileMode=0o622)
        found = container.probe("--stat", "/dev/own")["stats"]["/dev/own"]
        self.assertEqual((found["type"], found["mode"]), ("p", 0o622))

    @requirement(DEVICES, MUST, "a device may be anywhere, also where the directory has to be made")
    def test_elsewhere(self):
        container = self.with_device(path="/data/deep/own", type="c", major=1, minor=3, fileMode=0o666)
        self.assertEqual(container.probe("--device", "/data/deep/own")["devices"]["/data/deep/own"]["minor"], 3)

    @requirement(DEVICES, MUST, "the mode does not depend on the umask of whoever calls the runtime")
    def test_mode_and_umask(self):
        container = self.with_device(path="/dev/own", type="c", major=1, minor=3, fileMode=0o666)
        found = container.probe("--device", "/dev/own", "--device", "/dev/null", umask=0o077)["devices"]
        self.assertEqual([one["mode"] for one in found.values()], [0o666, 0o666])

    @requirement(DEVICES, MUST, "a file that is there already and is another one is an error")
    def test_file_in_the_way(self):
        container = self.with_device(path="/data/own", type="c", major=1, minor=3, fileMode=0o666)
        (container.rootfs / "data/own").write_text("a file")
        container.refused()

    @requirement(DEVICES, MUST, "another device that is there already is an error")
    def test_device_in_the_way(self):
        container = self.with_device(path="/data/own", type="c", major=1, minor=3, fileMode=0o666)
        os.mknod(container.rootfs / "data/own", 0o020666, os.makedev(1, 5))
        container.refused()

    @requirement(DEVICES, MUST, "the same device that is there already is taken")
    def test_same_device(self):
        container = self.with_device(path="/data/own", type="c", major=1, minor=3, fileMode=0o666)
        os.mknod(container.rootfs / "data/own", 0o020666, os.makedev(1, 3))
        self.assertEqual(container.probe("--device", "/data/own")["devices"]["/data/own"]["minor"], 3)

    @requirement("config.md, Valid values", MUST, "a type that does not exist is an error")
    def test_unknown_type(self):
        self.with_device(path="/dev/own", type="x", major=1, minor=3).refused()

    @requirement(DEVICES, MUST, "a path that leads out of the root by a link makes nothing there")
    def test_path_link(self):
        container = self.with_device(path="/link/own", type="c", major=1, minor=3, fileMode=0o666)
        outside = self.work / "outside"
        outside.mkdir()
        (container.rootfs / "link").symlink_to(f"../../../..{outside}")
        container.run()
        self.assertEqual(list(outside.iterdir()), [])

    @requirement(DEVICES, MUST, "in a user namespace a device is the host's, by whatever way it gets there")
    def test_user_namespace(self):
        # One that the host has, at the same path: a node cannot be made there, only bound.
        container = self.with_device(path="/dev/kmsg", type="c", major=1, minor=11, fileMode=0o666)
        container.bundle.user_namespace((0, 0x60000000, 65536))
        container.bundle.give_to(0x60000000, 0x60000000)
        found = container.probe("--device", "/dev/kmsg")["devices"]["/dev/kmsg"]
        self.assertEqual((found["type"], found["major"], found["minor"]), ("c", 1, 11))


class AllowedDevices(RuntimeCase):
    """With device nodes that no driver has: what the cgroup forbids is EPERM, before it is seen that there is none."""

    def rules(self, *rules):
        """Which of c and b (250, 77) can be opened for reading (r) and writing (w)."""
        container = self.container()
        container.bundle.linux["resources"]["devices"] = list(rules)
        for name, kind in (("c", stat.S_IFCHR), ("b", stat.S_IFBLK)):
            os.mknod(container.rootfs / "data" / name, kind | 0o666, os.makedev(250, 77))
        found = container.probe("--device", "/data/c", "--device", "/data/b")["devices"]
        return {f"{name}{how[0]}" for name in "cb" for how in ("read", "write")
                if found[f"/data/{name}"][how] != "EPERM"}

    deny = {"allow": False, "access": "rwm"}

    @requirement(ALLOWED, MUST, "what no entry allows is denied")
    def test_deny_all(self):
        self.assertEqual(self.rules(self.deny), set())

    @requirement(ALLOWED, MUST, "an entry allows one device, for what access says")
    def test_allow_one(self):
        allowed = self.rules(self.deny, {"allow": True, "type": "c", "major": 250, "minor": 77, "access": "r"})
        self.assertEqual(allowed, {"cr"})

    @requirement(ALLOWED, MUST, "a minor number that is not set means all of them")
    def test_allow_major(self):
        allowed = self.rules(self.deny, {"allow": True, "type": "b", "major": 250, "access": "rw"})
        self.assertEqual(allowed, {"br", "bw"})

    @requirement(ALLOWED, MUST, "a type that is not set means all of them")
    def test_allow_all(self):
        self.assertEqual(self.rules(self.deny, {"allow": True, "access": "rwm"}), {"cr", "cw", "br", "bw"})

    @requirement(ALLOWED, MUST, "entries are applied in the listed order")
    def test_order(self):
        allow = {"allow": True, "type": "c", "major": 250, "minor": 77, "access": "rw"}
        forbid = dict(allow, allow=False)
        self.assertEqual(self.rules(self.deny, allow, forbid), set())
        self.assertEqual(self.rules(self.deny, forbid, allow), {"cr", "cw"})

    @requirement(ALLOWED, MUST, "without m no node can be made")
    def test_mknod(self):
        container = self.container()
        container.bundle.linux["resources"]["devices"] = [self.deny, {"allow": True, "type": "c", "major": 250, "minor": 1,
                                                                      "access": "rw"}]
        done = container.shell("mknod /data/own c 250 1")
        self.assertIn("not permitted", done.stderr)

    @requirement(ALLOWED, MUST, "the default devices can be used where all else is denied")
    def test_defaults_allowed(self):
        report = self.container().probe("--device", "/dev/null", "--device", "/dev/zero", "--device", "/dev/ptmx")
        self.assertEqual({one["read"] for one in report["devices"].values()}, {"ok"})

    @requirement("config.md, Valid values", MUST, "a type or an access that does not exist is an error")
    def test_invalid(self):
        for rule in ({"allow": True, "type": "x", "access": "r"}, {"allow": True, "type": "c", "access": "z"}):
            container = self.container()
            container.bundle.linux["resources"]["devices"] = [self.deny, rule]
            container.refused()


if __name__ == "__main__":
    main()
