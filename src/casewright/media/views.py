"""The second look: what else a picture's listed original may be. Its hashes, for whatever lists come.

A list holds one PDQ of each known picture, as it was when it was hashed; what was seized is at hand as pixels. So the
seized picture is hashed in several views: turned and mirrored, without its border, without the screenshot around it, as
if it had been cut (`crop`), and with its margins cut away (`wider`: it then shows more than the listed one). Views are
made once, whatever the lists; `second_look.py` searches for them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.kernels.pdq import Pixels
from casewright.kernels.pixels import upright
from casewright.media.pictures import Room, Undecodable, with_pixels
from casewright.model.tables import TABLES

VIEWS = ("mirrored", "turned", "border", "screenshot", "crop", "wider")
"""Earlier ones are preferred. `reasons.py` has each in words."""
CUT = ("crop", "wider")
"""Views in which one of the two was cut: pixels are missing, and more bits differ."""
LEFT_TO_RIGHT, TURNED = (5, 4, 6, 7), (1, 2, 3)
"""Which of the eight of `turned_of_pixels` are seen in a mirror, and which are only turned."""
KERNELS = ("casewright.kernels.pdq_windows", "casewright.media.rectangles", "pi_heif", "simplejpeg")


def views(batch: pa.Table, context: Context) -> Output:
    """The views of each picture of the batch that can decide something."""
    rows: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    seen, room, least = 0, Room(), context.params["pdq_quality"]
    for item in batch.to_pylist() if context.params["second_look"] else []:
        try:
            with context.open(item["sha256"]) as file:
                found = with_pixels(
                    file,
                    context.params["picture_pixels"],
                    room,
                    lambda pixels, orientation, *_: views_of(pixels, orientation, least),
                )
        except Undecodable as error:
            aside.append(SetAside("second looks", item["item"], error.reason, f"{item['name']}: {error}"))
            continue
        seen += bool(found)
        rows += [{"item": item["item"], "view": view, "pdq": b"".join(hashes)} for view, hashes in found.items()]
    tally = Tally("second looks", batch.num_rows, seen, batch.num_rows - seen - len(aside))
    return Output({"media_views": TABLES["media_views"].rows(rows)}, aside, [tally])


def views_of(pixels: Pixels, orientation: int, least: int) -> dict[str, list[bytes]]:
    """For each view the hashes of 32 bytes that have at least this quality, in a fixed order, none twice. Raises
    NoPicture."""
    seen = np.ascontiguousarray(upright(pixels, orientation))
    found: dict[str, list[bytes]] = {}
    for view, hash_ in _hashes(seen if seen.ndim == 3 else seen[..., None], least):
        found.setdefault(view, []).append(hash_)
    return {view: list(dict.fromkeys(found[view])) for view in VIEWS if view in found}


def _hashes(pixels: Pixels, least: int) -> Iterator[tuple[str, bytes]]:
    from casewright.kernels import pdq_windows  # noqa: PLC0415  slow to import
    from casewright.kernels.pdq_fast import pdq_of_pixels, turned_of_pixels  # noqa: PLC0415
    from casewright.media.rectangles import rectangles  # noqa: PLC0415

    if pdq_of_pixels(pixels).quality >= least:
        eight = [bytes.fromhex(h) for h in turned_of_pixels(pixels)]
        yield from (("mirrored", eight[n]) for n in LEFT_TO_RIGHT)
        yield from (("turned", eight[n]) for n in TURNED)
        luma = pdq_windows.luma_of_part(pixels, 0, 0, *pixels.shape[:2])
        yield from (("crop", h.tobytes()) for h in pdq_windows.hashes_of_windows(luma, beyond=True))
        for hash_, quality in zip(
            pdq_windows.hashes_of_windows(luma, beyond=False), pdq_windows.qualities_inside(luma), strict=True
        ):
            if quality >= least:
                yield "wider", hash_.tobytes()
    for part in rectangles(pixels):
        found = pdq_windows.pdq_of_part(pixels, part.top, part.left, part.bottom, part.right)
        if found.quality >= least:
            yield part.kind, bytes.fromhex(found.hash)
