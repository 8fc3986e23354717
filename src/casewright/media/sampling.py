"""The stage that reads whole videos and hashes a frame a second."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.media.hashing import frame_row
from casewright.media.pictures import Undecodable
from casewright.media.videos import read_frames
from casewright.model.tables import TABLES

WRITES = {"media_frames": "frames", "media_between": "between"}
LONGER = "longer than is decoded"


def frames(batch: pa.Table, context: Context) -> Iterator[Output]:
    """Videos of the batch, each a step, so that one may take hours and costs no other its time. What an earlier run
    found is not found again, and the same bytes are decoded once."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in WRITES}
    aside: list[SetAside] = []
    known: dict[str, Any] = {}
    done = 0
    for item in batch.to_pylist():
        reason = context.steps.begin()
        found = {"died": reason} if reason else known.get(item["sha256"]) or context.steps.recall()
        if not found:
            found = _read(item["sha256"], context)
            context.steps.remember(found)
        known[item["sha256"]] = found
        if "frames" in found:
            done += 1
            for name, kind in WRITES.items():
                rows[name] += [{"item": item["item"], **frame_row(*frame)} for frame in found[kind]]
        aside += [SetAside(noun, item["item"], why, f"{item['name']}: {words}") for noun, why, words in _told(found)]
    tallies = [
        Tally("videos", batch.num_rows, done),
        Tally("damaged parts", sum(a.noun == "damaged parts" for a in aside), 0),
    ]
    yield Output({name: TABLES[name].rows(mine) for name, mine in rows.items()}, aside, tallies)


def _read(sha256: str, context: Context) -> dict[str, Any]:
    params = context.params
    with context.open(sha256) as file:
        try:
            video = read_frames(file, params["frame_seconds"], params["picture_pixels"], params["video_pixels"],
                                context.steps.alive)  # fmt: skip
        except Undecodable as error:
            return {"undecodable": str(error), "reason": error.reason}
    return {"frames": video.frames, "between": video.between, "damage": video.damage}


def _told(found: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is set aside: noun, reason, and what was met."""
    if "died" in found:
        yield "videos", "died", found["died"]
    elif "undecodable" in found:
        yield "videos", found["reason"], found["undecodable"]
    for words in found.get("damage", ()):
        yield "damaged parts", "too long" if words.startswith(LONGER) else "damaged", words
