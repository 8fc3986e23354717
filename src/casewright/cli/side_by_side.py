"""Suggested pairs as a page: two records side by side, what each comparison adds or takes as bars, and how to judge.

Elements are built, never pasted together as text, so that nothing a record says can become markup. Nothing is loaded
from elsewhere and nothing runs: the page says so itself (Content-Security-Policy). It prints in black and white.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from shlex import quote
from typing import Any
from xml.etree import ElementTree as ET

from casewright.chain.drawing.page import POLICY
from casewright.chain.drawing.svg import put

Row = Mapping[str, Any]
LOWEST, HIGHEST, WIDE, HIGH = -25.0, 55.0, 480.0, 20.0
"""Bits at the left and right end of the bars, and the size of one."""
FIELDS = (("name", "full_name"), ("born", "born"), ("email", "email"), ("phone", "phone"), ("country", "country"),
          ("source", "reference"), ("note", "note"))  # fmt: skip
COMPARED = ("full_name", "born", "email", "phone", "country")
ENDS = ("start", "together")
"""Bars that are no comparison's."""
STYLE = """
body { font: 14px/1.45 "DejaVu Sans", Verdana, sans-serif; color: #111; margin: 24px auto; max-width: 1180px;
padding: 0 20px; }
h1 { font-size: 21px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 0; }
.quiet { color: #555; font-size: 12px; } .lead { font-size: 15px; max-width: 75em; }
section { border: 1px solid #999; border-radius: 4px; padding: 12px 16px; margin: 18px 0; break-inside: avoid; }
section.judged { background: #f3f3f3; } .odds { float: right; text-align: right; font-size: 16px; font-weight: bold; }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 8px 0; table-layout: fixed; }
td, th { border-bottom: 1px solid #ccc; padding: 3px 6px; text-align: left; vertical-align: top;
overflow-wrap: anywhere; } th { width: 9em; font-weight: normal; color: #555; } .differs { background: #fbf3d9; }
td.bits { width: 4em; text-align: right; font-variant-numeric: tabular-nums; }
td.bar { width: 490px; padding: 1px 4px; }
.against { font-weight: bold; } code { font-size: 12px; overflow-wrap: anywhere; }
.for { fill: #2f6f8f; } .less { fill: #c9b458; stroke: #111; stroke-width: .7; }
.start { fill: #999; } .together { fill: #111; }
.total td, .total th { font-weight: bold; color: #111; border-bottom: none; }
.axis { stroke: #bbb; } .asked { stroke: #111; stroke-dasharray: 4 3; }
@page { size: A4 landscape; margin: 12mm; }
"""
READING = (
    "Each card holds two records that may be of one person. A bar begins where the one above it ended: to the right is "
    "what a comparison adds, to the left what it takes, in bits; each bit doubles or halves the odds. The thin line is "
    "even odds, the dashed line is where suggestions begin. The weights are the same in every case; only what many "
    "records of this case share counts for less here, and a row of its own says so. A suggestion is no verdict: "
    "nothing is merged, and only what somebody judges counts, with their name and reason. A later judgement replaces "
    "it, and “withdrawn” takes it back."
)


@dataclass(frozen=True)
class Pair:
    """A suggestion, its reasons in order, both persons, and what was judged of it, if anything."""

    suggestion: Row
    reasons: Sequence[Row]
    left: Row
    right: Row
    judged: Row | None


@dataclass(frozen=True)
class About:
    """What the page says besides the pairs. `case`: as it is named in commands; `left_out`: pairs not on the page."""

    title: str
    case: str
    suggest_at: float
    left_out: int
    version: str


def page(pairs: Sequence[Pair], about: About) -> bytes:
    """A whole HTML page."""
    root = ET.Element("html", {"lang": "en"})
    head, body = put(root, "head"), put(root, "body")
    put(head, "meta", charset="utf-8")
    put(head, "meta", http_equiv="Content-Security-Policy", content=POLICY)
    put(head, "title", f"Suggestions: {about.title}")
    put(head, "style").text = STYLE
    put(body, "h1", "Records that may be one person")
    put(body, "p", f"{about.title} · {len(pairs)} pairs, from a probability of {about.suggest_at:g}", class_="quiet")
    if about.left_out:
        put(body, "p", f"{about.left_out} further pairs are not on this page; the table suggestions has them.")
    put(body, "p", READING, class_="lead")
    for pair in pairs:
        _card(body, pair, about)
    put(body, "p", f"Casewright {about.version}. Every pair leads back to the evidence: casewright why CASE LINK",
        class_="quiet")  # fmt: skip
    return b"<!DOCTYPE html>\n" + bytes(ET.tostring(root, "utf-8", method="html")) + b"\n"


def _card(body: ET.Element, pair: Pair, about: About) -> None:
    made = pair.suggestion
    card = put(body, "section", class_="judged" if pair.judged else "open")
    put(card, "div", f"{made['weight']:+.1f} bits · {_odds(made['weight'])}", class_="odds")
    kind = "two services" if made["kind"] == "person-person" else "a customer and an earlier case"
    put(card, "h2", f"{pair.left['full_name'] or '?'} = {pair.right['full_name'] or '?'} ?")
    put(card, "div", f"{kind} · {made['link']}", class_="quiet")
    _records(card, pair)
    _bars(card, pair, about)
    if pair.judged:
        put(card, "p", f"Judged {pair.judged['verdict']} by {pair.judged['examiner']}: {pair.judged['why']}")
    put(card, "p", "Judge it:", class_="quiet")
    for verdict in ("withdrawn",) if pair.judged else ("positive", "negative", "unsure"):
        words = f"casewright link {quote(about.case)} --judge {made['link']}={verdict} --why TEXT"
        put(put(card, "div"), "code", words)


def _odds(weight: float) -> str:
    """Odds in words; beyond a million more figures mean nothing."""
    odds = 2 ** min(abs(weight), 20.0)
    more = "more than a million" if abs(weight) > 20 else f"{odds:,.0f}"
    return f"odds {more} to 1 {'for' if weight >= 0 else 'against'}"


def _records(card: ET.Element, pair: Pair) -> None:
    table = put(put(card, "table"), "tbody")
    for label, name in FIELDS:
        left, right = pair.left[name] or "", pair.right[name] or ""
        if left or right:
            row = put(table, "tr")
            put(row, "th", label)
            for value in (left, right):
                put(row, "td", value or "not said", class_="differs" if left != right and name in COMPARED else "same")


def _bars(card: ET.Element, pair: Pair, about: About) -> None:
    table, at = put(put(card, "table"), "tbody"), 0.0
    for reason in pair.reasons:
        row = put(table, "tr")
        put(row, "th", reason["comparison"])
        put(row, "td", reason["says"], class_="against" if reason["against"] else "")
        put(row, "td", f"{reason['bits']:+.1f}" if reason["bits"] else "", class_="bits")
        put(row, "td", class_="bar").append(_bar(reason, at, about.suggest_at))
        at += reason["bits"]
    row = put(table, "tr", class_="total")
    put(row, "th", "together")
    put(row, "td", _odds(at))
    put(row, "td", f"{at:+.1f}", class_="bits")
    put(row, "td", class_="bar").append(_bar({"comparison": "together", "bits": at}, 0.0, about.suggest_at))


def _bar(reason: Row, at: float, suggest_at: float) -> ET.Element:
    svg = ET.Element("svg", {"width": f"{WIDE:.0f}", "height": f"{HIGH:.0f}", "role": "img"})
    put(svg, "title", f"{reason['comparison']} {reason['bits']:+.1f} bits")
    put(svg, "line", x1=_x(0), x2=_x(0), y1=0, y2=HIGH, class_="axis")
    if 0 < suggest_at < 1:
        put(svg, "line", x1=_x(log2(suggest_at / (1 - suggest_at))), x2=_x(log2(suggest_at / (1 - suggest_at))), y1=0,
            y2=HIGH, class_="asked")  # fmt: skip
    one, other = sorted((_x(at), _x(at + reason["bits"])))
    kind = reason["comparison"] if reason["comparison"] in ENDS else "for" if reason["bits"] > 0 else "less"
    if not reason["bits"]:
        return svg
    put(svg, "rect", x=one, y=4.0, width=max(1.0, other - one), height=HIGH - 8, class_=kind)
    return svg


def _x(bits: float) -> float:
    return round(WIDE * (min(max(bits, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST), 1)
