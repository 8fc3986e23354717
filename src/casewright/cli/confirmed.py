"""What `status` says of packages and notices once they are sealed: who has not confirmed, and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from casewright.cli.console import Voice
from casewright.engine.query import Reader
from casewright.vault.case import Case

PACKAGES = """
WITH confirmed AS (
    SELECT tagmanifest, max_by(received_by, number) AS received_by, max_by(received_on, number) AS received_on,
           bool_or(signed_by IS NULL) AS unsigned,
           bool_or(signature_verified IS FALSE OR files_verified IS FALSE) AS failed
    FROM receipts GROUP BY tagmanifest
),
last AS (SELECT country, max(number) AS number FROM sealed_packages WHERE kind = 'referral' GROUP BY country)
SELECT p.tagmanifest, p.kind, p.country, p.package, p.number, p.recipients, p.sent_on, p.recall,
       c.received_by, c.received_on, coalesce(c.unsigned, false) AS unsigned, coalesce(c.failed, false) AS failed,
       c.tagmanifest IS NOT NULL AS confirmed, p.number IS NOT DISTINCT FROM l.number AS latest
FROM sealed_packages p LEFT JOIN confirmed c USING (tagmanifest)
LEFT JOIN last l ON l.country = p.country
WHERE p.kind = 'recall' OR p.number = l.number OR p.sent_on IS NOT NULL OR len(p.recipients) > 0
      OR c.tagmanifest IS NOT NULL
ORDER BY p.country, p.kind DESC, p.number
"""
OUTCOMES = """
SELECT country, outcome, count(*) AS items FROM outcomes WHERE stands GROUP BY ALL ORDER BY ALL
"""


def found_packages(case: Case, reader: Reader) -> dict[str, list[dict[str, Any]]]:
    """The last package for each country, earlier ones that went out or were confirmed, and every notice of a recall."""
    days: dict[str, str] = {}
    for event in case.ledger.events("package sealed"):
        days.setdefault(event.data["tagmanifest"], event.time[:10])
    packages = [{**row, "sealed_on": days.get(row["tagmanifest"])} for row in reader.rows(PACKAGES)]
    return {"packages": packages, "outcomes": reader.rows(OUTCOMES)}


def tell_packages(voice: Voice, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    rows = [
        [p["package"], p["kind"] if p["latest"] or p["recall"] else f"{p['kind']}, an earlier one", p["sealed_on"],
         _sent(p), _confirmed(p)] for p in found["packages"]
    ]  # fmt: skip
    if rows:
        voice.table(["package", "", "sealed", "sent", "confirmed"], rows, title="Packages and notices")
        voice.say("")
    if outcomes := found["outcomes"]:
        rows = [[o["country"], o["outcome"], o["items"]] for o in outcomes]
        voice.table(["country", "outcome", "items"], rows, title="What became of them, as receipts say")
        voice.say("")


def _sent(package: Mapping[str, Any]) -> str:
    if package["sent_on"]:
        return str(package["sent_on"])
    return "encrypted" if package["recipients"] else "no sending recorded"


def _confirmed(package: Mapping[str, Any]) -> str:
    if not package["confirmed"]:
        return "NOT CONFIRMED"
    more = "; TAKEN WITHOUT A SIGNATURE" if package["unsigned"] else ""
    more += "; THEY COULD NOT VERIFY IT" if package["failed"] else ""
    return f"by {package['received_by']}, {package['received_on']}{more}"
