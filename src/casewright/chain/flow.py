"""How many of a payment's satoshis go over each branch of its trace, by a convention of `taint`.

The trace says which transactions are crossed; the flow goes through them once, each after all that it depends on, so
that what reaches a transaction over several coins is passed on together. Where the trace stops, the flow stops too:
`queued` are the coins that it goes on with. Where an input is not in the chain files, or outputs and inputs do not
balance, nobody can tell shares: they stay unknown behind it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from casewright.chain.graph import Crossing, Graph
from casewright.chain.taint import NOBODY, POISON, Runs, held, merged, pass_on, whole

ASKED = 1
Share = Callable[[int, Sequence[int]], int | None]
"""Satoshis of the payment in a coin; with other coins, the part of them that those paid for. None: nobody can tell."""
UNKNOWN_COIN = -1


def flow_back(graph: Graph, start: int, crossed: Mapping[int, int], queued: set[int], method: str) -> Share:
    """Share of each coin, and of each as far as some of those that its transaction spends paid for it."""
    asked: dict[int, Runs] = {start: whole(ASKED, int(graph.chain.sats[start]))}
    paid_by: dict[tuple[int, int], int] = {}
    for crossing in _in_order(graph, crossed, lambda c: _makers(graph, c, queued)):
        wanted = [number for number in crossing.outputs if number in queued]
        if not crossing.is_exact or not all(number in asked for number in wanted):
            continue
        given = pass_on(method, _row(crossing, wanted, asked), crossing.spent)
        for number, runs in zip(crossing.spends, given, strict=True):
            for label, wanted_coin in enumerate(wanted, ASKED):
                paid_by[wanted_coin, number] = held(runs, label)
            asked[number] = merged([(ASKED if source else NOBODY, sats) for source, sats in runs])
    if method == POISON:
        return lambda coin, paid_with: _at_most(graph, start, coin, paid_with)

    def share(coin: int, paid_with: Sequence[int]) -> int | None:
        if not paid_with:
            return held(asked[coin], ASKED) if coin in asked else None
        parts = [paid_by.get((coin, number)) for number in paid_with]
        return None if None in parts else sum(part for part in parts if part is not None)

    return share


def _at_most(graph: Graph, start: int, coin: int, paid_with: Sequence[int]) -> int:
    """All of the payment, as poison says, but no more than there was."""
    there = sum(int(graph.chain.sats[number]) for number in (paid_with or [coin]) if number != UNKNOWN_COIN)
    return min(int(graph.chain.sats[start]), there)


def flow_forward(
    graph: Graph, starts: Iterable[int], crossed: Mapping[int, int], queued: set[int], method: str
) -> Share:
    """Share of each coin that the trace met: how much of it is the payment's."""
    holding = {start: whole(ASKED, int(graph.chain.sats[start])) for start in starts}
    for crossing in _in_order(graph, crossed, lambda c: _takers(graph, c)):
        if not crossing.is_exact or not all(number in holding for number in crossing.spends if number in queued):
            continue
        spent = zip(crossing.spends, crossing.spent, strict=True)
        coins = [holding[n] if n in queued else whole(NOBODY, sats) for n, sats in spent]
        for number, runs in zip(crossing.outputs, pass_on(method, coins, crossing.paid), strict=False):
            holding.setdefault(number, runs)

    def share(coin: int, paid_with: Sequence[int]) -> int | None:
        met = paid_with[0] if paid_with else coin
        return held(holding[met], ASKED) if met in holding else None

    return share


def _row(crossing: Crossing, wanted: list[int], asked: Mapping[int, Runs]) -> list[Runs]:
    """The outputs of a transaction as runs: what is asked of each wanted one, labelled by it, and nobody's between."""
    row: list[Runs] = []
    done = 0
    for label, number in enumerate(wanted, ASKED):
        place = number - crossing.first
        row.append(whole(NOBODY, crossing.before[place] - done))
        row.append(tuple((label if source else NOBODY, sats) for source, sats in asked[number]))
        done = crossing.before[place + 1]
    return [*row, whole(NOBODY, crossing.before[-1] - done)]


def _makers(graph: Graph, crossing: Crossing, queued: set[int]) -> list[int]:
    return [graph.coin(number).made_in for number in crossing.spends if number in queued]


def _takers(graph: Graph, crossing: Crossing) -> list[int]:
    return [graph.coin(number).spender for number in crossing.outputs]


def _in_order(graph: Graph, crossed: Mapping[int, int], onward: Callable[[Crossing], list[int]]) -> list[Crossing]:
    """The crossed transactions, each after all those that lead to it."""
    follows = {t: [n for n in onward(graph.crossing(t)) if n in crossed] for t in crossed if not graph.is_mined(t)}
    waiting: dict[int, int] = {}
    for nexts in follows.values():
        for number in nexts:
            waiting[number] = waiting.get(number, 0) + 1
    queue, order = deque(t for t in follows if not waiting.get(t)), []
    while queue:
        transaction = queue.popleft()
        order.append(graph.crossing(transaction))
        for number in follows[transaction]:
            waiting[number] -= 1
            if not waiting[number] and number in follows:
                queue.append(number)
    return order
