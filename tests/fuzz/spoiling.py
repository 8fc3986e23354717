"""Bytes that are nearly what a parser expects: seeds with flips, cuts, copies, parts of others and telling numbers."""

import random
from collections.abc import Callable, Sequence

MOST = 1 << 17
NUMBERS = [
    b"0", b"-1", b"1e999", b"NaN", b"99999999999999999999", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00" * 8,
    b"\xfd\xff\xff", b"\xfe\xff\xff\xff\x7f", b"\xff" * 9, b"\x80" * 12, b"2038-01-19T03:14:08Z", b"0000-00-00",
]  # fmt: skip
SIGNS = [
    b'"', b"'", b"\\", b"\n", b"\r\n", b"\x00", b",", b";", b"\t", b"{", b"}", b"[", b"]", b"(", b")", b"<!--", b"&x;",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xae", b"*a", b"&a", b"!!python/object:x", b"%s", b"=1+1",
]  # fmt: skip


def spoiled(seeds: Sequence[bytes], dice: random.Random) -> bytes:
    """One of the seeds, changed in one to eight ways."""
    return changed(dice.choice(seeds), seeds, dice)


def changed(start: bytes, seeds: Sequence[bytes], dice: random.Random) -> bytes:
    """These bytes, changed in one to eight ways; the seeds lend parts."""
    raw = bytearray(start)
    for _ in range(dice.choice([1, 1, 2, 3, 8])):
        dice.choice(WAYS)(raw, seeds, dice)
        del raw[MOST:]
    return bytes(raw)


def _flip(raw: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    if raw:
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)


def _byte(raw: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    if raw:
        raw[dice.randrange(len(raw))] = dice.randrange(256)


def _cut(raw: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(raw) + 1)
    del raw[at : at + dice.choice([1, 2, 16, 300, MOST])]


def _again(raw: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    """A stretch stands there once more, or many times."""
    at = dice.randrange(len(raw) + 1)
    part = bytes(raw[at : at + dice.choice([1, 4, 40, 400])])
    raw[at:at] = part * dice.choice([1, 1, 2, 50, 2000])


def _number(raw: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(raw) + 1)
    raw[at : at + dice.choice([0, 1, 4, 8])] = dice.choice(NUMBERS)


def _sign(raw: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(raw) + 1)
    raw[at : at + dice.choice([0, 1])] = dice.choice(SIGNS) * dice.choice([1, 1, 1, 3, 5000])


def _other(raw: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    """A part of another seed."""
    other = dice.choice(seeds)
    start, at = dice.randrange(len(other) + 1), dice.randrange(len(raw) + 1)
    raw[at : at + dice.choice([0, 20, 200])] = other[start : start + dice.choice([1, 20, 500])]


def _swap(raw: bytearray, seeds: Sequence[bytes], dice: random.Random) -> None:
    """Two lines, or what stands between the same sign, change places."""
    sign = dice.choice([b"\n", b",", b" "])
    parts = raw.split(sign)
    one, two = dice.randrange(len(parts)), dice.randrange(len(parts))
    parts[one], parts[two] = parts[two], parts[one]
    raw[:] = sign.join(parts)


WAYS: list[Callable[[bytearray, Sequence[bytes], random.Random], None]] = [
    _flip, _flip, _byte, _cut, _again, _number, _sign, _other, _swap,
]  # fmt: skip
