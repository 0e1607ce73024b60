"""dockerd with berth-runtime as its runtime, for tests of one or the other kind."""

import json
import os
import pathlib
import secrets
import subprocess

from support import case, documented
from support.engine_case import DockerClient
from support.waiting import until

CGROUPS = pathlib.Path("/sys/fs/cgroup")
SOCKET = "unix:///run/docker-own.sock"
RUNTIME = documented.RUNTIME


class Dockerd(DockerClient):
    """A dockerd with a store, a state and a socket of its own; it starts a containerd of its own. First of a test class's
    bases. A class may have `settings` for daemon.json, `environment` for the client, and the daemon's `path`.
    """

    settings = {}
    environment = {"DOCKER_BUILDKIT": "0"}
    path = os.environ["PATH"]
    client = ("/usr/bin/docker",)

    @classmethod
    def setUpClass(cls):
        work = cls.work = case.WORK / cls.__name__
        work.mkdir()
        cls.group = f"test-of-docker-{secrets.token_hex(4)}"
        settings = {
            "data-root": str(work / "store"), "exec-root": "/run/docker-own", "pidfile": "/run/docker-own.pid",
            "hosts": [SOCKET], "iptables": False, "ip6tables": False, "bridge": "none",
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "cgroup-parent": "/" + cls.group, **json.loads(documented.block("Docker", "json")), **cls.settings,
        }
        (work / "daemon.json").write_text(json.dumps(settings))
        cls.env = dict(os.environ, DOCKER_HOST=SOCKET, DOCKER_CONFIG=str(work), **cls.environment)
        with (work / "log").open("wb") as log:
            cls.daemon = subprocess.Popen(["dockerd", "--config-file", work / "daemon.json"], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, env=dict(os.environ, PATH=cls.path))
        cls.addClassCleanup(cls.close)
        until(lambda: cls.call("version").returncode == 0 or cls.daemon.poll() is not None, (work / "log").read_text)
        if cls.daemon.poll() is not None:
            raise AssertionError((work / "log").read_text())
        cls.ok("load", "-q", "-i", case.demo_archive())
        cls.image = case.DEMO

    @classmethod
    def close(cls):
        names = cls.call("ps", "-aq").stdout.split()
        if names:
            cls.call("rm", "--force", *names)
        cls.daemon.terminate()
        cls.daemon.wait(30)
        # The parents of all that dockerd and its BuildKit made, which they leave.
        for path in (*CGROUPS.glob(f"*/{cls.group}/buildkit"), *CGROUPS.glob(f"*/{cls.group}")):
            path.rmdir()

    def stay(self, *flags):
        """A container that stays; its ID."""
        name = self.ok("run", "-d", "--network=none", *flags, self.image, "sleep", "1000").strip()
        self.addCleanup(self.call, "rm", "--force", name)
        return name

    def inspect(self, name, field):
        return self.ok("inspect", name, "--format", "{{" + field + "}}").strip()
