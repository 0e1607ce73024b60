"""berth cp: files in and out of containers, running and not, by the rules that people know from Docker."""

import io
import os
import stat
import subprocess
import tarfile

from support import images
from support.case import BerthCase, main
from support.images import archive


def tree():
    yield from images.busybox_entries(passwd="root:x:0:0:root:/root:/bin/sh\n")
    yield archive.directory("dir", uid=5, gid=6)
    yield archive.file("dir/file", "in the container\n", mode=0o640, uid=5, gid=6)
    yield archive.directory("dir/sub", mode=0o700)
    yield archive.file("dir/sub/suid", "#!", mode=0o6755)
    yield archive.link("dir/link", "/dir/file")
    yield archive.link("way", "/dir")
    yield archive.link("dangling", "tmp/made")
    yield archive.file("plain", "plain\n")


class Cp(BerthCase):
    """The same tests for a container that runs and one that does not."""

    def setUp(self):
        super().setUp()
        self.image = images.load(self, "tree", tree())
        source = self.work / "source"
        (source / "sub").mkdir(parents=True)
        (source / "one").write_text("one\n")
        (source / "sub" / "two").write_text("two\n")
        os.chmod(source / "sub" / "two", 0o4751)
        (source / "link").symlink_to("one")
        os.link(source / "one", source / "twin")
        os.chown(source / "one", 33, 44)
        os.utime(source / "one", ns=(0, 1_600_000_000_123_456_789))
        self.source = source

    def make(self, *flags):
        self.ok("create", "--name", "job", *flags, self.image, "sleep", "1000")

    def look(self, script):
        """What is in the container, by another one on the same files or by itself."""
        self.ok("commit", "job", "look")
        return self.ok("run", "--rm", "look", "sh", "-c", script)

    def host(self, *paths):
        return [(self.work.joinpath(path)).read_text() for path in paths]


class Stopped(Cp):
    running = False

    def test_a_file_goes_in(self):
        self.make()
        self.ok("cp", self.source / "one", "job:/new")
        self.ok("cp", self.source / "one", "job:/dir")
        self.ok("cp", self.source / "one", "job:dir/sub/")
        self.ok("cp", self.source / "one", "job:/dir/file")
        self.ok("cp", self.source / "one", "job:/way/through")
        self.ok("cp", self.source / "one", "job:/dangling")
        self.assertEqual(self.look("cd /; stat -c '%n %a %u:%g %Y' new dir/file; "
                                   "cat new dir/one dir/sub/one dir/file dir/through tmp/made; "
                                   "readlink way; readlink dangling"),
                         "new 644 0:0 1600000000\ndir/file 644 0:0 1600000000\n" + "one\n" * 6 + "/dir\ntmp/made\n")
        self.fails(125, "cp", self.source / "one", "job:/nosuch/", saying="/nosuch/")
        self.fails(125, "cp", self.source / "one", "job:/nosuch/name", saying="/nosuch")
        self.fails(125, "cp", self.source / "one", "job:/plain/", saying="not a directory")
        self.fails(125, "cp", self.source / "nosuch", "job:/", saying="nosuch")

    def test_a_directory_goes_in(self):
        self.make()
        self.ok("cp", self.source, "job:/made")
        self.ok("cp", self.source, "job:/dir")
        self.ok("cp", f"{self.source}/.", "job:/tmp")
        self.ok("cp", f"{self.source}/", "job:/also/")
        for place in ("made", "dir/source", "tmp", "also"):
            look = f"cd /{place}; stat -c '%n %a %u:%g %h' one sub/two twin; readlink link; cat twin"
            self.assertEqual(self.look(look),
                             "one 644 0:0 2\nsub/two 4751 0:0 1\ntwin 644 0:0 2\none\none\n", place)
        self.assertEqual(self.look("stat -c '%a %u' /dir /tmp"), "755 5\n1777 0\n",
                         "a directory that is there stays as it is")
        self.fails(125, "cp", self.source, "job:/plain", saying=["/plain is a file", "--overwrite"])
        self.fails(125, "cp", f"{self.source}/one/", "job:/tmp", saying="one")

    def test_a_file_and_a_directory_meet(self):
        self.make()
        (self.work / "sub").write_text("a file\n")
        self.fails(125, "cp", self.work / "sub", "job:/dir", saying=["directory", "--overwrite"])
        self.ok("cp", "--overwrite", self.work / "sub", "job:/dir")
        self.assertEqual(self.look("cat /dir/sub"), "a file\n")
        self.fails(125, "cp", f"{self.source}/.", "job:/dir", saying=["sub", "--overwrite"])
        self.ok("cp", "--overwrite", f"{self.source}/.", "job:/dir")
        self.ok("cp", "--overwrite", self.source, "job:/plain")
        self.assertEqual(self.look("cat /dir/sub/two /plain/one"), "two\none\n")

    def test_owners_are_kept_if_so_asked(self):
        self.make()
        self.ok("cp", "-a", self.source, "job:/kept")
        self.assertEqual(self.look("stat -c %u:%g /kept/one"), "33:44\n")
        os.chown(self.source / "one", 4_000_000, 0)
        if self.running:
            self.fails(125, "cp", "-a", self.source, "job:/refused", saying="4000000")

    def test_files_come_out(self):
        self.make()
        out = self.work / "out"
        self.ok("cp", "job:/plain", out)
        self.assertEqual(self.host("out"), ["plain\n"])
        self.ok("cp", "job:/dir", self.work / "copy")
        self.ok("cp", "job:dir/.", self.work / "copy2")
        (self.work / "there").mkdir()
        self.ok("cp", "job:/dir", self.work / "there")
        self.ok("cp", "job:/dir/", f"{self.work}/there2/")
        for place in ("copy", "copy2", "there/dir", "there2"):
            self.assertEqual(self.host(f"{place}/file", f"{place}/sub/suid"), ["in the container\n", "#!"])
            st = (self.work / place / "sub" / "suid").stat()
            self.assertEqual((stat.S_IMODE(st.st_mode), st.st_uid), (0o755, 0), "nobody on the host becomes root by it")
            st = (self.work / place / "file").stat()
            self.assertEqual((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o640, 0, 0))
            self.assertEqual(os.readlink(self.work / place / "link"), "/dir/file")
        self.ok("cp", "-a", "job:/dir/file", self.work / "kept")
        self.assertEqual(((self.work / "kept").stat().st_uid, (self.work / "kept").stat().st_gid), (5, 6))
        self.fails(125, "cp", "job:/nosuch", self.work, saying="/nosuch")
        self.fails(125, "cp", "job:/plain", f"{self.work}/no/", saying="/no/")
        self.fails(125, "cp", "job:/dir", out, saying="--overwrite")

    def test_links_as_the_source(self):
        self.make()
        self.ok("cp", "job:/way", self.work / "link")
        self.assertEqual(os.readlink(self.work / "link"), "/dir")
        self.ok("cp", "-L", "job:/way", self.work / "followed")
        self.assertEqual(self.host("followed/file"), ["in the container\n"])
        self.ok("cp", "job:/way/file", self.work / "through")
        self.assertEqual(self.host("through"), ["in the container\n"])

    def test_tars(self):
        self.make()
        done = subprocess.run(self.command("cp", "job:/dir", "-"), stdout=subprocess.PIPE, check=True,
                              env=self.environment)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            self.assertEqual(tar.getnames(), ["dir", "dir/file", "dir/link", "dir/sub", "dir/sub/suid"])
            self.assertEqual((tar.getmember("dir/file").uid, tar.getmember("dir/sub/suid").mode), (5, 0o6755))
        # As it came, and through gzip.
        self.ok("create", "--name", "other", self.image)
        subprocess.run(self.command("cp", "-", "other:/tmp"), input=done.stdout, check=True, env=self.environment)
        self.ok("cp", "other:/tmp/dir/file", self.work / "round")
        self.assertEqual(self.host("round"), ["in the container\n"])
        packed = subprocess.run(["tar", "-cz", "-C", self.source, "."], stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(self.command("cp", "-a", "-", "job:/tmp"), input=packed, check=True, env=self.environment)
        self.assertEqual(self.look("cat /tmp/one; stat -c %u /tmp/one"), "one\n33\n")
        self.fails(125, "cp", "-", "job:/nosuch", input="", saying="/nosuch")
        self.fails(125, "cp", "-", "job:/plain", input="", saying="/plain")
        self.fails(125, "cp", "-", "job:/tmp", input="no tar at all" * 100)

    def test_volumes(self):
        self.make("-v", "data:/v", "-v", f"{self.source}:/bound", "-v", "ro:/ro:ro")
        self.ok("cp", self.source / "one", "job:/v/one")
        on_disk = self.root / "volumes" / "data" / "_data" / "one"
        self.assertEqual((on_disk.read_text(), on_disk.stat().st_uid), ("one\n", 0))
        self.ok("cp", "job:/v/one", self.work / "again")
        self.ok("cp", "job:/bound/sub/two", self.work / "two")
        self.assertEqual(self.host("again", "two"), ["one\n", "two\n"])
        self.fails(125, "cp", self.source / "one", "job:/ro/one", saying="EROFS")
        if not self.running:
            self.fails(125, "cp", self.source / "one", "job:/bound/x", saying=["EROFS", "directory itself"])

    def test_translated(self):
        self.make("--translate")
        self.ok("cp", "-a", self.source, "job:/made")
        self.ok("cp", self.source / "one", "job:/made/own")
        self.assertEqual(self.look("stat -c '%n %u:%g' /made/one /made/own"), "/made/one 33:44\n/made/own 0:0\n")
        self.ok("cp", "-a", "job:/dir/file", self.work / "kept")
        self.assertEqual((self.work / "kept").stat().st_uid, 5)


class Running(Stopped):
    running = True

    def make(self, *flags):
        self.ok("run", "-d", "--name", "job", *flags, self.image, "sleep", "1000")
        self.addCleanup(self.ok, "rm", "-f", "job")

    def test_what_is_only_in_the_running_container(self):
        self.make("--tmpfs", "/mem")
        self.ok("cp", self.source / "one", "job:/mem/one")
        self.ok("cp", "job:/mem/one", self.work / "again")
        self.assertEqual(self.host("again"), ["one\n"])
        self.ok("cp", self.source / "one", "job:/etc/hosts")
        self.ok("cp", "job:/etc/hosts", self.work / "hosts")
        self.assertEqual(self.host("hosts"), ["one\n"], "what is mounted there is written to")
        self.ok("cp", "job:/", self.work / "all")
        self.assertEqual(self.host("all/plain", "all/mem/one"), ["plain\n", "one\n"])
        for name in ("proc", "sys"):
            self.assertEqual(os.listdir(self.work / "all" / name), [])


class Between(Cp):
    def test_containers(self):
        self.make()
        self.ok("run", "-d", "--name", "other", self.image, "sleep", "1000")
        self.addCleanup(self.ok, "rm", "-f", "other")
        self.ok("cp", "job:/dir", "other:/tmp/copy")
        self.ok("cp", "other:/tmp/copy/file", "job:/back")
        self.ok("cp", "job:/back", "job:/once more")
        self.assertEqual(self.look("cat '/once more'"), "in the container\n")

    def test_one_that_was_removed_or_is_not_there(self):
        self.fails(125, "cp", self.source, "nosuch:/", saying="nosuch")
        self.fails(125, "cp", self.source, self.work / "x", saying="CONTAINER:PATH")
        self.make()
        self.fails(125, "cp", self.source, "job:", saying="path")
        (self.work / "a:b").write_text("colon\n")
        self.ok("cp", "./a:b", "job:/colon")
        self.assertEqual(self.look("cat /colon"), "colon\n")


if __name__ == "__main__":
    main()
