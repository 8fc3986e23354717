"""The case as reviewers have it before them: its tables, what people decided since these were made, and the way to
decide.

Tables are read only. A judgement is on the disk, in the ledger, before anyone is told that it counts; `Journal` follows
the ledger, so that what somebody else decided a moment ago is known here too.
"""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from casewright.engine.verify import require_tables
from casewright.link.flags import FLAGGED, Flag, flag_record
from casewright.link.judge import JUDGED, Said, judgement
from casewright.model.errors import BrokenSeal, CasewrightError, Missing, UsageError
from casewright.review.exposure import Exposure
from casewright.review.index import Indexed
from casewright.review.job import Work
from casewright.review.journal import Decided, Journal
from casewright.review.reading import Reading
from casewright.review.visitor import Visitor
from casewright.vault.case import Case

PATIENCE = 5.0
"""Seconds that a judgement waits for another program that holds the case."""
AGAIN = 0.05
LATER = 10
"""How nice the check of all seals is to who already reads."""


class Overtaken(CasewrightError):  # noqa: N818  it reads as a word
    """Somebody else decided the same thing since the page was shown."""

    def __init__(self, standing: Decided) -> None:
        self.standing = standing
        super().__init__(
            f"{standing.examiner} decided this while you looked: {standing.verdict} ({standing.why}). "
            "Nothing of yours was recorded. Look again, and decide again if you see it otherwise."
        )


class Desk:
    """One open case. Safe to be used by several threads."""

    def __init__(self, case: Case, exposure: Exposure, job: Work, alone: bool = True) -> None:
        self.case, self.exposure, self.job, self.alone = case, exposure, job, alone
        self.journal = Journal(case.ledger, case.settings.seal.public_key)
        self.broken = ""
        """Why a seal does not hold, once that is known: then nothing is decided any more."""
        self._reading = Reading(case.tables, self.journal)
        self._deciding = threading.Lock()

    def check(self) -> None:
        """Hash every table and hold it against the ledger. Raises Missing where another version made one."""
        with self.reading() as reader:
            strange = reader.strange()
        if strange:
            raise Missing(f"{', '.join(strange)}: another version made these tables. Run: casewright run CASE")
        threading.Thread(target=self._check_seals, daemon=True).start()

    def _check_seals(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LATER)
        try:
            require_tables(self.case)
        except BrokenSeal as error:
            self.broken = str(error)

    def reading(self) -> AbstractContextManager[Indexed]:
        """A reader of the tables as they are now; several threads have one each."""
        return self._reading.reader()

    @property
    def slow(self) -> bool:
        """Whether the index of a large case is still being made."""
        return self._reading.making

    def judge(self, visitor: Visitor, said: Said, seen: int) -> Decided:
        """Record a judgement; `seen`: how many there were on this subject when its page was shown.

        Raises Overtaken when there is another one by now, UsageError for what makes no sense, Missing when there is no
        such subject or another program does not let go of the case.
        """
        visitor.must("judge")
        if self.broken:
            raise BrokenSeal(f"A seal is broken: {self.broken} Nothing is decided until that is cleared up.")
        if not said.why.strip():
            raise UsageError("A judgement needs a reason.")
        data = judgement(self._known(JUDGED, said.subject), said, visitor.name)
        with self._deciding, self._held():
            before = self.journal.of(said.subject)
            if len(before) != seen:
                raise Overtaken(before[-1])
            self.case.ledger.append(("judgement", data))
        return self.journal.of(said.subject)[-1]

    def flag(self, visitor: Visitor, flag: Flag) -> None:
        """Record that something is urgent. Raises UsageError, Missing as `judge` does."""
        visitor.must("judge")
        if not flag.why.strip():
            raise UsageError("A flag needs a reason.")
        data = flag_record(self._known(FLAGGED, flag.subject), flag, visitor.name)
        with self._deciding, self._held():
            self.case.ledger.append(("flag", data))

    def record(self, kind: str, data: Mapping[str, Any]) -> None:
        """Write to the ledger what befell the room itself."""
        with self._deciding, self._held():
            self.case.ledger.append((kind, data))

    def exposure_of(self, visitor: Visitor) -> Exposure:
        """The count of who is at the desk; each has their own."""
        return self.exposure if self.alone else self.exposure.of(visitor.name)

    def note(self, visitor: Visitor, about: str, text: str) -> None:
        """Record what somebody wrote about a thing of the case."""
        visitor.must("judge")
        if not text.strip() or not about:
            raise UsageError("A note needs words, and something that it is about.")
        with self._deciding, self._held():
            self.case.ledger.append(("note", {"about": about, "text": text, "examiner": visitor.name}))

    def _known(self, subjects: str, name: str) -> set[str]:
        """The name, if it is one of these subjects."""
        found = self.rows(f"SELECT id FROM ({subjects}) s WHERE id = $name", {"name": name})  # noqa: S608  ours
        return {row["id"] for row in found}

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The case, for writing. Another program's turn is waited for, for a moment."""
        until = time.monotonic() + PATIENCE
        while True:
            held = self.case.writing()
            try:
                held.__enter__()
                break
            except Missing:
                if time.monotonic() > until:
                    raise
                time.sleep(AGAIN)
        try:
            yield
        finally:
            held.__exit__(None, None, None)

    @cached_property
    def world(self) -> dict[str, Any]:
        """Outlines of countries by ISO 3166 code, as SVG paths, and the size of the whole."""
        found: dict[str, Any] = json.loads((Path(__file__).parent / "world.json").read_text("utf-8"))
        return found

    def rows(self, sql: str, bind: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        with self.reading() as reader:
            return reader.rows(sql, bind)
