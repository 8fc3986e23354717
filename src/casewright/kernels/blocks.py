"""Bitcoin blocks: the definition. One block's bytes in, its header and transactions out, or the reason why not.

Serialisation: https://developer.bitcoin.org/reference/block_chain.html; segregated witness: BIP 141 and BIP 144.
Hashes are 32 bytes in the order in which they are hashed; `display` gives the form that people know.
"""

import hashlib
from dataclasses import dataclass
from struct import Struct, error
from typing import NamedTuple

from casewright.model.bitcoin import MAX_SATS

HEADER = Struct("<i32s32sIII")
HEADER_SIZE, LEAST, MOST = 80, 81, 4_000_000
NO_TXID, NO_VOUT = bytes(32), 0xFFFFFFFF
COMMITMENT = b"\x6a\x24\xaa\x21\xa9\xed"
EASIEST = 0x207FFFFF  # the least work that regtest asks for; every other network asks for more
_U16, _U32, _U64 = Struct("<H"), Struct("<I"), Struct("<Q")


class DamagedBlock(ValueError):  # noqa: N818  reads as what it says
    """The bytes are no block as they stand. `reason` is a short code; `framed` says that its length was right."""

    def __init__(self, reason: str, detail: str, framed: bool = False) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.framed = reason, detail, framed


class Spend(NamedTuple):
    """The output that an input takes."""

    txid: bytes
    vout: int


class Coin(NamedTuple):
    """An output: satoshis, and the script that says who may spend them, which begins at byte `start` of the block."""

    sats: int
    script: bytes
    start: int


class Transaction(NamedTuple):
    """`start` and `length` are bytes in the block; `witness` is where witness data begins, 0 when there is none."""

    txid: bytes
    wtxid: bytes
    spends: tuple[Spend, ...]
    coins: tuple[Coin, ...]
    start: int
    length: int
    witness: int
    version: int
    lock_time: int

    @property
    def coinbase(self) -> bool:
        return len(self.spends) == 1 and self.spends[0] == (NO_TXID, NO_VOUT)


@dataclass(frozen=True)
class Block:
    """A block whose proof of work, merkle root and witness commitment hold."""

    hash: bytes
    prev: bytes
    time: int
    bits: int
    transactions: tuple[Transaction, ...]
    size: int


def display(digest: bytes) -> str:
    """A hash as block explorers write it: bytes reversed, in hex."""
    return digest[::-1].hex()


def sha256d(raw: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()


def target_of(bits: int) -> int:
    """The number that a block's hash must not exceed; 0, which no hash meets, when `bits` makes no sense."""
    size, word = bits >> 24, bits & 0x7FFFFF
    if bits & 0x800000 or size > 34:
        return 0
    return word << 8 * (size - 3) if size > 3 else word >> 8 * (3 - size)


def work_of(bits: int) -> int:
    """Hashes that a block with these bits stands for, on average."""
    return (1 << 256) // (target_of(bits) + 1)


def merkle_root(leaves: list[bytes]) -> tuple[bytes, bool]:
    """Root, and whether two neighbours are equal, which lets repeated transactions hide (CVE-2012-2459)."""
    level, repeated = leaves, False
    while len(level) > 1:
        repeated = repeated or any(a == b for a, b in zip(level[::2], level[1::2], strict=False))
        level = [*level, level[-1]] if len(level) % 2 else level
        level = [sha256d(a + b) for a, b in zip(level[::2], level[1::2], strict=True)]
    return level[0], repeated


def parse_block(raw: bytes, easiest: int = EASIEST) -> Block:
    """The block that fills `raw` exactly. Raises DamagedBlock. `easiest`: bits of the least work that is accepted."""
    if not LEAST <= len(raw) <= MOST:
        raise DamagedBlock("impossible size", f"a block of {len(raw)} bytes cannot be")
    _, prev, root, time, bits, _ = HEADER.unpack_from(raw)
    try:
        transactions = _transactions(raw)
    except (error, IndexError) as problem:
        raise DamagedBlock("truncated", "the transactions go on after the block's last byte") from problem
    found, repeated = merkle_root([t.txid for t in transactions])
    if found != root:
        raise DamagedBlock("bad merkle root", "the transactions are not those that the header seals", framed=True)
    if not transactions[0].coinbase:
        raise DamagedBlock("no coinbase", "the first transaction is not one that creates coins", framed=True)
    if repeated:
        raise DamagedBlock("repeated transactions", "a run of transactions stands twice in the block", framed=True)
    digest, target = sha256d(raw[:HEADER_SIZE]), target_of(bits)
    if int.from_bytes(digest, "little") > target or target > target_of(easiest):
        raise DamagedBlock("no proof of work", "the header's hash does not show the work it claims", framed=True)
    _check_witness(raw, transactions)
    return Block(digest, prev, time, bits, transactions, len(raw))


def _transactions(raw: bytes) -> tuple[Transaction, ...]:
    count, at = compact(raw, HEADER_SIZE)
    found = []
    for _ in range(count):
        transaction = parse_transaction(raw, at)
        found.append(transaction)
        at += transaction.length
    if at != len(raw):
        raise DamagedBlock("impossible size", f"{len(raw) - at} bytes are left after the last transaction")
    if not found:
        raise DamagedBlock("no coinbase", "the block has no transaction", framed=True)
    return tuple(found)


def parse_transaction(raw: bytes, start: int) -> Transaction:
    """The transaction that begins at `start`. Raises DamagedBlock, struct.error or IndexError past the end."""
    segwit = raw[start + 4 : start + 6] == b"\x00\x01"
    body = start + (6 if segwit else 4)
    spends, at = _spends(raw, body)
    coins, at = _coins(raw, at)
    witness = at if segwit else 0
    if segwit:
        at = _skip_witness(raw, at, len(spends))
    end = _within(raw, at + 4)
    wtxid = sha256d(raw[start:end])
    txid = sha256d(raw[start : start + 4] + raw[body:witness] + raw[at:end]) if segwit else wtxid
    version, lock_time = _U32.unpack_from(raw, start)[0], _U32.unpack_from(raw, at)[0]
    return Transaction(txid, wtxid, spends, coins, start, end - start, witness, version, lock_time)


def _spends(raw: bytes, at: int) -> tuple[tuple[Spend, ...], int]:
    count, at = compact(raw, at)
    if not count:
        raise DamagedBlock("no inputs", "a transaction spends nothing")
    found = []
    for _ in range(count):
        found.append(Spend(raw[at : at + 32], _U32.unpack_from(raw, at + 32)[0]))
        size, at = compact(raw, at + 36)
        at = _within(raw, at + size + 4)
    return tuple(found), at


def _coins(raw: bytes, at: int) -> tuple[tuple[Coin, ...], int]:
    count, at = compact(raw, at)
    found = []
    for _ in range(count):
        sats = _U64.unpack_from(raw, at)[0]
        if sats > MAX_SATS:
            raise DamagedBlock("impossible amount", f"an output of {sats} satoshis cannot be")
        size, script = compact(raw, at + 8)
        at = _within(raw, script + size)
        found.append(Coin(sats, raw[script:at], script))
    return tuple(found), at


def _skip_witness(raw: bytes, at: int, inputs: int) -> int:
    for _ in range(inputs):
        items, at = compact(raw, at)
        for _ in range(items):
            size, at = compact(raw, at)
            at = _within(raw, at + size)
    return at


def _within(raw: bytes, at: int) -> int:
    if at > len(raw):
        raise DamagedBlock("truncated", "a transaction goes on after the block's last byte")
    return at


def compact(raw: bytes, at: int) -> tuple[int, int]:
    """A compact-size number and where it ends. Longer forms than needed are refused, as the network refuses them."""
    first = raw[at]
    if first < 0xFD:
        return first, at + 1
    form, size, least = {0xFD: (_U16, 3, 0xFD), 0xFE: (_U32, 5, 1 << 16), 0xFF: (_U64, 9, 1 << 32)}[first]
    value = form.unpack_from(raw, at + 1)[0]
    if value < least:
        raise DamagedBlock("impossible size", f"the number {value} is written longer than the network allows")
    return value, at + size


def _check_witness(raw: bytes, transactions: tuple[Transaction, ...]) -> None:
    """Witness data must be what the coinbase commits to (BIP 141). A block that was stored without it is fine."""
    if not any(t.witness for t in transactions):
        return
    coinbase = transactions[0]
    sealed = [c.script[6:38] for c in coinbase.coins if c.script[:6] == COMMITMENT and len(c.script) >= 38]
    reserved = raw[coinbase.witness + 2 : coinbase.witness + 34]
    shaped = coinbase.witness and raw[coinbase.witness : coinbase.witness + 2] == b"\x01\x20"
    root, _ = merkle_root([NO_TXID, *(t.wtxid for t in transactions[1:])])
    if not (sealed and shaped and sha256d(root + reserved) == sealed[-1]):
        raise DamagedBlock("bad witness commitment", "witness data is not what the coinbase commits to", framed=True)
