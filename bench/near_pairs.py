"""The second look's search: all near pairs of many views and of a list, up to 47 bits apart.

uv run python bench/near_pairs.py [--listed 1000000 10000000] [--pictures 1000 15000]
"""

import argparse
import resource
import time

import numpy as np
from claims import Claim, claims_option, hand_over

from casewright.kernels.hamming_join import FURTHEST, near_pairs

VIEWS = 66
"""Hashes of one picture, on average."""
PLANTED, BITS = 500, 40


def main() -> None:
    options = argparse.ArgumentParser(description="near pairs of views and a list, random hashes, processor time")
    options.add_argument("--listed", type=int, nargs="+", default=[1_000_000, 10_000_000], help="hashes on the list")
    options.add_argument("--pictures", type=int, nargs="+", default=[1_000, 15_000], help="pictures looked for")
    claims_option(options)
    chosen, told = options.parse_args(), list[Claim]()
    dice = np.random.default_rng(3)
    near_pairs(random(dice, 10), random(dice, 1_000), FURTHEST)
    print(
        "| hashes on the list | pictures | hashes looked for | µs a hash | ms a picture | planted pairs found | MiB |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in chosen.listed:
        for pictures in chosen.pictures:
            listed, views = random(dice, count), random(dice, pictures * VIEWS)
            listed[:PLANTED] = flipped(views[:PLANTED], dice)
            began = time.process_time()
            which, numbers, _ = near_pairs(views, listed, FURTHEST)
            took, found = time.process_time() - began, int(((which == numbers) & (numbers < PLANTED)).sum())
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"| {count:,} | {pictures:,} | {len(views):,} | {took / len(views) * 1e6:.1f} | "
                f"{took / pictures * 1e3:.2f} | {found} of {PLANTED} | {most:,} |",
                flush=True,
            )
            told = [Claim("views", took / pictures * 1e3, "ms", f"{pictures:,} pictures, {count:,} hashes on the list")]
    hand_over("near_pairs", chosen.claims, told)


def random(dice: np.random.Generator, count: int) -> np.ndarray:
    return dice.integers(0, 1 << 64, (count, 4), dtype=np.uint64)


def flipped(hashes: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """Each with exactly so many of its bits changed."""
    result = hashes.copy()
    for row in result:
        for bit in dice.choice(256, BITS, replace=False).tolist():
            row[bit >> 6] ^= np.uint64(1 << (bit & 63))
    return result


if __name__ == "__main__":
    main()
