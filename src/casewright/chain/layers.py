"""The layers that join addresses, each of which can be switched off by itself: co-spend, change, tags.

A layer is a list of links between holders. They are taken one layer after the other, in this order, so that what a
layer joins does not depend on the layers behind it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from casewright.chain.columns import Chain, Numbers, numbers
from casewright.chain.graph import places
from casewright.chain.labels import WELL_FOUNDED, entity
from casewright.chain.links import Flags, spending, without
from casewright.engine.parts import TablePart
from casewright.kernels.unionfind_fast import Portion


@dataclass(frozen=True)
class Layer:
    """`links` gives the layer's links, again each time; link n is of transaction `transactions[n]` (of n itself where
    that is None); for tags, `tags[n]` says by which tag each holder is a member."""

    name: str
    links: Callable[[], Iterator[Portion]]
    transactions: Numbers | None = None
    tags: Sequence[Mapping[int, str]] = ()


def co_spend(chain: Chain, named: Flags, joint: Mapping[int, str]) -> Layer:
    """The inputs of each transaction, CoinJoins left out."""
    return Layer("co-spend", lambda: (without(part, joint) for part in spending(chain, named)))


def change(chain: Chain, named: Flags, votes: Sequence[TablePart], least: int) -> Layer:
    """The payer and the output at which rules of `least` kinds point, where none points at another. `votes`: the parts
    of `change`."""
    found = np.concatenate([np.empty(0, np.int64), *(_voted(part, least) for part in votes)])
    made_in = np.searchsorted(chain.first_output, found, "right") - 1
    payers = _first_payers(chain, named)[made_in]
    back = chain.holder[found]
    kept = (payers >= 0) & named[back]
    members = np.stack((payers[kept], back[kept]), axis=1).astype(np.int32).ravel()
    part = Portion(0, np.arange(0, len(members) + 1, 2, dtype=np.int64), members)
    return Layer("change", lambda: iter((part,)), made_in[kept])


def _voted(part: TablePart, least: int) -> Numbers:
    rows = part.read(["output", "kinds", "against"])
    found: Numbers = numbers(rows["output"])[(numbers(rows["kinds"]) >= least) & (numbers(rows["against"]) == 0)]
    return found


def _first_payers(chain: Chain, named: Flags) -> Numbers:
    """The first holder with an address whose coin each transaction spends, -1 where there is none."""
    first = np.full(chain.transactions, -1, np.int64)
    for part in spending(chain, named):
        of = np.repeat(np.arange(len(part.starts) - 1), np.diff(part.starts))
        is_named = part.members >= 0
        met, place = np.unique(of[is_named], return_index=True)
        first[part.first + met] = part.members[is_named][place]
    return first


def tags(chain: Chain, given: pa.Table) -> Layer:
    """Addresses whose well-founded tags mean one and the same."""
    holders = places(given["address"], chain.addresses)
    by_name: dict[str, dict[int, str]] = {}
    for row, holder in sorted(zip(given.to_pylist(), holders.tolist(), strict=True), key=lambda r: str(r[0]["tag"])):
        if holder >= 0 and row["level"] >= WELL_FOUNDED:
            by_name.setdefault(entity(row), {}).setdefault(holder, row["tag"])
    groups = [by_name[name] for name in sorted(by_name)]
    starts = np.cumsum([0, *map(len, groups)], dtype=np.int64)
    part = Portion(0, starts, np.array([h for group in groups for h in sorted(group)], np.int32))
    return Layer("tags", lambda: iter((part,)), tags=groups)
