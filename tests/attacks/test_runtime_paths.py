"""berth-runtime and root file systems that lead its mounts, devices and writes to the host; also while it looks."""

import os
import pathlib
import shutil
import subprocess

from support import berth_runtime, case
from support.console import Console

VICTIM = pathlib.Path("/run/berth-attack-out")
# Names of the host that a link out of a root file system would reach.
OUTSIDE = (str(VICTIM), "/../../../.." + str(VICTIM), "../../../../../.." + str(VICTIM))
ROUNDS = 25
NOT_ON_DEV = ("/dev", "/dev/pts", "/dev/shm")


def files_of(directory):
    """Names, kinds, sizes, owners, contents: what must not change."""
    found = {}
    for path in sorted([directory, *directory.rglob("*")]):
        st = os.lstat(path)
        content = path.read_text() if path.is_file() else ""
        found[str(path)] = (oct(st.st_mode), st.st_uid, st.st_gid, st.st_size, st.st_ino, st.st_nlink, content)
    return found


class Victim(berth_runtime.BerthRuntimeCase):
    def setUp(self):
        super().setUp()
        VICTIM.mkdir()
        self.addCleanup(shutil.rmtree, VICTIM)
        for name in ("null", "console", "hosts", "ptmx", "sys", "somaxconn"):
            (VICTIM / name).write_text("the host's")
        (VICTIM / "pts").mkdir()
        (VICTIM / "pts/0").write_text("the host's")
        os.mkfifo(VICTIM / "pipe")
        before = files_of(VICTIM)
        self.addCleanup(lambda: self.assertEqual(files_of(VICTIM), before))

    def without_dev(self, container):
        """/dev is the root file system's own directory."""
        container.config["mounts"] = [one for one in container.config["mounts"] if one["destination"] not in NOT_ON_DEV]
        return container

    def check(self, container, *words, flags=()):
        """A clear error or a safe run: whatever it is, the host's files are not seen, and nothing hangs."""
        container.bundle.process["args"] = list(words) or ["/bin/true"]
        done = container.run(*flags)
        self.assertNotIn("the host's", done.stdout, done)
        if done.status != 0 and not done.stdout:
            self.assertNotEqual(done.stderr, "", done)
        self.ok(container.delete("--force"))
        self.assertFalse(container.cgroups())
        return done

    def replace(self, container, name, target):
        """Puts a link in the place of what the root file system has there."""
        path = container.rootfs / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.exists() or path.is_symlink():
            path.unlink()
        path.symlink_to(target)

    def renaming(self, one, other):
        """Somebody who swaps the two names as fast as can be."""
        process = subprocess.Popen([case.ATTACK_PROGRAMS / "renamer", one, other], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"started\n")
        self.addCleanup(lambda: self.assertIsNone(process.poll(), "the renamer has stopped"))


class Links(Victim):
    def test_directories_as_links_out(self):
        """CVE-2026-41579, CVE-2026-47766."""
        for name in ("dev", "proc", "sys", "etc", "run", "data"):
            for target in OUTSIDE:
                container = self.container()
                container.bundle.mount(f"/{name}/hosts", source="/etc/hostname", kind="bind", options=["bind"])
                container.bundle.mount(f"/{name}/deep/er", source="tmpfs", kind="tmpfs")
                container.bundle.linux["devices"] = [{"path": f"/{name}/made", "type": "c", "major": 1, "minor": 3}]
                container.bundle.linux["maskedPaths"] = [f"/{name}/null"]
                container.bundle.linux["readonlyPaths"] = [f"/{name}/sys"]
                self.replace(container, name, target)
                self.check(container, "/bin/cat", f"/{name}/hosts", f"/{name}/null")

    def test_a_dev_of_the_root_file_system_as_a_link_out(self):
        for target in OUTSIDE:
            container = self.without_dev(self.container())
            self.replace(container, "dev", target)
            self.check(container)

    def test_single_files_as_links_and_pipes(self):
        for name in ("dev/null", "dev/pts", "dev/shm", "dev/console", "dev/ptmx", "dev/fd", "etc/hosts"):
            for target in (*(f"{place}/{pathlib.Path(name).name}" for place in OUTSIDE), f"/proc/1/root{VICTIM}", name):
                for change in (self.without_dev, lambda container: container):
                    container = change(self.container())
                    container.bundle.mount("/etc/hosts", source="/etc/hostname", kind="bind", options=["bind"])
                    self.replace(container, name, target)
                    self.check(container)
            container = self.without_dev(self.container())
            self.replace(container, name, "x")
            (container.rootfs / name).unlink()
            os.mkfifo(container.rootfs / name)
            self.check(container)

    def test_programs_and_directories_of_the_process(self):
        for name, change in (("bin/evil", {"args": ["/bin/evil"]}), ("data", {"cwd": "/data"}),
                             ("data", {"cwd": "/data/deeper/still"})):
            for target in OUTSIDE:
                container = self.container()
                self.replace(container, name, target)
                container.bundle.process.update({"args": ["/bin/ls"], **change})
                self.check(container, *container.bundle.process["args"])

    def test_a_file_with_the_users_home(self):
        for make in (os.mkfifo, os.mkdir, lambda path: path.symlink_to(VICTIM / "pipe"),
                     lambda path: path.symlink_to("/proc/self/fd/0"),
                     lambda path: path.write_bytes(b"root:x:0:0:::" + b"x" * (2 << 20))):
            container = self.container()
            (container.rootfs / "etc/passwd").unlink()
            make(container.rootfs / "etc/passwd")
            done = self.ok(self.check(container, "/bin/env"))
            self.assertEqual([line for line in done.stdout.splitlines() if line.startswith("HOME=")], ["HOME=/"])

    def test_one_mount_led_over_another(self):
        """The masks must not miss, so that a proc without them is nowhere to be found."""
        for links in ({"dev": "/proc"}, {"sys": "/proc"}, {"proc": "/dev"}, {"data": "/proc"}, {"data": "/dev"}):
            container = self.container()
            container.bundle.mount("/data", source="tmpfs", kind="tmpfs")
            container.bundle.linux["maskedPaths"] = ["/proc/keys"]
            for name, target in links.items():
                self.replace(container, name, target)
            done = self.check(container, "/bin/cat", "/proc/keys")
            self.assertNotEqual(done.status, 0, done)
            self.assertRegex(done.stderr, "leads|not a directory|ENOENT|ENOTDIR|ELOOP")


class Masks(Victim):
    """CVE-2025-31133: what covers a masked path is the null device, and nothing that the image has put there."""

    def masked(self, *paths):
        container = self.without_dev(self.container())
        container.bundle.linux["maskedPaths"] = list(paths)
        return container

    def test_the_null_device_is_something_else(self):
        makes = [lambda path, target=target: path.symlink_to(target)
                 for target in (*(f"{place}/null" for place in OUTSIDE), "/data/secret", "/proc/sys/kernel/hostname")]
        makes += [os.mkfifo, os.mkdir, lambda path: path.write_text("mine"),
                  lambda path: os.mknod(path, 0o20666, os.makedev(1, 5)), lambda path: os.mknod(path, 0o60666, os.makedev(7, 0))]
        for make in makes:
            container = self.masked("/proc/keys", "/data/secret")
            (container.rootfs / "data/secret").write_text("secret")
            make(container.rootfs / "dev/null")
            done = self.check(container, "/bin/sh", "-c", "stat -c %t:%T /proc/keys /data/secret; cat /proc/keys /data/secret")
            self.assertIn((done.status, done.stdout), ((0, "1:3\n1:3\n"), (1, "")), done)

    def test_it_is_swapped_meanwhile(self):
        container = self.masked("/proc/keys", "/proc/sysrq-trigger")
        link = container.rootfs / "dev/link"
        link.symlink_to(f"../../../../../..{VICTIM}/null")
        os.mknod(container.rootfs / "dev/null", 0o20666, os.makedev(1, 3))
        self.renaming(container.rootfs / "dev/null", link)
        for _ in range(ROUNDS):
            done = self.check(container, "/bin/sh", "-c", "stat -c %t:%T /proc/keys; cat /proc/keys")
            self.assertIn((done.status, done.stdout), ((0, "1:3\n"), (1, "")), done)

    def test_the_masked_path_is_swapped_meanwhile(self):
        """It is its owner's to swap; the host's is not covered for it."""
        container = self.masked("/data/swap/null")
        (container.rootfs / "data/swap").mkdir()
        (container.rootfs / "data/swap/null").write_text("")
        (container.rootfs / "data/link").symlink_to(f"../../../../../..{VICTIM}")
        self.renaming(container.rootfs / "data/swap", container.rootfs / "data/link")
        for _ in range(ROUNDS):
            self.check(container)
            self.assertEqual((VICTIM / "null").read_text(), "the host's")


class Terminals(Victim):
    """CVE-2025-52565: the terminal is the container's own, by descriptor, and /dev/console a mount of it in the container."""

    def with_terminal(self, container):
        container.bundle.process.update(terminal=True, args=[
            "/bin/sh", "-c", "readlink /proc/self/fd/0; stat -L -c %t /dev/console; echo done"])
        console = Console(self.work / f"console-{container.token}")
        self.addCleanup(console.close)
        done = container.create("--console-socket", console.path)
        if done.status == 0:
            console.accept()
            self.ok(container.start())
            said = console.read_until("done\r\n")
            self.assertRegex(said, r"^/dev/(pts/0|link/0|console)\r\n88\r\ndone\r\n$")
        else:
            self.assertIn("berth-runtime: ", done.stderr)
        self.ok(container.delete("--force"))
        console.close()
        return done

    def on_own_devpts(self):
        """/dev is the root file system's, with a devpts on /dev/pts, whose directory may be renamed to /dev/link."""
        container = self.without_dev(self.container())
        container.bundle.mount("/dev/pts", "devpts", "devpts", ["newinstance", "ptmxmode=0666", "mode=0620"])
        (container.rootfs / "dev/pts").mkdir()
        return container

    def test_places_as_links(self):
        for name in ("console", "ptmx", "pts", "tty"):
            for target in (*(f"{place}/{name}" for place in OUTSIDE), "/etc/passwd", "/proc/self/fd/1", "/dev/pts/0"):
                container = self.on_own_devpts()
                self.replace(container, f"dev/{name}", target)
                self.with_terminal(container)
                self.assertEqual((container.rootfs / "etc/passwd").read_text(), "root:x:0:0:root:/root:/bin/sh\n")

    def test_the_console_is_swapped_meanwhile(self):
        container = self.on_own_devpts()
        (container.rootfs / "dev/console").write_text("")
        (container.rootfs / "dev/link").symlink_to(f"../../../../../..{VICTIM}/console")
        self.renaming(container.rootfs / "dev/console", container.rootfs / "dev/link")
        for _ in range(10):
            container.bundle.process.update(terminal=True, args=["/bin/true"])
            console = Console(self.work / f"console-{container.token}")
            done = container.create("--console-socket", console.path)
            self.ok(container.delete("--force"))
            console.close()
            console.path.unlink()
            self.assertIn(done.status, (0, 1), done)

    def test_the_devpts_is_swapped_meanwhile(self):
        container = self.on_own_devpts()
        (container.rootfs / "dev/link").symlink_to(f"../../../../../..{VICTIM}/pts")
        self.renaming(container.rootfs / "dev/pts", container.rootfs / "dev/link")
        for _ in range(10):
            self.with_terminal(container)
            (self.work / f"console-{container.token}").unlink()


class Proc(Victim):
    """CVE-2025-52881: what is written below /proc goes to the kernel, or nowhere."""

    SYSCTL = {"net.core.somaxconn": "333"}

    def fake(self, container):
        """A directory that looks like the parts of /proc which a runtime writes to."""
        fake = container.directory / "fake"
        for name in ("sys/net/core", "sys/kernel", "self/attr/apparmor", "thread-self/attr/apparmor", "1/attr/apparmor"):
            (fake / name).mkdir(parents=True)
        for name in ("sys/net/core/somaxconn", "self/attr/exec", "self/attr/apparmor/exec", "1/attr/exec",
                     "1/attr/apparmor/exec", "thread-self/attr/exec", "self/oom_score_adj", "1/oom_score_adj"):
            (fake / name).symlink_to(f"../../../../../../../..{VICTIM}/somaxconn")
        return fake

    def mounts_of_proc(self, container):
        """Ways to put something else in its place."""
        fake = self.fake(container)
        yield [{"destination": "/proc", "source": str(fake), "type": "bind", "options": ["rbind"]}]
        yield [{"destination": "/proc", "type": "tmpfs", "source": "tmpfs"}]
        for name in ("/proc/sys", "/proc/sys/net", "/proc/self", "/proc/thread-self"):
            source = fake / name.removeprefix("/proc/")
            yield [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": name, "source": str(source), "type": "bind", "options": ["rbind"]}]

    def each(self, **linux):
        for number in range(6):
            container = self.container()
            proc = list(self.mounts_of_proc(container))[number]
            others = [one for one in container.config["mounts"] if one["destination"] != "/proc"]
            container.config["mounts"] = [*proc, *others]
            container.bundle.linux.update(linux)
            yield container

    def test_settings(self):
        """They are made in a proc of its own before anything can be mounted over it, or refused."""
        for container in self.each(sysctl=self.SYSCTL):
            done = self.check(container, "/bin/cat", "/proc/sys/net/core/somaxconn")
            self.assertNotEqual(pathlib.Path("/proc/sys/net/core/somaxconn").read_text(), "333\n")
            if done.status == 0:
                self.assertIn(done.stdout, ("333\n", ""), done)

    def test_settings_are_those_of_the_kernel(self):
        container = self.container()
        container.bundle.linux["sysctl"] = self.SYSCTL
        fake = self.fake(container)
        container.bundle.mount("/proc/sys/net", source=fake / "sys/net", kind="bind", options=["rbind"])
        container.bundle.mount("/data/real", source="proc", kind="proc")
        self.assertEqual(self.ok(self.check(container, "/bin/cat", "/data/real/sys/net/core/somaxconn")).stdout, "333\n")

    def test_labels_and_scores(self):
        for container in self.each():
            container.bundle.process.update(apparmorProfile="evil", oomScoreAdj=500)
            done = self.check(container)
            self.assertEqual(done.status, 1, done)
            self.assertIn("berth-runtime: ", done.stderr)
        for container in self.each():
            container.bundle.process["oomScoreAdj"] = 500
            self.check(container)


class Races(Victim):
    """Every path goes through one door (src/safepath), also when it is not the same twice."""

    def test_targets_of_mounts_devices_and_the_working_directory(self):
        container = self.container()
        swap, link = container.rootfs / "data/swap", container.rootfs / "data/link"
        swap.mkdir()
        link.symlink_to(f"../../../../../..{VICTIM}")
        self.renaming(swap, link)
        source = self.work / "source"
        source.mkdir()
        mounts = list(container.config["mounts"])
        for round_number in range(ROUNDS):
            container.config["mounts"] = list(mounts)
            container.bundle.mount(f"/data/swap/in{round_number}", source=source, kind="bind", options=["rbind"])
            container.bundle.mount("/data/swap/deep/er", source="tmpfs", kind="tmpfs", options=["tmpcopyup"])
            container.bundle.mount("/data/link/hosts", source="/etc/hostname", kind="bind", options=["bind", "ro"])
            container.bundle.linux["devices"] = [{"path": f"/data/swap/dev{round_number}", "type": "c", "major": 1, "minor": 3}]
            container.bundle.linux["readonlyPaths"] = ["/data/swap/sys"]
            container.bundle.linux["maskedPaths"] = ["/data/link/pipe"]
            container.bundle.process["cwd"] = "/data/swap/work"
            done = self.check(container)
            self.assertIn(done.status, (0, 1), done)

    def test_the_root_file_system_itself(self):
        """It is opened once: whatever is swapped, all that is mounted is in one of the two."""
        container = self.container()
        other = container.directory / "other"
        shutil.copytree(container.rootfs, other, symlinks=True)
        (other / "data/other").touch()
        self.renaming(container.rootfs, other)
        for _ in range(ROUNDS):
            done = self.check(container, "/bin/sh", "-c", "test -e /data/other; ls /proc/1/root/data > /dev/null")
            self.assertIn(done.status, (0, 1), done)

    def test_the_source_of_a_mount_that_another_container_owns(self):
        """A volume in which somebody swaps a directory with a link to the host: followed by the host's rules, as the
        source is the caller's path; what is mounted is what was opened, and its submounts with it."""
        volume = self.work / "volume"
        (volume / "swap").mkdir(parents=True)
        (volume / "link").symlink_to("/nowhere")
        self.renaming(volume / "swap", volume / "link")
        container = self.container()
        container.bundle.mount("/data", source=volume / "swap", kind="bind", options=["rbind"])
        for _ in range(ROUNDS):
            done = self.check(container, "/bin/ls", "/data")
            self.assertIn((done.status, done.stdout), ((0, ""), (1, "")), done)


berth_runtime.main()
