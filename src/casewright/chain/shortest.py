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
from casewright.kernels.runs import starts

MOST_SPENDS, MOST_LOOKED_AT = 20_000_000, 20_000_000


@dataclass(frozen=True)
class Joined:
    """One step: by this transaction (none for tags) to the address at this place of the cluster."""

    place: int
    layer: int
    txid: str | None


def shortest_way(
    ask: Callable[[str, Mapping[str, Any]], pa.Table], cluster: str, members: int, start: int, end: int
) -> list[Joined] | None:
    """The fewest links from one place of the cluster to another. Raises TooMuchError, with the reason in words."""
    pairs = ask(sql_stage_text(__file__, "joining"), {"cluster": cluster, "most": MOST_SPENDS + 1})
    if pairs.num_rows > MOST_SPENDS:
        raise TooMuchError(f"the cluster spends more than {MOST_SPENDS:,} times")
    links, numbers = in_order(pairs, members)
    try:
        way = links.shortest(start, end, MOST_LOOKED_AT)
    except TooMuchError:
        raise TooMuchError(f"the search ended after {MOST_LOOKED_AT:,} coins spent") from None
    if way is None:
        return None
    passed = [(int(numbers[link]), place) for link, place in way]
    rows = ask(sql_stage_text(__file__, "joined_by"), {"links": [number for number, _ in passed]}).to_pylist()
    told = {row["link"]: row["txid"] for row in rows}
    # joining.sql: a link's number is three times its own, and its layer's place in LAYERS
    return [Joined(place, number % 3, told.get(number)) for number, place in passed]


def in_order(pairs: pa.Table, members: int) -> tuple[Links, Numbers]:
    """Links with two places or more, out of rows in the order of link and place, and what each was."""
    link, place = (pairs[name].to_numpy() for name in ("link", "place"))
    first = np.flatnonzero(np.append(np.ones(min(1, len(link)), np.bool_), link[1:] != link[:-1]))
    counts = np.diff(np.append(first, len(link)))
    joins = counts > 1
    kept = place[np.repeat(joins, counts)].astype(np.int32)
    return Links.in_order(kept, starts(counts[joins]), members), link[first[joins]]
