"""Back from a payment: whose coins it was paid with, over the transactions that made them, to the first service."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from casewright.chain.behaviour import busy, gathering, payer_of
from casewright.chain.coinjoin import BATCHES
from casewright.chain.findings import Findings, Way
from casewright.chain.flow import flow_back
from casewright.chain.graph import Coin, Crossing, Graph
from casewright.chain.labels import entity
from casewright.chain.peels import peels_before

BATCH_OUTPUTS = 3
SMALL_PART = 1000
"""A coin of less than so small a part of what its wallet spends with it is not followed: dust that somebody sent."""
SEVERAL, SERVICE_LIKE = "several owners", "at a wallet that behaves like a service"


@dataclass(frozen=True)
class Met:
    """A transaction that the walk crosses, and what is thought of it."""

    crossing: Crossing
    doubts: Sequence[str]
    rules: Sequence[str]
    sure: bool
    stop: str
    """Why no untagged wallet is followed behind it; empty when they are."""
    end: str = ""
    ends: str = ""


def trace_back(found: Findings, payment: Coin) -> Findings:
    """Fills `found`, breadth first. Nothing is followed behind a tagged wallet, a CoinJoin, or new coins."""
    queue, found.queued = deque([Way(payment)]), {payment.number}
    while queue:
        for way in _cross(found, queue.popleft(), payment):
            if way.coin.number not in found.queued:
                found.queued.add(way.coin.number)
                queue.append(way)
    found.told(flow_back(found.graph, payment.number, found.crossed, found.queued, found.limits.taint), payment.sats)
    return found


def _cross(found: Findings, way: Way, payment: Coin) -> list[Way]:
    """Rows for the transaction that made the coin, and the coins to go on with."""
    graph, coin, payee = found.graph, way.coin, way.coin.wallet
    if graph.is_mined(coin.made_in):
        stop, end = "stops: newly mined coins", "at newly mined coins"
        found.hop(way.step, coin, coin.txid, "newly mined", payee, stop, ends="mined", end=end)
        return []
    age = found.days(payment.made_in, coin.made_in)
    if found.limits.is_old(age):
        stop = f"stops: {age} days before the payment; case.toml says {found.limits.max_age_days}"
        found.hop(way.step, coin, coin.txid, "older than the limit", payee, stop, ends="age",
                  end="at the limit of age")  # fmt: skip
        return []
    if way.step > 1 and (
        run := peels_before(graph, coin, found.crossed, lambda t: found.limits.is_old(found.days(payment.made_in, t)))
    ):
        return _over_peels(found, way, run)
    met = _met(found, way)
    if not met:
        return []
    found.crossed.setdefault(coin.made_in, way.step)
    onward = []
    for wallet, spent in met.crossing.sources.items():
        onward += _source(found, way, met, wallet, spent)
    if met.crossing.unknown:
        words = f"stops: {found.gaps.before(coin.txid, met.crossing.unknown)}"
        found.hop(way.step, coin, coin.txid, "not in the files", payee, words, ends="missing",
                  end="outside the chain files", paid_with=None if met.crossing.sources else ())  # fmt: skip
    return onward


def _met(found: Findings, way: Way) -> Met | None:
    """What is thought of the transaction that made the coin; None for a CoinJoin, where the trace ends."""
    graph, limits, coin = found.graph, found.limits, way.coin
    crossing, doubts, rules = graph.crossing(coin.made_in), _doubts(found, way), _rules(way)
    rule = crossing.rule
    if rule and _is_batch(graph, crossing):
        doubts.append(f"the transaction also has the shape of a {rule} CoinJoin, though one service alone funds it")
    elif rule:
        stop, end = f"stops at a CoinJoin: {rule}", f"at a CoinJoin ({rule})"
        found.hop(way.step, coin, coin.txid, SEVERAL, coin.wallet, stop, ends="coinjoin", label=rule, end=end)
        return None
    before = found.crossed.get(coin.made_in, way.step)
    stop, end, ends = "", "", ""
    if before != way.step:
        stop, ends = f"stops: this transaction was crossed in step {before} already", "crossed"
    elif len(found.crossed) >= limits.most_transactions:
        stop, end = f"stops: {limits.most_transactions} transactions were crossed", "at the limit of one trace"
        ends = "transactions"
    elif way.step >= limits.max_hops:
        stop, end, ends = f"stops: {limits.max_hops} hops, the limit in case.toml", "at the limit of hops", "hops"
    return Met(crossing, doubts, rules, not rule, stop, end, ends)


def _source(found: Findings, way: Way, met: Met, wallet: int, spent: list[Coin]) -> list[Way]:
    """One wallet among those that paid: a service, a stop, or a wallet whose own funding is followed."""
    graph, limits, coin, payee = found.graph, found.limits, way.coin, way.coin.wallet
    verdict = graph.verdict(wallet)
    ids = [c.id for c in spent]
    if verdict.stops:
        tagged = _tagged_first(spent, {t["address"] for t in (*verdict.custodial, *verdict.mixing)})
        found.reached(way, coin, tagged, verdict, met.doubts, met.rules, met.sure, spent)
        named = [t["tag"] for t in (*verdict.custodial, *verdict.mixing)]
        end = "" if named else "at a wallet with another tag"
        found.hop(way.step, coin, coin.txid, wallet, payee, verdict.stops, *ids, *named, ends=verdict.ends,
                  label=verdict.label, end=end, paid_with=spent)  # fmt: skip
        return []
    stop, end, ends = met.stop, met.end, met.ends
    if graph.in_market(wallet):
        stop, end, ends = "stops: paid by the market's own wallet", "at the market's own wallet", "market"
    elif not stop and (like := gathering(graph, met.crossing, spent, limits.gathered_from)):
        stop, end, ends = f"stops: behaves like a service: {like}", SERVICE_LIKE, "pooled"
    if stop:
        found.hop(way.step, coin, coin.txid, wallet, payee, stop, *ids, ends=ends, end=end, paid_with=spent)
        return []
    followed, reason, end, ends = _followed(found, wallet, spent)
    found.hop(way.step, coin, coin.txid, wallet, payee, reason, *ids, ends=ends or None, end=end, paid_with=spent)
    return [Way(c, way.step + 1, way.transactions + 1, guesses=way.guesses) for c in followed]


def _followed(found: Findings, wallet: int, spent: list[Coin]) -> tuple[list[Coin], str, str, str]:
    """Coins of an untagged wallet that are followed further, and the reason; where none is, how the branch ends."""
    least = max(found.limits.dust_sats, -(-sum(c.sats for c in spent) // SMALL_PART))
    large = [c for c in spent if c.sats >= least]
    dust = len(spent) - len(large)
    passed = f"; {dust} below {least} sat not followed" if dust else ""
    if much := busy(found.graph, wallet, found.limits.busy_wallet):
        own = [c for c in large if payer_of(found.graph, c) == wallet]
        words = f"{len(own)} coins of its own change are followed" if own else "stops"
        end, ends = ("", "") if own else (SERVICE_LIKE, "pooled")
        return own, f"behaves like a service: {much}; {words}{passed}", end, ends
    coins = "with one coin" if len(spent) == 1 else f"with {len(spent)} coins"
    reason = f"paid by a wallet that no tag names, {coins}: their funding is followed{passed}"
    return large, reason, "" if large else "at dust", "" if large else "dust"


def _over_peels(found: Findings, way: Way, run: list[Crossing]) -> list[Way]:
    """One hop over a whole peeling chain, to the coin that it began with."""
    count = len(run)
    coins = [way.coin, *(next(iter(crossing.sources.values()))[0] for crossing in run)]
    for crossing, coin in zip(run, coins[1:], strict=True):
        found.crossed[crossing.number] = way.step
        found.queued.add(coin.number)
    first = coins[-1]
    found.queued.discard(first.number)  # it is where the walk goes on
    words = (
        f"peeling chain: {count} transactions, in each of which the larger output of two goes on, from "
        f"{first.id} ({first.sats} sat) to {way.coin.id}; followed back to where it began"
    )
    ids = [name for crossing, coin in zip(run, coins[1:], strict=True) for name in (crossing.txid, coin.id)]
    stop = f"; stops: {found.limits.max_hops} hops, the limit in case.toml" if way.step >= found.limits.max_hops else ""
    found.hop(way.step, way.coin, way.coin.txid, first.wallet, way.coin.wallet, words + stop, *ids,
              ends="hops" if stop else None, end="at the limit of hops" if stop else "",
              transactions=count)  # fmt: skip
    onward = Way(first, way.step + 1, way.transactions + count, guesses=way.guesses + count)
    return [] if stop or first.sats < found.limits.dust_sats else [onward]


def _tagged_first(coins: list[Coin], tagged: set[str]) -> Coin:
    return next((c for c in coins if c.address in tagged), coins[0])


def _doubts(found: Findings, way: Way) -> list[str]:
    """What speaks against a service that would be found here."""
    doubts, between = [], way.transactions - 1
    if between:
        steps = f"{between} untagged wallet" + ("s" if between > 1 else "")
        doubts.append(f"not direct: {steps} in between, which may be another person's")
    if way.guesses:
        doubts.append(f"change was guessed in {way.guesses} transactions: a peeling chain takes the larger output")
    outputs = len(found.graph.crossing(way.coin.made_in).outputs)
    if outputs >= BATCH_OUTPUTS:
        doubts.append(f"shared batch: the transaction pays {outputs} outputs, perhaps for as many customers")
    return doubts


def _rules(way: Way) -> list[str]:
    """The rules by which the walk came here."""
    between = way.transactions - 1
    if not between:
        return ["direct: the service's own coins paid the deposit address"]
    wallets = "1 wallet" if between == 1 else f"{between} wallets"
    peeled = f", {way.guesses} of them in peeling chains" if way.guesses else ""
    return [f"followed back: {wallets} that no tag names{peeled}, each funded by the one before"]


def _is_batch(graph: Graph, crossing: Crossing) -> bool:
    """A large service pays many at once with many coins, and then looks like a CoinJoin. All its inputs must be known
    and tagged as one and the same service."""
    if crossing.rule not in BATCHES or crossing.unknown:
        return False
    named = [{entity(t) for t in graph.verdict(w).custodial} for w in crossing.sources]
    return bool(named) and all(len(n) == 1 and n == named[0] for n in named)
