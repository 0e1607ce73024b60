"""config.md, POSIX-platform Hooks: what hooks change in a container before it is started, as those for devices do."""

import os

from support.oci_runtime import MUST, PRACTICE, RuntimeCase, expand, family, requirement, main

CREATE_CONTAINER = "config.md, CreateContainer Hooks"
HOST_ID = 100000
RUNTIME_HOOKS = ("prestart", "createRuntime")
NAMESPACES = ("cgroup", "ipc", "net", "pid", "uts", "user")

# hook DIRECTORY COMMAND: the command finds the container's root at $root, its process at $pid
SCRIPT = """#!/bin/sh
state=$(cat)
root=$(echo "$state" | tr -d '\\n' | sed 's/.*"bundle": *"//;s/".*//')/rootfs
pid=$(echo "$state" | tr -d '\\n' | sed 's/.*"pid": *//;s/[^0-9].*//')
notes=$1
set -e
eval "$2"
"""


def both(section, level, text):
    """The cases of a family: in the host's user namespace, and in one of the container's own."""
    return {"plain": (section, level, text, False), "mapped": (section, level, f"{text}, in a user namespace", True)}


@expand
class HookChanges(RuntimeCase):
    def setUp(self):
        super().setUp()
        self.notes = self.work / "notes"
        self.notes.mkdir()
        self.notes.chmod(0o777)
        self.script = self.work / "hook"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)

    def hooked(self, kind, command, mapped=False, seen="true"):
        """A container that runs the shell command `seen`, after a hook that runs the other."""
        container = self.container()
        container.config["hooks"] = {kind: [{"path": str(self.script), "args": ["hook", str(self.notes), command],
                                             "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}
        container.bundle.process["args"] = ["/bin/sh", "-c", seen]
        if mapped:
            container.bundle.user_namespace((0, HOST_ID, 65536))
            container.bundle.give_to(HOST_ID, HOST_ID)
        return container

    def output(self, container):
        return self.ok(container.run()).stdout

    @family(both(CREATE_CONTAINER, MUST, "what a createContainer hook mounts below the root is in the container"))
    def _mount(self, mapped):
        command = "mount -t tmpfs hooked $root/home; echo from the hook > $root/home/file"
        container = self.hooked("createContainer", command, mapped, "cat /home/file; grep -c '^hooked /home' /proc/mounts")
        self.assertEqual(self.output(container), "from the hook\n1\n")

    @family(both(CREATE_CONTAINER, MUST, "a createContainer hook can mount the host's files below the root"))
    def _bind(self, mapped):
        (self.notes / "library").write_text("library\n")
        command = "touch $root/home/library; mount --bind $notes/library $root/home/library"
        self.assertEqual(self.output(self.hooked("createContainer", command, mapped, "cat /home/library")), "library\n")

    @family(both(CREATE_CONTAINER, MUST, "a createContainer hook finds what the one before it has mounted"))
    def _one_after_another(self, mapped):
        container = self.hooked("createContainer", "mount -t tmpfs hooked $root/home; echo one > $root/home/file", mapped,
                                "cat /home/file")
        hooks = container.config["hooks"]["createContainer"]
        hooks.append({**hooks[0], "args": ["hook", str(self.notes), "echo two >> $root/home/file"]})
        self.assertEqual(self.output(container), "one\ntwo\n")

    @family(both(CREATE_CONTAINER, MUST, "what a createContainer hook makes in the root file system belongs to the container's "
                 "root"))
    def _owner(self, mapped):
        command = "ln -s libone.so.1 $root/usr/libone.so; mkdir $root/usr/made"
        container = self.hooked("createContainer", command, mapped, "readlink /usr/libone.so; stat -c %u:%g /usr/made")
        self.assertEqual(self.output(container), "libone.so.1\n0:0\n")

    @requirement(CREATE_CONTAINER, MUST, "in a user namespace, a createContainer hook is its root")
    def test_root_of_the_user_namespace(self):
        self.output(self.hooked("createContainer", "cat /proc/self/uid_map /proc/self/status > $notes/seen", True))
        seen = (self.notes / "seen").read_text()
        self.assertEqual(seen.split()[:3], ["0", str(HOST_ID), "65536"])
        self.assertIn("Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n", seen)

    @family({name: (CREATE_CONTAINER, MUST, f"a createContainer hook is in the container's {name} namespace", name)
             for name in NAMESPACES})
    def _namespace(self, name):
        container = self.hooked("createContainer", f"readlink /proc/self/ns/{name} > $notes/seen", name == "user", "sleep 1000")
        container.started()
        self.assertEqual((self.notes / "seen").read_text().strip(), os.readlink(f"/proc/{container.pid}/ns/{name}"))

    @family(both(CREATE_CONTAINER, PRACTICE, "a createContainer hook can change a root that is read-only for the container"))
    def _read_only(self, mapped):
        container = self.hooked("createContainer", "ln -s libone.so.1 $root/usr/libone.so", mapped,
                                "readlink /usr/libone.so; touch /usr/other || echo read-only")
        container.config["root"]["readonly"] = True
        self.assertEqual(self.output(container), "libone.so.1\nread-only\n")

    @family({f"{kind}_{name}": (section, level, f"{text} (a {kind} hook)", kind, mapped) for kind in RUNTIME_HOOKS
             for name, (section, level, text, mapped) in
             both(f"config.md, {kind}", PRACTICE, "what a hook mounts below the root, in the mount namespace of the state's "
                  "process, is in the container").items()})
    def _entering(self, kind, mapped):
        command = "nsenter --mount=/proc/$pid/ns/mnt mount -t tmpfs hooked $root/home"
        container = self.hooked(kind, command, mapped, "grep -c '^hooked /home' /proc/mounts")
        self.assertEqual(self.output(container), "1\n")

    @family({kind: (f"config.md, {kind}", PRACTICE, f"a {kind} hook can change a root that is read-only for the container, "
                    "in the mount namespace of the state's process", kind) for kind in RUNTIME_HOOKS})
    def _entering_read_only(self, kind):
        command = "nsenter --mount=/proc/$pid/ns/mnt mkdir $root/usr/made"
        container = self.hooked(kind, command, False, "ls -d /usr/made; touch /usr/other || echo read-only")
        container.config["root"]["readonly"] = True
        self.assertEqual(self.output(container), "/usr/made\nread-only\n")


if __name__ == "__main__":
    main()
