"""What PostgreSQL's statements say of tables: names, columns, types and keys.

Source: PostgreSQL documentation, "SQL Syntax" (4.1) and "CREATE TABLE", as pg_dump writes them.
"""

import re
from dataclasses import dataclass, replace

from casewright.extract.reader import Schema

TOKEN = re.compile(
    rb"""\s+|--[^\n]*|/\*.*?\*/|(?P<quoted>"(?:[^"]|"")*")|(?P<text>[eE]?'(?:[^']|'')*')"""
    rb"""|(?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*)|(?P<number>\d[\w.]*)|(?P<sign>.)""",
    re.DOTALL,
)
CONSTRAINTS = {b"constraint", b"primary", b"unique", b"check", b"foreign", b"exclude", b"like"}
AFTER_TYPE = {*CONSTRAINTS, b"not", b"null", b"default", b"collate", b"references", b"generated", b"storage"}
PUBLIC = "public"


@dataclass(frozen=True)
class Token:
    kind: str
    raw: bytes

    @property
    def word(self) -> bytes:
        return self.raw.lower() if self.kind == "word" else b""

    @property
    def name(self) -> str:
        raw = self.raw[1:-1].replace(b'""', b'"') if self.kind == "quoted" else self.raw
        return raw.decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Key:
    """A constraint that is added to a table later: its primary key, or (column, other table, its column)."""

    table: str
    primary: str | None = None
    foreign: tuple[str, str, str] | None = None


def tokens_of(statement: bytes) -> list[Token]:
    return [Token(m.lastgroup, m.group()) for m in TOKEN.finditer(statement) if m.lastgroup]


def name_at(tokens: list[Token], at: int) -> tuple[str, int]:
    """A table's name, with its schema unless that is `public`, and the place after it."""
    parts = [tokens[at].name] if at < len(tokens) else [""]
    while at + 2 < len(tokens) and tokens[at + 1].raw == b".":
        at += 2
        parts.append(tokens[at].name)
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] == PUBLIC else parts), at + 1


def parse_create(statement: bytes, start: int, length: int) -> Schema | None:
    """The table that CREATE TABLE makes; None for one whose columns are not listed."""
    tokens = tokens_of(statement)
    words = [t.word for t in tokens]
    if words[:1] != [b"create"] or b"table" not in words[:4]:
        return None
    at = words.index(b"table") + 1
    at += 3 * (words[at : at + 3] == [b"if", b"not", b"exists"])
    table, at = name_at(tokens, at)
    if at >= len(tokens) or tokens[at].raw != b"(":
        return None
    schema = Schema(table, (), None, (), start, length)
    for part in _parts(tokens, at + 1):
        if part and part[0].word in CONSTRAINTS:
            schema = with_key(schema, _key(table, part))
        elif part:
            schema = _with_column(schema, part)
    return schema


def parse_alter(statement: bytes) -> Key | None:
    """The key that ALTER TABLE ... ADD CONSTRAINT adds."""
    tokens = tokens_of(statement)
    words = [t.word for t in tokens]
    if words[:2] != [b"alter", b"table"] or b"add" not in words:
        return None
    table, _ = name_at(tokens, 2 + (words[2] == b"only"))
    return _key(table, tokens[words.index(b"add") + 1 :])


def with_key(schema: Schema, key: Key | None) -> Schema:
    if key is None:
        return schema
    foreign = schema.foreign + ((key.foreign,) if key.foreign else ())
    return replace(schema, primary=key.primary or schema.primary, foreign=foreign)


def names_in(tokens: list[Token], at: int) -> list[str]:
    """The names in the parentheses that open at `at`."""
    return [part[0].name for part in _parts(tokens, at + 1) if part]


def _with_column(schema: Schema, part: list[Token]) -> Schema:
    at = 1
    while at < len(part) and part[at].word not in AFTER_TYPE:
        at += 1
    column = part[0].name, _written(part[1:at])
    schema = replace(schema, columns=(*schema.columns, column))
    words = [t.word for t in part]
    if b"primary" in words[at:]:
        schema = replace(schema, primary=column[0])
    if b"references" in words[at:]:
        other, behind = name_at(part, words.index(b"references") + 1)
        theirs = names_in(part, behind) if part[behind : behind + 1] and part[behind].raw == b"(" else [""]
        schema = replace(schema, foreign=(*schema.foreign, (column[0], other, theirs[0])))
    return schema


def _key(table: str, part: list[Token]) -> Key | None:
    words = [t.word for t in part]
    opening = next((n for n, t in enumerate(part) if t.raw == b"("), None)
    if opening is None:
        return None
    ours = names_in(part, opening)
    if b"primary" in words[:opening]:
        return Key(table, primary=ours[0] if ours else None)
    if b"foreign" in words[:opening] and b"references" in words and len(ours) == 1:
        other, behind = name_at(part, words.index(b"references") + 1)
        theirs = names_in(part, behind) if part[behind : behind + 1] and part[behind].raw == b"(" else [""]
        return Key(table, foreign=(ours[0], other, theirs[0]))
    return None


def _parts(tokens: list[Token], at: int) -> list[list[Token]]:
    """What stands between the commas of a list in parentheses."""
    parts, depth = [list[Token]()], 0
    for token in tokens[at:]:
        depth += (token.raw in (b"(", b"[")) - (token.raw in (b")", b"]"))
        if depth < 0:
            break
        if token.raw == b"," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _written(tokens: list[Token]) -> str:
    text = ""
    for token in tokens:
        text += " " * bool(text and token.kind in ("word", "quoted") and text[-1].isalnum()) + token.name
    return text.lower()
