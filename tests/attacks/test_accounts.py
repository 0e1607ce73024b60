"""passwd and group of a hostile image, and strings that try to become a line of theirs."""

import pathlib
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


case.main()
