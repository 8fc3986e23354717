"""Undo data by the thousand, compiled: the fast twin of `undo.parse_undo`.

It says yes only to undo data that fits together in every way that it can see, and stops at the first that does not; of
that one the definition must be asked. Scripts stay packed as they stand: `script_of` writes one out, and there it comes
to light when a public key is no point of the curve.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.blockcolumns import as_bytes
from casewright.kernels.blockfiles import Plain
from casewright.kernels.blocks import DamagedBlock
from casewright.kernels.blockscan import BAD, compact_at
from casewright.kernels.memory import get8
from casewright.kernels.runs import starts
from casewright.kernels.undo import SPECIAL, Undo, parse_undo, written_out
from casewright.model.bitcoin import MAX_SATS

GROUPS = 8
"""Groups of seven bits that no number of real undo data has more of."""
Column = NDArray[Any]


class SpentCoins(NamedTuple):
    """F frames, T transactions, C coins, each in the order of the file. `transactions` [F] and `coins` [T] are numbers
    of rows; of a coin `form` is how its script is packed, which stands in `size` bytes from `place` on."""

    transactions: Column
    coins: Column
    height: Column
    coinbase: Column
    sats: Column
    form: Column
    place: Column
    size: Column

    def script(self, coin: int, clear: bytes) -> bytes:
        """The script of a coin. Raises DamagedBlock for a key that is none."""
        at = int(self.place[coin])
        return written_out(int(self.form[coin]), clear[at : at + int(self.size[coin])])


def read_undo(file: Plain, frames: Sequence[Undo]) -> tuple[SpentCoins, dict[int, DamagedBlock]]:
    """The coins of all frames; and what is wrong with those, by number, that have none because they are damaged."""
    data, parts, damage, at = as_bytes(file.clear), [], {}, 0
    begin, size = (np.array([getattr(f, name) for f in frames], np.int64) for name in ("start", "length"))
    while at < len(frames):
        counts = np.zeros((len(frames) - at, 2), np.int64)
        whole = _count(data, begin[at:], size[at:], counts)
        parts.append(_filled(data, begin[at : at + whole], counts[:whole]))
        at += whole
        if at < len(frames):
            damage[at] = _problem(file.clear, frames[at])
            parts.append(_room(1, 0, 0))
            at += 1
    if len(parts) == 1:  # as it nearly always is: nothing is copied
        return parts[0], damage
    return SpentCoins(*map(np.concatenate, zip(_room(0, 0, 0), *parts, strict=True))), damage


def _problem(clear: bytes, frame: Undo) -> DamagedBlock:
    """Why a frame was refused. What the definition would let pass has a height that no chain reaches."""
    try:
        parse_undo(clear[frame.start : frame.start + frame.length])
    except DamagedBlock as problem:
        return problem
    return DamagedBlock("impossible height", "the undo data has a number that no chain reaches")


def _room(frames: int, transactions: int, coins: int) -> SpentCoins:
    of_coins = [np.zeros(coins, kind) for kind in (np.int64, np.uint8, np.int64, np.int32, np.int64, np.int32)]
    return SpentCoins(np.zeros(frames, np.int64), np.zeros(transactions, np.int64), *of_coins)


def _filled(data: Column, begin: Column, counts: Column) -> SpentCoins:
    made = _room(len(begin), *counts.sum(axis=0).tolist())
    made.transactions[:] = counts[:, 0]
    _fill(data, begin, starts(counts[:, 0]), made)
    return made


@njit(cache=True, nogil=True)
def _varint(at, end):  # type: ignore[no-untyped-def]
    number = np.int64(0)
    for _ in range(GROUPS):
        if at >= end:
            return 0, BAD
        byte = np.int64(get8(at))
        at += 1
        number = number << 7 | byte & 127
        if byte < 128:
            return number, at
        number += 1
    return 0, BAD


@njit(cache=True, nogil=True)
def _amount(packed):  # type: ignore[no-untyped-def]
    """Satoshis of a compressed amount; BAD when they are more than there are."""
    if packed == 0:
        return 0
    rest, power = (packed - 1) // 10, (packed - 1) % 10
    number = rest + 1 if power == 9 else rest // 9 * 10 + rest % 9 + 1
    for _ in range(power):
        if number > MAX_SATS:
            return BAD
        number *= 10
    return number if number <= MAX_SATS else BAD


@njit(cache=True, nogil=True)
def _coin(at, end):  # type: ignore[no-untyped-def]
    """Code, satoshis, form, and where the packed script begins and ends; ends BAD when it does not hold."""
    code, at = _varint(at, end)
    if at != BAD and code > 1:
        _, at = _varint(at, end)
    if at == BAD:
        return 0, 0, 0, 0, BAD
    packed, at = _varint(at, end)
    sats = _amount(packed) if at != BAD else BAD
    if sats == BAD:
        return 0, 0, 0, 0, BAD
    form, at = _varint(at, end)
    size = 20 if form < 2 else 32 if form < SPECIAL else form - SPECIAL
    if at == BAD or size > end - at:
        return 0, 0, 0, 0, BAD
    return code, sats, form, at, at + size


@njit(cache=True, nogil=True)
def _count(data, begin, size, counts):  # type: ignore[no-untyped-def]
    """Fills counts [n, 2] of transactions and coins; returns how many frames there are before a bad one."""
    for frame in range(len(begin)):
        start = data.ctypes.data + begin[frame]
        end, coins = start + size[frame], 0
        count, at = compact_at(start, end)
        if at == BAD:
            return frame
        for _ in range(count):
            own, at = compact_at(at, end)
            if at == BAD:
                return frame
            for _ in range(own):
                at = _coin(at, end)[4]
                if at == BAD:
                    return frame
            coins += own
        if at != end:
            return frame
        counts[frame, 0], counts[frame, 1] = count, coins
    return len(begin)


@njit(cache=True, nogil=True)
def _fill(data, begin, first, made):  # type: ignore[no-untyped-def]
    _, coins, height, coinbase, sats, form, place, size = made
    base, end, row = data.ctypes.data, data.ctypes.data + len(data), 0
    for frame in range(len(begin)):
        _, at = compact_at(base + begin[frame], end)
        for transaction in range(first[frame], first[frame + 1]):
            coins[transaction], at = compact_at(at, end)
            for _ in range(coins[transaction]):
                code, sats[row], form[row], script, at = _coin(at, end)
                height[row], coinbase[row], place[row], size[row] = code >> 1, code & 1, script - base, at - script
                row += 1


def _compile() -> None:
    """Compiles all of it when this module is imported: a child may not write what it compiled."""
    raw = b"\x01\x01\x00\x00\x06"
    read_undo(Plain(raw, raw), [Undo(0, len(raw), b"")])


_compile()
