"""podman with berth-runtime as its OCI runtime, for tests of one or the other kind."""

import os
import subprocess

from support import case, documented
from support.engine_case import DockerClient

RUNTIME = documented.RUNTIME
FIRST_SUBORDINATE = 2147483648  # for --userns=auto; outside of berth's own banks


class Podman(DockerClient):
    """podman with a store, a state and a configuration of its own; first of a test class's bases."""

    client = ("podman", "--log-level=error")

    @classmethod
    def setUpClass(cls):
        work = cls.work = case.WORK / cls.__name__
        work.mkdir()
        # A machine without CAP_SYS_RESOURCE can't raise the limits that podman has by default.
        (work / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n' +
            documented.block("podman", "toml").replace(
                "[engine]\n", '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'))
        (work / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{work}/store"\nrunroot = "/run/podman"\n')
        cls.env = dict(os.environ, CONTAINERS_CONF=str(work / "containers.conf"),
                       CONTAINERS_STORAGE_CONF=str(work / "storage.conf"))
        for name in ("subuid", "subgid"):
            own = work / name
            own.write_text(f"containers:{FIRST_SUBORDINATE}:1048576\n")
            subprocess.run(["mount", "--bind", own, f"/etc/{name}"], check=True)
        cls.addClassCleanup(cls.close)
        cls.image = cls.ok("load", "-q", "-i", case.demo_archive()).split()[-1]

    @classmethod
    def close(cls):
        cls.call("rm", "--all", "--force", "--time", "0")
        subprocess.run(["umount", "-R", "-q", cls.work / "store/overlay"], check=False)
        for name in ("subuid", "subgid"):
            subprocess.run(["umount", f"/etc/{name}"], check=False)
