"""The package's berth-boot.service through a restart of the machine, and by itself."""

# This machine reboots: the file is run twice, the second time with what the first has left on the disk.

import json
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

from support.case import DEMO, REPOSITORY, demo_archive, run
from support.waiting import until

PROGRAMS = ("berth", "berth-monitor", "berth-init", "berth-transfer")
INSTALLED = pathlib.Path("/usr/bin")
UNIT = "berth-boot.service"
UNITS = pathlib.Path("/etc/systemd/system")
TRACE = pathlib.Path("/var/lib/trace")  # what the containers write, a file each
BEFORE = TRACE / "before"
SCRIPT = """\
trap 'echo term >> /trace/{name}; exit 1' TERM
trap 'sleep 1; echo usr1 >> /trace/{name}; exit 0' USR1
echo begin >> /trace/{name}
while :; do sleep 0.1; done
"""
# Their names, flags, and whether they run after the machine has come up.
CONTAINERS = (("always", ("--restart", "always"), True), ("kept", ("--restart", "unless-stopped"), True),
              ("stopped", ("--restart", "unless-stopped"), False), ("once", (), False))


def berth(*words):
    return run("berth", *words, timeout=60)


def must(*words):
    done = run(*words, timeout=60)
    if done.status != 0:
        raise AssertionError(done)
    return done.stdout


def trace(name):
    return (TRACE / name).read_text().split()


def install():
    for name in PROGRAMS:
        shutil.copy(f"/berth/bin/{name}", INSTALLED / name)
    shutil.copy(REPOSITORY / "packaging" / UNIT, UNITS / UNIT)
    # What is enabled for multi-user.target, in a machine that boots for this test alone.
    wants = UNITS / "berth-test.service.wants"
    wants.mkdir()
    (wants / UNIT).symlink_to(UNITS / UNIT)
    pathlib.Path("/etc/berth").mkdir()
    pathlib.Path("/etc/berth/berth.toml").write_text('[defaults]\nnetwork = "none"\n')
    must("systemctl", "daemon-reload")
    must("systemctl", "start", UNIT)


def before_the_reboot():
    install()
    TRACE.mkdir()
    TRACE.chmod(0o777)
    must("berth", "load", "-i", demo_archive())
    for name, flags, _ in CONTAINERS:
        must("berth", "run", "-d", "--name", name, "--stop-signal", "USR1", *flags, "-v", f"{TRACE}:/trace", DEMO,
             "sh", "-c", SCRIPT.format(name=name))
    until(lambda: all((TRACE / name).exists() for name, _, _ in CONTAINERS), "all have begun")
    must("berth", "stop", "stopped")
    BEFORE.write_text(must("berth", "ps", "-a"))
    # The end of this service must not be that of the machine.
    dropped = pathlib.Path("/run/systemd/system/berth-test.service.d")
    dropped.mkdir(parents=True)
    (dropped / "reboot.conf").write_text("[Unit]\nSuccessAction=none\nFailureAction=none\n")
    must("systemctl", "daemon-reload")
    subprocess.run(["sync"], check=True)
    must("systemctl", "reboot", "--no-block")
    time.sleep(1000)


class Boot(unittest.TestCase):
    def state(self, name):
        return json.loads(must("berth", "inspect", name))[0]["State"]

    def running(self):
        return sorted(must("berth", "ps", "--format", "{{.Names}}").split())

    def test_1_after_the_machine_has_come_up(self):
        until(lambda: must("systemctl", "show", "--value", "--property=ActiveState", UNIT).strip() == "active",
              lambda: run("systemctl", "status", UNIT), patience=60)
        self.assertEqual(self.running(), sorted(name for name, _, runs in CONTAINERS if runs))
        for name, _, runs in CONTAINERS:
            until(lambda name=name, runs=runs: trace(name) == ["begin", "usr1"] + ["begin"] * runs,
                  lambda name=name: f"{name}: {trace(name)}")
        self.assertEqual((self.state("once")["ExitCode"], self.state("once")["Error"]), (0, ""))

    def test_2_the_unit_is_stopped_and_started(self):
        must("systemctl", "stop", UNIT)
        self.assertEqual(self.running(), [])
        self.assertEqual(trace("always"), ["begin", "usr1", "begin", "usr1"])
        self.assertEqual(run("systemctl", "is-active", UNIT).stdout, "inactive\n")
        until(lambda: "berth-" not in must("systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=scope"),
              "no scope is left")
        must("systemctl", "start", UNIT)
        self.assertEqual(self.running(), ["always", "kept"])
        monitor = self.state("always")["MonitorPid"]
        self.assertIn("berth-monitor-", pathlib.Path(f"/proc/{monitor}/cgroup").read_text())

    def test_3_what_ends_while_the_unit_is_stopped_is_left_alone(self):
        must("systemctl", "stop", UNIT)
        must("berth", "rm", "--all")
        must("systemctl", "start", UNIT)
        self.assertEqual(self.running(), [])


if not BEFORE.exists():
    before_the_reboot()
sys.exit(not unittest.main(verbosity=2, exit=False).result.wasSuccessful())
