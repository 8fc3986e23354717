"""What came in, what became of it, and how far the case is."""

from typing import Any

from casewright.review.page import Ask, Page

EXHIBITS = "SELECT role, name, form, size, files, exhibit FROM exhibits ORDER BY role, name, exhibit"
TALLIES = "SELECT stage || '/' || noun AS id, * FROM tallies ORDER BY stage, noun"
ASIDE = "SELECT * FROM counted_aside ORDER BY stage, noun, reason"
COUNTRIES = "SELECT * FROM counted_countries ORDER BY priority, referrals DESC, country"
HITS = """
SELECT peer, count(*) AS hits, count(DISTINCT account) AS accounts FROM listed_hits GROUP BY peer
ORDER BY hits DESC, peer
"""
MONTHS = "SELECT * FROM counted_months ORDER BY month"
FUNNEL = "SELECT name, n FROM funnel ORDER BY place"


def find(ask: Ask) -> dict[str, Any]:
    funnel = {row["name"]: row["n"] for row in ask.rows(FUNNEL)}
    people, media = ask.desk.journal.counts()
    return {
        "exhibits": ask.rows(EXHIBITS), "tallies": ask.rows(TALLIES), "set_aside": ask.rows(ASIDE), "funnel": funnel,
        "countries": ask.rows(COUNTRIES), "months": ask.rows(MONTHS),
        "hits": ask.rows(HITS), "decided": {"identities": people, "media": media},
    }  # fmt: skip


PAGES = (Page("/overview", "overview.html", find, "overview"),)
