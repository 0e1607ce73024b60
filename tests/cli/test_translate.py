"""Containers where nothing can map IDs: the image is copied for the bank, and all looks as it always does."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import time

from support import attack, case, leftovers
from support.attack import archive

SHIM = pathlib.Path(__file__).resolve().parents[1] / "support" / "older_kernel.py"
# AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, without and with AT_RECURSIVE: a change of the map, and no other of a mount.
NO_ID_MAPS = ("mount_setattr=EINVAL,2:0x1100", "mount_setattr=EINVAL,2:0x9100")
COPYING = "berth: copying localhost/"
# cap_net_bind_service=ep, for the host's root
CAPABLE = bytes.fromhex("0100000200040000000000000000000000000000")
NET_BIND_SERVICE = 1 << 10
LISTING = ("find / -xdev \\( -path /dev -o -path /proc -o -path /sys -o -path /etc/host\\* -o -path /etc/resolv.conf \\) "
           "-prune -o -print0 | sort -z | xargs -0 busybox stat -c '%n %F %u:%g %a %h %s %t:%T %Y'")


def owned(member, uid, gid):
    member[0].uid, member[0].gid = uid, gid
    return member


def programs(*names):
    """Dynamic programs of the host's and the libraries that they need, as members of a layer."""
    paths = {}
    for name in names:
        listed = subprocess.run(["ldd", name], check=True, stdout=subprocess.PIPE, text=True).stdout
        for word in [name, *(word for word in listed.split() if word.startswith("/"))]:
            paths[word.lstrip("/")] = pathlib.Path(word).read_bytes()
    return [archive.file(path, data, 0o755) for path, data in paths.items()]


class TranslateCase(attack.AttackCase):
    def command(self, *args):
        """Every command of these tests runs where no mount can be mapped, unless it begins with "plain"."""
        if args and args[0] == "plain":
            return super().command(*args[1:])
        return [sys.executable, "-B", str(SHIM), *NO_ID_MAPS, "--", *super().command(*args)]

    def rich(self):
        """An image with all kinds of files in two layers; a whiteout, owners that no bank maps."""
        low = attack.system(
            owned(archive.file("data/web", "web\n", 0o640), 33, 44), owned(archive.directory("data/in", 0o2775), 5, 6),
            owned(archive.file("data/in/deep", "x" * 100_000), 65534, 65534), archive.file("data/gone", "gone\n"),
            owned(archive.file("data/far", "far\n"), 70000, 80000), archive.link("data/link", "/elsewhere"),
            archive.entry("data/hard", tarfile.LNKTYPE, link="data/web"), attack.fifo("data/fifo"))
        self.image(low, [archive.file("data/.wh.gone", ""), archive.file("data/high", "high\n", 0o4711)])
        return "localhost/attack:latest"

    def copies(self):
        return json.loads(self.ok("images", "--translated", "--format", "json"))

    def copy_directory(self):
        (copy,) = self.copies()
        return self.root / copy["Directory"]

    def layer_paths(self, name):
        return list(self.copy_directory().glob(f"layers/*/{name}"))

    def assert_no_copies(self):
        self.assertEqual(self.copies(), [])
        directory = self.root / "translated"
        self.assertEqual(list(directory.iterdir()) if directory.exists() else [], [])
        self.assertEqual(list((self.root / "tmp").iterdir()), [])

    @staticmethod
    def first_id(copy):
        return int(copy["UidMap"][0].split(":")[1])


class Files(TranslateCase):
    def test_a_container_sees_what_it_always_sees(self):
        image = self.rich()
        done = self.berth("run", "--rm", image, "sh", "-c", LISTING)
        self.assertIn(COPYING, done.stderr)
        always = self.ok("plain", "run", "--rm", image, "sh", "-c", LISTING)
        self.assertEqual((done.status, done.stdout.splitlines()[1:]), (0, always.splitlines()[1:]), done)
        self.assertIn("/data/far regular file 65534:65534", always, "IDs outside the map are nobody's")
        self.assert_nothing_left()

    def test_it_says_what_a_copy_costs_before_it_makes_one(self):
        done = self.berth("run", "--name", "one", self.load_demo(), "true")
        self.assertEqual((done.status, done.stderr.count("\n")), (0, 1), done)
        (copy,) = self.copies()
        self.assertRegex(done.stderr, rf"^berth: copying {case.DEMO} for the IDs 0-65535 → {self.first_id(copy)}-\d+: "
                                      rf"{copy['Files']} files, [0-9.]+ MB\n$")

    def test_owners_on_the_host(self):
        self.ok("run", "--name", "one", self.rich(), "sh", "-c",
                "echo new > /root/new; chmod 4755 /root/new; chown 33:44 /root/new; echo more >> /data/web")
        base = self.first_id(self.copies()[0])
        (web,) = self.layer_paths("data/web")
        (far,) = self.layer_paths("data/far")
        self.assertEqual((web.stat().st_uid, web.stat().st_gid), (base + 33, base + 44))
        self.assertEqual((far.stat().st_uid, far.stat().st_gid), (70000, 80000), "what no map has stays")
        self.assertEqual(web.read_text(), "web\n", "a copy is not written to")
        (upper,) = (self.root / "containers").glob("*/upper")
        self.assertEqual(upper.stat().st_uid, base)
        new = (upper / "root/new").stat()
        self.assertEqual((new.st_uid, new.st_gid, oct(new.st_mode)), (base + 33, base + 44, "0o100755"),
                         "chown takes the setuid bit")
        self.assertEqual((upper / "data/web").stat().st_uid, base + 33)

    def test_an_owner_that_has_the_hosts_id_of_another(self):
        """It would be the container's root if IDs outside the map were left alone."""
        bank = 720896  # of `--bank 3`
        image = self.image(attack.system(owned(archive.file("trap", "x", 0o4755), bank, bank)))
        self.assertEqual(self.ok("run", "--rm", "--bank", "3", image, "stat", "-c", "%u:%g", "/trap"), "65534:65534\n")

    def test_another_user(self):
        self.ok("run", "--name", "one", "-u", "10000:5", self.load_demo(), "sh", "-c", "id -u; whoami; touch /tmp/mine")
        done = self.berth("start", "--attach", "one")
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "10000\n10000\n", ""), done)
        (identity,) = self.copy_directory().glob("identities/*/etc/passwd")
        self.assertEqual(identity.stat().st_uid, self.first_id(self.copies()[0]))

    def test_file_capabilities_and_setuid(self):
        layer = programs("/usr/bin/id", "/usr/bin/cat")
        for member, _ in layer:
            if member.name == "usr/bin/id":
                member.mode = 0o4755
            if member.name == "usr/bin/cat":
                member.pax_headers = {"SCHILY.xattr.security.capability": CAPABLE.decode("latin-1")}
        image = self.image(attack.system(), layer)
        for words in ((), ("plain",)):
            said = self.ok(*words, "run", "--rm", "-u", "1000", image, "sh", "-c",
                           "/usr/bin/id -u; /usr/bin/cat /proc/self/status").splitlines()
            self.assertEqual(said[0], "0", "setuid")
            effective = next(int(line.split()[1], 16) for line in said if line.startswith("CapEff:"))
            self.assertEqual(effective, NET_BIND_SERVICE, words)


class Life(TranslateCase):
    def test_a_restart(self):
        self.ok("run", "--name", "one", self.load_demo(), "sh", "-c", "echo x >> /root/log; cat /root/log")
        for said, words in (("x\nx\n", ()), ("x\nx\nx\n", ("plain",)), ("x\nx\nx\nx\n", ())):
            done = self.berth(*words, "start", "--attach", "one")
            self.assertEqual((done.status, done.stdout, done.stderr), (0, said, ""), done)
        self.assertEqual(len(self.copies()), 1)

    def test_asked_for_where_it_is_not_needed(self):
        done = self.berth("plain", "run", "--name", "one", "--translate", self.load_demo(), "touch", "/x")
        self.assertEqual(done.status, 0, done)
        self.assertIn(COPYING, done.stderr)
        (file,) = (self.root / "containers").glob("*/upper/x")
        self.assertEqual(file.stat().st_uid, self.first_id(self.copies()[0]))
        self.ok("plain", "run", "--rm", "--translate", "-v", "data:/data", case.DEMO, "touch", "/data/x")
        self.assertEqual((self.root / "volumes/data/_data/x").stat().st_uid, 0, "a volume is mapped as always")

    def test_layers_by_path_too(self):
        """As on a kernel that is older still."""
        words = [sys.executable, "-B", str(SHIM), *NO_ID_MAPS, "fsconfig=EINVAL,1:5", "--",
                 *self.command("plain", "run", "--name", "one", self.load_demo(), "sh", "-c", "id -u; touch /x; stat -c %u /x")]
        done = case.run(*words, env=self.environment, cwd=self.work)
        self.assertEqual((done.status, done.stdout), (0, "0\n0\n"), done)
        self.assertTrue(json.loads(self.ok("inspect", "one"))[0]["HostConfig"]["Translated"])

    def test_the_hosts_ids_need_no_copy(self):
        done = self.berth("run", "--rm", "--userns", "host", self.load_demo(), "id", "-u")
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "0\n", ""), done)
        self.fails(125, "run", "--rm", "--userns", "host", "--translate", case.DEMO, "true", saying="--translate has no use")

    def test_a_copy_goes_with_the_only_container_that_needs_it(self):
        self.ok("run", "--rm", self.load_demo(), "true")
        self.assert_no_copies()
        self.ok("run", "--name", "one", case.DEMO, "true")
        self.ok("create", "--name", "two", "--userns", "container:one", case.DEMO, "true")
        self.ok("rm", "one")
        self.assertEqual(len(self.copies()), 1, "the other has the same map")
        self.ok("rm", "two")
        self.assert_no_copies()

    def test_containers_of_one_bank_share_a_copy(self):
        self.ok("bank", "create", "web")
        self.load_demo()
        self.assertIn(COPYING, self.berth("run", "--rm", "--bank", "web", case.DEMO, "true").stderr)
        done = self.berth("run", "--rm", "--bank", "web", case.DEMO, "id", "-u")
        self.assertEqual((done.stdout, done.stderr), ("0\n", ""), done)
        self.ok("image", "prune", "--force")
        self.assertEqual(len(self.copies()), 1, "the bank is still somebody's")
        self.ok("bank", "rm", "web")
        self.ok("image", "prune", "--force")
        self.assert_no_copies()
        self.assertIn(case.DEMO, self.ok("images", "--format", "{{.Repository}}:{{.Tag}}"))

    def test_a_copy_made_ahead(self):
        self.load_demo()
        self.ok("bank", "create", "web")
        done = self.berth("plain", "image", "translate", "demo", "--bank", "web")
        self.assertIn(COPYING, done.stderr)
        self.assertEqual(done.stdout, f"{self.copy_directory()}\n")
        again = self.berth("plain", "image", "translate", "--bank", "web", "demo")
        self.assertEqual((again.status, again.stdout, again.stderr), (0, done.stdout, ""), again)
        self.assertEqual(self.berth("run", "--rm", "--bank", "web", case.DEMO, "true").stderr, "")
        table = self.ok("images", "--translated").splitlines()
        self.assertEqual(table[0].split(), ["IMAGE", "IMAGE", "ID", "FILES", "SIZE", "CREATED", "IDS"])
        self.assertTrue(table[1].startswith(case.DEMO), table)
        self.assertEqual(self.ok("images", "--translated", "-n", "other"), "")
        self.ok("rmi", "demo")
        self.assert_no_copies()

    def test_a_copy_needs_a_bank_and_an_image(self):
        self.load_demo()
        self.fails(125, "image", "translate", "demo", saying=["needs the banks", "--bank"])
        self.fails(125, "image", "translate", "demo", "--bank", "none", saying='no bank "none"')
        self.fails(125, "image", "translate", "other", "--bank", "3", saying="other")
        self.assert_no_copies()

    def test_volumes_are_refused_and_host_directories_are_not(self):
        self.load_demo()
        done = self.fails(125, "run", "--rm", "-v", "data:/data", case.DEMO, "true",
                          saying=["mount /data", "a volume needs mapped IDs", "can't map IDs", "hint: "])
        self.assertNotIn(COPYING, done.stderr, "before anything is copied")
        shared = self.work / "shared"
        shared.mkdir()
        (shared / "file").write_text("host\n")
        self.assertEqual(self.ok("run", "--rm", "-v", f"{shared}:/data", case.DEMO, "sh", "-c",
                                 "cat /data/file; stat -c %u /data/file"), "host\n65534\n")
        self.fails(125, "run", "--rm", "-v", f"{shared}:/data:idmap", case.DEMO, "true", saying="can't map IDs")
        self.assert_nothing_left()
        self.assert_no_copies()


class Trouble(TranslateCase):
    def test_a_full_disk(self):
        small = self.work / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=0700", "tmpfs", small], check=True)
        self.root = small / "root"
        self._before = leftovers.Snapshot.take()
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        self.load_demo()
        left = os.statvfs(small)
        (small / "filler").write_bytes(bytes(left.f_bavail * left.f_bsize - (3 << 19)))
        for words in (("run", "--rm", case.DEMO, "true"), ("image", "translate", "demo", "--bank", "3")):
            self.fails(125, *words, saying=["cannot copy the image", "ENOSPC", "hint: "])
            self.assert_no_copies()
        (small / "filler").unlink()
        self.ok("run", "--rm", case.DEMO, "true")

    def test_kill_at_every_step(self):
        self.load_demo()
        for point in ("translation-staged", "translation-placed", "translation-recorded"):
            with self.subTest(point=point):
                done = self.berth("run", "--name", "one", "--bank", "3", case.DEMO, "true", env={"BERTH_FAULT": point})
                self.assertEqual(done.status, 137, done)
                again = self.berth("start", "--attach", "one")
                self.assertEqual((again.status, COPYING in again.stderr), (0, point != "translation-recorded"), again)
                self.ok("rm", "one")
                self.ok("image", "prune", "--force")
                self.assertEqual(len(list((self.root / "translated").iterdir())), 1, "the numbered bank is held")
                self.ok("bank", "rm", "3")
                self.ok("image", "prune", "--force")
                self.assert_no_copies()

    def large(self):
        """An image whose copy takes a while."""
        files = [archive.file(f"data/{number // 100}/{number % 100}", "x" * 5000) for number in range(6_000)]
        return self.image(attack.system(*(archive.directory(f"data/{number}") for number in range(60))), files)

    def ended_while_copying(self, sent, after):
        """Starts a run, sends it a signal that long after it has begun to copy; gives its status."""
        process = self.start("run", "--name", "one", "localhost/attack:latest", "true", stderr=subprocess.PIPE)
        self.assertIn(COPYING.encode(), process.stderr.readline())
        time.sleep(after)
        process.send_signal(sent)
        return process.wait(30)

    def test_signals_in_the_middle(self):
        self.large()
        for after in (0, 0.05, 0.2):
            with self.subTest(after=after):
                self.assertIn(self.ended_while_copying(signal.SIGKILL, after), (-signal.SIGKILL, 0))
                leftovers.wait_until_gone(self._before)
                self.ok("rm", "one")
                self.ok("system", "repair")
                self.ok("image", "prune", "--force")
                self.assert_no_copies()
        self.assertEqual(self.ended_while_copying(signal.SIGINT, 0.05), 125)
        self.assertEqual(list((self.root / "tmp").iterdir()), [], "it cleans up behind itself")
        self.ok("start", "--attach", "one")

    def test_waiting_for_another_one_s_copy_can_be_ended(self):
        self.large()
        self.ok("bank", "create", "web")
        first = self.start("run", "--rm", "--bank", "web", "localhost/attack:latest", "true", stderr=subprocess.PIPE)
        self.assertIn(COPYING.encode(), first.stderr.readline())
        first.send_signal(signal.SIGSTOP)
        self.addCleanup(first.send_signal, signal.SIGCONT)
        for sent in (signal.SIGINT, signal.SIGTERM):
            second = self.start("run", "--bank", "web", "--name", "second", "localhost/attack:latest", "true",
                                stderr=subprocess.PIPE)
            self.wait_until_it_takes_signals(second)
            self.assertIsNone(second.poll(), "it waits")
            second.send_signal(sent)
            self.assertEqual(second.wait(20), 125)
            self.assertIn(b'cannot start "second"', second.stderr.read())
            self.ok("rm", "second")
        first.send_signal(signal.SIGCONT)
        self.assertEqual(first.wait(60), 0)
        self.assertEqual(len(self.copies()), 1)
        self.assertEqual(list((self.root / "tmp").iterdir()), [])

    def wait_until_it_takes_signals(self, process):
        """One that came before that would end the command at once."""
        def kinds():
            for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    yield os.readlink(link)
        end = time.monotonic() + 20
        while "anon_inode:[signalfd]" not in kinds():
            self.assertLess(time.monotonic(), end, f"{process.args} does not look for signals")
            time.sleep(0.01)

    def test_starts_at_once_copy_once(self):
        self.load_demo()
        self.ok("bank", "create", "web")
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda _: self.berth("run", "--rm", "--bank", "web", "-u", "10000", case.DEMO, "id", "-u"),
                                 range(6)))
        for one in done:
            self.assertEqual((one.status, one.stdout), (0, "10000\n"), one)
        self.assertEqual(sum(COPYING in one.stderr for one in done), 1)
        self.assertEqual(len(self.copies()), 1)
        self.assertEqual(list((self.root / "tmp").iterdir()), [])

    def test_an_image_that_goes_while_it_is_copied(self):
        self.large()
        process = self.start("image", "translate", "attack", "--bank", "3", stderr=subprocess.PIPE)
        self.assertIn(COPYING.encode(), process.stderr.readline())
        self.ok("rmi", "attack")
        self.assertEqual(process.wait(60), 125)
        self.assertIn(b"has just been removed", process.stderr.read())
        self.assert_no_copies()
        self.assertEqual(list((self.root / "layers").iterdir()), [])

    def test_no_host_user_gets_at_a_copy(self):
        self.ok("bank", "create", "web")
        self.ok("image", "translate", self.rich(), "--bank", "web")
        base = self.first_id(self.copies()[0])
        os.chmod(self.work, 0o755)
        tried = self.as_user(base, "/bin/ls", str(self.copy_directory()))
        self.assertNotEqual(tried.returncode, 0, tried)
        self.assertIn("Permission denied", tried.stderr)


case.main()
