"""The processes of a container, its name, and its ports, as the host tells of them."""

import json
import os
import pathlib
import re
import subprocess

from support.case import DEMO, BerthCase, main

FIRST_BANK_ID = 0x80000


class Running(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "-f", "job", "other")

    def running(self, *flags, command=("sleep", "1000"), name="job"):
        return self.ok("run", "-d", "--name", name, *flags, DEMO, *command).strip()


class Top(Running):
    def rows(self, *columns):
        lines = self.ok("top", "job", *columns).splitlines()
        return [re.split(r"  +", line) for line in lines]

    def test_the_usual_columns(self):
        self.running()
        rows = self.rows()
        self.assertEqual(rows[0], ["USER", "PID", "PPID", "%CPU", "ELAPSED", "TTY", "TIME", "COMMAND"])
        first, second = rows[1:]
        self.assertEqual(first[:3], ["root", "1", "0"])
        self.assertEqual((second[0], second[2], second[-1]), ("root", "1", "sleep 1000"))

    def test_inside_and_outside(self):
        self.running("-u", "1234:4321", "--no-init")
        _, row = self.rows("user,uid,huser,huid,group,gid,hgid,pid,hpid,comm")
        pid = json.loads(self.ok("inspect", "job"))[0]["State"]["Pid"]
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        host_uid = int(re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE).group(1))
        self.assertGreater(host_uid, FIRST_BANK_ID)
        self.assertEqual(row[1:], ["1234", str(host_uid), str(host_uid), row[4], "4321",
                                   re.search(r"^Gid:\s+(\d+)", status, re.MULTILINE).group(1), "1", str(pid), "sleep"])

    def test_names_of_users_are_the_containers(self):
        self.ok("create", "--name", "job", "--no-init", "-u", "77", DEMO, "sh", "-c", "exec sleep 1000")
        identity = json.loads(self.ok("inspect", "job"))[0]["Id"]
        passwd = self.root / "containers" / identity / "upper/etc"
        passwd.mkdir(exist_ok=True)
        (passwd / "passwd").write_text("captain:x:77:77::/:/bin/sh\n")
        self.ok("start", "job")
        self.assertEqual(self.rows("user")[1], ["captain"])

    def test_ways_to_name_columns(self):
        self.running("--no-init")
        for words in (("pid,comm",), ("pid", "comm"), ("-o", "pid,comm"), ("-eo", "pid,comm"), ("-opid,comm",), ("PID", "COMM")):
            self.assertEqual(self.rows(*words), [["PID", "COMMAND"], ["1", "sleep"]], words)
        self.assertIn("huser", self.ok("top", "--list-descriptors"))
        self.assertIn("COMMAND", self.rows("-ef")[0])
        self.fails(125, "top", "job", "colour", saying=["colour", "huser"])
        self.assertEqual(self.rows("capeff", "seccomp")[1][1], "filter")

    def test_of_one_that_does_not_run(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.fails(125, "top", "job", saying="does not run")
        self.fails(125, "top", "absent", saying="absent")
        self.fails(125, "top", saying="name a container")

    def test_nothing_of_the_image_is_executed(self):
        """The class of CVE-2022-1227: a `ps` or a library of the image's that the host's user runs."""
        self.ok("create", "--name", "job", DEMO, "sleep", "1000")
        identity = json.loads(self.ok("inspect", "job"))[0]["Id"]
        upper = self.root / "containers" / identity / "upper"
        trap = "#!/bin/sh\ntouch /caught\nexec /bin/busybox ps\n"
        for place in ("bin/ps", "usr/bin/ps", "usr/bin/nsenter", "lib/libnss_files.so.2"):
            path = upper / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(trap)
            path.chmod(0o755)
        # Nor is anything waited for that a container can put in a file's place.
        (upper / "etc").mkdir(exist_ok=True)
        os.mkfifo(upper / "etc/passwd")
        (upper / "etc/group").symlink_to("/../../../../../etc/shadow")
        self.ok("start", "job")
        self.assertEqual([row[0] for row in self.rows("comm")[1:]], ["berth-init", "sleep"])
        self.ok("top", "job", "user,group,groups,args", timeout=20)
        self.assertFalse((upper / "caught").exists())

    def test_hostile_names_reach_no_terminal(self):
        self.running("--no-init", command=("sh", "-c", "while :; do sleep 1; done", "x\x1b[2Jy\nz"))
        out = subprocess.run(self.command("top", "job", "args", "comm"), env=self.environment, stdout=subprocess.PIPE,
                             check=True).stdout
        self.assertNotIn(b"\x1b", out)
        self.assertIn(rb"x\x1b[2Jy\x0az", out)


class Inspect(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.berth, "rm", "-f", "job")

    def test_the_state(self):
        self.ok("run", "-d", "--name", "job", DEMO, "sleep", "1000")
        state = json.loads(self.ok("inspect", "job"))[0]["State"]
        self.assertEqual({key: state[key] for key in ("Status", "Running", "Paused", "Restarting", "OOMKilled", "Dead")},
                         {"Status": "running", "Running": True, "Paused": False, "Restarting": False,
                          "OOMKilled": False, "Dead": False})
        self.assertTrue(os.path.exists(f"/proc/{state['MonitorPid']}"))

    def test_templates_and_sizes(self):
        self.ok("run", "--name", "job", "--network", "none", DEMO, "dd", "if=/dev/zero", "of=/file", "bs=1M", "count=2")
        self.assertEqual(self.ok("inspect", "-f", "{{.State.Status}} {{.Name}} {{json .Config.Cmd}}", "job"),
                         'exited job ["dd","if=/dev/zero","of=/file","bs=1M","count=2"]\n')
        shown = json.loads(self.ok("inspect", "-s", "-l"))[0]
        self.assertGreaterEqual(shown["SizeRw"], 2 << 20)
        self.assertEqual(shown["NetworkSettings"]["Networks"], {})

    def test_other_things(self):
        self.ok("volume", "create", "data")
        self.ok("create", "--name", "job", DEMO, "true")
        self.assertEqual(json.loads(self.ok("inspect", "data"))[0]["Name"], "data")
        self.assertEqual(json.loads(self.ok("inspect", DEMO))[0]["RepoTags"], [DEMO])
        self.assertEqual(self.ok("inspect", "--type", "volume", "--format", "{{.Name}}", "data"), "data\n")
        self.fails(125, "inspect", "--type", "container", "data", saying="data")
        self.fails(125, "inspect", "absent", saying='no container "absent"')
        self.fails(125, "inspect", saying="--latest")


class Rename(Running):
    def test_running_and_not(self):
        identity = self.running()
        self.ok("rename", "job", "other")
        self.assertEqual(self.ok("ps", "--format", "{{.Names}}"), "other\n")
        self.assertEqual(json.loads(self.ok("inspect", "other"))[0]["Id"], identity)
        self.fails(125, "inspect", "job", saying="job")
        self.ok("rename", identity[:12], "job")
        self.ok("rm", "-f", "job")
        self.ok("create", "--name", "job", DEMO, "true")
        self.ok("rename", "job", "other")
        self.ok("start", "-a", "other")
        event = json.loads(self.ok("events", "--no-stream", "--format", "json", "--filter", "event=rename",
                                   "--filter", "container=job"))
        self.assertEqual(event["Attributes"]["oldName"], "other")

    def test_what_is_refused(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.ok("create", "--name", "other", DEMO, "true")
        self.fails(125, "rename", "job", "other", saying='the name "other" is in use')
        self.fails(125, "rename", "job", "job", saying="has that name already")
        self.fails(125, "rename", "job", "../x", saying="../x")
        self.fails(125, "rename", "absent", "x", saying="absent")

    def test_a_lost_database_does_not_bring_the_old_name_back(self):
        self.ok("create", "--name", "job", DEMO, "true")
        self.ok("rename", "job", "other")
        for name in ("berth.db", "berth.db-wal", "berth.db-shm"):
            (self.root / name).unlink(missing_ok=True)
        self.ok("system", "repair", "--rebuild")
        self.assertIn("other", self.ok("ps", "-a", "--format", "{{.Names}}"))


class Port(Running):
    def test_none(self):
        self.running("--network", "none")
        self.assertEqual(self.ok("port", "job"), "")
        self.fails(125, "port", "job", "80", saying="80")
        self.fails(125, "port", "job", "web", saying="web")
        self.fails(125, "port", saying="name a container")
        self.assertEqual(self.ok("port", "--all"), "")


if __name__ == "__main__":
    main()
