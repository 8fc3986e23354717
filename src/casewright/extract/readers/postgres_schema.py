"""What PostgreSQL's statements say of tables: names, columns, types and keys.

Source: PostgreSQL documentation, "SQL Syntax" (4.1) and "CREATE TABLE", as pg_dump writes them.
"""

import re
from dataclasses import dataclass, replace

from casewright.extract.reader import Schema
from casewright.extract.readers.declared import Token, listed, parts_of, type_end, written

TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<quoted>"(?:[^"]|"")*")|(?P<text>[eE]?'(?:[^']|'')*')"""
    r"""|(?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)|(?P<number>\d[\w.]*)|(?P<sign>.)""",
    re.DOTALL,
)
CONSTRAINTS = {"constraint", "primary", "unique", "check", "foreign", "exclude", "like"}
AFTER_TYPE = {*CONSTRAINTS, "not", "null", "default", "collate", "references", "generated", "storage"}
PUBLIC = "public"


@dataclass(frozen=True)
class Key:
    """A constraint that is added to a table later: its primary key, or (column, other table, its column)."""

    table: str
    primary: str | None = None
    foreign: tuple[str, str, str] | None = None


def tokens_of(statement: str) -> list[Token]:
    return [Token(m.lastgroup, m.group()) for m in TOKEN.finditer(statement) if m.lastgroup]


def name_at(tokens: list[Token], at: int) -> tuple[str, int]:
    """A table's name, with its schema unless that is `public`, and the place after it."""
    parts = [tokens[at].name] if at < len(tokens) else [""]
    while at + 2 < len(tokens) and tokens[at + 1].text == ".":
        at += 2
        parts.append(tokens[at].name)
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] == PUBLIC else parts), at + 1


def parse_create(statement: str, start: int, length: int) -> Schema | None:
    """The table that CREATE TABLE makes; None for one whose columns are not listed."""
    tokens = tokens_of(statement)
    words = [t.word for t in tokens]
    if words[:1] != ["create"] or "table" not in words[:4]:
        return None
    at = words.index("table") + 1
    at += 3 * (words[at : at + 3] == ["if", "not", "exists"])
    table, at = name_at(tokens, at)
    if at >= len(tokens) or tokens[at].text != "(":
        return None
    schema = Schema(table, (), None, (), start, length)
    for part in parts_of(tokens, at + 1)[0]:
        if part and part[0].word in CONSTRAINTS:
            schema = with_key(schema, _key(table, part))
        elif part:
            schema = _with_column(schema, part)
    return schema


def parse_alter(statement: str) -> Key | None:
    """The key that ALTER TABLE ... ADD CONSTRAINT adds."""
    tokens = tokens_of(statement)
    words = [t.word for t in tokens]
    if words[:2] != ["alter", "table"] or "add" not in words:
        return None
    table, _ = name_at(tokens, 2 + (words[2] == "only"))
    return _key(table, tokens[words.index("add") + 1 :])


def with_key(schema: Schema, key: Key | None) -> Schema:
    if key is None:
        return schema
    foreign = schema.foreign + ((key.foreign,) if key.foreign else ())
    return replace(schema, primary=key.primary or schema.primary, foreign=foreign)


def _with_column(schema: Schema, part: list[Token]) -> Schema:
    at = type_end(part, AFTER_TYPE)
    name, words = part[0].name, [t.word for t in part[at:]]
    schema = replace(schema, columns=(*schema.columns, (name, written(part[1:at]).lower())))
    if "primary" in words:
        schema = with_key(schema, Key(schema.table, primary=name))
    if "references" in words:
        schema = with_key(schema, Key(schema.table, foreign=_referred(part[at:], name)))
    return schema


def _key(table: str, part: list[Token]) -> Key | None:
    words = [t.word for t in part]
    opening = next((n for n, t in enumerate(part) if t.text == "("), None)
    if opening is None:
        return None
    ours = listed(part, opening)
    if "primary" in words[:opening]:
        return Key(table, primary=ours[0] if ours else None)
    if "foreign" in words[:opening] and "references" in words and len(ours) == 1:
        return Key(table, foreign=_referred(part, ours[0]))
    return None


def _referred(part: list[Token], ours: str) -> tuple[str, str, str]:
    """What REFERENCES says: our column, the other table and its column, or nothing where its key is meant."""
    other, behind = name_at(part, [token.word for token in part].index("references") + 1)
    return ours, other, (listed(part, behind) or [""])[0]
