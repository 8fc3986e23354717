"""Lists of networks that locate nobody: three forms, each row with its place, each bad row with its reason."""

from datetime import datetime
from typing import Any

import pytest

from casewright.link.stages import STAGES
from tests.world import context, digests_of, rows_of

EXITS = b"""@type tordnsel 1.0
Downloaded 2018-01-02 04:02:00
ExitNode 0011BD2485AD45D984EC4159C88FC066E5E3300E
Published 2018-01-01 16:33:43
LastStatus 2018-01-02 03:02:29
ExitAddress 198.51.100.7 2018-01-02 03:08:48
ExitAddress 198.51.100.8 never o'clock
"""


def read(raw: bytes) -> Any:
    files = [{"exhibit": "e", "role": "not locating", "position": 0, "path": b"", "name": "list.txt",
              "sha256": digests_of(raw).sha256}]  # fmt: skip
    made = context({"exhibit_files": files}, [raw])
    output = next(s for s in STAGES if s.name == "not_locating").work(made.table("exhibit_files"), made)
    (tally,) = output.tallies
    assert tally.received == tally.done + tally.nothing + len(output.set_aside)
    for place in (*rows_of(output.tables["not_locating"]), *(vars(a) for a in output.set_aside)):
        assert 0 <= place["span_start"] <= place["span_start"] + place["span_length"] <= len(raw)
    return output


def networks(raw: bytes) -> list[tuple[Any, ...]]:
    return [(r["network"], r["kind"], r["since"], r["until"]) for r in rows_of(read(raw).tables["not_locating"])]


def test_a_table_says_what_a_network_is_and_when() -> None:
    rows = b"10.1.2.3/8;VPN;2017-01-02;2017-01-03;x\n2001:db8::/32;;;;\nx;;;;\n1.1.1.1;;soon;;\n"
    raw = b"Network;kind;since;until;note\n" + rows
    assert networks(raw) == [
        ("10.0.0.0/8", "VPN", datetime(2017, 1, 2), datetime(2017, 1, 3, 23, 59, 59, 999999)),
        ("2001:db8::/32", "list.txt", None, None),
    ]
    assert [(a.row, a.reason) for a in read(raw).set_aside] == [(3, "malformed"), (4, "malformed")]


def test_a_plain_list_has_a_network_a_line() -> None:
    raw = "\ufeff# hosting\n\n192.0.2.0/24  # a rack\r\n192.0.2.9\nnothing\n".encode()
    assert [n[0] for n in networks(raw)] == ["192.0.2.0/24", "192.0.2.9/32"]
    assert [a.row for a in read(raw).set_aside] == [5]


def test_a_tor_exit_counts_around_the_time_at_which_it_was_seen() -> None:
    """An exit of another year says nothing."""
    assert networks(EXITS) == [
        ("198.51.100.7/32", "Tor exit", datetime(2018, 1, 1, 3, 8, 48), datetime(2018, 1, 3, 3, 8, 48))
    ]
    assert [a.row for a in read(EXITS).set_aside] == [7]


@pytest.mark.parametrize("raw", [b"", b"\n\n# only remarks\n", b"network\n"])
def test_an_empty_list_holds_nothing(raw: bytes) -> None:
    assert networks(raw) == []


@pytest.mark.parametrize("raw", [b"\x00\xff\xfe\n" * 3, b"9" * 100_000, b"network\n" + b'"' * 5000, b"1.2.3.4/99999\n"])
def test_what_is_no_list_is_set_aside_with_its_place(raw: bytes) -> None:
    output = read(raw)
    assert output.tables["not_locating"].num_rows == 0
    assert output.set_aside
