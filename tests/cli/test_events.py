"""What `berth events` tells, of the past and as it happens."""

import json
import os
import signal
import subprocess
import time

from support.case import DEMO, BerthCase, main
from support.waiting import until


class Events(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def past(self, *flags):
        """The events so far as (type, status, name)."""
        lines = self.ok("events", "--stream=false", "--format", "json", *flags).splitlines()
        return [(event["Type"], event["Status"], event["Name"]) for event in map(json.loads, lines)]

    def following(self, *flags):
        """A `berth events` that goes on, once it listens, and the file that it writes to."""
        path = self.work / "followed"
        with path.open("wb") as out:
            process = self.start("events", *flags, stdout=out)
        until(lambda: "inotify" in " ".join(self.descriptors(process.pid)), "berth events watches")
        return process, path

    @staticmethod
    def descriptors(pid):
        found = []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except FileNotFoundError:
                pass
        return found


class ThePast(Events):
    def test_a_label_called_as_a_line_begins(self):
        self.ok("run", "--rm", "--label", "time=noon", DEMO, "true")
        self.assertIn("time=noon", self.ok("events", "--since=1h", "--stream=false"))

    def test_a_containers_life(self):
        self.assertEqual(self.berth("run", "--name", "job", "-l", "team=web", "-v", "data:/data", DEMO, "sh", "-c",
                                    "exit 3").status, 3)
        self.ok("rm", "job")
        self.assertEqual(self.past("--filter", "type=container"),
                         [("container", action, "job") for action in ("create", "start", "died", "remove")])
        died = json.loads(self.ok("events", "--no-stream", "--format", "json", "--filter", "event=die"))
        self.assertEqual((died["ContainerExitCode"], died["Attributes"]["team"], died["Image"]), (3, "web", DEMO))
        self.assertRegex(died["Time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.assertEqual(self.past("--filter", "type=volume"), [("volume", "create", "data")])

    def test_one_that_goes_with_its_process(self):
        self.ok("run", "--rm", "--name", "job", "-v", "/data", DEMO, "true")
        self.assertEqual([event[:2] for event in self.past("--filter", "type=container")],
                         [("container", action) for action in ("create", "start", "died", "remove")])
        self.assertEqual([event[1] for event in self.past("--filter", "type=volume")], ["create", "remove"])

    def test_one_whose_monitor_was_killed(self):
        process = self.start("run", "--name", "job", DEMO, "sh", "-c", "echo ready; exec sleep 1000",
                             stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        monitor = json.loads((self.runroot / "containers" / self.shown("job")["Id"] / "state").read_text())
        os.kill(monitor["monitor_pid"], signal.SIGKILL)
        process.wait(20)
        self.ok("ps")
        died = json.loads(self.ok("events", "--no-stream", "--format", "json", "--filter", "event=died"))
        self.assertEqual(died["Attributes"]["reason"], "monitor lost")
        self.assertNotIn("containerExitCode", died["Attributes"])

    def shown(self, name):
        return json.loads(self.ok("inspect", name))[0]

    def test_images_and_volumes(self):
        self.ok("tag", DEMO, "other:1")
        self.ok("untag", DEMO, "other:1")
        self.ok("tag", DEMO, "other:2")
        self.ok("rmi", "other:2")
        self.ok("save", "-o", self.work / "saved.tar", DEMO)
        self.ok("rmi", DEMO)
        self.ok("import", self.empty_tar(), "made:1")
        self.assertEqual([(event[1], event[2]) for event in self.past("--filter", "type=image")],
                         [("loadfromarchive", DEMO), ("tag", "localhost/other:1"), ("untag", "localhost/other:1"),
                          ("tag", "localhost/other:2"), ("untag", "localhost/other:2"), ("save", DEMO),
                          ("remove", DEMO), ("import", "localhost/made:1")])
        self.ok("volume", "create", "data")
        self.ok("volume", "rm", "data")
        self.assertEqual(self.past("--filter", "volume=data"),
                         [("volume", "create", "data"), ("volume", "remove", "data")])

    def empty_tar(self):
        path = self.work / "empty.tar"
        subprocess.run(["tar", "-cf", path, "-T", "/dev/null"], check=True)
        return path

    def test_filters(self):
        self.ok("create", "--name", "one", "-l", "a=1", DEMO, "true")
        self.ok("create", "--name", "two", "-l", "a=2", DEMO, "true")
        self.ok("rm", "one", "two")
        names = lambda *flags: [event[2] for event in self.past(*flags)]
        self.assertEqual(names("--filter", "container=one"), ["one", "one"])
        self.assertEqual(names("--filter", "label=a=2", "--filter", "event=create"), ["two"])
        self.assertEqual(names("--filter", "label=a", "--filter", "event=create"), ["one", "two"])
        self.assertEqual(names("--filter", "event=create", "--filter", "event=remove", "--filter", "image=demo"),
                         ["one", "two", "one", "two"])
        self.assertEqual(names("--filter", "image=nothing"), [])
        self.fails(125, "events", "--filter", "colour=red", saying=["colour=red", "type="])

    def test_times(self):
        self.ok("create", "--name", "one", DEMO, "true")
        time.sleep(0.01)
        between = f"{time.time():.6f}"
        self.ok("create", "--name", "two", DEMO, "true")
        self.assertEqual(self.past("--since", between), [("container", "create", "two")])
        self.assertEqual(self.past("--since", "1h", "--until", between, "--filter", "type=container"),
                         [("container", "create", "one")])
        self.assertEqual(self.past("--since", "-1h"), [])
        self.fails(125, "events", "--since", "yesterday", saying=["--since yesterday", "2026-"])

    def test_formats(self):
        self.ok("create", "--name", "one", "-l", "text=\x1b[2J", DEMO, "true")
        line = self.ok("events", "--no-stream", "--filter", "container=one")
        self.assertRegex(line, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} [+-]\d{4} \w+ container create [0-9a-f]{64} "
                               r"\(image=localhost/demo:latest, name=one, text=\\x1b\[2J\)\n$")
        self.assertEqual(self.ok("events", "--no-stream", "--filter", "container=one", "--format",
                                 "{{.Type}}:{{.Status}}:{{.Attributes.text}}"), "container:create:\\x1b[2J\n")


class Following(Events):
    def test_it_goes_on(self):
        process, path = self.following("--format", "{{.Status}} {{.Name}}")
        self.ok("run", "--rm", "--name", "job", DEMO, "true")
        expected = "".join(f"{action} job\n" for action in ("create", "start", "died", "remove"))
        until(lambda: path.read_text() == expected, path.read_text)
        self.assertIsNone(process.poll())

    def test_it_goes_on_over_a_rotation(self):
        directory = self.root / "events"
        process, path = self.following("--format", "{{.Name}}", "--filter", "type=volume")
        self.ok("volume", "create", "before")
        for name in ("first", "second"):
            os.truncate(directory / "current", 8 << 20)
            self.ok("volume", "create", name)
        until(lambda: path.read_text() == "before\nfirst\nsecond\n", path.read_text)
        self.assertIsNone(process.poll())
        self.assertEqual(sorted(os.listdir(directory)), ["current", "previous"])

    def test_it_ends_with_its_time(self):
        begin = time.monotonic()
        self.ok("events", "--until", "-1s", timeout=30)
        self.assertGreater(time.monotonic() - begin, 0.9)
        self.ok("events", "--until", "10m", timeout=30)


class Trouble(Events):
    def test_a_torn_line_costs_only_itself(self):
        self.ok("volume", "create", "one")
        with (self.root / "events" / "current").open("ab") as log:
            log.write(b'{"time":123,"type":"vol')  # what a full disk leaves
        self.ok("volume", "create", "two")
        with (self.root / "events" / "current").open("ab") as log:
            log.write(b"\0\xff garbage\n[]\n{}\n{\"time\":\"x\"}\n")
        self.ok("volume", "create", "three")
        self.assertEqual([event[2] for event in self.past("--filter", "type=volume")], ["one", "two", "three"])

    def test_where_it_cannot_be_written_nothing_else_fails(self):
        events = self.root / "events"
        for file in events.iterdir():
            file.unlink()
        events.rmdir()
        events.write_text("in the way")
        self.ok("run", "--rm", DEMO, "true")
        self.fails(125, "events", saying=["events"])


if __name__ == "__main__":
    main()
