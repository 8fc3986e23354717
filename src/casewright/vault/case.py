"""A case folder, opened: its settings, store, ledger and lock, and the sealing of sources into it."""

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright import __version__
from casewright.model.errors import BrokenSeal, Missing, UsageError
from casewright.model.settings import (
    CASE_FILE,
    CaseSettings,
    ChainSettings,
    ReferSettings,
    SealSettings,
    Settings,
    StoreSettings,
)
from casewright.vault.disk import sync_folder, write_atomically
from casewright.vault.keys import SealKey, key_path
from casewright.vault.ledger import HEAD_FILE, LEDGER_FILE, Event, Ledger, canonical
from casewright.vault.sealing import Sealing, Tell
from casewright.vault.store import Store
from casewright.vault.twin import Twin

BY_NEW = 2
"""Lines that a new ledger has: that the case was opened, and its settings."""
LATEST_ONLY = ("mapping", "services", "settings")
"""Roles of which only the last sealed source counts."""


@dataclass(frozen=True)
class SourceFile:
    """A file on its way into the case: where it lies now, and its path inside the exhibit (raw bytes)."""

    file: Path
    path: bytes


class Case:
    """One case folder. Reading needs no lock; everything that writes happens inside `writing()`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings.load(root)
        twin = self.settings.store.twin
        self.store = Store(root / "store", Twin(twin) if twin else None)
        self.tables = root / "tables"
        self.packages = root / "packages"
        self.ledger = Ledger(root, self.settings.case.examiner)

    @classmethod
    def create(
        cls, root: Path, about: CaseSettings, key_file: str = "", network: str = "mainnet", twin: str = ""
    ) -> "Case":
        """A new, empty case; `key_file` names a seal key inside it, instead of the examiner's own; `twin` the storage
        that will hold its bytes too.

        Raises UsageError when the folder already holds a case.
        """
        if (root / CASE_FILE).exists() and not _unfinished(root):
            raise UsageError(
                f"{root} already is a case. Choose another folder, or go on with: casewright status {root}"
            )
        seal = SealKey.load_or_create(root / key_file if key_file else key_path())
        root.mkdir(parents=True, exist_ok=True)
        sync_folder(root.parent)
        (root / LEDGER_FILE).unlink(missing_ok=True)
        for folder in ("store", "tables", "packages"):
            (root / folder).mkdir(exist_ok=True)
        settings = Settings(
            case=about,
            store=StoreSettings(twin=twin),
            chain=ChainSettings(network=network),
            refer=ReferSettings(contact=f"{about.examiner}, {about.agency}"),
            seal=SealSettings(public_key=seal.public, key_file=key_file),
        )
        write_atomically(root / CASE_FILE, settings.dump().encode("utf-8"))
        case = cls(root)
        with case.writing():
            data = {"title": about.title, "agency": about.agency, "examiner": about.examiner, "key": seal.public}
            case.ledger.append(("opened", {**data, "version": __version__}))
            case.seal_settings()
        return case

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the case alone; at the end, come what may, the ledger's head is signed.

        Raises Missing when another process holds it, and BrokenSeal when the ledger is not whole.
        """
        seal = self.seal_key()
        if seal.public != self.settings.seal.public_key:
            raise Missing(
                f"this case is sealed with the key {self.settings.seal.public_key}, not with the one in "
                f"{self._key_path()}. Restore that key, or set CASEWRIGHT_HOME to the folder that holds it."
            )
        with (self.root / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Missing(
                    f"{self.root} is in use by another casewright. Wait for it to end, then run again."
                ) from error
            except OSError as error:
                raise Missing(
                    f"the file system of {self.root} gives no locks ({error.strerror}), so that two programs could "
                    "write the case at once. Nothing was done. Move the case to a disk of this machine, or have its "
                    "share mounted with locks."
                ) from error
            self.ledger.reopen()
            if self.ledger.path.exists():
                self.ledger.verify(self.settings.seal.public_key, torn_tail_is_fine=True)
            self.store.begin()
            try:
                yield
                self.store.end()
            finally:
                self.ledger.sign_head(seal)

    def seal_key(self) -> SealKey:
        return SealKey.load(self._key_path())

    def age_key_path(self) -> Path:
        """Where the identity lies to which other agencies encrypt: beside the seal key."""
        return self._key_path().with_suffix(".age")

    def _key_path(self) -> Path:
        named = self.settings.seal.key_file
        return self.root / named if named else key_path()

    def seal_source(
        self,
        files: Sequence[SourceFile],
        role: str,
        name: str,
        data: dict[str, Any] | None = None,
        tell: Tell = lambda size: None,
    ) -> Event | None:
        """Copy (or, when large, refer to) a source's files, bind them by a manifest, and record it in the ledger.

        Returns None when the same bytes already stand in the case in the same role: sealing twice adds nothing. Killed
        in between, it goes on where it was. `tell` is told how many bytes were sealed.
        """
        if not files:
            raise Missing(f"{name} holds no files.")
        sealing = Sealing(self.store, tell)
        try:
            manifest = [self._seal_file(f, sealing) for f in files]
        except BaseException:
            sealing.close()
            raise
        sealing.finish()
        single = len(manifest) == 1 and not manifest[0]["path"]
        exhibit = manifest[0]["sha256"] if single else self.store.put([_manifest_bytes(manifest)], durable=True)
        before = [e.data for e in self.ledger.events("sealed") if e.data["role"] == role]
        standing = before[-1:] if role in LATEST_ONLY else before
        if any(e["exhibit"] == exhibit for e in standing):
            return None
        size = sum(int(row["size"]) for row in manifest)
        record = {"exhibit": exhibit, "role": role, "name": name, "form": "file" if single else "folder",
                  "size": size, "files": len(manifest), **(data or {})}  # fmt: skip
        return self.ledger.append(("sealed", record))[0]

    def seal_settings(self) -> None:
        """Seal `case.toml` as it is now, so that every figure can say under which settings it was made."""
        self.seal_source([SourceFile(self.root / CASE_FILE, b"")], "settings", CASE_FILE)

    def _seal_file(self, source: SourceFile, sealing: Sealing) -> dict[str, Any]:
        copy = source.file.stat().st_size <= self.settings.store.copy_up_to
        sha256, size = sealing.seal(source.file, copy)
        name = source.file.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return {"path": source.path.hex(), "name": name, "size": size, "sha256": sha256}


def _unfinished(root: Path) -> bool:
    """Whether a case was on its way when `new` was ended: nothing is signed yet, and nothing of anybody's is in it."""
    return not (root / HEAD_FILE).exists() and sum(1 for _ in Ledger(root, "").events()) <= BY_NEW


def _manifest_bytes(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(canonical(row) + b"\n" for row in rows)


def read_manifest(raw: bytes) -> list[dict[str, Any]]:
    """Rows of an exhibit's manifest: path (hex), name, size, sha256."""
    try:
        return [json.loads(line) for line in raw.splitlines()]
    except ValueError as error:
        raise BrokenSeal(f"an exhibit's manifest cannot be read: {error}") from error
