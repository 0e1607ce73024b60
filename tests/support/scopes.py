"""What tests of containers that are scopes of systemd's have in common."""

import json
import pathlib
import re

from support.case import DEMO, BerthCase, run
from support.oci_runtime import hierarchies
from support.waiting import until

UNIFIED = len(hierarchies()) == 1


def systemctl(*words):
    return run("systemctl", *words, timeout=60).stdout.strip()


def units():
    """berth's scopes that systemd knows."""
    listed = systemctl("list-units", "--all", "--plain", "--no-legend", "--type=scope")
    return re.findall(r"^(berth-\S+\.scope)", listed, re.MULTILINE)


def cgroup_of(pid):
    """The path in v2, which these machines have beside v1 too."""
    return re.search(r"^0::(.*)$", pathlib.Path(f"/proc/{pid}/cgroup").read_text(), re.MULTILINE).group(1)


def file_of(pid, controller, name):
    """A control file of the process's cgroup."""
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if UNIFIED or controller in controllers.split(","):
            return (pathlib.Path("/sys/fs/cgroup", "" if UNIFIED else controllers) / path[1:] / name).read_text().strip()
    raise AssertionError(f"{pid} is in no cgroup of {controller}")


class ScopeCase(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "-f", "--all")

    def running(self, *flags, name="job", command=("sleep", "1000")):
        """Gives the container's unit."""
        identity = self.ok("run", "-d", "--name", name, *flags, DEMO, *command).strip()
        return f"berth-{identity}.scope"

    def state(self, name="job"):
        return json.loads(self.ok("inspect", name))[0]["State"]

    def shown(self, unit, *names):
        text = systemctl("show", unit, *[f"--property={name}" for name in names])
        return dict(line.split("=", 1) for line in text.splitlines())

    def assert_no_unit(self):
        until(lambda: not units(), lambda: f"systemd still has {units()}", patience=10)

    def configured(self, text):
        (self.work / "scopes.toml").write_text(f'[defaults]\nnetwork = "none"\n{text}\n')
        self.environment["BERTH_CONFIG"] = str(self.work / "scopes.toml")
