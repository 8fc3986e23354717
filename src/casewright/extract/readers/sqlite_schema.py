"""What SQLite's CREATE TABLE says of the records: columns, their affinity, the key, and what is not stored.

Source: https://www.sqlite.org/lang_createtable.html and https://www.sqlite.org/datatype3.html, section 3.1.
"""

import re
from dataclasses import dataclass, field

from casewright.extract.reader import Schema

TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?P<text>'(?:[^']|'')*')"""
    r"""|(?P<blob>[xX]'[0-9A-Fa-f]*')|(?P<number>[+-]?\s*\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?P<word>[\w$]+)|(?P<sign>.)""",
    re.DOTALL,
)
CONSTRAINTS = {"constraint", "primary", "unique", "check", "foreign"}
AFTER_TYPE = {*CONSTRAINTS, "not", "null", "default", "collate", "references", "generated", "as", "on"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        """The word in lower case, or nothing when it is quoted or none."""
        return self.text.lower() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """A name without its quotes."""
        if self.kind in ("quoted", "text"):
            return self.text[1:-1].replace(self.text[-1] * 2, self.text[-1])
        return self.text


@dataclass
class Stored:
    """A column as records hold it. `virtual` ones are not stored; `default` stands for what short records lack."""

    name: str
    declared: str = ""
    virtual: bool = False
    needed: bool = False
    default: bytes | None = None

    @property
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

    @property
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
    parts, end = _parts(tokens, opening + 1)
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


def _parts(tokens: list[Token], at: int) -> tuple[list[list[Token]], int]:
    """What stands between the commas of a list in parentheses, and the place after it."""
    parts, depth = [list[Token]()], 0
    for place in range(at, len(tokens)):
        sign = tokens[place].text if tokens[place].kind == "sign" else ""
        if sign == ")" and depth == 0:
            return parts, place + 1
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(tokens[place])
    return parts, len(tokens)


def _column(table: Table, part: list[Token]) -> None:
    column = Stored(part[0].name)
    at = 1
    while at < len(part) and part[at].word not in AFTER_TYPE:
        at += 1
    column.declared = _written(part[1:at])
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
    elif words[at] == "references" and at + 1 < len(part):
        other = part[at + 3].name if at + 3 < len(part) and part[at + 2].text == "(" else ""
        table.foreign.append((column.name, part[at + 1].name, other))
    elif words[at] == "as":
        column.virtual = "stored" not in words[at:]


def _constraint(table: Table, part: list[Token]) -> None:
    """PRIMARY KEY (a, b) and FOREIGN KEY (a) REFERENCES t (b); others say nothing of the records."""
    words = [t.word for t in part]
    if "primary" in words:
        at = words.index("primary") + 2
        names = [p[0] for p in _parts(part, at + 1)[0] if p]
        table.primary = [t.name for t in names]
        column = next((c for c in table.columns if len(names) == 1 and c.name.lower() == names[0].name.lower()), None)
        if column and column.declared.lower() == "integer":
            table.alias = column.name
    elif "foreign" in words and "references" in words:
        ours = _parts(part, words.index("foreign") + 3)[0][0]
        at = words.index("references")
        other = part[at + 3].name if at + 3 < len(part) and part[at + 2].text == "(" else ""
        if len(ours) == 1 and at + 1 < len(part):
            table.foreign.append((ours[0].name, part[at + 1].name, other))


def _written(tokens: list[Token]) -> str:
    text = ""
    for token in tokens:
        text += " " * bool(text and token.kind == "word" and text[-1].isalnum()) + token.name
    return text


def _literal(token: Token) -> bytes | None:
    """The value of a default that is written out; None for NULL and for what would have to be computed."""
    if token.kind == "text":
        return token.name.encode()
    if token.kind == "blob":
        return bytes.fromhex(token.text[2:-1])
    if token.kind == "number":
        return token.text.replace(" ", "").lstrip("+").encode()
    return {"true": b"1", "false": b"0"}.get(token.word)
