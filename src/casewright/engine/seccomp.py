"""Allowing the system calls that parsing needs, and no others, by a filter of our own (seccomp(2), classic BPF).

What is not on the list fails with EPERM: sockets, other programs, other processes, and everything that changes a file,
its name, mode, owner, times or attributes. Files open for reading only, `clone` makes threads only, and limits are
set on the process itself only. Numbers are those of Linux on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl);
elsewhere there is no filter, and its name is missing from the protections.
"""

import ctypes
import platform
import struct
from collections.abc import Sequence

PR_SET_SECCOMP, MODE_FILTER = 22, 2
AUDIT_ARCH_X86_64 = 0xC000003E
X32 = 0x40000000
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, NOT_THERE, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16

ALLOWED: Sequence[int] = (
    0, 1, 3, 8, 17, 19, 20,  # read, write, close, lseek, pread64, readv, writev
    4, 5, 6, 21, 79, 89, 137, 138, 217, 262, 267, 269, 332, 439,  # looking at files and folders, never changing them
    9, 10, 11, 12, 25, 27, 28, 237, 238, 239,  # memory: mmap, mprotect, munmap, brk, mremap, mincore, madvise, policies
    7, 23, 232, 233, 270, 271, 281, 290, 291,  # waiting for descriptors
    45, 47, 51, 52, 55,  # receiving on the pipe to the parent, and asking what kind of socket it is
    44,  # sending on it
    13, 14, 15, 131,  # signals of one's own
    16, 32, 33, 72, 221, 292,  # ioctl, dup, dup2, fcntl, fadvise64, dup3
    24, 35, 96, 98, 201, 228, 229, 230, 309,  # clocks, sleeping, usage
    39, 63, 97, 99, 102, 104, 107, 108, 110, 186,  # who and where am I
    157, 158, 202, 203, 204, 218, 273, 274, 324, 334, 449,  # threads: prctl, futex, affinity, robust lists, rseq
    318,  # getrandom
    60, 231,  # exit, exit_group
)  # fmt: skip
OPEN, OPENAT, CLONE, CLONE3, PRLIMIT, TGKILL = 2, 257, 56, 435, 302, 234
WRITING = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, the bit of O_TMPFILE
CLONE_THREAD = 0x10000
FILTERED = (
    "only system calls that parsing needs", "no sockets", "no other programs or processes",
    "no file is opened for writing", "no file modes, owners or times",
)  # fmt: skip
"""What the filter protects from, in plain words."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def filter_code(process: int) -> bytes:
    """The filter for the process with this number, which alone it may signal."""
    special = [
        (OPEN, _any_bit(1, WRITING, REFUSE, ALLOW)),
        (OPENAT, _any_bit(2, WRITING, REFUSE, ALLOW)),
        (CLONE, _any_bit(0, CLONE_THREAD, ALLOW, REFUSE)),
        (CLONE3, [_step(RETURN, NOT_THERE)]),  # its flags stand in memory that no filter sees: libraries fall back
        (PRLIMIT, _equal(0, 0, ALLOW, REFUSE)),
        (TGKILL, _equal(0, process, ALLOW, REFUSE)),
    ]
    steps = [
        _step(LOAD, ARCH_AT),
        _step(JUMP_EQUAL, AUDIT_ARCH_X86_64, 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER_AT),
        _step(JUMP_AT_LEAST, X32, 0, 1),
        _step(RETURN, REFUSE),
    ]
    for number, block in special:
        steps += [_step(JUMP_EQUAL, number, 0, len(block)), *block]
    steps += [_step(JUMP_EQUAL, number, len(ALLOWED) - i, 0) for i, number in enumerate(ALLOWED)]
    return b"".join([*steps, _step(RETURN, REFUSE), _step(RETURN, ALLOW)])


def _any_bit(argument: int, bits: int, then: int, otherwise: int) -> list[bytes]:
    return [_step(LOAD, ARGUMENTS_AT + 8 * argument), _step(JUMP_ANY_BIT, bits, 0, 1), _step(RETURN, then),
            _step(RETURN, otherwise)]  # fmt: skip


def _equal(argument: int, value: int, then: int, otherwise: int) -> list[bytes]:
    return [_step(LOAD, ARGUMENTS_AT + 8 * argument), _step(JUMP_EQUAL, value, 0, 1), _step(RETURN, then),
            _step(RETURN, otherwise)]  # fmt: skip


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def allow_only_parsing(libc: ctypes.CDLL, process: int) -> list[str]:
    """Put the filter on this process; it must have given up new privileges. Returns what is protected now."""
    if platform.machine() != "x86_64" or struct.calcsize("P") != 8:
        return []
    code = filter_code(process)
    program = _Program(len(code) // 8, code)
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        return []
    return list(FILTERED)
