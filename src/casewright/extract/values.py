"""Values of a dump as ours: text, and times with the rule that made them UTC."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

WRITTEN = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?)?", re.ASCII)
UNIX = re.compile(r"(\d{1,16})(?:\.\d*)?", re.ASCII)
SECONDS_FROM, SECONDS_TO = 631_152_000, 4_102_444_800  # 1990 to 2100


def text_of(value: bytes | None) -> str | None:
    """Bytes as text: UTF-8, with stand-ins for bytes that are none."""
    return None if value is None else value.decode("utf-8", "backslashreplace")


def time_of(value: bytes | None, zone: str, offset: int) -> datetime | None:
    """A moment in naive UTC, or None when it is no time. `offset` seconds correct the server's clock.

    A written time is taken in `zone`, a number as Unix seconds or milliseconds, whichever falls between 1990 and 2100.
    """
    text = (text_of(value) or "").strip()
    number = UNIX.fullmatch(text)
    moment = _unix(int(number.group(1))) if number else _written(text, zone)
    try:
        return moment + timedelta(seconds=offset) if moment else None
    except OverflowError:
        return None


def zone_rule(value: bytes | None, zone: str) -> str:
    """In words, what made a value of the database a moment in UTC."""
    return "database, Unix time" if UNIX.fullmatch((text_of(value) or "").strip()) else f"database, taken as {zone}"


def _unix(number: int) -> datetime | None:
    seconds, thousandths = divmod(number, 1000) if number >= SECONDS_TO else (number, 0)
    if not SECONDS_FROM <= seconds < SECONDS_TO:
        return None
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, microsecond=thousandths * 1000)


def _written(text: str, zone: str) -> datetime | None:
    match = WRITTEN.fullmatch(text)
    if match is None:
        return None
    *parts, fraction = match.groups()
    try:
        local = datetime(*(int(p or 0) for p in parts), tzinfo=ZoneInfo(zone))  # type: ignore[misc,arg-type]
        local = local.replace(microsecond=int((fraction or "0").ljust(6, "0")))
        return local.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
