"""Accounts: all of them, and the story of one on one page."""

from typing import Any

from casewright.engine.query import among
from casewright.link.flags import INDICATORS
from casewright.model.errors import Missing, UsageError
from casewright.review.page import PER_PAGE, Ask, Page, Slice
from casewright.review.pages.hits import OF_ACCOUNT
from casewright.review.pages.searched import Searched

ORDERS = {"paid": "by_paid", "name": "by_name", "registered": "by_registered", "uploads": "by_uploads"}
COLUMNS = "account, username, email, registered_at, origin, payments, sats, uploads, countries, priority, hits"
LIST = Searched("listed_accounts", "account", ("account", "native"), "registered_at", "registered", "registrations")
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
) t
"""
PAGED = f"""
WITH story AS MATERIALIZED ({STORY}),
page AS (SELECT * FROM story WHERE $kind = '' OR what = $kind ORDER BY time DESC NULLS LAST, what, id
         LIMIT $most OFFSET $first),
months AS (SELECT strftime(time, '%Y-%m') AS month, count(*) FILTER (what = 'payment') AS payments,
                  count(*) FILTER (what = 'upload') AS uploads,
                  count(*) FILTER (what IN ('session', 'sign-in')) AS "sign-ins"
           FROM story WHERE time IS NOT NULL GROUP BY month)
SELECT *, NULL AS payments, NULL AS uploads, NULL AS "sign-ins" FROM page
UNION ALL SELECT NULL, 'month', month, NULL, NULL, NULL, payments, uploads, "sign-ins" FROM months
ORDER BY what = 'month', time DESC NULLS LAST, what, id
"""  # noqa: S608  ours
"""The page of an account's story, and after it how much of what each month has: one pass over seven tables."""
LINKED = f"""
SELECT link, kind, to_id, reason, against FROM links WHERE from_id = $account AND kind = $kind
ORDER BY to_id, link LIMIT {MOST}
"""  # noqa: S608
PERSONS = "SELECT person, full_name, born, email, phone, country, reference FROM persons WHERE {these}"
MEDIA = "SELECT item, state, rank, work_group FROM worklist WHERE {these}"
COUNTS = {
    "payments": "SELECT count(*) AS n FROM payments WHERE account = $account",
    "addresses": "SELECT count(*) AS n FROM deposit_addresses WHERE account = $account",
    "media": "SELECT count(*) AS n FROM links WHERE from_id = $account AND kind = 'account-media'",
    "persons": "SELECT count(*) AS n FROM links WHERE from_id = $account AND kind = 'account-person'",
}
"""How many there are of what a page shows at most so many of; asked only when so many were found."""
LADDER = """
SELECT r.*, p.full_name FROM ladder r LEFT JOIN persons p USING (person)
WHERE r.account = $account ORDER BY r.person NULLS FIRST, r.step, r.id
"""
PLACES = """
SELECT * FROM jurisdictions WHERE account = $account AND kind <> 'none' ORDER BY routes DESC, country, kind, id
"""
REFERRALS = "SELECT * FROM referrals WHERE account = $account ORDER BY country, referral"
TOLD = ("time", "what", "id", "detail", "sats", "ip")
KINDS = {"": "everything", "payment": "payments", "upload": "uploads", "download": "downloads",
         "session": "sessions", "sign-in": "sign-ins"}  # fmt: skip


def listed(ask: Ask) -> dict[str, Any]:
    order, country = ask.choice("order", ORDERS, "paid"), ask.text("country")
    wanted, bind = LIST.asked(ask)
    if country:
        wanted.append("contains(countries, $country)")
        bind["country"] = _country(country)
    found = ask.listed(LIST.table, ORDERS[order], " AND ".join(wanted), bind, COLUMNS)
    return {"q": ask.text("q"), "order": order, "orders": list(ORDERS), "country": country,
            "registered": ask.text("registered"), "days": LIST.days(ask), "accounts": found._asdict()}  # fmt: skip


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
    persons, media = _persons(ask, bind), _media(ask, bind)
    payments, addresses = _payments(ask, bind), ask.rows(ADDRESSES, bind)
    shown = {"payments": payments, "addresses": addresses, "media": media, "persons": persons}
    counts = {name: len(rows) if len(rows) < MOST else ask.rows(COUNTS[name], bind)[0]["n"]
              for name, rows in shown.items()}  # fmt: skip
    story, months = _story(ask, {**bind, "kind": kind})
    return {
        "account": found[0], "former": ask.rows(FORMER, bind), **shown, "kind": kind, "kinds": KINDS,
        "counts": counts, "most": MOST, "hits": ask.rows(OF_ACCOUNT, bind), "story": story._asdict(),
        "months": months, "referrals": ask.rows(REFERRALS, bind),
        "ladder": ask.rows(LADDER, bind), "places": ask.rows(PLACES, bind), "flags": _flags(ask, persons),
        "indicators": INDICATORS, "noted": ask.desk.journal.notes().get(bind["account"], []),
    }  # fmt: skip


def _story(ask: Ask, bind: dict[str, Any]) -> tuple[Slice, list[dict[str, Any]]]:
    first = (ask.number - 1) * PER_PAGE
    found = ask.rows(PAGED, {**bind, "first": first, "most": PER_PAGE + 1})
    rows = [{name: row[name] for name in TOLD} for row in found if row["what"] != "month"]
    months = [{"month": row["id"], **{name: row[name] for name in ("payments", "uploads", "sign-ins")}}
              for row in found if row["what"] == "month"]  # fmt: skip
    return Slice(rows[:PER_PAGE], ask.number, first + 1, len(rows) > PER_PAGE), months


def _persons(ask: Ask, bind: dict[str, Any]) -> list[dict[str, Any]]:
    """Whom records name for the account."""
    links = ask.rows(LINKED, {**bind, "kind": "account-person"})
    known = {row["person"]: row for row in _of(ask, PERSONS, "person", [link["to_id"] for link in links])}
    found = [{"link": link["link"], "reason": link["reason"], "against": link["against"], **known[link["to_id"]]}
             for link in links if link["to_id"] in known]  # fmt: skip
    found.sort(key=lambda one: (one["full_name"] or "", one["link"]))
    return [{**one, "decided": ask.desk.journal.of(one["link"])} for one in found]


def _media(ask: Ask, bind: dict[str, Any]) -> list[dict[str, Any]]:
    """What it uploaded, the most urgent first."""
    links = ask.rows(LINKED, {**bind, "kind": "account-media"})
    known = {row["item"]: row for row in _of(ask, MEDIA, "item", [link["to_id"] for link in links])}
    none = dict.fromkeys(("state", "rank", "work_group"))
    found = [{"link": link["link"], "item": link["to_id"], "reason": link["reason"], "against": link["against"],
              **(known.get(link["to_id"]) or none)} for link in links]  # fmt: skip
    return sorted(found, key=lambda one: (one["rank"] is None, one["rank"] or 0, one["item"]))


def _of(ask: Ask, sql: str, column: str, names: list[str]) -> list[dict[str, Any]]:
    """The rows of these names."""
    return ask.rows(sql.format(these=among(column, "names", len(names))), {"names": names}) if names else []


def _payments(ask: Ask, bind: dict[str, Any]) -> list[dict[str, Any]]:
    found = ask.rows(PAYMENTS, bind)
    names = [one["payment"] for one in found]
    came, booked = ({row["payment"]: row["said"] for row in _of(ask, sql, "payment", names)}
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
