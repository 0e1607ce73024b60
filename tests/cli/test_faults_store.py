"""What the store lies on gives out: no room, no inodes, a database that is cut off, while containers start, stop and end."""

import json
import os
import subprocess

from support import leftovers
from support.case import DEMO, main
from support.truth import Acknowledged, TrueAfterwards
from support.waiting import until

GATED = "until [ -e /go/now ]; do sleep 0.05; done; exit 9"
LOST = "`berth system repair --rebuild` makes a new one"


class Containers(TrueAfterwards):
    """Some that run, one of them until gate() and then with status 9, and one that has ended with 3."""

    def setUp(self):
        super().setUp()
        self.acknowledged = Acknowledged()

    def some(self):
        self.gate = self.work / "gate"
        self.gate.mkdir()
        self.ids = {"sleeping": self.sleeping(name="sleeping"), "idle": self.sleeping(name="idle"),
                    "gated": self.detached("-v", f"{self.gate}:/go", DEMO, "sh", "-c", GATED, name="gated"),
                    "again": self.detached("--restart", "always", DEMO, "sleep", "1000", name="again"),
                    "ended": self.detached(DEMO, "sh", "-c", "exit 3", name="ended")}
        self.assertEqual(self.ok("wait", "ended"), "3\n")
        for container in self.ids.values():
            self.acknowledged.make(container)
        self.acknowledged.end(self.ids["ended"], 3)

    def end_the_gated(self):
        """Gives the status that its monitor has written down."""
        (self.gate / "now").touch()
        record = self.root / "containers" / self.ids["gated"] / "exit"
        until(lambda: "status" in record.read_text(), "its monitor records the end")
        return json.loads(record.read_text())["status"]

    def assert_all_is_well(self):
        self.assert_true(self.acknowledged)
        self.assert_all_start_and_go()
        self.assert_no_traces()


class NoRoom(Containers):
    """A small file system in the place of the store, or of the run root, which is filled while they run."""

    def file_system(self, path, options):
        path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "none", path], check=True)
        self._before = leftovers.Snapshot.take()
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=True)
        self.addCleanup(self.end_all)
        return path

    def small_store(self, options):
        self.root = self.file_system(self.work / "disk", options) / "root"
        self.load_demo()
        return self.root.parent

    def small_run_root(self, options):
        return self.file_system(self.runroot, options)

    @staticmethod
    def take_all_inodes(place):
        ballast = place / "ballast"
        ballast.mkdir()
        number = 0
        try:
            while True:
                (ballast / str(number)).touch()
                number += 1
        except OSError:
            return

    @staticmethod
    def take_all_room(place):
        ballast = place / "ballast"
        ballast.mkdir()
        with open(ballast / "file", "wb", buffering=0) as file:
            for size in (1 << 16, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue

    @staticmethod
    def give_back(place):
        subprocess.run(["rm", "-r", place / "ballast"], check=True)

    def assert_starts_or_says_why(self, *words):
        """A container that has been made and can't be started stays, as anywhere; nothing else does."""
        before = self.ids_in_database()
        done = self.berth(*words)
        if done.status != 0:
            self.assertEqual(done.status, 125, done)
            self.assertRegex(done.stderr, "ENOSPC|disk is full")
        self.ok("rm", "-f", "one")
        self.assertEqual(self.ids_in_database(), before)
        return done.status == 0

    def try_starts(self):
        return [self.assert_starts_or_says_why(*words) for words in
                (("run", "-d", "--name", "one", DEMO, "sleep", "1000"), ("run", "--rm", DEMO, "true"), ("start", "ended"))]

    def ids_in_database(self):
        return self.rows_of("SELECT id FROM containers ORDER BY id")

    def try_without_inodes(self, place):
        self.some()
        self.take_all_inodes(place)
        self.assertEqual(self.try_starts(), [False] * 3)
        self.assertEqual(self.end_the_gated(), 9)
        self.acknowledged.end(self.ids["gated"], 9)
        self.ok("exec", "sleeping", "true")
        self.ok("stop", "sleeping")
        self.acknowledged.end(self.ids["sleeping"], 143)
        self.assertEqual(self.untrue(self.acknowledged), [])
        os.kill(self.state("again")["MonitorPid"], 9)
        self.ok("rm", "-f", "idle")
        self.acknowledged.leave(self.ids["idle"])
        self.acknowledged.left(self.ids["idle"])
        self.give_back(place)
        self.assert_all_is_well()

    def test_no_inodes_for_the_store(self):
        self.try_without_inodes(self.small_store("nr_inodes=1000"))

    def test_no_inodes_for_the_run_root(self):
        self.try_without_inodes(self.small_run_root("nr_inodes=300"))

    def try_without_room(self, place):
        self.some()
        self.take_all_room(place)
        self.acknowledged.begin_again(self.ids["ended"])
        self.try_starts()
        self.assertEqual(self.end_the_gated(), 9)
        self.acknowledged.end(self.ids["gated"], 9)
        self.ok("stop", "sleeping")
        self.acknowledged.end(self.ids["sleeping"], 143)
        self.ok("rm", "-f", "idle")
        self.acknowledged.leave(self.ids["idle"])
        self.acknowledged.left(self.ids["idle"])
        self.assertEqual(self.untrue(self.acknowledged), [], "on the full disk")
        self.give_back(place)
        self.assert_all_is_well()

    def test_no_room_for_the_store(self):
        self.try_without_room(self.small_store("size=24m"))

    def test_no_room_for_the_run_root(self):
        self.try_without_room(self.small_run_root("size=4m"))


class DatabaseLost(Containers):
    DAMAGES = {"cut off": lambda path: os.truncate(path, 5000), "empty": lambda path: os.truncate(path, 0),
               "overwritten": lambda path: path.write_bytes(os.urandom(path.stat().st_size))}

    def damage(self, how):
        self.DAMAGES[how](self.root / "berth.db")
        # What is in the log is in the file as well, or is gone.
        os.truncate(self.root / "berth.db-wal", 0)

    def try_damage(self, how):
        self.some()
        goes = self.detached("--rm", DEMO, "sleep", "1000", name="goes")
        self.damage(how)
        for words in (("ps", "-a"), ("run", "--rm", DEMO, "true"), ("stop", "sleeping"), ("rm", "-f", "again")):
            self.fails(125, *words, saying=LOST)
        self.assertEqual(self.end_the_gated(), 9)
        self.acknowledged.end(self.ids["gated"], 9)
        self.ok("system", "repair", "--rebuild")
        self.load_demo()
        self.assertTrue(any(goes == row["Id"] and row["State"] == "running" for row in self.rows().values()))
        self.ok("rm", "-f", goes)
        self.assert_all_is_well()

    def test_cut_off(self):
        self.try_damage("cut off")

    def test_empty(self):
        self.try_damage("empty")

    def test_overwritten(self):
        self.try_damage("overwritten")


if __name__ == "__main__":
    main()
