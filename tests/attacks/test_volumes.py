"""What a container leaves in volumes and shared directories, and what an image brings into them, hurts nobody."""

import json
import os
import pathlib
import subprocess

from support import attack, case
from support.attack import archive

PLANT = "cp /bin/busybox /v/suid && chmod 6755 /v/suid && chown 0:0 /v/suid && chmod 6755 /v/suid && stat -c %a:%u /v/suid"
USERS = (1, 1000, 65534, 0x80000 + 1000, 0x100000, 0x100000 + 1000)


class Volumes(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        for directory in (self.work, self.runroot.parent):
            directory.chmod(0o755)


class Setuid(Volumes):
    """Container root makes a setuid-root program where a host user may look for it (CVE-2025-64507)."""

    def plant(self, *flags):
        self.assertEqual(self.ok("run", *flags, case.DEMO, "sh", "-c", PLANT), "6755:0\n")

    def try_as_users(self, path, users=USERS):
        for uid in users:
            try:
                said = self.as_user(uid, path, "id", "-u").stdout
            except PermissionError:
                continue
            self.assertNotIn("0", said.split(), (uid, path))

    def test_in_a_volume(self):
        for flags in (("-v", "named:/v"), ("-v", "/v"), ("-v", "open:/v:suid,dev"), ("--privileged", "-v", "more:/v")):
            self.plant(*flags)
        planted = list(self.root.rglob("suid"))
        self.assertEqual(len(planted), 4)
        for path in planted:
            st = path.stat()
            self.assertEqual((oct(st.st_mode), st.st_uid), (oct(0o106755), 0), "it is there, and would be of use")
            for uid in USERS:
                with self.assertRaises(PermissionError):
                    self.as_user(uid, path.relative_to(self.work), "id", "-u")
                for directory in path.parents:
                    if self.root == directory or self.root in directory.parents:
                        self.assertNotEqual(self.as_user(uid, "/bin/ls", directory).returncode, 0, (uid, directory))

    def test_in_a_volume_of_an_image(self):
        suid = archive.file("v/suid", pathlib.Path("/bin/busybox").read_bytes(), 0o6755)
        image = self.image(attack.system(archive.directory("v", 0o777), suid), Volumes={"/v": {}})
        self.ok("run", "--name", "job", image, "true")
        (planted,) = (self.root / "volumes").rglob("suid")
        self.assertEqual(planted.stat().st_uid, 0)
        self.try_as_users(planted.relative_to(self.work))

    def test_through_the_running_container(self):
        """/proc shows a container's files to whoever has its ID on the host; what is setuid there is no more than it."""
        process = self.start("run", "--name", "job", "-v", "vol:/v:suid", case.DEMO, "sh", "-c",
                             f"{PLANT}; exec sleep 100", stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"6755:0\n")
        pid = json.loads(self.ok("inspect", "job"))[0]["State"]["Pid"]
        with open(f"/proc/{pid}/uid_map", encoding="ascii") as file:
            base = int(file.read().split()[1])
        self.try_as_users(f"/proc/{pid}/root/v/suid", (*USERS, base, base + 1000))
        self.ok("rm", "--force", "job")

    def test_in_a_mapped_directory_that_is_root_s_own(self):
        closed = self.work / "closed"
        (closed / "shared").mkdir(parents=True)
        closed.chmod(0o700)
        done = self.berth("run", "--rm", "-v", f"{closed}/shared:/v:idmap", case.DEMO, "sh", "-c", PLANT)
        self.assertEqual(done.stdout, "6755:0\n")
        self.assertNotIn("setuid", done.stderr)
        self.try_as_users("closed/shared/suid")

    def test_a_mapped_directory_that_others_reach_is_told_of(self):
        shared = self.runroot.parent / "shared"  # /run, unlike the work directory, is open to all
        shared.mkdir(mode=0o755)
        for option in ("idmap", "idmap=uids=@0-5-1", "confine=root"):
            done = self.berth("run", "--rm", "-v", f"{shared}:/v:{option}", case.DEMO, "true")
            self.assertIn(f"host users can get to {shared}", done.stderr, option)
            self.assertIn("makes them root", done.stderr)
        for option in ("idmap,ro", "idmap=uids=@1-0-1", "confine=daemon", "ro"):
            done = self.berth("run", "--rm", "-v", f"{shared}:/v:{option}", case.DEMO, "true")
            self.assertNotIn("makes them root", done.stderr, option)

    def test_a_directory_that_is_closed_itself_can_be_opened_by_the_container(self):
        shared = self.runroot.parent / "shared"
        shared.mkdir(mode=0o700)
        done = self.berth("run", "--rm", "-v", f"{shared}:/v:idmap", case.DEMO, "chmod", "0755", "/v")
        self.assertIn(f"host users can get to {shared}", done.stderr)
        self.assertEqual(shared.stat().st_mode & 0o777, 0o755)

    def policy(self, text):
        path = self.work / "berth.toml"
        path.write_text(text)
        return {"BERTH_CONFIG": str(path)}

    def test_the_policy_can_refuse_an_open_directory(self):
        shared = self.runroot.parent / "shared"
        shared.mkdir(mode=0o755)
        strict = self.policy("[policy]\nallow-open-directories = false\n")
        root_s_own = ("--uidmap", "0:0:1", "--gidmap", "0:0:1", "--allow-shared-ids")
        for flags, option in (((), ":idmap"), ((), ":idmap=uids=@0-5-1"), ((), ":confine=root"),
                              (("--userns", "host"), ""), (root_s_own, "")):
            done = self.berth("run", "--rm", *flags, "-v", f"{shared}:/v{option}", case.DEMO, "sh", "-c", PLANT,
                              env=strict)
            self.assertEqual(done.status, 125, (option, done))
            for said in (f"mount /v of {shared}", "allow-open-directories = false", "berth.toml:2", "hint: ", "0700"):
                self.assertIn(said, done.stderr, option)
        self.assertEqual(os.listdir(shared), [])
        self.assertEqual(self.ok("ps", "-aq"), "")
        for option in ("", ":ro", ":idmap,ro", ":confine=daemon", ":idmap=uids=@1-0-1"):
            self.ok("run", "--rm", "-v", f"{shared}:/v{option}", case.DEMO, "true", env=strict)
        closed = self.work / "closed"
        (closed / "shared").mkdir(parents=True)
        closed.chmod(0o700)
        self.ok("run", "--rm", "-v", f"{closed}/shared:/v:idmap", case.DEMO, "true", env=strict)
        done = self.berth("run", "--rm", "-v", "/not/there:/v:idmap", case.DEMO, "true", env=strict)
        self.assertIn("/not/there: ENOENT", done.stderr)

    def test_the_policy_counts_at_the_next_start_as_well(self):
        shared = self.runroot.parent / "shared"
        shared.mkdir(mode=0o755)
        self.ok("create", "--name", "job", "-v", f"{shared}:/v:idmap", case.DEMO, "sh", "-c", PLANT)
        done = self.berth("start", "--attach", "job", env=self.policy("[policy]\nallow-open-directories = false\n"))
        self.assertEqual(done.status, 125, done)
        self.assertIn('cannot start "job": mount /v of', done.stderr)
        self.assertEqual(os.listdir(shared), [])

    def test_in_a_confined_directory(self):
        shared = self.work / "shared"
        shared.mkdir(mode=0o777)
        os.chown(shared, 1, 1)
        self.ok("run", "--rm", "--privileged", "-v", f"{shared}:/v:confine=daemon", case.DEMO, "sh", "-c",
                "cp /bin/busybox /v/suid && chmod 6755 /v/suid; for id in 1 5 1000; do chown $id /v/suid 2>&1 | grep -q large"
                " || echo BROKEN; done")
        st = (shared / "suid").stat()
        self.assertEqual((st.st_uid, st.st_gid), (1, 1), "nobody's but the user that it was confined to")
        self.try_as_users("shared/suid")

    def test_in_a_directory_that_is_not_mapped(self):
        shared = self.work / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        self.ok("run", "--rm", "-v", f"{shared}:/v", case.DEMO, "sh", "-c", PLANT)
        self.try_as_users("shared/suid")
        self.ok("run", "--rm", "-v", f"{shared}:/v:U", case.DEMO, "true")
        self.assertEqual((shared / "suid").stat().st_mode & 0o6000, 0, "a change of owner takes the bits away")


class Labels(Volumes):
    def test_labels_can_not_write_to_the_terminal(self):
        self.ok("volume", "create", "--label", "a=\x1b[2J\u009b31m\nevil", "data")
        for words in (["ls"], ["inspect", "data"]):
            shown = self.ok("volume", *words, "--format", "{{.Name}} {{.Labels.a}}")
            self.assertEqual(shown, "data \\x1b[2J\\xc2\\x9b31m\nevil\n", words)


class ContentOfImages(Volumes):
    def contents(self, image, *flags):
        self.ok("run", "--rm", "-v", "vol:/data", *flags, image, "true")
        return self.root / "volumes" / "vol" / "_data"

    def test_links_out_of_the_image(self):
        secret = self.work / "secret"
        secret.mkdir()
        (secret / "key").write_text("the host's")
        for target in (str(secret), "../" * 30 + str(secret), "/proc/self/cwd/..", "/proc/1/root/etc"):
            with self.subTest(target=target):
                image = self.image(attack.system(archive.link("data", target), archive.directory("proc")))
                done = self.berth("run", "--rm", "-v", "vol:/data", image, "true")
                for path in (self.root / "volumes").rglob("*"):
                    self.assertNotIn(path.name, ("key", "shadow", "fstab"), done)
                self.berth("volume", "rm", "-a")
        self.assertEqual([path.name for path in secret.iterdir()], ["key"])

    def test_links_inside_are_copied_as_links(self):
        image = self.image(attack.system(archive.directory("data"), archive.link("data/a", "/etc/shadow"),
                                         archive.link("data/b", "../../../../../../etc")))
        data = self.contents(image)
        self.assertEqual({path.name: os.readlink(path) for path in data.iterdir()},
                         {"a": "/etc/shadow", "b": "../../../../../../etc"})
        self.assertGreater(os.stat("/etc/shadow").st_size, 0)

    def test_a_directory_that_a_higher_layer_makes_a_link(self):
        image = self.image(attack.system(archive.directory("data"), archive.directory("data/d"),
                                         archive.file("data/d/file", "x")),
                           [archive.link("data/d", str(self.work))])
        data = self.contents(image)
        self.assertEqual([path.name for path in data.iterdir()], ["d"])
        self.assertTrue((data / "d").is_symlink())

    def test_what_would_make_it_wait_or_be_a_device(self):
        image = self.image(attack.system(archive.directory("data"), attack.fifo("data/pipe"),
                                         attack.device("data/disk", b"4", 8, 0), attack.device("data/mem", b"3", 1, 1)))
        data = self.contents(image)
        self.assertEqual([path.name for path in data.iterdir()], ["pipe"])

    def test_a_deep_tree(self):
        deep = [archive.directory("data/" + "/".join(["d"] * depth)) for depth in range(1, 250)]
        data = self.contents(self.image(attack.system(archive.directory("data"), *deep)))
        self.assertEqual(len(list(data.rglob("d"))), 249)
        self.ok("volume", "rm", "vol")

    def test_overlay_s_attributes_stay_out(self):
        image = self.image(attack.system(archive.directory("data"), archive.directory("data/d"), archive.file("data/d/f", "")),
                           [archive.directory("data/d"), archive.file("data/d/.wh..wh..opq", "")])
        data = self.contents(image)
        self.assertEqual(os.listxattr(data / "d"), [])
        self.assertEqual(list((data / "d").iterdir()), [])


class ChangeOfOwner(Volumes):
    def test_a_directory_that_becomes_a_link_meanwhile(self):
        outside = self.work / "outside"
        outside.mkdir()
        for number in range(50):
            (outside / f"f{number}").write_text("")
        shared = self.work / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        busy = self.start("run", "--name", "busy", "-v", f"{shared}:/v", case.DEMO, "sh", "-c",
                          "mkdir -p /v/real; for i in 1 2 3 4 5 6 7 8 9; do touch /v/real/f$i; done; echo up; "
                          f"while :; do mv /v/real /v/x; ln -s {outside} /v/real; rm /v/real; mv /v/x /v/real; done",
                          stdout=subprocess.PIPE)
        self.assertEqual(busy.stdout.readline(), b"up\n")
        for uid in range(1, 16):
            self.berth("run", "--rm", "-u", str(uid), "-v", f"{shared}:/v:U", case.DEMO, "true")
        self.ok("rm", "--force", "busy")
        self.assertEqual({path.stat().st_uid for path in [outside, *outside.iterdir()]}, {0})


case.main()
