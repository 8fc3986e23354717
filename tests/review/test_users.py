"""Other machines come in over TLS and by name alone, and what they do stands under their name."""

import hashlib
import http.client
import json
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import sync_playwright

from casewright.model.errors import UsageError
from casewright.review.signin import MOST_BY_NAME, WINDOW, Failures, SignIn
from casewright.review.users import FILE, Users
from tests.command import casewright
from tests.review.room import home_of, started

PASSWORD = "a horse in the attic"


@pytest.fixture
def users(tmp_path: Path) -> Users:
    made = Users(tmp_path / FILE)
    made.add("A. One", "lead", PASSWORD)
    return made


def test_a_password_is_kept_as_a_salted_hash_that_nobody_else_can_read(users: Users, tmp_path: Path) -> None:
    users.add("B. Two", "reader", PASSWORD)
    text = (tmp_path / FILE).read_text()
    assert PASSWORD not in text
    assert len({user.hashed for user in users.known().values()}) == 2
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_only_the_right_password_of_the_right_name_comes_in(users: Users) -> None:
    found = users.check("A. One", PASSWORD)
    assert found
    assert found.visitor.may("seal")
    for name, password in (("A. One", PASSWORD + " "), ("A. One", ""), ("", ""), ("B. Two", PASSWORD)):
        assert users.check(name, password) is None


@pytest.mark.parametrize(("name", "role", "password"), [("C", "boss", PASSWORD), ("", "lead", PASSWORD),
                                                        ("C\n", "lead", PASSWORD), ("C", "lead", "short")])  # fmt: skip
def test_a_user_needs_a_name_a_role_and_a_long_password(users: Users, name: str, role: str, password: str) -> None:
    with pytest.raises(UsageError):
        users.add(name, role, password)


def test_after_five_wrong_passwords_the_right_one_waits_a_quarter_of_an_hour(users: Users) -> None:
    now, told = [0.0], []
    door = SignIn(users, lambda kind, data: told.append(kind), Failures(lambda: now[0]))
    for _ in range(MOST_BY_NAME):
        assert door.enter({"name": "A. One", "password": "wrong"}, "192.0.2.1")[0] is None
    user, why = door.enter({"name": "A. One", "password": PASSWORD}, "192.0.2.2")
    assert user is None
    assert "Too many" in why
    now[0] = WINDOW + 1
    assert door.enter({"name": "A. One", "password": PASSWORD}, "192.0.2.2")[0]
    assert told == ["review refused", "review sign-in"]


def test_an_address_that_tries_many_names_is_kept_out_too(users: Users) -> None:
    door = SignIn(users, lambda kind, data: None)
    tried = [door.enter({"name": f"n{n}", "password": "w"}, "192.0.2.1")[1] for n in range(21)]
    assert "Too many" in tried[-1]
    assert door.enter({"name": "A. One", "password": PASSWORD}, "192.0.2.2")[0]


def test_without_a_certificate_and_users_other_machines_are_refused_with_the_reason(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWRIGHT_HOME", str(tmp_path))
    done = casewright("review", str(copy), "--host", "192.0.2.7", "--port", "0")
    assert done.returncode == 2
    assert "--tls-made-here" in done.stderr
    assert "--add-user" in done.stderr
    assert casewright("review", str(copy), "--host", "somewhere").returncode == 2


class Caller:
    """A TLS client of few words that trusts one certificate: the one whose fingerprint the room printed."""

    def __init__(self, said: dict[str, str]) -> None:
        self.host, self.cookie, self.attributes = urlsplit(said["link"]).netloc, "", ""
        address, _, port = self.host.partition(":")
        shown = ssl.get_server_certificate((address, int(port)))
        assert (
            hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest() == said["fingerprint"].replace(":", "").lower()
        )
        self.context = ssl.create_default_context(cadata=shown)

    def ask(self, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, str]:
        line = http.client.HTTPSConnection(self.host, context=self.context, timeout=60)
        sent = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded", **headers}
        line.request("POST" if form else "GET", path, urlencode(form) if form else None, sent)
        answer = line.getresponse()
        text = answer.read().decode()
        if cookie := answer.getheader("set-cookie"):
            self.cookie, _, self.attributes = cookie.partition(";")
        line.close()
        return answer.status, str(answer.getheader("location") or ""), text

    def sign_in(self, name: str, password: str = PASSWORD) -> int:
        return self.ask("/enter", {"name": name, "password": password})[0]

    def word(self) -> str:
        return self.ask("/graph")[2].partition('name="word" value="')[2].partition('"')[0]


@pytest.fixture(scope="module")
def case(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("house") / "case"
    shutil.copytree(demo, target)
    return target


@pytest.fixture(scope="module")
def known(case: Path) -> Users:
    return Users(home_of(case) / FILE)


@pytest.fixture(scope="module")
def house(case: Path, known: Users) -> Iterator[dict[str, str]]:
    """A room that other machines reach."""
    for name, role in (("A. One", "lead"), ("B. Two", "reviewer"), ("C. Three", "reader")):
        known.add(name, role, PASSWORD)
    with started(case, "--host", "0.0.0.0", "--called", "127.0.0.1", "--tls-made-here") as (said, _):
        yield said


def lines(case: Path, kind: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (case / "ledger.jsonl").read_text().splitlines()]
    return [line["data"] for line in found if line["kind"] == kind]


def test_who_signs_in_is_in_the_ledger_first_and_their_judgements_carry_their_name(
    house: dict[str, str], case: Path
) -> None:
    two = Caller(house)
    assert two.ask("/overview")[:2] == (303, "/enter")
    assert two.sign_in("B. Two") == 303
    assert lines(case, "review sign-in")[-1] == {"examiner": "B. Two", "role": "reviewer", "address": "127.0.0.1"}
    link = json.loads(two.ask("/pairs.json")[2])["pairs"][0]["link"]
    sent = {"word": two.word(), "subject": link, "verdict": "unsure", "why": "one name only", "seen": "0"}
    assert two.ask("/judge", sent)[0] == 303
    assert lines(case, "judgement")[-1]["examiner"] == "B. Two"
    assert two.ask("/seal", {"word": two.word()})[0] == 403


def test_the_cookie_goes_over_tls_alone_and_to_this_server_alone(house: dict[str, str]) -> None:
    one = Caller(house)
    one.sign_in("A. One")
    assert one.cookie.startswith("__Host-casewright-")
    for attribute in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert attribute in one.attributes
    plain = http.client.HTTPConnection(one.host, timeout=20)
    with pytest.raises((http.client.HTTPException, OSError)):
        _asked(plain)


def _asked(line: http.client.HTTPConnection) -> None:
    line.request("GET", "/enter")
    line.getresponse()


def test_a_stranger_sees_the_form_alone_and_no_other_site_signs_anybody_in(house: dict[str, str]) -> None:
    stranger = Caller(house)
    for path in ("/overview.json", "/static/keys.js", "/media/x/still.jpg"):
        assert stranger.ask(path)[0] == 403 or stranger.ask(path)[1] == "/enter"
    assert 'type="password"' in stranger.ask("/enter")[2]
    sent = {"name": "A. One", "password": PASSWORD}
    assert stranger.ask("/enter", sent, Origin="https://evil.example")[0] == 403
    assert stranger.sign_in("A. One", "wrong but long") == 403
    assert stranger.cookie == ""


def test_who_leaves_or_is_removed_is_out_at_once(house: dict[str, str], known: Users) -> None:
    leaver, removed = Caller(house), Caller(house)
    assert leaver.sign_in("A. One") == removed.sign_in("C. Three") == 303
    assert leaver.ask("/leave", {"word": leaver.word()})[:2] == (303, "/enter")
    assert removed.ask("/overview")[0] == 200
    known.remove("C. Three")
    assert leaver.ask("/overview")[1] == removed.ask("/overview")[1] == "/enter"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium (Debian: chromium)")
def test_somebody_signs_in_with_a_browser_by_keyboard_and_signs_out_again(house: dict[str, str]) -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(ignore_https_errors=True)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(house["link"])
        page.keyboard.type("A. One")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/overview")
        assert "A. One, lead" in page.locator("header").inner_text()
        page.keyboard.press("q")
        page.wait_for_url("**/enter")
        browser.close()
    assert not [text for text in said if "favicon" not in text], said
