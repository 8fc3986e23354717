"""Tags as a table: CSV with a heading, such as a unit keeps for itself or an exporter writes (docs/formats/tags.md)."""

from collections.abc import Iterator, Mapping
from typing import Any

from casewright.engine.records import BadRecord, Record, read_records
from casewright.model.errors import Refused

NAMES: Mapping[str, tuple[str, ...]] = {
    "address": ("address", "addr", "bitcoin_address", "btc_address", "wallet_address", "wallet", "hash"),
    "label": ("label", "name", "entity", "service", "owner", "tag", "exchange", "cluster_name"),
    "actor": ("actor", "actor_id", "entity_id"),
    "category": ("category", "type", "entity_type", "service_type", "class"),
    "confidence": ("confidence", "confidence_id"),
    "level": ("level", "confidence_level", "score"),
    "source": ("source", "source_url", "url", "reference", "link"),
    "legal_name": ("legal_name", "company", "legal_entity"),
    "jurisdiction": ("jurisdiction", "country", "country_code"),
    "currency": ("currency", "coin", "asset", "chain", "blockchain"),
}
"""Fields of a tag, and the columns that may hold each, the first that is there."""


class Unusable(str):
    """Why a row of a list is no tag."""

    __slots__ = ()


def read_list(raw: bytes) -> dict[str, Any]:
    """The list as a pack. Raises Refused, saying why, when no column holds addresses or none says whose they are."""
    rows, names = [], None
    for record in read_records(raw, ()):
        if isinstance(record, BadRecord) and not record.row:
            raise Refused(record.reason)
        if isinstance(record, Record) and names is None:
            names = _columns(record.fields)
        rows.append(record)
    return {"tags": list(_tags(rows, names or {}))}


def _columns(heading: Mapping[str, str]) -> dict[str, str]:
    """Which column holds which field. Column names may have spaces and dashes for underlines."""
    plain = {"_".join(name.replace("-", " ").replace("_", " ").split()): name for name in reversed(list(heading))}
    found = {field: plain[n] for field, known in NAMES.items() for n in reversed(known) if n in plain}
    for needed in ("address", "label"):
        if needed not in found:
            there = ", ".join(heading)[:300]
            raise Refused(f"no column is called {needed} or the like (docs/formats/tags.md); there are: {there}")
    return found


def _tags(rows: list[Record | BadRecord], names: Mapping[str, str]) -> Iterator[dict[str, str] | Unusable]:
    for row in rows:
        if isinstance(row, BadRecord):
            yield Unusable(row.reason)
        else:
            yield {field: row.fields[column] for field, column in names.items() if row.fields[column]}
