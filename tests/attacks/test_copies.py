"""cp, diff, export and commit look at files that somebody hostile makes, moves and swaps while they do."""

import os
import pathlib
import stat
import subprocess
import tarfile
import time

from support import attack, case
from support.attack import archive

SECRET = "the host's secret"


class Copies(attack.AttackCase):
    def setUp(self):
        super().setUp()
        # What an attacker would want to read, and where one would want to write.
        self.host = self.work / "host"
        self.host.mkdir()
        (self.host / "secret").write_text(SECRET)
        self.before = self.files_of(self.host)
        self.source = self.work / "source"
        (self.source / "sub").mkdir(parents=True)
        (self.source / "secret").write_text("harmless")
        (self.source / "sub" / "secret").write_text("harmless")

    def start_container(self, image, script="exec sleep 1000", *flags):
        self.ok("run", "-d", "--name", "job", *self.programs(), *flags, image, "sh", "-c", script)
        self.addCleanup(self.ok, "rm", "-f", "job")

    def outside(self):
        """A link's text that would lead to the host's directory."""
        return ("../" * 12) + str(self.host).lstrip("/")

    def assert_untouched(self):
        self.assertEqual(self.files_of(self.host), self.before)
        self.assertEqual((self.host / "secret").read_text(), SECRET)

    def assert_no_secret(self, directory):
        for path in pathlib.Path(directory).rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.assertNotIn(SECRET.encode(), path.read_bytes(), path)


class Links(Copies):
    def links(self):
        return self.image(attack.system(
            archive.directory("d"), archive.link("up", self.outside()), archive.link("abs", str(self.host)),
            archive.link("d/file", f"{self.host}/secret"), archive.link("proc-root", "/proc/1/root"),
            archive.link("loop", "loop")))

    def each_state(self):
        self.ok("create", "--name", "stopped", self.links())
        yield "stopped"
        self.start_container("localhost/attack:latest")
        yield "job"

    def test_lead_nowhere_out(self):
        for name in self.each_state():
            for link in ("up", "abs"):
                self.fails(125, "cp", f"{name}:/{link}/secret", self.work / "got")
                self.fails(125, "cp", "-L", f"{name}:/{link}", self.work / "got")
                self.fails(125, "cp", self.source / "secret", f"{name}:/{link}/made")
                self.fails(125, "cp", self.source / "secret", f"{name}:/{link}/secret")
                # Where the link leads to, inside: there is no such directory.
                self.fails(125, "cp", self.source, f"{name}:/{link}/")
            self.fails(125, "cp", "-L", f"{name}:/d/file", self.work / "got")
            self.fails(125, "cp", "-L", f"{name}:/loop", self.work / "got")
            self.fails(125, "cp", f"{name}:/proc-root/etc/passwd", self.work / "got")
            self.fails(125, "cp", self.source / "secret", f"{name}:/proc-root/tmp/x")
            self.fails(125, "cp", self.source / "secret", f"{name}:/proc/self/root/tmp/x")
            self.ok("cp", f"{name}:/d", self.work / f"d-{name}")
            self.assertTrue((self.work / f"d-{name}" / "file").is_symlink())
            self.assertFalse((self.work / "got").exists())
            self.assert_untouched()

    def test_below_the_target(self):
        # A directory of the source meets a link that leads out of the target.
        for name in self.each_state():
            links = [archive.link("sub", self.outside()), archive.link("secret", f"{self.host}/secret")]
            subprocess.run(self.command("cp", "-", f"{name}:/tmp"), check=True, env=self.environment,
                           input=archive.tar_bytes(links))
            self.fails(125, "cp", f"{self.source}/.", f"{name}:/tmp", saying="link")
            self.ok("cp", "--overwrite", f"{self.source}/.", f"{name}:/tmp")
            self.ok("cp", f"{name}:/tmp/sub/secret", self.work / "got")
            self.assertEqual((self.work / "got").read_text(), "harmless")
            self.assert_untouched()

    def test_on_the_host(self):
        # The same, where a copy comes out over what an earlier one has brought.
        linked = self.image(attack.system(archive.directory("x"), archive.link("x/sub", str(self.host))))
        self.ok("create", "--name", "one", linked)
        self.ok("cp", "one:/x", self.work / "out")
        planted = self.image(attack.system(archive.directory("x"), archive.directory("x/sub"),
                                           archive.file("x/sub/secret", "planted")))
        self.ok("create", "--name", "two", planted)
        self.fails(125, "cp", "two:/x/.", self.work / "out", saying="link")
        self.assert_untouched()


class Archives(Copies):
    def unpack(self, *entries, name="job"):
        done = subprocess.run(self.command("cp", "-", f"{name}:/tmp"), input=archive.tar_bytes(entries), check=False,
                              env=self.environment, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 125, entries[-1][0].name)
        return done.stderr.decode()

    def test_of_somebody_hostile(self):
        self.ok("create", "--name", "job", self.image(attack.system()))

        def hard(name, target):
            return archive.entry(name, tarfile.LNKTYPE, link=target)
        self.assertIn("..", self.unpack(archive.file("../etc/passwd", "x")))
        self.unpack(archive.file("a/../../etc/passwd", "x"))
        self.unpack(archive.link("way", "/etc"), archive.file("way/passwd", "x"))
        self.unpack(archive.link("way", "../etc"), archive.file("way/passwd", "x"))
        self.unpack(archive.link("up", self.outside()), archive.file("up/secret", "x"))
        self.unpack(hard("twin", "../etc/passwd"))
        self.unpack(archive.link("way", "/etc"), hard("twin", "way/passwd"))
        self.unpack(archive.directory("deep/" * 300))
        self.unpack(archive.file("x" * 300, "x"))
        # An absolute name is one below the target.
        subprocess.run(self.command("cp", "-", "job:/tmp"), check=True, env=self.environment,
                       input=archive.tar_bytes([archive.file("/etc/passwd", "x"), attack.fifo("fifo"),
                                                attack.device("disk", tarfile.BLKTYPE, 8, 0)]))
        self.ok("cp", "job:/etc/passwd", self.work / "passwd")
        self.assertEqual((self.work / "passwd").read_text(), "root:x:0:0:root:/root:/bin/sh\n")
        self.ok("cp", "job:/tmp", self.work / "tmp")
        self.assertEqual((self.work / "tmp" / "etc" / "passwd").read_text(), "x")
        self.assertFalse((self.work / "tmp" / "disk").exists())
        self.assert_untouched()


class Races(Copies):
    """CVE-2018-15664: what was a directory when the path was looked at is a link when it is used."""

    def setUp(self):
        super().setUp()
        image = self.image(attack.system(
            archive.directory("w"), archive.directory("w/place"), archive.file("w/place/secret", "inside"),
            archive.directory("w/place/sub"), archive.file("w/place/sub/secret", "inside"),
            archive.link("w/swap", self.outside())))
        self.start_container(image, "exec /attack/renamer /w/place /w/swap")
        self.until = time.monotonic() + 6

    def test_copies(self):
        moved = 0
        for number in range(10000):
            if time.monotonic() > self.until:
                break
            out = self.work / f"out{number % 7}"
            self.berth("cp", "job:/w/place/.", out)
            self.berth("cp", "-L", "job:/w/place/secret", self.work / f"one{number % 7}")
            done = self.berth("cp", f"{self.source}/.", "job:/w/place")
            self.berth("cp", "--overwrite", self.source / "secret", "job:/w/place/sub/secret")
            moved += done.status == 0
            self.assert_no_secret(self.work / "out0")
        self.assertGreater(moved, 0, "some of them got through")
        self.assertNotEqual(self.ok("ps", "-q"), "", self.berth("logs", "job"))
        for path in self.work.glob("o*[0-9]"):
            self.assert_no_secret(path) if path.is_dir() else self.assertNotIn(SECRET, path.read_text())
        self.assert_untouched()

    def test_looks(self):
        for _ in range(10000):
            if time.monotonic() > self.until:
                break
            self.ok("diff", "job")
            self.ok("export", "-o", self.work / "job.tar", "job")
            self.assertNotIn(SECRET.encode(), (self.work / "job.tar").read_bytes())
        self.ok("commit", "job", "made")
        self.assert_untouched()


class SpecialFiles(Copies):
    def test_fifos_are_not_waited_for(self):
        self.start_container(self.image(attack.system(archive.directory("d"), attack.fifo("d/fifo"), attack.fifo("fifo"))))
        self.ok("cp", "job:/d", self.work / "d", timeout=20)
        self.ok("cp", "-L", "job:/fifo", self.work / "fifo", timeout=20)
        self.assertTrue((self.work / "fifo").is_fifo() and (self.work / "d" / "fifo").is_fifo())
        self.ok("cp", self.source / "secret", "job:/fifo", timeout=20)
        self.ok("export", "-o", self.work / "job.tar", "job", timeout=20)
        self.ok("commit", "job", timeout=20)

    def test_devices_are_not_copied(self):
        self.ok("run", "--name", "job", "--privileged", "--userns", "host", self.image(attack.system()),
                "busybox", "mknod", "/zero", "c", "1", "5")
        self.fails(125, "cp", "job:/zero", self.work / "zero", saying="device", timeout=20)
        self.ok("cp", "job:/", self.work / "all", timeout=20)
        self.assertFalse((self.work / "all" / "zero").exists())

    def test_what_is_in_proc_and_dev(self):
        self.start_container(self.image(attack.system()))
        self.berth("cp", "job:/dev", self.work / "dev", timeout=30)
        found = [os.lstat(path).st_mode for path in (self.work / "dev").rglob("*")]
        self.assertFalse([mode for mode in found if stat.S_ISCHR(mode) or stat.S_ISBLK(mode)])
        self.berth("cp", "job:/proc/1", self.work / "one", timeout=30)
        self.assert_untouched()

    def test_a_huge_file_costs_nothing(self):
        self.ok("run", "--name", "job", self.image(attack.system()), "sh", "-c",
                "busybox truncate -s 900G /large; busybox truncate -s 12288G /larger")
        self.ok("cp", "job:/large", self.work / "large", timeout=30)
        self.assertEqual((self.work / "large").stat().st_size, 900 << 30)
        self.assertLess((self.work / "large").stat().st_blocks, 100)
        self.ok("cp", "job:/larger", self.work / "larger", timeout=30)
        self.ok("export", "-o", self.work / "job.tar", "job", timeout=30)
        self.assertLess((self.work / "job.tar").stat().st_size, 10 << 20)
        self.fails(125, "commit", "job", "made", timeout=30)
        self.assertEqual(list((self.root / "tmp").iterdir()), [])

    def test_a_deep_tree(self):
        self.ok("run", "--name", "job", self.image(attack.system()), "sh", "-c",
                "i=0; while [ $i -lt 400 ]; do mkdir d && cd d || exit; i=$((i+1)); done")
        for command in (("diff", "job"), ("export", "-o", self.work / "x", "job"), ("commit", "job"),
                        ("cp", "job:/d", self.work / "d")):
            self.fails(125, *command, saying="256", timeout=30)
        self.ok("rm", "job")

    def test_setuid_files_are_nobodys_way_to_root(self):
        self.start_container(self.image(attack.system(archive.directory("d", 0o2777), archive.file("d/suid", "#!", 0o6755))))
        self.ok("cp", "-a", "job:/d", self.work / "d")
        self.assertFalse([path for path in (self.work / "d", self.work / "d" / "suid") if path.stat().st_mode & 0o6000])


class OwnPrograms(Copies):
    """CVE-2019-14271: a host-side tool that loads a library of the container's."""

    def test_nothing_of_the_image_is_executed(self):
        script = f"#!/bin/sh\necho {SECRET} > {self.host}/pwned\n"
        libraries = [archive.file(f"{directory}/{name}", script, 0o755)
                     for directory in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
                     for name in ("libnss_files.so.2", "libc.so.6", "libarchive.so.13")]
        image = self.image(attack.system(archive.directory("lib"), archive.directory("usr"), *libraries,
                                         archive.file("bin/tar", script, 0o755)))
        self.start_container(image)
        self.ok("create", "--name", "stopped", image)
        for name in ("job", "stopped"):
            self.ok("cp", f"{name}:/lib", self.work / f"lib-{name}")
            self.ok("cp", self.source, f"{name}:/lib")
            self.ok("export", "-o", self.work / "x.tar", name)
            self.ok("commit", name)
        self.assert_untouched()


class Attributes(Copies):
    def test_overlays_own_marks_do_not_get_into_an_image(self):
        image = self.image(attack.system(archive.directory("d"), archive.file("d/kept", "kept")))
        tools = [word for place in ("/usr", "/lib", "/lib64") for word in ("-v", f"{place}:{place}:ro")]
        self.ok("run", "--name", "job", "--privileged", "--userns", "host", *tools, image, "/usr/bin/python3", "-c",
                "import os\nopen('/made', 'w').write('x')\nos.setxattr('/made', 'user.kept', b'1')\n"
                "os.chmod('/d', 0o700)\n"
                "for path in ('/made', '/d'):\n"
                "  for name in ('redirect', 'opaque', 'metacopy', 'whiteout'):\n"
                "    try: os.setxattr(path, 'trusted.overlay.' + name, b'y')\n"
                "    except OSError: pass\n"
                "os.setxattr('/made', 'trusted.other', b'1')\n")
        self.ok("commit", "job", "made")
        self.assertEqual(self.ok("run", "--rm", "made", "cat", "/d/kept"), "kept")
        for layer in (self.root / "layers").iterdir():
            for path in layer.rglob("*"):
                if not path.is_symlink():
                    self.assertFalse([name for name in os.listxattr(path) if name.startswith("trusted.")], path)
        (made,) = (self.root / "layers").glob("*/made")
        self.assertEqual(os.getxattr(made, "user.kept"), b"1")


if __name__ == "__main__":
    case.main()
