"""What the ledger says, kept up to date line by line: who decided what, what was sealed, what stages ran."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casewright.link.judge import TAKEN_BACK
from casewright.model.errors import BrokenSeal
from casewright.vault.ledger import Event, Ledger


@dataclass(frozen=True)
class Note:
    """What somebody wrote about a thing of the case: an id, a wallet, or a picture's address."""

    about: str
    text: str
    examiner: str
    time: str
    line: int


@dataclass(frozen=True)
class Decided:
    """A judgement as it stands in the ledger. `turn`: which one on its subject, from 1; `line`: of the ledger."""

    subject: str
    verdict: str
    examiner: str
    why: str
    time: str
    line: int
    turn: int
    category: str | None = None
    dialect: str | None = None


class Journal:
    """Follows a ledger: each line is read and checked once. Safe to be used by several threads."""

    def __init__(self, ledger: Ledger, public: str) -> None:
        ledger.verify(public, torn_tail_is_fine=True)
        self._ledger, self._turn = ledger, threading.Lock()
        self._offset = 0
        self._last: Event | None = None
        self.events: list[Event] = []
        self._decided: dict[str, list[Decided]] = {}
        self._in_order: list[Decided] = []
        self._notes: dict[str, list[Note]] = {}
        self._flags: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._sealed: dict[str, Event] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what came since. Raises BrokenSeal when the ledger is not the one that was read before."""
        with self._turn:
            size = self._ledger.path.stat().st_size
            if size < self._offset:
                raise BrokenSeal(f"{self._ledger.path} became shorter while it was read.")
            if size == self._offset:
                return
            for event in self._ledger.after(self._last, self._offset):
                self._offset += len(event.line) + 1
                self._last = event
                self.events.append(event)
                self._take(event)

    def _take(self, event: Event) -> None:
        about = event.data
        if event.kind == "judgement":
            self._decide(event)
        elif event.kind == "note":
            made = Note(about["about"], about["text"], about["examiner"], event.time, event.seq + 1)
            self._notes.setdefault(about["about"], []).append(made)
        elif event.kind == "flag":
            self._flags[about["subject"], about["indicator"]] = about
        elif event.kind == "package sealed" and "recall" not in about:
            self._sealed[about["country"]] = event

    def _decide(self, event: Event) -> None:
        about = event.data
        before = self._decided.setdefault(about["link"], [])
        made = Decided(about["link"], about["verdict"], about["examiner"], about["why"], event.time, event.seq + 1,
                       len(before) + 1, about.get("category"), about.get("dialect"))  # fmt: skip
        before.append(made)
        self._in_order.append(made)

    def of(self, subject: str) -> Sequence[Decided]:
        """All that was decided of one subject, in order; the last one stands."""
        self.refresh()
        return tuple(self._decided.get(subject, ()))

    def standing(self) -> dict[str, Decided]:
        """The judgement that stands on each subject on which there is one; what was taken back is none."""
        self.refresh()
        last = {subject: decided[-1] for subject, decided in self._decided.items()}
        return {subject: one for subject, one in last.items() if one.verdict != TAKEN_BACK}

    def latest(self, most: int) -> list[Decided]:
        """What was decided last, the latest first."""
        self.refresh()
        return self._in_order[: -most - 1 : -1]

    def flags(self) -> list[Mapping[str, Any]]:
        """The flags that stand: of those on one subject and indicator the last, if it was set."""
        self.refresh()
        return [flag for flag in list(self._flags.values()) if flag["set"]]

    def sealed(self) -> dict[str, Event]:
        """The last sealing of each country's package; notices of recalls are none."""
        self.refresh()
        return dict(self._sealed)

    def notes(self) -> dict[str, list[Note]]:
        """All that was written, by what it is about."""
        self.refresh()
        return dict(self._notes)
