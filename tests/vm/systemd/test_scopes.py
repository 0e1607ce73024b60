"""--systemd-cgroup: cgroups that systemd makes, where systemd is the first process; on cgroup v2 and on a hybrid."""

import json
import pathlib
import signal
import subprocess
import uuid

from support.oci_runtime import hierarchies
from support.runtime_case import BerthRuntimeCase, main
from support.waiting import until

MIB = 1 << 20
SLICE = "berth-tests.slice"
UNIFIED = len(hierarchies()) == 1


def systemctl(*words):
    return subprocess.run(["systemctl", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=60).stdout.strip()


class ScopeCase(BerthRuntimeCase):
    """Containers whose cgroups are systemd's."""

    def container(self, name=None):
        made = super().container(name)
        made.unit = f"test-{made.token}.scope"
        made.bundle.linux["cgroupsPath"] = f"{SLICE}:test:{made.token}"
        made.cgroup = f"/berth.slice/{SLICE}/{made.unit}"
        return made

    def command(self, *words):
        program, *rest = super().command(*words)
        return [program, "--systemd-cgroup", *rest]

    def shown(self, container, *names):
        """The unit's properties, by systemd's words."""
        text = systemctl("show", container.unit, *[f"--property={name}" for name in names])
        return dict(line.split("=", 1) for line in text.splitlines())

    def assert_no_unit(self, container):
        until(lambda: container.unit not in systemctl("list-units", "--all", "--plain", "--no-legend"),
                        f"{container.unit} is gone", patience=10)


class Scopes(ScopeCase):
    def test_a_container_s_life(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sleep", "1000"]
        container.created()
        self.assertEqual(self.shown(container, "ActiveState", "Slice", "Delegate", "Description", "CollectMode"),
                         {"ActiveState": "active", "Slice": SLICE, "Delegate": "yes",
                          "Description": f"container {container.id}", "CollectMode": "inactive-or-failed"})
        self.assertEqual(self.shown(container, "ControlGroup")["ControlGroup"], container.cgroup)
        for controller in hierarchies():
            self.assertIn(str(container.pid), container.cgroup_file(controller, "cgroup.procs").split(), controller)
        self.ok(container.start())
        self.ok(container.kill())
        container.stopped()
        self.ok(container.delete())
        self.assert_no_unit(container)
        self.assert_gone(container)

    def test_one_that_runs_is_deleted_by_force(self):
        container = self.container().sleeping()
        self.ok(container.delete("--force"))
        self.assert_no_unit(container)
        self.assert_gone(container)

    def test_the_same_path_again_at_once(self):
        for _ in range(3):
            container = self.container()
            container.bundle.linux["cgroupsPath"] = f"{SLICE}:test:again"
            container.unit, container.cgroup = "test-again.scope", f"/berth.slice/{SLICE}/test-again.scope"
            container.bundle.process["args"] = ["/bin/true"]
            self.ok(container.run())

    def test_a_path_that_another_has(self):
        first = self.container().sleeping()
        second = self.container()
        second.bundle.linux["cgroupsPath"] = first.config["linux"]["cgroupsPath"]
        done = self.error(second.create())
        self.assertIn(f"systemd has a unit {first.unit} already", done.stderr)
        self.assertEqual(first.status(), "running")
        self.assertEqual(self.shown(first, "ActiveState"), {"ActiveState": "active"})

    def test_without_a_path(self):
        container = self.container(f"own-{uuid.uuid4().hex[:8]}")
        del container.bundle.linux["cgroupsPath"]
        container.unit = f"berth-{container.id}.scope"
        container.cgroup = f"/system.slice/{container.unit}"
        container.sleeping()
        self.assertEqual(self.shown(container, "ControlGroup")["ControlGroup"], container.cgroup)

    def test_exec_is_in_it(self):
        container = self.container().sleeping()
        process = subprocess.Popen(self.command("exec", container.id, "sleep", "1000"), stdin=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        until(lambda: len(container.cgroup_file("pids", "cgroup.procs").split()) == 2, "both are in it")

    def test_pause_and_resume(self):
        container = self.container().sleeping()
        self.ok(self.berth_runtime("pause", container.id))
        self.assertEqual(container.status(), "paused")
        self.ok(self.berth_runtime("resume", container.id))
        self.assertEqual(container.status(), "running")


class Limits(ScopeCase):
    def test_limits_are_systemd_s_too(self):
        container = self.container()
        container.bundle.linux["resources"].update(memory={"limit": 64 * MIB}, pids={"limit": 33},
                                                   cpu={"shares": 512, "quota": 20100, "period": 50000, "cpus": "0-1"})
        container.sleeping()
        memory, shares = ("MemoryMax", "CPUWeight") if UNIFIED else ("MemoryLimit", "CPUShares")
        wanted = {memory: str(64 * MIB), "TasksMax": "33", shares: "59" if UNIFIED else "512",
                  "CPUQuotaPerSecUSec": "410ms", "CPUQuotaPeriodUSec": "50ms"}
        self.assertEqual(self.shown(container, *wanted), wanted)
        self.assert_exact(container)
        systemctl("daemon-reload")
        self.assertEqual(container.cgroup_file("pids", "pids.max"), "33")
        file = "memory.max" if UNIFIED else "memory.limit_in_bytes"
        self.assertEqual(container.cgroup_file("memory", file), str(64 * MIB))

    def assert_exact(self, container):
        """What systemd would round is what was asked for."""
        if UNIFIED:
            self.assertEqual(container.cgroup_file("cpu", "cpu.max"), "20100 50000")
            self.assertEqual(container.cgroup_file("cpuset", "cpuset.cpus"), "0-1")
        else:
            self.assertEqual(container.cgroup_file("cpu", "cpu.cfs_quota_us"), "20100")

    def test_update(self):
        container = self.container().sleeping()
        self.ok(self.berth_runtime("update", "--memory", "48m", "--pids-limit", "44", container.id))
        memory = "MemoryMax" if UNIFIED else "MemoryLimit"
        wanted = {memory: str(48 * MIB), "TasksMax": "44"}
        self.assertEqual(self.shown(container, *wanted), wanted)
        self.assertEqual(container.cgroup_file("pids", "pids.max"), "44")

    def test_what_systemd_has_no_word_for(self):
        container = self.container()
        container.bundle.linux["resources"]["hugepageLimits"] = [{"pageSize": "2MB", "limit": 4 * MIB}]
        container.sleeping()
        file = "hugetlb.2MB.max" if UNIFIED else "hugetlb.2MB.limit_in_bytes"
        self.assertEqual(container.cgroup_file("hugetlb", file), str(4 * MIB))

    def test_devices_stay_refused_when_systemd_is_reloaded(self):
        container = self.container()
        container.bundle.process["args"] = [
            "/bin/sh", "-c", "mknod /dev/disk b 259 3; while [ ! -e /data/go ]; do sleep 0.1; done; "
                             "echo x > /dev/null && echo null; cat /dev/disk && echo disk; sleep 1000"]
        container.started()
        self.assertEqual(self.shown(container, "DevicePolicy"), {"DevicePolicy": "strict"})
        systemctl("daemon-reload")
        (container.rootfs / "data/go").touch()
        until(lambda: "not permitted" in container.stderr.read_text(), "the disk can't be opened")
        self.assertEqual(container.output(), "null\n")


class Killed(ScopeCase):
    def killed_at(self, point):
        container = self.container()
        container.bundle.write()
        done = self.runtime("create", "--bundle", container.directory, container.id,
                            env={"BERTH_FAULT": point, "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.status, 128 + signal.SIGKILL, done)
        self.ok(container.delete("--force"))
        self.assert_no_unit(container)
        self.assert_gone(container)

    def test_before_systemd_is_asked(self):
        self.killed_at("process-recorded")

    def test_when_systemd_has_made_the_scope(self):
        self.killed_at("scope-started")

    def test_when_the_cgroup_is_not_yet_recorded(self):
        self.killed_at("cgroup-made")

    def test_when_it_is(self):
        self.killed_at("cgroup-recorded")

    def test_at_the_end(self):
        self.killed_at("created")


class Refused(ScopeCase):
    def refused(self, path, saying):
        container = self.container()
        container.bundle.linux["cgroupsPath"] = path
        self.assertIn(saying, self.error(container.create()).stderr)

    def test_paths_that_are_none_of_systemd_s(self):
        self.refused("/a/b", "not of the form slice:prefix:name")
        self.refused("a:b:c", "can't be the name of a slice")
        self.refused("a.slice::b.slice", "is a slice, and a container is in a scope")


class Machine(BerthRuntimeCase):
    def test_it_is_what_it_is_called(self):
        self.assertEqual(pathlib.Path("/proc/1/comm").read_text(), "systemd\n")
        self.assertEqual(json.dumps(UNIFIED), json.dumps(pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()))


main()
