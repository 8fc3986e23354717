"""A fast check of what stands in a package: that its files tell the same, and that what points to something finds it.

The SHACL shapes of CASE take minutes for a large package and know nothing of the sheets; tests hold the writers to
them. This takes a second, and goes through everything: ids, references, hashes, and each value against `figures.csv`.
"""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.json import decode

from casewright.refer.writers.graph import CLASSES
from casewright.refer.writers.sheets import exact

MOST = 1 << 28
"""Bytes that one file may have, unpacked: a package comes from outside."""
HEX = {"sha256": 64, "sha1": 40, "md5": 32}
TYPES = frozenset((*CLASSES.values(), "observable:AccountFacet", "observable:DigitalAccountFacet",
                   "observable:ContentDataFacet", "types:Hash"))  # fmt: skip
ENTITIES = frozenset(("UserAccount", "Person", "Identification", "Similar", "UnknownLink", "Event", "CryptoWallet",
                      "Organization", "Image", "Video"))  # fmt: skip
POINTS = ("holder", "candidate", "match", "subject", "object")
"""Properties of entities that name another one."""


class _UnreadableError(Exception):
    """A file that is not what its name says."""


def contents_problems(data: Path) -> Iterator[str]:
    """What is wrong with the files of `data`, in words. Nothing: they agree."""
    try:
        figures = _figures(data)
        yield from _tables(data, figures)
        yield from _graph(data, figures)
        yield from _entities(data)
        yield from _media(data, figures)
    except _UnreadableError as error:
        yield str(error)


def _raw(data: Path, name: str) -> bytes:
    """The file's bytes; of one that was compressed because the package was large, the bytes inside."""
    plain, packed = data / name, data / f"{name}.gz"
    try:
        if plain.is_file() and plain.stat().st_size <= MOST:
            return plain.read_bytes()
        with gzip.open(packed) as file:
            raw = file.read(MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _UnreadableError(f"{name} cannot be read: {error}") from error
    if len(raw) > MOST:
        raise _UnreadableError(f"{name} has more than {MOST} bytes")
    return raw


def _sheet(data: Path, name: str) -> list[list[str]]:
    try:
        csv.field_size_limit(MOST)
        return list(csv.reader(io.StringIO(_raw(data, name).decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _UnreadableError(f"{name} is no table: {error}") from error


def _json(name: str, raw: bytes) -> Any:
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _UnreadableError(f"{name} is no JSON: {error}") from error


def _figures(data: Path) -> dict[str, tuple[str, str]]:
    """Section and value of each figure."""
    head, *rows = _sheet(data, "figures.csv") or [[]]
    if head[:5] != ["figure", "section", "subject", "label", "value"] or any(len(row) != len(head) for row in rows):
        raise _UnreadableError("figures.csv does not have the columns of figures")
    if len(found := {row[0]: (row[1], row[4]) for row in rows}) != len(rows):
        raise _UnreadableError("figures.csv names a figure twice")
    return found


def _tables(data: Path, figures: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Every section has its sheet; its rows are those of figures, and hold values of figures."""
    values: dict[str, Counter[str]] = {}
    for section, value in figures.values():
        values.setdefault(section, Counter())[value] += 1
    for section, expected in values.items():
        head, *rows = _sheet(data, f"{section}.csv") or [[]]
        if strange := next((row[0] for row in rows if row and figures.get(row[0], ("",))[0] != section), None):
            yield f"{section}.csv has a row {strange!r} that is no figure of it"
        if Counter(cell for row in rows for cell in row[1:] if cell) != expected or head[:1] != ["figure"]:
            yield f"{section}.csv holds other values than figures.csv"


def _graph(data: Path, figures: dict[str, tuple[str, str]]) -> Iterator[str]:
    document = _json("case.jsonld", _raw(data, "case.jsonld"))
    nodes = document.get("@graph") if isinstance(document, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise _UnreadableError("case.jsonld has no @graph of nodes")
    ids = [node.get("@id") for node in nodes]
    if len(known := set(map(str, ids))) != len(ids):
        yield "case.jsonld has two nodes of one @id"
    for node in nodes:
        yield from (f"case.jsonld: {node.get('@id')} {wrong}" for wrong in _node(node, known, figures))


def _node(node: dict[str, Any], known: set[str], figures: dict[str, tuple[str, str]]) -> Iterator[str]:
    """What is wrong with a node; nothing mostly."""
    named = node.get("casewright:figure") or ["?"]
    yield from (f"names the figure {one!r}, which figures.csv lacks" for one in named if one not in figures)
    for name, value in node.items():
        if isinstance(value, dict) and value.get("@id") not in known:
            yield f"leads by {name} to what is not in the graph"
    printed = {exact(figures[one][1]) for one in named if one in figures}
    for facet in (node, *node.get("core:hasFacet", ())):
        if facet.get("@type") not in TYPES or "@id" not in facet:
            yield f"is or has something of the type {facet.get('@type')!r}, which no package has"
        yield from ("has a hash that is none" for one in facet.get("observable:hash", ()) if not _is_hash(one))
        strange = (v for k, v in facet.items() if isinstance(v, str) and k[:1] != "@" and v not in printed)
        yield from (f"says {one!r:.80}, which none of its figures does" for one in strange)


def _is_hash(one: Any) -> bool:
    try:
        length = HEX[one["types:hashMethod"].lower()]
        return re.fullmatch(f"[0-9A-F]{{{length}}}", one["types:hashValue"]["@value"]) is not None
    except (KeyError, TypeError, AttributeError):
        return False


def _entities(data: Path) -> Iterator[str]:
    lines = _raw(data, "entities.ftm.json").splitlines()
    entities = [_json("entities.ftm.json", line) for line in lines]
    if not all(isinstance(e, dict) and isinstance(e.get("properties"), dict) for e in entities):
        raise _UnreadableError("entities.ftm.json has a line that is no entity")
    known = {str(entity.get("id")) for entity in entities}
    if len(known) != len(entities):
        yield "entities.ftm.json has two entities of one id"
    for entity in entities:
        if entity.get("schema") not in ENTITIES:
            yield f"entities.ftm.json: {entity.get('id')} is of the schema {entity.get('schema')!r}"
        for name in POINTS:
            if not known.issuperset(map(str, entity["properties"].get(name, ()))):
                yield f"entities.ftm.json: {entity.get('id')} leads by {name} to what is not there"


def _media(data: Path, figures: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Hashes for the receiver's lists are those that the figures print."""
    document = _json("hashes.vics.json", _raw(data, "hashes.vics.json"))
    printed = {value for section, value in figures.values() if section == "media"}
    try:
        (case,) = document["value"]
        for medium in case["Media"]:
            if not {medium["MD5"].lower(), medium["SHA1"].lower()} <= printed:
                yield f"hashes.vics.json: the medium {medium['MediaID']} is no figure of the package"
        if case["TotalMediaFiles"] != len(case["Media"]):
            yield "hashes.vics.json counts other media than it holds"
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _UnreadableError(f"hashes.vics.json is not VICS 2.0: {error!r}") from error
