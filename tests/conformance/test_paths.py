"""config-linux.md, Masked Paths, Readonly Paths, Rootfs Mount Propagation."""

import subprocess
import time

from support.oci_runtime import MUST, PRACTICE, RuntimeCase, expand, family, requirement, main
from support.waiting import until

MASKED = "config-linux.md, Masked Paths"
READONLY = "config-linux.md, Readonly Paths"
RECURSIVE = ("rshared", "rslave", "rprivate")  # not in the text, but what engines write
PROPAGATION = "config-linux.md, Rootfs Mount Propagation"


class Paths(RuntimeCase):
    def masking(self, *paths):
        container = self.container()
        container.bundle.linux["maskedPaths"] = list(paths)
        return container

    def protecting(self, *paths):
        container = self.container()
        container.bundle.linux["readonlyPaths"] = list(paths)
        return container

    @requirement(MASKED, MUST, "a file cannot be read")
    def test_masked_file(self):
        report = self.masking("/proc/version", "/etc/passwd").probe("--file", "/proc/version", "--file", "/etc/passwd")
        self.assertLessEqual(set(report["files"].values()), {"", None})

    @requirement(MASKED, MUST, "a directory is empty, and cannot be written to")
    def test_masked_directory(self):
        container = self.masking("/data")
        (container.rootfs / "data/secret").write_text("secret")
        report = container.probe("--file", "/data/secret", "--write", "/data/new")
        self.assertIsNone(report["files"]["/data/secret"])
        self.assertEqual(report["writes"]["/data/new"], "EROFS")

    @requirement(MASKED, MUST, "a path that does not exist is no error")
    def test_masked_missing(self):
        self.masking("/no/such/path", "/proc/nothing").probe()

    @requirement(MASKED, MUST, "a relative path is an error")
    def test_masked_relative(self):
        self.masking("etc/passwd").refused()

    @requirement(MASKED, MUST, "a link out of the root masks nothing outside")
    def test_masked_link(self):
        container = self.masking("/link")
        (container.rootfs / "link").symlink_to("/data/real")
        (container.rootfs / "data/real").write_text("secret")
        container.bundle.process["args"] = ["/bin/cat", "/data/real"]
        self.assertEqual(container.run().stdout, "")

    @requirement(MASKED, MUST, "it holds against a process that may mount: the mask can be covered, but not taken off, by unmounting")
    def test_masked_unmount(self):
        container = self.masking("/etc/passwd")
        done = container.shell("umount /etc/passwd; cat /etc/passwd")
        self.assertEqual(done.stdout, "")

    @requirement(READONLY, MUST, "a directory cannot be written to, nor what is below it")
    def test_readonly_directory(self):
        container = self.protecting("/data")
        (container.rootfs / "data/sub").mkdir()
        report = container.probe("--write", "/data/new", "--write", "/data/sub/new", "--write", "/home/new")
        self.assertEqual(list(report["writes"].values()), ["EROFS", "EROFS", "ok"])

    @requirement(READONLY, MUST, "a file cannot be written to, and can be read")
    def test_readonly_file(self):
        report = self.protecting("/etc/passwd").probe("--write", "/etc/passwd", "--file", "/etc/passwd")
        self.assertEqual(report["writes"]["/etc/passwd"], "EROFS")
        self.assertIn("root", report["files"]["/etc/passwd"])

    @requirement(READONLY, MUST, "/proc/sys as engines ask for it")
    def test_readonly_proc(self):
        report = self.protecting("/proc/sys").probe("--write", "/proc/sys/kernel/hostname")
        self.assertEqual(report["writes"]["/proc/sys/kernel/hostname"], "EROFS")

    @requirement(READONLY, MUST, "flags that a mount below it had stay as they were")
    def test_readonly_keeps_flags(self):
        report = self.protecting("/dev/shm").probe()
        options = set(self.assert_mount(report, "/dev/shm")["options"])
        self.assertLessEqual({"ro", "nosuid", "nodev", "noexec"}, options)

    @requirement(READONLY, MUST, "a path that does not exist is no error")
    def test_readonly_missing(self):
        self.protecting("/no/such/path").probe()

    @requirement(READONLY, MUST, "a relative path is an error")
    def test_readonly_relative(self):
        self.protecting("data").refused()


@expand
class Propagation(RuntimeCase):
    def propagating(self, kind):
        """A container whose root is a mount of the host's with a peer group."""
        container = self.container()
        subprocess.run(["mount", "--bind", container.rootfs, container.rootfs], check=True)
        subprocess.run(["mount", "--make-rshared", container.rootfs], check=True)
        (container.rootfs / "data/in").mkdir()
        container.bundle.linux["rootfsPropagation"] = kind
        return container

    @family({kind: (PROPAGATION, PRACTICE if kind in RECURSIVE else MUST, f"{kind}: the root mount says so", kind, tag)
             for kind, tag in
             (("shared", "shared:"), ("slave", "master:"), ("private", ""), ("unbindable", "unbindable"),
              ("rshared", "shared:"), ("rslave", "master:"), ("rprivate", ""))})
    def _root(self, kind, tag):
        tags = " ".join(self.assert_mount(self.propagating(kind).probe(), "/")["tags"])
        if tag:
            self.assertIn(tag, tags)
        else:
            self.assertEqual(tags, "")

    def appears(self, kind):
        """Whether what the host mounts into the root later is seen inside."""
        container = self.propagating(kind).sleeping()
        (container.rootfs / "data/in").mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "late", container.rootfs / "data/in"], check=True)
        return "late" in self.mounts_inside(container)

    def mounts_inside(self, container):
        return self.ok(container.exec("/bin/cat", "/proc/self/mountinfo")).stdout

    @requirement(PROPAGATION, MUST, "slave: what the host mounts there later is seen in the container")
    def test_slave_receives(self):
        self.assertTrue(self.appears("slave"))

    @requirement(PROPAGATION, PRACTICE, "rslave: what the host mounts there later is seen in the container")
    def test_rslave_receives(self):
        self.assertTrue(self.appears("rslave"))

    @requirement(PROPAGATION, MUST, "private: what the host mounts there later is not seen in the container")
    def test_private_receives_nothing(self):
        self.assertFalse(self.appears("private"))

    @family({kind: (PROPAGATION, MUST, f"{kind}: what the container mounts is not seen on the host", kind)
             for kind in ("slave", "private", "unbindable")})
    def _sends_nothing(self, kind):
        container = self.propagating(kind)
        container.bundle.add_capabilities("CAP_SYS_ADMIN")
        container.bundle.process["args"] = ["/bin/sh", "-c", "mount -t tmpfs inner /data/in && echo done; sleep 1000"]
        container.started()
        until(lambda: container.output() == "done\n", "it is mounted inside")
        time.sleep(0.05)
        with open("/proc/self/mountinfo", encoding="utf-8") as table:
            self.assertNotIn("inner", table.read())

    @requirement("config.md, Valid values", MUST, "a word that is none of them is an error")
    def test_unknown(self):
        container = self.container()
        container.bundle.linux["rootfsPropagation"] = "sideways"
        container.refused()


if __name__ == "__main__":
    main()
