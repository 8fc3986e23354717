"""What the machine could not do, in words: a full disk, a failing one, too little memory. The case is as it was.

These are nobody's mistake and no defect, so a person reads what happened and what to do, not where in the program.
"""

import errno
import os
import sqlite3
from concurrent.futures.process import BrokenProcessPool

import duckdb

AGAIN = "Nothing that was finished is lost; run the same command again to go on."
FULL = f"Make room, or move the case to a larger disk. {AGAIN}"
DO: dict[int, str] = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: "This file system or a limit of this account takes no file so large. " + FULL,
    errno.EIO: f"The disk or its connection is failing: save what is on it before anything else. {AGAIN}",
    errno.ESTALE: f"The share was disconnected. Connect it. {AGAIN}",
    errno.EROFS: "Nothing can be written there. Mount it for writing, or choose another folder.",
    errno.EACCES: "This account may not do that. Change the owner or the mode of the folder, or choose another.",
    errno.EPERM: "This account may not do that. Change the owner or the mode of the folder, or choose another.",
    errno.EMFILE: f"Raise the number of open files (ulimit -n). {AGAIN}",
    errno.ENFILE: f"Too many files are open on this machine. {AGAIN}",
    errno.ENOMEM: f"Close other programs, or use fewer processes: --on inline. {AGAIN}",
    errno.EAGAIN: f"This account may start no more processes or threads (ulimit -u). {AGAIN}",
}
MEMORY = f"There is not enough memory. {DO[errno.ENOMEM]}"
TROUBLES = (OSError, MemoryError, sqlite3.DatabaseError, duckdb.OutOfMemoryException, duckdb.IOException,
            BrokenProcessPool)  # fmt: skip


def in_words(trouble: Exception) -> str:
    """The sentences for one of TROUBLES."""
    if isinstance(trouble, OSError):
        where = " ".join(os.fsdecode(name) for name in (trouble.filename,) if name)
        what = trouble.strerror or str(trouble)
        return f"{where + ': ' if where else ''}{what}. {DO.get(trouble.errno or 0, AGAIN)}"
    if isinstance(trouble, MemoryError | duckdb.OutOfMemoryException):
        return MEMORY
    if isinstance(trouble, BrokenProcessPool):
        return f"A process that writes packages was ended from outside, as happens when memory runs out. {MEMORY}"
    return f"{str(trouble).splitlines()[0]}. {FULL if 'full' in str(trouble) or 'space' in str(trouble) else AGAIN}"
