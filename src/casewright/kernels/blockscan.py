"""Blocks by the thousand, compiled: the fast twin of `blocks.parse_block`.

It says yes only to blocks that hold in every way that the definition asks for, and stops at the first that does not;
of that one the definition must be asked, which gives the reason. First a run of blocks is walked through and counted,
then its columns are filled; whatever the first pass has bounded, the second need not.
"""

import numpy as np
from numba import njit

from casewright.kernels.blocks import LEAST, MOST
from casewright.kernels.memory import copy, get8, get32, get64, put64, same_hash
from casewright.kernels.scripts import kind_of
from casewright.kernels.sha256 import sha256d_at
from casewright.model.bitcoin import MAX_SATS

HEADER, ROOT, TIME, BITS = 80, 36, 68, 72
BAD, LARGEST = -1, 34
"""`LARGEST`: bytes of the longest target that the definition works out."""


@njit(cache=True, nogil=True)
def compact_at(at, end):  # type: ignore[no-untyped-def]
    """The compact-size number at an address and where it ends; BAD past the end, or where the network refuses its form."""
    if at >= end:
        return 0, BAD
    first = np.int64(get8(at))
    if first < 0xFD:
        return first, at + 1
    if first == 0xFD and at + 3 <= end:
        value = np.int64(get8(at + 1)) | np.int64(get8(at + 2)) << 8
        return value, at + 3 if value >= 0xFD else BAD
    if first == 0xFE and at + 5 <= end:
        value = np.int64(get32(at + 1))
        return value, at + 5 if value >= 1 << 16 else BAD
    return 0, BAD  # nothing in a block of four million bytes is so many


@njit(cache=True, nogil=True)
def _count_inputs(at, end):  # type: ignore[no-untyped-def]
    count, at = compact_at(at, end)
    if at == BAD or count == 0:
        return 0, BAD
    for _ in range(count):
        if at + 36 > end:
            return 0, BAD
        size, at = compact_at(at + 36, end)
        if at == BAD or at + size + 4 > end:
            return 0, BAD
        at += size + 4
    return count, at


@njit(cache=True, nogil=True)
def _count_outputs(at, end):  # type: ignore[no-untyped-def]
    count, at = compact_at(at, end)
    if at == BAD:
        return 0, BAD
    for _ in range(count):
        if at + 8 > end or get64(at) > np.uint64(MAX_SATS):
            return 0, BAD
        size, at = compact_at(at + 8, end)
        if at == BAD or at + size > end:
            return 0, BAD
        at += size
    return count, at


@njit(cache=True, nogil=True)
def _behind_witness(at, end, inputs):  # type: ignore[no-untyped-def]
    for _ in range(inputs):
        items, at = compact_at(at, end)
        if at == BAD:
            return BAD
        for _ in range(items):
            size, at = compact_at(at, end)
            if at == BAD or at + size > end:
                return BAD
            at += size
    return at


@njit(cache=True, nogil=True)
def _count_block(start, end):  # type: ignore[no-untyped-def]
    """Transactions, inputs and outputs of a block that fills its bytes exactly; BAD transactions when it does not."""
    inputs = outputs = 0
    if not LEAST <= end - start <= MOST:
        return BAD, 0, 0
    count, at = compact_at(start + HEADER, end)
    if at == BAD or count == 0:
        return BAD, 0, 0
    for _ in range(count):
        if at + 6 > end:
            return BAD, 0, 0
        segwit = get8(at + 4) == 0 and get8(at + 5) == 1
        spends, at = _count_inputs(at + (6 if segwit else 4), end)
        if at == BAD:
            return BAD, 0, 0
        coins, at = _count_outputs(at, end)
        if at != BAD and segwit:
            at = _behind_witness(at, end, spends)
        if at == BAD or at + 4 > end:
            return BAD, 0, 0
        at += 4
        inputs, outputs = inputs + spends, outputs + coins
    return count if at == end else BAD, inputs, outputs


@njit(cache=True, nogil=True)
def count_blocks(data, starts, sizes, counts):  # type: ignore[no-untyped-def]
    """Fills counts [n, 3] of transactions, inputs and outputs; returns how many blocks there are before a bad one."""
    for block in range(len(starts)):
        end = starts[block] + sizes[block]
        if end > len(data):
            return block
        found = _count_block(data.ctypes.data + starts[block], data.ctypes.data + end)
        counts[block, 0], counts[block, 1], counts[block, 2] = found
        if found[0] == BAD:
            return block
    return len(starts)


@njit(cache=True, nogil=True)
def frames(data, magic, at, upto, starts, sizes):  # type: ignore[no-untyped-def]
    """Frames with nothing between them, from `at` on and beginning before `upto`, as many as there is room for; how
    many. Ends before whatever is unusual."""
    count = 0
    while count < len(starts) and at < upto and at + 8 <= len(data):
        for i in range(4):
            if data[at + i] != magic[i]:
                return count
        size = np.int64(get32(data.ctypes.data + at + 4))
        if not LEAST <= size <= MOST or at + 8 + size > len(data):
            return count
        starts[count], sizes[count] = at + 8, size
        count += 1
        at += 8 + size
    return count


@njit(cache=True, nogil=True)
def number(at):  # type: ignore[no-untyped-def]
    """The compact-size number at an address, and the address behind it."""
    first = get8(at)
    if first < 0xFD:
        return np.int64(first), at + 1
    if first == 0xFD:
        return np.int64(get8(at + 1)) | np.int64(get8(at + 2)) << 8, at + 3
    return np.int64(get32(at + 1)), at + 5


@njit(cache=True, nogil=True)
def root_of(level, count, state):  # type: ignore[no-untyped-def]
    """Leaves the merkle root of `count` hashes where the first one stood; True when two neighbours are equal."""
    repeated = False
    while count > 1:
        if count & 1:
            copy(level + 32 * count, level + 32 * (count - 1), 32)
        for left in range(0, count, 2):
            pair = level + 32 * left
            repeated |= left + 1 < count and same_hash(pair, pair + 32)
            sha256d_at(pair, 64, level + 16 * left, state)
        count = (count + 1) >> 1
    return repeated


@njit(cache=True, nogil=True)
def _target(bits, out):  # type: ignore[no-untyped-def]
    size, word = bits >> 24, bits & 0x7FFFFF
    for i in range(3):
        if size - 3 + i >= 0:
            out[size - 3 + i] = word >> 8 * i & 255
    return not (bits & 0x800000 or size > LARGEST)


@njit(cache=True, nogil=True)
def is_worked(digest, bits, easiest):  # type: ignore[no-untyped-def]
    """Whether a block's hash is not above its target, nor the target above the easiest one."""
    target, most = np.zeros(260, np.uint8), np.zeros(260, np.uint8)
    if not (_target(bits, target) and _target(easiest, most)):
        return False
    below = easier = False
    for i in range(LARGEST - 1, -1, -1):  # the first byte in which they differ decides
        number = get8(digest + i) if i < 32 else np.uint8(0)
        if not below and number != target[i]:
            if number > target[i]:
                return False
            below = True
        if not easier and target[i] != most[i]:
            if target[i] > most[i]:
                return False
            easier = True
    return True


@njit(cache=True, nogil=True)
def _fill_inputs(at, row, prev_txid, prev_vout):  # type: ignore[no-untyped-def]
    count, at = number(at)
    for i in range(row, row + count):
        copy(prev_txid + 32 * i, at, 32)
        prev_vout[i] = get32(at + 32)
        size, at = number(at + 36)
        at += size + 4
    return row + count, at


@njit(cache=True, nogil=True)
def _fill_outputs(data, base, at, row, sats, script, script_size, kind):  # type: ignore[no-untyped-def]
    count, at = number(at)
    for o in range(row, row + count):
        sats[o] = get64(at)
        size, at = number(at + 8)
        script[o], script_size[o], kind[o] = at - base, size, kind_of(data, at - base, size)
        at += size
    return row + count, at


@njit(cache=True, nogil=True)
def skip_witness(at, inputs):  # type: ignore[no-untyped-def]
    for _ in range(inputs):
        items, at = number(at)
        for _ in range(items):
            size, at = number(at)
            at += size
    return at


@njit(cache=True, nogil=True)
def id_without_witness(begin, body, witness, end, room, out, state):  # type: ignore[no-untyped-def]
    """Hashes a transaction without marker, flag and witness data."""
    copy(room, begin, 4)
    copy(room + 4, body, witness - body)
    copy(room + 4 + witness - body, end - 4, 4)
    sha256d_at(room, 8 + witness - body, out, state)


@njit(cache=True, nogil=True)
def _commitment(coinbase):  # type: ignore[no-untyped-def]
    """Address of the last commitment among the outputs of the coinbase, 0 when there is none; and that of its witness
    data, 0 likewise (BIP 141)."""
    segwit, found = get8(coinbase + 4) == 0 and get8(coinbase + 5) == 1, np.int64(0)
    inputs, at = number(coinbase + (6 if segwit else 4))
    for _ in range(inputs):
        size, at = number(at + 36)
        at += size + 4
    outputs, at = number(at)
    for _ in range(outputs):
        size, at = number(at + 8)
        if size >= 38 and get32(at) == 0x21AA246A and get32(at + 2) == 0xEDA9_21AA:
            found = at + 6
        at += size
    return found, at if segwit else np.int64(0)


@njit(cache=True, nogil=True)
def commits(coinbase, level, count, room, state):  # type: ignore[no-untyped-def]
    """Whether the wtxids at `level`, the coinbase's as zeros, are those that the coinbase at an address commits to."""
    commitment, witness = _commitment(coinbase)
    if commitment == 0 or witness == 0 or get8(witness) != 1 or get8(witness + 1) != 32:
        return False
    for at in range(level, level + 32, 8):
        put64(at, np.uint64(0))
    root_of(level, count, state)
    copy(room, level, 32)
    copy(room + 32, witness + 2, 32)
    sha256d_at(room, 64, room, state)
    return same_hash(room, commitment)


@njit(cache=True, nogil=True)
def _creates_coins(inputs, prev_txid, prev_vout):  # type: ignore[no-untyped-def]
    """Whether a transaction with so many inputs, whose first is at this address, is a coinbase."""
    nothing = get64(prev_txid) | get64(prev_txid + 8) | get64(prev_txid + 16) | get64(prev_txid + 24)
    return inputs == 1 and prev_vout == 0xFFFFFFFF and nothing == 0


@njit(cache=True, nogil=True)
def fill_transaction(data, begin, t, i, o, columns, room, state):  # type: ignore[no-untyped-def]
    """Fills the columns of the transaction that begins at an address: row `t`, its inputs from row `i` on, its outputs
    from row `o` on. Returns where the next ones begin, the address behind it, and whether it has witness data."""
    (_, _, _, _, _, _, _, txid, wtxid, start, length, witness, inputs, outputs, version, lock_time, prev_txid,
     prev_vout, sats, script, script_size, kind) = columns  # fmt: skip
    base, segwit = data.ctypes.data, get8(begin + 4) == 0 and get8(begin + 5) == 1
    body = begin + (6 if segwit else 4)
    next_i, at = _fill_inputs(body, i, prev_txid.ctypes.data, prev_vout)
    next_o, behind = _fill_outputs(data, base, at, o, sats, script, script_size, kind)
    at = (skip_witness(behind, next_i - i) if segwit else behind) + 4
    start[t], length[t], witness[t] = begin - base, at - begin, behind - base if segwit else 0
    inputs[t], outputs[t] = next_i - i, next_o - o
    version[t], lock_time[t] = get32(begin), get32(at - 4)
    sha256d_at(begin, at - begin, wtxid.ctypes.data + 32 * t, state)
    if segwit:
        id_without_witness(begin, body, behind, at, room, txid.ctypes.data + 32 * t, state)
    else:
        copy(txid.ctypes.data + 32 * t, wtxid.ctypes.data + 32 * t, 32)
    return next_i, next_o, at, segwit


@njit(cache=True, nogil=True)
def fill_blocks(data, easiest, columns, level, scrap, used):  # type: ignore[no-untyped-def]
    """Fills the columns of blocks whose places and numbers of transactions stand in them; returns how many blocks there
    are before one that does not hold. `level`: room for all ids and one more; `scrap`: for a block; `used`: a `scratch`.
    """
    digest, prev, time, bits, block_start, _, transactions, txid, wtxid, start = columns[:10]
    inputs, prev_txid, prev_vout = columns[12], columns[16], columns[17]
    base, state, room = data.ctypes.data, used.ctypes.data, scrap.ctypes.data
    t = i = o = 0
    for block in range(len(block_start)):
        head, first_t, first_i, signed = base + block_start[block], t, i, False
        copy(prev.ctypes.data + 32 * block, head + 4, 32)
        time[block], bits[block] = get32(head + TIME), get32(head + BITS)
        sha256d_at(head, HEADER, digest.ctypes.data + 32 * block, state)
        _, at = number(head + HEADER)
        for _ in range(transactions[block]):
            i, o, at, segwit = fill_transaction(data, at, t, i, o, columns, room, state)
            signed |= segwit
            t += 1
        copy(level.ctypes.data, txid.ctypes.data + 32 * first_t, 32 * (t - first_t))
        if root_of(level.ctypes.data, t - first_t, state) or not same_hash(level.ctypes.data, head + ROOT):
            return block
        if not _creates_coins(inputs[first_t], prev_txid.ctypes.data + 32 * first_i, prev_vout[first_i]):
            return block
        if not is_worked(digest.ctypes.data + 32 * block, bits[block], easiest):
            return block
        if signed:
            copy(level.ctypes.data, wtxid.ctypes.data + 32 * first_t, 32 * (t - first_t))
            if not commits(base + start[first_t], level.ctypes.data, t - first_t, room, state):
                return block
    return len(block_start)
