"""What MySQL 8 says in a tablespace of the tables that it holds: serialized dictionary information (SDI).

Source: MySQL Reference Manual, "Serialized Dictionary Information (SDI)"; MySQL Source Code Documentation, "ibd2sdi"
(the SDI index is a tree of its own; each record holds JSON, compressed with zlib). Columns that were added or
dropped in place (ALGORITHM=INSTANT) are told, and such a table is not read.
"""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from casewright.extract.readers.innodb_blobs import Outside, whole
from casewright.extract.readers.innodb_columns import Column, Field, NoTableError, Table
from casewright.extract.readers.innodb_declared import typed
from casewright.extract.readers.innodb_pages import DESCRIPTORS, Damaged, Pages, number
from casewright.extract.readers.innodb_record import Leaf, Shape
from casewright.extract.readers.innodb_tree import Tree
from casewright.extract.readers.mysql_collations import charset_of

ENCRYPTION_INFO = 115
VERSION = 1
TABLE = 1
KEY = (Field(None, 4), Field(None, 8))
FIELDS = (*KEY, Field(None, 6), Field(None, 7), Field(None, 4), Field(None, 4), Field(None, None, long=True))
LIMIT = 16 << 20
SHOWN, INVISIBLE, ENGINES = 1, 4, 2
"""Whether a column is hidden, and from whom."""
IN_PLACE = re.compile(r"\b(?:version_added|version_dropped|default|default_null|instant_col)=")
ROOT = re.compile(r"\broot=(\d+)")


def sdi_tables(pages: Pages) -> list[Table]:
    """The tables of a tablespace. Raises Damaged, or NoTableError."""
    return [_table(one) for one in _objects(pages)]


def _objects(pages: Pages) -> Iterator[Mapping[str, Any]]:
    """What the records of the SDI index say of tables."""
    extent = max(64, (1 << 20) // pages.size) if pages.size < 65536 else 64
    entry = 24 + extent // 4
    at = DESCRIPTORS + pages.size // extent * entry + ENCRYPTION_INFO
    head = pages.page(0)
    if number(head, at) != VERSION:
        raise Damaged("the tablespace does not say where its dictionary information is")
    tree = Tree(pages, number(head, at + 4), KEY)
    tree.walk(())
    if tree.lost:
        raise Damaged(f"the dictionary information: {tree.broken[0].detail}")
    for which in tree.leaves:
        leaf = Leaf(pages.page(which))
        for place in leaf.chain():
            record = leaf.record(place, Shape.of(FIELDS))
            if not record.marked and number(_bytes(pages, record.values[0]), 0) == TABLE:
                yield _unpacked(_bytes(pages, record.values[6]))


def _bytes(pages: Pages, value: Outside | bytes | None) -> bytes:
    return whole(pages, value) if isinstance(value, Outside) else value or b""


def _unpacked(raw: bytes) -> Mapping[str, Any]:
    try:
        text = zlib.decompressobj().decompress(raw, LIMIT)
        found: Mapping[str, Any] = json.loads(text)["dd_object"]
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"the dictionary information can't be read: {error}") from error
    return found


def _table(told: Mapping[str, Any]) -> Table:
    """A table from its JSON. Raises NoTableError."""
    try:
        return _told(told)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise NoTableError(f"the dictionary information lacks {error}") from error


def _told(told: Mapping[str, Any]) -> Table:
    listed, name = told["columns"], str(told["name"])
    if IN_PLACE.search(told.get("se_private_data") or "") or any(
        IN_PLACE.search(one.get("se_private_data") or "") for one in listed
    ):
        raise NoTableError(f"{name} had columns added or dropped in place (ALGORITHM=INSTANT), which is not read")
    kept = [one for one in listed if one["hidden"] in (SHOWN, INVISIBLE)]
    columns = tuple(_column(one) for one in kept)
    places = {id(one): place for place, one in enumerate(kept)}
    index = next(i for i in told["indexes"] if any(_of(listed, e)["name"] == "DB_TRX_ID" for e in i["elements"]))
    key = tuple(
        (place, columns[place].cut(element["length"]))
        for element in index["elements"]
        if not element["hidden"] and (place := places.get(id(_of(listed, element)))) is not None
    )
    root = ROOT.search(index.get("se_private_data") or "")
    searched = any(one["name"] == "FTS_DOC_ID" and one["hidden"] == ENGINES for one in listed)
    foreign = tuple(
        (str(_of(listed, e)["name"]), str(f["referenced_table_name"]), str(e["referenced_column_name"]))
        for f in told.get("foreign_keys", ())
        for e in f["elements"][:1]
    )
    return Table(name, columns, key, searched, int(root[1]) if root else 4, foreign)


def _of(listed: list[Mapping[str, Any]], element: Mapping[str, Any]) -> Mapping[str, Any]:
    """The column that an element of an index or a key is of."""
    column: Mapping[str, Any] = listed[element["column_opx"]]
    return column


def _column(told: Mapping[str, Any]) -> Column:
    charset = charset_of(told["collation_id"])
    if charset is None:
        raise NoTableError(f"column {told['name']} has collation {told['collation_id']}, which is not known")
    made = typed(str(told["name"]), str(told["column_type_utf8"]), charset)
    return replace(made, nullable=bool(told["is_nullable"]), virtual=bool(told.get("is_virtual")))
