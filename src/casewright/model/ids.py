"""Ids that derive from content: the same bytes read twice give the same id."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

ID_HEX = 20


def make_id(prefix: str, *parts: bytes | str | int) -> str:
    """`prefix-` and 20 hex digits of SHA-256 over the parts, each preceded by its length, so no two splits collide."""
    return _named(prefix, hashlib.sha256(b"".join(map(_framed, parts))))


class IdMaker:
    """`make_id` for many ids that differ in their last parts only."""

    def __init__(self, prefix: str, *parts: bytes | str | int) -> None:
        self._prefix, self._begun = prefix, b"".join(map(_framed, parts))

    def __call__(self, *last: bytes | str | int) -> str:
        return _named(self._prefix, hashlib.sha256(self._begun + b"".join(map(_framed, last))))

    def numbered(self, last: str, number: int) -> str:
        """`self(last, number)`, for last parts of which there are few: their bytes are kept."""
        digits = b"%d" % number
        told = self._begun + _framed_word(last) + _LENGTHS[len(digits)] + digits
        return f"{self._prefix}-{hashlib.sha256(told).hexdigest()[:ID_HEX]}"

    def many(self, lasts: Iterable[bytes | str | int]) -> list[str]:
        """An id for each."""
        return [self(last) for last in lasts]


def _named(prefix: str, digest: "hashlib._Hash") -> str:
    return f"{prefix}-{digest.hexdigest()[:ID_HEX]}"


def _framed(part: bytes | str | int) -> bytes:
    raw = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
    return len(raw).to_bytes(8, "big") + raw


_framed_word = lru_cache(4096)(_framed)
_LENGTHS = [n.to_bytes(8, "big") for n in range(64)]


def printable_path(raw: bytes) -> str:
    """A path as people may read it: undecodable, control and direction-changing characters are written as escapes.

    The raw bytes stay beside it; this form is for eyes only and is not reversible.
    """
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() and c not in _DIRECTION else f"\\u{ord(c):04x}" for c in text)


_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
