"""Selectors in any bytes: Bitcoin addresses, emails, IPs, URLs and onion services, with their places.

Checksums are verified where there are any, so that a hit is an address and not a string that looks like one. Each kind
is looked for by itself: an address inside a URL is a hit too. UTF-16 text is not searched.
"""

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from casewright.model.bitcoin import valid_address

CHUNK, OVERLAP = 1 << 20, 4096
PATTERNS = {
    "bitcoin": re.compile(
        rb"(?<![A-Za-z0-9])(?:(?:bc|tb|bcrt)1[02-9ac-hj-np-z]{11,87}|(?:BC|TB|BCRT)1[02-9AC-HJ-NP-Z]{11,87}"
        rb"|[123mn][1-9A-HJ-NP-Za-km-z]{25,34})(?![A-Za-z0-9])"
    ),
    "email": re.compile(
        rb"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+-][A-Za-z0-9._%+-]{0,63}+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
        rb"(?![A-Za-z0-9-])"
    ),
    "ip": re.compile(
        rb"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)"
        rb"|(?<![0-9A-Za-z:.])[0-9A-Fa-f]{4}:[0-9A-Fa-f:]{2,34}(?![0-9A-Za-z:])"
    ),
    "onion": re.compile(rb"(?<![A-Za-z0-9])[a-z2-7]{56}\.onion(?![A-Za-z0-9-])"),
    "url": re.compile(rb"https?://[^\s\"'<>\\\x00-\x20\x7f-\xff]{4,2000}"),
}
"""No hit is longer than half of `OVERLAP`."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A selector and where its bytes stand."""

    kind: str
    value: str
    span_start: int
    span_length: int


def find_selectors(file: BinaryIO, chunk: int = CHUNK) -> Iterator[Hit]:
    """Every selector in the stream, by place and kind, each once, also across the borders of chunks."""
    base, buffer, searched = 0, b"", dict.fromkeys(PATTERNS, 0)
    while True:
        more = file.read(chunk)
        buffer += more
        sure = len(buffer) - OVERLAP if more else len(buffer)
        hits = [hit for kind in PATTERNS for hit in _search(kind, buffer, base, sure, searched)]
        yield from sorted(hits, key=lambda hit: (hit.span_start, hit.kind))
        if not more:
            return
        cut = max(0, sure - OVERLAP)
        base, buffer = base + cut, buffer[cut:]


def _search(kind: str, buffer: bytes, base: int, sure: int, searched: dict[str, int]) -> Iterator[Hit]:
    """Hits that begin before `sure`, where more bytes can't change them; `searched` is how far a kind has come."""
    for match in PATTERNS[kind].finditer(buffer, max(0, searched[kind] - base)):
        if match.start() >= sure:
            break
        searched[kind] = base + match.end()
        if hit := _hit(kind, match, base):
            yield hit
    searched[kind] = max(searched[kind], base + sure)


def _hit(kind: str, match: re.Match[bytes], base: int) -> Hit | None:
    text = match.group().decode("ascii")
    text = text.rstrip(".,;:)]}>") if kind == "url" else text
    return Hit(kind, text, base + match.start(), len(text)) if CHECKS[kind](text) else None


def _is_visitors(text: str) -> bool:
    """An IP address that may be somebody's: not the machine's own, and not everybody's."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _is_onion(text: str) -> bool:
    """Tor rendezvous specification v3, section 6: base32(public key | checksum | version)."""
    raw = base64.b32decode(text[:56].upper())
    check = hashlib.sha3_256(b".onion checksum" + raw[:32] + b"\x03").digest()[:2]
    return raw[34:] == b"\x03" and raw[32:34] == check


CHECKS: dict[str, Callable[[str], bool]] = {
    "url": bool,
    "email": bool,
    "onion": _is_onion,
    "bitcoin": lambda text: valid_address(text) is not None,
    "ip": _is_visitors,
}
