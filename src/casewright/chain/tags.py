"""The stage `tags`: attributions of Bitcoin addresses by others, all kept, also where they disagree.

TagPacks and ActorPacks as YAML (`tagpack`), and lists as CSV (`tag_list`).
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from casewright.chain.tag_list import read_list
from casewright.chain.tagpack import LEVELS, actors_of, context_of, countries_of, read_pack, tags_of, text_of
from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.model.bitcoin import as_paid, valid_address
from casewright.model.errors import Refused
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

CURRENCIES = {"BTC", "XBT", "BITCOIN"}
PACKS, LISTS = (b".yaml", b".yml"), (b".csv", b".tsv")
TRUTHS = {"true": True, "false": False}
TEXTS = (b".md", b".txt", b"license")
File = Mapping[str, Any]
Actor = tuple[str | None, str | None]


def tags(batch: pa.Table, context: Context) -> Output:
    """`tags` of every pack. Legal name and country come from the tag's own context or from its actor, in any pack."""
    files = context.sql("SELECT * FROM exhibit_files WHERE role = 'tags' ORDER BY exhibit, position").to_pylist()
    packs = Packs(context, {(f["exhibit"], bytes(f["path"])): f for f in files})
    for file in files:
        packs.take(file)
    aside, actors = packs.set_aside(), _actors([pack for _, pack in packs.read])
    serving = len(packs.refused) - len(aside)
    rows, received, foreign = [], 0, 0
    for file, pack in packs.read:
        for number, fields in tags_of(pack):
            received += 1
            if isinstance(fields, Mapping) and (text_of(fields, "currency") or "BTC").upper() not in CURRENCIES:
                foreign += 1
            elif problem := problem_of(fields):
                words = f"{file['name']}, tag {number}: {problem}"
                aside.append(SetAside("tags", _id(file), "unusable tag", words, row=number))
            elif isinstance(fields, Mapping):
                rows.append(_row(file, number, fields, actors))
    tallies = [Tally("files", len(files), len(packs.read), serving), Tally("tags", received, len(rows), foreign)]
    return Output({"tags": TABLES["tags"].rows(rows)}, aside, tallies)


@dataclass
class Packs:
    """The files of the tag exhibits: packs, and files that only serve them (an included header, a README)."""

    context: Context
    by_path: Mapping[tuple[str, bytes], File]
    read: list[tuple[File, dict[str, Any]]] = field(default_factory=list)
    refused: list[tuple[File, SetAside]] = field(default_factory=list)
    included: set[str] = field(default_factory=set)

    def take(self, file: File) -> None:
        """Read one file as a pack, or note why not."""
        if not _named(file).endswith((*PACKS, *LISTS)):
            self._refuse(file, "not supported", "is neither YAML nor CSV")
            return
        try:
            if _named(file).endswith(LISTS):
                pack = read_list(self._content(file))
            else:
                pack = read_pack(self._content(file), partial(self._include, file))
            self.read.append((file, pack))
        except Refused as refusal:
            self._refuse(file, "unreadable", str(refusal))

    def set_aside(self) -> list[SetAside]:
        """What was refused and serves no other file."""
        return [reason for file, reason in self.refused if not self._serves(file)]

    def _serves(self, file: File) -> bool:
        return _id(file) in self.included or _named(file).endswith(TEXTS)

    def _refuse(self, file: File, reason: str, words: str) -> None:
        self.refused.append((file, SetAside("files", _id(file), reason, f"{file['name']}: {words}")))

    def _content(self, file: File) -> bytes:
        with self.context.open(file["sha256"]) as stream:
            return stream.read()

    def _include(self, file: File, name: str) -> bytes | None:
        """Bytes of a file named from `file`, of the same exhibit and no other."""
        folder = posixpath.dirname(bytes(file["path"]))
        path = posixpath.normpath(posixpath.join(folder, name.encode("utf-8", "surrogatepass")))
        found = self.by_path.get((file["exhibit"], path))
        if not found:
            return None
        self.included.add(_id(found))
        return self._content(found)


def _named(file: File) -> bytes:
    return (bytes(file["path"]) or file["name"].encode("utf-8", "replace")).lower()


def _actors(packs: list[dict[str, Any]]) -> dict[str, Actor]:
    """Legal name and countries by actor id: of each the first that any pack gives."""
    known: dict[str, Actor] = {}
    for pack in packs:
        for name, fields in actors_of(pack):
            legal, country = known.get(name, (None, None))
            about = context_of(fields)
            legal = legal or text_of(fields, "legal_name") or text_of(about, "legal_name")
            known[name] = (legal, country or countries_of(fields) or countries_of(about))
    return known


def problem_of(fields: Mapping[str, Any] | str | None) -> str | None:
    """Why a tag cannot be used; None when it can."""
    if isinstance(fields, str):
        return str(fields)
    if fields is None:
        return "is no mapping of fields"
    address = text_of(fields, "address")
    if not address or not text_of(fields, "label"):
        return "has no address or no label"
    if not valid_address(address):
        return f"{address[:100]!r} is no Bitcoin address: its checksum does not hold"
    level = text_of(fields, "level")
    return None if level is None or _level(fields) is not None else f"its level {level[:20]!r} is not from 0 to 100"


def _level(fields: Mapping[str, Any]) -> int | None:
    """The level that a list gives, or else that of the confidence id; None for a level that is none."""
    given = text_of(fields, "level")
    if given is None:
        return LEVELS.get(text_of(fields, "confidence") or "unknown", LEVELS["unknown"])
    return int(given) if given.isascii() and given.isdigit() and len(given) < 4 and int(given) <= 100 else None


def _id(file: File) -> str:
    return f"{file['exhibit']}/{file['position']}"


def _row(file: File, number: int, fields: Mapping[str, Any], actors: Mapping[str, Actor]) -> dict[str, Any]:
    actor, confidence, about = text_of(fields, "actor"), text_of(fields, "confidence"), context_of(fields)
    legal, country = actors.get(actor or "", (None, None))
    return {
        "tag": make_id("tag", file["exhibit"], file["path"], number),
        "address": as_paid(text_of(fields, "address") or ""), "label": text_of(fields, "label"), "actor": actor,
        "category": text_of(fields, "category"), "confidence": confidence,
        "level": _level(fields), "source": text_of(fields, "source"),
        "legal_name": text_of(fields, "legal_name") or text_of(about, "legal_name") or legal,
        "jurisdiction": countries_of(fields) or countries_of(about) or country,
        "defines_cluster": TRUTHS.get((text_of(fields, "is_cluster_definer") or "").lower()),
        "exhibit": file["exhibit"], "path": file["path"], "row": number,
    }  # fmt: skip
