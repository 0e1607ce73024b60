"""berth run: what the process finds in its file system. Bind mounts, volumes, tmpfs, a read-only root."""

import os

from support.case import DEMO, BerthCase, main


class WorkingDirectory(BerthCase):
    def test_open_to_the_user_only(self):
        """A host directory whose owner the container does not know, and whose group is the user's."""
        self.load_demo()
        directory = self.work / "host"
        directory.mkdir()
        self.ok("create", "--name", "one", "-v", f"{directory}:/d", "-w", "/d", "-u", "5000:5000", DEMO, "sh", "-c",
                "pwd; cat /proc/self/uid_map")
        bank = int(self.ok("start", "-a", "one").split()[2])
        os.chown(directory, 0, bank + 5000)
        directory.chmod(0o710)
        self.assertEqual(self.ok("start", "-a", "one").split()[0], "/d")
        directory.chmod(0o700)
        done = self.fails(125, "start", "-a", "one", saying=["enter the working directory /d", "EACCES"])
        self.assertNotIn("/d\n", done.stdout)


class Files(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def sh(self, script, *flags):
        return self.ok("run", "--rm", *flags, DEMO, "sh", "-c", script)

    def refused(self, *flags, saying):
        return self.fails(125, "run", "--rm", *flags, DEMO, "true", saying=saying)


class Root(Files):
    def test_what_is_written_stays_in_the_container(self):
        self.ok("run", "--name", "writer", DEMO, "sh", "-c", "echo changed > /etc/passwd; echo new > /new")
        self.assertIn("root:x:0:0", self.sh("cat /etc/passwd; ls /"))
        self.assertNotIn("new", self.sh("ls /"))

    def test_read_only(self):
        done = self.berth("run", "--rm", "--read-only", DEMO, "sh", "-c", "touch /file")
        self.assertIn("Read-only file system", done.stderr)
        self.assertNotEqual(done.status, 0)
        self.assertEqual(self.sh("for d in /tmp /run /var/tmp /dev/shm; do touch $d/x && echo $d; done", "--read-only"),
                         "/tmp\n/run\n/var/tmp\n/dev/shm\n")
        done = self.berth("run", "--rm", "--read-only", "--read-only-tmpfs=false", DEMO, "touch", "/tmp/x")
        self.assertIn("Read-only file system", done.stderr)

    def test_read_only_with_a_place_to_write(self):
        self.assertEqual(self.sh("echo x > /data/f && cat /data/f", "--read-only", "-v", "store:/data"), "x\n")

    def test_shm_size(self):
        sizes = {(): "65536", ("--shm-size", "1m"): "1024", ("--shm-size", "2097152"): "2048"}
        for flags, kilobytes in sizes.items():
            self.assertEqual(self.sh("df -k /dev/shm | tail -n 1", *flags).split()[1], kilobytes, flags)
        self.refused("--shm-size", "large", saying="--shm-size large")

    def test_the_devices_of_the_runtime_specification(self):
        listed = self.sh("stat -c '%n %F %u:%g %a' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty")
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            self.assertIn(f"/dev/{name} character special file 0:0 666\n", listed)
        links = self.sh("readlink /dev/fd; readlink /dev/stdin; readlink /dev/stdout; readlink /dev/stderr; readlink /dev/ptmx")
        self.assertEqual(links.split(), ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "pts/ptmx"])
        self.assertEqual(self.sh("echo x > /dev/null; head -c 2 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c"), "2\n4\n")

    def test_sensitive_paths_are_hidden_or_read_only(self):
        masked = [path for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts", "/sys/firmware")
                  if os.path.exists(path)]
        self.assertTrue(masked)
        for path in masked:
            self.assertEqual(self.sh(f"test -d {path} && ls -A {path} || cat {path}"), "", path)
        for path in ("/proc/sys/kernel/domainname", "/proc/irq/default_smp_affinity"):
            done = self.berth("run", "--rm", DEMO, "sh", "-c", f"echo 1 > {path}")
            self.assertIn("Read-only file system", done.stderr)


class Tmpfs(Files):
    def test_tmpfs(self):
        self.assertEqual(self.sh("stat -c '%a %u' /scratch; df -k /scratch | tail -n 1 | awk '{print $1, $2}'",
                                 "--tmpfs", "/scratch:size=1m,mode=0700"), "700 0\ntmpfs 1024\n")
        self.assertIn("noexec", self.sh("grep ' /scratch ' /proc/mounts", "--tmpfs", "/scratch:noexec"))

    def test_over_what_the_image_has(self):
        self.assertEqual(self.sh("ls -A /bin/; true", "--tmpfs", "/usr/bin"), self.sh("ls -A /bin/"))
        self.assertEqual(self.sh("ls -A /usr/bin", "--tmpfs", "/usr/bin"), "")

    def test_mistakes(self):
        self.refused("--tmpfs", "relative", saying=["--tmpfs relative", "absolute"])
        self.refused("--tmpfs", "/x:colour=red", saying=["colour=red", "tmpfs"])
        self.refused("--tmpfs", "/x", "--tmpfs", "/x", saying="/x")
        self.refused("--tmpfs", "/proc", saying="/proc")


class Binds(Files):
    def setUp(self):
        super().setUp()
        self.shared = self.work / "shared"
        self.shared.mkdir()
        (self.shared / "file").write_text("from the host\n")

    def test_read_write_and_read_only(self):
        # The host's files keep their owners, so the container's root is nobody in particular there.
        self.shared.chmod(0o777)
        self.assertEqual(self.sh("cat /mnt/file; echo inside > /mnt/new", "-v", f"{self.shared}:/mnt"), "from the host\n")
        self.assertEqual((self.shared / "new").read_text(), "inside\n")
        done = self.berth("run", "--rm", "-v", f"{self.shared}:/mnt:ro", DEMO, "sh", "-c", "cat /mnt/file; touch /mnt/x")
        self.assertIn("from the host", done.stdout)
        self.assertIn("Read-only file system", done.stderr)

    def test_the_host_s_root_is_nobody_inside(self):
        self.assertEqual(self.sh("stat -c %u:%g /mnt/file", "-v", f"{self.shared}:/mnt"), "65534:65534\n")
        done = self.berth("run", "--rm", "-v", f"{self.shared}:/mnt", DEMO, "touch", "/mnt/x")
        self.assertIn("Permission denied", done.stderr)

    def test_a_file(self):
        self.assertEqual(self.sh("cat /etc/config", "-v", f"{self.shared}/file:/etc/config:ro"), "from the host\n")
        self.assertEqual(self.sh("cat /bin/sh-copy/deep/file", "-v", f"{self.shared}/file:/bin/sh-copy/deep/file"),
                         "from the host\n")

    def test_a_relative_source(self):
        self.assertEqual(self.sh("cat /mnt/file", "-v", "./shared:/mnt"), "from the host\n")

    def test_no_setuid_and_no_device_from_outside_unless_asked(self):
        options = self.sh("grep ' /mnt ' /proc/mounts", "-v", f"{self.shared}:/mnt")
        self.assertIn("nosuid", options)
        self.assertIn("nodev", options)
        self.assertNotIn("nosuid", self.sh("grep ' /mnt ' /proc/mounts", "-v", f"{self.shared}:/mnt:suid"))

    def test_mounts_lie_in_order_of_depth(self):
        (self.shared / "inner").mkdir()
        self.assertEqual(self.sh("ls /mnt/inner; ls /mnt", "-v", "vol:/mnt/inner", "-v", f"{self.shared}:/mnt"),
                         "file\ninner\n")

    def test_mount_flag(self):
        source = f"type=bind,source={self.shared},target=/mnt"
        self.assertEqual(self.sh("cat /mnt/file", "--mount", source), "from the host\n")
        for read_only in ("ro", "readonly", "ro=true", "readonly=1"):
            done = self.berth("run", "--rm", "--mount", f"{source},{read_only}", DEMO, "touch", "/mnt/x")
            self.assertIn("Read-only file system", done.stderr)
        self.assertEqual(self.sh("df -k /t | tail -n 1 | awk '{print $2}'; stat -c %a /t", "--mount",
                                 "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0711"), "1024\n711\n")
        self.sh("echo x > /v/file", "--mount", "type=volume,src=named,dst=/v")
        self.assertEqual(self.sh("cat /v/file", "--mount", "src=named,target=/v"), "x\n")

    def test_mistakes(self):
        self.refused("-v", f"{self.shared}/missing:/mnt", saying=["missing", "ENOENT"])
        self.refused("-v", f"{self.shared}:relative", saying=["relative", "absolute"])
        self.refused("-v", "a:b:c:d", saying="SOURCE:TARGET[:OPTIONS]")
        self.refused("-v", f"{self.shared}:/mnt:colour", saying="colour")
        self.refused("-v", f"{self.shared}/file:/etc", saying="directory")
        self.refused("-v", f"{self.shared}:/proc", saying="/proc")
        self.refused("--mount", "type=nfs,target=/x", saying="nfs")
        self.refused("--mount", "type=bind,target=/x", saying="source=PATH")
        self.refused("--mount", f"type=bind,source={self.shared}", saying="absolute path")
        self.refused("--mount", f"type=bind,source={self.shared},target=/x,ro=maybe", saying="maybe")
        self.assert_nothing_left()

    def test_a_mount_on_the_host_made_later_does_not_come_in(self):
        options = self.sh("grep ' /mnt ' /proc/self/mountinfo", "-v", f"{self.shared}:/mnt")
        self.assertNotIn("shared:", options)
        self.assertNotIn("master:", options)


class Volumes(Files):
    def test_a_volume_keeps_what_was_written_from_another_bank(self):
        first = self.sh("cat /proc/self/uid_map; echo kept > /data/f; chown 33:1000 /data/f", "-v", "store:/data")
        # The first bank rests, so the second container has another one and sees the same IDs.
        second = self.sh("cat /proc/self/uid_map", "-v", "store:/data")
        self.assertNotEqual(first, second)
        self.assertEqual(self.sh("cat /data/f; stat -c %u:%g /data/f", "-v", "store:/data"), "kept\n33:1000\n")

    def test_on_disk_the_ids_are_the_container_s(self):
        self.sh("touch /data/f; chown 33:1000 /data/f", "-v", "store:/data")
        status = (self.root / "volumes" / "store" / "_data" / "f").stat()
        self.assertEqual((status.st_uid, status.st_gid), (33, 1000))

    def test_a_read_only_volume(self):
        self.sh("touch /data/f", "-v", "store:/data")
        done = self.berth("run", "--rm", "-v", "store:/data:ro", DEMO, "touch", "/data/f")
        self.assertIn("Read-only file system", done.stderr)

    def test_a_volume_without_a_name_is_the_container_s_own(self):
        self.assertEqual(self.sh("touch /data/f; ls /data", "-v", "/data"), "f\n")
        self.assertEqual(self.sh("ls /data", "-v", "/data"), "")

    def test_what_rm_removes(self):
        self.sh("touch /data/f", "-v", "/data")
        self.sh("touch /data/f", "-v", "named:/data")
        self.assertEqual([path.name for path in (self.root / "volumes").iterdir()], ["named"],
                         "--rm takes the volumes that have no name along")

    def test_names(self):
        self.refused("-v", "../up:/data", saying="../up")
        self.refused("-v", "a b:/data", saying="a b")
        self.refused("-v", ".hidden:/data", saying=".hidden")


if __name__ == "__main__":
    main()
