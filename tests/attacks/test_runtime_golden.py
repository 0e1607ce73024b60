"""What a container of `berth-runtime spec` sees of itself, compared with files that a person has read."""

import json
import os
import pathlib
import shutil
import subprocess

from support import berth_runtime, case, golden
from support.console import Console
from support.waiting import until

MAPPED = (0, 0x60000000, 65536)
WAYS = {"": False, "-mapped": True}


class Golden(berth_runtime.BerthRuntimeCase):
    def setUp(self):
        super().setUp()
        os.umask(0o022)

    def default(self, *words, mapped=False):
        """A container of the configuration that the program writes, without the terminal."""
        container = self.container()
        self.ok(self.runtime("spec", "--bundle", container.directory))
        config = json.loads((container.directory / "config.json").read_text())
        config["process"].update(terminal=False, args=list(words) or ["/bin/sleep", "1000"])
        config["linux"]["cgroupsPath"] = container.cgroup
        container.bundle.config = config
        for name in ("descriptors",):
            shutil.copy(case.ATTACK_PROGRAMS / name, container.rootfs / name)
        if mapped:
            container.bundle.user_namespace(MAPPED)
            container.bundle.give_to(MAPPED[1], MAPPED[1])
        return container

    def seen(self, *words, mapped=False):
        done = self.ok(self.default(*words, mapped=mapped).run())
        self.assertEqual(done.stderr, "")
        return done.stdout

    def seen_by_exec(self, *words, mapped=False):
        return self.ok(self.default(mapped=mapped).started().exec(*words)).stdout

    def seen_on_a_terminal(self, *words):
        container = self.default(*words)
        container.bundle.process["terminal"] = True
        console = Console(self.work / "console")
        self.addCleanup(console.close)
        container.created("--console-socket", console.path)
        console.accept()
        self.ok(container.start())
        return console.read_until("no such text").replace("\r\n", "\n")

    def test_mounts(self):
        for ending, mapped in WAYS.items():
            golden.compare(self, f"runtime-mounts{ending}",
                           golden.mounts(self.seen("/bin/cat", "/proc/self/mountinfo", mapped=mapped)))
        golden.compare(self, "runtime-mounts-terminal",
                       golden.mounts(self.seen_on_a_terminal("/bin/cat", "/proc/self/mountinfo")))

    def test_mounts_of_exec_are_the_containers(self):
        container = self.default("/bin/sh", "-c", "cat /proc/self/mountinfo; sleep 1000").started()
        until(lambda: "/sys/devices/virtual/powercap" in container.output() or
                        container.output().count("\n") > 10, "it has told")
        self.assertEqual(self.ok(container.exec("/bin/cat", "/proc/self/mountinfo")).stdout, container.output())

    def test_masks_and_read_only_paths(self):
        for mapped in WAYS.values():
            found = {line.split()[4]: line for line in self.seen("/bin/cat", "/proc/self/mountinfo", mapped=mapped).splitlines()}
            config = self.default().config["linux"]
            for path in (*config["maskedPaths"], *config["readonlyPaths"]):
                if pathlib.Path(path).exists():
                    self.assertIn(" ro,", found[path], path)
            cgroups = [line for point, line in found.items() if point.startswith("/sys/fs/cgroup")]
            self.assertTrue(cgroups)
            for line in cgroups:
                self.assertLessEqual({"ro", "nosuid", "nodev", "noexec"}, set(line.split()[5].split(",")), line)
                self.assertEqual(line.split()[3], "/", line)

    def test_status(self):
        for ending, mapped in WAYS.items():
            golden.compare(self, f"runtime-status{ending}",
                           golden.status(self.seen("/bin/cat", "/proc/self/status", mapped=mapped)))
            golden.compare(self, f"runtime-status-exec{ending}",
                           golden.status(self.seen_by_exec("/bin/cat", "/proc/self/status", mapped=mapped)))

    def test_environment(self):
        golden.compare(self, "runtime-environment", self.seen("/bin/env"))
        golden.compare(self, "runtime-environment", self.seen("/bin/env", mapped=True))
        golden.compare(self, "runtime-environment", self.seen_by_exec("/bin/env"))

    def test_limits_are_the_callers(self):
        own = subprocess.run(["cat", "/proc/self/limits"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for mapped in WAYS.values():
            self.assertEqual(self.seen("/bin/cat", "/proc/self/limits", mapped=mapped), own)
            self.assertEqual(self.seen_by_exec("/bin/cat", "/proc/self/limits", mapped=mapped), own)

    def test_descriptors(self):
        for mapped in WAYS.values():
            golden.compare(self, "runtime-descriptors", self.seen("/descriptors", "self", mapped=mapped))
            golden.compare(self, "runtime-descriptors", self.seen_by_exec("/descriptors", "self", mapped=mapped))
        golden.compare(self, "runtime-descriptors", self.seen_on_a_terminal("/descriptors", "self"))

    def test_devices(self):
        for mapped in WAYS.values():
            golden.compare(self, "runtime-devices", self.seen("/bin/sh", "-c", golden.DEVICES.replace("busybox", "/bin/busybox"),
                                                              mapped=mapped))

    def test_namespaces_are_private(self):
        kinds = ("cgroup", "ipc", "mnt", "net", "pid", "uts")
        for mapped in WAYS.values():
            inside = self.seen("/bin/sh", "-c", f"for n in {' '.join((*kinds, 'user'))}; do readlink /proc/self/ns/$n; done",
                               mapped=mapped).split()
            own = [os.readlink(f"/proc/self/ns/{kind}") for kind in (*kinds, "user")]
            self.assertEqual([one for one, mine in zip(inside, own) if one == mine], [] if mapped else [own[-1]])

    def test_the_cgroup_is_the_root_of_what_it_sees(self):
        for line in self.seen("/bin/cat", "/proc/self/cgroup").splitlines():
            self.assertEqual(line.split(":", 2)[2], "/", line)


berth_runtime.main()
