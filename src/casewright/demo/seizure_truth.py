"""What a perfect examiner would find on the demo's disk, worked out from how it was made."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from casewright.demo.media import LISTED_FILMS, Media, MediaFile
from casewright.demo.seizure_disk import later_name
from casewright.demo.seizure_list import Prints, prints_of
from casewright.demo.seizure_logs import Logs
from casewright.demo.seizure_site import ORPHANS, Site

REACH, WORTHY, SHARE = 31, 50, 0.8
"""The field's thresholds: PDQ distance, least quality, share of a film's frames."""


def media_truth(media: Media, site: Site, listed: Mapping[str, Prints]) -> dict[str, Any]:
    """States by SHA-256 of distinct content, and every media file's making.

    `undecided` was made from something listed, but the thresholds cannot see it; the tool will say new.
    """
    present = {_sha256(raw) for raw in _contents(site)}
    states: dict[str, set[str]] = {s: set() for s in ("known", "near", "new", "undecodable", "undecided")}
    states["undecodable"] |= {_sha256(raw) for raw in site.undecodable}
    originals = {_sha256(raw) for raw in media.originals.values()}
    origins = []
    for file in (*media.files, *media.loose):
        if file.sha256 not in present:
            raise AssertionError(f"{file.base}, {file.transformation} is nowhere on the disk")
        state, reach = _state(file, originals, listed)
        states[state].add(file.sha256)
        origins.append({"sha256": file.sha256, "number": file.number, "base": file.base, "made": file.transformation,
                        "state": state, **reach})  # fmt: skip
    return {**{state: sorted(found) for state, found in states.items()}, "provenance": origins}


def _state(file: MediaFile, originals: set[str], listed: Mapping[str, Prints]) -> tuple[str, dict[str, float]]:
    if file.sha256 in originals:
        return "known", {}
    prints = prints_of(file.content, file.base.startswith("film"))
    films = {name: found for name, found in listed.items() if name in LISTED_FILMS}
    pool = films if file.base.startswith("film") else {n: p for n, p in listed.items() if n not in LISTED_FILMS}
    reached = [name for name, theirs in pool.items() if share_of(prints, theirs) >= SHARE]
    if set(reached) - {file.base}:
        raise AssertionError(f"{file.base}, {file.transformation} is near {reached}: choose other pictures")
    measure = {"share": round(share_of(prints, pool[file.base]), 3)} if file.base in films else {}
    if file.base in pool and file.base not in films:
        measure = {"distance": distance(prints[0][0], pool[file.base][0][0]), "quality": prints[0][1]}
    return ("near" if reached else "undecided" if file.listed else "new"), measure


def share_of(ours: Prints, theirs: Prints) -> float:
    """Share of our worthy prints that have one of theirs within reach."""
    worthy = [hash for hash, quality in ours if quality >= WORTHY]
    found = [hash for hash in worthy if any(distance(hash, their) <= REACH for their, _ in theirs)]
    return len(found) / len(worthy) if worthy else 0.0


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def disk_truth(site: Site, rows: Mapping[str, Sequence[Any]], logs: Logs) -> dict[str, Any]:
    """Every name, with size and SHA-256 of what it leads to; archive members; what the dump and the logs hold."""
    by_path = {p.path: p for p in site.placed}
    lost = {gone for gone, _ in ORPHANS}
    later = [replace(by_path[linked], path=later_name(gone), kind="hard link") for gone, linked in ORPHANS]
    names = [
        {"path": p.path.hex(), "name": p.path.decode("utf-8", "backslashreplace"), "kind": p.kind, "deleted": p.deleted,
         "nameless": p.path in lost, "modified": p.modified,
         **_leads_to(p.kind, by_path.get(p.target, p).content, p.target)}
        for p in sorted([*site.placed, *later], key=lambda p: p.path)
    ]  # fmt: skip
    members = [
        {"archive": archive.hex(), "member": name, "size": len(raw), "sha256": _sha256(raw)}
        for archive, found in sorted(site.members.items())
        for name, raw in sorted(found.items())
    ]
    return {
        "files": names,
        "members": members,
        "dump_rows": {table: len(values) for table, values in sorted(rows.items())},
        "log_lines": dict(logs.lines),
        "log_lines_broken": dict(logs.broken),
    }


def _leads_to(kind: str, content: bytes, target: bytes) -> dict[str, Any]:
    if kind == "symlink":
        return {"target": target.hex()}
    return {"size": len(content), "sha256": _sha256(content)}


def _contents(site: Site) -> Iterator[bytes]:
    yield from (p.content for p in site.placed)
    for found in site.members.values():
        yield from found.values()


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
