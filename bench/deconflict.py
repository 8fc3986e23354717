"""Comparing with another agency: time, memory and size of one exchange, and how often it errs.

`uv run python bench/deconflict.py [--large 1300000] [--asked 5000] [--trials 100]`; no evidence is needed. Times are of
the whole machine by the clock, and processor time of this process and its children.
"""

import argparse
import random
import resource
import time
from collections.abc import Callable
from typing import Any

from claims import Claim, claims_option, hand_over

from casewright.link.deconflict import psi
from casewright.link.deconflict.side import RATE
from casewright.link.deconflict.sizes import compared, filled_up

ASKED = 10_240


def spent() -> float:
    """Processor seconds of this process and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def timed(what: str, work: Callable[[], Any]) -> Any:
    clock, processor = time.monotonic(), spent()
    found = work()
    print(f"| {what} | {time.monotonic() - clock:.1f} | {spent() - processor:.1f} |", flush=True)
    return found


def selectors(numbers: range) -> list[str]:
    return [compared("email", f"user{n}@example.com") for n in numbers]


def one_exchange(large: int, asked: int) -> list[Claim]:
    """A set of `large` selectors, asked for `asked` of which every tenth is in it."""
    print(
        f"\n{large:,} selectors asked for {asked:,}\n\n| step | seconds by the clock | of processors |\n|---|---|---|"
    )
    clock = time.monotonic()
    theirs = timed("set made of selectors", lambda: filled_up(selectors(range(large))))
    key, setup = timed("setup", lambda: psi.new_setup(theirs, RATE, ASKED))
    both = asked // 10
    mine = filled_up(selectors(range(large - both, large + asked - both)))
    my_key, request = timed("request", lambda: psi.new_request(mine))
    shape = (len(theirs), RATE, ASKED)
    for which in (False, True):
        name = "hits" if which else "count"
        answer = timed(f"answer ({name})", lambda which=which: psi.answer(key, request, which))
        found = timed(f"read ({name})", lambda which=which, a=answer: psi.common(my_key, setup, a, shape, which))
        assert len(found) == both, (len(found), both)
    took = time.monotonic() - clock
    print(f"| all | {took:.1f} | |\n")
    print(f"{both:,} in common, all found, none beside. {len(theirs):,} members asked for {len(mine):,}: setup "
          f"{len(setup):,} bytes, request and answer {len(request):,} each. Largest child "
          f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10} MiB, this process "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB.")  # fmt: skip
    size = f"{large:,} × {asked:,} selectors"
    all_files = len(setup) + 4 * len(request)  # asked and answered, for the count and for the hits
    return [Claim("exchange", took, "s", size), Claim("size", all_files / 1e6, "MB", size)]


def errors(trials: int) -> None:
    """Random sets of random overlap at the stated rate: what is missed, and what is made up."""
    chance, missed, made_up, members = random.Random(7), 0, 0, 0
    for trial in range(trials):
        size, asked = chance.randrange(1, 1000), chance.randrange(1, 1000)
        both = chance.randrange(min(size, asked) + 1)
        theirs = filled_up(selectors(range(size)))
        mine = filled_up(selectors(range(size - both, size - both + asked)))
        key, setup = psi.new_setup(theirs, RATE, ASKED)
        my_key, request = psi.new_request(mine)
        places = psi.common(my_key, setup, psi.answer(key, request, True), (len(theirs), RATE, ASKED), True)
        found, truth = {mine[p] for p in places}, set(mine) & set(theirs)
        missed, made_up, members = missed + len(truth - found), made_up + len(found - truth), members + len(mine)
        print(f"\rtrial {trial + 1}", end="", flush=True)
    print(f"\n{trials} trials at {RATE:g}: {missed} missed, {made_up} made up, of {members:,} members")


def false_hits(rounds: int) -> None:
    """At rates that can be seen: how many of strangers look like a hit, beside what is stated."""
    print("\n| stated share of exchanges with a false hit | exchanges | strangers asked | expected | found |")
    print("|---|---|---|---|---|")
    for rate in (0.5, 0.05):
        found = asked = 0
        theirs = filled_up(selectors(range(1024)))
        key, setup = psi.new_setup(theirs, rate, 1024)
        for turn in range(rounds):
            mine = selectors(range(10_000 + 1024 * turn, 10_000 + 1024 * (turn + 1)))
            my_key, request = psi.new_request(mine)
            answer = psi.answer(key, request, True)
            found += len(psi.common(my_key, setup, answer, (len(theirs), rate, 1024), True))
            asked += len(mine)
        print(f"| {rate:g} | {rounds} | {asked:,} | {rate * rounds:g} | {found} |", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--large", type=int, default=1_300_000)
    options.add_argument("--asked", type=int, default=5_000)
    options.add_argument("--trials", type=int, default=100)
    options.add_argument("--rounds", type=int, default=40)
    claims_option(options)
    given = options.parse_args()
    if given.large:
        hand_over("deconflict", given.claims, one_exchange(given.large, given.asked))
    psi.in_children = lambda work, rounds: [work(*one) for one in rounds]  # small sets: no child for each
    errors(given.trials)
    false_hits(given.rounds)


if __name__ == "__main__":
    main()
