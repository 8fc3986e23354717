"""The stage `change`: which output of a transaction goes back to the payer, by named rules that vote.

No rule is right often enough to join wallets by itself, so the votes are evidence, and enter clusters only when the
layer `change` is switched on. Each rule points at one output at most; it then speaks against the others. The idea of
voting: Möser, Narayanan, "Resurrecting Address Clustering in Bitcoin", FC 2022.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.chain.change_part import Part, parts
from casewright.chain.columns import UNTOLD, Chain, Numbers
from casewright.chain.links import Flags
from casewright.chain.loading import load_chain
from casewright.chain.screen import coinjoins
from casewright.engine.stage import Context, Output, Tally, shaped
from casewright.model.tables import TABLES

TEN, NOUN = 10**6, "transactions with several outputs"


@dataclass(frozen=True)
class Rule:
    """`points` gives, for each output of a part, whether it could be the change by this rule; the rule points at an
    output where it is the only one of its transaction. `ahead`: it looks at the transaction that spends the output.
    Where a payee's program works as the payer's does, all these are wrong together, so they are of one kind."""

    name: str
    source: str
    points: Callable[[Part], Flags]
    ahead: bool = False


def reuse(part: Part) -> Flags:
    """It pays an address that the transaction spends from."""
    return part.goes_back


def script_type(part: Part) -> Flags:
    """All coins that are spent have one kind of script, and only this output has it, too."""
    same: Flags = part.one_kind[part.of] & (part.kind == part.spent_kind[part.of])
    return same


def optimal(part: Part) -> Flags:
    """It is smaller than every coin that was spent: with a larger change, one of the coins would not have been needed.
    Of two coins or more, all of them known."""
    less: Flags = (part.several & part.all_known)[part.of] & (part.sats < part.least_spent[part.of])
    return less


def round_amounts(part: Part) -> Flags:
    """It is not a multiple of 0.01 BTC, and all others are."""
    uneven: Flags = part.sats % TEN != 0
    return uneven


def first_appearance(part: Part) -> Flags:
    """Its address is there for the first time, and those of all others were there before; none is paid that is also
    spent from."""
    own = np.bincount(part.of[part.goes_back], minlength=part.count) > 0
    return part.is_first & ~own[part.of]


def same_fee(part: Part) -> Flags:
    """The transaction that spends it pays the same fee to the satoshi, as programs do that always pay one fee."""
    same: Flags = (part.fee[part.of] > 0) & (part.fee[part.of] == part.next_fee)
    return same


def peel(part: Part) -> Flags:
    """The transaction has one input and two outputs, and so has the one that spends this output: a chain goes on."""
    return part.is_peel[part.of] & part.next_is_peel


def same_style(part: Part) -> Flags:
    """The transaction that spends it has the same version, and sets a lock time or sets none just as this one: programs
    that set one (against fee sniping) do so always. Only where all outputs are spent."""
    own, open_ = part.style[part.of], part.counts & (part.next_style == UNTOLD)
    told = np.bincount(part.of[open_], minlength=part.count) == 0
    same: Flags = (own != UNTOLD) & (part.next_style == own) & told[part.of]
    return same


RULES = (
    Rule("address reuse", "Androulaki et al., FC 2013; Kalodner et al., BlockSci, USENIX Security 2020", reuse),
    Rule("script type", "Kalodner et al. 2020; Möser, Narayanan 2022", script_type),
    Rule("below smallest input", "Nick, ETH 2015 (optimal change)", optimal),
    Rule("round amounts", "Kalodner et al. 2020 (power of ten, six digits)", round_amounts),
    Rule("first appearance", "Meiklejohn et al., IMC 2013, section 4.1 (one-time change)", first_appearance),
    Rule(
        "same fee",
        "Kappos et al., USENIX Security 2022; Möser, Narayanan 2022 (consistent fingerprint)",
        same_fee,
        True,
    ),
    Rule(
        "version and lock time", "Möser, Narayanan 2022 (consistent fingerprint); Kappos et al. 2022", same_style, True
    ),
    Rule("peel continuation", "Meiklejohn et al. 2013, section 5; Kalodner et al. 2020 (peeling chain)", peel, True),
)
NAMES = tuple(rule.name for rule in RULES)
AHEAD = sum(1 << bit for bit, rule in enumerate(RULES) if rule.ahead)
SETS = [[name for bit, name in enumerate(NAMES) if bits >> bit & 1] for bits in range(1 << len(NAMES))]


@dataclass(frozen=True)
class Votes:
    """Outputs that a rule points at, by number; the rules as bits in the order of `RULES`; and how many rules point at
    another output of the same transaction."""

    output: Numbers
    rules: NDArray[np.int64]
    against: NDArray[np.int64]

    @property
    def votes(self) -> NDArray[np.int64]:
        return np.bitwise_count(self.rules).astype(np.int64)

    @property
    def kinds(self) -> NDArray[np.int64]:
        """Votes, those of rules that look ahead counting as one."""
        kinds: NDArray[np.int64] = np.bitwise_count(self.rules & ~AHEAD).astype(np.int64) + (self.rules & AHEAD > 0)
        return kinds


def change(batch: pa.Table, context: Context) -> Iterator[Output]:
    """`change`, stretch by stretch: one row for each output that a rule points at. Done: transactions in which one
    does."""
    chain = load_chain(context)
    yield Output({"change": TABLES["change"].empty()}, [], [Tally(NOUN, 0, 0)])
    for part in parts(chain, set(coinjoins(chain))):
        votes, asked = votes_of(part), int(part.is_asked.sum())
        pointed = len(np.unique(part.of[votes.output - part.first_output]))
        yield Output({"change": rows_of(chain, votes)}, [], [Tally(NOUN, asked, pointed, asked - pointed)])


def votes_of(part: Part) -> Votes:
    """What the rules say of the outputs of a part."""
    bits, pointing = np.zeros(len(part.of), np.int64), np.zeros(part.count, np.int64)
    for bit, rule in enumerate(RULES):
        could = rule.points(part) & part.counts
        one = could & (np.bincount(part.of[could], minlength=part.count) == 1)[part.of]
        bits |= one.astype(np.int64) << bit
        pointing[part.of[one]] += 1
    met = np.flatnonzero(bits)
    return Votes(part.first_output + met, bits[met], pointing[part.of[met]] - np.bitwise_count(bits[met]))


def rows_of(chain: Chain, votes: Votes) -> pa.Table:
    made_in = np.searchsorted(chain.first_output, votes.output, "right") - 1
    return shaped("change", pa.table({
        "txid": chain.named(pa.array(made_in)), "vout": votes.output - chain.first_output[made_in],
        "votes": votes.votes, "kinds": votes.kinds, "against": votes.against, "output": votes.output,
        "rules": pa.array(SETS, pa.list_(pa.string())).take(pa.array(votes.rules)),
    }))  # fmt: skip
