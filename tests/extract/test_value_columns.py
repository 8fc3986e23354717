"""Columns of values: whatever stands in them, each value is what it would be alone."""

import random
from collections.abc import Iterable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.extract.value_columns import are_addresses, digests_of, ips_of, texts_of, times_of
from casewright.extract.values import digest_of, ip_of, text_of, time_of
from casewright.model.bitcoin import base58check_encode, segwit_encode, valid_address

ZONES = ("UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Africa/Monrovia", "Asia/Kathmandu")
SEAMS = [
    f"{day} {hour:02d}:{minute:02d}:{second:02d}".encode()
    for day in ("2018-10-28", "2018-03-25", "2018-11-04", "2018-03-11", "2018-04-01", "2018-10-07", "1972-01-07",
                "1937-07-01", "1985-12-31", "1986-01-01")
    for hour in (0, 1, 2, 3, 23) for minute in (0, 14, 29, 30, 44, 59) for second in (0, 59)
]  # fmt: skip
ODD = [
    None, b"", b" ", b"0", b"1", b"2018-01-02", b"0000-00-00 00:00:00", b"2018-02-29 00:00:00", b"2020-02-29 23:59:59",
    b"2018-13-01 00:00:00", b"2018-00-01 00:00:00", b"2018-01-00 00:00:00", b"2018-01-32 00:00:00", b"-1", b"+5",
    b"2018-04-31 00:00:00", b"2018-01-02 24:00:00", b"2018-01-02 23:60:00", b"2018-01-02 23:59:60", b"12:34",
    b"1 2", b"\xff\xfe", b"2018-01-02T03:04:05", b"2018-01-02t03:04:05", b"2018-01-02 03:04:05.25",
    b"2018-01-02 03:04:05+02", b" 2018-01-02 03:04:05 ", b"2018/01/02 03:04:05", b"1899-12-31 23:59:59",
    b"0001-01-01 00:00:00", b"9999-12-31 23:59:59", b"2100-01-01 00:00:00", b"1514862245", b"631151999", b"631152000",
    b"4102444799", b"4102444800", b"1514862245123", b"1514862245123456", b"9" * 18, b"9" * 19, b"9" * 20,
    b"1514862245.5", b"20180102030405", "\u0663".encode(), "\uff12\uff10\uff11\uff18-01-02 03:04:05".encode(),
]  # fmt: skip
VALUES = st.one_of(
    st.none(), st.sampled_from(ODD + SEAMS), st.binary(max_size=20),
    st.datetimes().map(lambda t: t.isoformat(" ")[:19].encode()), st.integers(0, 10**19).map(lambda n: str(n).encode()),
)  # fmt: skip


def column(values: Iterable[bytes | None]) -> pa.Array:
    """A slice of a longer column: what stands before and behind must not matter."""
    return pa.array([b"2018-01-01 00:00:00", *values, b"7"], pa.binary())[1:-1]


def check_times(values: list[bytes | None], zone: str, offset: int) -> None:
    times, rules = times_of(column(values), zone, offset, "paper")
    alone = [time_of(value, zone, offset, "paper") for value in values]
    assert times.to_pylist() == [m.time for m in alone]
    assert rules.to_pylist() == [m.rule for m in alone]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("offset", [0, -3601])
def test_times_in_a_column_are_what_each_is_alone(zone: str, offset: int) -> None:
    check_times([*ODD, *SEAMS, *ODD], zone, offset)


@given(st.lists(VALUES, max_size=30), st.sampled_from(ZONES), st.sampled_from([0, 90]))
def test_any_values_as_times_are_what_each_is_alone(values: list[bytes | None], zone: str, offset: int) -> None:
    check_times(values, zone, offset)


def test_hours_of_two_hundred_years_are_what_each_is_alone() -> None:
    dice = random.Random(3)
    for zone in ZONES:
        check_times([_some_time(dice) for _ in range(500)], zone, 0)


def _some_time(dice: random.Random) -> bytes:
    day = f"{dice.randrange(1898, 2102)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}"
    return f"{day} {dice.randrange(24):02d}:{dice.choice((0, 20, 30, 59)):02d}:00".encode()


IPS = [
    b"192.0.2.1", b"192.0.2.256", b"192.0.2.01", b"255.255.255.255", b"1.2.3", b"1.2.3.4.5", b"::1",
    b"2001:db8::1%eth0", b"\xc0\x00\x02\x01", b"abcd", bytes(16), b"3221225985", b"16777215", b"4294967296",
    b"192.0.2.1\n", b"", None, b"\xff", "192.0.2.\uff11".encode(),
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(IPS), st.binary(max_size=17)), max_size=20))
def test_addresses_of_machines_digests_and_texts_are_what_each_is_alone(values: list[bytes | None]) -> None:
    for whole, alone in ((ips_of, ip_of), (texts_of, text_of), (digests_of, digest_of)):
        assert whole(column(values)).to_pylist() == [alone(value) for value in values]


GOOD = [base58check_encode(b"\0" + b"museum scans of it.."), base58check_encode(b"\x05" + bytes(20)),
        segwit_encode("bc", 0, bytes(20)), segwit_encode("tb", 1, bytes(32)).upper()]  # fmt: skip


@given(st.lists(st.one_of(st.none(), st.sampled_from([*GOOD, "", GOOD[0][:-1], GOOD[2] + "q"]), st.text(max_size=40))))
def test_bitcoin_addresses_in_a_column_are_judged_as_each_is_alone(texts: list[str | None]) -> None:
    found = are_addresses(pa.array(["1", *texts], pa.string())[1:])
    assert found.tolist() == [text is not None and valid_address(text) is not None for text in texts]
