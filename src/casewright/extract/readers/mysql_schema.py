"""CREATE TABLE, as far as a mapping needs it: columns, types, keys."""

import re

from casewright.extract.reader import Schema
from casewright.extract.readers.mysql_literals import NAME as ANY_NAME
from casewright.extract.readers.mysql_literals import unquoted

NAME = rb"(" + ANY_NAME + rb")"
TABLE = re.compile(
    rb"CREATE\s+(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:" + ANY_NAME + rb"\s*\.\s*)?" + NAME + rb"\s*\(",
    re.IGNORECASE,
)
KEY_LINE = re.compile(rb"\s*(?:UNIQUE|KEY|INDEX|FULLTEXT|SPATIAL|CONSTRAINT|CHECK|FOREIGN|PERIOD)\b", re.IGNORECASE)
COLUMN = re.compile(
    rb"\s*" + NAME + rb"\s+([A-Za-z]+(?:\s*\((?:[^()']|'(?:[^'\\]|\\.|'')*')*\))?(?:\s+unsigned)?)", re.IGNORECASE
)
PRIMARY = re.compile(rb"\s*(?:CONSTRAINT\s+(?:\S+\s+)?)?PRIMARY\s+KEY\s*\(\s*" + NAME, re.IGNORECASE)
INLINE_PRIMARY = re.compile(rb"[^']*\bPRIMARY\s+KEY\b", re.IGNORECASE)
FOREIGN = re.compile(
    rb"\s*(?:CONSTRAINT\s+(?:" + ANY_NAME + rb"\s+)?)?FOREIGN\s+KEY\s*\(\s*" + NAME
    + rb"\s*\)\s*REFERENCES\s+(?:" + ANY_NAME + rb"\s*\.\s*)?" + NAME + rb"\s*\(\s*" + NAME, re.IGNORECASE
)  # fmt: skip


def parse_create(text: bytes, start: int) -> Schema | None:
    """The schema in a CREATE TABLE statement, or None when it is written in a way that dumps are not."""
    head = TABLE.match(text)
    if head is None:
        return None
    columns, primary, foreign = [], None, []
    for line in parts(text[head.end() :]):
        if found := PRIMARY.match(line):
            primary = unquoted(found.group(1))
        elif found := FOREIGN.match(line):
            foreign.append((unquoted(found.group(1)), unquoted(found.group(2)), unquoted(found.group(3))))
        elif not KEY_LINE.match(line) and (found := COLUMN.match(line)):
            columns.append((unquoted(found.group(1)), found.group(2).decode("ascii", "replace").lower()))
            if INLINE_PRIMARY.match(line, found.end()):
                primary = columns[-1][0]
    return Schema(unquoted(head.group(1)), tuple(columns), primary, tuple(foreign), start, len(text))


def parts(body: bytes) -> list[bytes]:
    """Split at commas outside of parentheses and quotes, up to the parenthesis that closes the table."""
    parts, depth, last = list[bytes](), 0, 0
    for token in re.finditer(rb"'(?:[^'\\]++|\\.|'')*+'|`(?:[^`]|``)*+`|[(),]", body, re.DOTALL):
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
