"""What an exchange needs between two files: its key, and what was asked. Kept in `CASE/deconflict`, a folder
an exchange, for its owner only, and removed with the exchange; never in the ledger, the store or a table.

To overwrite a file does not erase it on every disk. What a thief of the disk gains: with the answerer's key, guesses
can be tested against the set that was sent; the asker's key lets guesses be tested against its request.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from casewright.model.errors import Missing
from casewright.model.ids import make_id
from casewright.vault.disk import sync_folder

FOLDER = "deconflict"
KEY, ASKED, SET = "key", "asked.json", "set"


@dataclass(frozen=True)
class Keep:
    """The folder of one exchange, on one side of it."""

    folder: Path

    @classmethod
    def of(cls, case: Path, run: str, side: str, peer: str) -> "Keep":
        """`side`: asks or answers. A peer that takes another one's number meets nothing of theirs."""
        return cls(case / FOLDER / f"{make_id(side, run, peer)}")

    def put(self, **files: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in files.items():
            handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(self.folder)
        sync_folder(self.folder.parent)

    def get(self, name: str) -> bytes:
        """Raises Missing when the exchange is over, or was begun elsewhere."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError as error:
            raise Missing(
                "the keys of this exchange are gone: it is over, expired, or is another case's. Begin a new one."
            ) from error

    @property
    def stands(self) -> bool:
        return (self.folder / KEY).is_file()

    def remove(self) -> None:
        """Overwrite the key and remove the folder."""
        if self.stands:
            self.put(**{KEY: bytes(len(self.get(KEY)))})
        shutil.rmtree(self.folder, ignore_errors=True)


def remove_stale(case: Path, today: str) -> None:
    """Remove what belongs to exchanges that have expired."""
    for folder in sorted((case / FOLDER).glob("*-*")):
        try:
            expires = json.loads((folder / "about.json").read_bytes())["expires"]
        except (OSError, ValueError, KeyError, TypeError):
            expires = ""  # half written by a run that was killed: nobody has a file of it
        if expires < today:
            Keep(folder).remove()
