"""The demo's chain is one that Bitcoin's own consensus engine accepts, and says what its truth says."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pbk
import pytest

from casewright.demo.chain import MAGIC, XOR_KEY, ChainTruth, write_chain
from casewright.demo.operation import build_operation
from casewright.kernels.blocks import parse_block
from casewright.model.bitcoin import sha256d


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ChainTruth]:
    folder = tmp_path_factory.mktemp("plain")
    return folder, write_chain(build_operation(), folder, obfuscate=False)


def raw_blocks(folder: Path) -> list[bytes]:
    found = []
    for path in sorted((folder / "blocks").glob("blk*.dat")):
        raw, at = path.read_bytes(), 0
        while raw[at : at + 4] == MAGIC:
            size = int.from_bytes(raw[at + 4 : at + 8], "little")
            found.append(raw[at + 8 : at + 8 + size])
            at += 8 + size
    return found


def in_order(blocks: list[bytes]) -> Iterator[bytes]:
    """Parents before children, as a node would hand them over."""
    by_parent: dict[bytes, list[bytes]] = {}
    for raw in blocks:
        by_parent.setdefault(raw[4:36], []).append(raw)
    ready = [bytes(32)]
    while ready:
        for raw in by_parent.get(ready.pop(0), []):
            yield raw
            ready.append(sha256d(raw[:80]))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[pbk.ChainstateManager]:
    with pbk.load_chainman(tmp_path / "node", pbk.ChainType.REGTEST) as manager:
        yield manager


def test_the_consensus_engine_accepts_every_block(
    engine: pbk.ChainstateManager, plain: tuple[Path, ChainTruth]
) -> None:
    folder, truth = plain
    for raw in in_order(raw_blocks(folder)):
        engine.process_block(pbk.Block(raw))
    assert engine.get_active_chain().height == truth.height


def test_the_engine_refuses_a_block_with_one_changed_bit(
    engine: pbk.ChainstateManager, plain: tuple[Path, ChainTruth]
) -> None:
    """So that the test above can fail."""
    folder, truth = plain
    refused = 0
    for raw in in_order(raw_blocks(folder)):
        block = parse_block(raw)
        if len(block.transactions) == 1 or refused:
            engine.process_block(pbk.Block(raw))
            continue
        changed = bytearray(raw)
        changed[-20] ^= 1  # inside the last transaction
        height = engine.get_active_chain().height
        with contextlib.suppress(pbk.ProcessBlockException):
            engine.process_block(pbk.Block(bytes(changed)))
        assert engine.get_active_chain().height == height
        refused += 1
        engine.process_block(pbk.Block(raw))
    assert refused == 1
    assert engine.get_active_chain().height == truth.height


def test_obfuscation_changes_the_files_and_nothing_else(tmp_path: Path, plain: tuple[Path, ChainTruth]) -> None:
    folder, truth = plain
    assert write_chain(build_operation(), tmp_path, obfuscate=True) == truth
    assert (tmp_path / "blocks" / "xor.dat").read_bytes() == XOR_KEY
    for path in sorted((folder / "blocks").glob("blk*.dat")):
        hidden = (tmp_path / "blocks" / path.name).read_bytes()
        assert hidden != path.read_bytes()
        assert bytes(b ^ XOR_KEY[i % 8] for i, b in enumerate(hidden)) == path.read_bytes()


def test_the_story_tells_every_kind_of_route(plain: tuple[Path, ChainTruth]) -> None:
    routes = {p.payment.route: p.service for p in plain[1].paid}
    assert set(routes) == {"direct", "batch", "wallet", "wallet2", "peel", "coinjoin", "whirlpool", "mixer", "mined"}
    assert [r for r, service in routes.items() if service is None] != []
    assert len(plain[1].paid) == len(build_operation().payments)
