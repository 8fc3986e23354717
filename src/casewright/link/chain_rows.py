"""Some rows of the chain's tables, taken part by part: a chain is never held whole."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casewright.engine.stage import Context
from casewright.model.tables import TABLES


def rows_among(context: Context, table: str, key: str, values: pa.ChunkedArray, columns: Sequence[str]) -> pa.Table:
    """These columns of the rows whose column `key` holds one of the values, in the table's order."""
    wanted = pc.unique(values)
    found = [TABLES[table].empty().select(list(columns))]
    for part in context.parts(table):
        places = np.flatnonzero(pc.is_in(part.read([key])[key], value_set=wanted))
        if len(places):
            found.append(part.take(places, columns))
    return pa.concat_tables(found)
