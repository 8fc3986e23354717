"""What matches is what comparing every medium with every entry finds, whatever the lists are like."""

from collections import defaultdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.kernels.hamming import packed, within_slow
from casewright.media.columns import packed_column
from casewright.media.stages import STAGES
from casewright.model.ids import make_id
from casewright.model.tables import TABLES
from tests.kernels.test_hamming import flipped, in_hex, some
from tests.world import context, rows_of

Rows = list[dict[str, Any]]
RADIUS = 31
PARAMS = {"pdq_distance": RADIUS, "pdq_quality": 50, "frame_share": 0.8, "second_look": False}


def world(seed: int) -> dict[str, Rows]:
    """Media and lists that share hashes: repeated, near, below the quality, missing, of films and of pictures."""
    dice = np.random.default_rng(seed)
    few = some("random", 6, seed)

    def hashes(count: int) -> list[str]:
        return in_hex(flipped(few[dice.integers(0, len(few), count)], dice, 18))

    def digest(size: int) -> str | None:
        return None if dice.random() < 0.5 else f"{dice.integers(0, 12):0{size}x}"

    items = [{"item": f"item-{n}", "sha256": f"{n % 9:064x}", "sha1": digest(40), "md5": digest(32)} for n in range(14)]
    media, frames = [], []
    for item in items[:12]:
        film = bool(dice.random() < 0.4)
        pdq = None if film or dice.random() < 0.1 else hashes(1)[0]
        media.append({"item": item["item"], "kind": "video" if film else "picture", "pdq": pdq,
                      "pdq_quality": None if pdq is None else int(dice.integers(40, 60))})  # fmt: skip
        frames += [{"item": item["item"], "second": float(n), "pdq": pdq, "pdq_quality": int(dice.integers(45, 90))}
                   for n, pdq in enumerate(hashes(int(dice.integers(0, 7)) if film else 0))]  # fmt: skip
    entries = [
        {"entry": f"entry-{n}", "list": f"l{n % 3}", "category": None if n % 4 else str(n), "sha256": digest(64),
         "sha1": digest(40), "md5": digest(32), "pdq": hashes(int(dice.choice([0, 1, 1, 3, 5]))) if n % 7 else None}
        for n in range(20)
    ]  # fmt: skip
    return {"items": items, "media": media, "media_frames": frames, "list_entries": entries}


def matches_slow(tables: dict[str, Rows]) -> Rows:
    """Every medium with every entry. The definition."""
    digests = {row["item"]: row for row in tables["items"]}
    frames = defaultdict(list)
    for row in tables["media_frames"]:
        if row["pdq_quality"] >= PARAMS["pdq_quality"]:
            frames[row["item"]].append(row["pdq"])
    rows = []
    for medium in tables["media"]:
        for entry in tables["list_entries"]:
            found = {**_exact(digests[medium["item"]], entry), **_near(medium, frames[medium["item"]], entry)}
            for method, bits in found.items():
                rows.append({
                    "match_id": make_id("match", medium["item"], entry["entry"], method), "item": medium["item"],
                    "list": entry["list"], "entry": entry["entry"], "method": method, "distance": bits,
                    "category": entry["category"], "sources": ["media/" + medium["item"], entry["entry"]],
                })  # fmt: skip
    return sorted(rows, key=lambda r: (r["item"], r["method"], r["distance"], r["entry"]))


def _exact(item: dict[str, Any], entry: dict[str, Any]) -> dict[str, int]:
    same = (m for m in ("sha256", "sha1", "md5") if entry[m] and entry[m] == item[m])
    return dict.fromkeys(list(same)[:1], 0)


def _near(medium: dict[str, Any], frames: list[str], entry: dict[str, Any]) -> dict[str, int]:
    listed = entry["pdq"] or []
    if len(listed) == 1:
        if medium["pdq"] is None or medium["pdq_quality"] < PARAMS["pdq_quality"]:
            return {}
        near = within_slow(medium["pdq"], listed, RADIUS)
        return {"pdq": near[0][1]} if near else {}
    nearest = [min((b for _, b in within_slow(f, listed, RADIUS)), default=None) for f in frames]
    hits = [bits for bits in nearest if bits is not None]
    return {"frames": max(hits)} if hits and len(hits) >= PARAMS["frame_share"] * len(frames) else {}


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 100_000))
def test_matches_are_those_that_comparing_every_pair_finds(seed: int) -> None:
    tables = world(seed)
    stage = next(s for s in STAGES if s.name == "matches")
    made = context(tables, [], PARAMS)
    made.tables = {**made.tables, "list_entries": made.tables["list_entries"].select(stage.columns["list_entries"])}
    output = stage.work(made.table("items").slice(0, 0), made)
    assert rows_of(output.tables["media_matches"]) == matches_slow(tables)
    assert output.tables["media_matches"].schema == TABLES["media_matches"].schema
    (tally,) = output.tallies
    assert (tally.received, tally.done) == (12, len({r["item"] for r in matches_slow(tables)}))


def test_hashes_in_columns_become_the_same_numbers() -> None:
    text = in_hex(some("random", 9, 1))
    column = TABLES["media"].rows([{"pdq": t} for t in ["0" * 64, *text]]).column("pdq").slice(1)
    np.testing.assert_array_equal(packed_column(column), packed(text))
