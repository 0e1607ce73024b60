"""config-linux.md, Seccomp: actions, operators, flags, and the agent's socket."""

import array
import fcntl
import json
import os
import pathlib
import socket
import struct
import subprocess
import threading

from support.oci_runtime import MUST, PRACTICE, RuntimeCase, expand, family, requirement, main
from support.waiting import until

SECCOMP = "config-linux.md, Seccomp"
STATE = "config-linux.md, The Container Process State"
CALL = "sched_get_priority_max"  # changes nothing; takes one number, and gives EINVAL for a policy that does not exist
NOTIFY_RECEIVE = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
NOTIFY_SEND = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
NOTIFICATION = struct.Struct("=QIIiIQ6Q")
RESPONSE = struct.Struct("=QqiI")
EAGAIN, ENOANO = 11, 55
# operator: value, valueTwo, numbers that match, numbers that do not
OPERATORS = {"SCMP_CMP_NE": (2, 0, (1, 3), (2,)), "SCMP_CMP_LT": (2, 0, (0, 1), (2, 3)),
             "SCMP_CMP_LE": (2, 0, (1, 2), (3,)), "SCMP_CMP_EQ": (2, 0, (2,), (1, 3)),
             "SCMP_CMP_GE": (2, 0, (2, 3), (1,)), "SCMP_CMP_GT": (2, 0, (3, 5), (2,)),
             "SCMP_CMP_MASKED_EQ": (1, 1, (1, 3, 5), (0, 2))}


@expand
class Seccomp(RuntimeCase):
    def filtered(self, *rules, default="SCMP_ACT_ALLOW", **more):
        container = self.container()
        container.bundle.linux["seccomp"] = {"defaultAction": default, "syscalls": list(rules), **more}
        # As engines do it; it also needs no CAP_SYS_ADMIN at the time that the filter is loaded.
        container.bundle.process["noNewPrivileges"] = True
        return container

    def results(self, container, *values):
        words = [word for value in values for word in ("--call", f"{CALL},{value}")]
        return list(container.probe(*words)["calls"].values())

    @requirement(SECCOMP, MUST, "a filter is loaded, with no_new_privs and without")
    def test_loaded(self):
        for flag in (True, False):
            container = self.filtered()
            container.bundle.process["noNewPrivileges"] = flag
            report = container.probe()
            self.assertIn("Seccomp:\t2", report["status"])
            self.assertEqual(report["no_new_privileges"], flag)

    @requirement(SECCOMP, MUST, "without the property there is none")
    def test_none(self):
        def filters(status):
            return [line for line in status if line.startswith("Seccomp")]

        # None beside those that the caller itself is under.
        own = pathlib.Path("/proc/self/status").read_text().splitlines()
        self.assertEqual(filters(self.container().probe()["status"]), filters(own))

    @requirement(SECCOMP, MUST, "SCMP_ACT_ERRNO gives EPERM if errnoRet does not say otherwise")
    def test_errno_default(self):
        self.assertEqual(self.results(self.filtered({"names": [CALL], "action": "SCMP_ACT_ERRNO"}), 1), ["EPERM"])

    @requirement(SECCOMP, MUST, "errnoRet is the error that is given")
    def test_errno(self):
        container = self.filtered({"names": [CALL], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOANO})
        self.assertEqual(self.results(container, 1), ["ENOANO"])

    @requirement(SECCOMP, MUST, "errnoRet may be 0: the call does nothing and succeeds")
    def test_errno_zero(self):
        container = self.filtered({"names": [CALL], "action": "SCMP_ACT_ERRNO", "errnoRet": 0})
        self.assertEqual(self.results(container, 77), ["ok"])

    @requirement(SECCOMP, MUST, "SCMP_ACT_ALLOW lets a call through that the default refuses")
    def test_allow_list(self):
        # Everything but one call, by its number's neighbours: an allow list of all that a program needs would be long.
        container = self.filtered({"names": [CALL], "action": "SCMP_ACT_ALLOW"}, default="SCMP_ACT_LOG")
        self.assertEqual(self.results(container, 1), ["ok"])

    @requirement(SECCOMP, MUST, "defaultAction is for what no rule names, with defaultErrnoRet as its error")
    def test_default(self):
        container = self.filtered({"names": self.all_but(CALL), "action": "SCMP_ACT_ALLOW"},
                                  default="SCMP_ACT_ERRNO", defaultErrnoRet=ENOANO)
        self.assertEqual(self.results(container, 1), ["ENOANO"])

    @staticmethod
    def all_but(name):
        """What a runtime and the probe need after the filter is loaded, and much more."""
        names = """read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask
            ioctl pread64 access pipe select dup dup2 getpid socket connect sendto recvfrom sendmsg recvmsg clone fork
            vfork execve exit wait4 kill uname fcntl getcwd chdir rename mkdir unlink readlink chmod umask gettimeofday
            getrlimit getuid getgid setuid setgid geteuid getegid setpgid getppid setsid setgroups getgroups setresuid
            getresuid setresgid getresgid getpgid getsid capget capset sigaltstack statfs prctl arch_prctl gettid futex
            sched_getaffinity sched_getattr set_thread_area getdents64 set_tid_address fadvise64 clock_gettime
            clock_nanosleep exit_group epoll_wait epoll_ctl tgkill openat newfstatat readlinkat faccessat pselect6 ppoll
            set_robust_list epoll_pwait eventfd2 epoll_create1 dup3 pipe2 prlimit64 getrandom execveat statx rseq clone3
            close_range openat2 faccessat2 personality ioprio_get keyctl nanosleep sched_yield madvise fstatfs fsetxattr
            memfd_create sendfile splice copy_file_range mknod mknodat fchdir fchmod fchown chown fchownat mkdirat unlinkat
            symlinkat linkat renameat2 sched_setscheduler sysinfo rt_sigreturn
            setrlimit setpriority sched_setaffinity mremap getxattr fsetxattr umount2 mount pivot_root""".split()
        return [one for one in names if one != name]

    @requirement(SECCOMP, MUST, "KILL_PROCESS, KILL_THREAD and KILL end the process, as by SIGSYS")
    def test_kill(self):
        for action in ("SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL"):
            container = self.filtered({"names": [CALL], "action": action})
            done = container.shell(f"/probe --call {CALL},1 > /dev/null; echo $?")
            self.assertEqual(done.stdout.splitlines()[-1:], ["159"], (action, done))

    @requirement(SECCOMP, MUST, "SCMP_ACT_TRAP sends SIGSYS")
    def test_trap(self):
        container = self.filtered({"names": [CALL], "action": "SCMP_ACT_TRAP"})
        done = container.shell(f"/probe --call {CALL},1 > /dev/null; echo $?")
        self.assertEqual(done.stdout.splitlines()[-1:], ["159"], done)

    @requirement(SECCOMP, MUST, "SCMP_ACT_LOG lets the call through")
    def test_log(self):
        self.assertEqual(self.results(self.filtered({"names": [CALL], "action": "SCMP_ACT_LOG"}), 1), ["ok"])

    @requirement(SECCOMP, MUST, "SCMP_ACT_TRACE without a tracer gives ENOSYS")
    def test_trace(self):
        self.assertEqual(self.results(self.filtered({"names": [CALL], "action": "SCMP_ACT_TRACE"}), 1), ["ENOSYS"])

    @family({name.removeprefix("SCMP_CMP_").lower(): (SECCOMP, MUST, f"{name} compares an argument", name)
             for name in OPERATORS})
    def _operator(self, name):
        value, second, matching, others = OPERATORS[name]
        container = self.filtered({"names": [CALL], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOANO,
                                   "args": [{"index": 0, "value": value, "valueTwo": second, "op": name}]})
        self.assertEqual(set(self.results(container, *matching)), {"ENOANO"})
        self.assertEqual(set(self.results(container, *others)), {"ok"})

    @requirement(SECCOMP, MUST, "all conditions of a rule must hold, on different arguments")
    def test_conditions(self):
        container = self.filtered({"names": ["lseek"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOANO,
                                   "args": [{"index": 1, "value": 5, "op": "SCMP_CMP_EQ"},
                                            {"index": 2, "value": 1, "op": "SCMP_CMP_EQ"}]})
        calls = container.probe("--call", "lseek,999,5,1", "--call", "lseek,999,5,0")["calls"]
        self.assertEqual(list(calls.values()), ["ENOANO", "EBADF"])

    @requirement(SECCOMP, MUST, "values have 64 bits")
    def test_wide_values(self):
        container = self.filtered({"names": ["lseek"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOANO,
                                   "args": [{"index": 1, "value": 2 ** 33 + 1, "op": "SCMP_CMP_EQ"}]})
        calls = container.probe("--call", f"lseek,999,{2 ** 33 + 1}", "--call", "lseek,999,1")["calls"]
        self.assertEqual(list(calls.values()), ["ENOANO", "EBADF"])

    @requirement(SECCOMP, MUST, "architectures: the others are filtered too, and the machine's own always")
    def test_architectures(self):
        container = self.filtered({"names": [CALL], "action": "SCMP_ACT_ERRNO"},
                                  architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
        self.assertEqual(self.results(container, 1), ["EPERM"])

    @family({name.removeprefix("SECCOMP_FILTER_FLAG_").lower(): (SECCOMP, MUST, f"the flag {name} is taken", name)
             for name in ("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                          "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")})
    def _flag(self, name):
        rules = [{"names": [CALL], "action": "SCMP_ACT_ERRNO"}]
        if name.endswith("KILLABLE_RECV"):  # the kernel takes it beside a listener only
            agent = Agent(self.work / "agent")
            container = self.filtered({"names": ["getpgid"], "action": "SCMP_ACT_NOTIFY"}, *rules, flags=[name],
                                      listenerPath=str(agent.path))
        else:
            container = self.filtered(*rules, flags=[name])
        self.assertEqual(self.results(container, 1), ["EPERM"])

    @requirement("config.md, Valid values", MUST, "a flag that does not exist is an error")
    def test_unknown_flag(self):
        self.filtered(flags=["SECCOMP_FILTER_FLAG_NOSUCH"]).refused()

    @requirement("config.md, Valid values", MUST, "an action that does not exist is an error")
    def test_unknown_action(self):
        self.filtered({"names": [CALL], "action": "SCMP_ACT_NOSUCH"}).refused()
        self.filtered(default="SCMP_ACT_NOSUCH").refused()

    @requirement("config.md, Valid values", MUST, "an architecture that does not exist is an error")
    def test_unknown_architecture(self):
        self.filtered(architectures=["SCMP_ARCH_NOSUCH"]).refused()

    @requirement("config.md, Valid values", MUST, "an operator that does not exist is an error")
    def test_unknown_operator(self):
        self.filtered({"names": [CALL], "action": "SCMP_ACT_ERRNO",
                       "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_NOSUCH"}]}).refused()

    @requirement("config.md, Valid values", MUST, "an argument's index above 5 is an error")
    def test_wrong_index(self):
        self.filtered({"names": [CALL], "action": "SCMP_ACT_ERRNO",
                       "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}).refused()

    @requirement(SECCOMP, MUST, "a rule without names is an error")
    def test_no_names(self):
        self.filtered({"names": [], "action": "SCMP_ACT_ERRNO"}).refused()

    @requirement(SECCOMP, MUST, "errnoRet with an action that has no error is an error")
    def test_errno_without_use(self):
        self.filtered({"names": [CALL], "action": "SCMP_ACT_KILL", "errnoRet": 5}).refused()
        self.filtered({"names": [CALL], "action": "SCMP_ACT_ALLOW", "errnoRet": 5}, default="SCMP_ACT_LOG").refused()

    @requirement("command line", PRACTICE, "a call that this machine does not have is no error")
    def test_unknown_name(self):
        container = self.filtered({"names": ["no_such_call", CALL], "action": "SCMP_ACT_ERRNO"})
        self.assertEqual(self.results(container, 1), ["EPERM"])


class Agent:
    """Listens where the runtime sends the container process state, and answers every notification with an error."""

    def __init__(self, path, error=ENOANO):
        self.path = path
        self.error = error
        self.states = []
        self.descriptors = []
        self.closed = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen()
        self.listener.settimeout(5)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(5)
            data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4 * 8))
            for _, _, content in ancillary:
                found = array.array("i")
                found.frombytes(content[:len(content) - len(content) % found.itemsize])
                self.descriptors += list(found)
            while not self._take(data):
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            # Whether it is closed or not, the calls wait for an answer.
            threading.Thread(target=self._answer, args=self.descriptors[:1], daemon=True).start()
            if not connection.recv(65536):
                self.closed.append(True)

    def _take(self, data):
        try:
            self.states.append(json.loads(data))
        except ValueError:
            return False  # the rest is still to come
        return True

    def _answer(self, fd):
        while True:
            request = bytearray(NOTIFICATION.size)
            try:
                fcntl.ioctl(fd, NOTIFY_RECEIVE, request)
                number = NOTIFICATION.unpack(request)[0]
                fcntl.ioctl(fd, NOTIFY_SEND, RESPONSE.pack(number, 0, -self.error, 0))
            except OSError:
                return

    def end(self):
        self.listener.close()
        for fd in self.descriptors:
            os.close(fd)


class Notification(RuntimeCase):
    def notified(self, agent, **more):
        container = self.container()
        container.config["annotations"] = {"com.example.key": "value"}
        container.bundle.linux["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [CALL], "action": "SCMP_ACT_NOTIFY"}],
            "listenerPath": str(agent.path) if agent else str(self.work / "nobody"), **more}
        container.bundle.process["args"] = ["/bin/sh", "-c", f"/probe --call {CALL},1; sleep 1000"]
        return container

    def agent(self):
        agent = Agent(self.work / "agent")
        self.addCleanup(agent.end)
        return agent

    def state(self, agent):
        until(lambda: agent.states, "the agent has got a state")
        return agent.states[0]

    @requirement(SECCOMP, MUST, "SCMP_ACT_NOTIFY: the agent gets the call, and its answer is what the process sees")
    def test_notify(self):
        agent = self.agent()
        container = self.notified(agent).started()
        until(lambda: container.output().endswith("\n"), "the probe has reported")
        self.assertEqual(json.loads(container.output())["calls"], {f"{CALL},1": "ENOANO"})

    @requirement(STATE, MUST, "the state names seccompFd, which is the one descriptor that comes with it")
    def test_descriptor(self):
        agent = self.agent()
        self.notified(agent).started()
        self.assertEqual(self.state(agent)["fds"], ["seccompFd"])
        self.assertEqual(len(agent.descriptors), 1)

    @requirement(STATE, MUST, "the state has ociVersion, pid and the container's state, whose status is creating")
    def test_state(self):
        agent = self.agent()
        container = self.notified(agent).started()
        state = self.state(agent)
        self.assertRegex(state["ociVersion"], r"^\d+\.\d+\.\d+")
        self.assertEqual(state["pid"], container.pid)
        inner = state["state"]
        self.assertEqual((inner["id"], inner["bundle"], inner["pid"]), (container.id, str(container.directory), container.pid))
        self.assertEqual(inner["annotations"]["com.example.key"], "value")

    @requirement(STATE, MUST, "listenerMetadata comes as metadata")
    def test_metadata(self):
        agent = self.agent()
        self.notified(agent, listenerMetadata="MKNOD=/dev/null").started()
        self.assertEqual(self.state(agent)["metadata"], "MKNOD=/dev/null")

    def executed(self, **more):
        """A container, and a further agent in the place of its first: the one for exec."""
        first = self.agent()
        container = self.notified(first, **more)
        container.bundle.process["args"] = ["/bin/sleep", "1000"]
        container.started()
        self.state(first)
        first.path.unlink()
        return container, self.agent()

    @requirement(SECCOMP, PRACTICE, "exec: the agent gets the further process's calls, and its answer is what that sees")
    def test_exec(self):
        container, agent = self.executed()
        report = json.loads(self.ok(container.exec("/probe", "--call", f"{CALL},1")).stdout)
        self.assertEqual(report["calls"], {f"{CALL},1": "ENOANO"})
        self.assertEqual((self.state(agent)["fds"], len(agent.descriptors)), (["seccompFd"], 1))

    @requirement(SECCOMP, PRACTICE, "exec: the connection is closed while the further process runs")
    def test_exec_closed(self):
        container, agent = self.executed()
        command = self.command("exec", container.id, "/bin/sleep", "1000")
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as running:
            try:
                until(lambda: agent.closed, "the connection is closed")
            finally:
                running.kill()

    @requirement(STATE, PRACTICE, "exec: the state has the further process's pid, and the container's state")
    def test_exec_state(self):
        container, agent = self.executed(listenerMetadata="MKNOD=/dev/null")
        self.ok(container.exec("/bin/sleep", "1000", flags=("--detach", "--pid-file", self.work / "pid")))
        state = self.state(agent)
        self.assertEqual((state["pid"], state["metadata"]), (int((self.work / "pid").read_text()), "MKNOD=/dev/null"))
        inner = state["state"]
        self.assertEqual((inner["id"], inner["status"], inner["pid"]), (container.id, "running", container.pid))
        self.assertEqual(inner["annotations"]["com.example.key"], "value")

    @requirement(SECCOMP, PRACTICE, "exec: an agent that cannot be reached is an error, and nothing is executed")
    def test_exec_no_agent(self):
        container, agent = self.executed()
        agent.path.unlink()
        done = self.error(container.exec("/bin/touch", "/data/executed"))
        self.assertFalse((container.rootfs / "data/executed").exists(), done)

    @requirement(SECCOMP, MUST, "one state a connection, which is then closed")
    def test_closed(self):
        agent = self.agent()
        self.notified(agent).started()
        until(lambda: agent.closed, "the connection is closed")

    @requirement(SECCOMP, MUST, "an agent that cannot be reached is an error")
    def test_no_agent(self):
        self.notified(None).refused()

    @requirement(SECCOMP, MUST, "listenerPath is ignored if no rule notifies")
    def test_path_without_use(self):
        container = self.container()
        container.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such/socket"}
        container.probe()

    @requirement(SECCOMP, MUST, "listenerMetadata without listenerPath is an error")
    def test_metadata_without_path(self):
        container = self.container()
        container.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}
        container.refused()


if __name__ == "__main__":
    main()
