"""The drawing itself: one SVG without scripts, fonts or anything else from outside; it prints in black and white."""

from textwrap import wrap
from typing import Any
from xml.etree import ElementTree as ET

from casewright.chain.drawing.layout import BOX, Band, Box, layout_of
from casewright.chain.drawing.scene import NODES, Scene, said
from casewright.model.bitcoin import amount

NOTE, LINES = 25, 4
NAMES = {
    "service": "Service", "mixer": "Mixer", "coinjoin": "CoinJoin", "tagged": "Other tag", "joined": "Several services",
    "mined": "New coins", "missing": "Missing", "age": "Old", "wallet": "Wallet", "market": "The site",
}  # fmt: skip
MIXED = ("mixer", "coinjoin", "joined")
"""Kinds that are hatched: what goes in and what comes out are not the same people's."""
STYLE = """
text { font-family: "DejaVu Sans", Verdana, sans-serif; fill: #111; }
.title { font-size: 14.5px; font-weight: bold; } .note { font-size: 11px; }
.label { font-size: 12px; } .small { font-size: 11.5px; }
.halo { paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round; }
.head { font-size: 12px; font-weight: bold; letter-spacing: 1px; fill: #444; }
.back { fill: #9fb6d2; stroke: #41608a; } .forward { fill: #dcdcdc; stroke: #777; } .unknown { stroke-dasharray: 5 4; }
.service { fill: #17324f; stroke: #17324f; } .service-text { fill: #fff; }
.market { fill: #f1ead8; stroke: #111; stroke-width: 3px; } .wallet { fill: #fff; stroke: #111; }
.mixer, .coinjoin, .joined { fill: url(#hatch); stroke: #111; }
.tagged { fill: #fff; stroke: #111; stroke-width: 2.5px; }
.mined, .missing, .age { fill: #fff; stroke: #111; stroke-dasharray: 6 4; }
.number { fill: #111; } .number-text { font-size: 10px; font-weight: bold; fill: #fff; text-anchor: middle; }
"""


def put(parent: ET.Element, tag: str, text: str = "", **attributes: Any) -> ET.Element:
    """A new element; `class_` stands for class, and `_` in other names for `-`."""
    named = {k.rstrip("_").replace("_", "-"): _number(v) for k, v in attributes.items()}
    made = ET.SubElement(parent, tag, named)
    made.text = said(text) if text else None
    return made


def _number(value: Any) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def drawing(scene: Scene, taint: str) -> ET.Element:
    """The picture as an SVG element."""
    placed = layout_of(scene)
    kinds = [kind for kind in NODES if any(node.kind == kind for node in scene.nodes.values())]
    high = placed.height + 46 + 22 * len(kinds)
    wide = max(placed.width, 760.0)
    space = "http://www.w3.org/2000/svg"
    root = ET.Element("svg", {"xmlns": space, "viewBox": f"0 0 {wide:.0f} {high:.0f}", "role": "img"})
    put(root, "title", f"The flow of payment {scene.payment['payment']}")
    put(root, "style").text = STYLE
    _hatch(root)
    put(root, "rect", x=0, y=0, width=f"{wide:.0f}", height=f"{high:.0f}", fill="#fff")
    _headings(root, placed.boxes)
    for band in placed.bands:
        _band(root, band, placed.boxes)
    for box in placed.boxes.values():
        _box(root, box)
    for band in placed.bands:
        _label(root, band, placed.boxes)
    _legend(root, kinds, placed.height + 10, taint)
    return root


def _hatch(root: ET.Element) -> None:
    pattern = put(put(root, "defs"), "pattern", id="hatch", width=8, height=8, patternUnits="userSpaceOnUse",
                  patternTransform="rotate(45)")  # fmt: skip
    put(pattern, "rect", width=8, height=8, fill="#fff")
    put(pattern, "line", x1=0, y1=0, x2=0, y2=8, stroke="#888", stroke_width=3)


def _headings(root: ET.Element, boxes: dict[tuple[int, str], Box]) -> None:
    middle = next(box.x for key, box in boxes.items() if key[0] == 0)
    if any(key[0] < 0 for key in boxes):
        put(root, "text", "WHERE THE MONEY CAME FROM", x=20, y=30, class_="head")
    put(root, "text", "THE PAYMENT", x=middle + BOX / 2, y=56, class_="head", text_anchor="middle")
    if any(key[0] > 0 for key in boxes):
        right = max(box.x for box in boxes.values()) + BOX
        put(root, "text", "WHERE IT WENT", x=right, y=30, class_="head", text_anchor="end")


def _band(root: ET.Element, band: Band, boxes: dict[tuple[int, str], Box]) -> None:
    flow, half = band.flow, band.width / 2
    left, right = boxes[flow.source].x + BOX, boxes[flow.target].x
    bend = (right - left) / 2
    path = (
        f"M{left:.1f},{band.start - half:.1f} C{left + bend:.1f},{band.start - half:.1f} {right - bend:.1f},"
        f"{band.end - half:.1f} {right:.1f},{band.end - half:.1f} L{right:.1f},{band.end + half:.1f} "
        f"C{right - bend:.1f},{band.end + half:.1f} {left + bend:.1f},{band.start + half:.1f} {left:.1f},"
        f"{band.start + half:.1f} Z"
    )
    kind = f"{flow.direction}{' unknown' if flow.share is None else ''}"
    drawn = put(root, "path", d=path, class_=kind, stroke_width="0.8", fill_opacity="0.85")
    put(drawn, "title", f"{flow.number}: {flow.txid}, {amount(flow.share)} of the payment. {flow.reason}")


def _box(root: ET.Element, box: Box) -> None:
    node = box.node
    group = put(root, "g")
    put(group, "title", f"{node.title}: {node.wallet}")
    put(group, "rect", x=box.x, y=box.y, width=BOX, height=box.height, rx=5, class_=node.kind)
    notes = [line for note in (NODES[node.kind], *node.notes) for line in wrap(said(note), NOTE)][:LINES]
    title = wrap(said(node.title), 18)[:2] or ["?"]
    y = box.y + box.height / 2 - (len(title) * 16 + len(notes) * 13) / 2 + 12
    if node.kind in MIXED:
        high = len(title) * 16 + len(notes) * 13 + 6
        put(group, "rect", x=box.x + 8, y=y - 15, width=BOX - 16, height=high, fill="#fff")
    for number, line in enumerate((*title, *notes)):
        is_title = number < len(title)
        cls = f"{'title' if is_title else 'note'}{' service-text' if node.kind == 'service' else ''}"
        put(group, "text", line, x=box.x + BOX / 2, y=y, class_=cls, text_anchor="middle")
        y += 16 if is_title else 13


def _label(root: ET.Element, band: Band, boxes: dict[tuple[int, str], Box]) -> None:
    """Number, amount and day of a band, beside the box that is farther from the payment."""
    flow, back = band.flow, band.flow.direction == "back"
    x = boxes[flow.source].x + BOX + 14 if back else boxes[flow.target].x - 14
    y, side = (band.start, 1) if back else (band.end, -1)
    put(root, "circle", cx=x, cy=y, r=9, class_="number")
    put(root, "text", str(flow.number), x=x, y=y + 3.5, class_="number-text")
    anchor = "start" if back else "end"
    part = "amount unknown" if flow.share is None else amount(flow.share)
    day = f"{flow.time:%d %b %Y}" if flow.time else "day not known"
    more = f", {flow.transactions} transactions" if flow.transactions > 1 else ""
    put(root, "text", part, x=x + side * 13, y=y - 1, class_="label halo", text_anchor=anchor)
    put(root, "text", day + more, x=x + side * 13, y=y + 12, class_="small halo", text_anchor=anchor)


def _legend(root: ET.Element, kinds: list[str], y: float, taint: str) -> None:
    words = f"A band is as wide as its part of the payment, by the convention “{taint}”. A lead, not a verdict."
    put(root, "text", words, x=20, y=y + 14, class_="small")
    for number, kind in enumerate(kinds):
        row = y + 30 + 22 * number
        put(root, "rect", x=20, y=row, width=30, height=15, rx=3, class_=kind)
        put(root, "text", f"{NAMES[kind]}: {NODES[kind]}", x=60, y=row + 12, class_="small")
