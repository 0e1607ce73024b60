"""podman with berth-runtime where systemd makes the cgroups, as it is set up by default."""

import os
import subprocess
import unittest

from support import case
from support.engine_case import EngineClient
from support.oci_runtime import hierarchies

MIB = 1 << 20
UNIFIED = len(hierarchies()) == 1


class Podman(EngineClient, unittest.TestCase):
    client = ("podman", "--log-level=error")

    @classmethod
    def setUpClass(cls):
        work = case.WORK / "podman"
        work.mkdir()
        (work / "containers.conf").write_text(
            '[engine]\ncgroup_manager = "systemd"\nevents_logger = "file"\nruntime = "berth-runtime"\n'
            f'[engine.runtimes]\nberth-runtime = ["{case.PROGRAMS}/berth-runtime"]\n')
        (work / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{work}/store"\nrunroot = "/run/podman"\n')
        cls.env = dict(os.environ, CONTAINERS_CONF=str(work / "containers.conf"),
                       CONTAINERS_STORAGE_CONF=str(work / "storage.conf"))
        cls.image = cls.ok("load", "-q", "-i", case.demo_archive()).split()[-1]

    def scope(self, name):
        return f"libpod-{self.ok('inspect', '--format', '{{.Id}}', name).strip()}.scope"

    def show(self, unit, name):
        return subprocess.run(["systemctl", "show", unit, f"--property={name}", "--value"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.strip()

    def test_a_command(self):
        self.assertEqual(self.ok("run", "--rm", "--network=none", self.image, "sh", "-c", "echo hello"), "hello\n")

    def test_one_that_stays(self):
        self.ok("run", "-d", "--name", "web", "--network=none", "--memory", "64m", "--pids-limit", "50", self.image,
                "sleep", "1000")
        unit = self.scope("web")
        self.assertEqual(self.show(unit, "ActiveState"), "active")
        self.assertEqual(self.show(unit, "MemoryMax" if UNIFIED else "MemoryLimit"), str(64 * MIB))
        self.assertEqual(self.show(unit, "TasksMax"), "50")
        self.assertEqual(self.ok("exec", "web", "echo", "inside"), "inside\n")
        self.ok("restart", "--time", "0", "web")
        self.assertEqual(self.show(unit, "ActiveState"), "active")
        self.ok("rm", "--force", "--time", "0", "web")
        self.assertEqual(self.show(unit, "ActiveState"), "inactive")


case.main()
