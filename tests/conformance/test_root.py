"""config.md, Root: the root file system; config-linux.md: the file systems that are there."""

import os
import pathlib

from support.oci_runtime import MUST, SHOULD, RuntimeCase, expand, family, mount_table, requirement, main

ROOT = "config.md, Root"


@expand
class Root(RuntimeCase):
    @requirement(ROOT, MUST, "the root file system is the directory that path names, relative to the bundle")
    def test_root_relative(self):
        container = self.container()
        (container.rootfs / "etc/here").write_text("the bundle's own")
        self.assertEqual(container.probe("--file", "/etc/here")["files"]["/etc/here"], "the bundle's own")

    @requirement(ROOT, MUST, "path may be absolute, and outside of the bundle")
    def test_root_absolute(self):
        container = self.container()
        elsewhere = self.work / "elsewhere"
        container.rootfs.rename(elsewhere)
        (elsewhere / "etc/here").write_text("elsewhere")
        container.config["root"]["path"] = str(elsewhere)
        self.assertEqual(container.probe("--file", "/etc/here")["files"]["/etc/here"], "elsewhere")

    @requirement(ROOT, MUST, "root is required")
    def test_root_left_out(self):
        container = self.container()
        del container.config["root"]
        container.refused()

    @requirement(ROOT, MUST, "a path where nothing is, is an error")
    def test_root_missing(self):
        container = self.container()
        container.config["root"]["path"] = "nothing"
        container.refused()

    @requirement(ROOT, MUST, "a path that is no directory is an error")
    def test_root_file(self):
        container = self.container()
        (container.directory / "file").touch()
        container.config["root"]["path"] = "file"
        container.refused()

    @requirement(ROOT, MUST, "readonly makes it read-only")
    def test_root_readonly(self):
        container = self.container()
        container.config["root"]["readonly"] = True
        report = container.probe("--write", "/new", "--write", "/etc/passwd")
        self.assertEqual(report["writes"], {"/new": "EROFS", "/etc/passwd": "EROFS"})
        self.assertIn("ro", self.assert_mount(report, "/")["options"])

    @requirement(ROOT, MUST, "readonly leaves the mounts below it writable")
    def test_root_readonly_mounts(self):
        container = self.container()
        container.config["root"]["readonly"] = True
        container.bundle.mount("/data", kind="tmpfs", source="tmpfs")
        report = container.probe("--write", "/data/new", "--write", "/dev/shm/new")
        self.assertEqual(set(report["writes"].values()), {"ok"})

    @requirement(ROOT, MUST, "without readonly it can be written to")
    def test_root_writable(self):
        container = self.container()
        self.assertEqual(container.probe("--write", "/new")["writes"], {"/new": "ok"})
        self.assertTrue((container.rootfs / "new").exists())

    @requirement("runtime.md, Lifecycle 2", MUST, "nothing outside of it can be reached by ..")
    def test_root_is_the_top(self):
        container = self.container()
        self.assertEqual(container.shell("ls /../../../ | grep -c probe").stdout.strip(), "1")

    @requirement("config-linux.md, Namespaces", MUST, "no mount of the host's is seen")
    def test_root_no_host_mounts(self):
        report = self.container().probe()
        points = [one["point"] for one in mount_table(report)]
        allowed = {"/", "/proc", "/sys", "/dev"}
        self.assertEqual([one for one in points if one not in allowed and not one.startswith("/dev/")], [])
        self.assertEqual(len([one for one in points if one == "/"]), 1)

    @requirement("runtime.md, Lifecycle 2", MUST, "on the host, no mount is added")
    def test_root_host_unchanged(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        self.container().sleeping()
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)

    @family({path.strip("/").replace("/", "_"): ("config-linux.md, Default Filesystems", SHOULD,
                                                 f"{path} is a mount even if mounts does not name it", path)
             for path in ("/proc", "/sys", "/dev/pts", "/dev/shm")})
    def _default_file_system(self, path):
        container = self.container()
        container.config["mounts"] = [one for one in container.config["mounts"] if one["destination"] != path]
        stats = container.probe("--stat", path, "--stat", os.path.dirname(path))["stats"]
        self.assertIsNotNone(stats[path], "it does not even exist")
        self.assertNotEqual(stats[path]["device"], stats[os.path.dirname(path)]["device"])


if __name__ == "__main__":
    main()
