"""All hops of a case as a graph for other programs: GraphML (Brandes and others, 2002) or GEXF 1.3 (Gephi).

Nodes are wallets and services, edges are transactions. Elements are built, never pasted together; what XML cannot hold
is written as an escape.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from casewright.chain.drawing.scene import said

GRAPHML, GEXF = "http://graphml.graphdrawing.org/xmlns", "http://gexf.net/1.3"
NODE = {"label": "string", "kind": "string"}
EDGE = {"payment": "string", "direction": "string", "step": "long", "txid": "string", "time": "string", "sats": "long",
        "share": "long", "transactions": "long", "reason": "string"}  # fmt: skip
Hop = Mapping[str, Any]


def nodes_of(hops: Iterable[Hop]) -> dict[str, dict[str, str]]:
    """Every wallet that a hop names: what tags call it, and how the trace ends there."""
    found: dict[str, dict[str, str]] = {}
    for hop in hops:
        ended = hop["from_cluster"] if hop["direction"] == "back" else hop["to_cluster"]
        for name in (hop["from_cluster"], hop["to_cluster"]):
            node = found.setdefault(name, {"label": name, "kind": "wallet"})
            if name == ended and hop["ends"] in ("service", "mixer", "tagged") and hop["label"]:
                node.update(label=hop["label"], kind=hop["ends"])
    return found


def graphml(hops: Sequence[Hop], notes: Mapping[str, str] | None = None) -> bytes:
    """As GraphML; satoshis as `long`. `notes`: what somebody wrote about a wallet or a transaction."""
    root = ET.Element("graphml", {"xmlns": GRAPHML})
    written = {"note": "string"} if notes else {}
    for of, columns in (("node", NODE | written), ("edge", EDGE | written)):
        for name, kind in columns.items():
            ET.SubElement(root, "key", {"id": f"{of}-{name}", "for": of, "attr.name": name, "attr.type": kind})
    graph = ET.SubElement(root, "graph", {"id": "hops", "edgedefault": "directed"})
    nodes = nodes_of(hops)
    numbers = {name: f"n{n}" for n, name in enumerate(nodes)}
    for name, values in nodes.items():
        note = (notes or {}).get(name)
        _data(ET.SubElement(graph, "node", {"id": numbers[name]}), "node", {**values, "note": note})
    for hop in hops:
        edge = ET.SubElement(graph, "edge", {"id": said(hop["hop"]), "source": numbers[hop["from_cluster"]],
                                             "target": numbers[hop["to_cluster"]]})  # fmt: skip
        _data(edge, "edge", {**{name: hop[name] for name in EDGE}, "note": (notes or {}).get(hop["txid"])})
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True)) + b"\n"


def _data(parent: ET.Element, of: str, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is not None:
            ET.SubElement(parent, "data", {"key": f"{of}-{name}"}).text = _text(value)


def gexf(hops: Sequence[Hop]) -> bytes:
    """As GEXF 1.3, for Gephi."""
    root = ET.Element("gexf", {"xmlns": GEXF, "version": "1.3"})
    graph = ET.SubElement(root, "graph", {"defaultedgetype": "directed"})
    for of, columns in (("node", {"kind": "string"}), ("edge", EDGE)):
        listed = ET.SubElement(graph, "attributes", {"class": of})
        for name, kind in columns.items():
            ET.SubElement(listed, "attribute", {"id": name, "title": name, "type": kind})
    nodes = nodes_of(hops)
    numbers = {name: f"n{n}" for n, name in enumerate(nodes)}
    box, lines = ET.SubElement(graph, "nodes"), ET.SubElement(graph, "edges")
    for name, values in nodes.items():
        node = ET.SubElement(box, "node", {"id": numbers[name], "label": said(values["label"])})
        _values(node, {"kind": values["kind"]})
    for hop in hops:
        edge = ET.SubElement(lines, "edge", {"id": said(hop["hop"]), "source": numbers[hop["from_cluster"]],
                                             "target": numbers[hop["to_cluster"]],
                                             "label": said(hop["txid"])})  # fmt: skip
        _values(edge, {name: hop[name] for name in EDGE})
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True)) + b"\n"


def _values(parent: ET.Element, values: Mapping[str, Any]) -> None:
    listed = ET.SubElement(parent, "attvalues")
    for name, value in values.items():
        if value is not None:
            ET.SubElement(listed, "attvalue", {"for": name, "value": _text(value)})


def _text(value: Any) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if hasattr(value, "strftime") else said(value)


FORMS = {".graphml": graphml, ".gexf": gexf}
"""How the end of a file's name says what is written."""
