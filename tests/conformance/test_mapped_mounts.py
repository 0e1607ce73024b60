"""config.md, Linux mount options: idmap and ridmap, uidMappings and gidMappings of a mount."""

import os
import subprocess

from support.oci_runtime import MUST, SHOULD, RuntimeCase, requirement, main

IDMAP = "config.md, Linux mount options: idmap"
BASE = 0x60000000
SIZE = 65536


def mapping(inside, outside, size):
    return [{"containerID": inside, "hostID": outside, "size": size}]


class MappedMounts(RuntimeCase):
    def source(self):
        """A mount with another below it, files in each that belong to 0 and to 1000."""
        source = self.work / "source"
        source.mkdir()
        for directory in (source, source / "below"):
            directory.mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", directory], check=True)
            for uid in (0, 1000):
                (directory / str(uid)).touch()
                os.chown(directory / str(uid), uid, uid)
        return source

    def mapped(self):
        container = self.container()
        container.bundle.user_namespace((0, BASE, SIZE))
        container.bundle.give_to(BASE, BASE)
        return container

    def owners(self, container, *directories):
        paths = [f"{directory}/{uid}" for directory in directories for uid in (0, 1000)]
        stats = container.probe(*[word for path in paths for word in ("--stat", path)])["stats"]
        return [stats[path]["uid"] if stats[path] else f"no {path}" for path in paths]

    @requirement(IDMAP, SHOULD, "idmap without maps of its own takes those of the container's user namespace")
    def test_idmap_of_container(self):
        container = self.mapped()
        container.bundle.mount("/data", source=self.source(), options=["rbind", "idmap"])
        self.assertEqual(self.owners(container, "/data"), [0, 1000])

    @requirement(IDMAP, SHOULD, "without idmap, owners that the container's map does not have show as nobody")
    def test_without_idmap(self):
        container = self.mapped()
        container.bundle.mount("/data", source=self.source(), options=["rbind"])
        self.assertEqual(self.owners(container, "/data"), [65534, 65534])

    @requirement(IDMAP, MUST, "maps of the mount itself are used, in a container without a user namespace too")
    def test_idmap_own(self):
        container = self.container()
        container.bundle.mount("/data", source=self.source(), options=["bind", "idmap"],
                               uidMappings=mapping(0, 5000, 2000), gidMappings=mapping(0, 5000, 2000))
        self.assertEqual(self.owners(container, "/data"), [5000, 6000])

    @requirement(IDMAP, MUST, "maps of the mount itself are used before those of the container")
    def test_idmap_own_and_container(self):
        container = self.mapped()
        maps = mapping(0, BASE + 100, 2000)
        container.bundle.mount("/data", source=self.source(), options=["bind", "idmap"], uidMappings=maps, gidMappings=maps)
        self.assertEqual(self.owners(container, "/data"), [100, 1100])

    @requirement(IDMAP, SHOULD, "idmap is for the mount alone, not for those below")
    def test_idmap_not_recursive(self):
        container = self.mapped()
        container.bundle.mount("/data", source=self.source(), options=["rbind", "idmap"])
        self.assertEqual(self.owners(container, "/data", "/data/below"), [0, 1000, 65534, 65534])

    @requirement("config.md, Linux mount options: ridmap", SHOULD, "ridmap is for the mounts below too")
    def test_ridmap(self):
        container = self.mapped()
        container.bundle.mount("/data", source=self.source(), options=["rbind", "ridmap"])
        self.assertEqual(self.owners(container, "/data", "/data/below"), [0, 1000, 0, 1000])

    @requirement(IDMAP, MUST, "idmap with neither maps nor a user namespace is an error")
    def test_idmap_without_any(self):
        container = self.container()
        container.bundle.mount("/data", source=self.source(), options=["bind", "idmap"])
        container.refused()

    @requirement("config.md, Linux mount options: ridmap", MUST, "ridmap with neither maps nor a user namespace is an error")
    def test_ridmap_without_any(self):
        container = self.container()
        container.bundle.mount("/data", source=self.source(), options=["rbind", "ridmap"])
        container.refused()

    @requirement("config.md, POSIX-platform Mounts", MUST, "uidMappings without gidMappings is an error, and the other way round")
    def test_half(self):
        source = self.source()
        for name in ("uidMappings", "gidMappings"):
            container = self.container()
            container.bundle.mount("/data", source=source, options=["bind", "idmap"], **{name: mapping(0, 5000, 2000)})
            container.refused()


if __name__ == "__main__":
    main()
