"""BCJ2: x86 code whose branch targets a 7z archive keeps in streams of their own (Bcj2.c of the LZMA SDK)."""

import re
from collections.abc import Iterator

from casewright.evidence.reader import Unreadable

BRANCH = re.compile(rb"[\xe8\xe9]|\x0f[\x80-\x8f]", re.DOTALL)


class Feed:
    """Takes bytes from chunks in the amounts that are wanted."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def some(self) -> bytes:
        """The bytes that come next; none at the end."""
        rest, self._rest = self._rest or next(self._chunks, b""), b""
        return rest

    def take(self, length: int) -> int:
        """A big-endian number of so many bytes."""
        while len(self._rest) < length:
            more = next(self._chunks, b"")
            if not more:
                raise Unreadable("truncated", "a side stream of BCJ2 ends early")
            self._rest += more
        number, self._rest = int.from_bytes(self._rest[:length], "big"), self._rest[length:]
        return number


class _Decisions:
    """The range coder of BCJ2 (LZMA SDK, Bcj2.c): for each branch, whether its target stands in a side stream."""

    def __init__(self, feed: Feed) -> None:
        self._feed, self._range, self._code = feed, 0xFFFFFFFF, feed.take(5) & 0xFFFFFFFF
        self._odds = [1024] * 258

    def taken(self, which: int) -> bool:
        if self._range < 1 << 24:
            self._range, self._code = self._range << 8, (self._code << 8 | self._feed.take(1)) & 0xFFFFFFFF
        odds = self._odds[which]
        bound = (self._range >> 11) * odds
        if self._code < bound:
            self._range = bound
            self._odds[which] = odds + (2048 - odds >> 5)
            return False
        self._range, self._code = self._range - bound, self._code - bound
        self._odds[which] = odds - (odds >> 5)
        return True


def bcj2(feeds: list[Feed], size: int) -> Iterator[bytes]:
    """x86 code put together from its main stream and the targets of calls and jumps."""
    main, calls, jumps, code = feeds
    decisions, at, last = _Decisions(code), 0, 0
    broken: Unreadable | None = None
    while at < size and not broken and (piece := main.some()):
        ready, begin = bytearray(), 0
        try:
            while begin < len(piece) and at + len(ready) < size:
                end = _branch(piece, begin, last)
                before = piece[end - 2] if end - begin >= 2 else last
                ready += piece[begin : end or len(piece)]
                begin, last = end or len(piece), ready[-1]
                if end and at + len(ready) < size and decisions.taken({0xE8: 2 + before, 0xE9: 1}.get(last, 0)):
                    target = (calls if last == 0xE8 else jumps).take(4) - (at + len(ready) + 4) & 0xFFFFFFFF
                    ready += target.to_bytes(4, "little")
                    last = target >> 24
        except Unreadable as error:
            broken = error
        yield bytes(ready[: size - at])
        at += len(ready)
    if broken:
        raise broken


def _branch(piece: bytes, begin: int, last: int) -> int:
    """The end of the next branch instruction's opcode from `begin` on; 0 when there is none."""
    if last == 0x0F and 0x80 <= piece[begin] <= 0x8F:
        return begin + 1
    found = BRANCH.search(piece, begin)
    return found.end() if found else 0
