"""How large a set looks from outside, and how a selector stands in it.

The size of a set tells how large a case is. So sets are filled up with noise to one of few steps; the noise is random,
and nobody but its maker can tell it from selectors.
"""

import hashlib
import secrets
from collections.abc import Sequence

from casewright.model.selectors import FORM, element

LEAST = 1024
"""The smallest step."""
QUARTERS = (4, 5, 6, 7)
"""Steps are 4, 5, 6 or 7 times a power of two: a set grows by a quarter at the most."""


def step_above(count: int) -> int:
    """The smallest step that holds so many."""
    power = 1
    while 8 * power < max(count, LEAST):
        power *= 2
    return next(step for q in (*QUARTERS, 8) if (step := q * power) >= max(count, LEAST))


def is_step(size: int) -> bool:
    return size >= LEAST and step_above(size) == size


def compared(kind: str, form: str) -> str:
    """What is put into the set: the digest of rules, kind and form."""
    return hashlib.sha256(element(kind, form).encode("utf-8")).hexdigest()


def noise() -> str:
    """What no selector is."""
    return hashlib.sha256(f"{FORM}\0noise\0".encode() + secrets.token_bytes(32)).hexdigest()


def filled_up(items: Sequence[str]) -> list[str]:
    """The items, in no order, with noise among them up to the next step."""
    whole = [*items, *(noise() for _ in range(step_above(len(items)) - len(items)))]
    secrets.SystemRandom().shuffle(whole)
    return whole
