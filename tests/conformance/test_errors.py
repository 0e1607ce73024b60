"""runtime.md, Errors: an operation that fails leaves everything as if it had not been tried."""

import json
import os
import pathlib
import subprocess

from support.oci_runtime import MUST, PRACTICE, RuntimeCase, expand, family, hierarchies, requirement, main
from support.waiting import until

ERRORS = "runtime.md, Errors"


def missing_program(bundle):
    bundle.process["args"] = ["/no/such/program"]


def missing_source(bundle):
    bundle.mount("/data", source="/no/such/source", options=["bind"])


def last_mount(bundle):
    for number in range(5):
        bundle.mount(f"/data/{number}", source="tmpfs", kind="tmpfs")
    bundle.mount("/data/last", source="tmpfs", kind="tmpfs", options=["nosuchoption=1"])


def bad_sysctl(bundle):
    bundle.linux["sysctl"] = {"net.no.such": "1"}


def bad_namespace(bundle):
    bundle.namespace("network", path="/no/such/namespace")


def bad_seccomp(bundle):
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_NOSUCH"}


def failing_hook(bundle):
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}


def failing_hook_inside(bundle):
    bundle.config["hooks"] = {"createContainer": [{"path": "/bin/false"}]}


def bad_cpus(bundle):
    bundle.linux["resources"]["cpu"] = {"cpus": "4000"}


def bad_maps(bundle):
    bundle.user_namespace((0, 0x60000000, 10), (5, 0x60000100, 10))


def unmapped_user(bundle):
    bundle.user_namespace((0, 0x60000000, 10))
    bundle.give_to(0x60000000, 0x60000000)
    bundle.process["user"] = {"uid": 77, "gid": 0}


def bad_directory(bundle):
    bundle.process["cwd"] = "/etc/passwd"


def bad_limit(bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]


def bad_root(bundle):
    bundle.config["root"]["path"] = "nothing"


def dead_agent(bundle):
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such/agent",
                               "syscalls": [{"names": ["getpgid"], "action": "SCMP_ACT_NOTIFY"}]}


MISTAKES = {made.__name__: made for made in (
    missing_program, missing_source, last_mount, bad_sysctl, bad_namespace, bad_seccomp, failing_hook, failing_hook_inside,
    bad_cpus, bad_maps, unmapped_user, bad_directory, bad_limit, bad_root, dead_agent)}


@expand
class Errors(RuntimeCase):
    @family({name: (ERRORS, MUST, f"run leaves nothing: {name.replace('_', ' ')}", mistake)
             for name, mistake in MISTAKES.items()})
    def _run(self, mistake):
        container = self.container()
        mistake(container.bundle)
        container.refused()
        self.assert_gone(container)

    @family({name: (ERRORS, MUST, f"create leaves nothing, or start fails and delete does: {name.replace('_', ' ')}", mistake)
             for name, mistake in MISTAKES.items()})
    def _create(self, mistake):
        container = self.container()
        mistake(container.bundle)
        if container.create().status == 0:
            self.error(container.start())
            self.ok(container.delete("--force"))
        self.assert_gone(container)

    @requirement(ERRORS, MUST, "after a create that failed, the ID can be used")
    def test_id_again(self):
        container = self.container()
        container.bundle.mount("/data", source="/no/such/source", options=["bind"])
        self.error(container.create())
        container.config["mounts"].pop()
        container.created()

    @requirement(ERRORS, MUST, "a create that fails does not touch another container")
    def test_others_unharmed(self):
        other = self.container().sleeping()
        container = self.container()
        container.bundle.namespace("network", path=f"/proc/{other.pid}/ns/net")
        container.bundle.mount("/data", source="/no/such/source", options=["bind"])
        self.error(container.create())
        self.assertEqual(other.status(), "running")

    @requirement(ERRORS, MUST, "a cgroup that was there before is still there after a create that failed")
    def test_cgroup_kept(self):
        container = self.container()
        directory = hierarchies()["pids" if "pids" in hierarchies() else ""] / container.cgroup.lstrip("/")
        directory.mkdir()
        with subprocess.Popen(["sleep", "1000"]) as tenant:
            try:
                (directory / "cgroup.procs").write_text(str(tenant.pid))
                container.bundle.mount("/data", source="/no/such/source", options=["bind"])
                self.error(container.create())
                self.assertTrue(directory.exists())
                self.assertIsNone(tenant.poll(), "whoever was in the cgroup has been killed")
            finally:
                tenant.kill()

    @requirement("command line", PRACTICE, "an error says what it is about: the path that does not exist")
    def test_message(self):
        container = self.container()
        container.bundle.mount("/data", source="/no/such/source", options=["bind"])
        self.assertIn("/no/such/source", container.refused().stderr)

    @requirement("command line", PRACTICE, "--log FILE --log-format json writes errors there, each a JSON object with level and msg")
    def test_log(self):
        container = self.container()
        container.bundle.mount("/data", source="/no/such/source", options=["bind"])
        container.bundle.write()
        log = self.work / "log"
        done = self.runtime("--log", log, "--log-format", "json", "create", "--bundle", container.directory, container.id)
        self.assertNotEqual(done.status, 0)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        errors = [line for line in lines if line["level"] == "error"]
        self.assertTrue(errors)
        self.assertIn("/no/such/source", errors[-1]["msg"])

    @requirement("command line", PRACTICE, "what a killed runtime left, delete --force removes")
    def test_killed_runtime(self):
        container = self.container()
        container.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": [
            "sh", "-c", f"echo > {self.work}/reached; exec sleep 1000"]}]}
        container.bundle.write()
        with open(os.devnull, "wb") as nothing:
            create = subprocess.Popen(self.command("create", "--bundle", container.directory, container.id),
                                      stdin=subprocess.DEVNULL, stdout=nothing, stderr=nothing)
        until(pathlib.Path(self.work, "reached").exists, "create is in its hook")
        create.kill()
        create.wait()
        self.ok(container.delete("--force"))
        self.assertNotEqual(self.runtime("state", container.id).status, 0)


if __name__ == "__main__":
    main()
