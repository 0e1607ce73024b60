"""pause, kill, update, events and delete on cgroup v2, by its own files."""

import json
import pathlib
import time

from support.runtime_case import BerthRuntimeCase, main
from support.waiting import until

MIB = 1 << 20
COUNTS = "i=0; while true; do i=$((i + 1)); echo $i > /data/count; sleep 0.01; done"


class Control(BerthRuntimeCase):
    def counting(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c", COUNTS]
        container.started()
        until(lambda: self.count(container), "it counts")
        return container

    def count(self, container):
        path = container.rootfs / "data/count"
        return int(path.read_text().strip() or 0) if path.exists() else 0

    def processes_in(self, container):
        return sorted(map(int, container.cgroup_file("pids", "cgroup.procs").split()))

    def test_pause_and_resume(self):
        container = self.counting()
        self.ok(self.berth_runtime("pause", container.id))
        self.assertEqual(container.status(), "paused")
        self.assertIn("frozen 1", container.cgroup_file("pids", "cgroup.events"))
        before = self.count(container)
        time.sleep(0.3)
        self.assertEqual(self.count(container), before)
        self.ok(self.berth_runtime("resume", container.id))
        self.assertEqual(container.status(), "running")
        until(lambda: self.count(container) > before + 1, "it goes on")

    def test_a_paused_one_can_be_killed_and_deleted(self):
        container = self.counting()
        self.ok(self.berth_runtime("pause", container.id))
        self.ok(container.kill("KILL", flags=("--all",)))
        container.stopped()
        self.ok(container.delete())
        self.assert_gone(container)

    def test_processes_without_their_first_are_killed_too(self):
        container = self.container()
        container.bundle.without_namespace("pid")
        container.bundle.process["args"] = ["/bin/sh", "-c", "sleep 1000 & sleep 1000 & exec sleep 1000"]
        container.started()
        until(lambda: len(self.processes_in(container)) == 3, "all three run")
        processes = self.processes_in(container)
        self.ok(container.kill())
        until(lambda: not any(pathlib.Path(f"/proc/{pid}/exe").exists() for pid in processes), "all are gone")
        self.ok(container.delete())
        self.assert_gone(container)

    def test_update(self):
        container = self.container().sleeping()
        self.ok(self.berth_runtime("update", "--memory", "64m", "--cpu-quota", "20000", "--cpu-period", "50000",
                                   "--cpuset-cpus", "0", "--pids-limit", "77", "--cpu-share", "512", container.id))
        found = {name: container.cgroup_file("cpu", name)
                 for name in ("memory.max", "cpu.max", "cpuset.cpus", "pids.max", "cpu.weight")}
        self.assertEqual(found, {"memory.max": str(64 * MIB), "cpu.max": "20000 50000", "cpuset.cpus": "0", "pids.max": "77",
                                 "cpu.weight": "59"})

    def test_statistics(self):
        container = self.container()
        container.bundle.linux["resources"].update(memory={"limit": 64 * MIB}, pids={"limit": 20},
                                                         hugepageLimits=[{"pageSize": "2MB", "limit": 4 * MIB}])
        container.sleeping()
        event = json.loads(self.ok(self.berth_runtime("events", "--stats", container.id)).stdout)
        data = event["data"]
        self.assertEqual(data["memory"]["usage"]["limit"], 64 * MIB)
        self.assertGreater(data["memory"]["usage"]["usage"], 0)
        self.assertEqual((data["pids"]["current"], data["pids"]["limit"]), (1, 20))
        self.assertGreater(data["cpu"]["usage"]["total"], 0)
        self.assertIn("2MB", data["hugetlb"])
        self.assertIn("file", data["memory"]["raw"])

    def test_exec_is_in_the_cgroup(self):
        container = self.container().sleeping()
        self.assertEqual(self.ok(container.exec("cat", "/proc/self/cgroup")).stdout, "0::/\n")
        self.assertEqual(self.processes_in(container), [container.pid])

    def test_nothing_is_left(self):
        before = sorted(pathlib.Path("/sys/fs/cgroup").iterdir())
        container = self.container()
        container.bundle.process["args"] = ["/bin/true"]
        self.ok(container.run())
        self.assert_gone(container)
        self.assertEqual(sorted(pathlib.Path("/sys/fs/cgroup").iterdir()), before)


main()
