"""Bitcoin addresses by the thousand: which of many texts surely are some.

`model/bitcoin.py` is the definition. This says yes only to texts that it knows: base58 in capitals and small letters,
bech32 and bech32m in small letters, whose checksum holds. Of everything else it says nothing, and the definition must
be asked. A test holds both equal. Compiled when this module is imported: a child may not write what it compiled.
"""

import hashlib
from typing import Any

import numpy as np
from numba import int64, njit, types, uint8, void
from numpy.typing import NDArray

from casewright.model.bitcoin import (
    BASE58_DIGITS,
    BASE58_VERSIONS,
    BECH32_CONST,
    BECH32_DIGITS,
    BECH32M_CONST,
    GENERATOR,
    NETWORKS,
)

ASK, BASE58, SEGWIT = 0, 1, 2
PAYLOAD, LIMBS = 25, 7
SHORTEST, LONGEST, LONGEST_SEGWIT, CHECK = 26, 35, 90, 6
NONE = 255
_BYTES = types.Array(uint8, 1, "C", readonly=True)
_BASE58 = np.frombuffer(BASE58_DIGITS, np.uint8)
_BECH32 = np.frombuffer(BECH32_DIGITS, np.uint8)
_HEADS = np.zeros((len(NETWORKS), 8), np.uint8)
for _row, _hrp in enumerate(sorted({n.hrp for n in NETWORKS.values()})):
    _HEADS[_row, : len(_hrp) + 1] = list(_hrp.encode() + b"1")
_KNOWN = np.zeros(256, bool)
_KNOWN[list(BASE58_VERSIONS)] = True


def surely_addresses(data: NDArray[np.uint8], offsets: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of n texts are addresses whose checksum holds; False where the definition must be asked.

    `data`: the bytes of all texts; `offsets` [n + 1]: where each begins, and where the last one ends.
    """
    count = len(offsets) - 1
    kinds, payloads = np.zeros(count, np.uint8), np.zeros((count, PAYLOAD), np.uint8)
    _sort_out(data, np.ascontiguousarray(offsets, np.int64), kinds, payloads)
    found: NDArray[np.bool_] = kinds == SEGWIT
    places = np.flatnonzero((kinds == BASE58) & _KNOWN[payloads[:, 0]])
    sha256 = hashlib.sha256
    raws = (bytes(raw) for raw in payloads[places])
    found[places] = [sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:] for raw in raws]
    return found


@njit(cache=True, nogil=True)
def _base58(data, start, end, payload):  # type: ignore[no-untyped-def]
    """The 25 bytes that base58 digits stand for. Letters of one case alone could be bech32 as well."""
    limbs = np.zeros(LIMBS, np.uint64)
    capitals = smalls = False
    zeros = 0
    for at in range(start, end):
        digit = _BASE58[data[at]]
        if digit == NONE:
            return False
        capitals |= ord("A") <= data[at] <= ord("Z")
        smalls |= ord("a") <= data[at] <= ord("z")
        zeros += at == start + zeros and digit == 0
        carry = np.uint64(digit)
        for limb in range(LIMBS):
            carry += limbs[limb] * np.uint64(58)
            limbs[limb] = carry & np.uint64(0xFFFFFFFF)
            carry >>= np.uint64(32)
    size = 4 * LIMBS
    while size and limbs[(size - 1) // 4] >> np.uint64(8 * ((size - 1) % 4)) == 0:
        size -= 1
    for place in range(PAYLOAD):
        back = PAYLOAD - 1 - place
        payload[place] = (limbs[back // 4] >> np.uint64(8 * (back % 4))) & np.uint64(255)
    return capitals and smalls and zeros + size == PAYLOAD


@njit(cache=True, nogil=True)
def _segwit(data, start, end):  # type: ignore[no-untyped-def]
    """Whether this is a small-letter address of a known network with a checksum that holds."""
    body = _behind_head(data, start, end)
    count = end - body
    if body == start or count < CHECK + 1:
        return False
    check = 1
    for at in range(start, body - 1):
        check = _step(check, data[at] >> 5)
    check = _step(check, 0)
    for at in range(start, body - 1):
        check = _step(check, data[at] & 31)
    for at in range(body, end):
        if _BECH32[data[at]] == NONE:
            return False
        check = _step(check, _BECH32[data[at]])
    version, last = _BECH32[data[body]], _BECH32[data[end - CHECK - 1]]
    size, left = divmod(5 * (count - CHECK - 1), 8)
    fits = size in (20, 32) if version == 0 else version <= 16 and 2 <= size <= 40
    const = BECH32_CONST if version == 0 else BECH32M_CONST
    return check == const and fits and left <= 4 and last & ((1 << left) - 1) == 0


@njit(cache=True, nogil=True)
def _behind_head(data, start, end):  # type: ignore[no-untyped-def]
    """Where the data begins behind the name of a network and its 1; `start` where there is none."""
    for row in range(len(_HEADS)):
        at = 0
        while _HEADS[row, at] and start + at < end and data[start + at] == _HEADS[row, at]:
            at += 1
        if at and _HEADS[row, at] == 0:
            return start + at
    return start


@njit(cache=True, nogil=True)
def _step(check, value):  # type: ignore[no-untyped-def]
    top = check >> 25
    check = (check & 0x1FFFFFF) << 5 ^ value
    for bit, generator in enumerate(GENERATOR):
        if top >> bit & 1:
            check ^= generator
    return check


@njit(void(_BYTES, int64[::1], uint8[::1], uint8[:, ::1]), cache=True, nogil=True)
def _sort_out(data, offsets, kinds, payloads):  # type: ignore[no-untyped-def]
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        if SHORTEST <= end - start <= LONGEST and _base58(data, start, end, payloads[row]):
            kinds[row] = BASE58
        elif end - start <= LONGEST_SEGWIT and _segwit(data, start, end):
            kinds[row] = SEGWIT
