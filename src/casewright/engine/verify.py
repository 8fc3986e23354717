"""Checking a case: the ledger's chain, every sealed byte, and every table against what the ledger says of it."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright.engine.seals import changed_in
from casewright.engine.tables import RUN_FILE, SHARED, Part, TableFolder, run_bytes, shared_run
from casewright.model.errors import BrokenSeal, Missing
from casewright.model.tables import TABLES
from casewright.vault.case import Case, read_manifest
from casewright.vault.ledger import Event, clock_steps
from casewright.vault.store import Store

KEPT = {"package sealed": "figures", "recalled": "content"}
"""Kinds of ledger lines that name bytes in the store beside the exhibits."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked. `state` is `holds`, `interrupted` (run again) or `broken`."""

    what: str
    state: str
    detail: str = ""


def verify_case(case: Case) -> Iterator[Check]:
    """Every check of a case, packages excepted; yields as it goes. Never stops at the first broken seal."""
    try:
        lines = case.ledger.verify(case.settings.seal.public_key, torn_tail_is_fine=True)
        events = case.ledger.events()
        yield _ledger(case, lines)
        for line, seconds in clock_steps(events):
            yield Check("clock", "holds", f"was set back by {seconds:.0f} s before line {line} of the ledger")
    except BrokenSeal as error:
        yield Check("ledger.jsonl", "broken", str(error))
        events = []
    yield from _store(case, events)
    if events:
        yield from _exhibits(case, events)
        yield from _tables(case, events)


def _ledger(case: Case, lines: int) -> Check:
    if case.ledger.torn():
        return Check("ledger.jsonl", "interrupted", f"{lines} lines, and one that a write never ended; it says nothing")
    return Check("ledger.jsonl", "holds", f"{lines} lines")


def require_tables(case: Case, only: Collection[str] = ()) -> None:
    """Raise BrokenSeal, naming the table, unless every table is as the ledger says: nothing is printed from others.

    `only`: these tables alone; a case of another version has some that this one does not know.
    """
    events = case.ledger.events()
    for check in _named(case, events, only) if only else _tables(case, events):
        if check.state == "broken":
            raise BrokenSeal(f"{check.what}: {check.detail}")


def _store(case: Case, events: list[Event]) -> Iterator[Check]:
    store, held = case.store, 0
    for stray in sorted(p for p in store.root.glob("*") if p.name != "tmp" and not _is_shelf(p)):
        yield Check(f"store/{stray.name}", "broken", "does not belong into the store")
    for sha256 in store.objects():
        what = f"store/{sha256[:2]}/{sha256[2:]}"
        try:
            with store.locate(sha256).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except (Missing, BrokenSeal, ValueError, KeyError, OSError) as error:
            yield Check(what, "broken", str(error))
            continue
        if found != sha256 and store.may_lack(sha256) and sha256 not in _relied_on(case, events):
            yield Check(
                what, "interrupted", "did not reach the disk before a power cut, and nothing rests on it; run again"
            )
        elif found != sha256:
            yield Check(what, "broken", f"bytes were changed: they now hash to {found}")
        else:
            held += 1
    yield Check("store", "holds", f"{held} sealed files")


def _is_shelf(path: Path) -> bool:
    return path.is_dir() and len(path.name) == 2 and set(path.name) <= set("0123456789abcdef")


def _relied_on(case: Case, events: list[Event]) -> set[str]:
    """What the ledger or the table of items names."""
    sealed = {sha256 for e in events if e.kind == "sealed" for sha256 in digests_of_exhibit(case.store, e)}
    return (
        sealed
        | {str(e.data.get(KEPT[e.kind])) for e in events if e.kind in KEPT}
        | {row for row in TableFolder(case.tables).load("items").column("sha256").to_pylist() if row}
    )


def _exhibits(case: Case, events: list[Event]) -> Iterator[Check]:
    """Everything that the ledger says was sealed is still there; so is everything that was unpacked from it. What is
    at the case's twin only is read there."""
    away = 0
    for event in (e for e in events if e.kind == "sealed"):
        try:
            for sha256 in digests_of_exhibit(case.store, event):
                case.store.vouch(sha256)
                away += not case.store.is_here(sha256)
        except (Missing, BrokenSeal) as error:
            yield Check(f"exhibit {event.data['name']}", "broken", str(error))
    for event in (e for e in events if e.kind in KEPT and e.data.get(KEPT[e.kind])):
        if not case.store.has(event.data[KEPT[event.kind]]):
            what = f"what was kept of {event.kind} for {event.data['country']}"
            yield Check(what, "broken", f"{event.data[KEPT[event.kind]]} is gone from the store")
    try:
        items = TableFolder(case.tables).load("items").column("sha256").to_pylist()
    except BrokenSeal:
        return  # named by the check of the tables
    for sha256 in sorted({s for s in items if s and not case.store.is_here(s)}):
        try:
            case.store.vouch(sha256)
            away += 1
        except (Missing, BrokenSeal) as error:
            gone = "an item's bytes are gone; delete tables/ and run again"
            yield Check(f"store/{sha256[:2]}/{sha256[2:]}", "broken", str(error) if case.store.elsewhere else gone)
    if case.settings.store.twin and away:
        yield Check("twin", "holds", f"{away} files are not here; they were read at {case.settings.store.twin}")


def digests_of_exhibit(store: Store, event: Event) -> list[str]:
    """The exhibit of a `sealed` event and, where it has several, all its files."""
    if event.data["form"] == "file":
        return [event.data["exhibit"]]
    with store.open(event.data["exhibit"]) as file:
        return [event.data["exhibit"], *(row["sha256"] for row in read_manifest(file.read()))]


def _tables(case: Case, events: list[Event]) -> Iterator[Check]:
    known = set(TABLES) | {".work", ".units", ".review", ".new", ".old", ".spill"}
    for stray in sorted(p.name for p in case.tables.glob("*") if p.name not in known):
        yield Check(f"tables/{stray}", "broken", "is no table of this case")
    units = [*case.tables.glob(".units/*/*"), *(p for p in case.tables.glob(".review/*") if p.is_dir())]
    for unit in sorted(p for p in units if p.suffix not in (".tmp", ".steps")):
        for path in changed_in(unit):
            yield Check(f"tables/{path.relative_to(case.tables)}", "broken", f"{path}: bytes were changed; run again")
    yield from _named(case, events, TABLES)


def _named(case: Case, events: list[Event], names: Iterable[str]) -> Iterator[Check]:
    """The tables of these names that are there."""
    folder, done = TableFolder(case.tables), [e.data for e in events if e.kind == "stage done"]
    for name in names:
        if (case.tables / name).exists():
            said = [d["runs"][name] for d in done if name in d["runs"]]
            yield _shared(folder, name, done) if name in SHARED else _table(folder, name, said)


def _table(folder: TableFolder, name: str, said: list[str]) -> Check:
    what = f"tables/{name}"
    try:
        found = hashlib.sha256((folder.root / name / RUN_FILE).read_bytes()).hexdigest()
        parts = folder.parts(name)
        rows = _check_parts(folder, name, parts)
    except (BrokenSeal, FileNotFoundError) as error:
        return Check(what, "broken", str(error))
    if not said or found not in said:
        return Check(what, "broken", f"{folder.root / name / RUN_FILE}: is not the manifest that the ledger names")
    if found != said[-1]:
        return Check(what, "interrupted", "is older than the ledger says; run again")
    return Check(what, "holds", f"{rows} rows")


def _shared(folder: TableFolder, name: str, done: list[Mapping[str, Any]]) -> Check:
    """`set_aside` and `tallies`: each stage's part is one that the ledger names, and the manifest just lists them.

    A run killed while it put a part in place leaves the new part under the old manifest, which may not know it yet,
    or no part: run again.
    """
    what = f"tables/{name}"
    said: dict[str, list[str]] = {}
    for event in done:
        said.setdefault(event["stage"], []).append(event["parts"][name])
    try:
        parts = folder.parts(name)
        found = {p.stage: hashlib.sha256((folder.root / name / p.file).read_bytes()).hexdigest() for p in parts}
        if (folder.root / name / RUN_FILE).read_bytes() != run_bytes(shared_run(name, parts)):
            return Check(what, "broken", f"{folder.root / name / RUN_FILE}: bytes were changed")
        _check_strays(folder, name, parts, _coming(folder.root / name, said))
    except (BrokenSeal, FileNotFoundError) as error:
        return Check(what, "broken", str(error))
    for part in parts:
        if not {part.sha256, found[part.stage]} <= set(said.get(part.stage, [])):
            return Check(what, "broken", f"{folder.root / name / part.file}: is not what the ledger names")
    late = [p.stage for p in parts if not p.sha256 == found[p.stage] == said[p.stage][-1]]
    late += [stage for stage in said if stage not in found]
    if late:
        return Check(what, "interrupted", f"{', '.join(late)}: older than the ledger says; run again")
    return Check(what, "holds", f"{sum(p.rows for p in parts)} rows")


def _coming(table: Path, said: Mapping[str, list[str]]) -> set[str]:
    """Files that are the parts which the ledger names, whether the manifest knows them or not yet."""
    files = {stage: table / f"part-{stage}.parquet" for stage in said}
    return {
        file.name
        for stage, file in files.items()
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() in said[stage]
    }


def _check_parts(folder: TableFolder, name: str, parts: list[Part]) -> int:
    for part in parts:
        folder.checked(name, part)
    _check_strays(folder, name, parts)
    return sum(p.rows for p in parts)


def _check_strays(folder: TableFolder, name: str, parts: list[Part], coming: Collection[str] = ()) -> None:
    expected = {p.file for p in parts} | {RUN_FILE} | set(coming)
    for stray in sorted(p.name for p in (folder.root / name).iterdir() if p.name not in expected):
        if not stray.endswith(".tmp"):  # what a killed write leaves; it is never read
            raise BrokenSeal(f"{folder.root / name / stray}: is not part of the table")
