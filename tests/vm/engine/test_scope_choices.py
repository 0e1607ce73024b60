"""What the scopes of `berth run`'s containers are when somebody chooses, or something is killed; on cgroup v2 alone."""

import os
import pathlib

from support.case import DEMO, main, run
from support.scopes import ScopeCase, cgroup_of, units


class Killed(ScopeCase):
    def test_a_monitor_that_is_killed_while_it_starts_a_container(self):
        for point in ("scope-started", "cgroup-made", "cgroup-recorded", "container-started"):
            with self.subTest(point=point):
                self.berth("run", "-d", "--name", "job", DEMO, "sleep", "1000", env={"BERTH_FAULT": point})
                self.ok("ps", "-a")
                self.assert_no_unit()
                self.berth("rm", "-f", "job")
                self.assert_nothing_left()


class Chosen(ScopeCase):
    def test_another_slice(self):
        unit = self.running("--cgroup-parent", "web-shop.slice")
        self.assertEqual(cgroup_of(self.state()["Pid"]), f"/web.slice/web-shop.slice/{unit}")
        self.ok("rm", "-f", "job")
        self.configured('slice = "guests.slice"')
        unit = self.running()
        self.assertEqual(self.shown(unit, "Slice"), {"Slice": "guests.slice"})

    def test_without_systemd(self):
        self.configured('cgroup-manager = "cgroupfs"')
        self.running()
        self.assertRegex(cgroup_of(self.state()["Pid"]), "^/berth/container-")
        self.assertEqual(units(), [])

    def test_a_path_of_ones_own(self):
        self.configured('cgroup-manager = "systemd"')
        self.fails(125, "run", "--rm", "--cgroup-parent", "/own", DEMO, "true", saying=["--cgroup-parent /own", "scopes.toml:3"])
        self.configured("")
        self.running("--cgroup-parent", "/own")
        self.addCleanup(lambda: [os.rmdir(path) for path in pathlib.Path("/sys/fs/cgroup").glob("**/own")])
        self.assertRegex(cgroup_of(self.state()["Pid"]), "^/own/container-")
        self.ok("rm", "-f", "job")

    def test_systemd_that_can_t_be_reached(self):
        hidden = "mount -t tmpfs none /run/dbus; mount --bind /dev/null /run/systemd/private; "
        words = " ".join(self.command("run", "--rm", DEMO, "echo", "it runs"))
        done = run("unshare", "-m", "sh", "-c", hidden + words, env=self.environment)
        self.assertEqual((done.status, done.stdout), (0, "it runs\n"), done)
        self.assertIn("systemd runs here, but can't be reached", done.stderr)
        self.configured('cgroup-manager = "systemd"')
        done = run("unshare", "-m", "sh", "-c", hidden + words, env=self.environment)
        self.assertEqual(done.status, 125, done)
        self.assertIn("can't be reached", done.stderr)


main()
