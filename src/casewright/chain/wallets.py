"""Holders joined to wallets, layer after layer, with the proof of every merge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from casewright.chain.columns import UNKNOWN, Chain, Numbers
from casewright.chain.layers import Layer, co_spend
from casewright.chain.links import Flags, several, spending, with_address
from casewright.chain.screen import coinjoins
from casewright.engine.stage import Tally
from casewright.kernels.forest import Forest, rests_on_one
from casewright.kernels.unionfind_fast import Groups, Small


@dataclass(frozen=True)
class Wallets:
    """Groups of a chain's holders and their proof. `of_layer`: place of each merge's layer in `layers`. `alone`: no
    other transaction spends from both sides of it. `joint`: the CoinJoins, by number, with their rule."""

    chain: Chain
    groups: Groups
    forest: Forest
    layers: Sequence[Layer]
    of_layer: Small
    is_member: Flags
    """Holders that were spent from, or that a layer joined."""
    alone: Flags
    tally: Tally
    joint: Mapping[int, str]

    def made_by(self, piece: slice) -> Numbers:
        """The transaction of each of some merges; -1 for tags."""
        links, of_layer = self.groups.proof()[2][piece].astype(np.int64), self.of_layer[piece]
        for place, layer in enumerate(self.layers):
            mine = of_layer == place
            if layer.transactions is not None:
                links[mine] = layer.transactions[links[mine]]
            elif layer.tags:
                links[mine] = UNKNOWN
        return links

    def tags_of(self, piece: slice) -> list[list[str] | None]:
        """The two tags of each of some merges; None where it does not rest on tags."""
        a, b, links = (side[piece] for side in self.groups.proof())
        told: list[list[str] | None] = [None] * len(a)
        for place, layer in enumerate(self.layers):
            for merge in np.flatnonzero(self.of_layer[piece] == place).tolist() if layer.tags else ():
                tag_of = layer.tags[int(links[merge])]
                told[merge] = [tag_of[int(a[merge])], tag_of[int(b[merge])]]
        return told


def co_spent(chain: Chain) -> Wallets:
    """Holders joined by the transactions that spend for both, CoinJoins left out."""
    named, joint = with_address(chain), coinjoins(chain)
    return joined(chain, named, joint, [co_spend(chain, named, joint)])


def joined(chain: Chain, named: Flags, joint: Mapping[int, str], layers: Sequence[Layer]) -> Wallets:
    """Holders joined by all links of these layers, in their order. `joint`: the CoinJoins."""
    groups, counts = Groups.of(len(named)), []
    for layer in layers:
        before = groups.count
        for part in layer.links():
            groups.join(part)
        counts.append(groups.count - before)
    is_member, tally = _spent(chain, named, joint, layers)
    for side in groups.proof()[:2]:
        is_member[side] = True
    forest, alone = Forest.of(groups), np.ones(groups.count, np.bool_)
    for layer in layers[:1]:
        if layer.name == "co-spend":
            alone = rests_on_one(forest, groups, layer.links())
    of_layer = np.repeat(np.arange(len(layers), dtype=np.int32), counts)
    return Wallets(chain, groups, forest, layers, of_layer, is_member, alone, tally, joint)


def _spent(chain: Chain, named: Flags, joint: Mapping[int, str], layers: Sequence[Layer]) -> tuple[Flags, Tally]:
    """Holders whose coins were spent; and how many transactions that spend link two of them."""
    is_spent, received = np.zeros(len(named), bool), 0
    for part in spending(chain, named):
        is_spent[part.members[part.members >= 0]] = True
        received += int(np.count_nonzero(np.diff(part.starts)))
    joining = sum(int(several(part).sum()) for layer in layers if layer.name == "co-spend" for part in layer.links())
    return is_spent, Tally("transactions that spend", received, joining, received - joining)
