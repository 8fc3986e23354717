"""A folder of a seized server's tablespaces is one database: accounts, addresses and uploads of its files meet."""

import io
from pathlib import Path

import pyarrow as pa
import pytest

from casewright.engine.stage import Context, Output
from casewright.evidence.kinds import kind_of
from casewright.extract.proposed import PROPOSAL
from casewright.extract.stages import STAGES
from tests.extract.mariadb_server import Server
from tests.extract.test_forms import ADDRESS, MAPPING, ROWS, TABLES
from tests.world import context, digests_of, outputs_of, rows_of

FOLDER = "var/lib/mysql/site/"
NAMES = ("users", "coins", "files")
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def folder(mariadb: Server, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of the site's tables, with an account and an upload deleted and not purged."""
    copied = tmp_path_factory.mktemp("folder")
    mariadb.sql("SET FOREIGN_KEY_CHECKS = 0;" + "".join(f"DROP TABLE IF EXISTS {name};" for name in NAMES))
    mariadb.sql("\n".join((*TABLES, *ROWS, "INSERT INTO files VALUES (99, 3, '/scans/gone-for-ever.jpg', 1520000000);",
                           "INSERT INTO users VALUES (70, 'left', 'left@example.org', 1500000070);")))  # fmt: skip
    with mariadb.looked_at():
        mariadb.sql("DELETE FROM files WHERE fid = 99; DELETE FROM users WHERE uid = 70")
        for name in NAMES:
            mariadb.copied(name, copied)
    return {path.name: path.read_bytes() for path in sorted(copied.iterdir())}


def world(*folders: tuple[str, Files], mapping: bytes = MAPPING) -> Context:
    listed = [(place + name, raw) for place, files in folders for name, raw in files.items()]
    items = [
        {"item": f"item-{n:02}", "exhibit": "e", "path": path.encode(), "name": path, "volume": 0, "size": len(raw),
         "sha256": digests_of(raw).sha256, "mime": kind_of(raw[: 1 << 16], len(raw)), "deleted": False}
        for n, (path, raw) in enumerate(listed)
    ]  # fmt: skip
    files = [{"exhibit": "m", "sha256": digests_of(mapping).sha256, "name": "m"}]
    return context({"items": items, "mappings": files}, [*(raw for _, raw in listed), mapping],
                   {"assumed_zone": "Europe/Amsterdam", "clock_offset_seconds": 0})  # fmt: skip


STEPS = (
    ("accounts", "SELECT * FROM items WHERE mime = 'application/x-innodb-tablespace' ORDER BY item"),
    ("addresses", "SELECT * FROM items WHERE mime = 'application/x-innodb-tablespace' ORDER BY item"),
    ("record_files", ""),
    ("activity", "SELECT * FROM record_files ORDER BY item"),
)


def outputs(made: Context) -> list[Output]:
    """Each item by itself, as the engine gives them."""
    found = list[Output]()
    for name, over in STEPS:
        (stage,) = (stage for stage in STAGES if stage.name == name)
        batches = made.sql(over) if over else pa.table({})
        made_of_all = dict[str, list[pa.Table]]()
        for n in range(len(batches) if over else 1):
            (output,) = outputs_of(stage.work(batches.slice(n, 1), made))
            found.append(output)
            for table, rows in output.tables.items():
                made_of_all.setdefault(table, []).append(rows)
        made.tables = {**made.tables, **{table: pa.concat_tables(rows) for table, rows in made_of_all.items()}}
    return found


def test_accounts_addresses_and_uploads_of_a_folders_files_meet(folder: Files) -> None:
    made = world((FOLDER, folder))
    found = outputs(made)
    accounts = {r["native"]: r for r in rows_of(made.tables["accounts"])}
    standing = sorted(int(native) for native, row in accounts.items() if row["origin"] == "live")
    assert standing == list(range(1, 40))
    assert (accounts["7"]["username"], accounts["7"]["email"]) == ("nick-7", "nick-7@example.org")
    (deposit,) = rows_of(made.tables["deposit_addresses"])
    assert (deposit["address"], deposit["account"]) == (ADDRESS, accounts["7"]["account"])
    uploads = [r for r in rows_of(made.tables["uploads"]) if r["origin"] == "live"]
    assert {(r["account"], r["reference"]) for r in uploads} == {
        (accounts[str(n % 39 + 1)]["account"], f"/scans/{n}.jpg") for n in range(60)
    }
    assert not [aside for output in found for aside in output.set_aside]


def test_what_was_deleted_comes_back_marked_with_its_account_and_its_bytes(folder: Files) -> None:
    made = world((FOLDER, folder))
    outputs(made)
    accounts = {r["native"]: r for r in rows_of(made.tables["accounts"])}
    assert (accounts["70"]["username"], accounts["70"]["origin"]) == ("left", "freed")
    (gone,) = (r for r in rows_of(made.tables["uploads"]) if r["origin"] == "freed")
    assert (gone["reference"], gone["account"]) == ("/scans/gone-for-ever.jpg", accounts["3"]["account"])
    raw = io.BytesIO(folder["files.ibd"]).getvalue()[gone["span_start"] :][: gone["span_length"]]
    assert b"gone-for-ever" in raw


def test_a_copy_of_the_folder_doubles_nobody(folder: Files) -> None:
    once, twice = world((FOLDER, folder)), world((FOLDER, folder), ("backup/site/", folder))
    outputs(once), outputs(twice)
    for name in ("accounts", "deposit_addresses", "uploads"):
        assert rows_of(twice.tables[name]) == rows_of(once.tables[name])


def test_a_table_that_the_folder_lacks_is_said_once(folder: Files) -> None:
    made = world((FOLDER, {name: raw for name, raw in folder.items() if not name.startswith("coins")}))
    aside = [a for output in outputs(made) for a in output.set_aside]
    assert [(a.reason, "'coins'" in a.detail) for a in aside] == [("missing table", True)]


def test_a_folder_of_another_site_is_another_database(folder: Files) -> None:
    other = {"coins.ibd": folder["coins.ibd"] + bytes(16384), "coins.frm": folder["coins.frm"]}
    made = world((FOLDER, folder), ("var/lib/mysql/forum/", other))
    aside = [a for output in outputs(made) for a in output.set_aside]
    assert len(rows_of(made.tables["deposit_addresses"])) == 1
    assert {a.reason for a in aside} == {"no account", "missing table"}


def test_a_mapping_is_proposed_from_the_whole_folder(folder: Files) -> None:
    made = world((FOLDER, folder))
    (row,) = PROPOSAL.work(made.table("items"), made).tables["proposal"].to_pylist()
    assert f"# From the database {FOLDER.rstrip('/')}\n" in row["toml"]
    for line in ('table = "users"', 'native = "uid"', 'email = "mail"', 'address = "addr"', 'reference = "path"'):
        assert line in row["toml"], row["toml"]


def test_timestamps_of_a_tablespace_are_in_utc(mariadb: Server, tmp_path: Path) -> None:
    mariadb.sql("DROP TABLE IF EXISTS seen; CREATE TABLE seen (uid int PRIMARY KEY, at timestamp NULL); "
                "SET time_zone = '+02:00'; INSERT INTO seen VALUES (1, '2018-07-02 03:04:05')")  # fmt: skip
    path = mariadb.copied("seen", tmp_path)
    mapping = b'format = 1\n[accounts]\ntable = "seen"\nnative = "uid"\nregistered_at = "at"\n'
    made = world((FOLDER, {p.name: p.read_bytes() for p in (path, path.with_suffix(".frm"))}), mapping=mapping)
    outputs(made)
    (account,) = rows_of(made.tables["accounts"])
    assert str(account["registered_at"]) == "2018-07-02 01:04:05"
    assert account["zone"] == "database, taken as UTC"
