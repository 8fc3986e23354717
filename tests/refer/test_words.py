"""Languages: every catalogue says all that English says, keeps its places, and leaves evidence's words alone."""

import re
from pathlib import Path

import openpyxl
import pytest

from casewright.model.errors import UsageError
from casewright.refer.receipt_form import blank_form, read_form
from casewright.refer.words import OURS, PLACE, languages, words_of
from casewright.refer.writers.referral import PARTS, QUESTIONS
from casewright.refer.writers.texts import README, method, translated
from tests.refer.test_document import have
from tests.refer.test_package import text_of
from tests.refer.world import packages, tables

OTHERS = [language for language in languages() if language != "en"]


def test_six_languages_are_there_to_begin_with() -> None:
    assert set(languages()) >= {"en", "nl", "de", "fr", "es", "ko"}
    with pytest.raises(UsageError, match="en, es, fr"):
        words_of("xx")


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_says_all_that_english_says_with_the_same_places(language: str) -> None:
    english, words = words_of("en"), words_of(language)
    assert words.said.keys() == english.said.keys()
    for name, text in english.said.items():
        assert sorted(PLACE.findall(words.said[name])) == sorted(PLACE.findall(text)), name
    for table in (words.labels, words.values):
        for key, text in table.items():
            assert text.strip()
            assert sorted(set(PLACE.findall(key))) == sorted(set(PLACE.findall(text))), key
    assert words.labels.keys() == words_of("nl").labels.keys()
    assert words.values.keys() == words_of("nl").values.keys()


def test_all_that_the_document_asks_for_is_said() -> None:
    said = words_of("en").said
    assert {f"ask_{name}" for name, _ in QUESTIONS} <= said.keys()
    assert {f"title_{name}" for name, _ in PARTS} <= said.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_every_label_of_a_package_has_its_word(language: str) -> None:
    """But for names of settings and of measures, which are what case.toml and the manual call them."""
    rows = tables()["figures"].to_pylist()
    labels = {row["label"] for row in rows if row["section"] != "method" and not row["label"].endswith(" before")}
    assert sorted(labels - words_of(language).labels.keys()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_words_of_evidence_stay_as_they_are(language: str) -> None:
    words = words_of(language)
    for value in ("strong", "none", "yes", "paid once", "30 days of receipt"):
        assert words.value("username", value) == value
        assert words.value("why", value) != value
    assert "username" not in OURS
    assert words.value("speaks against", "a sentence; that no catalogue has") == "a sentence; that no catalogue has"


def test_a_sentence_with_places_keeps_what_stands_in_them() -> None:
    dutch = words_of("nl")
    assert dutch.value("Reply within", "30 days of receipt") == "30 dagen na ontvangst"
    assert dutch.value("Most urgent", "priority 5: paid several times") == "prioriteit 5: heeft meermaals betaald"
    assert dutch.value("judgement", "positive by {x}: paid once") == "positief door {x}: paid once"
    assert dutch.say("title", country="{country}") == "Overdracht aan {country}"


@pytest.mark.parametrize("language", OTHERS)
def test_a_package_speaks_its_language_and_its_tables_for_programs_do_not(language: str, tmp_path: Path) -> None:
    if language == "ko" and not have("hangul"):
        pytest.skip("the font of fonts-nanum is not here")
    words = words_of(language)
    (bag,) = packages(tmp_path / "case", "NL", language=language)
    text = re.sub(r"\s+", "", text_of(bag / "data" / "referral.pdf"))
    for said in (words.say("lead"), words.say("ask_risk"), words.say("title_payments"), words.label("Best identity")):
        assert re.sub(r"\s+", "", said) in text, said
    assert "AdaInvented" in text
    book = openpyxl.load_workbook(bag / "data" / "referral.xlsx")
    assert words.label("username") in [cell.value for cell in book["accounts"][1]]
    assert (bag / "data" / "accounts.csv").read_text("utf-8").startswith("figure,priority,why,also,")
    receipt = (bag / "data" / "receipt.txt").read_text("utf-8")
    assert words.say("receipt_explained").strip().replace("\n", "\n# ") in receipt
    assert (bag / "data" / f"README.{language}.txt").is_file()


COMPOSED = {
    "Subject": "account wolf_9 (no. 9), priority 2: 15 media on no list (the most), 30 uploads: 10 of 48 accounts; "
               "2016-01-03 to 2016-02-04",
    "Ladder": "3 of 5 rungs reached; not: identity document, agreement",
    "rung": "4 of 5, agreement: not reached",
    "Rests on": "direct: Kestrel Exchange itself made 1 payment(s); judged positive by R. Example: papers",
    "Speaks against it": "tags on this wallet disagree: A (exchange, 50), B (exchange, 20); people move",
    "Legal process": "Tallow (CW-FC): sent on 2018-03-05, part returned. Lines about these accounts: 9, answered: 9",
    "Deconfliction": "Harbour Police has 2 email too, case HP-4; ask them before acting",
    "Points elsewhere": "account wolf_9 (no. 9): elsewhere: NL by record (strong), DE by address (weak)",
    "why": "uploaded media that are on no list, and paid several times; the record of the person judged names it",
    "what says so": "of 2 customer(s) whom services name for it, 1 reach this rung",
}  # fmt: skip
"""Sentences that stages put together, as page one and the tables print them."""
NAMES = ("wolf_9", "Kestrel Exchange", "R. Example", "papers", "Tallow", "Harbour Police", "HP-4",
         "2018-03-05")  # fmt: skip
STILL_ENGLISH = re.compile(r"\b(the|judged|rungs|sent|too|before|elsewhere|by|and|reach|names)\b")


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_that_are_put_together_are_told_whole_in_each_language(language: str) -> None:
    words = words_of(language)
    for label, text in COMPOSED.items():
        told = words.value(label, text)
        assert all(name in told for name in NAMES if name in text), label
        for name in NAMES:
            told = told.replace(name, "")
        assert not STILL_ENGLISH.search(told.replace("2 email", "")), (label, told)


def test_words_of_people_that_only_look_like_ours_stay_whole() -> None:
    assert words_of("nl").value("why", "he paid, and I saw it") == "he paid, and I saw it"


@pytest.mark.parametrize("language", OTHERS)
def test_readme_and_method_say_as_much_in_each_language_as_in_english(language: str) -> None:
    """A line for each file and each step of the method, and the names of files and settings as they are."""
    told = translated(language)
    files = set(re.findall(r"[a-z-]+\.(?:pdf|xlsx|csv|jsonld|json|jsonl|md|txt|age)", README))
    readme = told[f"README.{language}.txt"].replace(f"method.{language}.md", "method.md")
    assert {name for name in files if name not in readme} == set()
    rows = [[line.count("|") for line in text.splitlines() if line.startswith("|")]
            for text in (method(), told[f"method.{language}.md"])]  # fmt: skip
    assert rows[0] == rows[1]


@pytest.mark.parametrize("language", OTHERS)
def test_a_form_that_is_explained_is_read_as_the_english_one(language: str) -> None:
    explained = words_of(language).say("receipt_explained").strip()
    fill = re.compile(r"^(Received on|Outcome of acct-1):$", re.MULTILINE)
    form, plain = (fill.sub(r"\1: opened", blank_form("NL", "TLP:AMBER", "R. Example", ["acct-1"], told))
                   for told in (explained, ""))  # fmt: skip
    one, other = read_form(form.encode()), read_form(plain.encode())
    assert (one.fields, one.answers) == (other.fields, other.answers)
    assert [line.outcome for line in one.outcomes] == [line.outcome for line in other.outcomes] == ["opened"]
    assert [bad.reason for bad in one.bad] == [bad.reason for bad in other.bad]
