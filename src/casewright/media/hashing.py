"""The stage that hashes pictures, and keyframes of videos for a first verdict; `sampling.py` reads whole videos."""

from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.media.pictures import Room, Undecodable, read_picture
from casewright.media.videos import read_keyframes
from casewright.model.tables import TABLES


def media(batch: pa.Table, context: Context) -> Output:
    """Pictures and videos of the batch; the same bytes are decoded once."""
    rows: list[dict[str, Any]] = []
    frames: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    known: dict[str, Any] = {}
    room = Room()
    for item in batch.to_pylist():
        found = known.get(item["sha256"]) or _read(item, context, room)
        known[item["sha256"]] = found
        if isinstance(found, Undecodable):
            aside.append(SetAside("media", item["item"], found.reason, f"{item['name']}: {found}"))
            continue
        row, hashed, damage = found
        rows.append({"item": item["item"], **row})
        frames += [{"item": item["item"], **f} for f in hashed]
        if damage:
            aside.append(SetAside("damaged parts", item["item"], "damaged", f"{item['name']}: {damage}"))
    tallies = [
        Tally("media", batch.num_rows, len(rows)),
        Tally("damaged parts", sum(a.noun == "damaged parts" for a in aside), 0),
    ]
    tables = {"media": TABLES["media"].rows(rows), "media_keyframes": TABLES["media_keyframes"].rows(frames)}
    return Output(tables, aside, tallies)


def _read(item: dict[str, Any], context: Context, room: Room) -> Any:
    """(row, frames, damage), or the Undecodable."""
    pixels = context.params["picture_pixels"]
    try:
        with context.open(item["sha256"]) as file:
            if item["mime"].startswith("image/"):
                picture = read_picture(file, pixels, room)
                row = {"kind": "picture", "width": picture.width, "height": picture.height, "pdq": picture.pdq,
                       "pdq_quality": picture.quality, "camera": picture.camera,
                       "taken_at": picture.taken_at}  # fmt: skip
                return row, [], picture.damage
            video = read_keyframes(file, context.params["frame_seconds"], pixels)
    except Undecodable as error:
        return error
    row = {"kind": "video", "width": video.width, "height": video.height, "seconds": video.seconds}
    return row, [frame_row(*frame) for frame in video.frames], None  # its damage is told when all of it is read


def frame_row(second: float, pdq: str, quality: int) -> dict[str, Any]:
    return {"second": second, "pdq": pdq, "pdq_quality": quality}
