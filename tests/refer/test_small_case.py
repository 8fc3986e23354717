"""A small case with hostile names: what its packages hold, whom they name, and that any change to them is seen."""

import csv
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from casewright.model.errors import Refused
from casewright.refer.facts import packages as facts_of
from casewright.refer.package import MANIFEST, Order, write_packages
from casewright.refer.verify import verify_package
from casewright.refer.writers.referral import QUESTIONS
from casewright.refer.writers.sheets import exact, inert
from tests.refer.test_package import text_of
from tests.refer.world import HOSTILE, KEY, PEOPLE, SETTINGS, packages, tables
from tests.world import context


@pytest.fixture(scope="module")
def made() -> dict[str, pa.Table]:
    return tables()


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("small")
    return dict(zip(("NL", "DE", "ZZ"), packages(folder, "NL", "DE", "ZZ"), strict=True))


@pytest.fixture
def bag(sealed: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed["NL"], tmp_path / "NL"))


def broken(bag: Path) -> list[str]:
    return [f"{c.what} {c.detail}" for c in verify_package(bag, KEY.public) if c.state == "broken"]


def test_accounts_go_where_their_records_say(made: dict[str, pa.Table]) -> None:
    found = {(r["account"], r["country"], r["person"] is not None) for r in made["referrals"].to_pylist()}
    assert found == {("formula", "NL", True), ("markup", "NL", False), ("bidi", "ZZ", False), ("long", "DE", True),
                     ("letters", "ZZ", False)}  # fmt: skip


@pytest.mark.parametrize(("country", "named"), [("NL", {"formula"}), ("DE", {"long"}), ("ZZ", set())])
def test_a_package_names_only_those_judged_positive_and_sent_there(
    sealed: dict[str, Path], country: str, named: set[str]
) -> None:
    """Also the ledger's lines, in which examiners name whom they judged, and the files in which others stand."""
    everything = {p: text_of(p) for p in sorted(sealed[country].rglob("*")) if p.is_file()}
    assert len(everything) > 15
    for n, (account, (name, _)) in enumerate(PEOPLE.items()):
        for words in (name, f"c{n}@example.com"):
            seen = [p.name for p, text in everything.items() if words in text]
            assert bool(seen) == (account in named), (words, seen)


def test_the_ledger_extract_quotes_lines_unchanged_and_only_what_concerns_the_country(sealed: dict[str, Path]) -> None:
    lines = {c: (bag / "data" / "ledger.jsonl").read_text().splitlines() for c, bag in sealed.items()}
    assert [sum('"judgement"' in line for line in lines[c]) for c in ("NL", "DE", "ZZ")] == [1, 1, 0]
    assert [any("prior.csv" in line for line in lines[c]) for c in ("NL", "DE", "ZZ")] == [True, False, False]
    assert [any("return.csv" in line for line in lines[c]) for c in ("NL", "DE", "ZZ")] == [True, True, False]


def test_every_figure_rests_on_rows_that_are_there(made: dict[str, pa.Table]) -> None:
    ids: set[str] = {"media/media"}
    for name, column in (("referrals", "referral"), ("accounts", "account"), ("payments", "payment"),
                         ("services", "id"), ("links", "link"), ("judgements", "judgement"), ("persons", "person"),
                         ("requests", "request"), ("exhibits", "exhibit"), ("uploads", "upload"),
                         ("former_values", "id"), ("legal_process", "reference"),
                         ("ladder", "id"), ("jurisdictions", "id"), ("flags", "flag")):  # fmt: skip
        ids |= set(made[name].column(column).to_pylist())
    ids |= {f"work/{i}" for i in made["worklist"].column("item").to_pylist()}
    for figure in made["figures"].to_pylist():
        assert figure["sources"], figure
        assert set(figure["sources"]) <= ids, figure


def test_a_package_says_which_rows_the_service_itself_no_longer_showed(made: dict[str, pa.Table]) -> None:
    said = {(f["section"], f["label"], f["value"].partition(":")[0]): f["subject"] for f in made["figures"].to_pylist()}
    gone = {key: subject for key, subject in said.items() if "on record" in key[1] or key[1].endswith(" before")}
    assert set(gone) == {("accounts", "on record", "no longer"), ("accounts", "email before", "old@example.com"),
                         ("payments", "address on record", "no longer")}  # fmt: skip
    assert gone["payments", "address on record", "no longer"] == "pay-markup"


def test_what_else_a_batch_paid_is_nobody_elses_business() -> None:
    """One withdrawal pays customers of several countries: each package shows the lines of its own accounts."""
    batch = context({
        "referrals": [{"referral": "r", "country": "NL", "account": "a"}],
        "accounts": [{"account": "a"}, {"account": "b"}],
        "payments": [{"payment": f"pay-{a}", "account": a} for a in "ab"],
        "services": [{"id": f"service-{a}", "payment": f"pay-{a}", "direction": "back", "service": "K", "txid": "t"}
                     for a in "ab"],
        "requests": [{"request": f"request-{a}", "service": "K", "txid": "t", "reference": "CW-1",
                      "address": f"addr-{a}", "sources": [f"service-{a}"]} for a in "ab"],
        "returns": [{"return_id": "x", "reference": "CW-1", "txid": "t", "address": "addr-b"}],
    })  # fmt: skip
    (facts,) = facts_of(batch)
    assert [(q["request"], q["answered"]) for q in facts.asked(facts.payments["a"])] == [("request-a", False)]


def test_the_ladder_tells_of_nobody_whom_no_judgement_names(made: dict[str, pa.Table]) -> None:
    told = {(f["country"], f["subject"]) for f in made["figures"].to_pylist() if f["section"] == "ladder"}
    rungs = {r["id"]: r for r in made["ladder"].to_pylist()}
    named = {r["person"] for r in made["referrals"].to_pylist() if r["person"]}
    assert {rungs[name]["person"] for _, name in told} == {None, *named}
    assert {r["person"] for r in rungs.values()} > {None, *named}
    markup = {rungs[name]["step"]: rungs[name] for _, name in told if rungs[name]["account"] == "markup"}
    assert [markup[step]["holds"] for step in range(1, 6)] == [True, True, False, False, False]
    assert "Bo Unjudged" not in str(markup)
    assert "C-1" not in str(markup)


def test_the_first_page_tells_what_sets_its_accounts_apart(sealed: dict[str, Path]) -> None:
    """Officers can't tell near-identical reports apart: this answer of no two packages is the same."""
    first = {}
    for country, bag in sealed.items():
        text = " ".join(text_of(bag / "data" / "referral.pdf").split())
        first[country] = text[text.index("2. Which accounts") : text.index("3. Who is it")]
    assert "1 media on no list, 1 uploads: the only one of 5 accounts" in first["NL"]
    assert "1.50000000 BTC in one payment: 5 of 5 accounts" in first["NL"]
    assert "1.50000003 BTC" in first["DE"]
    assert len(set(first.values())) == 3


def test_every_answer_of_the_first_page_stands_under_a_question(made: dict[str, pa.Table]) -> None:
    labels = {f["label"] for f in made["figures"].to_pylist() if f["section"] == "summary"}
    assert labels <= {label for _, mine in QUESTIONS for label in mine}


def test_what_speaks_against_a_person_stands_on_the_first_page(sealed: dict[str, Path]) -> None:
    text = text_of(sealed["NL"] / "data" / "referral.pdf")
    first = text[: text.index("page 1 of")].replace("\r\n", " ")
    assert "Speaks against it: the tag may be stale" in first
    assert "Ladder: 3 of 5 rungs reached; not: identity document, agreement" in first
    assert "has access to a collection" in first
    assert "not judged" in first


def test_the_handling_code_is_on_every_page(sealed: dict[str, Path]) -> None:
    text = text_of(sealed["DE"] / "data" / "referral.pdf")
    pages = text.count(" of ") and int(text.split("page 1 of ")[1].split()[0])
    assert text.count(SETTINGS.refer.handling) >= 2 * pages


def test_hostile_names_are_whole_and_inert_in_the_sheets(sealed: dict[str, Path]) -> None:
    found = set()
    for country, account in (("NL", "formula"), ("NL", "markup"), ("ZZ", "bidi"), ("DE", "long"), ("ZZ", "letters")):
        book = openpyxl.load_workbook(sealed[country] / "data" / "referral.xlsx")
        cells = [c for sheet in book.worksheets for row in sheet.iter_rows() for c in row]
        assert not [c for c in cells if c.data_type == "f"]
        assert HOSTILE[account] in [c.value for c in cells]
        with (sealed[country] / "data" / "figures.csv").open(newline="", encoding="utf-8") as file:
            found |= {exact(row["value"]) for row in csv.DictReader(file)}
    assert set(HOSTILE.values()) <= found


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'t Hart", "", "'", "plain", "-5", "\n=1", "＝1"])
def test_the_rule_that_makes_cells_inert_can_be_turned_back(text: str) -> None:
    assert exact(inert(text)) == text
    assert not inert(text).startswith(("=", "-", "\n", "＝"))


def test_the_same_case_gives_the_same_bytes(sealed: dict[str, Path], tmp_path: Path) -> None:
    for again in packages(tmp_path / "again", "NL", "DE"):
        for path in sorted(p for p in again.rglob("*") if p.is_file()):
            assert path.read_bytes() == (sealed[again.name] / path.relative_to(again)).read_bytes(), path.name


def test_an_untouched_package_holds(bag: Path) -> None:
    assert broken(bag) == []
    (checks,) = [c for c in verify_package(bag, None) if c.what.endswith("signature")]
    assert "BY THE KEY INSIDE" in checks.detail


def test_any_flipped_byte_of_any_file_is_named(bag: Path) -> None:
    for path in sorted(p for p in bag.rglob("*") if p.is_file()):
        raw, name = path.read_bytes(), path.relative_to(bag).as_posix()
        for at in {0, len(raw) // 3, len(raw) // 2, len(raw) - 1}:
            path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
            assert any(name.removesuffix(".minisig") in b for b in broken(bag)), (name, at)
        path.write_bytes(raw)
    assert broken(bag) == []


def test_another_senders_key_does_not_hold(bag: Path) -> None:
    other = type(KEY).from_seed(b"somebody else").public
    assert [c for c in verify_package(bag, other) if c.state == "broken" and "minisig" in c.what]


def _added(bag: Path) -> Iterator[str]:
    (bag / "data" / "more.txt").write_text("x")
    yield "data/more.txt"
    (bag / "data" / "sub").mkdir()
    (bag / "data" / "sub" / "more.txt").write_text("x")
    yield "data/sub/more.txt"
    (bag / "elsewhere").symlink_to("/etc", target_is_directory=True)
    yield "elsewhere"
    (bag / ".hidden").write_text("")
    yield ".hidden"
    os.mkfifo(bag / "data" / "pipe")
    yield "data/pipe"


def test_whatever_is_added_is_named(bag: Path) -> None:
    for name in _added(bag):
        assert any(f": {name} is in no manifest" in b for b in broken(bag)), name


def test_a_file_that_became_a_link_is_named_even_if_the_bytes_agree(bag: Path, tmp_path: Path) -> None:
    inside, outside = bag / "data" / "method.md", tmp_path / "method.md"
    inside.rename(outside)
    inside.symlink_to(outside)
    assert any("data/method.md is gone, or is no plain file" in b for b in broken(bag))


@pytest.mark.parametrize("path", ["../secret.txt", "data/../../secret.txt"])
def test_a_manifest_cannot_reach_out_of_the_package(bag: Path, path: str) -> None:
    """Somebody else's package is evidence too: its manifest may name any file of the machine that checks it."""
    secret = bag.parent / "secret.txt"
    secret.write_text("x")
    digest = hashlib.sha256(b"x").hexdigest()
    with (bag / MANIFEST).open("a") as file:
        file.write(f"{digest}  {path}\n{digest}  {secret}\n")
    found = broken(bag)
    assert sum("lies outside the package" in b for b in found) == 2


@pytest.mark.parametrize("country", ["../x", "nl", "", "QQ", "N/L"])
def test_no_package_is_written_for_what_is_no_country(country: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no country"):
        list(write_packages([Order(country)], tmp_path, [], SETTINGS, tmp_path / "x", KEY))
    assert not (tmp_path / "x").exists()
