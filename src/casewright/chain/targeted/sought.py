"""The stage `sought`: the scripts that targeted mode looks for, as bytes that a search of a million of them needs.

The market's own are the deposit addresses and those of seized wallets that hold keys: payments to them and spends from
them matter. Of tagged addresses spends matter, because they show what else belongs to the service; but only so many,
since a service may spend millions of times.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from casewright.engine.stage import Context, Output, Tally
from casewright.kernels.blockcolumns import as_bytes
from casewright.kernels.keys import Keys
from casewright.kernels.runs import starts
from casewright.kernels.targeted import MARKET, TAG, Sought
from casewright.model.bitcoin import NotAnAddress, as_paid, script_of_address
from casewright.model.tables import TABLES

PART = 1 << 20
"""Scripts in one row."""
MOST_TAGGED, MOST_PAID = 50, 500
"""Transactions of one file that are kept because they spend from tagged addresses, and for nothing else; or, without
undo data, because they pay them."""


def sought(batch: pa.Table, context: Context) -> Output:
    """`sought`; without rows where chains are read whole. Addresses of another network cannot be paid here."""
    if not context.params["targeted"]:
        return Output({"sought": TABLES["sought"].empty()})
    wallets = context.table("wallet_addresses")
    keyed = wallets.filter(pc.is_in(wallets["role"], pa.array(["own", "change"])))
    marks: dict[bytes, int] = {}
    asked = [
        _mark(marks, table["address"].to_pylist(), mark, context.params["network"])
        for table, mark in ((context.table("deposit_addresses"), MARKET), (keyed, MARKET), (context.table("tags"), TAG))
    ]
    received, foreign = (sum(counts) for counts in zip(*asked, strict=True))
    tally = Tally("addresses", received, received - foreign, foreign)
    return Output({"sought": TABLES["sought"].rows(list(_parts(marks)))}, [], [tally])


def _mark(marks: dict[bytes, int], addresses: Iterable[str], mark: int, network: str) -> tuple[int, int]:
    """Adds the mark to the script of each address. How many there were, and how many are of another network."""
    received = foreign = 0
    for address in sorted({as_paid(address) for address in addresses}):
        received += 1
        try:
            script = script_of_address(address, network)
        except NotAnAddress:
            foreign += 1
            continue
        marks[script] = marks.get(script, 0) | mark
    return received, foreign


def _parts(marks: Mapping[bytes, int]) -> Iterable[dict[str, Any]]:
    ordered = sorted(marks)
    for part, start in enumerate(range(0, max(len(ordered), 1), PART)):
        own = ordered[start : start + PART]
        yield {"part": part, "scripts": b"".join(own), "sizes": bytes(map(len, own)),
               "marks": bytes(marks[script] for script in own)}  # fmt: skip


def load_sought(table: pa.Table) -> Sought:
    """What the search looks for."""
    scripts, sizes, marks = _columns(table)
    keys = Keys()
    keys.set(as_bytes(scripts), starts(as_bytes(sizes)))
    return Sought(keys, as_bytes(marks), most_tagged=MOST_TAGGED)


def without_undo(sought: Sought) -> Sought:
    """The same for a file beside which no undo data lies."""
    return replace(sought, most_tagged=MOST_PAID, paid_tagged=True)


def marks_of(table: pa.Table) -> dict[bytes, int]:
    """The mark of each script."""
    scripts, sizes, marks = _columns(table)
    at = starts(as_bytes(sizes)).tolist()
    return {scripts[start:end]: mark for (start, end), mark in zip(pairwise(at), marks, strict=True)}


def _columns(table: pa.Table) -> tuple[bytes, bytes, bytes]:
    scripts, sizes, marks = (b"".join(table[name].to_pylist()) for name in ("scripts", "sizes", "marks"))
    return scripts, sizes, marks
