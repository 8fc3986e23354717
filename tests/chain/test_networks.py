"""Blocks of each Bitcoin network: told by the bytes before them, held to its least work, and their addresses written as
it writes them; a case that is set to another network is told so.

Genesis blocks: Bitcoin Core, src/kernel/chainparams.cpp (signet: BIP 325; testnet4: BIP 94). Their headers hold real
work; other blocks here are mined at regtest's, because the work of a main network's block is not to be had.
"""

from pathlib import Path
from struct import pack

import pytest

from casewright.chain.heights import GENESIS
from casewright.chain.reading import EASIEST
from casewright.engine.stage import SetAside
from casewright.kernels.blocks import display, merkle_root, sha256d
from casewright.model.bitcoin import NETWORKS, address_of_script, base58check_decode, segwit_decode
from casewright.model.errors import Refused
from casewright.model.settings import Settings
from tests.chain.case import run_stages
from tests.chain.test_blocks import balance
from tests.chain.world import COIN, EASY, frame, mine, read, script, transaction
from tests.world import rows_of

MAGIC = {"mainnet": "f9beb4d9", "testnet": "0b110907", "testnet4": "1c163f28", "signet": "0a03cf40",
         "regtest": "fabfb5da"}  # fmt: skip
SPELLING = {"mainnet": ("bc", 0x00, 0x05), "regtest": ("bcrt", 0x6F, 0xC4)}
TEST_SPELLING = ("tb", 0x6F, 0xC4)

SATOSHI = bytes.fromhex(
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
    "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
)
TIMES = b"The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"
MAY = b"03/May/2024 000000000000000000001ebd58c244970b3aa9d783bb001011fbe8ea8e98e00e"
HEADS = {
    "mainnet": (TIMES, SATOSHI, 1231006505, 0x1D00FFFF, 2083236893),
    "testnet": (TIMES, SATOSHI, 1296688602, 0x1D00FFFF, 414098458),
    "testnet4": (MAY, bytes(33), 1714777860, 0x1D00FFFF, 393743547),
    "signet": (TIMES, SATOSHI, 1598918400, 0x1E0377AE, 52613770),
    "regtest": (TIMES, SATOSHI, 1296688602, 0x207FFFFF, 2),
}


def pushed(raw: bytes) -> bytes:
    return (b"\x4c" if len(raw) > 75 else b"") + bytes([len(raw)]) + raw


def genesis(network: str) -> bytes:
    """The first block of a network, from its published parameters."""
    words, key, time, bits, nonce = HEADS[network]
    told, paid = pushed(bytes.fromhex("ffff001d")) + b"\x01\x04" + pushed(words), pushed(key) + b"\xac"
    base = pack("<i", 1) + b"\x01" + bytes(32) + b"\xff" * 4 + bytes([len(told)]) + told + b"\xff" * 4
    base += b"\x01" + pack("<Q", 50 * COIN) + bytes([len(paid)]) + paid + bytes(4)
    root, _ = merkle_root([sha256d(base)])
    return pack("<i", 1) + bytes(32) + root + pack("<III", time, bits, nonce) + b"\x01" + base


def file_of(network: str) -> bytes:
    """The genesis block, and one that pays a key in each of three ways."""
    pays = [(name, COIN) for name in ("anna", "p2pkh", "p2sh")]
    raw = mine(GENESIS[network], [transaction([(bytes(32), 0xFFFFFFFF)], pays)])
    return b"".join(frame(one, bytes.fromhex(MAGIC[network])) for one in (genesis(network), raw))


@pytest.fixture
def easily_mined(monkeypatch: pytest.MonkeyPatch) -> None:
    for network in EASIEST:
        monkeypatch.setitem(EASIEST, network, EASY)


def test_the_networks_are_these_and_each_has_its_own_bytes_before_blocks() -> None:
    assert {n.name: n.magic.hex() for n in NETWORKS.values()} == MAGIC
    assert MAGIC.keys() == GENESIS.keys() == EASIEST.keys()


@pytest.mark.parametrize("network", MAGIC)
def test_the_first_block_of_a_network_holds_under_the_work_that_it_asks_for(network: str) -> None:
    raw = genesis(network)
    output = read({"blk00000.dat": frame(raw, bytes.fromhex(MAGIC[network]))}, network)
    told = [(r["hash"], r["height"], r["state"]) for r in rows_of(output.tables["blocks"])]
    assert told == [(display(GENESIS[network]), 0, "main")]
    assert balance(output)["blocks"] == (1, 1, 0, 0)


@pytest.mark.parametrize("network", [name for name in MAGIC if name != "regtest"])
def test_a_block_with_less_work_than_its_network_asks_for_is_set_aside(network: str) -> None:
    (aside,) = read({"blk00000.dat": file_of(network)}, network).set_aside
    assert (aside.noun, aside.reason) == ("blocks", "no proof of work")


@pytest.mark.usefixtures("easily_mined")
@pytest.mark.parametrize("network", MAGIC)
def test_addresses_are_written_as_the_network_writes_them(network: str) -> None:
    output = read({"blk00000.dat": file_of(network)}, network)
    assert [(r["height"], r["state"]) for r in rows_of(output.tables["blocks"])] == [(0, "main"), (1, "main")]
    written = {r["kind"]: r["address"] for r in rows_of(output.tables["outputs"])}
    hrp, p2pkh, p2sh = SPELLING.get(network, TEST_SPELLING)
    assert segwit_decode(written["p2wpkh"]) == (hrp, 0, script("anna")[2:])
    assert base58check_decode(written["p2pkh"]) == bytes([p2pkh]) + script("p2pkh")[3:23]
    assert base58check_decode(written["p2sh"]) == bytes([p2sh]) + script("p2sh")[2:22]


@pytest.mark.usefixtures("easily_mined")
@pytest.mark.parametrize("network", MAGIC)
def test_a_case_of_another_network_names_the_one_that_the_blocks_are_of(network: str) -> None:
    for other in MAGIC.keys() - {network}:
        output = read({"blk00000.dat": file_of(network)}, other)
        (aside,) = output.set_aside
        assert f"holds blocks of {network}, but case.toml says {other}" in aside.detail
        assert balance(output)["files"] == (1, 0, 0, 1)
        assert not len(output.tables["transactions"])


@pytest.mark.usefixtures("easily_mined")
def test_targeted_mode_finds_them_in_each_network_and_refuses_those_of_another() -> None:
    for network in MAGIC:
        paid = [{"id": "d", "account": "a", "address": address_of_script(script("anna"), network)[0]}]
        tables = run_stages({"blk00000.dat": file_of(network)}, {}, paid, network=network, targeted=True)
        assert [row["sats"] for row in rows_of(tables["payments"])] == [COIN]
    aside: list[SetAside] = []
    run_stages({"blk00000.dat": file_of("testnet4")}, {}, [], aside, network="testnet", targeted=True)
    assert "holds blocks of testnet4, but case.toml says testnet" in aside[0].detail


def test_a_network_that_there_is_not_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_text('[chain]\nnetwork = "testnet3"\n')
    with pytest.raises(Refused, match="network is 'testnet3', but must be one of mainnet, testnet, testnet4"):
        Settings.load(tmp_path)
