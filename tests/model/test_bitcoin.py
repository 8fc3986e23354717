"""Addresses and scripts agree with the vectors of BIP 173 and BIP 350."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.model.bitcoin import (
    NETWORKS,
    NotAnAddress,
    address_of_script,
    base58check_decode,
    base58check_encode,
    script_of_address,
    segwit_decode,
    segwit_encode,
    valid_address,
)

VALID = [  # BIP 350, section "Test vectors"
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
     "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"),
    ("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
     "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"),
    ("BC1SW50QGDZ25J", "6002751e"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323"),
    ("tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
     "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
     "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
]  # fmt: skip
KINDS = [  # base58: well-known examples of each version byte; witness programs: BIP 173 and BIP 350
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "mainnet", "p2pkh"),
    ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "mainnet", "p2sh"),
    ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "testnet", "p2pkh"),
    ("2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", "testnet", "p2sh"),
    ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "testnet", "p2wpkh"),
    ("bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", "mainnet", "p2wsh"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "mainnet", "p2tr"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "mainnet", "other"),
]
INVALID = [  # BIP 350
    "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "bc1gmk9yu",
]


@pytest.mark.parametrize(("address", "script"), VALID)
def test_valid_witness_addresses_stand_for_their_script(address: str, script: str) -> None:
    network = "testnet" if address.lower().startswith("tb") else "mainnet"
    assert script_of_address(address, network).hex() == script
    assert address_of_script(bytes.fromhex(script), network)[0] == address.lower()
    assert valid_address(address) == network


@pytest.mark.parametrize("address", INVALID)
def test_invalid_witness_addresses_are_none(address: str) -> None:
    assert valid_address(address) is None


@pytest.mark.parametrize(("address", "network", "kind"), KINDS)
def test_an_address_its_script_and_its_kind_go_round(address: str, network: str, kind: str) -> None:
    assert valid_address(address) == network
    assert address_of_script(script_of_address(address, network), network) == (address, kind)


def test_a_letter_that_only_looks_right_makes_no_address() -> None:
    """The Kelvin sign turns into a plain k when it is lower-cased, and the checksum would then hold."""
    address = "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"
    assert valid_address(address) == "mainnet"
    assert valid_address(address.replace("K", "\u212a")) is None
    assert valid_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN\u0430") is None  # a Cyrillic a at its end


def test_mixed_case_is_no_address() -> None:
    assert valid_address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4") == "mainnet"
    assert valid_address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4") is None


def test_regtest_is_told_from_testnet_only_by_its_witness_addresses() -> None:
    script = bytes.fromhex("0014751e76e8199196d454941c45d1b3a323f1433bd6")
    witness, _ = address_of_script(script, "regtest")
    legacy, _ = address_of_script(b"\x76\xa9\x14" + script[2:] + b"\x88\xac", "regtest")
    assert (valid_address(witness or ""), valid_address(legacy or "")) == ("regtest", "testnet")


@pytest.mark.parametrize("text", ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG"])
def test_base58_of_another_network_is_refused(text: str) -> None:
    with pytest.raises(NotAnAddress, match="no address of regtest"):
        script_of_address(text, "regtest")


def test_an_address_of_another_network_is_refused() -> None:
    with pytest.raises(NotAnAddress, match="no address of mainnet"):
        script_of_address("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "mainnet")


def test_the_genesis_address_and_one_typing_mistake() -> None:
    assert valid_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa") == "mainnet"
    assert valid_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb") is None
    assert valid_address("") is None
    assert valid_address("1" * 30) is None


@given(st.binary(min_size=1, max_size=40))
def test_base58check_reads_back(payload: bytes) -> None:
    assert base58check_decode(base58check_encode(payload)) == payload


@given(st.sampled_from(sorted(NETWORKS)), st.integers(1, 16), st.binary(min_size=2, max_size=40))
def test_witness_programs_read_back(network: str, version: int, program: bytes) -> None:
    hrp = NETWORKS[network].hrp
    assert segwit_decode(segwit_encode(hrp, version, program)) == (hrp, version, program)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("6a0b68656c6c6f20776f726c64", "op_return"),
        ("21" + "02" * 33 + "ac", "p2pk"),
        ("41" + "04" * 65 + "ac", "p2pk"),
        ("5121" + "02" * 33 + "51ae", "multisig"),
        ("", "other"),
        ("0003aabbcc", "other"),
        ("76a914" + "00" * 19 + "88ac", "other"),
        ("6a", "op_return"),
    ],
)
def test_scripts_without_an_address_state_their_kind(script: str, kind: str) -> None:
    assert address_of_script(bytes.fromhex(script), "mainnet") == (None, kind)
