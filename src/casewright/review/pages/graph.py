"""Wallets as nodes and transactions as edges: the hops of a payment, and around any node that is opened the largest
flows, what is not change first.

The picture is its address: which payment, which nodes are open. Who keeps the address keeps the picture; places are
computed here, so that the same address always looks the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from casewright.chain.drawing import graphs
from casewright.chain.drawing.asked import PAYMENT
from casewright.engine.query import among
from casewright.model.errors import Missing, UsageError
from casewright.review.journal import Note
from casewright.review.page import Ask, Page
from casewright.review.pages.flows import Flow, around
from casewright.review.shown import many

MOST_OPEN, MOST_NODES, MOST_KEPT = 60, 2_000, 100
HOPS = "SELECT * FROM hops WHERE payment = $payment ORDER BY direction, step, hop"
TAGS = """
SELECT * FROM tagged_wallets WHERE {among} ORDER BY node, level DESC NULLS LAST, label
"""
WALLETS = """
SELECT DISTINCT cluster AS node FROM clusters WHERE {clusters}
UNION SELECT DISTINCT address FROM outputs WHERE {addresses}
"""
Edge = dict[str, Any]


def find(ask: Ask) -> dict[str, Any]:
    payment, opened = ask.text("payment"), _opened(ask)
    base = _of_payment(ask, payment) if payment else []
    column = _columns(base)
    for node in opened:
        column.setdefault(node, 0)
    edges = base + [_edge(flow, column) for flow in around(ask.rows, opened)]
    edges = _once(edges)
    nodes = sorted({n for e in edges for n in (e["source"], e["target"])} | set(opened), key=lambda n: (column[n], n))
    if len(nodes) > MOST_NODES:
        raise UsageError(f"That would be {len(nodes):,} nodes; {MOST_NODES:,} can be drawn. Open fewer of them.")
    tags = _tags(ask, nodes)
    placed = _placed(nodes, edges, column)
    known = _wallets(ask, nodes)
    shown = [{"id": n, "x": placed[n][0], "y": placed[n][1], "open": n in opened, "opens": n in known,
              "tags": tags.get(n, []), "kind": _kind(n, edges, tags)} for n in nodes]  # fmt: skip
    found = ask.rows(PAYMENT, {"payment": payment}) if payment else []
    return {"payment": found[0] if found else None, "opened": opened, "nodes": shown, "edges": edges,
            "notes": _notes(ask, nodes, edges), "kept": _kept(ask), "picture": picture(ask.query)}  # fmt: skip


def _notes(ask: Ask, nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, list[Note]]:
    """What was written about wallets and transactions of this picture, and about the picture, its address."""
    here = picture(ask.query)
    shown = {*nodes, *(edge["txid"] for edge in edges), here}
    return {about: said for about, said in ask.desk.journal.notes().items() if about in shown}


def picture(query: Mapping[str, str]) -> str:
    """The address by which a picture is kept."""
    kept = {name: query[name] for name in ("payment", "open") if query.get(name)}
    return "/graph" + ("?" + urlencode(kept) if kept else "")


def _kept(ask: Ask) -> list[Note]:
    """The last note on each picture that somebody wrote about, the latest first."""
    last = [said[-1] for about, said in ask.desk.journal.notes().items() if about.startswith("/graph?")]
    return sorted(last, key=lambda note: -note.line)[:MOST_KEPT]


def _opened(ask: Ask) -> list[str]:
    """The nodes that are open, in the order of opening. Raises UsageError for too many, Missing for strangers."""
    given = list(dict.fromkeys(n for n in ask.query.get("open", "").split(",") if n))
    if len(given) > MOST_OPEN:
        raise UsageError(f"{MOST_OPEN} open nodes are the most that one picture holds.")
    if given and len(_wallets(ask, given)) < len(given):
        raise Missing("There is no such wallet or address in the blocks of this case.")
    return given


def _wallets(ask: Ask, nodes: Sequence[str]) -> set[str]:
    """Those of the nodes of which the case's blocks know, and that can be opened."""
    clusters, addresses = (among(column, "nodes", len(nodes)) for column in ("cluster", "address"))
    sql = WALLETS.format(clusters=clusters, addresses=addresses)
    return {row["node"] for row in ask.rows(sql, {"nodes": list(nodes)})}


def _of_payment(ask: Ask, payment: str) -> list[Edge]:
    hops = ask.rows(HOPS, {"payment": payment})
    if not hops and not ask.rows(PAYMENT, {"payment": payment}):
        raise Missing("There is no such payment in this case.")
    return [{"id": h["hop"], "source": h["from_cluster"], "target": h["to_cluster"], "txid": h["txid"],
             "sats": h["sats"], "share": h["share"], "ends": h["ends"], "reason": h["reason"], "change": False,
             "step": -h["step"] if h["direction"] == "back" else h["step"]} for h in hops]  # fmt: skip


def _edge(flow: Flow, column: dict[str, int]) -> Edge:
    """A flow beside an open wallet; its neighbour gets a column beside it."""
    column.setdefault(flow.other, column[flow.wallet] + (1 if flow.outward else -1))
    source, target = (flow.wallet, flow.other) if flow.outward else (flow.other, flow.wallet)
    change = "may be change; " if flow.change else ""
    return {"id": f"{flow.txid}/{source}/{target}", "source": source, "target": target, "txid": flow.txid,
            "sats": flow.sats, "share": None, "step": None, "ends": None, "change": flow.change,
            "reason": f"{change}{many(flow.coins, 'coin')} of one transaction"}  # fmt: skip


def _once(edges: Iterable[Edge]) -> list[Edge]:
    """Each flow once: what the trace says of one goes before what is found around a node."""
    kept: dict[tuple[str, str, str], Edge] = {}
    for edge in edges:
        kept.setdefault((edge["txid"], edge["source"], edge["target"]), edge)
    return list(kept.values())


def _columns(edges: Sequence[Edge]) -> dict[str, int]:
    """The payment's own wallet stands in column 0, what lies behind it to the left."""
    column: dict[str, int] = {}
    for edge in sorted(edges, key=lambda e: abs(e["step"])):
        step = edge["step"]
        near, far = (edge["target"], edge["source"]) if step < 0 else (edge["source"], edge["target"])
        column.setdefault(near, step + 1 if step < 0 else step - 1)
        column.setdefault(far, step)
    return column


def _placed(nodes: Sequence[str], edges: Sequence[Edge], column: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Columns from left to right; within one the largest flows in the middle."""
    weight: dict[str, int] = {}
    for edge in edges:
        for node in (edge["source"], edge["target"]):
            weight[node] = weight.get(node, 0) + (edge["sats"] or 0)
    places = {}
    for number in sorted(set(column.values())):
        mine = sorted((n for n in nodes if column[n] == number), key=lambda n: (-weight.get(n, 0), n))
        for rank, node in enumerate(mine):
            places[node] = (number * 260, (rank + 1) // 2 * (90 if rank % 2 else -90))
    return places


def _tags(ask: Ask, nodes: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in ask.rows(TAGS.format(among=among("node", "nodes", len(nodes))), {"nodes": list(nodes)}):
        found.setdefault(row["node"], []).append({k: row[k] for k in ("label", "category", "level", "tags")})
    return found


def _kind(node: str, edges: Sequence[Edge], tags: Mapping[str, Any]) -> str:
    """How a node is drawn: by how a trace ended there, or by its tags."""
    ends = next(
        (e["ends"] for e in edges if e["ends"] and node == (e["source"] if (e["step"] or 0) < 0 else e["target"])), ""
    )
    return ends or ("tagged" if node in tags else "wallet")


def graphml(ask: Ask) -> bytes:
    """What the picture shows, for other programs, with what was written about it."""
    found = find(ask)
    hops = [{"hop": e["id"], "from_cluster": e["source"], "to_cluster": e["target"], "payment": None, "label": None,
             "direction": "back" if (e["step"] or 0) < 0 else "forward", "step": abs(e["step"] or 0), "time": None,
             "transactions": 1, **{k: e[k] for k in ("txid", "sats", "share", "reason", "ends")}}
            for e in found["edges"]]  # fmt: skip
    notes = {about: "\n".join(f"{note.text} ({note.examiner}, {note.time[:10]})" for note in said)
             for about, said in found["notes"].items()}  # fmt: skip
    return graphs.graphml(hops, notes)


PAGES = (Page("/graph", "graph.html", find, "payments"),)
