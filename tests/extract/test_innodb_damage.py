"""Tablespaces as they are found: cut off, with pages overwritten, or changed by someone who knows how sums are made."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewright.extract.reader import FREED, Piece
from casewright.extract.readers.innodb import read_innodb
from tests.extract.beside import Files
from tests.extract.mariadb_server import Server
from tests.extract.tablespaces import broken_of, pieces_of, rows_of, summed

PAGE = 16384
CREATE = """CREATE TABLE t (id int PRIMARY KEY, a varchar(30) NOT NULL, d datetime, e enum('x','y'), m decimal(12,3),
b longblob, c text, KEY (a))"""
FILL = """INSERT INTO t SELECT seq, concat('nick-', seq), '2019-01-02 03:04:05', 1 + seq % 2, seq / 7,
repeat('q', if(seq % 90, 9, 30000)), repeat('text ', seq % 60) FROM seq_1_to_600"""


@pytest.fixture(scope="module")
def sound(mariadb: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    mariadb.sql(f"DROP TABLE IF EXISTS t; {CREATE}; {FILL}")
    with mariadb.looked_at():
        mariadb.sql("DELETE FROM t WHERE id % 10 = 3")
        return mariadb.copied("t", folder)


def read(path: Path, raw: bytes) -> list[Piece]:
    return list(read_innodb(io.BytesIO(raw), Files(path)))


def test_a_page_whose_sum_does_not_hold_is_set_aside_and_the_others_are_read(sound: Path) -> None:
    raw, whole = sound.read_bytes(), rows_of(pieces_of(sound))
    for page in range(len(raw) // PAGE):
        changed = bytearray(raw)
        changed[page * PAGE + 9000] ^= 0x40
        pieces = read(sound, bytes(changed))
        if any(raw[page * PAGE : (page + 1) * PAGE]):
            assert (page * PAGE, PAGE) in [(b.span_start, b.span_length) for b in broken_of(pieces)]
        found = rows_of(pieces)
        kept = [row for row in whole if row in found]
        assert sorted(found, key=str) == sorted(kept, key=str)
        assert len(found) >= len(whole) - 400


def test_a_page_inside_the_tree_that_is_lost_costs_no_row(sound: Path) -> None:
    raw, whole = sound.read_bytes(), rows_of(pieces_of(sound))
    inside = [at for at in range(0, len(raw), PAGE) if raw[at + 24 : at + 26] == b"\x45\xbf" and raw[at + 65]]
    changed = bytearray(raw)
    changed[inside[0] + 200] ^= 1
    pieces = read(sound, bytes(changed))
    assert [b.span_start for b in broken_of(pieces)] == [inside[0]]
    assert rows_of(pieces) == whole


@pytest.mark.parametrize("left", [0, 10, 200, 4 * PAGE, 6 * PAGE + 700])
def test_a_file_that_is_cut_off_says_where_and_gives_what_is_there(sound: Path, left: int) -> None:
    whole, pieces = rows_of(pieces_of(sound)), read(sound, sound.read_bytes()[:left])
    assert broken_of(pieces)
    found = rows_of(pieces)
    assert found == [row for row in whole if row in found]
    if left > PAGE:
        assert any(b.reason == "truncated" for b in broken_of(pieces))


def test_without_a_definition_beside_it_a_tablespace_says_what_is_needed(sound: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.ibd"
    alone.write_bytes(sound.read_bytes())
    (told,) = broken_of(pieces_of(alone))
    assert "alone.frm or alone.sql" in told.detail


def test_a_definition_that_is_another_tables_gives_no_rows(sound: Path, tmp_path: Path) -> None:
    for wrong in ("id int PRIMARY KEY, a text", "id bigint PRIMARY KEY, a varchar(30) NOT NULL, c text",
                  "a varchar(30), id int, d datetime"):  # fmt: skip
        (tmp_path / "t.ibd").write_bytes(sound.read_bytes())
        (tmp_path / "t.sql").write_text(f"CREATE TABLE t ({wrong}) DEFAULT CHARSET=utf8mb4;\n")
        pieces = pieces_of(tmp_path / "t.ibd")
        assert not rows_of(pieces)
        assert not rows_of(pieces, FREED)
        assert any("definition" in b.detail for b in broken_of(pieces))


def changed_and_summed(raw: bytes, dice: random.Random) -> bytes:
    """Some bytes of one page changed, most of them where heads and lists are, and the page's sum made anew."""
    page = dice.randrange(len(raw) // PAGE) * PAGE
    changed = bytearray(raw[page : page + PAGE])
    for _ in range(dice.randint(1, 8)):
        at = dice.choice((dice.randrange(38, 120), dice.randrange(100, 400), dice.randrange(PAGE)))
        changed[at] = dice.choice((0, 0xFF, dice.randrange(256)))
    return raw[:page] + summed(bytes(changed)) + raw[page + PAGE :]


@given(st.integers(0, 1 << 32))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_changed_by_someone_who_makes_their_sums_anew_end_in_rows_or_reasons(sound: Path, seed: int) -> None:
    read(sound, changed_and_summed(sound.read_bytes(), random.Random(seed)))


def _looped(page: bytes) -> bytes:
    return page[:97] + (0).to_bytes(2, "big") + page[99:]


def _root_in_itself(page: bytes) -> bytes:
    return page.replace((4).to_bytes(4, "big"), (3).to_bytes(4, "big"))


@pytest.mark.parametrize("change", [_looped, _root_in_itself])
def test_lists_and_trees_that_go_round_come_to_an_end(sound: Path, change: Callable[[bytes], bytes]) -> None:
    raw = sound.read_bytes()
    for at in range(3 * PAGE, len(raw), PAGE):
        read(sound, raw[:at] + summed(change(raw[at : at + PAGE])) + raw[at + PAGE :])


@given(st.integers(0, 1 << 32))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_definition_ends_in_rows_or_reasons(sound: Path, tmp_path: Path, seed: int) -> None:
    dice, frm = random.Random(seed), bytearray(sound.with_suffix(".frm").read_bytes())
    for _ in range(dice.randint(1, 6)):
        frm[dice.randrange(len(frm))] = dice.randrange(256)
    (tmp_path / "t.frm").write_bytes(frm[: dice.choice((len(frm), dice.randrange(len(frm))))])
    list(read_innodb(io.BytesIO(sound.read_bytes()), Files(tmp_path / "t.ibd")))
