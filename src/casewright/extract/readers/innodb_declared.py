"""What CREATE TABLE says of a table, as exactly as reading its pages needs it: lengths, character sets, keys, NULL.

MySQL Reference Manual, "CREATE TABLE Statement"; MariaDB Knowledge Base, "CREATE TABLE". As SHOW CREATE TABLE and dumps
write it: with the table's character set behind it.
"""

import re
from dataclasses import replace

from casewright.extract.readers.innodb_columns import TEXTS, Column, Keys, NoTableError, Table, clustered
from casewright.extract.readers.mysql_collations import CHARSETS, Charset
from casewright.extract.readers.mysql_literals import NAME as ANY_NAME
from casewright.extract.readers.mysql_literals import unquoted
from casewright.extract.readers.mysql_schema import QUOTED, TABLE, parse_create, parts, set_in

NAME = rb"(" + ANY_NAME + rb")"
TYPE = re.compile(r"\s*([a-z0-9]+)(?:\s+(precision))?\s*(?:\(((?:[^()']|'(?:[^'\\]|\\.|'')*')*)\))?", re.IGNORECASE)
COLUMN = re.compile(rb"\s*" + NAME + rb"\s+(.*)", re.DOTALL)
KEY = re.compile(
    rb"\s*(?:CONSTRAINT\s+(?:" + ANY_NAME + rb"\s+)?)?(PRIMARY\s+KEY|UNIQUE(?:\s+(?:KEY|INDEX))?)\s*(?:" + ANY_NAME
    + rb"\s*)?(?:USING\s+\w+\s*)?\((.*)\)", re.IGNORECASE | re.DOTALL,
)  # fmt: skip
OTHER_LINE = re.compile(rb"\s*(?:KEY|INDEX|FULLTEXT|SPATIAL|CONSTRAINT|CHECK|FOREIGN|PERIOD)\b", re.IGNORECASE)
PART = re.compile(rb"\s*" + NAME + rb"\s*(?:\(\s*(\d+)\s*\))?")
LITERAL = re.compile(r"'((?:[^'\\]|\\.|'')*)'", re.DOTALL)
COMPUTED = re.compile(rb"\bAS\s*\(", re.IGNORECASE)
STORED = re.compile(rb"\b(?:STORED|PERSISTENT)\b", re.IGNORECASE)
OLD_TIMES = b"/* mariadb-5.3 */"
SAME = {"integer": "int", "bool": "tinyint", "boolean": "tinyint", "numeric": "decimal", "dec": "decimal",
        "fixed": "decimal", "real": "double", "int4": "int", "int8": "bigint", "point": "geometry",
        "linestring": "geometry", "polygon": "geometry", "multipoint": "geometry", "multilinestring": "geometry",
        "multipolygon": "geometry", "geometrycollection": "geometry", "geomcollection": "geometry"}  # fmt: skip
KNOWN = frozenset(
    (*TEXTS, "tinyint", "smallint", "mediumint", "int", "bigint", "float", "double", "decimal", "date", "time",
     "datetime", "timestamp", "year", "bit", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob",
     "json", "geometry", "uuid", "inet6", "inet4")
)  # fmt: skip
PLAIN = {"decimal": (10, 0), "bit": (1,), "char": (1,), "binary": (1,)}
"""What stands in the parentheses where nothing does."""


def typed(name: str, text: str, charset: Charset) -> Column:
    """A column of a type as CREATE TABLE has it. Raises NoTableError."""
    found = TYPE.match(text)
    kind = found[1].lower() if found else ""
    kind = SAME.get(kind, kind)
    if found is None or kind not in KNOWN:
        raise NoTableError(f"column {name} is of a type ({text[:40]}) that is not read")
    rest, inside = text[found.end() :].lower(), found[3] or ""
    zerofill = "zerofill" in rest
    unsigned = zerofill or "unsigned" in rest
    charset = charset if kind in TEXTS else CHARSETS["binary"]
    if kind in ("enum", "set"):
        members = tuple(_literal(m) for m in LITERAL.findall(inside))
        return Column(name, kind, members=members, charset=charset)
    digits = tuple(int(n) for n in inside.split(",")) if re.fullmatch(r"[\d\s,]+", inside) else PLAIN.get(kind, ())
    if kind == "decimal" and len(digits) == 1:
        digits = (*digits, 0)
    if kind in ("float", "double") and len(digits) == 1:
        digits = ()
    if kind in ("varchar", "varbinary") and not digits:
        raise NoTableError(f"column {name} says no length")
    if kind in ("text", "blob"):
        digits = ()
    return Column(name, kind, digits, unsigned, charset=charset, zerofill=zerofill)


def _literal(text: str) -> bytes:
    return re.sub(r"\\(.)|''", lambda m: m[1] or "'", text, flags=re.DOTALL).encode("utf-8", "replace")


def declared(statement: bytes, name: str) -> Table:
    """The table of a CREATE TABLE statement, called `name`. Raises NoTableError."""
    head = TABLE.match(statement)
    if head is None:
        raise NoTableError("no CREATE TABLE")
    lines = parts(statement[head.end() :])
    body = sum(map(len, lines)) + len(lines)
    options = QUOTED.sub(b"''", statement[head.end() + body - 1 :])
    default = _charset(options, None)
    columns, keys, later, searched = list[Column](), Keys(), list[tuple[bool, bytes]](), False
    for line in lines:
        searched |= line.lstrip()[:8].upper() == b"FULLTEXT"
        if found := KEY.match(line):
            later.append((found[1][:1] in b"pP", found[2]))
        elif not OTHER_LINE.match(line) and (found := COLUMN.match(line)):
            columns.append(_column(unquoted(found[1]), found[2], default))
            plain = QUOTED.sub(b"''", found[2]).upper()
            if b"PRIMARY KEY" in plain or b" UNIQUE" in plain:
                later.append((b"PRIMARY KEY" in plain, found[1]))
    places = {column.name.lower(): place for place, column in enumerate(columns)}
    for primary, listed in later:
        keys.append((primary, tuple(_part(part, columns, places) for part in listed.split(b","))))
    for key in [key for primary, key in keys if primary]:
        for place, _ in key:
            columns[place] = replace(columns[place], nullable=False)
    schema = parse_create(statement, 0)
    return Table(name, tuple(columns), clustered(columns, keys), searched, foreign=schema.foreign if schema else ())


def _charset(text: bytes, default: Charset | None) -> Charset | None:
    """The character set that is named, by itself or by a collation."""
    name = set_in(text)
    if name and name not in CHARSETS:
        raise NoTableError(f"character set {name} is not known")
    return CHARSETS[name] if name else default


def _column(name: str, text: bytes, default: Charset | None) -> Column:
    plain = QUOTED.sub(b"''", text)
    charset = _charset(plain, default)
    made = typed(name, text.decode("utf-8", "backslashreplace"), charset or CHARSETS["binary"])
    if charset is None and made.type in TEXTS:
        raise NoTableError(f"neither column {name} nor its table says a character set")
    nullable = not re.search(rb"\bNOT\s+NULL\b|\bPRIMARY\s+KEY\b", plain, re.IGNORECASE)
    virtual = bool(COMPUTED.search(plain)) and not STORED.search(plain)
    return replace(made, nullable=nullable, virtual=virtual, old=OLD_TIMES in text)


def _part(part: bytes, columns: list[Column], places: dict[str, int]) -> tuple[int, int]:
    """A column of a key, and the bytes that it is cut to."""
    found = PART.match(part)
    place = places.get(unquoted(found[1]).lower()) if found else None
    if found is None or place is None:
        raise NoTableError("a key has a column that the table has not")
    column = columns[place]
    return place, column.cut(int(found[2] or 0) * column.charset.most)
