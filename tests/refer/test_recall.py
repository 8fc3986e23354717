"""Recalls: who has it is told, and nobody else; what is withdrawn is gone from the next package."""

import csv
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyrage
import pytest

from casewright.cli.confirmed import found_packages
from casewright.cli.correspondence import keep_account, note_keys, note_sealed, note_sent, seal_receipt
from casewright.cli.recalling import decide, seal_notices
from casewright.engine.query import Reader
from casewright.engine.stage import Context
from casewright.model.errors import Missing, UsageError
from casewright.model.tables import TABLES
from casewright.refer.package import Order, write_packages
from casewright.refer.recall import CORRECTION, WITHDRAWAL, Decision, corrections, value_digest
from casewright.refer.stages import STAGES as REFER
from casewright.refer.verify import verify_package
from casewright.refer.words import words_of
from casewright.vault.case import Case
from casewright.vault.keys import SealKey
from tests.command import in_process
from tests.refer.test_package import text_of
from tests.refer.world import HOSTILE, PEOPLE, SETTINGS, outputs_of, tables, write_tables
from tests.world import MemoryBlobs

COUNTRIES = ("NL", "DE", "ZZ")


@pytest.fixture(scope="module")
def made() -> dict[str, pa.Table]:
    return tables()


@pytest.fixture(scope="module")
def sealed(made: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case whose three packages were sealed, with its key inside: each test takes a copy."""
    root = tmp_path_factory.mktemp("recall") / "case"
    SealKey.from_seed(b"tests of recalls").save(root / "seal.key")
    case = Case.create(root, SETTINGS.case, "seal.key")
    write_tables(made, case.tables)
    seal_again(case)
    return root


@pytest.fixture
def sent(sealed: Path, tmp_path: Path) -> Case:
    return Case(Path(shutil.copytree(sealed, tmp_path / "case")))


def seal_again(case: Case, keys: Mapping[str, list[str]] | None = None) -> None:
    recipients = dict(keys or {})
    orders = [Order(country, tuple(recipients.get(country, ()))) for country in COUNTRIES]
    with case.writing():
        written = write_packages(orders, case.tables, [], case.settings, case.packages, case.seal_key())
        done = [{"country": order.name, "package": order.name, "path": str(bag), "tagmanifest": digest,
                 "encrypted": list(order.recipients)} for order, bag, digest in written]  # fmt: skip
        note_sealed(case, done, recipients)


def recall(case: Case, *ids: str, form: str = WITHDRAWAL, why: str = "booked to the wrong account", says: str = "",
           out: Path | None = None) -> list[dict[str, Any]]:  # fmt: skip
    with case.writing():
        decide(case, Decision(ids, form, why, says, "R. Example"))
        return seal_notices(case, out)


def person_named(made: Mapping[str, pa.Table], name: str) -> str:
    rows = made["persons"].to_pylist()
    return next(str(r["person"]) for r in rows if (r["full_name"], r["origin"]) == (name, "return"))


@pytest.mark.parametrize(("item", "who"), [("account-formula", "NL"), ("pay-long", "DE"), ("service-letters", "ZZ")])
def test_exactly_those_who_have_it_are_told(sent: Case, item: str, who: str) -> None:
    (notice,) = recall(sent, item.removeprefix("account-"))
    assert notice["country"] == who
    everything = "\n".join(text_of(p) for p in sorted(Path(notice["path"]).rglob("*")) if p.is_file())
    for country in COUNTRIES:
        sealed = sent.ledger.events("package sealed")
        digest = next(e.data["tagmanifest"] for e in sealed if e.data["country"] == country)
        assert (digest in everything) == (country == who)
    for n, (name, _) in enumerate(PEOPLE.values()):
        others = f"c{n}@example.com"
        assert (others in everything) <= (name in everything)


def test_a_notice_is_a_package_that_can_be_checked_with_stock_tools(sent: Case) -> None:
    (notice,) = recall(sent, "pay-formula")
    bag = Path(notice["path"])
    checks = list(verify_package(bag, sent.settings.seal.public_key))
    assert [c.state for c in checks] == ["holds", "holds", "holds"]
    assert "recall" in checks[0].detail
    if shutil.which("minisign"):
        key = sent.settings.seal.public_key
        script = (f"minisign -V -m tagmanifest-sha256.txt -P {key} && sha256sum -c --quiet tagmanifest-sha256.txt && "
                  "sha256sum -c --quiet manifest-sha256.txt")  # fmt: skip
        done = subprocess.run(["sh", "-c", script], cwd=bag, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_it_quotes_what_was_said_and_hostile_names_stay_inert(sent: Case) -> None:
    for account in ("formula", "bidi", "long"):
        for notice in recall(sent, account):
            data = Path(notice["path"]) / "data"
            with (data / "notice.csv").open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))
            assert not [c for row in rows for c in row if c.startswith(("=", "+", "-", "@"))]
            said = {(row[3], row[4]) for row in rows}
            assert ("account", account) in said
            assert {label for label, _ in said} >= {"username", "amount", "priority"}
            text = (data / "notice.txt").read_text("utf-8")
            assert all(c.isprintable() for line in text.splitlines() for c in line)
            assert all(len(line) < 1000 for line in text.splitlines())
            assert "Why" in text_of(data / "notice.pdf")


def test_of_several_packages_those_count_that_went_out(sent: Case) -> None:
    first = {e.data["country"]: e.data["tagmanifest"] for e in sent.ledger.events("package sealed")}
    with sent.writing():
        note_sent(sent, ["NL=2026-03-30"])
    key = pyrage.x25519.Identity.generate()
    seal_again(sent, {"DE": [str(key.to_public())]})
    (notice,) = recall(sent, "formula")
    assert [(p["tagmanifest"], p["sent"]) for p in notice["packages"]] == [(first["NL"], "sent on 2026-03-30")]
    (notice,) = recall(sent, "long", out=sent.root)
    assert [p["sent"] for p in notice["packages"]] == ["encrypted to its recipient"]
    raw = pyrage.decrypt(Path(notice["encrypted"][0]).read_bytes(), [key])
    with tarfile.open(fileobj=BytesIO(raw)) as archive:
        assert any(name.endswith("data/notice.pdf") for name in archive.getnames())
    (notice,) = recall(sent, "bidi")
    assert [p["sent"] for p in notice["packages"]] == ["no sending recorded"]


def test_stopped_between_decision_and_notice_it_goes_on_and_writes_once(sent: Case) -> None:
    decision = Decision(("formula",), WITHDRAWAL, "x", "", "R. Example")
    with sent.writing():
        decide(sent, decision)
        decide(sent, decision)
    (line,) = sent.ledger.events("recalled")
    assert sorted(line.data["packages"]) == [
        e.data["tagmanifest"] for e in sent.ledger.events("package sealed") if e.data["country"] == "NL"
    ]
    with sent.writing():
        (notice,) = seal_notices(sent)
        before = {p: p.read_bytes() for p in Path(notice["path"]).rglob("*") if p.is_file()}
        assert seal_notices(sent) == []
        decide(sent, decision)
        assert seal_notices(sent) == []
    assert all(p.read_bytes() == raw for p, raw in before.items())


def test_what_no_package_held_is_recalled_from_nobody(sent: Case) -> None:
    with sent.writing(), pytest.raises(Missing, match="no package that was sealed held"):
        decide(sent, Decision(("acct-0123456789abcdef0123",), WITHDRAWAL, "x", "", "R. Example"))
    assert sent.ledger.events("recalled") == []


@pytest.mark.parametrize("arguments", [["ab" * 32, "--why", "x"], ["acct-0123456789abcdef0123"], ["--why", "x"],
                                       ["acct-0123456789abcdef0123", "--why", "x", "--says", "y"]])  # fmt: skip
def test_a_recall_that_makes_no_sense_is_refused(case: Case, arguments: list[str]) -> None:
    assert in_process("recall", str(case.root), *arguments) == 2


def test_a_package_of_an_earlier_version_is_read_while_it_lies_there_and_named_when_it_does_not(sent: Case) -> None:
    """The ledger of an earlier version names no figures."""
    text = sent.ledger.path.read_text()
    lines = sent.ledger.events()
    assert '"figures"' in text
    older = Case.create(sent.root / "older", sent.settings.case)
    shutil.copytree(sent.tables, older.tables, dirs_exist_ok=True)
    shutil.copytree(sent.packages, older.packages, dirs_exist_ok=True)
    with older.writing():
        for event in lines:
            if event.kind == "package sealed":
                older.ledger.append((event.kind, {k: v for k, v in event.data.items() if k != "figures"}))
        shutil.rmtree(older.packages / "DE")
        unknown = decide(older, Decision(("formula",), WITHDRAWAL, "x", "", "R. Example"))
        (notice,) = seal_notices(older)
    assert ([u["country"] for u in unknown], notice["country"]) == (["DE"], "NL")
    with (Path(notice["path"]) / "data" / "notice.csv").open(newline="", encoding="utf-8") as file:
        assert {row["said"] for row in csv.DictReader(file)} >= {"'" + HOSTILE["formula"], "Ada Invented"}


def test_a_correction_says_what_differs_and_what_it_should_say(sent: Case, made: dict[str, pa.Table]) -> None:
    rows = made["figures"].to_pylist()
    for row in rows:
        row["value"] = row["value"].replace("1.50000000 BTC", "0.50000000 BTC")
    with sent.writing(), pytest.raises(UsageError, match="says the same"):
        decide(sent, Decision(("formula",), CORRECTION, "x", "", "R. Example"))
    write_tables({"figures": pa.Table.from_pylist(rows, made["figures"].schema)}, sent.tables)
    (notice,) = recall(sent, "formula", form=CORRECTION, why="an amount was read wrongly")
    with (Path(notice["path"]) / "data" / "notice.csv").open(newline="", encoding="utf-8") as file:
        said = {(r["label"], r["said"], r["should_say"]) for r in csv.DictReader(file) if r["section"] == "payments"}
    assert said == {("amount", "1.50000000 BTC", "0.50000000 BTC")}


def test_own_words_suffice_for_a_correction(sent: Case) -> None:
    (notice,) = recall(sent, "formula", form=CORRECTION, says="the day is that of the block, not of the visit")
    assert "that of the block" in text_of(Path(notice["path"]) / "data" / "notice.pdf")


def test_values_are_compared_by_what_they_are_said_of() -> None:
    def row(label: str, value: str, figure: str = "f") -> dict[str, Any]:
        return {"section": "s", "subject": "x", "label": label, "value": value, "figure": figure}

    found = corrections([row("a", "1", "f1"), row("b", "2", "f2")], [row("a", "9"), row("c", "3"), row("b", "2")])
    assert [(r["label"], r["value"], r["should"], r["figure"]) for r in found] == [
        ("a", "1", "9", "f1"), ("c", "nothing", "3", "")]  # fmt: skip


def recalled(*items: str, form: str = WITHDRAWAL, values: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"recall": f"recall-{form}-{items[0]}", "country": "NL", "form": form, "items": list(items), "why": "wrong",
            "values": list(values), "says": "", "examiner": "R. Example", "packages": ["ab" * 32],
            "content": "c"}  # fmt: skip


def referred(made: Mapping[str, pa.Table], *events: dict[str, Any]) -> dict[str, pa.Table]:
    """The same case, referred anew after these recalls."""
    found = {**made, "ledger/recalled": pa.table({"event": [json.dumps({"data": event}) for event in events]})}
    for stage in REFER:
        found.update(outputs_of(stage.work(pa.table({}), Context(stage.params(SETTINGS), found, MemoryBlobs()))))
    return found


def told(made: Mapping[str, pa.Table]) -> set[tuple[str, str, str]]:
    return {(f["country"], f["label"], f["value"]) for f in made["figures"].to_pylist()}


def test_a_withdrawn_account_is_in_no_further_package_and_who_had_it_is_told(made: dict[str, pa.Table]) -> None:
    again = referred(made, recalled("formula"))
    assert "formula" in {r["account"] for r in made["referrals"].to_pylist()}
    assert "formula" not in {r["account"] for r in again["referrals"].to_pylist()}
    said = told(again)
    assert not {value for _, _, value in said if "Ada Invented" in value or HOSTILE["formula"] in value}
    assert {country for country, label, value in said if (label, value) == ("items", "formula")} == {"NL"}
    assert {c for c, label, _ in said if label == "notice"} == {"NL"}


def test_a_withdrawn_person_is_not_named_and_their_account_goes_on_without(made: dict[str, pa.Table]) -> None:
    again = referred(made, recalled(person_named(made, "Ada Invented")))
    (row,) = [r for r in again["referrals"].to_pylist() if r["account"] == "formula"]
    assert (row["person"], row["country"]) == (None, "ZZ")
    assert not [value for _, _, value in told(again) if "Ada Invented" in value]


def test_a_withdrawn_payment_or_single_value_is_left_out_alone(made: dict[str, pa.Table]) -> None:
    again = referred(made, recalled("pay-formula"))
    assert "pay-formula" not in {f["subject"] for f in again["figures"].to_pylist()}
    assert ("NL", "username", HOSTILE["formula"]) in told(again)
    figure = next(f for f in made["figures"].to_pylist() if f["label"] == "email before")
    again = referred(made, recalled(figure["figure"], values=(value_digest(figure),)))
    gone = told(made) - told(again)
    assert (figure["country"], figure["label"], figure["value"]) in gone
    assert {label for _, label, _ in gone} == {figure["label"]}


def test_a_correction_after_a_withdrawal_brings_an_item_back(made: dict[str, pa.Table]) -> None:
    again = referred(made, recalled("formula"), recalled("formula", form=CORRECTION))
    assert again["referrals"].num_rows == made["referrals"].num_rows
    assert ("NL", "what", "corrected") in told(again)


@pytest.mark.parametrize("language", ["nl", "de", "fr", "es", "ko"])
def test_what_a_package_says_of_recalls_and_other_cases_has_its_words(made: dict[str, pa.Table], language: str) -> None:
    links = {"case_link": "caselink-1", "other_case": "MCU-7", "other_agency": "U", "kind": "email", "value": "v",
             "strength": "strong", "reason": "r", "against": "a", "accounts": ["markup"], "sources": []}  # fmt: skip
    rows = referred({**made, "case_links": TABLES["case_links"].rows([links])}, {**recalled("formula"), "says": "x"})
    labels = {f["label"] for f in rows["figures"].to_pylist() if f["section"] in ("recalls", "other_cases")}
    assert labels >= {"it should say", "other case"}
    assert labels <= words_of(language).labels.keys()


def test_a_notice_is_confirmed_by_its_own_receipt(sent: Case, tmp_path: Path) -> None:
    (notice,) = recall(sent, "formula")
    officer, form = SealKey.from_seed(b"an officer"), tmp_path / "receipt.txt"
    text = (Path(notice["path"]) / "data" / "receipt.txt").read_text()
    for name, value in (("Package SHA-256", notice["tagmanifest"]), ("Received on", "2026-04-02"),
                        ("Received by", "A. Officer"), ("Outcome of formula", "copies destroyed")):  # fmt: skip
        assert f"{name}:\n" in text
        text = text.replace(f"{name}:\n", f"{name}: {value}\n")
    form.write_text(text)
    form.with_name("receipt.txt.minisig").write_bytes(officer.sign(text.encode(), ""))
    with sent.writing():
        note_keys(sent, [("NL", officer.public)])
        seal_receipt(sent, form)
        seal_receipt(sent, form)
        keep_account(sent)
    with Reader(sent.tables) as reader:
        found = found_packages(sent, reader)
    confirmed = {p["package"]: p["confirmed"] for p in found["packages"]}
    assert confirmed == {"DE": False, "NL": False, "ZZ": False, Path(notice["path"]).name: True}
    assert [(o["country"], o["outcome"], o["items"]) for o in found["outcomes"]] == [("NL", "copies destroyed", 1)]
    assert len([e for e in sent.ledger.events("sealed") if e.data["role"] == "receipt"]) == 1
    assert json.loads((Path(notice["path"]) / "data" / "notice.json").read_text())["form"] == "withdrawal"
