"""Nobody comes in but by the link, no other site can act here, and nothing here loads or leaves."""

import re
from pathlib import Path

import pytest

from casewright.review.gate import POLICY
from tests.review.room import Browser, reviewing


def test_without_the_link_nothing_is_shown_not_even_a_style_sheet(looking: Browser) -> None:
    stranger = Browser(looking.link)
    for path in ("/", "/overview", "/overview.json", "/static/style.css", "/nothing"):
        answer, text = stranger.ask(path)
        assert answer.status == 403
        assert "Operation" not in text


def test_a_link_lets_one_browser_in_once(looking: Browser) -> None:
    answer, text = Browser(looking.link).ask(looking.link.removeprefix(f"http://{looking.host}"))
    assert answer.status == 403
    assert "used" in text
    assert Browser(looking.link).ask("/enter?token=")[0].status == 403


def test_the_cookie_is_for_no_script_and_no_other_site(demo: Path) -> None:
    with reviewing(demo) as (link, _):
        visitor = Browser(link)
        answer, _ = visitor.ask(link.removeprefix(f"http://{visitor.host}"))
    cookie = str(answer.getheader("set-cookie")).lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", ""])
def test_a_name_that_is_not_this_server_s_is_refused(looking: Browser, host: str) -> None:
    assert looking.ask("/overview", Host=host)[0].status == 421


def test_every_answer_forbids_what_a_page_here_does_not_need(looking: Browser) -> None:
    for path in ("/overview", "/accounts.json", "/static/keys.js", "/nothing", "/enter?token=x"):
        answer, _ = looking.ask(path)
        assert answer.getheader("content-security-policy") == POLICY, path
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("cache-control") == "no-store"
        assert answer.getheader("referrer-policy") == "same-origin"


def test_no_page_holds_script_or_style_or_an_address_elsewhere(looking: Browser) -> None:
    for path in ("/overview", "/accounts", "/payments", "/services", "/media", "/pairs", "/packages", "/ledger"):
        text = looking.get(path)
        assert not re.search(r"<script(?![^>]* src=\"/static/)[^>]*>|<style|\son\w+=|\sstyle=|javascript:", text), path
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), path


FORM = {"subject": "x", "verdict": "positive", "why": "w", "seen": "0"}


@pytest.mark.parametrize(
    ("headers", "word", "status"),
    [({}, "wrong", 403), ({"Origin": "http://evil.example"}, "right", 403),
     ({"Sec-Fetch-Site": "cross-site"}, "right", 403), ({"Origin": "null"}, "right", 403),
     ({"Content-Type": "multipart/form-data; boundary=x"}, "right", 415),
     ({"Content-Type": "text/plain"}, "right", 415), ({}, "right", 404)],
)  # fmt: skip
def test_only_a_form_of_this_session_is_heard(
    looking: Browser, headers: dict[str, str], word: str, status: int
) -> None:
    right = looking.word("/packages")
    answer, _ = looking.post("/judge", {**FORM, "word": right if word == "right" else "x"}, **headers)
    assert answer.status == status


def test_a_form_is_neither_large_nor_endless(looking: Browser) -> None:
    assert looking.post("/judge", {"word": "x" * 70_000})[0].status == 413
    assert looking.post("/judge", {f"n{n}": "" for n in range(200)})[0].status == 400
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        assert looking.ask("/overview", method)[0].status == 405


def test_files_beside_the_static_ones_are_not_given(looking: Browser) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/vendor/../../gate.py"):
        assert looking.ask(path)[0].status == 404
