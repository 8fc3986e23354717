"""What services send back, in their own words and forms, is read as customer records; dates where they can be told."""

import io
import json
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter

from casewright.engine.records import BadRecord, Record
from casewright.engine.stage import Context
from casewright.link.return_forms import read_return
from casewright.link.return_mapping import ReturnMapping, day_of, moment_of, read_return_mapping
from casewright.link.stages import STAGES
from casewright.model.errors import Refused
from tests.world import context, digests_of, rows_of

MAPPING = b"""format = 1
files = ["kestrel*"]
dates = "day month year"
[columns]
full_name = ["Vorname", "Nachname"]
txid = "Transaktion"
born = "Geburtsdatum"
customer = "Kunde.Nr"
[values]
reference = "CW-1"
service = "Kestrel"
"""
THEIRS = {"Vorname": "Jörg", "Nachname": "Erfunden", "Transaktion": "t1", "Geburtsdatum": "04.03.1980", "Kunde.Nr": "7"}
OURS = {"full_name": "Jörg Erfunden", "txid": "t1", "born": "04.03.1980", "customer": "7", "reference": "CW-1",
        "service": "Kestrel"}  # fmt: skip


def read(raw: bytes, mapping: bytes = MAPPING) -> list[dict[str, str] | str]:
    found = read_return(raw, read_return_mapping(mapping, "m.toml") if mapping else ReturnMapping())
    return [r.reason if isinstance(r, BadRecord) else {k: v for k, v in r.fields.items() if v} for r in found]


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        days = book.add_format({"num_format": "dd.mm.yyyy"})
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for y, row in enumerate(rows):
                for x, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(y, x, cell, days)
                    else:
                        sheet.write(y, x, cell)
    return sink.getvalue()


def test_a_csv_with_columns_of_its_own_is_read_by_its_mapping() -> None:
    raw = ";".join(THEIRS) + "\n" + ";".join(THEIRS.values()) + "\nzu;kurz\n"
    assert read(raw.encode()) == [OURS, "has 2 fields, the heading 5"]
    assert read(raw.replace(";", "\t").encode("cp1252"))[0] == OURS


def test_the_encoding_may_be_said() -> None:
    mapping = MAPPING.replace(b"[columns]", b'encoding = "cp949"\n[columns]')
    raw = (",".join(THEIRS) + "\n" + ",".join({**THEIRS, "Nachname": "가상인"}.values())).encode("cp949", "replace")
    (row,) = read(raw.replace("Jörg".encode("cp949", "replace"), b"J"), mapping)
    assert isinstance(row, dict)
    assert row["full_name"] == "J 가상인"


def test_no_column_of_a_wide_workbook_is_left_out() -> None:
    wide = [f"extra {n}" for n in range(16_384 - len(THEIRS))]
    assert read(workbook(("Customers", [[*wide, *THEIRS], [*["x"] * len(wide), *THEIRS.values()]]))) == [OURS]


def test_a_workbook_is_read_under_its_heading_with_dates_as_days_and_numbers_whole() -> None:
    values: list[Any] = [*THEIRS.values()]
    values[3], values[4] = date(1980, 3, 4), 7
    raw = workbook(("Notes", [["nothing"]]), ("Customers", [[], [*THEIRS], values, [], values]))
    assert read(raw, MAPPING.replace(b"[columns]", b'sheet = "customers"\n[columns]'))[0] == (
        "the workbook has no sheet 'customers'"
    )
    rows = read(raw, MAPPING.replace(b"[columns]", b'sheet = "Customers"\n[columns]'))
    assert rows == [{**OURS, "born": "1980-03-04"}] * 2


@pytest.mark.parametrize("wrap", [
    lambda row: json.dumps([row]), lambda row: json.dumps({"count": 1, "customers": [row]}),
    json.dumps, lambda row: json.dumps(row) + "\n" + json.dumps(row) + "\ncut {",
])  # fmt: skip
def test_json_is_read_as_a_list_a_document_or_lines(wrap: Any) -> None:
    row = {**{k: v for k, v in THEIRS.items() if k != "Kunde.Nr"}, "Kunde": {"Nr": 7}}
    raw = wrap(row)
    found = read(raw.encode())
    assert found[0] == OURS
    assert found[2:] == (["is no record with names"] if raw.endswith("{") else [])


def test_where_the_list_stands_in_json_may_be_said() -> None:
    raw = json.dumps({"a": [1], "b": [2], "data": {"rows": [THEIRS]}}).encode()
    assert read(raw) == ["there is no list of records in it: say where with rows"]
    assert read(raw, MAPPING.replace(b"[columns]", b'rows = "data.rows"\n[columns]')) == [OURS]
    assert read(raw, MAPPING.replace(b"[columns]", b'rows = "data.x"\n[columns]')) == [
        "there is no list of records at 'data.x'"
    ]


def test_a_row_that_cannot_be_tied_to_a_request_is_set_aside() -> None:
    assert read(b"reference,service,txid\nCW-1,Kestrel,\nCW-1,Kestrel,t1\n", b"") == [
        "has no txid", {"reference": "CW-1", "service": "Kestrel", "txid": "t1"},
    ]  # fmt: skip


@pytest.mark.parametrize("raw", [
    b"PK\x03\x04 no workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"{", b"[" * 200_000, b"", b"[1, 2]",
    workbook(("x", [["a", "A"], [1, 2]])),
])  # fmt: skip
def test_what_is_no_return_says_why(raw: bytes) -> None:
    found = read(raw)
    assert found
    assert all(isinstance(one, str) for one in found)


@pytest.mark.parametrize(("text", "order", "day"), [
    ("1980-03-04", "", "1980-03-04"), ("04.03.1980", "day month year", "1980-03-04"), ("19800304", "", "1980-03-04"),
    ("04/03/1980", "month day year", "1980-04-03"), ("04/03/1980", "", None), ("25/03/1980", "", "1980-03-25"),
    ("03/25/1980", "", "1980-03-25"), ("04/04/1980", "", "1980-04-04"), ("1980년 3월 4일", "", "1980-03-04"),
    ("۱۹۸۰/۰۳/۰۴", "", "1980-03-04"), ("04.03.80", "day month year", None), ("31.02.1980", "day month year", None),
    ("1980-03-04T00:00:00Z", "", "1980-03-04"), ("4 March 1980", "", None), ("", "", None), (None, "", None),
])  # fmt: skip
def test_a_date_means_a_day_only_where_that_can_be_told(text: str | None, order: str, day: str | None) -> None:
    assert day_of(text, order) == day


@pytest.mark.parametrize("change", [
    (b"format = 1", b"format = 2"), (b"full_name", b"fullname"), (b"day month year", b"d/m/y"),
    (b"[columns]", b'encoding = "klingon"\n[columns]'), (b"[columns]", b"colour = 1\n[columns]"),
    (b'"Transaktion"', b"[]"), (b'reference = "CW-1"', b"reference = 1"), (b"[columns]", b"[columns"),
    (b'["kestrel*"]', b'"kestrel"'),
])  # fmt: skip
def test_a_mapping_that_makes_no_sense_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(Refused, match=r"^m\.toml"):
        read_return_mapping(MAPPING.replace(*change), "m.toml")


def test_each_return_is_read_by_the_mapping_for_its_name() -> None:
    theirs = (";".join(THEIRS) + "\n" + ";".join(THEIRS.values())).encode()
    plain = b"reference,service,txid,full_name,born\nCW-2,Tallow,t2,Bo Invented,04.03.1980\n"
    contents = [
        ("return", "Kestrel_2.csv", theirs),
        ("return", "tallow.csv", plain),
        ("return mapping", "m.toml", MAPPING),
    ]
    files = [{"exhibit": str(n), "role": role, "position": 0, "path": b"", "name": name,
              "sha256": digests_of(raw).sha256} for n, (role, name, raw) in enumerate(contents)]  # fmt: skip
    world = context({"exhibit_files": files}, [raw for _, _, raw in contents])
    stage = next(s for s in STAGES if s.name == "returns")
    batch = world.sql("SELECT * FROM exhibit_files WHERE role = 'return' ORDER BY exhibit")
    output = stage.work(batch, Context(world.params, world.tables, world.blobs))
    assert [(r["full_name"], r["born"], r["born_on"]) for r in rows_of(output.tables["returns"])] == [
        ("Jörg Erfunden", "04.03.1980", "1980-03-04"), ("Bo Invented", "04.03.1980", None),
    ]  # fmt: skip
    assert not output.set_aside


def test_rows_know_their_place() -> None:
    raw = b"reference,service,txid\nCW-1,Kestrel,t1\n"
    (row,) = read_return(raw, ReturnMapping())
    assert isinstance(row, Record)
    assert raw[row.span_start : row.span_start + row.span_length] == b"CW-1,Kestrel,t1\n"


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("2018-01-02 03:04:05", "", datetime(2018, 1, 2, 3, 4, 5)),
        ("2018-01-02T03:04Z", "", datetime(2018, 1, 2, 3, 4)),
        ("2018-01-02T03:04:05.123+01:00", "", datetime(2018, 1, 2, 2, 4, 5)),
        ("02.01.2018 03:04 -0530", "day month year", datetime(2018, 1, 2, 8, 34)),
        ("01/02/2018, 12:04 AM", "month day year", datetime(2018, 1, 2, 0, 4)),
        ("01/02/2018 1:04 pm UTC", "month day year", datetime(2018, 1, 2, 13, 4)),
        ("1514862245", "", datetime(2018, 1, 2, 3, 4, 5)),
        ("1514862245000", "", datetime(2018, 1, 2, 3, 4, 5)),
        ("01/02/2018 03:04", "", None),
        ("2018-01-02", "", None),
        ("2018-01-02 25:00", "", None),
        ("0001-01-01 00:00 +14:00", "", None),
        ("2018-01-02 03:04 somewhere", "", None),
        ("", "", None),
        (None, "", None),
        ("9" * 5000 + " 03:04", "", None),
    ],
)
def test_a_time_is_told_where_it_can_be(text: str | None, order: str, moment: datetime | None) -> None:
    assert moment_of(text, order) == moment


def test_when_an_address_was_used_and_which_document_was_seen_are_read_where_they_are_given() -> None:
    raw = b"reference,service,txid,ip,ip_time,document\nCW-1,K,t1,192.0.2.7,2018-01-02 03:04:05Z,passport X1\n"
    files = [{"exhibit": "e", "role": "return", "position": 0, "path": b"", "name": "r.csv",
              "sha256": digests_of(raw).sha256}]  # fmt: skip
    made = context({"exhibit_files": files}, [raw])
    output = next(s for s in STAGES if s.name == "returns").work(made.table("exhibit_files"), made)
    (row,) = rows_of(output.tables["returns"])
    assert (row["ip_at"], row["ip_time"]) == (datetime(2018, 1, 2, 3, 4, 5), "2018-01-02 03:04:05Z")
    assert row["document"] == "passport X1"
