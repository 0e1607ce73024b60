"""What a container sees of itself, in a form that is the same on every machine, beside files that a person has read.

After a change that is meant, write the files again with BERTH_WRITE_GOLDEN=1 and read the difference.
"""

import os
import pathlib
import re

GOLDEN = pathlib.Path(__file__).parent.parent / "attacks" / "golden"
STATUS = ("Umask", "Uid", "Gid", "Groups", "NStgid", "NSpid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
          "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "SigCgt")
KINDS = ("overlay", "tmpfs", "proc", "sysfs", "devpts", "mqueue", "devtmpfs")


def compare(case, name, text):
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("BERTH_WRITE_GOLDEN"):
        path.write_text(text)
    case.assertEqual(text, path.read_text(), f"{path} is not what a container sees now")


def mounts(text, without=("/proc/", "/sys/")):
    """Of a mountinfo: mount IDs, device numbers and banks by placeholders; the kernel's own words in a stable order.
    What is masked, and the cgroups, depend on what the host has."""
    lines = []
    for line in text.splitlines():
        fields = line.split()
        dash = fields.index("-")
        root = re.sub(r"^/.*/containers/[0-9a-f]{64}/", "…/containers/ID/", fields[3])
        root = re.sub(r"^/.*/rootfs$", "…/rootfs", root)
        options = ",".join(sorted(fields[5].split(",")))
        kept = [option for option in fields[dash + 3].split(",")
                if not re.match(r"(lowerdir|upperdir|workdir|redirect_dir|uuid|index|xino)[+]?=|inode|huge", option)]
        own = ",".join(re.sub(r"(uid|gid)=\d{6,}", r"\1=BANK", option) for option in sorted(kept))
        kind, source = fields[dash + 1], fields[dash + 2]
        if kind not in KINDS or kind == "devtmpfs" or root.startswith("…"):
            own, kind, source = "…", "HOST", "HOST"  # the file system that the store or the bundle is on
        if fields[4].startswith(tuple(without)):
            continue
        optional = " ".join(fields[6:dash])
        lines.append(" ".join(filter(None, (root, fields[4], options, optional, "-", kind, source, own))))
    # Some are made by one process and some by another, and the kernel lists them in that order.
    return "\n".join(sorted(lines, key=lambda line: line.split()[1])) + "\n"


def status(text):
    """The lines of /proc/self/status that say what a process may do."""
    lines = [line for line in text.splitlines() if line.split(":")[0] in STATUS]
    return "\n".join(re.sub(r"\s+", " ", line).strip() for line in lines) + "\n"


DEVICES = ("cd /dev && busybox find . ! -name golden | busybox sort | while read f; do busybox stat -c '%n %A %u:%g %t:%T' $f; "
           "done; for l in core fd stdin stdout stderr ptmx; do readlink $l; done")
