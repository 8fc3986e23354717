"""Referrals: who goes where, how urgently, and that no record's words become a folder or a name."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from casewright.engine.stage import Context, Output
from casewright.model.errors import Refused
from casewright.model.priority import CONDITIONS, IMPLIED, ORDERS, PrioritySettings
from casewright.model.settings import CASE_FILE, Settings
from casewright.refer.countries import CODES, country_of
from casewright.refer.stages import STAGES
from tests.world import context, rows_of


def world(country: str | None = "NL", verdict: str = "", prior: str = "", note: str = "has access", strong: bool = True,
          media: str = "", seen: str | None = None, flag: str = "") -> Context:  # fmt: skip
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
        "flags": [{"flag": "f", "subject": flag, "indicator": "access", "stands": True}] if flag else [],
        "judgements": [{"judgement": f"j-{link}", "link": link, "verdict": v, "stands": True} for link, v in said if v],
    })  # fmt: skip


def referred(made: Context) -> list[dict[str, Any]]:
    output = selected(made)
    idle = "idle" not in made.table("flags")["subject"].to_pylist()
    assert (output.tallies[0].received, output.tallies[0].nothing) == (2, idle)
    return rows_of(output.tables["referrals"])


def selected(made: Context, **rule: Any) -> Output:
    """What the stages say of where accounts go and how urgently, under this rule."""
    settings = Settings(priority=PrioritySettings(**rule))
    for stage in (s for s in STAGES if s.name in ("jurisdictions", "referrals")):
        output: Output = stage.work(made.table("accounts"), Context(stage.params(settings), made.tables, made.blobs))
        made = Context({}, {**made.tables, **output.tables}, made.blobs)
    return output


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
        ({"flag": "a"}, 1),
        ({"flag": "idle"}, 6),
        ({"flag": "media/i", "media": "known"}, 1),
        ({"flag": "one", "verdict": "positive"}, 1),
        ({"flag": "one"}, 6),
        ({"flag": "one", "verdict": "unsure"}, 6),
    ],
)
def test_the_first_rule_that_holds_gives_the_priority(change: dict[str, Any], priority: int) -> None:
    row = next(r for r in referred(world(**change)) if r["account"] == "a")
    assert row["priority"] == priority
    flagged = "f" in row["sources"]
    assert flagged == bool(row["flags"]) == ("flagged" in row["reason"])
    assert ("l2" in row["sources"]) == (priority < 3 and not flagged) or change.get("verdict") == "positive"


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
    assert [r["account"] for r in rows_of(selected(made).tables["referrals"])] == ["b", "a"]


def test_an_account_that_was_flagged_is_referred_even_if_it_never_paid() -> None:
    rows = {r["account"]: r for r in referred(world(flag="idle"))}
    assert (rows["idle"]["priority"], rows["idle"]["country"]) == (1, "ZZ")


def test_what_else_holds_is_told_beside_what_decided() -> None:
    (row,) = referred(world(media="new", verdict="positive"))
    assert row["reason"].startswith(CONDITIONS["prior suggested"])
    assert CONDITIONS["new media"] in row["held"]
    assert CONDITIONS["uploaded"] not in row["held"]


def paid(*accounts: tuple[str, int, int]) -> Context:
    """Accounts by name, payments and downloads."""
    return context({
        "accounts": [{"account": name} for name, _, _ in accounts],
        "payments": [{"payment": f"p-{name}-{n}", "account": name, "sats": 5, "time": datetime(2016, 1, 1 + n)}
                     for name, count, _ in accounts for n in range(count)],
        "downloads": [{"download": f"d-{name}-{n}", "account": name, "time": datetime(2015, 1, 1)}
                      for name, _, count in accounts for n in range(count)],
    })  # fmt: skip


def test_the_rule_is_the_table_in_the_settings() -> None:
    """Whoever finds downloads more urgent than payments says so, and nothing else changes."""
    made = paid(("a", 2, 0), ("b", 0, 3), ("c", 1, 1))
    usual = {r["account"]: r["priority"] for r in rows_of(selected(made).tables["referrals"])}
    assert usual == {"a": 5, "c": 6}
    own = rows_of(selected(made, rules=("downloaded and paid", "downloaded", "recent or paid")).tables["referrals"])
    assert {r["account"]: r["priority"] for r in own} == {"c": 1, "b": 2, "a": 3}
    assert own[0]["reason"].startswith("downloaded files, and paid; ")


def test_what_orders_a_level_is_in_the_settings_too() -> None:
    made = paid(("a", 2, 0), ("b", 3, 0), ("c", 4, 9))

    def names(**rule: Any) -> list[str]:
        return [r["account"] for r in rows_of(selected(made, **rule).tables["referrals"])]

    assert names(within=("downloads", "payments")) == ["c", "b", "a"]
    assert names(within=()) == ["a", "b", "c"]
    assert names(rules=("recent",), recent_days=1) == ["c", "b"]


def test_two_similar_accounts_are_told_apart() -> None:
    rows = rows_of(selected(paid(("a", 2, 4), ("b", 2, 3))).tables["referrals"])
    one, other = (r["stands_out"] for r in rows)
    assert rows[0]["reason"] == rows[1]["reason"]
    assert one != other
    assert "4 downloads (the most): 2 of 2 accounts" in one


@pytest.mark.parametrize("wrong", [{"rules": ["new medium"]}, {"rules": ["paid or"]}, {"within": ["age"]}])
def test_a_word_that_the_rule_does_not_know_is_refused_by_name(wrong: dict[str, list[str]], tmp_path: Path) -> None:
    text = Settings().dump()
    (tmp_path / CASE_FILE).write_text(text)
    assert Settings.load(tmp_path) == Settings()
    (key, (value,)) = next(iter(wrong.items()))
    (tmp_path / CASE_FILE).write_text(re.sub(rf"^{key} = \[[^\]]*\]", f'{key} = ["{value}"]', text, flags=re.MULTILINE))
    with pytest.raises(Refused, match=r"\[priority\].*Known"):
        Settings.load(tmp_path)


def test_a_new_case_says_beside_the_table_what_it_may_hold() -> None:
    remarks = Settings().dump().partition("[priority]")[0].rpartition("\n\n")[2]
    for word in (*CONDITIONS, *ORDERS):
        assert word in remarks
    assert set(IMPLIED) | set(IMPLIED.values()) <= set(CONDITIONS)
