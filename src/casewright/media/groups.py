"""The stage that says which media belong together, and why."""

from itertools import chain

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally
from casewright.media.devices import devices
from casewright.media.grouped import rows_of
from casewright.media.near import copies_of, versions
from casewright.media.series import series
from casewright.model.tables import TABLES


def groups(batch: pa.Table, context: Context) -> Output:
    """Every group of the case."""
    copies = copies_of(context)
    rows = rows_of(chain(versions(context, copies), devices(context, copies), series(context)))
    received, grouped = context.table("media").num_rows, len({r["item"] for r in rows})
    tally = Tally("media", received, grouped, received - grouped)
    return Output({"media_groups": TABLES["media_groups"].rows(rows)}, [], [tally])
