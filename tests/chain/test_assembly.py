"""The chain by columns is the chain row by row; what a child sends that does not fit together is no block."""

import bz2
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.chain import segments
from casewright.chain.assembly import is_sound
from casewright.chain.reading import EASIEST, packed_blocks
from casewright.demo.chain import write_chain
from casewright.demo.operation import build_operation
from casewright.kernels.blockcolumns import read_columns
from casewright.kernels.blockfiles import read_frames, read_single, unmask
from casewright.kernels.joining import Holders
from casewright.kernels.packing import script_keys
from casewright.kernels.runs import starts
from casewright.model.bitcoin import NETWORKS
from tests.chain.definition import WRITES, Stored, tables_of
from tests.chain.world import COIN, EXHIBIT, MAGIC, Chain, frame, mine, read, transaction
from tests.world import SHARED, needs_shared


def must_agree(files: dict[str, bytes], network: str = "regtest") -> dict[str, pa.Table]:
    found = [stored for name, raw in files.items() for stored in slowly(name.encode(), raw, network)]
    defined, made = tables_of(found, network), read(files, network).tables
    for name in WRITES:
        assert made[name].to_pylist() == defined[name].to_pylist(), name
    return dict(made)


def slowly(path: bytes, raw: bytes, network: str) -> list[Stored]:
    if path.endswith(b".bz2"):
        path, raw = path + b"!/" + path.removesuffix(b".bz2"), bz2.decompress(raw)
    magic, easiest, plain = NETWORKS[network].magic, EASIEST[network], unmask(raw, b"")
    single = None if raw.startswith(magic) else read_single(plain, easiest)
    found = [single] if single else read_frames(plain, magic, easiest)
    return [Stored(f.block, EXHIBIT, path, f.start) for f in found if f.block]


@needs_shared
def test_real_blocks_of_mainnet_give_the_same_tables() -> None:
    names = ("blocks1-256.bz2", "block227835.dat", "block227836.dat", "277647.dat.bz2", "block363703.dat",
             "block481815.dat", "block169482.dat")  # fmt: skip
    made = must_agree({n: (SHARED / "bitcoin" / n).read_bytes() for n in names}, "mainnet")
    assert len(made["transactions"]) > 3000


def test_the_demos_chain_which_a_consensus_engine_accepts_gives_the_same_tables(tmp_path: Path) -> None:
    write_chain(build_operation(), tmp_path)
    files = {str(p.relative_to(tmp_path)): p.read_bytes() for p in sorted(tmp_path.rglob("blk*.dat"))}
    key = next(tmp_path.rglob("xor.dat"), None)
    raw = {name: unmask(stored, key.read_bytes() if key else b"").clear for name, stored in files.items()}
    assert len(must_agree(raw)["transactions"]) > 300


@settings(max_examples=25)
@given(st.data())
def test_any_order_of_blocks_with_branches_and_gaps_in_any_segments_gives_the_same_tables(data: st.DataObject) -> None:
    chain = Chain()
    coins = chain.mint(("anna", 5 * COIN), ("key", COIN), ("data", 0))
    rival = mine(chain.tip, [transaction([(bytes(32), 0xFFFFFFFF)], [("rival", COIN)])])
    paid = chain.pay(coins[:1], ("berta", COIN), ("anna", COIN), ("key", 2))
    chain.pay([paid[0], paid[2], (b"\x05" * 32, 1), (paid[0][0], 9)], ("carla", COIN))
    twice = mine(b"\x33" * 32, [transaction([(bytes(32), 0xFFFFFFFF)], [("x", 1)]), *bare(paid, coins)])
    blocks = data.draw(st.permutations([*chain.blocks, rival, twice]))
    cut = data.draw(st.integers(0, len(blocks)))
    left_out = data.draw(st.integers(0, len(blocks)))
    files = {
        "a": b"".join(map(frame, blocks[:cut])),
        "b": b"".join(map(frame, blocks[cut:left_out] + blocks[left_out + 1 :])),
    }
    with patch.object(segments, "SEGMENT", data.draw(st.integers(1, 8))):
        must_agree({name: raw for name, raw in files.items() if raw})


def bare(paid: list[tuple[bytes, int]], coins: list[tuple[bytes, int]]) -> list[bytes]:
    """The same payment again, and one that spends what it spent."""
    again = transaction(coins[:1], [("berta", COIN), ("anna", COIN), ("key", 2)])
    return [again, transaction([*coins[:1], paid[1]], [("dora", 1)])]


def a_row() -> pa.Table:
    chain = Chain()
    chain.pay(chain.mint(("anna", COIN), ("key", 5)), ("berta", COIN), ("data", 0))
    raw = chain.file()
    return packed_blocks(read_columns(unmask(raw, b""), MAGIC)[0], "content", raw)


@pytest.mark.parametrize(
    "name", ["hash", "prev", "txids", "shapes", "spends", "sats", "kinds", "script_sizes", "scripts"]
)
def test_a_block_whose_arrays_do_not_fit_together_is_none(name: str) -> None:
    rows = a_row()
    assert is_sound(rows).all()
    for change in (lambda raw: raw[:-1], lambda raw: raw + b"\x01", lambda raw: b""):
        values = [change(value) if row == 1 else value for row, value in enumerate(rows[name].to_pylist())]
        at = rows.schema.get_field_index(name)
        sound = is_sound(rows.set_column(at, rows.schema.field(name), pa.array(values)))
        assert sound.tolist() == [True, False]


def test_versions_and_lock_times_are_those_of_all_transactions_or_of_none() -> None:
    rows = a_row()
    at = rows.schema.get_field_index("stamps")
    for changed, sound in ((b"", True), (rows["stamps"][0].as_py()[:-4], False), (bytes(800), False)):
        values = [changed, *rows["stamps"].to_pylist()[1:]]
        assert is_sound(rows.set_column(at, rows.schema.field(at), pa.array(values))).tolist() == [sound, True]


@pytest.mark.parametrize(("name", "value"), [("kinds", 9), ("script_sizes", 44), ("shapes", 255)])
def test_a_block_whose_numbers_cannot_be_is_none(name: str, value: int) -> None:
    rows = a_row()
    values = [bytes([value]) * len(raw) for raw in rows[name].to_pylist()]
    at = rows.schema.get_field_index(name)
    assert not is_sound(rows.set_column(at, rows.schema.field(name), pa.array(values))).any()


def test_scripts_that_differ_have_different_holders_also_where_they_are_long() -> None:
    scripts = [b"\x6a" + bytes([n]) * 60 for n in (1, 2, 1)] + [bytes(11), bytes(10), b"", b""]
    sizes = np.array([len(s) for s in scripts])
    kept, keys = script_keys(b"".join(scripts), starts(sizes)[:-1], sizes)
    holders = Holders(np.zeros(len(keys), np.uint8), np.zeros(len(scripts) + 1, np.int64))
    assert holders.number(keys, starts(kept)).tolist() == [0, 1, 0, 2, 3, 4, 4]
    assert np.diff(holders.at[:6]).tolist() == [43, 43, 11, 10, 0]
    assert holders.number(keys, starts(kept)).tolist() == [0, 1, 0, 2, 3, 4, 4]
