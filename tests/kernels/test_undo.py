"""Undo data, as the consensus engine itself writes it, names every spent coin; blocks read there are the engine's."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.kernels.blockcolumns import Columns, read_columns
from casewright.kernels.blockfiles import Plain, unmask
from casewright.kernels.blocks import DamagedBlock, display, sha256d
from casewright.kernels.undo import Spent, SpentCoin, Undo, amount_of, belongs, parse_undo, undo_frames, varint
from casewright.kernels.undo_columns import SpentCoins, read_undo
from casewright.kernels.undo_pairs import Heads, Undone, undone
from casewright.model.bitcoin import MAX_SATS
from tests.chain.world import MAGIC, frame, read
from tests.kernels.node import Node, a_node
from tests.kernels.undo_maker import packed, written

G_X = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
G_Y = bytes.fromhex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")
"""The generator of secp256k1 (SEC 2): a public key that everybody knows."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with a_node(tmp_path_factory.mktemp("node")) as made:
        yield made


def test_blocks_that_the_engine_wrote_have_the_ids_values_and_scripts_that_it_says(node: Node) -> None:
    file = node.file("blk00000.dat")
    columns, damage = read_columns(file, MAGIC)
    assert not damage
    told, t, o = {}, 0, 0
    for digest, count in zip(columns.hash, columns.transactions, strict=True):
        own = []
        for _ in range(count):
            rows = range(o, o + int(columns.outputs[t]))
            coins = [(int(columns.sats[r]), columns.script[r], columns.script_size[r]) for r in rows]
            own.append((display(columns.txid[t].tobytes()), [(s, file.clear[a : a + n]) for s, a, n in coins]))
            t, o = t + 1, rows.stop
        told[display(digest.tobytes())] = own
    assert {name: told[name] for name in node.hashes} == node.transactions


def test_the_folder_that_the_engine_wrote_gives_the_chain_that_it_follows(node: Node) -> None:
    files = {p.name: p.read_bytes() for p in sorted(node.folder.iterdir()) if p.is_file()}
    rows = read(files).tables["blocks"].to_pylist()
    assert [r["hash"] for r in rows if r["state"] == "main"] == list(node.hashes)


def test_undo_data_names_every_coin_that_the_engine_says_is_spent(node: Node) -> None:
    file = node.file("rev00000.dat")
    frames = list(undo_frames(file, MAGIC))
    assert not any(undo.reason for undo in frames)
    pairs = {name: bytes.fromhex(prev)[::-1] for prev, name in zip(node.hashes, node.hashes[1:], strict=False)}
    found = {}
    for name, prev in pairs.items():
        (undo,) = [u for u in frames if belongs(file, u, prev)]
        found[name] = parse_undo(file.clear[undo.start : undo.start + undo.length])
    assert found == node.spent
    assert sum(len(t) for spent in found.values() for t in spent) > 200


@given(st.integers(0, MAX_SATS) | st.integers(0, 21_000_000).map(lambda coins: coins * 10**8))
def test_amounts_come_out_as_they_went_in(sats: int) -> None:
    assert amount_of(packed(sats)) == sats


def test_numbers_of_seven_bits_a_byte() -> None:
    known = {b"\x00": 0, b"\x7f": 127, b"\x80\x00": 128, b"\x80\x7f": 255, b"\x81\x00": 256, b"\xfe\x7f": 16383,
             b"\xff\x00": 16384, b"\xff\x7f": 16511, b"\x82\xfe\x7f": 65535,
             b"\x8e\xfe\xfe\xff\x00": 1 << 32}  # fmt: skip
    assert {raw: varint(raw, 0)[0] for raw in known} == known
    with pytest.raises(DamagedBlock):
        varint(b"\xff" * 11, 0)


@pytest.mark.parametrize(("form", "script"), [
    (2, b"\x21\x02" + G_X + b"\xac"), (3, b"\x21\x03" + G_X + b"\xac"), (4, b"\x41\x04" + G_X + G_Y + b"\xac"),
])  # fmt: skip
def test_scripts_that_pay_to_a_key_are_written_out(form: int, script: bytes) -> None:
    ((coin,),) = parse_undo(b"\x01\x01" + b"\x00" + b"\x00" + bytes([form]) + G_X)
    assert coin.script == script


def test_the_other_half_of_a_key_and_what_is_no_key() -> None:
    ((coin,),) = parse_undo(b"\x01\x01\x00\x00\x05" + G_X)
    assert coin.script[:34] == b"\x41\x04" + G_X[:32]
    assert coin.script[65] & 1 == 1
    with pytest.raises(DamagedBlock, match="curve"):
        parse_undo(b"\x01\x01\x00\x00\x05" + b"\xff" * 32)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_undo_data_never_raise_anything_else(raw: bytes) -> None:
    with contextlib.suppress(DamagedBlock):
        parse_undo(raw)


@given(st.data())
def test_no_byte_of_a_file_of_undo_data_is_passed_over_in_silence(data: st.DataObject) -> None:
    body = [b"\x00", b"\x01\x01\x00\x00\x0aabcd", b"\x00"]
    raw = bytearray(b"".join(frame(u) + sha256d(bytes(32) + u) for u in body))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    frames = list(undo_frames(Plain(bytes(raw), bytes(raw)), MAGIC))
    assert sum(u.length + (0 if u.reason else 8 + 32) for u in frames) == len(raw)
    assert unmask(bytes(raw), b"").clear == raw


def as_told(made: SpentCoins, clear: bytes, frame: int) -> Spent:
    """One frame of the compiled twin as the definition says it."""
    transaction = int(made.transactions[:frame].sum())
    coin, told = int(made.coins[:transaction].sum()), []
    for count in made.coins[transaction : transaction + made.transactions[frame]].tolist():
        rows, coin = range(coin, coin + count), coin + count
        told.append(tuple(
            SpentCoin(int(made.height[r]), bool(made.coinbase[r]), int(made.sats[r]), made.script(r, clear))
            for r in rows
        ))  # fmt: skip
    return tuple(told)


@st.composite
def coins(draw: st.DrawFn) -> bytes:
    code, sats = draw(st.integers(0, 2_000_000)), draw(st.integers(0, MAX_SATS) | st.sampled_from([0, 1, 5 * 10**9]))
    form = draw(st.integers(0, 5) | st.integers(6, 60))
    script = G_X if 1 < form < 6 else draw(st.binary(min_size=20, max_size=20)) if form < 2 else bytes(form - 6)
    return written(code) + (b"\x00" if code > 1 else b"") + written(packed(sats)) + written(form) + script


@given(st.lists(st.lists(st.lists(coins(), max_size=3), max_size=3) | st.binary(max_size=40), max_size=5))
def test_the_compiled_twin_says_what_the_definition_says(frames: list[list[list[bytes]] | bytes]) -> None:
    raws = [f if isinstance(f, bytes) else bytes([len(f)]) + b"".join(bytes([len(t)]) + b"".join(t) for t in f)
            for f in frames]  # fmt: skip
    clear, at, places = b"".join(raws), 0, []
    for raw in raws:
        places.append(Undo(at, len(raw), b""))
        at += len(raw)
    made, damage = read_undo(Plain(clear, clear), places)
    for number, raw in enumerate(raws):
        told = outcome(raw)
        if number in damage:
            assert told == (damage[number].reason, str(damage[number])) or damage[number].reason == "impossible height"
        elif told[:1] == ("undecodable",):  # a key that is none comes to light when its script is asked for
            with pytest.raises(DamagedBlock, match="curve"):
                as_told(made, clear, number)
        else:
            assert as_told(made, clear, number) == told


def outcome(raw: bytes) -> Any:
    """What the definition says, or its reason why not."""
    try:
        return parse_undo(raw)
    except DamagedBlock as problem:
        return problem.reason, str(problem)


def heads(columns: Columns) -> Heads:
    inputs = np.add.reduceat(columns.inputs, np.cumsum(columns.transactions) - columns.transactions)
    return Heads(columns.prev, columns.time, columns.transactions, inputs)


def told_of(found: Undone, columns: Columns, block: int, clear: bytes) -> Spent:
    first = np.cumsum(found.coins.transactions) - found.coins.transactions
    (frame,) = np.flatnonzero((first == found.first[block]) & (found.coins.transactions > 0))
    return as_told(found.coins, clear, int(frame))


def test_in_whatever_order_undo_data_stands_each_block_gets_its_own(node: Node) -> None:
    columns, _ = read_columns(node.file("blk00000.dat"), MAGIC)
    file = node.file("rev00000.dat")
    frames = [file.clear[u.start - 8 : u.start + u.length + 32] for u in undo_frames(file, MAGIC)]
    for order in (frames, frames[::-1], frames[70:] + frames[:70]):
        raw = b"".join(order)
        found = undone(Plain(raw, raw), MAGIC, heads(columns))
        assert not found.aside
        assert found.frames == len(frames)
        names = [display(digest.tobytes()) for digest in columns.hash]
        spent = {n: told_of(found, columns, b, raw) for b, n in enumerate(names) if found.first[b] >= 0}
        assert spent == {name: coins for name, coins in node.spent.items() if coins}


def test_undo_data_that_is_cut_or_flipped_is_set_aside_and_costs_its_own_block_only(node: Node) -> None:
    columns, _ = read_columns(node.file("blk00000.dat"), MAGIC)
    clear = node.file("rev00000.dat").clear
    last = list(undo_frames(node.file("rev00000.dat"), MAGIC))[-1]
    clear = clear[: last.start + last.length + 32]
    whole = undone(Plain(clear, clear), MAGIC, heads(columns))
    (block, *_) = np.flatnonzero(whole.first >= 0)
    (frame,) = [u for u in undo_frames(Plain(clear, clear), MAGIC)
                if belongs(Plain(clear, clear), u, columns.prev[block].tobytes())]  # fmt: skip
    flipped = bytearray(clear)
    flipped[frame.start + frame.length - 3] ^= 1
    found = undone(Plain(bytes(flipped), bytes(flipped)), MAGIC, heads(columns))
    assert [(a.start, a.reason) for a in found.aside] == [(frame.start, "no block")]
    assert found.first[block] == -1
    assert (found.first >= 0).sum() == (whole.first >= 0).sum() - 1
    cut = undone(Plain(clear[:-1], clear[:-1]), MAGIC, heads(columns))
    assert [a.reason for a in cut.aside] == ["truncated"]


def test_two_blocks_that_look_alike_after_one_block_have_no_undo_data_rather_than_each_others(node: Node) -> None:
    columns, _ = read_columns(node.file("blk00000.dat"), MAGIC)
    file, own = node.file("rev00000.dat"), heads(columns)
    (block, *_) = np.flatnonzero(own.transactions > 1)
    doubled = Heads(*(np.concatenate([column, column[block : block + 1]]) for column in vars(own).values()))
    found = undone(file, MAGIC, doubled)
    assert (found.first[block], found.first[-1]) == (-1, -1)
    assert [a.reason for a in found.aside] == ["no block"]


@given(st.binary(max_size=300))
def test_a_file_that_holds_anything_else_gives_reasons_only(raw: bytes) -> None:
    one = np.ones(1, np.int64)
    found = undone(Plain(raw, raw), MAGIC, Heads(np.zeros((1, 32), np.uint8), one, one, one))
    assert found.first.tolist() == [-1]
    assert found.frames == len(list(undo_frames(Plain(raw, raw), MAGIC)))
