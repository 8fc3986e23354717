"""Values of databases and logs as ours: text, addresses of machines, and times with the rule that made them UTC."""

import ipaddress
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from casewright.model.bitcoin import COIN, MAX_SATS

WRITTEN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6})\d*)?)?"
    r"(?P<zone> ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d(?::\d\d)?)?))?", re.ASCII
)  # fmt: skip
UNIX = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)
AMOUNT = re.compile(r"[+-]?(?:\d{1,16}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?", re.ASCII)
SECONDS_FROM, SECONDS_TO = 631_152_000, 4_102_444_800  # 1990 to 2100
LONGEST_NUMBER = len(str(1 << 32))
UNITS = ((1, "seconds"), (1_000, "milliseconds"), (1_000_000, "microseconds"))


def text_of(value: bytes | None) -> str | None:
    """Bytes as text: UTF-8, with stand-ins for bytes that are none."""
    return None if value is None else value.decode("utf-8", "backslashreplace")


def digest_of(value: bytes | None) -> str | None:
    """A digest in small letters, None for what is empty."""
    text = text_of(value)
    return text.strip().lower() if text else None


def sats_of_amount(value: bytes | None, unit: str) -> int | None:
    """An amount in `BTC` or `sat` as satoshis, to the nearest: floats carry errors. None for what is no amount, or more
    than there will ever be."""
    text = text_of(value)
    if text is None or not AMOUNT.fullmatch(text.strip()):
        return None
    sats = round(Decimal(text.strip()) * (COIN if unit == "BTC" else 1))
    return sats if abs(sats) <= MAX_SATS else None


def ip_of(value: bytes | None) -> str | None:
    """An IP address as databases keep it: written, packed into 4 or 16 bytes, or as MySQL's INET_ATON gives it.

    What is none of these is kept as it stands.
    """
    text = text_of(value)
    if value is None or text is None or is_ip(text):
        return text
    if len(value) in (4, 16) and not value.isalnum():
        return str(ipaddress.ip_address(value))
    if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER and 1 << 24 <= int(text) < 1 << 32:
        return str(ipaddress.IPv4Address(int(text)))
    return text


def is_ip(text: str) -> bool:
    """Whether this is a written IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def port_of(text: str | None) -> int | None:
    """The number of a port, None for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= len("65535") else None


class Moment(NamedTuple):
    """A moment in naive UTC, None for what is no time, and in words what made it so; None where nothing was said."""

    time: datetime | None
    rule: str | None


def time_of(value: bytes | None, zone: str, offset: int, source: str = "database") -> Moment:
    """When a value was; the rule names its `source`. `offset` seconds correct the server's clock.

    A written time that names its own distance from UTC is taken at that, another in `zone`. A number is Unix time in
    seconds, milli- or microseconds, whichever falls between 1990 and 2100. An hour that came twice, when the clocks
    went back, is taken as the first of the two; a time that the clocks skipped as if they had not gone forward yet.
    """
    if value is None:
        return Moment(None, None)
    text = value.decode("utf-8", "backslashreplace").strip()
    moment = _unix(number, source) if (number := UNIX.fullmatch(text)) else _written(text, zone, source)
    return corrected(moment, offset)


def corrected(moment: Moment, offset: int) -> Moment:
    """The moment by a right clock: the server's was slow by so many seconds."""
    if not offset:
        return moment
    rule = f"{moment.rule}; clock {offset:+d} s"
    try:
        return Moment(moment.time and moment.time + timedelta(seconds=offset), rule)
    except OverflowError:
        return Moment(None, rule)


def _unix(number: re.Match[str], source: str) -> Moment:
    whole = int(number[1])
    unit, name = next((u for u in UNITS if whole < SECONDS_TO * u[0]), UNITS[-1])
    rule = f"{source}, Unix {name}"
    seconds, rest = divmod(whole, unit)
    if not SECONDS_FROM <= seconds < SECONDS_TO:
        return Moment(None, rule)
    micro = rest * (1_000_000 // unit) if unit > 1 else int((number[2] or "0")[:6].ljust(6, "0"))
    return Moment(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, microsecond=micro), rule)


def _written(text: str, zone: str, source: str) -> Moment:
    match = WRITTEN.fullmatch(text)
    own = match["zone"] if match else None
    local = _local(match) if match else None
    if not own:
        return taken_as(local, zone, source)
    rule = f"{source}, its own {own.strip()}"
    try:
        time = local and local.replace(tzinfo=_distance(own.strip())).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return Moment(None, rule)
    return Moment(time, rule)


def taken_as(local: datetime | None, zone: str, source: str) -> Moment:
    """The moment of a time that names no zone, taken in this one."""
    rule = f"{source}, taken as {zone}"
    try:
        time = local and local.replace(tzinfo=zone_named(zone)).astimezone(UTC).replace(tzinfo=None)
        return Moment(time, rule + _doubt(local, zone) if local else rule)
    except (ValueError, OverflowError):
        return Moment(None, rule)


def _local(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second, fraction, _ = match.groups()
    try:
        return datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),  # noqa: DTZ001  the zone is what the caller finds out
                        int((fraction or "0").ljust(6, "0")))  # fmt: skip
    except ValueError:
        return None


@lru_cache(64)
def _distance(written: str) -> timezone:
    """`Z`, or hours with minutes and seconds where they are given, ahead of UTC or behind it."""
    digits = written[1:].replace(":", "") if written[0] in "+-" else "0"
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4] or 0), int(digits[4:] or 0)
    ahead = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-ahead if written[0] == "-" else ahead)


@lru_cache(64)
def zone_named(name: str) -> ZoneInfo:
    """The rules of a zone by its name. Raises as `ZoneInfo` does."""
    return ZoneInfo(name)


def _doubt(local: datetime, zone: str) -> str:
    """What a zone's rules leave open: an hour that came twice, or that never was."""
    early, late = (local.replace(tzinfo=zone_named(zone), fold=fold).utcoffset() for fold in (0, 1))
    if early is None or late is None or early == late:
        return ""
    return ", the first of two such hours" if early > late else ", an hour that the clocks skipped"
