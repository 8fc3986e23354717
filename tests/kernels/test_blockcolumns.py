"""The compiled reading of blocks gives what the definition gives: columns of whole blocks, reasons for damaged ones."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.kernels import sha256
from casewright.kernels.blockcolumns import Columns, as_bytes, of_blocks, read_columns, read_runs
from casewright.kernels.blockfiles import Plain, read_frames, unmask, unpack
from casewright.kernels.blocks import COMMITMENT, merkle_root, sha256d
from casewright.kernels.scripts import KINDS, kind_of
from casewright.model.bitcoin import NETWORKS, address_of_script
from tests.chain.world import COIN, MAGIC, Chain, frame, mine, transaction
from tests.kernels.test_blocks import LEAST_WORK, MAINNET, witness_block
from tests.world import SHARED, needs_shared

BASE = transaction([(bytes(32), 0xFFFFFFFF)], [("miner", COIN)])
SIGNED = transaction([(b"\x11" * 32, 1)], [("a", 5)], witness=True)


def must_agree(raw: bytes, magic: bytes = MAGIC, easiest: int = 0x207FFFFF) -> int:
    """Number of whole blocks, which both ways of reading agree on as on all damage."""
    file = Plain(raw, raw)
    slow = list(read_frames(file, magic, easiest))
    columns, damage = read_columns(file, magic, easiest)
    for name, fast, defined in zip(Columns._fields, columns, of_blocks(slow), strict=True):
        assert fast.dtype == defined.dtype
        assert np.array_equal(fast, defined), name
    assert damage == [found for found in slow if not found.block]
    return len(columns.hash)


def in_order(raw: bytes) -> list[int]:
    return [int(r.columns.block_start[0]) if r.damage is None else r.damage.start
            for r in read_runs(unmask(raw, b""), MAGIC)]  # fmt: skip


@needs_shared
@pytest.mark.parametrize("path", sorted((SHARED / "bitcoin").glob("*")), ids=lambda p: p.name)
def test_real_blocks_give_the_same_columns(path: object) -> None:
    raw = (SHARED / "bitcoin" / str(path)).read_bytes()
    raw = unpack(raw)[0] if str(path).endswith(".bz2") else frame(raw, MAINNET)
    assert must_agree(raw, MAINNET, LEAST_WORK) == (255 if "1-256" in str(path) else 1)


@needs_shared
@given(st.data())
def test_a_real_block_with_a_changed_byte_is_refused_for_the_same_reason(data: st.DataObject) -> None:
    raw = bytearray(frame((SHARED / "bitcoin" / "block227836.dat").read_bytes(), MAINNET))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    must_agree(bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) - 1, 1000]))]), MAINNET, LEAST_WORK)


@given(st.data())
def test_damage_anywhere_among_blocks_costs_the_same_blocks_for_the_same_reasons(data: st.DataObject) -> None:
    chain = Chain()
    for number in range(5):
        chain.mint((f"w{number}", COIN), ("data", 0))
    raw = bytearray(chain.file() + frame(witness_block(bytes(32))) + bytes(9))
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    for cut in data.draw(st.lists(st.tuples(st.integers(0, len(raw)), st.integers(1, 90)), max_size=2)):
        del raw[cut[0] : sum(cut)]
    must_agree(bytes(raw))


@given(st.data())
def test_transactions_of_any_bytes_under_a_true_merkle_root_are_judged_alike(data: st.DataObject) -> None:
    parts = [bytearray(t) for t in (BASE, transaction([(b"\x22" * 32, 0)] * 2, [("a", 1), ("key", 2)]), SIGNED)]
    for part in parts:
        if data.draw(st.booleans()):
            part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.sampled_from([0, 1, 2, 0xFD, 0xFE, 0xFF]))
    must_agree(frame(mine(bytes(32), [bytes(p) for p in parts])) + frame(mine(bytes(32), [BASE])))


@pytest.mark.parametrize(
    "bits", [0, 0x1D00FFFF, 0x20800000, 0x217FFFFF, 0x227FFFFF, 0x237FFFFF, 0x02FFFFFF, 0xFF123456]
)
def test_any_claim_of_work_is_judged_alike(bits: int) -> None:
    raw = mine(bytes(32), [BASE])
    for easiest in (0x207FFFFF, 0x227FFFFF):
        must_agree(frame(raw[:72] + bits.to_bytes(4, "little") + raw[76:]), easiest=easiest)


def test_commitments_to_witness_data_are_judged_alike() -> None:
    root, _ = merkle_root([bytes(32), sha256d(SIGNED)])
    whole = witness_block(sha256d(root + bytes(32)))
    assert must_agree(frame(whole)) == 1
    assert must_agree(frame(witness_block(bytes(32)))) == 0
    at = whole.index(COMMITMENT)
    assert must_agree(frame(whole[:at] + b"\x6b" + whole[at + 1 :])) == 0


def test_repeated_transactions_are_judged_alike() -> None:
    other, third = (transaction([(bytes([n]) * 32, 0)], [("a", 1)]) for n in (1, 2))
    honest = mine(bytes(32), [BASE, other, third])
    assert must_agree(frame(honest)) == 1
    assert must_agree(frame(honest[:80] + b"\x04" + BASE + other + third + third)) == 0


def test_runs_and_damage_come_in_the_order_of_the_file() -> None:
    chain = Chain()
    chain.mint(("a", 1))
    chain.mint(("b", 2))
    first, second = map(frame, chain.blocks)
    places = in_order(first + b"rubbish" + second + MAGIC)
    assert places == [8, len(first), len(first) + 7 + 8, len(first) + 7 + len(second)]


@given(st.binary(max_size=70) | st.builds(lambda a, b: a + b, st.sampled_from([b"\x00\x14", b"\x51\x20", b"\x60\x02",
       b"\x76\xa9\x14", b"\xa9\x14", b"\x21", b"\x41", b"\x6a"]), st.binary(min_size=19, max_size=67)))  # fmt: skip
def test_scripts_have_the_kind_that_the_definition_says(script: bytes) -> None:
    for end in (b"", b"\xac", b"\x87", b"\x88\xac", b"\x52\xae"):
        whole = b"\x00" + script + end
        for size in {len(whole) - 1, 20 + 2, 23, 25, 32 + 2, 35, 67}:
            if size < len(whole):
                kind = address_of_script(whole[1 : 1 + size], "mainnet")[1]
                assert KINDS[kind_of(as_bytes(whole), 1, size)] == kind


def test_sums_are_those_of_hashlib_with_openssl_and_without() -> None:
    raw = np.random.default_rng(1).integers(0, 256, 1000, np.uint8).tobytes()
    starts, sizes = np.arange(300), np.arange(300)
    found = sha256.sha256d_many(as_bytes(raw), starts, sizes)
    wanted = [hashlib.sha256(hashlib.sha256(raw[n : 2 * n]).digest()).digest() for n in range(300)]
    assert [f.tobytes() for f in found] == wanted
    assert sha256._holds(sha256._own())
    state = sha256.BEGIN.copy()
    sha256.blocks_slow(state, as_bytes(b"abc\x80" + bytes(59) + b"\x18"))
    assert state.astype(">u4").tobytes() == hashlib.sha256(b"abc").digest()


def test_the_networks_are_told_apart_by_their_magic() -> None:
    chain = Chain()
    chain.mint(("a", 1))
    columns, damage = read_columns(unmask(chain.file(), b""), NETWORKS["signet"].magic)
    assert len(columns.hash) == 0
    assert [d.reason for d in damage] == ["no block"]
