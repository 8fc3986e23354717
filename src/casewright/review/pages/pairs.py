"""Identity pairs: two records that may be one person, one pair a page, one key a verdict."""

from typing import Any

from casewright.link.judge import VERDICTS
from casewright.model.errors import Missing
from casewright.review.page import PER_PAGE, Ask, Page

KINDS = ("account-person", "person-prior", "person-person")
LISTED = """
SELECT l.link, l.kind, l.reason, l.against,
       coalesce(a.username, a.account, c.full_name || ' (' || c.reference || ')') AS "left",
       p.full_name || ' (' || coalesce(p.reference, '') || ')' AS "right"
FROM links l
LEFT JOIN accounts a ON a.account = l.from_id LEFT JOIN persons c ON c.person = l.from_id
LEFT JOIN persons p ON p.person = l.to_id
WHERE list_contains($kinds, l.kind) ORDER BY l.reason LIKE 'strong%' OR l.reason LIKE 'direct%' DESC, l.kind, l.link
"""
ONE = "SELECT * FROM links WHERE link = $link AND list_contains($kinds, kind)"
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
SHOWN = {"open": "to decide", "unsure": "unsure", "decided": "decided", "all": "all"}


def listed(ask: Ask) -> dict[str, Any]:
    shown = ask.choice("shown", SHOWN, "open")
    standing = ask.desk.journal.standing()
    rows = [{**row, "decided": standing.get(row["link"])} for row in ask.rows(LISTED, {"kinds": list(KINDS)})]
    kept = [row for row in rows if _shown(shown, row)]
    counts = {name: sum(_shown(name, row) for row in rows) for name in SHOWN}
    first, behind = (ask.number - 1) * PER_PAGE, ask.number * PER_PAGE
    return {"pairs": kept[first:behind], "more": len(kept) > behind, "page": ask.number, "shown": shown,
            "counts": counts, "names": SHOWN}  # fmt: skip


def _shown(shown: str, row: dict[str, Any]) -> bool:
    verdict = row["decided"].verdict if row["decided"] else "open"
    return {"open": verdict == "open", "unsure": verdict == "unsure", "all": True}.get(
        shown, verdict in ("positive", "negative")
    )


def next_open(ask: Ask) -> str | None:
    """The link of the next pair that nobody decided."""
    standing = ask.desk.journal.standing()
    rows = ask.rows(LISTED, {"kinds": list(KINDS)})
    return next((row["link"] for row in rows if row["link"] not in standing), None)


def one(ask: Ask) -> dict[str, Any]:
    found = ask.rows(ONE, {"link": ask.path["link"], "kinds": list(KINDS)})
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
    decided = ask.desk.journal.of(link["link"])
    steps = ask.rows(WATERFALL, {"link": link["link"]})
    return {
        "pair": link,
        "fields": fields,
        "steps": steps,
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
