"""Handling codes: what a country may not have is withheld wherever it stands, counted, and said."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from casewright.model.errors import Refused
from casewright.model.settings import Settings
from casewright.model.tables import TABLES
from casewright.refer.check import contents_problems
from casewright.refer.handling import HANDLING, Codes, code_of
from tests.refer.test_package import text_of
from tests.refer.world import PEOPLE, SETTINGS, packages, tables
from tests.world import context


def with_codes(codes: dict[str, str], allowed: dict[str, str] | None = None) -> Settings:
    return replace(SETTINGS, refer=replace(SETTINGS.refer, codes=codes, allowed=allowed or {}))


@pytest.mark.parametrize(
    ("text", "scheme", "level"),
    [("TLP:RED", "TLP", 4), ("TLP:CLEAR", "TLP", 0), ("H0", "Europol", 0), ("H3 X4", "Europol", 3),
     ("3-5-2:1-A-P", "3-5-2", 0), ("3-5-2:3-E-C", "3-5-2", 1)],
)  # fmt: skip
def test_codes_of_three_schemes_are_known(text: str, scheme: str, level: int) -> None:
    code = code_of(text)
    assert (code.scheme, code.level) == (scheme, level)


@pytest.mark.parametrize("text", ["TLP:PINK", "H4", "H2 D1", "H2 B5", "3-5-2:4-A-P", "", "tlp:red", "TLP:RED\n"])
def test_what_is_no_code_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(Refused, match="H0 to H3"):
        code_of(text)


def test_a_code_is_compared_within_its_scheme_only() -> None:
    codes = Codes(code_of("TLP:AMBER"), allowed={"NL": [code_of("H1")], "*": [code_of("TLP:RED")]})
    assert not codes.withheld("NL", "TLP:AMBER")
    assert not codes.withheld("NL", "TLP:GREEN, H1 A1")
    assert codes.withheld("NL", "H2")
    assert codes.withheld("NL", "TLP:RED")
    assert codes.withheld("NL", "3-5-2:1-A-P")
    assert not codes.withheld("DE", "TLP:RED")


@pytest.mark.parametrize("key", ["persons", "room persons", "section", "exhibit nowhere"])
def test_a_code_of_nothing_that_is_there_is_refused(key: str) -> None:
    with pytest.raises(Refused):
        Codes.of({"handling": "TLP:RED", "codes": {key: "H1"}}, context())


def test_a_section_that_is_withheld_names_nobody_in_any_file(tmp_path: Path) -> None:
    (bag,) = packages(
        tmp_path / "case",
        "NL",
        settings=with_codes({"section persons": "H2 A1"}),
    )
    everything = {p.name: text_of(p) for p in sorted(bag.rglob("*")) if p.is_file()}
    assert not [name for name, text in everything.items() if PEOPLE["formula"][0] in text or "c0@example.com" in text]
    document = everything["referral.pdf"].replace("\r\n", " ")
    assert "withheld: H2 A1" in document
    assert "values withheld: H2 A1" in document
    with (bag / "data" / "persons.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.DictReader(file) for name, cell in row.items() if name != "figure" and cell]
    assert set(cells) == {"withheld: H2 A1"}
    lines = (bag / "data" / "ledger.jsonl").read_text().splitlines()
    assert not [line for line in lines if json.loads(line)["kind"] == "judgement"]
    assert list(contents_problems(bag / "data")) == []


def test_who_is_withheld_stands_in_no_file_of_the_package(tmp_path: Path) -> None:
    """Whether the record itself has the code, or the papers that it came in: also words that judged it are withheld."""
    people = tables()["persons"].to_pylist()
    (ada,) = (p["person"] for p in people if (p["origin"], p["full_name"]) == ("return", PEOPLE["formula"][0]))
    for number, key in enumerate((f"item {ada}", "exhibit return.csv")):
        (bag,) = packages(tmp_path / str(number), "NL", settings=with_codes({key: "TLP:RED"}))
        words = (PEOPLE["formula"][0], "c0@example.com", "looked at Ada")
        texts = {p.name: text_of(p) for p in bag.rglob("*") if p.is_file()}
        assert not [name for name, text in texts.items() if any(word in text for word in words)], key


def test_an_account_that_is_withheld_and_all_that_tells_of_it_stand_in_no_file(tmp_path: Path) -> None:
    def signed_in(made: dict[str, pa.Table]) -> dict[str, pa.Table]:
        row = {"login": "login-1", "account": "formula", "ip": "198.51.100.77"}
        return {**made, "logins": TABLES["logins"].rows([row])}

    (bag,) = packages(tmp_path / "case", "NL", settings=with_codes({"item formula": "H2"}), spoil=signed_in)
    texts = {p.name: text_of(p) for p in bag.rglob("*") if p.is_file()}
    assert not [name for name, text in texts.items() if "HYPERLINK" in text or "198.51.100.77" in text]
    assert "mark" in texts["accounts.csv"] or "bold" in texts["accounts.csv"], "the others are told"


def test_an_exhibit_that_is_withheld_is_not_named_in_the_ledgers_lines(tmp_path: Path) -> None:
    (bag,) = packages(tmp_path / "case", "NL", settings=with_codes({"exhibit server": "H2"}))
    assert '"server"' not in (bag / "data" / "ledger.jsonl").read_text("utf-8")


def test_a_code_that_the_ledger_gives_an_item_holds_until_another_is_given() -> None:
    def told(*codes: str) -> Codes:
        lines = [json.dumps({"data": {"item": "pay-1", "code": code}}) for code in codes]
        ledger = {HANDLING: pa.table({"event": pa.array(lines, pa.string())})}
        known = context({"payments": [{"payment": "pay-1"}]})
        return Codes.of({"handling": "TLP:AMBER"}, replace(known, tables={**known.tables, **ledger}))

    assert told("H2", "TLP:RED").of_figure("payments", "pay-1", "time", []) == "TLP:RED"
    assert told("TLP:RED", "").of_figure("payments", "pay-1", "time", []) == "TLP:AMBER"


def test_what_rests_on_an_exhibit_stands_under_its_code_and_nothing_else_does() -> None:
    """The earlier case is another unit's: its words are withheld, the count of payments is not."""
    made = tables(with_codes({"exhibit prior.csv": "TLP:RED"}))
    rows = [row for row in made["figures"].to_pylist() if row["country"] == "NL"]
    away = {(row["section"], row["label"]) for row in rows if row["withheld"]}
    assert ("persons", "earlier case") in away
    assert ("summary", "Access and risk now") in away
    assert not [pair for pair in away if pair[0] in ("payments", "services", "media", "process")]
    assert ("summary", "Payments") not in away
    (told,) = [row["value"] for row in rows if row["label"] == "Withheld"]
    assert told == f"{sum(row['withheld'] for row in rows)} values under TLP:RED"


def test_a_country_that_may_have_it_gets_it() -> None:
    made = tables(with_codes({"exhibit prior.csv": "TLP:RED", "item pay-long": "H1"}, {"NL": "TLP:RED"}))
    away = {row["country"] for row in made["figures"].to_pylist() if row["withheld"]}
    assert away == {"DE"}


def test_without_other_codes_every_value_stands_under_the_codes_of_the_case() -> None:
    rows = tables()["figures"].to_pylist()
    assert {row["handling"] for row in rows} == {SETTINGS.refer.handling}
    assert not any(row["withheld"] for row in rows)
