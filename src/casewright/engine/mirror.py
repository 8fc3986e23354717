"""Bringing a case's bytes to its twin and back: exhibits, items, parts of tables and their manifests.

The ledger names what was sealed and what each table's manifest hashes to; a manifest names its parts; the table `items`
names what was unpacked. So everything can be found by its digest from `case.toml`, `ledger.jsonl` and `ledger.head`.
A killed push or pull goes on where it was, since what is there is not brought again.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from casewright.engine.seals import fresh_beside
from casewright.engine.tables import RUN_FILE, SHARED, Part, TableFolder
from casewright.engine.verify import KEPT, digests_of_exhibit
from casewright.model.errors import BrokenSeal, CasewrightError, Missing
from casewright.model.tables import TABLES
from casewright.vault.case import Case
from casewright.vault.store import CHUNK, Store, hash_of
from casewright.vault.twin import Twin

AT_ONCE = 8
"""Files on their way at the same time."""
Tell = Callable[[int, int], None]
"""Is told how many of how many files were looked at."""


@dataclass
class Mirrored:
    """What became of the files: brought over, there before, and what is wrong, a sentence each."""

    brought: int = 0
    size: int = 0
    there: int = 0
    wrong: list[str] = field(default_factory=list)
    broken: bool = False

    def fails(self, error: CasewrightError) -> None:
        self.wrong.append(str(error))
        self.broken = self.broken or isinstance(error, BrokenSeal)


def twin_of(case: Case) -> Twin:
    url = case.settings.store.twin
    if not url:
        raise Missing(
            f'this case has no twin. Name one in {case.root / "case.toml"}: [store] twin = "s3://BUCKET/PREFIX"'
        )
    return Twin(url)


def push(case: Case, tell: Tell) -> Mirrored:
    """Bring to the twin what it lacks. Each file is hashed before it goes, and read back when it came."""
    twin, files, done = twin_of(case), dict(_files(case)), Mirrored()
    looked = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="casewright-push") as pool:
        for first, mine in _shelves(files):
            there = twin.shelf(first)
            for sha256, path in mine.items():
                if sha256 in there and there[sha256] != path.stat().st_size:
                    done.fails(_other_size(twin.place(sha256), there[sha256], path))
            lacking = {sha256: path for sha256, path in mine.items() if sha256 not in there}
            for size in pool.map(partial(_put, twin, done), lacking, lacking.values()):
                done.brought += size is not None
                done.size += size or 0
            done.there += len(mine) - len(lacking)
            looked += len(mine)
            tell(looked, len(files))
    return done


def check(case: Case, tell: Tell) -> Mirrored:
    """Read every file of the case at its twin, and hold it against its digest."""
    twin, files, done = twin_of(case), dict(_files(case)), Mirrored()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="casewright-check") as pool:
        for looked, error in enumerate(pool.map(lambda sha256: _checked(twin, sha256), files), 1):
            if error:
                done.fails(error)
            done.there += not error
            tell(looked, len(files))
    return done


def pull(case: Case, tell: Tell) -> Mirrored:
    """Bring from the twin what the case lacks of all that its ledger names. The caller holds the case.

    A table whose manifest or parts are not at the twin is left out, and comes with the next run.
    """
    twin, done = twin_of(case), Mirrored()
    _bring(case.store, _sealed(case, done), done, tell)
    folder = TableFolder(case.tables)
    for name, digests in _told(case).items():
        try:
            _pull_table(twin, folder, name, digests, done)
        except BrokenSeal as error:
            done.fails(error)
        except Missing as error:
            done.fails(Missing(f"tables/{name}: {error} Push again where it is, or make it: casewright run"))
    items = folder.load("items").column("sha256").to_pylist()
    _bring(case.store, sorted({sha256 for sha256 in items if sha256}), done, tell)
    return done


def _bring(store: Store, wanted: list[str], done: Mirrored, tell: Tell) -> None:
    lacking = [sha256 for sha256 in wanted if not store.is_here(sha256)]
    done.there += len(wanted) - len(lacking)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="casewright-pull") as pool:
        for looked, found in enumerate(pool.map(lambda sha256: _located(store, sha256), lacking), 1):
            if isinstance(found, CasewrightError):
                done.fails(found)
            else:
                done.brought += 1
                done.size += found.stat().st_size
            tell(looked, len(lacking))


def _located(store: Store, sha256: str) -> Path | CasewrightError:
    try:
        return store.locate(sha256)
    except (Missing, BrokenSeal) as error:
        return error


def _checked(twin: Twin, sha256: str) -> CasewrightError | None:
    try:
        twin.check(sha256)
    except (Missing, BrokenSeal) as error:
        return error
    return None


def _other_size(place: str, size: int, path: Path) -> BrokenSeal:
    sealed = path.stat().st_size
    return BrokenSeal(f"{place} has {size} bytes, {sealed} were sealed. Remove that object there, and push again.")


def _put(twin: Twin, done: Mirrored, sha256: str, path: Path) -> int | None:
    """How many bytes were brought; None where something is wrong with this file. A twin out of reach ends all."""
    try:
        with path.open("rb") as file:
            found = hash_of(iter(lambda: file.read(CHUNK), b""))
            if found != sha256:
                raise BrokenSeal(f"{path}: bytes were changed: they now hash to {found}, not {sha256}. Not pushed.")
            size = file.tell()
            file.seek(0)
            twin.put(sha256, file, size)
            return size
    except BrokenSeal as error:
        done.fails(error)
        return None


def _files(case: Case) -> Iterator[tuple[str, Path]]:
    """Every file of the case that is known by its digest, and where it lies here."""
    folder = TableFolder(case.tables)
    for sha256 in case.store.objects():
        yield sha256, case.store.locate(sha256)
    for name in TABLES:
        for part in folder.parts(name):
            yield part.sha256, case.tables / name / part.file
        manifest = case.tables / name / RUN_FILE
        if name not in SHARED and manifest.is_file():
            yield hash_of([manifest.read_bytes()]), manifest


def _shelves(files: dict[str, Path]) -> Iterator[tuple[str, dict[str, Path]]]:
    """The files by the first two letters of their digests."""
    shelves: dict[str, dict[str, Path]] = {}
    for sha256 in sorted(files):
        shelves.setdefault(sha256[:2], {})[sha256] = files[sha256]
    yield from shelves.items()


def _sealed(case: Case, done: Mirrored) -> list[str]:
    """What the ledger says was sealed or kept; an exhibit's manifest is brought to learn of its files."""
    wanted: list[str] = []
    for event in case.ledger.events("sealed", *KEPT):
        try:
            if event.kind == "sealed":
                wanted += digests_of_exhibit(case.store, event)
            elif kept := event.data.get(KEPT[event.kind]):
                wanted.append(kept)
        except (Missing, BrokenSeal) as error:
            done.fails(error)
    return sorted(set(wanted))


def _told(case: Case) -> dict[str, dict[str, str]]:
    """What the ledger said last of each table: its manifest's digest under an empty name, or its parts' by stage."""
    found: dict[str, dict[str, str]] = {}
    for event in case.ledger.events("stage done"):
        for name, sha256 in event.data["runs"].items():
            found[name] = {"": sha256}
        for name, sha256 in event.data["parts"].items():
            found.setdefault(name, {})[event.data["stage"]] = sha256
    return {name: found[name] for name in TABLES if name in found}


def _pull_table(twin: Twin, folder: TableFolder, name: str, digests: dict[str, str], done: Mirrored) -> None:
    if name in SHARED:
        here = {p.stage: p.sha256 for p in folder.parts(name) if (folder.root / name / p.file).is_file()}
        for stage, sha256 in digests.items():
            if here.get(stage) != sha256:
                folder.replace_part(name, stage, _read(twin, sha256, done))
        return
    run = folder.root / name / RUN_FILE
    if run.is_file() and hash_of([run.read_bytes()]) == digests[""] and folder.complete(name):
        done.there += 1
        return
    manifest = json.loads(_read(twin, digests[""], done))
    fresh = fresh_beside(folder.root / ".new" / "pulled")
    parts = [Part(**p) for p in manifest["parts"]]
    for part in parts:
        (fresh / part.file).write_bytes(_read(twin, part.sha256, done))
    folder.replace(name, manifest, [(part.file, fresh / part.file) for part in parts])
    shutil.rmtree(fresh)


def _read(twin: Twin, sha256: str, done: Mirrored) -> bytes:
    raw = b"".join(twin.chunks(sha256))
    if hash_of([raw]) != sha256:
        raise BrokenSeal(f"{twin.place(sha256)}: bytes were changed. They are not used.")
    done.brought += 1
    done.size += len(raw)
    return raw
