"""Text in space that no file claims: what may hold a selector becomes an item that says where each byte stands."""

import io
import json
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.engine.steps import FreshSteps
from casewright.evidence.reader import Entry, Segment
from casewright.evidence.readers.carve import carve
from casewright.evidence.readers.carved import carved
from casewright.evidence.readers.disks import RawDisk
from casewright.evidence.readers.texts import PAGE, Texts, entries
from casewright.evidence.walk import Walk
from casewright.extract.selector_stage import SELECTORS
from casewright.extract.selectors import all_selectors
from casewright.model.settings import ExtractSettings, Settings
from tests.evidence.builders import Listed, ext_image, list_files, needs_mke2fs
from tests.evidence.test_carve import disk_of, noise, sample
from tests.extract.selector_texts import ADDRESS, MONERO, XPUB
from tests.world import MemoryBlobs, context, rows_of

LOG = b"".join(
    b'203.0.113.%d - - [05/Mar/2018:10:11:%02d +0000] "GET /plate/%d HTTP/1.1" 200 17\n' % (n % 250, n % 60, n)
    for n in range(300)
)


def texts_of(listed: Listed, origin: bytes = b"unallocated") -> list[dict[str, Any]]:
    return [row for row in listed.rows if row["path"].startswith(b"$text/" + origin)]


def bytes_at(image: bytes, row: dict[str, Any]) -> bytes:
    pairs = zip(row["spans"][::2], row["spans"][1::2], strict=True)
    return b"".join(image[start : start + length] for start, length in pairs)


def free_place(image: bytes | bytearray, length: int) -> int:
    """A page of zeros, with so many behind it."""
    place = len(image) // 2 // PAGE * PAGE
    while any(image[place - 4 * PAGE : place + length + 4 * PAGE]):
        place += PAGE
    return place


@needs_mke2fs
def test_an_old_log_in_free_space_is_searched_and_each_address_leads_to_its_byte_on_the_volume(tmp_path: Path) -> None:
    image = bytearray(ext_image(tmp_path, {b"notes.txt": b"plates\n" * 100}, "ext4", "8M"))
    place = free_place(image, len(LOG) + 40 * PAGE)
    image[place + 77 : place + 77 + len(LOG)] = LOG
    far = place + 30 * PAGE + 5
    image[far : far + 21] = b"curator@example.org\n\0"
    listed = list_files({b"server.dd": bytes(image)})
    (row,) = texts_of(listed)
    assert (row["origin"], row["deleted"], row["mime"]) == ("unallocated", True, "application/octet-stream")
    assert bytes_at(bytes(image), row) == listed.blobs.held[row["sha256"]]
    assert row["size"] < len(LOG) + 8 * PAGE
    hits = searched(listed, row)
    assert len([hit for hit in hits if hit["kind"] == "ip"]) == 300
    assert hits[0]["value"] == "203.0.113.0"
    assert str(hits[0]["time"]) == "2018-03-05 10:11:00"
    assert hits[-1]["value"] == "curator@example.org"
    for hit in hits:
        at = on_volume(row, hit["span_start"])
        assert image[at : at + hit["span_length"]] == hit["value"].encode()


def searched(listed: Listed, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    params = dict(SELECTORS.params(Settings(extract=ExtractSettings())))
    where = context({"items": list(rows)}, list(listed.blobs.held.values()), params)
    (output,) = SELECTORS.work(where.table("items"), where)
    return rows_of(output.tables["selectors"])


def on_volume(row: dict[str, Any], at: int) -> int:
    for start, length in zip(row["spans"][::2], row["spans"][1::2], strict=True):
        if at < length:
            return int(start + at)
        at -= length
    raise AssertionError("beyond the item")


@needs_mke2fs
def test_the_slack_of_a_file_is_searched(tmp_path: Path) -> None:
    short = b"a short note about plate nine"
    image = bytearray(
        ext_image(tmp_path, {b"note.txt": short + b" " * 5000, b"other": b"x"}, "ext4", "8M", "dump_inode")
    )
    end = bytes(image).index(short) + len(short) + 5000
    image[end + 100 : end + 120] = b" curator@example.org"
    listed = list_files({b"server.dd": bytes(image)})
    (row,) = texts_of(listed, b"slack")
    assert row["origin"] == "slack"
    assert [hit["value"] for hit in searched(listed, row)] == ["curator@example.org"]


def test_where_two_stretches_meet_in_an_item_nothing_is_put_together() -> None:
    raw = bytearray(40 * PAGE)
    raw[2 * PAGE - 9 : 2 * PAGE] = b"http://a."
    raw[20 * PAGE : 20 * PAGE + 22] = b"museum.example.org/x y"
    row = {"item": "item-1", "origin": "unallocated", "spans": [PAGE, PAGE, 20 * PAGE, PAGE], "size": 2 * PAGE}
    raw = raw[PAGE : 2 * PAGE] + raw[20 * PAGE : 21 * PAGE]
    listed = list_files({b"pages": bytes(raw)})
    (item,) = listed.rows
    assert [hit["value"] for hit in searched(listed, {**item, **row})] == []
    (whole,) = searched(listed, item)
    assert whole["value"] == "http://a.museum.example.org/x"  # in a file the same bytes are one text


@needs_mke2fs
def test_what_the_settings_do_not_allow_to_be_kept_is_set_aside_with_its_place(tmp_path: Path) -> None:
    image = bytearray(ext_image(tmp_path, {b"notes.txt": b"plates\n"}, "ext4", "8M"))
    place = free_place(image, 100 * PAGE)
    for n in (0, 40, 80):
        image[place + n * PAGE : place + n * PAGE + 20] = b" curator@example.org"
    listed = list_files({b"server.dd": bytes(image)}, free_text_bytes=7 * PAGE)
    (row,) = texts_of(listed)
    assert row["size"] == 6 * PAGE
    ((reason, detail),) = listed.aside
    assert reason == "too large"
    assert f"{3 * PAGE} bytes between bytes {place + 79 * PAGE} and {place + 82 * PAGE - 1}" in detail
    assert list_files({b"server.dd": bytes(image)}).aside == []


@needs_mke2fs
def test_free_space_without_text_and_pictures_in_it_give_no_text(tmp_path: Path) -> None:
    image = bytearray(ext_image(tmp_path, {b"notes.txt": b"plates\n"}, "ext4", "8M"))
    picture = sample("jpeg")[1]
    place = free_place(image, 1_000_000)
    image[place : place + 500_000] = noise(500_000)
    image[place + 600_000 : place + 600_000 + len(picture)] = picture
    listed = list_files({b"server.dd": bytes(image)})
    assert [row["mime"] for row in listed.rows if row["path"].startswith(b"$carved/")] == ["image/jpeg"]
    found = next(row for row in listed.rows if row["path"].startswith(b"$carved/"))
    start, length = found["spans"]
    for row in texts_of(listed):
        for first, size in zip(row["spans"][::2], row["spans"][1::2], strict=True):
            assert first + size <= start or first >= start + length
    assert sum(row["size"] for row in texts_of(listed)) < 20 * PAGE


# --- which pages are kept ---


def kept(raw: bytes, windows: list[int]) -> list[tuple[int, int]]:
    texts, at = Texts(), 0
    for length in windows:
        if raw[at : at + length]:
            texts.look(at, memoryview(raw)[at : at + length])
        at += length
    if raw[at:]:
        texts.look(at, memoryview(raw)[at:])
    return texts.stretches([])


def with_hits(draw: Callable[[Any], Any]) -> bytes:
    parts = list[bytes]()
    for _ in range(draw(st.integers(0, 6))):
        filler = draw(st.sampled_from([b"\0", b"\xc3", b"x ", noise(997, draw(st.integers(0, 9)))]))
        parts.append((filler * 20_000)[: draw(st.integers(0, 20_000))])
        hit = draw(
            st.sampled_from(
                [b" curator@example.org ", b" 192.0.2.7 ", ADDRESS.encode(), MONERO.encode(), XPUB.encode()]
            )
        )
        parts.append(hit.decode().encode("utf-16-le") if draw(st.booleans()) else hit)
    return b"".join(parts)


@given(st.data(), st.lists(st.integers(1, 9000), max_size=12))
@settings(max_examples=150)
def test_whatever_is_found_in_the_whole_stands_on_a_page_that_is_kept_wherever_windows_end(
    data: st.DataObject, windows: list[int]
) -> None:
    raw = with_hits(data.draw)
    stretches = kept(raw, windows)
    for hit in all_selectors(raw):
        end = hit.span_start + hit.span_length
        assert any(start <= hit.span_start and end <= start + length for start, length in stretches), hit
    assert all(start + length < after for (start, length), (after, _) in pairwise(stretches))


def test_what_lies_in_findings_of_the_search_is_left_out() -> None:
    raw = (b" curator@example.org" * 1000)[: 4 * PAGE]
    texts = Texts()
    texts.look(0, memoryview(raw))
    assert texts.stretches([(100, 200), (150, 20), (9000, 50)]) == [(0, 100), (300, 8700), (9050, 4 * PAGE - 9050)]
    texts = Texts(until=5000)
    texts.look(0, memoryview(raw))
    assert texts.stretches([]) == [(0, 5000)]


def test_stretches_go_into_few_items_that_can_be_read_from_any_byte() -> None:
    dice = random.Random(3)
    raw = dice.randbytes(100_000)
    spans = [(10, 3000), (5000, 1), (20_000, 70_000)]
    (entry,) = entries(disk_of(raw), spans, "slack", 4)
    whole = b"".join(raw[start : start + length] for start, length in spans)
    assert (entry.path, entry.size, entry.spans(), entry.volume) == (
        b"$text/slack/00000000000010",
        len(whole),
        tuple(spans),
        4,
    )
    assert entry.chunks_from
    for at in (0, 1, 2999, 3000, 3001, 3002, 60_000, len(whole)):
        assert b"".join(entry.chunks_from(at)) == whole[at:]


@pytest.mark.parametrize("width", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_page_of_prose_is_not_kept_and_one_with_an_address_is(width: str) -> None:
    prose = "The plate of the second floor, case nine, was scanned. "
    assert kept((prose * 500).encode(width), []) == []
    assert kept((prose * 500 + ADDRESS + " " + prose * 500).encode(width), []) != []


def test_reading_happens_in_one_pass_with_carving() -> None:
    class Counting(io.BytesIO):
        read_so_far = 0

        def read(self, size: int | None = -1, /) -> bytes:
            raw = super().read(size)
            Counting.read_so_far += len(raw)
            return raw

    raw = noise(9 << 20)
    disk = RawDisk([Segment(b"disk", len(raw), lambda: Counting(raw))])
    texts = Texts()
    list(carve(disk, [(0, len(raw))], look=texts.look))
    assert Counting.read_so_far < 2 * len(raw)


class Remembering(FreshSteps):
    """Steps that give back what was remembered, as JSON, in a second walk."""

    def __init__(self) -> None:
        super().__init__(MemoryBlobs())
        self.notes: list[str] = []
        self.again = -1

    def recall(self) -> Any:
        if self.again < 0:
            return None
        self.again += 1
        return json.loads(self.notes[self.again - 1])

    def remember(self, note: Any) -> None:
        self.notes.append(json.dumps(note))


def test_a_walk_that_goes_on_finds_the_same_text_without_a_second_search() -> None:
    raw = bytearray(60 * PAGE)
    for place in (5, 40):
        raw[place * PAGE : place * PAGE + 20] = b" curator@example.org"
    steps, limits = Remembering(), {"free_text_bytes": 4 * PAGE}

    def walked() -> list[Any]:
        met = list(carved(disk_of(bytes(raw)), [(0, len(raw))], "unallocated", 0, Walk(steps, limits)))
        return [(m.path, m.spans()) if isinstance(m, Entry) else (type(m).__name__, repr(m)) for m in met]

    first = walked()
    assert first[0] == (b"$text/unallocated/00000000016384", ((4 * PAGE, 3 * PAGE),))
    assert first[1][0] == "Problem"
    steps.again = 0
    assert walked() == first
    assert steps.again == len(steps.notes) == 1
