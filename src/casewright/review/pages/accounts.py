"""Accounts: all of them, and the story of one on one page."""

from typing import Any

from casewright.engine.query import among
from casewright.link.flags import INDICATORS
from casewright.model.errors import Missing, UsageError
from casewright.review.page import Ask, Page
from casewright.review.pages.hits import OF_ACCOUNT

ORDERS = {"paid": "by_paid", "name": "by_name", "registered": "by_registered", "uploads": "by_uploads"}
COLUMNS = "account, username, email, registered_at, origin, payments, sats, uploads, countries, priority, hits"
LIKE = "contains(said, lower($q))"
NUMBERED = """
SELECT account FROM listed_accounts WHERE account = $q UNION SELECT account FROM listed_accounts WHERE native = $q
"""
REGISTERED = "registered_at >= $begins AND registered_at < $ends"
DAYS = f"""
SELECT strftime(registered_at, '%Y-%m-%d') AS month, count(*) AS registrations FROM listed_accounts WHERE {REGISTERED}
GROUP BY month ORDER BY month
"""  # noqa: S608  ours
MONTH = len("2017-03")
MOST = 200
"""Rows of one kind on an account's page; more are counted."""
ONE = "SELECT * FROM accounts WHERE account = $account"
FORMER = 'SELECT * FROM former_values WHERE account = $account ORDER BY "column", item, span_start, id'
PAYMENTS = f"SELECT * FROM payments WHERE account = $account ORDER BY time, txid, vout LIMIT {MOST}"  # noqa: S608  ours
CAME_FROM = """
SELECT payment, string_agg(DISTINCT service || ' (' || confidence || ')', ', ') AS said FROM services
WHERE {these} AND direction = 'back' GROUP BY payment
"""
BOOKED = "SELECT payment, min(state) AS said FROM reconciled WHERE {these} GROUP BY payment"
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
    order, q, country = ask.choice("order", ORDERS, "paid"), ask.text("q"), ask.text("country")
    wanted: list[str] = []
    bind: dict[str, Any] = {}
    if q:
        wanted.append(f"({LIKE} OR account IN ({NUMBERED}))" if ask.rows(NUMBERED, {"q": q}) else LIKE)
        bind["q"] = q
    if country:
        wanted.append("contains(countries, $country)")
        bind["country"] = _country(country)
    if registered := ask.span("registered"):
        wanted.append(REGISTERED)
        bind |= registered
    found = ask.listed("listed_accounts", ORDERS[order], " AND ".join(wanted), bind, COLUMNS)
    days = ask.rows(DAYS, registered) if registered and len(ask.text("registered")) == MONTH else []
    return {"q": q, "order": order, "orders": list(ORDERS), "country": country, "registered": ask.text("registered"),
            "days": days, "accounts": found._asdict()}  # fmt: skip


def _country(given: str) -> str:
    if not (len(given) == 2 and given.isascii() and given.isupper()):
        raise UsageError(f"{given!r} is no country's code of two letters, such as NL.")
    return given


def one(ask: Ask) -> dict[str, Any]:
    bind = {"account": ask.path["account"]}
    found = ask.rows(ONE, bind)
    if not found:
        raise Missing("There is no such account in this case.")
    kind = ask.choice("kind", KINDS, "")
    story = f"SELECT * FROM ({STORY}) s WHERE $kind = '' OR what = $kind ORDER BY time DESC NULLS LAST, what, id"  # noqa: S608
    persons = ask.rows(PERSONS, bind)
    return {
        "account": found[0], "former": ask.rows(FORMER, bind), "payments": _payments(ask, bind),
        "addresses": ask.rows(ADDRESSES, bind), "kind": kind, "kinds": KINDS,
        "counts": ask.rows(COUNTS, bind)[0], "most": MOST, "hits": ask.rows(OF_ACCOUNT, bind),
        "story": ask.slice(story, {**bind, "kind": kind})._asdict(),
        "months": ask.rows(MONTHS.format(story=STORY), bind),
        "persons": [{**p, "decided": ask.desk.journal.of(p["link"])} for p in persons],
        "media": ask.rows(MEDIA, bind), "referrals": ask.rows(REFERRALS, bind),
        "ladder": ask.rows(LADDER, bind), "places": ask.rows(PLACES, bind), "flags": _flags(ask, persons),
        "indicators": INDICATORS, "noted": ask.desk.journal.notes().get(bind["account"], []),
    }  # fmt: skip


def _payments(ask: Ask, bind: dict[str, Any]) -> list[dict[str, Any]]:
    found = ask.rows(PAYMENTS, bind)
    names = [one["payment"] for one in found]
    these = among("payment", "payments", len(names))
    came, booked = ({row["payment"]: row["said"] for row in ask.rows(sql.format(these=these), {"payments": names})}
                    for sql in (CAME_FROM, BOOKED))  # fmt: skip
    return [{**one, "came_from": came.get(one["payment"]), "booked": booked.get(one["payment"])} for one in found]


def _flags(ask: Ask, persons: list[dict[str, Any]]) -> list[Any]:
    """What analysts flagged of the account, or of whom records name for it."""
    subjects = {ask.path["account"], *(p["person"] for p in persons)}
    return [flag for flag in ask.desk.journal.flags() if flag["subject"] in subjects]


PAGES = (
    Page("/accounts", "accounts.html", listed, "accounts"),
    Page("/accounts/{account}", "account.html", one, "accounts"),
)
