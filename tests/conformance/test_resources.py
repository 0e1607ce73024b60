"""config-linux.md, Control groups: the path, membership, and what resources sets, by what the cgroup's files then say.

Each limit is looked for where this machine has it: in the hierarchy of the controller (v1), or in the one of v2. Where the
machine has it in neither, or the kernel has no such file, the runtime must say no.
"""

import pathlib
import uuid

from support.oci_runtime import CGROUPS, MUST, PRACTICE, SHOULD, RuntimeCase, expand, family, hierarchies, requirement, main
from support.waiting import until

PATH = "config-linux.md, Cgroups Path"
MIB = 1 << 20


def v1(controller):
    return controller in hierarchies()


def place(controller):
    """Where the controller is: v1, v2, hybrid (in a v2 tree beside v1 ones, where a runtime may find it or not), None."""
    if v1(controller):
        return "v1"
    offered = hierarchies().get("", CGROUPS) / "cgroup.controllers"
    if not offered.exists() or {"blkio": "io"}.get(controller, controller) not in offered.read_text().split():
        return None
    return "hybrid" if len(hierarchies()) > 1 else "v2"


def kernel_has(controller, name):
    """Whether the cgroups of this v1 controller have such a file: looked up in a new one, for the root lacks some."""
    group = hierarchies()[controller] / f"conformance-{uuid.uuid4().hex[:12]}"
    group.mkdir()
    try:
        return (group / name).exists()
    finally:
        group.rmdir()


# name: (controller, the resources, file of v1 and its text, file of v2 and its text); of v2 also several that are as good:
# the specification has no word on how v1's scales become v2's, and for shares both peers have changed it.
LIMITS = {
    "memory_limit": ("memory", {"memory": {"limit": 64 * MIB}}, "memory.limit_in_bytes", str(64 * MIB),
                     "memory.max", str(64 * MIB)),
    "memory_unlimited": ("memory", {"memory": {"limit": -1}}, "memory.limit_in_bytes", "9223372036854771712",
                         "memory.max", "max"),
    "memory_reservation": ("memory", {"memory": {"reservation": 32 * MIB}}, "memory.soft_limit_in_bytes", str(32 * MIB),
                           "memory.low", str(32 * MIB)),
    "memory_swappiness": ("memory", {"memory": {"swappiness": 17}}, "memory.swappiness", "17", None, None),
    "memory_oom_killer": ("memory", {"memory": {"limit": 64 * MIB, "disableOOMKiller": True}}, "memory.oom_control",
                          "oom_kill_disable 1", None, None),
    "memory_kernel_tcp": ("memory", {"memory": {"kernelTCP": 16 * MIB}}, "memory.kmem.tcp.limit_in_bytes", str(16 * MIB),
                          None, None),
    "cpu_shares": ("cpu", {"cpu": {"shares": 512}}, "cpu.shares", "512", "cpu.weight", ("20", "59")),
    "cpu_quota": ("cpu", {"cpu": {"quota": 50000, "period": 100000}}, "cpu.cfs_quota_us", "50000",
                  "cpu.max", "50000 100000"),
    "cpu_period": ("cpu", {"cpu": {"quota": 50000, "period": 200000}}, "cpu.cfs_period_us", "200000",
                   "cpu.max", "50000 200000"),
    "cpu_burst": ("cpu", {"cpu": {"quota": 50000, "period": 100000, "burst": 10000}}, "cpu.cfs_burst_us", "10000",
                  "cpu.max.burst", "10000"),
    "cpu_idle": ("cpu", {"cpu": {"idle": 1}}, "cpu.idle", "1", "cpu.idle", "1"),
    "cpu_unlimited": ("cpu", {"cpu": {"quota": -1}}, "cpu.cfs_quota_us", "-1", "cpu.max", "max 100000"),
    "cpuset_cpus": ("cpuset", {"cpu": {"cpus": "0"}}, "cpuset.cpus", "0", "cpuset.cpus", "0"),
    "cpuset_mems": ("cpuset", {"cpu": {"mems": "0"}}, "cpuset.mems", "0", "cpuset.mems", "0"),
    "pids_limit": ("pids", {"pids": {"limit": 77}}, "pids.max", "77", "pids.max", "77"),
    "pids_unlimited": ("pids", {"pids": {"limit": -1}}, "pids.max", "max", "pids.max", "max"),
    "io_weight": ("blkio", {"blockIO": {"weight": 333}}, "blkio.bfq.weight", "333",
                  ("io.bfq.weight", "io.weight"), ("default 333", "default 3263")),
}
UNWRITTEN = {"pids_unlimited"}  # the text has -1 for memory only
SECTIONS = {"memory": "config-linux.md, Memory", "cpu": "config-linux.md, CPU", "cpuset": "config-linux.md, CPU",
            "pids": "config-linux.md, PIDs", "blkio": "config-linux.md, Block IO"}
THROTTLES = {"throttleReadBpsDevice": ("blkio.throttle.read_bps_device", "rbps"),
             "throttleWriteBpsDevice": ("blkio.throttle.write_bps_device", "wbps"),
             "throttleReadIOPSDevice": ("blkio.throttle.read_iops_device", "riops"),
             "throttleWriteIOPSDevice": ("blkio.throttle.write_iops_device", "wiops")}


def told(resources):
    """What a requirement on these resources is called."""
    return " and ".join(f"{kind}.{name} = {value}" for kind, values in resources.items()
                        for name, value in values.items()) + " is set"


def a_disk():
    """The numbers of a whole disk of this machine, or None."""
    for path in sorted(pathlib.Path("/sys/block").iterdir()):
        if (path / "device").exists():
            return tuple(map(int, (path / "dev").read_text().split(":")))
    return None


@expand
class Resources(RuntimeCase):
    def limited(self, resources):
        container = self.container()
        container.bundle.linux["resources"].update(resources)
        return container

    @family({name: (SECTIONS[entry[0]], PRACTICE if name in UNWRITTEN else MUST, told(entry[1]), name)
             for name, entry in LIMITS.items()})
    def _limit(self, name):
        controller, resources, old_file, old_text, new_file, new_text = LIMITS[name]
        container = self.limited(resources)
        if place(controller) == "v1" and kernel_has(controller, old_file):
            file, text = old_file, old_text
        elif place(controller) == "v2" and new_file:
            self.ok(container.create())
            self.assert_one_of(container, controller, new_file, new_text)
            return
        else:  # "If the runtime cannot apply a property, it MUST generate an error"
            container.refused()
            return
        self.ok(container.create())
        self.assertIn(text, container.cgroup_file(controller, file).splitlines())

    def assert_one_of(self, container, controller, files, texts):
        """One of the texts is a line of the first of the files that the kernel has."""
        files, texts = [one if isinstance(one, tuple) else (one,) for one in (files, texts)]
        file = next(name for name in files if container.cgroup_directory(controller).joinpath(name).exists())
        lines = container.cgroup_file(controller, file).splitlines()
        self.assertTrue(set(texts) & set(lines), f"{file}: {lines}, not one of {texts}")

    @requirement("config-linux.md, Memory", MUST, "swap is the limit of memory and swap together")
    def test_memory_swap(self):
        controller = "memory"
        container = self.limited({"memory": {"limit": 64 * MIB, "swap": 96 * MIB}})
        file = "memory.memsw.limit_in_bytes" if v1(controller) else "memory.swap.max"
        done = container.create()
        exists = container.cgroup_directory(controller).joinpath(file).exists()
        if done.status == 0 and exists:
            self.assertEqual(container.cgroup_file(controller, file), str((96 if v1(controller) else 32) * MIB))
        else:  # a kernel without swap accounting: an error, or nothing to set
            self.assertFalse(exists, done)

    @requirement("config-linux.md, Memory", MUST, "a process that takes more than the limit is killed")
    def test_memory_holds(self):
        container = self.limited({"memory": {"limit": 16 * MIB, "swap": 16 * MIB}})
        if not v1("memory") or not kernel_has("memory", "memory.memsw.limit_in_bytes"):
            container.bundle.linux["resources"]["memory"].pop("swap")
        done = container.shell("x=0123456789abcdef; while true; do x=$x$x; done")
        self.assertEqual(done.status, 137, done)

    @requirement("config-linux.md, PIDs", MUST, "no more processes can be made than the limit")
    def test_pids_hold(self):
        done = self.limited({"pids": {"limit": 5}}).shell("for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo all")
        self.assertIn("can't fork", done.stderr)

    @requirement("config-linux.md, CPU", MUST, "the process runs on the CPUs of cpus only")
    def test_cpus_hold(self):
        container = self.limited({"cpu": {"cpus": "1"}})
        self.assertEqual(container.probe()["scheduling"]["affinity"], [1])

    @family({name: ("config-linux.md, Block IO", MUST, f"{name} is set", name) for name in THROTTLES})
    def _throttle(self, name):
        disk = a_disk()
        self.assertIsNotNone(disk, "the machine has no disk")
        major, minor = disk
        container = self.limited({"blockIO": {name: [{"major": major, "minor": minor, "rate": 1048576}]}})
        self.ok(container.create())
        file, key = THROTTLES[name]
        wanted = f"{major}:{minor} 1048576" if v1("blkio") else f"{key}=1048576"
        self.assertIn(wanted, container.cgroup_file("blkio", file if v1("blkio") else "io.max"))

    @requirement("config-linux.md, Huge page limits", MUST, "a limit is set, or refused where no controller can keep it")
    def test_huge_pages(self):
        container = self.limited({"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]})
        self.set_or_refused(container, "hugetlb", "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max", str(4 * MIB))

    def set_or_refused(self, container, controller, old_file, new_file, text):
        """Set where the controller is; where a runtime need not find it, an error is as good, but silence is not."""
        done = container.create()
        if done.status != 0 and place(controller) in ("hybrid", None):
            self.error(done)
            return
        self.ok(done)
        self.assertIn(text, container.cgroup_file(controller, old_file if v1(controller) else new_file))

    @requirement("config-linux.md, Network", MUST, "classID is set, or an error where no net_cls is mounted")
    def test_network_class(self):
        self.set_or_refused(self.limited({"network": {"classID": 1048577}}), "net_cls", "net_cls.classid",
                            "no such file", "1048577")

    @requirement("config-linux.md, Network", MUST, "priorities are set, or an error where no net_prio is mounted")
    def test_network_priority(self):
        self.set_or_refused(self.limited({"network": {"priorities": [{"name": "lo", "priority": 3}]}}), "net_prio",
                            "net_prio.ifpriomap", "no such file", "lo 3")

    @requirement("config-linux.md, RDMA", MUST, "a limit for a device that does not exist is an error")
    def test_rdma(self):
        self.limited({"rdma": {"nosuchdevice": {"hcaHandles": 3}}}).refused()

    @requirement("config-linux.md, Huge page limits", MUST, "a page size that does not exist is an error")
    def test_huge_pages_unknown(self):
        container = self.limited({"hugepageLimits": [{"pageSize": "3MB", "limit": 4 * MIB}]})
        container.refused()

    @requirement("config.md, Valid values", MUST, "a limit that the kernel refuses is an error: a CPU that does not exist")
    def test_invalid_cpus(self):
        self.limited({"cpu": {"cpus": "4095"}}).refused()

    @requirement("config.md, Valid values", MUST, "a period that the kernel refuses is an error")
    def test_invalid_period(self):
        self.limited({"cpu": {"quota": 1000, "period": 5}}).refused()

    @requirement("config-linux.md, Unified", MUST, "a file of a controller that is not there is an error")
    def test_unified_missing(self):
        self.limited({"unified": {"nosuchcontroller.max": "1"}}).refused()

    @requirement("config-linux.md, Unified", MUST, "a name that leads out of the cgroup is an error")
    def test_unified_path(self):
        self.limited({"unified": {"../cgroup.max.depth": "1"}}).refused()

    @requirement("config-linux.md, Unified", MUST, "a file is written on v2, or refused where the controller is not of v2")
    def test_unified(self):
        container = self.limited({"unified": {"pids.max": "66"}})
        if v1("pids"):
            container.refused()
        else:
            self.ok(container.create())
            self.assertEqual(container.cgroup_file("pids", "pids.max"), "66")

    @requirement("config-linux.md, IntelRdt", MUST, "intelRdt without a mounted resctrl is an error")
    def test_intel_rdt(self):
        container = self.container()
        container.bundle.linux["intelRdt"] = {"closID": "group", "l3CacheSchema": "L3:0=f"}
        container.refused()


class Groups(RuntimeCase):
    @requirement(PATH, MUST, "an absolute path is relative to where the cgroups are mounted, and is made")
    def test_path(self):
        container = self.container().created()
        for controller in ("memory", "pids", "cpu", "devices"):
            self.assertIn(str(container.pid), container.cgroup_file(controller, "cgroup.procs").split())

    @requirement(PATH, MUST, "a path may be deep")
    def test_path_deep(self):
        container = self.container()
        parent = container.cgroup
        container.bundle.linux["cgroupsPath"] = f"{parent}/one/two"
        container.created()
        self.assertIn(str(container.pid), container.cgroup_file("pids", "one/two/cgroup.procs").split())
        self.ok(container.delete("--force"))
        for point in hierarchies().values():
            for name in ("one", ""):
                directory = point / parent.lstrip("/") / name
                if directory.exists():
                    directory.rmdir()

    @requirement(PATH, MUST, "the same value is the same place, each time")
    def test_path_consistent(self):
        container = self.container()
        container.bundle.without_namespace("cgroup")
        first = container.probe()["cgroup"]
        self.assertEqual(container.probe()["cgroup"], first)
        self.assertTrue([line for line in first if line.endswith(container.cgroup)])

    @requirement(PATH, MUST, "without a path the runtime has a place of its own for each container")
    def test_path_default(self):
        one, two = self.container(), self.container()
        for container in (one, two):
            del container.bundle.linux["cgroupsPath"]
            container.sleeping()
        places = [pathlib.Path(f"/proc/{container.pid}/cgroup").read_text() for container in (one, two)]
        self.assertNotEqual(places[0], places[1])

    @requirement(PATH, MUST, "a path that leads out by .. is an error, or stays below")
    def test_path_dots(self):
        container = self.container()
        container.bundle.linux["cgroupsPath"] = f"/../../../tmp{container.cgroup}"
        container.create()
        self.assertFalse(pathlib.Path(f"/tmp{container.cgroup}").exists())
        self.runtime("delete", "--force", container.id)
        for point in hierarchies().values():
            for directory in (point / "tmp" / container.cgroup.lstrip("/"), point / "tmp"):
                if directory.is_dir():
                    directory.rmdir()

    @requirement("config-linux.md, Control groups", MUST, "every process of the container is in its cgroup")
    def test_children(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c", "sleep 1000 & sleep 1000 & wait"]
        container.started()
        until(lambda: len(container.cgroup_file("pids", "cgroup.procs").split()) == 3, "three processes")

    @requirement("config-linux.md, Cgroup ownership", SHOULD, "the cgroup of v1 stays the host root's with a user namespace")
    def test_owner(self):
        container = self.container()
        container.bundle.user_namespace((0, 0x60000000, 65536))
        container.bundle.give_to(0x60000000, 0x60000000)
        container.created()
        if v1("pids"):
            self.assertEqual(container.cgroup_directory("pids").stat().st_uid, 0)

    @requirement("config-linux.md, Control groups", MUST, "a mount of type cgroup shows the container's own cgroups, read-only if so asked")
    def test_mount(self):
        container = self.container()
        container.bundle.mount("/sys/fs/cgroup", source="cgroup", kind="cgroup", options=["nosuid", "noexec", "nodev", "ro"])
        where = "/sys/fs/cgroup/pids" if v1("pids") else "/sys/fs/cgroup"
        report = container.probe("--file", f"{where}/cgroup.procs", "--write", f"{where}/cgroup.procs")
        self.assertIn("1", (report["files"][f"{where}/cgroup.procs"] or "").split())
        self.assertEqual(report["writes"][f"{where}/cgroup.procs"], "EROFS")


if __name__ == "__main__":
    main()
