"""Databases that are a folder of files, a table each: which items are one, and whose accounts they speak of."""

from collections.abc import Mapping
from typing import Any

from casewright.engine.stage import Context
from casewright.extract.formats import TABLESPACE
from casewright.extract.mapping import Mapping as Rules
from casewright.extract.readers.innodb_tables import table_name

Item = Mapping[str, Any]
PLACE = ("exhibit", "parent", "volume")


class Folder:
    """The database that an item is of. `tables`: where it is a folder of tablespaces, the item of each table, one that
    stands before one that was deleted; else nothing."""

    def __init__(self, context: Context, item: Item) -> None:
        self.tables = dict[str, Item]()
        self._item = item
        if item["mime"] != TABLESPACE:
            return
        rows = context.sql(
            "SELECT item, path, sha256 FROM items WHERE mime = $mime AND exhibit IS NOT DISTINCT FROM $exhibit "
            "AND parent IS NOT DISTINCT FROM $parent AND volume IS NOT DISTINCT FROM $volume "
            "ORDER BY deleted, path, item",
            {"mime": TABLESPACE, **{name: item[name] for name in PLACE}},
        )
        for row in rows.to_pylist():
            if folder_of(row) == folder_of(item):
                self.tables.setdefault(table_name(row["path"] or b""), row)

    def bytes_of(self, table: str) -> str:
        """The digest of what holds a table: accounts are told apart by it, and so are the same from every file of a
        folder, and from a copy of it."""
        holder: str = self.tables.get(table, self._item)["sha256"]
        return holder

    def speaks(self, rules: Rules) -> bool:
        """Whether the item is the one to say what the database lacks: the first that the mapping names."""
        named = [self.tables[s.table]["item"] for s in rules.sources.values() if s.table in self.tables]
        return not self.tables or named[:1] == [self._item["item"]]


def folder_of(item: Item) -> bytes:
    """The folder in which an item lies."""
    path: bytes = item["path"] or b""
    return path.rpartition(b"/")[0]
