"""Taint: which satoshis that go into a transaction are said to come out in which output. Four published conventions.

None is a fact of the chain: a transaction joins what goes in, and a convention says what of it comes out where. All
are exact here: for every source, what goes in comes out, in outputs or in the fee. The fee is the last output, and gets
its part by the same rule; the miner who earns it is not followed.

- *poison* and *haircut*: Möser, Böhme, Breuker, "Towards Risk Scoring of Bitcoin Transactions", FC Workshops 2014.
- *fifo*: what came in first goes out first, by order of inputs and outputs, as in Devaynes v Noble (Clayton's case,
  1816). Anderson, Shumailov, Ahmed, "Making Bitcoin Legal", Security Protocols 2018. *lifo* is its mirror: what came in
  last goes out first.

Every convention reads alike in both directions: `pass_on` with the sides exchanged leads from outputs back to inputs.
"""

from collections.abc import Sequence
from itertools import groupby

HAIRCUT, FIFO, LIFO, POISON = METHODS = ("haircut", "fifo", "lifo", "poison")
NOBODY = 0
Runs = tuple[tuple[int, int], ...]
"""The satoshis of one coin in their order: (source, how many). Those that no one asks about are of `NOBODY`."""


def pass_on(method: str, coins: Sequence[Runs], values: Sequence[int]) -> list[Runs]:
    """What each coin on the other side of a transaction holds of the sources of `coins`.

    `values` are its satoshis there, the fee last; both sides have the same sum. Of *poison* the runs of a coin overlap:
    each of its sources is said to be in all of it.
    """
    if method == FIFO:
        return _cut([run for coin in coins for run in coin], values)
    if method == LIFO:
        return _cut([run for coin in reversed(coins) for run in reversed(coin)], values)
    if method == POISON:
        met = sorted({source for coin in coins for source, sats in coin if source != NOBODY and sats})
        return [tuple((source, value) for source in met if value) for value in values]
    return _haircut(coins, values)


def whole(source: int, value: int) -> Runs:
    """A coin that is of one source alone."""
    return ((source, value),) if value else ()


def held(runs: Runs, source: int) -> int:
    """Satoshis of a source in a coin."""
    return sum(sats for of, sats in runs if of == source)


def merged(runs: Sequence[tuple[int, int]]) -> Runs:
    """The same, with neighbours of one source in one run."""
    together = ((source, sum(sats for _, sats in group)) for source, group in groupby(runs, key=lambda run: run[0]))
    return tuple((source, sats) for source, sats in together if sats)


def _cut(runs: Sequence[tuple[int, int]], values: Sequence[int]) -> list[Runs]:
    """One row of satoshis, cut where the values end."""
    result, place, used = [], 0, 0
    for value in values:
        piece, missing = [], value
        while missing:
            source, sats = runs[place]
            taken = min(missing, sats - used)
            piece.append((source, taken))
            missing, used = missing - taken, used + taken
            if used == sats:
                place, used = place + 1, 0
        result.append(merged(piece))
    return result


def _haircut(coins: Sequence[Runs], values: Sequence[int]) -> list[Runs]:
    """Every source is in every output by the output's share of the whole, rounded down. The few satoshis that rounding
    leaves over, in sources and in outputs, are paired in the order of both, nobody's last."""
    rows: dict[int, int] = {}
    for coin in coins:
        for source, sats in coin:
            rows[source] = rows.get(source, 0) + sats
    sources = sorted(rows, key=lambda source: (source == NOBODY, source))
    cells = apportion([rows[source] for source in sources], values)
    return [
        tuple((source, row[place]) for source, row in zip(sources, cells, strict=True) if row[place])
        for place in range(len(values))
    ]


def apportion(parts: Sequence[int], values: Sequence[int]) -> list[list[int]]:
    """How many satoshis of each part go to each value: rows sum to the parts, columns to the values, and none is less
    than its exact share rounded down."""
    total = sum(values)
    cells = [[part * value // total if total else 0 for value in values] for part in parts]
    missing = [value - sum(row[place] for row in cells) for place, value in enumerate(values)]
    column = 0
    for row, part in zip(cells, parts, strict=True):
        left = part - sum(row)
        while left:
            taken = min(left, missing[column])
            row[column] += taken
            missing[column] -= taken
            left -= taken
            column += not missing[column]
    return cells
