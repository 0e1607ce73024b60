"""What berth keeps of what containers write, and how `berth logs` shows it."""

import json
import os
import re
import signal
import subprocess
import time

from support.case import DEMO, BerthCase, main
from support.waiting import until

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"


class Logs(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "-f", "job", "other")

    def detached(self, script, *flags, name="job"):
        return self.ok("run", "-d", "--name", name, *flags, DEMO, "sh", "-c", script).strip()

    def ended(self, script, *flags, name="job"):
        """A container that has come to its end."""
        identity = self.detached(script, *flags, name=name)
        until(lambda: self.state(name)["Status"] == "exited", "the container ends")
        return identity

    def state(self, name):
        return json.loads(self.ok("inspect", name))[0]["State"]

    def bytes_of(self, *words):
        """The standard output and error of `berth logs`, as bytes."""
        done = subprocess.run(self.command("logs", *words), env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def files(self, identity):
        return sorted(path.name for path in (self.root / "containers" / identity).iterdir()
                      if path.name.startswith("log"))

    def following(self, *words):
        path = self.work / f"followed{len(list(self.work.iterdir()))}"
        with path.open("wb") as out:
            return self.start("logs", "-f", *words, stdout=out, stderr=subprocess.STDOUT), path


class WhatIsShown(Logs):
    def test_both_streams_apart(self):
        self.ended("echo out; echo err >&2; printf 'no end'")
        self.assertEqual(self.bytes_of("job"), (b"out\nno end", b"err\n"))

    def test_every_byte_of_a_hostile_container(self):
        self.ended("printf 'nul\\0 esc\\033[2J\\033]0;title\\007 bad\\377\\376 cr\\r\\n'; "
                   "head -c 3000000 /dev/zero | tr '\\0' x; printf '\\n 2026-01-31T12:00:00.000000000Z stdout F fake\\n'")
        out, _ = self.bytes_of("job")
        self.assertEqual(out, b"nul\0 esc\x1b[2J\x1b]0;title\x07 bad\xff\xfe cr\r\n" + b"x" * 3000000 +
                         b"\n 2026-01-31T12:00:00.000000000Z stdout F fake\n")

    def test_tail(self):
        self.ended("seq 1 100; echo err >&2")
        self.assertEqual(self.bytes_of("--tail", "3", "job")[0][-7:], b"99\n100\n")
        self.assertEqual(self.bytes_of("--tail", "0", "job"), (b"", b""))
        for all_of_it in ("all", "-1", "1000"):
            self.assertEqual(len(self.bytes_of("--tail", all_of_it, "job")[0].split()), 100)
        self.fails(125, "logs", "--tail", "some", "job", saying="--tail some")

    def test_tail_of_lines_that_come_in_pieces(self):
        self.ended("echo one; head -c 1000000 /dev/zero | tr '\\0' x; echo; printf a; sleep 0.1; printf b")
        self.assertEqual(self.bytes_of("--tail", "1", "job")[0], b"ab")
        self.assertEqual(self.bytes_of("--tail", "2", "job")[0], b"x" * 1000000 + b"\nab")
        self.assertEqual(self.bytes_of("--tail", "3", "job")[0], b"one\n" + b"x" * 1000000 + b"\nab")

    def test_times(self):
        self.ended("echo one; sleep 0.5; echo two; sleep 0.5; echo three")
        lines = self.bytes_of("-t", "job")[0].decode().splitlines()
        for line in lines:
            self.assertRegex(line, f"^{TIME} (one|two|three)$")
        second = lines[1].split()[0]
        self.assertEqual(self.bytes_of("--since", second, "job")[0], b"two\nthree\n")
        self.assertEqual(self.bytes_of("--until", second, "job")[0], b"one\n")
        self.assertEqual(self.bytes_of("--since", second, "--until", lines[2].split()[0], "job")[0], b"two\n")
        self.assertEqual(self.bytes_of("--since", "1h", "job")[0], b"one\ntwo\nthree\n")
        self.assertEqual(self.bytes_of("--since", "0s", "job")[0], b"")
        self.assertEqual(self.bytes_of("--until", "1h", "job")[0], b"")
        self.assertEqual(self.bytes_of("--since", str(int(time.time()) - 100), "job")[0], b"one\ntwo\nthree\n")
        self.fails(125, "logs", "--since", "then", "job", saying="--since then")

    def test_several_containers(self):
        first = self.ended("echo one; sleep 0.6; echo three")
        begun = self.bytes_of("-t", "job")[0].decode().split()[0]
        second = self.ended("echo two", name="other")
        self.assertEqual(self.bytes_of("job", "other")[0].decode(),
                         f"{first[:12]} one\n{first[:12]} three\n{second[:12]} two\n")
        self.assertEqual(self.bytes_of("-n", "job", "other")[0], b"job one\njob three\nother two\n")
        self.assertRegex(self.bytes_of("-nt", "job")[0].decode(), f"^job {re.escape(begun)} one\njob {TIME} three\n$")
        self.assertEqual(self.bytes_of("-l")[0], b"two\n")

    def test_over_restarts(self):
        self.ended("echo $$x >> /file; wc -l < /file; printf more")
        self.ok("start", "-a", "job")
        self.assertEqual(self.bytes_of("job")[0], b"1\nmore2\nmore")

    def test_of_one_that_never_ran_and_of_none(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.assertEqual(self.bytes_of("job"), (b"", b""))
        self.assertEqual(self.bytes_of("-f", "job"), (b"", b""))
        self.fails(125, "logs", "absent", saying='there is no container "absent"')
        self.fails(125, "logs", saying="name containers")


class Following(Logs):
    def test_until_the_container_ends(self):
        self.detached("for i in 1 2 3; do echo $i; sleep 0.2; done; echo last >&2")
        begin = time.monotonic()
        process, path = self.following("job")
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(path.read_text(), "1\n2\n3\nlast\n")
        self.assertLess(time.monotonic() - begin, 5)

    def test_of_one_that_goes_when_it_ends(self):
        self.detached("echo one; sleep 0.5; echo two", "--rm")
        process, path = self.following("job")
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(path.read_text(), "one\ntwo\n")

    def test_with_a_tail(self):
        self.detached("seq 1 50; sleep 0.7; echo end")
        until(lambda: self.bytes_of("job")[0].endswith(b"50\n"), "it has written")
        process, path = self.following("--tail", "2", "job")
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(path.read_text(), "49\n50\nend\n")

    def test_until_a_time(self):
        self.detached("echo begin; exec sleep 1000")
        begin = time.monotonic()
        process, path = self.following("--until", "-1s", "job")
        self.assertEqual(process.wait(30), 0)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(path.read_text(), "begin\n")

    def test_over_many_files_without_loss(self):
        """A reader that keeps up sees each line once, though the files go all the time."""
        identity = self.detached("i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); "
                                 "[ $((i % 200)) = 0 ] && sleep 0.05; done", "--log-opt", "max-size=8k",
                                 "--log-opt", "max-file=5")
        process, path = self.following("job")
        self.assertEqual(process.wait(60), 0)
        lines = path.read_text().splitlines()
        self.assertEqual(lines, [f"line {i}" for i in range(4000)][-len(lines):])
        self.assertGreater(len(lines), 3000)
        self.assertEqual(self.files(identity), ["log", "log.1", "log.2", "log.3", "log.4"])

    def test_of_one_whose_monitor_is_killed(self):
        self.detached("echo begin; exec sleep 1000")
        process, path = self.following("job")
        until(lambda: path.read_text() == "begin\n", "it has read")
        os.kill(self.monitor(), signal.SIGKILL)
        self.assertEqual(process.wait(30), 0)

    def monitor(self):
        identity = json.loads(self.ok("inspect", "job"))[0]["Id"]
        return json.loads((self.runroot / "containers" / identity / "state").read_text())["monitor_pid"]

    def test_a_reader_that_is_gone_ends_it(self):
        self.detached("while :; do echo line; sleep 0.05; done")
        process = self.start("logs", "-f", "job", stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"line\n")
        process.stdout.close()
        self.assertEqual(process.wait(30), -signal.SIGPIPE)


class HowItIsKept(Logs):
    def test_files_are_bounded(self):
        identity = self.ended("seq 1 20000", "--log-opt", "max-size=10k", "--log-opt", "max-file=3")
        directory = self.root / "containers" / identity
        self.assertEqual(self.files(identity), ["log", "log.1", "log.2"])
        for name in self.files(identity):
            self.assertLessEqual((directory / name).stat().st_size, 10 << 10)
        out = self.bytes_of("job")[0]
        self.assertTrue(out.endswith(b"19999\n20000\n"))
        numbers = [int(line) for line in out.split()]
        self.assertEqual(numbers, list(range(numbers[0], 20001)))
        self.assertEqual(self.bytes_of("--tail", "300", "job")[0].split(), out.split()[-300:], "over two files")

    def test_drivers(self):
        self.ended("echo secret", "--log-driver", "none")
        self.fails(125, "logs", "job", saying=["keeps no log", "none"])
        self.ok("rm", "job")
        identity = self.ended("echo kept", "--log-driver", "json-file")
        self.assertEqual(self.bytes_of("job")[0], b"kept\n")
        self.assertRegex((self.root / "containers" / identity / "log").read_text(), f"^{TIME} stdout F kept\n$")
        self.fails(125, "run", "--log-driver", "syslog", DEMO, "true", saying=["syslog", "k8s-file"])
        self.fails(125, "run", "--log-opt", "colour=red", DEMO, "true", saying=["colour=red", "max-size"])
        self.fails(125, "run", "--log-opt", "max-file=0", DEMO, "true", saying=["max-file=0", "1"])
        self.fails(125, "run", "--log-opt", "max-size=1", DEMO, "true", saying=["max-size=1"])

    def test_a_hurried_end_loses_nothing(self):
        """A container that writes a lot and ends at once, or is killed, has all of it in the log."""
        self.ended("seq 1 200000; kill -9 $$", "--log-opt", "max-size=-1")
        self.assertEqual(self.bytes_of("job")[0].split(), [str(i).encode() for i in range(1, 200001)])

    def test_a_log_that_a_crash_has_cut(self):
        identity = self.ended("echo one; echo two")
        log = self.root / "containers" / identity / "log"
        os.truncate(log, log.stat().st_size - 2)
        self.assertEqual(self.bytes_of("job")[0], b"one\ntw\n")
        self.ok("start", "-a", "job")
        self.assertEqual(self.bytes_of("job")[0], b"one\ntw\none\ntwo\n")
        with log.open("ab") as file:
            file.write(b"\0\0\0 garbage \xff\n2026-")
        self.assertEqual(self.bytes_of("job")[0], b"one\ntw\none\ntwo\n")


class FullDisk(Logs):
    def setUp(self):
        super().setUp()
        self.root = self.work / "small"
        self.root.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", self.root], check=True)
        self.addCleanup(self.leave)
        self.load_demo()
        self.signs = self.work / "signs"
        self.signs.mkdir()

    def leave(self):
        self.berth("rm", "-f", "job")
        subprocess.run(["umount", "-l", self.root], check=True)

    def fill(self):
        """All of the disk is taken but for less than a page."""
        filler = self.root / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        return filler

    def test_the_container_goes_on_and_the_log_says_what_it_lacks(self):
        wait = "while ! [ -e /signs/{} ]; do sleep 0.05; done; "
        self.detached("echo begin; " + wait.format(1) + "seq 1 5000; echo filled > /signs/said; " + wait.format(2) +
                      "echo end", "-v", f"{self.signs}:/signs:idmap")
        until(lambda: self.bytes_of("job")[0] == b"begin\n", "it has begun")
        filler = self.fill()
        (self.signs / "1").touch()
        until(lambda: (self.signs / "said").exists(), "the container goes on")
        time.sleep(0.3)
        filler.unlink()
        (self.signs / "2").touch()
        until(lambda: self.state("job")["Status"] == "exited", "it ends")
        out, err = self.bytes_of("job")
        self.assertTrue(out.startswith(b"begin\n") and out.endswith(b"\nend\n"), out[-100:])
        written = len("".join(f"{i}\n" for i in range(1, 5001)))
        lost = re.search(rb"berth: (\d+) bytes were lost here: the log could not be written: ENOSPC", err)
        self.assertTrue(lost, err)
        self.assertEqual(len(out) - len(b"begin\nend\n") + int(lost.group(1)), written)


if __name__ == "__main__":
    main()
