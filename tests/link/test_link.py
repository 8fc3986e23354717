"""Joins are exact, suggestions are only that, and the last judgement counts."""

import json
from typing import Any

import pyarrow as pa
import pytest

from casewright.engine.parts import HeldPart
from casewright.engine.records import BadRecord, Record, read_records
from casewright.engine.stage import Context
from casewright.link.chain_rows import rows_among
from casewright.link.joins import reference_of
from casewright.link.judge import Said, judgement, judgements
from casewright.link.stages import JUDGED, STAGES
from casewright.model.errors import Missing, UsageError
from casewright.model.tables import TABLES
from tests.world import MemoryBlobs, context, digests_of, rows_of


def run(stage: str, world: Context, over: str = "items") -> Any:
    return next(s for s in (*STAGES, *JUDGED) if s.name == stage).work(world.table(over), world)


def world_with(returns: list[dict[str, Any]]) -> Context:
    """One payment, one service that paid it directly, and what the service sent back."""
    return context({
        "payments": [{"payment": "pay-1", "account": "acct-1", "txid": "t1", "vout": 0, "sats": 5000}],
        "services": [{"id": "service-1", "payment": "pay-1", "direction": "back", "service": "Kestrel", "txid": "t1",
                      "vout": 0, "sats": 5000, "hops": 1, "confidence": "strong", "against": "a batch"}],
        "requests": [{"request": "request-1", "reference": reference_of("Kestrel"), "service": "Kestrel", "txid": "t1",
                      "address": "addr"}],
        "outputs": [{"txid": "t1", "vout": 0, "address": "addr", "sats": 5000}],
        "returns": returns,
        "persons": [{"person": f"person-{n}", "origin": "return", "reference": f"Kestrel/C{n}", "full_name": f"N{n}",
                     "born": "1970-01-01", "email": f"n{n}@example.org", "sources": [f"return-{n}"]} for n in (1, 2)],
    })  # fmt: skip


def returned(number: int, **changes: Any) -> dict[str, Any]:
    return {"return_id": f"return-{number}", "reference": reference_of("Kestrel"), "service": "Kestrel", "txid": "t1",
            "address": "addr", "customer": f"C{number}", **changes}  # fmt: skip


def links(returns: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = rows_of(run("links", world_with(returns)).tables["links"])
    return [(r["from_id"], r["to_id"]) for r in found if r["kind"] == "account-person"]


def test_a_record_for_the_transaction_that_was_asked_suggests_its_customer() -> None:
    assert links([returned(1)]) == [("acct-1", "person-1")]


@pytest.mark.parametrize("change", [{"reference": "CW-OTHER"}, {"txid": "t2"}, {"address": "another output"}])
def test_a_record_about_something_else_suggests_nobody(change: dict[str, str]) -> None:
    """The last case is a batch: one transaction pays several customers, and only the address tells them apart."""
    assert links([returned(1), returned(2, **change)]) == [("acct-1", "person-1")]


def test_a_suggestion_prints_what_speaks_against_it() -> None:
    found = rows_of(run("links", world_with([returned(1)])).tables["links"])
    link = next(r for r in found if r["kind"] == "account-person")
    assert link["against"] == "a batch"
    assert link["reason"] == "direct: Kestrel itself made 1 payment(s); it names customer Kestrel/C1"


def test_answers_that_nobody_asked_for_are_counted_and_link_nobody() -> None:
    output = run("links", world_with([returned(1), returned(2, txid="t9")]))
    (tally,) = output.tallies
    assert (tally.received, tally.done, tally.nothing) == (2, 1, 1)


def test_the_same_name_alone_is_said_to_be_just_that() -> None:
    world = world_with([])
    same = {"person": "person-9", "origin": "prior", "reference": "2014-1", "full_name": "n1", "born": "1931-01-01"}
    tables = {
        **world.tables,
        "persons": pa.concat_tables([world.table("persons"), context({"persons": [same]}).table("persons")]),
    }
    (link,) = [
        r
        for r in rows_of(run("links", Context({}, tables, world.blobs)).tables["links"])
        if r["kind"] == "person-prior"
    ]
    assert link["reason"].startswith("weak: name only")
    assert link["against"] == "dates of birth differ"


@pytest.mark.parametrize(("namesakes", "linked"), [(3, 3), (4, 0)])
def test_a_name_alone_leads_to_nobody_where_many_have_it(namesakes: int, linked: int) -> None:
    world = world_with([])
    same = [{"person": f"person-{n}", "origin": "prior", "reference": f"2014-{n}", "full_name": "n1",
             "born": f"193{n}-01-01"} for n in range(3, 3 + namesakes)]  # fmt: skip
    people = pa.concat_tables([world.table("persons"), context({"persons": same}).table("persons")])
    found = rows_of(run("links", Context({}, {**world.tables, "persons": people}, world.blobs)).tables["links"])
    assert sum(row["kind"] == "person-prior" for row in found) == linked


def test_the_last_judgement_on_a_link_stands_and_all_are_kept() -> None:
    events = [
        json.dumps({"kind": "judgement", "data": {"link": "l", "verdict": v, "examiner": "E", "why": "w"}})
        for v in ("positive", "unsure", "positive")
    ]
    world = Context({}, {"ledger/judgement": pa.table({"event": events})}, context().blobs)
    rows = rows_of(judgements(pa.table({}), world).tables["judgements"])
    assert [(r["verdict"], r["stands"]) for r in rows] == [("positive", False), ("unsure", False), ("positive", True)]
    assert len({r["judgement"] for r in rows}) == 3


def test_a_judgement_that_was_withdrawn_leaves_none_standing() -> None:
    events = [
        json.dumps({"kind": "judgement", "data": {"link": "l", "verdict": v, "examiner": "E", "why": "w"}})
        for v in ("positive", "withdrawn")
    ]
    world = Context({}, {"ledger/judgement": pa.table({"event": events})}, context().blobs)
    rows = rows_of(judgements(pa.table({}), world).tables["judgements"])
    assert [(r["verdict"], r["stands"]) for r in rows] == [("positive", False), ("withdrawn", False)]


def test_judgements_need_a_link_and_a_verdict() -> None:
    with pytest.raises(Missing, match="no link"):
        judgement({"a"}, Said("b", "positive", "w"), "E")
    with pytest.raises(UsageError, match="no verdict"):
        judgement({"a"}, Said("a", "yes", "w"), "E")


@pytest.mark.parametrize(
    ("raw", "good", "bad"),
    [
        (b"a,b\r\n1,2\r\n3\r\n5,6", 2, 1),
        ("a;b\nJörg;2\n".encode("cp1252"), 1, 0),
        (b'a,b\n"two\nlines",2\n3,4\n', 2, 0),
        (b"\xef\xbb\xbfA,B\n1,2\n", 1, 0),
        (b"a,b\n\x00,=1+1\n", 1, 0),
        (b"", 0, 1),
        (b"x,y\n1,2\n", 0, 1),
        (b'a,b\n"never closed,2\n3,4\n', 1, 1),
        (b'a,b\n1,2\nthe 5" pipe\n3,4\n5,6\nthe 7" pipe,x,y\n7,8\n', 4, 2),
        (b"a,b\r1,2\r\r3,4\r", 2, 0),
        (b"a,b,A\n1,2,3\n", 0, 1),
        (b"a,b\n1," + b"x" * 1_100_000 + b"\n3,4\n", 1, 1),
        ("a,b\n1,2\n".encode("utf-16"), 0, 1),
    ],
)
def test_rows_are_kept_or_said_to_be_malformed(raw: bytes, good: int, bad: int) -> None:
    found = list(read_records(raw, ("a", "b")))
    assert sum(isinstance(f, Record) for f in found) == good
    assert sum(isinstance(f, BadRecord) for f in found) == bad
    for record in found:
        assert 0 <= record.span_start <= record.span_start + record.span_length <= len(raw)


def test_a_malformed_row_of_a_return_is_set_aside_with_its_place() -> None:
    raw = b"reference,service,txid\nCW-1,Kestrel,t1\nCW-1,Kestrel\n"
    files = [
        {
            "exhibit": "e",
            "role": "return",
            "position": 0,
            "path": b"",
            "name": "r.csv",
            "sha256": digests_of(raw).sha256,
        }
    ]
    output = run("returns", context({"exhibit_files": files}, [raw]), "exhibit_files")
    (aside,) = output.set_aside
    assert (aside.row, raw[aside.span_start or 0 :]) == (2, b"CW-1,Kestrel\n")


def test_no_byte_is_lost_where_a_file_is_in_an_old_code_page() -> None:
    (record,) = list(read_records(b"a,b\nJ\xf6rg \x81,2\n", ("a",)))
    assert isinstance(record, Record)
    assert record.fields["a"] == "Jörg \\x81"


def test_customers_without_a_number_stay_different_persons() -> None:
    """An empty number once made one person of all strangers at a service."""
    world = context({"returns": [returned(1, customer=None), returned(2, customer=None), returned(3), returned(3)]})
    output = run("persons", world)
    rows = rows_of(output.tables["persons"])
    assert len({r["person"] for r in rows}) == 3
    assert sorted(len(r["sources"]) for r in rows) == [1, 1, 2]
    assert (output.tallies[0].received, output.tallies[0].done, output.tallies[0].nothing) == (4, 3, 1)


def test_rows_without_a_service_stay_with_their_reference() -> None:
    world = context(
        {"returns": [returned(1, service=None, reference="CW-1"), returned(1, service=None, reference="CW-2")]}
    )
    assert {r["reference"] for r in rows_of(run("persons", world).tables["persons"])} == {"CW-1/C1", "CW-2/C1"}


def test_rows_of_one_customer_that_disagree_speak_against_the_link() -> None:
    world = world_with([returned(1, full_name="N1"), returned(3, full_name="Somebody Else", txid="t9")])
    persons = rows_of(world.table("persons"))
    persons[0]["sources"] = ["return-1", "return-3"]
    tables = {**world.tables, "persons": context({"persons": persons}).table("persons")}
    links = rows_of(run("links", Context({}, tables, world.blobs)).tables["links"])
    (link,) = [r for r in links if r["kind"] == "account-person"]
    assert link["against"] == "a batch; the rows of this customer disagree on name or date of birth"


def test_an_account_is_linked_to_what_it_uploaded_and_told_that_others_end_in_the_same_path() -> None:
    put = {"account": "acct-1", "how": "the record names its path"}
    world = context({
        "uploaded_media": [{**put, "id": "1", "upload": "up-1", "item": "item-1", "shared": True},
                           {**put, "id": "2", "upload": "up-2", "item": "item-2", "shared": False},
                           {**put, "id": "3", "upload": "up-3", "item": "harmless", "shared": False}],
        "worklist": [{"rank": n, "item": f"item-{n}", "state": "new"} for n in (1, 2)],
    })  # fmt: skip
    links = rows_of(run("links", world).tables["links"])
    assert {r["to_id"]: r["against"].rpartition("; ")[2] for r in links} == {
        "item-1": "several files end in the path that it names",
        "item-2": "the service's record says which account, not which person",
    }


def test_what_lies_behind_a_mix_is_asked_of_nobody_and_counted() -> None:
    world = context({
        "services": [{"id": f"s-{c}", "payment": "p", "service": "Kestrel", "txid": "t1", "vout": 0, "sats": 1,
                      "confidence": c} for c in ("strong", "none")],
        "outputs": [{"txid": "t1", "vout": 0, "address": "addr"}],
        "tags": [{"tag": f"tag-{c}", "label": "Kestrel", "jurisdiction": c} for c in ("NL", "DE")],
    })  # fmt: skip
    output = run("requests", world)
    (row,) = rows_of(output.tables["requests"])
    assert (row["sources"], row["jurisdiction"], row["reference"]) == (
        ["s-strong"],
        "DE or NL",
        reference_of("Kestrel"),
    )
    assert (output.tallies[0].received, output.tallies[0].done, output.tallies[0].nothing) == (2, 1, 1)


def test_of_a_chain_in_parts_only_the_rows_that_are_asked_for_are_taken() -> None:
    whole = TABLES["outputs"].rows([{"txid": f"t{n % 7}", "vout": n, "address": f"a{n}"} for n in range(40)])
    parts = [HeldPart(whole.slice(at, 13)) for at in range(0, 40, 13)]
    made = Context({}, {}, MemoryBlobs(), lazy={"outputs": parts})
    asked = pa.chunked_array([["t3", "t5", "t3", "nobody"]])
    found = rows_among(made, "outputs", "txid", asked, ("txid", "vout"))
    assert found.to_pylist() == [r for r in whole.select(["txid", "vout"]).to_pylist() if r["txid"] in ("t3", "t5")]
    nothing = rows_among(made, "outputs", "txid", asked.slice(3), ("txid", "vout"))
    assert (nothing.num_rows, nothing.column_names) == (0, ["txid", "vout"])
