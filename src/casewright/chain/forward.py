"""Forward from coins of the market: where its own wallets took them, up to the service that they were paid into.

Only the coins themselves are followed: over sweeps (one output), over the change of the same wallet, and along
peeling chains (the largest output goes on). Smaller outputs are payments to others; of them only those are looked at
that go on whole into a service, as an exchange's deposit addresses do.
"""

from collections import deque
from collections.abc import Sequence

from casewright.chain.findings import Findings, Way
from casewright.chain.flow import flow_forward
from casewright.chain.graph import Coin, Crossing, market_coins
from casewright.chain.peels import goes_on, peels_after

SWEPT = 2


def trace_forward(found: Findings, payment: Coin) -> Findings:
    """Where the coin of one payment went. Fills `found`, in the order of the chain."""
    verdict = found.graph.verdict(payment.wallet)
    if verdict.custodial:
        doubts = ["the market's deposit address itself belongs to the service: its customer is the market"]
        rules = ["direct: the deposit address is the service's"]
        found.reached(Way(payment), payment, payment, verdict, doubts, rules, sure=True)
        found.hop(1, payment, payment.txid, payment.wallet, payment.wallet, verdict.stops,
                  ends=verdict.ends, label=verdict.label)  # fmt: skip
        found.told(lambda coin, paid_with: payment.sats)
        return found
    return trace_all(found, [payment], payment.sats)


def trace_all(found: Findings, coins: Sequence[Coin], paid: int = 0) -> Findings:
    """Where these coins went, all in one walk; `paid`: satoshis of the payment that is traced, if it is one."""
    first = {coin.spender: coin for coin in reversed(coins)}  # of those that one transaction spends, one leads there
    queue = deque(Way(coin) for coin in reversed(first.values()))
    numbers = [coin.number for coin in coins]
    found.queued.update(numbers)
    while queue:
        onward = _cross(found, queue.popleft(), coins[0])
        found.queued.update(way.coin.number for way in onward)
        queue.extend(onward)
    found.told(flow_forward(found.graph, numbers, found.crossed, found.queued, found.limits.taint), paid)
    return found


def trace_market(found: Findings) -> Findings:
    """Where all coins went that the market's own wallets spent."""
    coins = [found.graph.coin(number) for number in market_coins(found.graph)]
    return trace_all(found, coins) if coins else found


def _cross(found: Findings, way: Way, start: Coin) -> list[Way]:
    """Rows for the transaction that spends the coin, and the outputs to go on with."""
    graph, coin = found.graph, way.coin
    stop, ends = _stop(found, way, start)
    if stop:
        txid = graph.crossing(coin.spender).txid if coin.spender >= 0 else coin.txid
        found.hop(way.step, coin, txid, coin.wallet, coin.wallet, stop, ends=ends,
                  label=graph.crossing(coin.spender).rule if ends == "coinjoin" else None)  # fmt: skip
        return []
    if run := peels_after(graph, coin, found.crossed, lambda t: found.limits.is_old(found.days(t, start.made_in))):
        return _over_peels(found, way, run)
    crossing = graph.crossing(coin.spender)
    found.crossed[crossing.number] = way.step
    mingled = max(way.mingled, len(crossing.spends))
    here = Way(coin, way.step, way.transactions, mingled, way.guesses)
    open_outputs, served = _paid(found, here, crossing)
    followed, why = _followed(coin.wallet, open_outputs, served)
    beside = [o for o in open_outputs if o not in followed]
    for output in beside:
        _look_into(found, output, here)
    more = f"; {len(beside)} other outputs are payments to others or change" if beside else ""
    last = way.step >= found.limits.max_hops
    end = f"; stops: {found.limits.max_hops} hops, the limit in case.toml" if last else ""
    for output in followed:
        found.hop(way.step, output, crossing.txid, coin.wallet, output.wallet, why + more + end, coin.id,
                  ends="hops" if last else None)  # fmt: skip
    guesses = way.guesses + why.startswith("peel")
    return [] if last else [Way(o, way.step + 1, way.transactions + 1, mingled, guesses) for o in followed]


def _paid(found: Findings, way: Way, crossing: Crossing) -> tuple[list[Coin], bool]:
    """Rows for the outputs that go to tagged wallets; the other outputs, and whether there were such."""
    open_outputs, served = [], False
    for number in crossing.outputs:
        output = found.graph.coin(number)
        verdict = found.graph.verdict(output.wallet)
        if verdict.stops:
            served = True
            found.reached(way, output, output, verdict, _doubts(way), _rules(way), sure=True)
            tags = [t["tag"] for t in (*verdict.custodial, *verdict.mixing)]
            found.hop(way.step, output, crossing.txid, way.coin.wallet, output.wallet, verdict.stops, way.coin.id,
                      *tags, ends=verdict.ends, label=verdict.label)  # fmt: skip
        elif not found.payment and found.graph.in_market(output.wallet):
            continue  # its spending is part of this walk anyway
        elif output.sats >= found.limits.dust_sats and output.kind != "op_return":
            open_outputs.append(output)
    return open_outputs, served


def _stop(found: Findings, way: Way, start: Coin) -> tuple[str, str]:
    """Why the coin is not followed into the transaction that spends it, and the word for that; empty when it is."""
    graph, limits, number, count = found.graph, found.limits, way.coin.spender, len(found.crossed)
    if number < 0:
        words, ends = found.gaps.behind(way.coin.txid, way.coin.vout)
        return f"stops: {words}", ends
    crossing = graph.crossing(number)
    age, before = found.days(number, start.made_in), found.crossed.get(number)
    reasons = (
        (crossing.rule, f"stops at a CoinJoin: {crossing.rule}", "coinjoin"),
        (crossing.is_entrance, "stops at the entrance of a CoinJoin: Whirlpool Tx0", "coinjoin"),
        (before, f"stops: this transaction was crossed in step {before} already", "crossed"),
        (count >= limits.most_transactions, f"stops: {limits.most_transactions} transactions were crossed",
         "transactions"),
        (limits.is_old(age), f"stops: {age} days after the payment; case.toml says {limits.max_age_days}", "age"),
    )  # fmt: skip
    return next(((words, ends) for applies, words, ends in reasons if applies), ("", ""))


def _followed(wallet: int, outputs: list[Coin], served: bool) -> tuple[list[Coin], str]:
    """The outputs in which the payer's own money goes on, and the rule that says so. `served`: others went to a tagged
    wallet."""
    if len(outputs) == 1:
        return outputs, "change: what the tagged wallet was not paid" if served else "sweep: all goes on in one output"
    if same := [o for o in outputs if o.wallet == wallet]:
        return same, "change: goes back to the same wallet"
    largest = max(outputs, key=lambda o: (o.sats, -o.vout), default=None)
    return ([largest], "peel: the largest output goes on") if largest else ([], "")


def _look_into(found: Findings, output: Coin, way: Way) -> None:
    """A smaller output counts when the transaction that spends it pays one service and nobody else."""
    graph, number = found.graph, output.spender
    if number < 0 or way.step >= found.limits.max_hops or graph.crossing(number).rule:
        return
    crossing = graph.crossing(number)
    paid = [graph.coin(n) for n in crossing.outputs if graph.coin(n).kind != "op_return"]
    wallets = {o.wallet for o in paid}
    verdict = graph.verdict(next(iter(wallets))) if len(wallets) == 1 else None
    if not verdict or not verdict.custodial:
        return
    step, payer = way.step, way.coin.wallet
    reason = f"peeled off: goes on whole in the next transaction, which {verdict.stops}"
    tags = [t["tag"] for t in verdict.custodial]
    found.hop(step, output, output.txid, payer, output.wallet, "peeled off; followed one transaction on")
    found.hop(step + 1, paid[0], crossing.txid, output.wallet, paid[0].wallet, reason, output.id, *tags,
              ends=verdict.ends, label=verdict.label, paid_with=[output])  # fmt: skip
    asked = f"may be the service's own sweep of {output.address}: ask about {output.id} as well"
    there = Way(output, step + 1, way.transactions + 1, way.mingled, way.guesses)
    rules = [*_rules(way), "peeled off: the output goes on whole into the service"]
    found.reached(there, paid[0], paid[0], verdict, [*_doubts(way), asked], rules, sure=False, paid_with=[output])


def _over_peels(found: Findings, way: Way, run: list[Crossing]) -> list[Way]:
    """One hop over a whole peeling chain; what is peeled off is looked at all the same."""
    graph, coin, count = found.graph, way.coin, len(run)
    ids, mingled = [], way.mingled
    for done, crossing in enumerate(run):
        found.crossed[crossing.number] = way.step
        here = Way(coin, way.step, way.transactions + done, mingled, way.guesses + done)
        after = goes_on(graph, crossing)
        assert after, "a peel goes on"
        for output in _paid(found, here, crossing)[0]:
            if output != after:
                _look_into(found, output, here)
        ids += [crossing.txid, coin.id]
        found.queued.add(coin.number)
        coin = after
    last = way.step >= found.limits.max_hops
    end = f"; stops: {found.limits.max_hops} hops, the limit in case.toml" if last else ""
    words = (
        f"peeling chain: {count} transactions, in each of which the larger output of two goes on, from "
        f"{way.coin.id} ({way.coin.sats} sat) to {coin.id}; followed to where it ended"
    )
    found.hop(way.step, coin, run[-1].txid, way.coin.wallet, coin.wallet, words + end, *ids,
              ends="hops" if last else None, transactions=count)  # fmt: skip
    onward = Way(coin, way.step + 1, way.transactions + count, mingled, way.guesses + count)
    return [] if last else [onward]


def _doubts(way: Way) -> list[str]:
    """What speaks against a service that would be found here."""
    doubts, between = [], way.transactions - 1
    if between:
        words = "1 transaction" if between == 1 else f"{between} transactions"
        doubts.append(f"not direct: {words} in between; the wallets may have changed hands")
    if way.guesses:
        doubts.append(f"change was guessed in {way.guesses} of them: the largest output was followed")
    if way.mingled >= SWEPT:
        doubts.append(f"swept together: with up to {way.mingled} coins, so what is paid is not this payment's alone")
    return doubts


def _rules(way: Way) -> list[str]:
    """The rules by which the walk came here."""
    between = way.transactions - 1
    if not between:
        return ["direct: the market's own coins were paid to the service"]
    guessed = f", change guessed in {way.guesses}" if way.guesses else ""
    return [f"followed forward: over {between} transaction{'s' if between > 1 else ''}{guessed}"]
