"""The life of a container: create, start, ps, inspect, logs, rm."""

import json
import os
import signal
import subprocess
import time

from support.case import DEMO, BerthCase, main


class Containers(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def background(self, *words):
        """Starts `berth run` of a command that says a line when it is ready, and waits for that line."""
        process = self.start("run", *words, stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def sleeping(self, name, *flags):
        return self.background("--name", name, *flags, DEMO, "sh", "-c", "echo ready; exec sleep 1000")

    def shown(self, name):
        return json.loads(self.ok("inspect", name))[0]


class CreateAndStart(Containers):
    def test_create_prints_the_id_and_start_runs_it(self):
        identity = self.ok("create", "--name", "job", DEMO, "sh", "-c", "echo out; echo err >&2; exit 3").strip()
        self.assertRegex(identity, r"^[0-9a-f]{64}$")
        done = self.berth("start", "-a", "job")
        self.assertEqual((done.status, done.stdout, done.stderr), (3, "out\n", "err\n"))
        self.assertEqual(self.shown(identity[:12])["Id"], identity)

    def test_a_second_start_keeps_ids_files_and_settings(self):
        self.ok("create", "--name", "job", "-e", "KEPT=yes", "-u", "10000", DEMO, "sh", "-c",
                "cat /tmp/file; id; cat /proc/self/uid_map; echo $KEPT $HOSTNAME; echo again > /tmp/file")
        first = self.ok("start", "-a", "job")
        self.assertEqual(self.ok("start", "-a", "job"), "again\n" + first)
        self.assertIn("uid=10000(10000)", first)

    def test_input_goes_to_a_container_made_for_it(self):
        self.ok("create", "-i", "--name", "job", DEMO, "cat")
        self.assertEqual(self.ok("start", "-ai", "job", input="words"), "words")
        self.assertEqual(self.ok("start", "-a", "job", input="words"), "")

    def test_signals_reach_a_started_one(self):
        self.ok("create", "--name", "job", DEMO, "sh", "-c", "echo ready; exec sleep 1000")
        process = self.start("start", "-a", "job", stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), 143)

    def test_a_running_one_is_not_started_again(self):
        self.sleeping("job")
        pid = self.shown("job")["State"]["Pid"]
        self.ok("start", "job")
        self.assertEqual(self.shown("job")["State"]["Pid"], pid)
        self.ok("rm", "-f", "job")

    def test_one_made_with_rm_goes_when_it_has_run(self):
        self.ok("create", "--rm", "--name", "job", DEMO, "echo", "once")
        self.assertIn("job", self.ok("ps", "-a"), "it has not run yet")
        self.assertEqual(self.ok("start", "-a", "job"), "once\n")
        self.assert_nothing_left()

    def test_a_start_that_fails_keeps_what_was(self):
        source = self.work / "source"
        source.mkdir()
        self.assertEqual(self.berth("run", "--name", "job", "-v", f"{source}:/mnt", DEMO, "sh", "-c", "exit 4").status, 4)
        source.rmdir()
        self.fails(125, "start", "-a", "job", saying=[str(source), "ENOENT"])
        state = self.shown("job")["State"]
        self.assertEqual((state["Status"], state["ExitCode"]), ("exited", 4))


class Names(Containers):
    def test_a_name_is_taken_once(self):
        self.ok("create", "--name", "web", DEMO, "true")
        self.fails(125, "run", "--name", "web", DEMO, "true",
                   saying=['the name "web" is in use by container', "hint: `berth rm web` removes that container"])
        self.assertEqual(len(self.ok("ps", "-aq").split()), 1)

    def test_what_can_not_be_a_name(self):
        for name in ("-x", "a/b", "a b", "../x", ".x", "x" * 129, "a\nb", "é"):
            self.fails(125, "run", f"--name={name}", DEMO, "true", saying="can't be a container's name")

    def test_a_made_up_name_and_every_way_to_say_which_container(self):
        identity = self.ok("create", DEMO, "true").strip()
        name = self.shown(identity)["Name"]
        self.assertRegex(name, r"^[a-z]+_[a-z]+\d+$")
        for word in (identity, identity[:12], identity[:3], name):
            self.assertEqual(self.shown(word)["Id"], identity)
        self.fails(125, "inspect", "", saying="there is no container")


class Listing(Containers):
    def test_ps(self):
        self.assertRegex(self.ok("ps"), r"^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +BANK +NAMES\n$")
        self.ok("create", "--name", "made", DEMO, "true")
        self.assertEqual(self.berth("run", "--name", "ended", DEMO, "sh", "-c", "exit 3").status, 3)
        self.sleeping("runs")
        self.assertRegex(self.ok("ps"), r"(?m)^[0-9a-f]{12} +localhost/demo:latest +sh -c .* ago +Up .* +\d+ +runs$")
        self.assertNotRegex(self.ok("ps"), "made|ended")
        everything = self.ok("ps", "-a")
        self.assertRegex(everything, r"(?m) Created +\d+ +made$")
        self.assertRegex(everything, r"(?m) Exited \(3\) .* ago +\d+ +ended$")
        self.assertEqual(len(self.ok("ps", "-aq").split()), 3)
        self.assertEqual([len(word) for word in self.ok("ps", "-aq", "--no-trunc").split()], [64] * 3)
        self.ok("rm", "-f", "runs")

    def test_ps_in_json(self):
        self.assertEqual(json.loads(self.ok("ps", "--format", "json")), [])
        self.sleeping("runs")
        self.ok("create", "--name", "made", DEMO, "true")
        rows = {row["Names"][0]: row for row in json.loads(self.ok("ps", "-a", "--format", "json"))}
        runs, made = rows["runs"], rows["made"]
        self.assertEqual((runs["State"], made["State"]), ("running", "created"))
        self.assertEqual(runs["Image"], DEMO)
        os.kill(runs["Pid"], 0)
        self.assertEqual(made["Pid"], 0)
        self.assertEqual(len(runs["Banks"]), 1)
        self.assertEqual(runs["Banks"][0] % 65536, 0)
        self.fails(125, "ps", "--format", "{{.Nothing}}", saying="--format")
        self.ok("rm", "-f", "runs")

    def test_inspect(self):
        process = self.sleeping("job")
        state = self.shown("job")["State"]
        self.assertEqual((state["Status"], state["Running"], state["ExitCode"]), ("running", True, 0))
        uid_map = open(f"/proc/{state['Pid']}/uid_map", encoding="ascii").read().split()
        self.assertEqual(self.shown("job")["HostConfig"]["IDMappings"]["UidMap"], [":".join(uid_map)])
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        shown = self.shown("job")
        state = shown["State"]
        self.assertEqual((state["Status"], state["Running"], state["Pid"], state["ExitCode"]), ("exited", False, 0, 143))
        for key in ("StartedAt", "FinishedAt"):
            self.assertRegex(state[key], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        self.assertLessEqual(state["StartedAt"], state["FinishedAt"])
        for key in ("Id", "Created", "Path", "Args", "State", "Image", "ImageName", "Name", "Mounts", "Config", "HostConfig"):
            self.assertIn(key, shown)
        self.assertRegex(shown["Image"], "^sha256:[0-9a-f]{64}$")
        self.fails(125, "inspect", "job", "absent", saying='there is no container "absent"')

    def test_the_host_sees_which_process_is_whose(self):
        self.sleeping("job")
        pid = self.shown("job")["State"]["MonitorPid"]
        with open(f"/proc/{pid}/cmdline", encoding="ascii") as file:
            words = file.read().split("\0")
        self.assertEqual(words[:2], ["berth-monitor", self.shown("job")["Id"][:12]])
        self.ok("rm", "-f", "job")


class Logs(Containers):
    def test_both_streams_apart_and_after_the_end(self):
        self.ok("run", "--name", "job", DEMO, "sh", "-c", "echo out1; echo err1 >&2; echo out2; printf 'no newline'")
        done = self.berth("logs", "job")
        self.assertEqual((done.status, done.stdout.rstrip("\n"), done.stderr), (0, "out1\nout2\nno newline", "err1\n"))

    def test_tail(self):
        self.ok("run", "--name", "job", DEMO, "seq", "1", "100")
        self.assertEqual(self.ok("logs", "--tail", "2", "job"), "99\n100\n")
        self.assertEqual(self.ok("logs", "--tail", "0", "job"), "")
        self.assertEqual(len(self.ok("logs", "--tail", "1000", "job").split()), 100)
        self.assertEqual(len(self.ok("logs", "--tail", "-1", "job").split()), 100)
        self.fails(125, "logs", "--tail", "many", "job", saying="--tail")

    def test_timestamps(self):
        self.ok("run", "--name", "job", DEMO, "echo", "hello")
        self.assertRegex(self.ok("logs", "-t", "job"), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z hello\n$")

    def test_while_it_runs_and_over_several_starts(self):
        self.sleeping("job")
        self.assertEqual(self.ok("logs", "job"), "ready\n")
        self.ok("rm", "-f", "job")
        self.ok("create", "--name", "job", DEMO, "echo", "line")
        self.assertEqual(self.ok("logs", "job"), "", "it has not run yet")
        self.ok("start", "-a", "job")
        self.ok("start", "-a", "job")
        self.assertEqual(self.ok("logs", "job"), "line\nline\n")

    def test_long_lines_and_every_byte(self):
        self.ok("run", "--name", "job", DEMO, "sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x; echo; printf '\\377\\n'")
        done = subprocess.run(self.command("logs", "job"), env=self.environment, stdout=subprocess.PIPE, check=True)
        self.assertEqual(done.stdout, b"x" * 200000 + b"\n\xff\n")

    def test_of_no_container(self):
        self.fails(125, "logs", "absent", saying='there is no container "absent"')


class Removal(Containers):
    def test_rm(self):
        self.ok("create", "--name", "a", DEMO, "true")
        self.ok("run", "--name", "b", DEMO, "sh", "-c", "mkdir -p /deep/er; touch /deep/er/file; mkfifo /deep/pipe")
        self.assertEqual(self.ok("rm", "a", "b"), "a\nb\n")
        self.assert_nothing_left()

    def test_a_running_one_needs_force(self):
        process = self.sleeping("job")
        done = self.berth("rm", "job")
        self.assertEqual(done.status, 2, done)
        self.assertIn("container job is running", done.stderr)
        self.assertIn("hint: `berth rm --force` ends it first.", done.stderr)
        self.assertEqual(self.ok("rm", "-f", "job"), "job\n")
        self.assertEqual(process.wait(20), 137)
        self.assert_nothing_left()

    def test_force_with_its_client_still_there_ten_times(self):
        for number in range(10):
            process = self.sleeping(f"job{number}", *(["--rm"] if number % 2 else []))
            self.ok("rm", "-f", f"job{number}")
            self.assertEqual(process.wait(20), 137)
        self.assert_nothing_left()

    def test_force_with_a_stopped_client(self):
        for number, flags in enumerate(((), ("--rm",))):
            process = self.sleeping(f"job{number}", *flags)
            process.send_signal(signal.SIGSTOP)
            begun = time.monotonic()
            self.assertEqual(self.ok("rm", "-f", f"job{number}"), f"job{number}\n")
            self.assertLess(time.monotonic() - begun, 5)
            self.assert_gone(process)
            process.send_signal(signal.SIGCONT)
            self.assertEqual(process.wait(20), 137)
        self.assert_nothing_left()

    def test_force_with_a_stopped_client_and_output_for_it(self):
        process = self.start("run", "--name", "job", DEMO, "sh", "-c", "echo up; while :; do echo more; done",
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(process.stdout.read(3), b"up\n")
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)  # until nothing more fits
        begun = time.monotonic()
        self.assertEqual(self.ok("rm", "-f", "job"), "job\n")
        self.assertLess(time.monotonic() - begun, 5)
        self.assert_gone(process)
        process.send_signal(signal.SIGCONT)
        said = process.communicate(timeout=20)[1].decode()
        self.assertIn((process.returncode, "berth-monitor was lost" in said), ((137, False), (125, True)), said)
        self.assert_nothing_left()

    def assert_gone(self, client):
        self.assertIsNone(client.poll(), "it is stopped")
        self.assertEqual(self.ok("ps", "-aq"), "")

    def test_all(self):
        for name in ("a", "b"):
            self.ok("create", "--name", name, DEMO, "true")
        process = self.sleeping("c")
        self.ok("rm", "-fa")
        process.wait(20)
        self.assert_nothing_left()

    def test_what_is_not_there(self):
        done = self.berth("rm", "absent")
        self.assertEqual(done.status, 1, done)
        self.assertIn('there is no container "absent"', done.stderr)
        self.ok("rm", "-i", "absent")
        self.ok("create", "--name", "there", DEMO, "true")
        self.assertEqual(self.berth("rm", "absent", "there").status, 1)
        self.assertEqual(self.ok("ps", "-aq"), "", "the other one is removed all the same")
        self.fails(125, "rm", saying="needs a container")

    def test_rm_at_the_end_of_a_run(self):
        self.ok("run", "--rm", "--name", "job", DEMO, "true")
        self.ok("run", "--rm", "--name", "job", DEMO, "true")
        self.assertEqual(self.ok("ps", "-aq"), "")
        self.assert_nothing_left()


if __name__ == "__main__":
    main()
