"""Containers that are held still, and what happens to them then."""

import json
import os
import pathlib
import signal
import time

from support.case import DEMO, BerthCase, main
from support.waiting import until


class Pause(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.ok("run", "-d", "--name", "job", DEMO, "sh", "-c", "while :; do date +%s%N; sleep 0.05; done")
        self.addCleanup(self.berth, "rm", "-f", "job")

    def state(self):
        return json.loads(self.ok("inspect", "job"))[0]["State"]

    def lines(self):
        return len(self.ok("logs", "job").splitlines())

    def test_nothing_moves_until_it_is_let_go_on(self):
        until(lambda: self.lines() > 2, "some output")
        self.assertEqual(self.ok("pause", "job"), "job\n")
        state = self.state()
        self.assertEqual((state["Status"], state["Paused"], state["Running"]), ("paused", True, False))
        self.assertIn("(paused)", self.ok("ps"))
        self.assertEqual(json.loads(self.ok("ps", "--format", "json"))[0]["State"], "paused")
        time.sleep(0.3)
        before = self.lines()
        time.sleep(0.3)
        self.assertEqual(self.lines(), before)
        self.assertEqual(self.ok("unpause", "job"), "job\n")
        until(lambda: self.lines() > before, "more output")
        self.assertEqual(self.state()["Status"], "running")

    def test_what_can_not_be(self):
        self.fails(125, "unpause", "job", saying="container job is not paused")
        self.ok("pause", "job")
        self.fails(125, "pause", "job", saying="container job is paused already")
        self.fails(125, "pause", "nobody", saying='there is no container "nobody"')
        self.fails(125, "pause", saying="--all")
        self.ok("rm", "-f", "job")
        self.ok("create", "--name", "job", DEMO, "true")
        self.fails(125, "pause", "job", saying="container job is not running")

    def test_all(self):
        (container,) = [path.name for path in (self.root / "containers").iterdir() if len(path.name) == 64]
        self.assertEqual(self.ok("pause", "--all"), container + "\n")
        self.assertEqual(self.ok("pause", "--all"), "")
        self.assertEqual(self.ok("unpause", "--all"), container + "\n")

    def test_a_paused_one_can_be_removed(self):
        self.ok("pause", "job")
        pid = self.state()["Pid"]
        self.ok("rm", "-f", "job")
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        self.assert_nothing_left()

    def test_one_whose_monitor_is_lost_is_ended_by_the_next_command(self):
        self.ok("pause", "job")
        state = self.state()
        os.kill(state["MonitorPid"], signal.SIGKILL)
        until(lambda: not pathlib.Path(f"/proc/{state['MonitorPid']}/exe").exists(), "the monitor's end")
        self.ok("ps", "-a")
        until(lambda: not pathlib.Path(f"/proc/{state['Pid']}/exe").exists(), "the container's end")
        self.assertEqual(self.state()["Error"], "monitor lost")

    def test_without_a_cgroup(self):
        self.ok("run", "-d", "--name", "free", "--cgroups=disabled", DEMO, "sleep", "1000")
        self.addCleanup(self.berth, "rm", "-f", "free")
        self.fails(125, "pause", "free", saying="--cgroups=disabled")


if __name__ == "__main__":
    main()
