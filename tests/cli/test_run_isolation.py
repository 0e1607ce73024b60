"""berth run: what keeps a container apart, and the flags that change it."""

import json
import os
import pathlib

from support.case import DEMO, BerthCase, main

CAP_CHOWN, CAP_NET_RAW, CAP_SYS_ADMIN, CAP_NET_ADMIN = 0, 13, 21, 12


class Isolation(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def sh(self, script, *flags):
        return self.ok("run", "--rm", *flags, DEMO, "sh", "-c", script)

    def status(self, *flags):
        """/proc/self/status of the process as a dictionary."""
        text = self.ok("run", "--rm", *flags, DEMO, "cat", "/proc/self/status")
        return {key: value.strip() for key, value in (line.split(":", 1) for line in text.splitlines())}

    def capabilities(self, *flags, of="CapEff"):
        return int(self.status(*flags)[of], 16)

    def refused(self, *flags, saying):
        return self.fails(125, "run", "--rm", *flags, DEMO, "true", saying=saying)


class Namespaces(Isolation):
    KINDS = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")

    def inside(self, *flags):
        script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in self.KINDS)
        return dict(zip(self.KINDS, self.sh(script, *flags).split()))

    def test_every_namespace_is_the_container_s_own(self):
        inside = self.inside()
        for kind in self.KINDS:
            self.assertNotEqual(inside[kind], os.readlink(f"/proc/self/ns/{kind}"))

    def test_network_none_has_loopback_only(self):
        for flags in ((), ("--network", "none")):
            self.assertEqual(self.sh("ls /sys/class/net", *flags), "lo\n")
            self.assertIn("UP", self.sh("ip link show lo", *flags))

    def test_network_host(self):
        self.assertEqual(self.inside("--network", "host")["net"], os.readlink("/proc/self/ns/net"))
        self.assertEqual(self.sh("ls /sys/class/net", "--network", "host").split(), sorted(os.listdir("/sys/class/net")))
        done = self.berth("run", "--rm", "--network", "host", DEMO, "ip", "link", "set", "lo", "down")
        self.assertNotEqual(done.status, 0, "the host's network is not the container's to change")

    def test_userns_host(self):
        self.assertEqual(self.inside("--userns", "host")["user"], os.readlink("/proc/self/ns/user"))
        self.assertEqual(self.sh("id -u; cat /proc/self/uid_map", "--userns", "host").split(), ["0", "0", "0", "4294967295"])
        self.assertEqual(self.sh("echo x > /f; stat -c %u /f", "--userns", "host", "-u", "0"), "0\n")

    def test_networks_and_user_namespaces_that_are_none_are_refused(self):
        self.refused("--network", "nosuch", saying=["there is no network \"nosuch\"", "network create"])
        self.refused("--network", "a/b", saying=["a/b"])
        self.refused("--network", "none:ip=10.0.0.1", saying=["none has no options"])
        self.refused("--userns", "sideways", saying=["--userns sideways"])


class Capabilities(Isolation):
    def test_add_and_drop(self):
        default = self.capabilities()
        self.assertTrue(default & 1 << CAP_CHOWN)
        self.assertFalse(default & 1 << CAP_SYS_ADMIN)
        self.assertEqual(self.capabilities("--cap-add", "NET_ADMIN"), default | 1 << CAP_NET_ADMIN)
        self.assertEqual(self.capabilities("--cap-add", "cap_net_admin"), default | 1 << CAP_NET_ADMIN)
        self.assertEqual(self.capabilities("--cap-drop", "CHOWN"), default & ~(1 << CAP_CHOWN))
        self.assertEqual(self.capabilities("--cap-drop", "ALL"), 0)
        self.assertEqual(self.capabilities("--cap-drop", "all", "--cap-add", "CHOWN", of="CapBnd"), 1 << CAP_CHOWN)
        self.refused("--cap-add", "CHOWNN", saying="CHOWNN")

    def test_a_user_other_than_root_has_none(self):
        self.assertEqual(self.capabilities("-u", "1000"), 0)
        self.assertEqual(self.capabilities("-u", "1000", of="CapBnd"), self.capabilities(of="CapBnd"))

    def test_dropping_is_for_good(self):
        done = self.berth("run", "--rm", "--cap-drop", "CHOWN", DEMO, "chown", "1000", "/etc/passwd")
        self.assertIn("Operation not permitted", done.stderr)

    def test_privileged(self):
        last = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())
        own = int(pathlib.Path("/proc/self/status").read_text().split("CapBnd:")[1].split()[0], 16)
        inside = self.status("--privileged")
        self.assertEqual(int(inside["CapEff"], 16), ((1 << last + 1) - 1) & (own | int(inside["CapEff"], 16)))
        self.assertEqual(inside["Seccomp"], "0")
        self.sh("mount -t tmpfs none /mnt 2>/dev/null || { mkdir -p /mnt && mount -t tmpfs none /mnt; }", "--privileged")
        # It is root of its bank all the same.
        self.assertNotIn(" 0 4294967295", self.sh("cat /proc/self/uid_map", "--privileged"))


class Security(Isolation):
    def test_no_new_privileges(self):
        self.assertEqual(self.status()["NoNewPrivs"], "0")
        for option in ("no-new-privileges", "no-new-privileges=true", "no-new-privileges:true"):
            self.assertEqual(self.status("--security-opt", option)["NoNewPrivs"], "1")

    def test_the_default_filter(self):
        status = self.status()
        self.assertEqual((status["Seccomp"], status["Seccomp_filters"]), ("2", "1"))
        done = self.berth("run", "--rm", "--cap-add", "ALL", "--security-opt", "seccomp=unconfined", DEMO, "unshare", "-m", "true")
        self.assertEqual(done.status, 0, done)
        self.assertNotEqual(self.berth("run", "--rm", DEMO, "unshare", "-m", "true").status, 0)

    def test_unconfined(self):
        for option in ("seccomp=unconfined", "unconfined"):
            self.assertEqual(self.status("--security-opt", option)["Seccomp"], "0")

    def test_a_profile_of_one_s_own(self):
        profile = self.work / "profile.json"
        profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}))
        done = self.berth("run", "--rm", "--security-opt", f"seccomp={profile}", DEMO, "mkdir", "/x")
        self.assertIn("supported", done.stderr)
        self.assertEqual(done.status, 1)
        profile.write_text("{")
        self.refused("--security-opt", f"seccomp={profile}", saying="seccomp")
        self.refused("--security-opt", f"seccomp={self.work}/absent", saying=["absent", "ENOENT"])

    def test_unknown_options(self):
        self.refused("--security-opt", "colour=red", saying=["colour=red", "no-new-privileges"])


class Devices(Isolation):
    def test_a_device_under_its_own_or_another_name(self):
        host = "/dev/fuse" if pathlib.Path("/dev/fuse").exists() else "/dev/null"
        number = os.stat(host).st_rdev
        numbers = f"{os.major(number):x}:{os.minor(number):x}"
        self.assertEqual(self.sh("stat -c '%t:%T %u:%g' /dev/tool/other", "--device", f"{host}:/dev/tool/other"),
                         f"{numbers} 0:0\n")
        self.assertEqual(self.sh(f"stat -c '%t:%T' {host}", "--device", host), f"{numbers}\n")
        self.assertEqual(self.sh("echo x > /dev/second", "--device", "/dev/null:/dev/second:rw"), "")

    def test_mistakes(self):
        self.refused("--device", "/dev/absent", saying=["/dev/absent", "ENOENT"])
        self.refused("--device", "/etc/passwd", saying=["/etc/passwd"])
        self.refused("--device", "null", saying="--device null")
        self.refused("--device", "/dev/null:/etc/null", saying="below /dev")

    def test_a_container_can_make_no_device(self):
        done = self.berth("run", "--rm", DEMO, "mknod", "/tmp/kmsg", "c", "1", "11")
        self.assertNotEqual(done.status, 0)


class Limits(Isolation):
    def test_ulimit(self):
        self.assertEqual(self.sh("ulimit -Sn; ulimit -Hn", "--ulimit", "nofile=100:200"), "100\n200\n")
        self.assertEqual(self.sh("ulimit -Sc; ulimit -Hc", "--ulimit", "core=0"), "0\n0\n")
        self.refused("--ulimit", "nofile=200:100", saying="--ulimit nofile=200:100")
        self.refused("--ulimit", "colours=1", saying="colours")
        self.refused("--ulimit", "nofile=many", saying="NAME=SOFT[:HARD]")

    def test_sysctl(self):
        self.assertEqual(self.sh("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax", "--sysctl",
                                 "net.ipv4.ip_forward=1", "--sysctl", "kernel.msgmax=4096"), "1\n4096\n")
        before = pathlib.Path("/proc/sys/net/ipv4/ip_forward").read_text()
        self.sh("true", "--sysctl", f"net.ipv4.ip_forward={1 - int(before)}")
        self.assertEqual(pathlib.Path("/proc/sys/net/ipv4/ip_forward").read_text(), before)

    def test_the_host_s_sysctls_are_refused(self):
        for name in ("kernel.core_pattern", "vm.overcommit_memory", "fs.file-max", "kernel.panic"):
            self.refused("--sysctl", f"{name}=1", saying=[name, "whole host"])
        self.refused("--network", "host", "--sysctl", "net.ipv4.ip_forward=1", saying=["net.ipv4.ip_forward", "host"])
        # CVE-2022-0811: nothing in a value ends it and begins another setting.
        self.refused("--sysctl", "kernel.shm_rmid_forced=1+kernel.core_pattern=|/evil", saying="kernel")
        for name in ("net/../kernel/core_pattern", "net..x", "/net/x", ""):
            self.refused("--sysctl", f"{name}=1", saying="--sysctl")

    def test_a_sysctl_that_does_not_exist(self):
        self.refused("--sysctl", "net.no.such=1", saying=["net", "no", "such", "ENOENT"])


class Inspected(Isolation):
    def test_what_was_asked_for_can_be_seen(self):
        self.ok("create", "--name", "job", "--label", "team=blue", "-l", "bare", "--annotation", "note=a=b",
                "--stop-signal", "SIGUSR1", "--cap-add", "NET_ADMIN", "--cap-drop", "CHOWN", "-u", "33", "-e", "A=b",
                "--hostname", "box", "--read-only", "--network", "host", "--sysctl", "kernel.msgmax=4096",
                "--ulimit", "nofile=5:6", "--shm-size", "1m", "-w", "/tmp", "--group-add", "4", "-v", "data:/d:ro",
                "--tmpfs", "/t", DEMO, "sleep", "5")
        shown, = json.loads(self.ok("inspect", "job"))
        config, host = shown["Config"], shown["HostConfig"]
        self.assertEqual(config["Labels"], {"team": "blue", "bare": ""})
        self.assertEqual(config["Annotations"], {"note": "a=b"})
        self.assertEqual(config["StopSignal"], "SIGUSR1")
        self.assertEqual((config["User"], config["Hostname"], config["WorkingDir"]), ("33", "box", "/tmp"))
        self.assertIn("A=b", config["Env"])
        self.assertEqual((shown["Path"], shown["Args"], config["Cmd"]), ("sleep", ["5"], ["sleep", "5"]))
        self.assertEqual((host["NetworkMode"], host["ReadonlyRootfs"], host["ShmSize"]), ("host", True, 1 << 20))
        self.assertEqual(host["Sysctls"], {"kernel.msgmax": "4096"})
        self.assertEqual(host["Ulimits"], [{"Name": "nofile", "Soft": 5, "Hard": 6}])
        self.assertEqual(host["GroupAdd"], ["4"])
        self.assertEqual(len(host["CapAdd"]), 1)
        self.assertEqual(shown["Mounts"][0]["Name"], "data")
        self.assertEqual((shown["Mounts"][0]["Destination"], shown["Mounts"][0]["RW"]), ("/d", False))
        self.assertRegex(host["IDMappings"]["UidMap"][0], r"^0:\d+:65536$")

    def test_a_bad_stop_signal(self):
        self.refused("--stop-signal", "SIGNONE", saying=["--stop-signal", "SIGNONE"])


if __name__ == "__main__":
    main()
