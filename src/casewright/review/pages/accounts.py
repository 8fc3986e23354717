"""Accounts: all of them, and the story of one on one page."""

from typing import Any

from casewright.link.flags import INDICATORS
from casewright.model.errors import Missing
from casewright.review.page import Ask, Page
from casewright.review.pages.hits import OF_ACCOUNT

ORDERS = {"paid": "by_paid", "name": "by_name", "registered": "by_registered", "uploads": "by_uploads"}
COLUMNS = "account, username, email, registered_at, origin, payments, sats, uploads, countries, priority, hits"
LISTED = f"SELECT {COLUMNS} FROM listed_accounts"  # noqa: S608  ours
LIKE = "contains(said, lower($q))"
NUMBERED = """
SELECT account FROM listed_accounts WHERE account = $q UNION SELECT account FROM listed_accounts WHERE native = $q
"""
MOST = 200
"""Rows of one kind on an account's page; more are counted."""
ONE = "SELECT * FROM accounts WHERE account = $account"
FORMER = 'SELECT * FROM former_values WHERE account = $account ORDER BY "column", item, span_start, id'
PAYMENTS = f"""
SELECT p.*, (SELECT string_agg(DISTINCT s.service || ' (' || s.confidence || ')', ', ') FROM services s
             WHERE s.payment = p.payment AND s.direction = 'back') AS came_from,
       (SELECT min(state) FROM reconciled r WHERE r.payment = p.payment) AS booked
FROM (SELECT * FROM payments WHERE account = $account ORDER BY time, txid, vout LIMIT {MOST}) p
ORDER BY time, txid, vout
"""  # noqa: S608  ours
ADDRESSES = f"SELECT * FROM deposit_addresses WHERE account = $account ORDER BY created_at, address, id LIMIT {MOST}"  # noqa: S608
STORY = """
SELECT * FROM (
    SELECT time, 'payment' AS what, payment AS id, address AS detail, sats, NULL AS ip FROM payments
    WHERE account = $account
    UNION ALL SELECT time, 'upload', upload, reference, NULL, ip FROM uploads WHERE account = $account
    UNION ALL SELECT time, 'download', download, reference, NULL, ip FROM downloads WHERE account = $account
    UNION ALL SELECT started_at, 'session', session, agent, NULL, ip FROM sessions WHERE account = $account
    UNION ALL SELECT time, 'sign-in', login, agent, NULL, ip FROM logins WHERE account = $account
    UNION ALL SELECT registered_at, 'registered', account, NULL, NULL, registered_ip FROM accounts
    WHERE account = $account AND registered_at IS NOT NULL
) t ORDER BY time DESC NULLS LAST, what, id
"""
MONTHS = """
SELECT strftime(time, '%Y-%m') AS month, count(*) FILTER (what = 'payment') AS payments,
       count(*) FILTER (what = 'upload') AS uploads, count(*) FILTER (what IN ('session', 'sign-in')) AS "sign-ins"
FROM ({story}) s WHERE time IS NOT NULL GROUP BY month ORDER BY month
"""
PERSONS = f"""
SELECT l.link, l.reason, l.against, p.person, p.full_name, p.born, p.email, p.phone, p.country, p.reference
FROM links l JOIN persons p ON p.person = l.to_id
WHERE l.from_id = $account AND l.kind = 'account-person' ORDER BY p.full_name, l.link LIMIT {MOST}
"""  # noqa: S608
MEDIA = f"""
SELECT l.link, l.to_id AS item, l.reason, l.against, w.state, w.rank, w.work_group FROM links l
LEFT JOIN worklist w ON w.item = l.to_id
WHERE l.from_id = $account AND l.kind = 'account-media' ORDER BY w.rank NULLS LAST, l.to_id LIMIT {MOST}
"""  # noqa: S608
COUNTS = """
SELECT (SELECT count(*) FROM payments WHERE account = $account) AS payments,
       (SELECT count(*) FROM deposit_addresses WHERE account = $account) AS addresses,
       (SELECT count(*) FROM links WHERE from_id = $account AND kind = 'account-media') AS media,
       (SELECT count(*) FROM links WHERE from_id = $account AND kind = 'account-person') AS persons
"""
LADDER = """
SELECT r.*, p.full_name FROM ladder r LEFT JOIN persons p USING (person)
WHERE r.account = $account ORDER BY r.person NULLS FIRST, r.step, r.id
"""
PLACES = """
SELECT * FROM jurisdictions WHERE account = $account AND kind <> 'none' ORDER BY routes DESC, country, kind, id
"""
REFERRALS = "SELECT * FROM referrals WHERE account = $account ORDER BY country, referral"
KINDS = {"": "everything", "payment": "payments", "upload": "uploads", "download": "downloads",
         "session": "sessions", "sign-in": "sign-ins"}  # fmt: skip


def listed(ask: Ask) -> dict[str, Any]:
    order = ask.choice("order", ORDERS, "paid")
    q = ask.text("q")
    by_number = ask.rows(NUMBERED, {"q": q}) if q else []
    like = f"({LIKE} OR account IN ({NUMBERED}))" if by_number else LIKE
    found = ask.listed(LISTED, ORDERS[order], like if q else "", {"q": q})
    return {"q": q, "order": order, "orders": list(ORDERS), "accounts": found._asdict()}


def one(ask: Ask) -> dict[str, Any]:
    bind = {"account": ask.path["account"]}
    found = ask.rows(ONE, bind)
    if not found:
        raise Missing("There is no such account in this case.")
    kind = ask.choice("kind", KINDS, "")
    story = f"SELECT * FROM ({STORY}) s WHERE $kind = '' OR what = $kind ORDER BY time DESC NULLS LAST, what, id"  # noqa: S608
    persons = ask.rows(PERSONS, bind)
    return {
        "account": found[0], "former": ask.rows(FORMER, bind), "payments": ask.rows(PAYMENTS, bind),
        "addresses": ask.rows(ADDRESSES, bind), "kind": kind, "kinds": KINDS,
        "counts": ask.rows(COUNTS, bind)[0], "most": MOST, "hits": ask.rows(OF_ACCOUNT, bind),
        "story": ask.slice(story, {**bind, "kind": kind})._asdict(),
        "months": ask.rows(MONTHS.format(story=STORY), bind),
        "persons": [{**p, "decided": ask.desk.journal.of(p["link"])} for p in persons],
        "media": ask.rows(MEDIA, bind), "referrals": ask.rows(REFERRALS, bind),
        "ladder": ask.rows(LADDER, bind), "places": ask.rows(PLACES, bind), "flags": _flags(ask, persons),
        "indicators": INDICATORS, "noted": ask.desk.journal.notes().get(bind["account"], []),
    }  # fmt: skip


def _flags(ask: Ask, persons: list[dict[str, Any]]) -> list[Any]:
    """What analysts flagged of the account, or of whom records name for it."""
    subjects = {ask.path["account"], *(p["person"] for p in persons)}
    return [flag for flag in ask.desk.journal.flags() if flag["subject"] in subjects]


PAGES = (
    Page("/accounts", "accounts.html", listed, "accounts"),
    Page("/accounts/{account}", "account.html", one, "accounts"),
)
