"""Collations of MySQL and MariaDB by their numbers, and how many bytes a character of their sets takes.

Sources: MySQL Reference Manual, "Character Sets, Collations, Unicode", and INFORMATION_SCHEMA.COLLATIONS; MariaDB
Knowledge Base, "Supported Character Sets and Collations". What the bytes mean is in `mysql_charsets.py`.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

BINARY = 63


class Charset(NamedTuple):
    """`least` and `most`: bytes of a character."""

    name: str
    least: int
    most: int


CHARSETS: Mapping[str, Charset] = {
    name: Charset(name, least, most)
    for name, least, most in (
        ("armscii8", 1, 1), ("ascii", 1, 1), ("big5", 1, 2), ("binary", 1, 1), ("cp1250", 1, 1), ("cp1251", 1, 1),
        ("cp1256", 1, 1), ("cp1257", 1, 1), ("cp850", 1, 1), ("cp852", 1, 1), ("cp866", 1, 1), ("cp932", 1, 2),
        ("dec8", 1, 1), ("eucjpms", 1, 3), ("euckr", 1, 2), ("gb18030", 1, 4), ("gb2312", 1, 2), ("gbk", 1, 2),
        ("geostd8", 1, 1), ("greek", 1, 1), ("hebrew", 1, 1), ("hp8", 1, 1), ("keybcs2", 1, 1), ("koi8r", 1, 1),
        ("koi8u", 1, 1), ("latin1", 1, 1), ("latin2", 1, 1), ("latin5", 1, 1), ("latin7", 1, 1), ("macce", 1, 1),
        ("macroman", 1, 1), ("sjis", 1, 2), ("swe7", 1, 1), ("tis620", 1, 1), ("ucs2", 2, 2), ("ujis", 1, 3),
        ("utf16", 2, 4), ("utf16le", 2, 4), ("utf32", 4, 4), ("utf8", 1, 3), ("utf8mb3", 1, 3), ("utf8mb4", 1, 4),
    )
}  # fmt: skip
_NUMBERS: tuple[tuple[str, tuple[int | range, ...]], ...] = (
    ("big5", (1, 84)), ("latin2", (2, 9, 21, 27, 77)), ("dec8", (3, 69)), ("cp850", (4, 80)),
    ("latin1", (5, 8, 15, 31, 47, 48, 49, 94)), ("hp8", (6, 72)), ("koi8r", (7, 74)), ("swe7", (10, 82)),
    ("ascii", (11, 65)), ("ujis", (12, 91)), ("sjis", (13, 88)), ("cp1251", (14, 23, 50, 51, 52)),
    ("hebrew", (16, 71)), ("tis620", (18, 89)), ("euckr", (19, 85)), ("latin7", (20, 41, 42, 79)),
    ("koi8u", (22, 75)), ("gb2312", (24, 86)), ("greek", (25, 70)), ("cp1250", (26, 34, 44, 66, 99)),
    ("gbk", (28, 87)), ("cp1257", (29, 58, 59)), ("latin5", (30, 78)), ("armscii8", (32, 64)),
    ("utf8mb3", (33, 76, 83, range(192, 224), range(576, 608), range(2048, 2304))), ("cp866", (36, 68)),
    ("keybcs2", (37, 73)), ("macce", (38, 43)), ("macroman", (39, 53)), ("cp852", (40, 81)),
    ("utf8mb4", (45, 46, range(224, 248), range(255, 324), range(608, 640), range(2304, 2560))),
    ("ucs2", (35, 90, range(128, 160), range(640, 672), range(2560, 2816))),
    ("utf16", (54, 55, range(101, 125), range(672, 736), range(2816, 3072))), ("utf16le", (56, 62)),
    ("cp1256", (57, 67)), ("utf32", (60, 61, range(160, 184), range(736, 768), range(3072, 3328))),
    ("binary", (63,)), ("geostd8", (92, 93)), ("cp932", (95, 96)), ("eucjpms", (97, 98)),
    ("gb18030", (248, 249, 250)),
)  # fmt: skip
NO_PAD = 1024
"""MariaDB counts the collations that do not ignore spaces at the end from here."""


def _each(numbers: Iterable[int | range]) -> Iterable[int]:
    for one in numbers:
        yield from (one,) if isinstance(one, int) else one


BY_NUMBER: Mapping[int, str] = {number: name for name, numbers in _NUMBERS for number in _each(numbers)}


def charset_of(collation: int) -> Charset | None:
    """The character set of a collation's number, or None for one that is not known."""
    if NO_PAD <= collation < 2 * NO_PAD:
        collation -= NO_PAD
    name = BY_NUMBER.get(collation)
    return None if name is None else CHARSETS[name]
