"""What pages show of many rows at once: lists in their orders, counts, and what is looked for by other names.

Each is one SELECT over the case's tables. A small case computes it when asked; for a large one `index.py` keeps its
rows. Both give the same, since it is the same SELECT. `place` and `by_...` number the rows of a list in an order, so
that any page of it is found without walking through those before.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from casewright.refer.funnel import FUNNEL


class Derived(NamedTuple):
    """`sql` over the case's tables. `order`: how rows lie in an index; `keys`: by which columns one is looked up."""

    sql: str
    order: str
    keys: Sequence[str] = ()


ACCOUNTS = """
WITH known AS (
    SELECT a.account, a.native, a.username, a.email, a.registered_at, a.registered_ip, a.origin,
           coalesce(p.payments, 0) AS payments, coalesce(p.sats, 0)::BIGINT AS sats,
           coalesce(u.uploads, 0) AS uploads, r.countries, r.priority, coalesce(h.hits, 0) AS hits,
           lower(concat_ws(chr(10), a.username, a.email)) AS said
    FROM accounts a
    LEFT JOIN (SELECT account, count(*) AS payments, sum(sats) AS sats FROM payments GROUP BY account) p USING (account)
    LEFT JOIN (SELECT account, count(*) AS uploads FROM uploads GROUP BY account) u USING (account)
    LEFT JOIN (SELECT account, count(*) AS hits FROM deconfliction GROUP BY account) h USING (account)
    LEFT JOIN (SELECT account, string_agg(DISTINCT country, ' ' ORDER BY country) AS countries,
                      min(priority) AS priority FROM referrals GROUP BY account) r USING (account)
)
SELECT *, row_number() OVER (ORDER BY sats DESC, payments DESC, username, account) AS by_paid,
       row_number() OVER (ORDER BY username, account) AS by_name,
       row_number() OVER (ORDER BY registered_at DESC NULLS LAST, account) AS by_registered,
       row_number() OVER (ORDER BY uploads DESC, sats DESC, account) AS by_uploads
FROM known
"""
BEHIND = """
(SELECT payment, string_agg(DISTINCT service, ', ' ORDER BY service) AS names FROM services
 WHERE direction = 'back' AND confidence = '{}' GROUP BY payment)
"""
PAYMENTS = f"""
SELECT p.payment, p.time, p.sats, p.address, p.txid, p.vout, p.account, a.username, lower(a.username) AS said,
       s.names AS strong, w.names AS weak,
       row_number() OVER (ORDER BY p.time DESC NULLS LAST, p.txid, p.vout) AS by_time,
       row_number() OVER (ORDER BY p.sats DESC, p.txid, p.vout) AS by_amount
FROM payments p LEFT JOIN accounts a USING (account)
LEFT JOIN {BEHIND.format("strong")} s USING (payment) LEFT JOIN {BEHIND.format("weak")} w USING (payment)
"""  # noqa: S608  ours
SERVICES = """
SELECT *, row_number() OVER (ORDER BY payments DESC, service) AS place FROM (
    SELECT s.service, count(DISTINCT s.payment) AS payments,
           count(DISTINCT s.payment) FILTER (s.confidence = 'strong') AS strong, max(e.reference) AS reference,
           max(e.state) AS state, max(e.jurisdiction) AS jurisdiction, max(e.due_on) AS due_on, max(e.lines) AS lines,
           max(e.returned) AS returned
    FROM services s LEFT JOIN legal_process e ON e.service = s.service GROUP BY s.service)
"""
MET = """
SELECT s.*, a.username, p.account,
       row_number() OVER (PARTITION BY s.service ORDER BY s.confidence DESC, s.hops, s.payment, s.id) AS place
FROM services s LEFT JOIN payments p USING (payment) LEFT JOIN accounts a USING (account)
"""
ASKED = """
SELECT q.*, r.return_id, r.full_name, r.customer,
       row_number() OVER (PARTITION BY q.service ORDER BY q.time, q.txid, q.vout, q.request, r.return_id) AS place
FROM requests q
LEFT JOIN returns r ON r.reference = q.reference AND r.txid = q.txid AND (r.address IS NULL OR r.address = q.address)
"""
ASKED_OF = """
SELECT unnest(payments) AS paid, request, reference, service, sats, time FROM requests
"""
MEDIA = """
SELECT w.rank, w.item, w.state, w.reason, w.work_group, g.items, m.kind, m.width, m.height, m.seconds, i.size
FROM worklist w JOIN media m USING (item) JOIN items i USING (item)
JOIN (SELECT work_group, sum(items)::BIGINT AS items FROM worklist GROUP BY work_group) g USING (work_group)
WHERE w.opens AND w.judgement IS NULL
"""
MEDIA_COUNTS = """
SELECT state, count(*) FILTER (opens AND judgement IS NULL) AS open, count(*) AS contents, sum(items)::BIGINT AS items
FROM worklist GROUP BY state
"""
MEDIA_NAMED = """
SELECT m.item, i.name, m.kind, i.sha256, i.sha1, i.md5, lower(i.name) AS said FROM media m JOIN items i USING (item)
"""
MEDIA_REFERRED = """
SELECT DISTINCT l.to_id AS item, r.referral, r.country FROM referrals r
JOIN links l ON l.from_id = r.account AND l.kind = 'account-media'
"""
PAIRS = """
SELECT *, row_number() OVER (ORDER BY reason LIKE 'strong%' OR reason LIKE 'direct%' DESC, kind, link) AS place FROM (
    SELECT l.link, l.kind, l.from_id, l.to_id, l.reason, l.against,
           coalesce(a.username, a.account, c.full_name || ' (' || c.reference || ')') AS "left",
           p.full_name || ' (' || coalesce(p.reference, '') || ')' AS "right"
    FROM links l
    LEFT JOIN accounts a ON a.account = l.from_id LEFT JOIN persons c ON c.person = l.from_id
    LEFT JOIN persons p ON p.person = l.to_id
    WHERE l.kind IN ('account-person', 'person-prior', 'person-person'))
"""
NAMED_PERSONS = """
SELECT person, full_name, reference, phone, lower(concat_ws(chr(10), full_name, email)) AS said FROM persons
"""
TAGGED = """
SELECT coalesce(c.cluster, t.address) AS node, t.label, t.category, max(t.level) AS level, count(*) AS tags
FROM tags t LEFT JOIN clusters c ON c.address = t.address GROUP BY ALL
"""
BY_IP = """
SELECT ip, login AS id, agent AS detail, time FROM logins WHERE ip IS NOT NULL
"""
FUNNELS = " UNION ALL ".join(
    f"SELECT {number} AS place, '{name}' AS name, n FROM ({sql})"  # noqa: S608  ours
    for number, (name, sql) in enumerate(FUNNEL.items())
)
ASIDE = """
SELECT stage, noun, reason, sum(count)::BIGINT AS count, min(detail) AS example, min(id) AS id FROM set_aside
GROUP BY stage, noun, reason
"""
COUNTRIES = """
SELECT country, count(*) AS referrals, count(DISTINCT account) AS accounts, count(person) AS named,
       count(DISTINCT person) AS persons, min(priority) AS priority FROM referrals GROUP BY country
"""
MONTHS = """
SELECT strftime(time, '%Y-%m') AS month, sum(paid)::BIGINT AS payments, sum(put)::BIGINT AS uploads,
       sum(signed)::BIGINT AS "sign-ins", sum(registered)::BIGINT AS registrations
FROM (SELECT time, 1 AS paid, 0 AS put, 0 AS signed, 0 AS registered FROM payments
      UNION ALL SELECT time, 0, 1, 0, 0 FROM uploads UNION ALL SELECT time, 0, 0, 1, 0 FROM logins
      UNION ALL SELECT registered_at, 0, 0, 0, 1 FROM accounts) t
WHERE time IS NOT NULL GROUP BY month
"""
SECTIONS = """
SELECT country, section, count(*) AS figures, count(DISTINCT subject) AS subjects, min(position) AS position
FROM figures GROUP BY country, section
"""
FIRST = "SELECT * FROM figures WHERE section = 'summary'"
SUBJECTS = """
SELECT r.referral, r.country, r.account, r.person, r.priority, r.reason, a.username, p.full_name,
       row_number() OVER (PARTITION BY r.country ORDER BY r.priority, a.username, r.referral) AS place
FROM referrals r LEFT JOIN accounts a USING (account) LEFT JOIN persons p USING (person)
"""
HITS = """
SELECT d.*, a.username, r.countries, r.priority,
       row_number() OVER (ORDER BY r.priority NULLS LAST, d.weak, d.peer, d.account, d.hit) AS place
FROM deconfliction d LEFT JOIN accounts a USING (account)
LEFT JOIN (SELECT account, string_agg(DISTINCT country, ' ' ORDER BY country) AS countries, min(priority) AS priority
           FROM referrals GROUP BY account) r USING (account)
"""
DERIVED: Mapping[str, Derived] = {
    "listed_accounts": Derived(ACCOUNTS, "by_paid", ("account", "native", "username", "registered_ip")),
    "listed_payments": Derived(PAYMENTS, "by_time", ("payment", "txid", "address")),
    "listed_services": Derived(SERVICES, "place"),
    "met_services": Derived(MET, "service, place"),
    "asked_lines": Derived(ASKED, "service, place"),
    "asked_payments": Derived(ASKED_OF, "paid"),
    "listed_media": Derived(MEDIA, "rank, item"),
    "counted_media": Derived(MEDIA_COUNTS, "state"),
    "named_media": Derived(MEDIA_NAMED, "name, item", ("item", "sha256", "sha1", "md5")),
    "referred_media": Derived(MEDIA_REFERRED, "item"),
    "listed_pairs": Derived(PAIRS, "place", ("link", "from_id")),
    "named_persons": Derived(NAMED_PERSONS, "full_name, person", ("person",)),
    "tagged_wallets": Derived(TAGGED, "node, level DESC NULLS LAST, label"),
    "logins_by_ip": Derived(BY_IP, "ip, time DESC, id"),
    "funnel": Derived(FUNNELS, "place"),
    "counted_aside": Derived(ASIDE, "stage, noun, reason"),
    "counted_countries": Derived(COUNTRIES, "country"),
    "counted_months": Derived(MONTHS, "month"),
    "figure_sections": Derived(SECTIONS, "country, position"),
    "first_figures": Derived(FIRST, "country, position"),
    "listed_subjects": Derived(SUBJECTS, "country, place"),
    "listed_hits": Derived(HITS, "place", ("account",)),
}
COPIED: Mapping[str, Sequence[str]] = {
    "accounts": ("account",),
    "former_values": ("account", "id"),
    "deposit_addresses": ("account", "id"),
    "credits": ("account", "credit"),
    "uploads": ("account", "upload"),
    "downloads": ("account", "download"),
    "sessions": ("account", "session"),
    "logins": ("account", "login"),
    "selectors": ("canonical", "value", "selector"),
    "payments": ("account", "payment"),
    "links": ("from_id", "link"),
    "persons": ("person",),
    "items": ("item",),
    "media": ("item",),
    "worklist": ("work_group", "item"),
    "media_groups": ("media_group", "item"),
    "media_matches": ("item", "match_id"),
    "media_traces": ("item", "id"),
    "uploaded_media": ("item", "id"),
    "ladder": ("account", "id"),
    "jurisdictions": ("account", "id"),
    "referrals": ("account", "referral"),
    "reconciled": ("payment", "payment", "id"),
    "hops": ("payment", "hop"),
    "services": ("payment", "payment", "id"),
    "requests": ("service", "request"),
    "returns": ("reference", "return_id"),
    "suggestions": ("link", "suggestion"),
    "suggestion_reasons": ("suggestion", "reason"),
    "clusters": ("cluster", "cluster", "address"),
    "transactions": ("txid",),
    "outputs": ("address", "address", "txid"),
    "inputs": ("txid",),
    "change": ("txid",),
    "tags": ("address", "label", "tag"),
    "figures": ("country", "figure"),
    "deconfliction": ("account", "hit"),
}
"""Tables of which a page wants few rows: the column by which rows lie together, and those by which one is found; the
first is among these too where many are asked for at once, which lie far from each other."""
