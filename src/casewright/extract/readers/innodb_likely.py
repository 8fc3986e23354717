"""Whether bytes can be a value of a column: what a row that was given up must show before it counts.

MySQL Reference Manual, "Data Types": no month is the thirteenth, no group of nine digits is more than 999,999,999.
"""

import re
from collections.abc import Callable, Mapping

from casewright.extract.readers.innodb_blobs import Outside
from casewright.extract.readers.innodb_columns import DIGITS, TEXTS, Column
from casewright.extract.readers.mysql_charsets import meaning

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def can_be(column: Column, value: bytes | Outside | None) -> bool:
    """Whether bytes can be a value of a column."""
    if value is None:
        return column.nullable
    if isinstance(value, Outside):
        return not column.most
    if column.most and len(value) > column.most:
        return False
    if column.type in TEXTS and column.type not in ("enum", "set"):
        return _is_text(value, column)
    check = CHECKS.get(column.type)
    return check is None or check(column, value)


def _is_text(value: bytes, column: Column) -> bool:
    """Text of the column's character set, without control characters."""
    try:
        return not CONTROL.search(meaning(value, column.charset.name))
    except UnicodeError:
        return False


def _date(_: Column, value: bytes) -> bool:
    day = int.from_bytes(value, "big")
    return bool(day >> 23) and day >> 5 & 15 <= 12 and day >> 9 & 0x3FFF < 10000


def _time(column: Column, value: bytes) -> bool:
    if column.old:
        return True
    clock = abs(int.from_bytes(value[:3], "big") - 0x800000) if len(value) == 3 else 0
    return clock >> 12 <= 838 and clock >> 6 & 63 < 60 and clock & 63 < 60


def _datetime(column: Column, value: bytes) -> bool:
    if column.old:
        digits = int.from_bytes(value, "big") & (1 << 63) - 1
        return digits < 10**14 and digits // 10**8 % 100 <= 12 and digits // 10**6 % 100 <= 31
    moment = int.from_bytes(value[:5], "big")
    if not moment >> 39 or moment >> 22 & 0x1FFFF > 9999 * 13 + 12:
        return False
    return moment >> 12 & 31 < 24 and moment >> 6 & 63 < 60 and moment & 63 < 60 and _micro(value[5:])


def _micro(rest: bytes) -> bool:
    """A fraction has as many digits as it says."""
    return int.from_bytes(rest, "big") < int(100 ** len(rest))


def _timestamp(_: Column, value: bytes) -> bool:
    return _micro(value[4:])


def _enum(column: Column, value: bytes) -> bool:
    return int.from_bytes(value, "big") <= len(column.members)


def _set(column: Column, value: bytes) -> bool:
    return int.from_bytes(value, "big") < 1 << len(column.members)


def _decimal(column: Column, value: bytes) -> bool:
    """No group of digits is more than its digits can say."""
    turned = value if value[0] & 0x80 else bytes(b ^ 0xFF for b in value)
    turned, at = bytes([turned[0] ^ 0x80]) + turned[1:], 0
    precision, scale = column.numbers
    before, behind = divmod(precision - scale, 9), divmod(scale, 9)
    for group in (*[before[1]] * (before[1] > 0), *[9] * (before[0] + behind[0]), *[behind[1]] * (behind[1] > 0)):
        size = 4 if group == 9 else DIGITS[group]
        if int.from_bytes(turned[at : at + size], "big") >= 10**group:
            return False
        at += size
    return True


CHECKS: Mapping[str, Callable[[Column, bytes], bool]] = {
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "timestamp": _timestamp,
    "enum": _enum,
    "set": _set,
    "decimal": _decimal,
}
