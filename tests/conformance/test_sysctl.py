"""config-linux.md, Sysctl."""

import pathlib

from support.oci_runtime import MUST, PRACTICE, RuntimeCase, expand, family, requirement, main

SYSCTL = "config-linux.md, Sysctl"
SETTINGS = {"net.ipv4.ip_forward": "1", "net.core.somaxconn": "256", "kernel.shm_rmid_forced": "1",
            "kernel.msgmax": "9000", "fs.mqueue.msg_max": "20", "kernel.sem": "250 32000 100 128",
            "net.ipv4.ping_group_range": "0 5"}


def of_host(name):
    return pathlib.Path("/proc/sys", name.replace(".", "/")).read_text()


@expand
class Sysctl(RuntimeCase):
    def setting(self, **settings):
        container = self.container()
        container.bundle.linux["sysctl"] = settings
        return container

    @family({name.replace(".", "_"): (SYSCTL, MUST, f"{name} is set in the container, and not on the host", name)
             for name in SETTINGS})
    def _set(self, name):
        before = of_host(name)
        report = self.setting(**{name: SETTINGS[name]}).probe("--sysctl", name)
        self.assertEqual(report["files"][name].split(), SETTINGS[name].split())
        self.assertEqual(of_host(name), before)

    @requirement(SYSCTL, MUST, "several are set together")
    def test_several(self):
        wanted = {"net.core.somaxconn": "300", "kernel.msgmax": "8000"}
        report = self.setting(**wanted).probe(*[word for name in wanted for word in ("--sysctl", name)])
        self.assertEqual(report["files"], wanted)

    @requirement(SYSCTL, MUST, "also in a container with a user namespace")
    def test_user_namespace(self):
        container = self.setting(**{"net.core.somaxconn": "300"})
        container.bundle.user_namespace((0, 0x60000000, 65536))
        container.bundle.give_to(0x60000000, 0x60000000)
        self.assertEqual(container.probe("--sysctl", "net.core.somaxconn")["files"]["net.core.somaxconn"], "300")

    @requirement(SYSCTL, MUST, "a name with slashes means the same")
    def test_slashes(self):
        report = self.setting(**{"net/core/somaxconn": "300"}).probe("--sysctl", "net.core.somaxconn")
        self.assertEqual(report["files"]["net.core.somaxconn"], "300")

    @requirement("config.md, Valid values", MUST, "a setting that does not exist is an error")
    def test_unknown(self):
        self.setting(**{"net.nosuch.setting": "1"}).refused()

    @requirement("config.md, Valid values", MUST, "a value that the kernel refuses is an error")
    def test_invalid_value(self):
        self.setting(**{"net.core.somaxconn": "many"}).refused()

    @requirement("command line", PRACTICE, "a setting that is the host's own is an error")
    def test_of_host(self):
        before = of_host("vm.swappiness")
        self.setting(**{"vm.swappiness": "33"}).refused()
        self.assertEqual(of_host("vm.swappiness"), before)

    @requirement("command line", PRACTICE, "a setting of a namespace that is not the container's own is an error")
    def test_without_namespace(self):
        before = of_host("net.core.somaxconn")
        container = self.setting(**{"net.core.somaxconn": "301"})
        container.bundle.without_namespace("network")
        container.config["mounts"] = [one for one in container.config["mounts"] if one["type"] != "sysfs"]
        container.refused()
        self.assertEqual(of_host("net.core.somaxconn"), before)

    @requirement("config.md, Valid values", MUST, "a name that leads out of /proc/sys writes nothing there")
    def test_path(self):
        container = self.setting(**{"net/../../../data/own": "1"})
        container.refused()
        self.assertFalse((container.rootfs / "data/own").exists())


if __name__ == "__main__":
    main()
