"""Exports in the columns of bitcoin-etl and crypto_bitcoin give the chain that the block files give."""

import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.chain.sources import export_rows
from casewright.chain.sources.export_arrays import SPENT, Export
from casewright.chain.sources.export_columns import NONE
from casewright.demo.chain import write_chain
from casewright.demo.operation import build_operation
from casewright.engine.stage import Output
from casewright.kernels.blockfiles import read_frames, unmask
from casewright.kernels.blocks import display
from casewright.kernels.depths import CIRCLE, depths
from casewright.kernels.packing import script_keys
from casewright.kernels.runs import starts
from casewright.model.bitcoin import NETWORKS
from tests.chain import export_definition as definition
from tests.chain.export_definition import plain
from tests.chain.test_blocks import balance, rows
from tests.chain.world import COIN, Chain, address, read, script
from tests.world import context

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


HEX = [None, "", "ab" * 32, "AB" * 32, "ab" * 31 + "zz", "ab" * 33, "0x" + "ab" * 31, "é" * 32]
NUMBERS = [None, "", "7", "-3", "007", "+5", " 9 ", "1e3", "2.5", "12345678901234567", "9999999999999999999", "x", "-"]
TIMES = [None, "", "1231731025", "2009-01-12 03:30:25 UTC", "2009-01-12 03:30:25", "2009-02-30 00:00:00 UTC", "soon",
         "2009-01-12T03:30:25Z", "2009-01-12 03:30:25.75"]  # fmt: skip
SCRIPTS = [None, "", "51", "0014" + "Ab" * 20, "abc", "zz", "6a" + "00" * 300]
IN, OUT = ("transaction_hash", "index", SPENT, "spent_output_index"), (
    "transaction_hash", "index", "value", "script_hex", "addresses")  # fmt: skip
ADDRESSES = [None, "", address("anna"), f"['{address('anna')}', 'x']", "short"]


def told(values: list[Any], count: int, kind: pa.DataType | None = None) -> pa.Array:
    return pa.array([values[row % len(values)] for row in range(count)], kind or pa.string())


def odd_exports() -> Iterator[tuple[str, pa.Table]]:
    """Tables with values of every form that stands in a file, and with some that do not."""
    for kind in (pa.string(), pa.int64(), pa.float64(), pa.decimal128(20, 1), pa.uint64(), pa.bool_()):
        number = told(NUMBERS, 97) if kind == pa.string() else told([None, 0, 1], 97, pa.int32()).cast(kind)
        ids, spent = told(HEX, 97), told(HEX[::-1], 97)
        yield "inputs", pa.table([ids, number, spent, number], names=IN)
        yield "outputs", pa.table([ids, number, number, told(SCRIPTS, 97), told(ADDRESSES, 97)], names=OUT)
    when = datetime(2009, 1, 12, 3, 30, 25)
    later = when.replace(microsecond=750_000)
    stamps = [told([when, None], 97, pa.timestamp("us")), told([when], 97, pa.timestamp("us", "UTC")),
              told([later, None, when], 97, pa.timestamp("ms")), told([7, None], 97, pa.int32())]  # fmt: skip
    for time in (*stamps, told(TIMES, 97), told(TIMES[:3], 97), told(TIMES[3:5], 97)):
        own = pa.table({"hash": told(HEX, 97), "block_hash": told(HEX[::-1], 97), "block_number": told(NUMBERS, 97),
                        "block_timestamp": time, "version": told([2, -2, 1 << 40, None], 97, pa.int64())})  # fmt: skip
        yield "transactions", own
        spends = [{"index": 0, SPENT: None}, None], [{"index": 0, SPENT: "AB" * 32, "spent_output_index": 1}] * 2
        pays = [{"index": 0, "value": 5, "addresses": [address("anna"), "x"]}, None]
        inputs = pa.array([[None, [], *spends][row % 4] for row in range(97)])
        outputs = pa.array([[None, [], pays][row % 3] for row in range(97)])
        yield "transactions", own.append_column("inputs", inputs).append_column("outputs", outputs)


def test_every_form_of_a_value_means_what_the_definition_says() -> None:
    for kind, table in odd_exports():
        export = Export("regtest", context())
        export.add(kind, [(table.slice(0, 50), np.arange(50)), (table.slice(50), np.arange(50, len(table)))])
        for name, defined in plain(kind, table, context()).items():
            made, wanted = export.take(name), defined.to_pylist()
            txids = [raw[::-1].tobytes().hex() for raw in made.txid[made.known]]
            assert txids == [row["txid"] for row in wanted if row["txid"] is not None]
            assert made.known.tolist() == [row["txid"] is not None for row in wanted]
            COMPARED[name](made, wanted, {number: text for text, number in export.blocks.items()})


def same_transactions(made: Any, wanted: list[dict[str, Any]], blocks: Mapping[int, str]) -> None:
    assert [blocks.get(code) for code in made.block.tolist()] == [row["block"] for row in wanted]
    assert made.row.tolist() == list(range(len(wanted)))
    for column in ("number", "time", "position", "version", "lock_time"):
        values = [None if value == NONE else value for value in getattr(made, column).tolist()]
        assert values == [row[column] for row in wanted], column


def same_inputs(made: Any, wanted: list[dict[str, Any]], _: Mapping[int, str]) -> None:
    same_places(made, wanted)
    holding = [row for row in wanted if row["prev_txid"] is not None and row["prev_vout"] is not None]
    assert made.holds.tolist() == [row in holding for row in wanted]
    assert [raw[::-1].tobytes().hex() for raw in made.prev_txid[made.holds]] == [row["prev_txid"] for row in holding]
    assert made.prev_vout[made.holds].tolist() == [row["prev_vout"] % (1 << 32) for row in holding]


def same_outputs(made: Any, wanted: list[dict[str, Any]], _: Mapping[int, str]) -> None:
    same_places(made, wanted)
    assert made.sats.tolist() == [-1 if row["sats"] is None else row["sats"] for row in wanted]
    scripts = [row["script"] if row["script"] is not None else paid(row["address"]) for row in wanted]
    at = starts(np.array([*map(len, scripts)]))
    sizes, keys = script_keys(b"".join(scripts), at[:-1], np.diff(at))
    assert made.keys.to_pylist() == [keys[a:b].tobytes() for a, b in pairwise(starts(sizes).tolist())]


def same_places(made: Any, wanted: list[dict[str, Any]]) -> None:
    places = [row["place"] for row in wanted]
    assert made.place.tolist() == [-1 if p is None or not 0 <= p < 1 << 30 else p for p in places]


COMPARED = {"transactions": same_transactions, "inputs": same_inputs, "outputs": same_outputs}


def paid(address: str | None) -> bytes:
    return script("anna") if address and len(address) > 14 else b""


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_how_deep_payments_stand_is_what_the_definition_says(pairs: list[tuple[int, int]]) -> None:
    ordered = [(max(pair), min(pair)) for pair in pairs if pair[0] != pair[1]]
    later, earlier = (np.array([pair[side] for pair in ordered], np.int64) for side in (0, 1))
    assert depths(later, earlier, 31).tolist() == definition.depths(later, earlier, 31).tolist()


def test_what_spends_itself_in_a_circle_comes_last_and_holds_nobody_up() -> None:
    later, earlier = np.array([1, 2, 3, 4]), np.array([0, 3, 2, 3])
    assert depths(later, earlier, 5).tolist() == [0, 1, CIRCLE, CIRCLE, CIRCLE]
