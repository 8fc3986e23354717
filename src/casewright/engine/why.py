"""`why`: the walk from any id of a case back to the bytes it rests on."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from casewright.engine.query import Reader, among
from casewright.engine.ranges import Ranges
from casewright.engine.tables import TableFolder
from casewright.model.errors import Missing
from casewright.model.tables import TABLES, Table


@dataclass(frozen=True)
class Finding:
    """One step of a `why` walk: a row, where it stands in the evidence if it says so, and what it rests on."""

    id: str
    table: str
    row: Mapping[str, Any]
    made_by: Mapping[str, Any] = field(default_factory=dict)
    locus: Mapping[str, Any] | None = None
    rests_on: tuple[str, ...] = ()


class Explainer:
    """Walks ids back through the tables. Rows that were looked up are kept, so that walking a package is quick."""

    def __init__(self, tables: Path, reader: Reader) -> None:
        self._folder, self._reader = TableFolder(tables), reader
        self._ranges = Ranges(self._folder)
        self._found: dict[str, list[Finding]] = {}

    def find(self, wanted: str) -> list[Finding]:
        """The rows that carry this id, in any table; most ids have exactly one."""
        if wanted not in self._found:
            self.prefetch([wanted])
        return self._found[wanted]

    def gather(self, wanted: Iterable[str]) -> None:
        """Look up ids and all that they rest on, one level after the other: a query a table and level."""
        level = list(wanted)
        while level:
            self.prefetch(level)
            found = (f for one in dict.fromkeys(level) for f in self._found[one])
            level = [source for finding in found for source in finding.rests_on if source not in self._found]

    def prefetch(self, wanted: Iterable[str]) -> None:
        """Look up many ids in one pass over each table, and the items in which their rows stand."""
        fresh = [w for w in dict.fromkeys(wanted) if w not in self._found]
        if not fresh:
            return
        self._found.update({w: [] for w in fresh})
        rows = [(table, row) for table in TABLES.values() for row in self._rows(table, fresh)]
        self.prefetch(row["item"] for table, row in rows if table.locus and row.get("item"))
        for table, row in rows:
            identity, sources = row.pop("_id"), row.pop("_sources") or []
            self._found[identity].append(self._finding(identity, table, row, sources))

    def _rows(self, table: Table, ids: list[str]) -> list[dict[str, Any]]:
        narrowed = first_part(table.key)
        column, firsts = (narrowed[0], narrowed[1](ids)) if narrowed else (table.key, _with_prefix(table.key, ids))
        firsts = self._ranges.within(table, column, firsts)
        if not firsts:
            return []
        where = f"{among(column, 'firsts', len(firsts))} AND {among(table.key, 'ids', len(ids))}"
        sql = f"SELECT {table.key} AS _id, {table.sources} AS _sources, t.* FROM {table.name} t WHERE {where}"  # noqa: S608  key and sources are ours
        return self._reader.rows(sql, {"firsts": firsts, "ids": ids})

    def walk(self, wanted: str) -> Iterator[tuple[int, Finding]]:
        """The finding and all it rests on, depth first, each row once, with its depth.

        Raises Missing when no row has this id.
        """
        self.gather([wanted])
        if not self.find(wanted):
            raise Missing(
                f"nothing in this case has the id {wanted}. Ids are printed beside every figure of a package."
            )
        seen: set[tuple[str, str]] = set()
        stack = [(0, finding) for finding in reversed(self.find(wanted))]
        while stack:
            depth, finding = stack.pop()
            if (finding.table, finding.id) in seen:
                continue
            seen.add((finding.table, finding.id))
            yield depth, finding
            below = [f for source in finding.rests_on for f in self.find(source)]
            stack.extend((depth + 1, f) for f in reversed(below))

    def loci(self, wanted: str) -> list[Mapping[str, Any]]:
        """Every place in the exhibits that the id rests on."""
        return [f.locus for _, f in self.walk(wanted) if f.locus]

    def _finding(self, identity: str, table: Table, row: dict[str, Any], sources: list[str]) -> Finding:
        run = self._folder.run_of(table.name) or {}
        made_by = {k: run[k] for k in ("stage", "version", "casewright", "fingerprint") if k in run}
        stands_in = row.get("item") or row.get("exhibit") if table.locus else None
        rests_on = dict.fromkeys(s for s in (*sources, stands_in) if s and s != identity)
        return Finding(identity, table.name, row, made_by, self._locus(table, row), tuple(rests_on))

    def _locus(self, table: Table, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Exhibit, path and span or row of an observation; whole files give their whole length."""
        if table.name == "exhibits":
            return {"exhibit": row["exhibit"], "path": "", "span_start": 0, "span_length": row["size"]}
        if table.name in ("items", "exhibit_files"):
            span = {"span_start": 0, "span_length": row["size"]}
            return {"exhibit": row["exhibit"], "path": _path(row["path"]), "sha256": row["sha256"], **span}
        if not table.locus:
            return None
        place = {k: row[k] for k in ("span_start", "span_length", "row") if row.get(k) is not None}
        if row.get("item"):
            items = self.find(row["item"])
            where = items[0].locus if items else None
            return {**where, **place} if where else None
        if row.get("exhibit") and place:
            return {"exhibit": row["exhibit"], "path": _path(row["path"]), **place}
        return None


def first_part(key: str) -> tuple[str, Callable[[list[str]], list[str]]] | None:
    """Of a key that is put together of parts, the first column, and what it may hold in rows of given ids; so that a
    row is found by that column, which lies in order or in an index. None for keys of one column, and other ones."""
    found = re.fullmatch(
        r"(?:'([^']*)' \|\| )?((?:t\.)?(?:item|txid|address|service|content|exhibit|person))"
        r"(?: \|\| '([^']*)' \|\| .*)?",
        key,
    )
    if not found or (found[1] is None and found[3] is None):
        return None
    before, between = found[1] or "", found[3]

    def firsts(ids: list[str]) -> list[str]:
        rests = [one.removeprefix(before) for one in ids if one.startswith(before)]
        if between is None:
            return rests
        return [r[:at] for r in rests for at in range(len(r)) if r.startswith(between, at)]

    return found[2], firsts


def _with_prefix(key: str, ids: list[str]) -> list[str]:
    """Of ids those that such a key can give: all, or where it begins with a word of its own those that do."""
    found = re.match(r"'([^']+)' \|\| ", key)
    return [one for one in ids if one.startswith(found[1])] if found else ids


def _path(raw: bytes | None) -> str:
    """A raw path as text that can be turned back: percent-encoded where it is not plain UTF-8."""

    return quote_from_bytes(raw or b"", safe="/!")
