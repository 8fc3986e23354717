"""Which videos of the case contain, are part of, or are the same as which listed ones, and where."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.media.containment import (
    NEAR,
    WHOLE,
    Found,
    Numbers,
    Rules,
    Sharing,
    Stretch,
    common_seconds,
    compared,
    enough,
    method_of,
    offsets_of,
)
from casewright.media.films import Films
from casewright.media.spans import widened

AT_ONCE, TOGETHER = 128, 4096
"""Frames that are looked for at once, and from how many on their films are compared."""
MOST_ENTRIES = 256
"""Listed films that are looked at for one frame, the first of them: a frame may stand in a hundred thousand."""
KIN_SHARE = 0.5
"""A film that has so much of a listed one is not another film that shares something with it."""
SHAPE = pa.schema([
    ("item", pa.string()), ("entry", pa.string()), ("method", pa.string()), ("distance", pa.int64()),
    ("item_from", pa.float64()), ("item_to", pa.float64()), ("entry_from", pa.float64()), ("entry_to", pa.float64()),
    ("item_share", pa.float64()), ("entry_share", pa.float64()),
])  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """A film of the case and a listed one, by number, and what they share."""

    item: int
    entry: int
    offsets: list[float]
    found: Found

    @property
    def begins(self) -> float:
        """The second of the item at which the listed film begins, or would."""
        return self.found.longest.offset


def video_matches(case: Films, listed: Films, rules: Rules) -> pa.Table:
    """Every pair that shares something that counts."""
    pairs = [pair for some in _hits(case, listed, rules.near) for pair in _pairs(case, listed, some, rules.near)]
    in_items, in_entries = _common(case, listed, pairs, rules)
    rows = []
    for pair in pairs:
        film, other, found = case[pair.item], listed[pair.entry], pair.found
        here, there = in_items.get(pair.item), in_entries.get(pair.entry)
        if found.listed_share < WHOLE and (here is not None or there is not None):
            film = film if here is None else film.without(here)
            other = other if there is None else other.without(there)
            left = here is None or film.moments >= NEAR
            again = compared(film, other, pair.offsets, rules.near) if left else None
            if again is None:
                continue
            found = again
        if method := method_of(found, rules):
            span = widened(film, listed[pair.entry], found.longest)
            rows.append(_row(case, listed, pair, found, span, method))
    return pa.Table.from_pylist(rows, SHAPE)


def _row(case: Films, listed: Films, pair: Pair, found: Found, span: Stretch, method: str) -> dict[str, Any]:
    return {
        "item": case.names[pair.item].as_py(), "entry": listed.names[pair.entry].as_py(), "method": method,
        "distance": max(s.bits for s in found.stretches),
        "item_from": span.begin, "item_to": span.end, "entry_from": span.first, "entry_to": span.last + 1,
        "item_share": round(found.share, 3), "entry_share": round(found.listed_share, 3),
    }  # fmt: skip


def _hits(case: Films, listed: Films, radius: int) -> Iterator[Numbers]:
    """Near frames of some items at a time, all of each: rows of item, entry, frame of the case, frame of the lists."""
    from casewright.kernels.hamming_index import HammingIndex  # noqa: PLC0415  slow to import

    if not len(case) or not len(listed):
        return
    index, asked, owners, entries = HammingIndex.build(listed.hashes), case.firsts, case.owners, listed.owners
    for begin, end in _some(owners[asked]):
        held = []
        for start in range(begin, end, AT_ONCE):
            chunk = asked[start : min(end, start + AT_ONCE)]
            which, numbers, _ = index.within_many(case.hashes[chunk], radius)
            kept = _rank(which, entries[numbers]) < MOST_ENTRIES
            frames, numbers = chunk[which[kept]], numbers[kept].astype(np.int64)
            held.append(np.column_stack([owners[frames], entries[numbers], frames, numbers]))
        yield np.concatenate(held)


def _some(owners: Numbers) -> Iterator[tuple[int, int]]:
    """Cuts between films, each part at least `TOGETHER` frames long."""
    begin, edges = 0, np.append(np.flatnonzero(np.diff(owners)) + 1, len(owners))
    while begin < len(owners):
        end = int(edges[min(int(np.searchsorted(edges, begin + TOGETHER)), len(edges) - 1)])
        yield begin, end
        begin = end


def _rank(which: Numbers, entries: Numbers) -> Numbers:
    """Of each hit the place of its entry among those of the same frame, from 0; hits are in order of both."""
    new_frame = np.diff(which, prepend=-1) != 0
    steps = np.cumsum(new_frame | (np.diff(entries, prepend=-1) != 0))
    firsts = steps[new_frame]
    ranks: Numbers = steps - np.repeat(firsts, np.diff(np.flatnonzero(np.append(new_frame, True))))
    return ranks


def _pairs(case: Films, listed: Films, hits: Numbers, near: int) -> Iterator[Pair]:
    """Of the hits of some items, the pairs of films that agree over stretches."""
    hits = hits[np.lexsort((hits[:, 3], hits[:, 2], hits[:, 1], hits[:, 0]))]
    fresh = (np.diff(hits[:, :2], axis=0, prepend=-1) != 0).any(axis=1)
    edges = np.append(np.flatnonzero(fresh), len(hits))
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        item, entry = hits[begin, :2].tolist()
        film, other = case[item], listed[entry]
        frames, others = hits[begin:end, 2], hits[begin:end, 3]
        least = min(NEAR, enough(film, other))
        offsets = list(offsets_of(case.seconds[frames], listed.seconds[others], listed.runs[others], least))
        if found := compared(film, other, offsets, near):
            yield Pair(item, entry, offsets, found)


def _common(
    case: Films, listed: Films, pairs: list[Pair], rules: Rules
) -> tuple[dict[int, Numbers], dict[int, Numbers]]:
    """Of items and of entries, the frames that several different films on the other side share."""
    by_item, by_entry = defaultdict(list), defaultdict(list)
    for pair in pairs:
        by_item[pair.item].append(pair)
        by_entry[pair.entry].append(pair)
    here, there = {}, {}
    for item, mine in by_item.items():
        if len(mine) >= rules.films:
            shared = [Sharing(listed[p.entry], p.begins, [(s.begin, s.end) for s in p.found.stretches]) for p in mine]
            here[item] = common_seconds(shared, case[item].seconds, rules)
    for entry, theirs in by_entry.items():
        kin = [p for p in theirs if p.found.listed_share >= KIN_SHARE]
        others = [p for p in theirs if p.found.listed_share < KIN_SHARE]
        if len(others) + bool(kin) >= rules.films:
            shared = [Sharing(listed[entry], 0.0, [s for p in kin for s in _there(p)])] if kin else []
            shared += [Sharing(case[p.item], -p.begins, _there(p)) for p in others]
            there[entry] = common_seconds(shared, listed[entry].seconds, rules)
    return {k: m for k, m in here.items() if m.any()}, {k: m for k, m in there.items() if m.any()}


def _there(pair: Pair) -> list[tuple[float, float]]:
    """From and to which seconds of the listed film."""
    return [(s.first, s.last) for s in pair.found.stretches]
