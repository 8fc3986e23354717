"""What goes to which country: a look at it before it is sealed, and whether what was sealed still holds."""

from typing import Any

from casewright.model.errors import Missing
from casewright.refer.verify import is_package, verify_package
from casewright.review.page import Ask, Page

LISTED = """
SELECT country, count(*) AS referrals, count(DISTINCT account) AS accounts, count(DISTINCT person) AS persons,
       min(priority) AS priority FROM referrals GROUP BY country ORDER BY priority, referrals DESC, country
"""
SUBJECTS = """
SELECT r.referral, r.account, r.person, r.priority, r.reason, a.username, p.full_name FROM referrals r
LEFT JOIN accounts a USING (account) LEFT JOIN persons p USING (person)
WHERE r.country = $country ORDER BY r.priority, a.username, r.referral
"""
FIRST = "SELECT * FROM figures WHERE country = $country AND section = 'summary' ORDER BY position"
SECTIONS = """
SELECT section, count(*) AS figures, count(DISTINCT subject) AS subjects, min(position) AS position FROM figures
WHERE country = $country GROUP BY section ORDER BY position
"""


def _sealed(ask: Ask) -> dict[str, dict[str, Any]]:
    """The last sealing of each country's package, as the ledger says."""
    found = ask.desk.journal.sealed()
    return {country: {"time": e.time, "line": e.seq + 1, **e.data} for country, e in found.items()}


def listed(ask: Ask) -> dict[str, Any]:
    sealed = _sealed(ask)
    rows = [{**row, "sealed": sealed.get(row["country"])} for row in ask.rows(LISTED)]
    return {"packages": rows, "job": ask.desk.job.said, "may_seal": ask.visitor.may("seal")}


def one(ask: Ask) -> dict[str, Any]:
    country = ask.path["country"]
    bind = {"country": country}
    sections = ask.rows(SECTIONS, bind)
    if not sections:
        raise Missing(f"No referral of this case goes to {country}.")
    bag, checks = ask.desk.case.packages / country, []
    if ask.text("verify") and is_package(bag):
        checks = list(verify_package(bag, ask.desk.case.settings.seal.public_key))
    return {"country": country, "sections": sections, "first": ask.rows(FIRST, bind),
            "subjects": ask.slice(SUBJECTS, bind)._asdict(), "sealed": _sealed(ask).get(country), "checks": checks,
            "written": is_package(bag), "job": ask.desk.job.said, "may_seal": ask.visitor.may("seal")}  # fmt: skip


PAGES = (
    Page("/packages", "packages.html", listed, "packages"),
    Page("/packages/{country}", "package.html", one, "packages"),
)
