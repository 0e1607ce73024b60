"""berth-runtime exec: what its callers rely on beside the conformance suite."""

import json
import os
import signal
import subprocess

from support import berth_runtime, terminal
from support.waiting import until


class Flags(berth_runtime.BerthRuntimeCase):
    def test_what_can_not_be_is_told_with_255(self):
        container = self.container().sleeping()
        for flags, text in ((("--env", "NOVALUE"), "NAME=VALUE"), (("--cwd", "here"), "absolute"),
                            (("--cap", "CAP_FLY"), "CAP_FLY"), (("--tty", "--detach"), "console socket"),
                            (("--console-socket", "/nowhere"), "tty"), (("--user", "root"), "root"),
                            (("--additional-gids", "-1"), "-1"), (("--nonsense",), "nonsense"),
                            (("--process", "/nowhere"), "/nowhere"), (("--cgroup", "fly:x"), "fly")):
            self.fails(container.exec("/bin/true", flags=flags), text)
        self.fails(self.runtime("exec"), "ID")
        self.fails(self.runtime("exec", container.id), "no command")
        self.assertEqual(self.processes_in(container), [container.pid])

    def test_a_user_is_exact_or_refused(self):
        """CVE-2026-30892 and its kin: every spelling of a number is that number, or an error; never another one."""
        container = self.container().sleeping()
        for user, seen in (("1", (1, 0)), ("01", (1, 0)), ("2147483648:2147483648", (2147483648,) * 2),
                           ("4294967294:7", (4294967294, 7))):
            ids = container.exec_probe(flags=("--user", user))["ids"]
            self.assertEqual((ids["uid"][0], ids["gid"][0]), seen, user)
        for user in ("4294967295", "4294967296", "18446744073709551617", "1:4294967296", "-1", "1:", ":1", "", "1 ",
                     "0x1"):
            self.fails(container.exec("/bin/id", flags=("--user", user)), "--user")

    def test_a_user_who_is_not_in_the_map_is_refused(self):
        container = self.container()
        container.bundle.user_namespace((0, 0x60000000, 1000))
        container.bundle.give_to(0x60000000, 0x60000000)
        container.sleeping()
        self.fails(container.exec("/bin/id", flags=("--user", "1000")), "1000")
        self.assertEqual(container.exec_probe(flags=("--user", "999"))["ids"]["uid"][0], 999)

    def test_home_is_that_of_the_user(self):
        container = self.container()
        (container.rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nann:x:7:7::/home/ann:/bin/sh\n")
        container.sleeping()
        for flags, home in (((), "/root"), (("--user", "7"), "/home/ann"), (("--user", "8"), "/"),
                            (("--user", "7", "--env", "HOME=/own"), "/own")):
            report = container.exec_probe(flags=flags)
            self.assertEqual([one for one in report["env"] if one.startswith("HOME=")], [f"HOME={home}"], flags)

    def test_a_variable_is_there_once(self):
        container = self.container()
        container.bundle.process["env"] += ["A=1", "AB=2"]
        report = container.sleeping().exec_probe(flags=("--env", "A=3", "--env", "A=4"))
        self.assertEqual([one for one in report["env"] if one.startswith("A")], ["AB=2", "A=4"])

    def test_words_may_look_like_flags(self):
        container = self.container().sleeping()
        self.assertEqual(self.ok(container.exec("/bin/echo", "--cwd", "-x")).stdout, "--cwd -x\n")
        self.assertEqual(self.ok(self.runtime("exec", "--", container.id, "/bin/echo", "-d")).stdout, "-d\n")

    def test_descriptors_are_handed_on_when_asked_for(self):
        container = self.container().sleeping()

        def seen(*flags):
            done = subprocess.run(["sh", "-c", 'exec 3</etc/passwd; exec "$@"', "sh",
                                   *self.command("exec", *flags, container.id, "/probe")],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=10, check=True)
            return sorted(map(int, json.loads(done.stdout)["fds"]))
        self.assertEqual(seen(), [0, 1, 2])
        self.assertEqual(seen("--preserve-fds", "1"), [0, 1, 2, 3])

    def test_a_cgroup_below_the_containers(self):
        container = self.container().sleeping()
        container.cgroup_directory("pids").joinpath("part").mkdir()
        lines = self.ok(container.exec("/bin/cat", "/proc/self/cgroup", flags=("--cgroup", "pids:part"))).stdout.split()
        self.assertEqual([line.split(":")[1] for line in lines if line.endswith("/part")], ["pids"])
        for place in ("pids:..", "pids:part/../..", "pids:absent", ":part"):
            self.fails(container.exec("/bin/true", flags=("--cgroup", place)), place)

    def test_engines_know_why_a_command_can_not_be_executed(self):
        """podman and Docker look for these words: 127 for the first two, 126 for the others."""
        container = self.container()
        (container.rootfs / "etc/script").write_text("#!/bin/sh\n")
        container.sleeping()
        for command, words in (("/no/such", "No such file or directory"), ("nosuch", "No such file or directory"),
                               ("/etc", "Permission denied"), ("/etc/script", "Permission denied")):
            self.fails(container.exec(command), words, command)

    def test_a_container_that_divides_its_cgroup(self):
        """As systemd in a container does: its own cgroup can't be entered then, so it is that of its process."""
        container = self.container().sleeping()
        own = container.cgroup_directory("")
        controllers = own.joinpath("cgroup.controllers").read_text().split()
        own.joinpath("init").mkdir()
        own.joinpath("init/cgroup.procs").write_text(str(container.pid))
        # Without a controller of v2 there is nothing to divide, and its own can be entered all the time.
        own.joinpath("cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers[:1]))
        line = self.ok(container.exec("/bin/grep", "^0::", "/proc/self/cgroup")).stdout
        self.assertEqual(line.strip().endswith("/init"), bool(controllers), line)

    def test_an_error_is_in_the_log(self):
        container = self.container().sleeping()
        log = self.work / "log"
        self.fails(self.runtime("--log", log, "--log-format", "json", "exec", container.id, "/no/such"), "ENOENT")
        entry = json.loads(log.read_text())
        self.assertEqual(entry["level"], "error")
        # podman and Docker know by these words that the command is not there.
        self.assertIn("No such file or directory", entry["msg"])


class Promises(berth_runtime.BerthRuntimeCase):
    """What config.json has promised holds whatever the file of --process leaves out."""

    def by_file(self, container, **process):
        path = self.work / "process.json"
        path.write_text(json.dumps({"args": ["/probe", "--call", "sched_get_priority_max,1"], "cwd": "/", **process}))
        return json.loads(self.ok(self.runtime("exec", "--process", path, container.id)).stdout)

    def test_what_a_file_leaves_out(self):
        container = self.container()
        container.bundle.process.update(noNewPrivileges=True, oomScoreAdj=55,
                                        rlimits=[{"type": "RLIMIT_CORE", "soft": 1, "hard": 2}])
        container.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["sched_get_priority_max"], "action": "SCMP_ACT_ERRNO"}]}
        container.sleeping()
        report = self.by_file(container, noNewPrivileges=False)
        own = container.exec_probe()
        for name in ("no_new_privileges", "capabilities", "limits", "oom_score_adj"):
            self.assertEqual(report[name], own[name], name)
        self.assertTrue(report["no_new_privileges"])
        self.assertEqual(report["oom_score_adj"], "55")
        self.assertEqual(list(report["calls"].values()), ["EPERM"])

    def test_a_broken_file_is_told_by_place(self):
        container = self.container().sleeping()
        path = self.work / "process.json"
        for text, said in (("{", "process.json"), ('{"args": ["x"], "cwd": "here"}', "cwd"),
                           ('{"args": [], "cwd": "/"}', "args"),
                           ('{"args": ["x"], "cwd": "/", "user": {"uid": -1, "gid": 0}}', "uid")):
            path.write_text(text)
            self.fails(self.runtime("exec", "--process", path, container.id), said)

    def test_limit_of_processes_counts_no_helper(self):
        container = self.container()
        container.bundle.linux["resources"]["pids"] = {"limit": 2}
        container.sleeping()
        self.ok(container.exec("/bin/true"))


class Life(berth_runtime.BerthRuntimeCase):
    def test_signals_are_passed_on(self):
        container = self.container().sleeping()
        script = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'
        command = self.command("exec", container.id, "/bin/sh", "-c", script)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
            self.assertEqual(child.stdout.readline(), "ready\n")
            child.send_signal(signal.SIGTERM)
            self.assertEqual(child.wait(10), 9)

    def test_a_terminal_of_the_containers(self):
        container = self.container().sleeping()
        script = "readlink /proc/self/fd/0; read x; echo got $x; exit 5"
        command = self.command("exec", "--tty", container.id, "/bin/sh", "-c", script)
        with terminal.Terminal(command) as screen:
            screen.expect(r"/dev/pts/\d+\s")
            screen.type("word\n")
            screen.expect("got word")
            self.assertEqual(screen.wait(), 5)

    def test_in_a_paused_container_it_runs_once_that_is_resumed(self):
        container = self.container().sleeping()
        self.ok(container.call("pause"))
        self.fails(container.exec("/bin/true"), "cannot exec in a paused container")
        command = self.command("exec", "--ignore-paused", container.id, "/bin/echo", "late")
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
            with self.assertRaises(subprocess.TimeoutExpired):
                child.wait(0.3)
            self.ok(container.call("resume"))
            self.assertEqual(child.communicate(timeout=10)[0], "late\n")

    def test_of_a_stopped_container(self):
        container = self.container().sleeping()
        self.ok(container.kill("KILL"))
        container.stopped()
        self.fails(container.exec("/bin/true"), "cannot exec in a stopped container")

    KILLED = {"exec-forked": 137, "exec-ready": 137}

    def test_a_killed_caller_leaves_nothing(self):
        container = self.container().sleeping()
        for point, status in self.KILLED.items():
            done = container.exec("/bin/sleep", "1000", env=dict(os.environ, BERTH_FAULT=point))
            self.assertEqual(done.status, status, done)
            until(lambda: self.processes_in(container) == [container.pid], point)
        self.ok(container.exec("/bin/true"))

    def test_a_pid_file_that_can_not_be_written(self):
        container = self.container().sleeping()
        self.fails(container.exec("/bin/sleep", "1000", flags=("--detach", "--pid-file", "/nowhere/pid")), "/nowhere")
        until(lambda: self.processes_in(container) == [container.pid], "the process is gone")

    def test_the_output_is_the_users(self):
        """A user who is not root opens /dev/stdout again, though the pipe is the caller's."""
        container = self.container().sleeping()
        script = "echo through > /proc/self/fd/1"
        command = self.command("exec", "--user", "7", container.id, "/bin/sh", "-c", script)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=10, check=True)
        self.assertEqual(done.stdout, b"through\n")

    def test_commands_at_once(self):
        container = self.container().sleeping()
        children = [subprocess.Popen(self.command("exec", container.id, "/bin/sh", "-c", f"exit {number}"),
                                     stdin=subprocess.DEVNULL) for number in range(20)]
        self.assertEqual([child.wait(20) for child in children], list(range(20)))


class MayTrace:
    """A container in which the process of exec is born last of all (src/runtime/last_born.h): it is the same in all else."""

    def container(self, name=None):
        made = super().container(name)
        made.bundle.add_capabilities("CAP_SYS_PTRACE")
        return made


class FlagsWhereOthersMayTrace(MayTrace, Flags):
    pass


class PromisesWhereOthersMayTrace(MayTrace, Promises):
    def test_limit_of_processes_counts_no_helper(self):
        """Here it does, for a moment, and that is said."""
        container = self.container()
        container.bundle.linux["resources"]["pids"] = {"limit": 2}
        container.sleeping()
        self.fails(container.exec("/bin/true"), "limit of processes")
        self.assertEqual(self.processes_in(container), [container.pid])


class LifeWhereOthersMayTrace(MayTrace, Life):
    KILLED = {"exec-forked": 137, "exec-ready": 255}  # there it is not yet the process that executes


class LastBorn(MayTrace, berth_runtime.BerthRuntimeCase):
    def test_it_leads_a_session_with_its_terminal(self):
        container = self.container().sleeping()
        command = self.command("exec", "--tty", container.id, "/probe")
        with terminal.Terminal(command, env=os.environ) as screen:
            report = json.loads(screen.expect(r"(\{.*\})\s")[1])
        self.assertTrue(report["terminal"]["controlling"])
        self.assertEqual(report["session"], report["pid"])

    def test_the_pid_file_names_it(self):
        container = self.container().sleeping()
        self.ok(container.exec("/bin/sleep", "1000", flags=("--detach", "--pid-file", self.work / "pid")))
        pid = int((self.work / "pid").read_text())
        self.assertEqual(self.processes_in(container), sorted([container.pid, pid]))
        self.assertEqual(os.readlink(f"/proc/{pid}/ns/pid"), os.readlink(f"/proc/{container.pid}/ns/pid"))
        self.assertEqual(os.readlink(f"/proc/{pid}/exe"), "/bin/busybox")

    def test_a_filter_is_loaded_before_it_is_born(self):
        for more in (True, False):
            container = self.container()
            container.bundle.process["noNewPrivileges"] = more
            container.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"names": ["getpgid"], "action": "SCMP_ACT_ERRNO"}]}
            done = self.ok(container.sleeping().exec("/bin/grep", "-E", "Seccomp:|CapPrm", "/proc/self/status"))
            first = (container.bundle.process["capabilities"]["permitted"])
            self.assertIn("Seccomp:\t2", done.stdout, first)
            own = self.ok(container.exec("/bin/grep", "CapPrm", "/proc/1/status")).stdout
            self.assertIn(own, done.stdout)

    def test_a_filter_that_does_not_let_it_be_born_is_named(self):
        container = self.container()
        container.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["clone", "clone3", "fork", "vfork"], "action": "SCMP_ACT_ERRNO"}]}
        container.sleeping()
        self.fails(container.exec("/bin/true"), "create the process in the container", "allow clone(2)")
        self.assertEqual(self.processes_in(container), [container.pid])

    def test_its_end_is_told(self):
        container = self.container().sleeping()
        for status in (0, 1, 77):
            self.assertEqual(container.exec("/bin/sh", "-c", f"exit {status}").status, status)
        self.assertEqual(container.exec("/bin/sh", "-c", "kill -9 $$").status, 137)
        self.assertEqual(self.processes_in(container), [container.pid])


berth_runtime.main()
