"""What two cases can be compared by: every selector, medium and device of a case, with where it stands.

Values are in the one form in which equal ones are equal. Camera models, mail domains, URLs and names of persons are not
compared: strangers share them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa

PICTURE, DEVICE, LENS = "picture", "device", "lens"


@dataclass(frozen=True)
class Compared:
    """One source of values: what it needs of which tables, and the query for kind, value, id, what, owner, account."""

    what: str
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    sql: str


def _plain(what: str, table: str, key: str, kind: str, value: str, owner: str, more: str = "") -> Compared:
    """A column of one table."""
    named = tuple(dict.fromkeys((key, value, owner, *(("origin",) if "origin" in more else ()))))
    shown = f"lower(trim({value}))" if kind in ("email", "username") else f"trim({value})"
    account = "account" if owner == "account" else "NULL::VARCHAR"
    sql = f"SELECT '{kind}' AS kind, {shown} AS value, {key} AS id, '{what}' AS what, {owner} AS owner, {account} AS account FROM {table} WHERE {value} IS NOT NULL{more}"  # noqa: E501, S608  ours
    return Compared(what, ((table, named),), sql)


SELECTORS = ("email", "bitcoin", "ethereum", "monero", "pgp", "phone", "ip", "onion", "xpub", "descriptor")
_LISTED = ", ".join(f"'{kind}'" for kind in SELECTORS)
_FOUND = f"SELECT kind, CASE WHEN kind = 'email' THEN lower(canonical) ELSE canonical END AS value, selector AS id, 'in a file' AS what, item AS owner, NULL::VARCHAR AS account FROM selectors WHERE kind IN ({_LISTED})"  # noqa: E501, S608  ours
_FORMER = "SELECT \"column\" AS kind, lower(trim(value)) AS value, id, 'value before, of an account' AS what, account AS owner, account FROM former_values WHERE \"column\" IN ('email', 'username')"  # noqa: E501
_WALLET = "SELECT 'bitcoin' AS kind, address AS value, id, 'address of a wallet' AS what, wallet AS owner, NULL::VARCHAR AS account FROM wallet_addresses WHERE role IN ('own', 'change')"  # noqa: E501
_MEDIA = """
SELECT 'media' AS kind, i.sha256 AS value, m.item AS id,
       CASE WHEN EXISTS (SELECT 1 FROM media_matches l WHERE l.item = m.item) THEN 'medium on a list'
            ELSE 'medium' END AS what,
       i.sha256 AS owner, u.account
FROM media m JOIN items i USING (item) LEFT JOIN uploaded_media u USING (item)
WHERE i.sha256 NOT IN (SELECT i2.sha256 FROM harmless h JOIN items i2 USING (item))
"""
_PICTURE = """
SELECT 'picture' AS kind, m.pdq AS value, m.item AS id, 'picture' AS what, i.sha256 AS owner, u.account
FROM media m JOIN items i USING (item) LEFT JOIN uploaded_media u USING (item)
WHERE m.pdq IS NOT NULL AND m.pdq_quality >= 50
      AND i.sha256 NOT IN (SELECT i2.sha256 FROM harmless h JOIN items i2 USING (item))
"""
_DEVICE = """
SELECT CASE kind WHEN 'serial' THEN 'device' ELSE 'lens' END AS kind, upper(trim(value)) AS value, id,
       'in the header of a medium' AS what, item AS owner, NULL::VARCHAR AS account
FROM media_traces WHERE kind IN ('serial', 'lens serial')
"""
_OF_MEDIA = (("media", ("item",)), ("items", ("item", "sha256")), ("uploaded_media", ("item", "account")),
             ("harmless", ("item",)))  # fmt: skip
COMPARED: tuple[Compared, ...] = (
    _plain("email of an account", "accounts", "account", "email", "email", "account"),
    _plain("name of an account", "accounts", "account", "username", "username", "account"),
    _plain("registration of an account", "accounts", "account", "ip", "registered_ip", "account"),
    _plain("sign-in of an account", "logins", "login", "ip", "ip", "account", " AND account IS NOT NULL"),
    _plain("deposit address of an account", "deposit_addresses", "id", "bitcoin", "address", "account"),
    _plain("email in a customer record", "persons", "person", "email", "email", "person", " AND origin = 'return'"),
    _plain("phone in a customer record", "persons", "person", "phone", "phone", "person", " AND origin = 'return'"),
    Compared("value before, of an account", (("former_values", ("id", "account", "column", "value")),), _FORMER),
    Compared("address of a wallet", (("wallet_addresses", ("id", "wallet", "address", "role")),), _WALLET),
    Compared("in a file", (("selectors", ("selector", "kind", "canonical", "item")),), _FOUND),
    Compared("medium", (*_OF_MEDIA, ("media_matches", ("item",))), _MEDIA),
    Compared("picture", (*_OF_MEDIA, ("media", ("pdq", "pdq_quality"))), _PICTURE),
    Compared("in the header of a medium", (("media_traces", ("id", "kind", "value", "item")),), _DEVICE),
)  # fmt: skip
COLUMNS = {
    name: tuple(
        dict.fromkeys(column for one in COMPARED for table, columns in one.needs if table == name for column in columns)
    )
    for name in dict.fromkeys(table for one in COMPARED for table, _ in one.needs)
}
"""The columns that are looked at, by table."""
SERVICES = "SELECT DISTINCT address FROM tags"
"""Addresses of services: everybody's coins meet there."""
VALUES = """
SELECT kind, CASE WHEN kind = 'phone' THEN regexp_replace(value, '[^0-9]', '', 'g') ELSE value END AS value,
       string_agg(DISTINCT what, ' and ' ORDER BY what) AS what, count(DISTINCT owner) AS owners,
       list(DISTINCT id ORDER BY id)[:20] AS ids,
       coalesce(list(DISTINCT account ORDER BY account) FILTER (account IS NOT NULL)[:20], []) AS accounts
FROM found WHERE value <> '' GROUP BY ALL ORDER BY 1, 2
"""
"""Of the rows and accounts that have a value 20 are named; `owners` says how many there are."""
Ask = Callable[[str], pa.Table]


def rows_sql(compared: Iterable[Compared]) -> str:
    """One query for all that these say."""
    return "\nUNION ALL BY NAME\n".join(f"({one.sql})" for one in compared)


def values(ask: Ask, compared: Iterable[Compared] = COMPARED) -> pa.Table:
    """Every value of a case once, with what it is, how many have it, and rows and accounts that do."""
    return ask(f"WITH found AS ({rows_sql(compared)})\n{VALUES}")
