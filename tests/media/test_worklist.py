"""A queue of groups: one is opened for all its versions, reasons are plain, and what was judged is not shown again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from casewright.media.stages import STAGES, WORKLIST
from casewright.model.settings import Settings
from casewright.model.tables import TABLES
from tests.world import context, rows_of

Rows = list[dict[str, Any]]


def pdq(bits: int) -> str:
    """A hash that differs in so many bits from that without any."""
    return f"{(1 << bits) - 1:064x}"


def case(pictures: Mapping[str, int], copies: Mapping[str, str] | None = None, **more: Rows) -> Any:
    """Pictures by the bits of their hash, items that hold the same bytes as another, and other tables."""
    same = {**{name: name for name in pictures}, **(copies or {})}
    items = [
        {"item": name, "exhibit": "e", "path": name.encode(), "name": name, "sha256": f"sha-{of}", "md5": f"md5-{of}"}
        for name, of in same.items()
    ]
    media = [
        {"item": name, "kind": "picture", "width": 4, "height": 3, "pdq": pdq(pictures[of]), "pdq_quality": 90}
        for name, of in same.items()
    ]
    return context({"items": items, "media": media, **more}, [], WORKLIST.params(Settings()))


def worked(world: Any) -> dict[str, dict[str, Any]]:
    """The worklist by its items, made after the groups."""
    stage = next(s for s in STAGES if s.name == "groups")
    world.params = {**stage.params(Settings()), **world.params}
    made = stage.work(pa.table({}), world).tables["media_groups"]
    world.tables = {**world.tables, "media_groups": pa.concat_tables([world.tables["media_groups"], made])}
    stage = next(s for s in STAGES if s.name == "uploaded")
    world.tables = {**world.tables, **stage.work(pa.table({}), world).tables}
    output = WORKLIST.work(pa.table({}), world)
    for tally in output.tallies:
        assert tally.received == tally.done + tally.nothing
    assert output.tables["worklist"].schema == TABLES["worklist"].schema
    return {row["item"]: row for row in rows_of(output.tables["worklist"])}


def opened(work: Mapping[str, dict[str, Any]]) -> list[str]:
    """What a reviewer opens, in order."""
    return [row["item"] for row in sorted(work.values(), key=lambda r: r["rank"] or 0) if row["opens"]]


def match(item: str, method: str, distance: int = 0) -> dict[str, Any]:
    return {"match_id": f"match-{item}", "item": item, "list": "l", "entry": "e", "method": method,
            "distance": distance, "category": "2"}  # fmt: skip


def judged(item: str, verdict: str) -> dict[str, Any]:
    return {"judgement": f"judge-{item}", "link": f"media/{item}", "verdict": verdict, "examiner": "R. Example",
            "why": "seen", "stands": True}  # fmt: skip


def test_one_is_opened_for_its_copies_and_versions_and_all_stay_findable() -> None:
    work = worked(case({"a": 0, "b": 10, "c": 120}, {"a2": "a", "a3": "a"}))
    assert opened(work) == ["a", "c"]
    assert {n: (r["rank"], r["items"]) for n, r in work.items()} == {"a": (1, 3), "b": (1, 1), "c": (2, 1)}
    assert work["a"]["work_group"] == work["b"]["work_group"] != work["c"]["work_group"]
    assert work["a"]["reason"] == "on no list; 3 copies; 2 versions, 4 items"
    assert work["b"]["reason"] == "on no list; a version of a, which is opened for it"


def test_strangers_at_both_ends_of_a_chain_are_opened_each() -> None:
    assert len(opened(worked(case({"a": 0, "b": 20, "c": 40, "d": 60})))) >= 2


def test_new_comes_before_near_and_near_before_known() -> None:
    matches = [match("b", "md5"), match("c", "pdq", 12), match("d", "looks like it", 3)]
    work = worked(case({"a": 0, "b": 60, "c": 120, "d": 180}, media_matches=matches))
    assert opened(work)[0] == "a"
    assert opened(work)[-1] == "b"
    assert {n: r["state"] for n, r in work.items()} == {"a": "new", "b": "known", "c": "near", "d": "near"}
    assert work["c"]["reason"] == "12 bits from a listed one, category 2"
    assert work["d"]["reason"] == "near a listed one by looks like it (3 bits), category 2"


def test_a_film_says_where_in_it_a_listed_one_is_and_where_in_a_listed_one_it_is() -> None:
    stretch = {"item_from": 95.0, "item_to": 107.4, "entry_from": 3600.0, "entry_to": 3661.0}
    matches = [{**match("a", "contains", 12), **stretch}, {**match("b", "part", 12), **stretch},
               {**match("c", "excerpt", 12), **stretch}, {**match("d", "frames", 12), **stretch}]  # fmt: skip
    work = worked(case({"a": 0, "b": 60, "c": 120, "d": 180}, media_matches=matches))
    assert {name: row["reason"] for name, row in work.items()} == {
        "a": "holds a listed film, from 1:35 to 1:47, category 2",
        "b": "part of a listed film, from 1:00:00 to 1:01:01 of that, category 2",
        "c": "from 1:35 to 1:47 as in a listed film, from 1:00:00 to 1:01:01 of that, category 2",
        "d": "a listed film, from 1:35 to 1:47, category 2",
    }


def test_a_version_of_a_listed_one_is_opened_rather_than_the_listed_one_itself_and_not_as_new() -> None:
    work = worked(case({"a": 0, "b": 10, "c": 120}, media_matches=[match("a", "md5")]))
    assert opened(work) == ["c", "b"]
    assert work["b"]["reason"] == "on no list; a version of it is listed; 2 versions, 2 items"


GROUP = {"media_group": "g", "distance": None, "leads": False}


def test_what_makes_a_new_one_urgent_is_said_and_ranks_it() -> None:
    names = ["plain", "placed", "payer", "sharer", "alike", "series", "device", "listed"]
    uploads = [
        {"upload": "u1", "account": "busy", "sha256": "sha-listed", "time": datetime(2020, 1, 1)},
        {"upload": "u2", "account": "busy", "sha256": "sha-sharer", "time": datetime(2020, 1, 2)},
        {"upload": "u3", "account": "rich", "md5": "md5-payer", "time": datetime(2020, 1, 3)},
    ]
    groups = [
        {**GROUP, "id": f"m-{kind}-{item}", "media_group": kind, "kind": kind, "item": item, "reason": "r"}
        for kind, item in (("device", "device"), ("device", "listed"), ("series", "series"), ("series", "listed"),
                           ("made alike", "alike"), ("made alike", "listed"))
    ]  # fmt: skip
    work = worked(case(
        {name: 32 * number for number, name in enumerate(names)}, uploads=uploads, media_groups=groups,
        media_matches=[match("listed", "sha256")], payments=[{"payment": "p", "account": "rich"}],
        media_traces=[{"id": "t", "kind": "position", "value": "52 N", "item": "placed"}],
    ))  # fmt: skip
    assert opened(work) == ["device", "series", "alike", "sharer", "payer", "placed", "plain", "listed"]
    said = {name: row["reason"].removeprefix("on no list").removeprefix("; ") for name, row in work.items()}
    assert said == {
        "device": "same device as listed ones", "series": "in a series with listed ones",
        "alike": "made alike with listed ones", "plain": "", "placed": "position data present",
        "sharer": "uploaded by an account that also uploaded listed ones; uploaded once, last 2020-01-02",
        "payer": "uploaded by an account that paid; uploaded once, last 2020-01-03",
        "listed": "on a list by its exact hash, category 2; uploaded once, last 2020-01-01",
    }  # fmt: skip
    assert "m-device-device" in work["device"]["sources"]


@pytest.mark.parametrize("verdict", ["positive", "negative"])
def test_what_was_judged_once_is_not_shown_again_nor_its_copies_and_versions(verdict: str) -> None:
    pictures = {"a": 0, "b": 10, "c": 120}
    work = worked(case(pictures, {"a2": "a"}, judgements=[judged("a2", verdict)]))
    assert opened(work) == ["c"]
    assert [(work[n]["rank"], work[n]["verdict"], work[n]["judgement"]) for n in "ab"] == [
        (None, verdict, "judge-a2")] * 2  # fmt: skip
    assert work["b"]["reason"].endswith(f"judged {verdict} by R. Example, as a, of which it is a version: seen")


def test_who_was_unsure_sees_it_again() -> None:
    assert opened(worked(case({"a": 0}, judgements=[judged("a", "unsure")]))) == ["a"]


def test_a_judgement_on_a_member_covers_only_what_is_near_to_that_member() -> None:
    """c and d lie on opposite sides of a: each is near it, and neither is near the other."""
    world = case({"a": 0, "c": 20, "d": 0}, judgements=[judged("c", "negative")])
    media = rows_of(world.tables["media"])
    media[2]["pdq"] = f"{((1 << 20) - 1) << 200:064x}"
    media[0]["width"] = 99
    world.tables["media"] = TABLES["media"].rows(media)
    work = worked(world)
    assert len({row["work_group"] for row in work.values()}) == 1
    assert {name: row["verdict"] for name, row in work.items()} == {"a": "negative", "c": "negative", "d": None}
    assert opened(work) == ["d"]


def test_a_harmless_one_leaves_the_queue_and_its_versions_say_so() -> None:
    harmless = [{"id": "h", "item": "a", "list": "rds.db", "method": "sha1"}]
    work = worked(case({"a": 0, "b": 10}, harmless=harmless))
    assert set(work) == {"b"}
    assert work["b"]["reason"] == "on no list; a version of it is known as harmless (rds.db)"
