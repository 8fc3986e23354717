"""Whole videos are sampled one after the other: none is lost, none is decoded twice, and one costs no other."""

import io
from typing import Any

import pytest

from casewright.media import sampling
from casewright.media.sampling import frames
from casewright.media.streams import Video
from casewright.media.videos import read_frames
from casewright.model.settings import LimitSettings, MediaSettings
from tests.media.films import encoded, film, pan
from tests.world import context, digests_of, rows_of

PARAMS = {"frame_seconds": MediaSettings().frame_seconds, "picture_pixels": LimitSettings().picture_pixels,
          "video_pixels": LimitSettings().video_pixels}  # fmt: skip


class Steps:
    """Steps of a run that follows another: some killed their child, some were finished."""

    def __init__(self, passed_over: dict[int, str], notes: dict[int, Any]) -> None:
        self.passed_over, self.notes, self.number = passed_over, notes, 0

    def begin(self) -> str | None:
        self.number += 1
        return self.passed_over.get(self.number)

    def recall(self) -> Any:
        return self.notes.get(self.number)

    def remember(self, note: Any) -> None:
        self.notes[self.number] = note

    def alive(self) -> None:
        pass


def sampled(contents: list[bytes], steps: Steps) -> Any:
    items = [{"item": f"item-{n}", "name": f"film {n}", "mime": "video/mp4", "sha256": digests_of(raw).sha256}
             for n, raw in enumerate(contents)]  # fmt: skip
    world = context({"items": items}, contents, PARAMS)
    world.given_steps = steps  # type: ignore[assignment]
    (output,) = frames(world.table("items"), world)
    return output


def test_videos_are_sampled_or_set_aside_with_the_reason_and_add_up() -> None:
    whole = encoded(pan(60), "avi")
    output = sampled([film(2), whole[: len(whole) // 2], b"nothing", film(3)], Steps({4: "took too long"}, {}))
    assert {r["item"] for r in rows_of(output.tables["media_frames"])} == {"item-0", "item-1"}
    assert [(a.noun, a.subject, a.reason) for a in output.set_aside] == [
        ("damaged parts", "item-1", "damaged"), ("videos", "item-2", "undecodable"), ("videos", "item-3", "died"),
    ]  # fmt: skip
    videos, parts = output.tallies
    assert (videos.received, videos.done) == (4, 2)
    assert (parts.received, parts.done) == (1, 0)


def test_the_same_bytes_are_decoded_once_and_what_an_earlier_run_found_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded = []

    def counted(file: Any, *rest: Any) -> Video:
        decoded.append(file.read())
        file.seek(0)
        return read_frames(file, *rest)

    monkeypatch.setattr(sampling, "read_frames", counted)
    first = Steps({}, {})
    whole = sampled([film(2), film(2), film(3)], first)
    assert decoded == [film(2), film(3)]
    again = sampled([film(2), film(2), film(3)], Steps({}, {1: first.notes[1]}))
    assert decoded == [film(2), film(3), film(3)]
    assert again == whole
    expected = read_frames(io.BytesIO(film(2)), 1.0, 10**9, 10**12).frames
    assert [(r["second"], r["pdq"], r["pdq_quality"]) for r in rows_of(whole.tables["media_frames"])][:2] == expected
