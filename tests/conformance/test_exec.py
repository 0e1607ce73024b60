"""exec: not in the specification, but every engine has it, and it must keep what config.json promised."""

import json
import os
import pathlib

from support.bundle import DEFAULT_CAPABILITIES
from support.oci_runtime import PRACTICE, RuntimeCase, expand, family, requirement, main
from support.waiting import until


@expand
class Exec(RuntimeCase):
    def sleeping(self):
        return self.container().sleeping()

    @requirement("command line", PRACTICE, "the words after the ID are the program and its arguments")
    def test_words(self):
        done = self.sleeping().exec("/bin/echo", "one two", "", "three")
        self.assertEqual(self.ok(done).stdout, "one two  three\n")

    @requirement("command line", PRACTICE, "it ends with the program's exit status, and 128 and the signal's number for a killed one")
    def test_status(self):
        container = self.sleeping()
        self.assertEqual(container.exec("/bin/sh", "-c", "exit 42").status, 42)
        self.assertEqual(container.exec("/bin/sh", "-c", "kill -KILL $$").status, 137)

    @requirement("command line", PRACTICE, "the status of a program that does not exist is none that a program has by itself")
    def test_missing_program(self):
        done = self.error(self.sleeping().exec("/no/such/program"))
        self.assertNotIn(done.status, (0, 42))

    @requirement("command line", PRACTICE, "it reads its standard input to the program")
    def test_input(self):
        (self.work / "words").write_text("through\n")
        with open(self.work / "words", encoding="utf-8") as stdin:
            self.assertEqual(self.ok(self.sleeping().exec("/bin/cat", stdin=stdin)).stdout, "through\n")

    @requirement("command line", PRACTICE, "the program is in all of the container's namespaces")
    def test_namespaces(self):
        container = self.sleeping()
        found = container.exec_probe()["namespaces"]
        for name in ("cgroup", "ipc", "mnt", "net", "pid", "uts", "user"):
            self.assertEqual(found[name], os.stat(f"/proc/{container.pid}/ns/{name}").st_ino, name)

    @requirement("command line", PRACTICE, "the program is in the container's user namespace, as its root")
    def test_user_namespace(self):
        container = self.container()
        container.bundle.user_namespace((0, 0x60000000, 65536))
        container.bundle.give_to(0x60000000, 0x60000000)
        report = container.sleeping().exec_probe()
        self.assertEqual(report["ids"]["uid"], [0, 0, 0])
        self.assertEqual(report["uid_map"][0].split(), ["0", str(0x60000000), "65536"])

    @requirement("command line", PRACTICE, "the program is in the container's cgroup")
    def test_cgroup(self):
        container = self.sleeping()
        done = self.ok(container.exec("/bin/sh", "-c", "echo $$; exec sleep 1000", flags=("--detach",)))
        until(lambda: len(container.cgroup_file("pids", "cgroup.procs").split()) == 2, f"two processes: {done}")

    @requirement("command line", PRACTICE, "--cwd, --env and --user are the program's; several --env add up")
    def test_flags(self):
        report = self.sleeping().exec_probe(flags=("--cwd", "/usr/bin", "--env", "OWN=1", "--env", "OTHER=2",
                                                   "--user", "1234:5678"))
        self.assertEqual(report["cwd"], "/usr/bin")
        self.assertLessEqual({"OWN=1", "OTHER=2"}, set(report["env"]))
        self.assertEqual((report["ids"]["uid"][0], report["ids"]["gid"][0]), (1234, 5678))

    @requirement("command line", PRACTICE, "--additional-gids gives it more groups")
    def test_groups(self):
        report = self.sleeping().exec_probe(flags=("--user", "1234:5678", "--additional-gids", "77"))
        self.assertIn(77, report["ids"]["groups"])

    @requirement("command line", PRACTICE, "without flags, environment, directory and user are those of config.json")
    def test_defaults(self):
        container = self.container()
        container.bundle.process.update(cwd="/usr", user={"uid": 1234, "gid": 5678})
        container.bundle.process["env"] += ["OWN=1"]
        report = container.sleeping().exec_probe()
        self.assertEqual((report["cwd"], report["ids"]["uid"][0]), ("/usr", 1234))
        self.assertIn("OWN=1", report["env"])

    @requirement("command line", PRACTICE, "capabilities are those of config.json; --cap adds one")
    def test_capabilities(self):
        container = self.sleeping()
        plain = container.exec_probe()["capabilities"]
        self.assertEqual(bin(plain["bounding"]).count("1"), len(DEFAULT_CAPABILITIES))
        more = container.exec_probe(flags=("--cap", "CAP_SYS_PTRACE"))["capabilities"]
        self.assertEqual(more["effective"] & ~plain["effective"], 1 << 19)

    @requirement("command line", PRACTICE, "noNewPrivileges of config.json holds")
    def test_no_new_privileges(self):
        container = self.container()
        container.bundle.process["noNewPrivileges"] = True
        self.assertTrue(container.sleeping().exec_probe()["no_new_privileges"])

    @requirement("command line", PRACTICE, "the limits of config.json hold")
    def test_limits(self):
        container = self.container()
        container.bundle.process["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 1, "hard": 2}]
        self.assertEqual(container.sleeping().exec_probe()["limits"]["RLIMIT_CORE"], [1, 2])

    @requirement("command line", PRACTICE, "the seccomp filter of config.json holds")
    def test_seccomp(self):
        container = self.container()
        container.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["sched_get_priority_max"], "action": "SCMP_ACT_ERRNO"}]}
        report = container.sleeping().exec_probe("--call", "sched_get_priority_max,1")
        self.assertEqual(list(report["calls"].values()), ["EPERM"])

    def by_file(self, **more):
        """The report of a program that exec --process starts."""
        container = self.sleeping()
        process = {"args": ["/probe"], "cwd": "/usr", "env": ["ONLY=this"], "user": {"uid": 7, "gid": 8}, **more}
        (self.work / "process.json").write_text(json.dumps(process))
        return json.loads(self.ok(self.runtime("exec", "--process", self.work / "process.json", container.id)).stdout)

    @requirement("command line", PRACTICE, "--process takes program, directory, environment, user, limits and capabilities from a file")
    def test_process_file(self):
        report = self.by_file(user={"uid": 7, "gid": 8, "additionalGids": [9]}, capabilities={"bounding": ["CAP_KILL"]},
                              noNewPrivileges=True, rlimits=[{"type": "RLIMIT_CORE", "soft": 3, "hard": 4}])
        self.assertEqual((report["cwd"], report["ids"]["uid"]), ("/usr", [7, 7, 7]))
        self.assertIn("ONLY=this", report["env"])
        self.assertIn(9, report["ids"]["groups"])
        self.assertEqual(report["capabilities"]["bounding"], 1 << 5)
        self.assertEqual((report["limits"]["RLIMIT_CORE"], report["no_new_privileges"]), ([3, 4], True))

    @requirement("config.md, POSIX-platform User", PRACTICE, "umask in the file of --process is set")
    def test_process_file_umask(self):
        self.assertEqual(self.by_file(user={"uid": 7, "gid": 8, "umask": 0o027})["umask"], 0o027)

    @requirement("config.md, Linux process: oomScoreAdj", PRACTICE, "oomScoreAdj in the file of --process is set")
    def test_process_file_oom_score(self):
        self.assertEqual(self.by_file(oomScoreAdj=77)["oom_score_adj"], "77")

    @requirement("command line", PRACTICE, "--detach comes back while the program runs; --pid-file has its PID")
    def test_detach(self):
        container = self.sleeping()
        self.ok(container.exec("/bin/sleep", "1000", flags=("--detach", "--pid-file", self.work / "pid")))
        pid = int((self.work / "pid").read_text())
        self.assertNotEqual(pid, container.pid)
        # What was asked for is executed by then: engines look at the process at once.
        self.assertIn("sleep", pathlib.Path(f"/proc/{pid}/cmdline").read_text())

    @requirement("command line", PRACTICE, "no descriptor of the caller or of the runtime is open in the program")
    def test_descriptors(self):
        container = self.sleeping()
        with open("/etc/passwd", encoding="utf-8") as file:
            done = container.exec("/probe", pass_fds=[file.fileno()])
        self.assertEqual(sorted(json.loads(self.ok(done).stdout)["fds"], key=int), ["0", "1", "2"])

    @family({name: ("command line", PRACTICE, f"exec in a {name} container is an error", name)
             for name in ("stopped", "missing")})
    def _impossible(self, name):
        container = self.container()
        container.bundle.process["args"] = ["/bin/true"]
        if name == "stopped":
            container.started().stopped()
        self.error(container.exec("/bin/true"))

    @requirement("command line", PRACTICE, "exec in a created container works: the container is there, only its program does not run yet")
    def test_created(self):
        self.assertEqual(self.ok(self.container().created().exec("/bin/echo", "here")).stdout, "here\n")

    @requirement("command line", PRACTICE, "the program ends with the container")
    def test_ends_with_container(self):
        container = self.sleeping()
        self.ok(container.exec("/bin/sleep", "1000", flags=("--detach", "--pid-file", self.work / "pid")))
        pid = int((self.work / "pid").read_text())
        self.ok(container.kill("KILL"))
        container.stopped()
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists()
                        or ") Z " in pathlib.Path(f"/proc/{pid}/stat").read_text(), "it has ended")


if __name__ == "__main__":
    main()
