"""Two agencies with real cases compare them by files: what each learns, and what never leaves a case."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from casewright.engine.query import Reader
from casewright.engine.stage import Context
from casewright.link.deconflict import psi
from casewright.link.deconflict.hits import deconfliction
from casewright.link.deconflict.own import own_selectors
from casewright.model.bitcoin import address_of_script
from casewright.model.errors import Missing
from casewright.refer.deconflicted import deconflicted
from casewright.refer.facts import Facts
from tests.link.agencies import agency
from tests.world import context, digests_of, rows_of

SETTINGS = {"service": "Glasshouse", "phones": False, "quality": 50}


@pytest.mark.slow
def test_two_agencies_find_out_what_both_look_at_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("private_set_intersection", reason="openmined-psi is not installed")
    users = [("curator", "c@example.com"), ("anna", "Anna.B+x@gmail.com"), ("kept out", "victim@example.com")]
    ours = agency(tmp_path, "Museum Unit", "MU-1", users, monkeypatch)
    others = [("other", "o@example.com"), ("ANNA", "annab@googlemail.com"), ("x", "victim@example.com")]
    theirs = agency(tmp_path, "Harbour Police", "HP-7", others, monkeypatch, first=11)
    kept_out = ours.desk / "never.txt"
    kept_out.write_text("Victim@Example.com\n", "utf-8")
    assert ours.deconflict("setup", theirs, "--exclude", kept_out, out="set.age") == 0
    assert theirs.deconflict("request", ours, ours.desk / "set.age", out="ask.age") == 0
    assert ours.deconflict("answer", theirs, theirs.desk / "ask.age", out="said.age") == 0
    capsys.readouterr()
    assert theirs.deconflict("read", ours, ours.desk / "said.age", "--json") == 0
    assert json.loads(capsys.readouterr().out)["common"] == 2
    assert theirs.deconflict("request", ours, ours.desk / "set.age", "--hits", out="which.age") == 0
    assert ours.deconflict("answer", theirs, theirs.desk / "which.age", "--hits", out="told.age") == 0
    assert theirs.deconflict("read", ours, ours.desk / "told.age") == 0
    assert "Museum Unit, case MU-1: 1 email, 1 username" in capsys.readouterr().out
    with Reader(theirs.case / "tables") as reader:
        hits = reader.rows(
            "SELECT h.kind, h.form, a.email FROM deconfliction h JOIN accounts a USING (account) ORDER BY 1"
        )
        runs = reader.rows("SELECT mode, common, peer_reference FROM deconfliction_runs ORDER BY mode")
        (hit,) = reader.rows("SELECT hit FROM deconfliction WHERE kind = 'email'")
    assert [(h["kind"], h["form"], h["email"]) for h in hits] == [
        ("email", "annab@gmail.com", "annab@googlemail.com"),
        ("username", "glasshouse\tanna", "annab@googlemail.com"),
    ]
    assert [tuple(r.values()) for r in runs] == [("count", 2, None), ("hits", 2, "MU-1")]
    assert theirs.run("why", str(theirs.case), hit["hit"]) == 0
    assert theirs.run("verify", str(theirs.case)) == 0
    assert b"victim" not in (ours.desk / "set.age").read_bytes()
    assert theirs.deconflict("read", ours, ours.desk / "told.age") == 4
    assert ours.deconflict("setup", theirs, "--kind", "ip", out="ip.age") == 4
    assert ours.deconflict("setup", theirs, "--kind", "colour", out="x.age") == 2
    assert ours.deconflict("setup", theirs, out="set.age") == 2
    assert ours.deconflict("request", theirs, out="y.age") == 2
    assert ours.run("deconflict", "setup", str(ours.case), "--peer", str(theirs.card), "--out", "z.age") == 2


def test_without_the_library_it_says_where_to_get_it_and_for_which_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psi, "find_spec", lambda name: None)
    with pytest.raises(Missing, match=r"pip install 'casewright\[deconflict\]'.*CPython up to 3.13"):
        psi.require_library()


Rows = list[dict[str, Any]]


def own(tables: dict[str, Rows], lists: list[bytes] | None = None, **settings: Any) -> Rows:
    """What a case with these rows would bring, and leaves out."""
    files = [{"exhibit": f"e{n}", "role": "exclusion", "position": 0, "path": b"", "name": "never.txt",
              "sha256": digests_of(raw).sha256} for n, raw in enumerate(lists or [])]  # fmt: skip
    made = context({**tables, "exhibit_files": files}, lists or [], {**SETTINGS, **settings})
    output = own_selectors(pa.table({}), made)
    rows = rows_of(output.tables["deconflict_selectors"])
    (tally,) = output.tallies
    assert tally.received == tally.done + tally.nothing == len(rows)
    return rows


def brought(rows: Rows) -> list[tuple[str, str]]:
    return [(r["kind"], r["form"]) for r in rows if r["form"]]


def test_an_account_is_brought_by_its_email_name_and_former_values() -> None:
    rows = own({
        "accounts": [{"account": "a1", "username": "Curator", "email": "C+1@Example.com", "registered_ip": "::2"}],
        "former_values": [{"id": "f1", "account": "a1", "column": "email", "value": "old@example.com"},
                          {"id": "f2", "account": "a1", "column": "username", "value": "warden"}],
    })  # fmt: skip
    assert brought(rows) == [("email", "c@example.com"), ("email", "old@example.com"),
                             ("username", "glasshouse\tcurator"),
                             ("username", "glasshouse\twarden")]  # fmt: skip
    assert {tuple(r["sources"]) for r in rows} == {("a1",), ("f1",), ("f2",)}


def test_what_stands_in_texts_without_an_account_is_not_taken_but_for_keys() -> None:
    rows = own({"selectors": [
        {"selector": "s1", "kind": "email", "value": "child@example.com", "canonical": "child@example.com"},
        {"selector": "s2", "kind": "phone", "value": "+442079460958", "canonical": "+442079460958"},
        {"selector": "s3", "kind": "bitcoin", "value": "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "canonical": ""},
        {"selector": "s4", "kind": "ip", "value": "192.0.2.1", "canonical": "192.0.2.1"},
        {"selector": "s5", "kind": "pgp", "value": "AB" * 20, "canonical": "AB" * 20},
    ]})  # fmt: skip
    assert brought(rows) == [("pgp", "ab" * 20)]
    assert len(rows) == 1


def test_who_is_named_by_a_positive_judgement_alone_is_brought_and_phones_when_asked_for() -> None:
    persons = [{"person": p, "origin": "return", "reference": f"Kestrel/C-{p}", "email": f"{p}@example.com",
                "phone": "+44 20 7946 0958"} for p in ("p1", "p2", "p3")]  # fmt: skip
    tables: dict[str, Rows] = {
        "persons": persons,
        "links": [{"link": f"l{p[1]}", "kind": "account-person", "from_id": "a1", "to_id": p}
                  for p in ("p1", "p2", "p3")],
        "judgements": [{"judgement": "j1", "link": "l1", "verdict": "positive", "stands": True},
                       {"judgement": "j2", "link": "l2", "verdict": "positive", "stands": False},
                       {"judgement": "j3", "link": "l3", "verdict": "unsure", "stands": True}],
    }  # fmt: skip
    rows = own(tables)
    assert brought(rows) == [("email", "p1@example.com"), ("username", "kestrel\tc-p1")]
    (phone,) = (r for r in rows if r["kind"] == "phone")
    assert phone["weak"]
    assert "can be tried" in phone["left_out"]
    assert ("phone", "+442079460958") in brought(own(tables, phones=True))


def test_a_payers_wallet_is_brought_and_a_services_is_not() -> None:
    addresses = [str(address_of_script(b"\0\x14" + bytes([n]) * 20, "mainnet")[0]) for n in range(4)]
    rows = own({
        "payments": [{"payment": p, "account": "a1"} for p in ("p1", "p2")],
        "hops": [{"hop": "h1", "payment": "p1", "direction": "back", "step": 1, "from_cluster": "c1"},
                 {"hop": "h2", "payment": "p2", "direction": "back", "step": 1, "from_cluster": "c2",
                  "ends": "service"},
                 {"hop": "h3", "payment": "p1", "direction": "back", "step": 2, "from_cluster": "c2"}],
        "clusters": [{"address": a, "cluster": c} for a, c in zip(addresses, ("c1", "c1", "c2", "c2"), strict=True)],
    })  # fmt: skip
    assert sorted({r["value"] for r in rows if r["kind"] == "bitcoin"}) == sorted(addresses[:2])
    assert [r["value"] for r in rows if r["kind"] == "cluster"] == [min(addresses[:2])]
    assert {r["account"] for r in rows} == {"a1"}


def test_uploads_that_are_on_no_list_are_brought_with_all_their_versions() -> None:
    media = [
        ("i1", "new", "g1", True),
        ("i2", "new", "g1", False),
        ("i3", "known", "g2", True),
        ("i4", "new", "g3", True),
    ]
    rows = own({
        "worklist": [{"item": i, "state": s, "work_group": g, "opens": o} for i, s, g, o in media],
        "items": [{"item": i, "sha256": i[1] * 64} for i, *_ in media],
        "media": [{"item": i, "pdq": i[1] * 64, "pdq_quality": 80} for i, *_ in media],
        "uploaded_media": [{"id": f"u{i}", "account": "a1", "item": i} for i in ("i2", "i3")],
    })  # fmt: skip
    assert brought(rows) == [("media", "1" * 64), ("media", "2" * 64), ("picture", "1" * 64)]


def test_what_an_analyst_excludes_is_left_out_however_it_is_written() -> None:
    accounts = [{"account": f"a{n}", "username": None, "email": f"u{n}@example.com"} for n in range(4)]
    rows = own({"accounts": accounts}, [b"U0+x@EXAMPLE.com\n\na1\n", b"\xff\xfe\nu2@example.com"])
    assert brought(rows) == [("email", "u3@example.com")]
    assert {r["left_out"] for r in rows if not r["form"]} == {"excluded by an analyst"}


def test_what_has_no_form_is_left_out_with_the_reason() -> None:
    rows = own({"accounts": [{"account": "a1", "username": "x", "email": "not an email"}]}, service="")
    assert [r["left_out"] for r in rows] == ["is no email address", "the case does not say what its service is called: "
                                             "[deconflict] service"]  # fmt: skip


def hits_of(lines: bytes, mode: str = "hits", common: int = 1) -> tuple[Any, Rows, Rows]:
    """The tables that a sealed list of hits and the ledger make."""
    made = context({
        "exhibit_files": [{"exhibit": "e", "role": "deconfliction", "position": 0, "path": b"", "name": "hits",
                           "sha256": digests_of(lines).sha256}],
        "deconflict_selectors": [{"id": f"o{n}", "kind": "email", "form": "a@example.com", "account": f"a{n}",
                                  "sources": [f"a{n}"]} for n in (1, 2)],
    }, [lines])  # fmt: skip
    event = {"way": "read", "step": "answer", "run": "r", "mode": mode, "peer": "Harbour", "authority": "x",
             "reference": "HP-7" if mode == "hits" else "", "common": common}  # fmt: skip
    ledger = pa.table({"event": [json.dumps({"data": event})]})
    output = deconfliction(pa.table({}), Context({}, {**made.tables, "ledger/deconfliction": ledger}, made.blobs))
    return output, rows_of(output.tables["deconfliction"]), rows_of(output.tables["deconfliction_runs"])


LINE = json.dumps(
    {"run": "r", "peer": "Harbour", "peer_reference": "HP-7", "kind": "email", "form": "a@example.com"}
).encode()


def test_a_hit_stands_once_for_each_account_of_ours_that_has_it() -> None:
    _, hits, runs = hits_of(LINE + b"\n")
    assert [(h["account"], h["sources"], h["row"], h["span_length"]) for h in hits] == [
        ("a1", ["o1"], 1, len(LINE) + 1), ("a2", ["o2"], 1, len(LINE) + 1)]  # fmt: skip
    assert [(r["side"], r["mode"], r["common"], r["peer_reference"]) for r in runs] == [("asked", "hits", 1, "HP-7")]


def test_a_line_of_hits_that_cannot_be_read_is_set_aside() -> None:
    output, hits, _ = hits_of(LINE + b"\n{broken\n[]\n")
    assert (len(hits), [a.reason for a in output.set_aside], output.tallies[0].received) == (2, ["malformed"] * 2, 3)


def said(accounts: list[str], hits: Rows, runs: Rows) -> str:
    facts = SimpleNamespace(hits=hits, compared=runs, settings=["settings"])
    words, sources = deconflicted(accounts, cast(Facts, facts))
    assert sources
    return words


def test_page_one_says_whom_to_call_and_by_what_kind_but_never_the_selector() -> None:
    _, hits, runs = hits_of(LINE + b"\n")
    words = said(["a1"], hits, runs)
    assert words == "Harbour has 1 email too, case HP-7; ask them before acting"
    assert "a@example.com" not in words
    assert said(["a3"], hits, runs) == "Harbour: nothing about these accounts in common"
    assert said(["a1"], [], []) == "not checked: no other agency was asked"
    (answered,) = ({**run, "side": "was asked"} for run in runs)
    words = "Harbour found selectors of its own in this case, its case HP-7; which, they can tell"
    assert said(["a1"], [], [answered]) == words
    counted = hits_of(LINE + b"\n", "count", 3)[2]
    assert said(["a1"], [], counted) == "Harbour: 3 selectors of the whole case in common; which, was not asked"
    assert said(["a1"], [], hits_of(LINE, "count", 0)[2]) == "Harbour: no selectors of the whole case in common"
