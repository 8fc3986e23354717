"""The stage that looks the case's media up in databases of known software (NSRL): what is there needs no look."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.media.nsrl import SQLITE, look_up
from casewright.model.errors import Refused
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

ITEM_COLUMNS = ("item", "sha256", "sha1", "md5", "mime")


def harmless(batch: pa.Table, context: Context) -> Iterator[Output]:
    """Media that a database has. Lists of other forms are for `lists`."""
    for file in batch.to_pylist():
        if reason := context.steps.begin():
            yield _output([], Tally("databases", 1, 0), SetAside("databases", file["exhibit"], "died", reason))
            continue
        try:
            rows = _rows(file, context)
        except Refused as error:
            aside = SetAside("databases", file["exhibit"], "refused", str(error))
            yield _output([], Tally("databases", 1, 0), aside)
            continue
        yield _output(rows or [], Tally("databases", 1, int(rows is not None), int(rows is None)))
    if not batch.num_rows:
        yield _output([], Tally("databases", 0, 0))


def _rows(file: dict[str, Any], context: Context) -> list[dict[str, Any]] | None:
    """None when the list is no database."""
    with context.open(file["sha256"]) as opened:
        if opened.read(len(SQLITE)) != SQLITE:
            return None
        items = context.table("items").select(ITEM_COLUMNS[:4]).to_pylist()
        digests = [(i["item"], i["sha256"], i["sha1"], i["md5"]) for i in items]
        found = look_up(opened, file["name"], digests, context.steps.alive)
    return [
        {"id": make_id("harmless", file["exhibit"], file["path"], one.item), "item": one.item, "list": file["name"],
         "method": one.method, "name": one.name, "exhibit": file["exhibit"], "path": file["path"], "row": one.row}
        for one in found
    ]  # fmt: skip


def _output(rows: list[dict[str, Any]], tally: Tally, *aside: SetAside) -> Output:
    return Output({"harmless": TABLES["harmless"].rows(rows)}, list(aside), [tally])
