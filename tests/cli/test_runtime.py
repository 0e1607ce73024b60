"""berth-runtime's commands, as a person at a terminal and an engine use them."""

import json
import os
import pathlib
import socket
import subprocess
import time

from support.runtime_case import BerthRuntimeCase, main
from support.seccomp_agent import Agent
from support.waiting import until

MIB = 1 << 20
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
WRITE, SENDMSG, EXECVE = 1, 46, 59  # on x86-64


class Looking(BerthRuntimeCase):
    def listed(self):
        return json.loads(self.ok(self.berth_runtime("list", "--format", "json")).stdout)

    def test_list_of_nothing(self):
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.ok(self.berth_runtime("list", "-q")).stdout, "")
        self.assertEqual(self.ok(self.berth_runtime("list")).stdout.split(),
                         ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"])

    def test_list_as_json(self):
        created, stopped = self.container("a"), self.container("b")
        created.config["annotations"] = {"com.example.key": "value"}
        created.created()
        stopped.bundle.process["args"] = ["/bin/true"]
        stopped.started().stopped()
        first, second = self.listed()
        self.assertEqual((first["id"], first["pid"], first["status"]), ("a", created.pid, "created"))
        self.assertEqual((first["bundle"], first["rootfs"]), (str(created.directory), str(created.rootfs)))
        self.assertEqual((first["owner"], first["annotations"]), ("root", {"com.example.key": "value"}))
        self.assertRegex(first["created"], f"^{TIME}$")
        self.assertRegex(first["ociVersion"], r"^1\.\d+\.\d+$")
        self.assertEqual((second["id"], second["pid"], second["status"]), ("b", 0, "stopped"))
        self.assertEqual(self.ok(self.berth_runtime("list", "--quiet")).stdout, "a\nb\n")

    def test_list_as_a_table(self):
        container = self.container("web").sleeping()
        header, row = self.ok(self.berth_runtime("list")).stdout.splitlines()
        self.assertEqual(row.split()[:4], ["web", str(container.pid), "running", str(container.directory)])
        self.assertEqual(header.index("OWNER"), row.index("root", header.index("CREATED")))

    def test_list_goes_on_after_a_damaged_record(self):
        self.container("a").sleeping()
        self.container("b").sleeping()
        (self.root / "a/record").write_bytes(b"nonsense")
        done = self.berth_runtime("list", "-q")
        self.assertEqual((done.status, done.stdout), (0, "b\n"))
        self.assertRegex(done.stderr, "^berth-runtime: warning: container a: ")

    def test_ps_as_a_table(self):
        container = self.container().sleeping()
        header, row = self.ok(self.berth_runtime("ps", container.id)).stdout.splitlines()
        self.assertIn("PID", header.split())
        self.assertIn(str(container.pid), row.split())
        self.assertTrue(row.endswith("/bin/sleep 1000"), row)

    def test_ps_takes_the_options_of_ps(self):
        container = self.container().sleeping()
        done = self.ok(self.berth_runtime("ps", container.id, "-e", "-o", "pid,comm"))
        self.assertEqual([line.split() for line in done.stdout.splitlines()],
                         [["PID", "COMMAND"], [str(container.pid), "sleep"]])
        self.fails("ps", container.id, "-e", "-o", "comm", saying="no column PID")

    def test_ps_of_what_has_ended_is_empty(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.assertEqual(self.ok(self.berth_runtime("ps", "-f", "json", container.id)).stdout, "[]\n")

    def test_of_a_container_that_does_not_exist(self):
        for command in (["ps"], ["update", "--pids-limit", "5"], ["events", "--stats"]):
            self.fails(*command, "nobody", saying='container "nobody" does not exist')

    def test_features_are_those_that_there_are(self):
        found = json.loads(self.ok(self.berth_runtime("features")).stdout)
        self.assertIn("SCMP_ACT_NOTIFY", found["linux"]["seccomp"]["actions"])
        self.assertEqual(found["linux"]["cgroup"], {"v1": True, "v2": True, "systemd": True, "systemdUser": False,
                                                    "rdma": True})

    def test_systemd_cgroup_without_systemd_says_what_to_do(self):
        container = self.container()
        container.bundle.linux["cgroupsPath"] = ":berth:x"
        container.bundle.write()
        done = self.fails("create", "--bundle", container.directory, container.id, flags=["--systemd-cgroup"],
                          saying="--systemd-cgroup: connect to /run/systemd/private: ENOENT")
        self.assertIn("cgroupfs", done.stderr)


class Limits(BerthRuntimeCase):
    def update(self, container, *flags, **options):
        self.ok(self.berth_runtime("update", *flags, container.id, **options))

    def test_flags(self):
        container = self.container().sleeping()
        self.update(container, "--memory", "64m", "--pids-limit", "20", "--cpu-share", "512", "--cpuset-cpus", "0")
        self.assertEqual(container.cgroup_file("pids", "pids.max"), "20")
        memory = container.cgroup_directory("memory")
        name = "memory.max" if (memory / "memory.max").exists() else "memory.limit_in_bytes"
        self.assertEqual((memory / name).read_text().strip(), str(64 * MIB))
        self.assertEqual(container.cgroup_file("cpuset", "cpuset.cpus"), "0")

    def test_resources_from_the_standard_input(self):
        container = self.container().sleeping()
        self.update(container, "--resources", "-", stdin='{"pids": {"limit": 33}}')
        self.assertEqual(container.cgroup_file("pids", "pids.max"), "33")

    def test_rules_for_devices_stay(self):
        container = self.container().sleeping()
        done = self.ok(self.berth_runtime("update", "-r", "-", container.id,
                                          stdin='{"devices": [{"allow": true, "access": "rwm"}]}'))
        self.assertIn("warning: update does not change the rules for devices", done.stderr)

    def test_what_is_wrong_is_said(self):
        container = self.container().sleeping()
        self.fails("update", "--memory", "much", container.id, saying="--memory much: it is a number of bytes")
        self.fails("update", "-r", "-", container.id, stdin='{"pids": {"limit": "x"}}', saying="pids.limit")
        self.fails("update", "-r", "/no/such", container.id, saying="/no/such")
        self.fails("update", "--l3-cache-schema", "L3:0=f", container.id, saying="Intel RDT")

    def test_one_that_has_ended_has_none(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.fails("update", "--pids-limit", "5", container.id, saying="container not running")
        self.fails("events", "--stats", container.id, saying="container not running")


class Events(BerthRuntimeCase):
    def watch(self, container, *flags):
        process = subprocess.Popen(self.command("events", *flags, container.id), stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        return process

    def test_statistics_are_told_every_interval_until_the_end(self):
        container = self.container().sleeping()
        process = self.watch(container, "--interval", "20ms")
        for _ in range(3):
            event = json.loads(process.stdout.readline())
            self.assertEqual((event["type"], event["id"]), ("stats", container.id))
            self.assertGreater(event["data"]["cpu"]["usage"]["total"], 0)
            self.assertEqual(event["data"]["pids"]["current"], 1)
        self.ok(container.kill())
        self.assertEqual(process.wait(5), 0)

    def test_running_out_of_memory(self):
        container = self.container()
        container.bundle.linux["resources"]["memory"] = {"limit": 16 * MIB, "swap": 16 * MIB}
        container.bundle.process["args"] = ["/bin/sh", "-c", "while [ ! -e /data/go ]; do sleep 0.01; done; "
                                                             "x=0123456789abcdef; while true; do x=$x$x; done"]
        container.started()
        process = self.watch(container, "--interval", "1h")
        # The container must not begin before it is watched.
        until(lambda: b"poll" in pathlib.Path(f"/proc/{process.pid}/wchan").read_bytes(), "it watches")
        (container.rootfs / "data/go").touch()
        self.assertEqual(json.loads(process.stdout.readline()), {"type": "oom", "id": container.id})
        self.assertEqual(process.wait(10), 0)

    def test_an_interval_that_is_none(self):
        for text in ("0s", "soon", "-1s", "5"):
            self.fails("events", f"--interval={text}", "x", saying="--interval")


class Spec(BerthRuntimeCase):
    def test_it_goes_to_the_bundle_and_runs(self):
        container = self.container()
        self.ok(self.berth_runtime("spec", "--bundle", container.directory))
        config = json.loads((container.directory / "config.json").read_text())
        config["process"].update(terminal=False, args=["/bin/sh", "-c", "echo $TERM; cat /proc/self/status"])
        container.bundle.config = config
        done = self.ok(container.run())
        self.assertTrue(done.stdout.startswith("xterm\n"), done)
        self.assertIn("NoNewPrivs:\t1", done.stdout)

    def test_it_replaces_nothing(self):
        (self.work / "config.json").write_text("mine")
        self.fails("spec", saying="there is a file config.json in .; it is not replaced")
        self.assertEqual((self.work / "config.json").read_text(), "mine")

    def test_rootless(self):
        self.ok(self.berth_runtime("spec", "--rootless", "--file", "rootless.json"))
        config = json.loads((self.work / "rootless.json").read_text())
        self.assertEqual(config["linux"]["uidMappings"], [{"containerID": 0, "hostID": os.geteuid(), "size": 1}])
        self.assertIn({"type": "user"}, config["linux"]["namespaces"])


class Log(BerthRuntimeCase):
    def with_warning(self, *flags):
        container = self.container()
        container.bundle.capabilities(["CAP_KILL", "CAP_NO_SUCH"], sets=("bounding",))
        container.bundle.process["args"] = ["/no/such/program"]
        container.bundle.write()
        return self.berth_runtime("run", "--bundle", container.directory, container.id, flags=flags)

    def test_a_warning_bears_the_name_of_the_program(self):
        self.assertRegex(self.with_warning().stderr, r"(?m)^berth-runtime: warning: .*CAP_NO_SUCH")

    def test_as_json(self):
        done = self.with_warning("--log", self.work / "log", "--log-format", "json")
        warning, error = map(json.loads, (self.work / "log").read_text().splitlines())
        self.assertEqual((warning["level"], error["level"]), ("warning", "error"))
        self.assertIn("CAP_NO_SUCH", warning["msg"])
        self.assertIn("/no/such/program", error["msg"])
        self.assertRegex(error["time"], f"^{TIME}$")
        self.assertIn("/no/such/program", done.stderr)

    def test_as_text(self):
        self.with_warning("--log", self.work / "log")
        self.with_warning("--log", self.work / "log")
        lines = (self.work / "log").read_text().splitlines()
        self.assertEqual(len(lines), 4, "it is appended to")
        self.assertRegex(lines[0], f'^time="{TIME}" level=warning msg=".*CAP_NO_SUCH.*"$')
        self.assertRegex(lines[1], f'^time="{TIME}" level=error msg=".*\\\\"/no/such/program\\\\".*"$')

    def test_the_level(self):
        self.with_warning("--log", self.work / "log", "--log-level", "error")
        self.assertNotIn("CAP_NO_SUCH", (self.work / "log").read_text())

    def test_a_log_that_cannot_be_opened_is_no_obstacle(self):
        done = self.berth_runtime("list", flags=["--log", "/no/such/directory/log"])
        self.assertEqual(done.status, 0, done)
        self.assertIn("berth-runtime: warning: --log", done.stderr)


class UnwritableOutput(BerthRuntimeCase):
    """containerd gives a pod's runtime a standard error that is open for reading only."""

    def run_with(self, stdout, stderr, *words, flags=()):
        program, *rest = self.command(*words)
        with open("/dev/null", "rb") as unwritable, open("/dev/full", "wb") as full:
            files = {"unwritable": unwritable, "full": full}
            return subprocess.run([program, *map(str, flags), *rest], stdin=subprocess.DEVNULL, stdout=files[stdout],
                                  stderr=files[stderr], timeout=20, check=False).returncode

    def test_an_error(self):
        for stderr in ("unwritable", "full"):
            log = self.work / f"log-{stderr}"
            self.assertEqual(self.run_with("unwritable", stderr, "state", "nobody", flags=("--log", log)), 1)
            self.assertIn("nobody", log.read_text())

    def test_a_warning(self):
        container = self.container()
        container.bundle.process["capabilities"]["bounding"] = ["CAP_NO_SUCH"]
        container.bundle.process["args"] = ["/bin/sh", "-c", "echo ran > /data/file"]
        container.bundle.write()
        self.assertEqual(self.run_with("unwritable", "unwritable", "run", "--bundle", container.directory, container.id), 0)
        self.assertEqual((container.rootfs / "data/file").read_text(), "ran\n")

    def test_an_output(self):
        container = self.container()
        container.config["annotations"] = {"com.example.long": "x" * MIB}
        container.sleeping()
        self.assertEqual(self.run_with("full", "full", "state", container.id), 1)


class SeccompAgent(BerthRuntimeCase):
    """What every runtime must do with an agent is asked in tests/conformance/test_seccomp.py."""

    def notifying(self, *names, **more):
        agent = Agent(self.work / "agent")
        self.addCleanup(agent.end)
        container = self.container()
        container.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(agent.path),
                                             "syscalls": [{"names": list(names), "action": "SCMP_ACT_NOTIFY"}], **more}
        return agent, container

    def test_calls_that_the_runtime_needs_itself(self):
        for flag in (True, False):
            with self.subTest(no_new_privileges=flag):
                agent, container = self.notifying("write", "sendmsg", "recvmsg", "close", "futex", "prctl", "capset",
                                                  "execve", "execveat", "dup3", "mmap", "exit")
                container.bundle.process["noNewPrivileges"] = flag
                done = container.shell("echo hello")
                self.assertEqual((done.status, done.stdout), (0, "hello\n"), done)
                self.assertLessEqual({WRITE, SENDMSG, EXECVE}, agent.calls)
                self.assertEqual(agent.state["state"]["status"], "creating")
                agent.end()
                agent.path.unlink()

    def test_every_call(self):
        agent, container = self.notifying("read")
        container.bundle.linux["seccomp"].update(defaultAction="SCMP_ACT_NOTIFY", syscalls=[])
        self.assertEqual(container.shell("echo hello").stdout, "hello\n")
        self.assertIn(EXECVE, agent.calls)

    def test_the_container_does_not_have_the_listener(self):
        _, container = self.notifying("getpgid")
        self.assertEqual(sorted(container.probe()["fds"]), ["0", "1", "2"])

    def test_calls_of_exec_that_the_runtime_needs_itself(self):
        names = ("write", "sendmsg", "recvmsg", "close", "futex", "poll", "prctl", "capset", "execve", "execveat", "exit")
        for flag in (True, False):
            with self.subTest(no_new_privileges=flag):
                first, container = self.notifying(*names)
                container.bundle.process["noNewPrivileges"] = flag
                container.sleeping()
                first.path.unlink()
                agent = Agent(first.path)
                self.addCleanup(agent.end)
                done = container.exec("/bin/echo", "hello")
                self.assertEqual((done.status, done.stdout), (0, "hello\n"), done)
                self.assertLessEqual({WRITE, EXECVE}, agent.calls)
                self.assertEqual(agent.state["state"]["status"], "running")
                agent.path.unlink()

    def test_exec_without_an_agent_does_not_run(self):
        agent, container = self.notifying("getpgid")
        container.sleeping()
        agent.path.unlink()
        for _ in range(20):
            done = container.exec("/bin/touch", "/data/ran")
            self.assertEqual(done.status, 255, done)
            self.assertIn("linux.seccomp.listenerPath: tell the seccomp agent", done.stderr)
        self.assertFalse((container.rootfs / "data/ran").exists())

    def test_an_agent_that_cannot_be_reached_leaves_nothing(self):
        agent, container = self.notifying("getpgid")
        agent.end()
        agent.path.unlink()
        done = container.create()
        self.assertEqual(done.status, 1)
        self.assertIn("linux.seccomp.listenerPath: tell the seccomp agent", done.stderr)
        self.assert_gone(container)

    def test_an_agent_that_does_not_read_does_not_hold_it_up_for_ever(self):
        _, container = self.notifying("getpgid")
        path = self.work / "deaf"
        deaf = socket.socket(socket.AF_UNIX)
        self.addCleanup(deaf.close)
        deaf.bind(str(path))
        deaf.listen()
        container.bundle.linux["seccomp"]["listenerPath"] = str(path)
        container.config["annotations"] = {"com.example.long": "x" * (4 * MIB)}
        began = time.monotonic()
        self.assertEqual(container.create(timeout=30).status, 1)
        self.assertLess(time.monotonic() - began, 15)
        self.assert_gone(container)


if __name__ == "__main__":
    main()
