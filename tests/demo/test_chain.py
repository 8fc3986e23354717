"""The demo's chain is one that Bitcoin's own consensus engine accepts, and says what its truth says."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pbk
import pytest

from casewright.demo.chain import GENESIS_BLOCK, MAGIC, XOR_KEY, ChainTruth, write_chain
from casewright.demo.economy import MATURITY, START, SUBSIDY, Economy
from casewright.demo.keys import KINDS, NETWORK
from casewright.demo.operation import Operation, build_operation
from casewright.demo.transactions import Coin, Transaction, coinbase, mine
from casewright.kernels.blocks import display, parse_block
from casewright.model.bitcoin import address_of_script, sha256d


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


def mined_for_each_kind() -> tuple[Economy, dict[str, Coin]]:
    """A short chain in which each kind of address holds a mature coin."""
    world = Economy(Operation((), (), (), (), (), (), (), (), ()))
    keys = [world.key("somebody", kind) for kind in KINDS]
    for n in range(len(KINDS) + MATURITY):
        world.seal_block(START + timedelta(hours=n), keys[n % len(keys)])
    return world, {key.kind: world.coins["somebody"][n] for n, key in enumerate(keys)}


def sealed(world: Economy, tx: Transaction, coin: Coin) -> bytes:
    """A next block that holds the transaction; its merkle root and witness commitment are right whatever tx holds."""
    height, time = world.height + 1, world.times[-1] + 3600
    base = coinbase(height, coin.key.script, SUBSIDY, [tx], b"")
    return mine(world.blocks[-1][0], time, base, [tx])[1]


def forged(tx: Transaction, kind: str) -> Transaction:
    """The same with one bit of its signature changed, where the encoding stays that of a signature."""
    at = 20  # within the first number of a signature, in DER as in BIP 340
    if kind == "p2pkh":
        script = bytearray(tx.signatures[0])
        script[at] ^= 1
        return replace(tx, signatures=[bytes(script)])
    signature = bytearray(tx.witnesses[0][0])
    signature[at] ^= 1
    return replace(tx, witnesses=[[bytes(signature), *tx.witnesses[0][1:]]])


@pytest.mark.parametrize("kind", KINDS)
def test_the_engine_refuses_a_forged_signature_in_a_block_that_is_right_otherwise(
    engine: pbk.ChainstateManager, kind: str
) -> None:
    """So that the test above can fail: signatures of each kind are really verified."""
    world, coins = mined_for_each_kind()
    for raw in (GENESIS_BLOCK, *(raw for _, raw in world.blocks)):
        engine.process_block(pbk.Block(raw))
    coin = coins[kind]
    tx = Transaction([coin], [(coin.key.script, coin.sats - 1000)]).sign()
    wrong, right = sealed(world, forged(tx, kind), coin), sealed(world, tx, coin)
    parse_block(wrong)  # frame, proof of work, merkle root and commitment hold
    with contextlib.suppress(pbk.ProcessBlockException):
        engine.process_block(pbk.Block(wrong))
    assert engine.get_active_chain().height == world.height
    engine.process_block(pbk.Block(right))
    assert engine.get_active_chain().height == world.height + 1


def test_the_engine_accepts_the_obfuscated_files_too(engine: pbk.ChainstateManager, tmp_path: Path) -> None:
    truth = write_chain(build_operation(), tmp_path, obfuscate=True)
    key = (tmp_path / "blocks" / "xor.dat").read_bytes()
    for path in sorted((tmp_path / "blocks").glob("blk*.dat")):
        path.write_bytes(bytes(b ^ key[i % 8] for i, b in enumerate(path.read_bytes())))
    for raw in in_order(raw_blocks(tmp_path)):
        engine.process_block(pbk.Block(raw))
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


def test_each_payment_of_the_truth_stands_in_the_chain_as_it_says(plain: tuple[Path, ChainTruth]) -> None:
    folder, truth = plain
    accounts = build_operation().accounts
    coins = {
        (display(tx.txid), vout): coin
        for raw in raw_blocks(folder)
        for tx in parse_block(raw).transactions
        for vout, coin in enumerate(tx.coins)
    }
    for paid in truth.paid:
        coin = coins[paid.txid, paid.vout]
        assert coin.sats == paid.sats
        assert address_of_script(coin.script, NETWORK)[0] == accounts[paid.payment.account - 1].deposit_address


def test_the_chain_holds_every_kind_of_output_and_every_address_has_an_owner(plain: tuple[Path, ChainTruth]) -> None:
    folder, truth = plain
    kinds, addresses = set(), set()
    for raw in raw_blocks(folder):
        for tx in parse_block(raw).transactions:
            for coin in tx.coins:
                address, kind = address_of_script(coin.script, NETWORK)
                kinds.add(kind)
                addresses |= {address} if address else set()
    assert kinds == {"p2pkh", "p2sh", "p2wpkh", "p2tr", "op_return", "p2pk"}
    assert len(addresses - truth.owners.keys()) == 1  # the miner of the stale block


def test_one_withdrawal_pays_several_accounts(plain: tuple[Path, ChainTruth]) -> None:
    behind: dict[str, set[int]] = {}
    for paid in plain[1].paid:
        if paid.withdrawal:
            behind.setdefault(paid.withdrawal, set()).add(paid.payment.account)
    assert max(map(len, behind.values())) == 3


def test_blocks_lie_in_two_files_out_of_order_beside_a_stale_one_before_zeros(plain: tuple[Path, ChainTruth]) -> None:
    folder, truth = plain
    blocks = raw_blocks(folder)
    hashes = [sha256d(raw[:80]) for raw in blocks]
    parents = [raw[4:36] for raw in blocks]
    assert len(blocks) == truth.height + 2  # genesis, and the stale one
    assert len(set(parents)) == len(parents) - 1
    places = {name: at for at, name in enumerate(hashes)}
    assert any(places.get(parent, -1) > at for at, parent in enumerate(parents))
    files = sorted((folder / "blocks").iterdir())
    assert [p.name for p in files] == ["blk00000.dat", "blk00001.dat"]
    assert all(p.read_bytes().endswith(bytes(64)) for p in files)


def test_time_never_runs_backwards_along_the_chain(plain: tuple[Path, ChainTruth]) -> None:
    times = {sha256d(raw[:80]): int.from_bytes(raw[68:72], "little") for raw in raw_blocks(plain[0])}
    assert all(times[raw[4:36]] < times[sha256d(raw[:80])] for raw in raw_blocks(plain[0]) if any(raw[4:36]))
