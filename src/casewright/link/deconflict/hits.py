"""What comparisons with other agencies brought: from the ledger which there were, from the sealed hits what is ours."""

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.model.ids import make_id
from casewright.model.selectors import KINDS
from casewright.model.tables import TABLES

ROLE = "deconfliction"
"""Role of a sealed list of hits, and kind of the ledger's lines about exchanges."""
OURS = """
SELECT kind, form, account, list(id ORDER BY id) AS sources FROM deconflict_selectors
WHERE kind IN (SELECT kind FROM hits) AND form IN (SELECT form FROM hits) GROUP BY kind, form, account
ORDER BY kind, form, account
"""
HIT = pa.schema([("kind", pa.string()), ("form", pa.string())])


def deconfliction(batch: pa.Table, context: Context) -> Output:
    """`deconfliction` and `deconfliction_runs`: a row a hit and account of ours; a row an exchange and side."""
    aside: list[SetAside] = []
    hits = [hit for file in _files(context) for hit in _hits(file, context, aside)]
    pairs = [{"kind": hit["kind"], "form": hit["form"]} for hit in hits]
    ours: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in context.sql(OURS, hits=pa.Table.from_pylist(pairs, schema=HIT)).to_pylist():
        ours.setdefault((row["kind"], row["form"]), []).append(row)
    rows = [row for hit in hits for row in _rows(hit, ours.get((hit["kind"], hit["form"]), []))]
    runs = list(_runs(context))
    tables = {
        "deconfliction": TABLES["deconfliction"].rows(rows),
        "deconfliction_runs": TABLES["deconfliction_runs"].rows(runs),
    }
    return Output(tables, aside, [Tally("hits", len(hits) + len(aside), len(hits))])


def _files(context: Context) -> list[dict[str, Any]]:
    sql = f"SELECT * FROM exhibit_files WHERE role = '{ROLE}' ORDER BY exhibit, position"  # noqa: S608
    found: list[dict[str, Any]] = context.sql(sql).to_pylist()
    return found


def _hits(file: dict[str, Any], context: Context, aside: list[SetAside]) -> Iterable[dict[str, Any]]:
    """The lines of one list of hits; the line of a list without any names no kind."""
    with context.open(file["sha256"]) as opened:
        lines = opened.read().splitlines(keepends=True)
    start = 0
    for number, line in enumerate(lines, 1):
        place = {"exhibit": file["exhibit"], "path": file["path"], "row": number, "span_start": start,
                 "span_length": len(line)}  # fmt: skip
        start += len(line)
        try:
            hit = json.loads(line)
            if not isinstance(hit, dict):
                raise TypeError("is no object")
            if "kind" in hit:
                yield {**{name: str(hit[name]) for name in ("run", "peer", "peer_reference", "kind", "form")}, **place}
        except (ValueError, KeyError, TypeError) as error:
            aside.append(SetAside("hits", file["exhibit"], "malformed", f"line {number}: {error}", row=number))


def _rows(hit: dict[str, Any], ours: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """A hit for each account of ours; one that the case no longer holds stays as it was sealed."""
    for mine in ours or [{"account": None, "sources": []}]:
        name = make_id("hit", hit["exhibit"], hit["row"], mine["account"] or "")
        weak = hit["kind"] in KINDS and KINDS[hit["kind"]].weak
        yield {"hit": name, **hit, "weak": weak, "account": mine["account"], "sources": mine["sources"]}


def _runs(context: Context) -> Iterable[dict[str, Any]]:
    """Answers read and answers given, in the order of the ledger."""
    events = [json.loads(e)["data"] for e in context.table("ledger/deconfliction").column("event").to_pylist()]
    for e in events:
        asked = e["way"] == "read"
        if asked or (e["way"] == "sent" and e["step"] == "answer"):
            side = "asked" if asked else "was asked"
            name = make_id("compared", e["run"], side, e["mode"])
            yield {"id": name, "run": e["run"], "side": side, "mode": e["mode"], "peer": e["peer"],
                   "common": e.get("common"), "authority": e["authority"],
                   "peer_reference": _reference(e, events)}  # fmt: skip


def _reference(event: dict[str, Any], events: list[dict[str, Any]]) -> str | None:
    """The peer's case, once hits were asked for: then both sides tell it."""
    told = [e["reference"] for e in events if e["run"] == event["run"] and e["way"] in ("received", "read")]
    return (told[-1] or None) if told and event["mode"] == "hits" else None
