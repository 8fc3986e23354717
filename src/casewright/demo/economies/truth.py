"""What is true of an invented economy: whose each address is, where each payment came from, where its money went.

Coins are followed by who owned them, which no tracer can know. Where several people signed together nothing is
followed: which output is whose was decided off the chain.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from casewright.demo.economies.ledger import Deed, Ledger
from casewright.demo.economies.market import OWNER
from casewright.demo.economies.world import World

Found = dict[tuple[str, str], int]
"""Transactions from the payment, by service and the output (`txid:vout`) that left or entered it."""
MIXERS = ("mixing_service",)
BARRIERS = {"back": ("PayJoin", "dust", "service", "CoinJoin"), "forward": ("another owner", "CoinJoin")}
"""What the truth does not follow coins through, in the order in which they explain what a tracer did."""


@dataclass(frozen=True)
class Payment:
    """What is true of one payment to the market."""

    coin: int
    outpoint: str
    account: str
    sats: int
    origins: Found
    cash_outs: Found


@dataclass(frozen=True)
class Truth:
    owners: dict[str, str]
    """Owner of each address that was paid."""
    payments: tuple[Payment, ...]
    changes: dict[str, list[int]]
    """Outputs that are change, by transaction: those of the one payer in a transaction that pays somebody else too."""
    returned: dict[str, list[int]]
    """Outputs that the one payer keeps, by transaction, also where nobody else is paid; only of transactions of one."""
    kinds: dict[str, str]
    """What each transaction was for."""
    custodial: frozenset[str]
    cash_outs: dict[str, list[int]]
    """Of each service, the coins that the market's own transactions paid to it."""
    nameless: frozenset[str]
    """Services of which no tag pack knows anything: nothing can name them, so that not naming them is no miss."""
    walk: "Walk"

    def crossed(self, payment: Payment, direction: str, outpoint: str) -> str:
        """Why a tracer may have come from a payment to an output to which no coin's owner leads: the barrier, or the
        barriers, without which it is reached; empty when none of them explains it."""
        barriers = BARRIERS[direction]
        for count in range(1, len(barriers) + 1):
            for lowered in combinations(barriers, count):
                if outpoint in self.walk.reached(payment.coin, direction, lowered):
                    return " and ".join(lowered)
        return ""


def truth_of(world: World) -> Truth:
    """The truth of a world that was told."""
    ledger, given = world.ledger, world.market.given
    owners = {h.address: h.owner for n in ledger.holder if (h := ledger.holders[n]).address}
    custodial = frozenset(s.kind.label for s in world.services if s.kind.category not in MIXERS)
    walk = Walk(ledger, custodial, frozenset(s.kind.label for s in world.services) - custodial)
    payments = tuple(walk.payment(c, given[h]) for c, h in enumerate(ledger.holder) if h in given)
    changes = {d.txid[::-1].hex(): c for d in ledger.deeds if (c := change_of(ledger, d))}
    kinds = {d.txid[::-1].hex(): d.what for d in ledger.deeds}
    nameless = frozenset(s.kind.label for s in world.services if not s.kind.named)
    returned = {d.txid[::-1].hex(): kept_of(ledger, d) for d in ledger.deeds if len(payers_of(ledger, d)) == 1}
    cash_outs = {label: [c for c in walk.paid_by_market() if ledger.owner(c) == label] for label in sorted(custodial)}
    return Truth(owners, payments, changes, returned, kinds, custodial, cash_outs, nameless, walk)


def payers_of(ledger: Ledger, deed: Deed) -> set[str]:
    return {ledger.owner(c) for c in deed.spends}


def kept_of(ledger: Ledger, deed: Deed) -> list[int]:
    """Places of outputs that are a payer's own."""
    payers = payers_of(ledger, deed)
    return [coin - deed.makes.start for coin in deed.makes if ledger.owner(coin) in payers]


def change_of(ledger: Ledger, deed: Deed) -> list[int]:
    """Places of true change; none when several pay, or all goes to the payer."""
    payees = {ledger.owner(c) for c in deed.makes} - {"data"}
    payers = payers_of(ledger, deed)
    return kept_of(ledger, deed) if len(payers) == 1 and payees != payers else []


@dataclass(frozen=True)
class Walk:
    """Follows coins through the ledger."""

    ledger: Ledger
    custodial: frozenset[str]
    mixers: frozenset[str]

    def payment(self, coin: int, account: str) -> Payment:
        found = [self._search(coin, step, ()) for step in (self._origins, self._cash_outs)]
        return Payment(coin, self.ledger.outpoint(coin), account, self.ledger.sats[coin], found[0], found[1])

    def paid_by_market(self) -> list[int]:
        """All coins that others got in transactions which the market alone paid."""
        deeds = [d for d in self.ledger.deeds if payers_of(self.ledger, d) == {OWNER}]
        return [c for d in deeds for c in d.makes if self.ledger.owner(c) != OWNER]

    def met_in(self, outpoint: str) -> tuple[int, ...]:
        """The coin at an outpoint, and where its owner only gathered coins, those."""
        coin = self._coins[outpoint]
        deed = self.ledger.deeds[self.ledger.made[coin]]
        return (coin, *deed.spends) if payers_of(self.ledger, deed) == {self.ledger.owner(coin)} else (coin,)

    @cached_property
    def _coins(self) -> dict[str, int]:
        return {self.ledger.outpoint(c): c for c in range(len(self.ledger.sats))}

    def reached(self, coin: int, direction: str, lowered: tuple[str, ...]) -> set[str]:
        """Outputs of services that are reached from a payment when some barriers are not there."""
        step = self._origins if direction == "back" else self._cash_outs
        return {outpoint for _, outpoint in self._search(coin, step, lowered)}

    def _search(self, start: int, step_from: "StepFrom", lowered: tuple[str, ...]) -> Found:
        """Breadth first from a coin."""
        found: Found = {}
        seen, queue = {start}, deque([(start, 1)])
        while queue:
            coin, step = queue.popleft()
            met, onward = step_from(coin, lowered)
            for label, outpoint in met:
                found.setdefault((label, outpoint), step)
            for other in onward:
                if other not in seen:
                    seen.add(other)
                    queue.append((other, step + 1))
        return found

    def _origins(self, coin: int, lowered: tuple[str, ...]) -> "Step":
        """What paid for a coin: services that let it go, and the other people's coins."""
        ledger = self.ledger
        deed = ledger.deeds[ledger.made[coin]]
        if deed.joint and "CoinJoin" not in lowered:
            return [], []
        spends: Sequence[int] = deed.spends
        if deed.what == "PayJoin" and "PayJoin" not in lowered:
            spends = self._share_of(deed, coin)
        met = {(ledger.owner(c), ledger.outpoint(coin)) for c in spends if ledger.owner(c) in self.custodial}
        stops = {OWNER} if "service" in lowered else self.custodial | self.mixers | {OWNER}
        strangers = set() if "dust" in lowered else {c for c in spends if self._is_dust(c)}
        return sorted(met), [c for c in spends if ledger.owner(c) not in stops and c not in strangers]

    def _is_dust(self, coin: int) -> bool:
        """Sent to its owner unasked."""
        deed = self.ledger.deeds[self.ledger.made[coin]]
        return deed.what == "dust" and self.ledger.owner(coin) not in {self.ledger.owner(c) for c in deed.spends}

    def _share_of(self, deed: Deed, coin: int) -> Sequence[int]:
        """Of a PayJoin: the payer's change comes from the payer's own coins, what the payee got from both."""
        ledger = self.ledger
        own = [c for c in deed.spends if ledger.owner(c) == ledger.owner(coin)]
        return own if ledger.sats[coin] < sum(ledger.sats[c] for c in own) else deed.spends

    def _cash_outs(self, coin: int, lowered: tuple[str, ...]) -> "Step":
        """Where the market took a coin: services that it paid, and its own coins."""
        ledger = self.ledger
        spender, owner = ledger.spender[coin], ledger.owner(coin)
        joint = spender >= 0 and ledger.deeds[spender].joint
        others = owner != OWNER and "another owner" not in lowered
        if spender < 0 or others or (joint and "CoinJoin" not in lowered):
            return [], []
        made = ledger.deeds[spender].makes
        met = {(ledger.owner(c), ledger.outpoint(c)) for c in made if ledger.owner(c) in self.custodial}
        return sorted(met), [c for c in made if ledger.owner(c) == OWNER or "another owner" in lowered]


Step = tuple[list[tuple[str, str]], list[int]]
StepFrom = Callable[[int, tuple[str, ...]], Step]
