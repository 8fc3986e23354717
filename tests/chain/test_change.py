"""Change: each rule points at one output or at none, and they are counted, not believed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from casewright.chain.change import NAMES, RULES, change, same_style, votes_of
from casewright.chain.change_part import parts
from casewright.chain.columns import KINDS, UNKNOWN, UNTOLD, Chain
from casewright.chain.loading import style_of
from casewright.chain.screen import coinjoins
from tests.chain.columns import columns
from tests.chain.dice import thrown
from tests.chain.world import COIN, follow, whole
from tests.chain.world import Chain as World
from tests.world import context

LOOK_AHEAD = {"same fee", "version and lock time", "peel continuation"}


class ByHand:
    """The definition of each rule, for one transaction of a chain."""

    def __init__(self, chain: Chain, transaction: int) -> None:
        self.chain, self.t = chain, transaction
        self.spends = chain.spends[chain.first_input[transaction] : chain.first_input[transaction + 1]].tolist()
        outputs = range(*chain.first_output[transaction : transaction + 2].tolist())
        self.paid = [o for o in outputs if chain.sats[o] and KINDS[chain.kind[o]] != "op_return"]

    def fee(self, t: int) -> int | None:
        spends = self.chain.spends[self.chain.first_input[t] : self.chain.first_input[t + 1]]
        paid = self.chain.sats[self.chain.first_output[t] : self.chain.first_output[t + 1]].sum()
        known = len(spends) and (spends != UNKNOWN).all()
        return int(self.chain.sats[spends].sum() - paid) if known else None

    def is_peel(self, t: int) -> bool:
        ins, outs = self.chain.first_input, self.chain.first_output
        return bool(ins[t + 1] - ins[t] == 1 and outs[t + 1] - outs[t] == 2)

    def reuse(self, o: int) -> bool:
        return self.chain.holder[o] in [self.chain.holder[s] for s in self.spends if s != UNKNOWN]

    def script_type(self, o: int) -> bool:
        kinds = {self.chain.kind[s] for s in self.spends}
        return UNKNOWN not in self.spends and kinds == {self.chain.kind[o]}

    def optimal(self, o: int) -> bool:
        known = UNKNOWN not in self.spends and len(self.spends) > 1
        return known and self.chain.sats[o] < min(self.chain.sats[s] for s in self.spends)

    def round_amounts(self, o: int) -> bool:
        return bool(self.chain.sats[o] % (COIN // 100))

    def first_appearance(self, o: int) -> bool:
        return not any(map(self.reuse, self.paid)) and self.chain.holder[o] not in self.chain.holder[:o]

    def same_fee(self, o: int) -> bool:
        after, fee = int(self.chain.spender[o]), self.fee(self.t)
        return after != UNKNOWN and fee is not None and fee > 0 and fee == self.fee(after)

    def same_style(self, o: int) -> bool:
        after = [int(self.chain.spender[output]) for output in self.paid]
        styles = [UNTOLD if t == UNKNOWN else int(self.chain.style[t]) for t in after]
        own, of_this = int(self.chain.style[self.t]), styles[self.paid.index(o)]
        return UNTOLD not in (own, *styles) and of_this == own

    def peel(self, o: int) -> bool:
        after = int(self.chain.spender[o])
        return self.is_peel(self.t) and after != UNKNOWN and self.is_peel(after)

    def votes(self) -> dict[int, tuple[list[str], int]]:
        """Of each output the rules that point at it, and how many point at another."""
        if not self.spends or len(self.paid) < 2:
            return {}
        named = {rule.name: [o for o in self.paid if self.said(rule.points)(o)] for rule in RULES}
        pointed = {name: could[0] for name, could in named.items() if len(could) == 1}
        mine = {o: [n for n in NAMES if pointed.get(n) == o] for o in self.paid}
        return {o: (rules, len(pointed) - len(rules)) for o, rules in mine.items() if rules}

    def said(self, rule: Callable[..., object]) -> Callable[[int], bool]:
        found: Callable[[int], bool] = getattr(self, rule.__name__)
        return found


@pytest.mark.parametrize("seed", range(20))
def test_votes_over_columns_are_those_of_the_definition(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casewright.chain.change_part.PORTION", 17)
    chain = thrown(seed, transactions=90)
    joint = coinjoins(chain)
    expected = {
        o: told for t in range(90) if t not in joint for o, told in ByHand(chain, t).votes().items()
    }  # fmt: skip
    found = {}
    for part in parts(chain, joint):
        votes = votes_of(part)
        for output, bits, kinds, against in zip(
            votes.output.tolist(), votes.rules.tolist(), votes.kinds.tolist(), votes.against.tolist(), strict=True
        ):
            found[output] = ([name for bit, name in enumerate(NAMES) if bits >> bit & 1], against)
            assert kinds == len({"ahead" if name in LOOK_AHEAD else name for name in found[output][0]})
    assert found == expected


def test_every_rule_points_somewhere_in_the_generated_chains() -> None:
    met = 0
    for seed in range(20):
        for part in parts(thrown(seed, transactions=90)):
            met |= int(np.bitwise_or.reduce(votes_of(part).rules))
    assert met == (1 << len(RULES)) - 1


def test_a_payment_with_change_is_told_with_what_speaks_for_and_against() -> None:
    world = World()
    world.pay(world.mint(("shop", COIN)), ("shop", COIN - 7))
    world.pay(world.mint(("anna", 2 * COIN), ("anna", COIN)), ("shop", 5 * COIN // 2), ("anna two", COIN // 2 - 333))
    rows = follow(world, {})["change"]
    told = {(r["vout"], r["votes"], r["against"]): r["rules"] for r in rows if len(r["rules"]) > 1}
    assert told == {(1, 3, 0): ["below smallest input", "round amounts", "first appearance"]}


def test_an_empty_chain_has_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casewright.chain.change.load_chain", lambda _: thrown(1, transactions=0))
    output = whole(*change(None, context()))
    assert len(output.tables["change"]) == 0
    assert output.tallies[0].received == 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_names_its_source(rule: object) -> None:
    assert "20" in getattr(rule, "source", "")


def test_a_program_that_sets_lock_times_gets_its_change_back_where_one_that_sets_none_is_paid() -> None:
    """Transaction 0 mints, 1 pays with a lock time; of its outputs the second is spent with one, too."""
    paid = columns([((), [(0, 9)]), ((0,), [(1, 5), (2, 3)]), ((1,), [(3, 4)]), ((2,), [(4, 2)])])
    told = {}
    for style in ([4, 5, 4, 5], [4, 5, 5, 5], [4, 5, 4, UNTOLD]):
        (part,) = parts(replace(paid, style=np.array(style, np.uint8)))
        told[tuple(style[2:])] = np.flatnonzero(same_style(part) & part.counts).tolist()
    assert told == {(4, 5): [2], (5, 5): [1, 2], (4, UNTOLD): []}


def test_versions_and_lock_times_are_one_number_a_transaction() -> None:
    version, lock_time = np.array([1, 2, 2, 4294967295, -1]), np.array([0, 0, 500, 7, -1])
    assert style_of(version, lock_time).tolist() == [2, 4, 5, 253, UNTOLD]
