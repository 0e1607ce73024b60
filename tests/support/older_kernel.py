#!/usr/bin/python3
"""Runs a command as if the kernel lacked something: system calls fail in it and in all that it starts.

    older_kernel.py RULE... -- COMMAND...

A RULE is CALL=ERROR[,ARGUMENT:VALUE], or the name of a group of them (GROUPS, below). A CALL with ARGUMENT:VALUE fails only
where that argument (0 is the first) has the value; its lower 32 bits count. The container's own filter comes on top of this
one.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# The newer ones are the same on every architecture (include/uapi/asm-generic/unistd.h).
X86 = platform.machine() == "x86_64"
CALLS = {"pidfd_send_signal": 424, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
         "fspick": 433, "pidfd_open": 434, "clone3": 435, "close_range": 436, "openat2": 437, "mount_setattr": 442,
         "mount": 165 if X86 else 40, "statx": 332 if X86 else 291, "waitid": 247 if X86 else 95}

# What came with one version of Linux, or is of no use without each other.
GROUPS = {
    "openat2": ["openat2=ENOSYS"],  # 5.6
    "clone3": ["clone3=ENOSYS"],  # 5.3
    "close_range": ["close_range=ENOSYS"],  # 5.9
    # 5.1 to 5.4. P_PIDFD is 3; clone3 makes pidfds too.
    "pidfd": ["pidfd_open=ENOSYS", "pidfd_send_signal=ENOSYS", "waitid=EINVAL,0:3", "clone3=ENOSYS"],
    # 5.2 to 5.12. That statx tells a mount is of 5.8.
    "mount_api": [f"{call}=ENOSYS" for call in ("open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
                                                "mount_setattr", "statx")],
    # 5.12; as where no file system has it. By these flags berth asks for a map (sys/mount_api.cc).
    "idmap": ["mount_setattr=EINVAL,2:0x1100", "mount_setattr=EINVAL,2:0x9100"],
}
GROUPS["all"] = sorted({rule for rules in GROUPS.values() for rule in rules if not rule.startswith("mount_setattr=EINVAL")})

LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
OFFSET_OF_NUMBER, OFFSET_OF_ARGUMENTS = 0, 16
ALLOW, FAIL = 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2


def rule(text):
    """The instructions of one rule; past it where it does not apply."""
    call, _, answer = text.partition("=")
    error, _, condition = answer.partition(",")
    verdict = [(RETURN, 0, 0, FAIL | getattr(errno, error))]
    if condition:
        argument, value = (int(word, 0) for word in condition.split(":"))
        low = OFFSET_OF_ARGUMENTS + 8 * argument + (4 if sys.byteorder == "big" else 0)
        verdict = [(LOAD, 0, 0, low), (JUMP_IF_EQUAL, 0, 1, value), *verdict]
    return [(LOAD, 0, 0, OFFSET_OF_NUMBER), (JUMP_IF_EQUAL, 0, len(verdict), CALLS[call]), *verdict]


def install(words):
    rules = [text for word in words for text in GROUPS.get(word, [word])]
    program = [instruction for text in rules for instruction in rule(text)] + [(RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    header = struct.pack("@HP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(header), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "install the filter")


def main():
    split = sys.argv.index("--")
    install(sys.argv[1:split])
    os.execvp(sys.argv[split + 1], sys.argv[split + 1:])


if __name__ == "__main__":
    main()
