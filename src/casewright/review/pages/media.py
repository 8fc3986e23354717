"""Media that need a human: groups, not items, and words before pictures."""

from typing import Any

from casewright.link.judge import VERDICTS
from casewright.media.preview import SIDES
from casewright.model.errors import Missing
from casewright.review.page import Ask, Page

STATES = {"": "all", "new": "on no list", "near": "near a list", "known": "on a list"}
OPEN = """
SELECT w.rank, w.item, w.state, w.reason, w.work_group, g.items, m.kind, m.width, m.height, m.seconds, i.size
FROM worklist w JOIN media m USING (item) JOIN items i USING (item)
JOIN (SELECT work_group, sum(items)::BIGINT AS items FROM worklist GROUP BY work_group) g USING (work_group)
WHERE w.opens AND w.judgement IS NULL AND ($state = '' OR w.state = $state)
  AND w.work_group NOT IN (SELECT work_group FROM worklist WHERE list_contains($decided, item))
ORDER BY w.rank, w.item
"""
COUNTS = """
SELECT state, count(*) FILTER (opens AND judgement IS NULL) AS open, count(*) AS contents, sum(items)::BIGINT AS items
FROM worklist GROUP BY state ORDER BY state
"""
ONE = """
SELECT m.*, i.name, i.size, i.sha256, i.sha1, i.md5, i.mime, i.deleted, i.exhibit, w.rank, w.state, w.reason,
       w.work_group, w.items, w.verdict
FROM media m JOIN items i USING (item) LEFT JOIN worklist w USING (item) WHERE m.item = $item
"""
COVERED = """
SELECT w.item, w.state, w.opens, w.items, m.kind, m.width, m.height, i.size, i.name FROM worklist w
JOIN media m USING (item) JOIN items i USING (item)
WHERE w.work_group = $group ORDER BY w.opens DESC, w.item LIMIT 200
"""
GROUPS = """
SELECT g.media_group, g.kind, g.reason, g.distance, g.leads, n.members FROM media_groups g
JOIN (SELECT media_group, count(*) AS members FROM media_groups GROUP BY media_group) n USING (media_group)
WHERE g.item = $item ORDER BY g.kind, g.media_group
"""
MATCHES = "SELECT * FROM media_matches WHERE item = $item ORDER BY distance, list, entry, match_id LIMIT 100"
TRACES = "SELECT * FROM media_traces WHERE item = $item ORDER BY kind, value, id LIMIT 100"
UPLOADS = """
SELECT u.*, a.username FROM uploaded_media u LEFT JOIN accounts a USING (account) WHERE u.item = $item
ORDER BY u.time, u.id LIMIT 200
"""
OUTCOME = """
SELECT count(DISTINCT r.referral) AS referrals, count(DISTINCT r.country) AS countries FROM referrals r
JOIN links l ON l.from_id = r.account AND l.kind = 'account-media' WHERE list_contains($items, l.to_id)
"""


def _decided(ask: Ask) -> list[str]:
    """Media that were decided; the worklist may not know of the latest yet. Unsure ones stay to be looked at."""
    standing = ask.desk.journal.standing().values()
    media = (d for d in standing if d.subject.startswith("media/") and d.verdict != "unsure")
    return [d.subject.removeprefix("media/") for d in media]


def listed(ask: Ask) -> dict[str, Any]:
    state, decided = ask.choice("state", STATES, ""), _decided(ask)
    found = ask.slice(OPEN, {"state": state, "decided": decided})
    outcome = ask.rows(OUTCOME, {"items": decided})[0]
    return {"media": found._asdict(), "state": state, "states": STATES, "counts": ask.rows(COUNTS),
            "decided": len(decided), "outcome": outcome, "opened_today": ask.desk.exposure.today,
            "limit": ask.desk.exposure.limits.a_day}  # fmt: skip


def next_open(ask: Ask) -> str | None:
    found = ask.rows(f"{OPEN} LIMIT 1", {"state": "", "decided": _decided(ask)})
    return found[0]["item"] if found else None


def one(ask: Ask) -> dict[str, Any]:
    bind = {"item": ask.path["item"]}
    found = ask.rows(ONE, bind)
    if not found:
        raise Missing("There is no such medium in this case.")
    medium = found[0]
    return {
        "medium": medium, "covered": ask.rows(COVERED, {"group": medium["work_group"]}),
        "groups": ask.rows(GROUPS, bind), "matches": ask.rows(MATCHES, bind), "traces": ask.rows(TRACES, bind),
        "uploads": ask.rows(UPLOADS, bind), "decided": ask.desk.journal.of(f"media/{medium['item']}"),
        "verdicts": list(VERDICTS), "next": next_open(ask), "sides": SIDES, "opened_today": ask.desk.exposure.today,
        "limit": ask.desk.exposure.limits.a_day,
    }  # fmt: skip


PAGES = (
    Page("/media", "media.html", listed, "media"),
    Page("/media/{item}", "medium.html", one, "media"),
)
