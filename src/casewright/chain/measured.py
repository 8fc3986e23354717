"""The stage `heuristics_measured`: how good each heuristic is in this very case, the seized addresses being the truth.

The market's own addresses are known: it gave them to accounts, or its seized wallets hold their keys. So this case says
how many of them co-spending would have brought together, whom else it brings with them, and how often a rule about
change is right. Grading by seized servers: "Ghost Clusters", USENIX Security 2025.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.chain.columns import KINDS, UNKNOWN, Chain, Numbers, numbers
from casewright.chain.graph import Graph, load_graph, places
from casewright.chain.labels import kind
from casewright.chain.links import PORTION
from casewright.engine.parts import TablePart
from casewright.engine.stage import Context, Output, Tally
from casewright.model.bitcoin import as_paid
from casewright.model.tables import TABLES

EXAMPLES = 20
CO_SPEND, LARGEST = "co-spend", "change: largest output"
TOO_LARGE = "own addresses in clusters too large to be the market's wallet"
KNOWN_CHANGE = "payments out of own coins whose change is known, and in which the rule names an output"
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """Of each holder, whether its address is the market's own, or known to be somebody else's."""

    own: Flags
    other: Flags


def measured(batch: pa.Table, context: Context) -> Output:
    """One row for each heuristic and what was counted; none when the chain knows no address of the market's own."""
    graph = load_graph(context)
    truth = _truth(context, graph)
    rows = [*_co_spend(graph, truth), *_change(graph, truth, context.parts("change"))] if truth.own.any() else []
    paid, spent = int(truth.own.sum()), int((truth.own & (graph.cluster_of != UNKNOWN)).sum())
    tally = Tally("own addresses that were paid", paid, spent, paid - spent)
    return Output({"heuristics_measured": TABLES["heuristics_measured"].rows(rows)}, [], [tally])


def _truth(context: Context, graph: Graph) -> Truth:
    wallets = context.table("wallet_addresses")
    deposits = [as_paid(a) for a in context.table("deposit_addresses")["address"].to_pylist()]
    held = wallets.filter(pc.is_in(wallets["role"], pa.array(["own", "change"])))["address"].to_pylist()
    contacts = wallets.filter(pc.equal(wallets["role"], "contact"))["address"].to_pylist()
    own = _flags(graph, [*deposits, *held])
    other = _flags(graph, contacts)
    tags = graph.tags.select(["category", "holder"]).to_pylist()
    other[[tag["holder"] for tag in tags if kind(tag) != "other"]] = True
    return Truth(own, other & ~own)


def _flags(graph: Graph, addresses: list[str]) -> Flags:
    found = np.zeros(len(graph.wallet_of), bool)
    here = places(pa.chunked_array([pa.array(sorted(set(addresses)), pa.string())]), graph.chain.addresses)
    found[here[here >= 0]] = True
    return found


def _co_spend(graph: Graph, truth: Truth) -> Iterable[dict[str, Any]]:
    """Pairs of own addresses that spent: joined or not. Addresses that are joined to own ones: whose they are."""
    clusters = len(graph.cluster_ids)
    spent: Flags = graph.cluster_of != UNKNOWN
    mine = np.bincount(graph.cluster_of[truth.own & spent], minlength=clusters)
    count, joined = int(mine.sum()), int((mine * (mine - 1) // 2).sum())
    with_mine: Flags = spent & ~truth.own
    with_mine[spent] &= mine[graph.cluster_of[spent]] > 0
    strangers = np.flatnonzero(with_mine & truth.other)
    proofs = [merge["id"] for holder in strangers[:EXAMPLES] for merge in _merges(graph, int(holder), truth)]
    beside, all_own = int(with_mine.sum()), int(truth.own.sum())
    yield _row(CO_SPEND, "own addresses that spent", count, all_own, "only what was spent can be joined by co-spending")
    yield _row(CO_SPEND, TOO_LARGE, graph.swallowed, count,
               "of such a cluster only what is known counts as the market's ([chain] market_members)")  # fmt: skip
    yield _row(CO_SPEND, "pairs of own addresses joined", joined, count * (count - 1) // 2,
               "coverage: what one would find of the wallet from one of its addresses")  # fmt: skip
    yield _row(CO_SPEND, "strangers joined to own addresses", len(strangers), beside + count,
               "wrong merges: services by tag, and contacts of the seized wallets", proofs)  # fmt: skip
    yield _row(CO_SPEND, "others joined to own addresses", beside - len(strangers), beside + count,
               "own addresses that no seized record names, or strangers: nobody knows")  # fmt: skip


def _merges(graph: Graph, stranger: int, truth: Truth) -> tuple[Any, ...]:
    """The merges that lead from a stranger to an own address of its cluster."""
    own = np.flatnonzero(truth.own & (graph.cluster_of == graph.cluster_of[stranger]))[0]
    way = graph.forest.way(stranger, int(own))
    return graph.merges.told(way.tolist()) if way is not None else ()


def _change(graph: Graph, truth: Truth, change: Sequence[TablePart]) -> Iterable[dict[str, Any]]:
    """Rules about change, held against payments out of own coins that pay one own address: that is the change."""
    chain, paying = graph.chain, _own_payments(graph, truth)
    guesses = [(LARGEST, _largest(graph, int(transaction))) for transaction in paying]
    asked = (row for part in change for row in _rows_of(part, chain, paying).to_pylist())
    guesses += [(f"change: {rule}", row["output"]) for row in asked for rule in row["rules"]]
    for rule in sorted({rule for rule, _ in guesses}):
        named = [output for by, output in guesses if by == rule]
        wrong = [output for output in named if not truth.own[chain.holder[output]]]
        yield _row(rule, "change named rightly", len(named) - len(wrong), len(named), KNOWN_CHANGE)
        yield _row(rule, "somebody else's output named", len(wrong), len(named), KNOWN_CHANGE,
                   [chain.coin(output) for output in wrong[:EXAMPLES]])  # fmt: skip


def _rows_of(part: TablePart, chain: Chain, transactions: Numbers) -> pa.Table:
    """Rows of `change` about outputs of these transactions, which ascend."""
    outputs = numbers(part.read(["output"])["output"])
    made_in = np.searchsorted(chain.first_output, outputs, "right") - 1
    return part.take(np.flatnonzero(np.isin(made_in, transactions)), ("output", "rules"))


def _largest(graph: Graph, transaction: int) -> int:
    """The largest output, which traces forward follow where nothing else says what is change."""
    outputs = [graph.coin(n) for n in graph.crossing(transaction).outputs if graph.coin(n).kind != "op_return"]
    return max(outputs, key=lambda o: (o.sats, -o.vout)).number


def _own_payments(graph: Graph, truth: Truth) -> Numbers:
    """Transactions that spend own coins only, and pay both an own address and another one; stretch by stretch."""
    starts = range(0, graph.chain.transactions, PORTION)
    return np.concatenate([np.empty(0, np.int64), *(_own_payments_from(graph.chain, truth.own, n) for n in starts)])


def _own_payments_from(chain: Chain, own: Flags, first: int) -> Numbers:
    into, outof = (starts[first : first + PORTION + 1] for starts in (chain.first_input, chain.first_output))
    count, inputs = len(into) - 1, np.diff(into)
    holder, kind = (column[outof[0] : outof[-1]] for column in (chain.holder, chain.kind))
    made_in, spender = np.repeat(np.arange(count), np.diff(outof)), np.repeat(np.arange(count), inputs)
    paying, is_own = kind != KINDS.index("op_return"), own[holder]
    mine = np.bincount(made_in[is_own & paying], minlength=count)
    others = np.bincount(made_in[~is_own & paying], minlength=count)
    spends = chain.spends[into[0] : into[-1]]
    strange = spends < 0
    strange[~strange] = ~own[chain.holder[spends[~strange]]]
    foreign = np.bincount(spender[strange], minlength=count)
    return first + np.flatnonzero((inputs > 0) & (foreign == 0) & (mine == 1) & (others > 0))


def _row(heuristic: str, measure: str, count: int, of: int, words: str, sources: Iterable[str] = ()) -> dict[str, Any]:
    return {"heuristic": heuristic, "measure": measure, "count": count, "of": of, "meaning": words,
            "sources": list(dict.fromkeys(sources))}  # fmt: skip
