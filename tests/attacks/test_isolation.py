"""What a container must not reach: the host's store, users, processes, keys, terminals and settings."""

import ctypes
import os
import pathlib
import subprocess

from support import attack, case, terminal

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_ADD_KEY, SYS_KEYCTL = 248, 250
KEYCTL_JOIN_SESSION_KEYRING, SESSION_KEYRING = 1, -3


class Store(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.ok("run", "-v", "v:/v", "--name", "kept", case.DEMO, "sh", "-c",
                "cp /bin/busybox /v/suid && chmod 6755 /v/suid; cp /bin/busybox /suid && chmod 6755 /suid")
        for directory in (self.work, self.runroot.parent):
            directory.chmod(0o755)

    def bank_base(self):
        text = self.ok("run", "--rm", case.DEMO, "cat", "/proc/self/uid_map")
        return int(text.split()[1])

    def test_no_host_user_gets_in(self):
        base = self.bank_base()
        for uid in (65534, 1000, base, base + 1000, base + 65535):
            for path in ("root", "root/volumes", "root/volumes/v/_data", "root/layers", "root/containers",
                         "root/tmp", "root/berth.db", "root/identities", str(self.runroot)):
                self.assertNotEqual(self.as_user(uid, "/bin/ls", path).returncode, 0, (uid, path))
            for path in ("root/volumes/v/_data/suid", *self.suid_files()):
                with self.assertRaises(PermissionError):
                    self.as_user(uid, path, "id", "-u")

    def suid_files(self):
        found = [str(path.relative_to(self.work)) for path in self.root.rglob("suid") if path.is_file()]
        self.assertGreaterEqual(len(found), 2, "the planted files are where they are looked for")
        return found

    def test_directories_belong_to_root_alone(self):
        for path in (self.root, self.runroot):
            st = os.stat(path)
            self.assertEqual((st.st_uid, st.st_gid, st.st_mode & 0o077), (0, 0, 0), path)

    def test_container_root_can_not_write_the_directories(self):
        """Even one that is shown them: with every capability of its own namespace it is nobody there."""
        before = self.files_of(self.root / "layers")
        done = self.berth("run", "--rm", "--privileged", "-v", f"{self.root}:/store", case.DEMO, "sh", "-c",
                          "for d in /store /store/layers /store/containers /store/volumes /store/tmp; do "
                          "touch $d/made && echo BROKEN; ls $d && echo BROKEN; chmod 777 $d && echo BROKEN; "
                          "done; chown 0 /store && echo BROKEN; cat /store/berth.db | wc -c")
        self.assertNotIn("BROKEN", done.stdout, done)
        self.assertEqual(self.files_of(self.root / "layers"), before)

    def test_setuid_file_in_a_shared_directory(self):
        shared = self.work / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        self.ok("run", "--rm", "-v", f"{shared}:/s", case.DEMO, "sh", "-c", "cp /bin/busybox /s/x && chmod 6755 /s/x")
        done = self.as_user(1000, "shared/x", "id", "-u")
        self.assertNotIn(done.stdout.strip(), ("0",), "a container's file makes a host user root")
        self.assertGreaterEqual(os.stat(shared / "x").st_uid, 0x80000)


class Neighbours(attack.AttackCase):
    def test_signals_and_traces(self):
        self.load_demo()
        victim = self.start("run", "--rm", case.DEMO, "sh", "-c", "echo up; sleep 60", stdout=subprocess.PIPE)
        self.assertEqual(victim.stdout.readline(), b"up\n")
        bystander = subprocess.Popen(["sleep", "60"])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        for flags in ((), attack.ADMIN, ("--privileged",), ("--userns", "host", "--privileged")):
            self.attack(case.DEMO, "neighbours", "4", flags=flags)
            self.assertIsNone(victim.poll(), flags)
            self.assertIsNone(bystander.poll(), flags)
        victim.terminate()
        victim.wait(20)

    def test_keys(self):
        self.load_demo()

        def with_a_key():
            LIBC.syscall(SYS_KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, None)
            if LIBC.syscall(SYS_ADD_KEY, b"user", b"berth-attack", b"secret", 6, SESSION_KEYRING) < 0:
                os._exit(99)
        for flags in (("--security-opt", "seccomp=unconfined"), ("--privileged",)):
            done = subprocess.run(self.command("run", "--rm", *self.programs(), *flags, case.DEMO, "/attack/keyring",
                                               "berth-attack"), env=self.environment, preexec_fn=with_a_key,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 0, done)
            self.assertNotIn("BROKEN", done.stdout)

    def test_other_system_call_tables(self):
        self.load_demo()
        self.attack(case.DEMO, "foreign_calls")
        self.attack(case.DEMO, "foreign_calls", flags=("--user", "1000"))

    def test_devices_and_kernel_settings(self):
        self.load_demo()
        for flags in ((), ("--privileged",), attack.ADMIN, ("--user", "1000"), ("--cap-add", "ALL")):
            self.attack(case.DEMO, "devices", flags=flags)

    def test_devices_with_the_hosts_ids(self):
        self.load_demo()
        host = ("--userns", "host", "--cap-add", "MKNOD", "--device", "/dev/zero:/dev/more/zero")
        for flags in (host, (*host, "--cap-add", "ALL", "--cap-drop", "SYS_ADMIN")):
            self.attack(case.DEMO, "devices", "made", flags=flags)
        self.assertEqual(self.ok("run", "--rm", "-t", *host, case.DEMO, "sh", "-c",
                                 "cd /dev && echo x > null && cat null && head -c 3 more/zero | wc -c && "
                                 "head -c 4 urandom | wc -c && echo x > tty && stat -c %t:%T /dev/more/zero"),
                         "3\r\n4\r\nx\r\n1:5\r\n")

    def test_the_hosts_null_device(self):
        """Root with the host's IDs may change the mode of its /dev/null, which must not be the host's."""
        self.load_demo()
        before = os.stat("/dev/null")
        # What it had, so that nothing is lost where the attack succeeds.
        attempts = [f"{what} {path}" for what in ("chmod 666", "busybox chown 0:0", "touch")
                    for path in ("/dev/null", "/proc/self/fd/0", "/proc/kcore", "/proc/keys", "/proc/interrupts")]
        for flags in ((), ("-t",), ("-i",), ("--privileged",)):
            self.ok("run", "--rm", "--userns", "host", *flags, case.DEMO, "sh", "-c",
                    "; ".join([*attempts, "true"]))
            after = os.stat("/dev/null")
            self.assertEqual((after.st_ctime_ns, after.st_mode, after.st_uid), (before.st_ctime_ns, before.st_mode, before.st_uid))
        said = self.ok("run", "--rm", "--userns", "host", case.DEMO, "sh", "-c",
                       "cat; stat -c %d.%i /dev/null; stat -L -c %d.%i /proc/self/fd/0; wc -c < /proc/interrupts").split()
        self.assertEqual(said[0], said[1], "its own node is its input")
        self.assertEqual(said[2], "0")

    def test_negative_group_permission(self):
        """A file that its group may not read stays closed to whoever has that GID as the primary one."""
        self.load_demo()
        self.ok("run", "--rm", "-v", "v:/v", case.DEMO, "sh", "-c",
                "echo secret > /v/f; chmod 604 /v/f; busybox chown 0:4242 /v/f")
        for user in ("1000:4242", "5000:4242", "demo:4242"):
            done = self.berth("run", "--rm", "-v", "v:/v", "-u", user, case.DEMO, "cat", "/v/f")
            self.assertNotEqual(done.status, 0, done)
            self.assertIn("4242", self.ok("run", "--rm", "-u", user, case.DEMO, "id", "-G").split())
            status = self.ok("run", "--rm", "-u", user, case.DEMO, "grep", "Groups", "/proc/self/status")
            self.assertIn("4242", status.split())
        self.assertEqual(self.ok("run", "--rm", "-v", "v:/v", "-u", "1000:4243", case.DEMO, "cat", "/v/f"), "secret\n")


class Terminals(attack.AttackCase):
    def test_typing_into_the_hosts_terminal(self):
        """What a container pushes may come back to itself, never to the shell that started it."""
        self.load_demo()
        for flags in (("-t",), ("-t", "-i"), ("-i",), (), ("-t", "--privileged")):
            command = " ".join(self.command("run", "--rm", *flags, *self.programs(), case.DEMO, "/attack/push_input",
                                            "echo\\ GOTCHA-$((40+2))"))
            with terminal.Terminal(["sh", "-c", f"{command}; read -t 1 line; echo read:$line:"],
                                   env=self.environment) as screen:
                screen.expect(r"pushed \d+ bytes")
                screen.expect(r"read::", timeout=30)

    def test_something_else_in_the_terminals_place(self):
        """What a mount has put at /dev/pts/0 is not taken for the terminal, not written to, not given away."""
        self.load_demo()
        (self.work / "file").write_text("untouched")
        os.mkfifo(self.work / "fifo")
        (self.work / "link").symlink_to("/dev/pts/ptmx")
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        for place in (self.work / "file", self.work / "fifo", self.work / "link", os.ttyname(theirs), "/dev/ptmx"):
            before = os.stat(place)
            done = self.berth("run", "--rm", "-t", "-v", f"{place}:/dev/pts/0", case.DEMO, "sh", "-c", "echo BROKEN",
                              timeout=30)
            self.assertEqual((done.status, done.stdout), (125, ""), done)
            self.assertRegex(done.stderr, r"/dev/pts/0|terminal")
            after = os.stat(place)
            self.assertEqual((after.st_uid, after.st_mode, after.st_size), (before.st_uid, before.st_mode, before.st_size))
        self.assertEqual((self.work / "file").read_text(), "untouched")
        os.set_blocking(ours, False)
        self.assertRaises(BlockingIOError, os.read, ours, 100)
        self.assert_nothing_left()

    def test_a_volume_for_terminals_that_somebody_swaps_meanwhile(self):
        self.load_demo()
        self.ok("run", "--rm", "-v", "v:/v", case.DEMO, "sh", "-c", "mkfifo /v/0; ln -s /etc/passwd /v/link")
        renamer = self.start("run", "--rm", "-v", "v:/v", *self.programs(), case.DEMO, "/attack/renamer", "/v/0",
                             "/v/link", stdout=subprocess.PIPE)
        self.assertEqual(renamer.stdout.readline(), b"started\n")
        for target in ("/dev/pts", "/dev/console"):
            for _ in range(5):
                done = self.berth("run", "--rm", "-t", "-v", f"v:{target}", case.DEMO, "sh", "-c", "echo BROKEN",
                                  timeout=30)
                self.assertEqual((done.status, done.stdout), (125, ""), done)
        self.assertIsNone(renamer.poll(), "the renamer has stopped")
        renamer.terminate()
        renamer.wait(20)


class Settings(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.core_pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()

    def tearDown(self):
        self.assertEqual(pathlib.Path("/proc/sys/kernel/core_pattern").read_text(), self.core_pattern)

    def test_sysctls_of_the_host(self):
        for key in ("kernel.core_pattern", "kernel/core_pattern", "vm.swappiness", "fs.file-max",
                    "net.ipv4.../../kernel/core_pattern", "net/../kernel/core_pattern", "net..kernel.core_pattern",
                    "/kernel/core_pattern", "fs.mqueue.../kernel.core_pattern", "kernel.shm_rmid_forced+kernel.core_pattern",
                    "net.core.somaxconn\nkernel.core_pattern", "user.max_user_namespaces"):
            self.fails(125, "run", "--rm", "--sysctl", f"{key}=x", case.DEMO, "true", saying="--sysctl")

    def test_separators_in_sysctl_values(self):
        for value in ("1+kernel.core_pattern=x", "1\nkernel.core_pattern=x", "1,kernel.core_pattern=x",
                      "1;kernel.core_pattern=x"):
            self.berth("run", "--rm", "--sysctl", f"kernel.shm_rmid_forced={value}", case.DEMO, "true")
            self.berth("run", "--rm", "--sysctl", f"kernel.domainname={value}", case.DEMO, "true")

    def test_sysctls_with_the_hosts_network(self):
        self.fails(125, "run", "--rm", "--network", "host", "--sysctl", "net.ipv4.ip_forward=1", case.DEMO, "true",
                   saying="--network host")

    def test_host_names(self):
        for name in ("a\n6.6.6.6 example.com", "a b", "a\tb", "a\0b"[:1] + "\r", "x" * 65, "a/../b"):
            self.fails(125, "run", "--rm", "--hostname", name, case.DEMO, "true", saying="--hostname")
        said = self.ok("run", "--rm", "-e", "HOSTNAME=a\n6.6.6.6 example.com", case.DEMO, "cat", "/etc/hosts",
                       "/etc/hostname")
        self.assertNotIn("6.6.6.6", said)

    def test_separators_in_variables_labels_and_arguments(self):
        odd = ("a=b=c", "a\nB=1", "a,b:c;d+e", "--rm", "$(id)", "\x1b[31m", " ", "\\n")
        for value in odd:
            said = self.ok("run", "--rm", "-e", f"ODD={value}", "--label", f"l={value}", "--annotation", f"a={value}",
                           case.DEMO, "sh", "-c", 'printf "<%s><%s><%s>" "$ODD" "$B" "$1"', "sh", value)
            self.assertEqual(said, f"<{value}><><{value}>")

    def test_a_plan_of_more_than_64_kib(self):
        """Nothing that isolates is lost behind much that does not matter (runc CVE-2021-43784)."""
        many = [word for number in range(1000) for word in ("-e", f"V{number}={'x' * 200}")]
        mounts = [word for number in range(300) for word in ("--tmpfs", f"/{'m' * 200}{number}:size=64k,mode=700")]
        groups = [word for number in range(200) for word in ("--group-add", str(30000 + number))]
        said = self.ok("run", "--rm", *many, "-e", f"LONG={'y' * 100000}", *mounts, *groups,
                       "--label", f"l={'z' * 70000}", case.DEMO, "sh", "-c",
                       "env | grep -c ^V; echo ${#LONG} ${#V999}; grep -c /mmm /proc/mounts; id -G | wc -w;"
                       "cat /proc/self/uid_map; ls /sys/class/net; echo $$; grep -c . /proc/self/mountinfo;"
                       "touch /proc/sys/kernel/x || echo closed; grep Seccomp: /proc/self/status", timeout=60).split("\n")
        self.assertEqual(said[:4], ["1000", "100000 200", "300", "201"])
        self.assertNotEqual(said[4].split()[:2], ["0", "0"], "a bank of its own")
        self.assertEqual(said[4].split()[2], "65536")
        self.assertEqual(said[5], "lo", "no network")
        self.assertLess(int(said[6]), 10, "a PID namespace")
        self.assertGreater(int(said[7]), 310)
        self.assertEqual(said[8:10], ["closed", "Seccomp:\t2"])

    def test_more_than_the_kernel_takes(self):
        flags = []
        for number in range(20):
            path = self.work / f"env{number}"
            path.write_text("".join(f"V{number}x{line}={'x' * 100000}\n" for line in range(10)))
            flags += ["--env-file", path]
        self.fails(126, "run", "--rm", *flags[:6], case.DEMO, "true", saying="E2BIG")
        self.fails(125, "run", "--rm", *flags, case.DEMO, "true", saying="bytes")
        self.assert_nothing_left()

    def test_nothing_of_the_caller_leaks_into_the_environment(self):
        said = self.ok("run", "--rm", case.DEMO, "env", env={"SECRET_OF_THE_CALLER": "1", "LD_PRELOAD": ""})
        self.assertNotIn("SECRET", said)

    def test_escape_sequences_in_messages(self):
        done = self.berth("run", "--rm", "--name", "n", case.DEMO, "/\x1b]0;owned\x07")
        self.assertEqual(done.status, 127)
        self.assertNotRegex(done.stderr, r"[\x00-\x08\x0b-\x1f\x7f]")


case.main()
