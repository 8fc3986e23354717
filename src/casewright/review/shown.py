"""How values are written for people: times, sums, shares, and text of the evidence that must steer nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from casewright.model.bitcoin import amount
from casewright.model.ids import printable_path

LONGEST, MOST_BARS = 2_000, 120


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


def value(given: Any, longest: int = LONGEST) -> str:
    """Any value of a row: times as `moment`, lists one after the other, everything else as text of the evidence."""
    if isinstance(given, datetime):
        return moment(given)
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, list | tuple):
        return told(", ".join(str(one) for one in given) or "none", longest)
    return told(given, longest)


def filled(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of months, or of days, with those between in which nothing was; as they are where those would be too many
    to draw."""
    if len(rows) < 2:
        return list(rows)
    first, last, by = rows[0]["month"], rows[-1]["month"], {row["month"]: row for row in rows}
    names = _months(first, last) if len(first) == len("2017-03") else _days(first, last)
    nothing = {name: 0 for name in rows[0] if name != "month"}
    return [by.get(name, {"month": name, **nothing}) for name in names] if len(names) <= MOST_BARS else list(rows)


def _months(first: str, last: str) -> list[str]:
    begins, ends = (int(one[:4]) * 12 + int(one[5:]) - 1 for one in (first, last))
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(begins, ends + 1)]


def _days(first: str, last: str) -> list[str]:
    begins, ends = (date.fromisoformat(one).toordinal() for one in (first, last))
    return [date.fromordinal(n).isoformat() for n in range(begins, ends + 1)]


FILTERS: Mapping[str, Any] = {
    "told": told, "moment": moment, "coins": amount, "many": many, "size": size, "chance": chance, "short": short,
    "value": value, "filled": filled,
}  # fmt: skip
