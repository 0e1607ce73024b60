"""berth exec: a further command in a container that runs."""

import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import termios
import time

from support import images
from support.case import DEMO, BerthCase, main
from support.images import archive
from support.terminal import Terminal
from support.waiting import until


class Exec(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "--force", "--all")

    def sleeping(self, *flags, name="job", image=DEMO):
        self.ok("run", "-d", "--name", name, *flags, image, "sleep", "1000")

    def sh(self, script, *flags, name="job", **options):
        return self.ok("exec", *flags, name, "sh", "-c", script, **options)


class Inside(Exec):
    """The process is where the container's own is, and has what that has."""

    def test_namespaces_files_and_working_directory(self):
        self.sleeping("-w", "/tmp", "--hostname", "inside")
        self.sh("echo here > /tmp/file")
        self.assertEqual(self.sh("pwd; cat file; hostname; cat /proc/1/comm"), "/tmp\nhere\ninside\nberth-init\n")
        for space in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
            own, others = self.sh(f"readlink /proc/self/ns/{space}; readlink /proc/1/ns/{space}").split()
            self.assertEqual(own, others)
        self.assertEqual(self.sh("pwd", "-w", "/etc"), "/etc\n")

    def test_rights_are_those_of_the_container(self):
        shown = "grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/self/status"
        for flags in ((), ("--cap-add", "NET_ADMIN", "--cap-drop", "CHOWN"), ("--privileged",), ("-u", "1000"),
                      ("-u", "1000", "--cap-add", "NET_ADMIN"), ("--security-opt", "no-new-privileges"),
                      ("--security-opt", "seccomp=unconfined"), ("--userns", "host")):
            with self.subTest(flags=flags):
                wanted = self.ok("run", "--rm", *flags, DEMO, "sh", "-c", shown)
                self.sleeping(*flags)
                self.assertEqual(self.sh(shown), wanted)
                self.ok("rm", "-f", "job")

    def test_another_user_has_none_of_the_capabilities_that_were_added(self):
        self.sleeping("--cap-add", "NET_ADMIN")
        self.assertEqual(self.sh("grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status | cut -f2 | sort -u", "-u", "1000"),
                         "0000000000000000\n")

    def test_privileged(self):
        self.sleeping()
        self.assertEqual(self.sh("grep CapEff /proc/self/status", "--privileged").split()[1],
                         self.ok("run", "--rm", "--privileged", DEMO, "grep", "CapEff", "/proc/self/status").split()[1])
        # Within the bank: the host's files stay the host's.
        self.assertNotEqual(self.berth("exec", "--privileged", "job", "sh", "-c", "echo 1 > /proc/sys/vm/drop_caches").status, 0)

    def test_limits(self):
        self.sleeping("--ulimit", "nofile=77:88")
        self.assertEqual(self.sh("ulimit -Sn; ulimit -Hn"), "77\n88\n")

    def test_oom_score(self):
        self.sleeping("--oom-score-adj", "321")
        self.assertEqual(self.sh("cat /proc/self/oom_score_adj"), "321\n")
        self.ok("exec", "-d", "job", "sh", "-c", "cat /proc/self/oom_score_adj > /tmp/score; mv /tmp/score /tmp/shown")
        until(lambda: self.berth("exec", "job", "cat", "/tmp/shown").stdout == "321\n", "a detached one has it")

    def test_cgroups(self):
        """Those that the container's process is in by now."""
        self.sleeping()
        pid = json.loads(self.ok("inspect", "job"))[0]["State"]["Pid"]
        place = pathlib.Path("/sys/fs/cgroup/pids") / f"berth-test-{os.getpid()}"
        if not place.parent.exists():  # cgroup v2 alone
            place = pathlib.Path("/sys/fs/cgroup") / place.name
        place.mkdir()
        self.addCleanup(place.rmdir)
        self.addCleanup(self.berth, "rm", "--force", "--all")
        (place / "cgroup.procs").write_text(str(pid))
        process = self.start("exec", "job", "sh", "-c", "echo ready; exec sleep 100", stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        self.assertEqual(len((place / "cgroup.procs").read_text().split()), 2)
        process.terminate()
        self.assertEqual(process.wait(20), 143)


class Users(Exec):
    PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n"

    def setUp(self):
        super().setUp()

        def entries():
            yield from images.busybox_entries(self.PASSWD, "root:x:0:\napp:x:1001:\nextra:x:44:app\n")
            yield archive.directory("home/app", mode=0o755, uid=1000, gid=1001)
        self.image = images.load(self, "users", entries())

    WHO = "echo $(id -u) $(id -g) $(id -G) $HOME"

    def test_by_the_rules_of_run(self):
        self.sleeping(image=self.image)
        for user, expected in (("0", "0 0 0 /root"), ("root", "0 0 0 /root"), ("app", "1000 1001 1001 44 /home/app"),
                               ("1000", "1000 1001 1001 44 /home/app"), ("1000:0", "1000 0 0 /home/app"),
                               ("app:extra", "1000 44 44 /home/app"), ("10000", "10000 0 0 /tmp"),
                               ("0000000000001000", "1000 1001 1001 44 /home/app"), (":1001", "0 1001 1001 /root")):
            self.assertEqual(self.sh(self.WHO, "-u", user), expected + "\n", user)
        for user, why in (("nosuch", "no user \"nosuch\" in the container's /etc/passwd"),
                          ("app:nosuch", "no group \"nosuch\" in the container's /etc/group"),
                          ("65536", "outside the container's map of user IDs (0-65535 → "),
                          ("0:65536", "outside the container's map of group IDs"),
                          ("4294967296", "is not an ID"), ("-1", "no user \"-1\""), ("1:2:3", "more than one colon")):
            self.fails(125, "exec", "-u", user, "job", "id", saying=[f'--user "{user}"', why])

    def test_without_one_it_is_the_container_s(self):
        self.sleeping("-u", "app", "--group-add", "77", image=self.image)
        self.assertEqual(self.sh(self.WHO), "1000 1001 1001 44 77 /home/app\n")
        self.sleeping("-u", "10000", name="other", image=self.image)
        self.assertEqual(self.sh(self.WHO + "; whoami", name="other"), "10000 0 0 /tmp\n10000\n")

    def test_the_container_s_own_passwd_counts_as_it_is_now(self):
        self.sleeping(image=self.image)
        self.fails(125, "exec", "-u", "late", "job", "id", saying='no user "late"')
        self.sh("echo late:x:2000:2001::/tmp:/bin/sh >> /etc/passwd; echo more:x:2002:late >> /etc/group")
        self.assertEqual(self.sh(self.WHO, "-u", "late"), "2000 2001 2001 2002 /tmp\n")
        self.sh("busybox rm /etc/passwd")
        self.fails(125, "exec", "-u", "app", "job", "id", saying="the container has no /etc/passwd")
        self.assertEqual(self.sh(self.WHO, "-u", "1000"), "1000 0 0 /tmp\n")


class Environment(Exec):
    def env(self, *flags):
        return dict(line.split("=", 1) for line in self.ok("exec", *flags, "job", "env").splitlines())

    def test_the_container_s_and_what_is_added(self):
        self.sleeping("-e", "OWN=1", "-e", "BOTH=container")
        file = self.work / "env"
        file.write_text("# a comment\nFILE=f\nBOTH=file\n")
        env = self.env("--env-file", file, "-e", "BOTH=flag", "-e", "CALLER")
        self.assertEqual((env["OWN"], env["FILE"], env["BOTH"], env["container"]), ("1", "f", "flag", "berth"))
        self.assertNotIn("CALLER", env)
        self.assertNotIn("TERM", env)
        self.assertEqual(self.env("-e", "HOME=/else")["HOME"], "/else")


class Statuses(Exec):
    def setUp(self):
        super().setUp()
        self.sleeping()

    def test_the_process_s_own(self):
        for status in (0, 1, 42, 255):
            self.assertEqual(self.berth("exec", "job", "sh", "-c", f"exit {status}").status, status)
        self.assertEqual(self.berth("exec", "job", "sh", "-c", "kill -9 $$").status, 137)

    def test_126_and_127(self):
        self.fails(127, "exec", "job", "nosuch", saying='cannot execute "nosuch" in the container')
        self.fails(127, "exec", "job", "/bin/nosuch")
        self.fails(126, "exec", "job", "/etc/passwd")
        self.fails(126, "exec", "job", "/etc", saying="it is a directory")
        self.fails(127, "exec", "-d", "job", "nosuch")

    def test_125_for_mistakes(self):
        self.fails(125, "exec", "nothere", "true", saying='there is no container "nothere"')
        self.fails(125, "exec", "job", saying="there is no command to execute")
        self.fails(125, "exec", saying="berth exec needs a container and a command")
        self.fails(125, "exec", "-w", "here", "job", "true", saying="absolute path")
        self.fails(125, "exec", "-w", "/nosuch", "job", "true", saying="/nosuch")
        self.fails(125, "exec", "--no-such-flag", "job", "true", saying="--no-such-flag")
        self.fails(125, "exec", "--detach-keys", "ctrl-1", "job", "true", saying="is no key")
        self.fails(125, "exec", "-it", "job", "sh", saying="must be a terminal")

    def test_255_for_a_container_that_does_not_run(self):
        self.ok("create", "--name", "made", DEMO, "true")
        self.fails(255, "exec", "made", "true", saying=['container "made" is not running', "berth start made"])
        self.fails(125, "exec", "-d", "made", "true", saying='container "made" is not running')
        self.ok("rm", "-f", "job")
        self.fails(125, "exec", "job", "true", saying="there is no container")


class Streams(Exec):
    def setUp(self):
        super().setUp()
        self.sleeping()

    def test_output_and_errors_stay_apart(self):
        done = self.berth("exec", "job", "sh", "-c", "echo out; echo err >&2")
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "out\n", "err\n"))

    def test_input_only_where_it_is_asked_for(self):
        self.assertEqual(self.ok("exec", "-i", "job", "cat", input="one\ntwo"), "one\ntwo")
        self.assertEqual(self.ok("exec", "job", "cat", input="never seen"), "")

    def test_a_user_can_open_them_again(self):
        self.assertEqual(self.sh("echo again > /dev/stdout; echo more > /proc/self/fd/1", "-u", "10000"), "again\nmore\n")

    def test_much_of_it(self):
        self.assertEqual(len(self.ok("exec", "job", "head", "-c", "3000000", "/dev/zero")), 3000000)

    def test_a_reader_that_goes_away(self):
        process = self.start("exec", "job", "yes", stdout=subprocess.PIPE)
        process.stdout.read(10)
        process.stdout.close()
        self.assertEqual(process.wait(20), 141)

    def test_signals_are_the_process_s(self):
        for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
            process = self.start("exec", "job", "sh", "-c", f"trap 'echo got; exit 7' {int(number)}; echo ready; "
                                 "while :; do sleep 0.1; done", stdout=subprocess.PIPE)
            self.assertEqual(process.stdout.readline(), b"ready\n")
            process.send_signal(number)
            self.assertEqual((process.stdout.read(), process.wait(20)), (b"got\n", 7))

    def test_what_is_left_behind_is_not_waited_for(self):
        begun = time.monotonic()
        done = subprocess.run(self.command("exec", "job", "sh", "-c", "sleep 30 & echo done"), env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertLess(time.monotonic() - begun, 20)

    def test_preserved_descriptors(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        words = self.command("exec", "--preserve-fds", "1", "job", "sh", "-c", "echo through >&3; ls /proc/self/fd | wc -l")
        script = f"exec 3>&{writing}; exec \"$@\""
        done = subprocess.run(["sh", "-c", script, "sh", *words], env=self.environment, pass_fds=[writing], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=False)
        os.close(writing)
        self.assertEqual(os.read(reading, 100), b"through\n")
        # Its three, the one, and that of the directory itself.
        self.assertEqual((done.returncode, done.stdout), (0, "5\n"))
        self.fails(125, "exec", "--preserve-fds", "1", "job", "true", saying="descriptor 3 is to be handed on, and is not open")

    def test_closed_streams_become_no_descriptor_of_berth_s(self):
        words = self.command("exec", "-i", "job", "sh", "-c", "ls -l /proc/self/fd > /tmp/open")
        subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words], env=self.environment, timeout=60, check=True)
        self.assertEqual(len(re.findall(r"\d -> /dev/null", self.sh("cat /tmp/open"))), 2)


class Detached(Exec):
    def setUp(self):
        super().setUp()
        self.sleeping()

    def test_it_returns_at_once_and_the_process_goes_on(self):
        done = self.berth("exec", "-d", "job", "sh", "-c", "echo nobody hears; sleep 0.3; touch /tmp/done; exec sleep 100")
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "", ""))
        until(lambda: "done" in self.sh("ls /tmp"), "it goes on")
        self.assertIn("sleep 100", self.sh("ps"))
        self.ok("rm", "-f", "job")

    def test_with_a_terminal_that_stays(self):
        self.ok("exec", "-dt", "job", "sh", "-c", "tty > /tmp/tty; yes | head -c 200000; sleep 0.2; echo on > /tmp/on; exec sleep 100")
        until(lambda: "on" in self.sh("ls /tmp").split(), "it goes on")
        self.assertRegex(self.sh("cat /tmp/tty"), "^/dev/pts/")
        self.ok("rm", "-f", "job")


class OnATerminal(Exec):
    def setUp(self):
        super().setUp()
        self.sleeping("-e", "PS1=READY ")

    def terminal(self, *words, **options):
        terminal = Terminal(self.command("exec", *words), env=self.environment, cwd=self.work, **options)
        self.addCleanup(terminal.close)
        return terminal

    def shell(self, *flags, **options):
        terminal = self.terminal("-it", *flags, "job", "sh", **options)
        terminal.expect("READY ")
        return terminal

    def test_it_is_one_of_the_container_s(self):
        shell = self.shell("-u", "10000")
        shell.type("tty; tty < /dev/tty; stat -c '%u' $(tty); echo $TERM\n")
        shell.expect(r"\n/dev/pts/\d+\r\n/dev/(tty|pts/\d+)\r\n10000\r\nxterm\r\n")
        shell.type("exit 5\n")
        self.assertEqual(shell.wait(), 5)

    def test_the_size_follows_the_caller_s(self):
        shell = self.shell(rows=33, columns=111)
        shell.type("stty size\n")
        shell.expect(r"\n33 111\r\n")
        shell.resize(44, 99)
        shell.type("\nsleep 0.3; stty size\n")
        shell.expect(r"\n44 99\r\n")

    def test_keys_are_the_command_s(self):
        shell = self.shell()
        shell.type("sh -c 'echo begun; exec sleep 1000'\n")
        shell.expect(r"\nbegun\r\n")
        shell.type("\x03")
        shell.expect("READY ")
        shell.type("stty raw -echo; echo go; dd bs=1 count=3 2>/dev/null | od -An -tx1; stty sane\n")
        shell.expect(r"\ngo")
        # The first of the keys that detach, and not the second.
        shell.type("\x10\x03\x1a")
        shell.expect("10 03 1a")

    def test_detaching_leaves_it_running(self):
        for flags, keys in (((), "\x10\x11"), (("--detach-keys", "ctrl-x,y"), "\x18y")):
            shell = self.shell(*flags)
            shell.type("(sleep 0.5; echo $$ > /tmp/mine; while :; do echo still; sleep 0.05; done)\n")
            shell.type(keys)
            self.assertEqual(shell.wait(), 0)
            until(lambda: "mine" in self.sh("ls /tmp").split(), "it goes on")
            time.sleep(0.3)
            self.sh("kill -0 $(cat /tmp/mine); kill -9 $(cat /tmp/mine); rm /tmp/mine")

    def test_the_caller_s_is_as_before_afterwards(self):
        for command in ("exit 0", "kill -9 $$", "exec nosuchcommand"):
            leader, follower = os.openpty()
            before = termios.tcgetattr(follower)
            process = subprocess.Popen(self.command("exec", "-it", "job", "sh", "-c", command), env=self.environment,
                                       stdin=follower, stdout=follower, stderr=follower)
            self.assertIn(process.wait(20), (0, 137, 127))
            self.assertEqual(termios.tcgetattr(follower), before, command)
            os.close(leader)
            os.close(follower)

    def test_without_t_the_caller_s_own_terminal_is_not_given_away(self):
        terminal = self.terminal("-i", "job", "sh", "-c", "for i in 0 1 2; do test ! -t $i && echo pipe$i; done; read line; echo got $line")
        terminal.expect(r"pipe0\r\npipe1\r\npipe2\r\n")
        terminal.type("typed\n")
        terminal.expect(r"got typed\r\n")
        self.assertEqual(terminal.wait(), 0)


class Projects(Exec):
    """A project's rules hold for every process in its containers."""

    def test_the_user_is_one_of_the_project_s(self):
        self.ok("project", "create", "lab")
        self.sleeping("--project", "lab")
        own = self.sh("id -u").strip()
        self.assertGreaterEqual(int(own), 1000000000)
        self.assertEqual(self.sh("id -u", "-u", str(int(own) + 1)).strip(), str(int(own) + 1))
        for user in ("0", "root", "10000"):
            self.fails(125, "exec", "-u", user, "job", "id", saying="is not in the range of project lab")
        self.fails(125, "exec", "--privileged", "job", "id", saying="--privileged is refused by the policy of project lab")


class Events(Exec):
    def test_its_beginning_and_its_end_are_told(self):
        self.sleeping("--label", "of=this")
        self.berth("exec", "job", "sh", "-c", "exit 3")
        self.berth("exec", "job", "nosuch")
        said = [json.loads(line) for line in self.ok("events", "--stream=false", "--format", "json").splitlines()]
        said = [(one["Status"], one["Name"], one["Attributes"].get("containerExitCode"), one["Attributes"].get("of"))
                for one in said if one["Status"].startswith("exec")]
        self.assertEqual(said, [("exec", "job", None, "this"), ("exec_died", "job", "3", "this")])


class Speed(Exec):
    def test_it_is_there_in_no_time(self):
        """Bounds that a slow and busy machine keeps, too: what they catch is a wait."""
        self.sleeping()
        took = []
        for _ in range(15):
            begun = time.monotonic()
            self.ok("exec", "job", "true")
            took.append(time.monotonic() - begun)
        self.assertLess(statistics.median(took), 0.25)


main()
