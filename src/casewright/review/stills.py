"""Stills of media for reviewers: decoded in a confined child, encoded anew, counted."""

from typing import Any

import pyarrow as pa

from casewright.engine.stage import Output
from casewright.media.stills import IMPORTS, SIDES
from casewright.model.errors import Missing, UsageError
from casewright.review.page import Ask

ITEM = """
SELECT m.item, m.kind, m.seconds, i.sha256 FROM media m JOIN items i USING (item) WHERE m.item = $item
"""


def still(ask: Ask) -> bytes:
    """The JPEG that was asked for: `blur` and `grey` unless they are 0, `side`, and of a film the `second`.

    Raises Missing where nothing can be shown, UsageError for what makes no sense.
    """
    found = ask.rows(ITEM, {"item": ask.path["item"]})
    if not found:
        raise Missing("There is no such medium in this case.")
    side = int(ask.choice("side", dict.fromkeys(map(str, SIDES)), str(SIDES[0])))
    asked = {"sha256": found[0]["sha256"], "kind": found[0]["kind"], "side": side, "second": _second(ask, found[0]),
             "blur": ask.text("blur") != "0", "grey": ask.text("grey") != "0"}  # fmt: skip
    ask.desk.exposure_of(ask.visitor).open(ask.path["item"])
    return _decoded(ask, asked)


def _second(ask: Ask, medium: dict[str, Any]) -> float:
    try:
        second = float(ask.text("second", "0") or 0)
    except ValueError as error:
        raise UsageError("That is no second of a film.") from error
    return min(max(second, 0.0), medium["seconds"] or 0.0) if second == second else 0.0  # noqa: PLR0124  not a number


def _decoded(ask: Ask, asked: dict[str, Any]) -> bytes:
    from casewright.engine.child import Job  # noqa: PLC0415  what decodes is slow to import
    from casewright.engine.parent import preload, run_in_child  # noqa: PLC0415
    from casewright.media.preview import preview  # noqa: PLC0415

    preload(IMPORTS)
    settings = ask.desk.case.settings
    params = {"picture_pixels": settings.limits.picture_pixels}
    job = Job(preview, pa.Table.from_pylist([asked]), {}, params, True, False, settings.limits, imports=IMPORTS)
    outputs: list[Output] = []
    died, _ = run_in_child(job, ask.desk.case.store, outputs.append)
    if died or not outputs:
        raise Missing(f"It cannot be shown: {died.reason}: {died.detail}" if died else "It cannot be shown.")
    (row,) = outputs[0].tables["preview"].to_pylist()
    if row["jpeg"] is None:
        raise Missing(f"It cannot be shown: {row['problem']}")
    return bytes(row["jpeg"])
