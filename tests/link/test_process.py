"""Legal process: what is asked of whom, what became of it, and who can still be reached."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from casewright.cli.process import found_process
from casewright.engine.query import Reader
from casewright.engine.stage import Context
from casewright.link.joins import reference_of
from casewright.link.process import Step, process_step
from casewright.link.stages import STAGES
from casewright.model.errors import Missing, UsageError
from casewright.model.tables import TABLES
from tests.refer.world import write_tables
from tests.world import context, digests_of, rows_of

KESTREL = reference_of("Kestrel")
HEADING = b"service,legal_name,jurisdiction,serve_on,legal_basis,days\n"
BOOK = HEADING + b"kestrel,Kestrel BV,NL,legal@kestrel.example,Art. 1,14\n"


def asked(number: int, **more: Any) -> dict[str, Any]:
    return {"request": f"request-{number}", "reference": KESTREL, "service": "Kestrel", "legal_name": "By Tag Ltd",
            "payment": f"pay-{number}", "payments": [f"pay-{number}"], "direction": "back", "hops": 1,
            "txid": f"t{number}", "vout": 0, "address": f"a{number}", "sats": 1000,
            "time": datetime(2018, 1, number), **more}  # fmt: skip


def held(
    returns: tuple[dict[str, Any], ...] = (), steps: tuple[tuple[str, str, str], ...] = (), book: bytes = b""
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The request of two lines, and its steps, once some records came back and some steps were taken."""
    made = context({
        "requests": [asked(1), asked(2)],
        "payments": [{"payment": f"pay-{n}", "account": f"acct-{n}"} for n in (1, 2)],
        "returns": [{"return_id": f"return-{n}", "reference": KESTREL, **r} for n, r in enumerate(returns)],
        "exhibit_files": [{"exhibit": "b", "role": "services", "position": 0, "path": b"", "name": "services.csv",
                           "sha256": digests_of(book).sha256}] if book else [],
    }, [book], {"days": 30})  # fmt: skip
    events = [json.dumps({"data": process_step({KESTREL}, Step(KESTREL, *step), "R. Example")}) for step in steps]
    ledger = {"ledger/process": pa.table({"event": pa.array(events, pa.string())})}
    world = Context(made.params, {**made.tables, **ledger}, made.blobs)
    stages = {stage.name: stage for stage in STAGES}
    known = stages["service_book"].work(pa.table({}), world).tables
    output = stages["legal_process"].work(pa.table({}), Context(made.params, {**world.tables, **known}, made.blobs))
    (row,) = rows_of(output.tables["legal_process"])
    return row, rows_of(output.tables["process_steps"])


def test_a_request_begins_as_a_draft_that_says_what_it_asks() -> None:
    row, steps = held()
    assert (row["state"], row["lines"], row["returned"], row["accounts"], row["sats"]) == ("draft", 2, 0, 2, 2000)
    assert (row["first"], row["last"]) == (datetime(2018, 1, 1), datetime(2018, 1, 2))
    assert (row["sent_on"], row["due_on"], steps) == (None, None, [])
    assert row["legal_name"] == "By Tag Ltd"


def test_once_sent_it_is_due_after_the_days_that_are_usual_or_that_the_book_says() -> None:
    sent = (("sent", "2026-01-31", ""),)
    assert [held(steps=sent)[0][c] for c in ("state", "sent_on", "due_on")] == ["sent", "2026-01-31", "2026-03-02"]
    row, _ = held(steps=sent, book=BOOK)
    assert (row["due_on"], row["serve_on"], row["legal_basis"]) == ("2026-02-14", "legal@kestrel.example", "Art. 1")


def test_what_came_back_counts_line_by_line() -> None:
    first, second = {"txid": "t1", "address": "a1"}, {"txid": "t2"}
    assert held((first,))[0]["state"] == "part returned"
    assert held((first, second))[0]["state"] == "returned"
    assert held(({"txid": "t1", "address": "another"},))[0]["state"] == "draft"
    assert set(held((first,))[0]["sources"]) == {"request-1", "request-2", "return-0"}


def test_a_refusal_stands_until_something_comes_back_after_all() -> None:
    steps = (("sent", "2026-01-31", ""), ("refused", "2026-02-10", "no jurisdiction"))
    row, told = held(steps=steps)
    assert (row["state"], row["note"]) == ("refused", "no jurisdiction")
    assert [(s["number"], s["step"], s["day"], s["examiner"]) for s in told] == [
        (1, "sent", "2026-01-31", "R. Example"), (2, "refused", "2026-02-10", "R. Example"),
    ]  # fmt: skip
    assert set(row["sources"]) >= {s["step_id"] for s in told}
    assert held(({"txid": "t1"},), steps)[0]["state"] == "part returned"


def test_sending_twice_moves_the_day() -> None:
    assert held(steps=(("sent", "2026-01-31", ""), ("sent", "2026-02-05", "again")))[0]["sent_on"] == "2026-02-05"


@pytest.mark.parametrize(("step", "error"), [
    (Step("CW-OTHER", "sent", "2026-01-31"), Missing), (Step(KESTREL, "sent", "31.1.2026"), UsageError),
    (Step(KESTREL, "refused", "2026-01-31", " "), UsageError),
])  # fmt: skip
def test_a_step_names_a_request_a_day_and_mostly_a_reason(step: Step, error: type[Exception]) -> None:
    with pytest.raises(error):
        process_step({KESTREL}, step, "R. Example")


def book_of(raw: bytes) -> tuple[list[dict[str, Any]], Any]:
    files = [{"exhibit": "b", "role": "services", "position": 0, "path": b"", "name": "services.csv",
              "sha256": digests_of(raw).sha256}]  # fmt: skip
    output = next(s for s in STAGES if s.name == "service_book").work(
        pa.table({}), context({"exhibit_files": files}, [raw])
    )
    (tally,) = output.tallies
    assert tally.received == tally.done + tally.nothing + len(output.set_aside)
    return rows_of(output.tables["service_book"]), output


def test_the_book_is_read_in_any_case_and_a_bad_row_is_set_aside() -> None:
    raw = "Service;Days;Legal_Name\nKestrel;14;Ünïcode & Söhne\nTallow;soon;x\n;3;nobody\nKESTREL;21;Later\n".encode()
    rows, output = book_of(raw)
    assert [(r["service"], r["days"], r["legal_name"]) for r in rows] == [("KESTREL", 21, "Later")]
    assert [s.detail for s in output.set_aside] == [
        "services.csv, row 2: 'soon' is no number of days", "services.csv, row 3: names no service",
    ]  # fmt: skip


def test_a_book_without_its_column_is_set_aside_whole() -> None:
    rows, output = book_of(b"name,days\nKestrel,3\n")
    assert rows == []
    assert "lacks the column service" in output.set_aside[0].detail


def test_where_the_market_itself_cashed_out_no_payment_stands_behind_the_line() -> None:
    world = context({
        "services": [{"id": "s", "direction": "market", "service": "Kestrel", "txid": "t1", "vout": 0, "sats": 5,
                      "hops": 1, "confidence": "strong"}],
        "outputs": [{"txid": "t1", "vout": 0, "address": "a1", "sats": 5}],
    })  # fmt: skip
    (row,) = rows_of(next(s for s in STAGES if s.name == "requests").work(pa.table({}), world).tables["requests"])
    assert (row["direction"], row["payment"], row["payments"]) == ("forward", None, [])
    asked_of = context({"requests": [row]}, params={"days": 30})
    asked_of.tables = {**asked_of.tables, "ledger/process": pa.table({"event": pa.array([], pa.string())})}
    stage = next(s for s in STAGES if s.name == "legal_process")
    (process,) = rows_of(stage.work(pa.table({}), asked_of).tables["legal_process"])
    assert (process["lines"], process["payments"], process["accounts"]) == (1, 0, 0)


def test_the_book_goes_before_tags() -> None:
    known = book_of(BOOK)[0]
    world = context({
        "services": [{"id": "s", "payment": "pay-1", "direction": "back", "service": "Kestrel", "txid": "t1", "vout": 0,
                      "sats": 5, "hops": 2, "confidence": "weak"}],
        "outputs": [{"txid": "t1", "vout": 0, "address": "a1", "sats": 5}],
        "tags": [{"tag": "x", "address": "z", "label": "Kestrel", "legal_name": "By Tag Ltd", "jurisdiction": "US"}],
        "service_book": known,
    })  # fmt: skip
    (row,) = rows_of(next(s for s in STAGES if s.name == "requests").work(pa.table({}), world).tables["requests"])
    assert (row["legal_name"], row["jurisdiction"], row["hops"], row["direction"]) == ("Kestrel BV", "NL", 2, "back")


def kept(tmp_path: Path, **tables: list[dict[str, Any]]) -> dict[str, Any]:
    """What `status` says of routes, from these rows."""
    (tmp_path / "tables").mkdir(parents=True)
    write_tables({name: TABLES[name].rows(rows) for name, rows in tables.items()}, tmp_path / "tables")
    with Reader(tmp_path / "tables") as reader:
        return found_process(reader)[1]


def test_records_that_answer_nothing_asked_are_told_with_the_reason(tmp_path: Path) -> None:
    requests = [asked(1), asked(2)]
    returns = [
        {"return_id": "return-1", "reference": KESTREL, "service": "Kestrel", "txid": "t1", "address": "a1"},
        {"return_id": "return-2", "reference": "CW-MISTYPED", "service": "Kestrel", "txid": "t2"},
        {"return_id": "return-3", "reference": KESTREL, "service": "Kestrel", "txid": "t9"},
        {"return_id": "return-4", "reference": KESTREL, "service": "Kestrel", "txid": "t2", "address": "another"},
    ]
    untied = kept(tmp_path, requests=requests, returns=returns)["untied_records"]
    assert {r["example"]: r["why"].partition(" was")[0] for r in untied} == {
        "return-2": "nothing", "return-3": "this transaction", "return-4": "this address"}  # fmt: skip


def test_an_answer_that_was_judged_not_to_fit_is_no_live_route(tmp_path: Path) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "requests": [asked(1), asked(2)], "legal_process": [{"reference": KESTREL, "state": "part returned"}],
        "payments": [{"payment": f"pay-{n}", "account": f"acct-{n}"} for n in (1, 2)],
        "returns": [{"return_id": "return-1", "reference": KESTREL, "txid": "t1"}],
        "links": [{"link": "link-1", "kind": "account-person", "from_id": "acct-1", "to_id": "person-1"}],
    }  # fmt: skip
    assert kept(tmp_path / "a", **rows)["with_a_live_route"] == 2
    rows["judgements"] = [{"judgement": "judge-1", "link": "link-1", "verdict": "negative", "stands": True}]
    assert kept(tmp_path / "b", **rows)["with_a_live_route"] == 1
