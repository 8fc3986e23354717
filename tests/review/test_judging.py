"""A decision is in the ledger before anybody is told so, and nobody's is lost or overwritten."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from casewright.review.visitor import NotAllowed, Visitor
from tests.review.room import Browser, reviewing


def judgements(case: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (case / "ledger.jsonl").read_text().splitlines()]
    return [line["data"] for line in lines if line["kind"] == "judgement"]


def open_pair(browser: Browser) -> str:
    return str(browser.json("/pairs.json")["pairs"][0]["link"])


def form(browser: Browser, subject: str, verdict: str, why: str, seen: int = 0) -> dict[str, str]:
    return {"word": browser.word("/graph"), "subject": subject, "verdict": verdict, "why": why, "seen": str(seen),
            "then": "stay"}  # fmt: skip


def test_a_decision_is_in_the_ledger_and_can_be_decided_again(deciding: Browser, decided: Path) -> None:
    link, before = open_pair(deciding), len(judgements(decided))
    answer, _ = deciding.post("/judge", form(deciding, link, "positive", "same birth date and address"))
    assert (answer.status, answer.getheader("location")) == (303, f"/pairs/{link}")
    assert judgements(decided)[before:] == [
        {"link": link, "verdict": "positive", "examiner": "R. Example", "why": "same birth date and address"}
    ]
    assert link not in [p["link"] for p in deciding.json("/pairs.json")["pairs"]]
    deciding.post("/judge", form(deciding, link, "unsure", "the date is common", seen=1))
    said = deciding.json(f"/pairs/{link}.json")["decided"]
    assert [d["verdict"] for d in said] == ["positive", "unsure"]
    assert deciding.json("/decided.json")["decided"][0]["subject"] == link


def test_a_decision_without_a_reason_or_about_nothing_is_refused(deciding: Browser, decided: Path) -> None:
    link, before = open_pair(deciding), judgements(decided)
    for subject, verdict, why, status in ((link, "positive", "  ", 400), (link, "maybe", "w", 400),
                                          ("link-none", "positive", "w", 404)):  # fmt: skip
        assert deciding.post("/judge", form(deciding, subject, verdict, why))[0].status == status
    assert judgements(decided) == before


def test_who_decides_after_somebody_else_is_told_and_nothing_is_overwritten(copy: Path) -> None:
    with (
        reviewing(copy, "--as", "A. One") as (one, _),
        reviewing(copy, "--as", "B. Two", "--role", "reviewer") as (two, _),
    ):
        first, second = Browser(one).enter(), Browser(two).enter()
        link = open_pair(first)
        assert open_pair(second) == link
        assert first.post("/judge", form(first, link, "negative", "another town"))[0].status == 303
        answer, text = second.post("/judge", form(second, link, "positive", "same name"))
        assert answer.status == 409
        assert "A. One decided this while you looked: negative (another town)" in text
        assert [j["verdict"] for j in judgements(copy) if j["link"] == link] == ["negative"]


def test_many_decisions_at_once_all_count(deciding: Browser, decided: Path) -> None:
    media = [row["item"] for row in deciding.json("/media.json")["media"]["rows"]][:8]
    forms = [form(deciding, f"media/{item}", "negative", f"a pattern, {n}") for n, item in enumerate(media)]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda f: deciding.post("/judge", f)[0].status, forms))
    assert statuses == [303] * 8
    assert {j["link"] for j in judgements(decided)} >= {f"media/{item}" for item in media}


def test_what_was_judged_is_not_shown_again_nor_its_versions(deciding: Browser) -> None:
    before = deciding.json("/media.json")["media"]["rows"]
    deciding.post("/judge", form(deciding, f"media/{before[0]['item']}", "negative", "a pattern"))
    after = deciding.json("/media.json")["media"]["rows"]
    assert before[0]["work_group"] not in {row["work_group"] for row in after}
    assert len(after) <= len(before)


def test_what_came_of_earlier_decisions_is_told_on_the_worklist(deciding: Browser) -> None:
    """How many were decided, how many positive, and how many referrals in how many countries rest on accounts that
    uploaded them; unsure ones do not count."""
    rows = deciding.json("/media.json")["media"]["rows"]
    before = deciding.json("/media.json")["outcome"]
    led: dict[str, str] = {}
    for one in rows:
        medium = deciding.json(f"/media/{one['item']}.json")
        accounts = {u["account"] for u in medium["uploads"] if u["account"]}
        led = {r["referral"]: r["country"] for account in accounts
               for r in deciding.json(f"/accounts/{account}.json")["referrals"]}  # fmt: skip
        if led:
            break
    assert led
    subject = f"media/{one['item']}"
    deciding.post("/judge", form(deciding, subject, "unsure", "looked at in daylight again"))
    assert deciding.json("/media.json")["outcome"] == before
    deciding.post("/judge", form(deciding, subject, "positive", "a scan of the collection", seen=1))
    after = deciding.json("/media.json")["outcome"]
    assert (after["decided"], after["positive"]) == (before["decided"] + 1, before["positive"] + 1)
    assert after["referrals"] >= max(len(led), before["referrals"])
    assert after["countries"] >= len(set(led.values()))
    words = f"{after['referrals']:,} referral{'s' if after['referrals'] > 1 else ''} in {after['countries']:,} countr"
    assert words in deciding.get("/media")
    assert one["item"] not in [m["item"] for m in deciding.json("/media.json")["media"]["rows"]]


def test_a_server_that_is_killed_loses_nothing_that_it_confirmed(copy: Path) -> None:
    """Neither judgements nor what was written on a graph: after a restart it is drawn, listed and exported."""
    confirmed, picture = [], ""
    for turn in range(2):
        with reviewing(copy) as (link, server):
            browser = Browser(link).enter()
            subject = open_pair(browser)
            assert browser.post("/judge", form(browser, subject, "unsure", f"turn {turn}"))[0].status == 303
            picture = picture or f"/graph?payment={browser.json('/payments.json')['payments']['rows'][0]['payment']}"
            annotate_or_look_again(browser, picture, turn)
            os.kill(server.pid, signal.SIGKILL)
            confirmed.append(subject)
    assert [j["link"] for j in judgements(copy)][-2:] == confirmed


def annotate_or_look_again(browser: Browser, picture: str, turn: int) -> None:
    """At first write on a wallet, a transaction and the picture itself; then all three are there."""
    found = browser.json(picture.replace("?", ".json?"))
    about = {found["edges"][0]["target"]: "ask who holds this", found["edges"][0]["txid"]: "a sweep", picture: "way in"}
    if turn == 0:
        word = browser.word(picture)
        for thing, text in about.items():
            sent = {"word": word, "about": thing, "text": text, "back": picture}
            assert browser.post("/note", sent)[0].getheader("location") == picture
    found = browser.json(picture.replace("?", ".json?"))
    assert {thing: [n["text"] for n in said] for thing, said in found["notes"].items()} == {
        thing: [text] for thing, text in about.items()
    }
    assert picture in [note["about"] for note in browser.json("/graph.json")["kept"]]
    assert all(text in browser.get(picture) for text in about.values())
    exported = browser.get(picture.replace("?", ".graphml?"))
    assert "ask who holds this (R. Example," in exported
    assert "a sweep (R. Example," in exported


def test_a_reviewer_decides_but_seals_nothing(copy: Path) -> None:
    with reviewing(copy, "--role", "reviewer") as (link, _):
        browser = Browser(link).enter()
        assert browser.post("/judge", form(browser, open_pair(browser), "unsure", "w"))[0].status == 303
        assert browser.post("/seal", {"word": browser.word("/graph"), "country": "NL"})[0].status == 403
        assert 'action="/seal"' not in browser.get("/packages")


def test_a_reader_is_shown_no_form_and_decides_nothing(copy: Path) -> None:
    with reviewing(copy, "--role", "reader") as (link, _):
        browser = Browser(link).enter()
        for path in ("/graph", "/packages", f"/pairs/{open_pair(browser)}"):
            assert "<form method" not in browser.get(path)
    for act in ("judge", "seal"):
        with pytest.raises(NotAllowed):
            Visitor("A. One", "reader").must(act)


def test_nothing_is_decided_on_a_broken_seal(copy: Path) -> None:
    part = next((copy / "tables" / "links").glob("part-*.parquet"))
    raw = bytearray(part.read_bytes())
    raw[4] ^= 1
    part.write_bytes(raw)
    before = judgements(copy)
    with reviewing(copy) as (link, _):
        browser = Browser(link).enter()
        for _ in range(100):
            if "A seal is broken" in (text := browser.ask("/ledger")[1]):
                break
        assert "A seal is broken" in text
        word = browser.word("/graph")
        sent = {"word": word, "subject": before[0]["link"], "verdict": "unsure", "why": "w", "seen": "1"}
        assert browser.post("/judge", sent)[0].status == 500
    assert judgements(copy) == before


def test_a_decision_can_be_taken_back_and_the_pair_is_open_again(deciding: Browser) -> None:
    link = open_pair(deciding)
    deciding.post("/judge", form(deciding, link, "positive", "too quick"))
    deciding.post("/judge", form(deciding, link, "withdrawn", "not looked at closely", seen=1))
    assert link in [p["link"] for p in deciding.json("/pairs.json")["pairs"]]
    assert [d["verdict"] for d in deciding.json(f"/pairs/{link}.json")["decided"]] == ["positive", "withdrawn"]


def test_a_flag_and_a_note_are_in_the_ledger_and_on_the_account_at_once(deciding: Browser, decided: Path) -> None:
    account = deciding.json("/accounts.json?order=name")["accounts"]["rows"][5]["account"]
    word = deciding.word("/graph")
    sent = {"word": word, "subject": account, "indicator": "access", "why": "teaches a class", "back": "/overview"}
    answer, _ = deciding.post("/flag", sent)
    assert (answer.status, answer.getheader("location")) == (303, "/overview")
    deciding.post("/note", {"word": word, "about": account, "text": "ask the museum", "back": "//evil.example"})
    page = deciding.json(f"/accounts/{account}.json")
    assert [(f["indicator"], f["why"]) for f in page["flags"]] == [("access", "teaches a class")]
    assert [n["text"] for n in page["noted"]] == ["ask the museum"]
    assert deciding.post("/flag", {**sent, "indicator": "none"})[0].status == 400
    assert deciding.post("/flag", {**sent, "subject": "nobody"})[0].status == 404
    kinds = [json.loads(line)["kind"] for line in (decided / "ledger.jsonl").read_text().splitlines()]
    assert kinds[-2:] == ["flag", "note"]


def test_a_form_sends_nobody_elsewhere(deciding: Browser) -> None:
    word = deciding.word("/graph")
    for back in ("//evil.example", "http://evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer, _ = deciding.post("/note", {"word": word, "about": "x", "text": "y", "back": back})
        assert answer.getheader("location") == "/"
