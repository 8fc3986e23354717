"""A known clip is found in a longer film, a part of a known film alone; intros, logos and black count for nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from casewright.kernels.hamming import packed
from casewright.media.containment import Rules
from casewright.media.films import Films
from casewright.media.video_matching import video_matches
from casewright.model.tables import TABLES
from tests.kernels.test_hamming import flipped, in_hex, some

RULES = Rules(near=31, share=0.8, excerpt=10, films=3, common=30)
Hashes = NDArray[np.uint64]


def body(seed: int, seconds: int) -> Hashes:
    """A film that nothing else looks like; every second is another picture."""
    return packed(in_hex(some("random", seconds, seed)))


def still(seed: int, seconds: int) -> Hashes:
    return np.repeat(body(seed, 1), seconds, axis=0)


def joined(*parts: Hashes) -> Hashes:
    return np.concatenate(parts)


def judged(
    items: dict[str, Hashes],
    listed: dict[str, Hashes],
    poor: Sequence[tuple[str, int, int]] = (),
    bits: int = 10,
    quality: int = 5,
) -> dict[tuple[str, str], dict[str, Any]]:
    """Matches of films of a frame a second, each some bits off; `poor`: film, and from and to where it is black, or as
    dark as `quality` says."""
    dice = np.random.default_rng(3)
    rows = [
        {"item": name, "second": float(at), "pdq": text, "is_whole": True,
         "pdq_quality": quality if any(n == name and a <= at < b for n, a, b in poor) else 90}
        for name in sorted(items) for at, text in enumerate(in_hex(flipped(items[name], dice, bits)))
    ]  # fmt: skip
    entries = TABLES["list_entries"].rows([{"entry": n, "pdq": in_hex(h)} for n, h in listed.items()])
    found = video_matches(Films.of_case(pa.Table.from_pylist(rows), 50), Films.of_lists(entries), RULES)
    return {(row["item"], row["entry"]): row for row in found.to_pylist()}


def spans(row: dict[str, Any]) -> tuple[float, float, float, float]:
    return row["item_from"], row["item_to"], row["entry_from"], row["entry_to"]


def test_a_known_clip_inside_a_longer_film_is_found_with_its_seconds() -> None:
    clip = body(1, 20)
    found = judged({"long": joined(body(2, 33), clip, body(3, 40))}, {"clip": clip, "other": body(4, 50)})
    assert found.keys() == {("long", "clip")}
    row = found["long", "clip"]
    assert row["method"] == "contains"
    assert spans(row) == (33, 53, 0, 20)
    assert row["entry_share"] == 1
    assert row["item_share"] == pytest.approx(20 / 93, abs=0.02)


def test_a_part_of_a_known_film_alone_is_found_with_its_seconds() -> None:
    film = body(1, 90)
    for length in (3, 8, 30):
        (row,) = judged({"part": film[41 : 41 + length]}, {"film": film}).values()
        assert row["method"] == "part"
        assert spans(row) == (0, length, 41, 41 + length)


def test_the_whole_is_told_from_parts_and_a_longer_stretch_from_both() -> None:
    film = body(1, 60)
    items = {"whole": film[1:], "excerpt": joined(body(2, 50), film[20:35], body(3, 50))}
    found = judged(items, {"film": film})
    assert {key[0]: row["method"] for key, row in found.items()} == {"whole": "frames", "excerpt": "excerpt"}
    assert spans(found["excerpt", "film"]) == (50, 65, 20, 35)


def test_a_short_stretch_of_two_long_films_is_no_match() -> None:
    film = body(1, 60)
    assert not judged({"long": joined(body(2, 50), film[20:26], body(3, 50))}, {"film": film})


def test_seconds_that_are_missing_or_changed_do_not_break_a_stretch() -> None:
    film = body(1, 60)
    changed = film.copy()
    changed[[10, 11, 25, 40, 41, 42]] = body(9, 6)
    (row,) = judged({"item": changed[5:50]}, {"film": film}).values()
    assert spans(row) == (0, 45, 5, 50)


def test_an_intro_that_several_films_share_counts_for_nothing() -> None:
    intro = body(1, 12)
    listed = {f"film {n}": joined(intro, body(10 + n, 50)) for n in range(4)}
    items = {"intro": intro, "stranger": joined(intro, body(30, 40)), "little": joined(intro, body(31, 2)),
             "third": joined(intro, body(13, 50))}  # fmt: skip
    found = judged(items, listed)
    assert {(*key, row["method"]) for key, row in found.items()} == {("third", "film 3", "frames")}


def test_what_all_films_of_the_case_begin_with_makes_none_of_them_known() -> None:
    """The site's own intro stands before every film, and before the one of them that is listed."""
    intro = body(1, 12)
    items = {f"film {n}": joined(intro, body(10 + n, 40)) for n in range(5)}
    found = judged(items, {"listed": joined(intro, body(12, 40))})
    assert {(key[0], row["method"]) for key, row in found.items()} == {("film 2", "frames")}


def test_copies_of_one_film_are_one_film_and_make_nothing_common() -> None:
    film = body(1, 40)
    listed = {f"copy {n}": flipped(film, np.random.default_rng(n), 6) for n in range(5)}
    items = {"part": film[10:25], **{f"upload {n}": film for n in range(5)}}
    found = judged(items, listed)
    assert {row["method"] for (item, _), row in found.items() if item == "part"} == {"part"}
    assert len(found) == 6 * 5


def test_a_listed_clip_counts_though_several_listed_films_contain_it() -> None:
    clip = body(1, 15)
    listed = {f"film {n}": joined(body(10 + n, 30), clip, body(20 + n, 30)) for n in range(4)} | {"clip": clip}
    assert judged({"item": clip}, listed)["item", "clip"]["method"] == "frames"


def test_black_counts_for_nothing() -> None:
    black = still(1, 10)
    items = {"black": black, "film": joined(body(2, 20), black)}
    listed = {"known": joined(body(3, 20), black), "same": joined(body(2, 20), black)}
    found = judged(items, listed, poor=[("black", 0, 10), ("film", 20, 30)])
    assert {(*key, row["method"]) for key, row in found.items()} == {("film", "same", "frames")}
    assert found["film", "same"]["entry_share"] == 1


def test_a_card_that_stands_still_is_one_moment_however_long() -> None:
    card = still(1, 40)
    assert not judged({"film": joined(body(2, 30), card)}, {"known": joined(card, body(3, 30))})


def test_an_intro_belongs_to_the_span_though_it_counts_for_nothing() -> None:
    intro, black = body(1, 9), still(2, 2)
    listed = {f"film {n}": joined(intro, black, body(10 + n, 20)) for n in range(4)}
    items = {"whole": joined(body(3, 30), listed["film 2"], body(4, 30)),
             "body": joined(body(5, 30), listed["film 2"][11:], body(6, 30))}  # fmt: skip
    found = judged(items, listed, poor=[("whole", 39, 41)])
    assert found.keys() == {("whole", "film 2"), ("body", "film 2")}
    assert spans(found["whole", "film 2"]) == (30, 61, 0, 31)
    assert spans(found["body", "film 2"]) == (30, 50, 11, 31)


def test_dark_seconds_belong_to_the_span_and_black_ones_do_not() -> None:
    film = body(1, 30)
    items = {"item": joined(body(2, 20), film, body(3, 20))}
    for quality, ends in ((30, (20, 50, 0, 30)), (5, (24, 46, 4, 26))):
        found = judged(items, {"film": film}, [("item", 20, 24), ("item", 46, 50)], quality=quality)
        assert spans(found["item", "film"]) == ends


def test_one_picture_that_stands_still_is_placed_in_the_middle_of_where_it_may_lie() -> None:
    """Also where listed films have an intro in common: the clip has nothing of it."""
    intro = body(1, 9)
    listed = {f"film {n}": joined(intro, body(10 + n, 11), still(20 + n, 9), body(30 + n, 20)) for n in range(4)}
    items = {"card": listed["film 1"][22:27], **{f"other {n}": joined(intro, body(40 + n, 20)) for n in range(4)}}
    found = judged(items, listed, bits=3)
    assert found.keys() == {("card", "film 1")}
    assert spans(found["card", "film 1"]) == (0, 5, 22, 27)


def test_a_picture_that_stands_still_does_not_outvote_the_one_before_it() -> None:
    film = joined(body(1, 17), still(2, 9), body(3, 20))
    (row,) = judged({"part": film[16:20]}, {"film": film}, bits=3).values()
    assert row["method"] == "part"
    assert spans(row) == (0, 4, 16, 20)


def test_frames_between_seconds_find_what_begins_elsewhere() -> None:
    """A camera that moves fast: half a second later the picture is another one."""
    fine = body(1, 400)  # a tenth of a second each
    listed = {"film": fine[::10]}
    dice = np.random.default_rng(3)
    shifted = in_hex(flipped(fine[125:325], dice, 10))
    rows = [{"item": "part", "second": n / 10, "pdq": text, "pdq_quality": 90, "is_whole": n % 10 == 0}
            for n, text in enumerate(shifted)]  # fmt: skip
    entries = TABLES["list_entries"].rows([{"entry": n, "pdq": in_hex(h)} for n, h in listed.items()])
    for every, expected in ((1, 1), (10, 0)):
        case = Films.of_case(pa.Table.from_pylist(rows[::every]), 50)
        found = video_matches(case, Films.of_lists(entries), RULES).to_pylist()
        assert len(found) == expected
        if expected:
            assert found[0]["method"] == "part"
            assert spans(found[0]) == (0.5, 20.5, 13, 33)


def test_of_a_film_that_is_listed_very_often_the_first_entries_are_told() -> None:
    film = body(1, 8)
    found = judged({"item": film}, {f"entry {n:04}": film for n in range(300)})
    assert {entry for _, entry in found} == {f"entry {n:04}" for n in range(256)}


def test_nothing_is_found_in_nothing() -> None:
    assert not judged({"film": body(1, 5)}, {})
    schema = pa.schema([*TABLES["media_frames"].schema, ("is_whole", pa.bool_())])
    lists = TABLES["list_entries"].rows([{"entry": "film", "pdq": in_hex(body(1, 5))}])
    assert not video_matches(Films.of_case(schema.empty_table(), 50), Films.of_lists(lists), RULES).num_rows


def test_a_part_counts_though_several_longer_films_of_the_case_hold_the_whole() -> None:
    film = body(1, 24)
    items = {f"long {n}": joined(body(10 + n, 20), film, body(20 + n, 20)) for n in range(4)} | {"part": film[4:12]}
    found = judged(items, {"film": film})
    assert {item: row["method"] for (item, _), row in found.items()} == {
        "part": "part", **{f"long {n}": "contains" for n in range(4)},
    }  # fmt: skip
