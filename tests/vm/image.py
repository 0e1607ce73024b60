#!/usr/bin/python3
"""Makes what the virtual machines boot: Debian 12's cloud kernel, and a disk with a small Debian 12 on it.

    image.py DIRECTORY

They go to DIRECTORY/vmlinuz and DIRECTORY/root.img, and stay there: made again only when this file or what it puts on
the disk has changed. Nothing of this is installed on the host.
"""

import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.made_once import made_once  # noqa: E402  (after the path is set)

KERNEL = "linux-image-cloud-amd64"  # depends on the package that has the kernel
PACKAGES = (
    "systemd", "dbus", "python3", "busybox-static", "iproute2", "kmod", "procps",
    "podman", "conmon", "crun",
    "libarchive13", "libcurl4", "libfmt9", "libisal2", "libseccomp2", "libssl3", "libstdc++6", "libzstd1",
)
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
SIZE = "1G"  # of the disk; the file has holes
SOURCES = pathlib.Path("/etc/apt/sources.list.d/debian.sources")  # where the host has its packages from, if it says so here

# The disk's own part of starting a test: the second disk, which machine.py makes, has the rest.
INIT = """\
#!/bin/sh
[ -b /dev/nvme0n1 ] || mount -t devtmpfs -o nosuid dev /dev
until [ -b /dev/nvme0n2 ] && [ -b /dev/nvme0n3 ]; do sleep 0.05; done
mount -t ext4 -o ro /dev/nvme0n2 /berth
exec /bin/sh /berth/start
"""
SERVICE = """\
[Unit]
Description=A test of berth
Wants=dbus.service
After=dbus.service
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
ExecStart=/sbin/berth-test
TimeoutStartSec=infinity
Delegate=yes
"""


def run(*words, **options):
    subprocess.run([str(word) for word in words], check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, **options)


def kernel_package():
    found = subprocess.run(["apt-cache", "depends", KERNEL], check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"Depends: (linux-image-\S+)", found).group(1)


def fetch_kernel(work):
    """Downloads the kernel's package and unpacks it; gives the directory and the kernel's version."""
    package = kernel_package()
    work.chmod(0o755)
    run("apt-get", "-o", "APT::Sandbox::User=root", "download", package, cwd=work)
    (archive,) = work.glob("linux-image-*.deb")
    run("dpkg-deb", "-x", archive, work / "kernel")
    return work / "kernel", package.removeprefix("linux-image-")


def make_root(work):
    root = work / "root"
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    sources = [SOURCES] if SOURCES.exists() else []
    run("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--aptopt=Acquire::Languages \"none\"", *options,
        "--include=" + ",".join(PACKAGES), "bookworm", root, *sources)
    (root / "berth").mkdir()
    for path, text, mode in (("sbin/berth-test", INIT, 0o755), ("etc/systemd/system/berth-test.service", SERVICE, 0o644)):
        (root / path).write_text(text)
        (root / path).chmod(mode)
    (root / "etc/hostname").write_text("vm\n")
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    return root


def make(directory):
    work = directory / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        kernel, version = fetch_kernel(work)
        root = make_root(work)
        shutil.copytree(kernel / "lib/modules", root / "lib/modules", dirs_exist_ok=True)
        run("chroot", root, "depmod", version)
        # No journal: whatever a machine writes to the disk is forgotten when it ends.
        run("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", root, work / "root.img", SIZE)
        shutil.move(kernel / f"boot/vmlinuz-{version}", directory / "vmlinuz")
        shutil.move(work / "root.img", directory / "root.img")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    made_once(pathlib.Path(sys.argv[1]), __file__, make)


main()
