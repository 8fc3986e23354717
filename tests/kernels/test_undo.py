"""Undo data, as the consensus engine itself writes it, names every spent coin; blocks read there are the engine's."""

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.kernels.blockcolumns import read_columns
from casewright.kernels.blockfiles import Plain, unmask
from casewright.kernels.blocks import DamagedBlock, display, sha256d
from casewright.kernels.undo import amount_of, belongs, parse_undo, undo_frames, varint
from casewright.model.bitcoin import MAX_SATS
from tests.chain.world import MAGIC, frame, read
from tests.kernels.node import Node, a_node

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


def packed(sats: int) -> int:
    """How Core compresses an amount (`compressor.cpp`)."""
    if not sats:
        return 0
    power = 0
    while sats % 10 == 0 and power < 9:
        sats, power = sats // 10, power + 1
    if power == 9:
        return 1 + (sats - 1) * 10 + 9
    return 1 + (sats // 10 * 9 + sats % 10 - 1) * 10 + power


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
