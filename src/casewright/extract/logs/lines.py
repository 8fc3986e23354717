"""The lines of a log, numbered, each with its place; and a reader out of a function that says what one line is."""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from casewright.extract.log import LINE_LIMIT, Act, Line, Quiet, Request, Unreadable

LONG = Unreadable(f"a line of more than {LINE_LIMIT} bytes")
Said = Request | Act | Unreadable | None
"""None: understood, and nothing to find."""


def raw_lines(file: BinaryIO, limit: int = LINE_LIMIT) -> Iterator[tuple[bytes | None, int, int, int]]:
    """Each line without its end (None when it is too long), its number from 1, its first byte and its length."""
    at = number = 0
    while raw := file.readline(limit):
        number, length = number + 1, len(raw)
        if length == limit and not raw.endswith(b"\n"):
            while more := file.readline(limit):
                length += len(more)
                if more.endswith(b"\n"):
                    break
            yield None, number, at, length
        else:
            yield raw.rstrip(b"\r\n"), number, at, length
        at += length


def told(lines: Iterable[tuple[Said, int, int, int]]) -> Iterator[Line | Quiet]:
    """What lines say, each with its number, first byte and length; those that say nothing are counted."""
    quiet = 0
    for said, number, start, length in lines:
        if said is None:
            quiet += 1
        else:
            yield Line(said, number, start, length)
    if quiet:
        yield Quiet(quiet)


def read_lines(file: BinaryIO, said_by: Callable[[bytes], Said]) -> Iterator[Line | Quiet]:
    """What `said_by` says of each line. Blank ones hold nothing."""
    return told(
        (LONG if raw is None else said_by(raw) if raw and not raw.isspace() else None, number, start, length)
        for raw, number, start, length in raw_lines(file)
    )
