"""config.md, Process: terminal and consoleSize; how a caller gets the terminal."""

import fcntl
import json
import struct
import termios

from support.console import Console
from support.oci_runtime import MUST, PRACTICE, RuntimeCase, requirement, main

TERMINAL = "config.md, Process: terminal"


class Terminal(RuntimeCase):
    def console(self):
        console = Console(self.work / f"tty{len(list(self.work.iterdir()))}")
        self.addCleanup(console.close)
        return console

    def with_terminal(self, *words, **process):
        """Created, with its terminal's other end."""
        container = self.container()
        container.bundle.process.update(terminal=True, args=list(words) or ["/probe"], **process)
        console = self.console()
        container.created("--console-socket", console.path)
        return container, console.accept()

    def report(self, *words, **process):
        container, console = self.with_terminal(*words, **process)
        self.ok(container.start())
        # The report is one line; the terminal puts a carriage return before its end.
        return json.loads(console.read_until("}\r\n"))

    @requirement(TERMINAL, MUST, "true gives the process a terminal as its three standard streams")
    def test_streams(self):
        found = self.report()["terminal"]
        self.assertEqual(found["standard_streams"], [True, True, True])

    @requirement(TERMINAL, MUST, "it is one of the container's own devpts")
    def test_own(self):
        report = self.report("/probe", "--device", "/dev/pts/0")
        self.assertIn(report["terminal"]["name"], ("/dev/pts/0", "/dev/console"))
        self.assertEqual(report["devices"]["/dev/pts/0"]["major"], 136)

    @requirement("command line", PRACTICE, "it is the controlling terminal, so that Ctrl-C and job control work")
    def test_controlling(self):
        self.assertTrue(self.report()["terminal"]["controlling"])

    @requirement("config-linux.md, Default Devices", MUST, "/dev/console is this terminal")
    def test_console(self):
        report = self.report("/probe", "--device", "/dev/console", "--device", "/dev/pts/0")
        self.assertEqual(self.assert_mount(report, "/dev/console")["type"], "devpts")
        self.assertEqual(report["devices"]["/dev/console"]["minor"], report["devices"]["/dev/pts/0"]["minor"])

    @requirement(TERMINAL, MUST, "it belongs to the process's user")
    def test_owner(self):
        report = self.report("/probe", "--stat", "/dev/pts/0", user={"uid": 1234, "gid": 1234})
        self.assertEqual(report["stats"]["/dev/pts/0"]["uid"], 1234)

    @requirement("config.md, Process: consoleSize", MUST, "it is the size of the terminal")
    def test_size(self):
        container, console = self.with_terminal(consoleSize={"height": 31, "width": 97})
        self.assertEqual(console.size(), (31, 97))
        self.ok(container.start())
        report = json.loads(console.read_until("}\r\n"))
        self.assertEqual((report["terminal"]["rows"], report["terminal"]["columns"]), (31, 97))

    @requirement("config.md, Process: consoleSize", MUST, "it is ignored without a terminal")
    def test_size_ignored(self):
        container = self.container()
        container.bundle.process["consoleSize"] = {"height": 31, "width": 97}
        self.assertEqual(container.probe()["terminal"]["standard_streams"], [False, False, False])

    @requirement("command line", PRACTICE, "what is typed arrives, and output comes back")
    def test_dialogue(self):
        container, console = self.with_terminal("/bin/sh", "-c", "read x; echo got:$x; read y")
        self.ok(container.start())
        console.type("words\n")
        self.assertIn("got:words", console.read_until("got:words\r\n"))

    @requirement("command line", PRACTICE, "a size that is set at the other end is seen inside")
    def test_resize(self):
        container, console = self.with_terminal("/bin/sh", "-c", "read x; exec /probe")
        self.ok(container.start())
        fcntl.ioctl(console.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 22, 0, 0))
        console.type("\n")
        console.read_until("}\r\n")
        report = json.loads(console.text[console.text.index("{"):])
        self.assertEqual((report["terminal"]["rows"], report["terminal"]["columns"]), (11, 22))

    @requirement("command line", PRACTICE, "create with a terminal and without --console-socket is an error")
    def test_without_socket(self):
        container = self.container()
        container.bundle.process["terminal"] = True
        self.error(container.create())
        self.assert_gone(container)

    @requirement("command line", PRACTICE, "--console-socket without a terminal is an error")
    def test_socket_without_terminal(self):
        container = self.container()
        self.error(container.create("--console-socket", self.console().path))

    @requirement("command line", PRACTICE, "a --console-socket that nobody listens at is an error, and nothing is left")
    def test_dead_socket(self):
        container = self.container()
        container.bundle.process["terminal"] = True
        self.error(container.create("--console-socket", self.work / "nobody"))
        self.assert_gone(container)

    @requirement("command line", PRACTICE, "exec --tty --detach --console-socket gives the new process a terminal too")
    def test_exec(self):
        container = self.container().sleeping()
        console = self.console()
        done = container.exec("/probe", flags=("--tty", "--detach", "--console-socket", console.path))
        self.ok(done)
        report = json.loads(console.accept().read_until("}\r\n"))
        self.assertEqual(report["terminal"]["standard_streams"], [True, True, True])
        self.assertTrue(report["terminal"]["controlling"])

    @requirement(TERMINAL, MUST, "also with a user namespace")
    def test_user_namespace(self):
        container = self.container()
        container.bundle.user_namespace((0, 0x60000000, 65536))
        container.bundle.give_to(0x60000000, 0x60000000)
        container.bundle.process.update(terminal=True, args=["/probe", "--stat", "/dev/pts/0"])
        console = self.console()
        container.created("--console-socket", console.path)
        console.accept()
        self.ok(container.start())
        report = json.loads(console.read_until("}\r\n"))
        self.assertEqual(report["terminal"]["standard_streams"], [True, True, True])
        self.assertEqual(report["stats"]["/dev/pts/0"]["uid"], 0)


if __name__ == "__main__":
    main()
