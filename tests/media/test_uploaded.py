"""An upload means the content whose hash its record names, or else that whose path ends as it says."""

from typing import Any

import pyarrow as pa
import pytest

from casewright.media.stages import STAGES
from tests.world import context, rows_of


def meant(uploads: list[dict[str, Any]], names: dict[str, str], **hashes: str) -> list[dict[str, Any]]:
    """What the uploads mean among items by their names, of which some hold the same bytes."""
    stage = next(s for s in STAGES if s.name == "uploaded")
    items = [{"item": i, "name": n, "sha256": hashes.get(i, i), "md5": f"md5-{i}"} for i, n in names.items()]
    world = context({"uploads": uploads, "items": items, "media": [{"item": i, "kind": "picture"} for i in names]})
    output = stage.work(pa.table({}), world)
    (tally,) = output.tallies
    assert tally.received == tally.done + tally.nothing == len(uploads)
    return rows_of(output.tables["uploaded_media"])


@pytest.mark.parametrize(
    ("reference", "found"),
    [("/media/1.jpg", ["one"]), ("1.jpg", ["one"]), ("", []), ("/", []), (None, []), ("edia/1.jpg", [])],
)
def test_a_path_agrees_from_a_slash_on(reference: str | None, found: list[str]) -> None:
    """An empty path once agreed with every file, and 1.jpg with 11.jpg."""
    names = {"one": "var/media/1.jpg", "eleven": "var/media/11.jpg", "other": "notes"}
    assert [r["item"] for r in meant([{"upload": "u", "reference": reference}], names)] == found


def test_a_path_that_several_contents_share_is_said_to_be_shared_and_copies_are_one_content() -> None:
    upload = [{"upload": "u", "account": "a", "reference": "1.jpg"}]
    assert [r["shared"] for r in meant(upload, {"one": "x/1.jpg", "two": "y/1.jpg"})] == [True, True]
    (row,) = meant(upload, {"one": "x/1.jpg", "two": "y/1.jpg"}, one="same", two="same")
    assert (row["item"], row["shared"], row["how"]) == ("one", False, "the record names its path")


def test_a_hash_counts_before_a_path() -> None:
    names = {"one": "x/1.jpg", "two": "y/2.jpg"}
    uploads = [{"upload": "u1", "sha256": "TWO", "reference": "1.jpg"},
               {"upload": "u2", "md5": "MD5-ONE", "reference": "2.jpg"}]  # fmt: skip
    assert [(r["item"], r["how"].removeprefix("the record names ")) for r in meant(uploads, names)] == [
        ("two", "its hash"), ("one", "its hash (MD5)")]  # fmt: skip
