"""The ledger's lines that a package quotes: the sealing of evidence, and judgements of whom it tells about.

Judgements of other people, and the files in which only other people stand, are left out: their words name them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from casewright.engine.query import Reader
from casewright.refer.sheet import METHOD, PERSONS
from casewright.refer.writers.grid import Figures

UNSAID = ("key", "exclusion", "deconfliction", "receipt", "case")
"""Roles of exhibits whose digest alone is enough to try passphrases or selectors against; and what others answered."""
PAPERS = "SELECT DISTINCT exhibit FROM persons WHERE person IN (SELECT unnest($ids))"


@dataclass(frozen=True)
class Quotable:
    """Lines of the ledger, read once: each with the link that it judges, or the exhibit of a paper that it seals."""

    judged: dict[str, list[tuple[int, str]]]
    papers: dict[str, list[tuple[int, str]]]
    others: list[tuple[int, str, str]]
    """Further lines, with the exhibit that each seals."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Quotable":
        judged: dict[str, list[tuple[int, str]]] = {}
        papers: dict[str, list[tuple[int, str]]] = {}
        others: list[tuple[int, str, str]] = []
        for number, line in enumerate(lines):
            event = json.loads(line)
            about = event["data"]
            if event["kind"] == "judgement":
                judged.setdefault(about["link"], []).append((number, line))
            elif about.get("role") in ("return", "prior"):
                papers.setdefault(about["exhibit"], []).append((number, line))
            elif about.get("role") not in UNSAID:
                others.append((number, line, about.get("exhibit", "")))
        return cls(judged, papers, others)

    def lines(self, figures: Figures, reader: Reader) -> list[str]:
        """Those that this package may hold, unchanged, in the order of the ledger. What is withheld tells of nobody."""
        told = {s for f in figures.listed if f.section == PERSONS and not f.withheld for s in f.sources}
        theirs = [row["exhibit"] for row in reader.rows(PAPERS, {"ids": sorted(self._resting(figures))})]
        away = {f.subject for f in figures.listed if f.section == METHOD and f.withheld}
        found = [(number, line) for number, line, exhibit in self.others if exhibit not in away]
        found += [*(one for link in told for one in self.judged.get(link, []))]
        found += [one for exhibit in theirs for one in self.papers.get(exhibit, [])]
        return [line for _, line in sorted(found)]

    @staticmethod
    def _resting(figures: Figures) -> set[str]:
        return {s for f in figures.listed if not f.withheld for s in f.sources}
