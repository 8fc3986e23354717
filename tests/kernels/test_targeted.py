"""The quick first answer finds every deposit and every spend that the full reading finds, and no other."""

import hashlib
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from casewright.demo.chain import write_chain
from casewright.demo.operation import build_operation
from casewright.kernels.blockcolumns import read_columns
from casewright.kernels.blockfiles import Plain, unmask
from casewright.kernels.targeted import Hits, Keys, block_places, deposits, spends
from casewright.model.bitcoin import NETWORKS, script_of_address
from tests.chain.world import COIN, MAGIC, Chain, frame, script, transaction
from tests.kernels.test_blocks import LEAST_WORK, MAINNET, witness_block
from tests.world import SHARED, needs_shared

Outputs = set[tuple[bytes, int, int, int]]


def must_find_all(raw: bytes, scripts: list[bytes], magic: bytes = MAGIC, easiest: int = 0x207FFFFF) -> int:
    """Number of deposits, found twice over, with all that spends them."""
    file = Plain(raw, raw)
    columns, _ = read_columns(file, magic, easiest)
    of = np.repeat(np.arange(len(columns.txid)), columns.outputs)
    place = np.arange(len(of)) - np.repeat(np.cumsum(columns.outputs) - columns.outputs, columns.outputs)
    ends = columns.script + columns.script_size
    wanted = {s: n for n, s in enumerate(scripts)}
    full = {
        (columns.txid[t].tobytes(), int(v), int(sats), wanted[raw[a:b]])
        for t, v, sats, a, b in zip(of, place, columns.sats, columns.script, ends, strict=True)
        if raw[a:b] in wanted
    }
    places = block_places(file, magic, easiest)
    found = deposits(file, places, Keys(scripts))
    assert set(told(found)) == full
    outputs = sorted({(t, v) for t, v, _, _ in full})
    keys = Keys([t + v.to_bytes(4, "little") for t, v in outputs])
    spender = np.repeat(np.arange(len(columns.txid)), columns.inputs)
    pairs = zip(columns.prev_txid, columns.prev_vout, spender, strict=True)
    spent = [
        (columns.txid[t].tobytes(), (p.tobytes(), int(v))) for p, v, t in pairs if (p.tobytes(), int(v)) in set(outputs)
    ]
    by = spends(file, places, keys)
    assert sorted((t.tobytes(), outputs[k]) for t, k in zip(by.txid, by.what, strict=True)) == sorted(spent)
    for hits in (found, by):
        for txid, start, length in zip(hits.txid, hits.start, hits.length, strict=True):
            row = columns.start.tolist().index(start)
            assert (columns.txid[row].tobytes(), columns.length[row]) == (txid.tobytes(), length)
    return len(full)


def told(hits: Hits) -> list[tuple[bytes, int, int, int]]:
    numbers = (hits.place.tolist(), hits.sats.tolist(), hits.what.tolist())
    return [(t.tobytes(), v, s, k) for t, v, s, k in zip(hits.txid, *numbers, strict=True)]


@needs_shared
def test_in_real_blocks() -> None:
    for name in ("block481815.dat", "block363703.dat"):
        raw = frame((SHARED / "bitcoin" / name).read_bytes(), MAINNET)
        columns, _ = read_columns(Plain(raw, raw), MAINNET, LEAST_WORK)
        short = np.flatnonzero(columns.script_size <= 42)[::17]
        scripts = {raw[columns.script[o] : columns.script[o] + columns.script_size[o]] for o in short}
        unpaid = [b"\x00\x14" + hashlib.sha256(bytes([n])).digest()[:20] for n in range(200)]
        assert must_find_all(raw, sorted(scripts) + unpaid, MAINNET, LEAST_WORK) >= len(scripts)


def test_on_the_demos_chain_every_deposit_address_has_its_payments(tmp_path: Path) -> None:
    operation = build_operation()
    truth = write_chain(operation, tmp_path)
    (key,) = tmp_path.rglob("xor.dat")
    scripts = [script_of_address(a.deposit_address, "regtest") for a in operation.accounts]
    found = 0
    for path in sorted(tmp_path.rglob("blk*.dat")):
        found += must_find_all(unmask(path.read_bytes(), key.read_bytes()).clear, scripts)
    assert found >= len(truth.paid) > 0


@given(st.data())
def test_whatever_was_paid_to_whom(data: st.DataObject) -> None:
    chain, names = Chain(), ["anna", "berta", "key of carla", "data"]
    coins = chain.mint(*((name, COIN) for name in names))
    for _ in range(data.draw(st.integers(0, 4))):
        taken = data.draw(st.lists(st.sampled_from(coins), min_size=1, max_size=3, unique=True))
        coins += chain.pay(taken, *((n, 5) for n in data.draw(st.lists(st.sampled_from(names), max_size=3))))
    wanted = data.draw(st.lists(st.sampled_from([script(n) for n in names]), unique=True))
    order = data.draw(st.permutations(chain.blocks))
    must_find_all(b"".join(map(frame, order)) + frame(witness_block(bytes(32)))[:90], wanted)


def test_more_findings_than_there_was_room_for_at_first() -> None:
    chain = Chain()
    for _ in range(3):
        chain.mint(*[("anna", 1)] * 3000)
    assert must_find_all(chain.file(), [script("anna")]) == 9000


def test_signed_transactions_have_the_id_without_their_witness() -> None:
    signed = transaction([(b"\x11" * 32, 1)], [("a", 5)], witness=True)
    raw = frame(witness_block(bytes(32)))
    file = Plain(raw, raw)
    (hit,) = deposits(file, block_places(file, NETWORKS["regtest"].magic), Keys([script("a")])).txid
    assert hit.tobytes() == hashlib.sha256(hashlib.sha256(bare(signed)).digest()).digest()


def bare(signed: bytes) -> bytes:
    return signed[:4] + signed[6:-9] + signed[-4:]
