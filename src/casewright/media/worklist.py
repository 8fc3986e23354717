"""The stage that says what a human should look at, and in what order.

What is opened is a group: a content with its copies, and the versions that are near it. One decision covers it. Where
media come from (a device, a series) and who put them there decides the order, and never joins what is not one thing.
"""

from collections import defaultdict
from functools import cached_property
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.media.reasons import own_words, shared_words
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

Row = dict[str, Any]
FIRST = {"new": 0, "near": 1, "known": 2}


def worklist(batch: pa.Table, context: Context) -> Output:
    """A row for each distinct content; those of a group have its rank, and one is opened for all. What was judged has
    no rank. What is on no list and known as harmless is left out and counted; its row in `harmless` says why."""
    contents = context.sql(sql_stage_text(__file__, "worklist")).to_pylist()
    for one in contents:
        one["state"] = "known" if one["known"] else "near" if one["distance"] is not None else "new"
    groups = [Work(several, context.params["pdq_distance"]) for several in _grouped(contents)]
    ranked = sorted((g for g in groups if g.open), key=lambda g: g.urgency)
    made = [row for rank, group in enumerate(ranked, 1) for row in group.rows(rank)]
    made += [row for group in groups if not group.open for row in group.rows(None)]
    items, left = sum(c["items"] for c in contents), len(contents) - len(made)
    tallies = [
        Tally("distinct media", len(contents), len(made), left),
        Tally("media to open", items, len(ranked), items - len(ranked)),
    ]
    return Output({"worklist": TABLES["worklist"].rows(made)}, [], tallies)


def _grouped(contents: list[Row]) -> list[list[Row]]:
    """The contents of each group, first what is nearest its leader."""
    found: dict[str, list[Row]] = defaultdict(list)
    for one in contents:
        found[one["media_group"] or one["sha256"]].append(one)
    return [sorted(several, key=lambda c: (not c["leads"], c["apart"] or 0, c["sha256"])) for several in found.values()]


class Work:
    """What one decision covers. `open` holds the contents that no judgement covers, the one to open first; one that is
    on no list is opened rather than one that is."""

    def __init__(self, contents: list[Row], radius: int) -> None:
        needless = [c for c in contents if c["state"] == "new" and c["harmless"]]
        judged = [c for c in contents if c["said"]]
        self.kept = [c for c in contents if c not in needless] if needless else contents
        self.covered = {c["sha256"]: by for c in self.kept if (by := _covering(c, judged, radius))} if judged else {}
        self.open = [c for c in self.kept if c["sha256"] not in self.covered]
        self.open.sort(key=lambda c: FIRST[c["state"]])
        self.harmless = needless[0]["harmless"] if needless else None
        self.name = make_id("work", contents[0]["sha256"])

    @cached_property
    def state(self) -> str:
        """New: no version of it is listed. Known: all are, by their exact hash."""
        states = {c["state"] for c in self.kept}
        return states.pop() if len(states) == 1 else "near"

    @cached_property
    def facts(self) -> Row:
        """What counts for the group: what holds for any of its open contents."""
        related = {kind for c in self.open for kind in c["related"] or []} if self.state == "new" else set()
        return {
            "device": "device" in related, "made alike": "made alike" in related, "series": "series" in related,
            "by_listed": self.state == "new" and any(c["by_listed"] for c in self.open),
            "by_payer": any(c["by_payer"] for c in self.open), "placed": any(c["placed"] for c in self.open),
            "uploads": sum(c["uploads"] for c in self.open),
            "uploaded": max((c["uploaded"] for c in self.open if c["uploaded"]), default=None),
            "items": sum(c["items"] for c in self.open), "versions": len(self.open), "harmless": self.harmless,
            "listed": self.state == "near" and self.open[0]["state"] == "new",
        }  # fmt: skip

    @property
    def urgency(self) -> tuple[Any, ...]:
        """Sorts the most urgent first."""
        f = self.facts
        late = -f["uploaded"].timestamp() if f["uploaded"] else 0.0
        return (FIRST[self.state], not f["device"], not f["series"], not f["made alike"], not f["by_listed"],
                not f["by_payer"], f["uploads"] == 0, late, not f["placed"], -f["versions"], -f["items"],
                self.open[0]["sha256"])  # fmt: skip

    def rows(self, rank: int | None) -> list[Row]:
        opened = self.open[0] if self.open else None
        covered = [c for c in self.kept if c["sha256"] in self.covered]
        return [self._row(c, rank, opened) for c in [*self.open, *covered]]

    def _row(self, content: Row, rank: int | None, opened: Row | None) -> Row:
        judged, words = self.covered.get(content["sha256"]), own_words(content)
        if judged:
            by = judged["said"]
            same = "" if judged is content else f", as {judged['item']}, of which it is a version"
            words += [f"judged {by['verdict']} by {by['examiner']}{same}: {by['why']}"]
        elif content is opened:
            words += shared_words(self.facts)
        elif opened:
            words += [f"a version of {opened['item']}, which is opened for it"]
        ids = [*(content["matches"] or []), *(content["harmless_rows"] or []), *(content["memberships"] or [])]
        return {
            "rank": None if judged else rank, "item": content["item"], "state": content["state"],
            "reason": "; ".join(words), "work_group": self.name, "opens": content is opened, "items": content["items"],
            "judgement": judged["said"]["judgement"] if judged else None,
            "verdict": judged["said"]["verdict"] if judged else None,
            "sources": ["media/" + content["item"], *ids, *([judged["said"]["judgement"]] if judged else [])],
        }  # fmt: skip


def _covering(content: Row, judged: list[Row], radius: int) -> Row | None:
    """The judged content that decides for this one: itself, or the first that it is near to."""
    if content["said"]:
        return content
    return next((j for j in judged if j["leads"] or content["leads"] or _near(content, j, radius)), None)


def _near(one: Row, other: Row, radius: int) -> bool:
    """Members of a group are near its leader; whether they are near each other is seen here. Films only by leaders."""
    if not one["pdq"] or not other["pdq"]:
        return False
    return (int(one["pdq"], 16) ^ int(other["pdq"], 16)).bit_count() <= radius
