"""CREATE TABLE, as far as a mapping needs it: columns, types, keys."""

import re
from dataclasses import dataclass

NAME = rb"`((?:[^`]|``)+)`"
TABLE = re.compile(rb"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?" + NAME, re.IGNORECASE)
COLUMN = re.compile(rb"\s*" + NAME + rb"\s+([A-Za-z]+(?:\s*\((?:[^()']|'[^']*')*\))?(?:\s+unsigned)?)", re.IGNORECASE)
PRIMARY = re.compile(rb"\s*PRIMARY\s+KEY\s*\(\s*" + NAME, re.IGNORECASE)
FOREIGN = re.compile(
    rb"FOREIGN\s+KEY\s*\(\s*" + NAME + rb"\s*\)\s*REFERENCES\s+" + NAME + rb"\s*\(\s*" + NAME, re.IGNORECASE
)


@dataclass(frozen=True)
class Schema:
    """A table as its dump declares it. `foreign`: (column, other table, its column)."""

    table: str
    columns: tuple[tuple[str, str], ...]
    primary: str | None
    foreign: tuple[tuple[str, str, str], ...]
    span_start: int
    span_length: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)


def parse_create(text: bytes, start: int) -> Schema | None:
    """The schema in a CREATE TABLE statement, or None when it is written in a way that dumps are not."""
    head = TABLE.match(text)
    if head is None:
        return None
    columns, primary, foreign = [], None, []
    for line in _parts(text[text.find(b"(", head.end()) + 1 :]):
        if found := PRIMARY.match(line):
            primary = _text(found.group(1))
        elif found := FOREIGN.search(line):
            foreign.append((_text(found.group(1)), _text(found.group(2)), _text(found.group(3))))
        elif found := COLUMN.match(line):
            columns.append((_text(found.group(1)), _text(found.group(2)).lower()))
    return Schema(_text(head.group(1)), tuple(columns), primary, tuple(foreign), start, len(text))


def _parts(body: bytes) -> list[bytes]:
    """Split at commas outside of parentheses and quotes, up to the parenthesis that closes the table."""
    parts, depth, last = list[bytes](), 0, 0
    for token in re.finditer(rb"'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`|[(),]", body, re.DOTALL):
        sign = token.group()
        if sign == b"(":
            depth += 1
        elif sign == b")":
            depth -= 1
            if depth < 0:
                return [*parts, body[last : token.start()]]
        elif sign == b"," and depth == 0:
            parts.append(body[last : token.start()])
            last = token.end()
    return [*parts, body[last:]]


def _text(raw: bytes) -> str:
    return raw.replace(b"``", b"`").decode("utf-8", "replace")
