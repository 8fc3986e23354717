"""Which fields the records of a table have: what its definition says, held against its rows.

MariaDB Knowledge Base, "Instant ADD COLUMN for InnoDB": since 10.3 columns may be added without writing the rows anew;
then the first page says how many fields the older rows have, and a record before all rows holds what they lack. Since
10.4 columns may be dropped and moved so, too.
"""

import struct
from collections.abc import Iterator, Sequence

from casewright.extract.readers.innodb_blobs import REFERENCE, Outside, whole
from casewright.extract.readers.innodb_columns import Field, Table
from casewright.extract.readers.innodb_pages import HEADER, INSTANT, Damaged, Pages, number
from casewright.extract.readers.innodb_record import DELETED, LEAST, Leaf, Shape, overlap

DROPPED, NOT_NULL = 0x8000, 0x4000
LOOKED_AT = 8
"""Pages with rows that must agree with a definition before it counts."""


def shape_of(pages: Pages, table: Table, leaves: Sequence[int]) -> Shape:
    """The shape that fits the rows. Raises Damaged when none does.

    A full-text index that was dropped leaves its number in every row, though the definition does not know it.
    """
    looked = list(_looked_at(pages, leaves))
    why = "they are not what the table's definition says"
    for searched in (table.searched, not table.searched):
        try:
            shape = _shape(pages, table.laid_out(searched=searched), table.root, leaves)
        except Damaged as error:
            why = str(error)
            continue
        left = [unexplained(leaf, shape) for leaf in looked]
        if not left or (None not in left and 0 in left):
            return shape
    raise Damaged(why)


def _looked_at(pages: Pages, leaves: Sequence[int]) -> Iterator[Leaf]:
    """The first leaves that hold rows."""
    left = LOOKED_AT
    for which in leaves:
        try:
            leaf = Leaf(pages.page(which))
        except Damaged:
            continue
        if leaf.count and left:
            yield leaf
            left -= 1
        if not left:
            return


def _shape(pages: Pages, table: Table, root: int, leaves: Sequence[int]) -> Shape:
    """With what older rows lack, where the first page says that there are some."""
    try:
        first = pages.page(root)
    except Damaged:
        return Shape.of(table.fields)
    if number(first, 24, 2) != INSTANT or not leaves:
        return Shape.of(table.fields)
    core = number(first, HEADER + 12, 2) >> 3
    leaf = Leaf(pages.page(leaves[0]))
    at = next(leaf.chain(), 0)
    marks = leaf.marks(at) if at else 0
    if not marks & LEAST:
        raise Damaged("what older rows lack is not told")
    if not marks & DELETED:
        return Shape(table.fields, core, leaf.record(at, Shape(table.fields, core)).values)
    fields = _moved(pages, table, leaf, at)
    own = table.key_fields + 2
    told = leaf.record(at, Shape((*fields[:own], Field(None, REFERENCE), *fields[own:]), core))
    return Shape(fields, core, told.values[:own] + told.values[own + 1 :])


def _moved(pages: Pages, table: Table, leaf: Leaf, at: int) -> tuple[Field, ...]:
    """The fields of a table of which columns were dropped or moved in place: a long value behind the fields of InnoDB's
    own says of each other field which column it is, or that it was dropped and how long it is."""
    own = table.fields[: table.key_fields + 2]
    begin = at + sum(field.fixed or 0 for field in own)
    told = whole(pages, Outside(b"", leaf.raw[begin : begin + REFERENCE]))
    count, stored = number(told, 0), [n for n, column in enumerate(table.columns) if not column.virtual]
    if len(told) != 4 + 2 * count:
        raise Damaged("which columns were dropped is not told")
    by_column = {field.column: field for field in table.fields[len(own) :]}
    fields = list[Field]()
    for one in struct.unpack(f">{count}H", told[4:]):
        size = one & ~(DROPPED | NOT_NULL)
        if one & DROPPED:
            fields.append(Field(None, size - 1 if size > 1 else None, size == 1, not one & NOT_NULL))
        elif size < len(stored) and stored[size] in by_column:
            fields.append(by_column.pop(stored[size]))
        elif size == len(stored) and None in by_column:
            fields.append(by_column.pop(None))
        else:
            raise Damaged("a field is of a column that the table has not")
    if by_column:
        raise Damaged("a column has no field")
    return (*own, *fields)


def unexplained(leaf: Leaf, shape: Shape) -> int | None:
    """How many bytes of a page's heap its records and what is free leave over: 0 on a page as servers write it. None
    when they can't be its records, because they stand in each other's place or take more than there is."""
    try:
        records = list(leaf.rows(shape))
    except Damaged:
        return None
    if overlap(records):
        return None
    left = leaf.top - leaf.begins - leaf.garbage - sum(record.end - record.start for record in records)
    if len(records) < leaf.count:
        return 0 if left >= 0 else None
    return left if left >= 0 else None
