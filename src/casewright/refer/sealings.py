"""What was sealed for whom, from the ledger, and what each package held: figures in the store, kept for good.

A package is written over by the next one. What an earlier one said must be known all the same, to recall it from those
who have it: so the figures of every sealing are kept as Parquet in the store, and the ledger names their digest.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from casewright.engine.tables import parquet_bytes

REFERRAL, RECALL = "referral", "recall"
Row = dict[str, Any]


def held_bytes(figures: pa.Table) -> bytes:
    """What a package shows, as Parquet: of a value that is withheld only its code."""
    return parquet_bytes(figures.combine_chunks())


def read_held(file: BinaryIO) -> pa.Table:
    with file:
        return pq.read_table(io.BytesIO(file.read()))


def sealings(sealed: Sequence[Mapping[str, Any]], sent: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows of `sealed_packages`: the ledger's `package sealed`, with the day of `package sent`.

    The same bytes may have been sealed again, for further recipients: that is one row, in the order of the first.
    """
    days = {event["tagmanifest"]: event["day"] for event in sent}
    rows: dict[str, Row] = {}
    for event in sealed:
        digest = event["tagmanifest"]
        row = rows.setdefault(digest, {
            "tagmanifest": digest, "kind": RECALL if event.get("recall") else REFERRAL, "country": event["country"],
            "package": event["package"], "number": len(rows) + 1, "recipients": [], "held": event.get("figures"),
            "recall": event.get("recall"), "sent_on": days.get(digest),
        })  # fmt: skip
        row["recipients"] = sorted({*row["recipients"], *event["recipients"]})
        row["held"] = row["held"] or event.get("figures")
    return list(rows.values())


def events_of(table: pa.Table) -> list[Row]:
    """The data of the ledger's lines in a stage's table of them."""
    return [json.loads(event)["data"] for event in table.column("event").to_pylist()]
