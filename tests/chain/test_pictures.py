"""Pictures of a payment's flow, and graphs for other programs: complete, harmless to open, the same each time."""

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from casewright.chain.drawing.graphs import FORMS, GEXF, GRAPHML
from casewright.chain.drawing.layout import WHOLE, layout_of
from casewright.chain.drawing.page import About, written
from casewright.chain.drawing.scene import MOST_FLOWS, Scene, letter_of, scene_of
from tests.chain.test_trace import KESTREL, TALLOW, equal_parts
from tests.chain.world import COIN, Chain, follow, tag

HOSTILE = 'Kestrel "<script>alert(1)</script>" &\x07\u202e Ltd'
SVG = "{http://www.w3.org/2000/svg}"
ABOUT = About("Operation <b>Glasshouse</b>", "berta", "the site", "haircut", "0")
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def tables() -> Tables:
    """A third of a payment is from a service with a hostile name, a sixth from another, half out of a CoinJoin."""
    chain = Chain()
    one = chain.pay(chain.mint(("hot", 4 * COIN)), ("anna", 2 * COIN), ("hot", 2 * COIN))
    two = chain.pay(chain.mint(("tallow", 2 * COIN)), ("anna two", COIN), ("tallow", COIN))
    mixed = equal_parts(chain, "anna", "bob", "cem")
    paid = chain.pay([one[0], two[0], mixed[0]], ("dep", 6 * COIN))
    chain.pay(chain.pay(paid, ("operator", 6 * COIN)), ("tallow", 5 * COIN), ("operator two", COIN))
    return follow(chain, {"acc-1": "dep"}, [tag("hot", HOSTILE), TALLOW])


def scene(tables: Tables) -> Scene:
    (payment,) = tables["payments"]
    times = {
        t["txid"]: next(b["time"] for b in tables["blocks"] if b["hash"] == t["block"]) for t in tables["transactions"]
    }
    hops = [{**h, "time": times[h["txid"]]} for h in tables["hops"] if h["payment"]]
    return scene_of(payment, hops, "berta")


def services(tables: Tables) -> list[dict[str, Any]]:
    return [s for s in tables["services"] if s["payment"]]


def test_all_of_the_payment_comes_in_on_the_left_and_leaves_on_the_right(tables: Tables) -> None:
    drawn = scene(tables)
    before = [f for f in drawn.flows if f.target[0] == 0]
    after = [f for f in drawn.flows if f.source[0] == 0]
    assert sum(f.share or 0 for f in before) == sum(f.share or 0 for f in after) == 6 * COIN
    ends = {node.title: node.kind for node in drawn.nodes.values()}
    assert ends[HOSTILE] == "service"
    assert ends["CoinJoin (JoinMarket)"] == "coinjoin"
    assert {"Wallet A", "The site", "Tallow Coin"} <= ends.keys()
    assert sum(f.share or 0 for f in drawn.flows if drawn.nodes[f.source].title == HOSTILE) == 2 * COIN


def test_bands_are_as_wide_as_their_part_and_boxes_do_not_overlap(tables: Tables) -> None:
    placed = layout_of(scene(tables))
    widths = {band.flow.share: band.width for band in placed.bands if band.flow.target[0] == 0}
    assert widths[6 * COIN] == pytest.approx(WHOLE)
    columns: dict[int, list[tuple[float, float]]] = {}
    for key, box in placed.boxes.items():
        columns.setdefault(key[0], []).append((box.y, box.y + box.height))
    for spans in columns.values():
        ordered = sorted(spans)
        assert all(low[1] < high[0] for low, high in pairwise(ordered))
    assert all(box.y + box.height <= placed.height for box in placed.boxes.values())


def test_the_page_names_every_transaction_in_full_and_says_what_speaks_against(tables: Tables) -> None:
    raw = written("flow.html", scene(tables), services(tables), ABOUT).decode()
    for hop in tables["hops"]:
        if hop["payment"] and "stops: not spent" not in hop["reason"]:
            assert hop["txid"] in raw
    assert "may have changed hands" in raw
    assert "another person" in raw
    assert "2.00000000 BTC (33.3 %)" in raw


def test_nothing_in_a_picture_runs_or_is_loaded_and_labels_stay_text(tables: Tables) -> None:
    for name in ("flow.html", "flow.svg"):
        raw = written(name, scene(tables), services(tables), ABOUT).decode()
        assert "<script" not in raw
        assert "&lt;script&gt;" in raw
        assert "<b>" not in raw
        assert "\x07" not in raw
        assert "\u202e" not in raw
        assert set(re.findall(r'(?:href|src|url)\W+\w*:?//[^"]*', raw)) == set()
        assert set(re.findall(r"https?://[^\"<) ]+", raw)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in written("flow.html", scene(tables), [], ABOUT).decode()


def test_the_drawing_alone_is_well_formed_and_the_same_each_time(tables: Tables) -> None:
    raw = written("flow.svg", scene(tables), [], ABOUT)
    root = ET.fromstring(raw)
    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f"{SVG}path")) == len(scene(tables).flows)
    assert raw == written("flow.svg", scene(tables), [], ABOUT)


def test_of_very_many_flows_the_largest_are_drawn_and_the_rest_counted() -> None:
    chain = Chain()
    coins = [chain.pay(chain.mint(("hot", 5 * COIN)), (f"p{n}", COIN + n), ("hot", COIN))[0] for n in range(70)]
    chain.pay(coins, ("dep", 70 * COIN))
    drawn = scene(follow(chain, {"acc-1": "dep"}, [KESTREL]))
    assert len(drawn.flows) == MOST_FLOWS
    assert len(drawn.left_out) == 71 - MOST_FLOWS
    assert b"smaller flows are not drawn" in written("x.html", drawn, [], ABOUT)


def test_graphs_for_other_programs_hold_every_hop(tables: Tables) -> None:
    (payment,) = tables["payments"]
    hops = [{**h, "time": payment["time"]} for h in tables["hops"]]
    for ending, space, edge, node in ((".graphml", GRAPHML, "graph/{}edge", "graph/{}node"),
                                      (".gexf", GEXF, "graph/{}edges/{}edge", "graph/{}nodes/{}node")):  # fmt: skip
        root = ET.fromstring(FORMS[ending](hops))
        name = f"{{{space}}}"
        edges = root.findall(name + edge.replace("{}", name))
        nodes = {n.get("id") for n in root.findall(name + node.replace("{}", name))}
        assert [e.get("id") for e in edges] == [h["hop"] for h in hops]
        assert {e.get(side) for e in edges for side in ("source", "target")} == nodes
        text = ET.tostring(root, "unicode")
        assert str(payment["sats"]) in text
        assert "&lt;script&gt;" in text
        assert "2017" in text or str(payment["time"].year) in text


def test_a_payment_without_a_trace_is_a_box_alone(tables: Tables) -> None:
    (payment,) = tables["payments"]
    assert ET.fromstring(written("x.svg", scene_of(payment, [], "berta"), [], ABOUT)).findall(f"{SVG}path") == []


def test_letters_go_on_after_z() -> None:
    assert [letter_of(n) for n in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]
