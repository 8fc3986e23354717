"""What this case shares with another one, as a file of its own: the only thing that is taken from there.

JSON Lines: a head that says which case it was and how its ledger ended, then a line for each value that both have.
Nothing else of the other case is copied. Format: docs/formats/case-link.md.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from casewright.link.comparable import PICTURE
from casewright.vault.ledger import canonical

FORMAT = 1
SHARED = """
SELECT o.kind, o.value, t.what AS their_what, t.owners AS there, t.ids AS their_ids, s.address IS NOT NULL AS service
FROM ours o JOIN theirs t USING (kind, value) LEFT JOIN services s ON o.kind = 'bitcoin' AND s.address = o.value
WHERE o.kind <> 'picture' ORDER BY o.kind, o.value
"""
SAME_BYTES = """
SELECT DISTINCT p.value FROM ours p JOIN ours m ON m.kind = 'media' AND list_has_any(m.ids, p.ids)
JOIN theirs t ON t.kind = 'media' AND t.value = m.value WHERE p.kind = 'picture'
"""
"""Pictures whose very bytes the other case has: that is said of the medium already."""
Near = Callable[[Sequence[str], Sequence[str]], Iterator[tuple[int, int, int]]]
"""Number of ours, number of theirs and distance of each near pair of PDQ hashes."""
NAMES = ("kind", "value", "their_what", "there", "their_ids", "service")
Row = dict[str, Any]


@dataclass(frozen=True)
class Shared:
    """A value that both cases have."""

    kind: str
    value: str
    their_value: str | None
    distance: int | None
    their_what: str
    there: int
    their_ids: list[str]
    service: bool
    row: int = 0
    span_start: int = 0
    span_length: int = 0


def shared(ours: pa.Table, theirs: pa.Table, services: pa.Table, near: Near) -> list[Row]:
    """Every value that both have, and near pictures; in order of kind and value."""
    with duckdb.connect(":memory:", config={"threads": 2}) as connection:
        for name, table in (("ours", ours), ("theirs", theirs), ("services", services)):
            connection.register(name, table)
        found = connection.sql(SHARED).to_arrow_table().to_pylist()
        same = {row[0] for row in connection.sql(SAME_BYTES).fetchall()}
    mine, others = (_pictures(table) for table in (ours, theirs))
    pairs = near([row["value"] for row in mine], [row["value"] for row in others]) if mine and others else iter(())
    for one, other, distance in pairs:
        if mine[one]["value"] not in same:
            there = others[other]
            found.append({"kind": PICTURE, "value": mine[one]["value"], "their_value": there["value"],
                          "distance": distance, "their_what": there["what"], "there": there["owners"],
                          "their_ids": there["ids"], "service": False})  # fmt: skip
    return sorted(found, key=lambda row: (row["kind"], row["value"], row.get("their_value") or ""))


def _pictures(table: pa.Table) -> list[Row]:
    return [row for row in table.to_pylist() if row["kind"] == PICTURE]


def written(head: Mapping[str, Any], rows: Sequence[Row]) -> bytes:
    """The file: the head, and a line for each value."""
    return b"".join(canonical(line) + b"\n" for line in ({"format": FORMAT, **head}, *rows))


def read(raw: bytes) -> tuple[Row, list[Shared], list[tuple[int, str]]]:
    """Head, values, and lines that are none, by number. Raises ValueError when it is no such file."""
    lines = raw.split(b"\n")
    head = json.loads(lines[0])
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ValueError("is no file of what two cases share")
    good, bad, at = [], [], len(lines[0]) + 1
    for number, line in enumerate(lines[1:], 1):
        if line:
            try:
                found = json.loads(line)
                given = {name: found.get(name) for name in ("their_value", "distance")}
                given |= {name: found[name] for name in NAMES}
                good.append(Shared(**given, row=number, span_start=at, span_length=len(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                bad.append((number, f"{type(error).__name__}: {error}"[:200]))
        at += len(line) + 1
    return head, good, bad
