"""berth-runtime killed at every step of making and removing a container: `delete --force` leaves nothing."""

import re
import subprocess

from support.case import REPOSITORY
from support.runtime_case import BerthRuntimeCase, main

# Of `create`, in the order in which it comes to them, by who is killed there.
CREATE_POINTS = {"filter-staged", "container-directory-made", "cgroup-made", "cgroup-recorded", "process-created",
                 "process-waiting", "process-recorded", "rootfs-mounted", "hooks-have-mounted", "assembled", "created"}
INSIDE_POINTS = {"inside-mapped", "mounts-made", "inside-entered", "inside-ready"}
DELETE_POINTS = {"processes-ended", "cgroup-removed"}
EXEC_POINTS = {"exec-forked", "exec-ready"}  # test_runtime_exec.py kills there
SYSTEMD_POINTS = {"scope-started"}  # tests/vm/systemd/test_scopes.py does
SECCOMP = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getpgid"], "action": "SCMP_ACT_ERRNO"}]}


class Crash(BerthRuntimeCase):
    def sleeping_bundle(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sleep", "1000"]
        container.bundle.linux["seccomp"] = SECCOMP
        container.bundle.user_namespace((0, 0x60000000, 65536))
        container.bundle.give_to(0x60000000, 0x60000000)
        command = f"exec mount -t tmpfs hooked {container.rootfs}/home"
        container.config["hooks"] = {"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", command],
                                                          "env": ["PATH=/usr/bin:/bin"]}]}
        return container

    def killed_at(self, point, command, container, *flags, expected=137):
        container.bundle.write()
        subprocess.run(["rm", "-rf", self.root / "@seccomp"], check=True)  # so that a filter is compiled and kept
        done = container.call(command, flags=flags, stdout=container.stdout, stderr=container.stderr,
                              env={"BERTH_FAULT": point})
        self.assertEqual(done.status, expected, (point, done))

    def assert_nothing_left(self, container):
        self.assert_gone(container)
        self.assertEqual([path.name for path in self.root.iterdir() if path.name != "@seccomp"], [])
        self._check_left()

    def test_every_point_of_the_source_is_tried(self):
        found = set()
        for folder in ("lifecycle", "runtime", "runtime_cli", "seccomp", "cgroup"):
            for path in (REPOSITORY / "src" / folder).rglob("*.cc"):
                found |= set(re.findall(r'fault::point\("([^"]+)"\)', path.read_text()))
        self.assertEqual(found, CREATE_POINTS | INSIDE_POINTS | DELETE_POINTS | EXEC_POINTS | SYSTEMD_POINTS)

    def test_create(self):
        for point in sorted(CREATE_POINTS):
            with self.subTest(point=point):
                container = self.sleeping_bundle()
                self.killed_at(point, "create", container, "--bundle", container.directory)
                self.ok(container.delete("--force"))
                self.assert_nothing_left(container)

    def test_create_whose_process_is_killed_leaves_nothing_by_itself(self):
        for point in sorted(INSIDE_POINTS):
            with self.subTest(point=point):
                container = self.sleeping_bundle()
                self.killed_at(point, "create", container, "--bundle", container.directory, expected=1)
                self.assert_nothing_left(container)

    def test_the_same_id_can_be_used_again(self):
        for point in sorted(CREATE_POINTS - {"filter-staged"}):
            with self.subTest(point=point):
                container = self.sleeping_bundle()
                self.killed_at(point, "create", container, "--bundle", container.directory)
                self.assertNotEqual(container.create().status, 0, "what was killed is still there")
                self.ok(container.delete("--force"))
                container.started()
                self.ok(container.delete("--force"))
                self.assert_nothing_left(container)

    def test_list_passes_over_what_was_killed(self):
        for point in sorted(CREATE_POINTS - {"filter-staged"}):
            with self.subTest(point=point):
                container = self.sleeping_bundle()
                self.killed_at(point, "create", container, "--bundle", container.directory)
                self.ok(self.berth_runtime("list"))
                self.ok(container.delete("--force"))

    def test_delete(self):
        for point in sorted(DELETE_POINTS):
            with self.subTest(point=point):
                container = self.sleeping_bundle().started()
                self.killed_at(point, "delete", container, "--force")
                self.ok(container.delete("--force"))
                self.assert_nothing_left(container)

    def test_a_failed_create_that_is_killed_while_it_tidies_up(self):
        for point in sorted(DELETE_POINTS):
            with self.subTest(point=point):
                container = self.sleeping_bundle()
                container.bundle.process["args"] = ["/no/such/program"]
                self.killed_at(point, "create", container, "--bundle", container.directory)
                self.ok(container.delete("--force"))
                self.assert_nothing_left(container)


if __name__ == "__main__":
    main()
