"""config.md, POSIX-platform Hooks; runtime.md, Lifecycle."""

import json
import os
import time

from support.oci_runtime import MUST, RuntimeCase, expand, family, requirement, main
from support.waiting import until

HOOKS = "config.md, POSIX-platform Hooks"
LIFECYCLE = "runtime.md, Lifecycle"
AT_CREATE = ("prestart", "createRuntime", "createContainer")
AT_START = ("startContainer", "poststart")
ALL = (*AT_CREATE, *AT_START, "poststop")
IN_RUNTIME = ("prestart", "createRuntime", "poststart", "poststop")
IN_CONTAINER = ("createContainer", "startContainer")
STATUS = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
          "startContainer": "created", "poststart": "running", "poststop": "stopped"}

SCRIPT = """#!/bin/sh
# hook DIRECTORY NAME [COMMAND]
cat > $1/$2.state
readlink /proc/self/ns/mnt > $1/$2.mnt
readlink /proc/self/ns/net > $1/$2.net
echo "$0 $*" > $1/$2.args
env > $1/$2.env
echo $2 >> $1/order
eval "$3"
"""


@expand
class Hooks(RuntimeCase):
    def setUp(self):
        super().setUp()
        self.notes = self.work / "notes"
        self.notes.mkdir()
        self.script = self.work / "hook"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)

    def hooked(self, *kinds, command="", **more):
        """A container with a hook of each kind, that writes down what it sees; more are other entries of each."""
        container = self.container()
        (container.rootfs / "hook").write_text(SCRIPT)
        (container.rootfs / "hook").chmod(0o755)
        for kind in kinds:
            self.hook(container, kind, kind, command, **more)
        container.bundle.process["args"] = ["/bin/sh", "-c", "echo program >> /data/order; sleep 1000"]
        container.bundle.mount("/data", source=self.notes, options=["bind", "rw"])
        return container

    def hook(self, container, kind, name, command="", **more):
        inside = kind == "startContainer"
        words = ["hook", "/data" if inside else str(self.notes), name, command]
        entry = {"path": "/hook" if inside else str(self.script), "args": words, **more}
        container.config.setdefault("hooks", {}).setdefault(kind, []).append(entry)

    def note(self, name):
        path = self.notes / name
        return path.read_text() if path.exists() else None

    def order(self):
        return (self.note("order") or "").split()

    def through(self, container):
        """The whole life of it."""
        container.started()
        until(lambda: "program" in self.order(), "the program has run")
        self.ok(container.kill("KILL"))
        container.stopped()
        self.ok(container.delete())

    @family({kind: (HOOKS, MUST, f"{kind} hooks are called", kind) for kind in ALL})
    def _called(self, kind):
        self.through(self.hooked(kind))
        self.assertIn(kind, self.order())

    @requirement(HOOKS, MUST, "the order is prestart, createRuntime, createContainer, startContainer, the program, poststop")
    def test_order_of_kinds(self):
        self.through(self.hooked(*ALL))
        self.assertEqual([one for one in self.order() if one != "poststart"],
                         [*AT_CREATE, "startContainer", "program", "poststop"])

    @requirement(HOOKS, MUST, "hooks of one kind are called in the listed order")
    def test_order_of_one_kind(self):
        container = self.hooked()
        for number in range(4):
            self.hook(container, "createRuntime", f"hook{number}")
        container.created()
        self.assertEqual(self.order(), ["hook0", "hook1", "hook2", "hook3"])

    @family({kind: (f"config.md, {kind}", MUST, f"{kind} hooks are called by create", kind) for kind in AT_CREATE})
    def _by_create(self, kind):
        container = self.hooked(*ALL).created()
        self.assertIn(kind, self.order())
        self.ok(container.start())
        self.assertEqual(self.order().count(kind), 1)

    @family({kind: (f"config.md, {kind}", MUST, f"{kind} hooks are called by start, and not before", kind)
             for kind in AT_START})
    def _by_start(self, kind):
        container = self.hooked(kind, command="sleep 0.2; touch $1/end").created()
        self.assertNotIn(kind, self.order())
        self.ok(container.start())
        self.assertIsNotNone(self.note("end"), "start has returned before the hook")

    @requirement("config.md, StartContainer Hooks", MUST, "startContainer hooks are done before the program is executed")
    def test_start_container_before_program(self):
        container = self.hooked("startContainer", command="sleep 0.2; echo end >> $1/order").started()
        until(lambda: "program" in self.order(), "the program has run")
        self.assertEqual(self.order(), ["startContainer", "end", "program"])
        self.assertEqual(container.status(), "running")

    @requirement("config.md, Poststart", MUST, "poststart hooks are called after the program is executed")
    def test_poststart_after_program(self):
        container = self.hooked("poststart", command="sleep 0.2; ls -l /proc/$(sed 's/.*\"pid\": *//;s/[^0-9].*//' $1/$2.state "
                                                     "| head -c 9)/exe > $1/exe")
        container.started()
        self.assertIn("busybox", self.note("exe") or "")

    @requirement("config.md, Poststop", MUST, "poststop hooks are called by delete, after the container is gone")
    def test_poststop_by_delete(self):
        container = self.hooked("poststop", command=f"ls {self.root} > $1/states")
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.assertEqual(self.order(), [])
        self.ok(container.delete())
        self.assertEqual(self.order(), ["poststop"])
        self.assertNotIn(container.id, self.note("states"))

    @family({kind: (HOOKS, MUST, f"{kind} hooks get the state on their standard input", kind) for kind in ALL})
    def _state(self, kind):
        container = self.hooked(kind)
        container.config["annotations"] = {"com.example.key": "value"}
        self.through(container)
        state = json.loads(self.note(f"{kind}.state"))
        self.assertEqual((state["id"], state["bundle"]), (container.id, str(container.directory)))
        self.assertEqual(state["annotations"]["com.example.key"], "value")

    @requirement("runtime.md, State", MUST, "ociVersion in the state that hooks get is in the form of SemVer 2.0")
    def test_state_version(self):
        self.hooked("createRuntime").created()
        self.assertRegex(json.loads(self.note("createRuntime.state"))["ociVersion"], r"^\d+\.\d+\.\d+")

    @family({kind: ("runtime.md, State", MUST, f"the status that {kind} hooks get is {STATUS[kind]}", kind) for kind in ALL})
    def _status(self, kind):
        self.through(self.hooked(kind))
        self.assertEqual(json.loads(self.note(f"{kind}.state"))["status"], STATUS[kind])

    @family({kind: ("runtime.md, State", MUST, f"the pid that {kind} hooks get is the container's process as they see it",
                    kind) for kind in (*AT_CREATE, *AT_START)})
    def _pid(self, kind):
        container = self.hooked(kind).started()
        until(lambda: "program" in self.order() and kind in self.order(), "hook and program have run")
        wanted = container.pid if kind in IN_RUNTIME else 1
        self.assertEqual(json.loads(self.note(f"{kind}.state"))["pid"], wanted)

    @family({kind: (HOOKS, MUST, f"{kind} hooks run in the namespaces of the runtime", kind) for kind in IN_RUNTIME})
    def _in_runtime(self, kind):
        self.through(self.hooked(kind))
        self.assertEqual(self.note(f"{kind}.net").strip(), os.readlink("/proc/self/ns/net"))
        self.assertEqual(self.note(f"{kind}.mnt").strip(), os.readlink("/proc/self/ns/mnt"))

    @family({kind: (HOOKS, MUST, f"{kind} hooks run in the namespaces of the container", kind) for kind in IN_CONTAINER})
    def _in_container(self, kind):
        container = self.hooked(kind).started()
        until(lambda: "program" in self.order(), "the program has run")
        for name in ("net", "mnt"):
            self.assertEqual(self.note(f"{kind}.{name}").strip(), os.readlink(f"/proc/{container.pid}/ns/{name}"))

    @family({kind: (f"config.md, {kind}", MUST, f"{kind} hooks run before the root is changed: they see the host's files",
                    kind) for kind in AT_CREATE})
    def _before_pivot(self, kind):
        self.hooked(kind, command=f"ls -d {self.notes} > $1/seen").created()
        self.assertEqual((self.note("seen") or "").strip(), str(self.notes))

    @requirement("config.md, CreateContainer Hooks", MUST, "createContainer hooks find the mounts made")
    def test_mounts_are_made(self):
        container = self.hooked()
        container.bundle.mount("/home", source="marked", kind="tmpfs")
        self.hook(container, "createContainer", "one", "cp /proc/self/mountinfo $1/table")
        container.created()
        self.assertIn("marked", self.note("table"))

    @requirement(HOOKS, MUST, "args are the words that the hook gets, the first as its name")
    def test_args(self):
        container = self.hooked()
        container.config["hooks"] = {"createRuntime": [{
            "path": "/bin/sh", "args": ["another name", "-c", f"echo \"$0 $1\" > {self.notes}/words", "zero", "one two"]}]}
        container.created()
        self.assertEqual(self.note("words"), "zero one two\n")

    @requirement(HOOKS, MUST, "env is the environment that the hook gets, and nothing else")
    def test_env(self):
        self.hooked("createRuntime", env=["PATH=/usr/bin:/bin", "OWN=value"]).created(env=dict(os.environ, SECRET="1"))
        lines = set(self.note("createRuntime.env").split())
        self.assertLessEqual({"PATH=/usr/bin:/bin", "OWN=value"}, lines)
        self.assertEqual([line for line in lines if line.startswith("SECRET")], [])

    @family({kind: (HOOKS, MUST, f"a {kind} hook with a relative path is an error", kind) for kind in ALL})
    def _relative(self, kind):
        container = self.container()
        (container.directory / "hook").write_text("#!/bin/sh\n")
        (container.directory / "hook").chmod(0o755)
        container.config["hooks"] = {kind: [{"path": "hook"}]}
        container.bundle.process["args"] = ["/bin/sleep", "1000"]
        done = container.create(cwd=container.directory)
        if done.status == 0:
            done = container.start()
        self.error(done)

    @requirement(HOOKS, MUST, "a timeout of 0 or less is an error")
    def test_timeout_invalid(self):
        for value in (0, -1):
            container = self.hooked("createRuntime", timeout=value)
            self.error(container.create())

    @requirement(HOOKS, MUST, "a hook that takes longer than its timeout is ended, and create fails")
    def test_timeout(self):
        container = self.hooked("createRuntime", command="exec sleep 20", timeout=1)
        began = time.monotonic()
        self.error(container.create())
        self.assertLess(time.monotonic() - began, 8)
        self.assert_gone(container)

    @requirement(HOOKS, MUST, "a hook that is done before its timeout is not ended")
    def test_timeout_not_reached(self):
        self.hooked("createRuntime", command="sleep 0.2; touch $1/end", timeout=5).created()
        self.assertIsNotNone(self.note("end"))

    @family({kind: (f"{LIFECYCLE} 3-5", MUST, f"if a {kind} hook fails, create fails and no container is left", kind)
             for kind in AT_CREATE})
    def _failing(self, kind):
        container = self.hooked(kind, command="exit 3")
        self.error(container.create())
        self.assert_gone(container)

    @family({kind: (f"{LIFECYCLE} 3-5", MUST, f"if a {kind} hook fails, those after it are not called", kind)
             for kind in AT_CREATE})
    def _failing_first(self, kind):
        container = self.hooked(kind, command="exit 3")
        self.hook(container, kind, "second")
        self.error(container.create())
        self.assertEqual(self.order(), [kind])

    @requirement(f"{LIFECYCLE} 3-5, 13", MUST, "if a createRuntime hook fails, the poststop hooks are called")
    def test_failing_poststop(self):
        container = self.hooked("createRuntime", command="exit 3")
        self.hook(container, "poststop", "poststop")
        self.error(container.create())
        self.assertEqual(self.order(), ["createRuntime", "poststop"])

    @requirement(f"{LIFECYCLE} 7", MUST, "if a startContainer hook fails, start fails")
    def test_failing_at_start(self):
        container = self.hooked("startContainer", command="exit 3").created()
        self.error(container.start())

    @requirement(f"{LIFECYCLE} 7", MUST, "if a startContainer hook fails, the program is not run")
    def test_failing_at_start_program(self):
        container = self.hooked("startContainer", command="exit 3").created()
        container.start()
        until(lambda: self.runtime("state", container.id).status != 0 or container.status() == "stopped",
                        "the container is stopped or gone")
        self.assertNotIn("program", self.order())

    @requirement(f"{LIFECYCLE} 7, 12", MUST, "if a startContainer hook fails, the container is destroyed")
    def test_failing_at_start_gone(self):
        container = self.hooked("startContainer", command="exit 3").created()
        self.error(container.start())
        self.assert_gone(container)

    @requirement(f"{LIFECYCLE} 9", MUST, "if a poststart hook fails, the container goes on (1.2; an error from 1.3 on)")
    def test_failing_poststart(self):
        container = self.hooked("poststart", command="exit 3").created()
        self.ok(container.start())
        self.assertEqual(container.status(), "running")

    @requirement(f"{LIFECYCLE} 9", MUST, "if a poststart hook fails, there is a warning, and those after it are called")
    def test_failing_poststart_others(self):
        container = self.hooked("poststart", command="exit 3")
        self.hook(container, "poststart", "second")
        container.created()
        done = self.runtime("--log", self.work / "log", "start", container.id)
        self.assertEqual([one for one in self.order() if one != "program"], ["poststart", "second"])
        log = self.work / "log"
        self.assertTrue(done.stderr.strip() or log.exists() and log.read_text().strip(), "no warning")

    @requirement(f"{LIFECYCLE} 13", MUST, "if a poststop hook fails, delete goes on, and those after it are called")
    def test_failing_at_delete(self):
        container = self.hooked("poststop", command="exit 3")
        self.hook(container, "poststop", "second")
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.ok(container.delete())
        self.assertEqual(self.order(), ["poststop", "second"])
        self.assert_gone(container)

    @requirement(HOOKS, MUST, "a hook that does not exist is an error, and no container is left")
    def test_missing(self):
        container = self.container()
        container.config["hooks"] = {"createRuntime": [{"path": "/no/such/hook"}]}
        self.error(container.create())
        self.assert_gone(container)


if __name__ == "__main__":
    main()
