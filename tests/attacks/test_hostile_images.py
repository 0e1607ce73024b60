"""Images whose directories, links, devices and account files are not what a start expects."""

import os
import pathlib
import subprocess
import tarfile

from support import attack, case
from support.attack import archive, device, fifo

# Names of the host that a link out of an image would reach.
OUTSIDE = ("/berth-attack-out", "/../../../../berth-attack-out", "../../../../../../berth-attack-out")


class Links(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.victim = pathlib.Path("/berth-attack-out")
        self.victim.mkdir()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", self.victim], check=True))
        (self.victim / "hosts").write_text("the host's")
        (self.victim / "null").write_text("the host's")
        os.mkfifo(self.victim / "pipe")

    def check(self, *members, command=("id",), flags=(), outcomes=(0, 125, 126, 127), **settings):
        """A clear error or a safe start; whatever it is, the host's directory is as it was, and nothing hangs."""
        before = self.files_of(self.victim)
        image = self.image(attack.system(*members), **settings)
        done = self.berth("run", "--rm", *self.programs(), *flags, image, *command, timeout=30)
        self.assertIn(done.status, outcomes, done)
        if done.status >= 125:
            self.assertRegex(done.stderr, r"(?m)^berth: .+")
        self.assertEqual(self.files_of(self.victim), before, done)
        self.assertNotIn("the host's", done.stdout, done)
        return done

    def test_directories_as_links_out(self):
        for name in ("dev", "proc", "sys", "etc", "run", "tmp"):
            for target in OUTSIDE:
                self.check(archive.link(name, target), command=("cat", f"/{name}/hosts", f"/{name}/null"),
                           outcomes=(0, 1, 125))

    def test_directories_as_files_and_pipes(self):
        for name in ("dev", "proc", "sys", "etc"):
            self.check(archive.file(name, "a file"))
            self.check(fifo(name))

    def test_single_files_as_links_and_pipes(self):
        directories = [archive.directory(name) for name in ("dev", "etc", "proc", "sys")]
        for name in ("dev/null", "dev/pts", "dev/shm", "dev/mqueue", "dev/console", "dev/fd", "etc/hosts",
                     "etc/hostname", "etc/resolv.conf"):
            for target in (*OUTSIDE[:2], "/berth-attack-out/hosts", "/proc/1/root/berth-attack-out", "/dev/null", name):
                self.check(*directories, archive.link(name, target))
            self.check(*directories, fifo(name))
            self.check(*directories, archive.file(name, "x"))

    def test_one_mount_led_over_another(self):
        """The masks must not miss, so that a proc without them is nowhere to be found."""
        cases = [[archive.link("dev", "/proc")], [archive.link("sys", "/proc")], [archive.link("proc", "/dev")],
                 [archive.directory("x"), archive.link("proc", "/x/proc"), archive.link("dev", "/x")],
                 [archive.link("proc", "/vol/proc"), archive.directory("vol"), archive.directory("vol/proc")],
                 [archive.link("vol", "/proc")], [archive.link("vol", "/dev")]]
        for members in cases:
            done = self.check(*members, command=("/attack/mounts", "proc"),
                              flags=("--volume", "v:/vol", *attack.ADMIN))
            self.assertNotIn("BROKEN", done.stdout, done)
            self.assertEqual(done.status, 125, done)
            self.assertRegex(done.stderr, "leads|not a directory|ENOENT|ENOTDIR|ELOOP")

    def test_targets_that_somebody_renames_meanwhile(self):
        self.load_demo()
        self.ok("run", "--rm", "-v", "v:/v", case.DEMO, "sh", "-c",
                "mkdir /v/swap && ln -s ../../../../../../../../berth-attack-out /v/link")
        self.check()
        renamer = self.start("run", "--rm", "-v", "v:/v", *self.programs(), "localhost/attack:latest",
                             "/attack/renamer", "/v/swap", "/v/link", stdout=subprocess.PIPE)
        self.assertEqual(renamer.stdout.readline(), b"started\n")
        before = self.files_of(self.victim)
        for round_number in range(25):
            done = self.berth("run", "--rm", "-v", "v:/v", "-v", f"w:/v/swap/in{round_number}", "--tmpfs",
                              "/v/link/tmp", "-w", "/v/swap/work", "localhost/attack:latest", "true", timeout=30)
            self.assertIn(done.status, (0, 125), done)
        self.assertEqual(self.files_of(self.victim), before)
        self.assertIsNone(renamer.poll(), "the renamer has stopped")
        renamer.terminate()
        renamer.wait(20)


class Devices(attack.AttackCase):
    def test_device_nodes_of_a_layer_are_dead(self):
        image = self.image(attack.system(
            device("zero", tarfile.CHRTYPE, 1, 5), device("null", tarfile.CHRTYPE, 1, 3),
            device("disk", tarfile.BLKTYPE, 7, 0), device("kmsg", tarfile.CHRTYPE, 1, 11)))
        for flags in ((), ("--privileged",), ("--user", "1000"), ("--userns", "host")):
            self.attack(image, "devices", "open=/zero", "open=/null", "open=/disk", "open=/kmsg",
                        flags=(*flags, "--cap-drop", "MKNOD") if "host" in flags else flags)

    def test_nodes_in_a_volume_are_dead(self):
        self.load_demo()
        self.ok("run", "--rm", "-v", "v:/v", case.DEMO, "true")
        os.mknod(self.root / "volumes/v/_data/zero", 0o20666, os.makedev(1, 5))
        self.attack(case.DEMO, "devices", "open=/v/zero", flags=("-v", "v:/v", "--privileged"))


class Layers(attack.AttackCase):
    """End to end; what else a layer may hold is in the tests of the unpacker."""

    def refused(self, *layers):
        outside = pathlib.Path("/berth-attack-out")
        outside.mkdir()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", outside], check=True))
        path = self.work / "attack.tar"
        archive.write(path, ["localhost/attack:latest"], [archive.tar_bytes(layer) for layer in layers], {})
        done = self.berth("load", "-i", path)
        self.assertEqual(list(outside.iterdir()), [], done)
        self.assertFalse(pathlib.Path("/etc/berth-attack").exists())
        return done

    def test_parent_directories(self):
        done = self.refused(attack.system(archive.file("../../../../../../../../berth-attack-out/made", "x")))
        self.assertNotEqual(done.status, 0, done)
        self.assertRegex(done.stderr, r"(?m)^berth: ")
        self.assertEqual(self.ok("images", "-q").strip() if "images" in self.ok("--help") else "", "")

    def test_link_and_write_through_it(self):
        done = self.refused(attack.system(archive.link("out", "/berth-attack-out"), archive.file("out/made", "x")))
        if done.status == 0:
            self.assertEqual(self.ok("run", "--rm", "localhost/attack:latest", "cat", "/out/made"), "x")

    def test_link_in_one_layer_and_write_in_the_next(self):
        self.refused(attack.system(archive.link("out", "../../../../../../../berth-attack-out")),
                     [archive.file("out/made", "x")])

    def test_hard_link_out(self):
        done = self.refused(attack.system(archive.entry("shadow", tarfile.LNKTYPE, link="../../../../../etc/shadow")))
        self.assertNotEqual(done.status, 0, done)


case.main()
