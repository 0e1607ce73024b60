"""features.md and features-linux.md: what the runtime says of itself, and that it is true."""

import json
import subprocess

from support.oci_runtime import MUST, SHOULD, RuntimeCase, expand, family, requirement, main

FEATURES = "features.md"
LINUX = "features-linux.md"
# What needs something else beside it: a recursive bind, a mount that is there, maps, a tmpfs.
NOT_ALONE = {"bind", "rbind", "remount", "idmap", "ridmap", "tmpcopyup"}
TOP = {"ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "potentiallyUnsafeConfigAnnotations"}
BELOW_LINUX = {"namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt", "mountExtensions"}


def version(text):
    return tuple(int(part) for part in text.split("-")[0].split("+")[0].split("."))


@expand
class Features(RuntimeCase):
    def features(self):
        return json.loads(self.ok(self.runtime("features")).stdout)

    @requirement(FEATURES, MUST, "ociVersionMin and ociVersionMax are there, and the first is not the greater")
    def test_versions(self):
        found = self.features()
        self.assertLessEqual(version(found["ociVersionMin"]), version(found["ociVersionMax"]))

    @family({name: (FEATURES, MUST, f"{name} is accepted as ociVersion of config.json", name)
             for name in ("ociVersionMin", "ociVersionMax")})
    def _version_accepted(self, name):
        container = self.container()
        container.config["ociVersion"] = self.features()[name]
        container.probe()

    @requirement(FEATURES, MUST, "it has no properties that the specification does not know")
    def test_properties(self):
        found = self.features()
        self.assertEqual(set(found) - TOP, set())
        self.assertEqual(set(found.get("linux") or {}) - BELOW_LINUX, set())

    @requirement(FEATURES, SHOULD, "it is a matter of the program, not of the machine: the same where no cgroup is mounted")
    def test_of_the_program(self):
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'umount -lR /sys/fs/cgroup; exec "$@"', "sh",
                               *self.command("features")], stdout=subprocess.PIPE, check=True)
        self.assertEqual(self.features(), json.loads(done.stdout))

    @requirement(FEATURES, MUST, "annotations is a map of strings")
    def test_annotations(self):
        for name, text in (self.features().get("annotations") or {}).items():
            self.assertIsInstance(text, str, name)

    @requirement(FEATURES, MUST, "every hook that is listed is supported")
    def test_hooks(self):
        (self.work / "hook").write_text(f"#!/bin/sh\necho $1 >> {self.work}/called\n")
        (self.work / "hook").chmod(0o755)
        container = self.container()
        shared = self.work / "called"
        shared.touch()
        kinds = self.features()["hooks"]
        container.config["hooks"] = {kind: [{"path": str(self.work / "hook"), "args": ["hook", kind]}] for kind in kinds
                                     if kind != "startContainer"}
        container.bundle.process["args"] = ["/bin/true"]
        container.started().stopped()
        self.ok(container.delete())
        self.assertEqual(set(shared.read_text().split()), set(kinds) - {"startContainer"})

    @requirement(FEATURES, MUST, "every mount option that is listed is recognized")
    def test_mount_options(self):
        source = self.work / "source"
        source.mkdir()
        refused = []
        for option in sorted(set(self.features()["mountOptions"]) - NOT_ALONE):
            container = self.container()
            container.bundle.mount("/data", source=source, options=["rbind", option])
            container.bundle.process["args"] = ["/bin/true"]
            done = container.run()
            if done.status != 0:
                refused.append((option, done.stderr.strip()[-160:]))
        self.assertEqual(refused, [])

    @requirement(LINUX, MUST, "every namespace that is listed is recognized")
    def test_namespaces(self):
        container = self.container()
        for name in self.features()["linux"]["namespaces"]:
            container.bundle.namespace(name)
        container.bundle.user_namespace((0, 0x60000000, 65536))
        container.bundle.give_to(0x60000000, 0x60000000)
        container.probe()

    @requirement(LINUX, MUST, "every capability that is listed is recognized")
    def test_capabilities(self):
        container = self.container()
        names = self.features()["linux"]["capabilities"]
        container.bundle.capabilities([name for name in names if name != "CAP_SYS_RESOURCE"])
        # A machine may lack some: they may then be left out, with a warning, and one that is not known is warned of too.
        report = container.probe()
        self.assertGreaterEqual(bin(report["capabilities"]["bounding"]).count("1"), len(names) - 2)

    @requirement(LINUX, MUST, "every seccomp action, operator and architecture that is listed is recognized")
    def test_seccomp(self):
        found = self.features()["linux"]["seccomp"]
        for action in set(found["actions"]) - {"SCMP_ACT_NOTIFY"}:
            container = self.container()
            container.bundle.linux["seccomp"] = {
                "defaultAction": "SCMP_ACT_ALLOW",
                # Those of other machines are recognized too, but no filter can be for both byte orders.
                "architectures": sorted(set(found["archs"]) & {"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32"}),
                "syscalls": [{"names": ["getpgid"], "action": action, "args": [{"index": 0, "value": 1, "op": operator}]}
                             for operator in found["operators"] if action != "SCMP_ACT_ALLOW"]}
            container.probe()

    @requirement(LINUX, MUST, "every seccomp flag that is listed as supported is")
    def test_seccomp_flags(self):
        for flag in self.features()["linux"]["seccomp"].get("supportedFlags") or []:
            if flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV":
                continue  # goes with a listener only: test_seccomp.py
            container = self.container()
            container.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "flags": [flag], "syscalls": [
                {"names": ["getpgid"], "action": "SCMP_ACT_ERRNO"}]}
            container.probe()

    @requirement(LINUX, MUST, "if idmap is said to be enabled, maps of a mount are not ignored")
    def test_idmap(self):
        enabled = ((self.features()["linux"].get("mountExtensions") or {}).get("idmap") or {}).get("enabled")
        container = self.container()
        maps = [{"containerID": 0, "hostID": 5000, "size": 1000}]
        source = self.work / "source"
        source.mkdir()
        container.bundle.mount("/data", source=source, options=["bind", "idmap"], uidMappings=maps, gidMappings=maps)
        container.bundle.process["args"] = ["/bin/stat", "-c", "%u", "/data"]
        self.assertEqual(container.run().stdout.strip() == "5000", bool(enabled))


if __name__ == "__main__":
    main()
