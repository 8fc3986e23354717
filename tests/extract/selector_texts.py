"""Texts with selectors, and texts that nearly are ones. All are published test vectors, or made here."""

from coincurve import PrivateKey
from Crypto.Hash import keccak

from casewright.model.bitcoin import BASE58, base58check_encode, hash160

ADDRESS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
ETHEREUM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
FINGERPRINT = "0A1B 2C3D 4E5F 6071 8293  A4B5 C6D7 E8F9 0A1B 2C3D"
WIF = base58check_encode(b"\x80" + bytes(range(1, 33)) + b"\x01")
"""A private key that nobody would take: the numbers from 1 to 32."""
OLD_WIF = base58check_encode(b"\x80" + bytes(range(1, 33)))
PUBLIC = PrivateKey(bytes(range(1, 33))).public_key
WIF_STANDS_FOR = base58check_encode(b"\0" + hash160(PUBLIC.format(compressed=False)))
XPRV = ("xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGB"
        "xrMPHi")  # fmt: skip
XPUB = ("xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W"
        "1EGMcet8")  # fmt: skip
"""Test vector 1 of BIP 32."""


def monero(network: int, payment_id: bytes = b"") -> str:
    """An address for keys that nobody has, written as CryptoNote's standard 007 says."""
    raw = bytes([network]) + bytes(range(64)) + payment_id
    raw += keccak.new(digest_bits=256, data=raw).digest()[:4]
    return "".join(_block(raw[at : at + 8]) for at in range(0, len(raw), 8))


def _block(raw: bytes) -> str:
    number, text = int.from_bytes(raw, "big"), ""
    for _ in range((0, 2, 3, 5, 6, 7, 9, 10, 11)[len(raw)]):
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    return text


MONERO = monero(18)
