"""berth-runtime delete --force always ends, and leaves nothing, whatever there is of the container's record."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

from support.runtime_case import BerthRuntimeCase, main
from support.waiting import until

PATIENCE = 9.0  # seconds: it gives others five to go
DAMAGES = {
    "empty": lambda record: b"",
    "cut off": lambda record: record[:len(record) // 2],
    "of another version": lambda record: record.replace(b"berth-runtime ", b"berth-runtime 9", 1),
    "nonsense": lambda record: os.urandom(4096),
}


class Force(BerthRuntimeCase):
    def delete(self, container):
        """Within its time, and nothing is left of it."""
        began = time.monotonic()
        done = self.ok(container.delete("--force"))
        self.assertLess(time.monotonic() - began, PATIENCE)
        self.assert_gone(container)
        return done

    def damage(self, container, change):
        record = self.root / container.id / "record"
        record.write_bytes(change(record.read_bytes()))

    @contextlib.contextmanager
    def in_the_background(self, command, container, *flags):
        """Its output goes where the container's goes."""
        container.bundle.write()
        with open(container.stdout, "ab") as out, open(container.stderr, "ab") as err:
            process = subprocess.Popen(self.command(command, *flags, container.id), stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=err, cwd=self.work)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def hook(self, container, kind):
        """A hook that tells of itself and then never ends."""
        place = container.rootfs if kind == "startContainer" else self.work
        reached = place / f"reached-{container.token}"
        inside = f"/{reached.name}" if kind == "startContainer" else str(reached)
        container.config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", f"echo $$ > {inside}; exec sleep 1000"]}]}
        return reached

    def await_hook(self, reached):
        until(lambda: reached.exists() and reached.read_text().strip(), "the hook runs")

    @staticmethod
    def end_hook(reached):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(reached.read_text()), signal.SIGKILL)


class Record(Force):
    def test_one_that_cannot_be_read(self):
        for name, change in DAMAGES.items():
            with self.subTest(record=name):
                container = self.container().sleeping()
                self.damage(container, change)
                self.fails("state", container.id, saying="")
                self.assertIn("warning: ", self.delete(container).stderr)

    def test_one_that_is_not_there(self):
        container = self.container().sleeping()
        (self.root / container.id / "record").unlink()
        self.delete(container)

    def test_of_one_that_has_not_been_started(self):
        container = self.container().created()
        self.damage(container, DAMAGES["empty"])
        self.delete(container)

    def test_of_many_processes_in_the_hosts_pid_namespace(self):
        container = self.container()
        container.bundle.without_namespace("pid")
        container.config["mounts"] = [one for one in container.config["mounts"] if one["type"] != "proc"]
        container.bundle.process["args"] = ["/bin/sh", "-c", "for n in 1 2 3; do sleep 1000 & done; echo up; wait"]
        container.started()
        until(lambda: container.output() == "up\n", "it runs")
        self.damage(container, DAMAGES["of another version"])
        self.delete(container)

    def test_of_a_paused_one(self):
        container = self.container().sleeping()
        self.ok(container.call("pause"))
        self.damage(container, DAMAGES["of another version"])
        self.delete(container)

    def test_of_one_that_was_killed_before_its_process_was_known(self):
        for point in ("cgroup-made", "process-waiting"):
            with self.subTest(point=point):
                container = self.container()
                container.bundle.write()
                done = container.create(env={"BERTH_FAULT": point})
                self.assertEqual(done.status, 137, done)
                self.damage(container, DAMAGES["empty"])
                self.delete(container)

    def test_nobody_else_is_killed_for_it(self):
        container = self.container().sleeping()
        other = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        traces = self.root / container.id / "traces"
        named = traces.read_text().replace(f"pid {container.pid} ", f"pid {other.pid} ")
        self.assertIn(f"pid {other.pid} ", named)
        traces.write_text(named)
        self.damage(container, DAMAGES["empty"])
        self.delete(container)
        self.assertIsNone(other.poll(), "a process that has the PID, but not the start time, was killed")

    def test_without_any_knowledge_the_directory_goes_and_it_is_said(self):
        container = self.container().sleeping()
        pid = container.pid
        for name in ("record", "traces"):
            (self.root / container.id / name).write_bytes(b"")
        done = self.ok(container.delete("--force"))
        self.assertIn("what may still run", done.stderr)
        os.kill(pid, signal.SIGKILL)

    def test_damaged_traces_alone_are_no_obstacle(self):
        container = self.container().sleeping()
        (self.root / container.id / "traces").write_bytes(b"nonsense")
        self.assertEqual(self.delete(container).stderr, "")


class Hooks(Force):
    def test_in_the_container_before_its_command(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sleep", "1000"]
        reached = self.hook(container, "startContainer")
        container.created()
        with self.in_the_background("start", container) as start:
            self.await_hook(reached)
            began = time.monotonic()
            self.delete(container)
            self.assertLess(time.monotonic() - began, 4, "it does not wait where it can kill")
            start.wait(5)

    def test_on_the_host_while_it_is_made(self):
        for kind in ("prestart", "createRuntime", "createContainer"):
            with self.subTest(hook=kind):
                container = self.container()
                reached = self.hook(container, kind)
                with self.in_the_background("create", container, "--bundle", container.directory) as create:
                    self.await_hook(reached)
                    self.ok(container.delete("--force"))
                    self.end_hook(reached)
                    self.assertNotEqual(create.wait(5), 0)
                    self.assert_gone(container)

    def test_on_the_host_after_the_start(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sleep", "1000"]
        reached = self.hook(container, "poststart")
        container.created()
        with self.in_the_background("start", container) as start:
            self.await_hook(reached)
            self.assertEqual(container.status(), "running")
            self.ok(container.exec("/bin/true"))
            began = time.monotonic()
            self.ok(container.delete("--force"))
            self.assertLess(time.monotonic() - began, 4, "nobody has the lock")
            self.end_hook(reached)
            self.assertEqual(start.wait(5), 0)
            self.assert_gone(container)


class Others(Force):
    def test_one_that_does_nothing_any_more(self):
        """A create that somebody has stopped finds its container gone when it goes on."""
        container = self.container()
        reached = self.hook(container, "createRuntime")
        with self.in_the_background("create", container, "--bundle", container.directory) as create:
            self.await_hook(reached)
            create.send_signal(signal.SIGSTOP)
            self.ok(container.delete("--force"))
            create.send_signal(signal.SIGCONT)
            self.end_hook(reached)
            self.assertNotEqual(create.wait(5), 0)
            self.assert_gone(container)

    def test_at_any_moment_of_create_and_start(self):
        for delay in range(16):
            container = self.container()
            container.bundle.process["args"] = ["/bin/sleep", "1000"]
            container.bundle.write()
            script = ('"$0" --root "$1" create --bundle "$2" "$3" && exec "$0" --root "$1" start "$3"')
            program = self.command()[0]
            with open(container.stdout, "wb") as out:
                making = subprocess.Popen(["sh", "-c", script, program, self.root, container.directory, container.id],
                                          stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            time.sleep(delay * 0.002)
            self.ok(container.delete("--force"))
            making.wait(10)
            self.ok(container.delete("--force"))  # it may have been too early
            self.assert_gone(container)
            self.assertFalse(pathlib.Path(self.root, container.id).exists())

    def test_two_containers_of_one_cgroup(self):
        """At the same time, neither may take the other's for one that nobody uses."""
        for _ in range(8):
            both = [self.container(), self.container()]
            for one in both:
                one.bundle.linux["cgroupsPath"] = both[0].cgroup
                one.bundle.process["args"] = ["/bin/sleep", "1000"]
            with (self.in_the_background("create", both[0], "--bundle", both[0].directory) as first,
                  self.in_the_background("create", both[1], "--bundle", both[1].directory) as second):
                statuses = sorted([first.wait(10), second.wait(10)])
            self.assertEqual(statuses, [0, 1], [one.stderr.read_text() for one in both])
            for one in both:
                self.ok(one.delete("--force"))
            self.assert_gone(both[0])


if __name__ == "__main__":
    main()
