"""Columns of values as ours: the fast twins of `values.py`, whose functions are the definition.

A column is one Arrow `binary` array of n values. What is written as usual is worked out for all rows at once; anything
else goes through the definition, once for each distinct value. A test holds both equal.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.extract.values import (
    SECONDS_FROM,
    SECONDS_TO,
    UNITS,
    digest_of,
    ip_of,
    sats_of_amount,
    text_of,
    time_of,
)
from casewright.extract.zone_hours import HOUR, in_utc
from casewright.model.bitcoin import valid_address

OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = rf"^{OCTET}\.{OCTET}\.{OCTET}\.{OCTET}$"
MICRO = 1_000_000
TIME, TEXT = pa.timestamp("us"), pa.string()
SHAPE = b"0000-00-00 00:00:00"
DIGITS = np.flatnonzero(np.frombuffer(SHAPE, np.uint8) == ord("0"))
FIRST_YEAR, LAST_YEAR = 1900, 2100
LONGEST = 18
"""Digits of numbers that surely fit."""

Mask = NDArray[np.bool_]


def texts_of(values: pa.Array) -> pa.Array:
    """`text_of` of each."""
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        return _each(values, text_of)


def digests_of(values: pa.Array) -> pa.Array:
    """`digest_of` of each."""
    return _each(values, digest_of)


def sats_of(values: pa.Array, unit: str) -> pa.Array:
    """`sats_of_amount` of each."""
    return _each(values, lambda raw: sats_of_amount(raw, unit), pa.int64())


def ips_of(values: pa.Array) -> pa.Array:
    """`ip_of` of each."""
    texts = texts_of(values)
    odd = pc.fill_null(pc.invert(pc.match_substring_regex(texts, IPV4)), False)
    return pc.replace_with_mask(texts, odd, _each(values.filter(odd), ip_of))


def are_addresses(texts: pa.Array) -> Mask:
    """Whether each text is an address as `valid_address` has it; NULL is none."""
    from casewright.kernels.addresses import surely_addresses  # noqa: PLC0415  slow to import

    data, offsets = bytes_of(texts.cast(pa.binary()))
    found = surely_addresses(data, offsets)
    asked = np.flatnonzero(~found)
    found[asked] = [text is not None and valid_address(text) is not None for text in texts.take(asked).to_pylist()]
    return found


@dataclass
class Times:
    """Moments of n values as they are found out: microseconds of UTC, and the rule as a place in `rules`."""

    size: int
    rules: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.micros = np.zeros(self.size, np.int64)
        self.has_time, self.rule = np.zeros(self.size, bool), np.full(self.size, -1, np.int32)

    def put(self, places: NDArray[Any], micros: NDArray[np.int64], rule: str, has_time: Mask | None = None) -> None:
        self.micros[places] = micros
        self.has_time[places] = True if has_time is None else has_time
        self.rule[places] = len(self.rules)
        self.rules.append(rule)

    def columns(self) -> tuple[pa.Array, pa.Array]:
        """The times, and the rules in words."""
        times = pa.array(self.micros, pa.int64(), mask=~self.has_time).cast(TIME)
        rules = pa.array(self.rules, pa.string()).take(pa.array(self.rule, mask=self.rule < 0))
        return times, rules


def times_of(values: pa.Array, zone: str, offset: int, source: str = "database") -> tuple[pa.Array, pa.Array]:
    """`time_of` of each: the times, and the rules."""
    found = Times(len(values))
    data, offsets = bytes_of(values)
    lengths = np.diff(offsets)
    clock = f"; clock {offset:+d} s" if offset else ""
    taken = f"{source}, taken as {zone}{clock}"
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        if length == len(SHAPE):
            _written(found, places, _matrix(data, offsets, places, length), zone, offset, taken)
        elif 0 < length <= LONGEST:
            _numbers(found, places, _matrix(data, offsets, places, length), offset, source, clock)
    rest = np.flatnonzero(found.rule < 0)
    asked = values.take(rest)
    moments = {raw: time_of(raw, zone, offset, source) for raw in asked.unique().to_pylist()}
    told = [moments[raw] for raw in asked.to_pylist()]
    times, rules = found.columns()
    odd = np.zeros(len(values), bool)
    odd[rest] = True
    return (
        pc.replace_with_mask(times, odd, pa.array([m.time for m in told], TIME)),
        pc.replace_with_mask(rules, odd, pa.array([m.rule for m in told], pa.string())),
    )


def bytes_of(values: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of a `binary` column, and where each value begins and the last one ends; NULL has none."""
    _, offsets, data = values.buffers()
    places = np.frombuffer(offsets, np.int32, len(values) + 1, values.offset * 4).astype(np.int64)
    return np.frombuffer(data or b"\0", np.uint8), places


def _each(values: pa.Array, work: Callable[[bytes | None], Any], kind: pa.DataType = TEXT) -> pa.Array:
    """What `work` makes of each value, once for each distinct one."""
    coded = values.dictionary_encode()
    return pa.array([work(raw) for raw in coded.dictionary.to_pylist()], kind).take(coded.indices)


def _matrix(data: Any, offsets: Any, places: Any, length: int) -> NDArray[np.uint8]:
    """The bytes of values of one length, a row each."""
    return data[offsets[places, None] + np.arange(length)]  # type: ignore[no-any-return]


def _numbers(found: Times, places: Any, text: NDArray[np.uint8], offset: int, source: str, clock: str) -> None:
    """Values that are Unix times."""
    digits = text - ord("0")  # what is less wraps round, beyond 9
    usual = (digits <= 9).all(axis=1)
    whole = digits[usual].astype(np.int64) @ 10 ** np.arange(text.shape[1])[::-1]
    places = places[usual]
    left = np.ones(len(whole), bool)
    for unit, name in UNITS:
        mine = left & ((whole < SECONDS_TO * unit) | (unit == UNITS[-1][0]))
        left &= ~mine
        if not mine.any():
            continue
        inside = (SECONDS_FROM * unit <= whole[mine]) & (whole[mine] < SECONDS_TO * unit)
        micros = np.where(inside, whole[mine], 0) * (MICRO // unit) + offset * MICRO
        found.put(places[mine], micros, f"{source}, Unix {name}{clock}", inside)


def _written(found: Times, places: Any, text: NDArray[np.uint8], zone: str, offset: int, rule: str) -> None:
    """Values as `YYYY-MM-DD hh:mm:ss`, in hours in which the zone's distance from UTC does not change."""
    shape = np.frombuffer(SHAPE, np.uint8)
    parted = (text == shape) | ((text == ord("T")) & (np.arange(len(SHAPE)) == SHAPE.index(b" ")))
    digits = text - ord("0")
    parted[:, DIGITS] = digits[:, DIGITS] <= 9
    usual = parted.all(axis=1)
    places, digits = places[usual], digits[usual].astype(np.int64)
    year = digits[:, :4] @ (1000, 100, 10, 1)
    month, day, hour, minute, second = (digits[:, at] * 10 + digits[:, at + 1] for at in (5, 8, 11, 14, 17))
    fits = (year >= FIRST_YEAR) & (year < LAST_YEAR) & (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60)
    fits &= second < 60
    fits[fits] &= (day[fits] >= 1) & (day[fits] <= _days_in(year[fits], month[fits]))
    days = _month_start(year[fits], month[fits]) + day[fits] - 1
    local = (days * 24 + hour[fits]) * HOUR + minute[fits] * 60 + second[fits]
    utc, sure = in_utc(local, zone)
    found.put(places[fits][sure], (utc[sure] + offset) * MICRO, rule)


def _month_start(year: Any, month: Any) -> Any:
    """Days from 1970-01-01 to the first of a month."""
    return ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _days_in(year: Any, month: Any) -> Any:
    return _month_start(year, month + 1) - _month_start(year, month)
