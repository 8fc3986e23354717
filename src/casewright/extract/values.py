"""Values of a dump as ours: text, and times with the rule that made them UTC."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

WRITTEN = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?)?")
SECONDS_FROM, SECONDS_TO = 631_152_000, 4_102_444_800  # 1990 to 2100


def text_of(value: bytes | None) -> str | None:
    """Bytes as text: UTF-8, with stand-ins for bytes that are none."""
    return None if value is None else value.decode("utf-8", "backslashreplace")


def time_of(value: bytes | None, zone: str, offset: int) -> datetime | None:
    """A moment in naive UTC, or None when it is no time. `offset` seconds correct the server's clock.

    A written time is taken in `zone`, a number as Unix seconds or milliseconds, whichever falls between 1990 and 2100.
    """
    text = (text_of(value) or "").strip()
    moment = _unix(text) if text.isdigit() else _written(text, zone)
    try:
        return moment + timedelta(seconds=offset) if moment else None
    except OverflowError:
        return None


def _unix(text: str) -> datetime | None:
    number = int(text[:16])
    seconds = number // 1000 if number >= SECONDS_TO else number
    if not SECONDS_FROM <= seconds < SECONDS_TO:
        return None
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _written(text: str, zone: str) -> datetime | None:
    match = WRITTEN.fullmatch(text)
    if match is None:
        return None
    try:
        local = datetime(*(int(p or 0) for p in match.groups()), tzinfo=ZoneInfo(zone))  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        return None
    return local.astimezone(UTC).replace(tzinfo=None)
