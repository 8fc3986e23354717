"""Rows of the case about the accounts that are referred, by what they are about."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from casewright.engine.stage import Context, sql_stage_text

Row = dict[str, Any]

MINE = "account IN (SELECT account FROM referrals)"
PAID = f"payment IN (SELECT payment FROM payments WHERE {MINE})"  # noqa: S608  ours, as all below
GIVEN_UP = f"""
WITH given AS (SELECT payment, unnest(sources) AS id FROM payments WHERE {MINE})
SELECT payment, max(d.origin) AS origin FROM given JOIN deposit_addresses d USING (id)
GROUP BY payment HAVING bool_and(d.origin <> 'live') ORDER BY payment
"""  # noqa: S608
"""Payments whose address stands in rows alone that the service's database no longer shows."""
REQUESTS = """
SELECT q.*, EXISTS (SELECT 1 FROM returns r WHERE r.reference = q.reference AND r.txid = q.txid
                  AND (r.address IS NULL OR r.address = q.address)) AS answered
FROM requests q ORDER BY q.service, q.time, q.txid, q.request
"""
BOOKED = "SELECT * FROM reconciled WHERE payment IS NOT NULL ORDER BY id"
UNPAID = """
SELECT r.*, c.time, c.sats FROM reconciled r JOIN credits c USING (credit)
WHERE r.payment IS NULL ORDER BY c.time NULLS LAST, r.id
"""
"""Entries of the service's ledger that no payment stands behind."""
WORK = """
SELECT w.*, i.name, i.size, i.sha256, i.sha1, i.md5, i.mime, m.kind, m.width, m.height, m.pdq
FROM worklist w JOIN items i USING (item) JOIN media m USING (item) ORDER BY w.item
"""


def rows_by(context: Context, key: str, sql: str) -> dict[str, list[Row]]:
    """The query's rows, in its order, by one of their columns."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in context.sql(sql).to_pylist():
        found[row[key]].append(row)
    return found


class Facts:
    """What the figures are made of. Every list is in a total order."""

    def __init__(self, context: Context) -> None:
        def by(key: str, sql: str) -> dict[str, list[Row]]:
            return rows_by(context, key, sql)

        def one(key: str, sql: str) -> dict[str, Row]:
            return {name: rows[0] for name, rows in by(key, sql).items()}

        self.referrals = context.table("referrals").to_pylist()
        self.accounts = one("account", f"SELECT * FROM accounts WHERE {MINE} ORDER BY account")  # noqa: S608
        former = f'SELECT * FROM former_values WHERE {MINE} ORDER BY "column", item, span_start, id'  # noqa: S608
        self.former = by("account", former)
        self.address_origins = {name: row["origin"] for name, row in one("payment", GIVEN_UP).items()}
        self.payments = by("account", f"SELECT * FROM payments WHERE {MINE} ORDER BY time, txid, vout")  # noqa: S608
        self.booked = by("payment", BOOKED)
        self.unpaid = by("account", UNPAID)
        self.services = by("payment", f"SELECT * FROM services WHERE {PAID} ORDER BY direction, hops, service, id")  # noqa: S608
        self.hops = by("payment", f"SELECT * FROM hops WHERE direction = 'back' AND {PAID} ORDER BY step, hop")  # noqa: S608
        self.persons = one("person", "SELECT * FROM persons ORDER BY person")
        self.links = by("from_id", "SELECT * FROM links ORDER BY kind, link")
        self.judgements = one("link", "SELECT * FROM judgements WHERE stands ORDER BY judgement")
        self.priors = by("person", sql_stage_text(__file__, "priors"))
        self.uploads = by("account", f"SELECT * FROM uploads WHERE {MINE} ORDER BY time, upload")  # noqa: S608
        self.downloads = by("account", f"SELECT * FROM downloads WHERE {MINE} ORDER BY time, download")  # noqa: S608
        self.logins = by("account", f"SELECT * FROM logins WHERE {MINE} ORDER BY time DESC, login")  # noqa: S608
        self.requests = by("service", REQUESTS)
        self.process = one("reference", "SELECT * FROM legal_process ORDER BY reference")
        self.work = one("item", WORK)
        self.tallies = context.sql("SELECT * FROM tallies ORDER BY stage, noun").to_pylist()
        self.measured = context.table("heuristics_measured").to_pylist()
        exhibits = context.sql("SELECT * FROM exhibits ORDER BY exhibit").to_pylist()
        self.settings = [row["exhibit"] for row in exhibits if row["role"] == "settings"]
        self.seizures = [row for row in exhibits if row["role"] == "seizure"]

    def verdict(self, referral: Mapping[str, Any]) -> tuple[Row, Row]:
        """The link that ties a named referral's person to its account, and the judgement that stands on it."""
        for link in self.links[referral["account"]]:
            if link["kind"] == "account-person" and link["to_id"] == referral["person"]:
                return link, self.judgements[link["link"]]
        raise KeyError(f"referral {referral['referral']} names a person without a link")

    def media(self, account: str) -> list[tuple[Row, Row]]:
        """The account's uploads on the worklist: the link, and the media with its place in the worklist."""
        links = [n for n in self.links[account] if n["kind"] == "account-media"]
        return [(n, self.work[n["to_id"]]) for n in links if n["to_id"] in self.work]

    def asked(self, payments: list[Row]) -> list[Row]:
        """The lines of requests about these payments, back towards who paid; not what else the same batch paid."""
        found = {
            s["id"]: s["service"] for p in payments for s in self.services[p["payment"]] if s["direction"] == "back"
        }
        return [q for service in sorted(set(found.values())) for q in self.requests[service]
                if not found.keys().isdisjoint(q["sources"])]  # fmt: skip
