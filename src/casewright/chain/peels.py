"""Peeling chains: one large coin from which small amounts are paid one after the other, each in its own transaction.

Source: Meiklejohn, Pomarole, Jordan, Levchenko, McCoy, Voelker, Savage, "A Fistful of Bitcoins", IMC 2013, section 5.
That the larger output is the payer's own is a guess. A run of such transactions is one hop of a trace.
"""

from collections.abc import Callable, Mapping

from casewright.chain.graph import Coin, Crossing, Graph

LEAST_PEELS = 4
"""Transactions that make a chain. Fewer in a row are told one by one: change that is spent again is nothing special."""
MOST_PEELS = 1_000


def goes_on(graph: Graph, crossing: Crossing) -> Coin | None:
    """The output in which a peel goes on: the larger of two, of the kind that was spent; None when this is no peel."""
    if len(crossing.spends) != 1 or crossing.unknown:
        return None
    outputs = [graph.coin(n) for n in crossing.outputs if graph.coin(n).kind != "op_return"]
    (spent,) = next(iter(crossing.sources.values()))
    if len(outputs) != 2 or outputs[0].sats == outputs[1].sats:
        return None
    larger = max(outputs, key=lambda coin: coin.sats)
    return larger if larger.kind == spent.kind else None


def peels_before(graph: Graph, coin: Coin, seen: Mapping[int, int], too_far: Callable[[int], bool]) -> list[Crossing]:
    """The chain that ends in `coin`, latest first, back to a coin that is none's by tag. Empty when it is too short."""
    run: list[Crossing] = []
    while len(run) < MOST_PEELS and coin.made_in not in seen and not graph.is_mined(coin.made_in):
        crossing = graph.crossing(coin.made_in)
        if goes_on(graph, crossing) != coin or too_far(coin.made_in):
            break
        (spent,) = next(iter(crossing.sources.values()))
        if graph.verdict(spent.wallet).stops or graph.in_market(spent.wallet):
            break
        run.append(crossing)
        coin = spent
    return run if len(run) >= LEAST_PEELS else []


def peels_after(graph: Graph, coin: Coin, seen: Mapping[int, int], too_far: Callable[[int], bool]) -> list[Crossing]:
    """The chain that `coin` goes into, earliest first, as far as no tag names who is paid the larger part."""
    run: list[Crossing] = []
    while len(run) < MOST_PEELS and coin.spender >= 0 and coin.spender not in seen:
        crossing = graph.crossing(coin.spender)
        after = goes_on(graph, crossing)
        if not after or too_far(coin.spender) or graph.verdict(after.wallet).stops or graph.in_market(after.wallet):
            break
        run.append(crossing)
        coin = after
    return run if len(run) >= LEAST_PEELS else []
