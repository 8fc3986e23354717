"""What goes to which country: a look at it before it is sealed, and whether what was sealed still holds."""

from typing import Any

from casewright.model.errors import Missing
from casewright.review.page import Ask, Page

LISTED = "SELECT * FROM counted_countries ORDER BY priority, referrals DESC, country"
SUBJECTS = "SELECT * FROM listed_subjects WHERE country = $country AND place BETWEEN $first AND $last ORDER BY place"
FIRST = "SELECT * FROM first_figures WHERE country = $country ORDER BY position"
SECTIONS = "SELECT * FROM figure_sections WHERE country = $country ORDER BY position"


def _sealed(ask: Ask) -> dict[str, dict[str, Any]]:
    """The last sealing of each country's package, as the ledger says."""
    found = ask.desk.journal.sealed()
    return {country: {"time": e.time, "line": e.seq + 1, **e.data} for country, e in found.items()}


def listed(ask: Ask) -> dict[str, Any]:
    sealed = _sealed(ask)
    rows = [{**row, "sealed": sealed.get(row["country"])} for row in ask.rows(LISTED)]
    return {"packages": rows, "job": ask.desk.job.said, "may_seal": ask.visitor.may("seal")}


def one(ask: Ask) -> dict[str, Any]:
    from casewright.refer.verify import is_package, verify_package  # noqa: PLC0415  slow to import

    country = ask.path["country"]
    bind = {"country": country}
    sections = ask.rows(SECTIONS, bind)
    if not sections:
        raise Missing(f"No referral of this case goes to {country}.")
    bag, checks = ask.desk.case.packages / country, []
    if ask.text("verify") and is_package(bag):
        checks = list(verify_package(bag, ask.desk.case.settings.seal.public_key))
    return {"country": country, "sections": sections, "first": ask.rows(FIRST, bind),
            "subjects": ask.numbered(SUBJECTS, bind)._asdict(), "sealed": _sealed(ask).get(country), "checks": checks,
            "written": is_package(bag), "job": ask.desk.job.said, "may_seal": ask.visitor.may("seal")}  # fmt: skip


PAGES = (
    Page("/packages", "packages.html", listed, "packages"),
    Page("/packages/{country}", "package.html", one, "packages"),
)
