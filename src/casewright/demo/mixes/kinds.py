"""Every kind that can be made, by name: what a rule must see, what no rule can be sure of, what it must leave alone."""

from collections.abc import Callable, Mapping
from random import Random

from casewright.demo.mixes import joinmarket, ordinary, pairs, wabisabi, wasabi, whirlpool
from casewright.demo.mixes.made import Made

Maker = Callable[[Random], Made]
COINJOINS: Mapping[str, Maker] = {
    "Whirlpool": whirlpool.random_mix,
    "Wasabi 1.0": wasabi.random_join_1_0,
    "Wasabi 1.1": wasabi.random_join_1_1,
    "Wasabi 2": wabisabi.random_join,
    "JoinMarket": joinmarket.random_join,
}
ENTRANCES: Mapping[str, Maker] = {"Whirlpool Tx0": whirlpool.random_tx0}
HARD: Mapping[str, Maker] = {
    "Stonewall": pairs.random_stonewall, "Stonewall x2": pairs.random_stonewall_x2, "PayJoin": pairs.random_payjoin,
}  # fmt: skip
ORDINARY: Mapping[str, Maker] = {
    "a payment": ordinary.payment,
    "an exchange's batch": ordinary.batch,
    "equal pay-outs": ordinary.equal_payouts,
    "a wallet's split": ordinary.split,
    "a consolidation": ordinary.consolidation,
}
