"""The room's stages as the engine runs them: parsers confined, and every row walked down to the exhibit by `why`."""

import shutil
from pathlib import Path

import pytest

from casewright.engine.query import Reader
from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.engine.why import Explainer
from casewright.evidence.sealed import STAGES as SEALED
from casewright.evidence.stages import STAGES as EVIDENCE
from casewright.extract.proposed import PROPOSAL
from casewright.extract.stages import STAGES
from casewright.model.settings import CaseSettings
from casewright.model.tables import TABLES
from casewright.vault.case import Case, SourceFile
from tests.extract.mariadb_server import Server
from tests.extract.test_forms import MAPPING as FORM_MAPPING
from tests.extract.test_forms import ROWS as FORM_ROWS
from tests.extract.test_forms import TABLES as FORM_TABLES
from tests.extract.test_stages import DUMP, LOG, MAPPING

WRITTEN = ("accounts", "deposit_addresses", "record_files", "log_events", "logins", "uploads", "downloads", "sessions",
           "selectors")  # fmt: skip


@pytest.fixture(scope="module")
def seized(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A case with a dump and a copy of it, a log, a note and a dump that is cut off; all of its records were read."""
    tmp_path = tmp_path_factory.mktemp("seized")
    case = Case.create(tmp_path / "case", CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example"), "seal.key")
    folder = tmp_path / "server"
    folder.mkdir()
    contents = {"a.sql": DUMP, "copy.sql": DUMP, "access.log": LOG, "note.txt": b"write to curator@example.org or "
                b"call +49 30 901820, +33 1 09 75 83 51",
                "cut.sql": DUMP[:700]}  # fmt: skip
    for name, raw in contents.items():
        (folder / name).write_bytes(raw)
    (tmp_path / "mapping.toml").write_bytes(MAPPING)
    with case.writing():
        case.seal_settings()
        case.seal_source([SourceFile(folder / n, n.encode()) for n in sorted(contents)], "seizure", "server")
        case.seal_source([SourceFile(tmp_path / "mapping.toml", b"")], "mapping", "mapping.toml")
    run(case)
    return case


def runner(case: Case) -> Runner:
    return Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, (*SEALED, *EVIDENCE, *STAGES),
                  Inline())  # fmt: skip


def run(case: Case) -> dict[str, bytes]:
    with case.writing():
        runner(case).run([stage.name for stage in STAGES])
    return tables(case)


def tables(case: Case) -> dict[str, bytes]:
    return {str(p.relative_to(case.tables)): p.read_bytes() for p in case.tables.rglob("*.parquet")}


def test_confined_stages_give_the_same_bytes_twice_and_why_walks_every_row_to_its_bytes(seized: Case) -> None:
    first = tables(seized)
    shutil.rmtree(seized.tables)
    seized.tables.mkdir()
    assert run(seized) == first
    with Reader(seized.tables) as reader:
        explainer = Explainer(seized.tables, reader)
        for table in (*WRITTEN, "set_aside"):
            ids = [r["id"] for r in reader.rows(f"SELECT {TABLES[table].key} AS id FROM {table} t")]
            assert ids, table
            assert len(set(ids)) == len(ids), table
            for one in ids:
                assert explainer.loci(one), f"{table}: {one}"


def test_telephone_numbers_are_found_where_no_file_can_be_opened(seized: Case) -> None:
    with Reader(seized.tables) as reader:
        rows = reader.rows("SELECT canonical FROM selectors WHERE kind = 'phone' ORDER BY span_start")
    assert [row["canonical"] for row in rows] == ["+4930901820", "+33109758351"]


def test_a_dump_that_is_cut_off_gives_what_it_holds_and_says_what_it_lacks(seized: Case) -> None:
    with Reader(seized.tables) as reader:
        said = reader.rows(
            "SELECT s.reason, s.stage FROM set_aside s JOIN items i ON i.item = s.subject WHERE i.name = 'cut.sql'"
        )
    assert {(s["reason"], s["stage"]) for s in said} >= {("truncated", "accounts"), ("no account", "addresses")}


def test_a_folder_of_tablespaces_is_read_in_confinement(mariadb: Server, case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    mariadb.sql("\n".join(f"DROP TABLE IF EXISTS {name};" for name in ("users", "coins", "files")))
    mariadb.sql("\n".join((*FORM_TABLES, *FORM_ROWS)))
    for name in ("users", "coins", "files"):
        mariadb.copied(name, folder)
    (tmp_path / "mapping.toml").write_bytes(FORM_MAPPING)
    with case.writing():
        case.seal_settings()
        files = [SourceFile(path, path.name.encode()) for path in sorted(folder.iterdir())]
        case.seal_source(files, "seizure", "server")
        case.seal_source([SourceFile(tmp_path / "mapping.toml", b"")], "mapping", "mapping.toml")
    run(case)
    with Reader(case.tables) as reader:
        owned = "SELECT a.native FROM deposit_addresses d JOIN accounts a USING (account)"
        assert reader.rows(owned) == [{"native": "7"}]
        assert reader.rows("SELECT count(*) AS n FROM uploads JOIN accounts USING (account)") == [{"n": 60}]
        assert not reader.rows("SELECT reason FROM set_aside WHERE noun = 'database rows'")


def test_a_proposal_is_made_in_confinement(seized: Case) -> None:
    with seized.writing():
        output = runner(seized).once(PROPOSAL)
    (row,) = output.tables["proposal"].to_pylist()
    assert 'table = "users"' in row["toml"]
