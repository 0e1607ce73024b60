#!/usr/bin/python3
"""Runs one test file in a virtual machine of its own, as root.

    machine.py KIND IMAGES WORK_DIRECTORY FILE

KIND is one of tests/vm/machines: what the machine's first process does before the test. IMAGES is where image.py has put
the kernel and the disk. The test file is run by Python in the machine, where tests/, scripts/ and the programs are below
/berth; what it prints comes out here, and its status is this program's. A file that says "# This machine reboots" may
have it do so, and is then run again. WORK_DIRECTORY is emptied before and removed
after, unless the test has failed: then it keeps the console's text.

The processor is emulated, so that a machine without virtualization (or one whose kernel is itself a guest) can run this;
two processors, a gigabyte, two disks (the system's, which forgets what is written to it, and an empty one of 64 MiB).
"""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MACHINES = REPOSITORY / "tests/vm/machines"
PROGRAMS = pathlib.Path(os.environ.get("BERTH_BIN_DIR", REPOSITORY / "build/dev/bin"))
TAKEN = ("berth", "berth-monitor", "berth-init", "berth-transfer", "berth-runtime")
PATIENCE = 240  # seconds from power on to power off
SHARE_SIZE, SCRATCH_SIZE = "128M", 64 << 20
CONSOLE_LINES = 80  # shown of it when a machine did not come to its end
PR_SET_PDEATHSIG = 1
VERDICT = re.compile(r"^berth-vm: status (\d+)\r?$", re.MULTILINE)


def kernel_words(kind):
    """The line "# kernel: WORDS" of the machine's script."""
    found = re.search(r"^# kernel: (.*)$", (MACHINES / kind).read_text(), re.MULTILINE)
    return found.group(1)


def make_share(work, kind, test):
    """The disk with the programs and the tests, read-only in the machine."""
    tree = work / "share"
    (tree / "bin").mkdir(parents=True)
    (tree / "conformance").mkdir()
    for name in TAKEN:
        subprocess.run(["objcopy", "--strip-debug", PROGRAMS / name, tree / "bin" / name], check=True)
    shutil.copy(PROGRAMS.parent / "conformance/probe", tree / "conformance/probe")
    ignore = shutil.ignore_patterns("__pycache__", "corpus", "*.cc", "*.h")
    for name in ("tests", "scripts", "packaging"):
        shutil.copytree(REPOSITORY / name, tree / name, ignore=ignore)
    inside = pathlib.PurePath("/berth") / test.relative_to(REPOSITORY)
    start = (MACHINES / kind).read_text() + f"exec /bin/sh /berth/tests/vm/machines/run-test {inside}\n"
    (tree / "start").write_text(start)
    disk = work / "share.img"
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", tree, disk, SHARE_SIZE], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return disk


def command(images, work, kind, reboots):
    def disk(number, path, options=""):
        """/dev/nvme0n1 and so on: of one controller, so that they are never found in another order."""
        return ["-drive", f"file={path},if=none,id=disk{number},format=raw{options}",
                "-device", f"nvme-ns,drive=disk{number},nsid={number}"]
    words = f"console=ttyS0 root=/dev/nvme0n1 rw panic=-1 quiet no_timer_check hugepages=8 {kernel_words(kind)}"
    return ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35", "-m", "1024", "-smp", "2",
            "-nodefaults", "-no-user-config", *([] if reboots else ["-no-reboot"]), "-display", "none",
            "-serial", f"file:{work}/console", "-serial", f"file:{work}/report",
            "-kernel", images / "vmlinuz", "-append", words,
            "-device", "nvme,serial=berth",
            *disk(1, images / "root.img", ",snapshot=on"), *disk(2, work / "share.img", ",snapshot=on"),
            *disk(3, work / "scratch.img")]


def boot(images, work, kind, reboots):
    """Runs the machine until it turns itself off, or is taking too long; one that may reboot as often as it does."""
    with open(work / "scratch.img", "wb") as scratch:
        scratch.truncate(SCRATCH_SIZE)
    libc = ctypes.CDLL(None)
    machine = subprocess.Popen(command(images, work, kind, reboots), stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(work)},
                               preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
    try:
        machine.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        print(f"the machine was still running after {PATIENCE} seconds")
    finally:
        machine.kill()
        machine.wait()


def text_of(path):
    return path.read_text(errors="backslashreplace").replace("\r\n", "\n") if path.exists() else ""


def main():
    if len(sys.argv) != 5 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    kind, images, work, test = sys.argv[1], *(pathlib.Path(word).resolve() for word in sys.argv[2:])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    began = time.monotonic()
    make_share(work, kind, test)
    boot(images, work, kind, "# This machine reboots" in test.read_text())
    report = text_of(work / "report")
    print(report)
    print(f"the machine ran for {time.monotonic() - began:.1f} seconds")
    verdict = VERDICT.search(report)
    if verdict is None:
        print("\n".join(["it did not come to the end of the test; its console:",
                         *text_of(work / "console").splitlines()[-CONSOLE_LINES:]]))
    for disk in work.glob("*.img"):
        disk.unlink()
    status = int(verdict.group(1)) if verdict else 1
    if status == 0:
        shutil.rmtree(work)
    sys.exit(status)


main()
