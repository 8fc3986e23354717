"""Giving up rights: what a child does before it touches evidence.

Memory and processor limits by setrlimit(2); no new privileges by prctl(2); a closed file system and, where the kernel
has it, no TCP by Landlock (https://docs.kernel.org/userspace-api/landlock.html), called by number through ctypes;
an allow-list of system calls by seccomp. What the kernel does not offer is not an error: the names that come back say
which protections are in force.
"""

import contextlib
import ctypes
import os
import resource
import sys
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path

from casewright.engine.seccomp import FILTERED, allow_only_parsing
from casewright.model.settings import LimitSettings

PR_SET_NO_NEW_PRIVS = 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULESET_VERSION, RULE_PATH_BENEATH = 1, 1
READ_FILE, READ_DIR, EXECUTE = 1 << 2, 1 << 3, 1 << 0
FS_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
NET_RIGHTS = 0b11  # bind and connect TCP, since ABI 4
WANTED = ("no new privileges", "file system closed", "no TCP", *FILTERED)
"""Protections that depend on the kernel."""
OPEN_FILES = 8192  # an image of 10 TB may come in thousands of segments


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def confine(limits: LimitSettings, readable: Sequence[Path], steps: bool = False) -> list[str]:
    """Give up the calling process's rights, for good. Returns the protections that the kernel gave, in plain words.

    Afterwards it reads only what lies under `readable` and Python's own libraries, opens nothing for writing, and is
    ended by the kernel past `child_memory` bytes or `child_cpu_seconds`. Descriptors that are open stay usable.
    With `steps`, processor time is given anew for each step of the work, so that its upper limit stays as it was.
    Its zone is UTC from then on: what libraries make of times without a zone must not depend on where they run.
    """
    os.environ["TZ"] = "UTC"
    time.tzset()
    given = []
    for what, kind, value in (
        (f"memory up to {limits.child_memory >> 20} MiB", resource.RLIMIT_AS, limits.child_memory),
        (f"processor time up to {limits.child_cpu_seconds} s", resource.RLIMIT_CPU, limits.child_cpu_seconds),
        ("no core dumps", resource.RLIMIT_CORE, 0),
        ("no file grows", resource.RLIMIT_FSIZE, 0),
        (f"up to {OPEN_FILES} open files", resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        with contextlib.suppress(ValueError, OSError):
            hard = resource.getrlimit(kind)[1]
            limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (limit, hard if steps and kind == resource.RLIMIT_CPU else limit))
            given.append(what)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        given.append("no new privileges")
    given.extend(_landlock(libc, [*readable, *_library_folders()]))
    given.extend(allow_only_parsing(libc, os.getpid()))
    return given


def _library_folders() -> list[Path]:
    """Where modules and shared libraries that are imported late lie."""
    loaded = tuple(str(m.__file__) for m in list(sys.modules.values()) if getattr(m, "__file__", None))
    # the working folder may stand in sys.path, and a case may stand in the working folder
    used = {Path(p) for p in sys.path if p and any(f.startswith(p.rstrip("/") + "/") for f in loaded)}
    paths = {Path(p) for p in sysconfig.get_paths().values()} | used
    paths |= {Path(sys.base_prefix), Path(sys.prefix), Path("/usr/lib"), Path("/lib"), Path("/lib64")}
    paths.add(Path("/usr/share/zoneinfo"))
    # DuckDB aborts when it may not ask how much memory its control group has
    paths |= {Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")}
    return sorted(p for p in paths if p.exists())


def _landlock(libc: ctypes.CDLL, readable: Sequence[Path]) -> list[str]:
    abi = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), RULESET_VERSION)
    if abi < 1:
        return []
    rights = FS_RIGHTS_BY_ABI[min(abi, max(FS_RIGHTS_BY_ABI))]
    net = NET_RIGHTS if abi >= 4 else 0
    attributes = _Ruleset(rights, net, 0)
    size = 8 if abi < 4 else 16
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return []
    try:
        for path in readable:
            _allow_reading(libc, ruleset, path)
        if libc.syscall(RESTRICT_SELF, ruleset, 0) != 0:
            return []
    finally:
        os.close(ruleset)
    return ["file system closed", *(["no TCP"] if net else [])]


def _allow_reading(libc: ctypes.CDLL, ruleset: int, path: Path) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = _PathBeneath(READ_FILE | EXECUTE | (READ_DIR if path.is_dir() else 0), handle)
        libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(handle)
