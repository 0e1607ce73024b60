"""Commands beside those of the specification, as engines use them."""

import json
import os
import pathlib
import signal
import subprocess
import time

from support.oci_runtime import MUST, PRACTICE, RUNTIME, RuntimeCase, requirement, main
from support.waiting import until

MIB = 1 << 20


class Commands(RuntimeCase):
    @requirement("command line", PRACTICE, "pause stops every process and resume lets them go on; the status says paused")
    def test_pause(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c", "while true; do echo x >> /data/ticks; sleep 0.01; done"]
        container.started()
        ticks = container.rootfs / "data/ticks"
        until(ticks.exists, "it ticks")
        self.ok(self.runtime("pause", container.id))
        self.assertEqual(container.status(), "paused")
        before = ticks.stat().st_size
        time.sleep(0.1)
        self.assertEqual(ticks.stat().st_size, before)
        self.ok(self.runtime("resume", container.id))
        self.assertEqual(container.status(), "running")
        until(lambda: ticks.stat().st_size > before, "it ticks again")

    @requirement("command line", PRACTICE, "a paused container can be removed by delete --force")
    def test_delete_paused(self):
        container = self.container().sleeping()
        self.ok(self.runtime("pause", container.id))
        self.ok(container.delete("--force"))
        self.assert_gone(container)

    @requirement("config-linux.md, Control groups", MUST, "exec in a container whose cgroup is frozen is an error")
    def test_exec_paused(self):
        container = self.container().sleeping()
        self.ok(self.runtime("pause", container.id))
        try:
            self.error(container.exec("/bin/true", timeout=3))
        finally:
            self.runtime("resume", container.id)

    @requirement("command line", PRACTICE, "ps --format json lists the processes of the container, as the host sees them")
    def test_ps(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c", "sleep 1000 & sleep 1000 & wait"]
        container.started()
        until(lambda: len(self.ps(container)) == 3, "three processes")
        self.assertIn(container.pid, self.ps(container))

    def ps(self, container):
        return json.loads(self.ok(self.runtime("ps", "--format", "json", container.id)).stdout)

    @requirement("command line", PRACTICE, "update --resources changes the limits of a running container")
    def test_update(self):
        container = self.container()
        container.bundle.linux["resources"]["pids"] = {"limit": 50}
        container.sleeping()
        (self.work / "resources").write_text(json.dumps({"pids": {"limit": 60}, "memory": {"limit": 48 * MIB}}))
        self.ok(self.runtime("update", "--resources", self.work / "resources", container.id))
        self.assertEqual(container.cgroup_file("pids", "pids.max"), "60")

    @requirement("command line", PRACTICE, "update changes only what is named")
    def test_update_keeps(self):
        container = self.container()
        container.bundle.linux["resources"].update(pids={"limit": 50}, cpu={"shares": 512})
        container.sleeping()
        (self.work / "resources").write_text(json.dumps({"pids": {"limit": 60}}))
        self.ok(self.runtime("update", "--resources", self.work / "resources", container.id))
        report = container.exec_probe("--device", "/dev/null")
        self.assertEqual(report["devices"]["/dev/null"]["read"], "ok")
        shares = container.cgroup_directory("cpu") / "cpu.shares"
        if shares.exists():
            self.assertEqual(shares.read_text().strip(), "512")

    @requirement("config.md, Valid values", MUST, "an update that the kernel refuses is an error: a CPU that does not exist")
    def test_update_invalid(self):
        container = self.container().sleeping()
        (self.work / "resources").write_text(json.dumps({"cpu": {"cpus": "4000"}}))
        self.error(self.runtime("update", "--resources", self.work / "resources", container.id))

    @requirement("config-linux.md, Memory", MUST, "with checkBeforeUpdate, a limit below what is in use is refused, and nobody is killed")
    def test_update_below_usage(self):
        container = self.container()
        container.bundle.linux["resources"]["memory"] = {"limit": 128 * MIB}
        container.bundle.process["args"] = ["/bin/sh", "-c", "dd if=/dev/zero of=/dev/shm/big bs=1M count=32 2>/dev/null; "
                                                             "echo full; sleep 1000"]
        container.started()
        until(lambda: container.output() == "full\n", "the memory is in use")
        (self.work / "resources").write_text(json.dumps({"memory": {"limit": 8 * MIB, "checkBeforeUpdate": True}}))
        self.error(self.runtime("update", "--resources", self.work / "resources", container.id))
        self.assertEqual(container.status(), "running")

    @requirement("command line", PRACTICE, "events --stats prints one JSON object with the container's figures")
    def test_stats(self):
        container = self.container().sleeping()
        found = json.loads(self.ok(self.runtime("events", "--stats", container.id)).stdout)
        self.assertEqual((found["type"], found["id"]), ("stats", container.id))
        self.assertGreaterEqual(found["data"]["pids"]["current"], 1)
        self.assertGreater(found["data"]["memory"]["usage"]["usage"], 0)

    @requirement("command line", PRACTICE, "spec writes a configuration that runs as it is, and does not replace one")
    def test_spec(self):
        container = self.container()
        self.assertEqual(self.spec_in(container.directory), 0)
        self.assertNotEqual(self.spec_in(container.directory), 0)
        config = json.loads((container.directory / "config.json").read_text())
        config["process"].update(args=["/probe"], terminal=False)
        config["process"].pop("rlimits", None)  # which a machine may not be able to raise
        container.bundle.config = config
        self.assertIn('"ids"', self.ok(container.run()).stdout)

    @staticmethod
    def spec_in(directory):
        return subprocess.run([RUNTIME, "spec"], cwd=directory, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    @requirement("command line", PRACTICE, "--version says which version of the specification it follows")
    def test_version(self):
        self.assertRegex(self.ok(self.runtime("--version")).stdout, r"(?m)^spec: \d+\.\d+\.\d+")

    @requirement("command line", PRACTICE, "a command or a flag that does not exist is an error")
    def test_unknown(self):
        self.error(self.runtime("nosuchcommand"))
        self.error(self.runtime("state", "--nosuchflag", "x"))

    @requirement("command line", PRACTICE, "run passes signals that it gets on to the container's process")
    def test_signals(self):
        container = self.container()
        container.bundle.process["args"] = ["/bin/sh", "-c",
                                            "trap 'exit 33' TERM; touch /data/ready; while true; do sleep 0.01; done"]
        container.bundle.write()
        process = subprocess.Popen(self.command("run", "--bundle", container.directory, container.id),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        until((container.rootfs / "data/ready").exists, "it is ready")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(5), 33)

    @requirement("command line", PRACTICE, "a session keyring of its own, unless --no-new-keyring")
    def test_keyring(self):
        mine = self.container().probe()["keyring"]
        host = subprocess.run([self.container().rootfs / "probe"], stdout=subprocess.PIPE, check=True).stdout
        self.assertNotEqual(mine, json.loads(host)["keyring"])

    @requirement("command line", PRACTICE, "six containers that are started at once all run, each in namespaces of its own")
    def test_many(self):
        containers = [self.container() for _ in range(6)]
        for container in containers:
            container.bundle.process["args"] = ["/bin/sleep", "1000"]
            container.bundle.write()
        running = [subprocess.Popen(self.command("run", "--detach", "--bundle", one.directory, one.id),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for one in containers]
        self.assertEqual([one.wait(20) for one in running], [0] * len(running))
        inodes = {os.stat(f"/proc/{one.pid}/ns/pid").st_ino for one in containers}
        self.assertEqual(len(inodes), len(containers))
        self.assertTrue(all(pathlib.Path(f"/proc/{one.pid}").exists() for one in containers))


if __name__ == "__main__":
    main()
