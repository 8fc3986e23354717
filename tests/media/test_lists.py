"""Lists are used whole or not at all, however long they are; what they say is kept as they say it."""

import io
import json
import re
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.media import listing, vics
from casewright.media.columns import hex_column
from casewright.media.listing import read_list
from casewright.media.lists import _hex_column
from casewright.media.stages import STAGES
from casewright.model.errors import Refused
from casewright.model.settings import LimitSettings, MediaSettings
from tests.world import context, digests_of, rows_of

PDQ = "f" * 32 + "0" * 32
CONTEXT = "x/2.0.xml/NL/$metadata#Media"


def rows(raw: bytes) -> list[dict[str, Any]]:
    """The entries of a list, with what is doubtful in each."""
    found = []
    for entries in read_list(io.BytesIO(raw), "the list"):
        columns, doubts = entries.cleaned()
        plain = {n: list(c) if isinstance(c, list | range) else c.to_pylist() for n, c in columns.items()}
        for values in zip(*plain.values(), strict=True):
            row = dict(zip(plain, values, strict=True))
            why = [d.why for d in doubts if d.row == row["row"]]
            found.append({**row, "dialect": entries.dialect, "doubtful": why})
    return found


def hash_set(*media: dict[str, Any]) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps({"@odata.context": CONTEXT, "value": list(media)}, indent=1).encode()


def two(**first: Any) -> bytes:
    return hash_set({"MediaID": 1, **first}, {"MediaID": 2})


def test_category_codes_are_kept_verbatim_with_their_dialect() -> None:
    first, second = rows(two(Category=0, MD5="A" * 32, IsPrecategorized="false"))
    assert (first["category"], first["dialect"], first["md5"]) == ("0", CONTEXT, "a" * 32)
    assert (second["category"], second["md5"]) == (None, None)


def test_hashes_that_make_no_sense_are_named_and_the_entry_stays() -> None:
    others = [{"HashName": "PDQ", "HashValue": "f" * 64}, {"HashName": "PDQ", "HashValue": PDQ}]
    first = rows(two(MD5="xyz", AlternativeHashes=others))[0]
    assert first["pdq"] == [PDQ]
    assert [why.partition(":")[0] for why in first["doubtful"]] == ["md5", "pdq"]


@pytest.mark.parametrize("odd", ["text", [1], {"HashName": "MD5"}])
def test_other_hashes_of_an_odd_shape_are_named_too(odd: Any) -> None:
    first = rows(two(AlternativeHashes=odd, odd="a field of its own"))[0]
    assert first["doubtful"] == ["AlternativeHashes: is no list of hashes"]
    assert rows(two(odd="a field of its own"))[0]["doubtful"] == []


def test_hashes_that_are_no_text_are_named_too() -> None:
    odd = {"MediaID": 1, "MD5": 5, "SHA1": [1]}
    first, second = rows(hash_set(odd, {"MediaID": 2, "MD5": 0, "SHA1": " " + "A" * 40}))
    assert [why.partition(" is")[0] for why in first["doubtful"]] == ["sha1: '[1]'", "md5: '5'"]
    assert (second["sha1"], second["md5"], second["doubtful"]) == ("a" * 40, None, [])


def test_an_empty_md5_is_none_and_repeated_ids_stay_apart() -> None:
    both = rows(hash_set({"MediaID": 7, "MD5": ""}, {"MediaID": 7, "MD5": "a" * 32, "DateUpdated": "/Date(1500000)/"}))
    assert [(r["native"], r["md5"], r["row"], r["doubtful"]) for r in both] == [
        ("7", None, 1, []),
        ("7", "a" * 32, 2, []),
    ]


def test_hashes_by_other_names_are_taken_where_the_field_is_empty() -> None:
    others = [{"HashName": "SHA-256", "HashValue": "C" * 64}, {"HashName": "md5", "HashValue": "b" * 32}]
    (first, _) = rows(two(MD5="", AlternativeHashes=others))
    assert (first["sha256"], first["md5"]) == ("c" * 64, "b" * 32)


def test_case_files_and_old_versions_are_read() -> None:
    cases = [
        {"CaseID": "c", "Media": [{"MediaID": 7, "SHA1": "b" * 40}]},
        {"CaseID": "d", "Media": None},
        {"Media": [], "CaseID": "e"},
        {"Media": [{"MediaID": 8}, {"MediaID": 9, "MediaFiles": [{"MD5": "x"}]}]},
    ]
    raw = json.dumps({"odata.metadata": "1.3", "value": cases}).encode()
    found = rows(raw)
    assert [(r["native"], r["sha1"], r["dialect"]) for r in found] == [
        ("7", "b" * 40, "1.3"), ("8", None, "1.3"), ("9", None, "1.3"),
    ]  # fmt: skip
    assert [json.loads(cut(raw, r))["MediaID"] for r in found] == [7, 8, 9]


def cut(raw: bytes, row: dict[str, Any]) -> bytes:
    return raw[row["span_start"] : row["span_start"] + row["span_length"]]


TEXT = st.text(st.characters(exclude_categories=[]), max_size=8) | st.sampled_from(
    ['"', "\\", "}{][", "Media", "value"]
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    TEXT.filter(lambda name: name not in ("Media", "value", *vics.Medium.__struct_fields__)), VALUE
)


@settings(max_examples=150)
@given(
    st.lists(st.lists(FIELDS, max_size=4), max_size=4), FIELDS, st.booleans(), st.booleans(), st.integers(3, 40),
    st.sampled_from([1, 2, 20_000]), st.sampled_from([None, 1]),
)  # fmt: skip
def test_every_entry_is_found_where_it_stands_in_whatever_pieces_the_list_comes(
    groups: list[list[dict[str, Any]]], more: dict[str, Any], cases: bool, last: bool, chunk: int, at_once: int,
    indent: int | None,
) -> None:  # fmt: skip
    numbered = [[{"MediaID": f"{g}.{m}", **fields} for m, fields in enumerate(media)] for g, media in enumerate(groups)]
    flat = [one for media in numbered for one in media]
    value = [{**more, "Media": media} if last else {"Media": media, **more} for media in numbered] if cases else flat
    whole = {**more, "value": value, "@odata.context": "d"} if last else {"@odata.context": "d", "value": value, **more}
    raw = json.dumps(whole, indent=indent, ensure_ascii=True).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vics, "CHUNK", chunk)
        patch.setattr(vics, "AT_ONCE", at_once)
        found = rows(raw)
    assert [r["native"] for r in found] == [one["MediaID"] for one in flat]
    assert [json.loads(cut(raw, r)) for r in found] == flat


SMALL = hash_set({"MediaID": 1, "Comments": "a } in [ a string", "MD5": "a" * 32}, {"MediaID": 2, "X": [{}]})
CASE = json.dumps({"value": [{"CaseID": 1, "Media": [{"MediaID": 2}]}, {"CaseID": 3}]}).encode()


@pytest.mark.parametrize("raw", [SMALL, CASE])
def test_a_list_that_is_cut_off_anywhere_is_refused_whole(raw: bytes) -> None:
    for end in range(len(raw)):
        with pytest.raises(Refused):
            read_list(io.BytesIO(raw[:end]), "the list")


@settings(max_examples=300)
@given(st.sampled_from([SMALL, CASE]), st.integers(0, 10_000), st.binary(min_size=1, max_size=2))
def test_a_list_that_is_damaged_is_read_as_a_json_parser_reads_it_or_refused(raw: bytes, at: int, put: bytes) -> None:
    at %= len(raw)
    damaged = raw[:at] + put + raw[at + len(put) :]
    try:
        found = rows(damaged)
    except Refused:
        return
    if damaged.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
        return
    value = json.loads(damaged.decode("utf-8-sig"))["value"]
    media = [m for case in value for m in case.get("Media") or []] if any("Media" in v for v in value) else value
    assert [json.loads(cut(damaged, row)) for row in found] == media


@pytest.mark.parametrize(
    "raw",
    [
        b"name,size\n1,2\n", b"", b"{}", b"\xff\xfe", b'{"value": 5}', b'{"value": [1]}', b'{"value": [{}] } x',
        b'{"value": [{},]}', b'{"value": [{} {}]}', b'{"value": [,{}]}', b'{"value": [], "value": []}',
        b'{"value": [[]]}', b'{"value": [{"Media": [5]}]}', b'{"value": [{"Media": {}}]}',
        b'{"value": [{"MediaID": 1}, {"Media": []}]}', b'{"value": [{"MediaID": tru}]}',
        b'{"value": [{"a": "\xff"}]}', b'{"value": [{"a": [}]}', b'{"value": [' + b'{"a":' * 5000,
        b'{"value": [{"a": ' + b"[" * 600 + b"]" * 600 + b"}]}", b'{"x": tru, "value": []}', b'[{"value": []}]',
        b"MD5,Category,Notes\n" + b"a" * 32, b'MD5;Notes\n1;"not closed\n', b"MD5\n" + b"a" * (1 << 20),
        b"MD5;Notes\n" + b"a" * 32 + b";\xff\n", b"MD5\r" + b"a" * 32 + b"\r", b'MD5\n"1"2\n',
    ],
)  # fmt: skip
def test_what_is_no_sound_list_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(Refused):
        read_list(io.BytesIO(raw), "the list")


def test_text_that_no_unicode_has_does_not_end_the_reading() -> None:
    found = rows(b'{"value": [{"MediaID": "\\ud800", "Comments": "\\ud800"}]}')
    assert [r["native"] for r in found] == ["\\ud800"]


def test_csv_lists_are_read_with_either_comma() -> None:
    for comma in (b",", b";"):
        (one,) = rows(b"MD5" + comma + b"Category\n" + b"A" * 32 + comma + b"5\n")
        assert (one["md5"], one["category"], one["dialect"]) == ("a" * 32, "5", "csv")


def test_icse_lists_are_read_and_say_so() -> None:
    raw = b"MD5;SHA1;PhotoDNA;Image ID;Victim\r\n" + (
        b"A" * 32 + b";" + b"B" * 40 + b';AAAA;77;"a ""quoted""\r\nvictim; unknown"\r\n\r\n' + b";;;78;\r\n"
    )
    first, second = rows(raw)
    assert (first["md5"], first["sha1"], first["native"], first["dialect"]) == ("a" * 32, "b" * 40, "77", "icse csv")
    assert b"unknown" in cut(raw, first)
    assert (second["native"], second["md5"], cut(raw, second)) == ("78", None, b";;;78;\r\n")


def listed(raw: bytes, reason: str | None = None) -> Any:
    """What the stage makes of one list: its rows, and what it set aside; and that its tallies add up."""
    params = {**asdict(LimitSettings()), **asdict(MediaSettings())}
    file = {"exhibit": "e", "role": "list", "position": 0, "path": b"", "name": "l", "sha256": digests_of(raw).sha256}
    world = context({"exhibit_files": [file]}, [raw], params)
    outputs = list(next(s for s in STAGES if s.name == "lists").work(world.table("exhibit_files"), world))
    aside = [a for output in outputs for a in output.set_aside]
    tallies = [t for output in outputs for t in output.tallies]
    for noun in {t.noun for t in tallies}:
        mine = [t for t in tallies if t.noun == noun]
        away = sum(a.count for a in aside if a.noun == noun)
        assert sum(t.received for t in mine) == sum(t.done + t.nothing for t in mine) + away
    return [row for output in outputs for row in rows_of(output.tables["list_entries"])], aside


def test_a_cut_list_is_set_aside_and_nothing_of_it_is_used() -> None:
    found, aside = listed(SMALL[:-5])
    assert found == []
    assert [a.reason for a in aside] == ["refused"]


def test_each_doubtful_hash_has_a_row_up_to_a_bound_and_the_others_are_counted(monkeypatch: Any) -> None:
    monkeypatch.setattr(listing, "MOST_DOUBTS", 2)
    found, aside = listed(hash_set(*({"MediaID": n, "MD5": "x"} for n in range(5))))
    assert [row["native"] for row in found] == ["0", "1", "2", "3", "4"]
    assert [(a.row, a.count) for a in aside] == [(1, 1), (2, 1), (3, 3)]


def by_pattern(values: list[str | None], digits: int) -> list[str | None]:
    """The obvious way: each value by itself."""
    good = re.compile(rf"[0-9a-f]{{{digits}}}", re.ASCII)
    clean = [(value or "").strip().lower() for value in values]
    return [text if good.fullmatch(text) else None for text in clean]


HEXISH = st.none() | st.just("") | st.text("0123456789abcdefABCDEF", min_size=4, max_size=4)


@given(st.lists(HEXISH | st.sampled_from(["12", "123456", "xyz1", "12 4", " 1234", "é12", "１２３４"]), max_size=6),
       st.integers(0, 2))  # fmt: skip
def test_a_column_of_hashes_taken_at_once_is_what_each_value_is_by_itself(values: list[str | None], cut: int) -> None:
    column = pa.array([None, "ABCD", *values], pa.string()).slice(cut)
    taken, expected = hex_column(column, 4), by_pattern(column.to_pylist(), 4)
    assert taken is None or taken.to_pylist() == expected
    if all(value in (None, "") or re.fullmatch("[0-9a-fA-F]{4}", value) for value in column.to_pylist()):
        assert taken is not None
    assert _hex_column(column.to_pylist(), "four", 4)[0].to_pylist() == expected
