"""The picture of one payment as a page or a file of its own, with every transaction in full below it.

Elements are built, never pasted together as text, so that no label of the evidence can become markup. Nothing is loaded
from elsewhere and nothing runs: the page says so itself (Content-Security-Policy).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from casewright.chain.drawing.scene import NODES, Row, Scene, said
from casewright.chain.drawing.svg import drawing, put
from casewright.model.bitcoin import amount

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
body { font: 14px/1.45 "DejaVu Sans", Verdana, sans-serif; color: #111; margin: 24px auto; max-width: 1500px;
padding: 0 20px; }
h1 { font-size: 21px; margin: 0 0 4px; } h2 { font-size: 15px; margin: 26px 0 6px; }
.quiet { color: #555; font-size: 12px; } .lead { font-size: 16px; max-width: 75em; }
svg { width: 100%; height: auto; max-height: 1400px; } code { font-size: 11px; word-break: break-all; }
table { border-collapse: collapse; width: 100%; font-size: 12px; } th { border-bottom: 2px solid #111; }
td, th { border-bottom: 1px solid #bbb; padding: 4px 6px; text-align: left; vertical-align: top; }
td.sum { text-align: right; white-space: nowrap; } tr { break-inside: avoid; } ul { margin: 0; padding-left: 16px; }
@page { size: A4 landscape; margin: 12mm; } @media print { body { margin: 0; padding: 0; } }
"""
READING = (
    "A box is a wallet: addresses that, as far as the chain shows, one owner controls. A band is money that a "
    "transaction moved from one box to the next; the wider, the more of this payment it carried. A transaction joins "
    "coins, and the chain does not say which of them went where: the parts follow the convention “{taint}”, and "
    "another one gives other parts. That a wallet belongs to a service is the word of whoever published the tag. A "
    "payment is a lead, not a verdict, and an account is not yet a person."
)
CONFIDENCE = {
    "strong": "strong: the service itself made this payment",
    "weak": "weak: wallets that nobody names stand in between",
    "hint": "a hint only: less than a twentieth of this payment, and through wallets that nobody names",
    "none": "none: a mixer; what left it is not what its customer brought",
}


@dataclass(frozen=True)
class About:
    """What the page says besides the drawing. `site`: what the service that was paid is called; `account`: whose
    address it was."""

    title: str
    account: str
    site: str
    taint: str
    version: str


def page(scene: Scene, services: Sequence[Row], about: About) -> bytes:
    """A whole HTML page."""
    root = ET.Element("html", {"lang": "en"})
    head, body = put(root, "head"), put(root, "body")
    put(head, "meta", charset="utf-8")
    put(head, "meta", http_equiv="Content-Security-Policy", content=POLICY)
    put(head, "title", f"Payment {scene.payment['payment']}")
    put(head, "style").text = STYLE
    _opening(body, scene, services, about)
    body.append(drawing(scene, about.taint))
    if scene.left_out:
        put(
            body,
            "p",
            f"{len(scene.left_out)} smaller flows are not drawn; they stand in the table hops.",
            class_="quiet",
        )
    _services(body, services, scene.payment)
    _transactions(body, scene)
    _wallets(body, scene)
    _closing(body, scene, about)
    return b"<!DOCTYPE html>\n" + bytes(ET.tostring(root, "utf-8", method="html")) + b"\n"


def picture(scene: Scene, about: About) -> bytes:
    """The drawing alone, as an SVG file."""
    return bytes(ET.tostring(drawing(scene, about.taint), "utf-8", xml_declaration=True)) + b"\n"


def _opening(body: ET.Element, scene: Scene, services: Sequence[Row], about: About) -> None:
    """What happened, in sentences for somebody who knows nothing of Bitcoin."""
    payment = scene.payment
    put(body, "h1", f"One payment of {amount(payment['sats'])}, followed")
    put(body, "p", f"{about.title} · account {about.account} · {payment['payment']}", class_="quiet")
    when = f"On {payment['time']:%d %B %Y} at {payment['time']:%H:%M} UTC" if payment["time"] else "At a time not known"
    words = [f"{when}, {amount(payment['sats'])} were paid to the address that {about.site} had given to the account "
             f"{about.account}."]  # fmt: skip
    back = [s for s in services if s["direction"] == "back" and s["confidence"] != "none"]
    found = [s for s in back if s["confidence"] != "hint"]
    for service in found[:3]:
        between = service["hops"] - 1
        way = f"over {between} wallet{'s' if between > 1 else ''} whose owner is not known" if between else "directly"
        part = "An unknown part" if service["share"] is None else amount(service["share"])
        words.append(f"{part} of it came from {service['service']}, {way}.")
    if back and not found:
        words.append("Of services there are hints only, each for less than a twentieth of it.")
    if not back:
        words.append("No service was found that it came from; the picture shows where the trace ends, and why.")
    if joint := [f.share for f in scene.flows if scene.nodes[f.source].kind == "coinjoin" and f.direction == "back"]:
        part = amount(None if None in joint else sum(part or 0 for part in joint))
        words.append(f"{part} of it came out of a CoinJoin, where strangers mixed their coins; there the trace ends.")
    for service in [s for s in services if s["direction"] == "forward"][:3]:
        part = "an unknown part" if service["share"] is None else amount(service["share"])
        words.append(f"Later {part} of it went to {service['service']}.")
    put(body, "p", " ".join(words), class_="lead")


def _table(body: ET.Element, title: str, columns: Sequence[str]) -> ET.Element:
    put(body, "h2", title)
    table = put(body, "table")
    row = put(put(table, "thead"), "tr")
    for column in columns:
        put(row, "th", column)
    return put(table, "tbody")


def _services(body: ET.Element, services: Sequence[Row], payment: Row) -> None:
    if not services:
        return
    table = _table(
        body,
        "Services that were reached",
        ("service", "part of the payment", "how sure", "rests on", "speaks against it"),
    )
    for s in services:
        row = put(table, "tr")
        where = "came from" if s["direction"] == "back" else "went to"
        put(row, "td", f"{where} {s['service']}")
        percent = f" ({100 * s['share'] / payment['sats']:.1f} %)" if s["share"] is not None and payment["sats"] else ""
        put(row, "td", amount(s["share"]) + percent, class_="sum")
        put(row, "td", CONFIDENCE.get(str(s["confidence"]), ""))
        _list(put(row, "td"), s["rules"] or [])
        _list(put(row, "td"), s["against"].split("; "))


def _list(cell: ET.Element, lines: Sequence[str]) -> None:
    listed = put(cell, "ul")
    for line in lines:
        put(listed, "li", line)


def _transactions(body: ET.Element, scene: Scene) -> None:
    columns = ("no.", "from", "to", "of the payment", "moved", "time (UTC)", "transaction", "why")
    table = _table(body, "Every transaction of the picture", columns)
    for flow in scene.flows:
        row = put(table, "tr")
        put(row, "td", str(flow.number))
        put(row, "td", scene.nodes[flow.source].title)
        put(row, "td", scene.nodes[flow.target].title)
        put(row, "td", amount(flow.share), class_="sum")
        put(row, "td", amount(flow.sats), class_="sum")
        put(row, "td", f"{flow.time:%Y-%m-%d %H:%M}" if flow.time else "")
        put(put(row, "td"), "code", flow.txid)
        put(row, "td", flow.reason)


def _wallets(body: ET.Element, scene: Scene) -> None:
    table = _table(body, "Every box of the picture", ("box", "what it is", "name in the case"))
    seen = set()
    for node in scene.nodes.values():
        if (node.title, node.wallet) not in seen:
            seen.add((node.title, node.wallet))
            row = put(table, "tr")
            put(row, "td", node.title)
            put(row, "td", "; ".join((NODES[node.kind], *node.notes)))
            put(put(row, "td"), "code", node.wallet)


def _closing(body: ET.Element, scene: Scene, about: About) -> None:
    put(body, "h2", "How to read this")
    put(body, "p", READING.format(taint=about.taint))
    put(body, "p", f"Casewright {about.version}. Every figure leads back to the evidence: casewright why CASE "
        f"{said(scene.payment['payment'])}", class_="quiet")  # fmt: skip


def written(name: str, scene: Scene, services: Sequence[Row], about: About) -> bytes:
    """The picture in the form that a file's name asks for."""
    return picture(scene, about) if name.lower().endswith(".svg") else page(scene, services, about)
