"""The programs of berth's own, reached from inside through /proc (CVE-2019-5736), and leaked descriptors."""

import hashlib
import os
import pathlib
import subprocess

from support import attack, case, terminal
from support.attack import archive

ALL_SEALS = 15


class OwnPrograms(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.before = self.programs_on_the_host()
        self.addCleanup(lambda: self.assertEqual(self.programs_on_the_host(), self.before))

    @staticmethod
    def programs_on_the_host():
        return {path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
                for path in case.PROGRAMS.iterdir() if path.is_file()}

    def test_reopened_for_writing(self):
        for flags in ((), ("--privileged",), ("--userns", "host"), ("--userns", "host", "--privileged")):
            said = self.attack(case.DEMO, "own_program", "1", "parent", flags=flags)
            self.assertIn(f"1 seals {ALL_SEALS} of {ALL_SEALS}", said)
            self.assertNotIn(str(case.PROGRAMS), said)

    def test_as_another_user(self):
        self.attack(case.DEMO, "own_program", "1", flags=("--user", "1000"))

    def test_entrypoint_is_the_running_program(self):
        """It must be the sealed copy of berth-init that runs again, which only says that it was called wrongly."""
        for flags in ((), ("--init=false",), ("--init=false", "--userns", "host"), ("--privileged",)):
            done = self.berth("run", "--rm", *flags, "--entrypoint", "/proc/self/exe", case.DEMO)
            self.assertEqual((done.status, done.stdout), (125, ""), done)

    def test_script_whose_interpreter_is_the_running_program(self):
        """The interpreter gets the script's name as a word; a memory file called berth-init is what executes it."""
        image = self.image(attack.system(archive.file("run", "#!/proc/self/exe /attack/own_program\n", 0o755)))
        for flags in (("--init=false",), (), ("--init=false", "--userns", "host")):
            done = self.berth("run", "--rm", *flags, *self.programs(), image, "/run")
            # Executed as "berth-init /attack/own_program /run", it executes that program with no process to attack.
            self.assertNotIn("BROKEN", done.stdout, done)
            self.assertNotIn("berth-monitor", done.stdout + done.stderr, done)

    def test_where_memory_files_must_not_be_executed(self):
        """vm.memfd_noexec=2 holds in a PID namespace and those below it; berth-init then comes read-only from its file."""
        script = ("echo 2 > /proc/sys/vm/memfd_noexec && test $(cat /proc/sys/vm/memfd_noexec) = 2 && "
                  'exec "$@"')
        for flags in ((), ("--userns", "host")):
            command = self.command("run", "--rm", *flags, *self.programs(), case.DEMO, "/attack/own_program", "1",
                                   "parent")
            done = case.run("unshare", "--pid", "--fork", "--mount", "--mount-proc", "sh", "-c", script, "sh",
                            *command, env=self.environment)
            self.assertEqual(done.status, 0, done)
            self.assertNotIn("BROKEN", done.stdout, done)
            self.assertIn("held open /proc/1/exe for writing", done.stdout)


class Descriptors(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        # What careless callers have open.
        self.spare = [os.open("/", os.O_RDONLY | os.O_DIRECTORY) for _ in range(8)]
        for fd in self.spare:
            os.set_inheritable(fd, True)
            self.addCleanup(os.close, fd)

    def run_with_spare(self, *words):
        done = subprocess.run(self.command("run", "--rm", *self.programs(), *words), env=self.environment,
                              pass_fds=self.spare, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_of_the_command(self):
        for flags in ((), ("-i",), ("--init=false",), ("--privileged",), ("--userns", "host")):
            said = self.run_with_spare(*flags, case.DEMO, "/attack/descriptors", "self")
            self.assertEqual(said, "self: 0 1 2\n", flags)

    def test_with_a_terminal(self):
        command = self.command("run", "--rm", "-t", *self.programs(), case.DEMO, "/attack/descriptors", "self")
        with terminal.Terminal(command, env=self.environment) as screen:
            screen.expect(r"self: 0 1 2\s")
            self.assertEqual(screen.wait(), 0)

    def test_of_init(self):
        for flags in ((), ("--privileged",), ("--userns", "host", "--privileged"), ("-i",)):
            self.assertEqual(self.run_with_spare(*flags, case.DEMO, "/attack/descriptors", "1"), "1:\n", flags)

    def test_working_directory_is_no_descriptor(self):
        """CVE-2024-21626."""
        for process in ("self", "1", "thread-self"):
            for number in range(0, 65):
                if process != "self" and number > 16:
                    break
                done = self.berth("run", "--rm", "-w", f"/proc/{process}/fd/{number}", case.DEMO, "sh", "-c",
                                  "pwd; ls ../../..")
                self.assertNotEqual(done.status, 0, done)
                self.assertEqual(done.stdout, "", done)
                self.assertIn("berth: ", done.stderr)

    def test_working_directory_of_the_image_is_no_descriptor(self):
        for place in ("/proc/self/fd/4", "/proc/self/cwd", "/proc/1/root", "/here"):
            image = self.image(attack.system(archive.link("here", "/proc/self/fd/5/../..")), WorkingDir=place)
            done = self.berth("run", "--rm", image, "sh", "-c", "ls -d proc/*/task; ls")
            self.assertNotIn(pathlib.Path(self.work).name, done.stdout)
            if done.status == 0:
                self.assertIn("busybox", self.ok("run", "--rm", image, "ls", "bin"))


case.main()
