"""The stage `follow`: what leads to the payments that a search found, and where the market's coins went, in rounds.

A round reads what answers it: single blocks, where undo data says the height of what is spent; else every file once. It
ends when nothing is asked. Each reading of a content is a step: a killed run goes on behind the last one, and what
kills a child is passed over and set aside.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from casewright.chain.assembly import Head as Place
from casewright.chain.heights import GENESIS, places
from casewright.chain.targeted.asking import Asked, Limits, Walk
from casewright.chain.targeted.fetching import FINDS, Head, Reading, Unreadable, read_some
from casewright.chain.targeted.finds import Found, sound_finds, taken_apart
from casewright.chain.targeted.sought import marks_of
from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.kernels.blocks import display
from casewright.kernels.keys import Keys
from casewright.kernels.targeted import Sought
from casewright.model.tables import TABLES


def follow(batch: pa.Table, context: Context) -> Iterator[Output]:
    """`followed_finds` and `followed`."""
    yield _output()
    library = Library(batch.to_pylist(), context)
    limits = Limits(*(context.params[name] for name in Limits.__dataclass_fields__))
    walk = Walk(limits, marks_of(context.table("sought")))
    walk.begin(library.used(context.table("searched_finds")), library.spends_are_known)
    while walk.goes_on:
        asked, answers = walk.ask(), []
        for rows, found in library.answers(asked):
            yield _output(**{FINDS: rows})
            answers += found
        walk.take(answers)
    told = [{"txid": display(txid), **row} for txid, row in sorted(walk.told())]
    aside = [SetAside("contents", content, *why) for content, why in sorted(library.failed.items())]
    tally = Tally("contents", batch.num_rows, batch.num_rows - len(aside))
    yield _output(aside, [tally], followed=TABLES["followed"].rows(told))


def _output(aside: Iterable[SetAside] = (), tallies: Iterable[Tally] = (), **tables: pa.Table) -> Output:
    made = {name: tables.get(name, TABLES[name].empty()) for name in (FINDS, "followed")}
    return Output(made, list(aside), list(tallies))


class Library:
    """The contents that were searched, and their blocks."""

    def __init__(self, rows: list[dict[str, Any]], context: Context) -> None:
        self._context, self._rows = context, {row["content"]: row for row in rows}
        self._heads: dict[str, list[Head]] = {content: [] for content in self._rows}
        self.failed: dict[str, tuple[str, str]] = {}
        self.spends_are_known = True
        heads = context.table("searched_heads").to_pylist()
        for row in heads:
            undo = (-1, -1) if row["undo_start"] is None else (row["undo_start"], row["undo_length"])
            self._heads[row["content"]].append(Head(row["hash"], (row["span_start"], row["span_length"]), undo))
            self.spends_are_known &= row["transactions"] == 1 or undo[0] >= 0
        links = (Place(row["hash"], row["prev"], row["time"], row["bits"], None, 0) for row in heads)
        placed = places(links, GENESIS[context.params["network"]])
        self._stale = {block for block, place in placed.items() if place.state == "stale"}
        self._at = {place.height: block for block, place in placed.items() if place.state == "main"}

    def used(self, rows: pa.Table) -> list[Found]:
        """Transactions of blocks that are not stale."""
        return [found for _, block, found in taken_apart(sound_finds(rows)) if block not in self._stale]

    def answers(self, asked: Asked) -> Iterator[tuple[pa.Table, list[Found]]]:
        """What is asked for, as far as it is there, packed and taken apart. What is not where undo data says is looked
        for everywhere, once."""
        missing = set(asked.ids)
        for readings in (self._some, self._all):
            for reading in readings(asked, missing):
                rows = self._read(reading)
                found = self.used(rows)
                missing -= {one.txid for one in found}
                yield rows, found

    def _some(self, asked: Asked, _: set[bytes]) -> Iterator[Reading]:
        """Of each content what must be read of it: all, for spends and for ids whose height nobody knows."""
        everywhere = [txid for txid, height in asked.ids.items() if height < 0]
        outputs, ids = Keys(list(asked.outputs)), Keys(list(asked.ids))
        blocks = {self._at.get(height) for height in asked.ids.values() if height >= 0}
        for content, heads in self._heads.items():
            some = heads if everywhere else [head for head in heads if head.hash in blocks]
            if len(outputs) and heads:
                yield Reading(self._rows[content], heads, Sought(outputs=outputs, ids=ids if everywhere else Keys()))
            if len(ids) and some and not (len(outputs) and everywhere):
                yield Reading(self._rows[content], some, Sought(ids=ids))

    def _all(self, asked: Asked, missing: set[bytes]) -> Iterator[Reading]:
        """Every block for what undo data names in a block that is there, and that is not in it."""
        late = [txid for txid in sorted(missing) if self._at.get(asked.ids[txid])]
        for content, heads in self._heads.items() if late else ():
            if heads:
                yield Reading(self._rows[content], heads, Sought(ids=Keys(late)))

    def _read(self, reading: Reading) -> pa.Table:
        """One step: done now, or by an earlier run, or passed over because a child died of it."""
        content, steps = reading.row["content"], self._context.steps
        if died := steps.begin():
            reason, _, detail = died.partition(": ")
            self.failed[content] = (reason, detail)
            return TABLES[FINDS].empty()
        if (note := steps.recall()) is not None:
            return _unpacked(note)
        try:
            rows = read_some(reading, self._context)
        except Unreadable as problem:
            self.failed[content] = ("bad witness commitment", f"{reading.row['name']}: {problem}")
            return TABLES[FINDS].empty()
        steps.remember(_packed(rows))
        return rows


def _packed(rows: pa.Table) -> str:
    """Rows as text, for the journal."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return base64.b85encode(sink.getvalue().to_pybytes()).decode("ascii")


def _unpacked(note: str) -> pa.Table:
    with pa.ipc.open_stream(base64.b85decode(note)) as reader:
        return reader.read_all()
