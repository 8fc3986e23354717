"""The stage that reads hash lists: every entry of a list, or nothing of it."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.media.csv_list import read_csv
from casewright.media.lists import Alive, Doubt, Entries
from casewright.media.nsrl import SQLITE
from casewright.media.vics import BOM, read_vics
from casewright.model.errors import Refused
from casewright.model.ids import IdMaker
from casewright.model.tables import TABLES

MOST_DOUBTS = 1000
"""Doubtful hashes of a list that get a row each; further ones are counted, a row for each batch of entries."""


def read_list(file: BinaryIO, name: str, alive: Alive = lambda: None) -> Iterator[Entries]:
    """Every entry of a list. Raises Refused, naming the list and before the first entry, when it is cut off, damaged or
    of no form that is known."""
    head = file.read(4096).removeprefix(BOM).lstrip(b" \t\r\n")
    return (read_vics if head[:1] == b"{" else read_csv)(file, name, alive)


def lists(batch: pa.Table, context: Context) -> Iterator[Output]:
    """Entries of the hash lists; a list that is cut off is set aside whole. Databases are for `harmless`."""
    for file in batch.to_pylist():
        reason = context.steps.begin()
        if reason:
            yield _refused(file, "died", f"reading {file['name']} failed: {reason}")
            continue
        with context.open(file["sha256"]) as opened:
            if opened.read(len(SQLITE)) == SQLITE:
                yield _output(pa.table({}), [], Tally("lists", 1, 0, 1))
                continue
            opened.seek(0)
            try:
                entries = read_list(opened, file["name"], context.steps.alive)
            except Refused as error:
                yield _refused(file, "refused", str(error))
                continue
            yield from _outputs(file, entries)
    if not batch.num_rows:
        yield _output(pa.table({}), [], Tally("lists", 0, 0))


def _outputs(file: dict[str, Any], batches: Iterator[Entries]) -> Iterator[Output]:
    make, doubts = IdMaker("entry", file["exhibit"], file["path"]), 0
    for entries in batches:
        columns, found = entries.cleaned()
        aside = [_doubt(file, doubt) for doubt in found[: max(0, MOST_DOUBTS - doubts)]]
        if left := len(found) - len(aside):
            aside.append(_doubt(file, found[len(aside)], left))
        doubts += len(found)
        rows = _rows(file, entries.dialect, columns, make)
        yield _output(rows, aside, Tally("entries", len(entries), len(entries)))
    yield _output(pa.table({}), [], Tally("lists", 1, 1))


def _output(rows: pa.Table, aside: list[SetAside], *tallies: Tally) -> Output:
    doubtful = Tally("doubtful hashes", sum(a.count for a in aside if a.noun == "doubtful hashes"), 0)
    table = rows if rows.num_columns else TABLES["list_entries"].empty()
    return Output({"list_entries": table}, aside, [*tallies, doubtful])


def _refused(file: dict[str, Any], reason: str, why: str) -> Output:
    return _output(pa.table({}), [SetAside("lists", file["exhibit"], reason, why)], Tally("lists", 1, 0))


def _doubt(file: dict[str, Any], doubt: Doubt, count: int = 1) -> SetAside:
    more = f" (and {count - 1} more in the entries that follow)" if count > 1 else ""
    where = f"{file['name']}, entry {doubt.row}: {doubt.why}{more}"
    return SetAside("doubtful hashes", file["exhibit"], "no such hash", where, count, doubt.start, doubt.length,
                    doubt.row)  # fmt: skip


def _rows(file: dict[str, Any], dialect: str, columns: dict[str, Any], make: IdMaker) -> pa.Table:
    entries = make.many(columns["row"].to_pylist())
    same = {"list": file["name"], "dialect": dialect, "exhibit": file["exhibit"], "path": file["path"]}
    schema = TABLES["list_entries"].schema
    whole: dict[str, Any] = {**columns, "entry": entries}
    for name, value in same.items():
        whole[name] = pa.repeat(pa.scalar(value, schema.field(name).type), len(entries))
    arrays = [whole[f.name] if isinstance(whole[f.name], pa.Array) else pa.array(whole[f.name], f.type) for f in schema]
    return pa.table(arrays, schema=schema)
