"""berth-runtime create, start and run of a container that attacks who makes it."""

import itertools
import json
import os
import pathlib
import shutil
import subprocess
import time

from support import berth_runtime, case, runtime_attack
from support.console import Console
from support.waiting import until

SPARE = 6  # descriptors that a careless caller leaves open
MAPPED = (0, 0x60000000, 65536)


def own_ids(bundle):
    bundle.user_namespace(MAPPED)
    bundle.give_to(MAPPED[1], MAPPED[1])


class AttackedCreate(runtime_attack.RuntimeAttackCase):
    def attacker(self, *programs, mapped=False):
        container = self.container_with(*programs)
        if mapped:
            own_ids(container.bundle)
        return container

    def both_ways(self, container, *words, flags=(), **options):
        """What the container says when it is run, and when it is created and then started."""
        container.bundle.process["args"] = list(map(str, words))
        run = container.run(*flags, **options)
        self.ok(container.delete("--force"))
        yield run
        created = container.create(*flags, **options)
        if created.status != 0:
            yield created
            return
        started = container.start()
        if started.status == 0:
            container.stopped()
        yield case.Finished(started.args, started.status, container.output(),
                            started.stderr + container.stderr.read_text())
        self.ok(container.delete("--force"))

    def held(self, container, *words, **options):
        """The attack program has tried something, and nothing of it has succeeded."""
        for done in self.both_ways(container, *words, **options):
            self.assertIn("held", done.stdout, done)
            self.assertNotIn("BROKEN", done.stdout, done)


class OwnProgram(AttackedCreate):
    """CVE-2019-5736: the program that the container executes is never a file of the host's that could be written."""

    COMMANDS = ("/proc/self/exe", "/proc/thread-self/exe", "/bin/run", "/link")

    def with_loader(self, mapped):
        """A container whose dynamic loader waits for a program of the host's."""
        container = self.attacker("keeper", mapped=mapped)
        for place in ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1"):
            (container.rootfs / place).parent.mkdir(exist_ok=True)
            shutil.copy(case.ATTACK_PROGRAMS / "loader", container.rootfs / place)
        (container.rootfs / "bin/run").write_text("#!/proc/self/exe\n")
        (container.rootfs / "bin/run").chmod(0o755)
        (container.rootfs / "link").symlink_to("/proc/self/exe")
        return container

    def test_the_running_program_as_the_command(self):
        for mapped in (False, True):
            container = self.with_loader(mapped)
            for command, words in itertools.product(self.COMMANDS, ((), ("init",), ("--help",))):
                for done in self.both_ways(container, command, *words):
                    self.assertNotIn("BROKEN", done.stdout, done)

    def test_the_loader_is_one(self):
        """Or the test above would say nothing."""
        container = self.with_loader(False)
        shutil.copy("/usr/bin/env", container.rootfs / "dynamic")
        container.bundle.process["args"] = ["/dynamic"]
        self.assertIn("BROKEN", container.run().stdout)

    def test_reopened_for_writing(self):
        """Its own process's is the image's own file, and there is no other in the container."""
        container = self.attacker("own_program")
        container.bundle.process["args"] = ["/bin/sh", "-c", "ls -d /proc/[0-9]*; readlink /proc/1/exe"]
        done = self.ok(container.run())
        self.assertEqual(done.stdout.splitlines()[-1], "/bin/busybox")
        self.assertNotIn("berth", done.stdout)

    def test_libraries_that_the_container_has_everything_load(self):
        for mapped in (False, True):
            container = self.attacker(mapped=mapped)
            (container.rootfs / "evil.so").write_bytes(b"\x7fELF not a library")
            (container.rootfs / "etc/ld.so.preload").write_text("/evil.so\n")
            container.bundle.process["env"] += ["LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/", "LD_AUDIT=/evil.so"]
            for done in self.both_ways(container, "/bin/echo", "well"):
                self.assertEqual((done.status, done.stdout, done.stderr), (0, "well\n", ""))


class Entering(AttackedCreate):
    """CVE-2015-8709: a container that is made in the namespaces of another one passes before its eyes."""

    def lurk(self, share, mapped):
        hostile = self.attacker("enterers", mapped=mapped)
        if mapped:
            hostile.bundle.add_capabilities("CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_SYS_CHROOT")
        hostile.bundle.process["args"] = ["/enterers", "/tmp/stop"]
        hostile.started()
        until(lambda: "waiting" in hostile.output(), "it waits")
        deadline = time.monotonic() + 60
        for _ in range(25):
            victim = self.container()
            victim.config["root"]["path"] = str(hostile.rootfs)  # so that any other root is the host's
            for kind in share:
                victim.bundle.namespace(kind, path=f"/proc/{hostile.pid}/ns/{kind}")
            victim.bundle.process["args"] = ["/bin/true"]
            self.ok(victim.run())
            self.ok(victim.delete("--force"))
            self.assertLess(time.monotonic(), deadline)
        (hostile.rootfs / "tmp/stop").touch()
        hostile.stopped()
        said = hostile.output()
        self.assertNotIn("BROKEN", said)
        self.assertRegex(said, r"held [1-9]\d* times")

    def test_the_hosts_root_without_capabilities(self):
        self.lurk(("pid",), mapped=False)

    def test_a_mapped_root_with_all_it_can_have(self):
        self.lurk(("pid",), mapped=True)

    def test_a_mapped_root_of_the_same_user_namespace(self):
        self.lurk(("user", "pid"), mapped=True)


class Descriptors(AttackedCreate):
    def setUp(self):
        super().setUp()
        self.spare = [os.open("/etc", os.O_RDONLY | os.O_DIRECTORY) for _ in range(SPARE)]
        for fd in self.spare:
            self.addCleanup(os.close, fd)

    def test_the_command_has_the_three_streams(self):
        for mapped in (False, True):
            container = self.attacker("descriptors", mapped=mapped)
            for done in self.both_ways(container, "/descriptors", "self", pass_fds=self.spare):
                self.assertEqual((done.stdout, done.stderr), ("self: 0 1 2\n", ""))

    def test_and_those_that_the_caller_preserves(self):
        count = max(self.spare) - 2  # up to and with the last of them
        expected = "self: " + " ".join(map(str, (0, 1, 2, *self.spare))) + "\n"
        for done in self.both_ways(self.attacker("descriptors"), "/descriptors", "self", pass_fds=self.spare,
                                   flags=("--preserve-fds", str(count))):
            self.assertEqual(done.stdout, expected, done)

    def test_with_a_terminal(self):
        container = self.attacker("descriptors")
        container.bundle.process.update(terminal=True, args=["/descriptors", "self"])
        console = Console(self.work / "console")
        self.addCleanup(console.close)
        container.created("--console-socket", console.path, pass_fds=self.spare)
        console.accept()
        self.ok(container.start(pass_fds=self.spare))
        self.assertIn("self: 0 1 2\r\n", console.read_until("\n"))

    def test_a_container_that_waits_for_its_start_has_nothing_of_the_hosts(self):
        for mapped in (False, True):
            container = self.attacker(mapped=mapped)
            container.bundle.process["args"] = ["/bin/true"]
            container.created(pass_fds=self.spare)
            found = {int(fd.name): os.readlink(fd) for fd in pathlib.Path(f"/proc/{container.pid}/fd").iterdir()}
            self.assertEqual(sorted(set(found) & {0, 1, 2}), [0, 1, 2])
            others = [target for number, target in found.items() if number > 2]
            self.assertLessEqual(len(others), 3)
            for target in others:
                self.assertRegex(target, r"^(socket|pipe):", found)
            self.ok(container.delete("--force"))

    def test_working_directory_is_no_descriptor(self):
        """CVE-2024-21626."""
        container = self.attacker()
        for number in range(0, 32):
            (container.rootfs / f"link{number}").symlink_to(f"/proc/self/fd/{number}")
        for number in range(0, 32):
            own = f"/proc/self/fd/{number}"
            for place in (own, f"{own}/../..", f"/link{number}", f"/proc/1/fd/{number}", f"/proc/thread-self/fd/{number}"):
                container.bundle.process.update(cwd=place, args=["/bin/ls"])
                done = container.run(pass_fds=self.spare)
                self.assertNotEqual(done.status, 0, done)
                self.assertEqual(done.stdout, "", done)
                self.assertNotEqual(done.stderr, "", done)

    def test_working_directory_is_in_the_container(self):
        for place in ("/proc/self/cwd", "/proc/1/root", "/proc/self/root/..", "/up"):
            container = self.attacker()
            (container.rootfs / "up").symlink_to("../../../../../..")
            container.bundle.process["cwd"] = place
            for done in self.both_ways(container, "/bin/sh", "-c", "ls -d etc/passwd probe", pass_fds=self.spare):
                if done.status == 0:
                    self.assertEqual(done.stdout, "etc/passwd\nprobe\n", (place, done))


class Keys(AttackedCreate):
    def test_a_keyring_that_waits_for_the_container(self):
        """A session keyring that bears the name of another container's, open to all, is not joined by that one."""
        trap = self.attacker("keyring_trap")
        victim = self.attacker("keyring_trap")
        trap.bundle.process["args"] = ["/keyring_trap", "bait", victim.id]
        trap.started()
        until(lambda: trap.output() == "laid\n", "it lies in wait")
        self.held(victim, "/keyring_trap", "bait")
        victim.sleeping()
        done = victim.exec("/keyring_trap", "bait")
        self.assertIn("held", self.ok(done).stdout)


class Values(AttackedCreate):
    """CVE-2022-0811 and its kin: nothing of a value becomes another option, setting or line."""

    SENTINELS = ("kernel/core_pattern", "kernel/hostname", "kernel/modprobe", "vm/overcommit_memory")

    def setUp(self):
        super().setUp()
        before = self.settings()
        self.addCleanup(lambda: self.assertEqual(self.settings(), before))

    def settings(self):
        paths = [pathlib.Path("/proc/sys", name) for name in self.SENTINELS]
        return {path.name: path.read_text() for path in paths if path.exists()}

    def refused(self, container):
        """With a clear word, and without anything left."""
        container.bundle.process["args"] = ["/bin/true"]
        done = self.fails(container.run(), "berth-runtime: ", status=1)
        self.assert_gone(container)
        return done

    def test_separators_in_sysctls(self):
        for separator in ("+", ",", ";", "\n", "\r\n", " ", "\t", "&"):
            for name, value in (("kernel.shm_rmid_forced", "1"), ("net.core.somaxconn", "256")):
                container = self.attacker()
                container.bundle.linux["sysctl"] = {name: f"{value}{separator}kernel.core_pattern=|/evil"}
                container.bundle.process["args"] = ["/bin/true"]
                container.run()  # the kernel takes what stands before white space as the number
                self.ok(container.delete("--force"))

    def test_names_of_sysctls(self):
        for name in ("kernel.core_pattern", "kernel/core_pattern", "net.core.somaxconn=1+kernel.core_pattern",
                     "net/../kernel/core_pattern", "net.ipv4.../kernel/core_pattern", "net//../kernel/core_pattern",
                     "/kernel/core_pattern", "net\0.core", "kernel.msgmax/../core_pattern", "fs.mqueue/../../kernel/core_pattern",
                     "../kernel/core_pattern", "net", "net.", ".", ""):
            container = self.attacker()
            container.bundle.linux["sysctl"] = {name: "|/evil"}
            self.refused(container)

    def test_options_of_mounts(self):
        for option in ("size=64k,suid,dev", "mode=0755\nsuid", "size=64k+dev", "mode=755,exec", "uid=0,dev", "=", "mode=",
                       "size=64k\0dev", "source=/etc"):
            container = self.attacker()
            container.bundle.mount("/data", "tmpfs", "tmpfs", ["nosuid", "nodev", "noexec", option])
            container.bundle.process["args"] = ["/bin/cat", "/proc/self/mountinfo"]
            done = container.run()
            for line in done.stdout.splitlines():
                if line.split()[4] == "/data":
                    self.assertLessEqual({"nosuid", "nodev", "noexec"}, set(line.split()[5].split(",")), (option, line))
            self.ok(container.delete("--force"))

    def test_limits_of_cgroups(self):
        for value in ("0\n1", "0 1", "0-\n", "0,0;", "0\0"):
            container = self.attacker()
            container.bundle.linux["resources"]["cpu"] = {"cpus": value}
            self.refused(container)

    def test_paths_of_cgroups(self):
        for path in ("/../escape", "/a/../../escape", "/a\n/b", "/..", "/", "/a\0b", "/" + "x" * 300):
            container = self.attacker()
            container.bundle.linux["cgroupsPath"] = path
            self.refused(container)
        self.assertFalse(list(pathlib.Path("/sys/fs/cgroup").glob("*/escape")))

    def test_names_of_hosts(self):
        for name in ("a\0b", "x" * 300):
            container = self.attacker()
            container.config["hostname"] = name
            self.refused(container)
        container = self.attacker()
        container.config["hostname"] = "two\nlines"
        for done in self.both_ways(container, "/bin/hostname"):
            self.assertIn(done.stdout, ("", "two\nlines\n"), done)

    def test_users_and_environment(self):
        for change in ({"env": ["A=b\0LD_PRELOAD=/x"]}, {"env": ["A"]}, {"args": ["/bin/true\0x"]}, {"cwd": "/tmp\0/x"},
                       {"user": {"uid": -1, "gid": 0}}, {"user": {"uid": 4294967296, "gid": 0}},
                       {"user": {"uid": 0, "gid": 4294967295}}, {"user": {"uid": "0", "gid": 0}}):
            container = self.attacker()
            container.bundle.process.update(change)
            self.fails(container.run(), "berth-runtime: ", status=1)
            self.assert_gone(container)


class LargeConfigurations(AttackedCreate):
    """CVE-2021-43784: a length that overflowed took the namespaces away that came after it."""

    def check(self, container):
        report = container.probe()
        own = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "pid", "net", "ipc", "uts", "cgroup")}
        for kind, mine in own.items():
            self.assertNotEqual(report["namespaces"][kind], mine, kind)
        return report

    def test_maps(self):
        container = self.attacker()
        extents = [(number * 10, MAPPED[1] + number * 10, 5) for number in range(200)]
        container.bundle.user_namespace(*extents)
        container.bundle.give_to(MAPPED[1], MAPPED[1])
        report = self.check(container)
        self.assertNotEqual(report["namespaces"]["user"], os.readlink("/proc/self/ns/user"))

    def test_more_maps_than_the_kernel_takes(self):
        for count in (300, 341, 3000, 20000):
            container = self.attacker()
            container.bundle.user_namespace(*((number * 2, MAPPED[1] + number * 2, 1) for number in range(count)))
            self.fails(container.run(), "linux.uidMappings", status=1)
            self.assert_gone(container)

    def test_paths_and_words(self):
        container = self.attacker()
        container.bundle.process["env"] += [f"V{number}=" + "x" * 1000 for number in range(100)]
        container.config["annotations"] = {f"org.example.{number}": "y" * 1000 for number in range(200)}
        container.bundle.linux["maskedPaths"] = [f"/no/{number}/" + "z" * 200 for number in range(1000)]
        container.bundle.linux["readonlyPaths"] = container.bundle.linux["maskedPaths"]
        self.check(container)

    def test_mounts(self):
        container = self.attacker()
        for number in range(300):
            container.bundle.mount(f"/data/{'d' * 200}{number}", "tmpfs", "tmpfs", ["size=4k"])
        report = self.check(container)
        self.assertEqual(sum("/data/" in line for line in report["mountinfo"]), 300)

    def test_paths_of_namespaces(self):
        for length in (5000, 70000, 1 << 20):
            container = self.attacker()
            container.bundle.namespace("network", path="/" + "n" * length)
            self.fails(container.run(), "berth-runtime: ", status=1)
            self.assert_gone(container)


class HostSide(AttackedCreate):
    """CVE-2022-1227: nothing of the image is executed by who is not in the container."""

    NAMES = ("sh", "mount", "umount", "newuidmap", "newgidmap", "ps", "modprobe", "ip", "nsenter", "unshare", "berth-init",
             "runc", "systemd-run", "id", "ls")

    def poisoned(self):
        container = self.attacker()
        shutil.copy(container.rootfs / "bin/busybox", container.rootfs / "busybox")
        shutil.rmtree(container.rootfs / "bin")
        for directory in ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"):
            (container.rootfs / directory).mkdir(parents=True, exist_ok=True)
            for name in self.NAMES:
                program = container.rootfs / directory / name
                program.write_text("#!/busybox sh\necho executed >> /data/executed\n")
                program.chmod(0o777)
        (container.rootfs / "etc/ld.so.preload").write_text("/data/evil.so\n")
        (container.rootfs / "etc/nsswitch.conf").write_text("passwd: evil\ngroup: evil\n")
        container.bundle.process["args"] = ["/busybox", "sleep", "1000"]
        return container

    def test_no_command(self):
        container = self.poisoned()
        own = self.work / "hook"
        hook = {"path": "/bin/sh", "args": ["sh", "-c", f"cat > /dev/null; echo host >> {own}"]}
        container.config["hooks"] = {kind: [hook] for kind in ("prestart", "createRuntime", "poststart", "poststop")}
        container.started()
        for command in ("state", "ps", "pause", "resume"):
            self.ok(container.call(command))
        self.ok(container.call("events", flags=("--stats",)))
        self.ok(self.runtime("list"))
        self.ok(container.exec("/busybox", "true"))
        self.ok(container.kill())
        container.stopped()
        self.ok(container.delete())
        self.assertFalse((container.rootfs / "data/executed").exists())
        self.assertEqual(own.read_text(), "host\n" * 4)

    def test_the_programs_would_tell(self):
        """Or the test above would say nothing."""
        container = self.poisoned()
        container.started()
        self.ok(container.exec("/usr/bin/ps"))
        self.assertEqual((container.rootfs / "data/executed").read_text(), "executed\n")


class State(AttackedCreate):
    def test_the_state_directory_is_closed(self):
        """CVE-2021-41103: no other user reads what is kept of a container, or gets at the socket that starts it."""
        root = self.root / "state"
        container = self.attacker()
        container.bundle.process["args"] = ["/bin/true"]
        container.bundle.write()
        with open(container.stdout, "wb") as out:
            subprocess.run([self.command()[0], "--root", str(root), "create", "--bundle", str(container.directory), container.id],
                           stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)
        self.addCleanup(subprocess.run, [self.command()[0], "--root", str(root), "delete", "--force", container.id], check=True)
        self.assertEqual(root.stat().st_mode & 0o777, 0o700)
        for path in root.rglob("*"):
            self.assertEqual((path.stat().st_uid, path.stat().st_mode & 0o077 if not path.is_socket() else 0), (0, 0), path)

    def test_a_bundle_that_has_vanished(self):
        container = self.attacker().sleeping()
        shutil.rmtree(container.directory)
        self.assertEqual(container.status(), "running")
        done = self.runtime("exec", container.id, "/bin/true")
        self.assertNotEqual(done.status, 0, "its programs have gone")
        self.ok(container.kill())
        container.stopped()
        self.ok(container.delete())
        self.assert_gone(container)

    def test_a_bundle_that_vanishes_before_the_start(self):
        container = self.attacker()
        container.bundle.process["args"] = ["/bin/sleep", "1000"]
        container.created()
        shutil.rmtree(container.directory)
        self.fails(container.start(), "/bin/sleep", status=1)
        self.ok(container.delete("--force"))
        self.assert_gone(container)

    def test_another_bundle_in_its_place(self):
        """What is started is what was created."""
        container = self.attacker()
        container.bundle.process["args"] = ["/bin/cat", "/etc/passwd"]
        container.created()
        container.rootfs.rename(container.directory / "old")
        (container.rootfs / "etc").mkdir(parents=True)
        (container.rootfs / "etc/passwd").write_text("another\n")
        (container.directory / "config.json").write_text(json.dumps({"process": {"args": ["/bin/false"]}}))
        self.ok(container.start())
        container.stopped()
        self.assertTrue(container.output().startswith("root:x:0:0"))


berth_runtime.main()
