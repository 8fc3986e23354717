"""The stage as the engine runs it: in a confined child, resumable, the same bytes each time."""

import bz2
import gzip
from dataclasses import replace
from pathlib import Path

from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.describe import gather_source
from casewright.evidence.sealed import STAGES as SEALED
from casewright.evidence.stages import STAGES
from casewright.model.settings import LimitSettings
from casewright.vault.case import Case, SourceFile
from tests.world import SHARED, needs_shared, rows_of


def intake(case: Case, *sources: Path) -> list[str]:
    """Seals the sources, lists them, and gives the paths of the items."""
    with case.writing():
        for source in sources:
            files = [SourceFile(p, p.name.encode() if source.is_dir() else b"") for p in gather_source(source)]
            case.seal_source(files, "seizure", source.name)
        pipeline = (*SEALED, *STAGES)
        Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, pipeline, Inline()).run(["items"])
    return [row["name"] for row in rows_of(TableFolder(case.tables).load("items"))]


@needs_shared
def test_an_image_is_listed_in_a_confined_child(case: Case) -> None:
    names = intake(case, SHARED / "disk" / "ext2.E01")
    assert names == ["a_directory/a_file", "a_directory/another_file", "passwords.txt"]
    for row in rows_of(TableFolder(case.tables).load("items")):
        with case.store.open(row["sha256"]) as file:
            assert len(file.read()) == row["size"]


def test_a_folder_is_listed_in_a_confined_child(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "seized"
    folder.mkdir()
    (folder / "dump.sql.gz").write_bytes(gzip.compress(b"-- MariaDB dump 10.19\n", mtime=0))
    (folder / "empty").write_bytes(b"")
    assert intake(case, folder) == ["dump.sql.gz", "dump.sql.gz!/dump.sql", "empty"]


def test_a_member_whose_reader_is_ended_is_set_aside_and_all_else_is_listed(case: Case, tmp_path: Path) -> None:
    """Caps set out of reach, so that only the limit on processor time stops it."""
    good, endless = tmp_path / "good.txt", tmp_path / "endless.bz2"
    good.write_bytes(b"plate")
    endless.write_bytes(bz2.compress(bytes(45 << 20)) * 2000)
    limits = replace(LimitSettings(), archive_ratio=1 << 40, archive_bytes=1 << 50, child_cpu_seconds=2)
    (case.root / "case.toml").write_text(replace(case.settings, limits=limits).dump())
    assert sorted(intake(Case(case.root), good, endless)) == ["endless.bz2", "good.txt"]
    (aside,) = rows_of(TableFolder(case.tables).load("set_aside"))
    assert (aside["reason"], "SIGXCPU" in aside["detail"]) == ("died", True)
    assert not list((case.root / "store" / "tmp").glob("*"))
