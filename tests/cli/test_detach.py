"""Containers that go on without the command that started them: run --detach, start, and who puts their end on record."""

import os
import pathlib
import re
import signal
import subprocess
import time

from support import leftovers
from support.case import DEMO, main
from support.detached import Detached
from support.waiting import until


class Run(Detached):
    def test_it_prints_the_whole_id_and_returns(self):
        container = self.sleeping()
        self.assertRegex(container, "^[0-9a-f]{64}$")
        self.assertEqual(self.look()["Id"], container)
        state = self.state()
        self.assertEqual((state["Status"], state["Running"]), ("running", True))

    def test_its_end_is_on_record_without_another_command(self):
        self.detached(DEMO, "sh", "-c", "echo out; echo err >&2; exit 7")
        self.until_ended()
        state, status, reason, started, finished = self.in_database()
        self.assertEqual((state, status, reason or ""), ("exited", 7, ""))
        self.assertLess(started, finished)
        self.assertIn("out\n", self.ok("logs", "job"))
        self.assertEqual(leftovers.wait_until_gone(self._before), [])

    def test_many_that_end_at_once_are_all_recorded(self):
        names = [f"c{number}" for number in range(12)]
        for name in names:
            self.detached(DEMO, "true", name=name)
        for name in names:
            self.until_ended(name)
            self.assertEqual(self.in_database(name)[:2], ("exited", 0), name)

    def test_one_with_rm_is_gone_after_its_end(self):
        self.detached("--rm", "-v", "/data", DEMO, "true")
        self.until_ended()
        self.assertEqual(leftovers.wait_until_gone(self._before), [])
        self.assert_nothing_left()
        self.assertEqual(list((self.root / "volumes").iterdir()), [])

    def test_a_start_that_fails(self):
        for command, status in ((["nosuch"], 127), (["/etc/passwd"], 126)):
            self.fails(status, "run", "-d", "--rm", DEMO, *command, saying=command[0])
            self.assert_nothing_left()
            self.fails(status, "run", "-d", "--name", "job", DEMO, *command, saying=command[0])
            self.assertEqual(self.state()["Status"], "created")
            self.ok("rm", "job")
        self.fails(125, "run", "-d", "--rm", "-w", "/etc/passwd", DEMO, "true")
        self.assert_nothing_left()

    def test_its_standard_input(self):
        self.detached(DEMO, "sh", "-c", "cat; exit 4")
        self.until_ended()
        self.assertEqual(self.in_database()[1], 4)
        self.detached("-i", DEMO, "sh", "-c", "cat; exit 4", name="open")
        time.sleep(0.3)
        self.assertEqual(self.state("open")["Status"], "running")

    def test_a_terminal_without_one_here(self):
        self.detached("-it", DEMO, "sh", "-c", "tty; exit 3")
        self.until_ended()
        self.assertEqual(self.in_database()[1], 3)
        self.assertIn("/dev/pts/0", self.ok("logs", "job"))


class NothingOfTheCaller(Detached):
    def holders(self, what):
        """The processes that have something open or stand in it."""
        found = []
        for directory in pathlib.Path("/proc").iterdir():
            if not directory.name.isdigit() or int(directory.name) == os.getpid():
                continue
            try:
                links = [directory / "cwd", *(directory / "fd").iterdir()]
                found += [f"{directory.name} {link.name}" for link in links if os.readlink(link) == what]
            except OSError:
                continue
        return found

    def test_command_substitution_does_not_hang(self):
        for level in ("warn", "debug"):
            words = " ".join(self.command("--log-level", level, "run", "-d", DEMO, "sleep", "1000"))
            done = subprocess.run(["sh", "-c", f"x=$({words} 2>&1); echo \"$x\" | tail -n 1"], stdout=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, timeout=60, check=True, env=self.environment)
            self.assertRegex(done.stdout.decode(), "^[0-9a-f]{64}\n$")

    def test_no_directory_stream_or_session_of_its_is_kept(self):
        place = self.work / "place"
        place.mkdir()
        reading, writing = os.pipe()
        subprocess.run(self.command("run", "-d", "--name", "job", DEMO, "sleep", "1000"), cwd=place, check=True,
                       stdin=subprocess.DEVNULL, stdout=writing, stderr=writing, pass_fds=(writing,),
                       env=self.environment)
        os.close(writing)
        self.assertEqual(len(os.read(reading, 100)), 65)
        self.assertEqual(os.read(reading, 1), b"", "nobody else has the other end")
        os.close(reading)
        self.assertEqual(self.holders(str(place)), [])
        monitor = self.state()["MonitorPid"]
        self.assertEqual(os.getsid(monitor), monitor)
        self.assertEqual({os.readlink(f"/proc/{monitor}/fd/{fd}") for fd in (0, 1, 2)}, {"/dev/null"})

    def test_a_hangup_of_the_session_does_not_reach_it(self):
        process = self.start("run", "-d", "--name", "job", DEMO, "sleep", "1000", stdout=subprocess.PIPE,
                             start_new_session=True)
        process.communicate(timeout=60)
        try:
            os.killpg(process.pid, signal.SIGHUP)
        except ProcessLookupError:
            pass
        time.sleep(0.2)
        self.assertTrue(self.state()["Running"])


class Start(Detached):
    def test_several_at_once(self):
        for name in ("one", "two"):
            self.ok("create", "--name", name, DEMO, "sleep", "1000")
        self.assertEqual(self.ok("start", "one", "two"), "one\ntwo\n")
        self.assertEqual([self.state(name)["Status"] for name in ("one", "two")], ["running"] * 2)

    def test_one_that_runs_is_left_as_it_is(self):
        self.sleeping()
        pid = self.state()["Pid"]
        self.assertEqual(self.ok("start", "job"), "job\n")
        self.assertEqual(self.state()["Pid"], pid)

    def test_one_that_is_not_there_does_not_keep_the_others_from_starting(self):
        self.ok("create", "--name", "one", DEMO, "sleep", "1000")
        done = self.fails(125, "start", "nosuch", "one", saying='there is no container "nosuch"')
        self.assertEqual(done.stdout, "one\n")
        self.assertTrue(self.state("one")["Running"])

    def test_one_that_cannot_start(self):
        self.ok("create", "--name", "job", DEMO, "nosuch")
        self.fails(127, "start", "job", saying="nosuch")
        self.assertEqual(self.state()["Status"], "created")

    def test_again_and_again(self):
        self.ok("create", "--name", "job", DEMO, "sh", "-c", "echo x >> /ran; exit $(wc -l < /ran)")
        for status in (1, 2, 3):
            self.ok("start", "job")
            self.until_ended()
            self.assertEqual(self.in_database()[:2], ("exited", status))
        started, finished = self.in_database()[3:]
        self.assertLess(started, finished)

    def test_attached_takes_one(self):
        self.fails(125, "start", "-a", "one", "two", saying="takes one container")


class Foreground(Detached):
    def test_a_client_that_is_lost_leaves_the_end_to_the_monitor(self):
        process = self.start("run", "--name", "job", DEMO, "sh", "-c", "echo ready; sleep 0.3; exit 5",
                             stdout=subprocess.PIPE)
        process.stdout.readline()
        process.kill()
        process.wait()
        self.until_ended()
        self.assertEqual(self.in_database()[:2], ("exited", 5))

    def test_one_with_rm_whose_client_is_lost_removes_itself(self):
        process = self.start("run", "--rm", "--name", "job", DEMO, "sh", "-c", "echo ready; sleep 0.3",
                             stdout=subprocess.PIPE)
        process.stdout.readline()
        process.kill()
        process.wait()
        self.until_ended()
        self.assertEqual(leftovers.wait_until_gone(self._before), [])
        self.assert_nothing_left()


class Others(Detached):
    def test_a_run_looks_at_the_others_once_a_minute(self):
        """So that its time does not grow with what runs; a command that looks at containers always does."""
        self.lose_one()
        self.ok("run", "--rm", DEMO, "true")
        self.assertIsNotNone(self.in_database(), "nobody has looked")
        for moment in (time.time() - 61, time.time() + 3600):
            os.utime(self.runroot / "recovered", (moment, moment))
            self.ok("run", "--rm", DEMO, "true")
            self.assertIsNone(self.in_database(), moment)
            self.lose_one()
        self.assertEqual(self.ok("ps", "-aq"), "")

    def lose_one(self):
        self.sleeping("--rm")
        monitor = self.state()["MonitorPid"]
        os.kill(monitor, signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{monitor}"), "its monitor is gone")


class Hidden(Detached):
    def test_the_finishing_command_is_in_no_list(self):
        self.assertNotIn("finish", self.ok("--help"))
        self.assertFalse(re.search("container finish", self.fails(125, "container", "finsh").stderr))

    def test_by_hand_it_changes_nothing_that_runs(self):
        container = self.sleeping()
        self.fails(125, "container", "finish", container, saying="is running")
        self.assertTrue(self.state()["Running"])
        self.ok("container", "finish", "0" * 64)


if __name__ == "__main__":
    main()
