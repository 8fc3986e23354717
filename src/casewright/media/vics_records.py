"""A content of the case as a medium of VICS 2.0: what is known of it, and nothing that only looks like knowledge.

A category is said when a list of the document's own dialect has an exact hash, or somebody decided it in that dialect.
Everything else (other dialects, lists that disagree, near matches) is told in `Comments`, in words.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from casewright.media.decisions import Decision
from casewright.model.ids import printable_path
from casewright.model.vics import dialect_of, medium_fields

Row = Mapping[str, Any]
EXACT = ("sha256", "sha1", "md5")
MOST_TOLD = 20
"""Matches that a medium's comments name; further ones are counted."""
MOST_DIGITS = 18


def medium(
    number: int, copies: Sequence[Row], matches: Sequence[Row], frames: Sequence[Row], decision: Decision | None,
    dialect: str, quality: int,
) -> dict[str, Any]:  # fmt: skip
    """`copies`: rows of the same content, in order of their paths. `quality`: a hash below it decides nothing, and a
    receiver could not see it, so it stays here."""
    first = copies[0]
    pdq = first["pdq"] if first["pdq"] and first["pdq_quality"] >= quality else None
    hashes = (first["sha256"], first["sha1"], first["md5"])
    path = printable_path(first["path"])
    record = medium_fields(number, *hashes, first["size"], sayable(first["mime"]), path, pdq)
    if frames:
        found = " ".join(f"{frame['pdq']}:{frame['second']!r}" for frame in frames)
        record["AlternativeHashes"].append({"HashName": "PDQFrames", "HashValue": found})
    record |= _category(matches, decision, dialect)
    known = (("Camera", first["camera"]), ("DateTimeOriginal", first["taken_at"]))
    exifs = [{"PropertyName": name, "PropertyValue": sayable(value)} for name, value in known if value]
    words = sayable("; ".join([*_told(matches), *_decided(decision), *_paths(copies)]))
    record |= ({"Exifs": exifs} if exifs else {}) | ({"Comments": words} if words else {})
    return {**record, "MediaFiles": [_file(copy) for copy in copies]}


def sayable(text: str) -> str:
    """Text that every JSON parser takes: what is no Unicode is written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def code(category: str) -> int | str:
    """A number as lists write it, and whatever else one says as it stands."""
    return int(category) if category.isdecimal() and category.isascii() and _plain(category) else category


def _plain(category: str) -> bool:
    return len(category) <= MOST_DIGITS and (category == "0" or not category.startswith("0"))


def _category(matches: Sequence[Row], decision: Decision | None, dialect: str) -> dict[str, Any]:
    if decision and decision.category is not None and dialect_of(decision.dialect or "") == dialect:
        updated = {"DateUpdated": decision.time} if decision.time else {}
        return {"Category": code(decision.category), "IsPrecategorized": False, **updated}
    said = {m["category"] for m in matches if m["method"] in EXACT and dialect_of(m["dialect"]) == dialect}
    if len(said) == 1 and None not in said:
        return {"Category": code(said.pop()), "IsPrecategorized": True}
    return {}


def _told(matches: Sequence[Row]) -> list[str]:
    """An entry that is found by its exact hash is not told again as a near one."""
    exact = {one["entry"] for one in matches if one["method"] in EXACT}
    matches = [one for one in matches if one["method"] in EXACT or one["entry"] not in exact]
    told = [_match(one) for one in matches[:MOST_TOLD]]
    return [*told, f"and {len(matches) - MOST_TOLD} matches more"] if len(matches) > MOST_TOLD else told


def _match(match: Row) -> str:
    entry = f"entry {match['native']} of the list {match['list']}"
    if match["method"] in EXACT:
        category = "no category" if match["category"] is None else f"category {match['category']}"
        return f"its {match['method']} is that of {entry}: {category} in the dialect {match['dialect']}"
    what = "it is" if match["method"] == "pdq" else "its frames are up to"
    return f"lead, no verdict: {what} {match['distance']} of 256 bits from {entry}"


def _decided(decision: Decision | None) -> list[str]:
    if decision is None:
        return []
    category = ""
    if decision.category is not None:
        category = f" as category {decision.category} in the dialect {decision.dialect or 'that nobody named'}"
    return [f"{decision.verdict}{category} by {decision.examiner}: {decision.why}"]


def _file(copy: Row) -> dict[str, Any]:
    """Times are the file system's, in UTC; a time that it does not have is left out."""
    path = printable_path(copy["path"])
    times = {"Created": copy["created"], "Written": copy["modified"], "Accessed": copy["accessed"]}
    return {
        "MD5": copy["md5"].upper(), "FileName": path.rpartition("/")[2], "FilePath": path.replace("/", "\\"),
        **{name: _utc(time) for name, time in times.items() if time is not None},
        "Unallocated": copy["origin"] in ("unallocated", "slack"), "Deleted": bool(copy["deleted"]),
        "SourceID": copy["exhibit"],
    }  # fmt: skip


def _utc(time: datetime) -> str:
    return time.isoformat() + "Z"


def _paths(copies: Sequence[Row]) -> list[str]:
    """Paths that stand otherwise than they are: what is not printable is escaped, and `\\` parts folders."""
    odd = [c["path"] for c in copies if b"\\" in c["path"] or printable_path(c["path"]).encode() != c["path"]]
    return [f"the path of a copy is, as raw bytes in hex, {path.hex()}" for path in odd]
