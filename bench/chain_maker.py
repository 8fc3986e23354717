"""A large chain that looks like one: block files of regtest whose blocks hold (ids, merkle roots, work), made fast.

Transactions spend what is unspent, pay reused and fresh addresses of four kinds, and are as long as signed ones.
"""

from collections.abc import Iterator
from pathlib import Path
from struct import pack

import numpy as np
from numba import njit

from casewright.kernels.blocks import sha256d, target_of
from casewright.kernels.blockscan import root_of
from casewright.kernels.memory import copy, put8, put32, put64
from casewright.kernels.sha256 import scratch, sha256d_at
from casewright.model.bitcoin import NETWORKS

GENESIS = bytes.fromhex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")[::-1]
EASY, MAGIC = 0x207FFFFF, NETWORKS["regtest"].magic
FILE, A_BLOCK = 128 << 20, 2500
POOL, SIGNED, ROOM = 1 << 21, 107, 4_000_000
COINBASE = bytes.fromhex("01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff04")


def write_chain(folder: Path, transactions: int) -> list[Path]:
    """Block files with so many transactions or a few more; the same number gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths, file, used = [], None, FILE
    for raw in blocks(transactions):
        if used + len(raw) + 8 > FILE:
            if file:
                file.close()
            paths.append(folder / f"blk{len(paths):05d}.dat")
            file, used = paths[-1].open("wb"), 0
        assert file
        file.write(MAGIC + pack("<I", len(raw)) + raw)
        used += len(raw) + 8
    if file:
        file.close()
    return paths


def blocks(transactions: int) -> Iterator[bytes]:
    prev, done, height = GENESIS, 0, 0
    pool, vouts = np.zeros((POOL, 32), np.uint8), np.zeros(POOL, np.uint32)
    out, txids, state = np.empty(ROOM, np.uint8), np.empty((A_BLOCK + 2, 32), np.uint8), scratch()
    known = np.ones(1, np.int64)
    seed_dice(7)
    filled = 0
    while done < transactions:
        base = COINBASE + pack("<I", height) + b"\xff" * 4 + b"\x01" + pack("<Q", 50 * 10**8)
        base += b"\x16\x00\x14" + sha256d(base)[:20] + bytes(4)
        txids[0] = np.frombuffer(sha256d(base), np.uint8)
        head = 80 + 3 + len(base)
        count = A_BLOCK if height > 20 else 0
        size, filled = fill(out, head, count, pool, vouts, filled, known, txids, state)
        root = np.concatenate([txids[: count + 1].ravel(), np.zeros(32, np.uint8)])
        root_of(root.ctypes.data, count + 1, state.ctypes.data)
        header = mined(prev, root[:32].tobytes(), 1_400_000_000 + 600 * height)
        yield header + b"\xfd" + pack("<H", count + 1) + base + out[head:size].tobytes() \
            if count + 1 >= 0xFD else header + bytes([count + 1]) + base  # fmt: skip
        filled = spendable(pool, vouts, filled, txids[0])
        prev, height, done = sha256d(header), height + 1, done + count + 1


def mined(prev: bytes, root: bytes, time: int) -> bytes:
    for nonce in range(1 << 16):
        header = pack("<i", 4) + prev + root + pack("<III", time, EASY, nonce)
        if int.from_bytes(sha256d(header), "little") <= target_of(EASY):
            return header
    raise AssertionError("no nonce found")


def spendable(pool: np.ndarray, vouts: np.ndarray, filled: int, txid: np.ndarray) -> int:
    pool[filled % POOL], vouts[filled % POOL] = txid, 0
    return filled + 1


@njit(cache=True)
def seed_dice(seed):  # type: ignore[no-untyped-def]
    np.random.seed(seed)


@njit(cache=True)
def few(one, two, most):  # type: ignore[no-untyped-def]
    """Mostly one or two, now and then many."""
    throw = np.random.random()
    return 1 if throw < one else 2 if throw < one + two else np.random.randint(3, most)


@njit(cache=True)
def put_script(at, holder):  # type: ignore[no-untyped-def]
    """The script of a holder with its length; returns where it ends."""
    word = np.uint64(holder) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
    kind = (word >> np.uint64(40)) % np.uint64(20)
    size = 34 if kind < 2 else 22 if kind < 10 else 25 if kind < 17 else 23
    put8(at, np.uint8(size))
    hashed = at + (3 if kind < 10 else 4 if kind < 17 else 3)
    for place in range(0, 32 if kind < 2 else 20, 4):
        word = (word ^ word >> np.uint64(31)) * np.uint64(0xD6E8FEB86659FD93)
        put32(hashed + place, np.uint32(word >> np.uint64(32)))
    if kind < 10:
        put8(at + 1, np.uint8(0x51 if kind < 2 else 0))
        put8(at + 2, np.uint8(size - 2))
    elif kind < 17:
        put8(at + 1, np.uint8(0x76))
        put8(at + 2, np.uint8(0xA9))
        put8(at + 3, np.uint8(20))
        put8(at + 24, np.uint8(0x88))
        put8(at + 25, np.uint8(0xAC))
    else:
        put8(at + 1, np.uint8(0xA9))
        put8(at + 2, np.uint8(20))
        put8(at + 23, np.uint8(0x87))
    return at + 1 + size


@njit(cache=True)
def fill(out, head, count, pool, vouts, filled, known, txids, state):  # type: ignore[no-untyped-def]
    at = out.ctypes.data + head
    for row in range(1, count + 1):
        begin, inputs, outputs = at, few(0.75, 0.15, 12), few(0.12, 0.78, 16)
        put32(at, np.uint32(2))
        put8(at + 4, np.uint8(inputs))
        at += 5
        for _ in range(inputs):
            coin = np.random.randint(0, min(filled, len(vouts)))
            copy(at, pool.ctypes.data + 32 * coin, 32)
            put32(at + 32, vouts[coin])
            put8(at + 36, np.uint8(SIGNED))
            for place in range(0, SIGNED, 4):
                put32(at + 37 + place, np.uint32(np.random.randint(0, 1 << 31)))
            put32(at + 37 + SIGNED, np.uint32(0xFFFFFFFF))
            at += 41 + SIGNED
            # a coin is spent once: the newest takes its place
            last = (filled - 1) % len(vouts)
            if filled > 1:
                pool[coin], vouts[coin], filled = pool[last], vouts[last], filled - 1
        put8(at, np.uint8(outputs))
        at += 1
        for _ in range(outputs):
            put64(at, np.uint64(np.random.randint(1000, 1 << 33)))
            if np.random.random() < 0.45:
                holder = known[0] - min(known[0] - 1, np.random.randint(0, 200_000))
            else:
                holder, known[0] = known[0], known[0] + 1
            at = put_script(at + 8, holder)
        put32(at, np.uint32(0))
        at += 4
        sha256d_at(begin, at - begin, txids.ctypes.data + 32 * row, state.ctypes.data)
        for vout in range(outputs):
            pool[filled % len(vouts)], vouts[filled % len(vouts)] = txids[row], vout
            filled += 1
    return at - out.ctypes.data, filled
