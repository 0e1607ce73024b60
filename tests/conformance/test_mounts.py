"""config.md, Mounts: what is mounted where, from what, in which order."""

import subprocess

from support.oci_runtime import MAY, MUST, PRACTICE, SHOULD, RuntimeCase, expand, family, mount_table, requirement, main

MOUNTS = "config.md, Mounts"
OPTIONS = "config.md, Linux mount options"


@expand
class Mounts(RuntimeCase):
    def directory(self, **files):
        """A directory of the host with these files."""
        made = self.work / f"host-{len(list(self.work.iterdir()))}"
        made.mkdir()
        for name, text in files.items():
            (made / name).write_text(text)
        return made

    @requirement(MOUNTS, MUST, "entries are mounted in the listed order")
    def test_order(self):
        container = self.container()
        for number in (1, 2, 3):
            container.bundle.mount("/data", source=self.directory(**{f"file{number}": str(number)}), options=["bind"])
        done = container.shell("ls /data")
        self.assertEqual(self.ok(done).stdout, "file3\n")

    @requirement(MOUNTS, MUST, "a mount inside an earlier one is inside it; before it, it is covered")
    def test_order_nested(self):
        for first, second, seen in (("/data", "/data/inner", "yes\n"), ("/data/inner", "/data", "no\n")):
            container = self.container()
            for point in (first, second):
                files = {"mark": "1"} if point == "/data/inner" else {}
                container.bundle.mount(point, source=self.directory(**files), options=["bind"])
            done = container.shell("[ -e /data/inner/mark ] && echo yes || echo no")
            self.assertEqual(self.ok(done).stdout, seen)

    @requirement(MOUNTS, MUST, "a relative destination is relative to /")
    def test_destination_relative(self):
        container = self.container()
        container.bundle.process["cwd"] = "/usr"
        container.bundle.mount("data", source=self.directory(), options=["bind"])
        self.assert_mount(container.probe(), "/data")

    @requirement("command line", PRACTICE, "a destination that does not exist is made: a directory, or a file for a file")
    def test_destination_made(self):
        container = self.container()
        source = self.directory(one="of the host")
        container.bundle.mount("/new/deep/directory", source=source, options=["bind"])
        container.bundle.mount("/new/deep/file", source=source / "one", options=["bind"])
        report = container.probe("--file", "/new/deep/directory/one", "--file", "/new/deep/file")
        self.assertEqual(set(report["files"].values()), {"of the host"})

    @requirement(MOUNTS, MUST, "a destination is a path inside: a link that points out of the root leads nowhere else")
    def test_destination_link(self):
        container = self.container()
        outside = self.directory()
        (container.rootfs / "link").symlink_to(f"../../../..{outside}")
        container.bundle.mount("/link/made", source=self.directory(), options=["bind"])
        container.run()
        self.assertEqual(list(outside.iterdir()), [])

    @requirement(MOUNTS, MUST, "a destination through a link inside is where the link leads inside")
    def test_destination_link_inside(self):
        container = self.container()
        (container.rootfs / "link").symlink_to("/data")
        container.bundle.mount("/link", source=self.directory(), options=["bind"])
        self.assert_mount(container.probe(), "/data")

    @requirement(MOUNTS, MUST, "a bind mount's relative source is relative to the bundle")
    def test_source_relative(self):
        container = self.container()
        (container.directory / "own").mkdir()
        (container.directory / "own/file").write_text("the bundle's")
        container.bundle.mount("/data", source="own", options=["bind"])
        self.assertEqual(container.probe("--file", "/data/file")["files"]["/data/file"], "the bundle's")

    @requirement(MOUNTS, MUST, "a bind mount whose source does not exist is an error")
    def test_source_missing(self):
        container = self.container()
        container.bundle.mount("/data", source=self.work / "nothing", options=["bind"])
        container.refused()

    @requirement(MOUNTS, MUST, "a file can be bound over a file")
    def test_source_file(self):
        container = self.container()
        container.bundle.mount("/etc/passwd", source=self.directory(one="other")/"one", options=["bind", "ro"])
        report = container.probe("--file", "/etc/passwd", "--write", "/etc/passwd")
        self.assertEqual((report["files"]["/etc/passwd"], report["writes"]["/etc/passwd"]), ("other", "EROFS"))

    @requirement(MOUNTS, MUST, "bind in the options makes a bind mount, whatever the type says")
    def test_type_is_dummy(self):
        for kind in (None, "none", "bind", "tmpfs"):
            container = self.container()
            container.bundle.mount("/data", source=self.directory(file=str(kind)), kind=kind, options=["rbind"])
            self.assertEqual(container.probe("--file", "/data/file")["files"]["/data/file"], str(kind))

    @requirement(OPTIONS, MUST, "bind has only the directory itself")
    def test_bind(self):
        self.assertEqual(self.submounts("bind"), [])

    @requirement(OPTIONS, MUST, "rbind has what is mounted below it too")
    def test_rbind(self):
        self.assertEqual(self.submounts("rbind"), ["/data/below"])

    def submounts(self, option):
        source = self.directory()
        (source / "below").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", source / "below"], check=True)
        container = self.container()
        container.bundle.mount("/data", source=source, options=[option])
        return [one["point"] for one in mount_table(container.probe()) if one["point"].startswith("/data/")]

    @family({kind: ("config.md, POSIX-platform Mounts", MUST, f"the type {kind} is mounted", kind)
             for kind in ("tmpfs", "proc", "sysfs", "mqueue", "devpts", "ramfs")})
    def _type(self, kind):
        container = self.container()
        container.bundle.mount("/data", source=kind, kind=kind)
        self.assertEqual(self.assert_mount(container.probe(), "/data")["type"], kind)

    @requirement("config.md, POSIX-platform Mounts", MUST, "a type that the kernel does not know is an error")
    def test_type_unknown(self):
        container = self.container()
        container.bundle.mount("/data", source="none", kind="nosuchfs")
        container.refused()

    @requirement("config.md, POSIX-platform Mounts", MUST, "overlay is mounted with its directories as options")
    def test_type_overlay(self):
        container = self.container()
        lower, upper, work = self.directory(low="1"), self.directory(), self.directory()
        container.bundle.mount("/data", source="overlay", kind="overlay",
                               options=[f"lowerdir={lower}", f"upperdir={upper}", f"workdir={work}"])
        report = container.probe("--file", "/data/low", "--write", "/data/new")
        self.assertEqual((report["files"]["/data/low"], report["writes"]["/data/new"]), ("1", "ok"))
        self.assertTrue((upper / "new").exists())

    @requirement(OPTIONS, SHOULD, "options that are not in the table go to the file system: size, mode, uid")
    def test_data(self):
        container = self.container()
        container.bundle.mount("/data", source="tmpfs", kind="tmpfs",
                               options=["nodev", "size=64k", "mode=0751", "uid=77", "gid=78"])
        report = container.probe("--stat", "/data")
        self.assertIn("size=64k", self.assert_mount(report, "/data")["super"])
        stat = report["stats"]["/data"]
        self.assertEqual((stat["mode"], stat["uid"], stat["gid"]), (0o751, 77, 78))

    @requirement("config.md, Valid values", MUST, "an option that neither the table nor the file system knows is an error")
    def test_data_unknown(self):
        container = self.container()
        container.bundle.mount("/data", source="tmpfs", kind="tmpfs", options=["nosuchoption=1"])
        container.refused()

    @requirement(OPTIONS, MAY, "tmpcopyup copies what the directory had")
    def test_tmpcopyup(self):
        container = self.container()
        (container.rootfs / "data/file").write_text("it was here")
        (container.rootfs / "data/sub").mkdir(mode=0o700)
        (container.rootfs / "data/sub/link").symlink_to("../file")
        container.bundle.mount("/data", source="tmpfs", kind="tmpfs", options=["tmpcopyup"])
        report = container.probe("--file", "/data/sub/link", "--stat", "/data/sub", "--write", "/data/new")
        self.assertEqual(report["files"]["/data/sub/link"], "it was here")
        self.assertEqual(report["stats"]["/data/sub"]["mode"], 0o700)
        self.assertFalse((container.rootfs / "data/new").exists())

    @requirement(MOUNTS, MUST, "destination is required")
    def test_destination_left_out(self):
        container = self.container()
        container.config["mounts"].append({"type": "tmpfs", "source": "tmpfs"})
        container.refused()

    @requirement("config.md, Valid values", MUST, "a mount of /proc over a directory of the host is not passed off as proc")
    def test_proc_is_proc(self):
        report = self.container().probe()
        self.assertEqual(self.assert_mount(report, "/proc")["type"], "proc")
        self.assertEqual(report["pid"], 1)


if __name__ == "__main__":
    main()
