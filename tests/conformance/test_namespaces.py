"""config-linux.md, Namespaces: new, inherited and joined ones."""

import os
import pathlib
import subprocess
import time

from support.oci_runtime import MUST, PRACTICE, RuntimeCase, expand, family, requirement, main

NAMESPACES = "config-linux.md, Namespaces"
FILES = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt", "cgroup": "cgroup"}
# A container without a mount namespace of its own has no root of its own either.
JOINABLE = [name for name in FILES if name != "mount"]


def own(name):
    return os.stat(f"/proc/self/ns/{FILES[name]}").st_ino


@expand
class Namespaces(RuntimeCase):
    @family({name: (NAMESPACES, MUST, f"an entry without a path makes a new {name} namespace", name) for name in FILES})
    def _new(self, name):
        one, two = (self.container().probe()["namespaces"][FILES[name]] for _ in range(2))
        self.assertNotEqual(one, own(name))
        if name in ("network", "mount"):  # numbers of others may be given out again at once
            first = self.container().sleeping()
            second = self.container().probe()["namespaces"][FILES[name]]
            self.assertNotEqual(os.stat(f"/proc/{first.pid}/ns/{FILES[name]}").st_ino, second)

    @family({name: (NAMESPACES, MUST, f"without an entry, the {name} namespace is the runtime's", name)
             for name in JOINABLE})
    def _inherited(self, name):
        container = self.container()
        container.bundle.without_namespace(name)
        if name == "network":  # a new sysfs needs a network namespace that is owned
            container.config["mounts"] = [one for one in container.config["mounts"] if one["type"] != "sysfs"]
        self.assertEqual(container.probe()["namespaces"][FILES[name]], own(name))

    @family({name: (NAMESPACES, MUST, f"an entry with a path joins that {name} namespace", name) for name in JOINABLE})
    def _joined(self, name):
        other = self.container().sleeping()
        path = f"/proc/{other.pid}/ns/{FILES[name]}"
        container = self.container()
        container.bundle.namespace(name, path=path)
        if name == "uts":
            del container.config["hostname"]
        self.assertEqual(container.probe()["namespaces"][FILES[name]], os.stat(path).st_ino)

    @requirement(NAMESPACES, MUST, "a path may be a file that the namespace is mounted on")
    def test_joined_bind_mount(self):
        other = self.container().sleeping()
        file = self.work / "netns"
        file.touch()
        subprocess.run(["mount", "--bind", f"/proc/{other.pid}/ns/net", file], check=True)
        container = self.container()
        container.bundle.namespace("network", path=str(file))
        self.assertEqual(container.probe()["namespaces"]["net"], os.stat(file).st_ino)

    @family({name: (NAMESPACES, MUST, f"a path of another kind is an error: {name}", name) for name in JOINABLE})
    def _wrong_kind(self, name):
        other = self.container().sleeping()
        wrong = "ipc" if name != "ipc" else "uts"
        container = self.container()
        container.bundle.namespace(name, path=f"/proc/{other.pid}/ns/{wrong}")
        container.refused()

    @requirement(NAMESPACES, MUST, "a path that is no namespace is an error: a file, nothing")
    def test_no_namespace(self):
        for path in ("/etc/passwd", "/no/such/file"):
            container = self.container()
            container.bundle.namespace("network", path=path)
            container.refused()

    @requirement(NAMESPACES, MUST, "a relative path is an error")
    def test_path_relative(self):
        other = self.container().sleeping()
        container = self.container()
        (container.directory / "ns").symlink_to(f"/proc/{other.pid}/ns/net")
        container.bundle.namespace("network", path="ns")
        container.bundle.write()
        self.error(container.run(cwd=container.directory))

    @requirement(NAMESPACES, MUST, "two entries of one kind are an error")
    def test_twice(self):
        container = self.container()
        container.bundle.linux["namespaces"].append({"type": "pid"})
        container.refused()

    @requirement("config.md, Valid values", MUST, "a kind that does not exist is an error")
    def test_unknown(self):
        container = self.container()
        container.bundle.linux["namespaces"].append({"type": "nosuch"})
        container.refused()

    @requirement(NAMESPACES, MUST, "in a new pid namespace the process is the first, and sees no other")
    def test_pid_alone(self):
        container = self.container()
        self.assertEqual(self.ok(container.shell("echo $$; ls /proc | grep -c '^[0-9]'")).stdout.split()[0], "1")
        self.assertLessEqual(int(container.stdout.read_text().split()[1]), 3)

    @requirement(NAMESPACES, MUST, "a new network namespace has nothing but loopback")
    def test_network_alone(self):
        done = self.container().shell("ls /sys/class/net")
        self.assertEqual(set(self.ok(done).stdout.split()) - {"lo"}, set())

    @requirement(NAMESPACES, MUST, "mounts that the container makes are not seen outside")
    def test_mount_alone(self):
        container = self.container()
        container.bundle.add_capabilities("CAP_SYS_ADMIN")
        container.bundle.process["args"] = ["/bin/sh", "-c", "mount -t tmpfs inner /data; touch /data/done; sleep 1000"]
        container.started()
        time.sleep(0.1)
        self.assertNotIn("inner", pathlib.Path("/proc/self/mountinfo").read_text())
        self.assertFalse((container.rootfs / "data/done").exists())

    @requirement(NAMESPACES, MUST, "in a new cgroup namespace the container's cgroup is the root")
    def test_cgroup_root(self):
        lines = self.container().probe()["cgroup"]
        # A name= hierarchy or one that the runtime does not use may show a path above.
        used = [line for line in lines if line.split(":")[1] in ("memory", "pids", "cpu", "devices", "")]
        self.assertTrue(used)
        self.assertEqual({line.split(":", 2)[2] for line in used if line.split(":")[1]} or {"/"}, {"/"})


class Names(RuntimeCase):
    @requirement("config.md, Hostname", MUST, "hostname is what processes inside see")
    def test_hostname(self):
        container = self.container()
        container.config["hostname"] = "mrs-dalloway"
        self.assertEqual(container.probe()["system"]["hostname"], "mrs-dalloway")

    @requirement("config.md, Hostname", MUST, "the host's name stays as it is")
    def test_hostname_of_host(self):
        before = os.uname().nodename
        container = self.container()
        container.config["hostname"] = "another"
        container.sleeping()
        self.assertEqual(os.uname().nodename, before)

    @requirement("config.md, Domainname", MUST, "domainname is what processes inside see")
    def test_domainname(self):
        container = self.container()
        container.config["domainname"] = "example.test"
        self.assertEqual(container.probe()["system"]["domainname"], "example.test")

    @requirement("command line", PRACTICE, "a hostname without a UTS namespace of the container's own is an error")
    def test_hostname_without_namespace(self):
        container = self.container()
        container.bundle.without_namespace("uts")
        container.config["hostname"] = "mrs-dalloway"
        container.refused()
        self.assertNotEqual(os.uname().nodename, "mrs-dalloway")

    @requirement("config.md, Valid values", MUST, "a hostname that is too long is an error")
    def test_hostname_too_long(self):
        container = self.container()
        container.config["hostname"] = "x" * 65
        container.refused()


if __name__ == "__main__":
    main()
