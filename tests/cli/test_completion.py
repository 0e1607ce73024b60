"""What shells offer at the tab key: asked of berth itself, and of bash, zsh and fish as a person has them."""

import os
import pty
import select
import subprocess
import time

from support.case import DEMO, PROGRAMS, BerthCase, main


class Completion(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.ok("create", "--name", "web", DEMO, "true")
        self.ok("create", "--name", "worker", DEMO, "true")
        self.ok("volume", "create", "data")
        self.environment["PATH"] = f"{PROGRAMS}:{os.environ['PATH']}"
        self.globals = ["--root", str(self.root), "--runroot", str(self.runroot)]

    def offered(self, *words):
        """Words that berth offers in the place of the last one."""
        out = self.ok("__complete", "--", *self.globals, *words)
        return [line.split("\t")[0] for line in out.splitlines()]


class AskedDirectly(Completion):
    def test_commands(self):
        self.assertIn("run", self.offered("ru"))
        self.assertTrue({"ls", "rm", "inspect", "create", "prune"} <= set(self.offered("volume", "")))
        self.assertNotIn("__complete", self.offered(""))
        self.assertIn("image", self.offered("im"))

    def test_flags_of_a_command_are_those_that_it_declares(self):
        flags = self.offered("ps", "--")
        self.assertTrue({"--all", "--filter", "--format", "--help"} <= set(flags), flags)
        self.assertIn("--detach", self.offered("run", "--det"))
        self.assertIn("--quiet", self.offered("image", "pull", "--q"), "it lives in another program")
        for name in flags:
            if name != "--help":
                self.assertIn(name, self.ok("ps", "--help"))

    def test_names(self):
        self.assertEqual(self.offered("start", "w"), ["web", "worker"])
        self.assertEqual(self.offered("start", "web", "wo"), ["worker"])
        self.assertIn("localhost/demo:latest", self.offered("run", "-it", "--name", "x", ""))
        self.assertIn("demo:latest", self.offered("rmi", "de"))
        self.assertEqual(self.offered("volume", "rm", ""), ["data"])
        self.assertEqual(self.offered("run", "--volumes-from", "we"), ["web"])

    def test_values_and_files(self):
        self.assertEqual(self.offered("run", "--pull", "n"), ["never", "newer"])
        self.assertEqual(self.offered("load", "-i", ""), [":files"])
        self.assertEqual(self.offered("completion", ""), ["bash", "zsh", "fish"])
        self.assertEqual(self.offered("run", DEMO, "--"), [], "what follows the image is the container's")

    def test_without_a_store_nothing_is_made(self):
        done = self.berth("__complete", "--", "--root", self.work / "nowhere", "start", "")
        self.assertEqual((done.status, done.stdout), (0, ""))
        self.assertFalse((self.work / "nowhere").exists())


class InShells(Completion):
    def line(self, words):
        return " ".join(["berth", *self.globals, words])

    def test_bash(self):
        script = ("source <(berth completion bash); COMP_LINE=$1; COMP_POINT=${#1}; _berth; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        for words, expected in (("start w", {"web", "worker"}), ("volume rm ", {"data"}), ("rmi demo:la", {"latest"}),
                                ("ps --no-t", {"--no-trunc"})):
            done = subprocess.run(["bash", "--norc", "-c", script, "bash", self.line(words)], env=self.environment,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
            self.assertEqual(set(done.stdout.split()), expected, (words, done.stderr))
        self.assertEqual(subprocess.run(["bash", "-n"], input=self.ok("completion", "bash"), text=True, check=False)
                         .returncode, 0)

    def test_bash_at_a_terminal(self):
        out = self.typed(["bash", "--norc", "--noprofile", "-i"], "source <(berth completion bash)\n",
                         self.line("start work") + "\t")
        self.assertIn(self.line("start worker"), out)

    def test_zsh(self):
        out = self.typed(["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(berth completion zsh)\n",
                         self.line("start work") + "\t")
        self.assertIn("start worker", out)

    def test_fish(self):
        script = self.work / "berth.fish"
        script.write_text(self.ok("completion", "fish"))
        for words, expected in (("start w", {"web", "worker"}), ("volume rm ", {"data"}), ("ps --no-t", {"--no-trunc"})):
            done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C '{self.line(words)}'"],
                                  env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  check=True)
            self.assertEqual({line.split("\t")[0] for line in done.stdout.splitlines()}, expected, done.stderr)

    def test_no_other_shell(self):
        self.fails(125, "completion", "tcsh", saying=["tcsh", "fish"])

    def typed(self, shell, before, keys):
        """What a shell shows after some keys, without a line's end."""
        main_end, shell_end = pty.openpty()
        process = subprocess.Popen(shell, stdin=shell_end, stdout=shell_end, stderr=shell_end, close_fds=True,
                                   start_new_session=True, cwd=self.work,
                                   env={**self.environment, "TERM": "dumb", "PS1": "$ ", "COLUMNS": "2000",
                                        "INPUTRC": "/dev/null", "HISTFILE": "/dev/null"})
        os.close(shell_end)
        self.addCleanup(os.close, main_end)

        def end():
            process.kill()
            process.wait()
        self.addCleanup(end)
        shown = b""

        def read_until(text, patience):
            nonlocal shown
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline and text not in shown.replace(b"\x07", b""):
                if select.select([main_end], [], [], 0.1)[0]:
                    try:
                        shown += os.read(main_end, 65536)
                    except OSError:
                        return
        os.write(main_end, (before + "echo rea''dy\n").encode())
        read_until(b"ready", 20)
        time.sleep(0.3)
        os.write(main_end, keys.encode())
        read_until(b"start worker", 10)
        return shown.replace(b"\x07", b"").decode(errors="replace")  # zsh rings at several matches


if __name__ == "__main__":
    main()
