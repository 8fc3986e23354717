"""In a real browser, as somebody who has only a keyboard."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Playwright, sync_playwright

from tests.review.room import Browser, reviewing

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: chromium)")


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def chromium(driver: Playwright) -> Iterator[Chromium]:
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@contextmanager
def mortal(driver: Playwright, room: Browser, profile: Path) -> Iterator[tuple[Page, Callable[[], None]]]:
    """A page in a browser of its own, in which somebody was let in; and what kills all its processes at once."""
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)  # fmt: skip
    assert process.stderr
    try:
        told = next(line for line in process.stderr if line.startswith("DevTools listening on "))
        context = driver.chromium.connect_over_cdp(told.rpartition(" ")[2].strip()).contexts[0]
        name, _, value = room.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": f"http://{room.host}"}])
        yield context.new_page(), lambda: os.killpg(process.pid, signal.SIGKILL)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


@pytest.fixture(scope="module")
def own_case(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("browser") / "case"
    shutil.copytree(demo, target)
    return target


@pytest.fixture(scope="module")
def link(own_case: Path) -> Iterator[str]:
    with reviewing(own_case) as (link, _):
        yield link


@pytest.fixture(scope="module")
def visitor(chromium: Chromium, link: str) -> Iterator[tuple[Page, list[str]]]:
    """A page that came in by the link, and everything that its console complained about."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(link)
    said.clear()  # a browser asks for /favicon.ico before it was let in
    yield page, said
    page.close()


def base(link: str) -> str:
    return link.partition("/enter")[0]


def addresses(page: Page, link: str) -> list[str]:
    def first(path: str, selector: str) -> str:
        page.goto(base(link) + path)
        return str(page.locator(selector).first.get_attribute("href"))

    payment = first("/payments", "#list tbody a")
    return ["/overview", "/accounts", first("/accounts", "#list tbody a"), "/payments", payment,
            f"/graph?payment={payment.rpartition('/')[2]}", "/services", first("/services", "tbody a"), "/media",
            first("/media", "#list tbody a"), "/pairs", first("/pairs?shown=all", "tbody a"), "/hits", "/packages",
            "/packages/NL", "/ledger", "/decided", "/search?q=kestrel"]  # fmt: skip


BROKEN = """
() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.parentElement.offsetParent || text.parentElement.closest(".id, code, svg, script")) continue;
    for (const word of text.textContent.matchAll(/(?<!\\S)[\\p{L}\\p{N}_]{2,20}(?!\\S)/gu)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
}
"""
"""Words of up to twenty letters that stand on two lines."""


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), pytest.param("dark", 390, marks=pytest.mark.slow)])
def test_every_page_passes_the_accessibility_rules_and_complains_of_nothing(
    visitor: tuple[Page, list[str]], link: str, theme: str, width: int
) -> None:
    """axe-core, in the light theme and wide, in the dark one and narrow; the Content-Security-Policy is met."""
    page, said = visitor
    found: dict[str, list[str]] = {}
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    for path in addresses(page, link):
        page.goto(base(link) + path)
        if path.startswith("/graph"):
            page.wait_for_selector("#graph[data-drawn]")
        result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
                                         "resultTypes": ["violations"]})  # fmt: skip
        if result.violations_count:
            found[f"{path} {theme} {width}"] = [
                f"{v['id']}: {n['html'][:150]}" for v in result.response["violations"] for n in v["nodes"][:2]
            ]
        assert page.evaluate(BROKEN) == [], f"words break on {path} at {width} pixels"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is wider than {width} pixels"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert not found, json.dumps(found, indent=1)
    assert not said, said


def test_nothing_is_shown_until_it_is_asked_for_and_each_step_holds_for_one_medium(
    visitor: tuple[Page, list[str]], link: str
) -> None:
    page, _ = visitor
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "still.jpg" in request.url else None)
    page.goto(f"{base(link)}/media")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/media/item-*")
    assert not asked
    for key, shown in (("s", "blur=1&grey=1"), ("x", "blur=0"), ("c", "grey=0"), ("l", "side=480")):
        page.keyboard.press(key)
        page.wait_for_function(f"document.querySelector('#still img')?.src.includes('{shown}')")
    assert [url.partition("?")[2].partition("&second")[0] for url in asked] == [
        "side=160&blur=1&grey=1", "side=160&blur=0&grey=1", "side=160&blur=0&grey=0", "side=480&blur=0&grey=0"
    ]  # fmt: skip
    page.reload()
    assert page.locator("#still img").count() == 0


def test_from_a_payment_to_a_sealed_package_by_keyboard_alone(
    visitor: tuple[Page, list[str]], link: str, own_case: Path
) -> None:
    page, said = visitor
    page.goto(f"{base(link)}/overview")
    for key in "gp":
        page.keyboard.press(key)
    page.wait_for_url("**/payments")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/payments/pay-*")
    page.keyboard.press("v")
    page.wait_for_selector("#graph[data-drawn]")
    for key in "gi":
        page.keyboard.press(key)
    page.wait_for_url("**/pairs")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pairs/link-*")
    subject = page.url.rpartition("/")[2]
    page.keyboard.press("y")
    page.keyboard.type("the service itself made the payment, and the record agrees")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: subject not in url)
    page.keyboard.press("b")
    page.wait_for_url("**/decided")
    assert "the record agrees" in page.locator("tbody tr").first.inner_text()
    for key in "gr":
        page.keyboard.press(key)
    page.wait_for_url("**/packages")
    page.keyboard.press("z")
    page.wait_for_selector("p[role=status].good", timeout=240_000)
    events = [json.loads(line) for line in (own_case / "ledger.jsonl").read_text().splitlines()]
    judged = next(e["seq"] for e in events if e["kind"] == "judgement" and e["data"]["link"] == subject)
    assert any(e["kind"] == "package sealed" and e["seq"] > judged for e in events)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/packages/[A-Z]{2}$"))
    page.keyboard.press("v")
    page.wait_for_selector("li.good")
    assert page.locator("li.bad").count() == 0
    assert not said, said


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_browser_that_is_killed_loses_nothing_that_it_showed_as_recorded(
    driver: Playwright, deciding: Browser, decided: Path, tmp_path: Path, confirmed: bool
) -> None:
    """Killed right after the next page came, the judgement is in the ledger. Killed while it was sent, it is either
    there, and the page says so, or it counts as open. Before Enter nothing is recorded."""
    subject = str(deciding.json("/pairs.json")["pairs"][0]["link"])
    why = f"killed {'after' if confirmed else 'while'} it was sent"
    with mortal(driver, deciding, tmp_path / "profile") as (page, kill):
        page.goto(f"http://{deciding.host}/pairs/{subject}")
        page.keyboard.press("u")
        page.keyboard.type(why)
        assert why not in (decided / "ledger.jsonl").read_text()
        if confirmed:
            page.keyboard.press("Enter")
            page.wait_for_url(lambda url: subject not in url)
        else:
            page.evaluate("setTimeout(() => document.querySelector('button.main').click(), 0)")
        kill()
    shown = [one["why"] for one in deciding.json(f"/pairs/{subject}.json")["decided"]]
    recorded = [json.loads(line)["data"] for line in (decided / "ledger.jsonl").read_text().splitlines()]
    assert shown == [one["why"] for one in recorded if one.get("link") == subject]
    assert why in shown or not confirmed
    open_ones = [pair["link"] for pair in deciding.json("/pairs.json")["pairs"]]
    assert (subject in open_ones) == (why not in shown)


def test_the_keys_of_a_page_are_listed_on_it(visitor: tuple[Page, list[str]], link: str) -> None:
    page, _ = visitor
    page.goto(f"{base(link)}/payments")
    page.keyboard.press("?")
    listed = page.locator("#help dl").inner_text()
    for words in ("go to Media", "search everything", "what was decided last", "find in this list"):
        assert words in listed
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.type("zzz-nobody")
    page.wait_for_url("**/payments?q=zzz-nobody")
    assert "No payment is like that" in page.locator("#list").inner_text()


def test_a_cookie_of_another_room_on_this_machine_lets_nobody_in(link: str) -> None:
    visitor = Browser(link)
    visitor.cookie = "casewright-1=x; casewright=x"
    assert visitor.ask("/overview")[0].status == 403
