"""Output scripts that pay a key: what descriptors and wallets' single keys stand for.

Sources: BIP 141 (witness programs, also through a script hash), 341 and 386 (Taproot without scripts), 381 to 384.
"""

import hashlib
from collections.abc import Iterator, Sequence

from coincurve import PublicKey

from casewright.model.bitcoin import hash160

COMPRESSED = 33
"""Bytes of a public key as every newer kind of script needs it."""


def sha256(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def pk(key: bytes) -> bytes:
    return bytes([len(key)]) + key + b"\xac"


def pkh(key: bytes) -> bytes:
    return b"\x76\xa9\x14" + hash160(key) + b"\x88\xac"


def wpkh(key: bytes) -> bytes:
    return b"\0\x14" + hash160(key)


def sh(script: bytes) -> bytes:
    return b"\xa9\x14" + hash160(script) + b"\x87"


def wsh(script: bytes) -> bytes:
    return b"\0\x20" + sha256(script)


def tr(key: bytes) -> bytes:
    """A Taproot output without scripts: its key is moved by a digest of itself."""
    tag = sha256(b"TapTweak")
    tweak = sha256(tag + tag + key[1:])
    moved: bytes = PublicKey(b"\x02" + key[1:]).add(tweak).format()
    return b"\x51\x20" + moved[1:]


def multi(threshold: int, keys: Sequence[bytes]) -> bytes:
    pushed = b"".join(bytes([len(key)]) + key for key in keys)
    return _number(threshold) + pushed + _number(len(keys)) + b"\xae"


def _number(value: int) -> bytes:
    return bytes([0x50 + value]) if value <= 16 else bytes([1, value])


def combo(key: bytes) -> Iterator[bytes]:
    """Every script of a single key that has no scripts below it, except Taproot's."""
    yield pk(key)
    yield pkh(key)
    if len(key) == COMPRESSED:
        yield wpkh(key)
        yield sh(wpkh(key))
