"""The stage `blocks`: which files are read, which branch is the chain, and the balance of it all."""

import bz2
from typing import Any

import pytest

from casewright.engine.stage import Output
from casewright.kernels.blocks import display
from tests.chain.world import COIN, EXHIBIT, Chain, address, frame, masked, mine, name_of, read, transaction
from tests.world import SHARED, needs_shared, rows_of

KEY = bytes.fromhex("0102030405060708")


def balance(output: Output) -> dict[str, tuple[int, int, int, int]]:
    """received, done, nothing, set aside; each checked."""
    sums = {}
    for tally in output.tallies:
        aside = sum(s.count for s in output.set_aside if s.noun == tally.noun)
        assert tally.received == tally.done + tally.nothing + aside, tally
        sums[tally.noun] = (tally.received, tally.done, tally.nothing, aside)
    assert {s.noun for s in output.set_aside} <= sums.keys()
    return sums


def rows(output: Output, table: str) -> list[dict[str, Any]]:
    return rows_of(output.tables[table])


def small() -> tuple[Chain, list[tuple[bytes, int]]]:
    chain = Chain()
    coins = chain.mint(("anna", 5 * COIN), ("key of bob", COIN))
    return chain, chain.pay(coins, ("market", 2 * COIN), ("anna", 3 * COIN), ("data", 0))


def test_every_coin_says_who_holds_it_and_what_spends_it() -> None:
    chain, paid = small()
    output = read({"blk00000.dat": chain.file()})
    coins = {f"{r['txid']}:{r['vout']}": r for r in rows(output, "outputs")}
    assert coins[name_of(paid[0])]["address"] == address("market")
    assert coins[name_of(paid[0])]["spent_by"] is None
    spent = [r for r in rows(output, "outputs") if r["spent_by"] == display(paid[0][0])]
    assert [(r["address"], r["kind"]) for r in spent] == [(address("anna"), "p2wpkh"), (None, "p2pk")]
    assert coins[name_of(paid[2])]["kind"] == "op_return"
    assert balance(output) == {"files": (1, 1, 0, 0), "blocks": (2, 2, 0, 0), "transactions": (3, 3, 0, 0)}


def test_spans_point_at_the_bytes_in_the_file() -> None:
    chain, paid = small()
    raw = chain.file()
    for row in rows(read({"blk00000.dat": raw}), "transactions"):
        piece = raw[row["span_start"] : row["span_start"] + row["span_length"]]
        assert piece[:4] == b"\x02\0\0\0"
        assert (row["exhibit"], row["path"]) == (EXHIBIT, b"blk00000.dat")
        assert row["coinbase"] or row["txid"] == display(paid[0][0])


def test_a_folder_as_core_leaves_it_is_read_whatever_lies_beside_the_blocks() -> None:
    chain, _ = small()
    files = {
        "blocks/blk00000.dat": masked(frame(chain.blocks[1]), KEY) + bytes(100),
        "blocks/blk00001.dat": masked(frame(chain.blocks[0]) + bytes(64), KEY),
        "blocks/rev00000.dat": masked(b"undo", KEY),
        "blocks/xor.dat": KEY,
        "blocks/index/000005.ldb": b"level",
        "blocks/.lock": b"",
        "blocks/blk00002.dat": bytes(50),
    }
    output = read(files)
    assert [(r["height"], r["state"]) for r in rows(output, "blocks")] == [(1, "main"), (2, "main")]
    assert balance(output)["files"] == (7, 2, 5, 0)
    plain = read({"blk00000.dat": chain.file()})
    for table in ("inputs", "outputs"):
        assert rows(output, table) == rows(plain, table)


@pytest.mark.parametrize("key", [b"", b"short", bytes(8), bytes(7) + b"\x01"])
def test_masked_files_without_their_key_are_set_aside_and_say_so(key: bytes) -> None:
    chain, _ = small()
    output = read({"blk00000.dat": masked(chain.file(), KEY), "xor.dat": key})
    assert [s.noun for s in output.set_aside] == ["files"]
    assert "xor.dat" in output.set_aside[0].detail
    assert balance(output)["files"] == (2, 0, 1, 1)


def test_blocks_of_another_network_are_refused_by_its_name() -> None:
    chain, _ = small()
    output = read({"blk00000.dat": chain.file()}, network="mainnet")
    assert "regtest" in output.set_aside[0].detail
    assert rows(output, "blocks") == []
    balance(output)


def test_of_two_branches_the_one_with_more_work_is_the_chain() -> None:
    chain, _ = small()
    rival = [transaction([(bytes(32), 0xFFFFFFFF)], [("rival", COIN)], mark=bytes([n])) for n in range(2)]
    stale = mine(bytes.fromhex(display_of_first(chain))[::-1], [rival[0]])
    longer = Chain(list(chain.blocks), chain.tip, chain.time)
    longer.mint(("late", COIN))
    for order in ([stale, *longer.blocks], [*longer.blocks[::-1], stale]):
        output = read({"blk00000.dat": b"".join(frame(b) for b in order)})
        states = [(r["height"], r["state"]) for r in rows(output, "blocks")]
        assert states == [(1, "main"), (2, "main"), (2, "stale"), (3, "main")]
        assert address("rival") not in {r["address"] for r in rows(output, "outputs")}
        assert balance(output)["blocks"] == (4, 3, 1, 0)
        assert balance(output)["transactions"] == (5, 4, 1, 0)


def display_of_first(chain: Chain) -> str:
    return str(rows(read({"blk00000.dat": frame(chain.blocks[0])}), "blocks")[0]["hash"])


def test_a_branch_of_equal_work_is_chosen_by_content_not_by_order() -> None:
    pair = [mine(Chain().tip, [transaction([(bytes(32), 0xFFFFFFFF)], [(n, COIN)])]) for n in ("one", "two")]
    results = [rows(read({"blk00000.dat": b"".join(map(frame, o))}), "outputs") for o in (pair, pair[::-1])]
    assert results[0] == results[1]
    assert len(results[0]) == 1


def test_a_block_without_ancestors_is_used_without_a_height() -> None:
    chain, paid = small()
    output = read({"one.blk": chain.blocks[1]})
    assert [(r["height"], r["state"]) for r in rows(output, "blocks")] == [(None, "unconnected")]
    assert display(paid[0][0]) in {r["txid"] for r in rows(output, "transactions")}


def test_the_same_blocks_given_twice_count_once() -> None:
    chain, _ = small()
    output = read({"blk00000.dat": chain.file(), "copy/blk00000.dat": chain.file(), "x.blk": chain.blocks[0]})
    assert balance(output) == {"files": (3, 3, 0, 0), "blocks": (5, 2, 3, 0), "transactions": (7, 3, 4, 0)}
    assert len(rows(output, "transactions")) == 3


def test_a_damaged_block_is_set_aside_with_file_offset_and_reason() -> None:
    chain, _ = small()
    raw = bytearray(chain.file())
    raw[8 + 100] ^= 1
    output = read({"blk00000.dat": bytes(raw)})
    (aside,) = output.set_aside
    assert (aside.noun, aside.reason, aside.span_start) == ("blocks", "bad merkle root", 0)
    assert aside.subject == f"{EXHIBIT}/0"
    assert "blk00000.dat" in aside.detail
    assert [r["state"] for r in rows(output, "blocks")] == ["unconnected"]
    assert balance(output)["blocks"] == (2, 1, 0, 1)


def test_a_damaged_raw_block_is_a_damaged_block() -> None:
    raw = bytearray(small()[0].blocks[1])
    raw[-1] ^= 1
    output = read({"x.blk": bytes(raw)})
    assert [s.noun for s in output.set_aside] == ["blocks"]
    balance(output)


def test_packed_files_are_read_and_their_path_says_so() -> None:
    chain, _ = small()
    packed = bz2.compress(chain.file())
    output = read({"old/blk00000.dat.bz2": packed, "raw.dat.bz2": bz2.compress(chain.blocks[0])})
    assert {r["path"] for r in rows(output, "blocks")} == {b"old/blk00000.dat.bz2!/blk00000.dat"}
    cut = read({"blk00000.dat.bz2": packed[: len(packed) - 12]})
    assert cut.set_aside[0].reason == "unreadable"
    balance(cut)


@pytest.mark.parametrize("name", ["notes.dat", "picture.blk", "blk00000.dat", "x.bz2"])
def test_files_that_hold_no_blocks_are_set_aside(name: str) -> None:
    output = read({name: b"these are not the blocks you are looking for" * 9})
    assert balance(output)["files"] == (1, 0, 0, 1)


def test_exports_of_a_form_that_is_not_read_are_not_passed_over() -> None:
    output = read({"outputs.avro": b"Obj\x01", "empty.dat": b""})
    assert balance(output)["files"] == (2, 0, 1, 1)
    assert output.set_aside[0].reason == "not supported"


@needs_shared
def test_real_blocks_of_mainnet_make_balanced_tables() -> None:
    names = ("blocks1-256.bz2", "block227835.dat", "block227836.dat", "277647.dat.bz2", "block363703.dat")
    output = read({n: (SHARED / "bitcoin" / n).read_bytes() for n in names}, network="mainnet")
    blocks = rows(output, "blocks")
    assert [r["height"] for r in blocks[:255]] == list(range(1, 256))
    assert [r["state"] for r in blocks[255:]] == ["unconnected"] * 4
    assert balance(output)["blocks"] == (259, 259, 0, 0)
    assert len(rows(output, "transactions")) == sum(r["transactions"] for r in blocks)
    kinds = {r["kind"] for r in rows(output, "outputs")}
    assert {"p2pk", "p2pkh", "p2sh"} <= kinds
