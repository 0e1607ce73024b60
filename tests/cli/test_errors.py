"""What goes wrong: each message says what was tried, on what, why it failed and what to do, and nothing is left."""

import os
import pathlib
import shutil
import subprocess

from support import leftovers
from support.case import DEMO, PROGRAMS, BerthCase, demo_archive, main, run


class Errors(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def clear(self, status, *words, saying, hint=True):
        """One message, one hint where there is one to give, and nothing is left."""
        done = self.fails(status, *words, saying=saying)
        lines = done.stderr.splitlines()
        self.assertEqual([line.split(":")[0] for line in lines], ["berth", "hint"][:len(lines)], done)
        if hint:
            self.assertEqual(len(lines), 2, done)
        self.assertEqual(done.stdout, "")
        self.assert_nothing_left()

    def test_no_such_image(self):
        self.clear(125, "run", "--rm", "--pull=never", "nothere", "true", saying=['"nothere"', "berth pull nothere"])
        self.clear(125, "run", "--rm", "--pull=never", "demi", "true", saying=['"demi"', "Did you mean demo?"])

    def test_no_such_command(self):
        self.clear(127, "run", "--rm", "--name", "job", DEMO, "nosuch", "word",
                   saying=['cannot start "job"', 'cannot execute "nosuch" in the container', "ENOENT", "PATH"])

    def test_not_executable(self):
        self.clear(126, "run", "--rm", "--name", "job", DEMO, "/etc/passwd",
                   saying=['cannot execute "/etc/passwd"', "EACCES", "hint: Its mode"])
        self.clear(126, "run", "--rm", DEMO, "/etc", saying=['"/etc"', "directory"], hint=False)

    def test_a_uid_outside_the_map(self):
        self.clear(125, "run", "--rm", "-u", "70000", DEMO, "id",
                   saying=['--user "70000"', "UID 70000 is outside the container's map of user IDs (0-65535 ", "hint: Choose"])

    def test_bad_values(self):
        table = [
            (["--ulimit", "nofile"], ["--ulimit nofile", "NAME=SOFT[:HARD]"]),
            (["--ulimit", "nofile=2:1"], ["--ulimit nofile=2:1", "above"]),
            (["--shm-size", "-1"], ["--shm-size -1", "64m"]),
            (["--shm-size", "99999999999999999999"], ["--shm-size", "64m"]),
            (["--sysctl", "kernel.panic=1"], ["kernel.panic", "whole host"]),
            (["--network", "nosuch"], ["nosuch"]),
            (["--userns", "sideways"], ["--userns sideways", "private"]),
            (["-e", "X=\udcff"], ["a value of the container's environment is not UTF-8 text"]),
            (["--stop-signal", "RTMIN+2147483647"], ["no such signal"]),
            (["--pull", "sometimes"], ["--pull", "sometimes"]),
            (["--stop-signal", "SIGNOT"], ["--stop-signal", "SIGNOT"]),
            (["--name", "a b"], ["a b", "can't be a container's name"]),
            (["--hostname", "a_b c"], ["--hostname a_b c"]),
            (["-w", "relative"], ["--workdir relative", "absolute"]),
            (["-e", "=x"], ["--env =x", "KEY=VALUE"]),
            (["--env-file", "/nonexistent"], ["--env-file /nonexistent", "ENOENT"]),
            (["-v", "/nonexistent:/x"], ["/nonexistent", "ENOENT"]),
            (["-v", "/etc:x"], ["--volume /etc:x", "absolute"]),
            (["--mount", "type=odd,dst=/x"], ["--mount", "odd"]),
            (["--tmpfs", "/x:size"], ["size"]),
            (["--device", "/dev/nonexistent"], ["/dev/nonexistent", "ENOENT"]),
            (["--security-opt", "odd"], ["--security-opt odd", "no-new-privileges"]),
            (["--security-opt", "seccomp=/nonexistent"], ["/nonexistent", "ENOENT"]),
            (["--cap-add", "ODD"], ["ODD"]),
            (["--group-add", "odd"], ["--group-add", "odd"]),
            (["-u", "odd"], ["--user", "odd"]),
            (["-u", "1:2:3"], ["1:2:3", "USER:GROUP"]),
            (["--entrypoint", "[oops"], ["--entrypoint [oops", "JSON"]),
            (["--init=maybe"], ["init", "maybe"]),
            (["--label", "=x"], ["--label =x", "KEY=VALUE"]),
            (["--cidfile", "/nonexistent/cid"], ["--cidfile", "/nonexistent/cid", "ENOENT"]),
            (["--odd"], ["--odd"]),
        ]
        for flags, saying in table:
            with self.subTest(flags=flags):
                self.clear(125, "run", "--rm", *flags, DEMO, "true", saying=saying, hint=False)
                self.assertEqual(list((self.root / "volumes").iterdir()), [])

    def test_a_corrupt_layer(self):
        data = bytearray(demo_archive().read_bytes())
        place = data.index(b"www-data:x:33:33")
        data[place:place + 3] = b"WWW"
        archive = self.work / "corrupt.tar"
        archive.write_bytes(data)
        other = self.command("load", "-i", archive)
        other[other.index("--root") + 1] = str(self.work / "second")
        done = run(*other, env=self.environment)
        self.assertEqual(done.status, 125, done)
        self.assertRegex(done.stderr, "^berth: ")
        self.assertRegex(done.stderr, "sha256:[0-9a-f]{12}")
        self.assertEqual(list((self.work / "second" / "layers").iterdir()), [])
        self.assertEqual(list((self.work / "second" / "tmp").iterdir()), [])

    def test_a_truncated_archive(self):
        archive = self.work / "short.tar"
        archive.write_bytes(demo_archive().read_bytes()[:700_000])
        self.clear(125, "load", "-i", archive, saying=[str(archive)], hint=False)

    def test_no_such_archive(self):
        self.clear(125, "load", "-i", "/nonexistent.tar", saying=["/nonexistent.tar", "ENOENT"], hint=False)


class FullDisk(BerthCase):
    def setUp(self):
        super().setUp()
        self.small = self.work / "small"
        self.small.mkdir()

    def mount(self, size):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", self.small], check=True)
        self.root = self.small / "root"
        self._before = leftovers.Snapshot.take()  # the test's own mount is nothing that was left
        self.addCleanup(subprocess.run, ["umount", self.small], check=True)

    def test_an_image_that_does_not_fit(self):
        self.mount("2m")
        done = self.fails(125, "load", "-i", demo_archive(), saying=["No space left on device", "hint: "])
        self.assertIn("ENOSPC", done.stderr)
        for name in ("tmp", "layers", "blobs/sha256"):
            self.assertEqual(list((self.root / name).iterdir()), [], name)

    def test_a_run_without_room(self):
        self.mount("12m")
        self.load_demo()
        filler = self.small / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
            except OSError:
                pass
        for words in (("run", "--rm", DEMO, "true"), ("run", "--rm", "-u", "10000", DEMO, "true"), ("create", DEMO, "true")):
            done = self.berth(*words)
            if done.status != 0:
                self.assertEqual(done.status, 125, done)
                self.assertRegex(done.stderr, r"(?i)^berth: .*(ENOSPC|full)")
                self.assertIn("hint: ", done.stderr)
        filler.unlink()
        self.ok("run", "--rm", DEMO, "true")
        self.ok("rm", "-fa")
        self.ok("system", "repair")
        self.assert_nothing_left()
        self.assertEqual([path.name for path in (self.root / "containers").iterdir()], ["creating.lock"])

    def test_a_store_that_can_not_be_made(self):
        self.mount("4k")
        (self.small / "f").write_bytes(b"x" * 4096)
        self.fails(125, "ps", saying=[str(self.root)])

    def test_a_process_that_fills_its_disk_is_told_so(self):
        self.mount("12m")
        self.load_demo()
        done = self.berth("run", "--rm", DEMO, "sh", "-c", "dd if=/dev/zero of=/file bs=64k count=400; echo $?")
        self.assertIn("No space left on device", done.stderr, "the process's own message")
        self.assertEqual((done.status, done.stdout), (0, "1\n"), done)
        self.ok("ps", "-a")
        self.assert_nothing_left()


class NotRoot(BerthCase):
    def as_nobody(self, *words):
        # A copy that anybody can reach.
        programs = pathlib.Path("/run/programs")
        if not programs.exists():
            shutil.copytree(PROGRAMS, programs, ignore=shutil.ignore_patterns("unit_*", "root_*", "replay_*"))
            self.addCleanup(shutil.rmtree, programs)
        return run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", programs / "berth", *words,
                   env=self.environment, cwd="/")

    def test_whoever_is_not_root_is_told_what_to_do(self):
        for words in (["run", DEMO], ["ps"], ["create", DEMO], ["start", "-a", "x"], ["rm", "x"], ["inspect", "x"],
                      ["logs", "x"], ["system", "repair"], ["load", "-i", "/etc/passwd"], ["images"]):
            done = self.as_nobody(*words)
            self.assertEqual(done.status, 125, done)
            self.assertIn("has to be run by root", done.stderr)
            self.assertIn(f"hint: `sudo berth {words[0]}", done.stderr)

    def test_help_and_version_are_for_everybody(self):
        for words in (["--help"], ["version"], ["run", "--help"], ["ps", "--help"]):
            done = self.as_nobody(*words)
            self.assertEqual(done.status, 0, done)

    def test_a_store_that_others_can_enter_is_refused(self):
        self.root.mkdir(mode=0o755)
        self.root.chmod(0o755)
        self.fails(125, "ps", saying=[str(self.root), "other users", "chmod 0700"])
        self.root.chmod(0o700)
        os.chown(self.root, 1000, 0)
        self.fails(125, "ps", saying=[str(self.root), "chown root"])


if __name__ == "__main__":
    main()
