"""Restart policies: who is started again, after how long, and what stops that."""

import os
import re
import signal
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

    def test_on_failure_of_one_that_succeeds(self):
        self.detached("--restart", "on-failure", DEMO, "sh", "-c", "echo ran; exit 0")
        self.until_ended()
        self.assertEqual((self.runs(), self.look()["RestartCount"]), (1, 0))

    def test_always_and_unless_stopped(self):
        for policy in ("always", "unless-stopped"):
            self.detached("--restart", policy, DEMO, "sh", "-c", "echo ran; sleep 0.1", name=policy)
            until(lambda name=policy: self.runs(name) >= 3, "it runs again and again")
            self.assertGreaterEqual(self.look(policy)["RestartCount"], 2)
            self.ok("stop", policy)
            self.assertEqual(self.status(policy), "exited")
            runs = self.runs(policy)
            time.sleep(1)
            self.assertEqual(self.runs(policy), runs)

    def test_what_is_no_policy(self):
        for text in ("sometimes", "always:3", "on-failure:x", "on-failure:-1", ""):
            self.fails(125, "run", "-d", "--restart", text, DEMO, "true", saying="--restart")
        self.fails(125, "run", "-d", "--rm", "--restart", "always", DEMO, "true", saying=["--rm", "--restart always"])

    def test_in_the_foreground(self):
        done = self.berth("run", "--name", "job", "--restart", "on-failure:1", DEMO, *FAILS)
        self.assertEqual((done.status, done.stdout), (3, "ran\n"))
        until(lambda: self.runs() == 2, "it runs once more")
        self.until_ended()


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

    def test_what_is_seen_meanwhile(self):
        self.waiting()
        state = self.state()
        self.assertEqual((state["Status"], state["Restarting"], state["Running"], state["ExitCode"]),
                         ("restarting", True, False, 3))
        self.assertRegex(self.ok("ps"), r"Restarting \(3\) .* ago")

    def test_a_stop_cancels_it(self):
        self.waiting()
        begun = time.monotonic()
        self.ok("stop", "job")
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(self.in_database()[:2], ("exited", 3))
        runs = self.runs()
        time.sleep(2.5)
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
