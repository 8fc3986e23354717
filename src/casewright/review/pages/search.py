"""One question to everything: names, addresses, transactions, hashes, selectors."""

from typing import Any

from casewright.review.page import Ask, Page

MOST = 10
PLACES = {
    "accounts": ("/accounts/", """
        SELECT account AS id, coalesce(username, account) AS title, email AS detail FROM accounts
        WHERE contains(lower(username), $q) OR contains(lower(email), $q) OR account = $q OR lower(native) = $q
           OR registered_ip = $q ORDER BY username = $q DESC, username, account"""),
    "payments": ("/payments/", """
        SELECT p.payment AS id, p.sats::VARCHAR || ' satoshis' AS title, p.address AS detail FROM payments p
        WHERE lower(p.txid) = $q OR lower(p.address) = $q OR p.payment = $q ORDER BY p.time, p.payment"""),
    "services": ("/services/", """
        SELECT DISTINCT service AS id, service AS title, NULL AS detail FROM services
        WHERE contains(lower(service), $q) ORDER BY service"""),
    "identity records": ("/why/", """
        SELECT person AS id, full_name AS title, reference AS detail FROM persons
        WHERE contains(lower(full_name), $q) OR contains(lower(email), $q) OR contains(phone, $q) OR person = $q
        ORDER BY full_name, person"""),
    "media": ("/media/", """
        SELECT m.item AS id, i.name AS title, m.kind AS detail FROM media m JOIN items i USING (item)
        WHERE m.item = $q OR i.sha256 = $q OR i.sha1 = $q OR i.md5 = $q OR contains(lower(i.name), $q)
        ORDER BY i.name, m.item"""),
    "sign-ins": ("/why/", """
        SELECT login AS id, ip AS title, agent AS detail FROM logins WHERE ip = $q ORDER BY time DESC, login"""),
    "selectors": ("/why/", """
        SELECT selector AS id, value AS title, kind AS detail FROM selectors
        WHERE lower(canonical) = $q OR lower(value) = $q ORDER BY kind, selector"""),
    "clusters": ("/graph?open=", """
        SELECT DISTINCT cluster AS id, cluster AS title, NULL AS detail FROM clusters
        WHERE lower(address) = $q OR lower(cluster) = $q ORDER BY cluster"""),
}  # fmt: skip
"""Where to look: the page that shows what is found there, and how it is found."""


def find(ask: Ask) -> dict[str, Any]:
    q = ask.text("q")
    found = {}
    if len(q) > 1:
        for name, (where, sql) in PLACES.items():
            rows = ask.rows(f"{sql} LIMIT {MOST + 1}", {"q": q.lower()})
            found[name] = {"at": where, "rows": rows[:MOST], "more": len(rows) > MOST}
    return {"q": q, "found": {name: one for name, one in found.items() if one["rows"]}, "asked": len(q) > 1}


PAGES = (Page("/search", "search.html", find),)
