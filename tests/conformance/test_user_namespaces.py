"""config-linux.md, User namespace mappings."""

import os
import pathlib

from support.oci_runtime import MUST, SHOULD, RuntimeCase, requirement, main
from support.waiting import until

MAPPINGS = "config-linux.md, User namespace mappings"
BASE = 0x60000000
SIZE = 65536


def extents(lines):
    return [tuple(map(int, line.split())) for line in lines]


class UserNamespaces(RuntimeCase):
    def mapped(self, *maps):
        """A container with a user namespace, whose root file system belongs to its root."""
        maps = maps or ((0, BASE, SIZE),)
        container = self.container()
        container.bundle.user_namespace(*maps)
        first = next(outside - inside for inside, outside, size in maps if inside == 0)
        container.bundle.give_to(first, first)
        return container

    @requirement(MAPPINGS, MUST, "the maps are those that are configured: one extent")
    def test_one_extent(self):
        report = self.mapped().probe()
        self.assertEqual(extents(report["uid_map"]), [(0, BASE, SIZE)])
        self.assertEqual(extents(report["gid_map"]), [(0, BASE, SIZE)])
        self.assertNotEqual(report["namespaces"]["user"], os.stat("/proc/self/ns/user").st_ino)

    @requirement(MAPPINGS, MUST, "several extents, also with gaps, in any order")
    def test_several_extents(self):
        maps = ((5000, BASE + 5000, 10), (0, BASE + 100, 1), (1, BASE + 200, 999), (4294967290, BASE + 9000, 3))
        report = self.mapped(*maps).probe()
        self.assertEqual(sorted(extents(report["uid_map"])), sorted(maps))
        self.assertEqual(sorted(extents(report["gid_map"])), sorted(maps))

    @requirement(MAPPINGS, MUST, "many extents: 340, as many as the kernel takes")
    def test_many_extents(self):
        # With small numbers: the kernel takes a map in one write, of less than a page.
        maps = [(number, 5000 + number * 2, 1) for number in range(340)]
        self.assertEqual(len(self.mapped(*maps).probe()["uid_map"]), 340)

    @requirement(MAPPINGS, MUST, "user and group maps may differ")
    def test_different(self):
        container = self.mapped()
        container.bundle.linux["gidMappings"] = [{"containerID": 0, "hostID": BASE, "size": 10},
                                                 {"containerID": 100, "hostID": BASE + 777, "size": 1}]
        report = container.probe()
        self.assertEqual(extents(report["gid_map"]), [(0, BASE, 10), (100, BASE + 777, 1)])
        self.assertEqual(extents(report["uid_map"]), [(0, BASE, SIZE)])

    @requirement(MAPPINGS, MUST, "the process has its IDs of inside, and outside those that they map to")
    def test_process_outside(self):
        container = self.mapped()
        container.bundle.process["user"] = {"uid": 1234, "gid": 55, "additionalGids": [66]}
        container.bundle.process["args"] = ["/bin/sh", "-c", "id -u; id -g; exec sleep 1000"]
        container.started()
        status = pathlib.Path(f"/proc/{container.pid}/status").read_text()
        self.assertIn(f"Uid:\t{BASE + 1234}\t", status)
        self.assertIn(f"Gid:\t{BASE + 55}\t", status)
        self.assertIn(str(BASE + 66), status)
        until(lambda: container.output() == "1234\n55\n", "its IDs inside")

    @requirement("config.md, POSIX-platform User", MUST, "a user whom the map does not know is an error")
    def test_process_unmapped(self):
        container = self.mapped()
        container.bundle.process["user"] = {"uid": SIZE + 5, "gid": 0}
        container.refused()

    @requirement(MAPPINGS, SHOULD, "owners in the root file system are not changed")
    def test_owners_kept(self):
        container = self.mapped()
        (container.rootfs / "data/own").touch()
        os.chown(container.rootfs / "data/own", BASE + 7, BASE + 8)
        (container.rootfs / "data/host").touch()
        report = container.probe("--stat", "/data/own", "--stat", "/data/host")
        self.assertEqual((report["stats"]["/data/own"]["uid"], report["stats"]["/data/own"]["gid"]), (7, 8))
        self.assertEqual(report["stats"]["/data/host"]["uid"], 65534)
        self.assertEqual((container.rootfs / "data/host").stat().st_uid, 0)

    @requirement("config-linux.md, Devices", MUST, "the default devices are there and can be used")
    def test_devices(self):
        devices = self.mapped().probe("--device", "/dev/null", "--device", "/dev/urandom")["devices"]
        self.assertEqual({(one["read"], one["write"]) for one in devices.values()}, {("ok", "ok")})

    @requirement("config.md, Mounts", MUST, "proc, sysfs, devpts and mqueue can be mounted")
    def test_mounts(self):
        container = self.mapped()
        container.bundle.mount("/dev/mqueue", source="mqueue", kind="mqueue")
        report = container.probe()
        for point, kind in (("/proc", "proc"), ("/sys", "sysfs"), ("/dev/pts", "devpts"), ("/dev/mqueue", "mqueue")):
            self.assertEqual(self.assert_mount(report, point)["type"], kind)

    @requirement("config-linux.md, Namespaces", MUST, "another container's user namespace can be joined, with its maps")
    def test_joined(self):
        other = self.mapped().sleeping()
        container = self.mapped()
        container.bundle.namespace("user", path=f"/proc/{other.pid}/ns/user")
        del container.bundle.linux["uidMappings"], container.bundle.linux["gidMappings"]
        report = container.probe()
        self.assertEqual(report["namespaces"]["user"], os.stat(f"/proc/{other.pid}/ns/user").st_ino)
        self.assertEqual(extents(report["uid_map"]), [(0, BASE, SIZE)])

    @requirement("config-linux.md, Namespaces", MUST, "user and other namespaces of another container can be joined together")
    def test_joined_with_others(self):
        other = self.mapped().sleeping()
        container = self.mapped()
        del container.bundle.linux["uidMappings"], container.bundle.linux["gidMappings"]
        del container.config["hostname"]
        for kind, file in (("user", "user"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid")):
            container.bundle.namespace(kind, path=f"/proc/{other.pid}/ns/{file}")
        found = container.probe()["namespaces"]
        for file in ("user", "net", "ipc", "uts", "pid"):
            self.assertEqual(found[file], os.stat(f"/proc/{other.pid}/ns/{file}").st_ino, file)

    @requirement("config.md, Valid values", MUST, "an extent of size 0 is an error")
    def test_size_zero(self):
        self.mapped((0, BASE, SIZE), (SIZE, BASE + SIZE, 0)).refused()

    @requirement("config.md, Valid values", MUST, "extents that overlap are an error")
    def test_overlap(self):
        self.mapped((0, BASE, 100), (50, BASE + 500, 100)).refused()
        self.mapped((0, BASE, 100), (200, BASE + 50, 100)).refused()

    @requirement(MAPPINGS, MUST, "a user namespace without maps is an error")
    def test_without_maps(self):
        container = self.mapped()
        del container.bundle.linux["uidMappings"], container.bundle.linux["gidMappings"]
        container.refused()

    @requirement(MAPPINGS, MUST, "maps without a user namespace are an error")
    def test_maps_alone(self):
        container = self.mapped()
        container.bundle.without_namespace("user")
        container.refused()


if __name__ == "__main__":
    main()
