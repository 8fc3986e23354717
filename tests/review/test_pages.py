"""Every page answers, as a page and as JSON, whatever it is asked."""

import json
import random
import re
import string
from pathlib import Path
from urllib.parse import quote

import pytest
from markupsafe import escape

from casewright.review.pages import PAGES
from casewright.review.shown import chance, filled, told
from tests.review.room import Browser


@pytest.fixture(scope="module")
def addresses(looking: Browser) -> dict[str, str]:
    """One address of every page, found as a visitor would find it."""

    def first(page: str, rows: str, key: str) -> str:
        found = looking.json(page)[rows]
        return str((found["rows"] if isinstance(found, dict) else found)[0][key])

    media = looking.json("/media.json")["media"]["rows"][0]["item"]
    known = {
        "{account}": first("/accounts.json", "accounts", "account"), "{item}": media, "{country}": "NL",
        "{payment}": first("/payments.json", "payments", "payment"), "{id:path}": media,
        "{service:path}": first("/services.json", "services", "service"),
        "{link}": first("/pairs.json?shown=all", "pairs", "link"),
    }  # fmt: skip
    return {page.path: re.sub(r"\{[^}]+\}", lambda m: quote(known[m[0]]), page.path) for page in PAGES}


def test_every_page_answers_with_a_title_one_heading_and_as_json(looking: Browser, addresses: dict[str, str]) -> None:
    for path in addresses.values():
        text = looking.get(path)
        assert text.count("<h1") == 1, path
        assert '<html lang="en">' in text
        assert isinstance(looking.json(path + ".json"), dict)


def test_a_page_and_its_json_say_the_same(looking: Browser) -> None:
    rows = looking.json("/accounts.json")["accounts"]["rows"]
    text = looking.get("/accounts")
    assert all(escape(told(row["username"], 80)) in text for row in rows)


def test_what_is_not_there_is_said_and_what_makes_no_sense_is_turned_down(looking: Browser) -> None:
    for path in ("/accounts/none", "/payments/none", "/pairs/none", "/media/none", "/packages/XX", "/services/none",
                 "/why/none", "/graph?open=none", "/graph?payment=none", "/nothing"):  # fmt: skip
        answer, text = looking.ask(path)
        assert answer.status == 404, path
        assert "data-error" in text
    for path in ("/accounts?order=none", "/accounts?page=0", "/accounts?page=x", "/media?state=x", "/pairs?shown=x",
                 f"/graph?open={','.join(map(str, range(70)))}"):  # fmt: skip
        assert looking.ask(path)[0].status == 400, path
    answer, text = looking.ask("/accounts/none.json")
    assert answer.status == 404
    assert "no such account" in json.loads(text)["error"]


def test_no_parameter_breaks_a_page(looking: Browser, addresses: dict[str, str]) -> None:
    """A fuzz of every parameter of every page: the answer is a page or a refusal, never a fault of ours."""
    dice = random.Random(8)
    hostile = ["'", '"', "<script>alert(1)</script>", "../../etc/passwd", "\x00", "%", "' OR 1=1 --", "\u202e",
               "9" * 40, "-1", "1e9", "{{7*7}}", "\r\nX: y", "a" * 5000, "NaN", "日本", "$q", ";",
               "*", "\\"]  # fmt: skip
    names = [
        "q",
        "page",
        "order",
        "state",
        "shown",
        "kind",
        "open",
        "payment",
        "verify",
        "peer",
        "country",
        "registered",
        "on",
    ]
    for path in [*addresses.values(), "/nothing"]:
        for _ in range(4):
            name, value = dice.choice(names), dice.choice([*hostile, "".join(dice.choices(string.printable, k=20))])
            answer, text = looking.ask(f"{path}?{name}={quote(value, safe='')}")
            assert answer.status in (200, 400, 404), (path, name, value, text[-1000:])
            assert "<script>alert" not in text
    for value in hostile[:8]:
        answer, _ = looking.ask("/accounts/" + quote(value, safe=""))
        assert answer.status in (400, 404)


def test_a_long_list_comes_in_pages_that_together_are_all_of_it(looking: Browser) -> None:
    seen: list[str] = []
    for page in range(1, 9):
        found = looking.json(f"/accounts.json?order=name&page={page}")["accounts"]
        seen += [row["account"] for row in found["rows"]]
        if not found["more"]:
            break
    assert len(seen) == len(set(seen)) == 240


def test_any_figure_is_walked_back_to_bytes(looking: Browser) -> None:
    figure = re.search(r'/why/(fig[^"]+)"', looking.get("/packages/NL"))
    assert figure
    steps = looking.json(f"/why/{figure[1]}.json")["steps"]
    assert any(step["locus"] for step in steps)


def test_one_search_finds_names_addresses_transactions_and_hashes(looking: Browser) -> None:
    payment = looking.json("/payments.json")["payments"]["rows"][0]
    medium = looking.json("/media.json")["media"]["rows"][0]["item"]
    sha256 = looking.json(f"/media/{medium}.json")["medium"]["sha256"]
    for q, where in ((payment["username"], "accounts"), (payment["txid"], "payments"), (payment["address"], "payments"),
                     (sha256, "media"), ("kestrel", "services")):  # fmt: skip
        assert where in looking.json(f"/search.json?q={quote(q)}")["found"], q


def test_the_graph_opens_a_wallet_and_its_address_keeps_the_picture(looking: Browser) -> None:
    payment = looking.json("/payments.json")["payments"]["rows"][0]["payment"]
    base = looking.json(f"/graph.json?payment={payment}")
    node = next(n["id"] for n in base["nodes"] if n["opens"])
    opened = looking.json(f"/graph.json?payment={payment}&open={node}")
    assert {n["id"] for n in base["nodes"]} <= {n["id"] for n in opened["nodes"]}
    assert opened == looking.json(f"/graph.json?payment={payment}&open={node}")
    around = [e for e in opened["edges"] if e["step"] is None and e["source"] == node]
    assert around == sorted(around, key=lambda e: (e["change"], -e["sats"]))
    assert looking.get(f"/graph.graphml?payment={payment}").startswith("<?xml")


def test_names_that_would_steer_a_page_are_inert(looking: Browser) -> None:
    """Accounts of the demo have hostile names: a formula, markup, an override of the writing direction."""
    hostile = [a["username"] for page in range(1, 6)
               for a in looking.json(f"/accounts.json?order=name&page={page}")["accounts"]["rows"]
               if any(c in a["username"] for c in "<=\u200f")]  # fmt: skip
    assert hostile
    for name in hostile:
        text = looking.get(f"/accounts?q={quote(name)}")
        assert escape(told(name)) in text
        assert not any(c in name and name in text for c in "<\u202e\u200f")


def test_a_case_whose_tables_another_version_made_is_not_opened(copy: Path) -> None:
    import pyarrow.parquet as pq

    from tests.command import casewright

    part = next((copy / "tables" / "hops").glob("part-*.parquet"))
    pq.write_table(pq.read_table(part).drop_columns(["ends"]), part)
    done = casewright("review", str(copy), "--port", "0")
    assert done.returncode == 4
    assert "another version made" in done.stderr


def test_hits_of_other_agencies_stand_where_somebody_looks(looking: Browser) -> None:
    """Their list, the account's page, the overview and the search name the agency, its reference and what both have."""
    hits = looking.json("/hits.json")["hits"]["rows"]
    hit = next(h for h in hits if h["account"])
    listed, account = looking.get("/hits"), looking.get(f"/accounts/{hit['account']}")
    for said in (hit["peer"], hit["peer_reference"], hit["kind"]):
        assert escape(told(said)) in listed
        assert escape(told(said)) in account
    assert escape(told(hit["peer"])) in looking.get("/overview")
    found = looking.json(f"/search.json?q={quote(hit['peer_reference'])}")["found"]
    assert hit["account"] in [row["id"] for row in found["hits of other agencies"]["rows"]]
    assert looking.json(f"/hits.json?peer={quote(hit['peer'])}")["hits"]["rows"] == [
        h for h in hits if h["peer"] == hit["peer"]
    ]
    assert looking.json("/hits.json?peer=nobody")["hits"]["rows"] == []


def test_a_pair_of_an_account_that_another_agency_looks_at_says_so(looking: Browser) -> None:
    with_hits = {h["account"] for h in looking.json("/hits.json")["hits"]["rows"]}
    pairs = [p["link"] for p in looking.json("/pairs.json?shown=all")["pairs"] if p["kind"] == "account-person"]
    for link in pairs:
        found = looking.json(f"/pairs/{link}.json")
        assert bool(found["hits"]) == (found["pair"]["from_id"] in with_hits)


def test_a_probability_is_never_written_as_certain(looking: Browser) -> None:
    assert [chance(p) for p in (1.0, 0.99996, 0.9999, 0.5, 0.00001, 0.0)] == [
        "1.0000", "> 0.9999", "0.9999", "0.5000", "< 0.0001", "0.0000"
    ]  # fmt: skip


def test_the_map_and_the_timeline_lead_to_the_accounts_and_payments_that_they_count(looking: Browser) -> None:
    found, text = looking.json("/overview.json"), looking.get("/overview")
    for country in found["countries"][:3]:
        path = f"/accounts?country={country['country']}"
        assert path in text
        rows = looking.json(path.replace("?", ".json?"))["accounts"]["rows"]
        assert len(rows) == country["accounts"]
        assert all(country["country"] in row["countries"].split() for row in rows)
    month = max(found["months"], key=lambda m: m["payments"])
    for path, rows, counted in (("/payments?on=", "payments", "payments"),
                                ("/accounts?registered=", "accounts", "registrations")):  # fmt: skip
        assert path + month["month"] in text
        page = looking.json((path + month["month"]).replace("?", ".json?"))
        assert len(page[rows]["rows"]) == sum(day[counted] for day in page["days"]) == month[counted]
        day = looking.json((path + page["days"][0]["month"]).replace("?", ".json?"))
        assert len(day[rows]["rows"]) == page["days"][0][counted]
    for path in ("/accounts?country=nl", "/accounts?registered=2016-02-30", "/payments?on=2016-2", "/payments?on=x"):
        assert looking.ask(path)[0].status == 400, path
    assert looking.ask("/payments?on=2016-02-29")[0].status == 200


def test_months_without_anything_have_their_place_on_a_timeline() -> None:
    drawn = filled([{"month": "2016-11", "payments": 1}, {"month": "2017-02", "payments": 2}])
    assert [(row["month"], row["payments"]) for row in drawn] == [
        ("2016-11", 1), ("2016-12", 0), ("2017-01", 0), ("2017-02", 2)
    ]  # fmt: skip
    days = filled([{"month": "2016-02-28", "n": 1}, {"month": "2016-03-01", "n": 1}])
    assert [row["month"] for row in days] == ["2016-02-28", "2016-02-29", "2016-03-01"]
    far = [{"month": "1970-01", "n": 1}, {"month": "2017-02", "n": 2}]
    assert filled(far) == far


def test_the_overview_shows_when_in_lanes_and_as_a_table(looking: Browser) -> None:
    text, found = looking.get("/overview"), looking.json("/overview.json")
    for name in ("registrations", "sign-ins", "uploads", "payments"):
        assert f"{name}, at most {max(m[name] for m in found['months']):,} a month" in text
    for month in found["months"]:
        assert f'<td class="keep">{month["month"]}</td>' in text
    assert found["funnel"]["accounts"] == 240
    assert list(found["funnel"])[-2:] == ["referrals", "countries"]
