"""Health checks: the image's and those of the flags, by the monitor and by hand."""

import json
import os
import pathlib
import signal
import time

from support import images
from support.case import DEMO, BerthCase, main
from support.waiting import until


class Health(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "--force", "--all")

    def sleeping(self, *flags, image=DEMO, command=("sleep", "1000")):
        self.ok("run", "-d", "--name", "job", *flags, image, *command)

    def state(self):
        return json.loads(self.ok("inspect", "job"))[0]["State"]

    def health(self):
        return self.state()["Health"]

    def until_it_is(self, status):
        until(lambda: self.health()["Status"] == status, lambda: f"{status}: {self.health()}")

    def sh(self, script):
        return self.ok("exec", "job", "sh", "-c", script)

    def processes(self):
        return self.sh("ps -o pid,args")


EVERY = ("--health-interval", "100ms")


class ByTheMonitor(Health):
    def test_it_becomes_healthy_and_unhealthy_and_healthy_again(self):
        self.sleeping("--health-cmd", "echo looked; test ! -e /tmp/ill", *EVERY, "--health-retries", "2")
        self.until_it_is("healthy")
        self.assertRegex(self.ok("ps"), r"Up .* \(healthy\)")
        self.sh("touch /tmp/ill")
        self.until_it_is("unhealthy")
        health = self.health()
        self.assertGreaterEqual(health["FailingStreak"], 2)
        self.assertEqual(health["Log"][-1]["ExitCode"], 1)
        self.assertEqual(health["Log"][-1]["Output"], "looked\n")
        self.assertRegex(self.ok("ps"), r"Up .* \(unhealthy\)")
        self.sh("rm /tmp/ill")
        self.until_it_is("healthy")
        self.assertEqual(self.health()["FailingStreak"], 0)
        self.assertTrue(self.state()["Running"])
        said = [json.loads(line) for line in self.ok("events", "--stream=false", "--format", "json").splitlines()]
        changes = [one["Attributes"]["health_status"] for one in said if one["Status"] == "health_status"]
        self.assertEqual(changes, ["healthy", "unhealthy", "healthy"])

    def test_five_results_are_kept_and_4096_bytes_of_each(self):
        self.sleeping("--health-cmd", "head -c 100000 /dev/zero | tr '\\0' '\\377'; echo >&2 error; exit 3", *EVERY)
        until(lambda: self.health()["FailingStreak"] >= 7, "it fails seven times")
        log = self.health()["Log"]
        self.assertEqual([one["ExitCode"] for one in log], [3] * 5)
        self.assertEqual(log[0]["Output"], "\ufffd" * 4096)
        self.assertEqual(sorted(one["Start"] for one in log), [one["Start"] for one in log])
        self.assertLess(log[0]["Start"], log[0]["End"])

    def test_failures_in_the_start_period_do_not_count(self):
        self.sleeping("--health-cmd", "test -e /tmp/up", *EVERY, "--health-retries", "1", "--health-start-period", "1h")
        until(lambda: len(self.health()["Log"]) >= 3, "it has been looked at")
        self.assertEqual((self.health()["Status"], self.health()["FailingStreak"]), ("starting", 0))
        self.assertRegex(self.ok("ps"), r"Up .* \(starting\)")
        self.sh("touch /tmp/up")
        self.until_it_is("healthy")
        self.sh("rm /tmp/up")
        self.until_it_is("unhealthy")

    def test_a_check_that_hangs_is_killed_with_all_that_it_started(self):
        hang = "sleep 3001 & (sleep 3002 & setsid sleep 3003 & sh -c 'setsid sh -c \"sleep 3004 & sleep 3005\" &') ; echo begun; sleep 3006"
        self.sleeping("--health-cmd", hang, "--health-interval", "200ms", "--health-timeout", "400ms", "--health-retries", "1")
        self.until_it_is("unhealthy")
        result = self.health()["Log"][0]
        self.assertEqual(result["ExitCode"], -1)
        self.assertIn("exceeded timeout (400 ms): begun", result["Output"])
        # By hand, so that none is under way when somebody looks.
        self.ok("rm", "-f", "job")
        self.sleeping("--health-cmd", hang, "--health-interval", "disable", "--health-timeout", "400ms")
        self.assertEqual(self.berth("healthcheck", "run", "job").status, 1)
        self.assertNotIn("sleep 300", self.processes())
        self.assertIn("sleep 1000", self.processes())

    def test_the_container_is_not_held_up_by_one(self):
        self.sleeping("--health-cmd", "sleep 3000", "--health-interval", "1ms", "--health-timeout", "1h",
                      command=("sh", "-c", "trap 'echo bye; exit 4' TERM; while :; do echo line; sleep 0.1; done"))
        until(lambda: "sleep 3000" in self.processes(), "a check is under way")
        lines = len(self.ok("logs", "job").splitlines())
        until(lambda: len(self.ok("logs", "job").splitlines()) > lines + 3, "it writes on")
        os.kill(self.state()["Pid"], signal.SIGTERM)
        until(lambda: not self.state()["Running"], "it has ended")
        self.assertEqual(self.state()["ExitCode"], 4)

    def test_what_a_killed_check_leaves_is_no_end_of_checking(self):
        self.sleeping("--health-cmd", "test ! -e /tmp/hang || sleep 3000", *EVERY, "--health-timeout", "1h")
        self.until_it_is("healthy")
        monitor = self.state()["MonitorPid"]
        children = pathlib.Path(f"/proc/{monitor}/task/{monitor}/children")

        def check():
            found = [pid for pid in children.read_text().split()
                     if b"healthcheck" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
            return found and "sleep 3000" in self.processes() and found[0]
        self.sh("touch /tmp/hang")
        until(check, "a check hangs")
        os.kill(int(check()), signal.SIGKILL)
        self.sh("rm /tmp/hang")
        until(lambda: not check(), "it is gone")
        newest = self.health()["Log"][-1]["Start"]
        until(lambda: self.health()["Log"][-1]["Start"] > newest, "there are more checks")


class OfTheImage(Health):
    def image(self, check, **settings):
        return images.load(self, "checked", images.busybox_entries(), {"Healthcheck": check, **settings})

    SECOND = 1_000_000_000

    def test_it_is_used_and_the_flags_come_first(self):
        image = self.image({"Test": ["CMD-SHELL", "echo image"], "Interval": self.SECOND // 10, "Retries": 7})
        self.sleeping(image=image)
        self.until_it_is("healthy")
        self.assertEqual(self.health()["Log"][-1]["Output"], "image\n")
        settings = json.loads(self.ok("inspect", "job"))[0]["Config"]["Healthcheck"]
        self.assertEqual((settings["Test"], settings["Interval"], settings["Retries"], settings["Timeout"]),
                         (["CMD", "/bin/sh", "-c", "echo image"], self.SECOND // 10, 7, 30 * self.SECOND))
        self.ok("rm", "-f", "job")
        self.sleeping("--health-cmd", '["id", "-u"]', image=image)
        self.until_it_is("healthy")
        self.assertEqual(self.health()["Log"][-1]["Output"], "0\n")

    def test_it_can_be_switched_off(self):
        for flags, check in ((("--no-healthcheck",), {"Test": ["CMD", "true"]}), (("--health-cmd", "none"), {"Test": ["CMD", "true"]}),
                             ((), {"Test": ["NONE"]}), ((), {}), ((), {"Test": ["CMD"]}), ((), {"Test": ["WHAT", "true"]})):
            self.sleeping(*flags, image=self.image(check))
            self.assertNotIn("Health", self.state(), (flags, check))
            self.assertNotIn("(", self.ok("ps").splitlines()[1])
            self.fails(125, "healthcheck", "run", "job", saying="has no health check")
            self.ok("rm", "-f", "job")

    def test_nonsense_counts_as_nothing(self):
        image = self.image({"Test": ["CMD", "true"], "Interval": -5, "Timeout": -1, "Retries": -3, "StartPeriod": -1})
        self.sleeping(image=image)
        settings = json.loads(self.ok("inspect", "job"))[0]["Config"]["Healthcheck"]
        self.assertEqual((settings["Interval"], settings["Timeout"], settings["Retries"], settings["StartPeriod"]),
                         (30 * self.SECOND, 30 * self.SECOND, 3, 0))

    def test_it_runs_as_the_container_s_user(self):
        self.sleeping("-u", "10000", image=self.image({"Test": ["CMD", "id", "-u"], "Interval": self.SECOND // 10}))
        self.until_it_is("healthy")
        self.assertEqual(self.health()["Log"][-1]["Output"], "10000\n")


class ByHand(Health):
    def test_its_status_tells(self):
        self.sleeping("--health-cmd", "test ! -e /tmp/ill", "--health-interval", "disable", "--health-retries", "2")
        self.assertEqual(self.health(), {"Status": "starting", "FailingStreak": 0, "Log": []})
        done = self.berth("healthcheck", "run", "job")
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "", ""))
        self.sh("touch /tmp/ill")
        done = self.berth("healthcheck", "run", "job")
        self.assertEqual((done.status, done.stdout), (1, "healthy\n"))
        done = self.berth("healthcheck", "run", "job")
        self.assertEqual((done.status, done.stdout), (1, "unhealthy\n"))
        self.assertEqual(len(self.health()["Log"]), 3)

    def test_what_can_not_be_executed_has_failed(self):
        self.sleeping("--health-cmd", '["nosuch"]', "--health-interval", "disable", "--health-retries", "1")
        self.assertEqual(self.berth("healthcheck", "run", "job").stdout, "unhealthy\n")
        result = self.health()["Log"][0]
        self.assertEqual(result["ExitCode"], 127)
        self.assertIn('cannot execute "nosuch"', result["Output"])

    def test_125_where_there_is_nothing_to_be_checked(self):
        self.sleeping("--health-cmd", "true", "--health-interval", "disable")
        os.kill(self.state()["Pid"], signal.SIGKILL)
        until(lambda: not self.state()["Running"], "it has ended")
        self.fails(125, "healthcheck", "run", "job", saying="is not running")
        self.fails(125, "healthcheck", "run", "nothere", saying="there is no container")

    def test_mistakes(self):
        for flags in (("--health-interval", "soon"), ("--health-timeout", "0s"), ("--health-retries", "0"),
                      ("--health-cmd", ""), ("--health-cmd", "[1]"), ("--health-on-failure", "explode"),
                      ("--health-cmd", "true", "--no-healthcheck"), ("--health-start-period", "-1s")):
            self.fails(125, "create", *flags, DEMO)


class OnFailure(Health):
    def ill(self, what, *flags):
        self.sleeping("--health-cmd", "test ! -e /tmp/ill", *EVERY, "--health-retries", "2", "--health-on-failure", what, *flags)
        self.until_it_is("healthy")
        self.sh("touch /tmp/ill")

    def test_none(self):
        self.ill("none")
        self.until_it_is("unhealthy")
        time.sleep(0.5)
        self.assertTrue(self.state()["Running"])

    def test_kill(self):
        self.ill("kill")
        until(lambda: not self.state()["Running"], "it has been killed")
        self.assertEqual(self.state()["ExitCode"], 137)

    def test_stop(self):
        self.ill("stop")
        until(lambda: not self.state()["Running"], "it has been stopped")

    def test_restart(self):
        self.ill("restart", "--tmpfs", "/tmp")
        first = self.state()["Pid"]
        until(lambda: self.state()["Running"] and self.state()["Pid"] != first, "it has been restarted")
        self.until_it_is("healthy")


main()
