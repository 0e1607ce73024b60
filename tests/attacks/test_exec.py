"""berth exec into a container that is waiting for it."""

import os
import pathlib
import subprocess
import time

from support import attack, case, terminal
from support.attack import archive
from support.waiting import until


class AttackedExec(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "--force", "--all")

    def container(self, *command, flags=(), image=case.DEMO, name="job"):
        self.ok("run", "-d", "--name", name, *self.programs(), *flags, image, *(command or ("sleep", "1000")))

    def exec(self, *words, flags=(), name="job", **options):
        return self.berth("exec", *flags, name, *words, **options)


class Entering(AttackedExec):
    """CVE-2015-8709 and CVE-2019-5736: between the entry and the exec there is much of the host's to be had."""

    def lurk(self, *flags, expected=r"held [1-9]\d* times"):
        self.container("/attack/enterers", "/tmp/stop", flags=flags)
        until(lambda: "waiting" in self.ok("logs", "job"), "it waits")
        deadline = time.monotonic() + 60
        for count in range(60):
            done = self.exec(*(("true",) if count % 2 else ("sh", "-c", ":")))
            self.assertEqual(done.status, 0, done)
            self.assertLess(time.monotonic(), deadline)
        self.exec("touch", "/tmp/stop")
        until(lambda: "held" in self.ok("logs", "job"), "it has ended")
        said = self.ok("logs", "job")
        self.assertNotIn("BROKEN", said)
        self.assertRegex(said, expected)

    def test_a_container_of_the_usual_kind(self):
        self.lurk()

    def test_with_all_that_its_bank_allows(self):
        self.lurk("--privileged")

    def test_the_hosts_root_without_capabilities(self):
        self.lurk("--userns", "host", "--cap-drop", "ALL")

    def test_the_hosts_root_that_may_trace(self):
        """Nothing keeps it from tracing what it sees, but that has no more than it has itself."""
        self.lurk("--userns", "host", "--cap-add", "SYS_PTRACE", "--security-opt", "seccomp=unconfined",
                  expected=r"traced [1-9]\d*")


class OwnPrograms(AttackedExec):
    """CVE-2019-5736: what is executed is never a file of the host's that could be written."""

    def test_the_running_program_as_the_command(self):
        before = {path.name: path.read_bytes() for path in case.PROGRAMS.iterdir() if path.is_file()}
        script = archive.file("run", "#!/proc/self/exe\n", 0o755)
        image = self.image(attack.system(script))
        for flags in ((), ("--privileged",), ("--userns", "host")):
            self.container(flags=flags, image=image)
            for command in ("/proc/self/exe", "/proc/thread-self/exe", "/run"):
                # The sealed copy of berth-init, which says that it was called wrongly, or nothing.
                done = self.exec(command, "/attack/own_program", "1")
                self.assertNotEqual(done.status, 0, done)
                self.assertNotIn("berth-monitor", done.stdout)
                self.assertNotIn("BROKEN", done.stdout, done)
            self.ok("rm", "-f", "job")
        after = {path.name: path.read_bytes() for path in case.PROGRAMS.iterdir() if path.is_file()}
        self.assertEqual(before, after)

    def test_reopened_for_writing(self):
        for flags in ((), ("--privileged",)):
            self.container(flags=flags)
            done = self.exec("/attack/own_program", "1", "parent")
            self.assertNotIn("BROKEN", done.stdout, done)
            self.assertIn("held", done.stdout, done)
            self.ok("rm", "-f", "job")

    def test_a_library_that_everything_is_to_load(self):
        self.container(flags=("-e", "LD_PRELOAD=/tmp/evil.so", "-e", "LD_AUDIT=/tmp/evil.so"))
        self.exec("sh", "-c", "echo garbage > /tmp/evil.so")
        self.assertEqual(self.exec("echo", "well").stdout, "well\n")


class Descriptors(AttackedExec):
    def setUp(self):
        super().setUp()
        # What careless callers have open.
        self.spare = [os.open("/", os.O_RDONLY | os.O_DIRECTORY) for _ in range(8)]
        for fd in self.spare:
            self.addCleanup(os.close, fd)
        self.container()

    def with_spare(self, *words):
        return subprocess.run(self.command("exec", *words), env=self.environment, pass_fds=self.spare, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)

    def test_none_is_left(self):
        for flags in ((), ("-i",), ("--privileged",), ("-u", "10000")):
            done = self.with_spare(*flags, "job", "/attack/descriptors", "self")
            self.assertEqual(done.stdout, "self: 0 1 2\n", done)

    def test_with_a_terminal(self):
        command = self.command("exec", "-t", "job", "/attack/descriptors", "self")
        with terminal.Terminal(command, env=self.environment) as screen:
            screen.expect(r"self: 0 1 2\s")
            self.assertEqual(screen.wait(), 0)

    def test_working_directory_is_no_descriptor(self):
        """CVE-2024-21626: neither a leaked one, nor one of another process."""
        for number in range(40):
            self.exec("ln", "-s", f"/proc/self/fd/{number}", f"/tmp/link{number}")
        for number in range(40):
            own = f"/proc/self/fd/{number}"
            for place in (own, f"{own}/..", f"/tmp/link{number}", f"/proc/1/fd/{number}"):
                done = self.with_spare("-w", place, "job", "sh", "-c", "pwd; ls ../../..")
                self.assertEqual((done.returncode, done.stdout), (125, ""), done)
                self.assertIn("berth: ", done.stderr)


class Users(AttackedExec):
    """crun CVE-2026-30892, where `exec -u 1` ran as root: what counts is what the process sees."""

    PASSWD = ("root:x:0:0:root:/root:/bin/sh\n1000:x:0:0::/:/bin/sh\n4294967296:x:0:0::/:/bin/sh\n0001:x:0:0::/:/bin/sh\n"
              "big:x:4294967296:0::/:/bin/sh\nneg:x:-1:0::/:/bin/sh\nempty:x:::::\nshort:x\n+1:x:0:0::/:/bin/sh\n"
              "hex:x:0x0:0::/:/bin/sh\nmax:x:4294967295:4294967295::/:/bin/sh\nuser:x:1234:1235::/:/bin/sh\n")

    def test_every_spelling(self):
        image = self.image(attack.system(passwd=self.PASSWD))
        self.container(image=image)
        for user, uid in (("1", 1), ("1000", 1000), ("0001", 1), ("00000000000000000000001", 1), ("1:0", 1), ("1:", 1),
                          ("01000", 1000), ("65535", 65535), ("user", 1234), ("1234", 1234), ("user:0", 1234)):
            done = self.exec("id", "-u", flags=("-u", user))
            self.assertEqual((done.status, done.stdout), (0, f"{uid}\n"), (user, done))
            done = self.exec("sh", "-c", "grep Uid /proc/self/status; touch /tmp/mine; stat -c %u /tmp/mine", flags=("-u", user))
            self.assertEqual(set(done.stdout.split()[1:]), {str(uid)}, (user, done))
            self.exec("sh", "-c", "busybox rm /tmp/mine")
        for user in ("4294967296", "4294967295", "-1", "2147483648", "99999999999999999999", "18446744073709551617", "big",
                     "neg", "empty", "short", "hex", "max", "0:4294967296", "0:-1", "65536", "+0", "0x0", " 1", "1 ", "1\n",
                     "user\n", "\x00", "1000:99999999999999999999", "1.0", "1e3", "１"):
            if "\x00" in user:
                continue  # no argument can hold it
            done = self.exec("id", "-u", flags=("-u", user))
            self.assertEqual((done.status, done.stdout), (125, ""), (user, done))
            self.assertRegex(done.stderr, r"(?m)^berth: ", user)

    def test_group_0_and_primary_group(self):
        image = self.image(attack.system(archive.file("secret", "seen\n", mode=0o604, uid=0, gid=29), passwd=self.PASSWD))
        self.container(image=image)
        done = self.exec("cat", "/secret", flags=("-u", "10000:29"))
        self.assertNotIn("seen", done.stdout)

    def test_hostile_files(self):
        """They are read from outside: not through a link to the host, no FIFO that makes it wait, no gigabytes."""
        secret = pathlib.Path("/berth-attack-passwd")
        secret.write_text("hostsecret:x:12345:12345::/:/bin/sh\n")
        self.addCleanup(secret.unlink, missing_ok=True)
        self.container(image=self.image(attack.system()))
        for name in ("passwd", "group"):
            for make in (f"ln -s /../../../../berth-attack-passwd /etc/{name}", f"ln -s /proc/1/root/berth-attack-passwd /etc/{name}",
                         f"ln -s /proc/self/fd/3 /etc/{name}", f"busybox mkfifo /etc/{name}", f"busybox mkdir /etc/{name}",
                         f"busybox ln -s {name} /etc/{name}", f"ln -s /dev/zero /etc/{name}", f"ln -s /dev/tty /etc/{name}",
                         f"busybox truncate -s 10G /etc/{name}", f"printf 'x:x:0:0:\\0:/:/bin/sh' > /etc/{name}"):
                self.assertEqual(self.exec("sh", "-c", f"busybox rm -rf /etc/{name}; {make}").status, 0)
                begun = time.monotonic()
                done = self.exec("sh", "-c", "grep Uid /proc/self/status; echo $HOME", flags=("-u", "10000"))
                self.assertEqual((done.status, done.stdout.split()[1::4]), (0, ["10000", "/tmp"]), (make, done))
                done = self.exec("id", flags=("-u", "hostsecret"))
                self.assertEqual((done.status, done.stdout), (125, ""), (make, done))
                self.assertLess(time.monotonic() - begun, 20)


class Terminals(AttackedExec):
    def test_it_is_of_the_containers_own_devpts(self):
        """CVE-2025-52565: what stands at /dev/ptmx, or over the devpts, is not opened."""
        self.container("sh", "-c", "rm /dev/ptmx; ln -s /bin/sh /dev/ptmx; echo swapped; exec sleep 1000")
        until(lambda: "swapped" in self.ok("logs", "job"), "it is swapped")
        command = self.command("exec", "-t", "job", "readlink", "-f", "/proc/self/fd/0")
        with terminal.Terminal(command, env=self.environment) as screen:
            screen.expect(r"/dev/pts/\d+\s")
            self.assertEqual(screen.wait(), 0)

    def test_where_there_is_no_devpts(self):
        self.container("sh", "-c", "mount -t tmpfs none /dev/pts; touch /dev/pts/ptmx; echo swapped; exec sleep 1000", flags=attack.ADMIN)
        until(lambda: "swapped" in self.ok("logs", "job"), "it is swapped")
        done = self.exec("true", flags=("-t",))
        self.assertEqual(done.status, 125, done)
        self.assertIn("devpts", done.stderr)

    def test_the_callers_terminal_can_not_be_read(self):
        """What is typed there later is the caller's own."""
        self.container()
        for flags in ((), ("-i",)):
            command = self.command("exec", *flags, "job", "/attack/push_input")
            with terminal.Terminal(command, env=self.environment) as screen:
                screen.expect("pushed 0 bytes")
            command = self.command("exec", *flags, "job", "sh", "-c", "for fd in 0 1 2; do test -t $fd && echo BROKEN; done; echo held")
            with terminal.Terminal(command, env=self.environment) as screen:
                screen.expect("held")
                self.assertNotIn("BROKEN", screen.output)


class Ended(AttackedExec):
    def test_a_process_that_took_the_pid_is_not_entered(self):
        """The state file names a process by its start, too."""
        self.container()
        directory = next(pathlib.Path(self.runroot, "containers").iterdir())
        state = (directory / "state").read_text()
        with subprocess.Popen(["sleep", "100"]) as other:
            pid = state.split('"pid":')[1].split(",")[0]
            (directory / "state").write_text(state.replace(f'"pid":{pid},', f'"pid":{other.pid},'))
            done = self.exec("true")
            (directory / "state").write_text(state)
            other.kill()
        self.assertEqual(done.status, 255, done)
        self.assertIn("is not running", done.stderr)


case.main()
