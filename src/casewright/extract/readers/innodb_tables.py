"""Which tables a tablespace holds: what it says itself (MySQL 8), or what stands beside it."""

import re

from casewright.extract.reader import Beside
from casewright.extract.readers.innodb_columns import NoTableError, Table
from casewright.extract.readers.innodb_declared import declared
from casewright.extract.readers.innodb_pages import Damaged, Pages
from casewright.extract.readers.innodb_sdi import sdi_tables
from casewright.extract.readers.mysql_frm import LIMIT, read_frm
from casewright.extract.readers.mysql_schema import TABLE

PARTITION = re.compile(rb"#p#", re.IGNORECASE)
ENDING = re.compile(rb"\.ibd\Z", re.IGNORECASE)
ENCODED = re.compile(r"@([0-9a-f]{4})")


def stem_of(name: bytes) -> bytes:
    """A tablespace's name without its ending, and without the partition that it is of."""
    return PARTITION.split(ENDING.sub(b"", name.rpartition(b"/")[2]))[0]


def table_name(name: bytes) -> str:
    """The table that a tablespace with this name is of: servers write signs as `@` and four hex digits."""
    text = stem_of(name).decode("utf-8", "backslashreplace")
    return ENCODED.sub(lambda m: chr(int(m[1], 16)), text)


def tables_of(pages: Pages, beside: Beside) -> list[Table]:
    """The tables of a tablespace. Raises Damaged when nothing says what they are."""
    try:
        return sdi_tables(pages) if pages.has_sdi else [_beside(beside)]
    except NoTableError as error:
        raise Damaged(str(error)) from error


def _beside(beside: Beside) -> Table:
    """By the `.frm` beside the tablespace, or by a `.sql` of its name."""
    stem, name, why = stem_of(beside.name), table_name(beside.name), ""
    if file := beside.open_named(stem + b".frm"):
        try:
            return read_frm(file.read(LIMIT), name)
        except NoTableError as error:
            why = f"its .frm: {error}; "
    if file := beside.open_named(stem + b".sql"):
        text = file.read(LIMIT)
        found = TABLE.search(text)
        if found is None:
            raise NoTableError(f"{why}the .sql beside it holds no CREATE TABLE")
        return declared(text[found.start() :], name)
    raise NoTableError(
        f"{why}what the table's columns are is told by {name}.frm or {name}.sql beside it, and neither is"
    )
