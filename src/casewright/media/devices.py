"""Groups of media from one device: by a serial number, or made alike by weak traces that are rare in the case.

A serial number suffices. Weak traces (make and model, quantisation tables, layout of the file, encoders) are those of
many devices: media are made alike when all of them agree, and the size too, and at least two of them are rare among
the case's contents. What is common tells nothing, and neither do tables that every program writes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from casewright.engine.stage import Context
from casewright.media.grouped import ALIKE, DEVICE, Member
from casewright.media.trace import CAMERA, ENCODER, LAYOUT, LENS, QUANTISATION, SERIAL
from casewright.media.traces.jpeg import STANDARD
from casewright.model.serials import tells

TOLD = """
WITH contents AS (
    SELECT i.sha256, min(m.item) AS item, any_value(m.width ORDER BY m.item) AS width,
           any_value(m.height ORDER BY m.item) AS height
    FROM media m JOIN items i USING (item) GROUP BY i.sha256
)
SELECT c.sha256, c.width, c.height, t.kind, list(DISTINCT t.value ORDER BY t.value) AS said
FROM contents c LEFT JOIN media_traces t USING (item) GROUP BY ALL ORDER BY c.sha256, t.kind
"""
WEAK = {CAMERA: "make and model", QUANTISATION: "quantisation tables", LAYOUT: "layout of the file", ENCODER: "encoder"}
NEEDED = 2
"""Rare traces that must agree."""
FEW = 10
"""Contents that may share a trace in the smallest case and leave it rare."""
Told = dict[str, Any]


def devices(context: Context, copies: Mapping[str, list[str]]) -> Iterator[Member]:
    """By serial number and by lens, then those without a serial that were made alike."""
    told = _told(context)
    for kind in (SERIAL, LENS):
        yield from _by_serial(kind, told, copies)
    yield from _alike([t for t in told if not tells(t.get(SERIAL))], len(told), context.params["alike_share"], copies)


def _told(context: Context) -> list[Told]:
    found: dict[str, Told] = {}
    for row in context.sql(TOLD).to_pylist():
        size = sorted((row["width"] or 0, row["height"] or 0), reverse=True)
        one = found.setdefault(row["sha256"], {"sha256": row["sha256"], "size": f"{size[0]}×{size[1]}"})
        if row["kind"]:
            one[row["kind"]] = "; ".join(row["said"])
    return list(found.values())


def _by_serial(kind: str, told: list[Told], copies: Mapping[str, list[str]]) -> Iterator[Member]:
    """A lens goes from body to body: it is named by its own number alone."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in told:
        if tells(one.get(kind)):
            found[one.get(CAMERA, "") if kind == SERIAL else "", one[kind]].append(one["sha256"])
    for (camera, serial), contents in found.items():
        reason = f"{kind} {serial}" + (f" of {camera}" if camera else "")
        yield from _members(DEVICE, f"{kind}/{camera}/{serial}", contents, reason, copies)


def _alike(told: list[Told], total: int, share: float, copies: Mapping[str, list[str]]) -> Iterator[Member]:
    most = max(FEW, int(share * total))
    counts = {kind: Counter(one[kind] for one in told if kind in one) for kind in WEAK}
    found: dict[tuple[str | None, ...], list[Told]] = defaultdict(list)
    for one in told:
        found[*(one.get(kind) for kind in WEAK), one["size"]].append(one)
    for key, several in found.items():
        said = {kind: value for kind, value in zip(WEAK, key, strict=False) if value and not _common(kind, value)}
        rare = [WEAK[kind] for kind, value in said.items() if counts[kind][value] <= most]
        if len(rare) >= NEEDED:
            reason = f"{' and '.join(rare)} agree, each in at most {most} of {total} contents; so does the size"
            yield from _members(ALIKE, "/".join(map(str, key)), [s["sha256"] for s in several], reason, copies)


def _common(kind: str, value: str) -> bool:
    return kind == QUANTISATION and value.startswith(STANDARD)


def _members(
    kind: str, key: str, contents: list[str], reason: str, copies: Mapping[str, list[str]]
) -> Iterator[Member]:
    if len(contents) > 1:
        yield from (Member(kind, key, item, reason) for sha256 in contents for item in copies[sha256])
