"""Sums over pages of InnoDB and blocks of XFS: CRC-32C (RFC 3720, reflected 0x82F63B78); InnoDB's older folding sum.

Both are compiled when this module is imported, and kept beside it; children get them from the process that they are
forked from. `crc32c_slow` and `folded_slow` are their definitions.
"""

import numba as nb
import numpy as np

POLYNOMIAL, ONES = 0x82F63B78, 0xFFFFFFFF
MASK, MASK_2 = 1463735687, 1653893711
"""The two numbers of InnoDB's folding."""
_BYTES = nb.types.Array(nb.uint8, 1, "C", readonly=True)


def crc32c_slow(raw: bytes) -> int:
    """Bit by bit."""
    state = ONES
    for byte in raw:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (POLYNOMIAL if state & 1 else 0)
    return state ^ ONES


def folded_slow(raw: bytes) -> int:
    """Byte by byte, each into the sum so far."""
    state = 0
    for byte in raw:
        state = (((((state ^ byte ^ MASK_2) << 8) + state) ^ MASK) + byte) & ONES
    return state


def _tables() -> np.ndarray:
    """What a byte becomes when 0 to 7 others follow it."""
    tables = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        state = byte
        for _ in range(8):
            state = state >> 1 ^ (POLYNOMIAL if state & 1 else 0)
        tables[0, byte] = state
    for place in range(1, 8):
        before = tables[place - 1]
        tables[place] = tables[0, before & 255] ^ before >> 8
    return tables


_TABLES = _tables()


@nb.njit(nb.uint32(_BYTES), cache=True)
def crc32c(raw):  # type: ignore[no-untyped-def]
    """The same, eight bytes at a time."""
    state, at, end = np.uint32(ONES), 0, raw.size
    while at + 8 <= end:
        low, high = np.uint32(0), np.uint32(0)
        for place in range(4):
            low |= np.uint32(raw[at + place]) << np.uint32(8 * place)
            high |= np.uint32(raw[at + 4 + place]) << np.uint32(8 * place)
        low ^= state
        state = _TABLES[7, low & 255] ^ _TABLES[6, low >> 8 & 255] ^ _TABLES[5, low >> 16 & 255]
        state ^= _TABLES[4, low >> 24] ^ _TABLES[3, high & 255] ^ _TABLES[2, high >> 8 & 255]
        state ^= _TABLES[1, high >> 16 & 255] ^ _TABLES[0, high >> 24]
        at += 8
    while at < end:
        state = _TABLES[0, (state ^ raw[at]) & 255] ^ state >> np.uint32(8)
        at += 1
    return np.uint32(state ^ np.uint32(ONES))


@nb.njit(nb.uint32(_BYTES), cache=True)
def folded(raw):  # type: ignore[no-untyped-def]
    """The same, compiled."""
    state = np.int64(0)
    for byte in raw:
        number = np.int64(byte)
        state = (((((state ^ number ^ MASK_2) << 8) + state) ^ MASK) + number) & ONES
    return np.uint32(state)
