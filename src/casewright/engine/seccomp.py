"""Refusing system calls that no parser needs, by a filter of our own (seccomp(2), classic BPF).

What Landlock leaves open is closed here: sockets of every kind, other programs, other processes, and the modes, owners,
times and attributes of files. A refused call fails with EPERM. Numbers are those of Linux on x86-64
(arch/x86/entry/syscalls/syscall_64.tbl); elsewhere there is no filter, and its name is missing from the protections.
"""

import ctypes
import platform
import struct

PR_SET_SECCOMP, MODE_FILTER = 22, 2
AUDIT_ARCH_X86_64 = 0xC000003E
X32 = 0x40000000
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000
NUMBER_AT, ARCH_AT = 0, 4
REFUSED = (
    41, 42,  # socket, connect
    59, 322,  # execve, execveat
    62, 129, 297, 424, 434,  # kill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal, pidfd_open
    101, 310, 311, 438,  # ptrace, process_vm_readv, process_vm_writev, pidfd_getfd
    90, 91, 268, 452,  # chmod, fchmod, fchmodat, fchmodat2
    92, 93, 94, 260,  # chown, fchown, lchown, fchownat
    132, 235, 261, 280,  # utime, utimes, futimesat, utimensat
    188, 189, 190, 197, 198, 199, 463, 466,  # setxattr and removexattr, each by path, link, descriptor and folder
    161, 165, 166, 272, 308,  # chroot, mount, umount2, unshare, setns
    321, 323, 425,  # bpf, userfaultfd, io_uring_setup (whose work no filter sees)
)  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def filter_code() -> bytes:
    """The filter: right machine, no x32 calls, none of `REFUSED`; everything else is allowed."""
    steps = [
        _step(LOAD, ARCH_AT),
        _step(JUMP_EQUAL, AUDIT_ARCH_X86_64, 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER_AT),
        _step(JUMP_AT_LEAST, X32, len(REFUSED) + 1, 0),
        *(_step(JUMP_EQUAL, number, len(REFUSED) - i, 0) for i, number in enumerate(REFUSED)),
        _step(RETURN, ALLOW),
        _step(RETURN, REFUSE),
    ]
    return b"".join(steps)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def refuse_calls(libc: ctypes.CDLL) -> list[str]:
    """Put the filter on this process; it must have given up new privileges. Returns what is protected now."""
    if platform.machine() != "x86_64" or struct.calcsize("P") != 8:
        return []
    code = filter_code()
    program = _Program(len(code) // 8, code)
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        return []
    return ["no sockets", "no other programs or processes", "no file modes, owners or times"]
