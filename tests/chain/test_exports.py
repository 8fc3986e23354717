"""Exports in the columns of bitcoin-etl and crypto_bitcoin give the chain that the block files give."""

import gzip
import io
import json
from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from casewright.chain.sources import export_rows
from casewright.demo.chain import write_chain
from casewright.demo.operation import build_operation
from casewright.engine.stage import Output
from casewright.kernels.blockfiles import read_frames, unmask
from casewright.kernels.blocks import display
from casewright.model.bitcoin import NETWORKS
from tests.chain.test_blocks import balance, rows
from tests.chain.world import COIN, Chain, read

Tables = Mapping[str, pa.Table]
FLAT = {
    "transactions": """SELECT t.txid AS hash, b.hash AS block_hash, b.height AS block_number, {time} AS block_timestamp,
        t.position AS "index", t.coinbase AS is_coinbase, t.version, t.lock_time
        FROM transactions t JOIN blocks b ON b.hash = t.block WHERE b.state = 'main' ORDER BY t.txid""",
    "inputs": """SELECT txid AS transaction_hash, vin AS "index", prev_txid AS spent_transaction_hash,
        prev_vout AS spent_output_index FROM inputs ORDER BY prev_txid, prev_vout""",
    "outputs": """SELECT txid AS transaction_hash, vout AS "index", sats AS value, address AS addresses,
        script AS script_hex FROM outputs JOIN scripts USING (txid, vout) ORDER BY sats, txid, vout""",
}
INPUT = """{{'index': "index", 'spent_transaction_hash': spent_transaction_hash,
    'spent_output_index': spent_output_index}}"""
OUTPUT = """{{'index': "index", 'value': value, 'script_hex': script_hex, 'addresses': [addresses]}}"""
NESTED = f"""SELECT t.* EXCLUDE "index", i.inputs, o.outputs FROM ({{transactions}}) t
    LEFT JOIN (SELECT transaction_hash AS hash, list({INPUT} ORDER BY "index") AS inputs
        FROM ({{inputs}}) GROUP BY 1) i USING (hash)
    LEFT JOIN (SELECT transaction_hash AS hash, list({OUTPUT} ORDER BY "index") AS outputs
        FROM ({{outputs}}) GROUP BY 1) o USING (hash) ORDER BY hash"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The demo's chain, which a consensus engine accepts, as its block files have it; with every output's script."""
    folder = tmp_path_factory.mktemp("chain")
    write_chain(build_operation(), folder)
    (key,) = folder.rglob("xor.dat")
    files = {p.name: unmask(p.read_bytes(), key.read_bytes()).clear for p in sorted(folder.rglob("blk*.dat"))}
    tables = dict(read(files).tables)
    coins = {
        (display(t.txid), vout): coin.script.hex()
        for raw in files.values() for found in read_frames(unmask(raw, b""), NETWORKS["regtest"].magic) if found.block
        for t in found.block.transactions for vout, coin in enumerate(t.coins)
    }  # fmt: skip
    tables["scripts"] = pa.table(
        {"txid": [t for t, _ in coins], "vout": [v for _, v in coins], "script": coins.values()}
    )
    return tables


def asked(tables: Tables, sql: str) -> pa.Table:
    with duckdb.connect(":memory:") as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def as_csv(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pa.csv.write_csv(table, sink)
    return sink.getvalue()


def as_tsv(table: pa.Table) -> bytes:
    lines = ["\t".join(table.column_names)]
    lines += ["\t".join("" if value is None else str(value) for value in row.values()) for row in table.to_pylist()]
    return "\n".join([*lines, ""]).encode()


def as_json(table: pa.Table) -> bytes:
    return "".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist()).encode()


def flat(tables: Tables, write: Any, ending: str, time: str) -> dict[str, bytes]:
    return {f"{name}.{ending}": write(asked(tables, sql.format(time=time))) for name, sql in FLAT.items()}


def must_be_the_same(output: Output, tables: Tables, in_order: bool = True) -> None:
    for name in ("transactions", "inputs", "outputs"):
        unlike = {"exhibit", "path", "span_start", "span_length", "row"} | (
            set() if in_order else {"position", "transaction", "spends", "holder", "spender"}
        )
        made, wanted = ([str({k: v for k, v in row.items() if k not in unlike}) for row in t.to_pylist()]
                        for t in (output.tables[name], tables[name]))  # fmt: skip
        if not in_order:
            made, wanted = sorted(made), sorted(wanted)
        assert made == wanted, name
    assert {r["state"] for r in rows(output, "blocks")} == {"exported"}
    balance(output)


@pytest.mark.parametrize("time", ["b.time", "epoch(b.time)::BIGINT", "strftime(b.time, '%Y-%m-%d %H:%M:%S UTC')"])
@pytest.mark.parametrize(
    ("write", "ending"), [(parquet, "parquet"), (as_csv, "csv"), (as_tsv, "tsv"), (as_json, "json")]
)
def test_rows_of_their_own_give_the_chain_whatever_their_order(
    known: Tables, write: Any, ending: str, time: str
) -> None:
    output = read(flat(known, write, ending, time))
    must_be_the_same(output, known)
    times = {r["hash"]: r["time"] for r in rows(output, "blocks")}
    assert times == {r["hash"]: r["time"] for r in known["blocks"].to_pylist() if r["state"] == "main"}


def test_versions_and_lock_times_are_told_as_far_as_the_export_tells_them(known: Tables) -> None:
    without = {**FLAT, "transactions": FLAT["transactions"].replace(", t.version, t.lock_time", "")}
    files = {f"{name}.parquet": parquet(asked(known, sql.format(time="b.time"))) for name, sql in without.items()}
    assert {(r["version"], r["lock_time"]) for r in rows(read(files), "transactions")} == {(None, None)}
    odd = "(CASE WHEN t.position = 0 THEN -2 ELSE 1 END) AS version, 4294967295 AS lock_time"
    sql = FLAT["transactions"].replace("t.version, t.lock_time", odd).format(time="b.time")
    told = rows(read({**files, "transactions.parquet": parquet(asked(known, sql))}), "transactions")
    assert {(r["version"], r["lock_time"]) for r in told} == {(4294967294, 4294967295), (1, 4294967295)}
    sql = FLAT["transactions"].replace("t.version", "(2 - (b.height = 3)::INT * 99999999999) AS version")
    told = rows(
        read({**files, "transactions.parquet": parquet(asked(known, sql.format(time="b.time")))}), "transactions"
    )
    blocks = {r["hash"]: r["height"] for r in known["blocks"].to_pylist()}
    assert {blocks[r["block"]] for r in told if r["version"] is None} == {3}


def test_transactions_with_inputs_and_outputs_in_them_and_without_a_position(known: Tables) -> None:
    sql = NESTED.format(**{name: sql.format(time="b.time") for name, sql in FLAT.items()})
    output = read({"part-0.parquet": parquet(asked(known, sql))})
    must_be_the_same(output, known, in_order=False)
    place = {r["txid"]: n for n, r in enumerate(rows(output, "transactions"))}
    assert all(place[r["prev_txid"]] < place[r["txid"]] for r in rows(output, "inputs") if r["prev_txid"] in place)


def test_json_lines_hold_inputs_and_outputs_in_them_as_bitcoin_etl_writes_them(known: Tables) -> None:
    sql = NESTED.format(**{name: sql.format(time="epoch(b.time)::BIGINT") for name, sql in FLAT.items()})
    raw = as_json(asked(known, sql))
    must_be_the_same(read({"transactions.json": raw, "settings.json": b"{}"}), known, in_order=False)
    must_be_the_same(read({"part.jsonl.gz": gzip.compress(raw)}), known, in_order=False)


def test_json_that_is_cut_deep_or_of_changing_kinds_is_named_or_its_blocks_are(known: Tables) -> None:
    sql = NESTED.format(**{name: sql.format(time="epoch(b.time)::BIGINT") for name, sql in FLAT.items()})
    raw = as_json(asked(known, sql))
    coinbases = b'{"hash": "%s", "block_hash": "%s", "inputs": [], "outputs": []}' % (b"ab" * 32, b"cd" * 32)
    for broken in (
        raw[:-9],
        b'{"a":' * 300_000 + b"1" + b"}" * 300_000,
        b"[" * 5_000,
        b'{"hash": 1}\n{"hash": "a"}\n',
        b"\x00" * 99,
        raw[:200] + raw,
        coinbases,
    ):
        output = read({"transactions.json": broken})
        assert output.set_aside, broken[:40]
        balance(output)


def test_a_transaction_says_in_which_row_of_which_file_it_stands(known: Tables) -> None:
    files = flat(known, as_csv, "csv", "b.time")
    lines = files["transactions.csv"].decode().splitlines()
    for row in rows(read({f"etl/{name}": raw for name, raw in files.items()}), "transactions"):
        assert row["txid"] in lines[row["row"]]
        assert (row["path"], row["span_start"]) == (b"etl/transactions.csv", None)


def test_a_block_with_a_value_that_cannot_be_is_set_aside_with_the_row(known: Tables) -> None:
    files = flat(known, as_csv, "csv", "b.time")
    lines = files["outputs.csv"].decode().splitlines()
    hit = lines[5].split(",")
    hit[2] = "9999999999999999999"
    output = read({**files, "outputs.csv": "\n".join([*lines[:5], ",".join(hit), *lines[6:]]).encode()})
    (aside,) = output.set_aside
    assert (aside.noun, aside.reason) == ("blocks", "undecodable")
    assert hit[0].strip('"') in files["transactions.csv"].decode().splitlines()[aside.row or 0]
    assert balance(output)["blocks"][3] == 1


def test_rows_of_no_transaction_and_files_that_are_none_are_named(known: Tables) -> None:
    files = flat(known, parquet, "parquet", "b.time")
    stray = b'"transaction_hash","index","value","addresses"\n"' + b"ab" * 32 + b'",0,5,""\n'
    output = read({**files, "more.csv": stray})
    assert [(a.noun, a.reason) for a in output.set_aside] == [("blocks", "no transaction")]
    for broken in (b"PAR1 and nothing more", files["outputs.parquet"][:-9], b""):
        output = read({**files, "outputs.parquet": broken})
        assert output.set_aside
        balance(output)
    output = read({"prices.csv": b"day,price\n1,2\n"})
    assert "columns of an export" in output.set_aside[0].detail
    balance(output)


def test_a_full_block_without_positions_whose_transactions_each_spend_the_last_is_put_in_order() -> None:
    """As rows come in any order; each spends an unknown coin, too."""
    count = 1_000
    txids = [f"{n * 7919 % count:064x}" for n in range(count)]
    spent = [(f"f{n:063x}", txids[n - 1] if n else "e" * 64) for n in range(count)]
    told = [{"hash": t, "block_hash": "b" * 64, "block_number": 7, "block_timestamp": 5,
             "inputs": [{"index": i, "spent_transaction_hash": prev, "spent_output_index": 0}
                        for i, prev in enumerate(spent[n])],
             "outputs": [{"index": 0, "value": 1, "script_hex": "51"}]} for n, t in enumerate(txids)]  # fmt: skip
    shuffled = sorted(told, key=lambda row: str(row["hash"]))
    output = read({"transactions.json": "".join(json.dumps(row) + "\n" for row in shuffled).encode()})
    assert [row["txid"] for row in rows(output, "transactions")] == txids


@pytest.mark.parametrize("write", [parquet, as_csv])
def test_it_makes_no_difference_how_many_rows_are_read_at_once(
    known: Tables, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "AT_ONCE", 97)
    files = flat(known, write, "csv" if write is as_csv else "parquet", "b.time")
    must_be_the_same(read(files), known)
    text = files.get("transactions.csv", b"").decode().splitlines()
    for row in rows(read(files), "transactions") if text else ():
        assert row["txid"] in text[row["row"]]


def test_a_transaction_that_is_there_twice_counts_once_and_the_other_is_named(known: Tables) -> None:
    files = flat(known, parquet, "parquet", "b.time")
    twice = asked(known, FLAT["transactions"].format(time="b.time")).slice(3, 2)
    output = read({**files, "transactions-more.parquet": parquet(twice)})
    must_be_the_same(output, known)
    (aside,) = output.set_aside
    assert aside.detail.endswith("2 rows of transactions belong to no transaction")


def test_an_export_of_another_network_is_refused_by_its_name(known: Tables) -> None:
    files = flat(known, parquet, "parquet", "b.time")
    output = read(files, network="mainnet")
    assert "addresses of regtest, but case.toml says mainnet" in output.set_aside[0].detail
    assert rows(output, "transactions") == []
    balance(output)


def test_a_block_that_is_there_itself_counts_before_what_an_export_says(known: Tables) -> None:
    chain = Chain()
    chain.pay(chain.mint(("anna", COIN)), ("berta", COIN))
    tables = read({"blk00000.dat": chain.file()}).tables
    scripts = asked(tables, "SELECT txid, vout, NULL::VARCHAR AS script FROM outputs")
    both = {"blk00000.dat": chain.file(), **flat({**tables, "scripts": scripts}, parquet, "parquet", "b.time")}
    output = read(both)
    assert {r["state"] for r in rows(output, "blocks")} == {"main"}
    assert balance(output)["blocks"] == (4, 2, 2, 0)
