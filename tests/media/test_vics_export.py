"""What goes out as VICS says what is known and no more; what was received goes out again as it came."""

import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.cli.vics import export_vics
from casewright.engine.query import Reader
from casewright.media import vics_case
from casewright.media.decisions import Decision, by_content
from casewright.media.listing import read_list
from casewright.media.vics_again import Edit, changed, decided_entries, list_named, pieces, write_list
from casewright.media.vics_case import Exported, write_case
from casewright.model.errors import BrokenSeal, Missing, Refused, UsageError
from casewright.model.settings import CaseSettings, Settings
from casewright.model.tables import TABLES
from casewright.model.vics import DIALECT
from casewright.vault.case import Case
from casewright.vault.disk import writing_atomically
from tests.command import casewright
from tests.media.test_lists import FIELDS, cut, rows
from tests.refer.world import write_tables
from tests.world import digests_of

NL = "x/2.0.xml/NL/$metadata#Media"
SETTINGS = Settings(case=CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example", "MCU-1"))
TIME = "2026-01-02T03:04:05.678900Z"
PDQ = "f" * 32 + "0" * 32
MEMBERS = FIELDS.filter(lambda fields: not {"Category", "DateUpdated"} & fields.keys())


def decision(content: bytes, category: str | None = "5", dialect: str = NL, why: str = "seen", **more: Any) -> Decision:
    return Decision(digests_of(content).sha256, category, dialect, "R. Example", why, **more)


def reader_over(folder: Path, **tables: list[dict[str, Any]]) -> Reader:
    folder.mkdir(exist_ok=True)
    write_tables({name: TABLES[name].rows(rows) for name, rows in tables.items()}, folder / "tables")
    return Reader(folder / "tables")


# a received list


def again(raw: bytes, which: Mapping[int, Decision]) -> bytes:
    """The list again, with decisions on some of its rows."""
    edits = [Edit(r["span_start"], r["span_length"], which[r["row"]]) for r in rows(raw) if r["row"] in which]
    return b"".join(pieces(io.BytesIO(raw), edits))


def exact(raw: bytes) -> list[tuple[str, Any]]:
    """The members of an object in order, repeated ones too; numbers as they are written."""
    found: list[tuple[str, Any]] = json.loads(
        raw, object_pairs_hook=lambda pairs: pairs, parse_int=str, parse_float=str
    )
    return found


@settings(max_examples=150)
@given(st.lists(MEMBERS, min_size=1, max_size=6), st.sets(st.integers(1, 6)), st.sampled_from([None, 1]), st.booleans(),
       st.sampled_from(["5", "05", "x", "9" * 30]), st.booleans())  # fmt: skip
def test_a_list_goes_out_as_it_came_but_for_what_was_decided(
    media: list[dict[str, Any]], which: set[int], indent: int | None, old: bool, category: str, named: bool
) -> None:
    value = [{**fields, **({"Category": n} if named else {})} for n, fields in enumerate(media)]
    name, whole = ("odata.metadata" if old else "@odata.context"), value if old else [{"CaseID": 1.0, "Media": value}]
    raw = json.dumps({name: NL, "value": whole, "more": [1.0, 1e5]}, indent=indent).encode()
    fresh = again(raw, dict.fromkeys(which, decision(b"", category, time=TIME)))
    before, after = rows(raw), rows(fresh)
    assert len(before) == len(after) == len(media)
    for one, other in zip(before, after, strict=True):
        if one["row"] not in which:
            assert cut(raw, one) == cut(fresh, other)
            continue
        members = exact(cut(fresh, other))
        untouched = [m for m in exact(cut(raw, one)) if m[0] != "Category"]
        assert [m for m in members if m[0] not in ("Category", "DateUpdated")] == untouched
        assert (str(dict(members)["Category"]), dict(members)["DateUpdated"]) == (category, TIME)
    assert _between(raw, before) == _between(fresh, after)


def _between(raw: bytes, found: list[dict[str, Any]]) -> list[bytes]:
    """What stands around the entries."""
    edges = [0, *(at for r in found for at in (r["span_start"], r["span_start"] + r["span_length"])), len(raw)]
    return [raw[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.parametrize(
    ("record", "after"),
    [
        (b'{"Category": 1, "N": 1.0, "B": 10e400, "Z": -0}', b'{"Category": 5, "N": 1.0, "B": 10e400, "Z": -0}'),
        (b'{ "Category" :\t"1" , "N":123456789012345678901234567890}',
         b'{ "Category" :\t"5" , "N":123456789012345678901234567890}'),
        (b'{"Category":null,"MediaFiles":[{"Category":1}]}', b'{"Category":5,"MediaFiles":[{"Category":1}]}'),
        (b'{"Cat\\u0065gory": 1, "Category": 2}', b'{"Cat\\u0065gory": 5, "Category": 5}'),
        (b'{"Comments": "\\ud800 \\"Category\\": 1 }"}', b'{"Comments": "\\ud800 \\"Category\\": 1 }", "Category": 5}'),
        (b"{ }", b'{ "Category": 5}'),
        (b'{"a": ' + b"1" * 5000 + b"}", b'{"a": ' + b"1" * 5000 + b', "Category": 5}'),
    ],
)  # fmt: skip
def test_fields_that_were_not_decided_stay_as_they_are_written(record: bytes, after: bytes) -> None:
    assert changed(record, decision(b"")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"\\/Date(1)\\/"', b'"\\/Date(1767323045679)\\/"'), (b'"/Date(1)/"', b'"/Date(1767323045679)/"'),
        (b'"2020-01-01"', b'"' + TIME.encode() + b'"'), (b"null", b'"' + TIME.encode() + b'"'),
    ],
)  # fmt: skip
def test_the_time_of_a_decision_is_written_as_the_list_writes_times(before: bytes, after: bytes) -> None:
    record = b'{"Category": 1, "DateUpdated": %b}'
    assert changed(record % before, decision(b"", time=TIME)) == (b'{"Category": 5, "DateUpdated": %b}' % after)


HIT = {"span_start": 7, "span_length": 2, "dialect": NL, "row": 1}


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        ([decision(b"a", None, verdict="judged positive")], "no category"),
        ([decision(b"a", dialect="x/2.0.xml/US/$metadata#Media")], "decided in the dialect x/2.0.xml/US/"),
        ([decision(b"a", dialect="x/1.3.xml/NL/$metadata#Media")], "decided in the dialect x/1.3.xml/NL/"),
        ([decision(b"a", "1"), decision(b"b", "2")], "decided otherwise"),
    ],
)
def test_a_decision_that_does_not_fit_the_list_is_named_and_changes_nothing(
    decided: list[Decision], words: str
) -> None:
    hits = [{**HIT, "sha256": digests_of(content).sha256} for content in (b"a", b"b", b"c")]
    edits, left = decided_entries(hits, by_content(decided))
    assert edits == []
    assert len(left) == 1
    assert words in left[0]


def test_a_case_file_and_a_hash_set_of_one_dialect_share_their_categories() -> None:
    hits = [{**HIT, "sha256": digests_of(b"a").sha256}]
    edits, left = decided_entries(hits, by_content([decision(b"a", dialect=NL.replace("Media", "Cases"))]))
    assert (len(edits), left) == (1, [])


def listed_case(folder: Path, raw: bytes) -> tuple[Reader, dict[str, Any]]:
    """A case that has this list, and a medium whose MD5 is that of its entries."""
    entries = [{"entry": f"e{r['row']}", "exhibit": "x", "path": b"", "list": "l", "dialect": NL, "row": r["row"],
                "span_start": r["span_start"], "span_length": r["span_length"]} for r in rows(raw)]  # fmt: skip
    reader = reader_over(
        folder, list_entries=entries, items=[{"item": "i", "sha256": digests_of(b"a").sha256}],
        exhibit_files=[{"exhibit": "x", "role": "list", "position": 0, "path": b"", "name": "l",
                        "sha256": digests_of(raw).sha256}],
        media_matches=[{"item": "i", "entry": "e2", "method": "md5", "distance": 0}],
    )  # fmt: skip
    return reader, list_named(reader, "l")


RAW = json.dumps({"odata.metadata": NL, "value": [{"MediaID": n, "Category": 1, "x": 1.0} for n in range(3)]}).encode()


def test_the_entry_that_a_decided_medium_is_on_is_changed_in_the_sealed_list(tmp_path: Path) -> None:
    reader, listed = listed_case(tmp_path, RAW)
    sink = io.BytesIO()
    said = write_list(reader, listed, by_content([decision(b"a", "5")]), io.BytesIO(RAW), sink)
    assert (said.entries, said.changed, said.left) == (3, 1, [])
    assert sink.getvalue() == RAW.replace(b'"MediaID": 1, "Category": 1', b'"MediaID": 1, "Category": 5')


def test_a_list_whose_bytes_have_changed_or_that_is_no_vics_is_not_handed_on(tmp_path: Path) -> None:
    reader, listed = listed_case(tmp_path, RAW)
    with pytest.raises(BrokenSeal):
        write_list(reader, listed, {}, io.BytesIO(RAW.replace(b"1.0", b"1.1")), io.BytesIO())
    with pytest.raises(Refused):
        write_list(reader, listed, {}, io.BytesIO(b"MD5\n"), io.BytesIO())
    with pytest.raises(Missing):
        list_named(reader, "another")


# the case


def case_of(folder: Path, media: list[dict[str, Any]], **tables: list[dict[str, Any]]) -> Reader:
    """A case of these media; each is an item whose content is its `content`."""
    items = []
    for number, one in enumerate(media):
        found = digests_of(one["content"])
        items.append({
            "item": f"i{number}", "exhibit": "disk", "path": one.get("path", b"a/b.jpg"), "origin": "live",
            "size": found.size, "sha256": found.sha256, "sha1": found.sha1, "md5": found.md5, "mime": "image/jpeg",
            **one.get("item", {}),
        })  # fmt: skip
    made = [{"item": f"i{n}", "kind": "picture", "pdq": PDQ, "pdq_quality": 100, **m.get("medium", {})}
            for n, m in enumerate(media)]  # fmt: skip
    return reader_over(folder, items=items, media=made, **tables)


def exported(reader: Reader, *decisions: Decision) -> tuple[dict[str, Any], list[dict[str, Any]], Exported]:
    sink = io.BytesIO()
    said = write_case(reader, SETTINGS, by_content(decisions), sink)
    assert sink.getvalue().isascii()
    assert not set(b"<>&") & set(sink.getvalue())
    document = json.loads(sink.getvalue())
    list(read_list(io.BytesIO(sink.getvalue()), "our own"))
    return document, document["value"][0]["Media"], said


def test_a_medium_says_what_is_known_of_all_its_copies(tmp_path: Path) -> None:
    when = datetime(2018, 1, 2, 3, 4, 5)
    copy = {"modified": when, "deleted": True, "origin": "unallocated"}
    reader = case_of(tmp_path, [
        {"content": b"one", "path": b"z/two.jpg", "item": copy}, {"content": b"other", "medium": {"pdq_quality": 49}},
        {"content": b"one", "path": b"a/one.jpg",
         "medium": {"camera": "Invented 5", "taken_at": "2018:01:01 00:00:00"}},
    ])  # fmt: skip
    document, media, said = exported(reader)
    one = next(m for m in media if len(m["MediaFiles"]) == 2)
    other = next(m for m in media if m is not one)
    assert (said.media, said.copies, said.categories) == (2, 3, 0)
    assert document["@odata.context"] == DIALECT + "$metadata#Cases"
    about = {k: v for k, v in document["value"][0].items() if k not in ("Media", "CaseID", "SourceApplicationVersion")}
    assert about == {
        "CaseNumber": "MCU-1", "SourceApplicationName": "Casewright", "ContactOrganization": "Museum Crimes Unit",
        "ContactName": "R. Example", "TotalMediaFiles": 2,
        "CaseMetadata": [{"PropertyName": "Title", "PropertyValue": "Glasshouse"}],
    }  # fmt: skip
    found = digests_of(b"one")
    assert (one["MD5"], one["SHA1"]) == (found.md5.upper(), found.sha1.upper())
    assert (one["Category"], one["MediaSize"], one["RelativeFilePath"]) == (None, 3, "a\\one.jpg")
    assert one["AlternativeHashes"] == [{"HashName": "SHA256", "HashValue": found.sha256.upper()},
                                        {"HashName": "PDQ", "HashValue": PDQ}]  # fmt: skip
    assert [e["PropertyValue"] for e in one["Exifs"]] == ["Invented 5", "2018:01:01 00:00:00"]
    assert one["MediaFiles"][1] == {
        "MD5": found.md5.upper(), "FileName": "two.jpg", "FilePath": "z\\two.jpg", "Written": "2018-01-02T03:04:05Z",
        "Unallocated": True, "Deleted": True, "SourceID": "disk",
    }  # fmt: skip
    assert "Written" not in one["MediaFiles"][0]
    assert [h["HashName"] for h in other["AlternativeHashes"]] == ["SHA256"]  # its PDQ decides nothing


def matched(*pairs: tuple[str, str, str | None, str]) -> dict[str, list[dict[str, Any]]]:
    """The first medium's matches: method, list, category and dialect of each entry."""
    entries = [{"entry": f"e{n}", "list": name, "native": f"n{n}", "category": category, "dialect": dialect}
               for n, (_, name, category, dialect) in enumerate(pairs)]  # fmt: skip
    found = [{"item": "i0", "entry": f"e{n}", "method": method, "distance": 0 if method in ("md5", "sha1") else 12}
             for n, (method, *_) in enumerate(pairs)]  # fmt: skip
    return {"list_entries": entries, "media_matches": found}


US = "x/2.0.xml/US/$metadata#Media"


@pytest.mark.parametrize(
    ("pairs", "category", "words"),
    [
        ([("md5", "l", "2", NL)], 2, "its md5 is that of entry n0 of the list l: category 2 in the dialect x/2.0"),
        ([("md5", "l", "02", NL)], "02", "category 02"),
        ([("md5", "l", None, NL)], None, "no category"),
        ([("md5", "l", "2", NL), ("sha1", "m", "2", NL)], 2, "entry n1 of the list m"),
        ([("md5", "l", "2", NL), ("sha1", "m", "3", NL)], None, "category 3"),
        ([("md5", "l", "2", NL), ("sha1", "m", None, NL)], None, "no category"),
        ([("md5", "l", "2", NL), ("sha1", "m", "2", US)], 2, "category 2 in the dialect x/2.0.xml/US/"),
        ([("pdq", "l", "2", NL)], None, "lead, no verdict: it is 12 of 256 bits from entry n0 of the list l"),
        ([("frames", "l", "2", NL)], None, "lead, no verdict: its frames are up to 12 of 256 bits from entry n0"),
        ([("md5", "l", "2", "icse csv")], None, "category 2 in the dialect icse csv"),
        ([("md5", "l", "2", NL.replace("2.0", "1.3"))], None, "category 2 in the dialect x/1.3.xml/NL/"),
    ],
)
def test_a_category_is_an_exact_match_s_own_in_the_document_s_dialect_and_never_translated(
    tmp_path: Path, pairs: list[tuple[str, str, str | None, str]], category: Any, words: str
) -> None:
    document, media, said = exported(case_of(tmp_path, [{"content": b"one"}], **matched(*pairs)))
    assert media[0]["Category"] == category
    assert said.categories == (category is not None)
    assert media[0].get("IsPrecategorized") == (True if category is not None else None)
    assert words in media[0]["Comments"]
    if category is not None:
        assert document["@odata.context"] == "x/2.0.xml/NL/$metadata#Cases"


def test_an_entry_that_is_found_exactly_is_not_told_as_a_near_one_and_only_so_many_are_told(tmp_path: Path) -> None:
    found = matched(("md5", "l", "2", NL))
    found["media_matches"].append({"item": "i0", "entry": "e0", "method": "pdq", "distance": 0})
    _, media, _ = exported(case_of(tmp_path / "a", [{"content": b"one"}], **found))
    assert "lead" not in media[0]["Comments"]
    _, media, _ = exported(case_of(tmp_path / "b", [{"content": b"x"}], **matched(*[("pdq", "l", "1", NL)] * 25)))
    assert media[0]["Comments"].endswith("; and 5 matches more")


def test_a_decision_goes_out_in_its_dialect_and_in_words_where_the_document_has_another(tmp_path: Path) -> None:
    reader = case_of(tmp_path, [{"content": b"one"}], **matched(("md5", "l", "2", NL)))
    _, media, _ = exported(reader, decision(b"one", "1", why="seen twice", time=TIME))
    assert (media[0]["Category"], media[0]["IsPrecategorized"], media[0]["DateUpdated"]) == (1, False, TIME)
    assert (
        "decided as category 1 in the dialect x/2.0.xml/NL/$metadata#Media by R. Example: seen twice"
        in media[0]["Comments"]
    )
    _, media, _ = exported(reader, decision(b"one", "1", dialect=US))
    assert media[0]["Category"] == 2
    _, media, _ = exported(reader, decision(b"one", None, verdict="judged unsure"))
    assert media[0]["Category"] == 2
    assert "judged unsure by R. Example: seen" in media[0]["Comments"]


HOSTILE = [b'a/"},{"MediaID":666}.jpg', b"a/<script>alert(1)</script>&.jpg", "a/\u202egpj.exe".encode(),
           b"a/\xff\xfe.jpg", b"a/..\\..\\x.jpg", b"a/\x1b[2J\n\0.jpg", b"\xed\xa0\x80"]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_names_are_inert_and_their_bytes_are_not_lost(tmp_path: Path, path: bytes) -> None:
    reader = case_of(tmp_path, [{"content": b"one", "path": path, "medium": {"camera": "<b>\u202e"}}])
    _, media, _ = exported(reader, decision(b"one", "\ud800", why="\ud800 </script>"))
    assert len(media) == 1
    named = media[0]["MediaFiles"][0]["FilePath"]
    assert named.isprintable()
    assert path.hex() in media[0]["Comments"] or named.replace("\\", "/").encode() == path


def test_contents_are_written_some_at_a_time_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = case_of(tmp_path, [{"content": bytes([n])} for n in range(40)], **matched(("md5", "l", "2", NL)))
    whole = exported(reader)
    monkeypatch.setattr(vics_case, "AT_ONCE", 3)
    monkeypatch.setattr(vics_case, "ROWS", 2)
    assert exported(reader) == whole
    ids = [m["AlternativeHashes"][0]["HashValue"] for m in whole[1]]
    assert ids == sorted(ids)
    assert len(ids) == 40


def test_frames_of_a_video_go_out_and_come_in_again(tmp_path: Path) -> None:
    frames = [{"item": "i0", "second": s, "pdq": PDQ, "pdq_quality": q} for s, q in ((0.0, 90), (1.5, 90), (2.0, 9))]
    video = {"content": b"one", "medium": {"kind": "video", "pdq": None, "pdq_quality": None}}
    sink = io.BytesIO()
    write_case(case_of(tmp_path, [video], media_frames=frames), SETTINGS, {}, sink)
    assert rows(sink.getvalue())[0]["pdq"] == [PDQ, PDQ]


def test_the_demo_s_case_is_read_again_with_the_same_hashes_and_categories(copy: Path, tmp_path: Path) -> None:
    case, out = Case(copy), tmp_path / "case.json"
    with case.writing():
        said = export_vics(case, out, None)
    found = {row["sha256"]: row for row in rows(out.read_bytes())}
    with Reader(copy / "tables") as reader:
        held = reader.rows("SELECT DISTINCT sha256, sha1, md5 FROM media JOIN items USING (item)")
        known = reader.rows(
            "SELECT DISTINCT i.sha256, x.category FROM media_matches x JOIN items i USING (item) "
            "WHERE method IN ('sha256', 'sha1', 'md5')"
        )
    assert {(r["sha256"], r["sha1"], r["md5"]) for r in found.values()} == {tuple(r.values()) for r in held}
    assert {s: r["category"] for s, r in found.items() if r["category"]} == {r["sha256"]: r["category"] for r in known}
    assert said["categories"] == len(known) > 10
    assert case.ledger.events("exported")[0].data["sha256"] == digests_of(out.read_bytes()).sha256
    with case.writing():
        export_vics(case, tmp_path / "again.json", None)
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()


def test_a_received_list_of_the_demo_goes_out_byte_for_byte(copy: Path, tmp_path: Path) -> None:
    case, out = Case(copy), tmp_path / "list.json"
    with case.writing():
        said = export_vics(case, out, "knowns.vics.json")
        with pytest.raises(UsageError):
            export_vics(case, out, None)
        with pytest.raises(Missing):
            export_vics(case, tmp_path / "other.json", "no such list")
    assert not (tmp_path / "other.json").exists()
    assert out.read_bytes() == (copy / "seizure" / "knowns.vics.json").read_bytes()
    assert (said["entries"], said["changed"]) == (334, 0)


KNOWN = """
SELECT i.item, i.sha256, e.row, e.category
FROM media_matches x JOIN items i USING (item) JOIN list_entries e USING (entry)
WHERE x.method IN ('sha256', 'sha1', 'md5') ORDER BY e.row LIMIT 1
"""


def test_a_category_that_was_decided_goes_out_in_the_list_and_in_the_case(copy: Path, tmp_path: Path) -> None:
    case, again, whole = str(copy), tmp_path / "list.json", tmp_path / "case.json"
    with Reader(copy / "tables") as reader:
        known = reader.rows(KNOWN)[0]
    fresh = "77" if known["category"] != "77" else "78"
    judge = ["triage", case, "--judge", f"{known['item']}=positive", "--why", "looked at it", "--category", fresh]
    said = json.loads(casewright(*judge, "--vics", str(again), "--of", "knowns.vics.json", "--json").stdout)["vics"]
    assert (said["entries"], said["changed"], said["left"]) == (334, 1, [])
    before, after = rows((copy / "seizure" / "knowns.vics.json").read_bytes()), rows(again.read_bytes())
    assert [r["row"] for r, s in zip(before, after, strict=True) if r["category"] != s["category"]] == [known["row"]]
    assert after[known["row"] - 1]["category"] == fresh
    json.loads(casewright("triage", case, "--vics", str(whole), "--json").stdout)
    found = [r for r in json.loads(whole.read_bytes())["value"][0]["Media"] if r["Category"] == int(fresh)]
    assert [r["AlternativeHashes"][0]["HashValue"] for r in found] == [known["sha256"].upper()]
    assert found[0]["DateUpdated"] == Case(copy).ledger.events("judgement")[-1].time
    assert "judged positive as category" in found[0]["Comments"]
    assert casewright("triage", case, "--category", fresh).returncode == 2
    assert casewright("verify", case).returncode == 0


def test_a_file_that_could_not_be_written_to_its_end_is_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        with writing_atomically(tmp_path / "out") as file:
            file.write(b"half")
            raise ValueError("stopped")

    with pytest.raises(ValueError, match="stopped"):
        fail()
    assert list(tmp_path.iterdir()) == []
