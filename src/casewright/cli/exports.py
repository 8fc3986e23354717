"""What every export asks of the file that it writes, and how one is written. What left the case, the ledger says."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from casewright.model.errors import UsageError
from casewright.vault.case import Case
from casewright.vault.disk import writing_atomically


def may_be_written(target: Path, option: str, endings: Sequence[str] = ()) -> None:
    """Raises UsageError for a file with another ending, one that is there already, or that has no folder."""
    if endings and target.suffix.lower() not in endings:
        raise UsageError(f"{option} writes files that end in {' or '.join(endings)}, not {target.name}.")
    if target.exists() or not target.parent.is_dir():
        why = "is there already" if target.exists() else "would stand in a folder that is not there"
        raise UsageError(f"{target} {why}. Name another file for {option}.")


def write_export(case: Case, form: str, target: Path, content: bytes, payment: str = "") -> dict[str, Any]:
    """Write the file and tell the ledger; the caller holds the case."""
    with writing_atomically(target) as file:
        file.write(content)
    digest = hashlib.sha256(content).hexdigest()
    case.ledger.append(("exported", {"form": form, "file": target.name, "payment": payment, "sha256": digest}))
    return {"file": str(target), "sha256": digest, "form": form, "payment": payment}
