"""The shape of transactions: all that the rules about CoinJoins look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casewright.engine.stage import Context, sql_stage_text


@dataclass(frozen=True)
class Shape:
    """Satoshis and addresses of inputs and outputs, in order.

    `spent` and `spenders` are None where the spent output is not in the chain files; addresses are None also where a
    script has none. `kinds` are script kinds of the outputs.
    """

    spent: Sequence[int | None]
    spenders: Sequence[str | None]
    paid: Sequence[int]
    addresses: Sequence[str | None]
    kinds: Sequence[str]


def spending(context: Context) -> Iterator[tuple[str, Shape]]:
    """Transaction id and shape of every transaction that spends, in the order of the chain."""
    for part in context.sql(sql_stage_text(__file__, "spending")).to_batches(10_000):
        for row in part.to_pylist():
            shape = Shape(row["spent"], row["spenders"], row["sats"], row["addresses"], row["kinds"])
            yield row["txid"], shape
