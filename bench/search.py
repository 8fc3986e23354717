"""Exact search for near hashes: our index against faiss (flat, MultiHash) and usearch (exact), on the same hashes.

uv run --with faiss-cpu --with usearch python bench/search.py [--millions 1 5 10] [--only random|skewed] [--out FILE]

Every side runs in a process of its own, so that memory is its own. Processor time of one core; recall is the share of
pairs within 31 bits, found by comparing all, that the side found too. A side whose library is missing is left out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from claims import Claim, claims_option, hand_over
from figures import peak

from casewright.kernels.hamming_index import HammingIndex

RADIUS, QUERIES, SLOW_QUERIES = 31, 2000, 40
"""The last for sides that compare all."""
SIDES = ("casewright", "faiss flat", "faiss MultiHash", "usearch exact")
KEYS = {"faiss flat": "flat", "faiss MultiHash": "multihash", "usearch exact": "usearch"}
HEAD = ("hashes", "kind", "side", "ms a query, median", "95th percentile", "MB", "build s", "load s", "recall")


def main() -> None:
    options = argparse.ArgumentParser(description="near hashes, side by side")
    options.add_argument("--millions", type=float, nargs="+", default=[1, 5, 10])
    options.add_argument("--only", choices=["random", "skewed"])
    options.add_argument("--sides", nargs="+", default=SIDES)
    options.add_argument("--out", type=Path)
    options.add_argument("--side", help=argparse.SUPPRESS)
    claims_option(options)
    chosen = options.parse_args()
    if chosen.side:
        print(json.dumps(one_side(chosen.side, Path(sys.stdin.readline().strip()))))
        return
    lines, told = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"], list[Claim]()
    for millions in chosen.millions:
        for kind in [chosen.only] if chosen.only else ["random", "skewed"]:
            with tempfile.TemporaryDirectory(prefix="casewright-bench-") as folder:
                make(Path(folder), int(millions * 1e6), kind)
                got = {side: measured(side, Path(folder)) for side in chosen.sides}
            lines += [line for side, one in got.items() for line in show(millions, kind, side, one)]
            if millions == max(chosen.millions):
                told += claims(int(millions * 1e6), kind, got)
    hand_over("search", chosen.claims, told)
    if chosen.out:
        chosen.out.write_text("\n".join(lines) + "\n", "utf-8")


def measured(side: str, folder: Path) -> dict[str, Any] | str:
    """Its figures, or why there are none."""
    done = subprocess.run([sys.executable, __file__, "--side", side], input=str(folder), capture_output=True, text=True,
                          check=False)  # fmt: skip
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it failed"])[-1][:120]
    got: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return got


def claims(count: int, kind: str, got: dict[str, dict[str, Any] | str]) -> list[Claim]:
    """Milliseconds a query, medians, beside each other side's; of random hashes the index's size and loading too."""
    mine, size = got["casewright"], f"{count:,} {kind} hashes"
    assert not isinstance(mine, str), mine
    told = [Claim(kind, mine["median"], "ms", size)]
    for side, key in KEYS.items():
        other = got.get(side, "not asked for")
        if isinstance(other, str):
            told.append(Claim(f"{kind}-{key}", mine["median"], "ms", size, note=other))
        elif other["recall"] != mine["recall"]:
            raise SystemExit(f"{side} finds {other['recall']} of the pairs, ours {mine['recall']}")
        else:
            told.append(Claim(f"{kind}-{key}", mine["median"], "ms", size, other["median"]))
    if kind == "random":
        told += [Claim("size", mine["mb"] / 1e3, "GB", size), Claim("load", mine["load"], "s", size)]
    return [one for one in told if one.key != "skewed-usearch"]


def show(millions: float, kind: str, side: str, got: dict[str, Any] | str) -> list[str]:
    if isinstance(got, str):
        print(f"{side}: {got}", flush=True)
        return []
    load = "" if got["load"] is None else f"{got['load']:.2f}"
    cells = [f"{millions:g} M", kind, side, f"{got['median']:.3f}", f"{got['high']:.3f}", f"{got['mb']:,.0f}",
             f"{got['build']:.1f}", load, f"{got['recall']:.6f}"]  # fmt: skip
    print(" | ".join(cells), flush=True)
    return ["| " + " | ".join(cells) + " |"]


def make(folder: Path, count: int, kind: str) -> None:
    """Hashes and queries, each a listed one with up to 31 bits changed. Skewed: a fifth of the hashes are frames of
    still films, 2,000 each within 12 bits of one, and every second query is of such a frame."""
    dice = np.random.default_rng(31)
    hashes = dice.integers(0, 2**64, (count, 4), dtype=np.uint64)
    picks = dice.integers(0, count, QUERIES)
    if kind == "skewed":
        films = max(1, count // 10_000)
        frames = films * 2000
        hashes[:frames] = hashes[dice.integers(0, films, frames)]
        for start in range(0, frames, 1 << 16):
            hashes[start : min(frames, start + (1 << 16))] ^= noise(dice, min(frames - start, 1 << 16), 12)
        picks[::2] = dice.integers(0, frames, (QUERIES + 1) // 2)
    np.save(folder / "hashes.npy", hashes)
    np.save(folder / "queries.npy", hashes[picks] ^ noise(dice, QUERIES, 31))


def noise(dice: np.random.Generator, rows: int, most: int) -> np.ndarray:
    """Up to `most` bits in each row, no two of them the same."""
    order = np.argsort(dice.random((rows, 256), np.float32), axis=1)
    bits = (np.argsort(order, axis=1) < dice.integers(0, most + 1, rows)[:, None]).astype(np.uint8)
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).reshape(-1, 4)


def one_side(side: str, folder: Path) -> dict[str, Any]:
    hashes, queries = np.load(folder / "hashes.npy"), np.load(folder / "queries.npy")
    before = peak()
    began = time.process_time()
    sides = {"casewright": ours, "faiss flat": flat, "faiss MultiHash": multihash, "usearch exact": usearch}
    near, load, held, later = sides[side](hashes, folder)
    build = time.process_time() - began - later
    mb = (held if held else peak() - before) / 1e6
    times, found = [], set()
    asked = queries[: {"casewright": QUERIES, "faiss MultiHash": 200}.get(side, SLOW_QUERIES)]
    near(asked[0])
    for number, query in enumerate(asked):
        began = time.process_time()
        hits = near(query)
        times.append(1000 * (time.process_time() - began))
        if number < SLOW_QUERIES:
            found |= {(number, index) for index in hits}
    truth = pairs(hashes, queries[:SLOW_QUERIES])
    return {"median": float(np.median(times)), "high": float(np.percentile(times, 95)), "mb": mb, "build": build,
            "load": load, "recall": len(truth & found) / len(truth) if found <= truth else -1}  # fmt: skip


def pairs(hashes: np.ndarray, queries: np.ndarray) -> set[tuple[int, int]]:
    result = set()
    for number, query in enumerate(queries):
        for start in range(0, len(hashes), 1 << 16):
            bits = np.bitwise_count(hashes[start : start + (1 << 16)] ^ query).sum(axis=1)
            result |= {(number, start + int(index)) for index in np.flatnonzero(bits <= RADIUS)}
    return result


Side = tuple[Any, float | None, int, float]
"""The search; seconds to load; bytes held, 0 to measure them; seconds that were no building."""


def ours(hashes: np.ndarray, folder: Path) -> Side:
    """As it is used from a file: saved, mapped, every page checked."""
    path = folder / "index"
    index = HammingIndex.build(hashes)
    built = time.process_time()
    index.save(path)
    began = time.perf_counter()
    index = HammingIndex.load(path)
    load, later = time.perf_counter() - began, time.process_time() - built
    return lambda query: index.within_many(query.reshape(1, 4), RADIUS)[1].tolist(), load, path.stat().st_size, later


def as_bytes(hashes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 32)


def flat(hashes: np.ndarray, _: Path) -> Side:
    import faiss  # noqa: PLC0415

    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(256)
    index.add(as_bytes(hashes))
    return lambda query: index.range_search(as_bytes(query.reshape(1, 4)), RADIUS + 1)[2].tolist(), None, 0, 0.0


def multihash(hashes: np.ndarray, _: Path) -> Side:
    """Sixteen tables of 16 bits, one bit flipped: nothing within 31 bits is missed."""
    import faiss  # noqa: PLC0415

    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryMultiHash(256, 16, 16)
    index.nflip = 1
    index.add(as_bytes(hashes))
    return lambda query: index.range_search(as_bytes(query.reshape(1, 4)), RADIUS + 1)[2].tolist(), None, 0, 0.0


def usearch(hashes: np.ndarray, _: Path) -> Side:
    """Its exact search gives the nearest k, not all within a radius: k is as large as any query needs here."""
    from usearch.index import MetricKind, search  # noqa: PLC0415

    data = as_bytes(hashes)

    def near(query: np.ndarray) -> list[int]:
        found = search(data, as_bytes(query.reshape(1, 4)), 3000, MetricKind.Hamming, exact=True, threads=1)
        return [int(key) for key, bits in zip(found.keys, found.distances, strict=True) if bits <= RADIUS]

    return near, None, data.nbytes, 0.0


if __name__ == "__main__":
    main()
