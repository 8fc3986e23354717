"""What people decided of media, as it goes out: a category in a named dialect, or words alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casewright.engine.query import Reader

JUDGED = """
SELECT i.sha256, j.link, j.verdict, j.category, j.dialect, j.examiner, j.why FROM judgements j
JOIN items i ON j.link = 'media/' || i.item WHERE j.stands ORDER BY i.sha256, j.judgement
"""


@dataclass(frozen=True)
class Decision:
    """Somebody's decision on all copies of a content. `category` counts in its `dialect` only: the same code means
    opposite things in two of them."""

    sha256: str
    category: str | None
    dialect: str | None
    examiner: str
    why: str
    verdict: str = "decided"
    time: str | None = None
    """When, as the ledger says: RFC 3339, UTC."""


Decisions = Mapping[str, Decision]
"""By SHA-256 of the content."""


def by_content(decisions: Iterable[Decision]) -> Decisions:
    """The last decision on each content."""
    return {one.sha256: one for one in decisions}


def judged_media(reader: Reader, times: Mapping[str, str]) -> Decisions:
    """Standing judgements on media, the last one on each content. `times`: when the ledger says that each medium was
    judged, by its id. A verdict without a category goes out in words alone."""
    rows = sorted(reader.rows(JUDGED), key=lambda row: times[row["link"]])
    return by_content(
        Decision(row["sha256"], row["category"], row["dialect"], row["examiner"], row["why"],
                 f"judged {row['verdict']}", times[row["link"]]) for row in rows
    )  # fmt: skip
