"""What people decided of media, as it goes out: a category in a named dialect, or words alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casewright.engine.query import Reader

JUDGED = """
SELECT i.sha256, j.verdict, j.category, j.dialect, j.examiner, j.why FROM judgements j
JOIN items i ON j.link = 'media/' || i.item OR j.link = i.item WHERE j.stands ORDER BY i.sha256, j.judgement
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


def judged_media(reader: Reader) -> Decisions:
    """Standing judgements on media. A verdict is no category: one without a category is words alone."""
    return by_content(
        Decision(
            row["sha256"], row["category"], row["dialect"], row["examiner"], row["why"], f"judged {row['verdict']}"
        )
        for row in reader.rows(JUDGED)
    )
