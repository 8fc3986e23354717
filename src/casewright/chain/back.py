"""Back from a payment: whose coins it was paid with, over the transactions that made them, to the first service."""

from collections import deque

from casewright.chain.findings import Findings
from casewright.chain.graph import Coin, Graph
from casewright.chain.labels import entity

BATCH_OUTPUTS = 3
SEVERAL = "several owners"


def trace_back(found: Findings, payment: Coin) -> Findings:
    """Fills `found`, breadth first. Nothing is followed behind a tagged wallet, a CoinJoin, or new coins."""
    queue = deque([(payment, 1)])
    while queue:
        coin, step = queue.popleft()
        queue.extend(_cross(found, coin, step))
    return found


def _cross(found: Findings, coin: Coin, step: int) -> list[tuple[Coin, int]]:
    """Rows for the transaction that made `coin`, and the coins to go on with."""
    graph, payee = found.graph, found.graph.wallet(coin)
    if coin.txid not in graph.spends:
        found.hop(step, coin, coin.txid, "newly mined", payee, "stops: newly mined coins", end="at newly mined coins")
        return []
    rule = graph.coinjoins.get(coin.txid)
    doubts = _doubts(graph, coin, step)
    if rule and _is_batch(graph, coin.txid, rule):
        doubts.append(f"the transaction also has the shape of a {rule} CoinJoin, though one service alone funds it")
    elif rule:
        found.hop(step, coin, coin.txid, SEVERAL, payee, f"stops at a CoinJoin: {rule}", end=f"at a CoinJoin ({rule})")
        return []
    before = found.crossed.setdefault(coin.txid, step)
    full = len(found.crossed) > found.limits.most_transactions
    wallets, unknown = graph.sources_of(coin.txid)
    onward = []
    for wallet, spent in wallets.items():
        onward += _source(found, coin, step, wallet, spent, doubts, not rule, before if before != step else 0, full)
    if unknown:
        words = f"stops: {unknown} of its inputs spend outputs that are not in the chain files"
        found.hop(step, coin, coin.txid, "not in the files", payee, words, end="outside the chain files")
    return onward


def _source(
    found: Findings, coin: Coin, step: int, wallet: str, spent: list[Coin], doubts: list[str], sure: bool,
    before: int, full: bool,
) -> list[tuple[Coin, int]]:  # fmt: skip
    """One wallet among those that paid: a service, a stop, or a wallet whose own funding is followed."""
    graph, limits, payee = found.graph, found.limits, found.graph.wallet(coin)
    verdict = graph.verdict(wallet)
    ids = [c.id for c in spent]
    if verdict.stops:
        met = _tagged_first(spent, {t["address"] for t in (*verdict.custodial, *verdict.mixing)})
        found.reached(step, coin, met, verdict, doubts, sure)
        named = [t["tag"] for t in (*verdict.custodial, *verdict.mixing)]
        end = "" if named else "at a wallet with another tag"
        found.hop(step, coin, coin.txid, wallet, payee, verdict.stops, *ids, *named, end=end)
        return []
    stop, end = "", ""
    if wallet in graph.market:
        stop, end = "stops: paid by the market's own wallet", "at the market's own wallet"
    elif before:
        stop = f"stops: this transaction was crossed in step {before} already"
    elif full:
        stop, end = f"stops: {limits.most_transactions} transactions were crossed", "at the limit of one trace"
    elif step >= limits.max_hops:
        stop, end = f"stops: {limits.max_hops} hops, the limit in case.toml", "at the limit of hops"
    if stop:
        found.hop(step, coin, coin.txid, wallet, payee, stop, *ids, end=end)
        return []
    large = [c for c in spent if c.sats >= limits.dust_sats]
    dust = len(spent) - len(large)
    passed = f"; {dust} below {limits.dust_sats} sat not followed" if dust else ""
    coins = "with one coin" if len(spent) == 1 else f"with {len(spent)} coins"
    reason = f"paid by a wallet that no tag names, {coins}: their funding is followed{passed}"
    found.hop(step, coin, coin.txid, wallet, payee, reason, *ids, end="" if large else "at dust")
    return [(c, step + 1) for c in large]


def _tagged_first(coins: list[Coin], tagged: set[str]) -> Coin:
    return next((c for c in coins if c.address in tagged), coins[0])


def _doubts(graph: Graph, coin: Coin, step: int) -> list[str]:
    """What speaks against a service that would be found here."""
    doubts = []
    if step > 1:
        steps = f"{step - 1} untagged wallet" + ("s" if step > 2 else "")
        doubts.append(f"not direct: {steps} in between, which may be another person's")
    outputs = len(graph.outputs.get(coin.txid, ()))
    if outputs >= BATCH_OUTPUTS:
        doubts.append(f"shared batch: the transaction pays {outputs} outputs, perhaps for as many customers")
    return doubts


def _is_batch(graph: Graph, txid: str, rule: str) -> bool:
    """A large service pays many at once with many coins, and then looks like JoinMarket. All its inputs must be known
    and tagged as one and the same service."""
    wallets, unknown = graph.sources_of(txid)
    if rule != "JoinMarket" or unknown:
        return False
    named = [{entity(t) for t in graph.verdict(w).custodial} for w in wallets]
    return bool(named) and all(len(n) == 1 and n == named[0] for n in named)
