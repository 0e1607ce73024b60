"""The other engines and runtimes, made to work in namespaces of our own without touching the host's files."""

import json
import os
import pathlib
import shutil
import subprocess
import time

BASE = 0x6F000000  # the host IDs that the runtimes' bundle is mapped to and owned by
IDS = 65536
CGROUPS = pathlib.Path("/sys/fs/cgroup")
LIBPOD = "libpod_parent"
DOCKERS = "berth-bench-docker"
READY = 60.0  # seconds until a daemon answers


def isolate_host(work):
    """/run is empty, loopback is up, and podman finds subordinate IDs for --userns=auto."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # crun gives its standard input to the container's root, /dev/null too: not the host's.
    own_null = work / "null"
    subprocess.run(["mknod", "-m", "666", str(own_null), "c", "1", "3"], check=True)
    subprocess.run(["mount", "--bind", str(own_null), "/dev/null"], check=True)
    # crun 1.8 refuses a hybrid tree whose v2 part has controllers.
    if (CGROUPS / "unified").is_dir():
        subprocess.run(["umount", str(CGROUPS / "unified")], check=True)
    for name in ("subuid", "subgid"):
        host = pathlib.Path("/etc", name)
        if not host.exists():
            continue
        own = work / name
        own.write_text(host.read_text() + "containers:1000000:65536000\nnobody:66536000:65536\n")
        subprocess.run(["mount", "--bind", str(own), str(host)], check=True)


def make_bundle(directory, layer, *command):
    """A bundle for `crun run` and `runc run`: a user namespace with 65,536 IDs, and a root that they own."""
    shutil.copytree(layer, directory / "rootfs", symlinks=True)
    subprocess.run(["chown", "-R", f"{BASE}:{BASE}", directory / "rootfs"], check=True)
    subprocess.run(["crun", "spec"], cwd=directory, check=True)
    path = directory / "config.json"
    config = json.loads(path.read_text())
    config["process"].update(args=list(command) or ["true"], terminal=False)
    config["process"]["capabilities"].pop("ambient", None)  # can't be had: they are not inheritable
    config["process"].pop("rlimits", None)  # a machine without CAP_SYS_RESOURCE can't raise them
    config["root"] = {"path": "rootfs", "readonly": False}
    config["linux"]["namespaces"].append({"type": "user"})
    for kind in ("uidMappings", "gidMappings"):
        config["linux"][kind] = [{"containerID": 0, "hostID": BASE, "size": IDS}]
    path.write_text(json.dumps(config))
    return directory


def runtime_command(program, bundle):
    return [program, "run", "--bundle", bundle, f"bench-{os.getpid()}"]


def bubblewrap_command(layer):
    return ["bwrap", "--unshare-all", "--uid", "0", "--gid", "0", "--bind", layer, "/", "--proc", "/proc",
            "--dev", "/dev", "/bin/true"]


class Podman:
    """podman with a store, a state and a configuration of its own."""

    def __init__(self, work):
        self.store = work / "podman"
        engine = work / "containers.conf"
        engine.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
                          '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "crun"\n')
        storage = work / "storage.conf"
        storage.write_text(f'[storage]\ndriver = "overlay"\n'
                           f'graphroot = "{self.store}"\nrunroot = "/run/podman-bench"\n')
        self.env = dict(os.environ, CONTAINERS_CONF=str(engine), CONTAINERS_STORAGE_CONF=str(storage))
        self._cgroups_before = set(CGROUPS.glob(f"*/{LIBPOD}"))

    def command(self, *words):
        return ["podman", "--log-level=error", *map(str, words)]

    def call(self, *words):
        done = subprocess.run(self.command(*words), env=self.env, check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return done.stdout

    def remove(self, *names):
        self.call("rm", "--force", "--time", "0", *names)

    def close(self):
        subprocess.run(self.command("rm", "--all", "--force", "--time", "0"), env=self.env, check=False,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-R", "-q", self.store / "overlay"], check=False, stderr=subprocess.DEVNULL)
        for path in set(CGROUPS.glob(f"*/{LIBPOD}")) - self._cgroups_before:
            for below in sorted(path.glob("**/"), reverse=True):
                try:
                    below.rmdir()
                except OSError:
                    pass  # somebody else's, or not empty yet: it goes with the boot


class Docker:
    """dockerd with userns-remap: one map for all containers, and runc. Its store is where those IDs may walk, and its
    network namespace its own, for it makes the host drop what it forwards for others."""

    def __init__(self, work):
        self.socket = "unix:///run/docker-bench.sock"
        self.env = dict(os.environ, DOCKER_HOST=self.socket, DOCKER_CONFIG=str(work))
        self._store = pathlib.Path("/run/docker-store")
        self._store.mkdir()
        disk = work / "docker"  # /run is in memory here
        disk.mkdir()
        subprocess.run(["mount", "--bind", disk, self._store], check=True)
        settings = {"data-root": str(self._store), "exec-root": "/run/docker-bench", "pidfile": "/run/docker-bench.pid",
                    "hosts": [self.socket], "userns-remap": "nobody:nogroup", "cgroup-parent": f"/{DOCKERS}",
                    "exec-opts": ["native.cgroupdriver=cgroupfs"], "storage-driver": "overlay2"}
        (work / "daemon.json").write_text(json.dumps(settings))
        self._log = work / "dockerd.log"
        with self._log.open("wb") as log:
            self._daemon = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", f"ip link set lo up && exec dockerd --config-file {work}/daemon.json"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + READY
        while subprocess.run(self.command("version"), env=self.env, check=False, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).returncode != 0:
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd does not answer:\n{self._log.read_text()}")
            time.sleep(0.1)

    def command(self, *words):
        return ["/usr/bin/docker", *map(str, words)]

    def call(self, *words):
        return subprocess.run(self.command(*words), env=self.env, check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout

    def remove(self, *names):
        self.call("rm", "--force", *names)

    def close(self):
        names = self.call("ps", "-aq").split()
        if names:
            self.remove(*names)
        self._daemon.terminate()
        self._daemon.wait()
        subprocess.run(["umount", "--lazy", self._store], check=False)
        for path in CGROUPS.glob(f"*/{DOCKERS}"):
            for below in sorted(path.glob("**/"), reverse=True):
                try:
                    below.rmdir()
                except OSError:
                    pass  # not empty yet: it goes with the boot
