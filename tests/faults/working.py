"""A small case from its making to a sealed package, as a program that can be watched; each part says when it is done.

python -m tests.faults.working FOLDER
"""

import os
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from casewright.engine.runner import Runner
from casewright.engine.stage import Context, Output, Stage, Tally
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.settings import CaseSettings
from casewright.model.tables import TABLES
from casewright.refer.package import sign_bag, write_manifests
from casewright.vault import disk, store
from casewright.vault.case import Case, SourceFile
from casewright.vault.keys import SealKey

ABOUT = CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example")
LOTS = ((b"one", b"two"), (b"three", b"four" * 4000))
KEY = "seal.key"
EARLIER = "the start of the machine before the power cut"


def unpack(batch: pa.Table, context: Context) -> Output:
    """Each file's bytes twice over, kept in the store, as unpacking evidence does."""
    rows = []
    for row in batch.to_pylist():
        with context.open(row["sha256"]) as file:
            made = context.put([file.read() * 2])
        rows.append({"item": f"item-{row['position']}", "exhibit": row["exhibit"], "sha256": made.sha256})
    return Output({"items": TABLES["items"].rows(rows)}, [], [Tally("files", len(rows), len(rows))])


UNPACK = Stage("unpack", 1, ("exhibit_files",), ("items",), unpack, over="exhibit_files", where="role = 'seizure'",
               order="exhibit, position", batch=2, noun="files", key="exhibit", keeps_bytes=True)  # fmt: skip


def main(root: Path) -> None:
    made = make(root)
    _say(made)
    for lot in range(len(LOTS)):
        go_on(made, lot)


def make(root: Path) -> Case:
    if not (root / "case" / KEY).exists():
        SealKey.from_seed(b"power cut").save(root / "case" / KEY)
    return Case.create(root / "case", ABOUT, KEY)


def go_on(case: Case, lot: int) -> None:
    """Seal a lot, run the stages, decide something, and seal a package."""
    sources = case.root.with_name(f"lot {lot}")
    sources.mkdir(exist_ok=True)
    files = []
    for number, content in enumerate(LOTS[lot]):
        (sources / str(number)).write_bytes(content)
        files.append(SourceFile(sources / str(number), str(number).encode()))
    with case.writing():
        case.seal_source(files, "seizure", f"lot {lot}")
        _say(case)
        Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, (*SEALED, UNPACK), Inline()).run(
            ["unpack"]
        )
        _say(case)
        case.ledger.append(("note", {"about": f"lot {lot}", "text": "seen", "examiner": "R. Example"}))
        _say(case)
        digest = _seal(case, lot)
        case.ledger.append(
            ("package sealed", {"country": "NL", "package": "NL", "tagmanifest": digest, "recipients": []})
        )
        _say(case)


def _seal(case: Case, lot: int) -> str:
    fresh = case.packages / ".NL.new"
    (fresh / "data").mkdir(parents=True, exist_ok=True)
    (fresh / "data" / "said.txt").write_text(f"lot {lot}")
    write_manifests(fresh, case.settings.case, "Referral to NL")
    return sign_bag(fresh, case.packages / "NL", case.seal_key(), "referral to NL")


def _say(case: Case) -> None:
    """How many lines somebody was told that the ledger has."""
    os.write(1, f"told {len(case.ledger.events())}\n".encode())


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "boot_id", lambda: EARLIER)
        patch.setattr(store, "boot_id", lambda: EARLIER)
        main(Path(sys.argv[1]))
