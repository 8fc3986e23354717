"""The stage that looks for selectors: what its rows say, which items it is given, and what never reaches them."""

import io

import pyarrow as pa
import pytest
from PIL import Image

from casewright.engine.stage import Context, Output
from casewright.extract import selector_stage
from casewright.extract.selector_stage import SELECTORS
from casewright.model.settings import ExtractSettings, Settings
from tests.extract.selector_texts import ADDRESS, OLD_WIF, WIF, WIF_STANDS_FOR, XPRV, XPUB
from tests.world import context, rows_of

Row = dict[str, object]


def world(*contents: bytes, offset: int = 0, zone: str = "UTC") -> Context:
    params = SELECTORS.params(Settings(extract=ExtractSettings(clock_offset_seconds=offset, assumed_zone=zone)))
    items = [
        {"item": f"item-{n}", "sha256": sha, "size": len(raw), "mime": "text/plain", "origin": "live"}
        for n, raw in enumerate(contents)
        for sha in [context({}, [raw], {}).blobs.held.popitem()[0]]  # type: ignore[attr-defined]
    ]
    return context({"items": items}, list(contents), dict(params))


def table_of(*contents: bytes, offset: int = 0, zone: str = "UTC") -> pa.Table:
    made = world(*contents, offset=offset, zone=zone)
    outputs: list[Output] = list(SELECTORS.work(made.table("items"), made))
    return pa.concat_tables([output.tables["selectors"] for output in outputs])


def rows(*contents: bytes, offset: int = 0, zone: str = "UTC") -> list[Row]:
    return rows_of(table_of(*contents, offset=offset, zone=zone))


LINES = [
    (b'192.0.2.7 - - [05/Mar/2018:10:11:12 +0100] "GET /"', "2018-03-05 09:11:12", "log, its own +01:00"),
    (b"2018-03-05T10:11:12.250Z login from 192.0.2.7", "2018-03-05 10:11:12.250000", "text, its own Z"),
    (b"2018/03/05 10:11:12 [error] client: 192.0.2.7", "2018-03-05 09:11:12", "text, taken as Europe/Berlin"),
    (b"192.0.2.7 came on Monday", "None", None),
    (b"192.0.2.7 2018-13-45 10:11:12", "None", None),
    (b"(1,'2017-01-01 00:00:00','x'),(2,'192.0.2.7',NULL),(3,'2019-01-01 00:00:00')", "None", None),
    (b"2017-01-01 00:00:00\n192.0.2.7\n2019-01-01 00:00:00", "None", None),
]


@pytest.mark.parametrize(("line", "time", "rule"), LINES)
def test_an_ip_address_has_the_time_of_its_line_and_the_rule_that_made_it_utc(
    line: bytes, time: str, rule: str | None
) -> None:
    (row,) = rows(line, zone="Europe/Berlin")
    assert (str(row["time"]), row["zone"]) == (time, rule)


def test_the_clock_of_the_seized_server_is_corrected_and_the_rule_says_so() -> None:
    (log, written) = (rows(line, offset=-30)[0] for line, _, _ in LINES[:2])
    assert (str(log["time"]), log["zone"]) == ("2018-03-05 09:10:42", "log, its own +01:00; clock -30 s")
    assert (str(written["time"]), written["zone"]) == ("2018-03-05 10:10:42.250000", "text, its own Z; clock -30 s")


def test_no_private_key_reaches_the_table_in_any_column() -> None:
    log = b"192.0.2.7 - - [05/Mar/2018:10:11:12 +0000] "
    texts = [f"{WIF}", f"{XPRV} {OLD_WIF}", f"http://example.org/{WIF}?k={XPRV}", f"{WIF}@example.org",
             f"sh(wpkh({XPRV}/0/*))", f"wpkh({WIF})", f"mailto:a@example.org?body={OLD_WIF}"]  # fmt: skip
    contents = [raw for text in texts for raw in (text.encode(), log + text.encode(), text.encode("utf-16-le"))]
    table = table_of(*contents)
    shown = repr(table.to_pydict()).encode()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    for secret in (WIF, OLD_WIF, XPRV):
        for part in (secret, secret[:20], secret[-20:]):
            assert part.encode() not in shown
            assert part.encode() not in sink.getvalue()
    values = {str(row["value"]) for row in rows_of(table)}
    assert {WIF_STANDS_FOR, XPUB} <= values
    assert any(value.startswith("http://example.org/1") for value in values)


def test_what_a_picture_says_about_itself_is_searched() -> None:
    picture, out = Image.effect_noise((400, 300), 90), io.BytesIO()
    exif = Image.Exif()
    exif[0x9286] = "scanned by curator@example.org"
    picture.save(out, "jpeg", exif=exif, comment=b"see http://example.org/plates")
    assert sorted(str(row["value"]) for row in rows(out.getvalue())) == [
        "curator@example.org", "http://example.org/plates",
    ]  # fmt: skip


def test_what_archives_hold_is_searched_as_items_of_their_own_and_pictures_are_items() -> None:
    for mime in ("application/zip", "application/x-tar", "application/x-vmdk-disk"):
        assert f"'{mime}'" in SELECTORS.where
    assert "image/" not in SELECTORS.where


def test_many_hits_in_one_item_are_all_rows_and_keep_their_order() -> None:
    raw = (ADDRESS.encode() + b" a@example.org 192.0.2.1\n") * 20_000
    table = table_of(raw, b"", b"nothing")
    assert table.num_rows == 60_000
    assert len(set(table["selector"].to_pylist())) == 60_000
    starts = table["span_start"].to_pylist()
    assert starts == sorted(starts)


def test_hits_beyond_what_one_part_holds_are_handed_over_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"".join(b"192.0.2.%d\n" % (n % 200) for n in range(1, 101))
    whole = table_of(text, b"198.51.100.7")
    monkeypatch.setattr(selector_stage, "AT_ONCE", 8)
    monkeypatch.setattr(selector_stage, "IN_ONE_PART", 16)
    made = world(text, b"198.51.100.7")
    outputs: list[Output] = list(SELECTORS.work(made.table("items"), made))
    assert [output.tables["selectors"].num_rows for output in outputs] == [16] * 6 + [5]
    assert [len(output.tallies) for output in outputs] == [0] * 6 + [1]
    assert pa.concat_tables([output.tables["selectors"] for output in outputs]).equals(whole)
