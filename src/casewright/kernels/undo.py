"""Undo data of Bitcoin Core (`rev*.dat`): the coins that each block spends, with value, script and height.

A frame is `magic | u32le size | undo | checksum`; the checksum is the double SHA-256 of the hash of the block before
and the undo data, and pairs it with its block: the order in the file is another one. Undo data: for each transaction
but the coinbase, for each input, VARINT of 2 * height + coinbase; a VARINT that older versions used, where the height
is not 0; the amount and the script, compressed (Core's `undo.h`, `compressor.cpp`, `serialize.h`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct, error
from typing import NamedTuple

from casewright.kernels.blockfiles import Plain
from casewright.kernels.blocks import MOST, DamagedBlock, compact, sha256d
from casewright.model.bitcoin import MAX_SATS

_SIZE = Struct("<I")
CHECKSUM, MOST_UNDO = 32, 64 * MOST
HASHED = {0: (b"\x76\xa9\x14", b"\x88\xac"), 1: (b"\xa9\x14", b"\x87")}
SPECIAL = 6
"""Forms of scripts that are told by a number; what follows is SPECIAL more than the script's size."""
LONGEST_SCRIPT = 10_000
FIELD = 2**256 - 2**32 - 977
"""Public keys are points on y² = x³ + 7 over this field (SEC 2, secp256k1)."""


class SpentCoin(NamedTuple):
    """A coin that an input takes: where it was made, and what it was."""

    height: int
    coinbase: bool
    sats: int
    script: bytes


Spent = tuple[tuple[SpentCoin, ...], ...]
"""Of each transaction but the coinbase, of each input."""


@dataclass(frozen=True)
class Undo:
    """A frame of the file: the undo data at `start`, and its checksum; or damage, with `reason`."""

    start: int
    length: int
    checksum: bytes
    reason: str = ""


def undo_frames(file: Plain, magic: bytes) -> Iterator[Undo]:
    """Every frame in the order of the file; no byte is passed over in silence but the room kept free."""
    clear, at = file.clear, 0
    while at < len(clear):
        if not clear.startswith(magic, at):
            after = _following(clear, magic, at)
            if not file.blank(at, after):
                yield Undo(at, after - at, b"", "no undo data")
            at = after
            continue
        size = int(_SIZE.unpack_from(clear, at + 4)[0]) if at + 8 <= len(clear) else 0
        end = at + 8 + size + CHECKSUM
        if not 0 < size <= MOST_UNDO or end > len(clear):
            after = _following(clear, magic, at)
            yield Undo(at, after - at, b"", "truncated" if size <= MOST_UNDO else "impossible size")
            at = after
            continue
        yield Undo(at + 8, size, clear[end - CHECKSUM : end])
        at = end


def _following(clear: bytes, magic: bytes, at: int) -> int:
    """Where the next frame could begin, or the end."""
    found = clear.find(magic, at + 1)
    return found if found >= 0 else len(clear)


def belongs(file: Plain, undo: Undo, prev: bytes) -> bool:
    """Whether this is the undo data of the block that comes after the block with the hash `prev`."""
    return sha256d(prev + file.clear[undo.start : undo.start + undo.length]) == undo.checksum


def parse_undo(raw: bytes) -> Spent:
    """The coins that fill `raw` exactly. Raises DamagedBlock."""
    try:
        count, at = compact(raw, 0)
        found = []
        for _ in range(count):
            coins, at = _transaction(raw, at)
            found.append(coins)
    except (error, IndexError) as problem:
        raise DamagedBlock("truncated", "the undo data goes on after its last byte") from problem
    if at != len(raw):
        raise DamagedBlock("impossible size", f"{len(raw) - at} bytes are left after the last coin")
    return tuple(found)


def _transaction(raw: bytes, at: int) -> tuple[tuple[SpentCoin, ...], int]:
    count, at = compact(raw, at)
    found = []
    for _ in range(count):
        coin, at = _coin(raw, at)
        found.append(coin)
    return tuple(found), at


def _coin(raw: bytes, at: int) -> tuple[SpentCoin, int]:
    code, at = varint(raw, at)
    if code > 1:
        _, at = varint(raw, at)
    packed, at = varint(raw, at)
    sats = amount_of(packed)
    if sats > MAX_SATS:
        raise DamagedBlock("impossible amount", f"a coin of {sats} satoshis cannot be")
    script, at = _script(raw, at)
    return SpentCoin(code >> 1, bool(code & 1), sats, script), at


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, most significant first, each but the last one less than it stands for."""
    number = 0
    for place in range(at, at + 10):
        byte = raw[place]
        number = number << 7 | byte & 127
        if byte < 128:
            return number, place + 1
        number += 1
    raise DamagedBlock("impossible size", "a number is longer than 64 bits")


def amount_of(packed: int) -> int:
    """Satoshis of a compressed amount: powers of ten and the last digit before them are told apart."""
    if not packed:
        return 0
    rest, power = divmod(packed - 1, 10)
    if power == 9:
        return (rest + 1) * 10**9
    rest, digit = divmod(rest, 9)
    return (rest * 10 + digit + 1) * int(10**power)


def _script(raw: bytes, at: int) -> tuple[bytes, int]:
    form, at = varint(raw, at)
    size = 20 if form in HASHED else 32 if form < SPECIAL else form - SPECIAL
    if at + size > len(raw):
        raise DamagedBlock("truncated", "a script goes on after the last byte of the undo data")
    return written_out(form, raw[at : at + size]), at + size


def written_out(form: int, data: bytes) -> bytes:
    """A script that is packed in one of Core's forms. Raises DamagedBlock."""
    if form in HASHED:
        head, tail = HASHED[form]
        return head + data + tail
    if form < SPECIAL:
        return _paid_to_key(form, data)
    # what is longer can be spent by nobody, and Core keeps this in its place
    return data if len(data) <= LONGEST_SCRIPT else b"\x6a"


def _paid_to_key(form: int, x: bytes) -> bytes:
    """The script that pays to a public key: compressed (form 2 or 3) or written out (4 or 5: y is even or odd)."""
    if form < 4:
        return b"\x21" + bytes([form]) + x + b"\xac"
    number = int.from_bytes(x, "big")
    square = (pow(number, 3, FIELD) + 7) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if number >= FIELD or y * y % FIELD != square:
        raise DamagedBlock("undecodable", "a public key is no point of the curve")
    y = FIELD - y if y & 1 != form & 1 else y
    return b"\x41\x04" + x + y.to_bytes(32, "big") + b"\xac"
