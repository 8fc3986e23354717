"""What the ledger says, kept up to date line by line: who decided what, what was sealed, what stages ran."""

import threading
from array import array
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
    """Follows a ledger: each line is read and checked once, and of most of them only the place is kept. Safe to be used
    by several threads."""

    def __init__(self, ledger: Ledger, public: str) -> None:
        self._ledger, self._turn = ledger, threading.Lock()
        self._offset, self._last = 0, None  # type: tuple[int, Event | None]
        self._places: dict[str, array[int]] = {"": array("Q")}
        self._decided: dict[str, list[Decided]] = {}
        self._standing: dict[str, Decided] = {}
        self._media = 0
        self._in_order: list[Decided] = []
        self._notes: dict[str, list[Note]] = {}
        self._flags: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._sealed: dict[str, Event] = {}
        ledger.verify(public, torn_tail_is_fine=True, tell=self._take)

    def refresh(self) -> None:
        """Read what came since. Raises BrokenSeal when the ledger is not the one that was read before."""
        with self._turn:
            size = self._ledger.path.stat().st_size
            if size < self._offset:
                raise BrokenSeal(f"{self._ledger.path} became shorter while it was read.")
            if size == self._offset:
                return
            for event in self._ledger.after(self._last, self._offset):
                self._take(event)

    def kinds(self) -> dict[str, int]:
        """How many lines of each kind there are; of all under the empty name."""
        self.refresh()
        return {kind: len(places) for kind, places in sorted(dict(self._places).items())}

    def lines(self, kind: str, first: int, most: int) -> list[Event]:
        """Lines of a kind, or of all under the empty name, the latest first; read again from the ledger."""
        self.refresh()
        places = self._places.get(kind, array("Q"))
        behind = len(places) - first
        return [self._ledger.line_at(place) for place in reversed(places[max(behind - most, 0) : max(behind, 0)])]

    def _take(self, event: Event) -> None:
        for kind in ("", event.kind):
            self._places.setdefault(kind, array("Q")).append(self._offset)
        self._offset, self._last = self._offset + len(event.line) + 1, event
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
        stood = self._standing.pop(made.subject, None)
        if made.verdict != TAKEN_BACK:
            self._standing[made.subject] = made
        if made.subject.startswith("media/"):
            self._media += (made.verdict != TAKEN_BACK) - (stood is not None)

    def of(self, subject: str) -> Sequence[Decided]:
        """All that was decided of one subject, in order; the last one stands."""
        self.refresh()
        return tuple(self._decided.get(subject, ()))

    def standing(self, subject: str) -> Decided | None:
        """The judgement that stands on it; what was taken back is none."""
        self.refresh()
        return self._standing.get(subject)

    def counts(self) -> tuple[int, int]:
        """On how many identities, and on how many media, a judgement stands."""
        self.refresh()
        return len(self._standing) - self._media, self._media

    def since(self, number: int) -> list[Decided]:
        """All judgements in order, without the first so many."""
        self.refresh()
        return self._in_order[number:]

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
