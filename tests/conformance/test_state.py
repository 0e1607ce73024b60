"""runtime.md: the state of a container, and the operations from create to delete."""

import json
import os
import pathlib
import signal
import time

from support.oci_runtime import MUST, PRACTICE, RuntimeCase, requirement, main
from support.waiting import until

WAIT = "while [ ! -e /data/go ]; do sleep 0.01; done"


class State(RuntimeCase):
    @requirement("runtime.md, State", MUST, "the state has ociVersion, id, status and bundle, and pid while there is a process")
    def test_state_has_its_properties(self):
        state = self.container().created().state()
        for name in ("ociVersion", "id", "status", "pid", "bundle"):
            self.assertIn(name, state)

    @requirement("runtime.md, State", MUST, "ociVersion is a version of the specification, in the form of SemVer 2.0")
    def test_state_version(self):
        self.assertRegex(self.container().created().state()["ociVersion"], r"^\d+\.\d+\.\d+(-[0-9A-Za-z.+-]+)?$")

    @requirement("runtime.md, State", MUST, "id is the container's ID, and bundle the absolute path of its bundle")
    def test_state_id_and_bundle(self):
        container = self.container()
        state = container.created().state()
        self.assertEqual(state["id"], container.id)
        self.assertEqual(state["bundle"], str(container.directory))

    @requirement("runtime.md, State", MUST, "bundle is absolute even if create was given a relative path")
    def test_state_bundle_absolute(self):
        container = self.container()
        container.bundle.write()
        self.ok(container.call("create", flags=("--bundle", container.directory.name), cwd=self.work))
        self.assertEqual(container.state()["bundle"], str(container.directory))

    @requirement("runtime.md, State", MUST, "pid is the container's process as the host sees it")
    def test_state_pid(self):
        container = self.container().sleeping()
        self.assertIn("1000", pathlib.Path(f"/proc/{container.pid}/cmdline").read_bytes().decode().split("\0"))

    @requirement("runtime.md, State", MUST, "annotations has the container's annotations")
    def test_state_annotations(self):
        container = self.container()
        container.config["annotations"] = {"com.example.key": "value", "com.example.empty": ""}
        found = container.created().state()["annotations"]
        self.assertEqual({key: found.get(key) for key in container.config["annotations"]},
                         container.config["annotations"])

    @requirement("runtime.md, Query State", MUST, "without an ID it is an error")
    def test_state_without_id(self):
        self.error(self.runtime("state"))

    @requirement("runtime.md, Query State", MUST, "asking for a container that does not exist is an error")
    def test_state_unknown(self):
        self.error(self.runtime("state", "nobody"))

    @requirement("runtime.md, Query State", MUST, "the state is JSON in which a second question gives the same")
    def test_state_repeats(self):
        container = self.container().created()
        self.assertEqual(container.state(), container.state())


class Create(RuntimeCase):
    @requirement("runtime.md, Create", MUST, "after it the status is created")
    def test_create_status(self):
        self.assertEqual(self.container().created().status(), "created")

    @requirement("runtime.md, Create", MUST, "the program must not run before start")
    def test_create_does_not_run(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/touch", "/data/ran"]
        container.created()
        time.sleep(0.1)
        self.assertFalse((container.rootfs / "data/ran").exists())

    @requirement("runtime.md, Create", MUST, "without a container ID it is an error")
    def test_create_without_id(self):
        container = self.container()
        container.bundle.write()
        self.error(self.runtime("create", "--bundle", container.directory))

    @requirement("runtime.md, Create", MUST, "a bundle that does not exist is an error")
    def test_create_without_bundle(self):
        self.error(self.container().call("create", flags=("--bundle", self.work / "nothing")))

    @requirement("bundle.md", MUST, "config.json must be in the bundle; without it, create is an error")
    def test_create_without_config(self):
        container = self.container()
        self.error(container.call("create", flags=("--bundle", container.directory)))

    @requirement("runtime.md, Create", MUST, "an ID that is taken is an error, and the container that has it goes on")
    def test_create_taken_id(self):
        first = self.container().sleeping()
        pid = first.pid
        second = self.container(first.id)
        self.error(second.create())
        self.assertEqual((first.status(), first.pid), ("running", pid))
        self.assertEqual(first.state()["bundle"], str(first.directory))

    @requirement("runtime.md, Create", MUST, "an ID that is not valid is an error: one that is a path")
    def test_create_id_with_slash(self):
        for name in ("../escape", "a/b", "/absolute", ".."):
            self.error(self.container(name).create())
        self.assertFalse((self.root.parent / "escape").exists())

    @requirement("runtime.md, Create", MUST, "an ID that is not valid is an error: the empty one")
    def test_create_empty_id(self):
        container = self.container()
        container.bundle.write()
        self.error(self.runtime("create", "--bundle", container.directory, ""))

    @requirement("runtime.md, Lifecycle 2", MUST, "changes of config.json after create have no effect")
    def test_create_config_changes_later(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/echo", "first"]
        container.created()
        container.bundle.process["args"] = ["/bin/echo", "second"]
        container.bundle.write()
        self.ok(container.start())
        container.stopped()
        self.assertEqual(container.output(), "first\n")

    @requirement("runtime.md, Create", MUST, "a property that cannot be applied is an error, and no container is made")
    def test_create_cannot_apply(self):
        container = self.container()
        container.bundle.mount("/data", source=self.work / "nothing", kind="bind", options=["bind"])
        self.error(container.create())
        self.error(self.runtime("state", container.id))

    @requirement("command line", PRACTICE, "--pid-file has the PID of the container's process, without a line's end")
    def test_create_pid_file(self):
        container = self.container()
        container.created("--pid-file", self.work / "pid")
        self.assertEqual((self.work / "pid").read_text(), str(container.pid))

    @requirement("command line", PRACTICE, "without --bundle the current directory is the bundle")
    def test_create_in_current_directory(self):
        container = self.container()
        container.bundle.write()
        self.ok(container.call("create", cwd=container.directory))
        self.assertEqual(container.state()["bundle"], str(container.directory))


class Start(RuntimeCase):
    @requirement("runtime.md, Start", MUST, "it runs the program")
    def test_start_runs(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/echo", "it runs"]
        container.created()
        self.ok(container.start())
        container.stopped()
        self.assertEqual(container.output(), "it runs\n")

    @requirement("runtime.md, Start", MUST, "after it the status is running, until the process has ended; then stopped")
    def test_start_status(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c", WAIT]
        container.started()
        self.assertEqual(container.status(), "running")
        (container.rootfs / "data/go").touch()
        container.stopped()

    @requirement("runtime.md, Start", MUST, "without an ID it is an error")
    def test_start_without_id(self):
        self.error(self.runtime("start"))

    @requirement("runtime.md, Start", MUST, "a container that does not exist is an error")
    def test_start_unknown(self):
        self.error(self.runtime("start", "nobody"))

    @requirement("runtime.md, Start", MUST, "starting a running container is an error, and it goes on")
    def test_start_running(self):
        container = self.container().sleeping()
        pid = container.pid
        self.error(container.start())
        self.assertEqual((container.status(), container.pid), ("running", pid))

    @requirement("runtime.md, Start", MUST, "starting a stopped container is an error, and it stays stopped")
    def test_start_stopped(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.error(container.start())
        self.assertEqual(container.status(), "stopped")

    @requirement("runtime.md, Start", MUST, "it is an error if process was not set")
    def test_start_without_process(self):
        container = self.container()
        del container.config["process"]
        done = container.create()
        if done.status == 0:
            self.error(container.start())
        else:
            self.error(done)


class Kill(RuntimeCase):
    def trapping(self):
        """Writes down the signals that it gets."""
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c", """
            for one in HUP INT USR1 USR2 TERM; do trap "echo $one >> /data/got" $one; done
            touch /data/ready; while true; do sleep 0.01; done"""]
        container.started()
        until((container.rootfs / "data/ready").exists, "it is ready")
        return container

    def got(self, container, *names):
        file = container.rootfs / "data/got"
        until(lambda: file.exists() and file.read_text().split() == list(names), f"it has got {names}")

    @requirement("runtime.md, Kill", MUST, "the signal that is named reaches the container's process")
    def test_kill_sends(self):
        container = self.trapping()
        self.ok(container.kill("USR1"))
        self.got(container, "USR1")
        self.ok(container.kill("HUP"))
        self.got(container, "USR1", "HUP")
        self.assertEqual(container.status(), "running")

    @requirement("command line", PRACTICE, "a signal is named as KILL, SIGKILL or 9")
    def test_kill_names(self):
        container = self.trapping()
        self.ok(container.kill("SIGUSR2"))
        self.got(container, "USR2")
        self.ok(container.kill(str(int(signal.SIGINT))))
        self.got(container, "USR2", "INT")

    @requirement("command line", PRACTICE, "without a signal it is TERM")
    def test_kill_default(self):
        container = self.trapping()
        self.ok(self.runtime("kill", container.id))
        self.got(container, "TERM")

    @requirement("runtime.md, Kill", MUST, "a process that ends by it leaves the container stopped")
    def test_kill_stops(self):
        container = self.container().sleeping()
        self.ok(container.kill("KILL"))
        container.stopped()

    @requirement("runtime.md, Kill", MUST, "a created container can be killed")
    def test_kill_created(self):
        container = self.container().created()
        self.ok(container.kill("KILL"))
        container.stopped()

    @requirement("runtime.md, Kill", MUST, "without an ID it is an error")
    def test_kill_without_id(self):
        self.error(self.runtime("kill"))

    @requirement("runtime.md, Kill", MUST, "a container that does not exist is an error")
    def test_kill_unknown(self):
        self.error(self.runtime("kill", "nobody", "KILL"))

    @requirement("runtime.md, Kill", MUST, "killing a stopped container is an error")
    def test_kill_stopped(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.error(container.kill("KILL"))
        self.assertEqual(container.status(), "stopped")

    @requirement("config.md, Valid values", MUST, "a signal that does not exist is an error, and the process goes on")
    def test_kill_bad_signal(self):
        container = self.container().sleeping()
        for name in ("NOSUCH", "4096", "-1"):
            self.error(container.call("kill", "--", name))
        self.assertEqual(container.status(), "running")

    @requirement("command line", PRACTICE, "kill --all reaches every process, also where they share the host's PID namespace")
    def test_kill_all(self):
        container = self.container()
        container.bundle.without_namespace("pid")
        container.bundle.process["args"] = ["/bin/sh", "-c", "sleep 1000 & echo $! > /data/child; wait"]
        container.started()
        child = container.rootfs / "data/child"
        until(lambda: child.exists() and child.read_text().strip(), "the child runs")
        self.ok(container.kill("KILL", flags=("--all",)))
        container.stopped()
        until(lambda: not runs(int(child.read_text())), "the child has ended too")


def runs(pid):
    try:
        return ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


class Delete(RuntimeCase):
    @requirement("runtime.md, Delete", MUST, "without an ID it is an error")
    def test_delete_without_id(self):
        self.error(self.runtime("delete"))

    @requirement("runtime.md, Delete", MUST, "a container that does not exist is an error")
    def test_delete_unknown(self):
        self.error(self.runtime("delete", "nobody"))

    @requirement("runtime.md, Delete", MUST, "deleting a running container is an error, and it goes on")
    def test_delete_running(self):
        container = self.container().sleeping()
        self.error(container.delete())
        self.assertEqual(container.status(), "running")

    @requirement("runtime.md, Delete", MUST, "deleting a container that was not started is an error: it is not stopped")
    def test_delete_created(self):
        container = self.container().created()
        self.error(container.delete())
        self.assertEqual(container.status(), "created")

    @requirement("runtime.md, Delete", MUST, "what create made is gone after it")
    def test_delete_leaves_nothing(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.ok(container.delete())
        self.assert_gone(container)

    @requirement("runtime.md, Delete", MUST, "what create did not make stays: a mounted directory and the root file system")
    def test_delete_keeps_others(self):
        container = self.container()
        shared = self.work / "shared"
        shared.mkdir()
        (shared / "file").write_text("kept")
        container.bundle.mount("/data", source=shared, kind="bind", options=["rbind", "rw"])
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.ok(container.delete())
        self.assertEqual((shared / "file").read_text(), "kept")
        self.assertTrue((container.rootfs / "bin/busybox").exists())

    @requirement("runtime.md, Delete", MUST, "what create did not make stays: a namespace that was joined")
    def test_delete_keeps_joined_namespace(self):
        other = self.container().sleeping()
        container = self.container()
        container.bundle.namespace("network", path=f"/proc/{other.pid}/ns/net")
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.ok(container.delete())
        self.assertEqual(other.status(), "running")
        self.assertTrue(os.path.exists(f"/proc/{other.pid}/ns/net"))

    @requirement("runtime.md, Delete", MUST, "the ID may be used again")
    def test_delete_frees_id(self):
        first = self.container()
        first.bundle.process["args"] = ["/bin/true"]
        first.started().stopped()
        self.ok(first.delete())
        self.assertEqual(self.container(first.id).created().status(), "created")

    @requirement("command line", PRACTICE, "delete --force ends a running container and leaves nothing")
    def test_delete_force_running(self):
        container = self.container().sleeping()
        self.ok(container.delete("--force"))
        self.assert_gone(container)

    @requirement("command line", PRACTICE, "delete --force of a created container leaves nothing")
    def test_delete_force_created(self):
        container = self.container().created()
        self.ok(container.delete("--force"))
        self.assert_gone(container)

    @requirement("command line", PRACTICE, "delete --force of a container that does not exist is no error")
    def test_delete_force_unknown(self):
        self.ok(self.runtime("delete", "--force", "nobody"))

    @requirement("command line", PRACTICE, "delete works after the bundle has gone")
    def test_delete_without_bundle(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        (container.directory / "config.json").unlink()
        self.ok(container.delete())
        self.assert_gone(container)


class Listing(RuntimeCase):
    @requirement("command line", PRACTICE, "list --format json has every container with id, pid, status, bundle and created")
    def test_list_json(self):
        one, two = self.container().created(), self.container().sleeping()
        listed = {entry["id"]: entry for entry in json.loads(self.ok(self.runtime("list", "--format", "json")).stdout)}
        self.assertEqual({name: entry["status"] for name, entry in listed.items()},
                         {one.id: "created", two.id: "running"})
        for entry in listed.values():
            self.assertLessEqual({"id", "pid", "status", "bundle", "created"}, set(entry))

    @requirement("command line", PRACTICE, "list --quiet has the IDs only")
    def test_list_quiet(self):
        names = {self.container().created().id, self.container().created().id}
        self.assertEqual(set(self.ok(self.runtime("list", "--quiet")).stdout.split()), names)


if __name__ == "__main__":
    main()
