"""berth-runtime's hooks: what they may change in a container, and what the container can't change of it."""

import subprocess

from support import berth_runtime, leftovers
from support.waiting import until

HOST_ID = 0x60000000


class Hooks(berth_runtime.BerthRuntimeCase):
    def mapped(self, command):
        """A container in a user namespace whose root has CAP_SYS_ADMIN there, with a createContainer hook."""
        container = self.container()
        container.bundle.user_namespace((0, HOST_ID, 65536))
        container.bundle.give_to(HOST_ID, HOST_ID)
        container.bundle.add_capabilities("CAP_SYS_ADMIN")
        words = ["sh", "-c", command, container.rootfs]
        container.config["hooks"] = {"createContainer": [{"path": "/bin/sh", "args": list(map(str, words)),
                                                          "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}
        return container

    def test_what_a_hook_has_mounted_can_not_be_taken_off(self):
        container = self.mapped("echo below > $0/home/file && mount -t tmpfs hooked $0/home && echo above > $0/home/file")
        done = container.shell("umount /home; cat /home/file; umount /proc; cat /proc/self/comm")
        self.assertEqual(done.stdout, "above\ncat\n", done)

    def test_a_root_that_was_writable_for_hooks_stays_read_only(self):
        container = self.mapped("touch $0/usr/file")
        container.config["root"]["readonly"] = True
        done = container.shell("ls /usr/file; mount -o remount,rw,bind /; touch /usr/other || echo read-only")
        self.assertEqual(done.stdout, "/usr/file\nread-only\n", done)

    def test_a_hook_can_not_change_the_host_s_mounts(self):
        container = self.mapped("mount -t tmpfs hooked $0/home && mount -t tmpfs hooked /tmp && umount /proc; true")
        before = leftovers.mounts()
        self.ok(container.shell("true"))
        self.assertEqual(leftovers.mounts(), before)

    def test_a_mount_over_the_root_itself_is_the_root(self):
        command = "mkdir $0/tmp/other && touch $0/tmp/other/file && mount --rbind $0 $0 && mount -t tmpfs over $0/home"
        self.assertEqual(self.mapped(command).shell("ls /tmp/other; grep -c ^over /proc/mounts").stdout, "file\n1\n")

    def test_a_hook_ends_with_the_runtime(self):
        for kind in ("prestart", "createRuntime", "createContainer"):
            with self.subTest(kind=kind):
                container = self.mapped("")
                words = ["sh", "-c", f"echo began > {self.work}/{kind}; exec sleep 1234"]
                container.config["hooks"] = {kind: [{"path": "/bin/sh", "args": words, "env": ["PATH=/usr/bin:/bin"]}]}
                self.work.chmod(0o777)
                container.bundle.write()
                command = self.command("create", "--bundle", container.directory, container.id)
                with subprocess.Popen(command, stdin=subprocess.DEVNULL) as running:
                    until((self.work / kind).exists, "the hook has begun")
                    running.kill()
                until(lambda: "sleep 1234" not in str(leftovers.processes()), "the hook has ended")
                self.ok(container.delete("--force"))
                self.assert_gone(container)

    def test_what_a_hook_can_not_do_is_told(self):
        done = self.mapped("exit 9").shell("true")
        self.assertNotEqual(done.status, 0)
        self.assertIn("the createContainer hook /bin/sh: it ended with status 9", done.stderr)


if __name__ == "__main__":
    berth_runtime.main()
