"""Transactions that matter, out of the blocks of a file: what pays or spends given scripts, what spends given outputs,
and transactions with given ids. No index is needed, and nothing is kept of the rest.

Every block is checked while it is searched (ids, merkle root, proof of work), because a flipped bit could hide what is
sought; one with findings also by its witness commitment. `why_slow` is the definition of what matters; the compiled
search finds just that (a test compares them).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.blockcolumns import PIECE, Columns, as_bytes
from casewright.kernels.blockfiles import Found, Plain, next_found, read_single
from casewright.kernels.blocks import EASIEST, MOST
from casewright.kernels.blockscan import (
    BITS,
    HEADER,
    ROOT,
    commits,
    count_blocks,
    frames,
    id_without_witness,
    is_worked,
    number,
    root_of,
    skip_witness,
)
from casewright.kernels.keys import Keys, known, may_be, told_by
from casewright.kernels.memory import copy, get8, get32, get64, put8, same_hash
from casewright.kernels.packing import LONGEST
from casewright.kernels.sha256 import scratch, sha256d_at
from casewright.kernels.undo_pairs import Undone, no_undo

SPEND, HASH, FRAMES, FEW = 36, 32, 4096, 16
LEAST_ROOM = 1 << 12
MARKET, TAG = 1, 2
"""Marks of a script: the market's, of which payments and spends matter; tagged, of which only spends do."""
PAYS, SPENDS, SPENDS_TAGGED, SPENDS_ASKED, ASKED, PAYS_TAGGED = 1, 2, 4, 8, 16, 32
"""Why a transaction matters; the numbers are added up."""
NO_HASH = np.zeros(32, np.uint8)
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Sought:
    """What is looked for. `marks` are those of the scripts, up to 42 bytes each; outputs are 36 bytes each (id and
    place), ids 32. `paid_tagged`: payments to tagged scripts matter, too, because no undo data says what spends them.
    `most_tagged`: so many transactions of one file matter for tags alone."""

    scripts: Keys = field(default_factory=Keys)
    marks: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    outputs: Keys = field(default_factory=Keys)
    ids: Keys = field(default_factory=Keys)
    most_tagged: int = 0
    paid_tagged: bool = False


class Places(NamedTuple):
    """Blocks of a file that are some by their form: first byte, size, and numbers of transactions, inputs, outputs."""

    begin: Numbers
    size: Numbers
    counts: NDArray[Any]


class Hits(NamedTuple):
    """N transactions that matter: number of the block, place in it, why, and where in the file they begin."""

    block: Numbers
    position: Numbers
    why: Numbers
    start: Numbers


@dataclass(frozen=True)
class Searched:
    """What a search found. `digest` [B, 32]: hashes of the blocks; `bad`: numbers of those that do not hold; `misfit`
    [B]: where the undo data was not the block's; `passed_over`: more transactions that matter for tags alone."""

    hits: Hits
    digest: NDArray[np.uint8]
    bad: Sequence[int]
    misfit: NDArray[np.bool_]
    passed_over: int


def block_places(file: Plain, magic: bytes, easiest: int = EASIEST) -> tuple[Places, list[Found]]:
    """Every block in the file that is one by its form, and what is damaged between them."""
    data, at, parts, damage, tries = as_bytes(file.clear), 0, [], [], FRAMES
    while at < len(data):
        part = _formed(data, magic, at, tries)
        if len(part.begin):
            parts.append(part)
            at, tries = int(part.begin[-1] + part.size[-1]), min(2 * tries, FRAMES)
            continue
        found, at = next_found(file, magic, at, easiest)
        tries = FEW
        if found and not found.block:
            damage.append(found)
        elif found and found.block:
            parts.append(_of_block(found))
    empty = Places(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 3), np.int64))
    return Places(*map(np.concatenate, zip(empty, *parts, strict=True))), damage


def single_place(file: Plain, easiest: int = EASIEST) -> tuple[Places, list[Found]]:
    """The same of the one raw block that fills the file."""
    found = read_single(file, easiest)
    if found and found.block:
        return _of_block(found), []
    return Places(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 3), np.int64)), [found] if found else []


def _formed(data: NDArray[Any], magic: bytes, at: int, most: int) -> Places:
    begin, size = np.empty(most, np.int64), np.empty(most, np.int64)
    count = frames(data, as_bytes(magic), at, at + PIECE, begin, size)
    counts = np.zeros((count, 3), np.int64)
    whole = count_blocks(data, begin[:count], size[:count], counts)
    return Places(begin[:whole], size[:whole], counts[:whole])


def _of_block(found: Found) -> Places:
    assert found.block
    transactions = found.block.transactions
    counts = [len(transactions), sum(len(t.spends) for t in transactions), sum(len(t.coins) for t in transactions)]
    return Places(np.array([found.start]), np.array([found.block.size]), np.array([counts]))


def search(
    file: Plain, places: Places, undo: Undone, undo_clear: bytes, sought: Sought, easiest: int = EASIEST,
    check: bool = True,
) -> Searched:  # fmt: skip
    """All blocks at these places, which stand in the file; `undo_clear` is the file of undo data in the clear."""
    data, done, bad = as_bytes(file.clear), 0, []
    parts: list[Hits] = []
    count, most = len(places.begin), int(places.counts[:, 0].max(initial=0))
    digest, misfit = np.empty((count, 32), np.uint8), np.zeros(count, np.bool_)
    left, used = np.array([sought.most_tagged, 0], np.int64), scratch()
    level, sealed = (np.empty(32 * most + 64, np.uint8) for _ in range(2))
    rooms = (level, sealed, np.empty(most + 1, np.int64), np.empty(MOST, np.uint8))
    keys = (*sought.scripts.arrays, np.array(sought.marks, np.uint8), *sought.outputs.arrays, *sought.ids.arrays)
    wanted = (len(sought.scripts) > 0, len(sought.outputs) > 0, len(sought.ids) > 0, sought.paid_tagged)
    while not parts or done < count:
        hits = Hits(*(np.empty(max(LEAST_ROOM, most), np.int64) for _ in Hits._fields))
        done, found, holds = _search(
            data, easiest, places.begin, done, places.counts, undo.first, undo.first_coin, undo.coins,
            as_bytes(undo_clear), keys, wanted, check, hits, digest, misfit, left, rooms, used,
        )  # fmt: skip
        parts.append(Hits(*(column[:found] for column in hits)))
        if not holds:  # it is passed over, and the definition says why
            bad.append(done)
            done += 1
    whole = Hits(*map(np.concatenate, zip(*parts, strict=True)))
    return Searched(_without_misfits(whole, misfit), digest, bad, misfit, int(left[1]))


def _without_misfits(hits: Hits, misfit: NDArray[np.bool_]) -> Hits:
    """What undo data said of a block that it does not belong to counts for nothing."""
    why = np.where(misfit[hits.block], hits.why & ~(SPENDS | SPENDS_TAGGED), hits.why)
    return Hits(*(column[why > 0] for column in hits._replace(why=why)))


def why_slow(columns: Columns, clear: bytes, spent: Sequence[Sequence[bytes]], sought: Sought) -> list[int]:
    """Why each transaction of these blocks matters; 0 where it does not. `spent`: of each transaction the scripts that
    its inputs spend, as far as they are known. The definition."""
    marks = {_key(sought.scripts, n): int(mark) for n, mark in enumerate(sought.marks)}
    outputs, ids = ({_key(k, n) for n in range(len(k))} for k in (sought.outputs, sought.ids))
    found, i, o = [], 0, 0
    for t, own in enumerate(spent):
        why = ASKED if columns.txid[t].tobytes() in ids else 0
        for row in range(i, i + int(columns.inputs[t])):
            output = columns.prev_txid[row].tobytes() + int(columns.prev_vout[row]).to_bytes(4, "little")
            why |= SPENDS_ASKED if output in outputs else 0
        for script in own:
            mark = marks.get(script, 0)
            why |= (SPENDS if mark & MARKET else 0) | (SPENDS_TAGGED if mark & TAG else 0)
        for row in range(o, o + int(columns.outputs[t])):
            at = int(columns.script[row])
            script = clear[at : at + int(columns.script_size[row])]
            mark = marks.get(script, 0)
            why |= (PAYS if mark & MARKET else 0) | (PAYS_TAGGED if mark & TAG and sought.paid_tagged else 0)
        i, o = i + int(columns.inputs[t]), o + int(columns.outputs[t])
        found.append(why)
    return found


def _key(keys: Keys, n: int) -> bytes:
    return bytes(keys.raw[keys.at[n] : keys.at[n + 1]])


@njit(cache=True, nogil=True)
def _unpacked(form, place, size, room):  # type: ignore[no-untyped-def]
    """Address and size of a script of undo data; size -1 for one that is too long to be sought."""
    if form == 0:
        put8(room, np.uint8(0x76))
        put8(room + 1, np.uint8(0xA9))
        put8(room + 2, np.uint8(0x14))
        copy(room + 3, place, 20)
        put8(room + 23, np.uint8(0x88))
        put8(room + 24, np.uint8(0xAC))
        return room, 25
    if form == 1:
        put8(room, np.uint8(0xA9))
        put8(room + 1, np.uint8(0x14))
        copy(room + 2, place, 20)
        put8(room + 22, np.uint8(0x87))
        return room, 23
    if form < 4:
        put8(room, np.uint8(0x21))
        put8(room + 1, np.uint8(form))
        copy(room + 2, place, 32)
        put8(room + 34, np.uint8(0xAC))
        return room, 35
    return place, size if form > 5 and size <= LONGEST else -1


@njit(cache=True, nogil=True)
def _told_by(form, place, size):  # type: ignore[no-untyped-def]
    """What `told_by` says of a script of undo data, without writing it out; and whether it is short enough."""
    if form < 6:
        return get64(place + (12 if form == 0 else 11 if form == 1 else 23)), form < 4
    return told_by(place, size), size <= LONGEST


@njit(cache=True, nogil=True)
def _spent_marks(coin, count, undo, base, keys, room):  # type: ignore[no-untyped-def]
    """Why spending these coins of the undo data matters."""
    raw, at, slots, bits, marks = keys[0], keys[1], keys[2], keys[3], keys[4]
    why, of_script, last = 0, bits.ctypes.data, len(bits) - 1
    for row in range(coin, coin + count):
        form, place, size = undo.form[row], base + undo.place[row], undo.size[row]
        told, short = _told_by(form, place, size)
        if short and may_be(told, of_script, last):
            script, size = _unpacked(form, place, size, room)
            key = known(script, size, raw, at, slots)
            if key >= 0:
                why |= (SPENDS if marks[key] & MARKET else 0) | (SPENDS_TAGGED if marks[key] & TAG else 0)
    return why


@njit(cache=True, nogil=True)
def _is_sealed(begins, count, ids, known_ids, level, room, state):  # type: ignore[no-untyped-def]
    """Whether the witness data of a block is what its coinbase commits to. `begins`: addresses of its transactions
    and of its end; `ids`: their ids, when they are known."""
    for t in range(count):
        begin, own = begins[t], level + 32 * t
        if known_ids and not (get8(begin + 4) == 0 and get8(begin + 5) == 1):
            copy(own, ids + 32 * t, 32)
        else:
            sha256d_at(begin, begins[t + 1] - begin, own, state)
    return commits(begins[0], level, count, room, state)


@njit(cache=True, nogil=True)
def _search(  # type: ignore[no-untyped-def]
    data, easiest, begin, first, counts, undo_row, undo_coin, undo, undo_data, keys, wanted, check, hits, digest,
    misfit, left, rooms, used,
):  # fmt: skip
    """Goes through blocks from number `first` on. Returns the block where it ended, how much was found, and False when
    that block does not hold. Ends before a block for whose findings there may be no room."""
    raw, at, slots, bits, marks = keys[0], keys[1], keys[2], keys[3], keys[4]
    outputs, ids = (keys[5], keys[6], keys[7]), (keys[9], keys[10], keys[11])
    of_script, of_output, of_id = bits.ctypes.data, keys[8].ctypes.data, keys[12].ctypes.data
    in_script, in_output, in_id = len(bits) - 1, len(keys[8]) - 1, len(keys[12]) - 1
    by_script, by_output, by_id, paid_tagged = wanted
    hit_block, hit_position, hit_why, hit_start = hits
    level, sealed, begins, scrap = rooms
    base, state, room = data.ctypes.data, used.ctypes.data, scrap.ctypes.data
    leaves, undone, found = level.ctypes.data, undo_data.ctypes.data, 0
    hashing = check or by_id
    for block in range(first, len(begin)):
        if found + counts[block, 0] > len(hit_why):
            return block, found, True
        head, before, coin, fits = base + begin[block], found, undo_coin[block], undo_row[block] >= 0
        signed = False
        sha256d_at(head, HEADER, digest.ctypes.data + 32 * block, state)
        count, here = number(head + HEADER)
        for transaction in range(count):
            start, why = here, 0
            segwit = get8(here + 4) == 0 and get8(here + 5) == 1
            begins[transaction], signed = start, signed | segwit
            body = here + (6 if segwit else 4)
            inputs, here = number(body)
            if transaction == 0 and not (inputs == 1 and get32(here + 32) == 0xFFFFFFFF
                                         and same_hash(here, NO_HASH.ctypes.data)):  # fmt: skip
                return block, before, False
            for _ in range(inputs):
                if by_output and may_be(told_by(here, SPEND), of_output, in_output):
                    why |= SPENDS_ASKED if known(here, SPEND, *outputs) >= 0 else 0
                size, here = number(here + 36)
                here += size + 4
            if fits and transaction:
                fits = undo.coins[undo_row[block] + transaction - 1] == inputs
                if fits and by_script:
                    why |= _spent_marks(coin, inputs, undo, undone, keys, room)
                misfit[block] |= not fits
                coin += inputs
            coins, here = number(here)
            for _ in range(coins):
                size, here = number(here + 8)
                if by_script and size <= LONGEST and may_be(told_by(here, size), of_script, in_script):
                    key = known(here, size, raw, at, slots)
                    if key >= 0:
                        why |= PAYS if marks[key] & MARKET else 0
                        why |= PAYS_TAGGED if marks[key] & TAG and paid_tagged else 0
                here += size
            witness = here
            here = (skip_witness(here, inputs) if segwit else here) + 4
            if hashing:
                own = leaves + 32 * transaction
                if segwit:
                    id_without_witness(start, body, witness, here, room, own, state)
                else:
                    sha256d_at(start, here - start, own, state)
                if by_id and may_be(told_by(own, HASH), of_id, in_id) and known(own, HASH, *ids) >= 0:
                    why |= ASKED
            if why == SPENDS_TAGGED or why == PAYS_TAGGED:
                left[0] -= 1
                left[1] += left[0] < 0
                why = why if left[0] >= 0 else 0
            if why:
                hit_block[found], hit_position[found], hit_why[found] = block, transaction, why
                hit_start[found] = start - base
                found += 1
        begins[count] = here
        if found > before and signed:
            if not _is_sealed(begins, count, leaves, hashing, sealed.ctypes.data, room, state):
                return block, before, False
        if check and (root_of(leaves, count, state) or not same_hash(leaves, head + ROOT)):
            return block, before, False
        if not is_worked(digest.ctypes.data + 32 * block, np.int64(get32(head + BITS)), easiest):
            return block, before, False
    return len(begin), found, True


def _compile() -> None:
    """Compiles all of it when this module is imported: a child may not write what it compiled."""
    places, _ = block_places(Plain(bytes(4), bytes(4)), b"none")
    search(Plain(b"", b""), places, no_undo(0), b"", Sought())


_compile()
