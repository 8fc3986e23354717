"""Targeted mode over block files: its search and its rounds, beside walking through the same bytes and hashing each
transaction once.

uv run python bench/chain_targeted.py --millions 1 --seeds 10000 1000000

The files are those of `chain_maker.py`, masked as a node's, with undo data and without; each is given to the search
several times, as a content of its own, because a unit of work has sixteen. Each side runs in a process of its own, in
turns, so that its memory is told alone; what is measured is what the stages do, from opening the files on. Where undo
data lies beside them, the bare pass goes through that, too, and hashes each frame for its checksum.
"""

import argparse
import os
import pickle
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from chain_maker import MAGIC, write_chain

from casewright.chain.targeted.following import follow
from casewright.chain.targeted.searching import search_files
from casewright.engine.stage import Context
from casewright.kernels.blockcolumns import read_columns
from casewright.kernels.blockfiles import Plain, unmask
from casewright.kernels.blocks import sha256d
from casewright.kernels.joining import Ids
from casewright.kernels.runs import starts
from casewright.kernels.sha256 import sha256d_many
from casewright.kernels.targeted import block_places
from casewright.kernels.undo import undo_frames
from casewright.model.tables import TABLES

KEY = b"casewrig"
OWN, FEW, RUNS, CONTENTS = 40, 3, 3, 16
PARAMS = {"network": "regtest", "dust_sats": 546, "targeted_hops": 6, "targeted_inputs": 100,
          "targeted_transactions": 500_000}  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description="targeted mode")
    options.add_argument("--millions", type=float, default=1)
    options.add_argument("--seeds", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options.add_argument("--hops", type=int, default=1)
    options.add_argument("--own", type=int, default=OWN, help="addresses of the market that are paid")
    options.add_argument("--contents", type=int, default=CONTENTS, help="files that the search is given")
    options.add_argument("--folder", type=Path)
    chosen = options.parse_args()
    PARAMS["targeted_hops"] = chosen.hops
    with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="casewright-targeted-") as made:
        folder = Path(made)
        count, own = prepare(folder, int(chosen.millions * 1e6), chosen.own)
        blocks, undo = (sum(p.stat().st_size for p in folder.glob(n)) / 1e9 for n in ("blk*.dat", "rev*.dat"))
        print(f"{count:,} transactions, {blocks:.2f} GB of blocks, {undo:.2f} GB of undo data", flush=True)
        print("| pass | seeds | s of a core | of a bare pass | transactions found | memory, GB |\n|" + " --- |" * 6)
        for seeds in chosen.seeds:
            for beside in (False, True):
                search_line(folder, own, seeds, beside, chosen.contents)
                follow_line(folder, own, seeds, beside)


def search_line(folder: Path, own: list[bytes], seeds: int, undo: bool, contents: int) -> None:
    context = world(folder, own, seeds, undo, contents)
    bare, best, tables = in_turns(context, lambda: searched(context))
    found = sum(tables["searched_finds"]["transactions"].to_pylist())
    tell(f"search, {beside(undo)}", seeds, bare, best, found)


def follow_line(folder: Path, own: list[bytes], seeds: int, undo: bool) -> None:
    context = world(folder, own, seeds, undo)
    after = Context(PARAMS, {**context.tables, **alone(lambda: searched(context))[2]}, context.blobs)
    bare, best, tables = in_turns(context, lambda: followed(after))
    tell(f"follow, {PARAMS['targeted_hops']} hops, {beside(undo)}", seeds, bare, best, len(tables["followed"]))


def in_turns(context: Context, work: Callable[[], Any]) -> tuple[float, tuple[float, float], Any]:
    """Seconds of the bare pass, seconds and memory of some work, each the best of several runs; and its answer."""
    runs = [(alone(lambda: hash_all(context))[0], alone(work)) for _ in range(RUNS)]
    best = min((run for _, run in runs), key=lambda run: run[0])
    return min(bare for bare, _ in runs), best[:2], best[2]


def beside(undo: bool) -> str:
    return "with undo data" if undo else "without undo data"


def tell(what: str, seeds: int, bare: float, best: tuple[float, float], found: int) -> None:
    took, memory = best
    print(f"| bare pass over the same bytes | | {bare:.2f} | 1.00 | | |")
    print(f"| {what} | {seeds:,} | {took:.2f} | {took / bare:.2f} | {found:,} | {memory:.2f} |", flush=True)


def alone(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds of processor time and the most memory of some work in a process of its own, and its answer."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.close(reader)
        begun = time.process_time()
        answer = work()
        took = time.process_time() - begun
        with os.fdopen(writer, "wb") as file:
            pickle.dump((took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, answer), file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        told: tuple[float, float, Any] = pickle.load(file)
    os.waitpid(child, 0)
    return told


class Files:
    """Sealed bytes in a folder, by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str) -> Any:
        return (self._folder / name).open("rb")

    def put(self, chunks: Any) -> Any:
        raise NotImplementedError


def world(folder: Path, own: list[bytes], seeds: int, undo: bool, contents: int = 0) -> Context:
    """All files once, or several times until they are so many contents."""
    dice = np.random.default_rng(seeds)
    scripts = sorted({*own, *(b"\x00\x14" + dice.bytes(20) for _ in range(seeds - len(own)))})
    part = {"part": 0, "scripts": b"".join(scripts), "sizes": bytes(map(len, scripts)), "marks": b"\1" * len(scripts)}
    paths = sorted(folder.glob("blk*.dat"))
    rows = [{"content": f"{p.name}/{n}", "sha256": p.name, "name": p.name, "key": KEY, "number": n,
             "undo": p.name.replace("blk", "rev") if undo else None}
            for n, p in enumerate(paths * max(1, contents // len(paths)))]  # fmt: skip
    tables = {"sought": TABLES["sought"].rows([part]), "searched_contents": TABLES["searched_contents"].rows(rows)}
    return Context(PARAMS, tables, Files(folder))


def searched(context: Context) -> dict[str, pa.Table]:
    return joined(search_files(context.table("searched_contents"), context))


def followed(context: Context) -> dict[str, pa.Table]:
    return joined(follow(context.table("searched_contents"), context))


def joined(outputs: Iterator[Any]) -> dict[str, pa.Table]:
    parts: dict[str, list[pa.Table]] = {}
    for output in outputs:
        assert not output.set_aside, output.set_aside
        for name, table in output.tables.items():
            parts.setdefault(name, []).append(table)
    return {name: pa.concat_tables(lots) for name, lots in parts.items()}


def hash_all(context: Context) -> int:
    """Every file in the clear, its blocks walked through, each transaction hashed; likewise the undo data."""
    hashed = 0
    for row in context.table("searched_contents").to_pylist():
        with context.open(row["sha256"]) as stream:
            file, spans = unmask(stream.read(), KEY), np.load(Path(stream.name).with_suffix(".npy"))
        block_places(file, MAGIC)
        hashed += len(sha256d_many(np.frombuffer(file.clear, np.uint8), spans[0], spans[1]))
        if row["undo"]:
            with context.open(row["undo"]) as stream:
                rev = unmask(stream.read(), KEY)
            frames = np.array([(f.start, f.length) for f in undo_frames(rev, MAGIC)], np.int64).T.copy()
            hashed += len(sha256d_many(np.frombuffer(rev.clear, np.uint8), frames[0], frames[1]))
    return hashed


def prepare(folder: Path, transactions: int, paid_addresses: int) -> tuple[int, list[bytes]]:
    """Block files, masked, with undo data; and some scripts that are paid in them."""
    paths = write_chain(folder, transactions)
    raws = [path.read_bytes() for path in paths]
    columns = [read_columns(Plain(raw, raw), MAGIC)[0] for raw in raws]
    for path, own in zip(paths, columns, strict=True):
        np.save(path.with_suffix(".npy"), np.stack([own.start, own.length]))
    sats, scripts = np.concatenate([c.sats for c in columns]), [
        raw[at : at + size] for raw, c in zip(raws, columns, strict=True)
        for at, size in zip(c.script.tolist(), c.script_size.tolist(), strict=True)
    ]  # fmt: skip
    txid = np.concatenate([c.txid for c in columns])
    spend = np.concatenate([np.concatenate([c.prev_txid, c.prev_vout.astype("<u4").view(np.uint8).reshape(-1, 4)], 1)
                            for c in columns])  # fmt: skip
    made = starts(np.concatenate([c.outputs for c in columns]))
    ids = Ids(np.zeros(txid.size, np.uint8), np.zeros(len(txid) + 1, np.int64))
    ids.add(txid, np.diff(made))
    spends = ids.spent(spend.ravel())
    height = np.repeat(np.arange(sum(len(c.hash) for c in columns)), np.concatenate([c.transactions for c in columns]))
    at_height = np.repeat(height, np.diff(made))
    begun = 0
    for path, own in zip(paths, columns, strict=True):
        begun = write_undo(path, own, spends, begun, at_height, sats, scripts)
        path.write_bytes(unmask(path.read_bytes(), KEY).clear)
    paid = Counter(scripts)
    rare = sorted(script for script, times in paid.items() if times == FEW and len(script) < 40)
    return len(txid), [rare[n] for n in np.random.default_rng(7).choice(len(rare), paid_addresses)]


def write_undo(
    path: Path, own: Any, spends: Any, i: int, height: Any, sats: Any, scripts: list[bytes]
) -> int:  # fmt: skip
    """The undo data of one file, masked. `i`: number of its first input; returns that of the next file's."""
    frames, t = [], 0
    for prev, count in zip(own.prev, own.transactions.tolist(), strict=True):
        told = [compact(count - 1)]
        for inputs in own.inputs[t : t + count].tolist():
            rows, i = spends[i : i + inputs].tolist(), i + inputs
            if rows[0] >= 0:
                told += [compact(inputs), *(coin(int(height[o]), int(sats[o]), scripts[o]) for o in rows)]
        t += count
        undo = b"".join(told)
        frames.append(MAGIC + len(undo).to_bytes(4, "little") + undo + sha256d(prev.tobytes() + undo))
    raw = b"".join(frames)
    path.with_name(path.name.replace("blk", "rev")).write_bytes(unmask(raw, KEY).clear)
    return i


def compact(number: int) -> bytes:
    return bytes([number]) if number < 0xFD else b"\xfd" + number.to_bytes(2, "little")


def coin(height: int, sats: int, script: bytes) -> bytes:
    power = 0
    while sats % 10 == 0 and power < 9:
        sats, power = sats // 10, power + 1
    amount = 1 + (sats // 10 * 9 + sats % 10 - 1) * 10 + power if power < 9 else 1 + (sats - 1) * 10 + 9
    forms = {25: b"\x00" + script[3:23], 23: b"\x01" + script[2:22]}
    return varint(2 * height) + b"\0" * (height > 0) + varint(amount) + (
        forms.get(len(script)) or varint(len(script) + 6) + script
    )  # fmt: skip


def varint(number: int) -> bytes:
    groups = [number & 127]
    while number > 127:
        number = (number >> 7) - 1
        groups.append(number & 127 | 128)
    return bytes(reversed(groups))


if __name__ == "__main__":
    sys.exit(main())
