"""passwd and group of a hostile image, and strings that try to become a line of theirs."""

import os
import pathlib
import subprocess
import tarfile

from support import attack, case
from support.attack import archive, device, fifo

SECRET = "hostsecret:x:12345:12345::/:/bin/sh"
NEWLINES = ("\n", "\r", "\\n", "\v", "\x85")


class AccountFiles(attack.AttackCase):
    def run_as(self, image, user, *command, flags=()):
        return self.berth("run", "--rm", *flags, "-u", user, image, *command, timeout=30)

    def check(self, *members, layers=None):
        """Loads and runs in bounded time; nothing of the host's is read."""
        secret = pathlib.Path("/berth-attack-passwd")
        secret.write_text(SECRET + "\n")
        self.addCleanup(secret.unlink, missing_ok=True)
        path = self.work / "attack.tar"
        archive.write(path, ["localhost/attack:latest"],
                      layers or [archive.tar_bytes(attack.system(archive.directory("etc"), *members))], {})
        loaded = self.berth("load", "-i", path, timeout=60)
        if loaded.status != 0:
            self.assertRegex(loaded.stderr, r"(?m)^berth: ")
            return loaded
        done = self.run_as("localhost/attack:latest", "10000", "true")
        self.assertIn(done.status, (0, 125), done)
        seen = self.run_as("localhost/attack:latest", "10000", "sh", "-c", "test ! -f /etc/passwd || head -c 1000 /etc/passwd")
        self.assertNotIn("hostsecret", seen.stdout, seen)
        by_name = self.run_as("localhost/attack:latest", "hostsecret", "true")
        self.assertNotEqual(by_name.status, 0, by_name)
        return done

    def test_links(self):
        for name in ("etc/passwd", "etc/group"):
            for target in ("/berth-attack-passwd", "../../../../../../berth-attack-passwd",
                           "/proc/self/root/berth-attack-passwd", "/proc/1/cwd/berth-attack-passwd", "passwd", "/"):
                self.check(archive.link(name, target))

    def test_what_is_no_file(self):
        for name in ("etc/passwd", "etc/group"):
            self.check(fifo(name))
            self.check(device(name, tarfile.CHRTYPE, 1, 5))
            self.check(archive.directory(name))

    def test_ten_gigabytes(self):
        member = archive.entry("etc/passwd", data=b"10737418240\n" + b"\0" * 500)[0]
        member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "etc/passwd",
                              "GNU.sparse.realsize": "10737418240"}
        data = b"1\n10737418000\n5\n".ljust(512, b"\0") + b"x:x:0"
        member.size = len(data)
        # A mebibyte is read at most, and gigabytes take no place.
        self.check((member, data))

    def test_lines_that_lie(self):
        passwd = ("root:x:0:0:root:/root:/bin/sh\n4294967296:x:0:0::/:/bin/sh\n10000:x:0:0::/:/bin/sh\n"
                  "0000:x:0:0::/:/bin/sh\nbig:x:4294967296:0::/:/bin/sh\nneg:x:-1:0::/:/bin/sh\nempty:x:::::\n"
                  "short:x\n:x:0:0::/:/bin/sh\nhex:x:0x0:0::/:/bin/sh\n"
                  "max:x:4294967295:4294967295::/:/bin/sh\n")
        image = self.image(attack.system(passwd=passwd))
        for user in ("4294967296", "4294967295", "-1", "2147483648", "2147483647", "99999999999999999999", "big",
                     "neg", "empty", "short", "hex", "max", "0:4294967296", "0:-1", "65536", "+0", "0x0",
                     " 0", "1000:99999999999999999999"):
            done = self.run_as(image, user, "id", "-u")
            if done.status == 0:
                self.assertNotEqual(done.stdout.strip(), "0", (user, done))
            else:
                self.assertRegex(done.stderr, r"(?m)^berth: ", user)
        self.assertEqual(self.run_as(image, "10000", "id", "-u").stdout, "10000\n")
        self.assertEqual(self.run_as(image, "65535", "id", "-u").stdout, "65535\n")


class ProducedLine(attack.AttackCase):
    """Whatever the image says, the produced passwd has one new line, and nobody new is 0."""

    def passwd_of(self, user, **settings):
        path = self.work / "attack.tar"
        archive.write(path, ["localhost/attack:latest"], [archive.tar_bytes(attack.system())], settings)
        loaded = self.berth("load", "-i", path)
        if loaded.status != 0:
            self.assertRegex(loaded.stderr, r"(?m)^berth: .*config")
            return None
        image = "localhost/attack:latest"
        flags = ("-u", user) if user else ()
        done = self.berth("run", "--rm", *flags, image, "cat", "/etc/passwd", timeout=30)
        if done.status != 0:
            self.assertRegex(done.stderr, r"(?m)^berth: ")
            self.assertNotRegex(done.stderr, r"[\x00-\x08\x0b-\x1f\x7f]", "control characters reach the terminal")
            return None
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "root:x:0:0:root:/root:/bin/sh")
        self.assertEqual(len(done.stdout.split("\n")), 3, done)
        self.assertEqual(len(lines), 2, done)
        fields = lines[1].split(":")
        self.assertEqual((len(fields), fields[2], fields[3]), (7, "10000", "0"), done)
        return done.stdout

    def test_home_and_working_directory(self):
        for newline in NEWLINES:
            hostile = f"/x{newline}evil:x:0:0::/:/bin/sh"
            self.passwd_of("10000", Env=[f"HOME={hostile}"])
            self.passwd_of("10000", WorkingDir=hostile)
            self.passwd_of("10000", WorkingDir=f"/tmp/{newline}a:0:0")
        self.passwd_of("10000", WorkingDir="/tmp/a:b:c")
        self.passwd_of("10000", Env=["HOME=/" + "x" * 65536])
        self.passwd_of("10000", WorkingDir="/" + "x" * 65536)
        self.passwd_of("10000", WorkingDir="/tmp" + "/y" * 2000)
        self.passwd_of("10000", Env=["HOME=/a\0b"])
        self.passwd_of("10000", WorkingDir="/a\0b")

    def test_user(self):
        for user in ("10000\nevil:x:0:0::/:/bin/sh", "10000:0\n", "x\ny", "root\n", "10000\0", "1" * 65536,
                     "x" * 65536, "10000:10000:0", "\x1b]0;title\x07"):
            self.assertIsNone(self.passwd_of("", User=user), user[:40])


class WhatIsAsked(attack.AttackCase):
    """--passwd-entry, --group-entry, --hostuser and keep-groups on images that mean ill."""

    TEMPLATES = ("--passwd-entry", "$USERNAME:x:$UID:$GID:$NAME:$HOME:/bin/sh", "--group-entry", "$GROUPNAME:x:$GID:$USERLIST")

    def check_files(self, done, uid):
        """Nobody who was not in the image is 0, and there is at most one new line."""
        if done.status != 0:
            self.assertRegex(done.stderr, r"(?m)^berth: ")
            return
        lines = [line.split(":") for line in done.stdout.splitlines()]
        self.assertEqual([line[0] for line in lines if len(line) > 2 and line[2] == "0"], ["root"], done)
        self.assertLessEqual(len(lines), 2, done)
        if len(lines) == 2:
            self.assertEqual((len(lines[1]), lines[1][2]), (7, uid), done)

    def test_a_home_that_the_image_chose(self):
        for newline in NEWLINES:
            for hostile in (f"/tmp/x{newline}evil:x:0:0::/:/bin/sh", f"/tmp{newline}a", "/tmp/a:0:0", "/tmp/$UID:$GID"):
                path = self.work / "attack.tar"
                archive.write(path, ["localhost/attack:latest"], [archive.tar_bytes(attack.system(
                    archive.directory("tmp/" + hostile[5:].replace("/", "_"), 0o1777)))], {"WorkingDir": hostile})
                if self.berth("load", "-i", path).status != 0:
                    continue
                for flags in ((), self.TEMPLATES):
                    done = self.berth("run", "--rm", "-u", "10000", *flags, "localhost/attack:latest", "cat", "/etc/passwd", timeout=30)
                    self.check_files(done, "10000")

    def test_files_that_are_not_the_image_s(self):
        secret = pathlib.Path("/berth-attack-passwd")
        secret.write_text(SECRET + "\n")
        self.addCleanup(secret.unlink, missing_ok=True)
        before = secret.stat()
        for member in (archive.link("etc/passwd", "/berth-attack-passwd"), archive.link("etc/passwd", "../../../berth-attack-passwd"),
                       archive.link("etc/group", "/proc/self/root/berth-attack-passwd"), fifo("etc/passwd"), archive.directory("etc/group"),
                       device("etc/passwd", tarfile.CHRTYPE, 1, 5), archive.link("etc", "/"), archive.link("etc", "../../..")):
            members = [member] if member[0].name == "etc" else [archive.directory("etc"), member]
            path = self.work / "attack.tar"
            archive.write(path, ["localhost/attack:latest"], [archive.tar_bytes(attack.system(*members))], {})
            if self.berth("load", "-i", path).status != 0:
                continue
            for flags in (self.TEMPLATES, ("--hostuser", "daemon"), ("--passwd=false",)):
                done = self.berth("run", "--rm", "-u", "10000:10001", *flags, "localhost/attack:latest", "sh", "-c",
                                  "test -f /etc/passwd && cat /etc/passwd", timeout=30)
                self.assertNotIn("hostsecret", done.stdout)
            self.assertEqual((secret.stat().st_mtime_ns, secret.read_text()), (before.st_mtime_ns, SECRET + "\n"))

    def test_group_0_does_not_write_the_accounts(self):
        # CVE-2025-57848 and its kin: whoever is in group 0 and can write passwd is root inside.
        for members in (attack.system(), attack.system(passwd=None, group=None)):
            image = self.image(members)
            for flags in ((), self.TEMPLATES, ("--hostuser", "daemon"), ("--passwd=false",)):
                done = self.berth("run", "--rm", "-u", "10000", *flags, image, "sh", "-c",
                                  "echo evil::0:0::/:/bin/sh >> /etc/passwd; echo evil::0:x >> /etc/group; chmod 666 /etc/passwd;"
                                  " cat /etc/passwd /etc/group")
                self.assertNotIn("evil", done.stdout, (flags, done))

    def test_the_primary_group_is_kept_out_where_the_mode_says_so(self):
        # CVE-2022-2989 and its kin, where the process is given no list of groups.
        image = self.image(attack.system(archive.file("secret", "seen\n", mode=0o604, uid=0, gid=29)))
        done = self.kept(image, "-u", "10000:29", command=("cat", "/secret"))
        self.assertIn("Permission denied", done.stderr)
        self.assertNotIn("seen", done.stdout)

    def kept(self, image, *flags, command):
        return subprocess.run(self.command("run", "--rm", "--group-add", "keep-groups", *flags, image, *command), check=False,
                              capture_output=True, text=True, cwd=self.work, env=self.environment, extra_groups=(4100,), timeout=60)

    def test_no_group_of_the_caller_s_gets_in_unasked(self):
        image = self.image(attack.system(group="root:x:0:\nlab:x:4100:root,evil\nkeep-groups:x:7:root\n"))
        shared = self.work / "shared"
        shared.mkdir(mode=0o755)
        self.work.chmod(0o711)
        (shared / "file").write_text("seen\n")
        os.chown(shared / "file", 0, 4100)
        (shared / "file").chmod(0o640)
        mount = ("-v", f"{shared}:/shared")
        for flags in ((), ("-u", "10000"), ("-u", "10000:4100"), ("--group-add", "4100"), ("--group-add", "lab"), ("--group-add", "65534")):
            done = subprocess.run(self.command("run", "--rm", *mount, *flags, image, "cat", "/shared/file"), check=False,
                                  capture_output=True, text=True, cwd=self.work, env=self.environment, extra_groups=(4100,), timeout=60)
            self.assertNotIn("seen", done.stdout, flags)
        # What was asked for lets it read and not give away, and is no group that it could take on.
        done = self.kept(image, *mount, command=("sh", "-c", "cat /shared/file; chown 0:0 /shared/file; chgrp 65534 /tmp; id -G"))
        self.assertEqual(done.stdout.split()[0], "seen", done)
        self.assertEqual(((shared / "file").stat().st_uid, (shared / "file").stat().st_gid), (0, 4100))

    def test_an_image_s_user_can_not_ask(self):
        for user in ("root:keep-groups", "keep-groups", "$UID", "$HOME:0"):
            image = self.image(attack.system(), User=user)
            done = self.berth("run", "--rm", image, "id")
            self.assertEqual(done.status, 125, done)
            self.assertRegex(done.stderr, r"(?m)^berth: .*USER")


case.main()
