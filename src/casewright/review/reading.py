"""Reading the case's tables for pages: from the index where there is one, and beside them what was decided since.

Several threads read at once, each by a connection of its own onto one database in memory. When tables are replaced, all
begin anew; a large case's index is made by a process of its own meanwhile.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from casewright.review.index import Indexed, index_of, is_large
from casewright.review.journal import Decided, Journal

MAKER = (sys.executable, "-m", "casewright.review.index")


class Reading:
    """Readers of a case's tables as they are now."""

    def __init__(self, tables: Path, journal: Journal) -> None:
        self._tables, self._journal = tables, journal
        self._turn = threading.Lock()
        self._making = ""
        self._open()

    @property
    def making(self) -> bool:
        """Whether the index is being made, and pages of a large case are slow."""
        return bool(self._making)

    @contextmanager
    def reader(self) -> Iterator[Indexed]:
        with self._turn:
            if self._stamp() != self._made:
                self._open()
            self._follow()
            root = self._root
            reader = self._spare.pop() if self._spare else root.another()
        try:
            yield reader
        finally:
            with self._turn:
                if root is self._root:
                    self._spare.append(reader)

    def _open(self) -> None:
        """Begin anew with the tables as they are."""
        self._made, index = self._stamp(), index_of(self._tables)
        held = index if index.is_dir() else None
        self._root, self._spare, self._taken = Indexed(self._tables, held), [], 0  # type: ignore[var-annotated]
        if not held and is_large(self._tables) and self._making != index.name:
            self._making = index.name
            threading.Thread(target=self._make, args=(index,), daemon=True).start()

    def _stamp(self) -> tuple[int, ...]:
        """Changes when any table is replaced."""
        folders = (self._tables, self._tables / "tallies")
        return tuple(f.stat().st_mtime_ns if f.exists() else 0 for f in folders)

    def _make(self, index: Path) -> None:
        done = subprocess.run([*MAKER, str(self._tables)], capture_output=True, check=False)  # noqa: S603  ours
        with self._turn:
            self._making = ""
            if not done.returncode and index == index_of(self._tables):
                self._open()

    def _follow(self) -> None:
        """Take over what was decided since."""
        fresh = self._journal.since(self._taken)
        if fresh:
            self._root.stand(_last_of_each(fresh))
            self._taken += len(fresh)


def _last_of_each(decided: Sequence[Decided]) -> list[tuple[str, str | None, str]]:
    last = {one.subject: one.verdict for one in decided}
    return [(subject, subject.removeprefix("media/") if subject.startswith("media/") else None, verdict)
            for subject, verdict in last.items()]  # fmt: skip
