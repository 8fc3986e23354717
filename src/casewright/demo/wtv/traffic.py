"""Other people's payments, made fast: transactions that spend what is unspent, pay reused and fresh addresses of four
kinds, and are as long as signed ones. No coin is spent twice, and none pays more than it held.

The same seed and calls give the same bytes. Their signatures are random: whoever reads a chain without a node's state
cannot check any.
"""

from struct import pack

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.memory import copy, put8, put32, put64
from casewright.kernels.sha256 import scratch, sha256d_at

A_BLOCK = 2500
"""Transactions that one call makes at most."""
POOL, SIGNED, ROOM, MINERS = 1 << 21, 107, 4_000_000, 500
Ids = NDArray[np.uint8]


class Traffic:
    """Makes transactions block by block; first it must be granted coins."""

    def __init__(self, seed: int = 7) -> None:
        self._pool, self._vouts = np.zeros((POOL, 32), np.uint8), np.zeros(POOL, np.uint32)
        self._sats, self._known = np.zeros(POOL, np.int64), np.ones(1, np.int64)
        self._out, self._state = np.empty(ROOM, np.uint8), scratch()
        self._ids = np.empty((A_BLOCK, 32), np.uint8)
        self._filled = 0
        _seed(seed)

    def grant(self, txid: bytes, vout: int, sats: int) -> None:
        """A coin that can be spent from now on."""
        at = self._filled % POOL
        self._pool[at], self._vouts[at], self._sats[at] = np.frombuffer(txid, np.uint8), vout, sats
        self._filled += 1

    def some(self, count: int) -> tuple[bytes, Ids]:
        """So many transactions, one behind the other, and their ids [count, 32]; both hold until the next call."""
        size, self._filled = _fill(
            self._out, count, self._pool, self._vouts, self._sats, self._filled, self._known, self._ids, self._state
        )
        return self._out[:size].tobytes(), self._ids[:count]


def script_of(holder: int) -> bytes:
    """The script of one of the people whose payments these are."""
    out = np.zeros(64, np.uint8)
    end = put_script(out.ctypes.data, holder)
    return out[1 : end - out.ctypes.data].tobytes()


def plain_coinbase(height: int, sats: int) -> bytes:
    """A coinbase without a witness that pays somebody of the traffic: enough where no transaction has a witness."""
    inputs = b"\x01" + bytes(32) + b"\xff" * 4 + b"\x04" + pack("<I", height) + b"\xff" * 4
    script = script_of(height)
    return pack("<i", 1) + inputs + b"\x01" + pack("<qB", sats, len(script)) + script + bytes(4)


@njit(cache=True)
def _seed(seed):  # type: ignore[no-untyped-def]
    np.random.seed(seed)


@njit(cache=True)
def _few(one, two, most):  # type: ignore[no-untyped-def]
    """Mostly one or two, now and then many."""
    throw = np.random.random()
    return 1 if throw < one else 2 if throw < one + two else np.random.randint(3, most)


@njit(cache=True)
def put_script(at, holder):  # type: ignore[no-untyped-def]
    """The script of a holder with its length; returns where it ends."""
    word = np.uint64(holder) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
    kind = (word >> np.uint64(40)) % np.uint64(20)
    size = 34 if kind < 2 else 22 if kind < 10 else 25 if kind < 17 else 23
    put8(at, np.uint8(size))
    hashed = at + (3 if kind < 10 else 4 if kind < 17 else 3)
    for place in range(0, 32 if kind < 2 else 20, 4):
        word = (word ^ word >> np.uint64(31)) * np.uint64(0xD6E8FEB86659FD93)
        put32(hashed + place, np.uint32(word >> np.uint64(32)))
    if kind < 10:
        put8(at + 1, np.uint8(0x51 if kind < 2 else 0))
        put8(at + 2, np.uint8(size - 2))
    elif kind < 17:
        put8(at + 1, np.uint8(0x76))
        put8(at + 2, np.uint8(0xA9))
        put8(at + 3, np.uint8(20))
        put8(at + 24, np.uint8(0x88))
        put8(at + 25, np.uint8(0xAC))
    else:
        put8(at + 1, np.uint8(0xA9))
        put8(at + 2, np.uint8(20))
        put8(at + 23, np.uint8(0x87))
    return at + 1 + size


@njit(cache=True)
def _put_inputs(at, inputs, pool, vouts, sats, filled):  # type: ignore[no-untyped-def]
    """Spends so many coins; returns where they end, what they held, and how many coins are left."""
    held = 0
    for _ in range(inputs):
        coin = np.random.randint(0, min(filled, len(vouts)))
        copy(at, np.int64(pool.ctypes.data) + 32 * coin, 32)
        put32(at + 32, vouts[coin])
        put8(at + 36, np.uint8(SIGNED))
        for place in range(0, SIGNED, 4):
            put32(at + 37 + place, np.uint32(np.random.randint(0, 1 << 31)))
        put32(at + 37 + SIGNED, np.uint32(0xFFFFFFFF))
        at += 41 + SIGNED
        held += sats[coin]
        # a coin is spent once: the newest takes its place
        last = (filled - 1) % len(vouts)
        pool[coin], vouts[coin], sats[coin], filled = pool[last], vouts[last], sats[last], filled - 1
    return at, held, filled


@njit(cache=True)
def _fill(out, count, pool, vouts, sats, filled, known, txids, state):  # type: ignore[no-untyped-def]
    at = np.int64(out.ctypes.data)
    parts = np.empty(16, np.int64)
    for row in range(count):
        begin, outputs = at, _few(0.12, 0.78, 16)
        inputs = min(np.int64(_few(0.75, 0.15, 12)), np.int64(filled))
        put32(at, np.uint32(2))
        put8(at + 4, np.uint8(inputs))
        at, left, filled = _put_inputs(at + 5, inputs, pool, vouts, sats, filled)
        left = max(0, left - MINERS)
        put8(at, np.uint8(outputs))
        at += 1
        for vout in range(outputs):
            parts[vout] = left if vout == outputs - 1 else int(left * np.random.random() * 0.8)
            left -= parts[vout]
            put64(at, np.uint64(parts[vout]))
            if np.random.random() < 0.45:
                holder = known[0] - min(known[0] - 1, np.random.randint(0, 200_000))
            else:
                holder, known[0] = known[0], known[0] + 1
            at = put_script(at + 8, holder)
        put32(at, np.uint32(0))
        at += 4
        sha256d_at(begin, at - begin, np.int64(txids.ctypes.data) + 32 * row, np.int64(state.ctypes.data))
        for vout in range(outputs):
            place = filled % len(vouts)
            pool[place], vouts[place], sats[place], filled = txids[row], vout, parts[vout], filled + 1
    return at - np.int64(out.ctypes.data), filled
