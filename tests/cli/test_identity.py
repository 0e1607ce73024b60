"""Who the process is: users of every kind, the bank that a container has for itself, PID 1, and an image that stays as
it was."""

import hashlib
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import time

from support import images, leftovers
from support.case import DEMO, BerthCase, main
from support.images import archive

PASSWD = """\
root:x:0:0:root:/root:/bin/sh
worker:x:1000:1000:worker:/home/worker:/bin/sh
outside:x:70000:70000::/:/bin/sh
4294967296:x:0:0::/:/bin/sh
4242:x:7:7::/:/bin/sh
"""
GROUP = """\
root:x:0:
audio:x:29:worker
video:x:44:other,worker
worker:x:1000:
4294967296:x:0:
"""


def tree_hash(directory):
    """Of all that a directory tree is: names, kinds, owners, modes, times, contents, attributes."""
    total = hashlib.sha256()
    for path in sorted(pathlib.Path(directory).rglob("*")):
        status = path.lstat()
        total.update(f"{path.relative_to(directory)} {status.st_mode:o} {status.st_uid}:{status.st_gid} "
                     f"{status.st_size} {status.st_mtime_ns} {status.st_nlink}\n".encode())
        for name in os.listxattr(path, follow_symlinks=False):
            total.update(name.encode() + os.getxattr(path, name, follow_symlinks=False))
        if stat.S_ISREG(status.st_mode):
            total.update(path.read_bytes())
    return total.hexdigest()


class Identity(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def sh(self, script, *flags, image=DEMO):
        return self.ok("run", "--rm", *flags, image, "sh", "-c", script)

    def background(self, *words):
        """Starts `berth run` of a command that says a line when it is ready, and waits for that line."""
        process = self.start("run", *words, stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def state(self, name):
        return json.loads(self.ok("inspect", name))[0]["State"]


class AnyUid(Identity):
    def test_a_uid_that_the_image_does_not_know(self):
        self.assertEqual(self.sh("id", "-u", "10000"), "uid=10000(10000) gid=0(root) groups=0(root)\n")
        self.assertEqual(self.sh("whoami; id -un; id -gn", "-u", "10000"), "10000\n10000\nroot\n")

    def test_its_home_exists_and_can_be_written(self):
        self.assertEqual(self.sh("echo x > $HOME/file && cat $HOME/file; echo $HOME; grep ^10000 /etc/passwd", "-u", "10000"),
                         "x\n/tmp\n10000:x:10000:0:Container user:/tmp:/bin/sh\n")
        # The working directory, where group 0 may write there.
        self.assertEqual(self.sh("echo $HOME; touch $HOME/f && echo ok", "-u", "10000", "-w", "/home/demo"), "/home/demo\nok\n")

    def test_the_image_s_layers_are_not_touched(self):
        before = tree_hash(self.root / "layers")
        self.sh("echo mine > /tmp/f; whoami", "-u", "10000")
        self.sh("echo x >> /etc/passwd; chown -R 33:33 /home /bin; rm -r /var")
        self.assertEqual(tree_hash(self.root / "layers"), before)

    def test_the_container_may_change_its_passwd_all_the_same(self):
        self.ok("create", "--name", "job", DEMO, "sh", "-c", "grep -c . /etc/passwd; echo new:x:5:5::/:/bin/sh >> /etc/passwd")
        self.assertEqual([self.ok("start", "-a", "job") for _ in range(3)], ["3\n", "4\n", "5\n"])

    def test_two_users_of_one_image_at_once_do_not_see_each_other(self):
        self.assertEqual(self.sh("cat /etc/passwd", "-u", "10000").count("Container user"), 1)
        self.assertNotIn("10000", self.sh("cat /etc/passwd", "-u", "10001"))

    def test_an_image_without_accounts(self):
        image = images.load(self, "bare", images.busybox_entries())
        self.assertEqual(self.sh("id", "-u", "10000", image=image), "uid=10000(10000) gid=0(root) groups=0(root)\n")
        self.assertEqual(self.sh("id; whoami", image=image), "uid=0(root) gid=0(root) groups=0(root)\nroot\n")

    def test_etc_behind_a_link(self):
        def entries():
            for member in images.busybox_entries():
                if member[0].name != "etc":
                    yield member
            yield archive.directory("usr")
            yield archive.directory("usr/etc", mode=0o750, uid=3, gid=4)
            yield archive.file("usr/etc/passwd", "root:x:0:0::/root:/bin/sh\n", mode=0o640)
            yield archive.link("etc", "usr/etc")
        image = images.load(self, "linked", entries())
        # Seen by root, with the user's layer on top.
        self.assertEqual(self.sh("stat -c '%u:%g %a' /usr/etc/ /usr/etc/passwd; readlink /etc", "-u", "0:4242", image=image),
                         "3:4 750\n0:0 640\nusr/etc\n")
        self.assertEqual(self.sh("cat /etc/passwd /etc/group", "-u", "0:4242", image=image),
                         "root:x:0:0::/root:/bin/sh\nroot:x:0:\n4242:x:4242:\n")


class Users(Identity):
    def setUp(self):
        super().setUp()
        entries = [*images.busybox_entries(PASSWD, GROUP), archive.directory("home"),
                   archive.directory("home/worker", uid=1000, gid=1000)]
        self.image = images.load(self, "users", entries)

    def identity(self, user, *flags):
        return self.sh("id", "-u", user, *flags, image=self.image).strip()

    def refused(self, user, *saying):
        self.fails(125, "run", "--rm", f"--user={user}", self.image, "id", saying=saying)

    def test_names_and_numbers(self):
        whole = "uid=1000(worker) gid=1000(worker) groups=29(audio),44(video),1000(worker)"
        self.assertEqual(self.identity("worker"), whole)
        self.assertEqual(self.identity("1000"), whole)
        self.assertEqual(self.identity("worker:audio"), "uid=1000(worker) gid=29(audio) groups=29(audio)")
        self.assertEqual(self.identity("1000:44"), "uid=1000(worker) gid=44(video) groups=44(video)")
        self.assertEqual(self.identity("10000:10001"), "uid=10000(10000) gid=10001(10001) groups=10001(10001)")
        self.assertEqual(self.identity(":29"), "uid=0(root) gid=29(audio) groups=29(audio)")
        self.assertEqual(self.sh("echo $HOME; touch ~/x && echo ok", "-u", "worker", image=self.image), "/home/worker\nok\n")

    def test_the_image_s_user(self):
        for user, uid in (("worker", "1000"), ("1000:29", "1000"), ("10000", "10000"), ("", "0")):
            image = images.load(self, "user", images.busybox_entries(PASSWD, GROUP), {"User": user})
            self.assertEqual(self.sh("id -u", image=image).strip(), uid)
            self.assertEqual(self.sh("id -u", "-u", "33", image=image).strip(), "33", "the flag comes first")

    def test_an_all_digit_name_is_a_number(self):
        self.assertEqual(self.identity("4242"), "uid=4242(u4242) gid=0(root) groups=0(root)")

    def test_what_the_image_does_not_know_by_name(self):
        self.refused("nobody", 'no user "nobody" in the image\'s /etc/passwd', "hint: Use a number")
        self.refused("worker:nogroup", 'no group "nogroup" in the image\'s /etc/group')
        image = images.load(self, "mistake", images.busybox_entries(PASSWD, GROUP), {"User": "ghost"})
        self.fails(125, "run", "--rm", image, "id", saying=["the image's USER", "ghost"])

    def test_outside_the_map(self):
        for user in ("65536", "70000", "outside", "2147483646"):
            self.refused(user, "outside the container's map of user IDs (0-65535 ")
        self.refused("0:65536", "outside the container's map of group IDs (0-65535 ")
        self.fails(125, "run", "--rm", "--group-add", "65536", self.image, "id", saying="outside the container's map")
        self.assertEqual(self.identity("65535"), "uid=65535(65535) gid=0(root) groups=0(root)")

    def test_numbers_that_do_not_fit_never_become_root(self):
        # CVE-2024-40635, CVE-2026-46680: the image has an entry 4294967296:x:0:0 for who looks the number up as a name.
        for number in ("2147483647", "2147483648", "4294967294", "4294967295", "4294967296", "-1", "99999999999999999999",
                       "18446744073709551616", "0x0", "1e0", "+0", " 0", "00x"):
            for user in (number, f"1000:{number}"):
                done = self.berth("run", "--rm", f"--user={user}", self.image, "id")
                self.assertEqual(done.status, 125, done)
                self.assertRegex(done.stderr, "^berth: ")
                self.assertEqual(done.stdout, "")

    def test_without_a_private_map_large_numbers_are_exact(self):
        for number in (2147483647, 2147483648, 4294967294):
            self.assertEqual(self.sh("id -u; id -g", "--userns=host", "-u", f"{number}:{number}", image=self.image),
                             f"{number}\n{number}\n")
        self.fails(125, "run", "--rm", "--userns=host", "-u", "4294967295", self.image, "id")

    def test_the_primary_group_counts_for_negative_permission(self):
        # CVE-2022-2989 and its kin: mode 0604 keeps the group out, so whoever has it must be seen to have it.
        entries = [*images.busybox_entries(PASSWD, GROUP), archive.file("secret", "no\n", mode=0o604, uid=0, gid=29)]
        image = images.load(self, "negative", entries)
        for flags in (("-u", "10000:29"), ("-u", "worker:29"), ("-u", "worker"), ("-u", "10000:5", "--group-add", "29")):
            done = self.berth("run", "--rm", *flags, image, "cat", "/secret")
            self.assertIn("Permission denied", done.stderr, flags)
            self.assertIn("29", self.sh("id -G", *flags, image=image).split())
        self.assertEqual(self.sh("cat /secret", "-u", "10000:5", image=image), "no\n", "others may read it")

    def test_the_uid_is_the_same_at_the_1st_2nd_and_10th_start(self):
        image = images.load(self, "restart", images.busybox_entries(PASSWD, GROUP), {"User": "worker"})
        for name, flags in (("by-image", ()), ("by-flag", ("-u", "10000"))):
            self.ok("create", "--name", name, *flags, image, "sh", "-c", "id; cat /proc/self/uid_map")
            self.assertEqual(len({self.ok("start", "-a", name) for _ in range(10)}), 1)

    def test_hostile_passwd_entries_add_nothing(self):
        hostile = "root:x:0:0::/root:/bin/sh\nbad:x:1000:1000::/home\\nroot2:x:0:0::/:/bin/sh\r\nlong:x:1:1::/" + "a" * 65536 + ":/x\n"
        image = images.load(self, "hostile", images.busybox_entries(hostile, GROUP))
        for user in ("10000", "1000", "1"):
            done = self.berth("run", "--rm", "-u", user, image, "cat", "/etc/passwd")
            if done.status == 0:
                added = [line for line in done.stdout.splitlines(keepends=True) if line not in hostile.splitlines(keepends=True)]
                self.assertLessEqual(len(added), 1, done.stdout[-300:])


class Python(Identity):
    def test_getpwuid(self):
        """A system made of this machine's Python and what it loads."""
        program = pathlib.Path("/usr/bin/python3").resolve()
        listed = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
        libraries = [pathlib.Path(word) for word in re.findall(r"(/\S+) \(0x", listed)]
        version = subprocess.run([program, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"],
                                 stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        libraries += [path for pattern in ("libnss_files.so.2",) for path in pathlib.Path("/lib").glob(f"*/{pattern}")]
        needed = [path for path in pathlib.Path(version).iterdir() if path.suffix == ".py"]
        needed += list(pathlib.Path(version, "encodings").glob("*.py")) + list(pathlib.Path(version, "collections").glob("*.py"))

        def entries():
            yield from images.busybox_entries("root:x:0:0::/root:/bin/sh\n", "root:x:0:\n")
            for path in {*libraries, *needed, program}:
                yield archive.file(str(path)[1:], path.read_bytes(), mode=0o755)
            yield archive.file("etc/nsswitch.conf", "passwd: files\n")
        image = images.load(self, "python", entries())
        script = "import os, pwd; e = pwd.getpwuid(os.getuid()); print(e.pw_name, e.pw_uid, e.pw_gid, os.path.isdir(e.pw_dir))"
        self.assertEqual(self.ok("run", "--rm", "-u", "10000", image, program, "-S", "-c", script), "10000 10000 0 True\n")


class Banks(Identity):
    def test_two_containers_at_once_have_different_maps(self):
        for name in ("a", "b"):
            self.background("--rm", "--name", name, DEMO, "sh", "-c", "echo ready; exec sleep 1000")
        maps = {name: pathlib.Path(f"/proc/{self.state(name)['Pid']}/uid_map").read_text().split() for name in ("a", "b")}
        for inside, outside, count in maps.values():
            self.assertEqual((inside, count, int(outside) % 65536), ("0", "65536", 0))
            self.assertGreaterEqual(int(outside), 0x80000)
        self.assertNotEqual(maps["a"][1], maps["b"][1])
        self.ok("rm", "-fa")

    def test_the_host_sees_the_bank_s_base_and_the_uid(self):
        self.background("--rm", "--name", "job", "-u", "10000", DEMO, "sh", "-c", "echo ready; exec sleep 1000")
        state = self.state("job")
        base = int(pathlib.Path(f"/proc/{state['Pid']}/uid_map").read_text().split()[1])
        self.assertEqual(os.stat(f"/proc/{state['Pid']}").st_uid, base + 10000)
        self.assertEqual(json.loads(self.ok("ps", "--format", "json"))[0]["Banks"], [base])
        self.ok("rm", "-f", "job")

    def test_the_host_s_mount_table_does_not_change(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        self.background("--rm", "--name", "job", "-v", "data:/data", "--tmpfs", "/t", DEMO, "sh", "-c", "echo ready; exec sleep 1000")
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)
        monitor = self.state("job")["MonitorPid"]
        self.assertEqual(pathlib.Path(f"/proc/{monitor}/mountinfo").read_text(), before)
        self.ok("rm", "-f", "job")
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)

    def test_nothing_on_disk_is_shifted(self):
        self.ok("run", "--name", "job", DEMO, "sh", "-c", "touch /as-root; chown 33:1000 /home/demo")
        upper = pathlib.Path(json.loads(self.ok("inspect", "job"))[0]["GraphDriver"]["Data"]["UpperDir"])
        self.assertEqual((upper / "as-root").stat().st_uid, 0)
        self.assertEqual(((upper / "home/demo").stat().st_uid, (upper / "home/demo").stat().st_gid), (33, 1000))

    def test_a_changed_owner_copies_no_content(self):
        entries = [*images.busybox_entries(), archive.file("large", b"x" * (20 << 20))]
        image = images.load(self, "large", entries)
        self.ok("run", "--name", "job", image, "chown", "33", "/large")
        upper = pathlib.Path(json.loads(self.ok("inspect", "job"))[0]["GraphDriver"]["Data"]["UpperDir"])
        self.assertLess((upper / "large").stat().st_blocks * 512, 1 << 20)
        self.assertEqual((upper / "large").stat().st_uid, 33)

    def test_a_freed_bank_rests(self):
        seen = [self.sh("cat /proc/self/uid_map").split()[1] for _ in range(3)]
        self.assertEqual(len(set(seen)), 3)

    def test_the_store_is_closed_to_other_users(self):
        for name in ("", "layers", "containers", "volumes", "identities"):
            self.assertEqual(stat.S_IMODE((self.root / name).stat().st_mode) & 0o077, 0, name)
        self.assertEqual(stat.S_IMODE(self.runroot.stat().st_mode) & 0o077, 0)


class PidOne(Identity):
    def zombies(self):
        return [text for text in leftovers.processes().values() if "(Z)" in text]

    def test_orphans_leave_no_zombie(self):
        process = self.background("--rm", DEMO, "sh", "-c", "(sleep 0.2 &); echo ready; sleep 0.6; ps -o stat,args")
        time.sleep(0.4)
        self.assertEqual(self.zombies(), [])
        self.assertNotIn("Z", process.stdout.read().decode())
        self.assertEqual(process.wait(20), 0)

    def test_a_command_that_never_waits_leaves_no_zombie(self):
        # exec: sleep inherits children that it knows nothing of.
        process = self.background("--rm", "--name", "job", DEMO, "sh", "-c",
                                  "for i in 1 2 3 4 5; do (sleep 0.1 &); done; echo ready; exec sleep 1000")
        time.sleep(0.4)
        self.assertEqual(self.zombies(), [])
        self.ok("rm", "-f", "job")
        self.assertEqual(process.wait(20), 137)
        self.assertEqual(self.zombies(), [])

    def test_what_is_left_ends_with_the_process(self):
        done = self.berth("run", "--rm", DEMO, "sh", "-c", "(trap '' TERM HUP; sleep 1000) & setsid sleep 1000 & exit 5")
        self.assertEqual(done.status, 5)
        self.assert_nothing_left()

    def test_sigterm_to_a_process_that_ignores_being_pid_1(self):
        process = self.background("--rm", DEMO, "sh", "-c", "echo ready; exec sleep 1000")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 143)

    def test_pid_1_is_berth_s_and_can_not_be_reached_outside(self):
        self.assertEqual(self.sh("cat /proc/1/comm").strip(), "berth-init")
        # It holds no descriptor and is no file of the host's.
        self.assertEqual(self.sh("ls /proc/1/fd"), "")
        self.assertRegex(self.sh("readlink /proc/1/exe"), r"^/memfd:\S+ \(deleted\)\n$")

    def test_the_status_of_the_process_and_not_of_its_children(self):
        self.assertEqual(self.berth("run", "--rm", DEMO, "sh", "-c", "sh -c 'exit 9' & wait; exit 3").status, 3)


if __name__ == "__main__":
    main()
