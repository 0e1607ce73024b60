"""dockerd with berth-runtime: what `docker run` can ask of a runtime, builds by BuildKit, and userns-remap."""

import json
import os
import pathlib
import signal
import subprocess
import unittest

from support import case, dockerd, documented
from support.waiting import until

FIRST_ID = 0x60000000  # outside of berth's own banks
CAP_NET_ADMIN = 12  # linux/capability.h
CGROUP = "/sys/fs/cgroup"

DOCKERFILE = """\
FROM {image} AS made
COPY added /srv/
RUN cat /srv/added > /srv/made && id -u >> /srv/made
RUN --mount=type=cache,target=/cache echo cached > /cache/file
RUN --mount=type=cache,target=/cache cat /cache/file >> /srv/made
RUN --mount=type=secret,id=word cat /run/secrets/word >> /srv/made
FROM {image}
COPY --from=made /srv/made /srv/made
USER demo
RUN id -un > /tmp/who
CMD ["cat", "/srv/made", "/tmp/who"]
"""


def status_of(text):
    """The lines of /proc/PID/status as a dictionary."""
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


class Options(dockerd.Dockerd, unittest.TestCase):
    def status(self, *flags):
        return status_of(self.shell("cat /proc/self/status", *flags))

    def test_capabilities(self):
        mask = 1 << CAP_NET_ADMIN
        self.assertEqual(int(self.status()["CapEff"], 16) & mask, 0)
        added = self.status("--cap-add", "NET_ADMIN")
        self.assertTrue(int(added["CapEff"], 16) & mask)
        self.assertEqual(self.status("--cap-drop", "ALL", "--cap-add", "NET_ADMIN")["CapPrm"], f"{mask:016x}")
        self.shell("ip link set lo mtu 1400", "--cap-add", "NET_ADMIN")
        self.assertNotEqual(self.run_in(self.image, "ip", "link", "set", "lo", "mtu", "1400").returncode, 0)

    def test_security_options(self):
        self.assertEqual(self.status("--security-opt", "no-new-privileges")["NoNewPrivs"], "1")
        self.assertEqual(self.status("--security-opt", "seccomp=unconfined")["Seccomp"], "0")
        profile = self.work / "profile.json"
        profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}))
        done = self.run_in("--security-opt", f"seccomp={profile}", self.image, "mkdir", "/made")
        self.assertIn("Function not implemented", done.stderr)

    def test_devices(self):
        self.assertNotEqual(self.run_in(self.image, "ls", "/dev/fuse").returncode, 0)
        script = "stat -c %t:%T /dev/other; : < /dev/other && echo read; (: > /dev/other) || echo no writing"
        self.assertEqual(self.shell(script, "--device", "/dev/fuse:/dev/other:r"), "a:e5\nread\nno writing\n")
        # A node can be made by everybody who may make nodes, and opened where a rule says so.
        script = "mknod /tmp/made c 10 229 && if (: < /tmp/made); then echo read; fi"
        self.assertEqual(self.shell(script), "")
        self.assertEqual(self.shell(script, "--device-cgroup-rule", "c 10:229 r"), "read\n")

    def test_cgroups(self):
        seen = self.shell(f"cd {CGROUP}; cat cpu/cpu.cfs_quota_us cpu/cpu.shares cpuset/cpuset.cpus "
                          "memory/memory.soft_limit_in_bytes; cat /proc/self/oom_score_adj", "--cpus", "0.5", "--cpu-shares",
                          "512", "--cpuset-cpus", "0", "--memory", "64m", "--memory-reservation", "32m", "--oom-score-adj",
                          "500")
        self.assertEqual(seen.split(), ["50000", "512", "0", "33554432", "500"])

    def test_limits_that_change(self):
        name = self.stay("--cpus", "0.5")
        self.ok("update", "--cpus", "1", "--pids-limit", "77", "--cpu-shares", "300", name)
        seen = self.ok("exec", name, "sh", "-c", f"cd {CGROUP}; cat cpu/cpu.cfs_quota_us pids/pids.max cpu/cpu.shares")
        self.assertEqual(seen.split(), ["100000", "77", "300"])

    def test_files(self):
        seen = self.shell("grep -E ' (/scratch|/dev/shm) ' /proc/mounts; touch /scratch/file; touch /file || echo read-only",
                          "--read-only", "--tmpfs", "/scratch:size=1m,noexec,mode=1777", "--shm-size", "2m")
        self.assertIn("size=1024k", seen)
        self.assertIn("size=2048k", seen)
        self.assertTrue(seen.endswith("read-only\n"), seen)
        seen = self.shell("id -G; cat /etc/hosts | grep -c one", "--group-add", "77", "--add-host", "one:127.0.0.7")
        self.assertEqual(seen.split(), ["0", "77", "1"])

    def test_propagation(self):
        host = self.work / "propagated"
        host.mkdir()
        subprocess.run(["mount", "--bind", host, host], check=True)
        subprocess.run(["mount", "--make-shared", host], check=True)
        self.addCleanup(subprocess.run, ["umount", "-R", host], check=True)
        name = self.stay("--mount", f"type=bind,source={host},target=/host,bind-propagation=rslave")
        (host / "later").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "marked", host / "later"], check=True)
        self.assertIn("marked /host/later", self.ok("exec", name, "cat", "/proc/mounts"))

    def test_namespaces_of_others(self):
        name = self.stay("--ipc=shareable")
        for kind in ("ipc", "pid"):
            mine = self.ok("exec", name, "readlink", f"/proc/self/ns/{kind}")
            self.assertEqual(self.shell(f"readlink /proc/self/ns/{kind}", f"--{kind}=container:{name}"), mine)
        for kind in ("pid", "uts", "ipc"):
            seen = self.shell(f"readlink /proc/self/ns/{kind}", f"--{kind}=host").strip()
            self.assertEqual(seen, os.readlink(f"/proc/{self.daemon.pid}/ns/{kind}"))
        self.assertEqual(self.shell("readlink /proc/self/ns/cgroup", "--cgroupns=host").strip(),
                         os.readlink("/proc/self/ns/cgroup"))

    def test_restart_policies(self):
        name = self.ok("run", "-d", "--network=none", "--restart", "on-failure:2", self.image, "sh", "-c", "echo began; exit 3")
        name = name.strip()
        self.addCleanup(self.call, "rm", "--force", name)
        until(lambda: (self.inspect(name, ".RestartCount"), self.inspect(name, ".State.Status")) == ("2", "exited"),
              lambda: self.ok("logs", name))
        self.assertEqual(self.ok("logs", name), "began\n" * 3)
        lasting = self.stay("--restart", "always")
        os.kill(int(self.inspect(lasting, ".State.Pid")), signal.SIGKILL)
        until(lambda: self.call("exec", lasting, "true").returncode == 0, lambda: self.inspect(lasting, "json .State"))
        self.assertEqual(self.inspect(lasting, ".RestartCount"), "1")

    def test_processes(self):
        name = self.stay("-u", "demo", "--init")
        self.assertIn("sleep 1000", self.ok("top", name, "-o", "pid,args"))
        self.assertEqual(self.ok("exec", name, "cat", "/proc/1/comm"), "docker-init\n")

    def test_copies_and_changes(self):
        name = self.stay()
        (self.work / "file").write_text("copied\n")
        self.ok("cp", self.work / "file", f"{name}:/var/file")
        self.assertEqual(self.ok("exec", name, "cat", "/var/file"), "copied\n")
        self.assertIn("A /var/file", self.ok("diff", name))
        self.ok("commit", name, "localhost/committed")
        self.assertEqual(self.run_in("localhost/committed", "cat", "/var/file").stdout, "copied\n")

    def test_a_limit_that_can_not_be_raised(self):
        # Higher than this kernel lets anybody go (fs.nr_open).
        most = int(pathlib.Path("/proc/sys/fs/nr_open").read_text())
        done = self.run_in("--ulimit", f"nofile=1024:{most + 1}", self.image, "true")
        self.assertEqual(done.returncode, 125, done)
        self.assertIn(f"set RLIMIT_NOFILE to 1024:{most + 1}", done.stderr)
        self.assertEqual(self.ok("ps", "-q"), "")

    def test_for_one_container(self):
        _, *words = documented.words("Docker", IMAGE=self.image)
        self.assertTrue(self.ok(words[0], "--network=none", *words[1:]).startswith("uid=0(root)"))

    def test_checkpoints_are_refused(self):
        name = self.stay()
        self.assertNotEqual(self.call("checkpoint", "create", name, "one").returncode, 0)
        self.assertEqual(self.ok("exec", name, "echo", "runs"), "runs\n")


class BuildKit(dockerd.Dockerd, unittest.TestCase):
    """dockerd's BuildKit does not ask for the daemon's runtime: it executes buildkit-runc, or else runc, of its PATH."""

    environment = {"DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}

    @classmethod
    def setUpClass(cls):
        cls.path = documented.path_with("buildkit-runc")
        super().setUpClass()

    def test_a_build(self):
        context = self.work / "context"
        context.mkdir()
        (context / "added").write_text("added\n")
        (context / "word").write_text("secret\n")
        (context / "Dockerfile").write_text(DOCKERFILE.format(image=self.image))
        self.ok("build", "--network=none", "--secret", f"id=word,src={context}/word", "-t", "localhost/built", context)
        self.assertEqual(self.run_in("localhost/built").stdout, "added\n0\ncached\nsecret\ndemo\n")

    def test_a_step_that_fails(self):
        context = self.work / "failing"
        context.mkdir()
        (context / "Dockerfile").write_text(f"FROM {self.image}\nRUN cat /proc/1/comm && exit 9\n")
        done = self.call("build", "--network=none", context)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("exit code: 9", done.stderr)


class Remapped(dockerd.Dockerd, unittest.TestCase):
    """The containers' users are others on the host (userns-remap)."""

    # Where their root may walk through: a test's work directory is closed to everybody.
    settings = {"userns-remap": "nobody:nogroup", "data-root": "/run/docker-store"}

    @classmethod
    def setUpClass(cls):
        for file in ("subuid", "subgid"):
            own = case.WORK / file
            own.write_text(f"nobody:{FIRST_ID}:65536\n")
            subprocess.run(["mount", "--bind", own, f"/etc/{file}"], check=True)
            cls.addClassCleanup(subprocess.run, ["umount", f"/etc/{file}"], check=True)
        super().setUpClass()

    def test_the_map(self):
        self.assertEqual(self.shell("cat /proc/self/uid_map").split(), ["0", str(FIRST_ID), "65536"])
        self.assertEqual(self.shell("cat /proc/self/uid_map", "--userns=host").split(), ["0", "0", "4294967295"])

    def test_files(self):
        self.assertEqual(self.shell("stat -c %u:%g /home/demo /bin; touch /made; stat -c %u /made; stat -c %u:%t:%T /dev/null"),
                         "1000:0\n0:0\n0\n0:1:3\n")
        data = self.work / "data"
        data.mkdir()
        os.chown(data, FIRST_ID, FIRST_ID)
        self.shell("touch /data/file", "-v", f"{data}:/data")
        self.assertEqual((data / "file").stat().st_uid, FIRST_ID)
        self.shell("touch /named/file", "-v", "named:/named")

    def test_further_processes(self):
        name = self.stay("--memory", "64m", "--init")
        self.assertEqual(self.ok("exec", "-u", "demo", name, "id", "-u"), "1000\n")
        self.assertEqual(self.ok("exec", name, "cat", "/proc/self/uid_map").split()[1], str(FIRST_ID))
        self.ok("stop", "-t", "0", name)
        self.ok("start", name)
        self.assertEqual(self.ok("exec", name, "id", "-u"), "0\n")

    def test_a_shared_network(self):
        name = self.stay("--cap-add", "NET_ADMIN")
        done = self.call("run", "--rm", "--network", f"container:{name}", "--cap-add", "NET_ADMIN", self.image, "ip", "link",
                         "set", "lo", "mtu", "1400")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("1400", self.ok("exec", name, "cat", "/sys/class/net/lo/mtu"))

    def test_all_privileges_want_the_host_s_users(self):
        self.assertNotEqual(self.run_in("--privileged", self.image, "true").returncode, 0)
        self.assertEqual(self.run_in("--privileged", "--userns=host", self.image, "ls", "/dev/kmsg").stdout, "/dev/kmsg\n")


if __name__ == "__main__":
    case.main()
