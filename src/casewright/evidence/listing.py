"""From an exhibit to its items: walk it, keep every file's bytes, go into archives and images, account for everything.

Every step is numbered by the walk alone, so that a walk that was killed goes the same way again: `engine/steps.py`.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.engine.steps import Kept
from casewright.evidence.kinds import HEAD, kind_of
from casewright.evidence.reader import Damage, Entry, Met, Problem, Reader, Segment, StoredHash, Unreadable, Volume
from casewright.evidence.readers import IMAGES, open_exhibit, open_image
from casewright.evidence.readers.archives import ARCHIVES, REFUSED, members
from casewright.evidence.readers.budget import Budget
from casewright.evidence.walk import Walk
from casewright.model.ids import make_id, printable_path
from casewright.model.tables import TABLES

NOUN, DAMAGE = "entries", "damaged parts"
ROWS = 1 << 14
"""Rows of one output: what is in memory at once."""
WROTE = ("items", "volumes", "stored_hashes")


@dataclass(frozen=True)
class _Place:
    """Where entries are being met: inside which archive or image, how deep, and under which budget."""

    prefix: bytes = b""
    parent: str | None = None
    depth: int = 0
    budget: Budget | None = None


@dataclass(frozen=True)
class _Pending:
    """A file whose bytes are kept, and whose digests may still be on their way."""

    entry: Entry
    path: bytes
    kept: Kept
    parent: str | None


@dataclass
class Listing:
    """What one exhibit gave since the last output."""

    exhibit: str
    context: Context
    walk: Walk
    pending: list[_Pending] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in WROTE})
    aside: list[SetAside] = field(default_factory=list)
    received: int = 0
    empty: int = 0
    damaged: int = 0
    seen: set[int] = field(default_factory=set)

    def list_exhibit(self, segments: list[Segment]) -> Iterator[Output]:
        """Everything that the exhibit holds; the last output ends it."""
        try:
            if reason := self.walk.steps.begin():
                raise Unreadable("died", f"what this exhibit is cannot be found out: {reason}")
            yield from self.add_all(open_exhibit(segments, self.walk), _Place())
        except Unreadable as error:
            self.received += 1
            self._set_aside(NOUN, None, b"", error.reason, error.detail)
        yield self.output()

    def add_all(self, reader: Reader, place: _Place) -> Iterator[Output]:
        for part in reader.parts():
            yield from self._add_part(part, place)

    def _add_part(self, part: Iterator[Met], place: _Place) -> Iterator[Output]:
        """All that a part yields. A part that killed an earlier child is left where it did."""
        while True:
            if reason := self.walk.steps.begin():
                self.received += 1
                detail = f"what follows here could not be listed: {reason}"
                self._set_aside(NOUN, place.parent, place.prefix, "died", detail)
                return
            one = next(part, None)
            if one is None:
                return
            yield from self._add(one, place)
            if len(self.pending) + len(self.rows["items"]) + len(self.aside) >= ROWS:
                yield self.output()

    def _add(self, one: Met, place: _Place) -> Iterator[Output]:
        if isinstance(one, Volume):
            self._add_volume(one, place)
        elif isinstance(one, StoredHash):
            self._add_hash(one)
        elif isinstance(one, Damage):
            self._damage(None, SetAside(DAMAGE, self.exhibit, "damaged image", one.detail, 1, one.start, one.length))
        else:
            self.received += 1
            path = place.prefix + one.path
            if isinstance(one, Problem):
                self._set_aside(NOUN, place.parent, path, one.reason, one.detail)
            elif one.kind != "file":
                self.empty += 1
            else:
                yield from self._add_file(one, path, place)

    def _add_volume(self, one: Volume, place: _Place) -> None:
        self.rows["volumes"].append({
            "exhibit": self.exhibit, "parent": place.parent, "volume": one.number, "layers": list(one.layers),
            "system": one.system, "start": one.start, "size": one.size, "is_read": one.is_read,
        })  # fmt: skip

    def _add_hash(self, one: StoredHash) -> None:
        self.rows["stored_hashes"].append({
            "exhibit": self.exhibit, "image": one.image, "algorithm": one.algorithm, "stored": one.stored,
            "computed": one.computed, "holds": one.stored == one.computed,
        })  # fmt: skip
        if one.stored != one.computed:
            detail = (f"the image says that its content has {one.algorithm} {one.stored}; it has {one.computed} now. "
                      "Files may be missing or changed.")  # fmt: skip
            self._damage(None, SetAside(DAMAGE, self.exhibit, "damaged image", detail))

    def _add_file(self, entry: Entry, path: bytes, place: _Place) -> Iterator[Output]:
        if reason := self.walk.steps.begin():
            self._set_aside(NOUN, place.parent, path, "died", f"reading its content failed: {reason}")
            return
        tap = _Tap(entry, self.walk)
        bound = entry.size if entry.sealed or entry.volume is not None else 0
        kept = self.walk.steps.keep(tap.read, tap.note, entry.sealed, bound)
        self.pending.append(_Pending(entry, path, kept, place.parent))
        if kept.note["mime"] in ARCHIVES | IMAGES | REFUSED.keys():
            yield from self._look_inside(path, kept.note["mime"], place)

    def _look_inside(self, path: bytes, mime: str, place: _Place) -> Iterator[Output]:
        self._settle()
        row = next((r for r in reversed(self.rows["items"]) if r["path"] == path), None)
        if row is None:  # nothing of it could be read, or it was met before
            return
        item, limits = row["item"], self.walk.limits
        if mime in REFUSED and mime not in IMAGES:
            self._damage(item, SetAside(DAMAGE, item, "not supported", f"{printable_path(path)}: {REFUSED[mime]}"))
            return
        if place.depth >= limits["archive_depth"]:
            detail = f"{printable_path(path)}: archives nest deeper than {place.depth}"
            self._damage(item, SetAside(DAMAGE, item, "too deep", detail))
            return
        budget = place.budget or Budget(
            row["size"], limits["archive_ratio"], limits["archive_bytes"], limits["archive_members"]
        )
        inner = _Place(path + b"!/", item, place.depth + 1, budget)
        if mime in IMAGES:
            yield from self._look_into_image(row, inner)
            return
        with self.context.open(row["sha256"]) as file:
            yield from self.add_all(_Members(mime, file, path, budget), inner)

    def _look_into_image(self, row: Mapping[str, Any], inner: _Place) -> Iterator[Output]:
        """A disk image that is a file of the exhibit. Opening it is a step of its own."""
        item, segment = row["item"], Segment(row["path"], row["size"], lambda: self.context.open(row["sha256"]))
        try:
            if reason := self.walk.steps.begin():
                raise Unreadable("died", reason)
            reader = open_image(segment, self.walk)
        except Unreadable as error:
            detail = f"{printable_path(row['path'])}: {error.detail}"
            self._damage(item, SetAside(DAMAGE, item, error.reason, detail))
            return
        yield from self.add_all(reader, inner)

    def _settle(self) -> None:
        """Rows for all files that were kept, in their order."""
        for one in self.pending:
            self._settle_one(one)
        self.pending.clear()

    def _settle_one(self, one: _Pending) -> None:
        note, problem = one.kept.note, one.kept.note["problem"]
        if problem and not note["size"]:
            self._set_aside(NOUN, one.parent, one.path, *problem)
            return
        row = self._row(one)
        mark = int(row["item"][-16:], 16)
        if mark in self.seen:
            self.empty += 1  # the same name, record and bytes met twice, as in an archive that was added to twice
            return
        self.seen.add(mark)
        self.rows["items"].append(row)
        if problem:
            detail = f"{printable_path(one.path)}: {problem[1]}"
            self._damage(row["item"], SetAside(DAMAGE, row["item"], problem[0], detail))

    def _row(self, one: _Pending) -> dict[str, Any]:
        entry, digests = one.entry, one.kept.digests
        place = (entry.volume if entry.volume is not None else -1, entry.inode if entry.inode is not None else -1)
        item = make_id("item", self.exhibit, one.path, *place, digests.sha256, one.parent or "")
        return {
            "item": item, "exhibit": self.exhibit, "path": one.path, "name": printable_path(one.path),
            "parent": one.parent, "volume": entry.volume, "inode": entry.inode, "size": digests.size,
            "sha256": digests.sha256, "sha1": digests.sha1, "md5": digests.md5, "mime": one.kept.note["mime"],
            "deleted": entry.deleted, "origin": "member" if one.parent and entry.origin == "live" else entry.origin,
            "spans": [number for span in entry.spans() for number in span] or None,
            "modified": entry.modified, "accessed": entry.accessed, "changed": entry.changed, "created": entry.created,
        }  # fmt: skip

    def _set_aside(self, noun: str, subject: str | None, path: bytes, reason: str, detail: str) -> None:
        where = printable_path(path) or "the whole exhibit"
        self.aside.append(SetAside(noun, subject or self.exhibit, reason, f"{where}: {detail}"))

    def _damage(self, item: str | None, row: SetAside) -> None:
        self.damaged += 1
        self.aside.append(row)

    def output(self) -> Output:
        """Everything since the last one."""
        self._settle()
        tables = {name: TABLES[name].rows(rows) for name, rows in self.rows.items()}
        tallies = [
            Tally(NOUN, self.received, len(self.rows["items"]), self.empty),
            Tally(DAMAGE, received=self.damaged, done=0),
        ]
        made = Output(tables, self.aside, tallies)
        self.rows, self.aside = {name: [] for name in WROTE}, []
        self.received = self.empty = self.damaged = 0
        return made


class _Members:
    """The members of an archive as a reader."""

    def __init__(self, mime: str, file: Any, path: bytes, budget: Budget) -> None:
        self._found = members(mime, file, path, budget)

    def parts(self) -> Iterator[Iterator[Met]]:
        yield iter(self._found)


class _Tap:
    """Passes a file's chunks on, remembering the first bytes, how many there were, and how it ended."""

    def __init__(self, entry: Entry, walk: Walk) -> None:
        self._entry, self._walk, self._head, self._size = entry, walk, bytearray(), 0
        self._problem: Unreadable | None = None

    def read(self, at: int) -> Iterator[bytes]:
        """The chunks from byte `at` on. Of content that is sealed already only the first bytes are looked at."""
        touches = self._walk.log.touches
        try:
            yield from self._from(at)
        except Unreadable as error:
            self._problem = error
        if self._walk.log.touches != touches and not self._problem:
            self._problem = Unreadable("damaged", "some of its bytes stand in parts of the image that are damaged")

    def _from(self, at: int) -> Iterator[bytes]:
        entry, skipped = self._entry, 0
        if entry.sealed:
            chunks = entry.chunks()
            self._remember(next(chunks, b""))
            self._size = entry.size
            cast("Generator[bytes, None, None]", chunks).close()
            return
        if at and entry.chunks_from:
            self._remember(next(entry.chunks_from(0), b""))
            self._size, skipped = at, at
            for chunk in entry.chunks_from(at):
                self._size += len(chunk)
                yield chunk
            return
        for chunk in entry.chunks():
            self._remember(chunk)
            self._size += len(chunk)
            if skipped + len(chunk) > at:
                yield chunk[max(0, at - skipped) :]
            skipped += len(chunk)

    def _remember(self, chunk: bytes) -> None:
        if len(self._head) < HEAD:
            self._head += chunk[: HEAD - len(self._head)]

    def note(self) -> Mapping[str, Any]:
        problem = [self._problem.reason, self._problem.detail] if self._problem else None
        return {
            "mime": self._entry.mime or kind_of(bytes(self._head), self._size),
            "size": self._size,
            "problem": problem,
        }
