"""Blocks: real ones hold, damaged ones say why, and no byte of a file is passed over in silence."""

import bz2
from itertools import pairwise
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.kernels.blockfiles import MASK, Plain, read_frames, read_single, unmask, unpack
from casewright.kernels.blocks import (
    COMMITMENT,
    DamagedBlock,
    compact,
    display,
    merkle_root,
    parse_block,
    parse_transaction,
    sha256d,
    target_of,
    work_of,
)
from casewright.model.bitcoin import NETWORKS
from tests.chain.world import COIN, EASY, MAGIC, Chain, frame, masked, mine, transaction, txid_of
from tests.world import SHARED, needs_shared

MAINNET = NETWORKS["mainnet"].magic
LEAST_WORK = 0x1D00FFFF
RAW = {
    "block-1602407a.blk": 3315, "block169482.dat": 14, "block227835.dat": 122, "block227836.dat": 100,
    "block363703.dat": 587, "block481815.dat": 2097, "block_testnet700000.dat": 4,
}  # fmt: skip


def a_block(*pays: tuple[str, int]) -> bytes:
    chain = Chain()
    chain.mint(*(pays or (("someone", COIN),)))
    return chain.blocks[0]


def plain(raw: bytes) -> Plain:
    return unmask(raw, b"")


@needs_shared
@pytest.mark.parametrize(("name", "count"), RAW.items())
def test_real_raw_blocks_hold_with_the_stated_number_of_transactions(name: str, count: int) -> None:
    found = read_single(plain((SHARED / "bitcoin" / name).read_bytes()), LEAST_WORK)
    assert found
    assert found.block
    assert len(found.block.transactions) == count


@needs_shared
@pytest.mark.parametrize(("name", "count"), [("277647.dat.bz2", 1), ("blocks1-256.bz2", 255)])
def test_real_packed_block_files_hold(name: str, count: int) -> None:
    raw, problem = unpack((SHARED / "bitcoin" / name).read_bytes())
    found = list(read_frames(plain(raw), MAINNET, LEAST_WORK))
    assert not problem
    assert len(found) == count
    assert all(f.block for f in found)
    assert sum(8 + f.length for f in found) == len(raw)


@needs_shared
def test_the_first_256_blocks_follow_each_other() -> None:
    raw, _ = unpack((SHARED / "bitcoin" / "blocks1-256.bz2").read_bytes())
    blocks = [f.block for f in read_frames(plain(raw), MAINNET, LEAST_WORK) if f.block]
    assert all(b.prev == a.hash for a, b in pairwise(blocks))
    assert display(blocks[0].hash) == "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"


@needs_shared
def test_spans_of_real_transactions_are_their_bytes_in_the_file() -> None:
    raw = (SHARED / "bitcoin" / "block481815.dat").read_bytes()
    block = parse_block(raw, LEAST_WORK)
    for tx in block.transactions[::97]:
        assert sha256d(raw[tx.start : tx.start + tx.length]) == tx.wtxid
        assert parse_transaction(raw[tx.start : tx.start + tx.length], 0).txid == tx.txid


def test_a_witness_changes_the_bytes_but_not_the_id() -> None:
    bare = transaction([(b"\x11" * 32, 1)], [("a", 5)])
    signed = transaction([(b"\x11" * 32, 1)], [("a", 5)], witness=True)
    assert parse_transaction(signed, 0).txid == txid_of(bare)
    assert parse_transaction(signed, 0).wtxid == sha256d(signed)


def witness_block(commitment: bytes, reserved: bytes = bytes(32)) -> bytes:
    """A block with one signed transaction, whose coinbase commits to `commitment`."""
    signed = transaction([(b"\x11" * 32, 1)], [("a", 5)], witness=True)
    sealed = COMMITMENT + commitment
    body = b"\x01" + bytes(32) + b"\xff" * 4 + b"\x01x" + b"\xff" * 4
    body += b"\x01" + pack("<Q", 0) + bytes([len(sealed)]) + sealed
    base = pack("<i", 2) + body + bytes(4)
    with_witness = pack("<i", 2) + b"\x00\x01" + body + b"\x01\x20" + reserved + bytes(4)
    return mine(bytes(32), [with_witness, signed], txids=[sha256d(base), parse_transaction(signed, 0).txid])


def test_witness_data_must_be_what_the_coinbase_commits_to() -> None:
    signed = transaction([(b"\x11" * 32, 1)], [("a", 5)], witness=True)
    root, _ = merkle_root([bytes(32), sha256d(signed)])
    assert parse_block(witness_block(sha256d(root + bytes(32)))).transactions[1].witness
    with pytest.raises(DamagedBlock, match="commits to"):
        parse_block(witness_block(b"\x01" * 32))
    raw = bytearray(witness_block(sha256d(root + bytes(32))))
    raw[raw.rindex(b"sig")] ^= 1
    with pytest.raises(DamagedBlock, match="commits to"):
        parse_block(bytes(raw))


def test_a_block_without_work_is_refused() -> None:
    with pytest.raises(DamagedBlock, match="work"):
        parse_block(a_block(), LEAST_WORK)


def test_a_block_that_repeats_transactions_is_refused() -> None:
    base = transaction([(bytes(32), 0xFFFFFFFF)], [("a", 1)])
    other = transaction([(b"\x22" * 32, 0)], [("a", 1)])
    third = transaction([(b"\x33" * 32, 0)], [("a", 1)])
    honest = mine(bytes(32), [base, other, third])
    repeated = honest[:80] + b"\x04" + base + other + third + third
    assert parse_block(honest)
    with pytest.raises(DamagedBlock, match="twice"):
        parse_block(repeated)


def test_more_coins_than_there_can_be_are_refused() -> None:
    with pytest.raises(DamagedBlock, match="satoshis"):
        parse_block(a_block(("a", 21_000_001 * COIN)))


def test_numbers_written_too_long_are_refused() -> None:
    assert compact(b"\xfd\xfd\x00", 0) == (253, 3)
    with pytest.raises(DamagedBlock, match="longer"):
        compact(b"\xfd\x01\x00", 0)


def test_work_doubles_when_the_target_halves() -> None:
    assert work_of(0x1D00FFFF) == 4295032833
    assert target_of(0x1D80FFFF) == 0
    assert target_of(0xFF123456) == 0


@given(st.data())
def test_any_changed_byte_of_a_block_is_found(data: st.DataObject) -> None:
    raw = bytearray(a_block(("a", COIN), ("b", 7), ("data", 0)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = parse_block(bytes(raw))
    except DamagedBlock:
        return
    assert at < 80  # only a header can be changed into another block that holds, by finding work again
    assert changed.hash != parse_block(a_block(("a", COIN), ("b", 7), ("data", 0))).hash


@given(st.binary(max_size=400))
def test_bytes_that_are_no_block_never_raise_anything_else(raw: bytes) -> None:
    with pytest.raises(DamagedBlock):
        parse_block(raw)


@given(st.data())
def test_a_cut_or_changed_file_loses_no_other_block_and_no_byte(data: st.DataObject) -> None:
    blocks = [a_block((f"w{i}", COIN)) for i in range(4)]
    raw = bytearray(b"".join(frame(b) for b in blocks))
    hit = data.draw(st.integers(0, 3))
    start = sum(8 + len(b) for b in blocks[:hit])
    raw[start + data.draw(st.integers(0, 7 + len(blocks[hit])))] ^= data.draw(st.integers(1, 255))
    found = list(read_frames(plain(bytes(raw)), MAGIC))
    whole = {f.block.hash for f in found if f.block}
    assert {sha256d(b[:80]) for i, b in enumerate(blocks) if i != hit} <= whole
    covered = sum(f.length + (8 if f.block else 0) for f in found)
    assert covered == len(raw)


def test_half_a_block_at_the_end_is_named_with_its_offset() -> None:
    first, second = a_block(("a", 1)), a_block(("b", 2))
    raw = frame(first) + frame(second)[: len(second) // 2]
    found = list(read_frames(plain(raw), MAGIC))
    assert [bool(f.block) for f in found] == [True, False]
    assert (found[1].reason, found[1].start) == ("truncated", len(first) + 8)
    assert found[1].start + found[1].length == len(raw)


def test_an_impossible_size_costs_only_its_own_block() -> None:
    first, second = a_block(("a", 1)), a_block(("b", 2))
    for size in (0, 80, 1 << 31, len(first) + len(second) + 9):
        raw = MAGIC + pack("<I", size) + first + frame(second)
        found = list(read_frames(plain(raw), MAGIC))
        assert [bool(f.block) for f in found] == [False, True]


def test_bytes_between_blocks_are_named_and_room_kept_free_is_not() -> None:
    raw = frame(a_block()) + b"rubbish" + frame(a_block(("b", 2))) + bytes(1000)
    found = list(read_frames(plain(raw), MAGIC))
    assert [f.reason for f in found] == ["", "no block", ""]


@pytest.mark.parametrize("size", [0, 1, 7, 8, MASK, MASK + 8, MASK + 9, 3 * MASK + 5])
@pytest.mark.parametrize("key", [bytes(range(1, 9)), bytes(range(1, 8)), b"\x5a"])
def test_a_key_of_any_length_is_taken_off_a_file_of_any_length(size: int, key: bytes) -> None:
    raw = bytes(n * n % 251 for n in range(size))
    found = unmask(bytes(b ^ key[n % len(key)] for n, b in enumerate(raw)), key)
    assert (found.clear, len(found.stored)) == (raw, size)
    assert type(found.clear) is bytes


def test_files_under_an_xor_key_read_the_same_with_the_free_room_masked_or_not() -> None:
    key = bytes.fromhex("0123456789abcdef")
    raw = frame(a_block()) + frame(a_block(("b", 2)))
    for stored in (masked(raw, key) + bytes(500), masked(raw + bytes(500), key)):
        found = list(read_frames(unmask(stored, key), MAGIC))
        assert [bool(f.block) for f in found] == [True, True]


def test_packed_files_are_read_as_far_as_they_can_be_had() -> None:
    raw = b"some bytes " * 1000
    packed = bz2.compress(raw)
    assert unpack(packed + packed) == (raw + raw, "")
    assert unpack(packed[:-5])[1] == "the bzip2 stream ends before its end mark"
    assert "damaged" in unpack(packed[:20] + b"?" + packed[21:])[1]
    assert "more than" in unpack(bz2.compress(bytes(1 << 20)), limit=1000)[1]


def test_the_easiest_work_is_regtests() -> None:
    assert parse_block(a_block(), EASY).bits == EASY
