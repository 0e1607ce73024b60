#!/usr/bin/python3
"""Runs a command as if the kernel lacked something: system calls fail in it and in all that it starts.

    older_kernel.py CALL=ERROR[,ARGUMENT:VALUE]... -- COMMAND...

A CALL with ARGUMENT:VALUE fails only where that argument (0 is the first) has the value; its lower 32 bits count. The
container's own filter comes on top of this one.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# The same on every architecture, but for mount (include/uapi/asm-generic/unistd.h).
CALLS = {"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "mount_setattr": 442,
         "mount": 165 if platform.machine() == "x86_64" else 40}

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


def install(rules):
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


main()
