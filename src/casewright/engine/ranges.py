"""Between which values a column of a table lies, as its Parquet files say themselves, so that a table that cannot have
an id is not asked for it."""

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from casewright.engine.tables import Part, TableFolder
from casewright.model.tables import Table

Range = tuple[str, str]


class Ranges:
    """The ranges of one case's tables; a file's are read once."""

    def __init__(self, folder: TableFolder) -> None:
        self._folder = folder
        self._parts = cache(folder.parts)

    def within(self, table: Table, column: str, wanted: Sequence[str]) -> list[str]:
        """Those of the values that the column can hold: none where the table is empty, all where that is not known."""
        if not any(part.rows for part in self._parts(table.name)):
            return []
        column = column.removeprefix("t.")
        if column not in table.schema.names or table.schema.field(column).type != pa.string():
            return list(wanted)
        found = [self._of(table.name, part, column) for part in self._parts(table.name) if part.rows]
        known = [one for one in found if one]
        if len(known) < len(found):
            return list(wanted)
        return [one for one in wanted if any(low <= one <= high for low, high in known)]

    def _of(self, table: str, part: Part, column: str) -> Range | None:
        return _of_file(self._folder.root / table / part.file, part.sha256, column)


@lru_cache(maxsize=20_000)
def _of_file(file: Path, sha256: str, column: str) -> Range | None:
    """The least and the greatest value; None where a group of rows does not say, since all of its values are missing
    or too long."""
    about = pq.read_metadata(file)
    place = about.schema.names.index(column)
    said = [about.row_group(n).column(place).statistics for n in range(about.num_row_groups)]
    if not said or not all(one is not None and one.has_min_max for one in said):
        return None
    return min(one.min for one in said), max(one.max for one in said)
