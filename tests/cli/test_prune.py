"""berth container prune, system prune and system df."""

import json

from support import images
from support.case import DEMO, BerthCase, main


class Prune(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def make(self, name, *flags, script="true"):
        self.ok("run", "--name", name, *flags, DEMO, "sh", "-c", script)

    def names(self):
        return sorted(one["Names"][0] for one in json.loads(self.ok("ps", "-a", "--format", "json")))

    def ids(self, *names):
        known = {one["Names"][0]: one["Id"] for one in json.loads(self.ok("ps", "-a", "--format", "json"))}
        return {known[name] for name in names}

    def start_one(self, *flags):
        self.ok("run", "-d", "--name", "running", *flags, DEMO, "sleep", "1000")
        self.addCleanup(self.ok, "rm", "-f", "-i", "running")


class Containers(Prune):
    def test_those_that_do_not_run(self):
        self.make("ended")
        self.ok("create", "--name", "new", DEMO)
        self.start_one()
        expected = self.ids("ended", "new")
        self.assertEqual(set(self.ok("container", "prune", "-f").split()), expected)
        self.assertEqual(self.names(), ["running"])
        self.assertEqual(self.ok("container", "prune", "-f"), "")

    def test_asks_first(self):
        self.make("ended")
        done = self.berth("container", "prune", input="n\n")
        self.assertEqual((done.status, done.stdout, self.names()), (0, "", ["ended"]))
        self.assertIn("ended", done.stderr)
        self.assertNotEqual(self.berth("container", "prune", input="y\n").stdout, "")
        self.assertEqual(self.names(), [])

    def test_filters(self):
        for name, label in (("one", "a=1"), ("two", "a=2"), ("three", "b")):
            self.make(name, "-l", label)
        for filters in (("label=c",), ("label=a", "label=b"), ("until=1h",), ("label!=a", "label!=b")):
            self.assertEqual(self.ok("container", "prune", "-f", *(f"--filter={one}" for one in filters)), "", filters)
        self.ok("container", "prune", "-f", "--filter", "label=a=2")
        self.assertEqual(self.names(), ["one", "three"])
        self.ok("container", "prune", "-f", "--filter", "label!=a", "--filter", "until=2100-01-01")
        self.assertEqual(self.names(), ["one"])
        for wrong in ("", "what=1", "label=", "until=never", "label"):
            self.fails(125, "container", "prune", "-f", "--filter", wrong, saying="--filter")


    def test_commands_by_their_long_names(self):
        self.make("ended", script="echo said > /file")
        self.assertEqual(self.ok("container", "ls", "-aq"), self.ok("ps", "-aq"))
        self.assertEqual(self.ok("container", "list", "-q"), "")
        self.ok("container", "cp", "ended:/file", self.work / "file")
        self.assertEqual((self.work / "file").read_text(), "said\n")
        self.assertEqual(self.ok("container", "diff", "ended"), "A /file\n")
        self.assertEqual(self.ok("container", "rm", "ended"), "ended\n")
        shown = self.ok("container", "--help")
        for name in ("run", "cp", "prune", "rm"):
            self.assertRegex(shown, rf"(?m)^  {name} +\w")
        self.assertNotIn("pull", shown)
        self.fails(125, "container", "pull", saying='no command "container pull"')


class System(Prune):
    def test_prune(self):
        self.make("ended", "-v", "used:/v", script="echo x > /v/file")
        self.ok("volume", "create", "unused")
        image = images.load(self, "other", images.busybox_entries())
        self.ok("run", "--rm", image, "true")
        self.ok("commit", "ended")
        self.assertEqual(len(self.ok("images", "-q").split()), 3)
        ended, = self.ids("ended")
        done = self.ok("system", "prune", "-f")
        self.assertIn(ended, done)
        self.assertRegex(done, r"Total reclaimed space: [1-9][0-9.]* [kM]?B\n$")
        self.assertEqual(len(self.ok("images", "-q").split()), 2, "the one without a name went")
        self.assertEqual(self.ok("volume", "ls", "-q").split(), ["unused", "used"])
        self.start_one()
        self.ok("network", "create", "unused")
        done = self.ok("system", "prune", "-a", "-f", "--volumes")
        self.assertIn("Deleted networks:\nunused\n", done)
        self.assertEqual(self.ok("volume", "ls", "-q"), "")
        self.assertEqual(len(self.ok("images", "-q").split()), 1, "what a container is made from stays")
        self.assertEqual(self.names(), ["running"])

    def test_prune_asks_first_and_filters(self):
        self.make("ended", "-l", "keep")
        done = self.berth("system", "prune", "--volumes", input="no\n")
        self.assertEqual(done.stdout, "")
        for text in ("containers", "networks", "volumes", "images", "copies"):
            self.assertIn(text, done.stderr)
        self.ok("system", "prune", "-a", "-f", "--filter", "label!=keep")
        self.assertEqual(self.names(), ["ended"])
        self.ok("system", "prune", "-f", "--filter", "until=1h")
        self.assertEqual(self.names(), ["ended"])
        self.fails(125, "system", "prune", "-f", "--filter", "x=y", saying="--filter x=y")

    def rows(self):
        return {row["Type"]: row for row in json.loads(self.ok("system", "df", "--format", "json"))}

    def test_df(self):
        before = self.rows()
        self.assertEqual({name: row["Total"] for name, row in before.items()},
                         {"Images": 1, "Containers": 0, "Local Volumes": 0, "Image Copies": 0})
        self.assertEqual(before["Images"]["RawSize"], before["Images"]["RawReclaimable"])
        self.make("ended", "-v", "data:/v",
                  script="head -c 3000000 /dev/urandom > /file; head -c 5000000 /dev/urandom > /v/file; "
                         "ln /v/file /v/twin; busybox truncate -s 900G /v/hole")
        self.ok("volume", "create", "unused")
        self.start_one()
        rows = self.rows()
        for name, total, active in (("Images", 1, 1), ("Containers", 2, 1), ("Local Volumes", 2, 1)):
            self.assertEqual((rows[name]["Total"], rows[name]["Active"]), (total, active), name)
        self.assertEqual(rows["Images"]["RawReclaimable"], 0)
        self.assertLess(abs(rows["Containers"]["RawSize"] - 3_000_000), 200_000)
        self.assertLess(abs(rows["Containers"]["RawReclaimable"] - 3_000_000), 200_000)
        self.assertLess(abs(rows["Local Volumes"]["RawSize"] - 5_000_000), 200_000)
        self.assertLess(rows["Local Volumes"]["RawReclaimable"], 20_000)
        table = self.ok("system", "df").splitlines()
        self.assertRegex(table[0], "^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE$")
        self.assertRegex(table[2], r"^Containers +2 +1 +3\.\d+ MB +3\.\d+ MB \(9\d%\)$")
        self.assertEqual(self.ok("system", "df", "--format", "{{.Type}}:{{.Total}}").splitlines()[:2],
                         ["Images:1", "Containers:2"])
        details = self.ok("system", "df", "-v")
        for text in ("ended", "running", "data", "unused", "UNIQUE SIZE", "LINKS"):
            self.assertIn(text, details)
        self.fails(125, "system", "df", "-v", "--format", "json")

    def test_df_of_shared_layers_and_copies(self):
        self.make("ended", "--translate", script="head -c 1000000 /dev/urandom > /file")
        before = self.rows()
        self.assertEqual((before["Image Copies"]["Total"], before["Image Copies"]["Active"]), (1, 1))
        self.ok("commit", "ended", "made")
        rows = self.rows()
        self.assertLess(rows["Images"]["RawSize"] - before["Images"]["RawSize"], 2_500_000, "shared layers count once")
        self.ok("rm", "ended")
        self.ok("container", "prune", "-f")
        self.assertEqual(self.rows()["Image Copies"]["Total"], 0)


if __name__ == "__main__":
    main()
