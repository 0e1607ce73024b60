"""dockerd with berth-runtime as its runtime: what its users do every day."""

import os
import pathlib
import pty
import re
import unittest

from support import case, dockerd
from support.engine_case import EngineCase
from support.waiting import until

CAP_SYS_ADMIN = 21  # linux/capability.h
CGROUPS = pathlib.Path("/sys/fs/cgroup")
STATE = pathlib.Path("/run/docker-own/runtime-runc/moby")  # what dockerd gives its default runtime as --root

APPLICATION = """\
version: "2.4"
services:
  server:
    image: {image}
    command: sh -c "echo served > /site/page && exec httpd -f -p 8080 -h /site"
    volumes: [site:/site]
    mem_limit: 64m
    healthcheck:
      test: wget -q -O /dev/null http://127.0.0.1:8080/page
      interval: 1s
  client:
    image: {image}
    command: sh -c "until wget -q -O - http://server:8080/page; do sleep 0.2; done"
    depends_on: [server]
volumes:
  site:
"""


def cgroups(parent):
    return list(CGROUPS.glob(f"*/{parent}/*/"))


class Everyday(dockerd.Dockerd, EngineCase, unittest.TestCase):
    def compose(self, *words):
        return case.run("docker-compose", "--file", self.work / "application.yml", "--project-name", "app",
                        "--no-ansi", *words, timeout=90, env=self.env)

    def test_the_runtime_has_the_container(self):
        name = self.stay()
        listed = case.run(case.PROGRAMS / "berth-runtime", "--root", STATE, "list", "--quiet")
        self.assertEqual(listed.stdout.split(), [name], listed)

    def test_a_command_that_can_not_be_run(self):
        self.assertEqual(self.run_in(self.image, "/etc").returncode, 126)
        self.addCleanup(self.call, "rm", "lost")
        self.assertEqual(self.call("run", "--name", "lost", "--network=none", self.image, "/nosuch").returncode, 127)
        self.assertEqual(self.inspect("lost", ".State.ExitCode"), "127")

    def test_a_terminal(self):
        ours, theirs = pty.openpty()
        try:
            done = self.run_in("-t", self.image, "tty", stdin=theirs)
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertEqual(done.stdout.split()[0], "/dev/pts/0", done)

    def test_volumes(self):
        data = self.work / "data"
        data.mkdir()
        self.shell("echo kept > /data/file", "-v", f"{data}:/data")
        self.assertEqual((data / "file").read_text(), "kept\n")
        self.assertNotEqual(self.run_in("-v", f"{data}:/data:ro", self.image, "touch", "/data/other").returncode, 0)
        self.shell("touch /named/file", "-v", "named:/named")
        self.assertEqual(self.shell("ls /named", "-v", "named:/named"), "file\n")
        self.ok("volume", "rm", "named")
        self.assertIn("size=1024k", self.shell("grep ' /small ' /proc/mounts", "--tmpfs", "/small:size=1m"))

    def test_limits_of_one_that_runs(self):
        name = self.stay("--memory", "64m", "--memory-swap", "64m")
        self.ok("update", "--memory", "32m", "--memory-swap", "32m", name)
        got = self.ok("exec", name, "cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
        self.assertEqual(got.strip(), "33554432")

    def test_settings(self):
        got = self.shell("hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ulimit -n", "--hostname",
                         "named", "--sysctl", "net.ipv4.ip_unprivileged_port_start=80", "--ulimit", "nofile=512:512")
        self.assertEqual(got.split(), ["named", "80", "512"])
        self.assertNotEqual(self.run_in("--read-only", self.image, "touch", "/file").returncode, 0)
        self.assertIn("CapEff:\t0000000000000000", self.shell("cat /proc/self/status", "--cap-drop", "ALL"))
        self.assertIn("Seccomp:\t2", self.shell("cat /proc/self/status"))
        self.assertIn("docker-init", self.shell("cat /proc/1/cmdline", "--init"))

    def test_all_privileges(self):
        # A machine that has not got all of them gives what it has, and its warning is not the container's output.
        done = self.run_in("--privileged", self.image, "ls", "/dev/kmsg")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "/dev/kmsg\n", ""))
        status = self.ok("exec", "--privileged", self.stay(), "cat", "/proc/self/status")
        self.assertTrue(int(re.search("CapEff:(.*)", status)[1], 16) & 1 << CAP_SYS_ADMIN, status)

    def test_further_processes(self):
        name = self.stay()
        self.assertEqual(self.ok("exec", name, "sh", "-c", "echo in; id -u").split(), ["in", "0"])
        got = self.ok("exec", "-u", "1000", "-w", "/tmp", "-e", "A=b", name, "sh", "-c", "id -u; pwd; echo $A")
        self.assertEqual(got, "1000\n/tmp\nb\n")
        self.assertEqual(self.call("exec", name, "sh", "-c", "exit 3").returncode, 3)
        self.assertEqual(self.call("exec", name, "nosuch").returncode, 126)
        self.assertIn("sleep 1000", self.ok("top", name))

    def test_a_container_that_stays(self):
        name = self.stay()
        self.assertTrue(self.ok("ps", "--format", "{{.Status}}", "--filter", f"id={name}").startswith("Up"))
        self.ok("pause", name)
        self.assertEqual(self.inspect(name, ".State.Status"), "paused")
        self.ok("unpause", name)
        self.ok("restart", "-t", "0", name)
        self.assertEqual(self.inspect(name, ".State.Status"), "running")
        self.ok("stop", "-t", "0", name)
        self.assertEqual(self.inspect(name, ".State.ExitCode"), "137")
        self.ok("start", name)
        self.ok("kill", name)
        self.ok("wait", name)
        self.ok("rm", name)

    def test_figures(self):
        name = self.stay("--memory", "64m")
        memory, processes = self.ok("stats", "--no-stream", "--format", "{{.MemUsage}};{{.PIDs}}", name).split(";")
        self.assertTrue(memory.endswith("/ 64MiB"), memory)
        self.assertFalse(memory.startswith("0B"), memory)
        self.assertEqual(processes.strip(), "1")

    def test_memory_that_is_used_up(self):
        done = self.call("run", "--network=none", "--name", "greedy", "--memory", "16m", "--memory-swap", "16m",
                         self.image, "dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")
        self.addCleanup(self.call, "rm", "greedy")
        self.assertEqual(done.returncode, 137, done)
        self.assertEqual(self.inspect("greedy", ".State.OOMKilled"), "true")

    def test_a_build(self):
        context = self.work / "context"
        context.mkdir()
        (context / "added").write_text("added\n")
        (context / "Dockerfile").write_text(
            f"FROM {self.image}\n"
            "COPY added /srv/\n"
            "RUN cat /srv/added > /srv/made && id -u >> /srv/made\n"
            "USER demo\n"
            "RUN id -un > /tmp/who\n"
            'CMD ["cat", "/srv/made", "/tmp/who"]\n')
        self.ok("build", "-q", "--network=none", "-t", "localhost/built", context)
        self.assertEqual(self.run_in("localhost/built").stdout, "added\n0\ndemo\n")

    def test_a_shared_network_namespace(self):
        name = self.stay()
        space = self.ok("exec", name, "readlink", "/proc/self/ns/net")
        self.assertEqual(self.call("run", "--rm", "--network", f"container:{name}", self.image, "readlink",
                                   "/proc/self/ns/net").stdout, space)

    def test_an_application(self):
        (self.work / "application.yml").write_text(APPLICATION.format(image=self.image))
        try:
            done = self.compose("up", "--detach")
            self.assertEqual(done.status, 0, done)
            # The client comes to the server by its name, over the application's own network.
            status = self.ok("wait", "app_client_1").strip()
            self.assertEqual((status, self.ok("logs", "app_client_1")), ("0", "served\n"))
            self.assertEqual(self.compose("exec", "-T", "server", "cat", "/site/page").stdout, "served\n")
            until(lambda: self.inspect("app_server_1", ".State.Health.Status") == "healthy",
                  lambda: self.inspect("app_server_1", "json .State.Health"))
        finally:
            done = self.compose("down", "--volumes", "--timeout", "0")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(self.ok("ps", "-aq", "--filter", "name=app_"), "")

    def test_nothing_is_left(self):
        self.shell("true")
        self.run_in(self.image, "nosuch")
        name = self.stay()
        self.ok("rm", "--force", name)
        self.assertEqual(self.ok("ps", "-aq"), "")
        until(lambda: not cgroups(self.group), lambda: cgroups(self.group))
        # Beside containers the runtime keeps the seccomp filters that it has compiled.
        self.assertEqual([path for path in STATE.iterdir() if path.name != "@seccomp"], [])
        mounts = pathlib.Path("/proc/self/mounts").read_text()
        self.assertNotIn(f"{self.work}/store/overlay2", mounts)


if __name__ == "__main__":
    case.main()
