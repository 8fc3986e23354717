"""The review room at full size: how long every page and its JSON take, what the server holds, how soon one can begin.

uv run python bench/review.py [--accounts N] [--judged N] [--folder FOLDER] [--rounds N] [--browser] [--out FILE]
    [--write]

`--write` puts the table into docs/performance.md, between its marks.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, RemoteDisconnected
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from figures import descendants, held
from reviewed import _id, fill, judge, sizes

MIB = 1 << 20
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- bench-review: written by bench/review.py -->", "<!-- end of bench-review -->"
TARGET = 150
"""Milliseconds within which 95 of a hundred answers come."""


class Visitor:
    """A browser of few words on one line that stays open."""

    def __init__(self, link: str) -> None:
        self.host = urlsplit(link).netloc
        self.line, self.cookie = HTTPConnection(self.host, timeout=600), ""
        status, cookie, _ = self.ask(link.partition(self.host)[2])
        assert status == 303, status
        self.cookie = cookie.partition(";")[0]

    def ask(self, path: str, body: str = "") -> tuple[int, str, bytes]:
        headers = {"Host": self.host, "Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            self.line.request("POST" if body else "GET", path, body or None, headers)
            answer = self.line.getresponse()
        except RemoteDisconnected:  # nothing was asked for a while
            self.line.close()
            self.line.request("POST" if body else "GET", path, body or None, headers)
            answer = self.line.getresponse()
        return answer.status, str(answer.getheader("set-cookie") or answer.getheader("location")), answer.read()


def main() -> None:
    options = argparse.ArgumentParser(description="the review room at full size")
    options.add_argument("--accounts", type=int, default=1_300_000)
    options.add_argument("--judged", type=int, default=20_000, help="media that were decided before")
    options.add_argument("--folder", type=Path, help="where the case is made, and kept")
    options.add_argument("--rounds", type=int, default=40, help="how often each page is asked for")
    options.add_argument("--browser", action="store_true", help="first paint and a graph of 2,000 nodes, in Chromium")
    options.add_argument("--out", type=Path, help="where the table is written")
    options.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as made:
        folder = chosen.folder or Path(made)
        os.environ["CASEWRIGHT_HOME"] = str(folder / "home")
        case = _made(folder, chosen.accounts, chosen.judged)
        lines = _index(case)
        with serving(case) as (link, process, began):
            lines.append(f"starts in {began:.2f} s")
            visitor = Visitor(link)
            table = crawl(visitor, process.pid, chosen.accounts, chosen.rounds)
            lines += judged(visitor, chosen.rounds)
            if chosen.browser:
                lines += in_a_browser(visitor)
            lines.append(f"the server held at most {_peak(process) / MIB:,.0f} MiB")
    text = "\n".join([*table, "", *lines, ""])
    sys.stdout.write(text)
    if chosen.out:
        chosen.out.write_text(text)
    if chosen.write:
        _write(text, chosen.accounts)


def _write(text: str, accounts: int) -> None:
    """Into the page of measurements, in place of what was measured before."""
    whole = PAGE.read_text("utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    of = sizes(accounts)
    about = (f"{accounts:,} accounts, {of['payments']:,} payments, {of['media']:,} media, {of['addresses']:,} "
             f"addresses in the graph, on {os.cpu_count()} cores; each page asked for at other addresses each time "
             "(`just bench-review --browser`).")  # fmt: skip
    PAGE.write_text(f"{before}{begin}\n{about}\n\n{text}{end}{after}", "utf-8")


def _made(folder: Path, accounts: int, times: int) -> Path:
    if not (folder / "case" / "ledger.head").exists():
        shutil.rmtree(folder / "case", ignore_errors=True)
        judge(fill(folder / "case", accounts), times)
    return folder / "case"


def _index(case: Path) -> list[str]:
    """Make the index, as the room does in the background when it first sees a case of this size."""
    began, before = time.monotonic(), os.times()
    subprocess.run([sys.executable, "-m", "casewright.review.index", str(case / "tables")], check=True)
    took, after = time.monotonic() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    size = sum(f.stat().st_size for f in (case / "tables" / ".review").rglob("*") if f.is_file())
    return [f"the index: {took:.0f} s, {cpu:.0f} s of processor, {size / MIB:,.0f} MiB"]


@contextmanager
def serving(case: Path) -> Iterator[tuple[str, "subprocess.Popen[str]", float]]:
    began = time.monotonic()
    server = subprocess.Popen([sys.executable, "-m", "casewright", "review", str(case), "--port", "0", "--json"],
                              stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert server.stdout
        yield json.loads(server.stdout.readline())["link"], server, time.monotonic() - began
    finally:
        server.terminate()
        server.wait(30)


def addresses(accounts: int, dice: random.Random) -> dict[str, list[str]]:
    """Addresses of each page: first, middle and last pages, common, rare and vain searches, every order and filter."""
    of, some = sizes(accounts), lambda kind, most: _id(kind, dice.randrange(most))
    account, payment, item = some("account", of["accounts"]), some("payment", of["payments"]), some("item", of["media"])
    wallet = "1" + _hash(f"a{3 * dice.randrange(of['addresses'] // 3) + 1}")
    last, middle = accounts // 50, accounts // 100
    words = ("amber", "heron_1a", "nobody-has-this", "a", "example.org", "zzz", "x7")
    orders = [
        f"/accounts?order={o}&page={p}" for o in ("paid", "name", "registered", "uploads") for p in (1, middle, last)
    ]
    return {
        "overview": ["/overview"],
        "accounts": orders + [f"/accounts?q={w}&page={p}" for w in words for p in (1, 2)],
        "accounts, deep in a search": [f"/accounts?q=amber&order=name&page={middle // 10}"],
        "account": [f"/accounts/{account}", f"/accounts/{_id('account', dice.randrange(of['payers']))}"],
        "account with the most": [f"/accounts/{_id('account', 7)}?page={p}" for p in (1, 5)],
        "payments": [f"/payments?order={o}&page={p}" for o in ("time", "amount")
                     for p in (1, of["payments"] // 100, of["payments"] // 50)] + [f"/payments?q={w}" for w in words],
        "payment": [f"/payments/{payment}"],
        "graph": [f"/graph?payment={payment}", f"/graph?open={wallet}", f"/graph?payment={payment}&open={wallet}"],
        "services": ["/services"],
        "service": [f"/services/{quote(s)}?page={p}" for s in ("Kestrel Exchange", "Larch Markets") for p in (1, 900)],
        "media": [f"/media?state={s}&page={p}" for s in ("", "new", "near", "known") for p in (1, 100, 600)],
        "medium": [f"/media/{item}"],
        "pairs": [f"/pairs?shown={s}&page={p}" for s in ("open", "unsure", "decided", "all") for p in (1, 700)],
        "pair": [f"/pairs/{_id('link', dice.randrange(of['persons']))}"],
        "hits": ["/hits", "/hits?page=12"],
        "packages": ["/packages"],
        "package": [f"/packages/{c}?page={p}" for c in ("NL", "PL") for p in (1, 300)],
        "ledger": ["/ledger", "/ledger?kind=judgement&page=300", "/ledger?kind=stage+done"],
        "decided": ["/decided"],
        "search": [f"/search?q={w}" for w in (*words[:3], wallet, _hash("nothing"), "198.51.7.7", "C-77", "kestrel")],
        "why": [f"/why/{some('figure', accounts)}", f"/why/{payment}", f"/why/{some('referral', of['payers'])}"],
    }  # fmt: skip


def _hash(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def crawl(visitor: Visitor, process: int, accounts: int, rounds: int) -> list[str]:
    """Ask for each page so many times, as a page and as JSON, at other addresses each time."""
    took: dict[str, dict[bool, list[tuple[float, float]]]] = {}
    dice = random.Random(8)
    for _ in range(rounds):
        for name, paths in addresses(accounts, dice).items():
            for as_json in (False, True):
                path = dice.choice(paths)
                if as_json:
                    path = ".json?".join(path.partition("?")[::2]).removesuffix("?")
                began, used = time.perf_counter(), processor(process)
                status, _, text = visitor.ask(path)
                spent = ((time.perf_counter() - began) * 1000, processor(process) - used)
                took.setdefault(name, {}).setdefault(as_json, []).append(spent)
                assert status in (200, 404), (path, status, text[-500:])
    rows = [f"| {name} | " + " | ".join(_told(found[as_json]) for as_json in (False, True)) + " |"
            for name, found in took.items()]  # fmt: skip
    late, busy = (", ".join(name for name, found in took.items() if _late(found, of)) or "none" for of in (0, 1))
    head = "| page | page: p50 | p95 | processor p50 | p95 | JSON: p50 | p95 | processor p50 | p95 |"
    return ["Milliseconds until the answer came; of the server's processors, both together.", "", head,
            "|---" * 9 + "|", *rows, "", f"p95 later than {TARGET} ms: {late}; "
            f"p95 of processor time above it: {busy}"]  # fmt: skip


def _late(found: dict[bool, list[tuple[float, float]]], of: int) -> bool:
    return any(_p95([one[of] for one in spent]) > TARGET for spent in found.values())


def processor(process: int) -> float:
    """Milliseconds of processor time that its threads have used."""
    return sum(int(f.read_text().split()[0]) for f in Path(f"/proc/{process}/task").glob("*/schedstat")) / 1e6


def _p95(found: list[float]) -> float:
    return sorted(found)[max(0, -(-len(found) * 95 // 100) - 1)]


def _told(found: list[tuple[float, float]]) -> str:
    return " | ".join(f"{statistics.median(one):.0f} | {_p95(list(one)):.0f}" for one in zip(*found, strict=True))


def judged(visitor: Visitor, times: int) -> list[str]:
    """Decide on media one after the other, as the page's own form does."""
    took = []
    _, _, text = visitor.ask("/media.json?page=2")
    items = [row["item"] for row in json.loads(text)["media"]["rows"]][:times]
    for item in items:
        _, _, page = visitor.ask(f"/media/{item}")
        word, seen = (page.decode().partition(f'name="{n}" value="')[2].partition('"')[0] for n in ("word", "seen"))
        form = {"word": word, "subject": f"media/{item}", "verdict": "unsure", "why": "a bench", "seen": seen}
        began = time.perf_counter()
        status, _, text = visitor.ask("/judge", urlencode(form))
        took.append((time.perf_counter() - began) * 1000)
        assert status == 303, text
    return [f"a judgement, until it is on the disk and under the signed head: p50 {statistics.median(took):.0f} ms, "
            f"p95 {_p95(took):.0f}, max {max(took):.0f}"]  # fmt: skip


def in_a_browser(visitor: Visitor) -> list[str]:
    """First paint of each kind of page, and how many frames a second a graph of 2,000 nodes is dragged at."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    name, _, value = visitor.cookie.partition("=")
    lines = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": f"http://{visitor.host}"}])
        page = context.new_page()
        for path in FIRST_SEEN:
            page.goto(f"http://{visitor.host}{path}")
            painted = page.wait_for_function(PAINTED, timeout=30_000).json_value()
            lines.append(f"first paint of {path}: {painted:.0f} ms")
        lines += _graph(page, visitor)
        browser.close()
    return lines


FIRST_SEEN = ("/overview", "/accounts", f"/accounts/{_id('account', 1234)}", "/payments", "/services", "/media",
              "/pairs", "/hits", "/packages", "/ledger", "/search?q=heron_1a",
              f"/why/{_id('payment', 1000)}")  # fmt: skip
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
"""A browser may tell of it only some frames after the page was loaded."""
FRAMES = """
() => { window.frames_seen = []; const look = (at) => { window.frames_seen.push(at); requestAnimationFrame(look); };
        requestAnimationFrame(look); }
"""


ANSWERED = """
async () => {
  const element = document.getElementById("graph"), box = element.getBoundingClientRect();
  const node = element._cyreg.cy.nodes()[0], at = node.renderedPosition();
  const where = { clientX: box.left + at.x, clientY: box.top + at.y, bubbles: true, button: 0, view: window };
  const began = performance.now(), target = element.querySelector("canvas");
  target.dispatchEvent(new MouseEvent("mousedown", where));
  window.dispatchEvent(new MouseEvent("mouseup", where));
  node.emit("tap");
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - began;
}
"""
"""From a click on a wallet until what it says is painted."""


def _graph(page: Any, visitor: Visitor) -> list[str]:
    """The picture of a payment of 1,400 hops, with as many wallets open as one picture holds; dragged for a while."""
    address = f"/graph?payment={_id('payment', 1)}"
    found = json.loads(visitor.ask(address.replace("?", ".json?"))[2])
    address += "&open=" + ",".join([node["id"] for node in found["nodes"] if node["opens"]][:60])
    began = time.perf_counter()
    nodes = len(json.loads(visitor.ask(address.replace("?", ".json?"))[2])["nodes"])
    asked = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    page.goto(f"http://{visitor.host}{address}")
    page.wait_for_selector("#graph[data-drawn]", timeout=120_000)
    drawn = (time.perf_counter() - began) * 1000
    page.evaluate(FRAMES)
    box = page.locator("#graph").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(box["x"] + 30 + 5 * step, box["y"] + 30 + 3 * step)
    page.mouse.up()
    seen = page.evaluate("window.frames_seen")
    answered = page.evaluate(ANSWERED)
    apart = [b - a for a, b in pairwise(seen)]
    return [f"a graph of {nodes:,} nodes: its JSON {asked:.0f} ms, drawn after {drawn:.0f} ms; "
            f"frames while it is dragged {statistics.median(apart):.0f} ms apart, p95 {_p95(apart):.0f}; a wallet's "
            f"particulars stand there {answered:.0f} ms after it was clicked"]  # fmt: skip


def _peak(process: "subprocess.Popen[str]") -> int:
    status, below = Path(f"/proc/{process.pid}/status"), descendants(Path(f"/proc/{process.pid}"))
    most = int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
    return most + sum(held(child)[1] for child in below)


if __name__ == "__main__":
    main()
