"""berth-runtime exec into a container that is waiting for it."""

import os
import pathlib
import shutil
import subprocess
import time

from support import berth_runtime, case, runtime_attack
from support.waiting import until

ALL = ("CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_SYS_CHROOT")


class AttackedExec(runtime_attack.RuntimeAttackCase):
    def attacker(self, *programs, mapped=True):
        """A container with these attack programs in it, in a user namespace of its own or in the host's."""
        container = self.container_with(*programs)
        if mapped:
            container.bundle.user_namespace((0, 0x60000000, 65536))
            container.bundle.add_capabilities(*ALL)
            container.bundle.give_to(0x60000000, 0x60000000)
        return container


class Entering(AttackedExec):
    """CVE-2015-8709 and CVE-2019-5736: between the entry and the exec there is much of the host's to be had."""

    def lurk(self, mapped, capabilities=(), expected=r"held [1-9]\d* times"):
        container = self.attacker("enterers", mapped=mapped)
        if capabilities:
            container.bundle.add_capabilities(*capabilities)
        container.bundle.process["args"] = ["/enterers", "/tmp/stop"]
        container.started()
        until(lambda: "waiting" in container.output(), "it waits")
        deadline = time.monotonic() + 30
        for count in range(60):
            self.ok(container.exec(*(("/bin/true",) if count % 2 else ("/bin/sh", "-c", ":"))))
            self.assertLess(time.monotonic(), deadline)
        (container.rootfs / "tmp/stop").touch()
        container.stopped()
        said = container.output()
        self.assertNotIn("BROKEN", said)
        self.assertRegex(said, expected)

    def test_the_hosts_root_that_may_trace(self):
        """Nothing keeps it from tracing what it sees, but that has no more than it has itself."""
        self.lurk(mapped=False, capabilities=("CAP_SYS_PTRACE",), expected=r"traced [1-9]\d*")

    def test_a_mapped_root_with_all_it_can_have(self):
        self.lurk(mapped=True)

    def test_the_hosts_root_without_capabilities(self):
        self.lurk(mapped=False)


class OwnProgram(AttackedExec):
    """CVE-2019-5736: the program that the container executes is never a file of the host's that could be written."""

    def with_loader(self, mapped):
        """A container whose dynamic loader waits for a program of the host's."""
        container = self.attacker("keeper", mapped=mapped)
        for place in ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1"):
            (container.rootfs / place).parent.mkdir(exist_ok=True)
            shutil.copy(case.ATTACK_PROGRAMS / "loader", container.rootfs / place)
        script = container.rootfs / "bin/run"
        script.write_text("#!/proc/self/exe\n")
        script.chmod(0o755)
        return container

    def test_the_running_program_as_the_command(self):
        for mapped in (True, False):
            container = self.with_loader(mapped).sleeping()
            for command in ("/proc/self/exe", "/proc/thread-self/exe", "/bin/run"):
                for words in ((), ("init",), ("a", "b", "c")):
                    done = container.exec(command, *words)
                    self.assertNotIn("BROKEN", done.stdout, done)
                    # What is executed is berth-runtime, from its read-only mount: it says so.
                    self.assertIn("berth-runtime", done.stderr, done)

    def test_the_loader_is_one(self):
        """Or the test above would say nothing: a dynamic program of the container's own is executed by it."""
        container = self.with_loader(mapped=False)
        shutil.copy("/usr/bin/env", container.rootfs / "dynamic")
        done = container.sleeping().exec("/dynamic")
        self.assertIn("BROKEN", done.stdout, done)

    def test_a_library_that_the_container_has_everything_load(self):
        """berth-init is static: nothing of the container's is loaded before the command."""
        container = self.attacker()
        (container.rootfs / "evil.so").write_bytes(b"\x7fELF not a library")
        container.bundle.process["env"] += ["LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/", "LD_AUDIT=/evil.so"]
        self.assertEqual(self.ok(container.sleeping().exec("/bin/echo", "well")).stdout, "well\n")


class Paths(AttackedExec):
    def test_working_directory_is_no_descriptor(self):
        """CVE-2024-21626: neither a leaked one, nor one of another process."""
        container = self.attacker(mapped=False)
        for number in range(40):
            (container.rootfs / f"link{number}").symlink_to(f"/proc/self/fd/{number}")
        container.sleeping()
        leaked = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, leaked)
        for number in range(40):
            own = f"/proc/self/fd/{number}"
            for place in (own, f"{own}/..", f"/link{number}", f"/proc/1/fd/{number}"):
                done = container.exec("/bin/ls", flags=("--cwd", place), pass_fds=[leaked])
                self.assertEqual((done.status, done.stdout), (255, ""), done)

    def test_a_terminal_is_of_the_containers_own_devpts(self):
        """CVE-2025-52565: what stands at /dev/ptmx, or over the devpts, is not opened."""
        container = self.attacker(mapped=False)
        script = "rm /dev/ptmx; ln -s /bin/sh /dev/ptmx; echo done; exec sleep 1000"
        container.bundle.process["args"] = ["/bin/sh", "-c", script]
        container.started()
        until(lambda: "done" in container.output(), "it is swapped")
        done = container.exec("/bin/readlink", "/proc/self/fd/0", flags=("--tty",))
        self.assertRegex(self.ok(done).stdout, r"^/dev/pts/\d+\r?\n$")

    def test_a_terminal_where_there_is_no_devpts(self):
        for script in ("mount -t tmpfs none /dev/pts; mkfifo /dev/pts/ptmx || touch /dev/pts/ptmx",
                       "umount /dev/pts; mount --bind /tmp /dev/pts",
                       "touch /tmp/p; mount --bind /tmp/p /dev/pts/ptmx"):
            container = self.attacker(mapped=False)
            container.bundle.add_capabilities("CAP_SYS_ADMIN")
            container.bundle.process["args"] = ["/bin/sh", "-c", f"{script}; echo done; exec sleep 1000"]
            container.started()
            until(lambda: "done" in container.output(), "it is swapped")
            self.fails(container.exec("/bin/true", flags=("--tty",)), "terminal")
            self.assertEqual(self.processes_in(container), [container.pid])

    def test_hostile_passwd(self):
        """It is read from outside for HOME: not through a link to the host, not a FIFO that makes exec wait."""
        passwd = "etc/passwd"
        for make in (os.mkfifo, os.mkdir,
                     lambda path: path.symlink_to("/../../../../../../etc/hostname"),
                     lambda path: path.symlink_to("/proc/self/fd/0"),
                     lambda path: path.write_bytes(b"root:x:0:0:::" + b"x" * (2 << 20)),
                     lambda path: path.write_bytes(b"root:x:0:0:root:/a\0b:/bin/sh\n")):
            container = self.attacker(mapped=False)
            (container.rootfs / passwd).unlink()
            make(container.rootfs / passwd)
            container.sleeping()
            report = container.exec_probe()
            self.assertEqual(len([one for one in report["env"] if one.startswith("HOME=/")]), 1)


class Ended(AttackedExec):
    def test_a_process_that_took_the_pid_is_not_entered(self):
        """The record names a process by its start too: another one with its PID is not the container's."""
        container = self.attacker(mapped=False).sleeping()
        pid = container.pid
        self.ok(container.kill("KILL"))
        container.stopped()
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists() or
                        ") Z " in pathlib.Path(f"/proc/{pid}/stat").read_text(), "it has ended")
        while True:  # reaped by PID 1 of the test's namespace
            pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
            with subprocess.Popen(["sleep", "5"]) as other:
                taken = other.pid == pid
                if taken:
                    self.fails(container.exec("/bin/true"), "stopped")
                other.kill()
            if taken:
                break


berth_runtime.main()
