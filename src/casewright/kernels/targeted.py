"""Deposits to given scripts and what spends them, out of raw blocks, without an index: the quick first answer.

Blocks are walked through, not checked: no id is computed but of transactions in which something is found. What is found
so is what the full reading finds in blocks that hold (a test compares them); only the full reading says which do.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.blockcolumns import PIECE, as_bytes
from casewright.kernels.blockfiles import Plain, next_found
from casewright.kernels.blocks import EASIEST, MOST
from casewright.kernels.blockscan import HEADER, count_blocks, frames, id_without_witness, number, skip_witness
from casewright.kernels.joining import entry, equal, hashed, slots_for
from casewright.kernels.memory import get8, get64
from casewright.kernels.packing import LONGEST, starts
from casewright.kernels.sha256 import scratch, sha256d_at

SPEND, FRAMES = 36, 4096
LEAST_ROOM = 1 << 12


class Hits(NamedTuple):
    """N things found. `block` and `start`: first byte of the block and of the transaction in the file; `position`: of
    the transaction in the block; `place`: its output or input; `what`: number of the script or of the deposit."""

    txid: NDArray[Any]
    block: NDArray[Any]
    position: NDArray[Any]
    start: NDArray[Any]
    length: NDArray[Any]
    place: NDArray[Any]
    sats: NDArray[Any]
    what: NDArray[Any]


def room(count: int) -> Hits:
    return Hits(np.empty((count, 32), np.uint8), *(np.empty(count, np.int64) for _ in Hits._fields[1:]))


class Keys:
    """Things to be found, by their bytes: scripts up to 42 bytes, or outputs as 36 bytes."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        sizes = np.fromiter(map(len, keys), np.int64, len(keys))
        self.set(as_bytes(b"".join(keys)), starts(sizes))

    def set(self, raw: NDArray[Any], at: NDArray[Any]) -> None:
        self.raw, self.at = raw, at
        self.slots = slots_for(len(at) - 1)
        _enter(self.raw, self.at, self.slots)

    @property
    def arrays(self) -> tuple[Any, Any, Any]:
        return self.raw, self.at, self.slots


def matched(scripts: NDArray[Any], at: NDArray[Any], keys: Keys) -> NDArray[np.int64]:
    """Of each script the number of the key that it is; -1 when it is none."""
    found = np.empty(len(at) - 1, np.int64)
    _match(scripts, at, *keys.arrays, found)
    return found


def block_places(file: Plain, magic: bytes, easiest: int = EASIEST) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Of every block in the file that is one by its form: first byte, size, and numbers of transactions, inputs and
    outputs. What is none is passed over: the full reading names it."""
    data, at, parts = as_bytes(file.clear), 0, []
    while at < len(data):
        begin, size = np.empty(FRAMES, np.int64), np.empty(FRAMES, np.int64)
        count = frames(data, as_bytes(magic), at, at + PIECE, begin, size)
        counts = np.zeros((count, 3), np.int64)
        whole = count_blocks(data, begin[:count], size[:count], counts)
        if whole:
            parts.append((begin[:whole], size[:whole], counts[:whole]))
            at = int(begin[whole - 1] + size[whole - 1])
        else:
            _, at = next_found(file, magic, at, easiest)
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 3), np.int64)
    begin, size, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    return begin, size, counts


def deposits(file: Plain, places: tuple[Any, Any, Any], scripts: Keys) -> Hits:
    """Every output that pays one of the scripts."""
    return _all(file, places[0], places[2][:, 2], scripts, True)


def spends(file: Plain, places: tuple[Any, Any, Any], outputs: Keys) -> Hits:
    """Every input that takes one of the outputs."""
    return _all(file, places[0], places[2][:, 1], outputs, False)


def _all(file: Plain, begin: NDArray[Any], most: NDArray[Any], keys: Keys, outputs: bool) -> Hits:
    data, done, pieces, used, scrap = as_bytes(file.clear), 0, [], scratch(), np.empty(MOST, np.uint8)
    while done < len(begin) and len(keys.at) > 1:
        hits = room(max(LEAST_ROOM, int(most[done])))
        more, count = _search(data, begin[done:], most[done:], *keys.arrays, outputs, hits, scrap, used)
        pieces.append(Hits(*(column[:count].copy() for column in hits)))
        done += more
    return Hits(*map(np.concatenate, zip(room(0), *pieces, strict=True)))


@njit(cache=True, nogil=True)
def _enter(raw, at, slots):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    for row in range(len(at) - 1):
        word = hashed(raw.ctypes.data + at[row], at[row + 1] - at[row])
        slot = word >> np.uint64(7) & mask
        while slots[slot]:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = entry(word, row)


@njit(cache=True, nogil=True)
def _known(key, size, raw, at, slots):  # type: ignore[no-untyped-def]
    """Number of the key that stands at an address; -1 when it is none of them."""
    mask, word = np.uint64(len(slots) - 1), hashed(key, size)
    slot = word >> np.uint64(7) & mask
    while slots[slot]:
        row = np.int64(slots[slot] & np.uint64(0xFFFFFFFF)) - 1
        if slots[slot] >> np.uint64(32) == word >> np.uint64(32) and at[row + 1] - at[row] == size:
            if equal(raw.ctypes.data + at[row], key, size):
                return row
        slot = (slot + np.uint64(1)) & mask
    return -1


@njit(cache=True, nogil=True)
def _match(scripts, begins, raw, at, slots, found):  # type: ignore[no-untyped-def]
    for row in range(len(found)):
        found[row] = _known(scripts.ctypes.data + begins[row], begins[row + 1] - begins[row], raw, at, slots)


@njit(cache=True, nogil=True)
def _search(data, begin, most, raw, at, slots, outputs, hits, scrap, used):  # type: ignore[no-untyped-def]
    """Fills `hits` from blocks that were counted; returns how many blocks were gone through, and how much was found.
    Ends before a block for whose findings (`most`) there may be no room."""
    (txid, block, position, start, length, place, sats, what), found = hits, 0
    base, state, bare = data.ctypes.data, used.ctypes.data, scrap.ctypes.data
    for row in range(len(begin)):
        if found + most[row] > len(what):
            return row, found
        count, here = number(base + begin[row] + HEADER)
        for transaction in range(count):
            first, before = here, found
            segwit = get8(here + 4) == 0 and get8(here + 5) == 1
            body = here + (6 if segwit else 4)
            inputs, here = number(body)
            for vin in range(inputs):
                spent = here
                size, here = number(here + 36)
                here += size + 4
                if not outputs:
                    key = _known(spent, SPEND, raw, at, slots)
                    if key >= 0:
                        place[found], sats[found], what[found] = vin, 0, key
                        found += 1
            coins, here = number(here)
            for vout in range(coins):
                amount = get64(here)
                size, here = number(here + 8)
                if outputs and size <= LONGEST:
                    key = _known(here, size, raw, at, slots)
                    if key >= 0:
                        place[found], sats[found], what[found] = vout, amount, key
                        found += 1
                here += size
            witness = here
            here = (skip_witness(here, inputs) if segwit else here) + 4
            if found > before:
                own = txid.ctypes.data + 32 * before
                if segwit:
                    id_without_witness(first, body, witness, here, bare, own, state)
                else:
                    sha256d_at(first, here - first, own, state)
                for hit in range(before, found):
                    txid[hit] = txid[before]
                    block[hit], position[hit], start[hit], length[hit] = (
                        begin[row],
                        transaction,
                        first - base,
                        here - first,
                    )
    return len(begin), found
