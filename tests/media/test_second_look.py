"""The second look: what was cut, framed, shown on a screen or turned is found again, and nothing else is."""

import io
from collections import defaultdict
from dataclasses import asdict
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

from casewright.demo.media_scenery import landscape, mosaic, tiling, vase
from casewright.kernels.pdq_fast import pdq_of_pixels
from casewright.media.pictures import Room
from casewright.media.rectangles import rectangles
from casewright.media.stages import STAGES, WORKLIST
from casewright.media.views import VIEWS, views_of
from casewright.model.errors import Refused
from casewright.model.settings import LimitSettings, MediaSettings
from casewright.model.tables import TABLES
from tests.media.passed_on import CHANGES, LISTED_CUT, framed, on_a_phone, saved
from tests.world import context, digests_of, rows_of

PARAMS = {**asdict(LimitSettings()), **asdict(MediaSettings())}
PHOTOGRAPHS = ("coffee", "chelsea", "rocket", "hubble_deep_field", "retina", "immunohistochemistry", "camera", "gravel",
               "brick", "coins", "text", "clock")  # fmt: skip
EXPECTED = {
    "saved again": 0.9, "mirrored": 1.0, "turned by 90, 180 or 270°": 1.0, "margins of up to 20 %": 0.95,
    "letterbox or pillarbox": 0.9, "margins of a blurred copy": 0.8, "shown on a phone": 0.9, "shown on a page": 0.8,
    "shown in a window": 0.7, "cut by up to 10 % of its area": 0.85, "cut by up to 10 % of both sides": 0.6,
    "one side cut by up to 10 %": 0.7, "5 % cut off on each side": 0.6, "10 % cut off on each side": 0.1,
    "listed is cut by up to 10 % of its area": 0.85, "listed is cut by up to 10 % of both sides": 0.7,
    "listed has one side cut by up to 10 %": 0.7,
}  # fmt: skip
"""Share of pictures that must be found; the larger measurement is in docs/guides/media.md."""


@cache
def pictures() -> list[Image.Image]:
    found = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in PHOTOGRAPHS]
    found += [draw(seed) for seed in range(2) for draw in (landscape, mosaic, vase, tiling)]
    return [p for p in found if pdq_of_pixels(np.asarray(p)).quality >= 50]


def stage(name: str) -> Any:
    return next(s for s in STAGES if s.name == name)


def item(name: str, raw: bytes) -> dict[str, Any]:
    digests = digests_of(raw)
    return {"item": name, "name": name, "mime": "image/jpeg", "sha256": digests.sha256, "md5": digests.md5}


def looked_for(seized: dict[str, bytes], listed: dict[str, Image.Image], **params: Any) -> list[dict[str, Any]]:
    """The matches of these files with these listed pictures, through the stages."""
    items = [item(name, raw) for name, raw in seized.items()]
    entries = [{"entry": name, "list": "l", "pdq": [pdq_of_pixels(np.asarray(p)).hash]} for name, p in listed.items()]
    tables: dict[str, list[dict[str, Any]]] = {"items": items, "list_entries": entries}
    for name in ("media", "views"):
        world = context(tables, seized.values(), {**PARAMS, "frame_seconds": 1.0, **params})
        made = stage(name).work(world.table("items"), world)
        assert not made.set_aside
        tables |= {table: rows_of(rows) for table, rows in made.tables.items()}
    world = context(tables, [], {**PARAMS, **params})
    return rows_of(stage("matches").work(world.table("items").slice(0, 0), world).tables["media_matches"])


def test_what_was_changed_is_found_again_and_nothing_else() -> None:
    dice = Random(5)
    seized, listed, made_of = {}, {}, {}
    for number, picture in enumerate(pictures()):
        if number % 2:
            continue  # is on no list: nothing made of it may be found
        listed[f"whole {number}"] = picture
    for number, picture in enumerate(pictures()):
        for name, change in CHANGES.items():
            seized[f"{name}: {number}"] = saved(change(picture, dice), dice)
            made_of[f"{name}: {number}"] = number
    found = defaultdict(list)
    matches = defaultdict(list)
    for match in looked_for(seized, listed):
        matches[match["item"]].append(match)
    for name, number in made_of.items():
        assert {m["entry"] for m in matches[name]} <= {f"whole {number}"}, name
        if number % 2 == 0:
            found[name.split(":")[0]].append(bool(matches[name]))
    shares = {name: float(np.mean(hits)) for name, hits in found.items()}
    assert {name: share for name, share in shares.items() if share < EXPECTED[name]} == {}


def test_a_whole_picture_is_found_when_a_part_of_it_is_listed() -> None:
    dice = Random(6)
    for name, change in LISTED_CUT.items():
        listed = {f"cut {number}": change(picture, dice) for number, picture in enumerate(pictures())}
        seized = {f"whole {number}": saved(picture, dice) for number, picture in enumerate(pictures())}
        matches = looked_for(seized, listed)
        assert all(m["item"].split()[1] == m["entry"].split()[1] for m in matches)
        assert len({m["item"] for m in matches}) >= EXPECTED[name] * len(seized), name


@pytest.mark.parametrize(
    ("change", "view"),
    [
        ("mirrored", "mirrored"), ("turned by 90, 180 or 270°", "turned"), ("margins of up to 20 %", "border"),
        ("shown on a phone", "screenshot"), ("5 % cut off on each side", "crop"),
    ],
)  # fmt: skip
def test_a_match_says_how_the_listed_picture_is_seen(change: str, view: str) -> None:
    picture = pictures()[0]
    (match,) = looked_for({"seized": saved(CHANGES[change](picture, Random(1)), Random(1))}, {"listed": picture})
    assert match["method"] == view in VIEWS
    assert 0 <= match["distance"] <= (47 if view == "crop" else 31)


def test_what_the_first_look_finds_is_not_looked_at_again() -> None:
    picture = pictures()[0]
    mirrored = CHANGES["mirrored"](picture, Random(1))
    matches = looked_for({"seized": saved(picture, Random(1))}, {"listed": picture, "mirrored": mirrored})
    assert [(m["entry"], m["method"]) for m in matches] == [("listed", "pdq")]


def test_every_copy_of_the_same_bytes_has_the_match() -> None:
    picture = pictures()[0]
    raw = saved(CHANGES["mirrored"](picture, Random(1)), Random(1))
    items = [item(name, raw) for name in ("b", "a", "c")]
    media = [{"item": i["item"], "kind": "picture", "pdq": "0" * 64, "pdq_quality": 90} for i in items]
    world = context({"items": items, "media": media}, [raw], PARAMS)
    first = world.sql(f"SELECT item, sha256, name FROM items WHERE {stage('views').where}")
    assert first.column("item").to_pylist() == ["a"]
    views = rows_of(stage("views").work(first, world).tables["media_views"])
    entry = {"entry": "e", "list": "l", "pdq": [pdq_of_pixels(np.asarray(picture)).hash]}
    again = context({"items": items, "media": media, "media_views": views, "list_entries": [entry]}, [], PARAMS)
    matches = rows_of(stage("matches").work(again.table("items").slice(0, 0), again).tables["media_matches"])
    assert [(m["item"], m["method"]) for m in matches] == [(n, "mirrored") for n in ("a", "b", "c")]


def test_the_second_look_can_be_left_out() -> None:
    picture = pictures()[0]
    seized = {"seized": saved(CHANGES["mirrored"](picture, Random(1)), Random(1))}
    assert looked_for(seized, {"listed": picture}, second_look=False) == []


def test_a_distance_that_would_miss_pairs_is_refused() -> None:
    with pytest.raises(Refused, match="cut_distance"):
        looked_for({"seized": saved(pictures()[0], Random(1))}, {}, cut_distance=48)


def test_views_are_those_of_the_picture_as_it_is_seen() -> None:
    picture = pictures()[0]
    turned = np.asarray(picture.transpose(Image.Transpose.ROTATE_90))
    assert views_of(turned, 6, 50) == views_of(np.asarray(picture), 1, 50)


def test_a_flat_picture_has_no_views_and_counts_as_nothing_to_find() -> None:
    raw = saved(Image.new("RGB", (300, 200), (90, 90, 90)), Random(1))
    world = context({"items": [item("flat", raw)]}, [raw], PARAMS)
    output = stage("views").work(world.table("items"), world)
    assert output.tables["media_views"].num_rows == 0
    (tally,) = output.tallies
    assert (tally.received, tally.done, tally.nothing) == (1, 0, 1)


def test_a_picture_that_cannot_be_decoded_is_set_aside() -> None:
    raw = saved(pictures()[0], Random(1))[:3000]
    world = context({"items": [item("cut", raw)]}, [raw], PARAMS)
    output = stage("views").work(world.table("items"), world)
    assert [(a.noun, a.subject, a.reason) for a in output.set_aside] == [("second looks", "cut", "truncated")]


def test_no_picture_has_more_views_than_the_guide_says() -> None:
    dice = Random(9)
    for picture in pictures()[:4]:
        for change in CHANGES.values():
            found = views_of(np.asarray(change(picture, dice)), 1, 50)
            assert sum(map(len, found.values())) <= 7 + 28 + 28 + 8
            assert set(found) <= set(VIEWS)
            assert all(len(h) == 32 for hashes in found.values() for h in hashes)


def test_margins_are_found_to_the_pixel() -> None:
    whole = np.asarray(framed(pictures()[0].resize((300, 200)), 0.1, 0.2, 0.05, 0.15, (255, 255, 255)))
    assert (30, 40, 330, 240) in {(r.left, r.top, r.right, r.bottom) for r in rectangles(whole) if r.kind == "border"}


def test_rectangles_of_any_pixels_are_few_and_lie_within() -> None:
    dice = np.random.default_rng(3)
    screens = [np.asarray(on_a_phone(picture, Random(2))) for picture in pictures()[:3]]
    noise = [dice.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 40), (33, 900, 3), (5, 5, 4), (1, 4000))]
    stripes = np.zeros((600, 600, 3), np.uint8)
    stripes[::4], stripes[:, ::4] = 255, 128
    grid = np.zeros((600, 600), np.uint8)
    grid[np.ix_(np.arange(600) % 60 > 9, np.arange(600) % 60 > 9)] = 200
    for pixels in (*screens, *noise, stripes, grid, np.zeros((700, 700), np.uint8)):
        found = rectangles(pixels)
        assert len(found) <= 8
        for r in found:
            assert 0 <= r.top < r.bottom <= pixels.shape[0]
            assert 0 <= r.left < r.right <= pixels.shape[1]


def test_room_is_not_shared_with_what_is_kept() -> None:
    """Pixels live in memory that the next picture overwrites; hashes must not change with it."""
    first, second = (saved(p, Random(1)) for p in pictures()[:2])
    one = context({"items": [item("1", first), item("2", second)]}, [first, second], PARAMS)
    together = rows_of(stage("views").work(one.table("items"), one).tables["media_views"])
    assert isinstance(Room(), Room)
    with Image.open(io.BytesIO(first)) as opened:
        alone = views_of(np.asarray(opened), 1, 50)
    assert {r["view"]: r["pdq"] for r in together if r["item"] == "1"} == {v: b"".join(h) for v, h in alone.items()}


def test_the_table_of_views_is_as_the_contract_says() -> None:
    assert TABLES["media_views"].schema.names == ["item", "view", "pdq"]


def test_the_worklist_says_so() -> None:
    picture = pictures()[0]
    raw = saved(CHANGES["mirrored"](picture, Random(1)), Random(1))
    (match,) = looked_for({"seized": raw}, {"listed": picture})
    tables = {
        "items": [item("seized", raw)],
        "media": [{"item": "seized", "kind": "picture"}],
        "media_matches": [match],
    }
    world = context(tables, [], PARAMS)
    (row,) = rows_of(WORKLIST.work(world.table("items").slice(0, 0), world).tables["worklist"])
    assert (row["state"], row["reason"]) == ("near", f"a listed one, mirrored ({match['distance']} bits)")
