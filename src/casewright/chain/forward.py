"""Forward from a payment: where the market's own wallets took the coin, up to the service that it was paid into.

Only the coin of the payment is followed: over sweeps (one output), over the change of the same wallet, and along
peeling chains (the largest output goes on). Smaller outputs are payments to others; of them only those are looked at
that go on whole into a service, as an exchange's deposit addresses do.
"""

from collections import deque

from casewright.chain.findings import Findings
from casewright.chain.graph import Coin, Graph

SWEPT = 2


def trace_forward(found: Findings, payment: Coin) -> Findings:
    """Fills `found`, in the order of the chain."""
    verdict = found.graph.verdict(found.graph.wallet(payment))
    if verdict.custodial:
        wallet = found.graph.wallet(payment)
        doubts = ["the market's deposit address itself belongs to the service: its customer is the market"]
        found.reached(1, payment, payment, verdict, doubts, sure=True)
        found.hop(1, payment, payment.txid, wallet, wallet, verdict.stops)
        return found
    queue = deque([(payment, 1, 1)])
    while queue:
        coin, step, mingled = queue.popleft()
        queue.extend(_cross(found, coin, step, mingled))
    return found


def _cross(found: Findings, coin: Coin, step: int, mingled: int) -> list[tuple[Coin, int, int]]:
    """Rows for the transaction that spends `coin`, and the outputs to go on with. `mingled`: the most coins that went
    into one transaction on the way here."""
    graph, wallet, txid = found.graph, found.graph.wallet(coin), coin.spent_by
    stop = _stop(found, coin, step)
    if txid is None or stop:
        found.hop(step, coin, txid or coin.txid, wallet, wallet, stop)
        return []
    found.crossed[txid] = step
    mingled = max(mingled, len(graph.spends.get(txid, ())))
    doubts = _doubts(step, mingled)
    open_outputs, served = [], False
    for output in graph.outputs.get(txid, []):
        payee = graph.wallet(output)
        verdict = graph.verdict(payee)
        if verdict.stops:
            served = True
            found.reached(step, output, output, verdict, doubts, sure=True)
            tags = [t["tag"] for t in (*verdict.custodial, *verdict.mixing)]
            found.hop(step, output, txid, wallet, payee, verdict.stops, coin.id, *tags)
        elif output.sats >= found.limits.dust_sats and output.kind != "op_return":
            open_outputs.append(output)
    followed, why = _followed(graph, wallet, open_outputs, served)
    beside = [o for o in open_outputs if o not in followed]
    for output in beside:
        _look_into(found, output, step, wallet, doubts)
    more = f"; {len(beside)} other outputs are payments to others or change" if beside else ""
    last = step >= found.limits.max_hops
    for output in followed:
        end = f"; stops: {found.limits.max_hops} hops, the limit in case.toml" if last else ""
        found.hop(step, output, txid, wallet, graph.wallet(output), why + more + end, coin.id)
    return [] if last else [(output, step + 1, mingled) for output in followed]


def _stop(found: Findings, coin: Coin, step: int) -> str:
    """Why the coin is not followed into the transaction that spends it; empty when it is."""
    graph, txid = found.graph, coin.spent_by
    if txid is None:
        return "stops: not spent yet"
    if rule := graph.coinjoins.get(txid):
        return f"stops at a CoinJoin: {rule}"
    if txid in graph.entrances:
        return "stops at the entrance of a CoinJoin: Whirlpool Tx0"
    if txid in found.crossed:
        return f"stops: this transaction was crossed in step {found.crossed[txid]} already"
    if len(found.crossed) >= found.limits.most_transactions:
        return f"stops: {found.limits.most_transactions} transactions were crossed"
    return ""


def _followed(graph: Graph, wallet: str, outputs: list[Coin], served: bool) -> tuple[list[Coin], str]:
    """The outputs in which the payer's own money goes on, and the rule that says so. `served`: others went to a tagged
    wallet."""
    if len(outputs) == 1:
        return outputs, "change: what the tagged wallet was not paid" if served else "sweep: all goes on in one output"
    if same := [o for o in outputs if graph.wallet(o) == wallet]:
        return same, "change: goes back to the same wallet"
    largest = max(outputs, key=lambda o: (o.sats, -o.vout), default=None)
    return ([largest], "peel: the largest output goes on") if largest else ([], "")


def _look_into(found: Findings, output: Coin, step: int, payer: str, doubts: list[str]) -> None:
    """A smaller output counts when the transaction that spends it pays one service and nobody else."""
    graph, txid = found.graph, output.spent_by
    if txid is None or step >= found.limits.max_hops or graph.coinjoins.get(txid):
        return
    paid = [o for o in graph.outputs.get(txid, []) if o.kind != "op_return"]
    wallets = {graph.wallet(o) for o in paid}
    verdict = graph.verdict(next(iter(wallets))) if len(wallets) == 1 else None
    if not verdict or not verdict.custodial:
        return
    reason = f"peeled off: goes on whole in the next transaction, which {verdict.stops}"
    tags = [t["tag"] for t in verdict.custodial]
    found.hop(step, output, output.txid, payer, graph.wallet(output), "peeled off; followed one transaction on")
    found.hop(step + 1, paid[0], txid, graph.wallet(output), graph.wallet(paid[0]), reason, output.id, *tags)
    asked = f"may be the service's own sweep of {output.address}: ask about {output.id} as well"
    found.reached(step + 1, paid[0], paid[0], verdict, [*doubts, asked], sure=False)


def _doubts(step: int, mingled: int) -> list[str]:
    """What speaks against a service that would be found here."""
    doubts = []
    if step > 1:
        between = "1 transaction" if step == 2 else f"{step - 1} transactions"
        doubts.append(f"not direct: {between} in between; the wallets may have changed hands")
    if mingled >= SWEPT:
        doubts.append(f"swept together: with up to {mingled} coins, so what is paid is not this payment's alone")
    return doubts
