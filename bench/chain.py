"""Blocks, side by side: transactions with their ids out of block files, on one core and on two.

uv run --with blockchain-parser python bench/chain.py --blocks FOLDER

FOLDER holds raw blocks (also in bzip2). They are repeated until a file of blocks is as long as Bitcoin Core's.
"""

import argparse
import bz2
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
from claims import claims_option
from figures import Line, Table, peak, race

from casewright.chain.reading import EASIEST
from casewright.kernels.blockcolumns import Columns, read_columns, read_runs
from casewright.kernels.blockfiles import Plain
from casewright.kernels.keys import Keys
from casewright.kernels.packing import LONGEST
from casewright.kernels.sha256 import sha256d_many
from casewright.kernels.targeted import MARKET, Sought, block_places, search
from casewright.kernels.undo_pairs import no_undo
from casewright.model.bitcoin import NETWORKS

FILE = 128 << 20
MAGIC = NETWORKS["mainnet"].magic


def main() -> None:
    options = argparse.ArgumentParser(description="blocks, side by side")
    options.add_argument("--blocks", type=Path, required=True, help="folder of raw blocks of mainnet")
    options.add_argument("--runs", type=int, default=3)
    claims_option(options)
    chosen = options.parse_args()
    table = Table("chain")
    blocks = raw_blocks(chosen.blocks)
    parsing(table, blocks, chosen.runs)
    targeted(table, blocks, chosen.runs)
    print("\n" + table.markdown())
    table.end(chosen.claims)


def raw_blocks(folder: Path) -> list[bytes]:
    """Every block of mainnet in the folder, largest first."""
    found = []
    for path in sorted(folder.iterdir()):
        raw = bz2.decompress(path.read_bytes()) if path.suffix == ".bz2" else path.read_bytes()
        framed = raw if raw.startswith(MAGIC) else framed_block(raw)
        columns, _ = read_columns(Plain(framed, framed), MAGIC, EASIEST["mainnet"])
        places = zip(columns.block_start.tolist(), columns.block_size.tolist(), strict=True)
        found += [framed[start : start + size] for start, size in places]
    return sorted(found, key=len, reverse=True)


def framed_block(raw: bytes) -> bytes:
    return MAGIC + len(raw).to_bytes(4, "little") + raw


def file_of(blocks: list[bytes], size: int) -> bytes:
    once = b"".join(map(framed_block, blocks))
    return once * max(1, size // len(once))


def parsing(table: Table, blocks: list[bytes], runs: int) -> None:
    ours, theirs = file_of(blocks, FILE), file_of(blocks, 1)
    count, few = len(ours_read(ours).txid), len(ours_read(theirs).txid)
    times, answers = race({"ours": lambda: digest(ours_read(theirs).txid), "peer": lambda: peer_digest(blocks)}, 1)
    table.must_agree("txids", answers)
    sides: dict[str, Callable[[], object]] = {
        "one": lambda: stretches(ours),
        "two": lambda: two_at_once(ours),
        "peer": lambda: peer_digest(blocks),
        "peer two": lambda: two_processes(blocks),
    }
    times, _ = race(sides, runs)
    for key, name, what, amount, peer, peers, cores in (
        ("one", "one", "one core", count, "peer", few, 1),
        ("two", "two", "two cores together against the peer's one", 2 * count, "peer", few, 2),
        ("two-each", "two", "two cores each", 2 * count, "peer two", 2 * few, 1),
    ):
        mine, other = times[name], times[peer]
        table.add(Line("blocks", f"{len(ours) / 1e6:.0f} MB, {what}, {len(ours) / count:.0f} B a transaction",
                       "blockchain-parser", "tx/s", amount / mine.wall, cores * amount / mine.cpu, peers / other.wall,
                       peers / other.cpu), key)  # fmt: skip


def targeted(table: Table, blocks: list[bytes], runs: int) -> None:
    """What pays so many scripts, every block checked, against walking through and hashing every transaction once."""
    raw = file_of(blocks, FILE)
    file, columns, dice = Plain(raw, raw), ours_read(raw), np.random.default_rng(7)
    short = np.flatnonzero(columns.script_size <= LONGEST)
    own = {raw[columns.script[o] : columns.script[o] + columns.script_size[o]] for o in dice.choice(short, 40)}
    for seeds in (10_000, 100_000, 1_000_000):
        keys = Keys([*own, *(b"\x00\x14" + dice.bytes(20) for _ in range(seeds - len(own)))])
        sought = Sought(keys, np.full(seeds, MARKET, np.uint8))
        sides: dict[str, Callable[[], object]] = {
            "ours": lambda sought=sought: find(file, sought),  # type: ignore[misc]
            "bare": lambda: hash_all(file, columns),
        }
        times, answers = race(sides, runs)
        count = len(columns.txid)
        mine, other = times["ours"], times["bare"]
        what = f"{seeds:,} scripts, {answers['ours']} transactions found, {peak() / 1e9:.2f} GB at most"
        table.add(Line("targeted", what, "one double SHA-256 a transaction", "tx/s", count / mine.wall,
                       count / mine.cpu, count / other.wall, count / other.cpu), f"targeted-{seeds}")  # fmt: skip


def find(file: Plain, sought: Sought) -> int:
    places, _ = block_places(file, MAGIC, EASIEST["mainnet"])
    nothing = no_undo(len(places.begin))
    return len(search(file, places, nothing, b"", sought, EASIEST["mainnet"]).hits.why)


def hash_all(file: Plain, columns: Columns) -> int:
    block_places(file, MAGIC, EASIEST["mainnet"])
    return len(sha256d_many(np.frombuffer(file.clear, np.uint8), columns.start, columns.length))


def ours_read(raw: bytes) -> Columns:
    return read_columns(Plain(raw, raw), MAGIC, EASIEST["mainnet"])[0]


def stretches(raw: bytes) -> int:
    """As the stage reads a file: stretch by stretch."""
    return sum(len(run.columns.txid) for run in read_runs(Plain(raw, raw), MAGIC, EASIEST["mainnet"]))


def two_at_once(raw: bytes) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(stretches, [raw, raw]))


def digest(txids: np.ndarray) -> str:
    return sha256(txids.tobytes()).hexdigest()


def peer_digest(blocks: list[bytes]) -> str:
    """Only the id is asked of each transaction; the peer works out the rest when asked."""
    from blockchain_parser.block import Block  # noqa: PLC0415  fetched for the measurement only

    total = sha256()
    for raw in blocks:
        for transaction in Block(raw).transactions:
            total.update(bytes.fromhex(transaction.txid)[::-1])
    return total.hexdigest()


def two_processes(blocks: list[bytes]) -> None:
    children = []
    for _ in range(2):
        if not (child := os.fork()):
            peer_digest(blocks)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
