"""A reviewer's own count, limit and breaks."""

import hashlib
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from casewright.review.exposure import Enough, Exposure, Limits
from tests.review.room import Browser, reviewing

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


def still(room: Browser, item: str) -> bytes:
    line = HTTPConnection(room.host, timeout=60)
    line.request("GET", f"/media/{item}/still.jpg", headers={"Host": room.host, "Cookie": room.cookie})
    answer = line.getresponse()
    assert (answer.status, answer.getheader("content-type")) == (200, "image/jpeg")
    found = answer.read()
    line.close()
    return found


def test_a_room_counts_what_was_opened_and_shows_no_more_than_its_reviewer_allows(copy: Path) -> None:
    """What is shown is made anew: small, grey, without what a camera wrote. Opening it again costs nothing; one more
    than allowed is refused with the reason; nothing of it is in the case."""
    before = (copy / "ledger.jsonl").read_bytes()
    with reviewing(copy, "--a-day", "1", "--as", "C. Three") as (link, _):
        room = Browser(link).enter()
        one, other = (row["item"] for row in room.json("/media.json")["media"]["rows"][:2])
        already = room.json("/media.json")["opened_today"]
        first, again = still(room, one), still(room, one)
        assert first == again
        assert hashlib.sha256(first).hexdigest() != room.json(f"/media/{one}.json")["medium"]["sha256"]
        with Image.open(BytesIO(first)) as picture:
            assert (picture.format, picture.mode, max(picture.size), len(picture.getexif())) == ("JPEG", "L", 160, 0)
        answer, text = room.ask(f"/media/{other}/still.jpg")
        assert answer.status == 500
        assert "your own limit" in text
        assert room.json("/media.json")["opened_today"] == already + 1
        assert "Today you opened 1 of the 1 that you allow yourself" in room.get("/media")
    assert (copy / "ledger.jsonl").read_bytes() == before
