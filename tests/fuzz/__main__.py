"""Try every parser on spoiled files for some minutes, and say what was found.

    python -m tests.fuzz [--minutes 60] [--seed 1] [--findings FOLDER] [TARGET...]

Each target has a process of its own, with a limit of memory; one input may take ten seconds.
An input whose outcome was not seen before (its length, its reason) becomes a seed of the run. What is found is kept as
a file, to be added to the corpus.
"""

import argparse
import hashlib
import os
import random
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.spoiling import spoiled
from tests.fuzz.targets import OURS, TARGETS, seeds_of

SECONDS, MEMORY, MOST_SEEDS = 10, 6 << 30, 400


class TooLong(BaseException):
    """An input took longer than it may."""


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
    target, dice, known, found = TARGETS[name], random.Random(f"{name} {seed}"), set[str](), set[str]()
    seeds, tried, slowest, begun = seeds_of(name), 0, 0.0, time.monotonic()
    findings.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, _too_long)
    while time.monotonic() - begun < seconds:
        raw = seeds[tried] if tried < len(seeds) else spoiled(seeds, dice)
        (findings / f"{name}.now").write_bytes(raw)
        before = time.process_time()
        outcome, trouble = tried_on(target, raw)
        slowest, tried = max(slowest, time.process_time() - before), tried + 1
        if trouble and outcome not in found:
            found.add(outcome)
            path = findings / f"{name}-{hashlib.sha256(raw).hexdigest()[:12]}"
            path.write_bytes(raw)
            print(f"FOUND {name}: {path}\n{trouble}", flush=True)
        elif outcome not in known and len(seeds) < MOST_SEEDS:
            known.add(outcome)
            seeds.append(raw)
    (findings / f"{name}.now").unlink()
    print(
        f"{name}: {tried:,} inputs, {len(known)} outcomes, slowest {slowest:.2f} s, {len(found)} findings", flush=True
    )
    return 1 if found else 0


def tried_on(target: object, raw: bytes) -> tuple[str, str]:
    """How it ended, in a word that inputs of one kind share; and the trouble, if it was none of our own errors."""
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        target(raw)  # type: ignore[operator]
    except OURS as error:
        return f"{type(error).__name__} {_shape(str(error))}", ""
    except (Exception, TooLong) as error:  # noqa: BLE001  that is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} {last.filename}:{last.lineno}", traceback.format_exc(limit=-6)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return f"done {len(raw) // 64}", ""


def _shape(text: str) -> str:
    return "".join("9" if c.isdigit() else c for c in text)[:60]


def _too_long(*_: object) -> None:
    raise TooLong(f"more than {SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
