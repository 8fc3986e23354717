"""One site, in every form in which its database may be seized: the same accounts, addresses and uploads come out."""

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casewright.engine.stage import Context, Output
from casewright.evidence.kinds import kind_of
from casewright.extract.proposed import PROPOSAL
from casewright.extract.stages import STAGES
from tests.extract import postgres_server
from tests.world import context, digests_of, outputs_of, rows_of

FORMS = ("mysql", "plain", "custom", "sqlite")
ADDRESS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
TABLES = (
    "CREATE TABLE users (uid INTEGER PRIMARY KEY, nick VARCHAR(90), mail VARCHAR(90), joined INTEGER);",
    "CREATE TABLE coins (owner INTEGER, addr VARCHAR(90));",
    "CREATE TABLE files (fid INTEGER PRIMARY KEY, owner INTEGER, path VARCHAR(90), at INTEGER);",
)
ROWS = (
    *(f"INSERT INTO users VALUES ({n},'nick-{n}','nick-{n}@example.org',{1_500_000_000 + n});" for n in range(1, 40)),
    f"INSERT INTO coins VALUES (7,'{ADDRESS}');",
    *(f"INSERT INTO files VALUES ({n},{n % 39 + 1},'/scans/{n}.jpg',{1_510_000_000 + n});" for n in range(60)),
)
MAPPING = b"""format = 1
[accounts]
table = "users"
native = "uid"
username = "nick"
email = "mail"
registered_at = "joined"
[deposit_addresses]
table = "coins"
account = "owner"
address = "addr"
[uploads]
table = "files"
account = "owner"
time = "at"
reference = "path"
"""


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    found = {
        "mysql": ("-- MySQL dump\n" + "\n".join((*TABLES, *ROWS)) + "\n").encode(),
        "sqlite": in_sqlite(tmp_path_factory),
    }
    if postgres_server.programs() is not None:
        with postgres_server.running() as server:
            server.sql("\n".join((*TABLES, *ROWS)))
            found |= {"plain": server.run("pg_dump", "site"), "custom": server.run("pg_dump", "-Fc", "site")}
    return found


def in_sqlite(folder: pytest.TempPathFactory) -> bytes:
    path = folder.mktemp("forms") / "site.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    for statement in (*TABLES, *ROWS):
        connection.execute(statement)
    connection.execute("INSERT INTO files VALUES (99, 3, '/scans/gone-for-ever.jpg', 1520000000)")
    connection.execute("DELETE FROM files WHERE fid = 99")
    connection.close()
    return Path(path).read_bytes()


def world(raw: bytes) -> Context:
    item = {"item": "item-1", "exhibit": "e", "path": b"site", "name": "site", "volume": 0, "size": len(raw),
            "sha256": digests_of(raw).sha256, "mime": kind_of(raw[: 1 << 16], len(raw))}  # fmt: skip
    files = [{"exhibit": "m", "sha256": digests_of(MAPPING).sha256, "name": "m"}]
    return context({"items": [item], "mappings": files}, [raw, MAPPING],
                   {"assumed_zone": "UTC", "clock_offset_seconds": 0})  # fmt: skip


def outputs(made: Context) -> Iterator[Output]:
    for stage in STAGES:
        if stage.name not in ("accounts", "addresses", "record_files", "activity"):
            continue
        (output,) = outputs_of(stage.work(made.table(stage.over or "items"), made))
        made.tables = {**made.tables, **output.tables}
        yield output


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_accounts_addresses_and_uploads(forms: dict[str, bytes], form: str) -> None:
    if form not in forms:
        pytest.skip("PostgreSQL's server is not installed")
    made = world(forms[form])
    found = list(outputs(made))
    accounts = rows_of(made.tables["accounts"])
    assert [(r["native"], r["username"], r["email"]) for r in accounts] == [
        (str(n), f"nick-{n}", f"nick-{n}@example.org") for n in range(1, 40)
    ]
    assert {r["zone"] for r in accounts} == {"database, Unix seconds"}
    by_native = {r["native"]: r["account"] for r in accounts}
    (deposit,) = rows_of(made.tables["deposit_addresses"])
    assert (deposit["address"], deposit["account"]) == (ADDRESS, by_native["7"])
    uploads = [r for r in rows_of(made.tables["uploads"]) if r["origin"] == "live"]
    assert {(r["account"], r["reference"]) for r in uploads} == {
        (by_native[str(n % 39 + 1)], f"/scans/{n}.jpg") for n in range(60)
    }
    assert not [aside for output in found for aside in output.set_aside]


def test_an_upload_that_was_deleted_comes_back_marked(forms: dict[str, bytes]) -> None:
    made = world(forms["sqlite"])
    list(outputs(made))
    (gone,) = (r for r in rows_of(made.tables["uploads"]) if r["origin"] == "freed")
    assert gone["reference"] == "/scans/gone-for-ever.jpg"
    account = {r["account"]: r["native"] for r in rows_of(made.tables["accounts"])}[gone["account"]]
    assert account == "3"
    raw = io.BytesIO(forms["sqlite"]).getvalue()[gone["span_start"] :][: gone["span_length"]]
    assert b"gone-for-ever" in raw


@pytest.mark.parametrize("form", FORMS)
def test_a_mapping_is_proposed_whatever_the_form(forms: dict[str, bytes], form: str) -> None:
    if form not in forms:
        pytest.skip("PostgreSQL's server is not installed")
    made = world(forms[form])
    (row,) = PROPOSAL.work(made.table("items"), made).tables["proposal"].to_pylist()
    told: dict[str, Any] = row
    for line in ('table = "users"', 'native = "uid"', 'email = "mail"', 'address = "addr"', 'reference = "path"'):
        assert line in told["toml"], told["toml"]
