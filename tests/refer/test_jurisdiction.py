"""To which country an account belongs: what counts, what does not, and that conflicts stay visible.

The addresses are of ranges that the registries assigned to big networks; nobody is meant.
"""

import re
from datetime import datetime
from typing import Any

import pytest

from casewright.engine.stage import Context
from casewright.refer.jurisdiction import language_country, phone_country
from casewright.refer.places import country_table, places
from casewright.refer.stages import STAGES
from tests.world import context, rows_of

DE, NL, US = "194.25.0.1", "193.0.0.1", "8.8.8.8"
STAGE = next(s for s in STAGES if s.name == "jurisdictions")
PARAMS = {"place_days": 3, "place_share": 0.2}


def signed_in(*where: tuple[str, int], agent: str | None = None) -> list[dict[str, Any]]:
    """A sign-in a day: address and how many days, one after the other."""
    ips = [ip for ip, days in where for _ in range(days)]
    return [{"login": f"login-{n}", "account": "a", "time": datetime(2017, 1, 1 + n), "ip": ip, "agent": agent}
            for n, ip in enumerate(ips)]  # fmt: skip


def world(logins: list[dict[str, Any]] | None = None, country: str | None = None, verdict: str = "",
          phone: str | None = None, **tables: list[dict[str, Any]]) -> Context:  # fmt: skip
    return context({
        "accounts": [{"account": "a"}],
        "logins": logins or [],
        "persons": [{"person": "p", "origin": "return", "country": country, "phone": phone}],
        "links": [{"link": "l", "kind": "account-person", "from_id": "a", "to_id": "p"}] if country or phone else [],
        "judgements": [{"judgement": "j", "link": "l", "verdict": verdict, "stands": True}] if verdict else [],
        **tables,
    }, params=PARAMS)  # fmt: skip


def hints(made: Context) -> list[dict[str, Any]]:
    output = STAGE.work(made.table("accounts"), made)
    rows = rows_of(output.tables["jurisdictions"])
    resolved = {r["account"] for r in rows if r["routes"] and r["country"] != "ZZ"}
    (tally,) = output.tallies
    assert (tally.received, tally.done, tally.nothing) == (1, len(resolved), 1 - len(resolved))
    assert len({r["id"] for r in rows}) == len(rows)
    assert all(r["sources"] for r in rows)
    return rows


def goes_to(made: Context) -> list[str]:
    return sorted({r["country"] for r in hints(made) if r["routes"]})


def test_a_record_sends_the_account_to_its_country() -> None:
    assert goes_to(world(country=" nl ")) == ["NL"]
    assert goes_to(world(country="NL", verdict="positive")) == ["NL"]


def test_a_record_judged_not_to_be_theirs_sends_nobody_and_stays_visible() -> None:
    rows = hints(world(country="NL", verdict="negative"))
    assert [(r["country"], r["routes"], r["strength"]) for r in rows] == [("NL", False, "none"), ("ZZ", True, "none")]
    assert "judged not" in rows[0]["reason"]


def test_sign_ins_that_agree_over_days_send_the_account() -> None:
    assert goes_to(world(signed_in((DE, 3)))) == ["DE"]
    assert goes_to(world(signed_in((DE, 2)))) == ["ZZ"]


def test_many_sign_ins_of_one_day_are_one_day() -> None:
    day = datetime(2017, 1, 1)
    same = [{"login": f"l{n}", "account": "a", "time": day.replace(hour=n), "ip": DE} for n in range(20)]
    assert goes_to(world(same)) == ["ZZ"]


def test_a_journey_sends_nobody_and_two_homes_send_to_both() -> None:
    assert goes_to(world(signed_in((DE, 24), (US, 3)))) == ["DE"]
    assert goes_to(world(signed_in((DE, 9), (US, 9)))) == ["DE", "US"]


def test_a_conflict_is_kept_and_each_side_names_the_other() -> None:
    rows = {r["kind"]: r for r in hints(world(signed_in((DE, 5)), country="NL"))}
    assert (rows["record"]["routes"], rows["address"]["routes"]) == (True, True)
    assert "elsewhere: DE by address (medium)" in rows["record"]["against"]
    assert "elsewhere: NL by record (strong)" in rows["address"]["against"]
    assert "5 records (sign-in) on 5 of 5 days, 2017-01-01 to 2017-01-05" in rows["address"]["reason"]


@pytest.mark.parametrize(
    "ip", ["10.1.2.3", "192.0.2.7", "100.64.1.1", "fd00::1", "2001:db8::1", "127.0.0.1", "nowhere"]
)
def test_addresses_that_locate_nobody_send_nobody(ip: str) -> None:
    rows = hints(world(signed_in((ip, 9))))
    assert [r["country"] for r in rows if r["routes"]] == ["ZZ"]
    assert any("9 records at addresses that locate nobody" in r["reason"] for r in rows if r["kind"] == "address")


def test_a_given_network_locates_nobody_while_it_holds() -> None:
    def given(since: datetime | None, until: datetime | None) -> list[dict[str, Any]]:
        return [{"id": "net-1", "network": "194.25.0.0/16", "kind": "Tor exit", "since": since, "until": until}]

    logins = signed_in((DE, 9))
    assert goes_to(world(logins, not_locating=given(None, None))) == ["ZZ"]
    assert goes_to(world(logins, not_locating=given(datetime(2018, 1, 1), None))) == ["DE"]
    assert goes_to(world(logins, not_locating=given(None, datetime(2017, 1, 5)))) == ["DE"]
    assert goes_to(world(logins, not_locating=given(None, datetime(2017, 1, 7)))) == ["ZZ"]
    row = next(r for r in hints(world(logins, not_locating=given(None, None))) if r["kind"] == "address")
    assert row["reason"] == "9 records at addresses that locate nobody: Tor exit (9)"
    assert "net-1" in row["sources"]
    assert len(row["sources"]) == 10


def test_weak_hints_alone_send_nobody_and_are_printed() -> None:
    agent = "Mozilla/5.0 (Windows; U; Windows NT 6.1; de-AT; rv:1.9)"
    rows = hints(world(signed_in((NL, 1), agent=agent), phone="+82 2 312 3456"))
    assert {(r["country"], r["kind"]) for r in rows if r["strength"] == "weak"} == {
        ("KR", "phone"), ("AT", "language"), ("NL", "address")}  # fmt: skip
    (unresolved,) = [r for r in rows if r["routes"]]
    assert unresolved["country"] == "ZZ"
    for words in ("AT by language alone (weak)", "KR by phone alone (weak)", "NL by address alone (weak)"):
        assert words in unresolved["reason"]


def test_every_kind_of_record_counts_and_none_twice() -> None:
    at = {"account": "a", "ip": DE}
    made = world(
        signed_in((DE, 1)),
        uploads=[{**at, "upload": "u", "time": datetime(2017, 2, 1)}],
        downloads=[{**at, "download": "d", "time": datetime(2017, 2, 2)}],
        sessions=[{**at, "session": "s", "basis": "requests", "started_at": datetime(2017, 2, 3)},
                  {**at, "session": "t", "basis": "logged", "started_at": datetime(2017, 2, 4)}],
        accounts=[{"account": "a", "registered_ip": DE, "registered_at": None}],
    )  # fmt: skip
    (row,) = [r for r in hints(made) if r["kind"] == "address"]
    assert row["reason"].startswith("5 records (download, sign-in, sign-up, upload, visit) on 4 of 4 days")
    assert sorted(row["sources"]) == ["a", "d", "login-0", "s", "u"]


def test_a_record_without_a_country_goes_where_addresses_say_or_is_unresolved() -> None:
    assert goes_to(world(country="nowhere")) == ["ZZ"]
    assert goes_to(world(signed_in((DE, 3)), country="nowhere")) == ["DE"]


@pytest.mark.parametrize(
    ("text", "country"),
    [("+31 20 624 1111", "NL"), ("+1 202 555 0100", "US"), ("020 624 1111", None), ("+00 555 1", None), ("", None),
     ("+800 1234 5678", None), ("+" + "9" * 5000, None)],
)  # fmt: skip
def test_a_phone_names_the_country_of_its_prefix(text: str, country: str | None) -> None:
    assert phone_country(text) == (country and (country, country))


@pytest.mark.parametrize(
    ("agent", "found"),
    [("Mozilla/5.0 (X11; U; Linux i686; nl-NL; rv:1.8)", ("NL", "nl-NL")),
     ("Mozilla/5.0 (Windows; U; Windows NT 6.1; en-US; rv:1.9)", None), ("Opera (x; pt_br)", ("BR", "pt-BR")),
     ("Mozilla/5.0 (X11; Linux x86_64; rv:52.0)", None), ("(;" * 100_000, None), ("(xx-QQ)", None)],
)  # fmt: skip
def test_a_program_names_the_language_that_somebody_set(agent: str, found: tuple[str, str] | None) -> None:
    assert language_country(agent) == found


def test_the_table_of_countries_has_a_version_and_a_day() -> None:
    assert re.fullmatch(r"iptocc [\d.]+, put together on 20\d\d-\d\d-\d\d from .*", country_table())
    assert STAGE.params.__name__ == "_placing"


def test_both_forms_of_an_address_are_in_one_place() -> None:
    table, _ = places([DE, f"::ffff:{DE}", "x", "10.0.0.1", "192.0.2.1"])
    rows = table.to_pylist()
    assert [r["country"] for r in rows] == ["DE", "DE", None, None, None]
    assert [r["address"] for r in rows] == [DE, DE, None, "10.0.0.1", "192.0.2.1"]
    assert [r["many"] for r in rows] == [False, False, True, True, False]
