"""A received VICS list that goes out again with decisions: every byte as it was received, but for what was decided.

The list is copied from its sealed bytes. Of a decided entry the values of `Category` and `DateUpdated` are replaced;
unknown fields, their order, white space and the writing of numbers stay as the sender wrote them. So 1.3 stays 1.3.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from casewright.engine.query import Reader
from casewright.media.decisions import Decision, Decisions
from casewright.media.vics import BOM
from casewright.media.vics_records import code
from casewright.model.errors import BrokenSeal, Missing, Refused
from casewright.model.vics import dialect_of

CHUNK = 1 << 20
LISTS = "SELECT exhibit, path, name, sha256 FROM exhibit_files WHERE role = 'list' ORDER BY name, exhibit, position"
REFUSED = "SELECT detail FROM set_aside WHERE noun = 'lists' AND subject = $exhibit ORDER BY id"
ENTRIES = "SELECT count(*) AS entries FROM list_entries WHERE exhibit = $exhibit AND path = $path"
HITS = """
SELECT DISTINCT i.sha256, e.span_start, e.span_length, e.dialect, e.row FROM media_matches x
JOIN items i USING (item) JOIN list_entries e USING (entry)
WHERE x.method IN ('sha256', 'sha1', 'md5') AND e.exhibit = $exhibit AND e.path = $path ORDER BY e.span_start, i.sha256
"""
_VALUES = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
"""Finds where values end; numbers stay text, however long they are."""


@dataclass(frozen=True)
class Edit:
    """A decided entry: its bytes in the list, and what was decided."""

    start: int
    length: int
    decision: Decision


@dataclass(frozen=True)
class Again:
    """What went out: `changed` of the list's `entries`, and decisions that did not fit, with the reason."""

    entries: int
    changed: int
    left: Sequence[str]


def list_named(reader: Reader, name: str) -> dict[str, Any]:
    """The sealed list that has this name, or whose exhibit has this SHA-256. Raises Missing and Refused."""
    lists = reader.rows(LISTS)
    found = [one for one in lists if name in (one["name"], one["exhibit"])]
    if len(found) != 1:
        known = ", ".join(f"{one['name']} ({one['exhibit']})" for one in lists) or "none"
        raise Missing(f"{len(found)} lists of the case are called {name!r}. Name one by its SHA-256: {known}.")
    if aside := reader.rows(REFUSED, {"exhibit": found[0]["exhibit"]}):
        raise Refused(f"a list that was set aside is not handed on: {aside[0]['detail']}")
    return found[0]


def write_list(reader: Reader, listed: dict[str, Any], decisions: Decisions, source: BinaryIO, file: BinaryIO) -> Again:
    """The list from its sealed bytes in `source`, into `file`. Raises Refused for what is no VICS, BrokenSeal when the
    bytes are not those that were sealed."""
    if source.read(4096).removeprefix(BOM).lstrip(b" \t\r\n")[:1] != b"{":
        raise Refused(f"{listed['name']} is no VICS list; only such go out again.")
    where = {"exhibit": listed["exhibit"], "path": listed["path"]}
    edits, left = decided_entries(reader.rows(HITS, where), decisions)
    source.seek(0)
    digest = hashlib.sha256()
    for piece in _copied(source, None):
        digest.update(piece)
    if digest.hexdigest() != listed["sha256"]:
        raise BrokenSeal(f"{listed['name']} is not as it was sealed ({listed['sha256']}). Nothing was exported.")
    source.seek(0)
    for piece in pieces(source, edits):
        file.write(piece)
    return Again(reader.rows(ENTRIES, where)[0]["entries"], len(edits), left)


def decided_entries(hits: Sequence[dict[str, Any]], decisions: Decisions) -> tuple[list[Edit], list[str]]:
    """The entries that decided contents are on by an exact hash, in the list's order, and what was not done."""
    edits: dict[int, Edit] = {}
    left: list[str] = []
    clashes: set[int] = set()
    for hit in hits:
        decision = decisions.get(hit["sha256"])
        if decision is None:
            continue
        start, named = hit["span_start"], f"entry {hit['row']}, content {hit['sha256']}"
        if decision.category is None:
            left.append(f"{named}: {decision.verdict}, which is no category")
        elif dialect_of(decision.dialect or "") != dialect_of(hit["dialect"]):
            left.append(f"{named}: decided in the dialect {decision.dialect}, the list's is {hit['dialect']}")
        elif start in edits and edits[start].decision.category != decision.category:
            left.append(f"{named}: contents that are the same entry were decided otherwise; it stays as it is")
            clashes.add(start)
        else:
            edits[start] = Edit(start, hit["span_length"], decision)
    return [edit for start, edit in edits.items() if start not in clashes], left


def pieces(source: BinaryIO, edits: Sequence[Edit]) -> Iterator[bytes]:
    """The list's bytes, with the decisions in their places."""
    at = 0
    for edit in edits:
        yield from _copied(source, edit.start - at)
        yield changed(source.read(edit.length), edit.decision)
        at = edit.start + edit.length
    yield from _copied(source, None)


def _copied(source: BinaryIO, size: int | None) -> Iterator[bytes]:
    """So many bytes, or all that are left."""
    while (size is None or size > 0) and (piece := source.read(CHUNK if size is None else min(CHUNK, size))):
        size = None if size is None else size - len(piece)
        yield piece


def changed(record: bytes, decision: Decision) -> bytes:
    """The entry with the decision in it. A category that was text stays text; a field that is not there is put last."""
    text = record.decode("utf-8")
    members, last = _members(text)
    assert decision.category is not None
    put: dict[str, Any] = {"Category": code(decision.category)}
    if decision.time:
        put["DateUpdated"] = decision.time
    pieces, at = [], 0
    for name, start, end in members:
        if name in put:
            pieces += [text[at:start], _likewise(text[start:end], put[name])]
            at = end
    missing = [name for name in put if name not in {member[0] for member in members}]
    more = ", ".join(f"{json.dumps(name)}: {json.dumps(put[name])}" for name in missing)
    between = ", " if more and members else ""
    return "".join([*pieces, text[at:last], between, more, text[last:]]).encode("utf-8")


def _likewise(old: str, new: Any) -> str:
    """The new value as JSON, in the way of the old one: as text where that was text, and as `/Date(ms)/`, with the
    slashes escaped or not, where that was such a time."""
    if not old.startswith('"'):
        return json.dumps(new)
    slash, date, _ = old[1:].partition("/Date(")
    if not date or slash not in ("", "\\"):
        return json.dumps(str(new))
    return f'"{slash}/Date({round(datetime.fromisoformat(new).timestamp() * 1000)}){slash}/"'


def _members(text: str) -> tuple[list[tuple[str, int, int]], int]:
    """Name, and first and last place of the value, of each member of the object; and the place behind the last one."""
    members: list[tuple[str, int, int]] = []
    at = _over(text, 1)
    last = at
    while text[at] != "}":
        name, at = _VALUES.raw_decode(text, at)
        start = _over(text, _over(text, at) + 1)
        _, last = _VALUES.raw_decode(text, start)
        members.append((name, start, last))
        at = _over(text, last)
        at = _over(text, at + 1) if text[at] == "," else at
    return members, last


def _over(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
