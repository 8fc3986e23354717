"""Notices of recalls in the languages of those who get them, English beside."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from casewright.refer.check_notice import notice_problems
from casewright.refer.notice import Notice, write_notice
from casewright.refer.recall import NOT_RECORDED, WITHDRAWAL, Decision, content_of
from casewright.refer.words import languages, words_of
from casewright.vault.ledger import canonical
from tests.refer.test_document import have
from tests.refer.test_package import text_of
from tests.refer.world import KEY, SETTINGS

SAID = {"figure": "fig-1", "section": "persons", "subject": "s", "label": "judgement",
        "value": "positive by R. Example: he paid, and I saw it", "should": None}  # fmt: skip


def notice(folder: Path, language: str) -> Path:
    settings = replace(SETTINGS, refer=replace(SETTINGS.refer, languages={"NL": language}))
    decision = Decision(("acct-1",), WITHDRAWAL, "booked to the wrong account", "", "R. Example")
    package = {"package": "NL", "tagmanifest": "ab" * 32, "sent": NOT_RECORDED}
    content = content_of(decision, "recall-1", "NL", [SAID], [package], settings)
    line = {"data": {"content": hashlib.sha256(canonical(content)).hexdigest()}}
    made = Notice(content, json.dumps(line).encode(), "2026-03-31", [])
    return write_notice(made, folder, KEY, settings.case)[0] / "data"


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_a_notice_is_told_in_the_countrys_language_and_in_english(language: str, tmp_path: Path) -> None:
    if language == "ko" and not have("hangul"):
        pytest.skip("the font of fonts-nanum is not here")
    data, words = notice(tmp_path, language), words_of(language)
    assert list(notice_problems(data)) == []
    assert "Do not act on it any more" in (data / "notice.txt").read_text("utf-8")
    own = (data / f"notice.{language}.txt").read_text("utf-8")
    for said in (*(words.say(f"notice_do_{n}") for n in (1, 2, 3, 4)), words.say("notice_all"), words.label("Why")):
        assert said in own
    assert "booked to the wrong account" in own
    assert "he paid, and I saw it" in own, "the words of people stay"
    assert re.sub(r"\s", "", words.say("notice_withdrawal")) in re.sub(
        r"\s", "", text_of(data / f"notice.{language}.pdf")
    )
    assert words.say("receipt_explained").strip().split("\n")[0] in (data / "receipt.txt").read_text("utf-8")


def test_an_english_notice_is_one_notice(tmp_path: Path) -> None:
    assert sorted(p.name for p in notice(tmp_path, "en").glob("notice.*")) == [
        "notice.csv", "notice.json", "notice.pdf", "notice.txt"]  # fmt: skip
