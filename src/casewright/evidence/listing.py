"""From an exhibit to its items: walk it, keep every file's bytes, go into archives, account for everything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casewright.engine.stage import Context, Digests, SetAside
from casewright.evidence.kinds import HEAD, kind_of
from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.archives import ARCHIVES, REFUSED, members
from casewright.evidence.readers.budget import Budget
from casewright.model.ids import make_id, printable_path

NOUN, DAMAGE = "entries", "damaged parts"


@dataclass
class Listing:
    """What one exhibit gave so far."""

    exhibit: str
    context: Context
    limits: Mapping[str, int]
    items: list[dict[str, Any]] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    received: int = 0
    empty: int = 0
    seen: set[str] = field(default_factory=set)

    def add_all(
        self, found: Iterator[Entry | Problem], prefix: bytes, parent: str | None, depth: int, budget: Budget | None
    ) -> None:
        """Take in everything that a reader yields. `prefix` is the path of the archive it is in."""
        for one in found:
            self.received += 1
            path = prefix + one.path
            if isinstance(one, Problem):
                self._set_aside(NOUN, parent, path, one.reason, one.detail)
            elif one.kind != "file":
                self.empty += 1
            else:
                self._add_file(one, path, parent, depth, budget)

    def _add_file(self, entry: Entry, path: bytes, parent: str | None, depth: int, budget: Budget | None) -> None:
        tap = _Tap(entry.chunks())
        digests = self.context.put(tap)
        if tap.problem and not tap.size:
            self._set_aside(NOUN, parent, path, tap.problem.reason, tap.problem.detail)
            return
        row = self._row(entry, path, parent, digests, kind_of(bytes(tap.head), tap.size))
        if row["item"] in self.seen:
            self.empty += 1  # the same name, record and bytes met twice, as in an archive that was added to twice
            return
        self.seen.add(row["item"])
        self.items.append(row)
        if tap.problem:
            self._set_aside(DAMAGE, row["item"], path, tap.problem.reason, tap.problem.detail)
        self._look_inside(row, depth, budget)

    def _row(self, entry: Entry, path: bytes, parent: str | None, digests: Digests, mime: str) -> dict[str, Any]:
        place = (entry.volume if entry.volume is not None else -1, entry.inode if entry.inode is not None else -1)
        item = make_id("item", self.exhibit, path, *place, digests.sha256, parent or "")
        return {
            "item": item, "exhibit": self.exhibit, "path": path, "name": printable_path(path), "parent": parent,
            "volume": entry.volume, "inode": entry.inode, "size": digests.size, "sha256": digests.sha256,
            "sha1": digests.sha1, "md5": digests.md5, "mime": mime, "deleted": entry.deleted,
            "modified": entry.modified, "accessed": entry.accessed, "changed": entry.changed, "created": entry.created,
        }  # fmt: skip

    def _look_inside(self, row: Mapping[str, Any], depth: int, budget: Budget | None) -> None:
        mime, path = row["mime"], row["path"]
        if mime in REFUSED:
            self._set_aside(DAMAGE, row["item"], path, "not supported", REFUSED[mime])
        if mime not in ARCHIVES:
            return
        if depth >= self.limits["archive_depth"]:
            self._set_aside(DAMAGE, row["item"], path, "too deep", f"archives nest deeper than {depth}")
            return
        budget = budget or Budget(
            row["size"], self.limits["archive_ratio"], self.limits["archive_bytes"], self.limits["archive_members"]
        )
        with self.context.open(row["sha256"]) as file:
            self.add_all(members(mime, file, path, budget), path + b"!/", row["item"], depth + 1, budget)

    def _set_aside(self, noun: str, subject: str | None, path: bytes, reason: str, detail: str) -> None:
        where = printable_path(path) or "the whole exhibit"
        self.aside.append(SetAside(noun, subject or self.exhibit, reason, f"{where}: {detail}"))


class _Tap:
    """Passes chunks on, remembering the first bytes, how many there were, and how it ended."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self.head, self.size = chunks, bytearray(), 0
        self.problem: Unreadable | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks:
                if len(self.head) < HEAD:
                    self.head += chunk[: HEAD - len(self.head)]
                self.size += len(chunk)
                yield chunk
        except Unreadable as error:
            self.problem = error
