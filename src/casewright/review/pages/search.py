"""One question to everything: names, addresses, transactions, hashes, selectors."""

from typing import Any

from casewright.review.page import Ask, Page

MOST, MORE = 10, 11
ACCOUNTS = "SELECT account AS id, coalesce(username, account) AS title, email AS detail, by_name FROM listed_accounts"
MEDIA = "SELECT item AS id, name AS title, kind AS detail FROM named_media"
PAYMENTS = """
SELECT payment AS id, sats::VARCHAR || ' satoshis' AS title, address AS detail, time FROM listed_payments"""
NAMED = f"{ACCOUNTS} WHERE contains(said, $q) ORDER BY by_name LIMIT {MORE}"
PLACES: dict[str, tuple[str, str, str]] = {
    "accounts": ("/accounts/", f"""
        {ACCOUNTS} WHERE account = $q UNION {ACCOUNTS} WHERE native = $q UNION {ACCOUNTS} WHERE registered_ip = $q
        UNION {ACCOUNTS} WHERE username = $as_written UNION FROM ({NAMED})""", "title = $as_written DESC, by_name"),
    "payments": ("/payments/", f"""
        {PAYMENTS} WHERE txid = $q UNION {PAYMENTS} WHERE address = $q UNION {PAYMENTS} WHERE address = $as_written""",
        "time, id"),
    "services": ("/services/", """
        SELECT service AS id, service AS title, NULL AS detail FROM listed_services
        WHERE contains(lower(service), $q)""", "id"),
    "identity records": ("/why/", """
        SELECT person AS id, full_name AS title, reference AS detail FROM named_persons
        WHERE contains(said, $q) OR contains(phone, $q) OR person = $q""",
        "title, id"),
    "hits of other agencies": ("/accounts/", """
        SELECT account AS id, peer || ', ' || coalesce(peer_reference, 'no reference') AS title,
               kind || ' ' || form AS detail, place
        FROM listed_hits WHERE contains(lower(concat_ws(chr(10), peer, peer_reference, form)), $q)""", "place"),
    "media": ("/media/", f"""
        {MEDIA} WHERE contains(said, $q) UNION {MEDIA} WHERE item = $q UNION {MEDIA} WHERE sha256 = $q
        UNION {MEDIA} WHERE sha1 = $q UNION {MEDIA} WHERE md5 = $q""", "title, id"),
    "sign-ins": ("/why/", "SELECT id, ip AS title, detail, time FROM logins_by_ip WHERE ip = $q", "time DESC, id"),
    "selectors": ("/why/", """
        SELECT selector AS id, value AS title, kind AS detail FROM selectors WHERE canonical IN ($as_written, $q)
        UNION SELECT selector, value, kind FROM selectors WHERE value IN ($as_written, $q)""", "detail, id"),
    "clusters": ("/graph?open=", """
        SELECT cluster AS id, cluster AS title, NULL AS detail FROM clusters WHERE address IN ($as_written, $q)
        UNION SELECT cluster, cluster, NULL FROM clusters WHERE cluster IN ($as_written, $q)""", "id"),
}  # fmt: skip
"""Where to look: the page that shows what is found there, how it is found, and in what order. Each way to be found is a
query of its own, so that an index serves it. Hashes are known in small letters."""


def find(ask: Ask) -> dict[str, Any]:
    q = ask.text("q")
    found = {}
    if len(q) > 1:
        for name, (where, sql, order) in PLACES.items():
            bind = {"q": q.lower(), **({"as_written": q} if "$as_written" in sql else {})}
            rows = ask.rows(f"SELECT * FROM ({sql}) ORDER BY {order} LIMIT {MORE}", bind)  # noqa: S608  ours
            found[name] = {"at": where, "rows": rows[:MOST], "more": len(rows) > MOST}
    return {"q": q, "found": {name: one for name, one in found.items() if one["rows"]}, "asked": len(q) > 1}


PAGES = (Page("/search", "search.html", find),)
