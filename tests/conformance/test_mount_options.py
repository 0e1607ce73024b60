"""config.md, Linux mount options: each option of the table, by what the kernel then says of the mount."""

import subprocess

from support.oci_runtime import MUST, SHOULD, RuntimeCase, expand, family, mount_table, requirement, main

OPTIONS = "config.md, Linux mount options"
# Options of a mount: what is set before, and what its line then must have and must not have.
PLAIN = {
    "ro": ([], {"ro"}, {"rw"}),
    "rw": (["ro"], {"rw"}, {"ro"}),
    "nosuid": ([], {"nosuid"}, set()),
    "suid": (["nosuid"], set(), {"nosuid"}),
    "nodev": ([], {"nodev"}, set()),
    "dev": (["nodev"], set(), {"nodev"}),
    "noexec": ([], {"noexec"}, set()),
    "exec": (["noexec"], set(), {"noexec"}),
    "noatime": ([], {"noatime"}, {"relatime"}),
    "atime": (["noatime"], set(), {"noatime"}),
    "nodiratime": ([], {"nodiratime"}, set()),
    "diratime": (["nodiratime"], set(), {"nodiratime"}),
    "relatime": ([], {"relatime"}, set()),
    "norelatime": (["relatime"], set(), set()),
    "strictatime": ([], set(), {"relatime", "noatime"}),
    "nostrictatime": (["strictatime"], set(), {"noatime"}),
    "defaults": ([], {"rw"}, {"nosuid", "nodev", "noexec"}),
    "nosymfollow": ([], {"nosymfollow"}, set()),
    "symfollow": (["nosymfollow"], set(), {"nosymfollow"}),
}
# Options of a file system: they show in its own line, if at all.
OF_SUPERBLOCK = {
    "sync": ([], {"sync"}, set()),
    "async": (["sync"], set(), {"sync"}),
    "dirsync": ([], {"dirsync"}, set()),
    "lazytime": ([], {"lazytime"}, set()),
    "nolazytime": (["lazytime"], set(), {"lazytime"}),
    "iversion": ([], set(), set()),
    "noiversion": ([], set(), set()),
    "silent": ([], set(), set()),
    "loud": ([], set(), set()),
}
RECURSIVE = {
    "rro": ([], {"ro"}, {"rw"}),
    "rrw": ([], {"rw"}, {"ro"}),
    "rnosuid": ([], {"nosuid"}, set()),
    "rsuid": ([], set(), {"nosuid"}),
    "rnodev": ([], {"nodev"}, set()),
    "rdev": ([], set(), {"nodev"}),
    "rnoexec": ([], {"noexec"}, set()),
    "rexec": ([], set(), {"noexec"}),
    "rnodiratime": ([], {"nodiratime"}, set()),
    "rdiratime": ([], set(), {"nodiratime"}),
    "rnoatime": ([], {"noatime"}, set()),
    "ratime": ([], set(), {"noatime"}),
    "rrelatime": ([], {"relatime"}, {"noatime"}),
    "rnorelatime": ([], set(), {"noatime"}),  # what is left is the kernel's default, which is relatime
    "rstrictatime": ([], set(), {"relatime", "noatime"}),
    "rnostrictatime": ([], set(), set()),
    "rnosymfollow": ([], {"nosymfollow"}, set()),
    "rsymfollow": ([], set(), {"nosymfollow"}),
}
PROPAGATION = {"private": "", "shared": "shared:", "slave": "master:", "unbindable": "unbindable"}
WEAKER = {"nosymfollow", "symfollow"}


def told(option, what):
    return (OPTIONS, SHOULD if option in WEAKER else MUST, what, option)


@expand
class Options(RuntimeCase):
    def source(self):
        """A mount of the host with another below it."""
        source = self.work / "source"
        source.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "outer", source], check=True)
        (source / "below").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "inner", source / "below"], check=True)
        return source

    def check(self, options, wanted, unwanted):
        self.assertLessEqual(wanted, set(options))
        self.assertEqual(unwanted & set(options), set())

    @family({option: told(option, f"{option} on a tmpfs") for option in PLAIN})
    def _new(self, option):
        before, wanted, unwanted = PLAIN[option]
        container = self.container()
        container.bundle.mount("/data", source="tmpfs", kind="tmpfs", options=[*before, option])
        self.check(self.assert_mount(container.probe(), "/data")["options"], wanted, unwanted)

    @family({option: told(option, f"{option} on a bind mount") for option in PLAIN})
    def _bind(self, option):
        before, wanted, unwanted = PLAIN[option]
        container = self.container()
        container.bundle.mount("/data", source=self.source(), options=["rbind", *before, option])
        report = container.probe()
        self.check(self.assert_mount(report, "/data")["options"], wanted, unwanted)
        below = self.assert_mount(report, "/data/below")["options"]
        self.assertEqual({"nosuid", "nodev", "noexec", "ro"} & set(below), set(), "it is not recursive")

    @family({option: told(option, f"{option} is taken, and reaches the file system where it can be seen")
             for option in OF_SUPERBLOCK})
    def _file_system(self, option):
        before, wanted, unwanted = OF_SUPERBLOCK[option]
        container = self.container()
        container.bundle.mount("/data", source="tmpfs", kind="tmpfs", options=[*before, option])
        self.check(self.assert_mount(container.probe(), "/data")["super"], wanted, unwanted)

    @family({option: (OPTIONS, SHOULD, f"{option} is for all mounts below too", option) for option in RECURSIVE})
    def _recursive(self, option):
        before, wanted, unwanted = RECURSIVE[option]
        source = self.source()
        opposites = {"rrw": "ro", "rsuid": "nosuid", "rdev": "nodev", "rexec": "noexec", "rdiratime": "nodiratime",
                     "ratime": "noatime", "rrelatime": "noatime", "rsymfollow": "nosymfollow"}
        if option in opposites:
            for path in (source / "below", source):
                subprocess.run(["mount", "-o", f"remount,bind,{opposites[option]}", path], check=True)
        container = self.container()
        container.bundle.mount("/data", source=source, options=["rbind", *before, option])
        report = container.probe()
        for point in ("/data", "/data/below"):
            self.check(self.assert_mount(report, point)["options"], wanted, unwanted)

    @family({f"{recursive}{option}": (OPTIONS, MUST, f"{recursive}{option} sets the propagation of "
                                      + ("all mounts below too" if recursive else "the mount alone"), option, recursive)
             for option in PROPAGATION for recursive in ("", "r")})
    def _propagation(self, option, recursive):
        source = self.source()
        if option != "shared":
            subprocess.run(["mount", "--make-rshared", source], check=True)
        container = self.container()
        container.bundle.mount("/data", source=source, options=["rbind", f"{recursive}{option}"])
        report = container.probe()
        for point in ("/data", "/data/below") if recursive else ("/data",):
            tags = " ".join(self.assert_mount(report, point)["tags"])
            if option == "private":
                self.assertEqual(tags, "")
            else:
                self.assertIn(PROPAGATION[option], tags)
                if option == "slave":
                    self.assertNotIn("shared:", tags)

    @requirement(OPTIONS, MUST, "remount changes the mount that is there, and adds none")
    def test_remount(self):
        container = self.container()
        container.bundle.mount("/data", source="tmpfs", kind="tmpfs", options=["rw", "size=64k"])
        container.bundle.mount("/data", source="tmpfs", kind="tmpfs", options=["remount", "ro", "nosuid"])
        report = container.probe()
        self.assertEqual(len([one for one in mount_table(report) if one["point"] == "/data"]), 1)
        self.check(self.assert_mount(report, "/data")["options"], {"ro", "nosuid"}, {"rw"})

    @requirement(OPTIONS, MUST, "several options are applied together")
    def test_together(self):
        container = self.container()
        container.bundle.mount("/data", source=self.source(), options=["rbind", "ro", "nosuid", "nodev", "noexec", "rprivate"])
        self.check(self.assert_mount(container.probe(), "/data")["options"], {"ro", "nosuid", "nodev", "noexec"}, {"rw"})

    @requirement(OPTIONS, MUST, "noexec holds: nothing there can be executed")
    def test_noexec_holds(self):
        container = self.container()
        source = self.source()
        (source / "program").write_bytes((container.rootfs / "bin/busybox").read_bytes())
        (source / "program").chmod(0o755)
        container.bundle.mount("/data", source=source, options=["bind", "noexec"])
        self.assertEqual(container.shell("/data/program true").status, 126)

    @requirement(OPTIONS, MUST, "a flag that the source has already stays set if the options do not say otherwise")
    def test_bind_keeps_flags(self):
        source = self.source()
        subprocess.run(["mount", "-o", "remount,bind,nosuid,nodev", source], check=True)
        container = self.container()
        container.bundle.mount("/data", source=source, options=["bind"])
        self.check(self.assert_mount(container.probe(), "/data")["options"], {"nosuid", "nodev"}, set())


if __name__ == "__main__":
    main()
