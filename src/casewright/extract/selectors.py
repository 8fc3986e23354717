"""Selectors in any bytes, with their places, in one pass: anchors by a compiled kernel, patterns where these are.

Each kind is looked for by itself: an address inside a URL is a hit too. Text of two bytes a letter (UTF-16, either
order) is searched as well, where it is ASCII. `all_selectors` is the definition, `find_selectors` its fast twin.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from casewright.extract.selector_kinds import KINDS, Match
from casewright.extract.selector_times import stamp_near
from casewright.kernels import anchor_codes as code_of

CHUNK, OVERLAP = 1 << 20, 4096
ANCHORS = 1 << 16
OF_ANCHOR = {
    code_of.EMAIL: ("email",), code_of.URL: ("url",), code_of.IPV4: ("ip",), code_of.IPV6: ("ip",),
    code_of.PHONE: ("phone",), code_of.GROUPS: ("pgp",), code_of.DESCRIPTOR: ("descriptor",),
}  # fmt: skip
OF_LENGTH = {
    40: ("bitcoin", "pgp"), 42: ("bitcoin", "ethereum", "pgp"), 51: ("bitcoin", "wif"), 52: ("bitcoin", "wif"),
    56: ("bitcoin", "onion"), 95: ("monero",), 106: ("monero",), 111: ("xprv", "xpub"),
}  # fmt: skip
"""Kinds that letters and digits of a length may be; others may be of the kind `bitcoin`."""
WIDE = re.compile(rb"(?:[\x09\x0a\x0d\x20-\x7e]\x00){6,}|(?:\x00[\x09\x0a\x0d\x20-\x7e]){6,}")
"""No selector is shorter than six letters."""


class Stream(Protocol):
    """Bytes that are read once, in order."""

    def read(self, size: int, /) -> bytes: ...


class Hit(NamedTuple):
    """A selector and where its bytes stand; `stamp` is the first time on the line of an IP address, as written.

    Hits are in order by place and kind.
    """

    span_start: int
    kind: str
    value: str
    canonical: str
    port: int | None
    span_length: int
    stamp: bytes


def all_selectors(raw: bytes) -> list[Hit]:
    """Every selector in these bytes, by its pattern alone. Slow."""
    hits = [hit for kind in KINDS for m in KINDS[kind].pattern.finditer(raw) if (hit := _hit(kind, m, 0))]
    for match in WIDE.finditer(raw):
        start = match.start() + (match[0][0] == 0)
        hits += [_widened(hit, start) for hit in all_selectors(raw[start : match.end() : 2])]
    return sorted(hits)


def _widened(hit: Hit, start: int) -> Hit:
    """A hit in text of two bytes a letter that begins at `start`."""
    return hit._replace(span_start=start + 2 * hit.span_start, span_length=2 * hit.span_length)


def find_selectors(file: Stream, chunk: int = CHUNK) -> Iterator[Hit]:
    """Every selector in the stream, by place and kind, each once, also across the borders of chunks."""
    base, buffer, searched = 0, b"", _fresh()
    wide = _fresh(), _fresh()
    while True:
        more = file.read(chunk)
        buffer += more
        sure = len(buffer) - OVERLAP if more else len(buffer) + 1
        if sure > 0:
            hits = [*_search(buffer, base, sure, searched), *_search_wide(buffer, base, sure, wide)]
            yield from sorted(hits)
        if not more:
            return
        cut = max(0, sure - OVERLAP)
        base, buffer = base + cut, buffer[cut:]


def _fresh() -> dict[str, int]:
    return dict.fromkeys(KINDS, 0)


def _search(buffer: bytes, base: int, sure: int, searched: dict[str, int]) -> list[Hit]:
    """Hits that begin before `sure`, where more bytes can't change them; `searched` is how far a kind has come."""
    hits, patterns = [], {kind: one.pattern.match for kind, one in KINDS.items()}
    for start, kinds in _anchors(buffer, max(0, min(searched.values()) - base)):
        if start >= sure:
            continue
        for kind in kinds:
            if base + start >= searched[kind] and (match := patterns[kind](buffer, start)):
                searched[kind] = base + match.end()
                if hit := _hit(kind, match, base):
                    hits.append(hit)
    searched.update({kind: max(reached, base + sure) for kind, reached in searched.items()})
    return hits


def _search_wide(buffer: bytes, base: int, sure: int, searched: tuple[dict[str, int], dict[str, int]]) -> Iterator[Hit]:
    """The same in text of two bytes a letter. Places are counted in letters there, for even and odd bytes apart."""
    from casewright.kernels import anchors as kernel  # noqa: PLC0415  slow to import: only what searches waits for it

    raw, begin = np.frombuffer(buffer, np.uint8), 0
    starts, ends = np.empty(ANCHORS, np.int64), np.empty(ANCHORS, np.int64)
    while begin <= len(buffer):
        count, begin = kernel.wide(raw, begin, starts, ends)
        for at, end in zip(starts[:count].tolist(), ends[:count].tolist(), strict=True):
            start = at + (buffer[at] == 0)
            letters, (first, odd) = buffer[start:end:2], divmod(base + start, 2)
            known = len(letters) if end < sure else -(-(sure - start) // 2)
            if known <= 0:
                continue
            for hit in _search(letters, first, known, searched[odd]):
                yield _widened(hit, odd)


def _anchors(buffer: bytes, begin: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Where something may begin, and of which kinds."""
    from casewright.kernels import anchors as kernel  # noqa: PLC0415

    raw = np.frombuffer(buffer, np.uint8)
    codes, starts, ends = np.empty(ANCHORS, np.uint8), np.empty(ANCHORS, np.int64), np.empty(ANCHORS, np.int64)
    while begin <= len(buffer):
        count, begin = kernel.anchors(raw, begin, codes, starts, ends)
        found = codes[:count].tolist(), starts[:count].tolist(), ends[:count].tolist()
        for code, start, end in zip(*found, strict=True):
            yield start, OF_LENGTH.get(end - start, ("bitcoin",)) if code == code_of.RUN else OF_ANCHOR[code]


def _hit(kind: str, match: Match, base: int) -> Hit | None:
    value = KINDS[kind].check(match)
    if value is None:
        return None
    start, end = match.span()
    stamp = stamp_near(match.string, start, end) if kind == "ip" else b""
    return Hit(base + start, kind, value.text, value.canonical, value.port, value.length, stamp)
