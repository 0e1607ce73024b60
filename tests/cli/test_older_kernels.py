"""What berth does where the kernel lacks something: the next best, or a clear no."""

import pathlib
import subprocess
import sys

from support import attack, case, leftovers

SHIM = pathlib.Path(__file__).resolve().parents[1] / "support" / "older_kernel.py"
NO_LAYERS_BY_DESCRIPTOR = "fsconfig=EINVAL,1:5"  # FSCONFIG_SET_FD
NO_OVERLAY_BY_PATH = "mount=EINVAL,3:4"  # nothing else is mounted with MS_NODEV alone
NO_MOUNT_SETATTR = "mount_setattr=ENOSYS"


class OlderKernels(attack.AttackCase):
    def command_without(self, lacking, *args):
        return [sys.executable, "-B", str(SHIM), lacking, "--", *self.command(*args)]

    def without(self, lacking, *args):
        return case.run(*self.command_without(lacking, *args), env=self.environment, cwd=self.work)

    def layered(self):
        """An image of three layers: something added, something hidden, a directory whose mode the highest gives."""
        archive = attack.archive
        return self.image(attack.system(archive.file("data/low", "low\n"), archive.file("data/gone", "gone\n")),
                          [archive.directory("data", 0o750), archive.file("data/.wh.gone", "")],
                          [archive.file("data/high", "high\n")])

    # -- a mount is taken over from another container with mount_setattr only (5.12)

    def test_shared_memory_of_another_container(self):
        image = self.load_demo()
        self.addCleanup(self.berth, "rm", "--force", "--all")
        start = ("run", "-d", "--name", "first", "--userns", "host", "-v", "memory:/dev/shm", image, "sleep", "1000")
        self.assertEqual(self.without("mount_api", *start).status, 0)
        ipc = self.ok("exec", "first", "readlink", "/proc/self/ns/ipc")
        shared = ("run", "--rm", "--userns", "host", "--ipc", "container:first")
        done = self.without("mount_api", *shared, image, "true")
        self.assertEqual(done.status, 125, done)
        for words in ("share /dev/shm", "no mount_setattr", "hint: A volume in both takes its place (-v NAME:/dev/shm)"):
            self.assertIn(words, done.stderr)
        # And so it is.
        done = self.without("mount_api", *shared, "-v", "memory:/dev/shm", image, "sh", "-c",
                            "readlink /proc/self/ns/ipc; echo hello > /dev/shm/file")
        self.assertEqual((done.status, done.stdout), (0, ipc), done)
        self.assertEqual(self.ok("exec", "first", "cat", "/dev/shm/file"), "hello\n")

    # -- overlayfs takes layers by path only (before Linux 6.13)

    def test_layers_by_path(self):
        done = self.without(NO_LAYERS_BY_DESCRIPTOR, "--log-level", "debug", "run", "--rm", self.layered(), "sh", "-c",
                            "ls -A /data; cat /proc/self/uid_map; echo new > /data/low; cat /data/low")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.stdout.split()[:2], ["high", "low"], done)
        self.assertTrue(done.stdout.endswith("new\n"), done)
        self.assertNotEqual(done.stdout.split()[3], "0", "a bank of its own")
        self.assertIn("using paths", done.stderr)
        self.assert_nothing_left()

    def test_layers_by_path_are_a_detail(self):
        done = self.without(NO_LAYERS_BY_DESCRIPTOR, "run", "--rm", self.load_demo(), "true")
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "", ""), done)

    def test_another_user_of_a_layered_image(self):
        done = self.without(NO_LAYERS_BY_DESCRIPTOR, "run", "--rm", "-u", "10000", self.layered(), "sh", "-c",
                            "id; whoami; grep -c . /etc/passwd")
        self.assertEqual((done.status, done.stdout),
                         (0, "uid=10000(10000) gid=0(root) groups=0(root)\n10000\n2\n"), done)

    def test_the_host_sees_no_mount(self):
        before = leftovers.mounts()
        words = self.command_without(NO_LAYERS_BY_DESCRIPTOR, "run", "--rm", self.load_demo(), "sh", "-c",
                                     "echo up; read line; cat /proc/self/mountinfo")
        running = subprocess.Popen(words, env=self.environment, cwd=self.work, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        self.addCleanup(running.stdout.close)
        self.addCleanup(running.wait, 20)
        self.assertEqual(running.stdout.readline(), b"up\n")
        self.assertEqual(leftovers.mounts(), before)
        inside = running.stdout.read().decode()
        self.assertIn(" / / ", inside)
        self.assertNotIn(str(self.runroot), inside, "the place where the layers were stacked")

    def test_a_second_start(self):
        self.ok("create", "--name", "one", self.load_demo(), "sh", "-c", "echo x >> /root/log; cat /root/log")
        for lacking, said in ((NO_LAYERS_BY_DESCRIPTOR, "x\n"), (NO_LAYERS_BY_DESCRIPTOR, "x\nx\n")):
            done = self.without(lacking, "start", "--attach", "one")
            self.assertEqual((done.status, done.stdout), (0, said), done)
        self.assertEqual(self.ok("start", "--attach", "one"), "x\nx\nx\n")

    # -- no idmapped mounts: with EINVAL images are copied (test_translate.py)

    def test_mapped_layers_that_can_not_be_stacked(self):
        """Linux 5.12 to 5.18. No overlay at all stands in for it while the container is made; it is started without."""
        words = [sys.executable, "-B", str(SHIM), NO_LAYERS_BY_DESCRIPTOR, NO_OVERLAY_BY_PATH, "--",
                 *self.command("create", "--name", "one", self.load_demo(), "stat", "-c", "%u:%g", "/etc/passwd")]
        done = case.run(*words, env=self.environment, cwd=self.work)
        self.assertEqual((done.status, done.stderr), (0, ""), done)
        self.assertEqual(list(self.runroot.glob("stacks-mapped-*")), [], "and it is not taken for possible")
        done = self.berth("start", "--attach", "one")
        self.assertEqual((done.status, done.stdout), (0, "0:0\n"), done)
        self.assertIn("berth: copying ", done.stderr)
        self.ok("rm", "one")
        self.assertEqual(self.ok("run", "--rm", case.DEMO, "true"), "")
        self.assertEqual(len(list(self.runroot.glob("stacks-mapped-*"))), 1, "tried once, for as long as it is up")

    def test_the_probe_tries_both_ways_and_leaves_nothing(self):
        subprocess.run(["mount", "--make-rshared", "/"], check=True)  # as systemd makes it
        self.addCleanup(subprocess.run, ["mount", "--make-rprivate", "/"], check=True)
        before = leftovers.mounts()
        self.load_demo()
        for lacking in ("fsopen=EPERM,0:0", NO_LAYERS_BY_DESCRIPTOR):  # the first fails nowhere
            for note in self.runroot.glob("stacks-mapped-*"):
                note.unlink()
            done = self.without(lacking, "run", "--rm", case.DEMO, "true")
            self.assertEqual((done.status, done.stderr), (0, ""), done)
            self.assertEqual(len(list(self.runroot.glob("stacks-mapped-*"))), 1)
        self.assertEqual(leftovers.mounts(), before)
        self.assertEqual(list((self.root / "tmp").iterdir()), [])

    # -- no mount_setattr (before Linux 5.12), or no mount API at all (before 5.2): images are copied, and mounts are made in
    # a place of their own and moved

    def test_without_the_mount_api(self):
        image = self.layered()
        script = ("ls -A /data; stat -c %u:%g /etc/passwd; echo new > /data/low; cat /data/low; id -u; "
                  "echo x > /proc/sys/kernel/core_pattern; touch /dev/shm/one && stat -c %u /dev/pts/ptmx; cat /proc/self/uid_map")
        seen = {}
        for lacking in (NO_MOUNT_SETATTR, "mount_api"):
            done = self.without(lacking, "run", "--rm", "--name", "one", image, "sh", "-c", script)
            self.assertEqual(done.status, 0, done)
            self.assertIn("Read-only file system", done.stderr, "what is masked elsewhere is masked here")
            seen[lacking] = done.stdout.split()
            self.assertEqual(seen[lacking][:6], ["high", "low", "0:0", "new", "0", "0"], done)
            self.assertNotEqual(seen[lacking][7], "0", "a bank of its own")
            self.assert_nothing_left()

    def mounts_inside(self, done):
        """Place, type and options of each mount, without what differs from start to start."""
        rows = [line.split() for line in done.stdout.splitlines()]
        return [(row[4], row[5], row[row.index("-") + 1]) for row in rows]

    def test_the_same_mounts_without_the_mount_api(self):
        image = self.load_demo()
        words = ("run", "--rm", "--tmpfs", "/scratch:ro", "-v", "/usr:/shared:ro", image, "cat", "/proc/self/mountinfo")
        done = self.without("mount_api", *words)  # first, for what a kernel can is noted as long as it is up
        self.assertEqual(done.status, 0, done)
        ok = self.berth(*words)
        self.assertEqual(ok.status, 0, ok)
        self.assertEqual(self.mounts_inside(done), self.mounts_inside(ok))

    def test_a_terminal_and_a_second_start_without_the_mount_api(self):
        self.load_demo()
        done = self.without("mount_api", "create", "--name", "one", "-t", case.DEMO, "sh", "-c",
                            "tty; echo x >> /root/log; cat /root/log")
        self.assertEqual(done.status, 0, done)
        before = leftovers.mounts()
        for said in ("x\r\n", "x\r\nx\r\n"):
            done = self.without("mount_api", "start", "--attach", "one")
            self.assertEqual((done.status, done.stdout), (0, "/dev/pts/0\r\n" + said), done)
        self.assertEqual(leftovers.mounts(), before)

    def test_a_volume_without_the_mount_api(self):
        self.ok("volume", "create", "data")
        done = self.without("mount_api", "run", "--rm", "-v", "data:/data", self.load_demo(), "true")
        self.assertEqual(done.status, 125, done)
        for text in ("a volume needs mapped IDs", "Linux 5.12", "hint: "):
            self.assertIn(text, done.stderr)
        self.assert_nothing_left()


case.main()
