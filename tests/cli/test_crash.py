"""Processes that are killed at every step of a container's life: what the next command finds, and what it leaves."""

import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from support import images, leftovers
from support.case import DEMO, REPOSITORY, BerthCase, main
from support.images import archive

# Where a run can be killed, and by whom it is noticed: the command itself is killed, or it says what was lost.
CLIENT_POINTS = {"container-directory-made", "volume-copied", "volumes-made", "before-create-commit",
                 "container-recorded", "planned", "restart-recorded", "monitor-spawned", "start-sent", "started",
                 "identity-staged", "filter-staged", "removing", "files-removed-but-lock", "lock-removed", "files-removed",
                 "record-removed", "exit-stored"}
MONITOR_POINTS = {"cgroup-made", "cgroup-recorded", "task-received", "process-created", "rootfs-mounted", "assembled",
                  "container-started", "state-recorded", "container-ended", "exit-recorded"}
EARLY_INSIDE_POINTS = {"inside-mapped", "mounts-made"}
LATE_INSIDE_POINTS = {"inside-entered", "inside-ready"}
INSIDE_POINTS = EARLY_INSIDE_POINTS | LATE_INSIDE_POINTS
VOLUME_POINTS = {"volume-directory-made", "volume-moved"}  # not of a run; test_volume.py kills there
# Of containers in networks: test_publish.py kills there.
NETWORK_POINTS = {"rules-made", "networks-recorded", "pair-made", "interfaces-made", "ports-published",
                  "networks-taken-away"}
# test_network.py and test_dns.py kill there.
ADDRESS_POINTS = {"addresses-taken", "names-written"}
DETACHED_POINTS = {"restart-waiting"}  # of no run in the foreground; test_detach_crash.py kills there
RENAME_POINTS = {"before-rename-commit"}
COMMIT_POINTS = {"held-still"}  # test_commit.py kills there
SYSTEMD_POINTS = {"scope-started"}  # where systemd runs; tests/vm/engine/test_scope_choices.py kills there
# Of berth-runtime's alone: test_runtime_exec.py and test_runtime_crash.py kill there.
RUNTIME_POINTS = {"exec-forked", "exec-ready", "hooks-have-mounted"}


class Crash(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def killed_at(self, point, *words):
        """Runs a command that is killed at a point, and waits until what it started has ended."""
        done = self.berth(*words, env={"BERTH_FAULT": point})
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        return done

    def states(self):
        return {row["Names"][0]: row["State"] for row in json.loads(self.ok("ps", "-a", "--format", "json"))}

    def directories(self):
        """What is in the store and below the run root of containers, volumes and unfinished work."""
        found = []
        for base in (self.root / "containers", self.runroot / "containers", self.root / "volumes", self.root / "tmp"):
            found += [str(path.relative_to(base.parents[1])) for path in base.iterdir() if path.name != "creating.lock"]
        return found

    def assert_clean(self):
        self.ok("system", "repair")
        self.assert_nothing_left()
        self.assertEqual(self.directories(), [])

    def background(self, *words):
        """Starts `berth run` of a command that says a line when it is ready, and waits for that line."""
        process = self.start("run", *words, stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def sleeping(self, *flags):
        return self.background("--name", "job", *flags, DEMO, "sh", "-c", "echo ready; exec sleep 1000")

    def state(self):
        return json.loads(self.ok("inspect", "job"))[0]["State"]


class AtEveryPoint(Crash):
    def test_every_point_of_the_source_is_tried(self):
        found = set()
        for folder in ("cli", "engine", "monitor", "net", "runtime", "seccomp"):
            for path in (REPOSITORY / "src" / folder).rglob("*.cc"):
                found |= set(re.findall(r'fault::point\("([^"]+)"\)', path.read_text()))
        self.assertEqual(found, CLIENT_POINTS | MONITOR_POINTS | INSIDE_POINTS | VOLUME_POINTS | NETWORK_POINTS | DETACHED_POINTS |
                         ADDRESS_POINTS | RENAME_POINTS | COMMIT_POINTS | SYSTEMD_POINTS | RUNTIME_POINTS)

    def test_a_rename_happens_or_does_not(self):
        self.ok("create", "--name", "job", DEMO)
        for point in RENAME_POINTS:
            self.assertEqual(self.killed_at(point, "rename", "job", "other").status, 137)
            self.assertEqual(self.ok("ps", "-a", "--format", "{{.Names}}"), "job\n")
        self.ok("rename", "job", "other")
        self.ok("rm", "other")

    def try_point(self, point, *flags):
        # A user that the image does not know, an unnamed volume, no filter in the cache: every step is taken.
        done = self.killed_at(point, "run", "--name", "job", "-u", "10000", "-v", "/data", *flags, DEMO, "true")
        if point in CLIENT_POINTS:
            self.assertEqual(done.status, 137, done)
        elif point in LATE_INSIDE_POINTS:
            self.assertEqual(done.status, 137, "as any process that is killed")
        else:
            self.assertEqual(done.status, 125, done)
            self.assertRegex(done.stderr, "^berth: ")

    def test_a_run_with_rm_leaves_nothing_after_the_next_command(self):
        without = {"restart-recorded", "exit-stored", "removing", "files-removed"}
        for point in sorted((CLIENT_POINTS | MONITOR_POINTS | INSIDE_POINTS) - without):
            with self.subTest(point=point):
                self.try_point(point, "--rm")
                self.assertEqual(self.states(), {})
                self.assert_clean()
                self.forget_caches()

    def test_a_run_without_rm_leaves_a_container_that_can_be_removed_or_none(self):
        not_there = {"monitor-spawned", "container-directory-made", "volume-copied", "volumes-made",
                     "before-create-commit"}
        without = {"restart-recorded", "removing", "files-removed-but-lock", "lock-removed", "files-removed",
                   "record-removed"}
        for point in sorted((CLIENT_POINTS | MONITOR_POINTS | INSIDE_POINTS) - without):
            with self.subTest(point=point):
                self.try_point(point)
                states = self.states()
                self.assertEqual(set(states), set() if point in not_there else {"job"})
                self.ok("system", "repair")
                if states:
                    state = self.state()
                    self.assertIn((state["Status"], state["ExitCode"], state["Error"]),
                                  (("created", 0, ""), ("exited", 0, ""), ("exited", 137, ""),
                                   ("exited", None, "monitor lost")))
                    # It is whole: it runs, whatever was lost before.
                    self.ok("start", "-a", "job")
                    self.ok("rm", "job")
                for volume in (self.root / "volumes").iterdir():  # rm without --volumes keeps them
                    subprocess.run(["rm", "-r", volume], check=True)
                self.assert_nothing_left()
                self.assertEqual(self.directories(), [])
                self.forget_caches()

    def forget_caches(self):
        subprocess.run(["rm", "-rf", self.root / "cache" / "seccomp"], check=True)
        for path in (self.root / "identities").iterdir():
            subprocess.run(["rm", "-r", path], check=True)

    def test_a_second_start_that_is_killed(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.ok("start", "-a", "job")
        expected = {"planned": ("exited", 0, ""), "container-ended": ("exited", None, "monitor lost"),
                    "exit-recorded": ("exited", 0, ""), "started": ("exited", 0, "")}
        for point in ("planned", "restart-recorded", "monitor-spawned", "start-sent", "started", "process-created",
                      "state-recorded", "container-ended", "exit-recorded", "exit-stored", "inside-ready"):
            with self.subTest(point=point):
                done = self.killed_at(point, "start", "-a", "job")
                self.assertIn(done.status, (137, 125), done)
                state = self.state()
                self.assertFalse(state["Running"])
                if point in expected:
                    self.assertEqual((state["Status"], state["ExitCode"], state["Error"]), expected[point])
                self.ok("start", "-a", "job")
                self.assertEqual(self.state()["ExitCode"], 0)
        self.ok("rm", "job")
        self.assert_clean()

    def test_a_removal_that_is_killed_is_finished_by_the_next_command(self):
        for point in ("removing", "files-removed-but-lock", "lock-removed", "files-removed"):
            self.ok("create", "--name", "job", DEMO, "true")
            self.assertEqual(self.killed_at(point, "rm", "job").status, 137)
            self.assertEqual(self.states(), {}, point)
            self.assert_clean()

    def test_a_repair_that_is_killed_is_finished_by_the_next(self):
        for point in ("removing", "files-removed-but-lock", "lock-removed", "files-removed"):
            self.killed_at("container-recorded", "run", "--rm", "--name", "job", DEMO, "true")
            self.assertEqual(self.killed_at(point, "system", "repair").status, 137)
            self.assert_clean()


class MonitorLost(Crash):
    def test_its_container_dies_with_it_and_the_end_is_unknown(self):
        process = self.sleeping()
        state = self.state()
        os.kill(state["MonitorPid"], signal.SIGKILL)
        self.assertEqual(process.wait(20), 125)
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        self.assertFalse(os.path.exists(f"/proc/{state['Pid']}"))
        state = self.state()
        self.assertEqual((state["Status"], state["Running"], state["ExitCode"], state["Error"]),
                         ("exited", False, None, "monitor lost"))
        self.assertRegex(self.ok("ps", "-a"), r"Exited \(unknown: monitor lost\)")
        self.assertEqual(self.ok("logs", "job"), "ready\n")
        self.ok("rm", "job")
        self.assert_clean()

    def test_a_container_with_rm_is_gone_with_the_next_command(self):
        process = self.sleeping("--rm")
        os.kill(self.state()["MonitorPid"], signal.SIGKILL)
        self.assertEqual(process.wait(20), 125)
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        self.assertEqual(self.states(), {})
        self.assert_clean()

    def test_the_message_says_what_happened(self):
        process = self.start("run", "--name", "job", DEMO, "sh", "-c", "echo ready; exec sleep 1000",
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.readline()
        os.kill(self.state()["MonitorPid"], signal.SIGKILL)
        self.assertIn("berth-monitor was lost", process.stderr.read().decode())
        self.assertEqual(process.wait(20), 125)
        self.ok("ps")  # which takes away what was left

    def test_a_process_that_escapes_the_death_signal_is_ended_by_the_next_command(self):
        # A PID 1 of its own that executes a setuid file: the kernel then forgets whose death it should follow.
        def entries():
            yield from images.busybox_entries()
            yield archive.directory("setuid")
            yield archive.file("setuid/sh", pathlib.Path("/bin/busybox").read_bytes(), mode=0o4755)
        image = images.load(self, "setuid", entries())
        process = self.start("run", "--name", "job", "--init=false", "-u", "1000", image, "/setuid/sh", "-c",
                             "echo ready; while :; do sleep 1; done", stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        state = self.state()
        os.kill(state["MonitorPid"], signal.SIGKILL)
        process.wait(20)
        self.ok("ps", "-a")
        self.assertEqual(leftovers.wait_until_gone(self._before), [])
        self.assertEqual(self.state()["Error"], "monitor lost")

    def test_sigterm_to_the_monitor_is_for_its_container(self):
        process = self.sleeping()
        os.kill(self.state()["MonitorPid"], signal.SIGTERM)
        self.assertEqual(process.wait(20), 143)
        self.assertEqual(self.state()["ExitCode"], 143)


class ClientLost(Crash):
    def test_the_container_runs_on_and_can_be_found_and_removed(self):
        process = self.sleeping()
        process.kill()
        process.wait()
        state = self.state()
        self.assertEqual((state["Status"], state["Running"]), ("running", True))
        self.assertEqual(self.states(), {"job": "running"})
        self.assertEqual(self.ok("logs", "job"), "ready\n")
        self.assertEqual(self.ok("start", "job"), "job\n")
        self.assertEqual(self.state()["Pid"], state["Pid"])
        self.ok("rm", "-f", "job")
        self.assert_clean()

    def test_its_end_is_recorded_without_a_client(self):
        process = self.background("--name", "job", DEMO, "sh", "-c", "echo ready; sleep 0.3; echo late; exit 7")
        process.kill()
        process.wait()
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        state = self.state()
        self.assertEqual((state["Status"], state["ExitCode"], state["Error"]), ("exited", 7, ""))
        self.assertEqual(self.ok("logs", "job"), "ready\nlate\n")

    def test_one_with_rm_is_gone_after_its_end(self):
        process = self.background("--rm", "--name", "job", DEMO, "sh", "-c", "echo ready; sleep 0.3")
        process.kill()
        process.wait()
        self.assertEqual(self.states(), {"job": "running"})
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        self.assertEqual(self.states(), {})
        self.assert_clean()

    def test_much_output_does_not_hold_it_up(self):
        process = self.background("--name", "job", DEMO, "sh", "-c", "echo ready; seq 1 100000; exit 3")
        process.kill()
        process.wait()
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        self.assertEqual(self.state()["ExitCode"], 3)
        self.assertEqual(self.ok("logs", "--tail", "1", "job"), "100000\n")

    def test_its_input_ends(self):
        process = self.start("run", "-i", "--name", "job", DEMO, "sh", "-c", "echo ready; cat; exit 9",
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.kill()
        process.wait()
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        self.assertEqual(self.state()["ExitCode"], 9)


class AtOnce(Crash):
    def test_two_starts_of_one_container(self):
        self.ok("create", "--name", "job", DEMO, "sh", "-c", "sleep 2; echo ran")
        processes = [self.start("start", "-a", "job", stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
        ends = [(process.communicate(timeout=30), process.returncode) for process in processes]
        # One starts it, and the others come to it while it runs.
        self.assertEqual([(out, error, status) for (out, error), status in ends], [(b"ran\n", b"", 0)] * 4)
        self.assertEqual(self.ok("logs", "job"), "ran\n", "it has run once")

    def test_sixteen_runs_all_succeed_in_banks_of_their_own(self):
        def one(number):
            return self.berth("run", "--rm", DEMO, "sh", "-c", f"cat /proc/self/uid_map; sleep 0.3; echo {number}")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            done = list(pool.map(one, range(16)))
        for number, finished in enumerate(done):
            self.assertEqual((finished.status, finished.stderr), (0, ""), finished)
            self.assertEqual(finished.stdout.split()[3], str(number))
        self.assertEqual(len({finished.stdout.split()[1] for finished in done}), 16)
        self.assert_clean()

    def test_runs_and_everything_that_looks_at_them(self):
        """Commands that tidy up, beside commands that come and go."""
        deadline = time.monotonic() + 4

        def repeat(*words):
            failed = []
            while time.monotonic() < deadline:
                done = self.berth(*words)
                if done.status != 0:
                    failed.append(str(done))
            return failed
        commands = [("run", "--rm", "-v", "/data", DEMO, "true")] * 3 + [("ps", "-a"), ("system", "repair"),
                                                                       ("ps", "--format", "json")]
        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
            for failed in pool.map(lambda words: repeat(*words), commands):
                self.assertEqual(failed, [])
        self.assert_clean()

    def test_the_first_commands_on_a_new_store(self):
        subprocess.run(["rm", "-rf", self.root, self.runroot], check=True)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for finished in pool.map(lambda _: self.berth("ps", "-a"), range(8)):
                self.assertEqual((finished.status, finished.stderr), (0, ""), finished)


if __name__ == "__main__":
    main()
