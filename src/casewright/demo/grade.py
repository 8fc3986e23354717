"""Holding a result against the truth: right, wrong and missed, for each stage."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Rows = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True)
class Grade:
    """Counts for one stage. `wrong` and `missed` are zero when the result is as the truth."""

    stage: str
    right: int
    wrong: int
    missed: int


def compare(stage: str, expected: set[Any], found: set[Any]) -> Grade:
    return Grade(stage, len(expected & found), len(found - expected), len(expected - found))


def grade(truth: dict[str, Any], rows: Rows) -> list[Grade]:
    """A grade for each stage. `rows` runs SQL over the case's tables."""
    return [
        _items(truth["disk"], rows),
        compare("accounts", set(truth["accounts"].items()), _set(rows, "SELECT native, username FROM accounts")),
        compare(
            "deposit addresses",
            set(truth["deposit_addresses"].items()),
            _set(rows, "SELECT d.address, a.native FROM deposit_addresses d JOIN accounts a USING (account)"),
        ),
        *activity(truth, rows),
        *media(truth["media"], rows),
        _clusters(truth, rows),
        _hits(truth, rows),
        *money(truth, rows),
    ]


def money(truth: dict[str, Any], rows: Rows) -> list[Grade]:
    """Payments, the market's ledger, services, persons, and where payers were referred."""
    return [
        _payments(truth, rows),
        _ledger(truth, rows),
        _services(truth, rows),
        _persons(truth, rows),
        compare(
            "countries of paying accounts",
            {(account, c) for account, countries in truth["countries"].items() for c in countries},
            _set(rows, "SELECT DISTINCT a.native, r.country FROM referrals r JOIN accounts a USING (account) "
                       "WHERE r.account IN (SELECT account FROM payments)"),
        ),
    ]  # fmt: skip


def _set(rows: Rows, sql: str) -> set[tuple[Any, ...]]:
    return {tuple(row.values()) for row in rows(sql)}


def _items(disk: dict[str, Any], rows: Rows) -> Grade:
    """Every file of the disk by path and digest; nameless deleted files and archive members by digest. What a gzip file
    holds has no name of its own, and is graded by what is in it."""
    files = [f for f in disk["files"] if f["kind"] != "symlink"]
    expected = {("" if f["nameless"] else f["path"], f["sha256"]) for f in files}
    expected |= {("in an archive", m["sha256"]) for m in disk["members"]}
    found = rows(
        "SELECT i.path, i.sha256, i.parent FROM items i LEFT JOIN items p ON p.item = i.parent "
        "WHERE p.mime IS NULL OR p.mime <> 'application/gzip'"
    )
    return compare("items", expected, {(_place(row), row["sha256"]) for row in found})


def _place(row: dict[str, Any]) -> str:
    if row["parent"]:
        return "in an archive"
    return "" if row["path"].startswith(b"$OrphanFiles") else str(row["path"].hex())


def activity(truth: dict[str, Any], rows: Rows) -> list[Grade]:
    """Records of the database and lines of the logs, by number."""
    counted = {
        "logins": ("login_history", "SELECT count(*) AS n FROM logins WHERE kind = 'database'"),
        "uploads": ("uploads", "SELECT count(*) AS n FROM uploads"),
        "downloads on record": ("downloads", "SELECT count(*) AS n FROM downloads WHERE row IS NULL"),
    }
    expected = {name: truth["disk"]["dump_rows"][table] for name, (table, _) in counted.items()}
    found = {name: rows(sql)[0]["n"] for name, (_, sql) in counted.items()}
    expected["log lines"] = sum(truth["disk"]["log_lines"].values())
    lines = "SELECT received AS n FROM tallies WHERE noun = 'log lines'"
    found["log lines"] = rows(lines)[0]["n"]
    return [
        Grade(name, min(found[name], n), max(0, found[name] - n), max(0, n - found[name]))
        for name, n in expected.items()
    ]


def _payments(truth: dict[str, Any], rows: Rows) -> Grade:
    expected = {(p["txid"], p["vout"], p["account"], p["sats"], p["height"]) for p in truth["payments"]}
    sql = "SELECT p.txid, p.vout, a.native, p.sats, p.height FROM payments p JOIN accounts a USING (account)"
    return compare("payments", expected, _set(rows, sql))


def _ledger(truth: dict[str, Any], rows: Rows) -> Grade:
    """What each entry of the market's ledger and each payment without one was taken for."""
    sql = (
        "SELECT a.native, r.state, coalesce(c.sats, p.sats) AS sats FROM reconciled r JOIN accounts a USING (account) "
        "LEFT JOIN credits c USING (credit) LEFT JOIN payments p USING (payment)"
    )
    expected, found = (Counter(map(tuple, side)) for side in (truth["ledger"], (row.values() for row in rows(sql))))
    return Grade("ledger against chain", (expected & found).total(), (found - expected).total(),
                 (expected - found).total())  # fmt: skip


def _clusters(truth: dict[str, Any], rows: Rows) -> Grade:
    """Right: addresses in a cluster of one owner; wrong: in a cluster that mixes owners."""
    owners: dict[str, set[str]] = {}
    for row in (found := rows("SELECT address, cluster FROM clusters")):
        owners.setdefault(row["cluster"], set()).add(truth["owners"].get(row["address"], "unknown"))
    wrong = sum(len(owners[row["cluster"]]) > 1 for row in found)
    return Grade("addresses in clusters", len(found) - wrong, wrong, 0)


def _services(truth: dict[str, Any], rows: Rows) -> Grade:
    expected = {(p["txid"], p["vout"], p["service"], p["hops"]) for p in truth["payments"] if p["service"]}
    sql = (
        "SELECT DISTINCT p.txid, p.vout, s.service, s.hops FROM services s JOIN payments p USING (payment) "
        "WHERE s.direction = 'back' AND s.confidence <> 'none'"
    )
    return compare("services behind payments", expected, _set(rows, sql))


def _persons(truth: dict[str, Any], rows: Rows) -> Grade:
    """Persons named in referrals: exactly those that the examiner judged positive."""
    expected = {(d["account"], d["email"]) for d in truth["decisions"] if d["verdict"] == "positive"}
    joined = "referrals r JOIN accounts a USING (account) JOIN persons p USING (person)"
    sql = f"SELECT DISTINCT a.native, p.email FROM {joined}"  # noqa: S608  ours
    return compare("persons named", expected, _set(rows, sql))


def _hits(truth: dict[str, Any], rows: Rows) -> Grade:
    """What a second agency has too; nothing where none was asked, because the library for that is not installed."""
    asked = rows("SELECT 1 AS one FROM deconfliction_runs LIMIT 1")
    expected = {tuple(one) for one in truth["in common"]} if asked else set()
    return compare("hits of the second agency", expected, _set(rows, "SELECT kind, form FROM deconfliction"))


def media(states: dict[str, Any], rows: Rows) -> list[Grade]:
    """States of distinct contents that the field's threshold decides; undecidable ones may be near or new."""
    found = {
        (row["sha256"], row["state"])
        for row in rows("SELECT DISTINCT i.sha256, w.state FROM worklist w JOIN items i USING (item)")
    }
    free = set(states.get("undecided", []))
    grades = [
        compare(f"media {state}", {(s, state) for s in states[state]},
                 {f for f in found if f[1] == state and f[0] not in free})
        for state in ("known", "near", "new")
    ]  # fmt: skip
    aside = {
        row["sha256"]
        for row in rows(
            "SELECT DISTINCT i.sha256 FROM set_aside s JOIN items i ON i.item = s.subject WHERE s.stage = 'media'"
        )
    }
    return [*grades, compare("media set aside", set(states["undecodable"]), aside)]
