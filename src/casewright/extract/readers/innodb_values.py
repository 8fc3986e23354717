"""Values of InnoDB as a dump writes them, and whether bytes can be a value of a column.

Sources: MySQL Internals Manual, "Date and Time Data Type Representation"; MySQL Reference Manual, "Data Type Storage
Requirements", "Problems with Floating-Point Values"; InnoDB keeps whole numbers with the high byte first and their sign
turned.
"""

import socket
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from casewright.extract.readers.innodb_columns import DIGITS, INTEGERS, TEXTS, Column
from casewright.extract.readers.mysql_charsets import in_utf8

Convert = Callable[[bytes], bytes]
PLACES = 15
"""Decimal places up to which a DOUBLE is written without an exponent."""
FLOAT_DIGITS = 6


def converter(column: Column) -> Convert | None:
    """What makes a column's values the contract's; None where they are already."""
    kind = column.type
    if kind in INTEGERS:
        width = column.numbers[0] if column.zerofill and column.numbers else 0
        return partial(_unsigned, width) if column.unsigned else _signed
    if kind in ("enum", "set"):
        return partial(_member if kind == "enum" else _members, column.members)
    if kind in TEXTS:
        text = partial(in_utf8, name=column.charset.name)
        return (lambda raw: text(raw).rstrip(b" ")) if kind == "char" else text
    return _of_number(column) or OTHERS.get(kind)


def _of_number(column: Column) -> Convert | None:
    """Of the types that may say how many digits they have."""
    kind, numbers = column.type, column.numbers
    if kind in ("float", "double"):
        return partial(_real, "<f" if kind == "float" else "<d", numbers[1] if numbers else None)
    if kind == "decimal":
        return partial(_decimal, numbers[0], numbers[1])
    if kind in OLD_TIMES and column.old:
        return OLD_TIMES[kind]
    return partial(TIMES[kind], numbers[0] if numbers else 0) if kind in TIMES else None


def _unsigned(width: int, raw: bytes) -> bytes:
    return b"%0*d" % (width, int.from_bytes(raw, "big"))


def _signed(raw: bytes) -> bytes:
    return b"%d" % (int.from_bytes(raw, "big") - (1 << 8 * len(raw) - 1))


def _member(members: tuple[bytes, ...], raw: bytes) -> bytes:
    """Number 0 is the empty string that stands for a value that was none of the members."""
    which = int.from_bytes(raw, "big")
    return members[which - 1] if 0 < which <= len(members) else b""


def _members(members: tuple[bytes, ...], raw: bytes) -> bytes:
    bits = int.from_bytes(raw, "big")
    return b",".join(member for place, member in enumerate(members) if bits >> place & 1)


def _real(form: str, places: int | None, raw: bytes) -> bytes:
    """As the server prints it: a FLOAT to six digits, a DOUBLE to as many as tell it apart."""
    value = struct.unpack(form, raw)[0]
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  no server keeps these
        return b"0"
    if places is not None:
        return b"%.*f" % (places, value)
    text = repr(value) if form == "<d" else f"{value:.{FLOAT_DIGITS}g}"
    sign, digits, exponent = Decimal(text).normalize().as_tuple()
    shown, point = "".join(map(str, digits)), len(digits) + int(exponent)
    minus = "-" * sign
    if -PLACES < point <= PLACES or shown == "0":
        return (minus + _plain(shown, point)).encode()
    behind = f".{shown[1:]}" if len(shown) > 1 else ""
    return f"{minus}{shown[0]}{behind}e{point - 1}".encode()


def _plain(digits: str, point: int) -> str:
    if point <= 0:
        return "0." + "0" * -point + digits
    return digits + "0" * (point - len(digits)) if point >= len(digits) else f"{digits[:point]}.{digits[point:]}"


def _decimal(precision: int, scale: int, raw: bytes) -> bytes:
    negative = not raw[0] & 0x80
    turned = bytes(byte ^ 0xFF for byte in raw) if negative else raw
    turned = bytes([turned[0] ^ 0x80]) + turned[1:]
    before, at = _digits(turned, 0, precision - scale, front=True)
    behind, _ = _digits(turned, at, scale, front=False)
    return (("-" if negative else "") + (before.lstrip("0") or "0") + (f".{behind}" if scale else "")).encode()


def _digits(raw: bytes, at: int, count: int, *, front: bool) -> tuple[str, int]:
    """So many digits, nine of them in four bytes; the group that is not full stands at the front, or at the end."""
    whole, rest = divmod(count, 9)
    groups = [rest] * (front and rest > 0) + [9] * whole + [rest] * (not front and rest > 0)
    text = ""
    for group in groups:
        size = 4 if group == 9 else DIGITS[group]
        text += f"{int.from_bytes(raw[at : at + size], 'big'):0{group}d}"
        at += size
    return text, at


def _fraction(value: int, digits: int) -> str:
    """Digits of a fraction that stands in two of them a byte."""
    return f".{value:0{(digits + 1) // 2 * 2}d}"[: digits + 1] if digits else ""


def _time(digits: int, raw: bytes) -> bytes:
    shift = 8 * (len(raw) - 3)
    value = int.from_bytes(raw, "big") - (0x800000 << shift)
    size = abs(value)
    clock, part = size >> shift, size & ((1 << shift) - 1)
    written = f"{'-' * (value < 0)}{clock >> 12 & 0x3FF:02}:{clock >> 6 & 63:02}:{clock & 63:02}"
    return (written + _fraction(part, digits)).encode()


def _datetime(digits: int, raw: bytes) -> bytes:
    value = int.from_bytes(raw[:5], "big") & 0x7FFFFFFFFF
    (year, month), day, clock = divmod(value >> 22, 13), value >> 17 & 31, value & 0x1FFFF
    written = f"{year:04}-{month:02}-{day:02} {clock >> 12:02}:{clock >> 6 & 63:02}:{clock & 63:02}"
    return (written + _fraction(int.from_bytes(raw[5:], "big"), digits)).encode()


def _timestamp(digits: int, raw: bytes) -> bytes:
    """In UTC, as dumps have it."""
    seconds = int.from_bytes(raw[:4], "big")
    part = _fraction(int.from_bytes(raw[4:], "big"), digits)
    if not seconds:
        return ("0000-00-00 00:00:00" + part).encode()
    return (f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}" + part).encode()


def _old_time(raw: bytes) -> bytes:
    value = int.from_bytes(raw, "big") - 0x800000
    size = abs(value)
    return f"{'-' * (value < 0)}{size // 10000:02}:{size // 100 % 100:02}:{size % 100:02}".encode()


def _old_datetime(raw: bytes) -> bytes:
    text = f"{int.from_bytes(raw, 'big') & (1 << 63) - 1:014d}"
    return f"{text[:-10]}-{text[-10:-8]}-{text[-8:-6]} {text[-6:-4]}:{text[-4:-2]}:{text[-2:]}".encode()


def _date(raw: bytes) -> bytes:
    value = int.from_bytes(raw, "big") & 0x7FFFFF
    return f"{value >> 9:04}-{value >> 5 & 15:02}-{value & 31:02}".encode()


def _uuid(raw: bytes) -> bytes:
    """MariaDB turns the parts of a UUID around where they hold a time that way round: in those of versions 1 to 5."""
    turned = raw[6] & 0x80 and 0 < raw[8] < 0x60
    cuts = (12, 10, 8, 6, 0) if turned else (0, 4, 6, 8, 10)
    return "-".join(raw[at : at + size].hex() for at, size in zip(cuts, (4, 2, 2, 2, 6), strict=True)).encode()


TIMES: Mapping[str, Callable[[int, bytes], bytes]] = {"time": _time, "datetime": _datetime, "timestamp": _timestamp}
OLD_TIMES: Mapping[str, Convert] = {
    "time": _old_time,
    "datetime": _old_datetime,
    "timestamp": partial(_timestamp, 0),
}
OTHERS: Mapping[str, Convert] = {
    "date": _date,
    "year": lambda raw: b"%04d" % (raw[0] + 1900 if raw[0] else 0),
    "uuid": _uuid,
    "inet6": lambda raw: socket.inet_ntop(socket.AF_INET6, raw).encode(),
    "inet4": lambda raw: b"%d.%d.%d.%d" % tuple(raw),
}
