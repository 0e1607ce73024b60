"""berth run -t: a terminal in the container, and the caller's own as it should be meanwhile and afterwards."""

import os
import re
import subprocess
import termios

from support.case import DEMO, BerthCase, main
from support.terminal import Terminal


class OnATerminal(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def terminal(self, *words, **options):
        terminal = Terminal(self.command(*words), env=self.environment, cwd=self.work, **options)
        # A container outlives a client that is killed.
        self.addCleanup(self.berth, "rm", "-fa")
        self.addCleanup(terminal.close)
        return terminal

    def shell(self, *flags, **options):
        """An interactive shell whose prompt is READY."""
        terminal = self.terminal("run", "--rm", "-it", "-e", "PS1=READY ", *flags, DEMO, "sh", **options)
        terminal.expect("READY ")
        return terminal

    def test_the_terminal_has_a_name_and_is_the_controlling_one(self):
        shell = self.shell()
        shell.type("tty; tty < /dev/tty; ls -l /dev/console | cut -c1\n")
        shell.expect(r"\n/dev/pts/\d+\r\n/dev/(tty|pts/\d+)\r\nc\r\n")
        shell.type("exit 5\n")
        self.assertEqual(shell.wait(), 5)
        self.assert_nothing_left()

    def test_it_is_the_user_s(self):
        shell = self.shell("-u", "10000")
        shell.type("stat -c '%u %a' $(tty); echo x > $(tty) && echo writable\n")
        shell.expect(r"\n10000 \d+\r\n")
        shell.expect("writable")

    def test_the_size_is_the_caller_s_and_follows_it(self):
        shell = self.shell(rows=33, columns=111)
        shell.type("stty size\n")
        shell.expect(r"\n33 111\r\n")
        shell.type("trap 'echo resized' WINCH\n")
        shell.expect("READY ")
        shell.resize(44, 99)
        shell.type("\nsleep 0.3; stty size\n")
        shell.expect(r"\n44 99\r\n")

    def test_ctrl_c_ends_what_is_in_front_and_not_the_shell(self):
        shell = self.shell()
        # It says so itself, and so is in front by then.
        shell.type("sh -c 'echo begun; exec sleep 1000'\n")
        shell.expect(r"\nbegun\r\n")
        shell.type("\x03")
        shell.expect("READY ")
        shell.type("echo still $((40 + 2))\n")
        shell.expect("still 42")

    def test_ctrl_d_ends_the_shell(self):
        shell = self.shell()
        shell.type("\x04")
        self.assertEqual(shell.wait(), 0)

    def test_every_key_is_passed_on_and_none_echoed_twice(self):
        shell = self.shell()
        shell.type("echo once\n")
        shell.expect(r"echo once\r\nonce\r\n")
        shell.type("stty raw -echo; echo go; dd bs=1 count=3 2>/dev/null | od -An -tx1; stty sane\n")
        shell.expect(r"\ngo")
        shell.type("\x03\x1a\x11")
        shell.expect("03 1a 11")

    def test_the_caller_s_terminal_is_as_before_afterwards(self):
        for command in ("exit 0", "kill -9 $$", "exec nosuchcommand"):
            leader, follower = os.openpty()
            before = termios.tcgetattr(follower)
            process = subprocess.Popen(self.command("run", "--rm", "-it", DEMO, "sh", "-c", "stty size; " + command),
                                       env=self.environment, stdin=follower, stdout=follower, stderr=follower)
            status = process.wait(20)
            self.assertEqual(termios.tcgetattr(follower), before, command)
            self.assertIn(status, (0, 137, 127))
            os.close(leader)
            os.close(follower)

    def test_an_error_before_the_start_is_readable(self):
        terminal = self.terminal("run", "--rm", "-it", DEMO, "nosuchcommand")
        terminal.expect(r'berth: .*cannot execute "nosuchcommand".*\r\nhint: ')
        self.assertEqual(terminal.wait(), 127)

    def test_output_is_complete(self):
        terminal = self.terminal("run", "--rm", "-it", DEMO, "sh", "-c", "seq 1 20000; exit 3")
        self.assertEqual(terminal.wait(), 3)
        self.assertEqual(re.findall(r"\d+", terminal.output), [str(number) for number in range(1, 20001)])

    def test_a_terminal_without_input(self):
        done = self.berth("run", "--rm", "-t", DEMO, "sh", "-c", "test -t 1 && tty; echo $TERM")
        self.assertRegex(done.stdout, r"^/dev/pts/\d+\r\nxterm\r\n$")

    def test_input_that_is_no_terminal_is_refused_with_it(self):
        self.fails(125, "run", "--rm", "-it", DEMO, "sh", input="x", saying=["must be a terminal", "hint: Leave out -t"])
        self.assert_nothing_left()

    def test_without_t_there_is_no_terminal_inside(self):
        terminal = self.terminal("run", "--rm", "-i", DEMO, "sh", "-c", "tty; test -t 1; echo $?; read word; echo $word")
        terminal.expect(r"not a tty\r\n1\r\n")
        terminal.type("typed\n")
        terminal.expect(r"typed\r\ntyped\r\n")
        self.assertEqual(terminal.wait(), 0)

    def test_a_container_that_was_made_with_a_terminal_is_started_with_one(self):
        self.ok("create", "-it", "--name", "shell", "-e", "PS1=READY ", DEMO, "sh")
        for number in range(2):
            terminal = self.terminal("start", "-ai", "shell")
            terminal.expect("READY ")
            terminal.type(f"tty; exit {number}\n")
            terminal.expect(r"/dev/pts/\d+\r\n")
            self.assertEqual(terminal.wait(), number)


if __name__ == "__main__":
    main()
