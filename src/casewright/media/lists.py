"""Hash lists: what an entry is, whatever the form of the list.

Category codes are kept verbatim with the dialect that the list names: the same number means opposite things in two of
them. What else an entry says stays where it is: the list is sealed, and `span_start` and `span_length` lead to the
entry's own bytes. A list that is cut off is refused whole: half a list would let known items pass for new ones. So each
reader goes through a list twice: first to its end, then for its entries.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

HEX = {"sha256": 64, "sha1": 40, "md5": 32}
COLUMNS = ("native", "category", *HEX, "pdq", "span_start", "span_length", "row")
AT_ONCE = 20_000
"""Entries that are held at once."""
_HEX = {name: re.compile(f"[0-9a-f]{{{size}}}") for name, size in HEX.items()}
_PDQ = re.compile("[0-9A-Fa-f]{64}")

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
    """Some entries of a list, column by column, as in the table `list_entries`."""

    dialect: str
    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    doubts: list[Doubt] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.columns["row"])

    def add(
        self, row: int, start: int, length: int, native: str, category: str | None, hashes: Mapping[str, Any],
        pdq: list[str], doubtful: list[str],
    ) -> None:  # fmt: skip
        """An entry as the list has it: hashes that are none are left out, and said."""
        columns = self.columns
        columns["row"].append(row)
        columns["span_start"].append(start)
        columns["span_length"].append(length)
        columns["native"].append(native)
        columns["category"].append(category)
        for name, form in _HEX.items():
            value = hashes.get(name)
            clean = str(value).strip().lower() if value else ""
            good = form.fullmatch(clean) is not None
            columns[name].append(clean if good else None)
            if clean and not good:
                doubtful.append(f"{name}: {clean[:70]!r} is no {name}")
        good_pdq = [p.lower() for p in pdq if is_pdq(p)]
        columns["pdq"].append(good_pdq)
        if len(good_pdq) != len(pdq):
            wrong = [f"pdq: {p[:70]!r} is no PDQ (128 of its 256 bits must be ones)" for p in pdq if not is_pdq(p)]
            doubtful += wrong
        self.doubts += [Doubt(row, start, length, why) for why in doubtful]


def is_pdq(value: str) -> bool:
    return _PDQ.fullmatch(value) is not None and int(value, 16).bit_count() == 128
