"""What was sealed into the case, from the ledger: the tables `exhibits`, `exhibit_files` and `mappings`."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Stage, Tally
from casewright.model.tables import TABLES
from casewright.vault.case import LATEST_ONLY, read_manifest

RECEIPT = "receipt"
"""What recipients send back has a table of its own: no finding rests on it, so it must make nothing anew."""


def _standing(events: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Sealed sources that count, by digest and role: of `LATEST_ONLY` roles the last, of the others all."""
    last = {e["role"]: e["exhibit"] for e in events}
    kept = {
        (e["exhibit"], e["role"]): e for e in events if e["role"] not in LATEST_ONLY or e["exhibit"] == last[e["role"]]
    }
    return [kept[key] for key in sorted(kept)]


def _files(event: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    common = {"exhibit": event["exhibit"], "role": event["role"]}
    if event["form"] == "file":
        only = {"position": 0, "path": b"", "name": event["name"], "size": event["size"], "sha256": event["exhibit"]}
        return [{**common, **only}]
    with context.open(event["exhibit"]) as file:
        manifest = read_manifest(file.read())
    return [
        {**common, **row, "position": position, "path": bytes.fromhex(row["path"])}
        for position, row in enumerate(manifest)
    ]


def exhibits(batch: pa.Table, context: Context) -> Output:
    """The tables of sealed sources from the ledger's `sealed` events.

    The mapping has a table of its own, so that sealing anything else does not have the records read anew."""
    events = [json.loads(e)["data"] for e in context.table("ledger/sealed").column("event").to_pylist()]
    events = [event for event in events if event["role"] != RECEIPT]
    standing = _standing(events)
    columns = TABLES["exhibits"].schema.names
    rows = [{name: event[name] for name in columns} for event in standing]
    files = [row for event in standing for row in _files(event, context)]
    aside = [_left_out(event, name) for event in standing for name in event.get("left_out", [])]
    tallies = [
        Tally("sealed sources", len(events), len(standing), nothing=len(events) - len(standing)),
        Tally("source files", len(files) + len(aside), len(files)),
    ]
    mapping = [row for row in files if row["role"] == "mapping"][:1]
    kept = [{name: row[name] for name in TABLES["mappings"].schema.names} for row in mapping]
    made = {"exhibits": rows, "exhibit_files": files, "mappings": kept}
    tables = {name: TABLES[name].rows(found) for name, found in made.items()}
    return Output(tables, aside, tallies)


def _left_out(event: Mapping[str, Any], name: str) -> SetAside:
    detail = f"{name}: a link, pipe or device in the source folder, which holds no bytes of its own"
    return SetAside("source files", event["exhibit"], "not sealed", detail)


STAGES = (
    Stage(
        name="exhibits",
        version=3,
        reads=("ledger/sealed",),
        writes=("exhibits", "exhibit_files", "mappings"),
        work=exhibits,
    ),
)
