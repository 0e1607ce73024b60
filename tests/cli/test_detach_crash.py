"""Containers that nobody is attached to, and processes of theirs that are killed: what the next command finds."""

import json
import os
import shutil
import signal
import subprocess
import time

from support import leftovers
from support.case import DEMO, main
from support.detached import Detached
from support.waiting import until

# Of `berth run -d`, then of its monitor, then of the command that the monitor executes at last.
STARTING = ["container-directory-made", "before-create-commit", "container-recorded", "monitor-spawned", "planned",
            "start-sent", "started"]
RUNNING = ["task-received", "process-created", "assembled", "inside-ready", "container-started", "state-recorded",
           "container-ended", "exit-recorded"]
FINISHING = ["exit-stored"]
REMOVING = ["files-removed-but-lock", "lock-removed", "files-removed"]


class Killed(Detached):
    def killed_at(self, point, *words):
        done = self.berth(*words, env={"BERTH_FAULT": point})
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        return done

    def states(self):
        return {row["Names"][0]: row["State"] for row in json.loads(self.ok("ps", "-a", "--format", "json"))}

    def assert_clean(self):
        self.ok("system", "repair")
        self.assert_nothing_left()
        for base in (self.root / "containers", self.runroot / "containers", self.root / "volumes"):
            self.assertEqual([path.name for path in base.iterdir() if path.name != "creating.lock"], [])


class AtEveryPoint(Killed):
    def test_one_with_rm_is_gone_with_the_next_command(self):
        for point in STARTING + RUNNING + REMOVING:
            with self.subTest(point=point):
                self.killed_at(point, "run", "-d", "--rm", "--name", "job", "-v", "/data", DEMO, "true")
                self.assertEqual(self.states(), {})
                self.assert_clean()

    def test_one_without_is_there_and_true_and_starts_again(self):
        exact = {"exit-recorded": 3, "exit-stored": 3, "started": 3}
        for point in STARTING + RUNNING + FINISHING:
            with self.subTest(point=point):
                self.killed_at(point, "run", "-d", "--name", "job", DEMO, "sh", "-c", "exit 3")
                if not self.states():
                    self.assertIn(point, STARTING)
                    self.assert_clean()
                    continue
                state = self.state()
                self.assertFalse(state["Running"])
                if point in exact:
                    self.assertEqual((state["Status"], state["ExitCode"]), ("exited", exact[point]))
                self.ok("start", "job")
                self.until_ended()
                self.assertEqual(self.in_database()[:2], ("exited", 3))
                self.ok("rm", "job")
                self.assert_clean()

    def test_a_policy_goes_on_whoever_was_killed(self):
        for point in ("state-recorded", "container-ended", "exit-recorded", "exit-stored", "restart-waiting", "started"):
            with self.subTest(point=point):
                self.killed_at(point, "run", "-d", "--name", "job", "--restart", "on-failure:2", DEMO, "sh", "-c",
                               "echo ran; exit 3")
                until(lambda: self.ok("ps", "-a") and self.in_database()[0] == "exited", "it has been given up")
                self.assertGreaterEqual(self.ok("logs", "job").count("ran\n"), 2)
                self.assertEqual(self.in_database()[1], 3)
                self.ok("rm", "-f", "job")
                self.assert_clean()

    def test_a_policy_goes_on_where_the_start_that_it_asks_for_is_killed(self):
        for point in ("planned", "restart-recorded", "monitor-spawned", "start-sent"):
            with self.subTest(point=point):
                container = self.detached("--restart", "always", DEMO, "sh", "-c", "echo ran; exit 3")
                waiter = self.runroot / "containers" / container / "restarting"
                until(lambda: self.in_database()[0] == "restarting" and waiter.exists(), "it waits")
                os.kill(int(waiter.read_text().split()[0]), signal.SIGKILL)
                self.ok("ps", "-a", env={"BERTH_FAULT": point})
                leftovers.wait_until_gone(self._before, but_cgroups=True)
                runs = self.ok("logs", "job").count("ran\n")
                until(lambda: self.ok("ps", "-a") and self.ok("logs", "job").count("ran\n") > runs, "it runs again")
                self.ok("rm", "-f", "job")
                self.assert_clean()


class MonitorKilled(Killed):
    def test_one_crash_touches_one_container(self):
        for name in ("a", "b", "c"):
            self.sleeping(name=name)
        before = {name: self.state(name) for name in ("a", "b", "c")}
        os.kill(before["b"]["MonitorPid"], signal.SIGKILL)
        until(lambda: self.state("b")["Status"] == "exited", "the next command sees it")
        self.assertEqual((self.state("b")["ExitCode"], self.state("b")["Error"]), (None, "monitor lost"))
        self.assertFalse(os.path.exists(f"/proc/{before['b']['Pid']}"))
        for name in ("a", "c"):
            self.assertEqual(self.state(name), before[name])

    def test_one_with_rm(self):
        self.sleeping("--rm")
        os.kill(self.state()["MonitorPid"], signal.SIGKILL)
        until(lambda: self.states() == {}, "the next command removes it")
        self.assert_clean()


class FullDisk(Killed):
    def setUp(self):
        super().setUp()
        self.disk = self.work / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", self.disk], check=True)
        self._before = leftovers.Snapshot.take()
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.addCleanup(self.berth, "rm", "-fa")
        self.root = self.disk / "root"
        self.load_demo()

    def fill(self):
        with open(self.disk / "ballast", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
            try:
                while True:
                    file.write(b"x")
            except OSError:
                pass

    def test_the_exit_status_is_durable(self):
        gate = self.work / "gate"
        gate.mkdir()
        container = self.detached("-v", f"{gate}:/go", DEMO, "sh", "-c",
                                  "until [ -e /go/now ]; do sleep 0.05; done; exit 9")
        self.fill()
        (gate / "now").touch()
        record = self.root / "containers" / container / "exit"
        until(lambda: "status" in record.read_text(), "its monitor records the end")
        self.assertEqual(json.loads(record.read_text())["status"], 9)
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        (self.disk / "ballast").unlink()
        state = self.state()
        self.assertEqual((state["Status"], state["ExitCode"], state["Error"]), ("exited", 9, ""))


    def ending(self, name="job", *flags):
        """One that ends with status 9 when it is told to, and its ID."""
        gate = self.work / f"gate-{name}"
        gate.mkdir()
        self.addCleanup(shutil.rmtree, gate)
        script = "echo said; until [ -e /go/now ]; do sleep 0.05; done; exit 9"
        return gate / "now", self.detached(*flags, "-v", f"{gate}:/go", DEMO, "sh", "-c", script, name=name)

    def fill_all(self):
        """Without the room that is kept for the database: truncate(2) to the same size gives it back."""
        log = self.root / "berth.db-wal"
        os.truncate(log, log.stat().st_size)
        self.fill()

    def note(self, container):
        """What the process that could not put the end on record has left."""
        path = self.runroot / "containers" / container / "unfinished"
        return path.read_text() if path.exists() else ""

    def test_what_can_be_read_can_be_read_without_room(self):
        tell, container = self.ending()
        monitor = f"/proc/{self.state()['MonitorPid']}"
        self.sleeping(name="other")
        self.fill_all()
        self.assertEqual(self.berth("ps").stderr, "", "there is nothing to record")
        tell.touch()
        until(lambda: not os.path.exists(monitor), "what records its end has ended")
        self.assertIn("disk is full", self.note(container))
        self.assertEqual(self.in_database()[0], "running")
        shown = self.berth("ps", "--all", "--format", "{{.Names}} {{.State}} {{.ExitCode}}")
        self.assertEqual((shown.status, shown.stdout), (0, "other running 0\njob exited 9\n"))
        self.assertIn("warning: container job: its end is not on record: ", shown.stderr)
        state = self.state()
        self.assertEqual((state["Status"], state["Running"], state["ExitCode"]), ("exited", False, 9))
        self.assertIn("its end is not on record: ", state["Error"])
        self.assertEqual(self.ok("logs", "job"), "said\n")
        for words in (("stats", "--no-stream"), ("top", "other"), ("images",), ("volume", "ls"), ("network", "ls"),
                      ("system", "df"), ("events", "--since=1h", "--stream=false"), ("exec", "other", "true"), ("port", "other")):
            self.assertEqual(self.berth(*words).status, 0, words)
        stopped = self.berth("stop", "--time", "0", "other")
        self.assertEqual((stopped.status, stopped.stdout), (0, "other\n"), stopped)
        self.assertIn("container other has ended, which is not on record", stopped.stderr)
        self.assertEqual(self.ok("ps", "--format", "{{.Names}}"), "")
        # There is room, and then all is as it should be.
        (self.disk / "ballast").unlink()
        self.assertEqual(self.berth("ps", "-a").stderr, "")
        state = self.state()
        self.assertEqual((state["Status"], state["ExitCode"], state["Error"]), ("exited", 9, ""))
        self.assertEqual(self.in_database()[:2], ("exited", 9))
        self.assertRegex(self.ok("events", "--since=1h", "--stream=false"), r"container died \S+ .*containerExitCode=9")

    def test_removing_makes_room(self):
        tell, container = self.ending()
        self.detached(DEMO, "sh", "-c", "dd if=/dev/zero of=/large bs=64k count=16 && exec sleep 1000", name="large")
        until(lambda: (self.root / "containers" / self.look("large")["Id"] / "upper/large").stat().st_size == 1 << 20,
              "it writes")
        self.fill_all()
        tell.touch()
        until(lambda: self.note(container), "its end finds no room")
        self.ok("rm", "--force", "large")
        self.assertEqual(self.in_database()[:2] if self.berth("ps").status == 0 else None, ("exited", 9))
        self.assertEqual(self.ok("ps", "-a", "--format", "{{.Names}}"), "job\n")

    def test_a_database_that_can_not_be_read_when_a_container_ends(self):
        tell, container = self.ending("job", "--restart", "on-failure:1")
        names = [path.name for path in self.root.glob("berth.db*")]
        for name in names:
            (self.root / name).rename(self.disk / name)
        (self.root / "berth.db").write_bytes(b"nothing" * 1000)
        tell.touch()
        until(lambda: "damaged" in self.note(container), "the process says why")
        for name in names:
            (self.disk / name).replace(self.root / name)
        self.ok("ps")
        self.until_ended()
        self.assertEqual((self.look()["RestartCount"], self.state()["ExitCode"], self.state()["Error"]), (1, 9, ""))


class Reboot(Killed):
    """As if the power were cut: everything is killed, and what lies below the run root is gone."""

    def reboot(self):
        names = [row["Id"] for row in json.loads(self.ok("ps", "--format", "json"))]
        # No command in between: it would follow the policies of those that are lost.
        for pid in [self.state(name)["MonitorPid"] for name in names]:
            if pid:
                os.kill(pid, signal.SIGKILL)
        for path in (self.runroot / "containers").glob("*/restarting"):
            os.kill(int(path.read_text().split()[0]), signal.SIGKILL)
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        shutil.rmtree(self.runroot)

    def looping(self, name, *flags):
        self.detached(*flags, DEMO, "sh", "-c", "echo ran; exec sleep 1000", name=name)

    def running(self):
        return {row["Names"][0] for row in json.loads(self.ok("ps", "--format", "json"))}

    def test_what_comes_up_again(self):
        for name, policy in (("no", "no"), ("failing", "on-failure"), ("always", "always"), ("kept", "unless-stopped"),
                             ("stopped", "unless-stopped"), ("stopped-always", "always")):
            self.looping(name, "--restart", policy)
        self.ok("create", "--name", "never", "--restart", "always", DEMO, "sleep", "1000")
        self.ok("stop", "stopped", "stopped-always")
        self.reboot()
        self.assertEqual(self.running(), set(), "a look starts nothing")
        state = self.state("kept")
        self.assertEqual((state["Status"], state["ExitCode"], state["Error"]), ("exited", None, "monitor lost"))
        started = self.ok("system", "boot").split()
        self.assertEqual(len(started), 3)
        self.assertEqual(self.running(), {"always", "kept", "stopped-always"})
        self.assertEqual(self.ok("system", "boot"), "", "they run already")

    def test_a_machine_that_goes_down_in_order(self):
        self.looping("kept", "--restart", "unless-stopped")
        self.detached("--restart", "always", DEMO, "sh", "-c", "echo ran; exit 1", name="failing")
        self.looping("no")
        self.ok("system", "halt")
        self.assertEqual(self.running(), set())
        self.assertEqual(self.in_database("kept")[:2], ("exited", 143))
        time.sleep(0.5)
        self.assertEqual(self.running(), set(), "nobody starts them again")
        self.reboot()
        self.ok("system", "boot")
        self.assertTrue(self.state("kept")["Running"])
        until(lambda: self.ok("logs", "failing").count("ran\n") >= 3, "its policy is followed again")
        self.assertFalse(self.state("no")["Running"])

    def test_all_are_stopped_at_once(self):
        for number in range(4):
            self.detached("--stop-timeout", "2", DEMO, "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done",
                          name=f"c{number}")
        begun = time.monotonic()
        self.ok("system", "halt")
        self.assertLess(time.monotonic() - begun, 7)
        self.assertEqual(self.running(), set())

    def test_one_that_waited_to_be_started_again(self):
        self.detached("--restart", "always", DEMO, "sh", "-c", "echo ran; exit 3")
        until(lambda: self.ok("logs", "job").count("ran\n") >= 4 and self.in_database()[0] == "restarting", "it waits")
        self.reboot()
        self.assertEqual(self.state()["Status"], "exited")
        runs = self.ok("logs", "job").count("ran\n")
        self.ok("system", "boot")
        until(lambda: self.ok("logs", "job").count("ran\n") > runs, "it is started")


if __name__ == "__main__":
    main()
