"""
The scopes of `berth run`'s containers where systemd is the first process: its, its monitor's, and what is left of them; and
limits and memory that runs out, by tests of tests/cli.
"""

import json
import os
import signal

from cli import test_limits
from support.case import DEMO, main, run
from support.scopes import UNIFIED, ScopeCase, cgroup_of, file_of, systemctl, units
from support.waiting import until

MIB = 1 << 20
MEMORY = "MemoryMax" if UNIFIED else "MemoryLimit"


class Life(ScopeCase):
    def test_it_is_a_unit_with_its_limits_until_it_is_removed(self):
        unit = self.running("--memory", "64m", "--pids-limit", "33", "--cpus", "0.5")
        limits = {MEMORY: str(64 * MIB), "TasksMax": "33", "CPUQuotaPerSecUSec": "500ms"}
        self.assertEqual(self.shown(unit, "ActiveState", "Slice", "Delegate", *limits),
                         {"ActiveState": "active", "Slice": "machine.slice", "Delegate": "yes", **limits})
        pid = self.state()["Pid"]
        self.assertEqual(cgroup_of(pid), f"/machine.slice/{unit}")
        self.assertIn("sleep 1000", systemctl("status", unit))
        file = "memory.max" if UNIFIED else "memory.limit_in_bytes"
        for _ in range(2):
            self.assertEqual((file_of(pid, "memory", file), file_of(pid, "pids", "pids.max")), (str(64 * MIB), "33"))
            systemctl("daemon-reload")
        self.ok("rm", "-f", "job")
        self.assert_no_unit()
        self.assert_nothing_left()

    def test_the_end_of_what_started_it_is_not_its_own(self):
        words = " ".join(self.command("run", "-d", "--name", "job", DEMO, "sleep", "1000"))
        started = run("systemd-run", "--unit=login", "--property=RemainAfterExit=yes",
                      f"--setenv=BERTH_CONFIG={self.environment['BERTH_CONFIG']}", "/bin/sh", "-c", words)
        self.assertEqual(started.status, 0, started)
        until(lambda: "job" in self.ok("ps"), "it runs")
        state = self.state()
        self.assertEqual(cgroup_of(state["MonitorPid"]), cgroup_of(state["Pid"]).replace("berth-", "berth-monitor-"))
        systemctl("stop", "login")
        systemctl("daemon-reload")
        self.assertEqual(self.state(), state)
        self.ok("rm", "-f", "job")
        self.assert_no_unit()

    def test_what_is_done_to_it_while_it_runs(self):
        unit = self.running("--memory", "64m")
        process = self.start("exec", "job", "sleep", "999")
        until(lambda: len(file_of(self.state()["Pid"], "pids", "cgroup.procs").split()) == 3, "all are in it")
        process.kill()
        process.wait()
        self.ok("update", "--memory", "48m", "--pids-limit", "44", "--device-read-bps", "/dev/nvme0n3:1m", "job")
        wanted = {MEMORY: str(48 * MIB), "TasksMax": "44"}
        self.assertEqual(self.shown(unit, *wanted), wanted)
        usage = json.loads(self.ok("stats", "--no-stream", "--format", "json", "job"))[0]
        self.assertNotIn("--", [usage["mem_usage"], usage["cpu_percent"], usage["block_io"]])
        self.ok("pause", "job")
        systemctl("daemon-reload")
        self.assertEqual(self.state()["Status"], "paused")
        self.ok("rm", "-f", "job")
        self.assert_no_unit()
        self.assert_nothing_left()

    def test_again_and_again(self):
        self.running("--restart", "on-failure:3", command=("false",))
        until(lambda: self.state()["Status"] == "exited", "the last end")
        self.assertEqual(json.loads(self.ok("inspect", "job"))[0]["RestartCount"], 3)
        for _ in range(3):
            self.ok("run", "--rm", DEMO, "true")
        self.assert_no_unit()


class Lost(ScopeCase):
    def test_the_next_command_takes_away_what_a_killed_monitor_left(self):
        self.running()
        os.kill(self.state()["MonitorPid"], signal.SIGKILL)
        self.assertIn("Exited", self.ok("ps", "-a"))
        self.assert_no_unit()
        self.ok("start", "job")
        self.assertEqual(len(units()), 2)


def load_tests(loader, _tests, _pattern):
    suite = loader.suiteClass(loader.loadTestsFromTestCase(case) for case in (Life, Lost))
    suite.addTests(loader.loadTestsFromNames(["Values.test_memory_and_as_much_swap_again", "AtTheLimit.test_memory_is_told_of",
                                              "AtTheLimit.test_one_that_goes_on_is_told_of_when_it_happens"], test_limits))
    return suite


main()
