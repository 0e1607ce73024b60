"""Restart policies: who is started again, after how long, and what stops that."""

import os
import re
import signal
import sqlite3
import subprocess
import time

from support import leftovers
from support.case import DEMO, main
from support.detached import Detached
from support.waiting import until

FAILS = ["sh", "-c", "echo ran; exit 3"]


class Restarting(Detached):
    def runs(self, name="job"):
        return self.ok("logs", name).count("ran\n")

    def status(self, name="job"):
        return self.state(name)["Status"]


class Policies(Restarting):
    def test_no(self):
        self.detached(DEMO, *FAILS)
        self.until_ended()
        time.sleep(0.5)
        self.assertEqual(self.runs(), 1)
        self.assertEqual(self.look()["HostConfig"]["RestartPolicy"], {"Name": "no", "MaximumRetryCount": 0})

    def test_on_failure_so_often(self):
        self.detached("--restart", "on-failure:2", DEMO, *FAILS)
        until(lambda: self.runs() == 3, "it runs three times")
        self.until_ended()
        look = self.look()
        self.assertEqual((look["RestartCount"], look["State"]["ExitCode"]), (2, 3))
        self.assertEqual(look["HostConfig"]["RestartPolicy"], {"Name": "on-failure", "MaximumRetryCount": 2})
        time.sleep(0.8)
        self.assertEqual(self.runs(), 3)
        # A person starts it: it begins anew.
        self.ok("start", "job")
        until(lambda: self.runs() == 6, "it runs three times more")

    def test_another_one_while_it_runs(self):
        self.detached(DEMO, "sh", "-c", "echo ran; trap exit USR1; while :; do sleep 0.05; done")
        self.assertEqual(len(self.ok("update", "--restart", "on-failure:5", "job").strip()), 64)
        self.assertEqual(self.look()["HostConfig"]["RestartPolicy"], {"Name": "on-failure", "MaximumRetryCount": 5})
        os.kill(self.state()["Pid"], signal.SIGKILL)
        until(lambda: self.runs() == 2, "it runs again")
        self.ok("update", "--restart", "no", "job")
        until(lambda: self.status() == "running", "it runs")
        os.kill(self.state()["Pid"], signal.SIGKILL)
        self.until_ended()
        self.assertEqual((self.runs(), self.look()["RestartCount"]), (2, 1))

    def test_none_any_more_for_one_that_is_about_to_be_started(self):
        self.detached("--restart", "always", DEMO, *FAILS)
        until(lambda: self.status() == "restarting" and self.look()["RestartCount"] > 2, "it is waited for")
        self.ok("update", "--restart", "no", "job")
        until(lambda: self.status() == "exited", "it ends")

    def test_what_can_t_be_updated(self):
        self.detached("--rm", DEMO, "sleep", "1000")
        self.fails(125, "update", "--restart", "always", "job", saying="--rm")
        self.fails(125, "update", "--restart", "sometimes", "job", saying="--restart sometimes")
        self.ok("rm", "-f", "job")

    def test_on_failure_of_one_that_succeeds(self):
        self.detached("--restart", "on-failure", DEMO, "sh", "-c", "echo ran; exit 0")
        self.until_ended()
        self.assertEqual((self.runs(), self.look()["RestartCount"]), (1, 0))

    def test_always_and_unless_stopped(self):
        policies = ("always", "unless-stopped")
        for policy in policies:
            self.detached("--restart", policy, DEMO, "sh", "-c", "echo ran; sleep 0.1", name=policy)
        for policy in policies:
            until(lambda name=policy: self.runs(name) >= 3, "it runs again and again")
            self.assertGreaterEqual(self.look(policy)["RestartCount"], 2)
        self.ok("stop", *policies)
        runs = [(self.status(policy), self.runs(policy)) for policy in policies]
        self.assertEqual([status for status, _ in runs], ["exited", "exited"])
        time.sleep(1)
        self.assertEqual([(self.status(policy), self.runs(policy)) for policy in policies], runs)

    def test_what_is_no_policy(self):
        for text in ("sometimes", "always:3", "on-failure:x", "on-failure:-1", ""):
            self.fails(125, "run", "-d", "--restart", text, DEMO, "true", saying="--restart")
        self.fails(125, "run", "-d", "--rm", "--restart", "always", DEMO, "true", saying=["--rm", "--restart always"])


class Foreground(Restarting):
    """The command stays, whose output and status are those of all runs."""

    def test_it_follows_the_restarts(self):
        done = self.berth("run", "--name", "job", "--restart", "on-failure:3", DEMO, "sh", "-c",
                          "n=$(cat /n 2>/dev/null || echo 5); echo $((n + 1)) > /n; echo out$n; echo err$n >&2; exit $n")
        self.assertEqual((done.status, done.stdout, done.stderr), (8, "out5\nout6\nout7\nout8\n",
                                                                   "err5\nerr6\nerr7\nerr8\n"))
        self.assertEqual(self.in_database()[:2], ("exited", 8))

    def test_one_that_succeeds_at_last(self):
        done = self.berth("run", "--name", "job", "--restart", "on-failure", DEMO, "sh", "-c",
                          "echo ran; test -e /n || { touch /n; exit 4; }")
        self.assertEqual((done.status, done.stdout), (0, "ran\nran\n"))

    def test_its_end_is_on_record_before_its_start(self):
        """As the command that has started it is held up."""
        self.environment = {**self.environment, "BERTH_FAULT": "stop:started"}
        command = self.start("run", "--name", "job", "--restart", "on-failure", DEMO, "true")
        del self.environment["BERTH_FAULT"]
        until(lambda: (self.in_database() or [""])[0] == "exited", "it ends")
        command.send_signal(signal.SIGCONT)
        self.assertEqual(command.wait(), 0)
        self.assertEqual(self.ok("events", "--stream=false", "--filter", "event=died", "--format", "{{.Name}}"), "job\n")

    def test_start_attached(self):
        self.ok("create", "--name", "job", "--restart", "on-failure:1", DEMO, *FAILS)
        done = self.berth("start", "--attach", "job")
        self.assertEqual((done.status, done.stdout), (3, "ran\nran\n"))

    def test_without_a_log(self):
        done = self.berth("run", "--name", "job", "--restart", "on-failure:1", "--log-driver", "none", DEMO, "sh", "-c",
                          "echo ran; sleep 0.7; echo more; exit 3")
        self.assertEqual(done.status, 3, done)
        self.assertEqual(done.stdout.splitlines()[-1], "more")
        self.assertEqual(done.stdout.count("more\n"), 2)

    def followed(self, *command):
        process = self.start("run", "--name", "job", "--restart", "always", DEMO, *command, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        for _ in range(2):
            self.assertEqual(process.stdout.readline(), b"ran\n")
        return process

    def test_a_stop_ends_it(self):
        process = self.followed("sh", "-c", "echo ran; sleep 0.3; exit 3")
        self.ok("stop", "job")
        self.assertIn(process.wait(20), (3, 137, 143))
        self.assertEqual(self.status(), "exited")

    def test_an_interrupt_is_a_stop_by_the_user(self):
        process = self.followed("sh", "-c", "echo ran; trap 'exit 9' INT; n=0; "
                                "while [ $n -lt 10 ]; do sleep 0.05; n=$((n + 1)); done")
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(20), (0, 9))
        time.sleep(0.5)
        self.assertEqual((self.status(), self.state()["StoppedByUser"]), ("exited", True))

    def test_an_interrupt_while_it_waits(self):
        process = self.followed(*FAILS)
        until(lambda: self.runs() >= 4 and self.in_database()[0] == "restarting", "it waits")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 3)
        self.assertEqual(self.in_database()[:2], ("exited", 3))

    def test_start_attached_of_one_that_runs(self):
        self.detached("--restart", "on-failure:1", DEMO, "sh", "-c", "sleep 0.7; echo ran; exit 3")
        done = self.berth("start", "--attach", "job")
        self.assertEqual((done.status, done.stdout), (3, "ran\nran\n"))

    def test_its_reader_goes_away(self):
        process = self.followed("sh", "-c", "echo ran; while [ -e /ran ]; do echo more; sleep 0.05; done; touch /ran; exit 3")
        process.stdout.close()
        self.assertEqual(process.wait(20), 141)
        self.assertEqual(self.status(), "running", "it goes on")
        self.ok("stop", "-t", "0", "job")

    def test_its_reader_goes_away_between_two_runs(self):
        process = self.followed("sh", "-c", "echo ran; sleep 0.3; exit 3")
        process.stdout.close()
        self.assertEqual(process.wait(20), 141)

    def test_it_is_removed_meanwhile(self):
        process = self.followed("sh", "-c", "echo ran; sleep 0.2; exit 3")
        self.ok("rm", "--force", "job")
        process.wait(20)
        self.assertEqual(leftovers.wait_until_gone(self._before), [])


class Following(Restarting):
    """logs --follow."""

    def test_it_goes_on_over_restarts_and_ends_for_good(self):
        self.ok("create", "--name", "job", "--restart", "on-failure:2", DEMO, "sh", "-c", "echo ran; sleep 0.3; exit 3")
        self.ok("start", "job")
        done = self.berth("logs", "--follow", "--timestamps", "job")
        self.assertEqual(done.status, 0, done)
        self.assertRegex(done.stdout, r"^(\d{4}-\S+ ran\n){3}$")
        self.assertEqual(self.in_database()[:2], ("exited", 3))

    def test_since_and_until_and_rotation(self):
        self.ok("create", "--name", "job", "--restart", "on-failure:2", "--log-opt", "max-size=4k", "--log-opt", "max-file=9",
                DEMO, "sh", "-c", "n=0; while [ $n -lt 150 ]; do echo line$n; n=$((n + 1)); done; exit 3")
        self.ok("start", "job")
        done = self.berth("logs", "--follow", "job")
        lines = [f"line{n}" for n in range(150)]
        self.assertEqual(done.stdout.split(), lines * 3)
        self.ok("start", "job")
        self.assertEqual(self.ok("logs", "--follow", "--since=-1m", "--until=1s", "job"), "")

    def test_a_stop_ends_it(self):
        self.detached("--restart", "always", DEMO, "sh", "-c", "echo ran; sleep 0.1")
        process = self.start("logs", "--follow", "job", stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        for _ in range(3):
            self.assertEqual(process.stdout.readline(), b"ran\n")
        self.ok("stop", "job")
        self.assertEqual(process.wait(20), 0)


class BackOff(Restarting):
    def test_it_doubles(self):
        self.detached("--restart", "always", DEMO, *FAILS)
        until(lambda: self.runs() >= 5, "it has run five times")
        self.ok("stop", "job")
        text = re.findall(r"T(\d+):(\d+):(\d+\.\d+)\S* ran", self.ok("logs", "-t", "job"))
        times = [int(hour) * 3600 + int(minute) * 60 + float(second) for hour, minute, second in text]
        gaps = [after - before for before, after in zip(times, times[1:])]
        for gap, least in zip(gaps, (0.1, 0.2, 0.4, 0.8)):
            self.assertGreater(gap, least * 0.98)
        self.assertLess(gaps[0], 3)

    def waiting(self, name="job"):
        """One that waits to be started again, for some seconds."""
        self.detached("--restart", "always", DEMO, *FAILS, name=name)
        until(lambda: self.runs(name) >= 4 and self.in_database(name)[0] == "restarting", "it waits")

    def delay(self):
        """How long it waits, in milliseconds."""
        connection = sqlite3.connect(f"file:{self.root}/berth.db?mode=ro", uri=True)
        try:
            return connection.execute("SELECT restart_delay FROM containers").fetchone()[0]
        finally:
            connection.close()

    def test_what_is_seen_meanwhile(self):
        self.waiting()
        state = self.state()
        self.assertEqual((state["Status"], state["Restarting"], state["Running"], state["ExitCode"]),
                         ("restarting", True, False, 3))
        self.assertRegex(self.ok("ps"), r"Restarting \(3\) .* ago")

    def test_a_stop_cancels_it(self):
        self.waiting()
        begun = time.monotonic()
        delay = self.delay()
        self.ok("stop", "job")
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(self.in_database()[:2], ("exited", 3))
        runs = self.runs()
        time.sleep(delay / 1000 + 0.3)
        self.assertEqual((self.runs(), self.status()), (runs, "exited"))

    def test_a_start_does_not_wait_for_it(self):
        self.waiting()
        runs = self.runs()
        self.ok("start", "job")
        until(lambda: self.runs() > runs, "it ran", patience=5)
        self.ok("stop", "job")

    def test_a_removal_by_force(self):
        self.waiting()
        self.fails(2, "rm", "job", saying="--force")
        self.ok("rm", "-f", "job")
        self.assertEqual(leftovers.wait_until_gone(self._before), [])
        self.assert_nothing_left()

    def test_a_start_that_fails_is_tried_again(self):
        place = self.work / "place"
        place.mkdir()
        self.detached("--restart", "always", "-v", f"{place}:/place", DEMO, "sh", "-c", "echo ran; sleep 0.5")
        place.rmdir()
        until(lambda: "place" in (self.in_database()[2] or ""), "the start fails")
        place.mkdir()
        runs = self.runs()
        until(lambda: self.runs() > runs, "it runs again")
        self.ok("stop", "job")


class KilledByHand(Restarting):
    def test_kill_is_a_stop_by_the_user(self):
        self.detached("--restart", "always", DEMO, "sh", "-c", "echo ran; exec sleep 1000")
        self.ok("kill", "job")
        self.until_ended()
        time.sleep(0.8)
        self.assertEqual((self.runs(), self.status(), self.state()["StoppedByUser"]), (1, "exited", True))

    def test_a_signal_that_ends_nothing_is_none(self):
        self.detached("--restart", "always", DEMO, "sh", "-c",
                      "trap 'exit 2' USR1; trap : HUP; echo ran; while :; do sleep 0.05; done")
        until(lambda: self.runs() == 1, "it runs")
        self.ok("kill", "-s", "HUP", "job")
        self.ok("kill", "-s", "USR1", "job")
        until(lambda: self.runs() == 2, "it runs again")

    def test_from_inside_or_by_somebody_else_it_is_not(self):
        self.detached("--restart", "always", DEMO, "sh", "-c", "echo ran; exec sleep 1000")
        os.kill(self.state()["Pid"], signal.SIGKILL)
        until(lambda: self.runs() == 2, "it runs again")


class Lost(Restarting):
    def test_a_monitor_that_was_killed(self):
        """The next command that looks says what is known, and the policy is followed."""
        self.detached("--restart", "always", DEMO, "sh", "-c", "echo ran; exec sleep 1000")
        self.detached(DEMO, "sleep", "1000", name="other")
        os.kill(self.state()["MonitorPid"], signal.SIGKILL)
        until(lambda: self.ok("ps", "-a") and self.runs() == 2 and self.state()["Running"], "it runs again")
        self.assertEqual(self.look()["RestartCount"], 1)
        self.assertTrue(self.state("other")["Running"], "the others do not notice")

    def test_unknown_is_a_failure(self):
        self.detached("--restart", "on-failure:1", DEMO, "sh", "-c", "echo ran; exec sleep 1000")
        os.kill(self.state()["MonitorPid"], signal.SIGKILL)
        until(lambda: self.ok("ps", "-a") and self.runs() == 2, "it runs again")

    def test_the_process_that_waits_is_killed(self):
        self.detached("--restart", "always", DEMO, *FAILS)
        until(lambda: self.runs() >= 3 and self.in_database()[0] == "restarting", "it waits")
        container = self.look()["Id"]
        pid = int((self.runroot / "containers" / container / "restarting").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        runs = self.runs()
        until(lambda: self.ok("ps", "-a") and self.runs() > runs, "another one goes on")
        self.ok("stop", "job")


if __name__ == "__main__":
    main()
