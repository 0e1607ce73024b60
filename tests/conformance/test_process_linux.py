"""config.md, Linux process: privileges, scheduling, and the execution domain of config-linux.md."""

from support.bundle import DEFAULT_CAPABILITIES
from support.oci_runtime import MUST, SHOULD, RuntimeCase, expand, family, requirement, seen, main

NUMBERS = {name: bit for bit, name in enumerate(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE".split())}
CAPABILITIES = "config.md, Linux process: capabilities"
SCHEDULER = "config.md, Linux process: scheduler"
POLICIES = {"SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_IDLE": 5}


def bits(*names):
    return sum(1 << NUMBERS[name.removeprefix("CAP_")] for name in names)


@expand
class Capabilities(RuntimeCase):
    @family({name: (CAPABILITIES, MUST, f"the {name} set has exactly what {name} names", name)
             for name in ("bounding", "effective", "permitted")})
    def _set(self, name):
        container = self.container()
        wanted = {"bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_SETPCAP"], "permitted": ["CAP_KILL", "CAP_CHOWN"],
                  "effective": ["CAP_KILL"]}
        # A user that is not root, with ambient capabilities: else the kernel gives root all of the bounding set at exec.
        container.bundle.process["user"] = {"uid": 1000, "gid": 1000}
        container.bundle.process["capabilities"] = dict(wanted, inheritable=wanted["permitted"],
                                                        ambient=wanted["permitted"], effective=wanted["permitted"])
        wanted["effective"] = wanted["permitted"]
        self.assertEqual(container.probe()["capabilities"][name], bits(*wanted[name]))

    @requirement(CAPABILITIES, MUST, "the inheritable set has exactly what inheritable names")
    def test_inheritable(self):
        container = self.container()
        container.bundle.process["capabilities"]["inheritable"] = ["CAP_KILL", "CAP_CHOWN"]
        self.assertEqual(container.probe()["capabilities"]["inheritable"], bits("CAP_KILL", "CAP_CHOWN"))

    @requirement(CAPABILITIES, MUST, "the ambient set has exactly what ambient names, and survives for a user who is not root")
    def test_ambient(self):
        container = self.container()
        container.bundle.process["user"] = {"uid": 1000, "gid": 1000}
        container.bundle.process["capabilities"].update(inheritable=["CAP_NET_BIND_SERVICE"],
                                                        ambient=["CAP_NET_BIND_SERVICE"])
        found = container.probe()["capabilities"]
        self.assertEqual(found["ambient"], bits("CAP_NET_BIND_SERVICE"))
        self.assertEqual(found["effective"], bits("CAP_NET_BIND_SERVICE"))

    @requirement(CAPABILITIES, MUST, "a user who is not root has no capability without an ambient one")
    def test_user_without(self):
        container = self.container()
        container.bundle.process["user"] = {"uid": 1000, "gid": 1000}
        found = container.probe()["capabilities"]
        self.assertEqual((found["effective"], found["permitted"], found["ambient"]), (0, 0, 0))
        self.assertEqual(found["bounding"], bits(*DEFAULT_CAPABILITIES))

    @requirement(CAPABILITIES, MUST, "empty sets leave nothing, to root neither")
    def test_empty(self):
        container = self.container()
        container.bundle.process["capabilities"] = {name: [] for name in ("bounding", "effective", "permitted",
                                                                         "inheritable", "ambient")}
        self.assertEqual(set(container.probe()["capabilities"].values()), {0})

    @requirement(CAPABILITIES, MUST, "a property that is left out is an empty set")
    def test_left_out(self):
        container = self.container()
        container.bundle.process["capabilities"] = {"bounding": ["CAP_KILL"]}
        found = container.probe()["capabilities"]
        self.assertEqual((found["bounding"], found["inheritable"], found["ambient"]), (bits("CAP_KILL"), 0, 0))

    @requirement(CAPABILITIES, SHOULD, "a capability that nobody knows is no error")
    def test_unknown(self):
        container = self.container()
        container.bundle.capabilities(["CAP_KILL", "CAP_NOSUCH"])
        self.assertEqual(container.probe()["capabilities"]["bounding"], bits("CAP_KILL"))

    @requirement(CAPABILITIES, MUST, "a capability that nobody knows is warned of")
    def test_unknown_warning(self):
        container = self.container()
        container.bundle.capabilities(["CAP_KILL", "CAP_NOSUCH"])
        log = self.work / "log"
        container.bundle.write()
        done = self.runtime("--log", log, "run", "--bundle", container.directory, container.id)
        self.assertIn("NOSUCH", (log.read_text() if log.exists() else "") + done.stderr)

    @requirement(CAPABILITIES, SHOULD, "a capability that the runtime itself has not is no error")
    def test_not_granted(self):
        container = self.container()
        container.bundle.capabilities(["CAP_KILL", "CAP_SYS_BOOT"])
        report = container.probe(drop_capability=NUMBERS["SYS_BOOT"])
        self.assertEqual(report["capabilities"]["bounding"], bits("CAP_KILL"))


class Privileges(RuntimeCase):
    @requirement("config.md, Linux process: noNewPrivileges", MUST, "true sets no_new_privs")
    def test_no_new_privileges(self):
        container = self.container()
        container.bundle.process["noNewPrivileges"] = True
        self.assertTrue(container.probe()["no_new_privileges"])

    @requirement("config.md, Linux process: noNewPrivileges", MUST, "a set-user-ID program gives nothing then")
    def test_no_new_privileges_holds(self):
        for flag, effective in ((True, 1000), (False, 0)):
            container = self.container()
            (container.rootfs / "home/probe").write_bytes((container.rootfs / "probe").read_bytes())
            (container.rootfs / "home/probe").chmod(0o4755)
            container.bundle.process.update(noNewPrivileges=flag, user={"uid": 1000, "gid": 1000}, args=["/home/probe"])
            self.assertEqual(seen(self.ok(container.run()))["ids"]["uid"][:2], [1000, effective])

    @requirement("config.md, Linux process: noNewPrivileges", MUST, "false, or left out, does not")
    def test_new_privileges(self):
        container = self.container()
        container.bundle.process["noNewPrivileges"] = False
        self.assertFalse(container.probe()["no_new_privileges"])

    @requirement("config.md, Linux process: apparmorProfile", MUST, "a profile is an error where the host has no AppArmor")
    def test_apparmor_without_host(self):
        container = self.container()
        container.bundle.process["apparmorProfile"] = "no-such-profile"
        container.refused()

    @requirement("config.md, Linux process: selinuxLabel", MUST, "a label is an error where the host has no SELinux")
    def test_selinux_without_host(self):
        container = self.container()
        container.bundle.process["selinuxLabel"] = "system_u:system_r:svirt_lxc_net_t:s0:c124,c675"
        container.refused()

    @requirement("config-linux.md, Mount Label", MUST, "a label is an error where the host has no SELinux")
    def test_mount_label_without_host(self):
        container = self.container()
        container.bundle.linux["mountLabel"] = "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811"
        container.refused()


@expand
class Scheduling(RuntimeCase):
    @requirement("config.md, Linux process: oomScoreAdj", MUST, "it is set")
    def test_oom_score(self):
        container = self.container()
        container.bundle.process["oomScoreAdj"] = 500
        self.assertEqual(container.probe()["oom_score_adj"], "500")

    @requirement("config.md, Linux process: oomScoreAdj", MUST, "left out, it stays what the runtime's caller has")
    def test_oom_score_unset(self):
        self.assertEqual(self.container().probe(oom_score=321)["oom_score_adj"], "321")

    @requirement("config.md, Linux process: oomScoreAdj", MUST, "a value out of range is an error")
    def test_oom_score_invalid(self):
        container = self.container()
        container.bundle.process["oomScoreAdj"] = 1001
        container.refused()

    @family({policy.removeprefix("SCHED_").lower(): (SCHEDULER, MUST, f"the policy is {policy}", policy)
             for policy in ("SCHED_OTHER", "SCHED_BATCH", "SCHED_IDLE", "SCHED_FIFO", "SCHED_RR")})
    def _scheduler(self, policy):
        container = self.container()
        container.bundle.process["scheduler"] = {"policy": policy}
        if policy in ("SCHED_FIFO", "SCHED_RR"):
            container.bundle.process["scheduler"]["priority"] = 7
        found = container.probe()["scheduling"]
        self.assertEqual(found["policy"], POLICIES[policy])
        self.assertEqual(found["priority"], 7 if policy in ("SCHED_FIFO", "SCHED_RR") else 0)

    @requirement(SCHEDULER, MUST, "nice is set")
    def test_scheduler_nice(self):
        container = self.container()
        container.bundle.process["scheduler"] = {"policy": "SCHED_OTHER", "nice": 7}
        self.assertEqual(container.probe()["scheduling"]["nice"], 7)

    @requirement(SCHEDULER, MUST, "the deadline policy gets runtime, deadline and period")
    def test_scheduler_deadline(self):
        container = self.container()
        container.bundle.process["scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 8000000,
                                                 "period": 10000000}
        found = container.probe()["scheduling"]
        self.assertEqual((found["policy"], found["runtime"], found["deadline"], found["period"]),
                         (6, 1000000, 8000000, 10000000))

    @requirement(SCHEDULER, MUST, "a flag is applied: SCHED_FLAG_RESET_ON_FORK")
    def test_scheduler_flags(self):
        container = self.container()
        container.bundle.process["scheduler"] = {"policy": "SCHED_BATCH", "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
        self.assertEqual(container.probe()["scheduling"]["flags"] & 1, 1)

    @requirement(SCHEDULER, MUST, "a policy that does not exist is an error")
    def test_scheduler_unknown(self):
        container = self.container()
        container.bundle.process["scheduler"] = {"policy": "SCHED_NOSUCH"}
        container.refused()

    @family({kind.lower(): ("config.md, Linux process: ioPriority", MUST, f"the class is IOPRIO_CLASS_{kind}", kind, number)
             for kind, number in (("RT", 1), ("BE", 2), ("IDLE", 3))})
    def _io_priority(self, kind, number):
        container = self.container()
        container.bundle.process["ioPriority"] = {"class": f"IOPRIO_CLASS_{kind}", "priority": 5}
        found = container.probe()["scheduling"]
        self.assertEqual((found["io_class"], found["io_priority"]), (number, 5))

    @requirement("config.md, Linux process: ioPriority", MUST, "a class that does not exist, or a priority above 7, is an error")
    def test_io_priority_invalid(self):
        for value in ({"class": "IOPRIO_CLASS_NOSUCH", "priority": 1}, {"class": "IOPRIO_CLASS_BE", "priority": 8}):
            container = self.container()
            container.bundle.process["ioPriority"] = value
            container.refused()

    @requirement("config.md, Linux process: execCPUAffinity", MUST, "it does not apply to the container's first process")
    def test_affinity_not_for_init(self):
        container = self.container()
        before = self.container().probe()["scheduling"]["affinity"]
        container.bundle.process["execCPUAffinity"] = {"initial": "0", "final": "0"}
        self.assertEqual(container.probe()["scheduling"]["affinity"], before)

    @requirement("config.md, Linux process: execCPUAffinity", MUST, "a process of exec runs on the CPUs of final")
    def test_affinity_of_exec(self):
        container = self.container()
        container.bundle.process["execCPUAffinity"] = {"initial": "0", "final": "1"}
        container.sleeping()
        self.assertEqual(container.exec_probe()["scheduling"]["affinity"], [1])


class Personality(RuntimeCase):
    @requirement("config-linux.md, Personality", MUST, "LINUX32 shows a 32 bit machine")
    def test_personality_linux32(self):
        container = self.container()
        container.bundle.linux["personality"] = {"domain": "LINUX32"}
        report = container.probe()
        self.assertEqual((report["personality"], report["system"]["machine"]), (8, "i686"))

    @requirement("config-linux.md, Personality", MUST, "LINUX is the normal one")
    def test_personality_linux(self):
        container = self.container()
        container.bundle.linux["personality"] = {"domain": "LINUX"}
        self.assertEqual(container.probe()["personality"], 0)

    @requirement("config-linux.md, Personality", MUST, "a flag is an error: there are none")
    def test_personality_flags(self):
        container = self.container()
        container.bundle.linux["personality"] = {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}
        container.refused()

    @requirement("config-linux.md, Personality", MUST, "a domain that does not exist is an error")
    def test_personality_unknown(self):
        container = self.container()
        container.bundle.linux["personality"] = {"domain": "SOLARIS"}
        container.refused()


if __name__ == "__main__":
    main()
