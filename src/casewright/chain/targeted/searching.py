"""The stage `search`: every block file once, for what pays or spends what is sought.

All blocks are checked by ids, merkle root and proof of work; those in which something is found also by their witness
commitment. Of a block its head is kept, and the transactions found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain.reading import EASIEST, opened, plain
from casewright.chain.targeted.finds import found_in, heights_of, rows_of
from casewright.chain.targeted.sought import load_sought, without_undo
from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.kernels.blockcolumns import as_bytes
from casewright.kernels.blockfiles import Found, Plain, next_found, read_single
from casewright.kernels.picked import header_fields
from casewright.kernels.targeted import Places, Searched, Sought, block_places, search, single_place
from casewright.kernels.undo_pairs import Heads, Undone, no_undo, undone
from casewright.model.bitcoin import NETWORKS
from casewright.model.tables import TABLES

WRITES = ("searched_files", "searched_damage", "searched_heads", "searched_finds")
PACKED = ".bz2"
CUT = "unreadable"
DISAGREE = "two readers of this block disagree whether it holds, which is a defect of ours"


def search_files(batch: pa.Table, context: Context) -> Iterator[Output]:
    """The four tables of each content."""
    yield _output()
    sought = load_sought(context.table("sought"))
    for row in batch.to_pylist():
        died = context.steps.begin()
        if died:
            reason, _, detail = died.partition(": ")
            aside = [SetAside("contents", row["content"], reason, detail)]
            yield _output(aside, [Tally("contents", 1, 0)])
        else:
            yield from _searched(row, sought, context)


def _output(aside: Sequence[SetAside] = (), tallies: Sequence[Tally] = (), **tables: pa.Table) -> Output:
    made = {name: tables.get(name, TABLES[name].empty()) for name in WRITES}
    return Output(made, list(aside), list(tallies))


def _searched(row: Mapping[str, Any], sought: Sought, context: Context) -> Iterator[Output]:
    packed = row["name"].lower().endswith(PACKED)
    file, told, holds = opened(context, row["content"], row["sha256"], row["key"], packed)
    yield _output(searched_files=TABLES["searched_files"].rows([told]), tallies=[Tally("contents", 1, 1)])
    if not holds:
        return
    network = context.params["network"]
    places, damage, single = places_of(file, network)
    undo, clear, aside = _undo(row, file, places, network, context)
    held = undo.frames - sum(one.reason != CUT for one in aside)
    yield _output(aside, [Tally("undo data", held + len(aside), held)])
    context.steps.alive()
    found = search(file, places, undo, clear, sought if undo.frames else without_undo(sought), EASIEST[network])
    context.steps.alive()
    if found.passed_over:
        yield beyond(row, found.passed_over)
    bad = {block: _why_not(file, int(places.begin[block]), network, single) for block in found.bad}
    columns = found_in(file, places, found)
    heights = heights_of(columns, found.hits.block, found.hits.position, _fitting(undo, found))
    finds = rows_of(columns, found.hits, heights, row["content"], file.clear, "searched_finds")
    context.steps.alive()
    damage = sorted([*damage, *bad.values()], key=lambda found: found.start)
    yield _output(
        searched_finds=finds,
        searched_damage=TABLES["searched_damage"].rows([_damage(d, row["content"]) for d in damage]),
        searched_heads=_heads(row["content"], file, places, found, undo, bad),
    )


def beyond(row: Mapping[str, Any], count: int) -> Output:
    """What a file holds of tagged addresses beyond what is kept of it: counted, and said to be."""
    words = (
        f"{row['name']}: {count} more transactions matter for tagged addresses alone; what only they show is not seen"
    )
    aside = SetAside("transactions of tags", row["content"], "too many", words, count=count)
    return _output([aside], [Tally("transactions of tags", count, 0)])


def places_of(file: Plain, network: str) -> tuple[Places, list[Found], bool]:
    """Where the blocks of a file stand, what is damaged, and whether the file is one raw block."""
    magic, easiest = NETWORKS[network].magic, EASIEST[network]
    if not file.clear.startswith(magic):
        places, damage = single_place(file, easiest)
        if len(places.begin) or damage:
            return places, damage, True
    return (*block_places(file, magic, easiest), False)


def heads_of(file: Plain, places: Places) -> Heads:
    """What undo data is paired by."""
    told = header_fields(as_bytes(file.clear), places.begin)
    return Heads(told["prev"], told["time"], places.counts[:, 0], places.counts[:, 1])


def _undo(
    row: Mapping[str, Any], file: Plain, places: Places, network: str, context: Context
) -> tuple[Undone, bytes, list[SetAside]]:
    """The undo data beside the file, its bytes, and what of it is set aside."""
    if not row["undo"] or not len(places.begin):
        return no_undo(len(places.begin)), b"", []
    rev, _, cut = plain(context, row["undo"], row["key"])
    found = undone(rev, NETWORKS[network].magic, heads_of(file, places))
    words = f"undo data beside {row['name']}, {{0.length}} bytes from byte {{0.start}}"
    aside = [SetAside("undo data", row["content"], CUT, f"undo data beside {row['name']}: {cut}")] if cut else []
    aside += [
        SetAside("undo data", row["content"], f.reason, words.format(f), span_start=f.start, span_length=f.length)
        for f in found.aside
    ]
    return found, rev.clear, aside


def _why_not(file: Plain, begin: int, network: str, single: bool) -> Found:
    """Why a block does not hold, as the definition says."""
    easiest = EASIEST[network]
    found = read_single(file, easiest) if single else next_found(file, NETWORKS[network].magic, begin - 8, easiest)[0]
    if found and not found.block:
        return found
    return Found(begin, found.length if found else 0, None, "broke the rules", DISAGREE)


def _fitting(undo: Undone, found: Searched) -> Undone:
    """The undo data without that of blocks that it does not fit."""
    return replace(undo, first=np.where(found.misfit, -1, undo.first))


def _damage(found: Found, content: str) -> dict[str, Any]:
    span = {"span_start": found.start, "span_length": found.length}
    return {"content": content, "reason": found.reason, "detail": found.detail, **span}


def _heads(
    content: str, file: Plain, places: Places, found: Searched, undo: Undone, bad: Mapping[int, Found]
) -> pa.Table:  # fmt: skip
    """Rows of `searched_heads` for the blocks that hold."""
    good = np.array([block not in bad for block in range(len(places.begin))], np.bool_)
    begin = places.begin[good]
    told = header_fields(as_bytes(file.clear), begin)
    undo_start, undo_length = undo.frame[good].T
    without = (undo_start < 0) | found.misfit[good]
    columns = {
        "content": pa.array([content] * len(begin), pa.string()),
        "hash": pa.array([digest.tobytes() for digest in found.digest[good]], pa.binary()),
        "prev": pa.array([prev.tobytes() for prev in told["prev"]], pa.binary()),
        "time": told["time"],
        "bits": told["bits"],
        "span_start": begin,
        "span_length": places.size[good],
        "transactions": places.counts[good, 0],
        "undo_start": pa.array(undo_start, mask=without),
        "undo_length": pa.array(undo_length, mask=without),
    }
    return pa.table(columns, schema=TABLES["searched_heads"].schema)
