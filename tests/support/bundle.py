"""OCI bundles for tests of a runtime: a small root file system, and a configuration that a test changes a little."""

import copy
import json
import os
import pathlib
import shutil

from support.case import PROGRAMS

PROBE = pathlib.Path(os.environ.get("BERTH_CONFORMANCE_PROBE", PROGRAMS.parent / "conformance" / "probe"))
BUSYBOX = pathlib.Path("/bin/busybox")  # of busybox-static
APPLETS = ("sh", "cat", "chmod", "cp", "dd", "echo", "env", "grep", "hostname", "id", "kill", "ln", "ls", "mkdir",
           "mknod", "mount", "mv", "readlink", "rm", "sleep", "stat", "sync", "test", "touch", "true", "false", "umount",
           "uname", "wc")
DIRECTORIES = ("bin", "data", "dev", "etc", "home", "proc", "root", "run", "sys", "usr/bin", "var")
PATH = "/bin:/usr/bin"
DEFAULT_CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
                        "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID"]
ALL_NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")

_CONFIG = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["/probe"],
        "env": [f"PATH={PATH}"],
        "cwd": "/",
        "capabilities": {name: DEFAULT_CAPABILITIES for name in ("bounding", "effective", "permitted")},
    },
    "root": {"path": "rootfs", "readonly": False},
    "hostname": "conformance",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    ],
    "linux": {
        "namespaces": [{"type": name} for name in ALL_NAMESPACES],
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
    },
}


def default_config(cgroups_path):
    """A configuration as engines write it, without limits that a machine might not grant."""
    config = copy.deepcopy(_CONFIG)
    config["linux"]["cgroupsPath"] = cgroups_path
    return config


class Bundle:
    """A directory with a root file system (busybox and the probe) and the configuration that is still to be written."""

    def __init__(self, directory, config):
        self.directory = pathlib.Path(directory)
        self.rootfs = self.directory / "rootfs"
        self.config = config
        for name in DIRECTORIES:
            (self.rootfs / name).mkdir(parents=True)
        (self.rootfs / "tmp").mkdir()
        (self.rootfs / "tmp").chmod(0o1777)
        self._take(BUSYBOX, "bin/busybox")
        self._take(PROBE, "probe")
        for name in APPLETS:
            (self.rootfs / "bin" / name).symlink_to("busybox")
        (self.rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (self.rootfs / "etc/group").write_text("root:x:0:\n")

    def _take(self, program, name):
        """One copy beside the bundles, and a link to it in each of them."""
        kept = self.directory.parent / f".{program.name}"
        if not kept.exists():
            shutil.copyfile(program, kept)
            kept.chmod(0o755)
        os.link(kept, self.rootfs / name)

    def write(self):
        text = self.config if isinstance(self.config, (str, bytes)) else json.dumps(self.config)
        (self.directory / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())

    def give_to(self, uid, gid):
        """Changes the owner of the whole root file system, as whoever prepares one for a user namespace does."""
        for path in (self.rootfs, *self.rootfs.rglob("*")):
            os.lchown(path, uid, gid)

    # -- small changes of the configuration

    @property
    def process(self):
        return self.config["process"]

    @property
    def linux(self):
        return self.config["linux"]

    def namespace(self, kind, **entry):
        """Puts the entry of this kind in the place of what was there; `path` joins one."""
        others = [one for one in self.linux["namespaces"] if one["type"] != kind]
        self.linux["namespaces"] = [*others, {"type": kind, **entry}]

    def without_namespace(self, kind):
        self.linux["namespaces"] = [one for one in self.linux["namespaces"] if one["type"] != kind]
        if kind == "uts":
            self.config.pop("hostname", None)

    def mount(self, destination, source=None, kind=None, options=(), **more):
        entry = {"destination": str(destination), **more}
        if kind:
            entry["type"] = kind
        if source is not None:
            entry["source"] = str(source)
        if options:
            entry["options"] = list(options)
        self.config["mounts"].append(entry)

    def capabilities(self, names, sets=("bounding", "effective", "permitted")):
        self.process["capabilities"] = {one: list(names) for one in sets}

    def add_capabilities(self, *names):
        self.capabilities([*DEFAULT_CAPABILITIES, *names])

    def user_namespace(self, *extents):
        """Extents are (container ID, host ID, size), for users and groups alike."""
        self.namespace("user")
        for kind in ("uidMappings", "gidMappings"):
            self.linux[kind] = [{"containerID": inside, "hostID": outside, "size": size}
                                for inside, outside, size in extents]
