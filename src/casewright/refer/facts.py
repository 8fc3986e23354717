"""Rows of the case about the accounts that are referred, by what they are about: one package's at a time.

Each table is asked once, for all packages; its answer is sorted by package and kept as Arrow. Only the rows of the
package that is being made become dictionaries.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.engine.stage import Context, sql_stage_text
from casewright.refer.other_cases import strong_links
from casewright.refer.placing import Part, Row, parts_of

GIVEN_UP = """
WITH given AS (SELECT payment, account, unnest(sources) AS id FROM payments)
SELECT part, payment, max(d.origin) AS origin
FROM placed JOIN given USING (account) JOIN deposit_addresses d USING (id)
GROUP BY part, payment HAVING bool_and(d.origin <> 'live') ORDER BY part, payment
"""
"""Payments whose address stands in rows alone that the service's database no longer shows."""
REQUESTS = """
WITH told AS (SELECT DISTINCT part, s.id FROM placed JOIN payments USING (account) JOIN services s USING (payment)
              WHERE s.direction = 'back'),
asked AS (SELECT DISTINCT told.part, q.request FROM told
          JOIN (SELECT request, unnest(sources) AS id FROM requests) q USING (id))
SELECT asked.part, q.*, EXISTS (SELECT 1 FROM returns r WHERE r.reference = q.reference AND r.txid = q.txid
                                AND (r.address IS NULL OR r.address = q.address)) AS answered
FROM asked JOIN requests q USING (request) ORDER BY asked.part, q.service, q.time, q.txid, q.request
"""
UNPAID = """
SELECT part, r.*, c.time, c.sats FROM placed JOIN reconciled r USING (account) JOIN credits c USING (credit)
WHERE r.payment IS NULL ORDER BY part, c.time NULLS LAST, r.id
"""
"""Entries of the service's ledger that no payment stands behind."""
WORK = """
SELECT DISTINCT l.part, w.*, i.name, i.size, i.sha256, i.sha1, i.md5, i.mime, m.kind, m.width, m.height, m.pdq
FROM (SELECT part, to_id AS item FROM named JOIN links ON from_id = id WHERE kind = 'account-media') l
JOIN worklist w USING (item) JOIN items i USING (item) JOIN media m USING (item) ORDER BY l.part, w.item
"""
PERSONS = """
WITH met AS (SELECT part, id AS person FROM named
             UNION SELECT part, l.to_id FROM named JOIN links l ON l.from_id = id)
SELECT met.part, p.* FROM met JOIN persons p USING (person) ORDER BY met.part, p.person
"""
"""Who is named, whom records suggest for these accounts, and the earlier cases of either."""
FLAGS = """
WITH told AS (SELECT DISTINCT part, unnest(r.flags) AS flag FROM placed JOIN referrals r USING (account))
SELECT told.part, f.* FROM told JOIN flags f USING (flag) WHERE f.stands ORDER BY told.part, f.flag
"""
PAID = "FROM placed JOIN payments p USING (account) JOIN"
BY = {
    "accounts": ("account", "SELECT part, a.* FROM placed JOIN accounts a USING (account) ORDER BY part, account"),
    "former": ("account", "SELECT part, f.* FROM placed JOIN former_values f USING (account) "
                          'ORDER BY part, f."column", f.item, f.span_start, f.id'),
    "address_origins": ("payment", GIVEN_UP),
    "payments": ("account", "SELECT part, p.* FROM placed JOIN payments p USING (account) "
                            "ORDER BY part, p.time, p.txid, p.vout"),
    "booked": ("payment", f"SELECT part, r.* {PAID} reconciled r USING (payment) ORDER BY part, r.id"),
    "unpaid": ("account", UNPAID),
    "services": ("payment", f"SELECT part, s.* {PAID} services s USING (payment) "
                            "ORDER BY part, s.direction, s.hops, s.service, s.id"),
    "hops": ("payment", f"SELECT part, h.* {PAID} hops h USING (payment) "
                        "WHERE h.direction = 'back' ORDER BY part, h.step, h.hop"),
    "persons": ("person", PERSONS),
    "links": ("from_id", "SELECT part, l.* FROM named JOIN links l ON l.from_id = id ORDER BY part, l.kind, l.link"),
    "judgements": ("link", "SELECT part, j.* FROM named JOIN links l ON l.from_id = id "
                           "JOIN judgements j ON j.link = l.link AND j.stands ORDER BY part, j.judgement"),
    "priors": ("person", "SELECT part, e.* EXCLUDE place FROM named JOIN earlier e ON e.person = id "
                         "ORDER BY part, e.place"),
    "hints": ("account", "SELECT part, j.* FROM placed JOIN jurisdictions j USING (account) WHERE j.kind <> 'none' "
                         "ORDER BY part, j.routes DESC, j.country, j.kind, j.id"),
    "rungs": ("account", "SELECT part, r.* FROM placed JOIN ladder r USING (account) ORDER BY part, r.step, r.id"),
    "flags": ("flag", FLAGS),
    "uploads": ("account", "SELECT part, u.* FROM placed JOIN uploads u USING (account) ORDER BY part, time, upload"),
    "downloads": ("account", "SELECT part, d.* FROM placed JOIN downloads d USING (account) "
                             "ORDER BY part, time, download"),
    "logins": ("account", "SELECT part, l.* FROM placed JOIN logins l USING (account) "
                          "ORDER BY part, time DESC, login"),
    "requests": ("service", REQUESTS),
    "work": ("item", WORK),
}  # fmt: skip
"""What each list of `Facts` is: the column by which it is looked up, and its rows of every package in a total order.

`placed` names the accounts of each package, `named` these and the persons whom its referrals name.
"""


def rows_by(context: Context, key: str, sql: str) -> dict[str, list[Row]]:
    """The query's rows, in its order, by one of their columns."""
    return _by(key, context.sql(sql).to_pylist())


def _by(key: str, rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


def packages(context: Context) -> Iterator["Facts"]:
    """The facts of each package, in order."""
    parts = parts_of(context)
    shared = _Shared.of(context)
    given = _given(context, parts)
    cuts = {name: _Cut.of(context.sql(sql, **given)) for name, (_, sql) in BY.items()}
    for number, part in enumerate(parts):
        yield Facts(part, shared, {name: cut.rows(number) for name, cut in cuts.items()})


def _given(context: Context, parts: list[Part]) -> dict[str, pa.Table]:
    """The tables that say what stands in which package, and earlier cases in their order."""
    placed = dict.fromkeys((n, row["account"]) for n, part in enumerate(parts) for row in part.referrals)
    persons = dict.fromkeys((n, r["person"]) for n, part in enumerate(parts) for r in part.referrals if r["person"])
    earlier = context.sql(sql_stage_text(__file__, "priors"))
    place = pa.array(range(earlier.num_rows), pa.int64())
    return {"placed": _pairs("account", placed), "named": _pairs("id", {**placed, **persons}),
            "earlier": earlier.append_column("place", place)}  # fmt: skip


def _pairs(name: str, pairs: Mapping[tuple[int, str], None]) -> pa.Table:
    return pa.table({"part": pa.array([n for n, _ in pairs], pa.int32()),
                     name: pa.array([one for _, one in pairs], pa.string())})  # fmt: skip


@dataclass(frozen=True)
class _Cut:
    """A query's rows of every package, sorted by package."""

    table: pa.Table
    parts: np.ndarray[Any, Any]

    @classmethod
    def of(cls, found: pa.Table) -> "_Cut":
        return cls(found.drop_columns(["part"]), found.column("part").to_numpy())

    def rows(self, part: int) -> list[Row]:
        first, last = np.searchsorted(self.parts, [part, part + 1])
        rows: list[Row] = self.table.slice(first, last - first).to_pylist()
        return rows


@dataclass(frozen=True)
class _Shared:
    """What every package tells: it is about the case, not about its accounts."""

    process: dict[str, Row]
    tallies: list[Row]
    measured: list[Row]
    settings: list[str]
    seizures: list[Row]
    hits: list[Row]
    compared: list[Row]
    recalls: list[Row]
    case_links: list[Row]

    @classmethod
    def of(cls, context: Context) -> "_Shared":
        process = context.sql("SELECT * FROM legal_process ORDER BY reference").to_pylist()
        exhibits = context.sql("SELECT * FROM exhibits ORDER BY exhibit").to_pylist()
        return cls(
            {row["reference"]: row for row in process},
            context.sql("SELECT * FROM tallies ORDER BY stage, noun").to_pylist(),
            context.table("heuristics_measured").to_pylist(),
            [row["exhibit"] for row in exhibits if row["role"] == "settings"],
            [row for row in exhibits if row["role"] == "seizure"],
            context.sql("SELECT * FROM deconfliction ORDER BY peer, kind, form, hit").to_pylist(),
            context.table("deconfliction_runs").to_pylist(),
            context.sql("SELECT * FROM recalls ORDER BY number").to_pylist(),
            strong_links(context),
        )


class Facts:
    """What the figures of one package are made of. Every list is in a total order."""

    def __init__(self, part: Part, shared: _Shared, rows: Mapping[str, list[Row]]) -> None:
        def by(name: str) -> dict[str, list[Row]]:
            return _by(BY[name][0], rows[name])

        def one(name: str) -> dict[str, Row]:
            return {key: found[0] for key, found in by(name).items()}

        self.part, self.referrals = part, part.referrals
        self.accounts, self.persons = map(one, ("accounts", "persons"))
        self.judgements, self.work, self.flags = map(one, ("judgements", "work", "flags"))
        self.address_origins = {name: row["origin"] for name, row in one("address_origins").items()}
        self.former, self.payments, self.booked, self.unpaid = map(by, ("former", "payments", "booked", "unpaid"))
        self.services, self.hops, self.links = map(by, ("services", "hops", "links"))
        self.priors, self.requests = by("priors"), by("requests")
        self.hints, self.rungs = by("hints"), by("rungs")
        self.uploads, self.downloads, self.logins = map(by, ("uploads", "downloads", "logins"))
        self.process, self.tallies, self.measured = shared.process, shared.tallies, shared.measured
        self.settings, self.seizures = shared.settings, shared.seizures
        self.hits, self.compared, self.recalls = shared.hits, shared.compared, shared.recalls
        self.case_links = shared.case_links

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
