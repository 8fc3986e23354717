"""A case of any size as its tables, up to where referrals begin: accounts over many countries, paid and watched.

Everything is invented and counted out by numbers; the same arguments give the same rows. Countries are of skewed sizes,
as those of real operations are: the k-th largest has 1/k of the largest. `just bench-packages` refers 153,000 accounts.
"""

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from casewright.model.tables import TABLES

SERVICES = ("Kestrel Exchange", "Brightwater Desk", "Tallow Coin", "Larch Markets")
SETUP = """
SET threads = 2;
SET preserve_insertion_order = true;
CREATE MACRO idof(kind, n) AS kind || '-' || substr(md5(kind || n), 1, 20);
CREATE MACRO drawn(n, salt, of) AS (hash(n * 1000003 + salt) % of)::BIGINT;
CREATE MACRO daytime(n, salt) AS (TIMESTAMP '2015-06-01' + to_seconds(drawn(n, salt, 80000000)))::TIMESTAMP;
CREATE MACRO addr(n, salt) AS '1' || substr(md5(salt || 'a' || n), 1, 32);
CREATE MACRO txof(n) AS sha256('tx' || n);
CREATE MACRO ip(n, salt) AS '198.51.100.' || drawn(n, salt, 256);
CREATE TABLE a AS SELECT row_number() OVER () - 1 AS n, country FROM countries_given;
CREATE TABLE p AS SELECT row_number() OVER (ORDER BY n, k) - 1 AS m, n, k FROM a, range(3) r(k)
    WHERE k <= (drawn(n, 1, 4) = 0)::INT + (drawn(n, 2, 16) = 0)::INT;
CREATE TABLE u AS SELECT n FROM a WHERE drawn(n, 3, 5) = 0;
CREATE TABLE i AS SELECT n, drawn(n, 4, 3) AS state FROM u WHERE drawn(n, 5, 4) = 0;
"""
ROWS = {
    "exhibits": """SELECT * FROM (VALUES (sha256('disk'), 'seizure', 'server', 'file', 1000::BIGINT, 1::BIGINT),
        (sha256('toml'), 'settings', 'case.toml', 'file', 10, 1), (sha256('back'), 'return', 'returns', 'file', 10, 1))
        t(exhibit, role, name, form, size, files)""",
    "accounts": """SELECT idof('account', n) AS account, n::VARCHAR AS native, 'visitor' || n AS username,
        'visitor' || n || '@example.com' AS email, daytime(n, 6) AS registered_at, 'as written' AS zone,
        ip(n, 7) AS registered_ip, 'live' AS origin, 'item-dump' AS item, n AS "row" FROM a ORDER BY n""",
    "deposit_addresses": """SELECT idof('deposit', n) AS id, idof('account', n) AS account, addr(n, 'd') AS address,
        'live' AS origin, 'item-dump' AS item, n AS "row" FROM a ORDER BY n""",
    "payments": """SELECT idof('payment', m) AS payment, txof(m) AS txid, 0::BIGINT AS vout, addr(n, 'd') AS address,
        idof('account', n) AS account, 100000 + drawn(m, 8, 90000000) AS sats, 400000 + drawn(m, 9, 100000) AS height,
        daytime(m, 10) AS time, [idof('deposit', n)] AS sources FROM p ORDER BY m""",
    "services": """SELECT idof('service', m || '/' || direction) AS id, idof('payment', m) AS payment, direction,
        $services[1 + drawn(m, 11, len($services))] AS service, addr(m, 's') AS address,
        CASE direction WHEN 'back' THEN txof(m) ELSE txof('f' || m) END AS txid, 0::BIGINT AS vout,
        100000 + drawn(m, 8, 90000000) AS sats, 1 + drawn(m, 12, 3) AS hops, 100000 + drawn(m, 8, 90000000) AS share,
        CASE drawn(m, 12, 3) WHEN 0 THEN 'strong' ELSE 'weak' END AS confidence,
        ['the address is tagged by a pack, level 60', 'spent together with it in another transaction'] AS rules,
        'the tag may be stale; a wallet without a tag lies in between' AS against, [idof('payment', m)] AS sources
        FROM p, (VALUES ('back'), ('forward')) d(direction) WHERE direction = 'back' OR drawn(m, 13,
        5) = 0 ORDER BY m, direction""",
    "hops": """SELECT idof('hop', m || '/' || s) AS hop, idof('payment', m) AS payment, 'back' AS direction,
        1 + s AS step, txof(m || '/' || s) AS txid, addr(m, 'from' || s) AS from_cluster, addr(m,
        'to' || s) AS to_cluster,
        90000 + drawn(m, 14, 1000) AS sats, 90000 AS share, 1::BIGINT AS transactions,
        'a wallet of one owner, by co-spending, paid from this coin' AS reason, [idof('payment', m)] AS sources
        FROM p, range(3) r(s) WHERE s <= drawn(m, 12, 3) ORDER BY m, s""",
    "persons": """SELECT idof('person', n) AS person, 'return' AS origin, 'Invented Person ' || n AS full_name,
        '1970-01-01' AS born, '1970-01-01' AS born_on, 'person' || n || '@example.com' AS email, country,
        'C-' || n AS reference, sha256('back') AS exhibit, n AS "row", [idof('return', n)] AS sources
        FROM a ORDER BY n""",
    "links": """SELECT idof('link', n) AS link, 'account-person' AS kind, idof('account', n) AS from_id,
        idof('person', n) AS to_id, 'the record answers the withdrawal that paid the account' AS reason,
        'records may be borrowed' AS against, [idof('person', n)] AS sources FROM a
        UNION ALL SELECT idof('media-link', n), 'account-media', idof('account', n), idof('item', n),
        'the record names its path', NULL, [idof('upload', n)] FROM i
        UNION ALL SELECT idof('paid-link', m), 'account-payment', idof('account', n), idof('payment', m),
        'its deposit address was paid', NULL, [idof('payment', m)] FROM p ORDER BY 2, 1""",
    "judgements": """SELECT idof('judgement', n) AS judgement, idof('link', n) AS link, 'positive' AS verdict,
        'R. Example' AS examiner, 'the papers agree' AS why, true AS stands FROM a WHERE drawn(n, 15,
        8) = 0 ORDER BY n""",
    "uploads": """SELECT idof('upload', n) AS upload, idof('account', n) AS account, daytime(n, 16) AS time,
        '/media/' || n || '.jpg' AS reference, ip(n, 17) AS ip, 'live' AS origin, 'item-log' AS item, n AS "row"
        FROM u ORDER BY n""",
    "downloads": """SELECT idof('download', n || '/' || k) AS download, idof('account', n) AS account,
        daytime(n * 7 + k, 18) AS time, '/media/' || drawn(n * 7 + k, 19, 100000) || '.jpg' AS reference,
        ip(n, 17) AS ip, 'live' AS origin, 'item-log' AS item, n * 7 + k AS "row"
        FROM a, range(6) r(k) WHERE k < drawn(n, 20, 6) ORDER BY n, k""",
    "logins": """SELECT idof('login', n || '/' || k) AS login, idof('account', n) AS account, daytime(n * 7 + k,
        21) AS time,
        'as written' AS zone, ip(n * 7 + k, 22) AS ip, 'Mozilla/5.0 (X11; Linux x86_64) Example/' || drawn(n, 23,
        90) AS agent,
        'log' AS kind, 'live' AS origin, 'item-log' AS item, n * 7 + k AS "row"
        FROM a, range(6) r(k) WHERE k < drawn(n, 24, 7) ORDER BY n, k""",
    "items": """SELECT idof('item', n) AS item, sha256('disk') AS exhibit, 'var/media/' || n || '.jpg' AS name,
        1000 + n AS size, sha256('s' || n) AS sha256, substr(sha256('t' || n), 1, 40) AS sha1, md5('m' || n) AS md5,
        'image/jpeg' AS mime, 'live' AS origin FROM i ORDER BY n""",
    "media": """SELECT idof('item', n) AS item, 'picture' AS kind, 640::BIGINT AS width, 480::BIGINT AS height,
        sha256('p' || n) AS pdq, 90::BIGINT AS pdq_quality FROM i ORDER BY n""",
    "worklist": """SELECT row_number() OVER (ORDER BY state, n) AS rank, idof('item', n) AS item,
        ['new', 'known', 'near'][1 + state] AS state, 'stands on no list' AS reason, true AS opens,
        1::BIGINT AS items,
        [idof('item', n)] AS sources FROM i ORDER BY state, n""",
    "requests": """SELECT idof('request', m) AS request, 'CW-' || drawn(m, 11, len($services)) AS reference,
        $services[1 + drawn(m, 11, len($services))] AS service, idof('payment', m) AS payment,
        [idof('payment', m)] AS payments, 'back' AS direction, 1 + drawn(m, 12, 3) AS hops, txof(m) AS txid,
        0::BIGINT AS vout, addr(n, 'd') AS address, 100000 + drawn(m, 8, 90000000) AS sats, daytime(m, 10) AS time,
        [idof('service', m || '/back')] AS sources FROM p ORDER BY m""",
    "returns": """SELECT idof('return', n) AS return_id, 'CW-' || drawn(m, 11, len($services)) AS reference,
        txof(m) AS txid,
        'C-' || n AS customer, country, sha256('back') AS exhibit, n AS "row" FROM p JOIN a USING (n)
        WHERE k = 0 ORDER BY n""",
    "legal_process": """SELECT 'CW-' || k AS reference, $services[1 + k] AS service, 'returned' AS state,
        '2018-01-02' AS sent_on, 30::BIGINT AS days_to_answer FROM range(len($services)) r(k) ORDER BY k""",
    "tallies": """SELECT 'payments' AS stage, 'outputs' AS noun, count(*) AS received, count(*) AS done,
        0::BIGINT AS nothing, 0::BIGINT AS set_aside FROM p""",
}  # fmt: skip


def referred(accounts: int, countries: Sequence[str]) -> dict[str, pa.Table]:
    """Every table that a referral rests on; every country has an account at least."""
    connection = duckdb.connect(":memory:")
    try:
        connection.register("countries_given", pa.table({"country": _spread(accounts, countries)}))
        connection.execute(SETUP)
        found = {name: _shaped(connection, name, sql) for name, sql in ROWS.items()}
    finally:
        connection.close()
    return {name: found.get(name, table.empty()) for name, table in TABLES.items()}


def _spread(accounts: int, countries: Sequence[str]) -> list[str]:
    """A country for each account, in an order that looks drawn and is not: no size decides who is next to whom."""
    shares = 1 / np.arange(1, len(countries) + 1)
    sizes = np.maximum(1, np.floor(accounts * shares / shares.sum())).astype(int)
    sizes[0] += accounts - sizes.sum()
    names = np.repeat(np.array(countries), sizes)
    return [str(name) for name in names[np.argsort((np.arange(accounts) * 2654435761) % 4294967291)]]


def _shaped(connection: Any, name: str, sql: str) -> pa.Table:
    bind = {"services": list(SERVICES)} if "$services" in sql else None
    rows = connection.sql(sql, params=bind or {}).to_arrow_table()
    schema = TABLES[name].schema
    columns = [
        rows.column(f.name).cast(f.type) if f.name in rows.column_names else pa.nulls(rows.num_rows, f.type)
        for f in schema
    ]
    return pa.table(columns, schema)
