"""berth diff and berth export: what a container has changed, and its files as a tar."""

import io
import json
import os
import pathlib
import stat
import subprocess
import sys
import tarfile

from support import images, leftovers
from support.case import BerthCase, main, run
from support.images import archive

SHIM = pathlib.Path(leftovers.__file__).with_name("older_kernel.py")


def tree():
    yield from images.busybox_entries(passwd="root:x:0:0:root:/root:/bin/sh\n", group="root:x:0:\n")
    yield archive.directory("data")
    for name in ("keep", "gone", "mode", "moved"):
        yield archive.file(f"data/{name}", name * 100)
    yield archive.directory("old")
    yield archive.file("old/file", "in the old place")
    yield archive.directory("old/sub")
    yield archive.file("old/sub/deep", "deep")
    yield archive.directory("again")
    yield archive.file("again/before", "x")
    yield archive.file("again/both", "x")
    yield archive.file("turns", "a file")
    yield archive.directory("turned")
    yield archive.file("turned/inside", "x")


class Files(BerthCase):
    def setUp(self):
        super().setUp()
        self.image = images.load(self, "tree", tree())

    def make(self, script, *flags, name="job"):
        self.ok("run", "--name", name, *flags, self.image, "sh", "-c", script)

    def diff(self, name="job"):
        return self.ok("diff", name).splitlines()


class Diff(Files):
    def test_nothing(self):
        self.make("true")
        self.assertEqual(self.diff(), [])
        self.make("true", "-u", "1234", name="identity")
        self.assertEqual(self.diff("identity"), [], "the identity layer and berth's mounts are no change")
        self.ok("create", "--name", "new", self.image)
        self.assertEqual(self.diff("new"), [])

    def test_changed_added_and_deleted(self):
        self.make("chmod 600 /data/mode; rm /data/gone; mv /data/moved /data/new; mkdir -p /a/b; echo x > /a/b/c; "
                  "ln -s nowhere /link; touch /data/keep")
        self.assertEqual(self.diff(), ["A /a", "A /a/b", "A /a/b/c", "C /data", "D /data/gone", "C /data/keep",
                                       "C /data/mode", "D /data/moved", "A /data/new", "A /link"])

    def test_a_renamed_directory_and_one_that_is_made_again(self):
        self.make("mv /old /young; rm -r /again; mkdir /again; echo y > /again/both; echo y > /again/after")
        self.assertEqual(self.diff(), ["C /again", "A /again/after", "D /again/before", "C /again/both", "D /old",
                                       "A /young", "A /young/file", "A /young/sub", "A /young/sub/deep"])

    def test_a_file_becomes_a_directory_and_the_reverse(self):
        self.make("rm /turns; mkdir /turns; echo x > /turns/in; rm -r /turned; echo x > /turned")
        self.assertEqual(self.diff(), ["C /turned", "C /turns", "A /turns/in"])

    def test_a_renamed_directory_over_another(self):
        self.make("rm -r /again; mv /old /again; rm /again/sub/deep")
        self.assertEqual(self.diff(), ["C /again", "D /again/before", "D /again/both", "A /again/file", "A /again/sub",
                                       "D /old"])

    def test_json(self):
        self.make("rm /data/gone; echo x > /new")
        self.assertEqual(json.loads(self.ok("diff", "--format", "json", "job")),
                         {"changed": ["/data"], "added": ["/new"], "deleted": ["/data/gone"]})
        self.fails(125, "diff", "nosuch", saying="nosuch")

    def test_volumes_are_left_out(self):
        self.make("echo x > /vol/file; echo x > /data/file", "-v", "one:/vol", "-v", "two:/data")
        self.assertEqual(self.diff(), ["A /vol"])

    def test_of_a_running_container(self):
        process = self.start("run", "--name", "job", "-u", "1234", self.image, "sh", "-c",
                             "touch /tmp/made; echo up; exec sleep 1000", stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"up\n")
        self.assertEqual(self.diff(), ["C /tmp", "A /tmp/made"])
        self.ok("rm", "-f", "job")
        process.wait(20)
        self.assert_nothing_left()

    def test_a_translated_container(self):
        self.make("chown 5:6 /data/mode; mv /old /young; rm /data/gone", "--translate")
        self.assertEqual(self.diff(), ["C /data", "D /data/gone", "C /data/mode", "D /old", "A /young", "A /young/file",
                                       "A /young/sub", "A /young/sub/deep"])

    def test_names_that_are_no_text(self):
        self.make(r"touch $(printf '/a\033[31m'); touch $(printf '/\377')")
        self.assertEqual(self.diff(), [r"A /a\x1b[31m", r"A /\xff"])
        self.assertEqual(json.loads(self.ok("diff", "--format", "json", "job"))["added"], [r"/a\x1b[31m", r"/\xff"])


class Export(Files):
    def export(self, name="job"):
        """The members by name, and the content of those that are files."""
        path = self.work / f"{name}.tar"
        self.ok("export", "-o", path, name)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        with tarfile.open(path) as tar:
            return {member.name: (member, tar.extractfile(member).read() if member.isreg() else None) for member in tar}

    def test_all_files(self):
        self.make("chmod 600 /data/mode; chown 5:6 /data/mode; rm /data/gone; mv /old /young; echo x > /vol/file; ln /data/keep /twin",
                  "-v", "one:/vol", "-u", "0")
        found = self.export()
        self.assertNotIn("old", found)
        self.assertNotIn("data/gone", found)
        member, content = found["data/mode"]
        self.assertEqual((member.mode, member.uid, member.gid, content), (0o600, 5, 6, b"mode" * 100))
        self.assertEqual(found["young/sub/deep"][1], b"deep")
        self.assertTrue(found["vol"][0].isdir())
        self.assertNotIn("vol/file", found)
        self.assertTrue(found["twin"][0].islnk())
        self.assertNotIn("etc/hosts", found)
        done = subprocess.run(self.command("export", "job"), stdout=subprocess.PIPE, check=True, env=self.environment)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            self.assertEqual(tar.getnames(), list(found))

    def test_the_identity_layer_is_left_out(self):
        bare = images.load(self, "bare", [entry for entry in images.busybox_entries() if entry[0].name != "etc"])
        self.ok("run", "--name", "job", "-u", "1234", bare, "cat", "/etc/passwd")
        self.assertFalse([name for name in self.export() if name.startswith("etc")])
        self.assertEqual(self.diff(), [])
        self.make("true", "-u", "1234", name="other")
        self.assertEqual(self.export("other")["etc/passwd"][1], b"root:x:0:0:root:/root:/bin/sh\n")

    def test_a_translated_container(self):
        self.make("chown 5:6 /data/mode", "--translate")
        member, content = self.export()["data/mode"]
        self.assertEqual((member.uid, member.gid, content), (5, 6, b"mode" * 100))

    def test_no_terminal_and_no_half_file(self):
        self.ok("create", "--name", "job", self.image)
        done = subprocess.run(["script", "-qec", " ".join(self.command("export", "job")), "/dev/null"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=False, env=self.environment, text=True)
        self.assertEqual(done.returncode, 125, done)
        self.assertIn("terminal", done.stdout)
        self.fails(125, "export", "-o", self.work / "no" / "where.tar", "job", saying="where.tar")
        self.fails(125, "export", "-o", self.work / "x.tar", "nosuch", saying="nosuch")
        # What is no file is written to, and not replaced.
        os.mknod(self.work / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        self.ok("export", "-o", self.work / "null", "job")
        self.assertTrue((self.work / "null").is_char_device())
        self.assertFalse(list(self.work.glob("x.tar*")))

    def test_what_is_exported_can_be_imported(self):
        self.make("echo mine > /mine")
        self.ok("export", "-o", self.work / "job.tar", "job")
        self.ok("import", "-c", 'CMD ["cat", "/mine"]', self.work / "job.tar", "again")
        self.assertEqual(self.ok("run", "--rm", "again"), "mine\n")


class OlderKernels(Files):
    """Layers are stacked by path (before Linux 6.13), or mounts made in a place of their own (before 5.12)."""

    def without(self, lacking, *args):
        done = run(sys.executable, "-B", SHIM, lacking, "--", *self.command(*args), env=self.environment, cwd=self.work)
        self.assertEqual(done.status, 0, done)
        return done.stdout

    def test_the_same_is_seen(self):
        self.make("chmod 600 /data/mode; mv /old /young; rm /data/gone; echo x > /vol/file", "-v", "one:/vol")
        expected = self.ok("diff", "job")
        self.ok("export", "-o", self.work / "expected.tar", "job")
        before = leftovers.mounts()
        for lacking in ("fsconfig=EINVAL,1:5", "mount_setattr=ENOSYS", "mount_api"):
            self.assertEqual(self.without(lacking, "diff", "job"), expected, lacking)
            self.without(lacking, "export", "-o", self.work / "job.tar", "job")
            self.assertEqual((self.work / "job.tar").read_bytes(), (self.work / "expected.tar").read_bytes(), lacking)
            self.without(lacking, "cp", "job:/vol/file", self.work / "file")
            self.assertEqual((self.work / "file").read_text(), "x\n")
            self.without(lacking, "commit", "job", "made")
        self.assertEqual(leftovers.mounts(), before)


if __name__ == "__main__":
    main()
