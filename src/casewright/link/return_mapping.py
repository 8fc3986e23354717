"""How a service's own table is read as customer records. TOML that a person writes once for each service.

format = 1
files = ["kestrel*.xlsx"]      # which returns it is for; by default all
dates = "day month year"       # order in which dates are written, or "month day year" or "year month day"
encoding = "cp949"             # of text; by default UTF-8, or else Windows-1252
sheet = "Customers"            # of a workbook; by default the first
rows = "data.customers"        # of JSON: where the list stands; by default the document, or its only list

[columns]                      # ours = theirs, in any case; several are joined with a space
full_name = ["Nachname", "Vorname"]
txid = "Transaktion"

[values]                       # what the file does not say
reference = "CW-49E72E62"
"""

import codecs
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Any

from casewright.model.errors import Refused

FIELDS = ("reference", "service", "txid", "address", "customer", "full_name", "born", "email", "phone", "country", "ip",
          "ip_time", "document")  # fmt: skip
ORDERS: Mapping[str, tuple[int, int, int]] = {
    "year month day": (0, 1, 2), "day month year": (2, 1, 0), "month day year": (2, 0, 1),
}  # fmt: skip
"""Where year, month and day stand among a date's three numbers."""
PLAIN_DAY = 12
"""A day beyond this cannot be taken for a month."""
WORDS = ("sheet", "rows", "dates", "encoding")


@dataclass(frozen=True)
class ReturnMapping:
    """A whole mapping; the default reads columns by our own names."""

    files: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    sheet: str = ""
    rows: str = ""
    dates: str = ""
    encoding: str = ""

    def takes(self, name: str) -> bool:
        """Whether it is for a file with this printable name."""
        return not self.files or any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.files)

    def ours(self, theirs: Mapping[str, str]) -> dict[str, str]:
        """Our fields of a row whose columns have names in small letters; those that it lacks are not there."""
        found = {name: theirs[name] for name in FIELDS if name in theirs}
        for name, columns in self.columns.items():
            parts = [theirs[c.lower()].strip() for c in columns if theirs.get(c.lower(), "").strip()]
            found[name] = " ".join(parts)
        return {**found, **self.values}


def read_return_mapping(raw: bytes, where: str) -> ReturnMapping:
    """The mapping in these bytes. Raises Refused naming what makes no sense."""
    try:
        found = tomllib.loads(raw.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{where}: is no mapping of returns: {error}") from error
    if found.pop("format", None) != 1:
        raise Refused(f"{where}: needs the line: format = 1")
    sections = {name: found.pop(name, {}) for name in ("columns", "values")}
    files = found.pop("files", [])
    if unknown := found.keys() - set(WORDS):
        raise Refused(f"{where}: knows no {', '.join(sorted(unknown))}. Known: files, {', '.join(WORDS)}, "
                      "[columns] and [values].")  # fmt: skip
    for name, section in sections.items():
        if not isinstance(section, dict) or (strange := section.keys() - set(FIELDS)):
            what = ", ".join(sorted(strange)) if isinstance(section, dict) else "that"
            raise Refused(f"{where} [{name}]: knows no column {what}. Known: {', '.join(FIELDS)}.")
    if not (_texts(files) and all(isinstance(v, str) for v in (*found.values(), *sections["values"].values()))):
        raise Refused(f"{where}: every value must be text in quotes; files is a list of such.")
    columns = {name: _names(where, name, theirs) for name, theirs in sections["columns"].items()}
    _check(where, found)
    return ReturnMapping(tuple(files), columns, sections["values"], **found)


def _names(where: str, name: str, theirs: Any) -> tuple[str, ...]:
    names = [theirs] if isinstance(theirs, str) else theirs
    if not _texts(names) or not names:
        raise Refused(f"{where} [columns]: {name} is the name of a column in quotes, or a list of such.")
    return tuple(names)


def _check(where: str, words: Mapping[str, str]) -> None:
    if words.get("dates") not in (None, *ORDERS):
        raise Refused(f"{where}: dates is one of {', '.join(ORDERS)}, not {words['dates']!r}.")
    try:
        codecs.lookup(words.get("encoding") or "utf-8")
    except LookupError as error:
        raise Refused(f"{where}: there is no encoding {words['encoding']!r}.") from error


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def day_of(text: str | None, order: str = "") -> str | None:
    """The day that a date means, as YYYY-MM-DD, in digits of any script; None where that cannot be told.

    A year has four digits. Without a stated order a year that comes first is followed by month and day; one that comes
    last tells only when the day cannot be a month, or both are equal.
    """
    numbers = re.findall(r"\d+", text or "")
    if len(numbers) == 1 and len(numbers[0]) == len("YYYYMMDD"):
        numbers = [numbers[0][:4], numbers[0][4:6], numbers[0][6:]]
    elif len(numbers) > 3 and re.fullmatch(r"\d{4}-\d{2}-\d{2}[T ].*", text or ""):
        numbers = numbers[:3]  # a day with a time of day behind it
    if len(numbers) != 3:
        return None
    first_is_year = len(numbers[0]) == 4
    chosen = ORDERS["year month day"] if first_is_year else ORDERS[order] if order in ORDERS else _clear(numbers)
    if chosen is None or len(numbers[chosen[0]]) != 4:
        return None
    try:
        return date(*(int(numbers[place]) for place in chosen)).isoformat()
    except ValueError:
        return None


CLOCK = re.compile(
    r"(?P<day>.*\d)[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(:(?P<second>\d{2})([.,]\d+)?)?\s*(?P<half>[AP]M)?\s*"
    r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)


def moment_of(text: str | None, order: str = "") -> datetime | None:
    """The time that a text means, UTC; None where that cannot be told. One that names no zone is taken as UTC; ten or
    thirteen digits are Unix time."""
    stripped = (text or "").strip()
    if re.fullmatch(r"\d{10}|\d{13}", stripped, re.ASCII):
        return datetime.fromtimestamp(int(stripped[:10]), UTC).replace(tzinfo=None)
    found = CLOCK.fullmatch(stripped[:64])
    day = day_of(found["day"], order) if found else None
    if found is None or day is None:
        return None
    hour = int(found["hour"]) % 12 + 12 * (found["half"].upper() == "PM") if found["half"] else int(found["hour"])
    try:
        clock = time(hour, int(found["minute"]), int(found["second"] or 0))
        return datetime.combine(date.fromisoformat(day), clock) - _ahead(found["zone"] or "Z")
    except (ValueError, OverflowError):
        return None


def _ahead(zone: str) -> timedelta:
    """How far a zone's clock is ahead of UTC."""
    if not zone.startswith(("+", "-")):
        return timedelta()
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -ahead if zone.startswith("-") else ahead


def _clear(numbers: list[str]) -> tuple[int, int, int] | None:
    one, two = int(numbers[0]), int(numbers[1])
    if one == two or one > PLAIN_DAY:
        return ORDERS["day month year"]
    return ORDERS["month day year"] if two > PLAIN_DAY else None
