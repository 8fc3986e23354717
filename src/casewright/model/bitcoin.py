"""Bitcoin addresses and the scripts they stand for.

Base58Check as in Bitcoin Core; bech32 for witness version 0 (BIP 173), bech32m for later ones (BIP 350).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import xor

COIN = 100_000_000
"""Satoshis of one bitcoin."""
MAX_SATS = 21_000_000 * COIN
"""More there will never be (Bitcoin Core, MAX_MONEY)."""
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
NO_DIGIT = 255
BASE58_DIGITS = bytes(BASE58.find(chr(c)) % 256 for c in range(256))
BECH32_HEADS = ("bc1", "tb1", "bcrt1")
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32_DIGITS = bytes(BECH32.find(chr(c)) % 256 for c in range(256))
BASE32 = b"0123456789abcdefghijklmnopqrstuv".ljust(256, b"?")
"""Digits as Python reads them in base 32."""
BECH32_CONST, BECH32M_CONST = 1, 0x2BC830A3
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
GENERATED = [reduce(xor, (g for i, g in enumerate(GENERATOR) if top >> i & 1), 0) for top in range(32)]
"""What the five generators come to for each value of the five bits that are shifted out."""


@dataclass(frozen=True)
class Network:
    """How one network writes its addresses and frames its blocks."""

    name: str
    p2pkh: int
    p2sh: int
    hrp: str
    magic: bytes


NETWORKS: Mapping[str, Network] = {
    n.name: n
    for n in (
        Network("mainnet", 0x00, 0x05, "bc", bytes.fromhex("f9beb4d9")),
        Network("testnet", 0x6F, 0xC4, "tb", bytes.fromhex("0b110907")),
        Network("testnet4", 0x6F, 0xC4, "tb", bytes.fromhex("1c163f28")),
        Network("signet", 0x6F, 0xC4, "tb", bytes.fromhex("0a03cf40")),
        Network("regtest", 0x6F, 0xC4, "bcrt", bytes.fromhex("fabfb5da")),
    )
}


BASE58_VERSIONS: Mapping[int, str] = {0x00: "mainnet", 0x05: "mainnet", 0x6F: "testnet", 0xC4: "testnet"}


def in_coins(sats: int) -> str:
    """Satoshis as bitcoins, to the last decimal."""
    return f"{sats // COIN}.{sats % COIN:08d}"


def amount(sats: int | None) -> str:
    """Satoshis as BTC, exactly, for people; `unknown` where it is not known."""
    return "unknown" if sats is None else f"{in_coins(sats)} BTC"


class NotAnAddress(ValueError):  # noqa: N818  reads as what it says
    """The text is no address: wrong characters, length or checksum."""


def sha256d(raw: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()


def hash160(raw: bytes) -> bytes:
    return hashlib.new("ripemd160", hashlib.sha256(raw).digest()).digest()


def base58check_encode(payload: bytes) -> str:
    raw = payload + sha256d(payload)[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def base58check_decode(text: str) -> bytes:
    """The payload (version byte first). Raises NotAnAddress."""
    digits = text.encode("latin-1", "replace").translate(BASE58_DIGITS)
    if NO_DIGIT in digits:
        raise NotAnAddress(f"{text[digits.index(NO_DIGIT)]!r} is no base58 digit")
    number = 0
    for digit in digits:
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    raw = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(raw) < 5 or sha256d(raw[:-4])[:4] != raw[-4:]:
        raise NotAnAddress("checksum does not hold")
    return raw[:-4]


def _polymod(values: Iterable[int], check: int = 1) -> int:
    for value in values:
        check = (check & 0x1FFFFFF) << 5 ^ value ^ GENERATED[check >> 25]
    return check


@lru_cache(64)
def _begun(hrp: str) -> int:
    """What the checksum has come to behind a human-readable part."""
    return _polymod(_expand(hrp))


def _expand(hrp: str) -> list[int]:
    return [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]


def _fives(program: bytes) -> list[int]:
    """Bytes as numbers of five bits, the last one filled up with zeros."""
    count = -(-8 * len(program) // 5)
    number = int.from_bytes(program, "big") << 5 * count - 8 * len(program)
    return [number >> 5 * (count - 1 - i) & 31 for i in range(count)]


def segwit_encode(hrp: str, version: int, program: bytes) -> str:
    data = [version, *_fives(program)]
    const = BECH32_CONST if version == 0 else BECH32M_CONST
    check = _polymod(_expand(hrp) + data + [0] * 6) ^ const
    return hrp + "1" + "".join(BECH32[d] for d in data + [check >> 5 * (5 - i) & 31 for i in range(6)])


def _program(data: bytes) -> bytes:
    """Numbers of five bits as bytes. Raises NotAnAddress on bad padding."""
    size, left = divmod(5 * len(data), 8)
    number = int(data.translate(BASE32) or b"0", 32)
    if left > 4 or number & (1 << left) - 1:
        raise NotAnAddress("padding is not zero")
    return (number >> left).to_bytes(size, "big")


def segwit_decode(text: str) -> tuple[str, int, bytes]:
    """Human-readable part, witness version and program. Raises NotAnAddress."""
    # U+212A, the Kelvin sign, becomes an ordinary k in lower case: ASCII is asked for before anything is folded
    if not text.isascii() or text not in (text.lower(), text.upper()) or len(text) > 90:
        raise NotAnAddress("not ASCII, mixed case, or too long")
    hrp, separator, tail = text.lower().rpartition("1")
    data = tail.encode("ascii").translate(BECH32_DIGITS)
    if not separator or not hrp or len(data) < 7 or NO_DIGIT in data or any(not 33 <= ord(c) <= 126 for c in hrp):
        raise NotAnAddress("is not bech32")
    version, check = data[0], _polymod(data, _begun(hrp))
    program = _program(data[1:-6])
    if check != (BECH32_CONST if version == 0 else BECH32M_CONST):
        raise NotAnAddress("checksum does not hold")
    if version > 16 or not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise NotAnAddress("no such witness program")
    return hrp, version, program


def valid_address(text: str) -> str | None:
    """The network on which this is an address whose checksum holds, or None.

    The test networks share their base58 versions; those are called `testnet`. `tb` is testnet4 and signet as well.
    """
    try:
        hrp = segwit_decode(text)[0]
        return next((n.name for n in NETWORKS.values() if n.hrp == hrp), None)
    except NotAnAddress:
        pass
    if not 25 < len(text) < 36:
        return None
    try:
        payload = base58check_decode(text)
    except NotAnAddress:
        return None
    return BASE58_VERSIONS.get(payload[0]) if len(payload) == 21 else None


def script_of_address(address: str, network: str) -> bytes:
    """The output script that pays this address. Raises NotAnAddress, also when it belongs to another network."""
    net = NETWORKS[network]
    try:
        hrp, version, program = segwit_decode(address)
    except NotAnAddress:
        payload = base58check_decode(address)
        if len(payload) == 21 and payload[0] == net.p2pkh:
            return b"\x76\xa9\x14" + payload[1:] + b"\x88\xac"
        if len(payload) == 21 and payload[0] == net.p2sh:
            return b"\xa9\x14" + payload[1:] + b"\x87"
        raise NotAnAddress(f"{address} is no address of {network}") from None
    if hrp != net.hrp:
        raise NotAnAddress(f"{address} is no address of {network}")
    return bytes([version + 0x50 if version else 0, len(program)]) + program


def as_paid(address: str) -> str:
    """The address as outputs write it: bech32 may stand in capitals (as in QR codes) and means the same."""
    small = address.lower()
    return small if small.startswith(BECH32_HEADS) else address


def address_of_script(script: bytes, network: str) -> tuple[str | None, str]:
    """Address (None where the script has none) and kind: p2pkh, p2sh, p2wpkh, p2wsh, p2tr, p2pk, multisig, op_return,
    other. A witness program of a version nobody uses yet has an address (BIP 350) and the kind `other`."""
    net, size = NETWORKS[network], len(script)
    if size == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return base58check_encode(bytes([net.p2pkh]) + script[3:23]), "p2pkh"
    if size == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87:
        return base58check_encode(bytes([net.p2sh]) + script[2:22]), "p2sh"
    if 4 <= size <= 42 and (script[0] == 0 or 0x51 <= script[0] <= 0x60) and script[1] == size - 2:
        return _witness(script, net)
    return None, _kind_without_address(script)


def _witness(script: bytes, net: Network) -> tuple[str | None, str]:
    version = script[0] - 0x50 if script[0] else 0
    program = script[2:]
    if version == 0 and len(program) not in (20, 32):
        return None, "other"
    kind = {(0, 20): "p2wpkh", (0, 32): "p2wsh", (1, 32): "p2tr"}.get((version, len(program)), "other")
    return segwit_encode(net.hrp, version, program), kind


def _kind_without_address(script: bytes) -> str:
    if script[:1] == b"\x6a":
        return "op_return"
    if script[-1:] == b"\xac" and len(script) in (35, 67) and script[0] == len(script) - 2:
        return "p2pk"
    if script[-1:] == b"\xae" and len(script) > 3 and 0x51 <= script[0] <= script[-2] <= 0x60:
        return "multisig"
    return "other"
