"""The machine's clock is set back while containers run: here, where it is nobody else's clock."""

import os
import signal
import time

from support import leftovers
from support.case import DEMO, main
from support.detached import Detached
from support.waiting import until

HOUR = 3600


class SetBack(Detached):
    """One machine's clock for all of them: each thing that it could hold up is begun before, and looked at after."""

    def setUp(self):
        super().setUp()
        difference = time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
        self.addCleanup(lambda: time.clock_settime(time.CLOCK_REALTIME, difference + time.clock_gettime(time.CLOCK_MONOTONIC)))

    def lines(self, name):
        return len(self.ok("logs", name).splitlines())

    def checks(self):
        return int(self.ok("exec", "checked", "sh", "-c", "wc -l < /checks"))

    def begin(self):
        self.detached(DEMO, "sh", "-c", "trap '' TERM; echo ran; while :; do sleep 0.1; done", name="deaf")
        self.detached("--health-cmd", "echo x >> /checks", "--health-interval", "1s", DEMO, "sleep", "1000", name="checked")
        self.sleeping(name="lost")
        self.detached("--restart", "always", DEMO, "sh", "-c", "echo ran; exit 3", name="again")
        until(lambda: self.lines("again") >= 3 and self.in_database("again")[0] == "restarting", "it waits for its restart")
        until(lambda: self.state("checked")["Health"]["Status"] == "healthy", "it is checked")
        self.ok("run", "--rm", DEMO, "true")  # which notes that it has looked for lost ones

    def test_nothing_waits_for_the_time_to_come_again(self):
        self.begin()
        checks, runs = self.checks(), self.lines("again")
        time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME) - HOUR)

        self.assertNotIn("-", self.ok("ps", "--format", "{{.Status}} {{.RunningFor}}"), "since when, and not until when")
        until(lambda: self.lines("again") > runs + 1, "a restart waits no longer than it would have", patience=60)
        until(lambda: self.checks() > checks + 1, "the health is looked at again")

        monitor = self.state("lost")["MonitorPid"]
        os.kill(monitor, signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{monitor}"), "the monitor is gone")
        self.ok("run", "--rm", DEMO, "true")
        self.assertEqual(self.in_database("lost")[0::2][:2], ("exited", "monitor lost"))

        begun = time.monotonic()
        self.ok("stop", "-t", "2", "deaf")
        self.assertLess(time.monotonic() - begun, 30)
        self.assertEqual(self.in_database("deaf")[:2], ("exited", 137))
        self.assertIn("Exited (137)", self.ok("ps", "-a"))
        self.ok("start", "deaf")
        until(lambda: self.lines("deaf") == 2, "it runs again")
        self.ok("rm", "-f", "--all")
        leftovers.wait_until_gone(self._before)
        self.assert_nothing_left()


main()
