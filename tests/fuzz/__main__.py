"""Try every parser on spoiled files for some minutes, and say what was found.

    python -m tests.fuzz [--minutes 60] [--seed 1] [--findings FOLDER] [TARGET...]

Each target has a process of its own, with a limit of memory; one input may take ten seconds. With Atheris (`guided.py`)
inputs are led by the lines that they reach. Without it an input whose outcome was not seen before (its length, its
reason) becomes a seed of the run. What is found is kept as a file, to be added to the corpus.
"""

import argparse
import os
import random
import resource
import sys
from pathlib import Path

from tests.fuzz.guided import HERE, guided, watched

with watched():
    from tests.fuzz.spoiling import spoiled
    from tests.fuzz.targets import TARGETS, seeds_of
    from tests.fuzz.trying import Trial

MEMORY, MOST_SEEDS = 6 << 30, 400


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    given = parser.parse_args()
    share, worst = given.minutes * 60 / len(given.targets), 0
    for name in given.targets:
        if not (child := os.fork()):
            os._exit(alone(name, share, given.seed, given.findings))
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended not in (0, 1):
            print(f"FOUND {name}: ended by {ended}: {given.findings}/{name}.now", flush=True)
        worst = worst or ended
    return 1 if worst else 0


def alone(name: str, seconds: float, seed: int, findings: Path) -> int:
    findings.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    trial, seeds = Trial(name, TARGETS[name], seconds, findings), seeds_of(name)
    if HERE:
        guided(name, seeds, trial, seed, findings)
    return blind(trial, seeds, random.Random(f"{name} {seed}"))


def blind(trial: Trial, seeds: list[bytes], dice: random.Random) -> int:
    for raw in list(seeds):
        trial(raw)
    while not trial.over:
        raw = spoiled(seeds, dice)
        if trial(raw) and len(seeds) < MOST_SEEDS:
            seeds.append(raw)
    return trial.end("by the dice")


if __name__ == "__main__":
    sys.exit(main())
