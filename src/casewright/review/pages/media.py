"""Media that need a human: groups, not items, and words before pictures."""

from typing import Any

from casewright.link.judge import VERDICTS
from casewright.media.stills import SIDES
from casewright.model.errors import Missing
from casewright.review.page import Ask, Page

STATES = {"": "all", "new": "on no list", "near": "near a list", "known": "on a list"}
OPEN = """
SELECT * FROM listed_media WHERE ($state = '' OR state = $state)
  AND work_group NOT IN (SELECT work_group FROM standing WHERE work_group IS NOT NULL AND verdict <> 'unsure')
ORDER BY rank, item
"""
"""Media that were decided lately are left out; the worklist may not know of them yet. Unsure ones stay."""
COUNTS = "SELECT * FROM counted_media ORDER BY state"
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
WITH mine AS (SELECT * FROM media_groups WHERE item = $item)
SELECT g.media_group, g.kind, g.reason, g.distance, g.leads, n.members FROM mine g
JOIN (SELECT media_group, count(*) AS members FROM media_groups
      WHERE media_group IN (SELECT media_group FROM mine) GROUP BY media_group) n USING (media_group)
ORDER BY g.kind, g.media_group
"""
MATCHES = "SELECT * FROM media_matches WHERE item = $item ORDER BY distance, list, entry, match_id LIMIT 100"
TRACES = "SELECT * FROM media_traces WHERE item = $item ORDER BY kind, value, id LIMIT 100"
UPLOADS = """
SELECT u.*, a.username FROM uploaded_media u LEFT JOIN accounts a USING (account) WHERE u.item = $item
ORDER BY u.time, u.id LIMIT 200
"""
OUTCOME = """
WITH decided AS (SELECT item, verdict FROM standing WHERE item IS NOT NULL AND verdict <> 'unsure'),
led AS (SELECT DISTINCT r.referral, r.country FROM decided JOIN referred_media r USING (item))
SELECT (SELECT count(*) FROM decided) AS decided, (SELECT count(*) FROM decided WHERE verdict = 'positive') AS positive,
       (SELECT count(*) FROM led) AS referrals, (SELECT count(DISTINCT country) FROM led) AS countries
"""


def listed(ask: Ask) -> dict[str, Any]:
    state, exposure = ask.choice("state", STATES, ""), ask.desk.exposure_of(ask.visitor)
    return {"media": ask.slice(OPEN, {"state": state})._asdict(), "state": state, "states": STATES,
            "counts": ask.rows(COUNTS), "outcome": ask.rows(OUTCOME)[0], "opened_today": exposure.today,
            "limit": exposure.limits.a_day}  # fmt: skip


def next_open(ask: Ask) -> str | None:
    found = ask.rows(f"{OPEN} LIMIT 1", {"state": ""})
    return found[0]["item"] if found else None


def one(ask: Ask) -> dict[str, Any]:
    bind = {"item": ask.path["item"]}
    found = ask.rows(ONE, bind)
    if not found:
        raise Missing("There is no such medium in this case.")
    medium, exposure = found[0], ask.desk.exposure_of(ask.visitor)
    return {
        "medium": medium, "covered": ask.rows(COVERED, {"group": medium["work_group"]}),
        "groups": ask.rows(GROUPS, bind), "matches": ask.rows(MATCHES, bind), "traces": ask.rows(TRACES, bind),
        "uploads": ask.rows(UPLOADS, bind), "decided": ask.desk.journal.of(f"media/{medium['item']}"),
        "verdicts": list(VERDICTS), "next": next_open(ask), "sides": SIDES, "opened_today": exposure.today,
        "limit": exposure.limits.a_day,
    }  # fmt: skip


PAGES = (
    Page("/media", "media.html", listed, "media"),
    Page("/media/{item}", "medium.html", one, "media"),
)
