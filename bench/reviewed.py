"""A case of any size with everything that the review room shows, told from numbers; its ledger names its tables.

Everything is invented; the same arguments give the same rows. 1.3 million accounts have 250,000 media, a million wallets.
"""

# ruff: noqa: E501  statements that are read as tables

import hashlib
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from casewright.engine.tables import SHARED, TableFolder, run_bytes
from casewright.model.settings import CaseSettings
from casewright.model.tables import TABLES
from casewright.vault.case import Case

SETUP = """
SET threads = 2; SET preserve_insertion_order = true; SET memory_limit = '2GB';
CREATE MACRO idof(kind, n) AS kind || '-' || substr(md5(kind || n), 1, 20);
CREATE MACRO drawn(n, salt, of) AS (hash(n * 1000003 + salt) % of)::BIGINT;
CREATE MACRO daytime(n, salt) AS (TIMESTAMP '2015-06-01' + to_seconds(drawn(n, salt, 80000000)))::TIMESTAMP;
CREATE MACRO addr(n) AS '1' || substr(md5('a' || n), 1, 32);
CREATE MACRO txof(n) AS sha256('tx' || n);
CREATE MACRO ip(n, salt) AS '198.51.' || drawn(n, salt, 256) || '.' || drawn(n, salt + 1, 256);
CREATE MACRO place(n) AS ['NL', 'DE', 'FR', 'US', 'GB', 'BR', 'KR', 'JP', 'SE', 'ES', 'IT', 'PL'][1 + drawn(n, 40, 12)];
CREATE MACRO named(n) AS ['Kestrel Exchange', 'Brightwater Desk', 'Tallow Coin', 'Larch Markets'][1 + drawn(n, 41, 4)];
CREATE MACRO paid_at(m) AS (m * 2654435761) % {addresses};
CREATE MACRO wallet(a) AS a - a % 3 + 1;
"""
"""`{accounts}` n, `{payments}` m, `{media}` i, `{addresses}` a, `{transactions}` t, `{persons}` h, `{wide}` hops."""
ROWS = {
    "accounts": """SELECT idof('account', n) AS account, n::VARCHAR AS native,
        ['amber','birch','cedar','dune','ember','fjord','grove','heron'][1 + drawn(n, 1, 8)] || '_' || to_base(n, 36) AS username,
        substr(md5('m' || n), 1, 9) || ['@example.com', '@example.org', '@mail.example'][1 + drawn(n, 2, 3)] AS email,
        daytime(n, 6) AS registered_at, 'as written' AS zone, ip(n, 7) AS registered_ip, 'live' AS origin,
        'item-dump' AS item, n AS "row" FROM range({accounts}) r(n)""",
    "deposit_addresses": """SELECT idof('deposit', n) AS id, idof('account', n) AS account, addr(n) AS address,
        'live' AS origin, 'item-dump' AS item, n AS "row" FROM range({accounts} // 2) r(n)""",
    "logins": """SELECT idof('login', k) AS login, idof('account', k % {accounts}) AS account, daytime(k, 21) AS time,
        'as written' AS zone, ip(k, 22) AS ip, 'Mozilla/5.0 (X11; Linux x86_64) Example/' || drawn(k, 23, 90) AS agent,
        'log' AS kind, 'live' AS origin, 'item-log' AS item, k AS "row" FROM range({accounts} * 2) r(k)""",
    "sessions": """SELECT idof('session', k) AS session, 'log' AS basis, idof('account', k) AS account,
        daytime(k, 21) AS started_at, ip(k, 22) AS ip, 'Example/' || drawn(k, 23, 90) AS agent,
        [idof('login', k)] AS sources FROM range({accounts}) r(k)""",
    "uploads": """SELECT idof('upload', i) AS upload, idof('account', i % {payers}) AS account, daytime(i, 16) AS time,
        '/media/' || i || '.jpg' AS reference, ip(i, 17) AS ip, 'live' AS origin, 'item-log' AS item, i AS "row"
        FROM range({media}) r(i)""",
    "downloads": """SELECT idof('download', k) AS download, idof('account', drawn(k, 19, {payers})) AS account,
        daytime(k, 18) AS time, '/media/' || drawn(k, 20, {media}) || '.jpg' AS reference, ip(k, 17) AS ip,
        'live' AS origin, 'item-log' AS item, k AS "row" FROM range({accounts}) r(k)""",
    "payments": """SELECT idof('payment', m) AS payment, txof(m) AS txid, 0::BIGINT AS vout, addr(paid_at(m)) AS address,
        idof('account', CASE WHEN m % 50 = 0 THEN 7 ELSE m % {payers} END) AS account,
        100000 + drawn(m, 8, 90000000) AS sats, 400000 + drawn(m, 9, 100000) AS height,
        daytime(m, 10) AS time, [idof('deposit', m)] AS sources FROM range({payments}) r(m)""",
    "services": """SELECT idof('service', m || '/' || w) AS id, idof('payment', m) AS payment,
        ['back', 'forward'][1 + w] AS direction, named(m) AS service, addr(m) AS address, txof(m) AS txid,
        0::BIGINT AS vout, 100000 + drawn(m, 8, 90000000) AS sats, 1 + drawn(m, 12, 3) AS hops,
        100000 + drawn(m, 8, 90000000) AS share, ['strong', 'weak'][1 + drawn(m, 12, 2)] AS confidence,
        ['the address is tagged by a pack, level 60', 'spent together with it'] AS rules,
        'the tag may be stale; a wallet without a tag lies in between' AS against, [idof('payment', m)] AS sources
        FROM range({payments}) r(m), range(2) d(w) WHERE w = 0 OR drawn(m, 13, 5) = 0""",
    "hops": """SELECT idof('hop', m || '/' || s) AS hop, idof('payment', m) AS payment, 'back' AS direction,
        1 + s AS step, txof(m + s) AS txid, addr(wallet(paid_at(m) + 3 * s + 3)) AS from_cluster,
        addr(wallet(paid_at(m) + 3 * s)) AS to_cluster, 90000 + drawn(m, 14, 1000) AS sats, 90000 AS share,
        1::BIGINT AS transactions, CASE s WHEN 2 THEN 'service' END AS ends,
        'a wallet of one owner, by co-spending, paid from this coin' AS reason, [idof('payment', m)] AS sources
        FROM range({payments}) r(m), range(3) q(s) UNION ALL
        SELECT idof('hop', 'wide' || k), idof('payment', 1), 'back', 1, txof(k), addr(wallet(3 * k)),
        addr(wallet(paid_at(1))), 1000 + k, 10, 1, NULL, 'one of many coins', [idof('payment', 1)]
        FROM range({wide}) r(k)""",
    "transactions": """SELECT txof(t) AS txid, sha256('b' || t // 2000) AS block, t % 2000 AS position, false AS coinbase,
        sha256('chain') AS exhibit, ''::BLOB AS path, t AS span_start, 1::BIGINT AS span_length
        FROM range({transactions}) r(t)""",
    "blocks": """SELECT sha256('b' || b) AS hash, b AS height, daytime(b, 3) AS time, 2000::BIGINT AS transactions,
        'main' AS state, sha256('b' || (b - 1)) AS prev, sha256('chain') AS exhibit, ''::BLOB AS path, b AS span_start,
        1::BIGINT AS span_length FROM range({transactions} // 2000 + 1) r(b)""",
    "outputs": """SELECT txof(t) AS txid, v AS vout, 1000 + drawn(t, 30 + v, 9000000) AS sats,
        addr(CASE WHEN v = 0 THEN (t * 2654435761) % {addresses} WHEN t % 40 = 0 THEN 3 * (t % 90)
        ELSE drawn(t, 32, {addresses}) END) AS address, 'p2pkh' AS kind, txof(t + 1 + v) AS spent_by
        FROM range({transactions}) r(t), range(3) q(v)""",
    "inputs": """SELECT txof(t) AS txid, v AS vin, txof(t - 1 - v) AS prev_txid, v AS prev_vout
        FROM range({transactions}) r(t), range(2) q(v) WHERE t > v""",
    "change": """SELECT txof(t) AS txid, 1::BIGINT AS vout, 2::BIGINT AS votes, 0::BIGINT AS against,
        ['same kind of script'] AS rules FROM range({transactions}) r(t) WHERE t % 2 = 0""",
    "clusters": """SELECT addr(a) AS address, addr(wallet(a)) AS cluster, 1::BIGINT AS depth
        FROM range({addresses}) r(a) WHERE a % 3 > 0""",
    "tags": """SELECT idof('tag', k) AS tag, addr(k * 75) AS address, named(k) AS label, 'exchange' AS category,
        'A pack' AS actor, 60::BIGINT AS level, 'a pack' AS source, sha256('tags') AS exhibit, ''::BLOB AS path,
        k AS "row" FROM range({addresses} // 75) r(k)""",
    "persons": """SELECT idof('person', h) AS person, 'return' AS origin, 'Invented Person ' || to_base(h, 36) AS full_name,
        '1970-01-01' AS born, '1970-01-01' AS born_on, 'person' || h || '@example.com' AS email, '+3161234' || h AS phone,
        place(h) AS country, 'C-' || h AS reference, sha256('back') AS exhibit, ''::BLOB AS path, h AS "row",
        [idof('return', h)] AS sources FROM range({persons}) r(h)""",
    "links": """SELECT idof('link', h) AS link, 'account-person' AS kind, idof('account', h) AS from_id,
        idof('person', h) AS to_id, ['strong: the record answers the withdrawal', 'weak: one name'][1 + h % 2] AS reason,
        'records may be borrowed' AS against, 9.5 AS weight, 0.99999 AS probability, [idof('person', h)] AS sources
        FROM range({persons}) r(h)
        UNION ALL SELECT idof('media-link', i), 'account-media', idof('account', i % {payers}), idof('item', i),
        'the record names its path', NULL, NULL, NULL, [idof('upload', i)] FROM range({media}) r(i)
        UNION ALL SELECT idof('paid-link', m), 'account-payment', idof('account', m % {payers}), idof('payment', m),
        'its deposit address was paid', NULL, NULL, NULL, [idof('payment', m)] FROM range({payments}) r(m)""",
    "suggestions": """SELECT idof('suggestion', h) AS suggestion, idof('link', h) AS link, 'account-person' AS kind,
        idof('account', h) AS from_id, idof('person', h) AS to_id, 9.5 AS weight, 0.99999 AS probability, 'r' AS reason,
        [idof('person', h)] AS sources FROM range({persons}) r(h)""",
    "suggestion_reasons": """SELECT idof('why', h || '/' || k) AS reason, idof('suggestion', h) AS suggestion, k AS number,
        'name' AS comparison, 'one' AS "left", 'other' AS "right", 'nearly the same' AS says, 3.5 - k AS bits,
        [idof('person', h)] AS sources FROM range({persons}) r(h), range(5) q(k)""",
    "returns": """SELECT idof('return', h) AS return_id, 'CW-' || drawn(h, 41, 4) AS reference, named(h) AS service,
        txof(h) AS txid, 'C-' || h AS customer, 'Invented Person ' || h AS full_name, place(h) AS country,
        sha256('back') AS exhibit, ''::BLOB AS path, h AS "row" FROM range({persons}) r(h)""",
    "requests": """SELECT idof('request', m) AS request, 'CW-' || drawn(m, 41, 4) AS reference, named(m) AS service,
        idof('payment', m) AS payment, [idof('payment', m)] AS payments, 'back' AS direction, 1::BIGINT AS hops,
        txof(m) AS txid, 0::BIGINT AS vout, addr(m) AS address, 100000 + m AS sats, daytime(m, 10) AS time,
        [idof('service', m || '/0')] AS sources FROM range({payments} // 3) r(m)""",
    "legal_process": """SELECT 'CW-' || k AS reference, ['Kestrel Exchange', 'Brightwater Desk', 'Tallow Coin',
        'Larch Markets'][1 + k] AS service, 'returned' AS state, '2018-01-02' AS sent_on, 30::BIGINT AS days_to_answer,
        {payments}::BIGINT // 12 AS lines, {persons}::BIGINT // 4 AS returned FROM range(4) r(k)""",
    "reconciled": """SELECT idof('booked', m) AS id, idof('account', m % {payers}) AS account, idof('payment', m) AS payment,
        'booked' AS state, 'same sum' AS reason, [idof('payment', m)] AS sources FROM range({payments}) r(m)""",
    "items": """SELECT idof('item', i) AS item, sha256('disk') AS exhibit, ('var/media/' || i)::BLOB AS path,
        'var/media/' || i || '.jpg' AS name, 1000 + i AS size, sha256('s' || i) AS sha256,
        substr(sha256('t' || i), 1, 40) AS sha1, md5('m' || i) AS md5, 'image/jpeg' AS mime, 'live' AS origin
        FROM range({media} * 2) r(i)
        UNION ALL SELECT id, sha256('disk'), 'x'::BLOB, id, 1, sha256(id), NULL, NULL, 'text/plain', 'live'
        FROM (VALUES ('item-dump'), ('item-log')) v(id)""",
    "media": """SELECT idof('item', i) AS item, 'picture' AS kind, 640::BIGINT AS width, 480::BIGINT AS height,
        sha256('p' || i) AS pdq, 90::BIGINT AS pdq_quality FROM range({media}) r(i)""",
    "worklist": """SELECT i + 1 AS rank, idof('item', i) AS item, ['new', 'known', 'near'][1 + i % 3] AS state,
        'stands on no list; its account paid' AS reason, idof('group', i // 2) AS work_group, i % 2 = 0 AS opens,
        1 + drawn(i, 5, 4) AS items, [idof('item', i)] AS sources FROM range({media}) r(i)""",
    "media_groups": """SELECT idof('member', i) AS id, idof('group', i // 2) AS media_group, 'version' AS kind,
        idof('item', i) AS item, 'the same picture, scaled' AS reason, 4::BIGINT AS distance, i % 2 = 0 AS leads,
        [idof('item', i)] AS sources FROM range({media}) r(i)""",
    "media_matches": """SELECT idof('match', i) AS match_id, idof('item', i) AS item, 'a list' AS list, 'e' || i AS entry,
        'pdq' AS method, drawn(i, 6, 30) AS distance, 'B' AS category, [idof('item', i)] AS sources
        FROM range({media}) r(i) WHERE i % 3 > 0""",
    "media_traces": """SELECT idof('trace', i) AS id, 'program' AS kind, 'an editor ' || i % 40 AS value,
        idof('item', i) AS item, 0::BIGINT AS span_start, 9::BIGINT AS span_length FROM range({media}) r(i)""",
    "uploaded_media": """SELECT idof('put', i) AS id, idof('upload', i) AS upload, idof('account', i % {payers}) AS account,
        daytime(i, 16) AS time, idof('item', i) AS item, 'path' AS how, false AS shared, [idof('upload', i)] AS sources
        FROM range({media}) r(i)""",
    "ladder": """SELECT idof('rung', n || '/' || k) AS id, idof('account', n) AS account,
        CASE WHEN n < {persons} THEN idof('person', n) END AS person, k + 1 AS step, 'payment' AS rung, k < 2 AS holds,
        'it was paid' AS reason, [idof('account', n)] AS sources FROM range({payers}) r(n), range(4) q(k)""",
    "jurisdictions": """SELECT idof('place', n) AS id, idof('account', n) AS account, place(n) AS country,
        'sign-ins' AS kind, 'weak' AS strength, true AS routes, 3::BIGINT AS count, 2::BIGINT AS days,
        'signed in from there' AS reason, [idof('login', n)] AS sources FROM range({accounts}) r(n)""",
    "referrals": """SELECT idof('referral', n) AS referral, place(n) AS country, idof('account', n) AS account,
        CASE WHEN n < {persons} AND n % 8 = 0 THEN idof('person', n) END AS person, 1 + drawn(n, 50, 5) AS priority,
        'it paid, and signed in from there' AS reason, []::VARCHAR[] AS flags, place(n) AS package,
        [idof('account', n)] AS sources FROM range({payers}) r(n)""",
    "figures": """SELECT idof('figure', k) AS figure, place(k % {payers}) AS country, place(k % {payers}) AS package,
        ['subjects', 'payments', 'media', 'sign-ins'][1 + drawn(k, 51, 4)] AS section,
        idof('referral', k % {payers}) AS subject, 'a value' AS label, k::VARCHAR AS value, k AS position,
        [idof('referral', k % {payers})] AS sources FROM range({accounts}) r(k)
        UNION ALL SELECT idof('first', c || '/' || k), place(c), place(c), 'summary', place(c), 'line ' || k, '12', k,
        [idof('referral', c)] FROM range(12) r(c), range(20) q(k)""",
    "selectors": """SELECT idof('selector', k) AS selector, 'email' AS kind, 'person' || k || '@example.com' AS value,
        'person' || k || '@example.com' AS canonical, idof('item', k % {media}) AS item, 0::BIGINT AS span_start,
        9::BIGINT AS span_length FROM range({accounts}) r(k)""",
    "deconfliction": """SELECT idof('hit', k) AS hit, 'run-' || k // 200 AS run, 'Agency ' || k // 200 AS peer,
        'REF-' || k % 200 AS peer_reference, ['bitcoin', 'email', 'phone'][1 + k % 3] AS kind,
        'form of ' || k AS form, k % 3 = 2 AS weak, idof('account', k) AS account, sha256('hits') AS exhibit,
        ''::BLOB AS path, k AS "row", [idof('account', k)] AS sources FROM range({hits}) r(k)""",
    "exhibits": """SELECT * FROM (VALUES (sha256('disk'), 'seizure', 'server', 'file', 1000::BIGINT, 1::BIGINT),
        (sha256('toml'), 'settings', 'case.toml', 'file', 10, 1), (sha256('back'), 'return', 'returns', 'file', 10, 1),
        (sha256('chain'), 'chain', 'blocks', 'folder', 10, 9), (sha256('tags'), 'tags', 'a pack', 'file', 10, 1),
        (sha256('hits'), 'deconfliction', 'hits', 'file', 10, 1)) t(exhibit, role, name, form, size, files)""",
    "set_aside": """SELECT idof('aside', k) AS id, 'bench' AS stage, 'items' AS noun, 1::BIGINT AS count,
        ['cut short', 'no such form', 'too deep'][1 + k % 3] AS reason, idof('item', k) AS subject, 'at byte ' || k AS detail
        FROM range({media} // 5) r(k)""",
    "tallies": """SELECT 'bench' AS stage, 'items' AS noun, {media}::BIGINT * 2 AS received, {media}::BIGINT AS done,
        {media}::BIGINT - {media}::BIGINT // 5 AS nothing, {media}::BIGINT // 5 AS set_aside""",
}  # fmt: skip


def sizes(accounts: int) -> dict[str, int]:
    """How many of everything, for so many accounts."""
    return {"accounts": accounts, "payers": accounts // 5, "payments": accounts // 3, "media": accounts * 5 // 26,
            "addresses": accounts * 15 // 13, "transactions": accounts // 2, "persons": accounts // 20,
            "wide": min(1_400, accounts // 20), "hits": min(600, accounts // 20)}  # fmt: skip


def fill(root: Path, accounts: int) -> Case:
    """The case, with its tables sealed."""
    case = Case.create(root, CaseSettings("Operation Glasshouse", "Museum Crimes Unit", "R. Example"))
    folder, runs, parts, of = TableFolder(case.tables), {}, {}, sizes(accounts)
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET temp_directory = '{root}/sorting'")
    connection.execute(SETUP.format(**of))
    for name, sql in ROWS.items():
        part = root / "part.parquet"
        rows = _write(connection, name, sql.format(**of), part)
        sha256 = hashlib.sha256(part.read_bytes()).hexdigest()
        if name in SHARED:
            folder.replace_part(name, "bench", part.read_bytes())
            parts[name] = sha256
        else:
            record = {"file": "part-000000.parquet", "sha256": sha256, "rows": rows, "stage": "bench"}
            run = {"table": name, "format": 1, "stage": "bench", "version": 1, "parts": [record]}
            folder.replace(name, run, [(record["file"], part)])
            runs[name] = hashlib.sha256(run_bytes(run)).hexdigest()
        part.unlink()
    connection.close()
    with case.writing():
        case.ledger.append(("stage done", {"stage": "bench", "runs": runs, "parts": parts}))
    return case


def judge(case: Case, times: int) -> None:
    """Decisions on media, as somebody makes them one after the other."""
    why = "a pattern, and nothing of matter"
    done = [("judgement", {"link": f"media/{_id('item', 2 * n)}", "verdict": ("negative", "positive")[n % 2],
                           "examiner": "R. Example", "why": why}) for n in range(times)]  # fmt: skip
    with case.writing():
        case.ledger.append(*done)


def _id(kind: str, number: int) -> str:
    return f"{kind}-{hashlib.md5(f'{kind}{number}'.encode(), usedforsecurity=False).hexdigest()[:20]}"


def _write(connection: duckdb.DuckDBPyConnection, name: str, sql: str, file: Path) -> int:
    """A table's rows as its stages would lay them down; columns that the statement does not name stay empty."""
    schema, rows = TABLES[name].schema, 0
    with pq.ParquetWriter(file, schema, compression="zstd", version="2.6") as writer:
        for batch in connection.sql(sql).to_arrow_reader(1 << 17):
            found = {n: batch.column(i) for i, n in enumerate(batch.schema.names)}
            columns = [found[f.name].cast(f.type) if f.name in found else pa.nulls(len(batch), f.type) for f in schema]
            writer.write_batch(pa.record_batch(columns, schema), row_group_size=1 << 17)
            rows += len(batch)
    return rows
