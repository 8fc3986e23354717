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
CHARSET = re.compile(rb"\b(?:CHARACTER\s+SET|CHARSET)\s*=?\s*([A-Za-z0-9]+)", re.IGNORECASE)
COLLATION = re.compile(rb"\bCOLLATE\s*=?\s*([A-Za-z0-9]+)", re.IGNORECASE)
QUOTED = re.compile(rb"'(?:[^'\\]++|\\.|'')*+'", re.DOTALL)


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


def charsets_of(text: bytes) -> dict[str, str]:
    """The character set of each column that has one, in a CREATE TABLE statement that `parse_create` takes."""
    head = TABLE.match(text)
    body = text[head.end() :] if head else b""
    lines = parts(body)
    options = QUOTED.sub(b"", body[sum(map(len, lines)) + len(lines) :])
    default, found = set_in(options), dict[str, str]()
    for line in lines:
        if not KEY_LINE.match(line) and not PRIMARY.match(line) and (column := COLUMN.match(line)):
            national = re.match(rb"n(?:ational|char|varchar)", column.group(2), re.IGNORECASE)
            own = "utf8" if national else set_in(QUOTED.sub(b"", line[column.end() :]))
            found[unquoted(column.group(1))] = own or default
    return found


def set_in(words: bytes) -> str:
    """The character set that words name, or that a collation in them belongs to."""
    named = CHARSET.search(words) or COLLATION.search(words)
    return named[1].decode("ascii").lower() if named else ""


def parts(body: bytes) -> list[bytes]:
    """Split at commas outside of parentheses and quotes, up to the parenthesis that closes the table."""
    found, depth, last = list[bytes](), 0, 0
    for token in re.finditer(rb"'(?:[^'\\]++|\\.|'')*+'|`(?:[^`]|``)*+`|[(),]", body, re.DOTALL):
        sign = token.group()
        if sign == b"(":
            depth += 1
        elif sign == b")":
            depth -= 1
            if depth < 0:
                return [*found, body[last : token.start()]]
        elif sign == b"," and depth == 0:
            found.append(body[last : token.start()])
            last = token.end()
    return [*found, body[last:]]
