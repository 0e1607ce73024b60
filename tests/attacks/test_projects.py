"""What a tenant must not reach of another's: files in a volume of both, processes, IDs; and the host with its own."""

import json
import os
import pathlib
import signal
import subprocess

from support import attack, case


class Tenants(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        for name in ("victim", "attacker"):
            self.ok("project", "create", name)
        # At /tmp, because a new volume takes over that anybody may write there; and made by neither of the two.
        self.ok("run", "--rm", "-v", "both:/tmp", case.DEMO, "true")
        self.victim = self.start("run", "--rm", "--name", "victim", "--project", "victim", "-v", "both:/tmp", case.DEMO,
                                 "sh", "-c", "mkdir -m 700 /tmp/own; echo secret > /tmp/own/file; "
                                 "chmod 600 /tmp/own/file; echo up; sleep 60", stdout=subprocess.PIPE)
        self.assertEqual(self.victim.stdout.readline(), b"up\n")

    def tearDown(self):
        self.assertIsNone(self.victim.poll(), "the victim has noticed")
        self.victim.terminate()
        self.victim.wait(20)

    def test_files_in_a_volume_of_both(self):
        image = self.image(attack.system(attack.archive.directory("tmp", 0o1777)))
        for flags in ((), ("-u", "1000010007"), ("--group-add", "1000000000"), ("--group-add", "0")):
            if "1000000000" in flags:
                # The other's IDs are not in this project's map.
                self.fails(125, "run", "--rm", "--project", "attacker", *flags, case.DEMO, "true", saying="1000000000")
                continue
            self.attack(image, "other_tenant", "/tmp/own", "/tmp/own/file",
                        flags=("--project", "attacker", "-v", "both:/tmp", *flags))
        self.attack(image, "other_tenant", "/tmp/own", "/tmp/own/file", flags=("-u", "5", "-v", "both:/tmp"))
        own = self.ok("run", "--rm", "--project", "victim", "-v", "both:/tmp", case.DEMO, "cat", "/tmp/own/file")
        self.assertEqual(own, "secret\n", "a replica of the same project does read it")

    def test_signals_and_traces_from_within(self):
        self.attack(case.DEMO, "neighbours", "4", flags=("--project", "attacker"))
        self.attack(case.DEMO, "neighbours", "4", flags=("--project", "victim"))

    def test_signals_and_traces_where_the_processes_can_be_seen(self):
        """As a process of the other project that had got into the host's PID namespace."""
        attacker = self.start("run", "--rm", "--name", "attacker", "--project", "attacker", case.DEMO, "sh", "-c",
                              "echo up; sleep 60", stdout=subprocess.PIPE)
        self.assertEqual(attacker.stdout.readline(), b"up\n")
        # What it has, and not what it should have.
        maps = pathlib.Path(f"/proc/{self.pid_of('attacker')}/uid_map").read_text().splitlines()
        self.assertEqual(len(maps), 2)
        target = self.pid_of("victim")
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(target)], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout.split()
        self.assertTrue(children)
        for line in maps:
            uid = int(line.split()[1])
            for pid in (target, *map(int, children)):
                self.assertEqual(self.as_host_user(uid, pid), "signal: PermissionError memory: PermissionError "
                                 "root: PermissionError")

        attacker.terminate()
        attacker.wait(20)

    def pid_of(self, name):
        (found,) = json.loads(self.ok("inspect", name))
        return found["State"]["Pid"]

    @staticmethod
    def as_host_user(uid, pid):
        """What a host process with this UID and no privileges can do to another."""
        script = f"""
import os
os.setgroups([]); os.setresgid({uid}, {uid}, {uid}); os.setresuid({uid}, {uid}, {uid})
def attempt(action):
    try:
        action()
        return "BROKEN"
    except OSError as error:
        return type(error).__name__
print("signal:", attempt(lambda: os.kill({pid}, {int(signal.SIGTERM)})),
      "memory:", attempt(lambda: os.open("/proc/{pid}/mem", os.O_RDONLY)),
      "root:", attempt(lambda: os.listdir("/proc/{pid}/root/")))
"""
        done = subprocess.run(["/usr/bin/python3", "-c", script], stdout=subprocess.PIPE, text=True, check=True,
                              timeout=30)
        return done.stdout.strip()

    def test_a_volume_that_the_victim_has_made(self):
        """Its directory is the victim's group's, which nobody else has: others can't write there whatever the mode says."""
        self.ok("run", "--rm", "--project", "victim", "-v", "own:/tmp", case.DEMO, "sh", "-c", "> /tmp/file")
        for flags in (("--project", "attacker"), ("-u", "5"), ()):
            done = self.berth("run", "--rm", *flags, "-v", "own:/tmp", case.DEMO, "sh", "-c",
                              "> /tmp/mine; rm /tmp/file; echo x > /tmp/file; chmod 777 /tmp")
            self.assertNotEqual(done.status, 0, flags)
        data = self.root / "volumes/own/_data"
        self.assertEqual((os.listdir(data), (data / "file").read_text(), data.stat().st_mode & 0o7777),
                         (["file"], "", 0o3777))

    def test_no_way_around_the_policy(self):
        """No spelling of a user makes a restricted container anybody else."""
        for user in ("0", "00", "root", ":", "0:0", "4294967295", "4294967296", "2147483648", "18446744073709551616",
                     "1000000000", "1000020000", "-1", "1000010000:1000000000"):
            done = self.berth("run", "--rm", "--project", "attacker", "-u", user, case.DEMO, "id")
            self.assertEqual((done.status, done.stdout), (125, ""), done)

    def test_the_host_shows_both_apart(self):
        self.ok("run", "--rm", "--project", "attacker", "-v", "both:/tmp", case.DEMO, "sh", "-c", "> /tmp/mine")
        data = self.root / "volumes/both/_data"
        self.assertEqual((os.stat(data / "own/file").st_uid, os.stat(data / "mine").st_uid), (1000000000, 1000010000))


case.main()
