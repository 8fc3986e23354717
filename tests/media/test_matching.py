"""What matches is what comparing every medium with every entry finds, whatever the lists are like."""

from dataclasses import asdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.kernels.hamming import packed, within_slow
from casewright.media.columns import packed_column
from casewright.media.stages import STAGES, WORKLIST
from casewright.model.ids import make_id
from casewright.model.settings import MediaSettings
from casewright.model.tables import TABLES
from tests.kernels.test_hamming import flipped, in_hex, some
from tests.world import context, rows_of

NO_SPAN = dict.fromkeys(("item_from", "item_to", "entry_from", "entry_to", "item_share", "entry_share"))
Rows = list[dict[str, Any]]
RADIUS = 31
PARAMS = {**asdict(MediaSettings()), "pdq_distance": RADIUS, "second_look": False}


def world(seed: int) -> dict[str, Rows]:
    """Media and lists that share hashes: repeated, near, below the quality, missing."""
    dice = np.random.default_rng(seed)
    few = some("random", 6, seed)

    def hashes(count: int) -> list[str]:
        return in_hex(flipped(few[dice.integers(0, len(few), count)], dice, 18))

    def digest(size: int) -> str | None:
        return None if dice.random() < 0.5 else f"{dice.integers(0, 12):0{size}x}"

    items = [{"item": f"item-{n}", "sha256": f"{n % 9:064x}", "sha1": digest(40), "md5": digest(32)} for n in range(14)]
    media = []
    for item in items[:12]:
        pdq = None if dice.random() < 0.3 else hashes(1)[0]
        media.append({"item": item["item"], "kind": "picture", "pdq": pdq,
                      "pdq_quality": None if pdq is None else int(dice.integers(40, 60))})  # fmt: skip
    entries = [
        {"entry": f"entry-{n}", "list": f"l{n % 3}", "category": None if n % 4 else str(n), "sha256": digest(64),
         "sha1": digest(40), "md5": digest(32), "pdq": hashes(int(dice.choice([0, 1, 1, 1, 2]))) if n % 7 else None}
        for n in range(20)
    ]  # fmt: skip
    return {"items": items, "media": media, "list_entries": entries}


def matches_slow(tables: dict[str, Rows]) -> Rows:
    """Every medium with every entry. The definition."""
    digests = {row["item"]: row for row in tables["items"]}
    rows = []
    for medium in tables["media"]:
        for entry in tables["list_entries"]:
            found = {**_exact(digests[medium["item"]], entry), **_near(medium, entry)}
            for method, bits in found.items():
                rows.append({
                    "match_id": make_id("match", medium["item"], entry["entry"], method), "item": medium["item"],
                    "list": entry["list"], "entry": entry["entry"], "method": method, "distance": bits,
                    "category": entry["category"], **NO_SPAN, "sources": ["media/" + medium["item"], entry["entry"]],
                })  # fmt: skip
    return sorted(rows, key=lambda r: (r["item"], r["method"], r["distance"], r["entry"]))


def _exact(item: dict[str, Any], entry: dict[str, Any]) -> dict[str, int]:
    same = (m for m in ("sha256", "sha1", "md5") if entry[m] and entry[m] == item[m])
    return dict.fromkeys(list(same)[:1], 0)


def _near(medium: dict[str, Any], entry: dict[str, Any]) -> dict[str, int]:
    listed = entry["pdq"] or []
    if len(listed) != 1 or medium["pdq"] is None or medium["pdq_quality"] < PARAMS["pdq_quality"]:
        return {}
    near = within_slow(medium["pdq"], listed, RADIUS)
    return {"pdq": near[0][1]} if near else {}


@settings(max_examples=15)
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


def films() -> dict[str, Rows]:
    """A film of the case in two copies, of which keyframes and seconds say that it is part of a listed one."""
    film = in_hex(some("random", 40, 4))
    items = [{"item": f"item-{n}", "sha256": f"{n if n in (1, 4) else 2:064x}"} for n in range(1, 5)]
    media = [{"item": item["item"], "kind": "video"} for item in items]
    seconds = [{"item": item["item"], "second": float(n), "pdq": film[n + 10], "pdq_quality": 90}
               for item in items[:3] for n in range(20)]  # fmt: skip
    keys = [row for n, row in enumerate(seconds) if n % 4 == 0]
    return {"items": items, "media": media, "media_frames": [row for row in seconds if row["item"] != "item-1"],
            "media_keyframes": keys, "list_entries": [{"entry": "entry-1", "list": "l", "pdq": film}]}  # fmt: skip


def test_videos_are_judged_by_their_seconds_or_by_keyframes_where_there_is_no_more_and_copies_alike() -> None:
    world = context(films(), [], PARAMS)
    stages = {s.name: s for s in STAGES}
    first = rows_of(stages["first_matches"].work(None, world).tables["first_matches"])
    assert {(r["item"], r["method"]) for r in first} == {(f"item-{n}", "part") for n in (1, 2, 3)}
    (tally,) = stages["first_matches"].work(None, world).tallies
    assert (tally.noun, tally.received, tally.done, tally.nothing) == ("videos", 4, 3, 1)
    rows = {r["item"]: r for r in rows_of(stages["matches"].work(None, world).tables["media_matches"])}
    assert rows.keys() == {"item-1", "item-2", "item-3"}
    assert [(r["item_from"], r["item_to"], r["entry_from"], r["entry_to"]) for r in rows.values()] == [
        (0, 17, 10, 27), (0, 20, 10, 30), (0, 20, 10, 30),
    ]  # fmt: skip
    assert rows["item-2"]["match_id"] not in {r["match_id"] for r in first}
    judged = context({**films(), "media_matches": list(rows.values())}, [], PARAMS)
    work = rows_of(WORKLIST.work(None, judged).tables["worklist"])
    assert sorted((w["item"], w["state"]) for w in work) == [("item-1", "near"), ("item-2", "near"), ("item-4", "new")]
