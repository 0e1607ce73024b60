"""What a container may use: its cgroup, the flags that limit it, and what happens at the limits."""

import json
import os
import pathlib
import re
import signal

from support import leftovers
from support.case import DEMO, BerthCase, main
from support.waiting import until

CGROUPS = pathlib.Path("/sys/fs/cgroup")
OWN = re.compile("container-|berth-[0-9a-f]{64}[.]scope$")  # a container's own cgroup, the second by systemd
MIB = 1 << 20


class Limits(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def running(self, *flags, command=("sleep", "1000")):
        """Starts a container "job" in the background; gives its directories by hierarchy."""
        self.ok("run", "-d", "--name", "job", *flags, DEMO, *command)
        self.addCleanup(self.berth, "rm", "-f", "job")
        return self.directories()

    def state(self):
        return json.loads(self.ok("inspect", "job"))[0]["State"]

    def directories(self):
        """The container's cgroups, as the kernel names them for its process: controllers to directory."""
        found = {}
        for line in pathlib.Path(f"/proc/{self.state()['Pid']}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for name in (controllers or "v2").split(","):
                for place in (CGROUPS / name, CGROUPS / controllers, CGROUPS / "unified", CGROUPS):
                    if (place / path[1:] / "cgroup.procs").exists() and OWN.match(pathlib.Path(path).name):
                        found.setdefault(name, place / path[1:])
        return found

    def value(self, directories, v1, v2):
        """The content of a control file, of whichever version has it."""
        for directory in directories.values():
            for name in (v1, v2):
                if (directory / name).is_file():
                    return (directory / name).read_text().strip()
        self.fail(f"neither {v1} nor {v2} in {directories}")


class Cgroup(Limits):
    def test_each_container_has_one_of_its_own_and_it_goes_with_it(self):
        directories = self.running()
        self.assertTrue(directories)
        for directory in directories.values():
            self.assertRegex(directory.name, OWN)
        self.ok("rm", "-f", "job")
        self.assertEqual([path for path in directories.values() if path.exists()], [])
        self.assert_nothing_left()

    def test_inside_it_is_the_root(self):
        lines = self.ok("run", "--rm", DEMO, "cat", "/proc/self/cgroup").splitlines()
        for line in lines:
            if line.startswith("0::") or ":pids:" in line or ":memory:" in line:
                self.assertTrue(line.endswith(":/"), line)

    def test_a_lost_monitors_cgroup_is_removed_by_the_next_command(self):
        directories = self.running()
        os.kill(self.state()["MonitorPid"], signal.SIGKILL)
        leftovers.wait_until_gone(self._before, but_cgroups=True)
        self.ok("ps", "-a")
        self.assertEqual([path for path in directories.values() if path.exists()], [])

    def test_a_parent_of_ones_own(self):
        parent = f"berth-test-{os.getpid()}"
        directories = self.running("--cgroup-parent", f"/{parent}")
        self.addCleanup(lambda: [os.rmdir(path) for path in CGROUPS.glob(f"**/{parent}")])
        self.assertEqual({path.parent.name for path in directories.values()}, {parent})
        self.ok("rm", "-f", "job")
        self.assertEqual([path for path in directories.values() if path.exists()], [])

    def test_none(self):
        self.assertEqual(self.running("--cgroups=disabled"), {})
        self.fails(125, "run", "--rm", "--cgroups=disabled", "-m", "64m", DEMO, "true", saying="--cgroups=disabled")

    def test_nothing_below_a_cgroup_can_be_written_from_inside(self):
        done = self.berth("run", "--rm", "-m", "64m", DEMO, "sh", "-c",
                          "find / -xdev -name memory.max -o -name memory.limit_in_bytes; "
                          "mkdir /tmp/c && mount -t cgroup2 none /tmp/c")
        self.assertNotEqual(done.status, 0)
        self.assertEqual(done.stdout, "")


class Values(Limits):
    def test_memory_and_as_much_swap_again(self):
        directories = self.running("--memory", "64m", "--memory-reservation", "32m")
        self.assertEqual(self.value(directories, "memory.limit_in_bytes", "memory.max"), str(64 * MIB))
        self.assertEqual(self.value(directories, "memory.soft_limit_in_bytes", "memory.low"), str(32 * MIB))
        if any((path / "memory.memsw.limit_in_bytes").exists() for path in directories.values()):
            self.assertEqual(self.value(directories, "memory.memsw.limit_in_bytes", ""), str(128 * MIB))

    def test_processors(self):
        directories = self.running("--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0")
        self.assertIn(self.value(directories, "cpu.cfs_quota_us", "cpu.max"), ("50000", "50000 100000"))
        self.assertEqual(self.value(directories, "cpuset.cpus", "cpuset.cpus"), "0")
        if "cpu" in directories:
            self.assertEqual(self.value(directories, "cpu.shares", ""), "512")

    def test_processes(self):
        self.assertEqual(self.value(self.running(), "pids.max", "pids.max"), "2048")
        self.ok("rm", "-f", "job")
        self.assertEqual(self.value(self.running("--pids-limit", "7"), "pids.max", "pids.max"), "7")
        self.ok("rm", "-f", "job")
        self.assertEqual(self.value(self.running("--pids-limit", "-1"), "pids.max", "pids.max"), "max")

    def test_they_hold_for_the_next_start_too(self):
        self.ok("create", "--name", "job", "--memory", "48m", DEMO, "sleep", "1000")
        self.addCleanup(self.berth, "rm", "-f", "job")
        for _ in range(2):
            self.ok("start", "job")
            self.assertEqual(self.value(self.directories(), "memory.limit_in_bytes", "memory.max"), str(48 * MIB))
            os.kill(self.state()["Pid"], signal.SIGKILL)
            until(lambda: not self.state()["Running"], "the end")

    def test_the_score(self):
        self.assertEqual(self.ok("run", "--rm", "--oom-score-adj", "321", DEMO, "cat", "/proc/self/oom_score_adj"), "321\n")

    def test_values_that_can_not_be(self):
        for flags, saying in (
                (("-m", "1m"), "4 MiB"),
                (("-m", "lots"), "--memory lots"),
                (("-m", "9223372036854775808"), "no machine has so much"),
                (("--memory-swap", "64m"), "needs --memory"),
                (("-m", "64m", "--memory-swap", "32m"), "is less than --memory"),
                (("-m", "64m", "--memory-reservation", "65m"), "--memory-reservation"),
                (("--memory-swappiness", "101"), "--memory-swappiness 101"),
                (("--cpus", "half"), "--cpus half"),
                (("--cpus", "0.001"), "0.01"),
                (("--cpus", "1", "--cpu-quota", "1000"), "--cpu-quota"),
                (("--cpus", "1", "--cpu-period", "1000"), "--cpu-period"),
                (("--cpuset-cpus", "all"), "--cpuset-cpus all"),
                (("--pids-limit", "-2"), "--pids-limit -2"),
                (("--oom-score-adj", "1001"), "--oom-score-adj 1001"),
                (("--blkio-weight", "5"), "--blkio-weight 5"),
                (("--device-read-bps", "/dev/null:1mb"), "no block device"),
                (("--device-read-bps", "/dev/none:1mb"), "/dev/none"),
                (("--device-write-iops", "sda"), "DEVICE:VALUE"),
                (("--cgroup-conf", "memory.high"), "FILE=VALUE"),
                (("--cgroup-parent", "/a/../../b"), "--cgroup-parent")):
            with self.subTest(flags=flags):
                self.fails(125, "run", "--rm", *flags, DEMO, "true", saying=saying)
        self.assert_nothing_left()

    def test_what_the_kernel_refuses_is_told_by_the_flag(self):
        self.fails(125, "run", "--rm", "--cpuset-cpus", "4000", DEMO, "true", saying="--cpuset-cpus")
        self.assert_nothing_left()


class AtTheLimit(Limits):
    def test_a_fork_bomb_ends_there_and_can_be_removed(self):
        directories = self.running("--pids-limit", "30", command=("sh", "-c", "sh -c 'while :; do sleep 1000 & done'; exec sleep 1000"))
        current = next(path / "pids.current" for path in directories.values() if (path / "pids.current").exists())
        until(lambda: int(current.read_text()) >= 28, "many processes")
        self.assertLessEqual(int(current.read_text()), 30)
        until(lambda: "can't fork" in self.berth("logs", "job").stderr, "the shell's message")
        self.ok("rm", "-f", "job")
        self.assert_nothing_left()

    def test_memory(self):
        # tail keeps all of the one line that /dev/zero is.
        done = self.berth("run", "--rm", "-m", "16m", "--memory-swap", "16m", DEMO, "tail", "/dev/zero")
        self.assertEqual(done.status, 137, done)
        self.assertRegex(done.stderr, "was killed for want of memory: its limit is 16 MiB")
        self.assert_nothing_left()

    def test_memory_is_told_of(self):
        for flags in ((), ("-d",)):
            with self.subTest(flags=flags):
                self.berth("run", "--name", "job", *flags, "-m", "16m", "--memory-swap", "16m", DEMO, "tail", "/dev/zero")
                until(lambda: self.state()["Status"] == "exited", "the end")
                state = self.state()
                self.assertEqual((state["OOMKilled"], state["ExitCode"]), (True, 137))
                events = [json.loads(line) for line in (self.root / "events/current").read_text().splitlines()]
                self.assertEqual([event["action"] for event in events].count("oom"), 1, events)
                self.ok("rm", "job")
                (self.root / "events/current").unlink()

    def test_one_that_goes_on_is_told_of_when_it_happens(self):
        self.running("-m", "16m", "--memory-swap", "16m", command=("sh", "-c", "tail /dev/zero; sleep 1000"))
        actions = lambda: [json.loads(line)["action"] for line in (self.root / "events/current").read_text().splitlines()]
        until(lambda: "oom" in actions(), "the event")
        self.assertEqual((self.state()["Status"], self.state()["OOMKilled"]), ("running", True))
        self.ok("stop", "-t", "0", "job")
        self.assertIs(self.state()["OOMKilled"], True)
        self.assertEqual([action for action in actions() if action in ("oom", "died")], ["oom", "died"])

    def test_one_that_had_enough(self):
        self.ok("run", "--name", "job", "-m", "64m", DEMO, "true")
        self.assertIs(self.state()["OOMKilled"], False)


class Configured(Limits):
    def configured(self, text):
        (self.work / "limits.toml").write_text(f'[defaults]\nnetwork = "none"\n{text}\n')
        self.environment["BERTH_CONFIG"] = str(self.work / "limits.toml")

    def made(self, *flags):
        """What the container's settings are."""
        self.ok("create", "--name", "job", *flags, DEMO, "sleep", "1000")
        config = json.loads(self.ok("inspect", "job"))[0]["HostConfig"]
        self.ok("rm", "job")
        return config["Memory"], config["NanoCpus"], config["PidsLimit"]

    def test_defaults(self):
        self.configured('memory = "64m"\ncpus = "0.5"\npids-limit = 99')
        self.assertEqual(self.made(), (64 * MIB, 500_000_000, 99))
        self.assertEqual(self.made("-m", "1g", "--cpus", "2", "--pids-limit", "-1"), (1024 * MIB, 2_000_000_000, -1))
        self.assertEqual(self.value(self.running(), "memory.limit_in_bytes", "memory.max"), str(64 * MIB))

    def test_more_than_is_allowed(self):
        self.configured('memory = "128m"\n[policy]\nmax-memory = "64m"\nmax-cpus = "1.5"\nmax-pids = 100')
        self.assertEqual(self.made(), (64 * MIB, 1_500_000_000, 100))
        self.assertEqual(self.made("-m", "32m", "--cpus", "1", "--pids-limit", "9"), (32 * MIB, 1_000_000_000, 9))
        for flags, asked, rule in ((("-m", "65m"), "--memory 65m", "max-memory = 64m"),
                                   (("--cpus", "1.6"), "--cpus 1.6", "max-cpus = 1.5"),
                                   (("--cpu-quota", "300000"), "--cpus 3", "max-cpus = 1.5"),
                                   (("--cpu-quota", "-1"), "--cpus", "max-cpus = 1.5"),
                                   (("--cpu-quota", "9223372036854775807", "--cpu-period", "1"), "--cpus", "max-cpus = 1.5"),
                                   (("--pids-limit", "-1"), "--pids-limit", "max-pids = 100"),
                                   (("--cgroups", "disabled"), "--cgroups=disabled", "max-memory = 64m"),
                                   (("--cgroup-conf", "pids.max=max"), "--cgroup-conf pids.max", "max-pids = 100")):
            with self.subTest(flags=flags):
                self.fails(125, "run", "--rm", *flags, DEMO, "true", saying=[asked, rule, "limits.toml:"])
        self.running()
        self.fails(125, "update", "-m", "65m", "job", saying=["--memory 65m", "max-memory = 64m"])
        self.ok("update", "-m", "48m", "job")

    def test_a_rule_that_came_later(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.configured('[policy]\nmax-memory = "64m"')
        self.fails(125, "start", "job", saying=["--memory", "max-memory = 64m"])
        self.ok("update", "-m", "64m", "job")
        self.ok("start", "job")
        self.ok("rm", "-f", "job")

    def test_of_a_project(self):
        self.configured('[policy]\nmax-memory = "128m"\n[project-policy.small]\nmax-memory = "64m"')
        self.ok("project", "create", "--policy", "small", "shop")
        self.fails(125, "run", "--rm", "--project", "shop", "-m", "65m", DEMO, "true", saying=["--memory 65m", "max-memory = 64m"])
        self.assertEqual(self.made("--project", "shop")[0], 64 * MIB)
        self.assertEqual(self.made()[0], 128 * MIB)


class Update(Limits):
    def test_at_once_and_for_the_next_start(self):
        self.running("-m", "64m")
        self.assertEqual(len(self.ok("update", "-m", "48m", "--pids-limit", "9", "--cpus", "0.25", "job").strip()), 64)
        for again in (False, True):
            if again:
                os.kill(self.state()["Pid"], signal.SIGKILL)
                until(lambda: self.state()["Status"] == "exited", "the end")
                self.ok("start", "job")
            directories = self.directories()
            self.assertEqual(self.value(directories, "memory.limit_in_bytes", "memory.max"), str(48 * MIB))
            self.assertEqual(self.value(directories, "pids.max", "pids.max"), "9")
            self.assertIn(self.value(directories, "cpu.cfs_quota_us", "cpu.max"), ("25000", "25000 100000"))
        self.ok("rm", "-f", "job")
        self.assert_nothing_left()

    def test_what_the_kernel_refuses_is_not_kept(self):
        self.running("-m", "64m")
        self.fails(125, "update", "--cpuset-cpus", "4000", "job", saying="--cpuset-cpus")
        config = json.loads(self.ok("inspect", "job"))[0]["HostConfig"]
        self.assertEqual((config["CpusetCpus"], config["Memory"], config["PidsLimit"]), ("", 64 * MIB, 2048))
        self.fails(125, "update", "-m", "1m", "job", saying="4 MiB")

    def test_one_that_does_not_run(self):
        self.ok("create", "--name", "job", DEMO, "sleep", "1000")
        self.addCleanup(self.berth, "rm", "-f", "job")
        self.ok("update", "-m", "48m", "job")
        self.ok("start", "job")
        self.assertEqual(self.value(self.directories(), "memory.limit_in_bytes", "memory.max"), str(48 * MIB))


if __name__ == "__main__":
    main()
