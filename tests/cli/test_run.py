"""berth run: exit statuses, output, input, signals, and what the process gets from the command line."""

import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from support import images, leftovers
from support.case import DEMO, BerthCase, main
from support.images import archive
from support.waiting import until

MIB = 1 << 20


class Run(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def sh(self, script, *flags, **options):
        """Runs a shell script in a container that goes with it; gives its output."""
        return self.ok("run", "--rm", *flags, DEMO, "sh", "-c", script, **options)

    def background(self, *words, **options):
        """Starts `berth run` of a command that says a line when it is ready, and waits for that line."""
        process = self.start("run", *words, stdout=subprocess.PIPE, **options)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process


class ExitStatuses(Run):
    def test_the_process_s_own(self):
        for status in (0, 1, 42, 125, 255):
            self.assertEqual(self.berth("run", "--rm", DEMO, "sh", "-c", f"exit {status}").status, status)
        self.assert_nothing_left()

    def test_128_and_the_signal_for_a_killed_process(self):
        for name, number in (("KILL", 9), ("TERM", 15), ("SEGV", 11), ("USR1", 10)):
            done = self.berth("run", "--rm", DEMO, "sh", "-c", f"kill -{name} $$")
            self.assertEqual(done.status, 128 + number, done)

    def test_125_for_mistakes_and_for_an_image_that_is_not_there(self):
        self.fails(125, "run", "--no-such-flag", DEMO, saying="--no-such-flag")
        self.fails(125, "run", saying="berth run needs an image")
        self.fails(125, "run", "--pull=never", "nothere", "true", saying='there is no image "nothere"')
        self.assert_nothing_left()

    def test_126_for_what_can_not_be_executed(self):
        cases = {"/etc": "it is a directory", "/etc/passwd": "EACCES", "/tmp": "it is a directory"}
        for command, reason in cases.items():
            self.fails(126, "run", "--rm", DEMO, command, saying=[f'cannot execute "{command}"', reason])

        def entries():
            yield from images.busybox_entries()
            yield archive.file("bin/garbage", b"\x00\x01\x02 no program", mode=0o755)
            yield archive.file("bin/plain", "echo no first line\n", mode=0o644)
        image = images.load(self, "garbage", entries())
        for init in ("true", "false"):
            self.fails(126, "run", "--rm", f"--init={init}", image, "garbage", saying=["ENOEXEC", "hint: "])
            self.fails(126, "run", "--rm", f"--init={init}", image, "plain", saying=["EACCES", "hint: "])
        self.assert_nothing_left()

    def test_127_for_what_is_not_there(self):
        for command in ("nosuchcommand", "/bin/nosuchcommand", "", "/bin/sh/x", "./here"):
            for init in ("true", "false"):
                self.fails(127, "run", "--rm", f"--init={init}", DEMO, command,
                           saying=[f'cannot execute "{command}" in the container', "hint: "])
        self.assert_nothing_left()

    def test_127_for_a_missing_interpreter(self):
        def entries():
            yield from images.busybox_entries()
            yield archive.file("bin/script", "#!/bin/nointerpreter\n", mode=0o755)
        image = images.load(self, "script", entries())
        self.fails(127, "run", "--rm", image, "script", saying=["ENOENT", "interpreter"])

    def test_a_container_that_did_not_start_stays_unless_rm_was_given(self):
        self.fails(127, "run", "--name", "stays", DEMO, "nosuchcommand")
        self.assertRegex(self.ok("ps", "-a"), r"(?m) Created .* stays$")
        self.ok("rm", "stays")
        self.assert_nothing_left()


class Streams(Run):
    def test_output_and_errors_stay_apart(self):
        done = self.berth("run", "--rm", DEMO, "sh", "-c", "echo out; echo err >&2")
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "out\n", "err\n"))

    def test_output_is_complete_though_the_process_dies_at_once(self):
        # 1 MiB to each stream, and killed right after the last write.
        script = f"head -c {MIB} /dev/zero | tr '\\0' o; head -c {MIB} /dev/zero | tr '\\0' e >&2; kill -9 $$"
        for _ in range(5):
            done = self.berth("run", "--rm", DEMO, "sh", "-c", script)
            self.assertEqual(done.status, 137)
            self.assertEqual((done.stdout.count("o"), done.stderr.count("e")), (MIB, MIB))

    def test_the_last_words_of_a_short_process_are_never_lost(self):
        for number in range(20):
            self.assertEqual(self.ok("run", "--rm", DEMO, "echo", number), f"{number}\n")

    def test_output_of_what_the_process_leaves_behind_is_there_too(self):
        self.assertEqual(self.sh("(sleep 0.2; echo late) & echo early; wait"), "early\nlate\n")

    def test_without_i_the_standard_input_is_empty(self):
        done = self.berth("run", "--rm", DEMO, "sh", "-c", "cat; echo end", input="never seen")
        self.assertEqual(done.stdout, "end\n", done)

    def test_with_i_the_standard_input_is_passed_on_and_closed(self):
        self.assertEqual(self.ok("run", "--rm", "-i", DEMO, "cat", input="one\ntwo"), "one\ntwo")
        self.assertEqual(self.ok("run", "--rm", "-i", DEMO, "sh", "-c", "cat; echo end", input=""), "end\n")

    def test_a_large_input_goes_through_a_process_that_echoes_it(self):
        # More than all buffers on the way there and back hold.
        data = os.urandom(MIB) * 24
        process = subprocess.Popen(self.command("run", "--rm", "-i", DEMO, "cat"), env=self.environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            output, _ = process.communicate(data, timeout=60)
        finally:
            process.kill()
        self.assertEqual(hashlib.sha256(output).hexdigest(), hashlib.sha256(data).hexdigest())
        self.assertEqual(process.returncode, 0)

    def test_a_process_that_does_not_read_its_input_ends_all_the_same(self):
        self.assertEqual(self.ok("run", "--rm", "-i", DEMO, "echo", "done", input=b"x" * (4 * MIB)), "done\n")

    def test_a_reader_that_goes_away_ends_the_process(self):
        process = self.start("run", "--rm", DEMO, "yes", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertEqual(process.stdout.readline(), b"y\n")
        process.stdout.close()
        self.assertEqual(process.wait(20), 128 + signal.SIGPIPE)

    def test_closed_standard_streams_do_no_harm(self):
        script = f"exec {' '.join(self.command('run', '--rm', DEMO, 'sh', '-c'))} 'echo out; exit 3' <&- >&- 2>&-"
        done = subprocess.run(["sh", "-c", script], env=self.environment, timeout=60, check=False)
        self.assertEqual(done.returncode, 3)
        self.assert_nothing_left()


class Signals(Run):
    def test_signals_reach_the_process(self):
        for number, name in ((signal.SIGTERM, "TERM"), (signal.SIGINT, "INT"), (signal.SIGUSR1, "USR1"),
                             (signal.SIGHUP, "HUP"), (signal.SIGQUIT, "QUIT")):
            process = self.background("--rm", DEMO, "sh", "-c",
                                      f"trap 'echo got {name}; exit 7' {name}; echo ready; while :; do sleep 0.05; done")
            process.send_signal(number)
            self.assertEqual(process.stdout.read(), f"got {name}\n".encode())
            self.assertEqual(process.wait(20), 7)

    def test_a_process_that_ignores_being_pid_1_still_gets_sigterm(self):
        # sleep installs no handler; as PID 1 the kernel would not deliver the signal at all.
        process = self.background("--rm", DEMO, "sh", "-c", "echo ready; exec sleep 1000")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 128 + signal.SIGTERM)

    def test_sig_proxy_false_keeps_signals_away(self):
        process = self.background("--rm", "--sig-proxy=false", DEMO, "sh", "-c",
                                  "trap 'echo got it; exit 7' USR1 TERM INT; echo ready; sleep 0.5; sleep 0.5; echo end")
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.stdout.read(), b"end\n")
        self.assertEqual(process.wait(20), 0)

    def test_a_start_that_hangs_can_be_interrupted(self):
        programs = self.work / "bin"
        programs.mkdir()
        shutil.copy(self.command()[0], programs / "berth")
        (programs / "berth-monitor").write_text("#!/bin/sh\nexec sleep 1000\n")
        (programs / "berth-monitor").chmod(0o755)
        process = subprocess.Popen([programs / "berth", *self.command()[1:], "run", "--rm", DEMO, "true"],
                                   stderr=subprocess.PIPE, text=True)
        for _ in range(500):  # until signals are kept for the container
            blocked = re.search(r"SigBlk:\s+(\w+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())
            kept = [number for number in range(1, 32) if int(blocked.group(1), 16) & 1 << (number - 1)]
            # While another program is started, all are blocked for a moment.
            if signal.SIGINT in kept and signal.SIGSEGV not in kept:
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 125)
        self.assertIn("interrupted", said)
        self.assertEqual(self.ok("ps", "-aq"), "")

    def test_a_signal_at_any_moment_of_the_start_leaves_nothing_running(self):
        for delay in (0, 0.002, 0.004, 0.006, 0.008, 0.01, 0.012, 0.015, 0.02, 0.03, 0.05):
            process = self.start("run", "--rm", DEMO, "sleep", "1000", stdout=subprocess.DEVNULL)
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        self.assertEqual(self.ok("ps", "-q"), "")
        # A child of the killed command may hold its unfinished work for a moment longer.
        until(lambda: self.ok("ps", "-q") == "" and not leftovers.unfinished(self.root), "nothing unfinished is left", 10)
        self.assert_nothing_left()


class Process(Run):
    def test_environment(self):
        self.environment["FROM_CALLER"] = "passed on"
        self.environment.pop("ABSENT", None)
        (self.work / "vars").write_text("# a comment\nFILE=from file\n\nFROM_CALLER\nBOTH=file\r\n")
        output = self.ok("run", "--rm", "-e", "DIRECT=a=b c", "-e", "FROM_CALLER", "-e", "ABSENT", "-e", "EMPTY=",
                         "--env-file", "vars", "-e", "BOTH=flag", DEMO, "env")
        variables = dict(line.split("=", 1) for line in output.splitlines())
        self.assertEqual(variables["DIRECT"], "a=b c")
        self.assertEqual(variables["FROM_CALLER"], "passed on")
        self.assertEqual(variables["FILE"], "from file")
        self.assertEqual(variables["EMPTY"], "")
        self.assertEqual(variables["BOTH"], "flag")
        self.assertEqual(variables["HOME"], "/root")
        self.assertEqual(variables["PATH"], "/usr/sbin:/usr/bin:/sbin:/bin")
        self.assertNotIn("ABSENT", variables)
        self.assertNotIn("BERTH_FAULT", variables)
        self.assertRegex(variables["HOSTNAME"], r"^[0-9a-f]{12}$")

    def test_the_caller_s_environment_stays_outside(self):
        self.environment["SECRET_OF_THE_CALLER"] = "yes"
        self.assertNotIn("SECRET_OF_THE_CALLER", self.sh("env; cat /proc/1/environ"))

    def test_working_directory(self):
        self.assertEqual(self.sh("pwd"), "/\n")
        self.assertEqual(self.sh("pwd", "-w", "/var/www"), "/var/www\n")
        self.assertEqual(self.sh("pwd; stat -c '%u %a' .", "-w", "/made/if/missing"), "/made/if/missing\n0 755\n")
        # The peers enter it as root, and images count on that.
        self.assertEqual(self.sh("pwd; ls || echo closed", "-u", "1000", "-w", "/root"), "/root\nclosed\n")
        self.fails(125, "run", "--rm", "-w", "relative", DEMO, "pwd", saying=["--workdir relative", "absolute"])
        self.fails(125, "run", "--rm", "-w", "/etc/passwd", DEMO, "pwd", saying="/etc/passwd")

    def test_entrypoint(self):
        self.assertEqual(self.ok("run", "--rm", "--entrypoint", "echo", DEMO, "a", "b"), "a b\n")
        self.assertEqual(self.ok("run", "--rm", "--entrypoint", '["echo", "x y", "z"]', DEMO, "end"), "x y z end\n")
        image = images.load(self, "entry", images.busybox_entries(),
                            {"Entrypoint": ["/bin/busybox", "echo"], "Cmd": ["by", "default"]})
        self.assertEqual(self.ok("run", "--rm", image), "by default\n")
        self.assertEqual(self.ok("run", "--rm", image, "own"), "own\n")
        self.assertEqual(self.ok("run", "--rm", "--entrypoint", "", image, "busybox", "echo", "bare"), "bare\n")
        # The image's arguments were for its own entry point.
        self.fails(125, "run", "--rm", "--entrypoint", "", image, saying="there is no command to run")
        self.fails(125, "run", "--rm", "--entrypoint", "[1]", image, saying="JSON array of strings")

    def test_a_command_that_looks_like_flags_is_the_container_s(self):
        self.assertEqual(self.ok("run", "--rm", DEMO, "echo", "--rm", "-it", "--name=x"), "--rm -it --name=x\n")

    def test_hostname(self):
        self.assertEqual(self.sh("hostname; cat /etc/hostname; grep -c box /etc/hosts", "--hostname", "box"),
                         "box\nbox\n1\n")
        self.fails(125, "run", "--rm", "--hostname", "a b", DEMO, "true", saying="--hostname a b")

    def test_hosts_file(self):
        hosts = self.sh("cat /etc/hosts; hostname")
        self.assertIn("127.0.0.1\tlocalhost", hosts)
        self.assertRegex(hosts, rf"127\.0\.1\.1\t{hosts.splitlines()[-1]}\n")

    def test_group_add(self):
        self.assertEqual(self.ok("run", "--rm", "--group-add", "www-data", "--group-add", "4242", DEMO, "id", "-G"),
                         "0 33 4242\n")
        self.fails(125, "run", "--rm", "--group-add", "nogroup", DEMO, "id", saying=["--group-add", "nogroup"])

    def test_init_false_makes_the_process_pid_1(self):
        self.assertEqual(self.sh("echo $$", "--init=false"), "1\n")
        self.assertNotEqual(self.sh("echo $$"), "1\n")

    def test_nothing_of_berth_s_is_open_in_the_container(self):
        self.assertEqual(self.ok("run", "--rm", DEMO, "ls", "/proc/self/fd").split(), ["0", "1", "2", "3"],
                         "3 is the directory that ls reads")
        self.assertEqual(self.ok("run", "--rm", "--init=false", DEMO, "ls", "/proc/1/fd").split(), ["0", "1", "2", "3"])
        self.assertEqual(self.ok("run", "--rm", DEMO, "ls", "/proc/1/fd").split(), [], "init has none at all")

    def test_cidfile(self):
        path = self.work / "cid"
        self.ok("run", "--name", "job", "--cidfile", path, DEMO, "true")
        self.assertIn(f'"Id": "{path.read_text()}"', self.ok("inspect", "job"))
        self.ok("rm", path.read_text())
        self.fails(125, "run", "--cidfile", path, DEMO, "true", saying=[str(path), "exists"])
        self.fails(125, "run", "--cidfile", self.work / "no" / "cid", DEMO, "true", saying=["--cidfile", "ENOENT"])
        self.assert_nothing_left()

    def test_a_failed_run_leaves_no_cidfile(self):
        path = self.work / "cid"
        self.fails(125, "run", "--pull=never", "--cidfile", path, "nothere", "true")
        self.assertFalse(path.exists())


class Misspelt(Run):
    def test_flags(self):
        self.fails(125, "run", "--readonly", DEMO, saying="Did you mean --read-only?")
        self.fails(125, "run", "--entry-point=x", DEMO, saying="Did you mean --entrypoint?")

    def test_commands(self):
        self.fails(125, "rnu", DEMO, saying="Did you mean `berth run`?")
        self.fails(125, "insepct", "x", saying="Did you mean `berth inspect`?")
        self.fails(125, "system", "repare", saying="Did you mean `berth system repair`?")

    def test_images(self):
        self.fails(125, "run", "--pull=never", "dmeo", saying="Did you mean demo?")
        self.fails(125, "run", "--pull=never", "localhost/demo:lates", saying="Did you mean localhost/demo:latest?")

    def test_containers(self):
        self.ok("create", "--name", "backend", DEMO, "true")
        self.fails(125, "inspect", "bakend", saying=['there is no container "bakend"', "Did you mean backend?"])


if __name__ == "__main__":
    main()
