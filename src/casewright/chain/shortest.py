"""The shortest chain of transactions between two addresses of a cluster, among all that the clustering used.

Addresses and what joins them (a transaction that spends for several, CoinJoins left out; links of the other layers that
are switched on) are searched breadth first from both ends. Both what is loaded and what is looked at has a limit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain.columns import Numbers
from casewright.engine.stage import sql_stage_text
from casewright.kernels.nearest import Links, TooMuchError

MOST_SPENDS, MOST_LOOKED_AT = 20_000_000, 20_000_000


@dataclass(frozen=True)
class Joined:
    """One step: by this transaction (none for tags) to the address at this place of the cluster."""

    place: int
    layer: int
    txid: str | None
    height: int | None


def shortest_way(
    ask: Callable[[str, Mapping[str, Any]], pa.Table], cluster: str, members: int, start: int, end: int
) -> list[Joined] | None:
    """The fewest links from one place of the cluster to another. Raises TooMuchError, with the reason in words."""
    pairs = ask(sql_stage_text(__file__, "joining"), {"cluster": cluster, "most": MOST_SPENDS + 1})
    if pairs.num_rows > MOST_SPENDS:
        raise TooMuchError(f"the cluster spends more than {MOST_SPENDS:,} times")
    places, links, numbers = several(pairs)
    try:
        way = Links.of(places, links, members, len(numbers)).shortest(start, end, MOST_LOOKED_AT)
    except TooMuchError:
        raise TooMuchError(f"the search ended after {MOST_LOOKED_AT:,} coins spent") from None
    if way is None:
        return None
    passed = [(int(numbers[link]), place) for link, place in way]
    rows = ask(sql_stage_text(__file__, "joined_by"), {"links": [number for number, _ in passed]}).to_pylist()
    told = {row["link"]: (row["txid"], row["height"]) for row in rows}
    # joining.sql: a link's number is three times its own, and its layer's place in LAYERS
    return [Joined(place, number % 3, *told.get(number, (None, None))) for number, place in passed]


def several(pairs: pa.Table) -> tuple[Numbers, Numbers, Numbers]:
    """Places and links of what belongs to a link with others, the links numbered anew in their order; and what each
    was."""
    coded = pairs["link"].combine_chunks().dictionary_encode()
    codes, given = coded.indices.to_numpy(), coded.dictionary.to_numpy()
    joins = np.bincount(codes, minlength=len(given)) > 1
    numbers = np.sort(given[joins])
    anew = np.full(len(given), -1, np.int64)
    anew[joins] = np.searchsorted(numbers, given[joins])
    kept = joins[codes]
    return pairs["place"].to_numpy()[kept], anew[codes[kept]], numbers
