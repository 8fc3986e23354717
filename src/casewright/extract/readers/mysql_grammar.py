"""The statements of a dump, as far as they are told apart. Patterns are possessive, so that no bytes take them long.

MariaDB Knowledge Base, "INSERT", "Comment Syntax", "Delimiters"; PostgreSQL documentation, "COPY".
"""

import re

from casewright.extract.readers.mysql_literals import NAME

INSERT = re.compile(
    rb"(?:INSERT|REPLACE)\s+(?:(?:IGNORE|DELAYED|LOW_PRIORITY|HIGH_PRIORITY)\s+)*INTO\s+"
    rb"(" + NAME + rb")(?:\s*\.\s*(" + NAME + rb"))?\s*"
    rb"(?:\(\s*(" + NAME + rb"\s*(?:,\s*" + NAME + rb"\s*)*+)\)\s*)?VALUES?\s*+",
    re.IGNORECASE,
)
SPACE = re.compile(rb"(?:\s++|--(?:[ \t][^\n]*)?(?:\n|\r\n|\Z)|#[^\n]*(?:\n|\Z)|/\*(?!M?!).*?\*/)*+", re.DOTALL)
CONDITIONAL = re.compile(rb"/\*M?!.*?\*/", re.DOTALL)
QUOTED = re.compile(
    rb"""'(?:[^'\\]++|\\.|'')*+'|"(?:[^"\\]++|\\.|"")*+"|`(?:[^`]|``)*+`|/\*.*?\*/|(?:--[ \t]|\#)[^\n]*\n""", re.DOTALL
)
CUT_OFF = re.compile(
    rb"\s*+(?:_[A-Za-z0-9]++\s*+(?=[xXbB]?'))?+"
    rb"""(?:[xXbB]?'(?:[^'\\]++|\\.|'')*+(?:'|\\)?|"(?:[^"\\]++|\\.|"")*+(?:"|\\)?|`[^`]*+|/\*(?:(?!\*/).)*+|[\w.+-]*+)"""
    rb"\s*+\Z",
    re.DOTALL,
)
"""The last value of a dump that ends in the middle of a row, or the last open quote of a statement."""
DELIMITER = re.compile(rb"DELIMITER[ \t]+([^\r\n]+?)[ \t]*\r?(?:\n|\Z)", re.IGNORECASE)
USE = re.compile(rb"USE\s+(" + NAME + rb")", re.IGNORECASE)
COPY = re.compile(rb"COPY\s.*\sFROM\s+stdin\s*\Z", re.IGNORECASE | re.DOTALL)
ROWLESS = re.compile(
    rb"(?:/\*M?!|\\|(?:SET|USE|LOCK|UNLOCK|DROP|CREATE|ALTER|START|BEGIN|COMMIT|ROLLBACK|GRANT|REVOKE|FLUSH|ANALYZE|"
    rb"OPTIMIZE|TRUNCATE|DELETE|UPDATE|CALL|SELECT|CHANGE|RENAME|COMMENT|COPY|INSERT|REPLACE)\b)",
    re.IGNORECASE,
)
