"""Identity pairs: two records that may be one person, one pair a page, one key a verdict."""

from typing import Any

from casewright.link.judge import VERDICTS
from casewright.model.errors import Missing
from casewright.review.page import Ask, Page
from casewright.review.pages.hits import OF_ACCOUNT

LISTED = """
SELECT p.link, p.kind, p.reason, p.against, p."left", p."right" FROM listed_pairs p
LEFT JOIN standing s ON s.subject = p.link WHERE {shown} ORDER BY p.place
"""
COUNTS = """
SELECT count(*) AS decided, count(*) FILTER (s.verdict = 'unsure') AS unsure FROM standing s
JOIN listed_pairs p ON p.link = s.subject
"""
ALL = "SELECT coalesce(max(place), 0) AS n FROM listed_pairs"
ONE = "SELECT * FROM links WHERE link = $link AND from_id = (SELECT from_id FROM listed_pairs WHERE link = $link)"
ACCOUNT = """
SELECT username AS "name", NULL AS born, email, NULL AS phone, NULL AS country, 'account ' || native AS reference,
       NULL AS note, account AS id FROM accounts WHERE account = $id
"""
PERSON = """
SELECT full_name AS "name", born, email, phone, country, reference, note, person AS id FROM persons WHERE person = $id
"""
COMPARED = ("name", "born", "email", "phone", "country")
"""Of two identity records; an account's name is not meant to be a person's."""
WATERFALL = """
SELECT s.probability, s.weight, w.* FROM suggestions s JOIN suggestion_reasons w USING (suggestion)
WHERE s.link = $link ORDER BY w.number
"""
FIELDS = ("name", "born", "email", "phone", "country", "reference", "note")
WHICH = {"open": "s.verdict IS NULL", "unsure": "s.verdict = 'unsure'",
         "decided": "s.verdict IN ('positive', 'negative')", "all": "true"}  # fmt: skip
SHOWN = {"open": "to decide", "unsure": "unsure", "decided": "decided", "all": "all"}


def listed(ask: Ask) -> dict[str, Any]:
    shown = ask.choice("shown", SHOWN, "open")
    found = ask.slice(LISTED.format(shown=WHICH[shown]))
    rows = [{**row, "decided": ask.desk.journal.standing(row["link"])} for row in found.rows]
    return {"pairs": rows, "more": found.more, "page": found.page, "shown": shown, "counts": _counts(ask),
            "names": SHOWN}  # fmt: skip


def _counts(ask: Ask) -> dict[str, int]:
    all_of_them, known = ask.rows(ALL)[0]["n"], ask.rows(COUNTS)[0]
    return {"open": all_of_them - known["decided"], "unsure": known["unsure"],
            "decided": known["decided"] - known["unsure"], "all": all_of_them}  # fmt: skip


def next_open(ask: Ask) -> str | None:
    """The link of the next pair that nobody decided."""
    found = ask.rows(f"{LISTED.format(shown=WHICH['open'])} LIMIT 1")
    return found[0]["link"] if found else None


def one(ask: Ask) -> dict[str, Any]:
    found = ask.rows(ONE, {"link": ask.path["link"]})
    if not found:
        raise Missing("There is no such pair in this case.")
    link = found[0]
    left = ask.rows(ACCOUNT if link["kind"].startswith("account") else PERSON, {"id": link["from_id"]})
    right = ask.rows(PERSON, {"id": link["to_id"]})
    sides = [side[0] if side else dict.fromkeys((*FIELDS, "id")) for side in (left, right)]
    held = COMPARED if link["kind"].startswith("person") else ("email",)
    fields = [{"field": f, "left": sides[0][f], "right": sides[1][f],
               "same": _same(sides[0][f], sides[1][f]) if f in held else None}
              for f in FIELDS if sides[0][f] or sides[1][f]]  # fmt: skip
    hits = ask.rows(OF_ACCOUNT, {"account": link["from_id"]}) if link["kind"].startswith("account") else []
    decided = ask.desk.journal.of(link["link"])
    steps = ask.rows(WATERFALL, {"link": link["link"]})
    return {
        "pair": link,
        "fields": fields,
        "steps": steps,
        "hits": hits,
        "decided": decided,
        "verdicts": list(VERDICTS),
        "next": next_open(ask),
    }


def _same(one: str | None, other: str | None) -> bool | None:
    """Whether both say the same; None where one says nothing."""
    return one.strip().casefold() == other.strip().casefold() if one and other else None


PAGES = (
    Page("/pairs", "pairs.html", listed, "pairs"),
    Page("/pairs/{link}", "pair.html", one, "pairs"),
)
