"""The ladder of evidence: every rung is told, what speaks against stands beside it, and only a judgement names."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from casewright.engine.stage import Context
from casewright.refer.stages import STAGES
from tests.world import context, rows_of

AT = datetime(2017, 3, 1, 12)
DE, US = "194.25.0.1", "8.8.8.8"
RUNGS = ["payment", "service record", "identity document", "agreement", "judgement"]


def world(record: dict[str, Any] | None = None, seen: list[tuple[str, str, timedelta]] | None = None, verdict: str = "",
          registered: datetime | None = None, **tables: list[dict[str, Any]]) -> Context:  # fmt: skip
    """One account that paid once, by a withdrawal for which a service names one customer."""
    return context({
        "accounts": [{"account": "a", "registered_at": registered}, {"account": "other"}],
        "payments": [{"payment": "pay", "account": "a", "time": AT, "txid": "t"}],
        "services": [{"id": "s", "payment": "pay", "direction": "back", "confidence": "strong"}],
        "requests": [{"request": "q", "txid": "t", "time": AT}],
        "returns": [{"return_id": "r", "txid": "t", **(record or {})}],
        "persons": [{"person": "p", "origin": "return", "full_name": "Invented", "sources": ["r"]}],
        "links": [{"link": "l", "kind": "account-person", "from_id": "a", "to_id": "p", "reason": "direct",
                   "against": "a batch", "sources": ["pay", "s", "q", "r"]}],
        "logins": [{"login": f"login-{n}", "account": who, "ip": ip, "time": AT + after}
                   for n, (who, ip, after) in enumerate(seen or [])],
        "judgements": [{"judgement": "j", "link": "l", "verdict": verdict, "examiner": "E", "why": "agrees",
                        "stands": True}] if verdict else [],
        **tables,
    }, params={"agree_hours": 24})  # fmt: skip


def climbed(made: Context, person: str | None = "p") -> dict[str, dict[str, Any]]:
    """The rungs by name, and the facts that speak against by their words."""
    output = next(s for s in STAGES if s.name == "ladder").work(made.table("accounts"), made)
    (tally,) = output.tallies
    assert tally.received == tally.done + tally.nothing == made.table("accounts").num_rows
    rows = rows_of(output.tables["ladder"])
    assert len({r["id"] for r in rows}) == len(rows)
    assert all(r["sources"] for r in rows)
    mine = [r for r in rows if r["account"] == "a" and r["person"] == person]
    return {r["against"] if r["step"] == 6 else r["rung"]: r for r in mine}


def reached(made: Context, person: str | None = "p") -> list[bool]:
    found = climbed(made, person)
    return [found[name]["holds"] for name in RUNGS]


def agreement(made: Context) -> tuple[bool, str]:
    rung = climbed(made)["agreement"]
    return rung["holds"], f"{rung['reason']}; {rung['against']}"


def test_every_rung_is_told_whether_it_is_reached_or_not() -> None:
    made = world({"document": "passport X1", "ip": DE}, [("a", DE, timedelta(hours=2))], "positive")
    assert reached(made) == reached(made, None) == [True] * 5
    found = climbed(made)
    assert found["service record"]["against"] == "a batch"
    assert found["payment"]["against"] == "anybody can pay any address: a payment names nobody"
    assert found["identity document"]["reason"] == "passport X1"
    assert found["judgement"]["reason"] == "positive by E: agrees"
    assert set(found["agreement"]["sources"]) == {"login-0", "r", "l"}
    assert reached(world()) == [True, True, False, False, False]


@pytest.mark.parametrize("verdict", ["negative", "unsure"])
def test_only_a_positive_judgement_reaches_the_last_rung(verdict: str) -> None:
    assert reached(world(verdict=verdict)) == [True, True, False, False, False]


def test_a_payment_alone_has_one_rung_and_names_nobody() -> None:
    made = world(links=[], returns=[], persons=[])
    found = climbed(made, None)
    assert list(found) == ["payment"]
    assert found["payment"]["reason"] == "1 payment(s) to its addresses, 1 of them traced to a service"
    assert climbed(made) == {}


def test_of_an_account_rungs_are_told_without_saying_who() -> None:
    account = climbed(world({"document": "passport X1"}), None)
    assert "X1" not in str(account)
    assert account["identity document"]["reason"] == "of 1 customer(s) whom services name for it, 1 reach this rung"


@pytest.mark.parametrize(
    ("ip", "after", "holds", "words"),
    [
        (DE, timedelta(hours=23), True, "at the same time (1); an address may be shared"),
        (DE, timedelta(hours=-23), True, "at the same time"),
        (f"::ffff:{DE}", timedelta(), True, "at the same time"),
        (DE, timedelta(hours=25), False, "at other times (1)"),
        (US, timedelta(), False, "no address of the customer is one of the account's"),
    ],
)
def test_address_and_time_must_agree(ip: str, after: timedelta, holds: bool, words: str) -> None:
    found = agreement(world({"ip": DE}, [("a", ip, after)]))
    assert found[0] == holds
    assert words in found[1]


def test_the_time_that_the_record_names_goes_before_that_of_the_block() -> None:
    made = world({"ip": DE, "ip_at": AT - timedelta(days=9)}, [("a", DE, timedelta())])
    assert not agreement(made)[0]
    assert "its addresses agree at other times only: 1 record(s)" in climbed(made)


@pytest.mark.parametrize("ip", ["10.0.0.1", "100.64.0.9", "127.0.0.1"])
def test_an_address_that_strangers_have_too_agrees_with_nobody(ip: str) -> None:
    made = world({"ip": ip}, [("a", ip, timedelta())])
    assert not agreement(made)[0]
    assert any("that locate nobody" in words for words in climbed(made))


def test_a_tor_exit_agrees_with_nobody_while_it_is_one() -> None:
    def listed(until: datetime) -> list[dict[str, Any]]:
        return [{"id": "n", "network": f"{DE}/32", "kind": "Tor exit", "until": until}]

    record, seen = {"ip": DE}, [("a", DE, timedelta())]
    made = world(record, seen, not_locating=listed(AT + timedelta(days=1)))
    assert not agreement(made)[0]
    assert "addresses of the records that locate nobody: 1 (Tor exit)" in climbed(made)
    assert agreement(world(record, seen, not_locating=listed(AT - timedelta(days=1))))[0]


def test_a_shared_address_speaks_against_the_agreement() -> None:
    made = world(
        {"ip": DE}, [("a", DE, timedelta()), ("other", DE, timedelta(hours=1)), ("other", DE, timedelta(days=9))]
    )
    assert agreement(made)[1].endswith("other accounts at that address then: 1; it is shared")


def test_being_in_two_countries_within_an_hour_speaks_against() -> None:
    made = world({"ip": DE, "ip_at": AT}, [("a", US, timedelta(minutes=20)), ("a", US, timedelta(hours=9))])
    assert "seen in another country within an hour of the record: 1 time(s)" in climbed(made)
    assert not any("another country" in w for w in climbed(world({"ip": DE}, [("a", US, timedelta())])))


def test_other_customers_and_other_accounts_speak_against() -> None:
    link = {"kind": "account-person", "sources": ["pay"]}
    made = world(
        links=[{**link, "link": "l", "from_id": "a", "to_id": "p"}, {**link, "link": "m", "from_id": "a", "to_id": "q"},
               {**link, "link": "n", "from_id": "other", "to_id": "p", "sources": []}],
        persons=[{"person": name, "origin": "return", "sources": []} for name in "pq"],
    )  # fmt: skip
    found = climbed(made)
    assert "other customers named for the same payments: 1" in found
    assert "other accounts for which the same customer is named: 1" in found
    assert "services name 2 different customers for its payments" in climbed(made, None)


def test_payments_before_the_account_was_there_speak_against() -> None:
    late = climbed(world(registered=AT + timedelta(days=1)), None)
    assert "1 payment(s) came before the account was registered" in late
    assert len(climbed(world(registered=AT - timedelta(days=1)), None)) == 5
