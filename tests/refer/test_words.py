"""Languages: every catalogue says all that English says, keeps its places, and leaves evidence's words alone."""

import re
from pathlib import Path

import openpyxl
import pytest

from casewright.model.errors import UsageError
from casewright.refer.words import OURS, PLACE, languages, words_of
from casewright.refer.writers.referral import PARTS, QUESTIONS
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
