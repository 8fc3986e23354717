"""The statements of a dump, as far as they are told apart. Patterns are possessive, so that no bytes take them long.

MariaDB Knowledge Base, "INSERT", "Comment Syntax", "Delimiters"; PostgreSQL documentation, "COPY".
"""

import re
from dataclasses import dataclass
from functools import cache

from casewright.extract.readers.mysql_literals import NAME
from casewright.extract.readers.pairs import PAIRS, string_body

INSERT = (
    rb"(?:INSERT|REPLACE)\s+(?:(?:IGNORE|DELAYED|LOW_PRIORITY|HIGH_PRIORITY)\s+)*INTO\s+"
    rb"(%(name)s)(?:\s*\.\s*(%(name)s))?\s*"
    rb"(?:\(\s*(%(name)s\s*(?:,\s*%(name)s\s*)*+)\)\s*)?VALUES?\s*+"
)
VALUE = (
    rb"\s*+(?:_(?P<set>[A-Za-z0-9]++)\s*+(?=[xXbB]?'|\"|0[xX]))?+"
    rb"(?:(?P<kind>[xXbBnN]?)'(?P<single>%s)'"
    rb'|"(?P<double>%s)"'
    rb"|(?P<word>[-+]?[0-9.][0-9A-Za-z.+-]*+|[A-Za-z]++))"
    rb"\s*+(?P<after>[,)])"
)
QUOTED = rb"""'%s'|"%s"|%s|/\*.*?\*/|(?:--[ \t]|\#)[^\n]*\n"""
CUT_OFF = (
    rb"\s*+(?:_[A-Za-z0-9]++\s*+(?=[xXbB]?'))?+"
    rb"""(?:[xXbBnN]?'%s%s|"%s%s|`[^`]*+|/\*(?:(?!\*/).)*+|[\w.+-]*+)"""
    rb"\s*+\Z"
)
SPACE = re.compile(rb"(?:\s++|--(?:[ \t][^\n]*)?(?:\n|\r\n|\Z)|#[^\n]*(?:\n|\Z)|/\*(?!M?!).*?\*/)*+", re.DOTALL)
CONDITIONAL = re.compile(rb"/\*M?!.*?\*/", re.DOTALL)
DELIMITER = re.compile(rb"DELIMITER[ \t]+([^\r\n]+?)[ \t]*\r?(?:\n|\Z)", re.IGNORECASE)
USE = re.compile(rb"USE\s+(" + NAME + rb")", re.IGNORECASE)
COPY = re.compile(rb"COPY\s.*\sFROM\s+stdin\s*\Z", re.IGNORECASE | re.DOTALL)
ROWLESS = re.compile(
    rb"(?:/\*M?!|\\|(?:SET|USE|LOCK|UNLOCK|DROP|CREATE|ALTER|START|BEGIN|COMMIT|ROLLBACK|GRANT|REVOKE|FLUSH|ANALYZE|"
    rb"OPTIMIZE|TRUNCATE|DELETE|UPDATE|CALL|SELECT|CHANGE|RENAME|COMMENT|COPY|INSERT|REPLACE)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Lexis:
    """How names and strings are told apart, which a connection's character set and `sql_mode` decide.

    In some sets the second byte of a character may look like a backslash or a backtick, and is none.
    """

    charset: str
    escapes: bool
    name: re.Pattern[bytes]
    insert: re.Pattern[bytes]
    value: re.Pattern[bytes]
    """One value and what follows it. Possessive all along: a string that is cut off matches nothing, never a part."""
    quoted: re.Pattern[bytes]
    cut_off: re.Pattern[bytes]
    """The last value of a dump that ends in the middle of a row, or the last open quote of a statement."""
    escaped: re.Pattern[bytes]
    """What stands in a string for something else, or is a whole character."""


@cache
def lexis(charset: str, *, escapes: bool) -> Lexis:
    """The patterns for a connection's set (nothing: not known)."""
    pair = PAIRS.get(charset, b"")
    escape = rb"\\." if escapes else b""
    name = _name(pair)
    single, double = (string_body(quote, pair, escape) for quote in (b"'", b'"'))
    open_end = rb"(?:%s|\\)?" if escapes else rb"(?:%s)?"
    return Lexis(
        charset, escapes, re.compile(name, re.DOTALL), re.compile(INSERT % {b"name": name}, re.IGNORECASE | re.DOTALL),
        re.compile(VALUE % (single, double), re.DOTALL),
        re.compile(QUOTED % (single, double, name), re.DOTALL),
        re.compile(CUT_OFF % (single, open_end % b"'", double, open_end % b'"'), re.DOTALL),
        re.compile(b"|".join(filter(None, (pair, escape, b"''|\"\""))), re.DOTALL),
    )  # fmt: skip


def _name(pair: bytes) -> bytes:
    return NAME if not pair else NAME.replace(b"[^`]", pair + b"|[^`]", 1)
