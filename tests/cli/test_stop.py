"""Ending containers: stop, kill, restart, wait, rm --force --time."""

import subprocess
import threading
import time

from support import images
from support.case import DEMO, main
from support.detached import Detached
from support.waiting import until

# Says on which signal it ends.
TRAPS = ["sh", "-c", "for s in TERM USR1 HUP INT; do trap \"echo got $s; exit 7\" $s; done; echo ready; "
                     "while :; do sleep 0.05; done"]
DEAF = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]


class Ending(Detached):
    def ready(self, *words, name="job"):
        container = self.detached(*words, name=name)
        until(lambda: "ready" in self.ok("logs", name), "it is ready")
        return container


class Stop(Ending):
    def test_the_end_is_on_record_when_it_returns(self):
        self.ready(DEMO, *TRAPS)
        self.assertEqual(self.ok("stop", "job"), "job\n")
        self.assertEqual(self.in_database()[:2], ("exited", 7))
        self.assertIn("got TERM", self.ok("logs", "job"))
        self.assertFalse(self.state()["Running"])

    def test_its_signal(self):
        self.ready("--stop-signal", "USR1", DEMO, *TRAPS)
        self.ok("stop", "job")
        self.assertIn("got USR1", self.ok("logs", "job"))
        image = images.load(self, "stopping", images.busybox_entries(), settings={"StopSignal": "SIGHUP"})
        self.ready(image, *TRAPS, name="other")
        self.ok("stop", "other")
        self.assertIn("got HUP", self.ok("logs", "other"))

    def test_one_that_does_not_follow_is_killed_in_time(self):
        self.ready(DEMO, *DEAF)
        begun = time.monotonic()
        done = self.berth("stop", "-t", "1", "job")
        self.assertEqual((done.status, done.stdout), (0, "job\n"), done)
        self.assertTrue(1 <= time.monotonic() - begun < 8)
        self.assertIn("container job has not ended within 1 s of its stop signal, and was killed", done.stderr)
        self.assertEqual(self.in_database()[:2], ("exited", 137))

    def test_the_patience_that_it_was_made_with(self):
        self.ready("--stop-timeout", "0", DEMO, *DEAF)
        begun = time.monotonic()
        self.ok("stop", "job")
        self.assertLess(time.monotonic() - begun, 8)
        self.assertEqual(self.look()["Config"]["StopTimeout"], 0)

    def test_for_ever(self):
        self.ready(DEMO, *DEAF)
        process = self.start("stop", "--time", "-1", "job")
        time.sleep(1)
        self.assertIsNone(process.poll())
        self.ok("kill", "job")
        self.assertEqual(process.wait(20), 0)

    def test_several_all_and_those_that_are_not_there(self):
        for name in ("a", "b", "c"):
            self.sleeping(name=name)
        done = self.berth("stop", "a", "nosuch", "b")
        self.assertEqual((done.status, done.stdout), (125, "a\nb\n"), done)
        self.assertIn('there is no container "nosuch"', done.stderr)
        self.assertEqual(self.ok("stop", "--ignore", "nosuch", "a"), "a\n", "stopped already")
        self.assertEqual(self.ok("stop", "--all").split(), [self.look("c")["Id"]])
        self.fails(125, "stop", saying="needs a container")

    def test_one_that_has_not_been_started(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.assertEqual(self.ok("stop", "job"), "job\n")
        self.assertEqual(self.state()["Status"], "created")

    def test_one_with_rm_and_one_in_the_foreground(self):
        self.sleeping("--rm")
        self.ok("stop", "job")
        self.assert_nothing_left()
        process = self.start("run", "--name", "job", DEMO, *TRAPS, stdout=subprocess.PIPE)
        process.stdout.readline()
        self.ok("stop", "job")
        self.assertEqual(process.wait(20), 7)
        self.assertEqual(self.in_database()[:2], ("exited", 7))

    def test_one_that_is_paused(self):
        self.ready(DEMO, *TRAPS)
        self.ok("pause", "job")
        begun = time.monotonic()
        self.ok("stop", "job")
        self.assertLess(time.monotonic() - begun, 8)
        self.assertEqual(self.in_database()[:2], ("exited", 7))
        self.assertIn("got TERM", self.ok("logs", "job"))

    def test_one_whose_client_does_not_read(self):
        process = self.start("run", "--name", "job", DEMO, "sh", "-c", "yes", stdout=subprocess.PIPE)
        until(lambda: self.berth("logs", "--tail", "1", "job").stdout == "y\n", "it writes")
        self.ok("stop", "job")
        self.assertEqual(self.in_database()[0], "exited")
        process.stdout.close()
        process.wait(20)

    def test_many_at_once(self):
        for number in range(6):
            self.sleeping(name=f"c{number}")
        processes = [self.start("stop", "--all", stdout=subprocess.DEVNULL) for _ in range(3)]
        self.assertEqual([process.wait(60) for process in processes], [0, 0, 0])
        self.assertEqual(self.ok("ps", "-q"), "")


class Kill(Ending):
    def test_a_signal(self):
        self.ready(DEMO, *TRAPS)
        self.assertEqual(self.ok("kill", "-s", "SIGUSR1", "job"), "job\n")
        self.until_ended()
        self.assertEqual(self.in_database()[1], 7)
        self.assertIn("got USR1", self.ok("logs", "job"))

    def test_sigkill_if_nothing_is_said(self):
        self.ready(DEMO, *DEAF)
        self.ok("kill", "job")
        self.until_ended()
        self.assertEqual(self.in_database()[1], 137)

    def test_one_that_does_not_run(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.fails(125, "kill", "job", saying="container job does not run (created)")
        self.fails(125, "kill", "-s", "NOSUCH", "job", saying="--signal")


class Restart(Ending):
    def test_it_runs_again_in_its_own_bank(self):
        self.detached(DEMO, "sh", "-c", "echo x >> /ran; cat /proc/self/uid_map; echo ready $(wc -l < /ran); exec sleep 1000")
        until(lambda: "ready 1" in self.ok("logs", "job"), "it is ready")
        pid = self.state()["Pid"]
        self.assertEqual(self.ok("restart", "job"), "job\n")
        until(lambda: "ready 2" in self.ok("logs", "job"), "it is ready again")
        self.assertNotEqual(self.state()["Pid"], pid)
        maps = {line for line in self.ok("logs", "job").splitlines() if "ready" not in line}
        self.assertEqual(len(maps), 1)

    def test_one_that_does_not_run_is_started(self):
        self.ok("create", "--name", "job", DEMO, "sleep", "1000")
        self.ok("restart", "job")
        self.assertTrue(self.state()["Running"])

    def test_those_that_run(self):
        self.sleeping(name="one")
        self.ok("create", "--name", "two", DEMO, "true")
        self.assertEqual(self.ok("restart", "--running").split(), [self.look("one")["Id"]])
        self.assertEqual(self.state("two")["Status"], "created")


class Wait(Ending):
    def test_the_status_of_several(self):
        self.detached(DEMO, "sh", "-c", "sleep 0.5; exit 3", name="a")
        self.detached("--rm", DEMO, "sh", "-c", "sleep 0.5; exit 4", name="b")
        self.detached(DEMO, "sh", "-c", "exit 5", name="c")
        self.assertEqual(self.ok("wait", "a", "c"), "3\n5\n")
        self.assertEqual(self.in_database("a")[0], "exited")
        self.assertEqual(self.berth("wait", "--ignore", "b").status, 0)

    def test_one_with_rm(self):
        self.detached("--rm", DEMO, "sh", "-c", "sleep 1; exit 4")
        self.assertEqual(self.ok("wait", "job"), "4\n")
        self.assert_nothing_left()

    def test_conditions(self):
        self.ok("create", "--name", "job", DEMO, "sh", "-c", "sleep 0.5; exit 6")
        self.assertEqual(self.ok("wait", "job"), "0\n", "it does not run")
        waiting = {condition: self.start("wait", "--condition", condition, "job", stdout=subprocess.PIPE)
                   for condition in ("next-exit", "running", "removed")}
        time.sleep(0.3)
        self.ok("start", "job")
        self.assertEqual(waiting["running"].communicate(timeout=20)[0], b"-1\n")
        self.assertEqual(waiting["next-exit"].communicate(timeout=20)[0], b"6\n")
        self.assertIsNone(waiting["removed"].poll())
        self.ok("rm", "job")
        self.assertEqual(waiting["removed"].communicate(timeout=20)[0], b"6\n")
        self.fails(125, "wait", "--condition", "nosuch", "job")
        self.fails(125, "wait", "nosuch", saying='there is no container "nosuch"')


class RemoveByForce(Ending):
    def test_with_time_it_may_end_by_itself(self):
        self.ready("-v", f"{self.work}:/out", DEMO, "sh", "-c",
                   "trap 'echo bye > /out/said; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
        subprocess.run(["chmod", "777", self.work], check=True)
        self.ok("rm", "-f", "-t", "10", "job")
        self.assertEqual((self.work / "said").read_text(), "bye\n")
        self.assert_nothing_left()

    def test_without_it_is_killed_at_once(self):
        self.ready(DEMO, *DEAF)
        begun = time.monotonic()
        self.ok("rm", "-f", "job")
        self.assertLess(time.monotonic() - begun, 5)
        self.assert_nothing_left()
        self.fails(125, "rm", "-t", "3", "job", saying="--force")


class AtOnce(Ending):
    def test_stops_starts_and_looks(self):
        """Whatever comes in between, every command says something true, and in the end it can be removed."""
        self.sleeping()
        deadline = time.monotonic() + 4
        failed = []

        def repeat(*words):
            while time.monotonic() < deadline:
                done = self.berth(*words)
                if done.status != 0 and "another command is busy" not in done.stderr:
                    failed.append(str(done))
        threads = [threading.Thread(target=repeat, args=words)
                   for words in (["start", "job"], ["stop", "job"], ["ps", "-a"], ["restart", "job"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        self.ok("rm", "-f", "job")
        self.assert_nothing_left()


if __name__ == "__main__":
    main()
