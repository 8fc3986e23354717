"""Selectors in any bytes: Bitcoin addresses, emails, IPs, URLs and onion services, with their places.

Checksums are verified where there are any, so that a hit is an address and not a string that looks like one.
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
PATTERNS = re.compile(
    rb"(?P<url>https?://[^\s\"'<>\\\x00-\x20\x7f-\xff]{4,2000})"
    rb"|(?P<email>[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?![A-Za-z0-9-])"
    rb"|(?P<onion>(?<![a-z2-7])[a-z2-7]{56}\.onion)"
    rb"|(?P<bitcoin>(?<![A-Za-z0-9])(?:(?:bc|tb|bcrt)1[02-9ac-hj-np-z]{11,87}|[123mn][1-9A-HJ-NP-Za-km-z]{25,34}))(?![A-Za-z0-9])"
    rb"|(?P<ip>(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]))"
    rb"|(?P<ip6>(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4})+(?![0-9A-Fa-f:]))"
)


@dataclass(frozen=True)
class Hit:
    """A selector and where its bytes stand."""

    kind: str
    value: str
    span_start: int
    span_length: int


def find_selectors(file: BinaryIO, chunk: int = CHUNK) -> Iterator[Hit]:
    """Every selector in the stream, in order, each once, also across the borders of chunks."""
    base, buffer, done = 0, b"", 0
    while True:
        more = file.read(chunk)
        buffer += more
        keep = len(buffer) if not more else max(0, len(buffer) - OVERLAP)
        for match in PATTERNS.finditer(buffer):
            if base + match.start() < done:
                continue
            if match.start() >= keep:
                break
            hit = _hit(match, base)
            done = base + match.end()
            if hit:
                yield hit
        if not more:
            return
        cut = max(0, keep - OVERLAP)
        base, buffer = base + cut, buffer[cut:]


def _hit(match: re.Match[bytes], base: int) -> Hit | None:
    kind = str(match.lastgroup)
    text = match.group().decode("ascii", "replace")
    if kind == "url":
        text = text.rstrip(".,;:)]}>")
    value = CHECKS[kind](text)
    named = {"ip6": "ip"}.get(kind, kind)
    return Hit(named, value, base + match.start(), len(text)) if value else None


def _bitcoin(text: str) -> str | None:
    return text if valid_address(text) else None


def _ip(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return text if not (address.is_loopback or address.is_unspecified or address.is_multicast) else None


def _onion(text: str) -> str | None:
    """Tor rendezvous specification v3, section 6: base32(public key | checksum | version)."""
    raw = base64.b32decode(text[:56].upper())
    check = hashlib.sha3_256(b".onion checksum" + raw[:32] + b"\x03").digest()[:2]
    return text if raw[34:] == b"\x03" and raw[32:34] == check else None


CHECKS: dict[str, Callable[[str], str | None]] = {
    "url": str,
    "email": str,
    "onion": _onion,
    "bitcoin": _bitcoin,
    "ip": _ip,
    "ip6": _ip,
}
