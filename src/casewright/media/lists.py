"""Hash lists: what an entry is, whatever the form of the list.

Category codes are kept verbatim with the dialect that the list names: the same number means opposite things in two of
them. What else an entry says stays where it is: the list is sealed, and `span_start` and `span_length` lead to the
entry's own bytes. A list that is cut off is refused whole: half a list would let known items pass for new ones. So each
reader goes through a list twice: first to its end, then for its entries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.media.columns import DIGITS, hex_column, packed_column

HEX = {"sha256": 64, "sha1": 40, "md5": 32}
AT_ONCE = 10_000
"""Entries that are held at once."""
PDQ_ONES = 128
STRINGS = pa.string()

Alive = Callable[[], None]
"""Told that the work goes on."""


@dataclass(frozen=True)
class Doubt:
    """A hash that makes no sense, and the entry in which it stands, which stays."""

    row: int
    start: int
    length: int
    why: str


@dataclass
class Entries:
    """Some entries, column by column, as the list has them. `odd`: place in the columns, and what is wrong there."""

    dialect: str
    rows: Sequence[int]
    starts: Sequence[int] | NDArray[np.int64]
    lengths: Sequence[int] | NDArray[np.int64]
    native: Sequence[str]
    category: Sequence[str | None]
    hashes: dict[str, list[Any]]
    pdq: list[list[str]]
    odd: list[tuple[int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def cleaned(self) -> tuple[dict[str, Any], list[Doubt]]:
        """Arrow columns of `list_entries`, hashes in lower case; those that are none are left out, and said."""
        odd = list(self.odd)
        columns: dict[str, Any] = {}
        for name, size in HEX.items():
            columns[name], wrong = _hex_column(self.hashes.get(name) or [None] * len(self), name, size)
            odd += wrong
        columns["pdq"], wrong = _pdq_column(self.pdq)
        odd = sorted(odd + wrong, key=lambda one: one[0])
        numbers = {"row": self.rows, "span_start": self.starts, "span_length": self.lengths}
        columns |= {name: pa.array(np.asarray(column, np.int64)) for name, column in numbers.items()}
        columns |= {"native": self.native, "category": self.category}
        return columns, [Doubt(self.rows[at], int(self.starts[at]), int(self.lengths[at]), why) for at, why in odd]


def _hex_column(values: list[Any], name: str, size: int) -> tuple[Any, list[tuple[int, str]]]:
    try:
        raw = pa.array(values, STRINGS)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers and the like stand where a text should
        raw = pa.array([str(value) if value else None for value in values], STRINGS)
    if (plain := hex_column(raw, size)) is not None:
        return plain, []
    clean = pc.utf8_lower(pc.utf8_trim_whitespace(raw))
    good = pc.match_substring_regex(clean, rf"\A[0-9a-f]{{{size}}}\z")
    wrong = _places(pc.and_(pc.not_equal(clean, ""), pc.invert(good)))
    return _only(clean, good), [(at, f"{name}: {clean[at].as_py()[:70]!r} is no {name}") for at in wrong]


def _pdq_column(values: list[list[str]]) -> tuple[Any, list[tuple[int, str]]]:
    counts = np.fromiter(map(len, values), np.int64, len(values))
    flat = pa.array(list(chain.from_iterable(values)), STRINGS)
    clean = hex_column(flat, DIGITS)
    if clean is None or clean.null_count:
        clean = pc.utf8_lower(flat)
        good = pc.match_substring_regex(clean, r"\A[0-9a-f]{64}\z").to_numpy(zero_copy_only=False).astype(bool)
    else:
        good = np.ones(len(flat), bool)
    ones = np.bitwise_count(packed_column(clean.filter(pa.array(good)))).sum(axis=1)
    good[good] = ones == PDQ_ONES
    if good.all():
        return pa.ListArray.from_arrays(pa.array(_edges(counts)), clean), []
    owners = np.repeat(np.arange(len(values)), counts)
    offsets = _edges(np.bincount(owners[good], minlength=len(values)))
    said = [(int(owners[at]), flat[at].as_py()) for at in np.flatnonzero(~good).tolist()]
    wrong = [(at, f"pdq: {text[:70]!r} is no PDQ (128 of its 256 bits must be ones)") for at, text in said]
    return pa.ListArray.from_arrays(pa.array(offsets), clean.filter(pa.array(good))), wrong


def _edges(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    edges = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=edges[1:])
    return edges


def _only(column: Any, good: Any) -> Any:
    return pc.if_else(good, column, pa.scalar(None, STRINGS))


def _places(mask: Any) -> list[int]:
    found: NDArray[np.int64] = np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))
    places: list[int] = found.tolist()
    return places
