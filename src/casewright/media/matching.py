"""Which media agree with which list entries."""

from collections import defaultdict
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.kernels.hamming import packed, within
from casewright.media.lists import ListEntry, read_list
from casewright.model.errors import Refused
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

EXACT = ("sha256", "sha1", "md5")


def lists(batch: pa.Table, context: Context) -> Output:
    """Entries of the hash lists; a list that is cut off is set aside whole."""
    rows: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    good = 0
    for file in batch.to_pylist():
        with context.open(file["sha256"]) as opened:
            raw = opened.read()
        try:
            entries = read_list(raw, file["name"])
        except Refused as error:
            aside.append(SetAside("lists", file["exhibit"], "refused", str(error)))
            continue
        good += 1
        for entry in entries:
            rows.append(_entry_row(file, entry))
            aside += [_doubt(file, entry, why) for why in entry.doubtful]
    doubtful = sum(a.noun == "doubtful hashes" for a in aside)
    tallies = [
        Tally("lists", batch.num_rows, good),
        Tally("entries", len(rows), len(rows)),
        Tally("doubtful hashes", doubtful, 0),
    ]
    return Output({"list_entries": TABLES["list_entries"].rows(rows)}, aside, tallies)


def _doubt(file: dict[str, Any], entry: ListEntry, why: str) -> SetAside:
    where = f"{file['name']}, entry {entry.row}: {why}"
    return SetAside("doubtful hashes", file["exhibit"], "no such hash", where, span_start=entry.span_start,
                    span_length=entry.span_length, row=entry.row)  # fmt: skip


def _entry_row(file: dict[str, Any], entry: ListEntry) -> dict[str, Any]:
    return {
        "entry": make_id("entry", file["exhibit"], file["path"], entry.row), "list": file["name"],
        "native": entry.native, "category": entry.category, "dialect": entry.dialect, "sha256": entry.sha256,
        "sha1": entry.sha1, "md5": entry.md5, "pdq": list(entry.pdq), "exhibit": file["exhibit"], "path": file["path"],
        "span_start": entry.span_start, "span_length": entry.span_length, "row": entry.row,
    }  # fmt: skip


def matches(batch: pa.Table, context: Context) -> Output:
    """Exact hashes, pictures within the PDQ threshold, and videos most of whose frames are found in a listed one."""
    entries = context.sql("SELECT * FROM list_entries ORDER BY entry").to_pylist()
    media = context.sql(
        "SELECT m.*, i.sha256, i.sha1, i.md5 FROM media m JOIN items i USING (item) ORDER BY item"
    ).to_pylist()
    rows = [_match(m, e, method, 0) for m, e, method in _exact(media, entries)]
    rows += _near_pictures(media, entries, context)
    rows += _near_videos(media, entries, context)
    rows.sort(key=lambda r: (r["item"], r["method"], r["distance"], r["entry"]))
    matched = {r["item"] for r in rows}
    tally = Tally("media", len(media), len(matched), len(media) - len(matched))
    return Output({"media_matches": TABLES["media_matches"].rows(rows)}, [], [tally])


def _exact(
    media: list[dict[str, Any]], entries: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any], str]]:
    """Each medium with each entry of which it has a hash, by the strongest one that both have."""
    by_hash: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        for method in EXACT:
            if entry[method]:
                by_hash[method, entry[method]].append(entry)
    found = []
    for medium in media:
        done: set[str] = set()
        for method in EXACT:
            for entry in by_hash.get((method, medium[method]), []):
                if entry["entry"] not in done:
                    done.add(entry["entry"])
                    found.append((medium, entry, method))
    return found


def _near_pictures(
    media: list[dict[str, Any]], entries: list[dict[str, Any]], context: Context
) -> list[dict[str, Any]]:
    listed = [(e, e["pdq"][0]) for e in entries if len(e["pdq"] or []) == 1]
    table = packed([h for _, h in listed])
    rows = []
    for medium in media:
        if medium["pdq"] is None or medium["pdq_quality"] < context.params["pdq_quality"]:
            continue
        for index, bits in within(packed([medium["pdq"]])[0], table, context.params["pdq_distance"]):
            rows.append(_match(medium, listed[index][0], "pdq", bits))
    return rows


def _near_videos(media: list[dict[str, Any]], entries: list[dict[str, Any]], context: Context) -> list[dict[str, Any]]:
    """A video whose share of frames found in a listed video reaches `frame_share`; distance: the largest of those."""
    radius, least = context.params["pdq_distance"], context.params["pdq_quality"]
    listed = [(e, packed(e["pdq"])) for e in entries if len(e["pdq"] or []) > 1]
    frames: dict[str, list[str]] = defaultdict(list)
    for row in context.sql("SELECT * FROM media_frames ORDER BY item, second").to_pylist():
        if row["pdq_quality"] >= least:
            frames[row["item"]].append(row["pdq"])
    rows = []
    for medium in media:
        queries = packed(frames.get(medium["item"], []))
        for entry, hashes in listed if len(queries) else []:
            nearest = [min((bits for _, bits in within(q, hashes, radius)), default=None) for q in queries]
            hits = [bits for bits in nearest if bits is not None]
            if len(hits) >= context.params["frame_share"] * len(queries):
                rows.append(_match(medium, entry, "frames", max(hits)))
    return rows


def _match(medium: dict[str, Any], entry: dict[str, Any], method: str, bits: int) -> dict[str, Any]:
    return {
        "match_id": make_id("match", medium["item"], entry["entry"], method), "item": medium["item"],
        "list": entry["list"], "entry": entry["entry"], "method": method, "distance": bits,
        "category": entry["category"], "sources": ["media/" + medium["item"], entry["entry"]],
    }  # fmt: skip
