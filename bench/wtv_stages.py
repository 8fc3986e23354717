"""Stages of the full-size run against the figures that their own issues name; issue 9 allows twice as long."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEASURED = Mapping[str, Any]
PRIORS = 500_000
ALLOWED = 2.0


@dataclass(frozen=True)
class Figure:
    """What an issue says of some stages: so many seconds for each of what `amount` counts in a run."""

    stages: tuple[str, ...]
    says: str
    seconds: float
    amount: Callable[[MEASURED], float]


FIGURES = (
    Figure(("accounts", "addresses"), "issue 4: 1.3 million accounts and their addresses in 60 s", 60 / 1.3e6,
           lambda size: size["told"]["accounts"]),
    Figure(("read_blocks",), "issue 6: 20 times blockchain-parser's 37,600 transactions a second, without tables",
           1 / (20 * 37_600), lambda size: size["told"]["transactions"]),
    Figure(("payments",), "issue 6: 1.3 million addresses against 50 million transactions in 60 s", 60 / 50e6,
           lambda size: size["told"]["transactions"]),
    Figure(("person_forms", "suggestions"), "issue 7: 5,000 returns against 500,000 earlier subjects in 300 s",
           300 / PRIORS, lambda size: PRIORS / size["part"]),
)  # fmt: skip
ELSEWHERE = {
    "items": "issue 3: twice hashdeep's speed; what archives hold is read besides: `just bench`",
    "media": "issue 5: pictures of 12 and of 2 MP, larger than those here: `just bench-media`",
    "lists": "issue 5: 100,000 records a second; the list here is short: `bench/lists.py`",
    "matches": "issue 5: ten million entries against 300,000 items in 600 s; here they are few: `bench/lists.py`",
    "clusters": "issue 6: the speed of graphsense-clustering, of the groups alone: `just bench-clusters`",
    "figures": "issue 7: with referrals and packages 600 s for 153,000 accounts; here few paid: `just bench-packages`",
    "deconflict_selectors": "issue 10: a whole exchange: `just bench-deconflict`",
}
"""Stages whose figure this run can't be held against, and why."""


def against_figures(sizes: Sequence[MEASURED]) -> str:
    """A table of the largest size; `sizes` from the smallest on."""
    *before, size = sizes
    name = _name(size)
    lines = [
        f"### Stages of {name} against their own issues' figures",
        "Processor seconds, against what the issue's figure leaves for so many, which is by the clock on two cores.",
        "At a small size most of a stage is its start; *what more costs* is the gain over the size before, against",
        f"what the figure leaves for the gain, and has the verdict. Wanted: at most {ALLOWED:g} times.",
        "",
        "| stages | the figure | processor, s | it leaves, s | times | what more costs, times | within |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    lines += [_line(figure, size, before) for figure in FIGURES]
    lines += ["", "Measured elsewhere, because this run does not have what the figure is about:", ""]
    lines += [f"- `{stage}`: {why}" for stage, why in ELSEWHERE.items()]
    named = {stage for figure in FIGURES for stage in figure.stages} | set(ELSEWHERE)
    rest = sorted({s["name"] for v in size["costs"] for s in v["stages"]} - named)
    return "\n".join([*lines, "", f"No issue names a figure for: {', '.join(f'`{one}`' for one in rest)}.", ""])


def _line(figure: Figure, size: MEASURED, before: Sequence[MEASURED]) -> str:
    took, least = _seconds(size, figure), figure.seconds * figure.amount(size)
    gain = next((_gain(figure, size, one) for one in reversed(before) if _seconds(one, figure)), None)
    verdict = gain if gain is not None else took / least
    cells = [
        " + ".join(f"`{one}`" for one in figure.stages), figure.says, f"{took:.1f}", f"{least:.1f}",
        f"{took / least:.1f}", "" if gain is None else f"{gain:.1f}", "yes" if verdict <= ALLOWED else "**no**",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _gain(figure: Figure, size: MEASURED, before: MEASURED) -> float:
    """Seconds that the larger size takes more, against what the figure leaves for it."""
    more = figure.amount(size) - figure.amount(before)
    return (_seconds(size, figure) - _seconds(before, figure)) / (figure.seconds * more)


def _seconds(size: MEASURED, figure: Figure) -> float:
    """Of the stages in all verbs, but where a verb only asks whether they are still right."""
    told = [s for v in size["costs"] for s in v["stages"] if s["name"] in figure.stages]
    return sum(max((float(s["cpu"]) for s in told if s["name"] == name), default=0.0) for name in figure.stages)


def _name(size: MEASURED) -> str:
    return "wtv" if size["part"] == 1 else f"wtv/{size['part']}"
