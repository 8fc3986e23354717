"""A chain of many millions of transactions: read, joined and matched, with time, memory and disk.

uv run python bench/chain_scale.py [--millions 1 5 20] [--folder FOLDER]

Every file is made, read and thrown away; what is read lies on disk as plain arrays, which the joins map.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
from chain_maker import FILE, MAGIC, blocks

from casewright.chain.segments import SEGMENT
from casewright.engine.room import Disk
from casewright.kernels.blockcolumns import read_columns
from casewright.kernels.blockfiles import Plain
from casewright.kernels.joining import SPEND, Holders, Ids, mark_spenders
from casewright.kernels.keys import Keys, matched
from casewright.kernels.packing import script_keys, spans_of
from casewright.kernels.runs import starts
from casewright.model.bitcoin import address_of_script, script_of_address

DEPOSITS = 1_300_000
MAIN = 1.3e9
NAMES = {"txid": np.uint8, "inputs": np.uint32, "outputs": np.uint32, "spend": np.uint8, "sats": np.int64,
         "kind": np.uint8, "sizes": np.uint8, "scripts": np.uint8}  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description="chains of many sizes")
    options.add_argument("--millions", type=float, nargs="+", default=[1, 5, 20])
    options.add_argument("--folder", type=Path, help="where the arrays are kept meanwhile")
    chosen = options.parse_args()
    print("| million tx | read, s | tx/s read | join, s | tx/s joined | match 1.3 M addresses, s | own memory, GB | "
          "blocks, GB | arrays, GB |\n|" + " --- |" * 9)  # fmt: skip
    for millions in chosen.millions:
        with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="casewright-chain-") as made:
            line(int(millions * 1e6), Path(made))


def line(transactions: int, folder: Path) -> None:
    read, size = read_all(transactions, folder)
    arrays = {name: np.memmap(folder / name, kind, "r") for name, kind in NAMES.items()}
    count, begun = len(arrays["inputs"]), time.process_time()
    with watched_all() as memory:
        holders = join(arrays, Disk(folder / "room", b"", lambda text: None))
        joined = time.process_time() - begun
        matching, paid = match(holders, arrays["scripts"].view(np.ndarray), starts(arrays["sizes"]))
    disk, own = sum(p.stat().st_size for p in folder.rglob("*")), max(own for own, _ in memory)
    print(f"| {count / 1e6:.1f} | {read:.0f} | {count / read:,.0f} | {joined:.0f} | {count / joined:,.0f} | "
          f"{matching:.0f} ({paid:,} paid) | {own / 1e9:.1f} | {size / 1e9:.1f} | {disk / 1e9:.1f} |",
          flush=True)  # fmt: skip
    scale = MAIN / count
    hours, joining = read * scale / 3600, joined * scale / 3600
    print(f"main chain, if it went on so: read {hours:.1f} h and joined {joining:.1f} h on one core, "
          f"{disk * scale / 1e9:.0f} GB of arrays", flush=True)  # fmt: skip


def read_all(transactions: int, folder: Path) -> tuple[float, int]:
    """Processor time of the reading alone, and bytes of blocks."""
    spent, size, held = 0.0, 0, []
    files = {name: (folder / name).open("wb") for name in NAMES}
    for raw in blocks(transactions):
        held.append(MAGIC + len(raw).to_bytes(4, "little") + raw)
        if len(held) * len(held[-1]) > FILE:
            spent, size, held = spent + read_one(held, files), size + sum(map(len, held)), []
    spent, size = spent + read_one(held, files), size + sum(map(len, held))
    for file in files.values():
        file.close()
    return spent, size


def read_one(held: list[bytes], files: dict[str, object]) -> float:
    raw, begun = b"".join(held), time.process_time()
    columns, damage = read_columns(Plain(raw, raw), MAGIC)
    assert not damage
    spans = spans_of(columns)
    spend = np.concatenate([columns.prev_txid, columns.prev_vout.view(np.uint8).reshape(-1, 4)], axis=1)
    spend = spend[spans.spending]
    sizes, scripts = script_keys(raw, columns.script, columns.script_size)
    made = (columns.txid, spans.inputs.astype(np.uint32), columns.outputs.astype(np.uint32), spend, columns.sats,
            columns.kind, sizes, scripts)  # fmt: skip
    spent = time.process_time() - begun
    for file, array in zip(files.values(), made, strict=True):
        array.tofile(file)
    return spent


def join(arrays: dict[str, np.ndarray], room: Disk) -> Holders:
    """All joins of the stage `blocks`, over arrays that are mapped from disk, segment by segment."""
    txid, spend = arrays["txid"].view(np.ndarray).reshape(-1, 32), arrays["spend"].view(np.ndarray).reshape(-1, SPEND)
    scripts, sizes = arrays["scripts"].view(np.ndarray), arrays["sizes"]
    inputs, outputs, size_at = starts(arrays["inputs"]), starts(arrays["outputs"]), starts(sizes)
    cuts = [*range(0, len(txid), SEGMENT), len(txid)]
    ids = Ids(room.scratch("txids", np.uint8, txid.size), room.scratch("first_output", np.int64, len(txid) + 1))
    spends = room.scratch("spends", np.int32, len(spend))
    for start, end in pairwise(cuts):
        ids.enter(txid[start:end], np.diff(outputs[start : end + 1]))
        spends[inputs[start] : inputs[end]] = ids.spent(spend[inputs[start] : inputs[end]])
    ids.forget()
    holders = Holders(room.scratch("own", np.uint8, len(scripts)), room.scratch("own_at", np.int64, len(sizes) + 1))
    holder = room.scratch("holder", np.int32, len(sizes))
    for start, end in pairwise(outputs[cuts].tolist()):
        here = scripts[size_at[start] : size_at[end]]
        holder[start:end] = holders.number(here, size_at[start : end + 1] - size_at[start])
    spender = room.scratch("spender", np.int32, len(sizes))
    mark_spenders(spends, inputs, 0, spender)
    return holders


def match(known: Holders, scripts: np.ndarray, script_at: np.ndarray) -> tuple[float, int]:
    """Processor time of the matching alone, and how many of the addresses are paid: half of them are of holders in the
    chain, half are nobody's."""
    chosen = np.linspace(0, known.count - 1, min(DEPOSITS // 2, known.count)).astype(np.int64)
    own = [known.scripts[known.at[h] : known.at[h + 1]].tobytes() for h in chosen]
    wanted = [a for a in (address_of_script(s, "regtest")[0] for s in own) if a]
    nobody = [
        address_of_script(b"\x00\x14" + n.to_bytes(20, "big"), "regtest")[0] for n in range(DEPOSITS - len(wanted))
    ]
    begun = time.process_time()
    keys = Keys([script_of_address(a, "regtest") for a in (*wanted, *map(str, nobody))])
    found = matched(scripts, script_at, keys)
    took = time.process_time() - begun
    paid = int(np.count_nonzero(np.bincount(found[found >= 0], minlength=len(wanted))))
    assert paid == len(wanted)
    return took, paid


@contextmanager
def watched_all() -> Iterator[list[tuple[int, int]]]:
    """Bytes that are this process's own, and with what is mapped from files, looked at ten times a second."""
    seen, ended = [memory_now()], threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            seen.append(memory_now())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def memory_now() -> tuple[int, int]:
    """Bytes that are this process's own now; and with what is mapped from files, which the system may take back."""
    lines = dict(one.split(":", 1) for one in Path("/proc/self/status").read_text().splitlines())
    own, whole = (int(lines[name].split()[0]) * 1024 for name in ("RssAnon", "VmRSS"))
    return own, whole


if __name__ == "__main__":
    main()
