"""Referrals: who goes where, how urgently, and that no record's words become a folder or a name."""

from datetime import datetime
from typing import Any

import pytest

from casewright.engine.stage import Context
from casewright.refer.countries import CODES, country_of
from casewright.refer.stages import STAGES
from tests.world import context, rows_of


def world(country: str | None = "NL", verdict: str = "", prior: str = "", note: str = "has access", strong: bool = True,
          media: str = "", seen: str | None = None) -> Context:  # fmt: skip
    """One account, one payment, one customer record, perhaps judged; an earlier case, perhaps judged."""
    said = [("l1", verdict), ("l2", prior)]
    return context({
        "accounts": [{"account": "a"}, {"account": "idle"}],
        "payments": [{"payment": "p", "account": "a", "sats": 1}],
        "persons": [{"person": "one", "origin": "return", "full_name": "Invented Name", "country": country},
                    {"person": "old", "origin": "prior", "full_name": "Invented Name", "note": note}],
        "links": [{"link": "l1", "kind": "account-person", "from_id": "a", "to_id": "one"},
                  {"link": "l2", "kind": "person-prior", "from_id": "one", "to_id": "old",
                   "reason": "strong: same email and date of birth" if strong else "weak: name only"},
                  *([{"link": "l3", "kind": "account-media", "from_id": "a", "to_id": "i"}] if media else [])],
        "worklist": [{"rank": 1, "item": "i", "state": media, "verdict": seen}] if media else [],
        "judgements": [{"judgement": f"j-{link}", "link": link, "verdict": v, "stands": True} for link, v in said if v],
    })  # fmt: skip


def referred(made: Context) -> list[dict[str, Any]]:
    output = next(s for s in STAGES if s.name == "referrals").work(made.table("accounts"), made)
    assert (output.tallies[0].received, output.tallies[0].nothing) == (2, 1)
    return rows_of(output.tables["referrals"])


@pytest.mark.parametrize(
    ("verdict", "country", "person"),
    [("", "NL", None), ("unsure", "NL", None), ("positive", "NL", "one"), ("negative", "ZZ", None)],
)
def test_only_a_positive_judgement_names_a_person(verdict: str, country: str, person: str | None) -> None:
    (row,) = referred(world(verdict=verdict))
    assert (row["country"], row["person"]) == (country, person)
    assert "Invented Name" not in str(row)


@pytest.mark.parametrize(
    "text", ["../../elsewhere", "/etc", "Netherlands", "N", "ZZ", "", None, "N\0", "ＮＬ", "QQ", "."]
)
def test_what_is_no_country_goes_to_nobody(text: str | None) -> None:
    """The country of a record names a folder: the record is evidence, and may hold anything."""
    (row,) = referred(world(country=text))
    assert (row["country"], row["package"]) == ("ZZ", "ZZ")


def test_codes_are_read_in_any_case() -> None:
    assert country_of(" nl ") == "NL"
    assert len(CODES) == 249


@pytest.mark.parametrize(
    ("change", "priority"),
    [
        ({"verdict": "positive", "prior": "positive"}, 1),
        ({"verdict": "positive", "prior": "positive", "strong": False}, 1),
        ({"verdict": "positive"}, 2),
        ({"verdict": "positive", "prior": "unsure"}, 2),
        ({"verdict": "positive", "prior": "negative"}, 6),
        ({"verdict": "positive", "strong": False}, 6),
        ({"verdict": "positive", "note": "sold scans at fairs"}, 6),
        ({"verdict": "positive", "note": ""}, 6),
        ({"prior": "positive"}, 6),
        ({"media": "new"}, 3),
        ({"media": "known"}, 4),
        ({"media": "near", "verdict": "positive"}, 2),
        ({"media": "new", "seen": "positive"}, 3),
        ({"media": "new", "seen": "negative"}, 6),
    ],
)
def test_the_first_rule_that_holds_gives_the_priority(change: dict[str, Any], priority: int) -> None:
    (row,) = referred(world(**change))
    assert row["priority"] == priority
    assert ("l2" in row["sources"]) == (priority < 3)


def test_records_of_two_countries_send_the_account_to_both() -> None:
    made = world()
    tables = {
        "persons": [*rows_of(made.table("persons")), {"person": "two", "origin": "return", "country": "DE"}],
        "links": [*rows_of(made.table("links")),
                  {"link": "l9", "kind": "account-person", "from_id": "a", "to_id": "two"}],
        "accounts": rows_of(made.table("accounts")), "payments": rows_of(made.table("payments")),
    }  # fmt: skip
    assert [r["country"] for r in referred(context(tables))] == ["DE", "NL"]


def test_within_a_priority_the_latest_conduct_comes_first() -> None:
    made = context({
        "accounts": [{"account": a} for a in ("a", "b")],
        "payments": [{"payment": f"p-{a}", "account": a, "sats": 1, "time": datetime(year, 1, 1)}
                     for a, year in (("a", 2015), ("b", 2016))],
    })  # fmt: skip
    output = next(s for s in STAGES if s.name == "referrals").work(made.table("accounts"), made)
    assert [r["account"] for r in rows_of(output.tables["referrals"])] == ["b", "a"]
