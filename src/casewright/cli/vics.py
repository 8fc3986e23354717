"""What `triage --vics` writes: the case's media, or a received list again. What left the case, the ledger says."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from casewright.cli.console import Voice
from casewright.cli.exports import may_be_written
from casewright.engine.query import Reader
from casewright.engine.verify import require_tables
from casewright.media.decisions import Decisions, judged_media
from casewright.media.vics_again import list_named, write_list
from casewright.media.vics_case import write_case
from casewright.vault.case import Case
from casewright.vault.disk import writing_atomically


class Hashed:
    """A file that is hashed as it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def write(self, piece: bytes) -> int:
        self.digest.update(piece)
        return self._file.write(piece)


def export_vics(case: Case, target: Path, of: str | None, decisions: Decisions | None = None) -> dict[str, Any]:
    """Write the document and tell the ledger; the caller holds the case. Raises UsageError for a file that is there."""
    may_be_written(target, "--vics")
    require_tables(case)
    with Reader(case.tables) as reader, writing_atomically(target) as opened:
        file: Any = Hashed(opened)
        times = {event.data["link"]: event.time for event in case.ledger.events("judgement")}
        decided = judged_media(reader, times) if decisions is None else decisions
        if of is None:
            said = {"list": "", **asdict(write_case(reader, case.settings, decided, file))}
        else:
            listed = list_named(reader, of)
            with case.store.open(listed["sha256"]) as source:
                said = {"list": listed["name"], **asdict(write_list(reader, listed, decided, source, file))}
    case.ledger.append(("exported", {"form": "VICS", "file": target.name, "list": said["list"],
                                     "sha256": file.digest.hexdigest()}))  # fmt: skip
    return {"file": str(target), "sha256": file.digest.hexdigest(), **said}


def tell_export(voice: Voice, out: dict[str, Any]) -> None:
    if out["list"]:
        voice.say(f"{out['file']}: the list {out['list']}, {out['changed']} of {out['entries']} entries decided")
        for reason in out["left"]:
            voice.say(f"  left as it is: {reason}")
    else:
        voice.say(f"{out['file']}: {out['media']} media, {out['categories']} with a category of {out['dialect']}")
