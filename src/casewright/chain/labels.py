"""What tags say about a wallet: whether it is a service that knows its customers, a mixer, or something else.

Nothing is followed behind a tagged wallet: a service pools its customers' coins, so what leaves it is not what came in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

CUSTODIAL = frozenset(
    ("exchange", "hosted_wallet", "wallet_service", "payment_processor", "broker", "otc", "atm", "gambling", "lending",
     "service", "mining_service", "miner")
)  # fmt: skip
"""Categories whose members hold accounts of customers and can be asked about one transaction. Names as in the
INTERPOL Dark Web and Virtual Assets taxonomy, and those that the public packs use besides."""
MIXING = frozenset(("mixing_service", "mixer", "coinjoin", "tumbler"))
WELL_FOUNDED = 50
NAMED_AT_MOST = 5

Tag = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What the strongest tags on a wallet say: one tag for each named service or mixer (several when tags tie).

    `doubts` is what its tags give against it. `stops` is empty for a wallet that nobody names.
    """

    custodial: tuple[Tag, ...] = ()
    mixing: tuple[Tag, ...] = ()
    doubts: tuple[str, ...] = ()
    stops: str = ""
    label: str = ""
    """Whom they name."""

    @property
    def ends(self) -> str:
        """How a trace ends here, in the word of `hops`."""
        return "service" if self.custodial else "mixer" if self.mixing else "tagged" if self.label else "joined"


def category(tag: Tag) -> str:
    return "_".join((tag["category"] or "").lower().split())


def entity(tag: Tag) -> str:
    """Who the tag means: its actor, or its label where it names none."""
    return str(tag["actor"] or tag["label"]).casefold()


def judge(tags: Sequence[Tag]) -> Verdict:
    """`tags` lie on one wallet. The strongest level counts; all that differ from it are named as doubts."""
    if not tags:
        return Verdict()
    ordered = sorted(tags, key=lambda t: (-t["level"], t["label"], t["tag"]))
    strongest = [t for t in ordered if t["level"] == ordered[0]["level"]]
    named: dict[tuple[str, str], Tag] = {}
    for tag in strongest:
        named.setdefault((entity(tag), kind(tag)), tag)
    custodial = tuple(t for t in named.values() if kind(t) == "custodial")
    mixing = tuple(t for t in named.values() if kind(t) == "mixing")
    labels = " / ".join(dict.fromkeys(t["label"] for t in (*custodial, *mixing)))
    stops = f"reaches {labels}, by tag" if labels else f"stops at a wallet tagged {_listed(ordered)}"
    return Verdict(custodial, mixing, tuple(_doubts(ordered, strongest)), stops, labels or ordered[0]["label"])


def guarded(verdict: Verdict, doubt: str | None) -> Verdict:
    """The verdict on a wallet of a cluster that joins services: tags of its own count, with the doubt; where it has
    none, nothing is attributed and nothing followed."""
    if doubt is None:
        return verdict
    stops = verdict.stops or f"stops: {doubt}"
    return replace(verdict, doubts=(*verdict.doubts, doubt), stops=stops)


def kind(tag: Tag) -> str:
    if category(tag) in MIXING:
        return "mixing"
    return "custodial" if category(tag) in CUSTODIAL else "other"


def _doubts(ordered: Sequence[Tag], strongest: Sequence[Tag]) -> list[str]:
    doubts = []
    if len({entity(t) for t in ordered}) > 1:
        doubts.append(f"tags on this wallet disagree: {_listed(ordered)}")
    if strongest[0]["level"] < WELL_FOUNDED:
        grounds = strongest[0]["confidence"] or "unknown"
        doubts.append(f"the tag is weakly founded: {grounds}, {strongest[0]['level']} of 100")
    return doubts


def _listed(tags: Sequence[Tag]) -> str:
    """Labels with category and level, one for each that is meant, strongest first."""
    first: dict[str, Tag] = {}
    for tag in tags:
        first.setdefault(entity(tag), tag)
    words = [f"{t['label']} ({t['category'] or 'no category'}, {t['level']})" for t in first.values()]
    more = len(words) - NAMED_AT_MOST
    return ", ".join(words[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
