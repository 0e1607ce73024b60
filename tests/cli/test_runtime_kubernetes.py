"""containerd with berth-runtime set in its own configuration, asked as Kubernetes' kubelet asks it."""

import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import unittest

import grpc

from support import case, cri, documented
from support.engine_case import EngineClient
from support.waiting import until

sys.path.insert(0, str(case.REPOSITORY / "scripts"))
import docker_archive as archive  # noqa: E402  (after the path is set)

CGROUPS = pathlib.Path("/sys/fs/cgroup")
RUNTIME = documented.RUNTIME
SOCKET = "/run/containerd/own.sock"
STATE = pathlib.Path("/run/containerd/runc/k8s.io")  # what the shim gives its runtime as --root
PAUSE = "localhost/pause:latest"
MEMORY, QUOTA, PERIOD, SHARES, OOM_SCORE = 4, 2, 1, 3, 5  # fields of LinuxContainerResources
MIB = 1 << 20

# What is of this test alone; the lines about the runtime are the user's documentation's.
CONFIGURATION = """\
version = 2
root = "{work}/root"
state = "/run/containerd/state"
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{work}/cni"
"""
NETWORK = {
    "cniVersion": "0.4.0", "name": "pods", "type": "bridge", "bridge": "pods0", "isGateway": True,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.77.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]},
}


def pause_image(path):
    """The image of a pod's first container: one program, which waits."""
    layer = archive.tar_bytes([archive.directory("bin"), archive.file("bin/sleep", pathlib.Path("/bin/busybox").read_bytes(),
                                                                      mode=0o755)])
    machine = subprocess.run(["dpkg", "--print-architecture"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    archive.write(path, [PAUSE], [layer], {"Entrypoint": ["/bin/sleep", "100000"]}, machine)


class Kubernetes(EngineClient, unittest.TestCase):
    """A containerd of its own with its CRI; nothing is pulled, and the pods' network ends at this test's loopback."""

    client = ("ctr", "--namespace", "k8s.io")

    @classmethod
    def setUpClass(cls):
        work = cls.work = case.WORK / "containerd"
        work.mkdir()
        cls.handler = re.search(r"^handler: (\S+)$", documented.block("Kubernetes", "yaml"), re.MULTILINE)[1]
        (work / "cni").mkdir()
        (work / "cni" / "10-pods.conf").write_text(json.dumps({**NETWORK, "ipam": {**NETWORK["ipam"], "dataDir": f"{work}/ipam"}}))
        own = CONFIGURATION.format(work=work, socket=SOCKET, pause=PAUSE)
        (work / "config.toml").write_text(own + documented.block("Kubernetes", "toml").replace("version = 2\n", ""))
        cls.env = dict(os.environ, CONTAINERD_ADDRESS=SOCKET)
        with (work / "log").open("wb") as log:
            cls.daemon = subprocess.Popen(["containerd", "--config", work / "config.toml"], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log)
        cls.addClassCleanup(cls.end)
        until(lambda: cls.call("version").returncode == 0 or cls.daemon.poll() is not None, (work / "log").read_text)
        cls.group = f"test-of-kubernetes-{secrets.token_hex(4)}"
        cls.kubelet = cri.Kubelet(SOCKET, f"/{cls.group}")
        cls.addClassCleanup(cls.kubelet.close)
        pause_image(work / "pause.tar")
        for path in (work / "pause.tar", case.demo_archive()):
            cls.ok("image", "import", path)
        until(cls.answers, (work / "log").read_text)

    @classmethod
    def answers(cls):
        try:
            return bool(cls.kubelet.call("Version", []))
        except grpc.RpcError:
            return False

    @classmethod
    def end(cls):
        cls.daemon.terminate()
        cls.daemon.wait(20)
        for path in CGROUPS.glob(f"*/{cls.group}"):  # the parent of all that containerd made, which it leaves
            path.rmdir()

    def pod(self, namespaces=cri.NETWORK_OF_THE_HOST, handler=None):
        """A pod that is removed after the test, with its containers."""
        pod = self.kubelet.run_pod(f"pod-{secrets.token_hex(4)}", self.handler if handler is None else handler,
                                   namespaces)
        self.addCleanup(self.kubelet.remove_pod, pod)
        return pod

    def running(self, pod, *words, **options):
        container = self.kubelet.create(pod, f"c-{secrets.token_hex(4)}", case.DEMO, words or ("sleep", "1000"), **options)
        self.kubelet.start(container)
        return container

    def shell(self, container, script):
        status, output = self.kubelet.exec(container, "sh", "-c", script)
        self.assertEqual(status, 0, output)
        return output

    def ended(self, container):
        until(lambda: self.kubelet.status(container)[0] == 2, lambda: self.kubelet.status(container))
        return self.kubelet.status(container)

    def test_it_is_this_runtime(self):
        pod = self.pod()
        container = self.running(pod)
        listed = case.run(RUNTIME, "--root", STATE, "list", "--quiet").stdout.split()
        self.assertLessEqual({pod[1], container}, set(listed))

    def test_the_default_runtime(self):
        pod = self.pod(handler="")
        self.assertIn(pod[1], case.run(RUNTIME, "--root", STATE, "list", "--quiet").stdout.split())

    def test_a_pod_s_namespaces(self):
        pod = self.pod()
        first, second = self.running(pod), self.running(pod)
        self.assertEqual(self.shell(first, "readlink /proc/self/ns/ipc"), self.shell(second, "readlink /proc/self/ns/ipc"))
        self.assertNotEqual(self.shell(first, "readlink /proc/self/ns/mnt"), self.shell(second, "readlink /proc/self/ns/mnt"))

    def test_a_pod_s_network(self):
        server, client = self.pod(cri.NAMESPACES_OF_THE_POD), self.pod(cri.NAMESPACES_OF_THE_POD)
        self.running(server, "sh", "-c", "mkdir /site; echo served > /site/page; exec httpd -f -p 8080 -h /site")
        url = f"http://{self.kubelet.address(server)}:8080/page"
        script = f"until wget -q -O - {url}; do sleep 0.2; done 2> /dev/null; hostname; readlink /proc/self/ns/net"
        seen = self.shell(self.running(client), script).split()
        self.assertEqual(seen[:2], ["served", dict(client[0])[2]])
        self.assertNotEqual(seen[2], os.readlink("/proc/self/ns/net"))
        self.assertEqual(self.shell(self.running(client), "readlink /proc/self/ns/net").strip(), seen[2])

    def test_the_end_of_a_container(self):
        pod = self.pod()
        self.assertEqual(self.ended(self.running(pod, "sh", "-c", "exit 7"))[1:], (7, "Error"))
        self.assertEqual(self.ended(self.running(pod, "true"))[1:], (0, "Completed"))
        lasting = self.running(pod)
        self.kubelet.stop(lasting)
        self.assertEqual(self.ended(lasting)[1], 137)
        self.kubelet.remove(lasting)

    def test_too_much_memory(self):
        greedy = self.running(self.pod(), "dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1",
                              resources=[(MEMORY, 16 * MIB)])
        self.assertEqual(self.ended(greedy)[1:], (137, "OOMKilled"))

    def test_a_command_that_is_not_there(self):
        pod = self.pod()
        lost = self.kubelet.create(pod, "lost", case.DEMO, ["/nosuch"])
        with self.assertRaises(grpc.RpcError) as caught:
            self.kubelet.start(lost)
        self.assertIn("/nosuch", caught.exception.details())
        self.assertEqual(self.kubelet.status(lost)[0], 2)
        status, output = self.kubelet.exec(self.running(pod), "sh", "-c", "echo seen; exit 5")
        self.assertEqual((status, output), (5, "seen\n"))

    def test_resources(self):
        container = self.running(self.pod(), resources=[(PERIOD, 100000), (QUOTA, 50000), (SHARES, 512), (MEMORY, 64 * MIB)])
        self.assertGreater(self.kubelet.memory(container), 0)
        self.assertEqual(self.limits(container), ["67108864", "50000", "512"])
        self.kubelet.update(container, [(QUOTA, 70000), (PERIOD, 100000), (MEMORY, 48 * MIB)])
        self.assertEqual(self.limits(container)[:2], ["50331648", "70000"])

    def limits(self, container):
        files = ("memory/*/memory.limit_in_bytes", "cpu/*/cpu.cfs_quota_us", "cpu/*/cpu.shares")
        return [next(CGROUPS.glob(file.replace("*", f"{self.group}/{container}"))).read_text().strip() for file in files]

    def test_security(self):
        pod = self.pod()
        drop = [(1, [(1, "NET_BIND_SERVICE"), (2, "ALL")])]
        strict = self.running(pod, security=[*drop, (5, [(1, 1000)]), (7, 1), (11, 1), (12, [(1, 33)]), (15, [(1, 0)])])
        seen = self.shell(strict, "id -u; id -g; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; "
                                  "touch /tmp/file 2>&1 || true")
        self.assertEqual(seen.split()[:8], ["1000", "33", "CapBnd:", f"{1 << 10:016x}", "NoNewPrivs:", "1", "Seccomp:", "2"])
        self.assertIn("Read-only file system", seen)
        open_one = self.running(pod, security=[(15, [(1, 1)])])
        self.assertIn("Seccomp:\t0", self.shell(open_one, "cat /proc/self/status"))

    def test_volumes_and_environment(self):
        data = self.work / "data"
        data.mkdir()
        (data / "file").write_text("from the host\n")
        container = self.running(self.pod(), more=[(5, "/tmp"), (6, [(1, "GREETING"), (2, "hello")]),
                                                   (7, [(1, "/data"), (2, str(data)), (3, 1)])])
        seen = self.shell(container, "pwd; echo $GREETING; cat /data/file; touch /data/other || echo read-only")
        self.assertEqual(seen.split("\n")[:3], ["/tmp", "hello", "from the host"])
        self.assertIn("read-only", seen)

    def test_nothing_is_left(self):
        pod = self.kubelet.run_pod("gone", self.handler, cri.NAMESPACES_OF_THE_POD)
        self.running(pod)
        self.kubelet.remove_pod(pod)
        self.assertNotIn(pod[1], case.run(RUNTIME, "--root", STATE, "list", "--quiet").stdout)
        self.assertEqual(list(CGROUPS.glob(f"*/{self.group}/{pod[1]}")), [])


if __name__ == "__main__":
    case.main()
