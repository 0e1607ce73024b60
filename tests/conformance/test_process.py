"""config.md, Process: the program, its directory, environment, user, limits and descriptors."""

import os
import resource
import subprocess

from support.bundle import PATH
from support.oci_runtime import MAY, MUST, PRACTICE, RuntimeCase, expand, family, requirement, main

LIMITS = ("CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING",
          "MSGQUEUE", "NICE", "RTPRIO", "RTTIME")
NUMBERS = {"NPROC": 6, "LOCKS": 10, "SIGPENDING": 11, "MSGQUEUE": 12, "NICE": 13, "RTPRIO": 14, "RTTIME": 15}


def limit_values(name):
    """A pair of limits that nobody needs a privilege for: below those of this process."""
    number = NUMBERS.get(name, getattr(resource, f"RLIMIT_{name}", None))
    soft, hard = resource.getrlimit(number)
    highest = 2 ** 40 if hard == resource.RLIM_INFINITY else hard
    return max(highest // 2 - 1, 0) if name in ("NICE", "RTPRIO") else max(highest // 2 - 4096, 1), highest


class Program(RuntimeCase):
    @requirement("config.md, Process: args", MUST, "the program gets exactly these words, odd and empty ones too")
    def test_args(self):
        container = self.container()
        words = ["/probe", "", "two words", "quote\"'", "star*", "new\nline", "$HOME", "\\"]
        container.bundle.process["args"] = words
        report = container.probe(*words[1:])
        self.assertEqual(report["args"], words)

    @requirement("config.md, Process: args", MUST, "a name without a slash is looked up in the container's PATH")
    def test_args_path(self):
        container = self.container()
        (container.rootfs / "home/echo").symlink_to("/bin/busybox")
        container.bundle.process.update(args=["echo", "found"], env=["PATH=/nothing:/home"])
        self.assertEqual(self.ok(container.run()).stdout, "found\n")

    @requirement("config.md, Process: args", MUST, "a name with a slash is not looked up, and is relative to cwd")
    def test_args_relative(self):
        container = self.container()
        container.bundle.process.update(args=["./busybox", "echo", "here"], cwd="/bin")
        self.assertEqual(self.ok(container.run()).stdout, "here\n")

    @requirement("config.md, Process: args", MUST, "an empty list is an error")
    def test_args_empty(self):
        container = self.container()
        container.bundle.process["args"] = []
        container.refused()

    @requirement("config.md, Process: args", MUST, "a program that does not exist is an error")
    def test_args_missing(self):
        container = self.container()
        container.bundle.process["args"] = ["/no/such/program"]
        container.refused()

    @requirement("config.md, Process: args", MUST, "a file that cannot be executed is an error")
    def test_args_not_executable(self):
        container = self.container()
        container.bundle.process["args"] = ["/etc/passwd"]
        container.refused()

    @requirement("config.md, Process: env", MUST, "the environment has exactly the variables that are named, in order")
    def test_env(self):
        container = self.container()
        container.bundle.process["env"] = [f"PATH={PATH}", "HOME=/root", "EMPTY=", "EQUALS=a=b=c", "SPACE= x ", "lower=1"]
        self.assertEqual(container.probe()["env"], container.bundle.process["env"])

    @requirement("config.md, Process: env", MUST, "nothing of the runtime's own environment gets in")
    def test_env_private(self):
        report = self.container().probe(env=dict(os.environ, SECRET="1", LISTEN_FDS="0"))
        self.assertEqual([one for one in report["env"] if one.startswith(("SECRET", "LISTEN_"))], [])

    @requirement("command line", PRACTICE, "HOME is added from the container's passwd if env has none")
    def test_env_home(self):
        container = self.container()
        (container.rootfs / "etc/passwd").write_text("own:x:1234:1234::/home/own:/bin/sh\n")
        container.bundle.process["user"] = {"uid": 1234, "gid": 1234}
        self.assertIn("HOME=/home/own", container.probe()["env"])

    @requirement("config.md, Process: cwd", MUST, "the program begins in this directory")
    def test_cwd(self):
        container = self.container()
        container.bundle.process["cwd"] = "/usr/bin"
        self.assertEqual(container.probe()["cwd"], "/usr/bin")

    @requirement("config.md, Process: cwd", MUST, "a relative path is an error")
    def test_cwd_relative(self):
        container = self.container()
        container.bundle.process["cwd"] = "usr/bin"
        container.refused()

    @requirement("config.md, Process: cwd", MUST, "a path that is no directory is an error")
    def test_cwd_file(self):
        container = self.container()
        container.bundle.process["cwd"] = "/etc/passwd"
        container.refused()

    @requirement("command line", PRACTICE, "a directory that does not exist is made")
    def test_cwd_made(self):
        container = self.container()
        container.bundle.process["cwd"] = "/home/new/deep"
        self.assertEqual(container.probe()["cwd"], "/home/new/deep")

    @requirement("command line", PRACTICE, "run ends with the program's exit status")
    def test_exit_status(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c", "exit 42"]
        self.assertEqual(container.run().status, 42)

    @requirement("command line", PRACTICE, "run ends with 128 and the signal's number for a killed program")
    def test_exit_by_signal(self):
        container = self.container()
        container.bundle.without_namespace("pid")  # the first process of one can't kill itself
        container.bundle.process["args"] = ["/bin/sh", "-c", "kill -KILL $$"]
        self.assertEqual(container.run().status, 137)

    @requirement("command line", PRACTICE, "run reads its standard input to the container and removes it after the end")
    def test_run_streams(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/cat"]
        words = self.work / "words"
        words.write_text("through\n")
        with open(words, encoding="utf-8") as stdin:
            self.assertEqual(self.ok(container.run(stdin=stdin)).stdout, "through\n")
        self.assert_gone(container)

    @requirement("command line", PRACTICE, "run --detach comes back while the program runs")
    def test_run_detached(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sleep", "1000"]
        self.ok(container.run("--detach", "--pid-file", self.work / "pid"))
        self.assertEqual(container.status(), "running")
        self.assertEqual((self.work / "pid").read_text(), str(container.pid))


class User(RuntimeCase):
    @requirement("config.md, POSIX-platform User", MUST, "the process has the user and group IDs that are named, all three of each")
    def test_user(self):
        container = self.container()
        container.bundle.process["user"] = {"uid": 1234, "gid": 5678}
        ids = container.probe()["ids"]
        self.assertEqual((ids["uid"], ids["gid"]), ([1234] * 3, [5678] * 3))

    @requirement("config.md, POSIX-platform User", MUST, "an ID needs no entry in /etc/passwd, and the highest ones work")
    def test_user_high(self):
        container = self.container()
        container.bundle.process["user"] = {"uid": 4294967294, "gid": 4294967294}
        self.assertEqual(container.probe()["ids"]["uid"], [4294967294] * 3)

    @requirement("config.md, POSIX-platform User", MUST, "the process has the additional groups, and none of the runtime's")
    def test_user_groups(self):
        container = self.container()
        container.bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5, 6, 77777]}
        report = container.probe(extra_groups=[4242])
        self.assertEqual(set(report["ids"]["groups"]) - {1000}, {5, 6, 77777})

    @requirement("config.md, POSIX-platform User", MUST, "without additional groups there is none but the main one")
    def test_user_no_groups(self):
        report = self.container().probe(extra_groups=[4242])
        self.assertLessEqual(set(report["ids"]["groups"]), {0})

    @requirement("config.md, POSIX-platform User", MUST, "umask is set")
    def test_umask(self):
        container = self.container()
        container.bundle.process["user"]["umask"] = 0o027
        self.assertEqual(container.probe()["umask"], 0o027)

    @requirement("config.md, POSIX-platform User", "SHOULD", "an umask that is not set stays what the caller of the runtime has")
    def test_umask_unset(self):
        self.assertEqual(self.container().probe(umask=0o035)["umask"], 0o035)

    @requirement("config.md, Valid values", MUST, "an ID that is no ID is an error")
    def test_user_invalid(self):
        for uid in (-1, 4294967296, "root"):
            container = self.container()
            container.bundle.process["user"]["uid"] = uid
            container.refused()


@expand
class Limits(RuntimeCase):
    @family({name.lower(): ("config.md, POSIX process: rlimits", MUST,
                            f"getrlimit gives what was configured for RLIMIT_{name}", name) for name in LIMITS})
    def _rlimit(self, name):
        soft, hard = limit_values(name)
        if name == "NOFILE":
            soft, hard = min(soft, 500), min(hard, 1000)
        container = self.container()
        container.bundle.process["rlimits"] = [{"type": f"RLIMIT_{name}", "soft": soft, "hard": hard}]
        self.assertEqual(container.probe()["limits"][f"RLIMIT_{name}"], [soft, hard])

    @requirement("config.md, POSIX process: rlimits", MUST, "a kind that the kernel does not know is an error")
    def test_rlimit_unknown(self):
        container = self.container()
        container.bundle.process["rlimits"] = [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]
        container.refused()

    @requirement("config.md, POSIX process: rlimits", MUST, "two entries of one kind are an error")
    def test_rlimit_twice(self):
        container = self.container()
        container.bundle.process["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 0, "hard": value} for value in (1, 2)]
        container.refused()

    @requirement("config.md, Valid values", MUST, "a soft limit above the hard one is an error")
    def test_rlimit_soft_above_hard(self):
        container = self.container()
        container.bundle.process["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]
        container.refused()

    @requirement("config.md, POSIX process: rlimits", MUST, "a limit that cannot be raised is an error, not another limit")
    def test_rlimit_raised(self):
        container = self.container()
        container.bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 2 ** 31, "hard": 2 ** 31}]
        container.refused()


class Descriptors(RuntimeCase):
    @requirement("command line", PRACTICE, "the program has no descriptor but the three standard ones")
    def test_descriptors(self):
        self.assertEqual(sorted(self.container().probe()["fds"], key=int), ["0", "1", "2"])

    @requirement("command line", PRACTICE, "what the caller of the runtime has open stays out")
    def test_descriptors_private(self):
        with open("/etc/passwd", encoding="utf-8") as file:
            report = self.container().probe(pass_fds=[file.fileno()])
        self.assertEqual(sorted(report["fds"], key=int), ["0", "1", "2"])

    @requirement("command line", PRACTICE, "--preserve-fds N passes N descriptors from 3 on")
    def test_descriptors_preserved(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c", "echo through >&3"]
        opened = os.open(self.work / "given", os.O_WRONLY | os.O_CREAT, 0o600)
        if opened != 3:
            os.dup2(opened, 3)
            os.close(opened)
        try:
            self.ok(container.run("--preserve-fds", "1", pass_fds=[3]))
        finally:
            os.close(3)
        self.assertEqual((self.work / "given").read_text(), "through\n")

    @requirement("config.md, Process: terminal", MAY, "without a terminal the standard streams are the caller's")
    def test_standard_streams(self):
        report = self.container().probe(stdin=subprocess.DEVNULL)
        self.assertEqual(report["terminal"]["standard_streams"], [False, False, False])
        self.assertEqual(report["terminal"]["controlling"], False)


if __name__ == "__main__":
    main()
