"""What came in, what became of it, and how far the case is."""

from typing import Any

from casewright.refer.funnel import FUNNEL
from casewright.review.page import Ask, Page

EXHIBITS = "SELECT role, name, form, size, files, exhibit FROM exhibits ORDER BY role, name, exhibit"
TALLIES = "SELECT stage || '/' || noun AS id, * FROM tallies ORDER BY stage, noun"
ASIDE = """
SELECT stage, noun, reason, sum(count)::BIGINT AS count, min(detail) AS example, min(id) AS id FROM set_aside
GROUP BY stage, noun, reason ORDER BY stage, noun, reason
"""
COUNTRIES = """
SELECT country, count(*) AS referrals, count(person) AS persons, min(priority) AS priority FROM referrals
GROUP BY country ORDER BY priority, referrals DESC, country
"""
MONTHS = """
SELECT strftime(time, '%Y-%m') AS month, sum(paid)::BIGINT AS payments, sum(put)::BIGINT AS uploads,
       sum(signed)::BIGINT AS "sign-ins"
FROM (SELECT time, 1 AS paid, 0 AS put, 0 AS signed FROM payments
      UNION ALL SELECT time, 0, 1, 0 FROM uploads UNION ALL SELECT time, 0, 0, 1 FROM logins) t
WHERE time IS NOT NULL GROUP BY month ORDER BY month
"""


def find(ask: Ask) -> dict[str, Any]:
    with ask.desk.reading() as reader:
        funnel = {name: reader.rows(sql)[0]["n"] for name, sql in FUNNEL.items()}
    decided = ask.desk.journal.standing()
    people = sum(not subject.startswith("media/") for subject in decided)
    return {
        "exhibits": ask.rows(EXHIBITS), "tallies": ask.rows(TALLIES), "set_aside": ask.rows(ASIDE), "funnel": funnel,
        "countries": ask.rows(COUNTRIES), "months": ask.rows(MONTHS),
        "decided": {"identities": people, "media": len(decided) - people},
    }  # fmt: skip


PAGES = (Page("/overview", "overview.html", find, "overview"),)
