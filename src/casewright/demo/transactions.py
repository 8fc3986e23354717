"""Transactions and blocks that a consensus engine accepts: building, signing, mining at regtest's difficulty."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from casewright.demo.keys import Key, tagged
from casewright.model.bitcoin import hash160, sha256d

BITS = 0x207FFFFF
TARGET = 0x7FFFFF << 8 * (0x20 - 3)
VERSION = 0x20000000
RESERVED = bytes(32)


@dataclass(frozen=True)
class Coin:
    """An output that can be spent: where it is, what it holds, whose key."""

    txid: bytes
    vout: int
    sats: int
    key: Key
    height: int
    coinbase: bool = False


class Whole(Protocol):
    """What a block holds: anything with an id and bytes."""

    @property
    def txid(self) -> bytes: ...

    def whole(self) -> bytes: ...


@dataclass
class Transaction:
    """A signed transaction."""

    inputs: list[Coin]
    outputs: list[tuple[bytes, int]]
    signatures: list[bytes] = field(default_factory=list)
    witnesses: list[list[bytes]] = field(default_factory=list)

    @property
    def txid(self) -> bytes:
        return sha256d(self.stripped())

    def stripped(self) -> bytes:
        """Serialized without witnesses."""
        inputs = b"".join(
            c.txid + struct.pack("<I", c.vout) + sized(s) + b"\xff\xff\xff\xff"
            for c, s in zip(self.inputs, self.signatures, strict=True)
        )
        return struct.pack("<i", 2) + compact(len(self.inputs)) + inputs + self._outputs() + bytes(4)

    def whole(self) -> bytes:
        """Serialized with witnesses, if there are any (BIP 144)."""
        if not any(self.witnesses):
            return self.stripped()
        plain = self.stripped()
        stacks = b"".join(compact(len(w)) + b"".join(sized(item) for item in w) for w in self.witnesses)
        return plain[:4] + b"\x00\x01" + plain[4:-4] + stacks + plain[-4:]

    def _outputs(self) -> bytes:
        return compact(len(self.outputs)) + b"".join(struct.pack("<q", v) + sized(s) for s, v in self.outputs)

    def sign(self) -> "Transaction":
        """Every input with its key, each kind in its own way."""
        self.signatures = [b""] * len(self.inputs)
        self.witnesses = [[] for _ in self.inputs]
        for i, coin in enumerate(self.inputs):
            key = coin.key
            if key.kind == "p2pkh":
                continue  # legacy digests cover no other input's script, so their order does not matter
            if key.kind == "p2tr":
                self.witnesses[i] = [key.schnorr(self._taproot_digest(i))]
            else:
                self.witnesses[i] = [key.ecdsa(self._segwit_digest(i)), key.public]
                self.signatures[i] = sized(key.redeem) if key.kind == "p2sh" else b""
        legacy = {i: self._legacy_script(i) for i, c in enumerate(self.inputs) if c.key.kind == "p2pkh"}
        for i, script in legacy.items():
            self.signatures[i] = script
        return self

    def _legacy_script(self, index: int) -> bytes:
        scripts = [c.key.script if i == index else b"" for i, c in enumerate(self.inputs)]
        raw = Transaction(self.inputs, self.outputs, scripts).stripped() + struct.pack("<I", 1)
        key = self.inputs[index].key
        return sized(key.ecdsa(sha256d(raw))) + sized(key.public)

    def _segwit_digest(self, index: int) -> bytes:
        """BIP 143."""
        coin = self.inputs[index]
        outpoints = b"".join(c.txid + struct.pack("<I", c.vout) for c in self.inputs)
        outputs = b"".join(struct.pack("<q", v) + sized(s) for s, v in self.outputs)
        code = b"\x19\x76\xa9\x14" + hash160(coin.key.public) + b"\x88\xac"
        raw = struct.pack("<i", 2) + sha256d(outpoints) + sha256d(b"\xff" * 4 * len(self.inputs))
        raw += coin.txid + struct.pack("<I", coin.vout) + code + struct.pack("<q", coin.sats) + b"\xff" * 4
        return sha256d(raw + sha256d(outputs) + bytes(4) + struct.pack("<I", 1))

    def _taproot_digest(self, index: int) -> bytes:
        """BIP 341, key path, SIGHASH_DEFAULT."""
        parts = (
            b"".join(c.txid + struct.pack("<I", c.vout) for c in self.inputs),
            b"".join(struct.pack("<q", c.sats) for c in self.inputs),
            b"".join(sized(c.key.script) for c in self.inputs),
            b"\xff" * 4 * len(self.inputs),
            b"".join(struct.pack("<q", v) + sized(s) for s, v in self.outputs),
        )
        raw = b"\x00\x00" + struct.pack("<i", 2) + bytes(4) + b"".join(_sha256(p) for p in parts)
        return tagged("TapSighash", raw + b"\x00" + struct.pack("<I", index))


def _sha256(raw: bytes) -> bytes:

    return hashlib.sha256(raw).digest()


def compact(number: int) -> bytes:
    if number < 0xFD:
        return bytes([number])
    return b"\xfd" + struct.pack("<H", number) if number < 0x10000 else b"\xfe" + struct.pack("<I", number)


def sized(raw: bytes) -> bytes:
    return compact(len(raw)) + raw


def merkle(hashes: Sequence[bytes]) -> bytes:
    level = list(hashes)
    while len(level) > 1:
        level += level[-1:] if len(level) % 2 else []
        level = [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def coinbase(height: int, script: bytes, sats: int, transactions: Sequence[Whole], note: bytes) -> tuple[bytes, bytes]:
    """The coinbase with and without its witness: height by BIP 34, witness commitment by BIP 141."""
    root = merkle([RESERVED, *(sha256d(t.whole()) for t in transactions)])
    return coinbase_over(root, height, script, sats, note)


def coinbase_over(root: bytes, height: int, script: bytes, sats: int, note: bytes) -> tuple[bytes, bytes]:
    """The same where the root of all ids with witnesses is known."""
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    push = bytes([0x50 + height]) if height <= 16 else bytes([len(number)]) + number
    commitment = bytes.fromhex("6a24aa21a9ed") + sha256d(root + RESERVED)
    outputs = b"\x02" + struct.pack("<q", sats) + sized(script) + struct.pack("<q", 0) + sized(commitment)
    inputs = b"\x01" + bytes(32) + b"\xff" * 4 + sized(push + sized(note)) + b"\xff" * 4
    plain = struct.pack("<i", 1) + inputs + outputs + bytes(4)
    return plain[:4] + b"\x00\x01" + plain[4:-4] + b"\x01" + sized(RESERVED) + plain[-4:], plain


def mine(prev: bytes, time: int, base: tuple[bytes, bytes], transactions: Sequence[Whole]) -> tuple[bytes, bytes]:
    """Block hash and bytes."""
    root = merkle([sha256d(base[1]), *(t.txid for t in transactions)])
    name, head = worked(prev, root, time)
    body = compact(1 + len(transactions)) + base[0] + b"".join(t.whole() for t in transactions)
    return name, head + body


def worked(prev: bytes, root: bytes, time: int) -> tuple[bytes, bytes]:
    """A header's hash and bytes; tries nonces until the hash is below regtest's target, about twice."""
    head = struct.pack("<i", VERSION) + prev + root + struct.pack("<II", time, BITS)
    nonce = 0
    while int.from_bytes(name := sha256d(head + struct.pack("<I", nonce)), "little") > TARGET:
        nonce += 1
    return name, head + struct.pack("<I", nonce)
