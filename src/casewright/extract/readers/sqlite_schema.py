"""What SQLite's CREATE TABLE says of the records: columns, their affinity, the key, and what is not stored.

Source: https://www.sqlite.org/lang_createtable.html and https://www.sqlite.org/datatype3.html, section 3.1.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

from casewright.extract.reader import Schema
from casewright.extract.readers.declared import Token, listed, parts_of, type_end, written

TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?P<text>'(?:[^']|'')*')"""
    r"""|(?P<blob>[xX]'(?:[0-9A-Fa-f]{2})*')|(?P<number>[+-]?\s*\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?P<word>[\w$]+)|(?P<sign>.)""",
    re.DOTALL,
)
CONSTRAINTS = {"constraint", "primary", "unique", "check", "foreign"}
AFTER_TYPE = {*CONSTRAINTS, "not", "null", "default", "collate", "references", "generated", "as", "on"}


@dataclass
class Stored:
    """A column as records hold it. `virtual` ones are not stored; `default` stands for what short records lack."""

    name: str
    declared: str = ""
    virtual: bool = False
    needed: bool = False
    default: bytes | None = None

    @cached_property
    def affinity(self) -> str:
        kind = self.declared.upper()
        if "INT" in kind:
            return "integer"
        if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
            return "text"
        if not kind or "BLOB" in kind:
            return "blob"
        return "real" if any(word in kind for word in ("REAL", "FLOA", "DOUB")) else "numeric"


@dataclass
class Table:
    """A table: its columns in the order they were declared, and how they stand in records."""

    name: str
    root: int
    columns: list[Stored] = field(default_factory=list)
    primary: list[str] = field(default_factory=list)
    foreign: list[tuple[str, str, str]] = field(default_factory=list)
    without_rowid: bool = False
    alias: str | None = None

    @cached_property
    def stored(self) -> list[Stored]:
        """Columns in the order of the record: tables without a rowid begin with their key."""
        held = [c for c in self.columns if not c.virtual]
        if not self.without_rowid:
            return held
        by_name = {c.name.lower(): c for c in held}
        key = [by_name[name.lower()] for name in dict.fromkeys(self.primary) if name.lower() in by_name]
        return key + [c for c in held if c not in key]

    def schema(self, start: int, length: int) -> Schema:
        columns = tuple((c.name, c.declared.lower()) for c in self.columns)
        primary = self.primary[0] if self.primary else None
        return Schema(self.name, columns, primary, tuple(self.foreign), start, length)


def parse_table(name: str, root: int, sql: str) -> Table | None:
    """The table that a CREATE TABLE statement makes, or None when that is of no kind that is known."""
    tokens = [Token(m.lastgroup, m.group()) for m in TOKEN.finditer(sql) if m.lastgroup]
    opening = next((n for n, t in enumerate(tokens) if t.text == "("), None)
    if opening is None or tokens[0].word != "create":
        return None
    parts, end = parts_of(tokens, opening + 1)
    table = Table(name, root)
    options = {t.word for t in tokens[end:]}
    table.without_rowid = {"without", "rowid"} <= options
    for part in parts:
        if part and part[0].word in CONSTRAINTS:
            _constraint(table, part)
        elif part:
            _column(table, part)
    if table.without_rowid or len(table.primary) != 1:
        table.alias = None
    return table if table.columns else None


def _column(table: Table, part: list[Token]) -> None:
    column = Stored(part[0].name)
    at = type_end(part, AFTER_TYPE)
    column.declared = written(part[1:at])
    words = [t.word for t in part]
    for place in range(at, len(part)):
        _column_constraint(table, column, part, words, place)
    table.columns.append(column)


def _column_constraint(table: Table, column: Stored, part: list[Token], words: list[str], at: int) -> None:
    following = words[at + 1] if at + 1 < len(words) else ""
    if words[at] == "primary" and following == "key":
        table.primary = [column.name]
        if column.declared.lower() == "integer" and words[at + 2 : at + 3] != ["desc"]:
            table.alias = column.name
    elif words[at] == "not" and following == "null":
        column.needed = True
    elif words[at] == "default" and at + 1 < len(part):
        column.default = _literal(part[at + 1])
    elif words[at] == "references":
        table.foreign += _referred(part[at:], column.name)
    elif words[at] == "as":
        column.virtual = "stored" not in words[at:]


def _constraint(table: Table, part: list[Token]) -> None:
    """PRIMARY KEY (a, b) and FOREIGN KEY (a) REFERENCES t (b); others say nothing of the records."""
    words = [t.word for t in part]
    if "primary" in words:
        table.primary = listed(part, words.index("primary") + 2)
        key = [name.lower() for name in table.primary]
        column = next((c for c in table.columns if [c.name.lower()] == key), None)
        if column and column.declared.lower() == "integer":
            table.alias = column.name
    elif "foreign" in words and "references" in words:
        ours = listed(part, words.index("foreign") + 2)
        if len(ours) == 1:
            table.foreign += _referred(part, ours[0])


def _referred(part: list[Token], ours: str) -> list[tuple[str, str, str]]:
    """What REFERENCES says: our column, the other table and its column, or the other's key where none is named."""
    at = [token.word for token in part].index("references") + 1
    return [(ours, part[at].name, (listed(part, at + 1) or [""])[0])] if at < len(part) else []


def _literal(token: Token) -> bytes | None:
    """The value of a default that is written out; None for NULL and for what would have to be computed."""
    if token.kind == "text":
        return token.name.encode()
    if token.kind == "blob":
        return bytes.fromhex(token.text[2:-1])
    if token.kind == "number":
        return token.text.replace(" ", "").lstrip("+").encode()
    return {"true": b"1", "false": b"0"}.get(token.word)
