"""A large chain that looks like one: block files of regtest whose blocks hold (ids, merkle roots, work), made fast.

Its transactions are the demo's traffic (`casewright.demo.wtv.traffic`): they spend what is unspent, once.
"""

from collections.abc import Iterator
from pathlib import Path
from struct import pack

import numpy as np

from casewright.demo.wtv.chain import A_FILE, BlockFiles
from casewright.demo.wtv.traffic import A_BLOCK, Traffic, plain_coinbase
from casewright.kernels.blocks import sha256d, target_of
from casewright.kernels.blockscan import root_of
from casewright.kernels.sha256 import scratch
from casewright.model.bitcoin import NETWORKS

GENESIS = bytes.fromhex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")[::-1]
EASY, MAGIC, FILE = 0x207FFFFF, NETWORKS["regtest"].magic, A_FILE
EMPTY, SUBSIDY = 20, 50 * 10**8
"""Blocks at the beginning that hold nothing but what they mint; what a block mints."""


def write_chain(folder: Path, transactions: int) -> list[Path]:
    """Block files with so many transactions or a few more; the same number gives the same bytes."""
    files = BlockFiles(folder)
    for raw in blocks(transactions):
        files.add(raw)
    files.close()
    return sorted(folder.glob("blk*.dat"))


def blocks(transactions: int) -> Iterator[bytes]:
    traffic, state = Traffic(), scratch()
    ids = np.empty((A_BLOCK + 2, 32), np.uint8)
    prev, done, height = GENESIS, 0, 0
    while done < transactions:
        base = plain_coinbase(height, SUBSIDY)
        txid = sha256d(base)
        ids[0] = np.frombuffer(txid, np.uint8)
        count, body = (A_BLOCK if height > EMPTY else 0), b""
        if count:
            body, ids[1 : count + 1] = traffic.some(count)
        root = np.concatenate([ids[: count + 1].ravel(), np.zeros(32, np.uint8)])
        root_of(root.ctypes.data, count + 1, state.ctypes.data)
        header = mined(prev, root[:32].tobytes(), 1_400_000_000 + 600 * height)
        yield header + (b"\xfd" + pack("<H", count + 1) if count + 1 >= 0xFD else bytes([count + 1])) + base + body
        traffic.grant(txid, 0, SUBSIDY)
        prev, height, done = sha256d(header), height + 1, done + count + 1


def mined(prev: bytes, root: bytes, time: int) -> bytes:
    for nonce in range(1 << 16):
        header = pack("<i", 4) + prev + root + pack("<III", time, EASY, nonce)
        if int.from_bytes(sha256d(header), "little") <= target_of(EASY):
            return header
    raise AssertionError("no nonce found")
