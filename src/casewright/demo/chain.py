"""A Bitcoin Core data folder on regtest, with the operation's money in it."""

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from casewright.demo.economy import EPOCH, Economy, Paid
from casewright.demo.keys import NETWORK, Key
from casewright.demo.operation import Operation
from casewright.demo.story import MINER, tell
from casewright.demo.transactions import coinbase, mine
from casewright.model.bitcoin import NETWORKS

MAGIC = NETWORKS[NETWORK].magic
XOR_KEY = bytes.fromhex("c0ffee0123456789")
PREALLOCATED = 1 << 16
GENESIS_BLOCK = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a"
    "51323a9fb8aa4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000000000000"
    "000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b"
    "206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a671"
    "30b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)


@dataclass(frozen=True)
class ChainTruth:
    """What is true of the chain: every payment, whose each address is, and the last block's height and time."""

    paid: tuple[Paid, ...]
    owners: dict[str, str]
    height: int
    ends: datetime


def write_chain(operation: Operation, folder: Path, obfuscate: bool = True) -> ChainTruth:
    """Write `folder/blocks/blk*.dat` (and `xor.dat`) as Bitcoin Core does: two files, blocks a little out of order, one
    stale block, zero-filled tails."""
    world = tell(operation)
    blocks = [GENESIS_BLOCK, *(raw for _, raw in world.blocks)]
    blocks.insert(len(blocks) - 4, _stale(world))
    for at in range(20, len(blocks) - 10, 37):
        blocks[at], blocks[at + 1] = blocks[at + 1], blocks[at]
    middle = len(blocks) * 2 // 3
    target = folder / "blocks"
    target.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate((blocks[:middle], blocks[middle:])):
        raw = b"".join(MAGIC + struct.pack("<I", len(b)) + b for b in part)
        raw += bytes(-len(raw) % PREALLOCATED)
        (target / f"blk{number:05d}.dat").write_bytes(_xored(raw) if obfuscate else raw)
    if obfuscate:
        (target / "xor.dat").write_bytes(XOR_KEY)
    return ChainTruth(tuple(world.paid), dict(world.owners), world.height, world.ends)


def _stale(world: Economy) -> bytes:
    """A block that lost the race: it stands beside the fifth from the end, with nothing but a coinbase."""
    height = world.height - 5
    when = EPOCH + timedelta(seconds=world.times[height - 1])
    base = coinbase(height, Key(f"{MINER} stale", "p2wpkh").script, 1000, [], b"late")
    return mine(world.blocks[height - 2][0], int((when - EPOCH).total_seconds()) + 60, base, [])[1]


def _xored(raw: bytes) -> bytes:
    pad = XOR_KEY * (len(raw) // len(XOR_KEY) + 1)
    return (int.from_bytes(raw, "big") ^ int.from_bytes(pad[: len(raw)], "big")).to_bytes(len(raw), "big")
