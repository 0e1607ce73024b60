"""How volumes are called and chosen on the command line, and what one on /etc leaves of the container's own files."""

import contextlib
import datetime
import json
import os
import sqlite3

from support.case import DEMO, BerthCase, main

NAME = "hostname; cat /etc/hostname; grep -c berth /etc/hosts; test -f /etc/resolv.conf && echo there"


class Volumes(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def names(self, *flags):
        return self.ok("volume", "ls", "-q", *flags).split()


class Beginnings(Volumes):
    def test_a_beginning_that_only_one_has(self):
        for name in ("data", "data-old", "logs"):
            self.ok("volume", "create", name)
        self.assertEqual([one["Name"] for one in json.loads(self.ok("volume", "inspect", "l", "data"))], ["logs", "data"])
        self.assertEqual(self.ok("volume", "rm", "lo"), "logs\n")
        self.fails(125, "volume", "rm", "da", saying=['several volumes begin with "da"', "hint: data, data-old\n"])
        self.assertEqual(self.ok("volume", "rm", "data"), "data\n", "the name itself comes before a beginning")
        self.assertEqual(self.names(), ["data-old"])
        self.fails(1, "volume", "rm", "", "ata", "data_old", saying=['no volume ""', 'no volume "ata"', "data-old"])
        self.assertEqual(self.ok("volume", "rm", "--force", "nope"), "nope\n", "as podman has it")
        self.assertEqual(self.names(), ["data-old"])

    def test_force_takes_the_containers_of_that_one_only(self):
        self.ok("create", "--name", "one", "-v", "data:/d", DEMO, "true")
        self.ok("create", "--name", "other", "-v", "logs:/l", DEMO, "true")
        self.assertEqual(self.ok("volume", "rm", "--force", "dat"), "data\n")
        self.assertEqual([one["Names"] for one in json.loads(self.ok("ps", "-a", "--format", "json"))], [["other"]])

    def test_a_container_takes_whole_names_only(self):
        self.ok("volume", "create", "data")
        self.ok("run", "--rm", "-v", "dat:/d", DEMO, "true")
        self.assertEqual(self.names(), ["dat", "data"])


class Prune(Volumes):
    def test_prune(self):
        self.ok("volume", "create", "--label", "keep", "one")
        self.ok("volume", "create", "two")
        self.ok("create", "--name", "user", "-v", "used:/u", DEMO, "true")
        done = self.berth("volume", "prune", input="n\n")
        self.assertEqual((done.status, done.stdout), (0, ""))
        self.assertIn("one", done.stderr)
        self.assertNotIn("used", done.stderr)
        self.assertEqual(self.ok("volume", "prune", "--filter", "label!=keep", input="y\n"), "two\n")
        self.assertEqual(self.ok("volume", "prune", "-f"), "one\n")
        self.assertEqual(self.names(), ["used"])


class Until(Volumes):
    def test_what_was_made_before(self):
        self.ok("volume", "create", "old")
        self.ok("volume", "create", "new")
        with contextlib.closing(sqlite3.connect(self.root / "berth.db", isolation_level=None)) as db:
            db.execute("UPDATE volumes SET created_at = created_at - 7200 WHERE name = 'old'")
        hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        for text in ("1h", "90m", str(int(hour_ago.timestamp())), hour_ago.strftime("%Y-%m-%dT%H:%M:%SZ"),
                     hour_ago.astimezone().strftime("%Y-%m-%dT%H:%M:%S")):
            self.assertEqual(self.names("--filter", f"until={text}"), ["old"], text)
        self.assertEqual(self.names("--filter", "until=2020-01-31"), [])
        for wrong in ("until=", "until=soon", "until=5x"):
            self.fails(125, "volume", "ls", "--filter", wrong, saying=[f"--filter {wrong}", "10m"])
        self.assertEqual(self.ok("volume", "prune", "--force", "--filter", "until=1h"), "old\n")
        self.assertEqual(self.names(), ["new"])


class OnEtc(Volumes):
    """hosts, hostname and resolv.conf are mounted over what a volume has, as podman does."""

    def said(self, *flags, script=NAME):
        return self.ok("run", "--rm", "--hostname", "berth", *flags, DEMO, "sh", "-c", script).split()

    def test_a_volume(self):
        for _ in range(2):
            self.assertEqual(self.said("-v", "etc:/etc"), ["berth", "berth", "1", "there"])
        self.assertEqual(self.said("-v", "etc:/etc:ro"), ["berth", "berth", "1", "there"])
        self.assertEqual(self.said("--tmpfs", "/etc"), ["berth", "berth", "1", "there"])
        data = self.root / "volumes" / "etc" / "_data"
        self.assertIn("root", (data / "passwd").read_text(), "it has taken over what the image has")
        self.assertEqual((data / "hosts").read_text(), "", "a place, and not what was mounted there")
        self.assertEqual((data / "hosts").stat().st_uid, 0)

    def test_a_host_directory_with_these_files(self):
        etc = self.work / "etc"
        etc.mkdir(mode=0o755)
        for name in ("hosts", "hostname", "resolv.conf"):
            (etc / name).write_text("the host's\n")
        for option in ("", ":ro", ":idmap"):
            self.assertEqual(self.said("-v", f"{etc}:/etc{option}"), ["berth", "berth", "1", "there"], option)
        self.assertEqual({path.read_text() for path in etc.iterdir()}, {"the host's\n"})

    def test_in_a_host_directory_without_them_nothing_is_made(self):
        etc = self.work / "etc"
        etc.mkdir(mode=0o755)
        (etc / "hostname").mkdir()
        for option in ("", ":ro", ":idmap"):
            self.assertEqual(self.said("-v", f"{etc}:/etc{option}", script="ls /etc"), ["hostname"], option)
        self.assertEqual(os.listdir(etc), ["hostname"])

    def test_one_s_own_file_comes_first(self):
        mine = self.work / "mine"
        mine.write_text("mine\n")
        self.assertEqual(self.said("-v", "etc:/etc", "-v", f"{mine}:/etc/hosts", script="cat /etc/hosts"), ["mine"])

    def test_tmpfs_of_a_read_only_container(self):
        said = self.said("--read-only", "-v", "var:/var", script="touch /var/tmp/x /var/y && ls -A /var /var/tmp")
        self.assertEqual(said, ["/var:", "tmp", "www", "y", "/var/tmp:", "x"])
        self.assertEqual(os.listdir(self.root / "volumes" / "var" / "_data" / "tmp"), [])


if __name__ == "__main__":
    main()
