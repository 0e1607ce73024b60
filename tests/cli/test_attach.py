"""Staying with a container that runs: attach, the detach keys, several clients, and clients that do not read."""

import os
import signal
import socket
import subprocess
import time

from support.case import DEMO, main
from support.detached import Detached
from support.terminal import Terminal

TALKER = ["sh", "-c", "trap 'exit 9' TERM; i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"]


class Attached(Detached):
    def setUp(self):
        super().setUp()
        self.gate = self.work / "gate"  # what runs inside waits for a file there
        self.gate.mkdir()

    def attached(self, *flags, name="job"):
        return self.start("attach", *flags, name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def terminal(self, *words, **options):
        terminal = Terminal(self.command(*words), env=self.environment, cwd=self.work, **options)
        self.addCleanup(terminal.close)
        return terminal

    def shell(self, *flags):
        """A shell on a terminal that nobody is attached to; its prompt is READY."""
        return self.detached(*flags, "-it", "-e", "PS1=READY ", DEMO, "sh")


class Attach(Attached):
    def test_output_signals_and_the_exit_status(self):
        self.detached(DEMO, *TALKER)
        client = self.attached()
        self.assertRegex(client.stdout.readline(), rb"^line \d+\n$")
        client.send_signal(signal.SIGTERM)
        client.stdout.read()
        self.assertEqual(client.wait(20), 9)
        self.assertEqual(self.in_database()[:2], ("exited", 9), "it is on record when the client returns")

    def test_the_two_streams_stay_apart(self):
        self.detached("-v", f"{self.gate}:/go", DEMO, "sh", "-c", "until [ -e /go/now ]; do sleep 0.05; done; echo out; echo err >&2")
        client = self.attached()
        time.sleep(0.5)  # the client has to be there
        (self.gate / "now").touch()
        self.assertEqual((client.stdout.read(), client.stderr.read()), (b"out\n", b"err\n"))
        self.assertEqual(client.wait(20), 0)

    def test_input_goes_to_one_that_takes_it(self):
        self.detached("-i", DEMO, "sh", "-c", "read line; echo got $line; read line; echo got $line; exit 3")
        first = self.start("attach", "job", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        first.stdin.write(b"one\n")
        first.stdin.close()
        self.assertEqual(first.stdout.readline(), b"got one\n")
        # The end of one client's input is not that of the container's.
        second = self.start("attach", "job", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        second.stdin.write(b"two\n")
        second.stdin.flush()
        self.assertEqual(second.stdout.readline(), b"got two\n")
        self.assertEqual([client.wait(20) for client in (first, second)], [3, 3])

    def test_no_stdin_and_no_signals(self):
        self.detached("-i", DEMO, "sh", "-c", "read line; echo got $line")
        client = self.start("attach", "--no-stdin", "--sig-proxy=false", "job", stdin=subprocess.PIPE)
        client.stdin.write(b"one\n")
        client.stdin.flush()
        time.sleep(0.3)
        self.assertTrue(self.state()["Running"])
        client.send_signal(signal.SIGINT)
        self.assertEqual(client.wait(20), 130)
        self.assertTrue(self.state()["Running"])

    def test_one_that_does_not_run(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.fails(125, "attach", "job", saying=["container job does not run", "berth start --attach job"])
        self.fails(125, "attach", "nosuch", saying='there is no container "nosuch"')

    def test_one_with_rm_that_ends(self):
        self.detached("--rm", DEMO, *TALKER)
        client = self.attached()
        client.stdout.readline()
        client.send_signal(signal.SIGTERM)
        client.stdout.read()
        self.assertEqual(client.wait(20), 9)
        self.assert_nothing_left()

    def test_start_attach_of_one_that_runs(self):
        self.detached(DEMO, *TALKER)
        client = self.start("start", "-a", "job", stdout=subprocess.PIPE)
        client.stdout.readline()
        client.send_signal(signal.SIGTERM)
        client.stdout.read()
        self.assertEqual(client.wait(20), 9)

    def test_the_monitor_that_is_lost(self):
        self.detached(DEMO, *TALKER)
        client = self.attached()
        client.stdout.readline()
        os.kill(self.state()["MonitorPid"], signal.SIGKILL)
        self.assertIn(b"berth-monitor was lost", client.stderr.read())
        self.assertEqual(client.wait(20), 125)
        self.assertEqual(self.in_database()[:2], ("exited", None))


class Several(Attached):
    def test_all_see_the_same_and_hear_the_end(self):
        self.detached(DEMO, *TALKER)
        clients = [self.attached() for _ in range(5)]
        for client in clients:
            client.stdout.readline()
        time.sleep(0.3)
        clients[0].kill()
        clients[0].wait()
        clients[1].send_signal(signal.SIGTERM)
        last = {client.stdout.read().splitlines()[-1:][0] for client in clients[2:]}
        self.assertEqual(len(last), 1)
        self.assertEqual({client.wait(20) for client in clients[1:]}, {9})

    def test_beside_the_command_that_started_it(self):
        starter = self.start("run", "--rm", "--name", "job", DEMO, *TALKER, stdout=subprocess.PIPE)
        starter.stdout.readline()
        client = self.attached()
        client.stdout.readline()
        client.send_signal(signal.SIGTERM)
        starter.stdout.read()
        client.stdout.read()
        self.assertEqual([starter.wait(20), client.wait(20)], [9, 9])
        self.assert_nothing_left()

    def test_more_than_it_takes(self):
        self.sleeping()
        directory = self.runroot / "containers" / self.look()["Id"]
        self.assertEqual((directory / "control").stat().st_mode & 0o777, 0o600)
        here = os.getcwd()
        os.chdir(directory)
        self.addCleanup(os.chdir, here)
        sockets = []
        for _ in range(80):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.addCleanup(client.close)
            client.connect("control")
            try:
                client.send(b"\xff nonsense")
            except BrokenPipeError:
                self.assertGreater(len(sockets), 60, "only those beyond the limit are turned away")
            sockets.append(client)
        time.sleep(0.3)
        self.assertTrue(self.state()["Running"])


class NotReading(Attached):
    def test_an_attached_client_that_stops_is_left_behind(self):
        """It may hold up output for ten seconds; then the others go on, and the log has all of it."""
        self.detached("-v", f"{self.gate}:/go", DEMO, "sh", "-c", "until [ -e /go/now ]; do sleep 0.05; done; seq 1 200000; exit 6")
        stalled = self.attached()
        other = self.attached()
        time.sleep(0.3)
        stalled.send_signal(signal.SIGSTOP)
        self.addCleanup(stalled.send_signal, signal.SIGCONT)
        (self.gate / "now").touch()
        begun = time.monotonic()
        lines = other.stdout.read().split()
        self.assertEqual(len(lines), 200000)
        self.assertEqual(other.wait(60), 6)
        self.assertLess(time.monotonic() - begun, 40)
        self.assertEqual(self.ok("logs", "--tail", "1", "job"), "200000\n")
        stalled.send_signal(signal.SIGCONT)
        stalled.stdout.read()
        self.assertIn(stalled.wait(20), (6, 125))

    def test_the_one_that_started_it_holds_it_up_while_it_is_alone(self):
        starter = self.start("run", "--name", "job", DEMO, "sh", "-c", "seq 1 200000; exit 6", stdout=subprocess.PIPE)
        time.sleep(2)
        self.assertTrue(self.state()["Running"])
        self.assertEqual(len(starter.stdout.read().split()), 200000)
        self.assertEqual(starter.wait(20), 6)


class DetachKeys(Attached):
    def test_they_leave_a_shell_that_goes_on(self):
        self.shell()
        terminal = self.terminal("attach", "job")
        terminal.type("\n")
        terminal.expect("READY ")
        terminal.type("x=kept\n\x10\x11")
        self.assertEqual(terminal.wait(), 0)
        self.assertTrue(self.state()["Running"])
        again = self.terminal("attach", "job")
        again.type("echo $x-$((1+1))\n")
        again.expect("kept-2")
        again.type("exit 4\n")
        self.assertEqual(again.wait(), 4)

    def test_of_a_run_on_a_terminal(self):
        for flags in ([], ["--rm"]):
            terminal = self.terminal("run", "-it", "--name", "job", *flags, "-e", "PS1=READY ", DEMO, "sh")
            terminal.expect("READY ")
            terminal.type("\x10\x11")
            self.assertEqual(terminal.wait(), 0)
            self.assertTrue(self.state()["Running"])
            again = self.terminal("attach", "job")
            again.type("exit 4\n")
            self.assertEqual(again.wait(), 4)
            if not flags:
                self.assertEqual(self.in_database()[:2], ("exited", 4))
                self.ok("rm", "job")
            self.assert_nothing_left()

    def test_of_a_start(self):
        self.ok("create", "-it", "--name", "job", "-e", "PS1=READY ", DEMO, "sh")
        terminal = self.terminal("start", "-ai", "--detach-keys", "a,ctrl-x", "job")
        terminal.expect("READY ")
        terminal.type("echo b\x61n\n")  # the first of the keys alone is a letter as any
        terminal.expect("ban")
        terminal.type("a\x18")
        self.assertEqual(terminal.wait(), 0)
        self.assertTrue(self.state()["Running"])

    def test_none(self):
        self.shell()
        terminal = self.terminal("attach", "--detach-keys=", "job")
        terminal.type("\n")
        terminal.expect("READY ")
        terminal.type("stty -echo; echo begun; cat -v; exit 5\n")
        terminal.expect(r"\nbegun\r\n")
        time.sleep(0.2)
        terminal.type("\x16\x10\x16\x11\n\x04")
        terminal.expect(r"\^P\^Q")
        self.assertEqual(terminal.wait(), 5)

    def test_what_they_may_be(self):
        self.shell()
        for keys in ("ctrl-", "ctrl-1", "aa", "a,,b", "ctrl-p,ctrl-qq"):
            self.fails(125, "attach", "--detach-keys", keys, "job", saying=["--detach-keys", "is no key"])

    def test_the_size_is_that_of_who_came_last(self):
        self.shell()
        terminal = self.terminal("attach", "job", rows=33, columns=111)
        terminal.type("stty size\n")
        terminal.expect(r"\n33 111\r\n")
        terminal.type("trap 'echo resized' WINCH\n")
        terminal.expect("READY ")
        terminal.resize(44, 99)
        terminal.type("\nsleep 0.3; stty size\n")
        terminal.expect(r"\n44 99\r\n")


if __name__ == "__main__":
    main()
