"""What `berth ps` lists, and what it says of each."""

import json
import time

from support.case import DEMO, BerthCase, main


class Ps(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "-f", "first", "second", "third")

    def running(self, name, *flags):
        return self.ok("run", "-d", "--name", name, *flags, DEMO, "sleep", "1000").strip()

    def ended(self, name, status=0, *flags):
        self.assertEqual(self.berth("run", "--name", name, *flags, DEMO, "sh", "-c", f"exit {status}").status, status)

    def names(self, *flags):
        return self.ok("ps", "--format", "{{.Names}}", *flags).split()

    def rows(self, *flags):
        return json.loads(self.ok("ps", "--format", "json", *flags))


class Shape(Ps):
    def test_the_table(self):
        identity = self.running("first")
        self.ended("second", 3)
        self.assertEqual(self.ok("ps").splitlines()[0].split(),
                         "CONTAINER ID IMAGE COMMAND CREATED STATUS PORTS BANK NAMES".split())
        self.assertRegex(self.ok("ps").splitlines()[1],
                         rf"^{identity[:12]}  {DEMO} +sleep 1000 +.* ago +Up .*  +\d+ +first$")
        self.assertEqual(len(self.ok("ps").splitlines()), 2)
        table = self.ok("ps", "-a", "--noheading").splitlines()
        self.assertEqual(len(table), 2)
        self.assertRegex(table[0], r"Exited \(3\) .* ago +\d* *\d+ +second$")
        self.assertIn(identity, self.ok("ps", "--no-trunc"))

    def test_ids_alone(self):
        identity = self.running("first")
        self.ended("second")
        self.assertEqual(self.ok("ps", "-q"), identity[:12] + "\n")
        self.assertEqual(self.ok("ps", "-q", "--no-trunc"), identity + "\n")
        self.assertEqual(len(self.ok("ps", "-aq").split()), 2)

    def test_json_in_podmans_shape(self):
        identity = self.running("first", "-l", "team=web", "-v", "data:/data")
        row, = self.rows()
        self.assertEqual((row["Id"], row["Names"], row["Command"], row["State"], row["Image"], row["Labels"]),
                         (identity, ["first"], ["sleep", "1000"], "running", DEMO, {"team": "web"}))
        self.assertEqual((row["Mounts"], row["Exited"], row["ExitCode"]), (["/data"], False, 0))
        self.assertGreater(row["Pid"], 1)
        self.assertAlmostEqual(row["Created"], time.time(), delta=120)
        self.assertAlmostEqual(row["StartedAt"], time.time(), delta=120)

    def test_templates(self):
        self.running("first", "-l", "team=web", "-l", "tier=a")
        self.assertEqual(self.ok("ps", "--format", "{{.Names}} {{.State}} {{.Labels}}"), "first running team=web,tier=a\n")
        self.assertEqual([line.split() for line in self.ok("ps", "--format", "table {{.Names}}\\t{{.Image}}").splitlines()],
                         [["NAMES", "IMAGE"], ["first", DEMO]])
        self.assertEqual(self.ok("ps", "--noheading", "--format", "table {{.Names}}"), "first\n")
        self.fails(125, "ps", "--format", "{{.Nothing}}", saying=".Nothing")

    def test_sizes(self):
        self.running("first")
        self.ended("second", 0)
        self.ok("run", "--name", "third", DEMO, "dd", "if=/dev/zero", "of=/file", "bs=1M", "count=3")
        sizes = {row["Names"][0]: row["Size"]["rwSize"] for row in self.rows("-a", "-s")}
        self.assertGreaterEqual(sizes["third"], 3 << 20)
        self.assertLess(sizes["second"], 1 << 20)
        self.assertIn("SIZE", self.ok("ps", "-s").splitlines()[0])
        self.assertEqual(self.names("-a", "--sort", "size")[-1], "third")

    def test_namespaces(self):
        self.running("first")
        self.assertIn("USERNS", self.ok("ps", "--ns").splitlines()[0])
        row, = self.rows("--ns")
        self.assertEqual(sorted(row["Namespaces"]), ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"])

    def test_the_last_ones(self):
        self.ended("first")
        self.ended("second")
        self.running("third")
        self.assertEqual(self.names("-n", "2"), ["third", "second"])
        self.assertEqual(self.names("-l"), ["third"])
        self.assertEqual(self.names("-a", "--sort", "names"), ["first", "second", "third"])
        self.fails(125, "ps", "--sort", "colour", saying="colour")


class Filters(Ps):
    def setUp(self):
        super().setUp()
        self.first = self.running("first", "-l", "team=web", "-l", "tier", "-v", "data:/data")
        time.sleep(0.01)
        self.ended("second", 3, "-l", "team=db")
        self.ok("create", "--name", "third", DEMO, "true")

    def test_by_name_and_id(self):
        self.assertEqual(self.names("-a", "-f", "name=ir"), ["third", "first"])
        self.assertEqual(self.names("-a", "-f", "name=^first$"), ["first"])
        self.assertEqual(self.names("-a", "-f", "name=first", "-f", "name=second"), ["second", "first"])
        self.assertEqual(self.names("-a", "-f", f"id={self.first[:8]}"), ["first"])

    def test_by_label(self):
        self.assertEqual(self.names("-a", "-f", "label=team"), ["second", "first"])
        self.assertEqual(self.names("-a", "-f", "label=team=web"), ["first"])
        self.assertEqual(self.names("-a", "-f", "label=team", "-f", "label=tier"), ["first"])
        self.assertEqual(self.names("-a", "-f", "label!=team"), ["third"])

    def test_by_state(self):
        self.assertEqual(self.names("-f", "status=exited"), ["second"], "without --all")
        self.assertEqual(self.names("-f", "status=created"), ["third"])
        self.assertEqual(self.names("-f", "status=running"), ["first"])
        self.assertEqual(self.names("-f", "status=exited", "-f", "status=created"), ["third", "second"])
        self.assertEqual(self.names("-a", "-f", "exited=3"), ["second"])
        self.assertEqual(self.names("-a", "-f", "exited=0"), [])
        self.assertEqual(self.names("-f", "health=none"), ["first"])

    def test_by_what_it_is_made_of(self):
        for image in ("demo", DEMO, "demo:latest", self.rows()[0]["ImageID"][7:19]):
            self.assertEqual(self.names("-f", f"ancestor={image}"), ["first"], image)
        self.assertEqual(self.names("-f", "ancestor=other"), [])
        self.assertEqual(self.names("-a", "-f", "volume=data"), ["first"])
        self.assertEqual(self.names("-a", "-f", "volume=/data"), ["first"])
        self.assertEqual(self.names("-a", "-f", "project=none"), [])

    def test_by_time(self):
        self.assertEqual(self.names("-a", "-f", "since=first"), ["third", "second"])
        self.assertEqual(self.names("-a", "-f", "before=second"), ["first"])
        self.assertEqual(self.names("-a", "-f", "until=1h"), [])
        self.assertEqual(self.names("-a", "-f", "until=0s"), ["third", "second", "first"])

    def test_what_is_none(self):
        for text in ("colour=red", "name", "name=", "status=lively", "exited=x", "health=fine", "until=then", "name=["):
            self.fails(125, "ps", "-f", text, saying=text.split("=")[0])
        self.fails(125, "ps", "-f", "since=absent", saying="absent")


if __name__ == "__main__":
    main()
