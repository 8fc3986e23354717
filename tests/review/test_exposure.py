"""A reviewer's own count, limit and breaks."""

from pathlib import Path

import pytest

from casewright.review.exposure import Enough, Exposure, Limits

NOON = 1_700_000_000.0


def test_the_same_medium_counts_once_and_the_limit_holds_for_different_ones(tmp_path: Path) -> None:
    count = Exposure(tmp_path / "exposure.json", Limits(a_day=2), lambda: NOON)
    for item in ("a", "a", "b", "a"):
        count.open(item)
    assert count.today == 2
    with pytest.raises(Enough, match="your own limit"):
        count.open("c")
    count.open("b")


def test_a_break_is_asked_for_after_so_many_minutes_and_ends_by_itself(tmp_path: Path) -> None:
    now = [NOON]
    count = Exposure(tmp_path / "exposure.json", Limits(work=45, pause=5), lambda: now[0])
    for minute in range(45):
        now[0] = NOON + 60 * minute
        count.open(f"m{minute}")
    now[0] = NOON + 60 * 45
    with pytest.raises(Enough, match="Take a break"):
        count.open("one more")
    now[0] += 300
    count.open("one more")


def test_the_next_day_begins_anew_and_a_spoilt_file_counts_as_none(tmp_path: Path) -> None:
    file, now = tmp_path / "exposure.json", [NOON]
    count = Exposure(file, Limits(), lambda: now[0])
    count.open("a")
    now[0] += 86_400
    assert count.today == 0
    file.write_text("[")
    assert count.today == 0
