"""How values are written for people: times, sums, shares, and text of the evidence that must steer nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from casewright.model.bitcoin import amount
from casewright.model.ids import printable_path

LONGEST = 2_000


def told(value: Any, longest: int = LONGEST) -> str:
    """Text of the evidence: characters that steer are written as escapes, the rest as it stands, cut if endless."""
    if value is None:
        return ""
    text = str(value)
    return printable_path(text[:longest].encode("utf-8", "surrogateescape")) + (
        f" … ({len(text) - longest:,} characters more)" if len(text) > longest else ""
    )


def moment(value: datetime | str | None) -> str:
    """A time in UTC, to the second."""
    if value is None:
        return "time unknown"
    return value[:19].replace("T", " ") + "Z" if isinstance(value, str) else value.strftime("%Y-%m-%d %H:%M:%SZ")


def many(count: int, one: str, more: str = "") -> str:
    """`3 payments`, `1 payment`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def chance(value: float) -> str:
    """A probability to four places; what is neither certain nor impossible is never written as if it were."""
    if 0.9999 < value < 1:
        return "> 0.9999"
    return "< 0.0001" if 0 < value < 0.0001 else f"{value:.4f}"


def size(count: int | None) -> str:
    """Bytes as people say them."""
    if count is None:
        return ""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1000
    raise AssertionError


def short(name: str | None, ends: int = 8) -> str:
    """A long id or address by its two ends; the whole stands in the title beside it."""
    text = told(name, 200)
    return text if len(text) <= 2 * ends + 2 else f"{text[:ends]}…{text[-ends:]}"


FILTERS: Mapping[str, Any] = {
    "told": told, "moment": moment, "coins": amount, "many": many, "size": size, "chance": chance, "short": short,
}  # fmt: skip
