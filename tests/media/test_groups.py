"""Media of one device, and of one series, are grouped with the reason; what is common or chance groups nobody."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from casewright.media.stages import STAGES
from casewright.model.settings import Settings
from casewright.model.tables import TABLES
from tests.kernels.test_hamming import in_hex, some
from tests.world import context, rows_of

Rows = list[dict[str, Any]]


def grouped(tables: dict[str, Rows], kind: str) -> dict[frozenset[str], str]:
    """The groups of a kind: their items, and the reason."""
    stage = next(s for s in STAGES if s.name == "groups")
    world = context(tables, [], stage.params(Settings()))
    output = stage.work(pa.table({}), world)
    assert output.tables["media_groups"].schema == TABLES["media_groups"].schema
    rows = rows_of(output.tables["media_groups"])
    assert len({r["id"] for r in rows}) == len(rows)
    members, reasons = defaultdict(set), {}
    for row in rows:
        if row["kind"] == kind:
            members[row["media_group"]].add(row["item"])
            reasons[row["media_group"]] = row["reason"]
    return {frozenset(items): reasons[group] for group, items in members.items()}


def told(traces: dict[str, dict[str, str]], size: tuple[int, int] = (4000, 3000)) -> dict[str, Rows]:
    """Items, each of its own content, and what they tell."""
    return {
        "items": [{"item": n, "exhibit": "e", "path": n.encode(), "sha256": f"sha-{n}"} for n in traces],
        "media": [{"item": n, "kind": "picture", "width": size[0], "height": size[1]} for n in traces],
        "media_traces": [
            {"id": f"{n}-{kind}", "item": n, "kind": kind, "value": value}
            for n, said in traces.items() for kind, value in said.items()
        ],
    }  # fmt: skip


def test_a_serial_number_suffices_with_make_and_model() -> None:
    found = grouped(told({
        "a": {"camera": "Maker 3", "serial": "0012-77"}, "b": {"camera": "Maker 3", "serial": "0012-77"},
        "other serial": {"camera": "Maker 3", "serial": "0012-78"},
        "other camera": {"camera": "Brand 9", "serial": "0012-77"},
    }), "device")  # fmt: skip
    assert found == {frozenset("ab"): "serial 0012-77 of Maker 3"}


@pytest.mark.parametrize("serial", ["0000000", "", "unknown", "12", "11111111", "--- ---"])
def test_a_serial_number_that_is_none_groups_nobody(serial: str) -> None:
    assert not grouped(told({n: {"camera": "Maker 3", "serial": serial} for n in "abc"}), "device")


def test_a_lens_ties_pictures_of_two_bodies_together() -> None:
    found = grouped(told({
        "a": {"camera": "Maker 3", "serial": "A1234", "lens serial": "L5567"},
        "b": {"camera": "Maker 4", "serial": "B1234", "lens serial": "L5567"},
    }), "device")  # fmt: skip
    assert found == {frozenset("ab"): "lens serial L5567"}


PHONE = {"quantisation": "tables 12ab; 2x2 1x1 1x1; baseline", "container": "SOI APP1(Exif) DQT", "encoder": "OS 11.2"}
SITE = {"quantisation": "standard 82; 2x2", "container": "SOI APP0(JFIF) COM DQT", "encoder": "gd"}


def test_weak_traces_that_are_rare_and_agree_group_and_say_which() -> None:
    found = grouped(told({"a": PHONE, "b": PHONE, **{f"s{n}": SITE for n in range(60)}}), "made alike")
    assert found == {
        frozenset("ab"): "quantisation tables and layout of the file and encoder agree, each in at most 10 of 62 "
        "contents; so does the size"
    }  # fmt: skip


def test_what_many_share_and_what_every_program_writes_groups_nobody() -> None:
    few_alike = {f"s{n}": SITE for n in range(60)}
    standard = {n: {"quantisation": "standard 91; 1x1", "container": f"rare {n}"} for n in "ab"}
    one_rare = {n: {"quantisation": "tables 77", "container": SITE["container"]} for n in "cd"}
    assert not grouped(told({**few_alike, **standard, **one_rare}), "made alike")


def test_two_devices_of_one_model_are_not_made_alike_when_their_serials_say_otherwise() -> None:
    traces = {"a": {**PHONE, "serial": "A1234"}, "b": {**PHONE, "serial": "B1234"}}
    assert not grouped(told(traces), "made alike")


def test_another_size_is_not_made_alike() -> None:
    tables = told({"a": PHONE, "b": PHONE, "c": PHONE})
    tables["media"][1] |= {"width": 3000, "height": 4000}  # held upright
    tables["media"][2] |= {"width": 640, "height": 480}
    assert set(grouped(tables, "made alike")) == {frozenset("ab")}


START = datetime(2020, 5, 6, 7, 8)


def folder(names: Mapping[str, tuple[str, int | None, int | None]]) -> dict[str, Rows]:
    """Items by path, with the camera's and the file's time in minutes."""

    def at(minutes: int) -> datetime:
        return START + timedelta(minutes=minutes)

    return {
        "items": [{"item": n, "exhibit": "e", "path": path.encode(), "sha256": n, "origin": "live",
                   "modified": None if changed is None else at(changed)} for n, (path, _, changed) in names.items()],
        "media": [{"item": n, "kind": "picture", "taken_at": None if taken is None else at(taken).strftime(
            "%Y:%m:%d %H:%M:%S")} for n, (_, taken, _) in names.items()],
    }  # fmt: skip


def test_pictures_in_a_run_taken_one_after_the_other_are_a_series() -> None:
    found = grouped(folder({
        "a": ("d/IMG_0012.JPG", 0, None), "b": ("d/IMG_0013.JPG", 2, None), "c": ("d/IMG_0015.JPG", 11, None),
        "later": ("d/IMG_0016.JPG", 90, None), "elsewhere": ("e/IMG_0014.JPG", 1, None),
        "other names": ("d/DSC_0014.JPG", 1, None),
    }), "series")  # fmt: skip
    assert found == {
        frozenset("abc"): "folder d; names IMG_#.JPG; numbers in a run, 12 to 15; "
        "taken at most 10 minutes one after the other"
    }


def test_without_the_camera_s_time_the_files_times_count_and_without_any_the_numbers_alone() -> None:
    found = grouped(folder({
        "a": ("d/x1.png", None, 0), "b": ("d/x2.png", None, 5), "later": ("d/x3.png", None, 500),
        "c": ("d/y8.png", None, None), "d": ("d/y9.png", None, None), "far": ("d/y99.png", None, None),
    }), "series")  # fmt: skip
    assert {"".join(sorted(items)): reason.rpartition("; ")[2] for items, reason in found.items()} == {
        "ab": "files changed at most 10 minutes one after the other", "cd": "no times throughout",
    }  # fmt: skip


def test_moments_in_names_count_as_the_camera_s() -> None:
    found = grouped(folder({
        "a": ("d/IMG_20170506_070809.jpg", None, None), "b": ("d/IMG_20170506_071100.jpg", None, None),
        "next day": ("d/IMG_20170507_071100.jpg", None, None),
    }), "series")  # fmt: skip
    assert set(found) == {frozenset("ab")}


def test_files_that_a_store_numbered_are_no_series_unless_the_camera_says_so() -> None:
    names: dict[str, tuple[str, int | None, int | None]] = {str(n): (f"store/{n}.jpg", None, n) for n in range(1, 9)}
    assert not grouped(folder(names), "series")
    names |= {"1": ("store/1.jpg", 0, 1), "2": ("store/2.jpg", 3, 2)}
    assert set(grouped(folder(names), "series")) == {frozenset("12")}


def test_films_that_share_their_frames_are_versions_and_one_inside_a_longer_one_is_not() -> None:
    frames = in_hex(some("random", 10, 3))
    films = {"long": (frames, 90), "cut": (frames[:9], 90), "part": (frames[:4], 90), "dull": (frames, 20)}
    tables: dict[str, Rows] = {
        "items": [{"item": n, "exhibit": "e", "path": n.encode(), "sha256": n} for n in films],
        "media": [{"item": n, "kind": "video"} for n in films],
        "media_frames": [{"item": n, "second": float(s), "pdq": f, "pdq_quality": quality}
                         for n, (several, quality) in films.items() for s, f in enumerate(several)],
    }  # fmt: skip
    assert grouped(tables, "frames") == {
        frozenset({"long", "cut"}): "films: 80% of the frames are near frames of the group's leader, "
        "and the other way round"
    }
