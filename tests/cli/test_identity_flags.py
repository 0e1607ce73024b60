"""The flags that say what a process finds out about its user: --passwd, --passwd-entry, --group-entry, --hostuser and
--group-add; which users of an image the map leaves out; and what of all that stays in the store."""

import hashlib
import json
import os
import pathlib
import subprocess

from support.case import BerthCase, main
from support.images import archive, busybox_entries, load

PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/var/www:/bin/false\n"
GROUP = "root:x:0:\naudio:x:29:web\nweb:x:33:\n"
HOST_PASSWD = """\
root:x:0:0:root:/root:/bin/bash
carol:x:4001:4002:Carol, room 5:/home/carol:/bin/zsh
dave:x:4003:4003::/home/dave:/bin/zsh
web:x:4004:4004::/srv:/bin/sh
taken:x:33:4005::/srv:/bin/sh
grouped:x:4006:4006::/srv:/bin/sh
twin:x:4001:4002::/srv:/bin/sh
control:x:4007:4007:a\x1bb:/srv:/bin/sh
far:x:70000:4002::/srv:/bin/sh
"""
HOST_GROUP = "root:x:0:\nstaff:x:4002:carol\ndave:x:4003:\naudio:x:4006:\nlab:x:4100:carol,dave\nops:x:4101:carol\n"


def tree_hash(directory):
    total = hashlib.sha256()
    for path in sorted(pathlib.Path(directory).rglob("*")):
        status = path.lstat()
        total.update(f"{path.relative_to(directory)} {status.st_mode} {status.st_uid} {status.st_gid} {status.st_mtime_ns}\n".encode())
        if path.is_file() and not path.is_symlink():
            total.update(path.read_bytes())
    return total.hexdigest()


class Flags(BerthCase):
    def setUp(self):
        super().setUp()
        self.image = load(self, "users", [*busybox_entries(PASSWD, GROUP), archive.directory("work", mode=0o1777)])

    def sh(self, script, *flags):
        return self.ok("run", "--rm", *flags, self.image, "sh", "-c", script)

    def refused(self, *flags, saying):
        done = self.fails(125, "run", "--rm", *flags, self.image, "true", saying=saying)
        self.assertEqual(self.ok("ps", "-aq"), "", "no container is left of it")
        return done

    def host_accounts(self):
        """Puts accounts of the test's own in the place of the host's, in this test's mount namespace."""
        for name, text in (("passwd", HOST_PASSWD), ("group", HOST_GROUP)):
            path = self.work / f"host-{name}"
            path.write_text(text)
            subprocess.run(["mount", "--bind", path, f"/etc/{name}"], check=True)
            self.addCleanup(subprocess.run, ["umount", f"/etc/{name}"], check=True)

    def identities(self):
        return list((self.root / "identities").iterdir())


class Passwd(Flags):
    def test_without_entries_the_files_are_the_image_s(self):
        before = tree_hash(self.root / "layers")
        self.assertEqual(self.sh("cat /etc/passwd; cat /etc/group; id; echo $HOME", "-u", "10000:10001", "--passwd=false", "-w", "/work"),
                         PASSWD + GROUP + "uid=10000 gid=10001 groups=10001\n/work\n")
        self.assertIn("10000:x:10000:10001:", self.sh("cat /etc/passwd", "-u", "10000:10001"))
        self.assertIn("10000:x:10000:10001:", self.sh("cat /etc/passwd", "-u", "10000:10001", "--passwd"))
        self.assertEqual(tree_hash(self.root / "layers"), before, "the image is as it was")
        self.assertNotEqual(self.berth("run", "--rm", "-u", "10000", "--passwd=false", self.image, "whoami").status, 0)

    def test_an_image_without_files_stays_without(self):
        image = load(self, "bare", busybox_entries())
        done = self.berth("run", "--rm", "--passwd=false", image, "ls", "/etc")
        self.assertNotIn("passwd", done.stdout)
        self.assertNotIn("group", done.stdout)

    def test_what_has_no_use_without_entries(self):
        for flags in (("--passwd-entry", "a:x:$UID:0::/:/bin/sh"), ("--group-entry", "a:x:$GID:"), ("--hostuser", "root")):
            self.refused("--passwd=false", *flags, saying=[flags[0], "has no use with --passwd=false"])


class Templates(Flags):
    def test_the_entry_is_as_asked(self):
        flags = ("-u", "10000:10001", "--passwd-entry", "svc:*:$UID:$GID:it is $NAME ($USERNAME):/home/svc:/bin/ash",
                 "--group-entry", "team:!:$GID:$USERLIST,web")
        before = tree_hash(self.root / "layers")
        self.assertEqual(self.sh("cat /etc/passwd /etc/group; id; whoami; echo $HOME", *flags),
                         PASSWD + "svc:*:10000:10001:it is Container user (10000):/home/svc:/bin/ash\n" +
                         GROUP + "team:!:10001:svc,web\n" +
                         "uid=10000(svc) gid=10001(team) groups=10001(team)\nsvc\n/home/svc\n")
        self.assertEqual(tree_hash(self.root / "layers"), before)

    def test_the_home_that_berth_chose(self):
        flags = ("-u", "10000", "-w", "/work", "--passwd-entry", "$USERNAME:x:$UID:$GID:$NAME:$HOME:/bin/sh")
        self.assertEqual(self.sh("grep ^10000 /etc/passwd; echo $HOME", *flags),
                         "10000:x:10000:0:Container user:/work:/bin/sh\n/work\n")

    def test_another_request_is_another_layer(self):
        def name(template):
            return self.sh("whoami", "-u", "10000", "--passwd-entry", template)
        self.assertEqual(name("one:x:$UID:0::/:/bin/sh"), "one\n")
        self.assertEqual(name("two:x:$UID:0::/:/bin/sh"), "two\n")
        self.assertEqual(self.sh("whoami", "-u", "10000"), "10000\n")
        self.assertEqual(name("one:x:$UID:0::/:/bin/sh"), "one\n")
        self.assertEqual(len(self.identities()), 3)

    def test_it_is_the_same_at_every_start(self):
        self.ok("create", "--name", "job", "-u", "10000", "--passwd-entry", "svc:x:$UID:$GID::/:/bin/sh", self.image, "id")
        self.assertEqual({self.ok("start", "-a", "job") for _ in range(3)}, {"uid=10000(svc) gid=0(root) groups=0(root)\n"})

    def test_a_user_who_has_an_entry_keeps_it_and_is_told(self):
        done = self.berth("run", "--rm", "-u", "33", "--passwd-entry", "svc:x:$UID:0::/:/bin/sh", "--group-entry", "g:x:$GID:",
                          self.image, "cat", "/etc/passwd", "/etc/group")
        self.assertEqual(done.stdout, PASSWD + GROUP)
        self.assertIn("--passwd-entry is not used: the image's /etc/passwd has an entry for UID 33 already", done.stderr)
        self.assertIn("--group-entry is not used: the image's /etc/group has an entry for GID 33 already", done.stderr)

    def test_what_is_refused(self):
        entry = "--passwd-entry"
        for template, saying in (
                ("svc:x:$UID:$GID::/home/svc", ["has 6 fields", "NAME:PASSWORD:UID:GID:DESCRIPTION:HOME:SHELL"]),
                ("svc:x:$UID:$GID::/a:b:/bin/sh", ["has 8 fields"]),
                ("svc:x:$UID:$GID::/:/bin/sh\nroot2:x:0:0::/:/bin/sh", ["control character"]),
                ("svc:x:$UID:$GID::/\r:/bin/sh", ["control character"]),
                ("svc:x:$UID:$GROUP::/:/bin/sh", ["no variable $GROUP", "$USERNAME, $UID"]),
                ("svc:x:0:0::/:/bin/sh", ["entry for UID 0", "is of UID 10000"]),
                ("svc:x:-1:0::/:/bin/sh", ["which is no entry"]),
                ("svc:x:$UID:4294967296::/:/bin/sh", ["which is no entry"]),
                ("web:x:$UID:0::/:/bin/sh", ['has the name "web" already']),
                (":x:$UID:0::/:/bin/sh", ["which is no entry"]),
                ("#svc:x:$UID:0::/:/bin/sh", ["which is no entry"]),
                ("+svc:x:$UID:0::/:/bin/sh", ["which is no entry"]),
                ("a,b:x:$UID:0::/:/bin/sh", ["a comma"]),
                ("a b:x:$UID:0::/:/bin/sh", ["a blank"]),
                ("svc:x:$UID:0::home:/bin/sh", ["no absolute path"]),
                ("n" * 300 + ":x:$UID:0::/:/bin/sh", ["300 bytes"]),
                ("svc:x:$UID:0:" + "n" * 5000 + ":/:/bin/sh", ["4096 are the most"])):
            self.refused("-u", "10000", entry, template, saying=saying)
        entry = "--group-entry"
        for template, saying in (
                ("team:x:$GID", ["has 3 fields"]), ("team:x:$GID:\nroot:x:0:x", ["control character"]),
                ("team:x:0:", ["entry for GID 0", "is of GID 10001"]), ("team:x:$UID:", ["no variable $UID"]),
                ("web:x:$GID:", ['has the name "web" already']), ("team:x:$GID:a b", ["a blank"])):
            self.refused("-u", "10000:10001", entry, template, saying=saying)
        self.assertEqual(self.identities(), [])


class HostUsers(Flags):
    def setUp(self):
        super().setUp()
        self.host_accounts()

    def test_a_host_user_is_in_both_files(self):
        before = tree_hash(self.root / "layers")
        for name in ("carol", "4001"):
            self.assertEqual(self.sh("cat /etc/passwd /etc/group; id", "--hostuser", name),
                             PASSWD + "carol:x:4001:4002:Carol, room 5:/:/bin/sh\n" + GROUP + "staff:x:4002:\n"
                             "uid=0(root) gid=0(root) groups=0(root)\n")
        self.assertEqual(tree_hash(self.root / "layers"), before)

    def test_the_process_may_be_that_user(self):
        self.assertEqual(self.sh("id; echo $HOME; grep ^carol /etc/passwd", "--hostuser", "carol", "-u", "carol", "-w", "/work"),
                         "uid=4001(carol) gid=4002(staff) groups=4002(staff)\n/work\n"
                         "carol:x:4001:4002:Carol, room 5:/work:/bin/sh\n")
        # By the number, without another entry.
        self.assertEqual(self.sh("grep -c 4001 /etc/passwd; whoami", "--hostuser", "carol", "-u", "4001"), "1\ncarol\n")

    def test_a_home_that_is_mounted_is_the_home(self):
        for target in ("/home/carol", "/home"):
            self.assertEqual(self.sh("echo $HOME; grep ^carol /etc/passwd", "--hostuser", "carol", "-u", "carol",
                                     "--tmpfs", target), "/home/carol\ncarol:x:4001:4002:Carol, room 5:/home/carol:/bin/sh\n")
        beside = self.sh("grep ^carol /etc/passwd", "--hostuser", "carol", "-w", "/work", "--tmpfs", "/home/car")
        self.assertIn(":/work:/bin/sh", beside)

    def test_several(self):
        self.assertEqual(self.sh("tail -n 2 /etc/passwd; tail -n 2 /etc/group", "--hostuser", "carol", "--hostuser", "dave",
                                 "--hostuser", "4003", "--hostuser=root"),
                         "carol:x:4001:4002:Carol, room 5:/:/bin/sh\ndave:x:4003:4003::/:/bin/sh\nstaff:x:4002:\ndave:x:4003:\n")

    def test_templates_are_for_them_too(self):
        template = "host-$USERNAME:x:$UID:$GID:$NAME:$HOME:/bin/ash"
        self.assertIn("\nhost-carol:x:4001:4002:Carol, room 5:/:/bin/ash\n",
                      self.sh("cat /etc/passwd", "--hostuser", "carol", "--passwd-entry", template))
        self.refused("--hostuser", "carol", "-u", "10000", "--passwd-entry", "svc:x:$UID:$GID:$NAME:$HOME:/bin/ash",
                     saying='two entries for /etc/passwd would have the name "svc"')

    def test_what_is_refused(self):
        for user, saying in (("erin", "the host has no such user"), ("99999", "the host has no such user"),
                             ("4294967296", "is not an ID"), ("web", "the image has a user of that name, with UID 33 and not 4004"),
                             ("taken", "the image has UID 33 already, by the name web"), ("control", "control character"),
                             ("grouped", "its group is audio, and the image has a group of that name with GID 29 and not 4006"),
                             ("", "the host has no such user")):
            self.refused(f"--hostuser={user}", saying=[f"--hostuser {user}", saying])
        self.refused("--hostuser", "carol", "--hostuser", "twin", saying="can't both be in one container")
        self.refused("--hostuser", "carol", "-u", "dave", saying='no user "dave"')
        self.assertEqual(self.identities(), [])

    def test_inspect_shows_what_was_asked_for(self):
        entry, group = "svc:*:$UID:$GID:the service:$HOME:/bin/sh", "svc:*:$GID:$USERLIST"
        self.ok("create", "--name", "job", "--passwd-entry", entry, "--group-entry", group, "--hostuser", "carol", self.image)
        self.ok("create", "--name", "plain", "--passwd=false", "--group-add", "keep-groups", self.image)
        job, plain = json.loads(self.ok("inspect", "job", "plain"))
        self.assertEqual([job["Config"][key] for key in ("Passwd", "PasswdEntry", "GroupEntry")], [True, entry, group])
        self.assertEqual(job["Config"]["HostUsers"], [{"Name": "carol", "Uid": 4001, "Gid": 4002, "Group": "staff",
                                                       "Description": "Carol, room 5", "Home": "/home/carol"}])
        self.assertEqual([plain["Config"][key] for key in ("Passwd", "PasswdEntry", "GroupEntry", "HostUsers")],
                         [False, "", "", []])
        self.assertEqual((job["HostConfig"]["GroupAdd"], plain["HostConfig"]["GroupAdd"]), ([], ["keep-groups"]))

    def test_the_account_is_that_of_when_the_container_was_made(self):
        self.ok("create", "--name", "job", "--hostuser", "carol", self.image, "sh", "-c", "grep -c carol /etc/passwd")
        subprocess.run(["umount", "/etc/passwd"], check=True)
        subprocess.run(["mount", "--bind", "/dev/null", "/etc/passwd"], check=True)
        self.assertEqual(self.ok("start", "-a", "job"), "1\n")


class Groups(Flags):
    def run_kept(self, *flags, groups=(4100, 4101), env=None, command=("id", "-G")):
        """As a caller who is in these groups."""
        done = subprocess.run(self.command("run", "--rm", "--group-add", "keep-groups", *flags, self.image, *command), check=False,
                              capture_output=True, text=True, cwd=self.work, env={**self.environment, **(env or {})}, extra_groups=groups)
        self.assertEqual(done.returncode, 0, done)
        return done

    def test_names_and_numbers(self):
        self.assertEqual(self.sh("id", "-u", "10000", "--group-add", "audio", "--group-add", "33", "--group-add", "700"),
                         "uid=10000(10000) gid=0(root) groups=0(root),29(audio),33(web),700(700)\n")
        self.refused("--group-add", "nogroup", saying=['--group-add "nogroup"', 'no group "nogroup"'])

    def test_kept_groups_show_as_what_they_are_mapped_to(self):
        done = self.run_kept("-u", "33")
        self.assertEqual(done.stdout, "33 65534 65534\n", "and not the image's group audio")
        self.assertIn("host's groups 4100, 4101 may; 2 of them not in the container's map", done.stderr)
        done = self.run_kept("-u", "33", "--gidmap", "+4100:4100:1", "--allow-shared-ids")
        self.assertEqual(sorted(done.stdout.split()), ["33", "4100", "65534"])

    def test_a_file_of_such_a_group_can_be_read(self):
        shared = self.work / "shared"
        shared.mkdir(mode=0o755)
        self.work.chmod(0o711)
        (shared / "file").write_text("for the lab\n")
        os.chown(shared / "file", 0, 4100)
        (shared / "file").chmod(0o640)
        mount = f"{shared}:/shared:ro"
        self.assertEqual(self.run_kept("-u", "10000", "-v", mount, command=("cat", "/shared/file")).stdout, "for the lab\n")
        self.assertIn("Permission denied", self.berth("run", "--rm", "-u", "10000", "-v", mount, self.image, "cat", "/shared/file").stderr)

    def test_where_such_a_group_may_write_no_hint_says_otherwise(self):
        shared = self.work / "shared"
        shared.mkdir()
        os.chown(shared, 0, 4100)
        shared.chmod(0o770)
        self.work.chmod(0o711)
        flags = ("-u", "10000", "-v", f"{shared}:/shared")
        self.assertNotIn("can't write there", self.run_kept(*flags, command=("touch", "/shared/new")).stderr)
        self.assertTrue((shared / "new").exists())
        self.assertIn("can't write there", self.berth("run", "--rm", *flags, self.image, "true").stderr)

    def test_under_sudo_they_are_the_person_s(self):
        self.host_accounts()
        done = self.run_kept("-u", "10000", groups=(0, 5), env={"SUDO_UID": "4001", "SUDO_GID": "4002"})
        self.assertIn("host's groups 4002, 4100, 4101 may", done.stderr)
        self.assertEqual(done.stdout, "0 65534 65534 65534\n")

    def test_at_every_start_they_are_the_caller_s(self):
        self.ok("create", "--name", "job", "--group-add", "keep-groups", "-u", "10000", self.image, "id", "-G")
        for groups, seen in (((4100,), "0 65534\n"), ((), "0\n"), ((4100, 4101), "0 65534 65534\n")):
            done = subprocess.run(self.command("start", "-a", "job"), check=False, capture_output=True, text=True, cwd=self.work,
                                  env=self.environment, extra_groups=groups)
            self.assertEqual((done.returncode, done.stdout), (0, seen), done)

    def test_they_stand_alone(self):
        for order in (("keep-groups", "audio"), ("audio", "keep-groups")):
            self.refused("--group-add", order[0], "--group-add", order[1], saying="no group can be added to those of keep-groups")

    def test_a_project_has_none(self):
        self.ok("project", "create", "shop")
        self.refused("--project", "shop", "--group-add", "keep-groups", saying=["--group-add keep-groups", "policy of project shop"])

    def test_the_policy_counts(self):
        path = self.work / "policy.toml"
        for policy, saying in (("require-private = true", "require-private"), ('allowed-ranges = ["524288-1879048191"]', "allowed-ranges")):
            path.write_text(f"[policy]\n{policy}\n")
            done = subprocess.run(self.command("run", "--rm", "--group-add", "keep-groups", self.image, "true"), check=False,
                                  capture_output=True, text=True, cwd=self.work, extra_groups=(4100,),
                                  env={**self.environment, "BERTH_CONFIG": str(path)})
            self.assertEqual(done.returncode, 125, done)
            self.assertIn("--group-add keep-groups", done.stderr)
            self.assertIn(saying, done.stderr)


class OutsideTheMap(Flags):
    def test_users_that_the_map_has_not_are_named(self):
        many = PASSWD + "".join(f"user{number}:x:{number}:{number}::/:/bin/sh\n" for number in range(2000, 2005)) + "last:x:70000:0::/:\n"
        image = load(self, "many", busybox_entries(many, GROUP))
        done = self.berth("run", "--rm", "--uidmap", "::2000", image, "true")
        self.assertEqual(done.status, 0, done)
        warnings = [line for line in done.stderr.splitlines() if "outside" in line]
        self.assertEqual(len(warnings), 1, done)
        self.assertIn("6 users in /etc/passwd are outside the container's map of user IDs (0-1999 ", warnings[0])
        self.assertIn("user2000 (2000), user2001 (2001), user2002 (2002) and 3 more", warnings[0])
        done = self.berth("run", "--rm", image, "true")
        self.assertIn("A user in /etc/passwd is outside the container's map", done.stderr)
        self.assertIn("last (70000)", done.stderr)

    def test_users_of_the_host_are_named_too(self):
        self.host_accounts()
        self.assertIn("far (70000)", self.berth("run", "--rm", "--hostuser", "far", self.image, "true").stderr)
        self.refused("--hostuser", "far", "-u", "far", saying="UID 70000 is outside the container's map")

    def test_nothing_is_said_where_all_are_in_it(self):
        self.assertEqual(self.berth("run", "--rm", self.image, "true").stderr, "")
        self.assertEqual(self.berth("run", "--rm", "--uidmap", "::34", self.image, "true").stderr, "")
        self.assertEqual(self.berth("run", "--rm", "--userns", "host", self.image, "true").stderr, "")


class Kept(Flags):
    """Layers that nobody uses do not pile up, and those that somebody uses stay."""

    def test_layers_do_not_pile_up(self):
        waiting = self.start("run", "--rm", "-i", "-u", "999", self.image, "sh", "-c",
                             "whoami; read line; cat /etc/passwd", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(waiting.stdout.readline(), b"999\n")
        first = {path.name for path in self.identities()}
        for uid in range(10000, 10030):
            self.assertEqual(self.sh("whoami", "-u", str(uid)), f"{uid}\n")
        left = {path.name for path in self.identities()}
        self.assertLessEqual(len(left), 16 + 2, "what is kept, and what was in use when the last one was made")
        self.assertLessEqual(first, left, "the one that is in use is there")
        waiting.stdin.write(b"go\n")
        waiting.stdin.close()
        self.assertIn(b"999:x:999:", waiting.stdout.read())
        self.assertEqual(waiting.wait(20), 0)
        # The next ones take it away as well, and it comes again where it is wanted.
        for uid in range(20000, 20020):
            self.sh("true", "-u", str(uid))
        self.assertFalse(first & {path.name for path in self.identities()})
        self.assertEqual(self.sh("whoami", "-u", "999"), "999\n")

    def test_they_go_with_the_image(self):
        self.sh("true", "-u", "10000", "--passwd-entry", "svc:x:$UID:0::/:/bin/sh")
        self.ok("rmi", self.image)
        self.assertEqual(self.identities(), [])


if __name__ == "__main__":
    main()
