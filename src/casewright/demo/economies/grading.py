"""Holding clusters and traces against the truth of an invented economy: how much is right, how much is found, and why
the rest is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casewright.demo.economies.truth import Found, Payment, Truth

LITTLE, LARGE, CLAIMED = 20, "with a share of a twentieth or more", "attributions (all but hints)"
Rows = Iterable[Mapping[str, Any]]


@dataclass
class Score:
    """`right` and `wrong` among what was said, `missed` of what is true. Scores of several worlds can be added."""

    right: int = 0
    wrong: int = 0
    found: int = 0
    missed: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.right + other.right, self.wrong + other.wrong, self.found + other.found, self.missed + other.missed
        )

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    def told(self) -> str:
        return (
            f"{self.right + self.wrong:,} | {100 * self.precision:.2f} | {self.found + self.missed:,} | "
            f"{100 * self.recall:.2f}"
        )


@dataclass(frozen=True)
class False_:  # noqa: N801  a false attribution
    """One that is not true, with what explains it."""

    payment: str
    direction: str
    service: str
    hops: int
    confidence: str
    why: str
    claimed: bool = False
    """Whether it was said to be an attribution, and not a hint."""


@dataclass
class Grades:
    """Scores by name, and everything that was attributed wrongly."""

    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    false: list[False_] = field(default_factory=list)
    mixed_clusters: list[str] = field(default_factory=list)

    def __add__(self, other: "Grades") -> "Grades":
        names = {**self.scores, **other.scores}
        scores = {name: self.scores.get(name, Score()) + other.scores.get(name, Score()) for name in names}
        return Grades(scores, self.false + other.false, self.mixed_clusters + other.mixed_clusters)


def grade(truth: Truth, tables: Mapping[str, Rows], max_hops: int) -> Grades:
    """Grades of the tables `clusters`, `payments` and `services`, and of `change` where it is given."""
    grades = Grades(defaultdict(Score))
    _clusters(truth, tables["clusters"], grades)
    _services(truth, tables, max_hops, grades)
    _market(truth, tables["services"], grades)
    _changes(truth, list(tables.get("change", ())), grades)
    return grades


def _market(truth: Truth, rows: Rows, grades: Grades) -> None:
    """All that the market's own wallets spent (the direction `market`): coins that services got of it, by coin; a
    service's own sweep stands for the coins that it gathers."""
    true = {coin for coins in truth.cash_outs.values() for coin in coins}
    met: set[int] = set()
    score = grades.scores["market: coins that services got"]
    for row in rows:
        if row["payment"] is None and row["confidence"] != "none":
            coins = {c for c in truth.walk.met_in(f"{row['txid']}:{row['vout']}") if c in true}
            score += Score(right=bool(coins), wrong=not coins)
            met |= coins
    grades.scores["market: coins that services got"] = score + Score(found=len(met), missed=len(true - met))


def _changes(truth: Truth, rows: list[Mapping[str, Any]], grades: Grades) -> None:
    """Each rule about change, and votes of several without one against. Of transactions that one owner pays: right is
    what is the payer's own; to be found is change where somebody else is paid, too."""
    said: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for row in rows:
        coin = row["txid"], row["vout"]
        if row["txid"] in truth.returned:
            for name in row["rules"]:
                said[f"change: {name}"].add(coin)
            for least in (1, 2, 3):
                for counted in ("votes", "kinds"):
                    if row[counted] >= least and not row["against"]:
                        said[f"change: {least} or more {counted}, none against"].add(coin)
    true = {(txid, vout) for txid, places in truth.changes.items() for vout in places}
    for name, coins in said.items():
        right = sum(vout in truth.returned[txid] for txid, vout in coins)
        found = len(coins & true)
        grades.scores[name] = Score(right, len(coins) - right, found, len(true) - found)


def _clusters(truth: Truth, rows: Rows, grades: Grades) -> None:
    """Pairs of addresses that were spent from: of those put together, the right ones; of those with one owner, the
    found ones. And for each owner the share of its addresses in its largest cluster."""
    together = Counter((row["cluster"], truth.owners[row["address"]]) for row in rows)
    sizes: Counter[str] = Counter()
    owned: Counter[str] = Counter()
    largest: Counter[str] = Counter()
    owners: dict[str, list[str]] = defaultdict(list)
    for (cluster, owner), count in together.items():
        sizes[cluster] += count
        owned[owner] += count
        largest[owner] = max(largest[owner], count)
        owners[cluster].append(owner)
    right = sum(_pairs(n) for n in together.values())
    said, true = sum(_pairs(n) for n in sizes.values()), sum(_pairs(n) for n in owned.values())
    grades.scores["clusters: pairs of addresses"] = Score(right, said - right, right, true - right)
    for whose, of in (("services'", set(owned) & truth.custodial), ("others'", set(owned) - truth.custodial)):
        found = sum(largest[o] for o in of)
        score = Score(found=found, missed=sum(owned[o] for o in of) - found)
        grades.scores[f"clusters: {whose} addresses in their largest cluster"] = score
    grades.mixed_clusters += sorted(" + ".join(sorted(names)) for names in owners.values() if len(names) > 1)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _services(truth: Truth, tables: Mapping[str, Rows], max_hops: int, grades: Grades) -> None:
    outpoints = {row["payment"]: f"{row['txid']}:{row['vout']}" for row in tables["payments"]}
    said: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in tables["services"]:
        if row["confidence"] != "none" and row["payment"]:
            said[outpoints[row["payment"]], row["direction"]].append(row)
    for payment in truth.payments:
        for direction, found in (("back", payment.origins), ("forward", payment.cash_outs)):
            _attributions(truth, said[payment.outpoint, direction], payment, direction, found, max_hops, grades)


def _attributions(
    truth: Truth, said: list[Mapping[str, Any]], payment: Payment, direction: str, found: Found, max_hops: int,
    grades: Grades,
) -> None:  # fmt: skip
    """Services by name, once each for a payment and direction. Right is what the truth has at any distance; to be found
    is what lies within the limit of hops."""
    least: dict[str, int] = {}
    for (label, _), step in found.items():
        least[label] = min(step, least.get(label, step))
    nearest: dict[str, Mapping[str, Any]] = {}
    for row in said:
        if row["service"] not in nearest or row["hops"] < nearest[row["service"]]["hops"]:
            nearest[row["service"]] = row
    for label, row in nearest.items():
        right = label in least
        levels = {str(r["confidence"]) for r in said if r["service"] == label}
        claimed = [f"{direction}: {CLAIMED}"] if levels - {"hint"} else []
        large = _large(direction, label, said, payment)
        for name in [*_names(direction, row["hops"], str(row["confidence"])), *large, *claimed]:
            grades.scores[name] += Score(right=right, wrong=not right)
        if not right:
            why = _why(truth, payment, direction, label, said)
            false = False_(payment.outpoint, direction, label, row["hops"], row["confidence"], why, bool(claimed))
            grades.false.append(false)
    for label, step in least.items():
        if step <= max_hops and label not in truth.nameless:
            for name in _names(direction, step):
                grades.scores[name] += Score(found=label in nearest, missed=label not in nearest)
            is_large = bool(_large(direction, label, said, payment))
            grades.scores[f"{direction}: {LARGE}"] += Score(found=is_large, missed=not is_large)
            told = any(row["service"] == label and row["confidence"] != "hint" for row in said)
            grades.scores[f"{direction}: {CLAIMED}"] += Score(found=told, missed=not told)
    exact = [(row["service"], f"{row['txid']}:{row['vout']}") in found for row in said if row["service"] in least]
    name = f"{direction}: the very output that left or entered the service"
    grades.scores[name] += Score(right=sum(exact), wrong=len(exact) - sum(exact))


def _large(direction: str, label: str, said: list[Mapping[str, Any]], payment: Payment) -> list[str]:
    """The name of the score for services of a large share, when this one has it."""
    rows = [row for row in said if row["service"] == label and row.get("share")]
    return [f"{direction}: {LARGE}"] if any(row["share"] * LITTLE >= payment.sats for row in rows) else []


def _names(direction: str, hops: int, confidence: str = "") -> list[str]:
    distance = "direct" if hops == 1 else "through wallets"
    more = [f"{direction}: said with confidence {confidence}"] if confidence else []
    return [f"{direction}: all", f"{direction}: {distance}", *more]


def _why(truth: Truth, payment: Payment, direction: str, label: str, said: list[Mapping[str, Any]]) -> str:
    """What led to a false attribution, as far as the truth shows it."""
    rows = [row for row in said if row["service"] == label]
    if strangers := sorted(
        {truth.owners.get(row["address"], "nobody").split()[0] for row in rows} - {label.split(maxsplit=1)[0]}
    ):
        return f"the address met is a {' and a '.join(strangers)}'s: a cluster or tag is wrong"
    barriers = {truth.crossed(payment, direction, f"{row['txid']}:{row['vout']}") for row in rows}
    return f"came through: {', '.join(sorted(barriers)) or 'nothing that explains it'}"
