"""What can go wrong, and how the command line answers it.

    CasewrightError
    ├── UsageError        the question makes no sense                         exit 2
    ├── Missing           something needed is not there; says what to do      exit 4
    ├── Refused           input that is turned down whole, with the reason    exit 4
    └── BrokenSeal        bytes differ from what was sealed; everything stops exit 5

An unreadable item, row or block is none of these: it is data, and becomes a `SetAside` row.
Every message says what, where, and what to do next.
"""

import struct
import zlib

DONE, USAGE, SOME_SET_ASIDE, MISSING, SEAL_BROKEN = 0, 2, 3, 4, 5


class CasewrightError(Exception):
    """Base of all errors a person is meant to read."""

    exit_code = MISSING


class UsageError(CasewrightError):
    """The command was asked in a way that makes no sense."""

    exit_code = USAGE


class Missing(CasewrightError):  # noqa: N818  it reads as a word, not as "MissingError"
    """Something the command needs does not exist yet."""

    exit_code = MISSING


class Refused(CasewrightError):  # noqa: N818
    """A source is turned down whole: a truncated hash list, an archive that is a bomb."""

    exit_code = MISSING


class BrokenSeal(CasewrightError):  # noqa: N818
    """Bytes under the case differ from what was sealed."""

    exit_code = SEAL_BROKEN


DECODERS_RAISE = (
    OSError, ValueError, SyntaxError, EOFError, ZeroDivisionError, IndexError, KeyError, TypeError, RuntimeError,
    OverflowError, AssertionError, NotImplementedError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's plugins raise over bytes that are no picture."""
