"""The search finds every transaction that matters by the definition, and no other, in blocks that hold."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from casewright.chain.targeted.finds import found_in
from casewright.demo.chain import write_chain
from casewright.demo.operation import build_operation
from casewright.kernels.blockcolumns import Columns, read_columns
from casewright.kernels.blockfiles import Plain, unmask
from casewright.kernels.blocks import merkle_root, sha256d
from casewright.kernels.keys import Keys, matched
from casewright.kernels.targeted import (
    MARKET,
    PAYS,
    TAG,
    Places,
    Searched,
    Sought,
    block_places,
    search,
    why_slow,
)
from casewright.kernels.undo_pairs import Heads, no_undo, undone
from casewright.model.bitcoin import script_of_address
from tests.chain.world import COIN, MAGIC, Chain, frame, script
from tests.kernels.test_blockcolumns import SIGNED
from tests.kernels.test_blocks import LEAST_WORK, MAINNET, witness_block
from tests.kernels.undo_maker import undo_file
from tests.world import SHARED, needs_shared

REGTEST = 0x207FFFFF


def must_find_all(
    raw: bytes, sought: Sought, rev: bytes = b"", magic: bytes = MAGIC, easiest: int = REGTEST, check: bool = True
) -> list[int]:
    """Why each transaction of a file matters, found twice over; `rev`: its undo data."""
    file = Plain(raw, raw)
    columns, damage = read_columns(file, magic, easiest)
    places, unformed = block_places(file, magic, easiest)
    assert places.begin.tolist() == columns.block_start.tolist()
    assert not damage
    assert not unformed
    heads = Heads(columns.prev, columns.time, places.counts[:, 0], places.counts[:, 1])
    undo = undone(Plain(rev, rev), magic, heads) if rev else no_undo(len(places.begin))
    found = search(file, places, undo, rev, sought, easiest, check)
    assert not found.bad
    assert found.digest.tolist() == columns.hash.tolist()
    first = np.cumsum(columns.transactions) - columns.transactions
    whys = np.zeros(len(columns.txid), np.int64)
    whys[first[found.hits.block] + found.hits.position] = found.hits.why
    must_be_read_as_by_the_full_reader(file, places, found, columns, whys > 0)
    assert whys.tolist() == why_slow(
        columns, raw, spent_scripts(columns, raw) if rev else [()] * len(columns.txid), sought
    )
    return whys.tolist()


def must_be_read_as_by_the_full_reader(
    file: Plain, places: Places, found: Searched, columns: Columns, mask: NDArray[np.bool_]
) -> None:
    """What was found is read alone; the full reader, with the other transactions left out, says the same of it."""
    block = np.repeat(np.arange(len(columns.hash)), columns.transactions)
    own = np.unique(block[mask])
    for name, told in found_in(file, places, found)._asdict().items():
        whole = getattr(columns, name)
        if name == "transactions":
            wanted = np.bincount(block[mask])[own]
        elif name in Columns._fields[:7]:
            wanted = whole[own]
        elif name in ("sats", "script", "script_size", "kind"):
            wanted = whole[np.repeat(mask, columns.outputs)]
        else:
            wanted = whole[np.repeat(mask, columns.inputs) if name.startswith("prev") else mask]
        assert told.tolist() == wanted.tolist(), name


def spent_scripts(columns: Columns, raw: bytes) -> list[list[bytes]]:
    """Of each transaction the scripts that it spends."""
    scripts, t, o, i = {}, 0, 0, 0
    for t, count in enumerate(columns.outputs.tolist()):
        for vout in range(count):
            at = int(columns.script[o])
            scripts[columns.txid[t].tobytes(), vout] = raw[at : at + int(columns.script_size[o])]
            o += 1
    found: list[list[bytes]] = []
    for count in columns.inputs.tolist():
        rows = range(i, i + count)
        outputs = [(columns.prev_txid[r].tobytes(), int(columns.prev_vout[r])) for r in rows]
        found.append([scripts[output] for output in outputs if output in scripts])
        i += count
    return found


def marked(scripts: Sequence[bytes], mark: int = MARKET, **more: Keys) -> Sought:
    return Sought(Keys(scripts), np.full(len(scripts), mark, np.uint8), **more)  # type: ignore[arg-type]


@needs_shared
def test_in_real_blocks() -> None:
    for name in ("block481815.dat", "block363703.dat"):
        raw = frame((SHARED / "bitcoin" / name).read_bytes(), MAINNET)
        columns, _ = read_columns(Plain(raw, raw), MAINNET, LEAST_WORK)
        short = np.flatnonzero(columns.script_size <= 42)[::17]
        scripts = {raw[columns.script[o] : columns.script[o] + columns.script_size[o]] for o in short}
        unpaid = [b"\x00\x14" + hashlib.sha256(bytes([n])).digest()[:20] for n in range(200)]
        outputs = np.concatenate([columns.prev_txid, columns.prev_vout.astype("<u4").view(np.uint8).reshape(-1, 4)], 1)
        sought = marked(sorted(scripts) + unpaid, outputs=Keys([o.tobytes() for o in outputs[1::91]]),
                        ids=Keys([t.tobytes() for t in columns.txid[::53]]))  # fmt: skip
        for check in (True, False):
            whys = must_find_all(raw, sought, b"", MAINNET, LEAST_WORK, check)
            assert sum(why & PAYS for why in whys) > 100


def test_on_the_demos_chain_every_deposit_address_has_its_payments(tmp_path: Path) -> None:
    operation = build_operation()
    truth = write_chain(operation, tmp_path)
    (key,) = tmp_path.rglob("xor.dat")
    sought = marked(sorted({script_of_address(a.deposit_address, "regtest") for a in operation.accounts}))
    whys = []
    for path in sorted(tmp_path.rglob("blk*.dat")):
        clear = unmask(path.read_bytes(), key.read_bytes()).clear
        _, damage = read_columns(Plain(clear, clear), MAGIC, REGTEST)
        if not damage:
            whys += must_find_all(clear, sought)
    assert sum(why & PAYS for why in whys) >= len({p.txid for p in truth.paid}) > 0


@given(st.data())
def test_whatever_was_paid_to_whom_and_in_whatever_order_blocks_and_undo_data_stand(data: st.DataObject) -> None:
    chain, names = Chain(), ["anna", "berta", "carla", "p2pkh", "p2sh", "key of dora", "data"]
    coins = chain.mint(*((name, COIN) for name in names))
    for _ in range(data.draw(st.integers(0, 4))):
        taken = data.draw(st.lists(st.sampled_from(coins), min_size=1, max_size=3, unique=True))
        coins += chain.pay(taken, *((n, 5) for n in data.draw(st.lists(st.sampled_from(names), max_size=3))))
    wanted = data.draw(st.lists(st.sampled_from([script(n) for n in names]), unique=True))
    marks = data.draw(st.lists(st.sampled_from([MARKET, TAG, MARKET | TAG]), min_size=7, max_size=7))
    asked = Keys([t + n.to_bytes(4, "little") for t, n in data.draw(st.lists(st.sampled_from(coins), unique=True))])
    ids = Keys(sorted({t for t, _ in data.draw(st.lists(st.sampled_from(coins)))}))
    sought = Sought(Keys(wanted), np.array(marks[: len(wanted)], np.uint8), asked, ids, 100, data.draw(st.booleans()))
    order = data.draw(st.permutations(range(len(chain.blocks))))
    rev = undo_file(chain.blocks, data.draw(st.permutations(order))) if data.draw(st.booleans()) else b""
    must_find_all(b"".join(frame(chain.blocks[n]) for n in order), sought, rev)


def test_more_findings_than_there_was_room_for_at_first() -> None:
    chain = Chain()
    for _ in range(3):
        chain.many([[("anna", 1)]] * 2500)
    whys = must_find_all(chain.file(), marked([script("anna")]))
    assert sum(why & PAYS for why in whys) == 7500


def test_of_tagged_addresses_only_so_many_transactions_count() -> None:
    chain = Chain()
    coins = chain.mint(*[("hot", 5)] * 9)
    for coin in coins:
        chain.pay([coin], ("x", 5))
    raw, rev = chain.file(), undo_file(chain.blocks)
    file = Plain(raw, raw)
    places, _ = block_places(file, MAGIC)
    heads = Heads(read_columns(file, MAGIC)[0].prev, places.begin, places.counts[:, 0], places.counts[:, 1])
    sought = Sought(Keys([script("hot")]), np.array([TAG], np.uint8), most_tagged=4)
    found = search(file, places, undone(Plain(rev, rev), MAGIC, heads), rev, sought, REGTEST)
    assert (len(found.hits.why), found.passed_over) == (4, 5)


def test_a_block_that_does_not_hold_is_named_and_the_others_are_searched() -> None:
    chain = Chain()
    for _ in range(3):
        chain.mint(("anna", 1))
    raw = bytearray(chain.file())
    at = raw.rfind(script("anna"), 0, len(frame(chain.blocks[0])) + len(frame(chain.blocks[1])))
    raw[at + 5] ^= 1
    file = Plain(bytes(raw), bytes(raw))
    places, _ = block_places(file, MAGIC)
    found = search(file, places, no_undo(3), b"", marked([script("anna")]), REGTEST)
    assert (found.bad, found.hits.block.tolist()) == ([1], [0, 2])


def test_witness_data_of_a_block_with_findings_is_checked_in_the_search_and_in_every_round() -> None:
    root, _ = merkle_root([bytes(32), sha256d(SIGNED)])
    whole = witness_block(sha256d(root + bytes(32)))
    spoiled = bytearray(whole)
    spoiled[spoiled.rindex(b"sig")] ^= 1
    paid, spent = marked([script("a")]), Sought(outputs=Keys([b"\x11" * 32 + bytes([1, 0, 0, 0])]))
    for block, sought, bad in ((whole, paid, []), (whole, spent, []), (spoiled, paid, [0]), (spoiled, spent, [0]),
                               (spoiled, marked([b"x"]), [])):  # fmt: skip
        file = Plain(frame(bytes(block)), frame(bytes(block)))
        places, _ = block_places(file, MAGIC, REGTEST)
        for check in (True, False):
            assert search(file, places, no_undo(1), b"", sought, REGTEST, check).bad == bad


@given(st.lists(st.binary(max_size=45), unique=True), st.lists(st.binary(max_size=45)))
def test_keys_are_known_whole_or_not_at_all(keys: list[bytes], others: list[bytes]) -> None:
    asked = [*keys, *others]
    at = np.cumsum([0, *map(len, asked)])
    found = matched(np.frombuffer(b"".join(asked) or b"0", np.uint8), at, Keys(keys))
    assert found.tolist() == [keys.index(k) if k in keys else -1 for k in asked]
