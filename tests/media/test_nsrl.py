"""Media that NSRL has need no look: they leave the worklist, and a row says why. A list of known media comes first."""

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.media.nsrl import Harmless, look_up
from casewright.model.errors import Refused
from tests.command import casewright
from tests.kernels.test_pdq import scene
from tests.media.test_media import encoded
from tests.world import digests_of

FILE = """CREATE TABLE FILE (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL,
    crc32 VARCHAR NOT NULL, file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL{})"""
KEYED = FILE.format(", PRIMARY KEY (sha256, sha1, md5, file_name, file_size, package_id)")
METADATA = (
    "CREATE TABLE METADATA (object_id INTEGER, file_name VARCHAR, sha256 VARCHAR, sha1 VARCHAR, md5 VARCHAR);"
    "CREATE VIEW FILE AS SELECT sha256, sha1, md5, '' AS crc32, file_name, 1 AS package_id FROM METADATA;"
)
Digests = tuple[str, str, str]


def invented(number: int) -> Digests:
    found = digests_of(b"invented %d" % number)
    return found.sha256, found.sha1, found.md5


def database(folder: Path, schema: str, rows: list[Digests]) -> Path:
    """An invented release: digests in upper case, each file twice, in two packages."""
    path = folder / "rds.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as base:
        base.executescript(schema)
        for number, digests in enumerate(rows):
            upper = [d.upper() for d in digests]
            if "METADATA" in schema:
                base.execute("INSERT INTO METADATA VALUES (?, ?, ?, ?, ?)", [number, f"f{number}.png", *upper])
            else:
                named = [(*upper, "", f"f{number}.png", 7, package) for package in (1, 2)]
                base.executemany("INSERT INTO FILE VALUES (?, ?, ?, ?, ?, ?, ?)", named)
    base.close()
    return path


def looked_up(raw: bytes, items: dict[str, Digests]) -> list[Harmless]:
    return look_up(io.BytesIO(raw), "rds", [(item, *digests) for item, digests in items.items()], lambda: None)


@pytest.mark.parametrize("schema", [KEYED, FILE.format(""), METADATA], ids=["keyed", "without a key", "a view"])
def test_what_the_database_has_is_found_by_its_strongest_digest(schema: str, tmp_path: Path) -> None:
    raw = database(tmp_path, schema, [invented(n) for n in range(300)]).read_bytes()
    found = looked_up(raw, {"a": invented(5), "b": invented(999), "c": invented(5), "d": invented(299)})
    assert [(f.item, f.method, f.name) for f in found] == [
        ("a", "sha256", "f5.png"), ("c", "sha256", "f5.png"), ("d", "sha256", "f299.png"),
    ]  # fmt: skip
    assert (found[0].row is None) == (schema is METADATA)


def test_an_item_of_which_another_digest_disagrees_is_not_harmless(tmp_path: Path) -> None:
    ours, other = invented(1), invented(2)
    raw = database(tmp_path, KEYED, [(ours[0], ours[1], other[2])]).read_bytes()
    assert looked_up(raw, {"a": ours}) == []


@pytest.mark.parametrize("schema", ["CREATE TABLE notes (text)", "CREATE TABLE FILE (name, size)", ""])
def test_a_database_of_another_kind_is_refused(schema: str, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as base:
        base.executescript(schema + "; CREATE TABLE more (x)")
    with pytest.raises(Refused, match="no RDSv3"):
        looked_up(path.read_bytes(), {"a": invented(1)})


def test_a_view_without_end_is_ended(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("casewright.media.nsrl.MOST_BEATS", 3)
    endless = """CREATE VIEW FILE AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
                 SELECT x AS sha256, x AS sha1, x AS md5 FROM n"""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as base:
        base.executescript(endless)
    with pytest.raises(Refused, match="interrupted"):
        looked_up(path.read_bytes(), {"a": invented(1)})


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return database(tmp_path_factory.mktemp("rds"), KEYED, [invented(n) for n in range(100)]).read_bytes()


@settings(max_examples=150)
@given(st.data())
def test_a_database_that_is_cut_or_damaged_is_refused_or_read_and_never_more(small: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(small) - 1) | st.integers(0, 200))
    damaged = small[:at] + data.draw(st.binary(min_size=1, max_size=3)) + small[at + 3 :]
    for raw in (damaged, small[:at]):
        try:
            found = looked_up(raw, {"a": invented(5), "b": invented(999)})
        except Refused:
            continue
        assert {f.item for f in found} <= {"a"}


@pytest.mark.slow
def test_harmless_media_leave_the_worklist_and_listed_ones_stay(tmp_path: Path) -> None:
    """The whole way, in the sandbox."""
    source, case = tmp_path / "source", str(tmp_path / "case")
    source.mkdir()
    pictures = {
        name: encoded(scene(200 + 40 * n, 260).rotate(23 * n)) for n, name in enumerate(["one", "two", "three"])
    }
    for name, raw in pictures.items():
        (source / f"{name}.jpg").write_bytes(raw)
    digests = {name: digests_of(raw) for name, raw in pictures.items()}
    rds = database(tmp_path, KEYED, [(d.sha256, d.sha1, d.md5) for n, d in digests.items() if n != "three"])
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps({"value": [{"MediaID": 1, "Category": 2, "MD5": digests["two"].md5.upper()}]}))
    done(["new", case, "--title", "T", "--agency", "A", "--examiner", "E"])
    done(["intake", case, str(source)])
    done(["triage", case, "--list", str(rds), "--list", str(listed)])
    work = rows(case, "SELECT i.name, w.state, w.reason FROM worklist w JOIN items i USING (item) ORDER BY rank")
    assert [(r["name"].rpartition("/")[2], r["state"]) for r in work] == [("three.jpg", "new"), ("two.jpg", "known")]
    assert "harmless says rds.db, which does not agree" in work[1]["reason"]
    assert rows(case, "SELECT list, method, name FROM harmless ORDER BY name") == [
        {"list": "rds.db", "method": "sha256", "name": "f0.png"},
        {"list": "rds.db", "method": "sha256", "name": "f1.png"},
    ]
    tally = rows(case, "SELECT received, done, nothing FROM tallies WHERE noun = 'distinct media'")
    assert tally == [{"received": 3, "done": 2, "nothing": 1}]
    harmless = rows(case, "SELECT id FROM harmless ORDER BY id")[0]["id"]
    assert done(["why", case, harmless])["steps"][0]["table"] == "harmless"


def done(arguments: list[str]) -> Any:
    ended = casewright(*arguments, "--json")
    assert ended.returncode == 0, (arguments, ended.stdout[-2000:], ended.stderr[-2000:])
    return json.loads(ended.stdout)


def rows(case: str, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = done(["query", case, sql])["rows"]
    return found
