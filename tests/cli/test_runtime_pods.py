"""podman and buildah with berth-runtime: pods, Kubernetes' YAML, builds, and the figures of what runs."""

import json
import os
import pathlib
import pty
import select
import subprocess
import termios
import unittest

from support import case, documented, podman
from support.waiting import until

SHARED = ("net", "ipc", "uts")
CGROUPS = pathlib.Path("/sys/fs/cgroup")

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: kube
spec:
  hostname: kubehost
  restartPolicy: Never
  volumes:
  - name: site
    emptyDir: {{}}
  containers:
  - name: server
    image: {image}
    imagePullPolicy: Never
    command: ["sh", "-c", "echo served > /site/page && exec httpd -f -p 8080 -h /site"]
    volumeMounts: [{{name: site, mountPath: /site}}]
    resources: {{limits: {{memory: 64Mi, cpu: "0.5"}}}}
    securityContext:
      readOnlyRootFilesystem: true
      allowPrivilegeEscalation: false
      capabilities: {{drop: [ALL]}}
  - name: client
    image: {image}
    imagePullPolicy: Never
    env: [{{name: GREETING, value: hello}}]
    securityContext: {{runAsUser: 1000, runAsGroup: 33}}
    command: ["sh", "-c", "until wget -q -O - http://localhost:8080/page; do sleep 0.2; done;
              echo $GREETING $(id -u) $(id -g) $(hostname); exec sleep 1000"]
"""

# Its first argument is a file of the host's.
HOOK = """\
bundle=$(tr -d '\\n' | sed 's/.*"bundle": *"//;s/".*//')
root=$(sed 's/.*"root": *{[^}]*"path": *"//;s/".*//' $bundle/config.json)
ln -s library $root/var/libone.so && : > $root/var/library && mount --bind $0 $root/var/library
"""

CONTAINERFILE = """\
FROM {image}
COPY added /srv/
RUN cat /srv/added > /srv/made && id -u >> /srv/made
RUN --mount=type=tmpfs,target=/scratch grep -c " /scratch tmpfs" /proc/mounts >> /srv/made
USER demo
RUN id -un > /tmp/who
CMD ["cat", "/srv/made", "/tmp/who"]
"""


class Pods(podman.Podman, unittest.TestCase):
    def pod(self, *flags):
        """A pod without a network of its own; its name."""
        name = self.id().rsplit("_", 1)[-1]
        # The image of its first container is made by podman from Debian's catatonit: nothing is pulled.
        self.ok("pod", "create", "--network=none", "--name", name, *flags)
        self.addCleanup(self.call, "pod", "rm", "--force", "--time", "0", name)
        return name

    def namespaces(self, *words):
        found = self.ok(*words, "sh", "-c", "for one in net ipc uts pid mnt; do readlink /proc/self/ns/$one; done")
        return dict(zip(("net", "ipc", "uts", "pid", "mnt"), found.split(), strict=True))

    def test_containers_share_namespaces(self):
        name = self.pod("--hostname", "podded")
        self.ok("run", "-d", "--pod", name, "--name", "first", self.image, "sleep", "1000")
        first = self.namespaces("exec", "first")
        second = self.namespaces("run", "--rm", "--pod", name, self.image)
        self.assertEqual([first[one] for one in SHARED], [second[one] for one in SHARED])
        self.assertNotEqual(first["net"], os.readlink("/proc/self/ns/net"))
        self.assertNotEqual((first["pid"], first["mnt"]), (second["pid"], second["mnt"]))
        self.assertEqual(self.ok("exec", "first", "hostname"), "podded\n")

    def test_a_shared_pid_namespace(self):
        name = self.pod("--share", "net,pid")
        self.ok("run", "-d", "--pod", name, "--name", "asleep", self.image, "sleep", "1234")
        seen = self.ok("run", "--rm", "--pod", name, self.image, "ps", "-o", "pid,args")
        self.assertIn("sleep 1234", seen)
        self.assertIn("catatonit", seen, "the first container is the first process")
        self.ok("stop", "--time", "0", "asleep")
        self.assertEqual(self.ok("pod", "inspect", name, "--format", "{{.State}}").strip(), "Degraded")

    def test_the_life_of_a_pod(self):
        name = self.pod()
        self.ok("create", "--pod", name, "--name", "member", self.image, "sleep", "1000")
        self.ok("pod", "start", name)
        self.assertEqual(self.ok("pod", "ps", "--format", "{{.Status}}", "--filter", f"name={name}").strip(), "Running")
        self.ok("pod", "pause", name)
        self.assertEqual(self.ok("inspect", "member", "--format", "{{.State.Status}}").strip(), "paused")
        self.ok("pod", "unpause", name)
        self.assertIn("sleep 1000", self.ok("pod", "top", name))
        self.ok("pod", "stop", "--time", "0", name)
        self.ok("pod", "restart", name)
        self.assertEqual(self.ok("exec", "member", "echo", "in"), "in\n")
        path = self.ok("pod", "inspect", name, "--format", "{{.CgroupPath}}").strip()
        self.ok("pod", "rm", "--force", "--time", "0", name)
        self.assertEqual(self.ok("ps", "-aq", "--filter", f"pod={name}"), "")
        self.assertEqual([found for found in CGROUPS.glob(f"*{path}") if list(found.glob("*/"))], [])

    def test_users_of_its_own(self):
        name = self.pod("--userns=auto:size=4096")
        maps = {self.ok("run", "--rm", "--pod", name, self.image, "cat", "/proc/self/uid_map") for _ in range(2)}
        self.assertEqual(len(maps), 1, "containers of a pod share its map")
        first, outside, size = map(int, maps.pop().split())
        self.assertEqual((first, size), (0, 4096))
        self.assertGreaterEqual(outside, podman.FIRST_SUBORDINATE)
        # A user namespace that was joined owns the network: its root may set it up.
        self.ok("run", "--rm", "--pod", name, "--cap-add", "NET_ADMIN", self.image, "ip", "link", "set", "lo", "mtu", "1400")

    def test_kube(self):
        path = self.work / "pod.yaml"
        path.write_text(POD.format(image=self.image))
        self.ok("play", "kube", "--network=none", path)
        try:
            until(lambda: "kubehost" in self.ok("logs", "kube-client"), lambda: self.ok("logs", "kube-client"))
            self.assertEqual(self.ok("logs", "kube-client"), "served\nhello 1000 33 kubehost\n")
            self.assertEqual(self.ok("inspect", "kube-server", "--format", "{{.HostConfig.Memory}}").strip(), "67108864")
            limits = self.ok("exec", "kube-server", "sh", "-c", "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes "
                                                               "cpu/cpu.cfs_quota_us; grep -E 'CapBnd|NoNew' /proc/self/status")
            self.assertEqual(limits.split(), ["67108864", "50000", "CapBnd:", "0" * 16, "NoNewPrivs:", "1"])
            self.assertNotEqual(self.call("exec", "kube-server", "touch", "/file").returncode, 0)
        finally:
            self.ok("play", "kube", "--down", path)
        self.assertEqual(self.ok("ps", "-aq") + self.ok("pod", "ps", "-q"), "")


class Containers(podman.Podman, unittest.TestCase):
    def stay(self, *flags, command=("sleep", "1000")):
        name = self.ok("run", "-d", "--network=none", *flags, self.image, *command).strip()
        self.addCleanup(self.call, "rm", "--force", "--time", "0", name)
        return name

    def test_figures(self):
        name = self.stay("--memory", "64m")
        line = json.loads(self.ok("stats", "--no-stream", "--no-reset", "--format", "json", name))[0]
        self.assertEqual(line["pids"], "1")
        self.assertTrue(line["mem_usage"].endswith("/ 67.11MB"), line)
        self.assertNotEqual(line["mem_usage"].split()[0], "0B")

    def test_processes(self):
        name = self.stay("-u", "1000")
        self.assertEqual(self.ok("top", name, "user", "pid", "args").splitlines()[1].split(), ["demo", "1", "sleep", "1000"])
        self.assertIn("sleep 1000", self.ok("top", name, "-ef"))

    def test_a_terminal_of_exec(self):
        name = self.stay()
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(ours, (40, 100))
        try:
            with subprocess.Popen([*self.client, "exec", "-it", name, "sh"], env=self.env, stdin=theirs, stdout=theirs,
                                  stderr=theirs, start_new_session=True) as running:
                os.write(ours, b"tty; stty size; exit 5\n")
                self.assertEqual(running.wait(30), 5)
            shown = self.read(ours)
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertIn("/dev/pts/", shown)
        self.assertIn("40 100", shown)

    @staticmethod
    def read(terminal):
        shown = b""
        while select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 4096)
        return shown.decode()

    def test_health(self):
        name = self.stay("--health-cmd", "test -e /healthy", "--health-interval=disable", "--health-retries=1")
        self.assertNotEqual(self.call("healthcheck", "run", name).returncode, 0)
        self.assertEqual(self.ok("inspect", name, "--format", "{{.State.Health.Status}}").strip(), "unhealthy")
        self.ok("exec", name, "touch", "/healthy")
        self.ok("healthcheck", "run", name)
        self.assertEqual(self.ok("inspect", name, "--format", "{{.State.Health.Status}}").strip(), "healthy")

    def test_restarts(self):
        name = self.stay("--restart", "on-failure:2", command=("sh", "-c", "echo began; exit 3"))
        until(lambda: self.ok("logs", name).count("began") == 3, lambda: self.ok("logs", name))
        self.assertEqual(self.ok("wait", name).strip(), "3")

    def test_an_init(self):
        self.assertEqual(self.shell("readlink /proc/1/exe", "--init"), "/run/podman-init\n")

    def test_limits_that_change(self):
        name = self.stay("--memory", "64m")
        self.ok("update", "--memory", "48m", "--cpus", "0.5", name)
        seen = self.ok("exec", name, "sh", "-c", "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us")
        self.assertEqual(seen.split(), ["50331648", "50000"])

    def test_volumes_that_are_mapped(self):
        data = self.work / "mapped"
        data.mkdir()
        (data / "hosts").write_text("host\n")
        os.chown(data / "hosts", 1000, 33)
        seen = self.shell("stat -c %u:%g /data/hosts; touch /data/made", "--userns=auto", "-v", f"{data}:/data:idmap")
        self.assertEqual(seen, "1000:33\n")
        self.assertEqual(((data / "made").stat().st_uid, (data / "made").stat().st_gid), (0, 0))

    def test_for_one_command(self):
        words = documented.words("podman", IMAGE=self.image)
        self.assertEqual(case.run(words[0], "--log-level=debug", *words[1:], env=self.env).status, 0)

    def test_hooks(self):
        """As those for devices do: a link in the root file system, and the host's files mounted there."""
        hooks = self.work / "hooks.d"
        hooks.mkdir()
        (self.work / "library").write_text("library\n")
        os.chmod(case.WORK, 0o711)  # the hook is the container's root
        self.addCleanup(os.chmod, case.WORK, 0o700)
        (hooks / "device.json").write_text(json.dumps({
            "version": "1.0.0", "when": {"always": True}, "stages": ["createContainer"],
            "hook": {"path": "/bin/sh", "args": ["sh", "-c", HOOK, str(self.work / "library")],
                     "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}}))
        for flags in ((), ("--read-only",), ("--userns=auto",), ("--userns=auto", "--read-only")):
            done = self.call("--hooks-dir", hooks, "run", "--rm", "--network=none", *flags, self.image, "sh", "-c",
                             "readlink /var/libone.so; cat /var/library; touch /var/file && echo writable")
            self.assertEqual(done.stdout, "library\nlibrary\n" + ("" if "--read-only" in flags else "writable\n"), done)

    def test_checkpoints_are_refused(self):
        name = self.stay()
        done = self.call("container", "checkpoint", name)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "(?i)criu|checkpoint")
        self.assertEqual(self.ok("exec", name, "echo", "runs"), "runs\n")

    def test_a_limit_that_can_not_be_raised(self):
        # The hard limit of podman is lowered, and the capability to raise it taken.
        words = [*self.client, "run", "--rm", "--network=none", "--ulimit", "nofile=4096:4096",
                 "--ulimit", "nproc=1024:1024", self.image, "true"]
        script = 'ulimit -Sn 2048; ulimit -Hn 2048; exec "$@"'
        done = subprocess.run(["capsh", "--drop=cap_sys_resource", "--", "-c", script, "sh", *words], env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 126, done)
        self.assertIn("set RLIMIT_NOFILE to 4096:4096 (raising a hard limit needs CAP_SYS_RESOURCE", done.stderr)


class Builds(podman.Podman, unittest.TestCase):
    def context(self):
        path = self.work / self.id().rsplit(".", 1)[-1]
        path.mkdir()
        (path / "added").write_text("added\n")
        (path / "Containerfile").write_text(CONTAINERFILE.format(image=self.image))
        return path

    def buildah(self, *words):
        done = case.run("buildah", *words, env=self.env, timeout=60)
        self.assertEqual(done.status, 0, done)
        return done

    def test_podman_build(self):
        self.ok("build", "-q", "--network=none", "-t", "localhost/built", self.context())
        self.assertEqual(self.run_in("localhost/built").stdout, "added\n0\n1\ndemo\n")

    def test_a_step_that_fails(self):
        path = self.context()
        (path / "Containerfile").write_text(f"FROM {self.image}\nRUN exit 9\n")
        done = self.call("build", "-q", "--network=none", path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("exit status 9", done.stderr)

    def test_buildah_build(self):
        _, *words, _ = documented.words("buildah")
        self.buildah(*words, "--network=none", "-t", "localhost/bah", self.context())
        self.assertEqual(self.run_in("localhost/bah").stdout, "added\n0\n1\ndemo\n")

    def test_buildah_by_hand(self):
        name = self.buildah("from", "--pull-never", self.image).stdout.strip()
        run = ("run", "--runtime", podman.RUNTIME, "--isolation=oci")
        self.assertEqual(self.buildah(*run, "--user", "demo", name, "id", "-un").stdout, "demo\n")
        status = self.buildah(*run, name, "cat", "/proc/self/status").stdout
        self.assertIn("Seccomp:\t2", status)
        self.buildah(*run, "-v", f"{self.work}:/host:ro", name, "sh", "-c", "ls /host > /var/listed; ! touch /host/file")
        self.buildah("config", "--cmd", "cat /var/listed", name)
        self.buildah("commit", "--rm", name, "localhost/by-hand")
        self.assertIn("containers.conf", self.run_in("localhost/by-hand").stdout)

    def test_buildah_from_scratch(self):
        name = self.buildah("from", "scratch").stdout.strip()
        self.buildah("copy", name, "/bin/busybox", "/busybox")
        run = ("run", "--runtime", podman.RUNTIME, "--isolation=oci", name)
        self.assertEqual(self.buildah(*run, "/busybox", "echo", "from scratch").stdout, "from scratch\n")
        done = case.run("buildah", *run, "/nosuch", env=self.env)
        self.assertNotEqual(done.status, 0)
        self.assertIn("/nosuch", done.stderr)
        self.buildah("rm", name)

    def test_users_of_its_own(self):
        self.buildah("build", "--runtime", podman.RUNTIME, "--isolation=oci", "--network=none", "--userns-uid-map",
                     f"0:{podman.FIRST_SUBORDINATE}:65536", "--userns-gid-map", f"0:{podman.FIRST_SUBORDINATE}:65536", "-t",
                     "localhost/mapped", self.context())
        self.assertEqual(self.run_in("localhost/mapped").stdout, "added\n0\n1\ndemo\n")


if __name__ == "__main__":
    case.main()
