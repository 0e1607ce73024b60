"""What a default container sees of itself, compared with files that a person has read.

After a change that is meant, write the files again with BERTH_WRITE_GOLDEN=1 and read the difference.
"""

import os
import pathlib
import re

from support import attack, case

GOLDEN = pathlib.Path(__file__).parent / "golden"
STATUS = ("Umask", "Uid", "Gid", "Groups", "NStgid", "NSpid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
          "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "SigCgt")


def normalised_mounts(text):
    """Mount IDs, device numbers and banks by placeholders; the kernel's own words in a stable order."""
    lines = []
    for line in text.splitlines():
        fields = line.split()
        dash = fields.index("-")
        root = re.sub(r"^/.*/containers/[0-9a-f]{64}/", "…/containers/ID/", fields[3])
        options = ",".join(sorted(fields[5].split(",")))
        kept = [option for option in fields[dash + 3].split(",")
                if not re.match(r"(lowerdir|upperdir|workdir|redirect_dir|uuid|index|xino)[+]?=|inode|huge", option)]
        own = ",".join(re.sub(r"(uid|gid)=\d{6,}", r"\1=BANK", option) for option in sorted(kept))
        if fields[dash + 1] not in ("overlay", "tmpfs", "proc", "sysfs", "devpts", "mqueue", "devtmpfs"):
            own, kind, source = "…", "HOST", "HOST"  # the file system that the store is on
        else:
            kind, source = fields[dash + 1], fields[dash + 2]
        if fields[4].startswith(("/proc/", "/sys/")):
            continue  # what is masked depends on what the kernel has
        if root.startswith("…") or kind == "devtmpfs":
            own = "…"
            kind, source = "HOST", "HOST"
        optional = " ".join(fields[6:dash])
        lines.append(" ".join(filter(None, (root, fields[4], options, optional, "-", kind, source, own))))
    return "\n".join(lines) + "\n"


class Golden(attack.AttackCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def compare(self, name, text):
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("BERTH_WRITE_GOLDEN"):
            path.write_text(text)
        self.assertEqual(text, path.read_text(), f"{path} is not what a container sees now")

    def seen(self, *words, flags=()):
        return self.ok("run", "--rm", "--hostname", "golden", *flags, case.DEMO, *words)

    def test_mounts(self):
        for name, flags in (("mounts", ()), ("mounts-privileged", ("--privileged",)),
                            ("mounts-read-only", ("--read-only",))):
            self.compare(name, normalised_mounts(self.seen("cat", "/proc/self/mountinfo", flags=flags)))

    def test_masks_and_read_only_paths(self):
        seen = {line.split()[4]: line for line in self.seen("cat", "/proc/self/mountinfo").splitlines()}
        masked = ("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                  "/proc/sched_debug", "/proc/scsi", "/proc/interrupts", "/sys/firmware", "/sys/fs/selinux",
                  "/sys/devices/virtual/powercap")
        read_only = ("/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
        for path in (*masked, *read_only):
            if pathlib.Path(path).exists():
                self.assertIn(path, seen)
                line = seen[path]
                self.assertTrue(" ro," in line or (path in masked and " /null " in line), line)
        self.assertIn("/proc/sys", seen)
        self.assertIn("/proc/keys", seen)

    def test_status(self):
        for name, flags in (("status", ()), ("status-user", ("-u", "10000")), ("status-privileged", ("--privileged",)),
                            ("status-no-new-privileges", ("--security-opt", "no-new-privileges"))):
            lines = [line for line in self.seen("cat", "/proc/self/status", flags=flags).splitlines()
                     if line.split(":")[0] in STATUS]
            self.compare(name, "\n".join(re.sub(r"\s+", " ", line).strip() for line in lines) + "\n")

    def test_environment(self):
        self.compare("environment", self.seen("env"))
        self.compare("environment-user", self.seen("env", flags=("-u", "10000")))

    def test_limits_are_the_callers(self):
        """No limit is raised or dropped by the way; core files are the caller's choice too."""
        inside = self.seen("sh", "-c", "ulimit -a").split("\n")
        outside = case.run("/bin/busybox", "sh", "-c", "ulimit -a").stdout.split("\n")
        self.assertEqual(inside, outside)

    def test_descriptors(self):
        said = self.ok("run", "--rm", *self.programs(), case.DEMO, "/attack/descriptors", "self", "1")
        self.compare("descriptors", said)

    def test_devices(self):
        said = self.seen("sh", "-c", "cd /dev && busybox find . ! -name golden | busybox sort | while read f; do "
                         "busybox stat -c '%n %A %u:%g %t:%T' $f; done; for l in core fd stdin stdout stderr ptmx; do readlink $l; done")
        self.compare("devices", said)

    def test_namespaces_are_private(self):
        inside = dict(line.split(" -> ") for line in self.seen(
            "sh", "-c", "cd /proc/self/ns && for n in *; do echo \"$n -> $(readlink $n)\"; done").splitlines())
        for name in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
            self.assertNotEqual(inside[name], os.readlink(f"/proc/self/ns/{name}"), name)


case.main()
