"""The side that is asked: it sends its set, and answers."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from casewright.link.deconflict import psi
from casewright.link.deconflict.keep import KEY
from casewright.link.deconflict.message import ANSWER, COUNT, HITS, REQUEST, SETUP, Message
from casewright.link.deconflict.side import RATE, Made, Own, Side
from casewright.link.deconflict.sizes import compared, filled_up, is_step
from casewright.model.errors import Refused


class Asked(Side):
    """What it may be asked, and how often, is decided here: by its own ledger and settings."""

    def setup(self, own: Iterable[Own], run: str = "") -> Made:
        """Send our set, under a fresh key; the exchange's number is drawn, if none is given."""
        mine = sorted(set(own))
        limits = self.case.settings.deconflict
        self._some(mine, limits.most_selectors, "most_selectors")
        items = filled_up([compared(*one) for one in mine])
        key, body = psi.new_setup(items, RATE, limits.most_asked)
        expires = (self.now + timedelta(days=limits.valid_days)).date().isoformat()
        run = run or secrets.token_hex(16)
        message = self._message(SETUP, run, COUNT, mine, len(items), body, expires, limits.most_asked)
        self._keep(message, "answers", **{KEY: key})
        return self._sent(message, body)

    def answer(self, path: Path, tell_which: bool) -> Made:
        """Answer a peer's request. Which are common is told on `tell_which` only, and only after their number."""
        theirs, asked = self._read(path, REQUEST)
        try:
            self._may_ask(path, theirs, asked, tell_which)
        except Refused as refusal:
            self._tell(self._line("refused", theirs, why=str(refusal).replace(str(path), path.name)))
            raise
        keep = self._kept(theirs.run, "answers")
        body = psi.answer(keep.get(KEY), asked, theirs.mode == HITS)
        message = self._message(
            ANSWER, theirs.run, theirs.mode, [], theirs.size, body, theirs.expires, theirs.asked, theirs
        )
        if theirs.mode == HITS:
            message = replace(message, reference=self.case.settings.case.reference)
        made = self._sent(message, body, self._line("received", theirs, members=psi.digest_of(asked)))
        if theirs.mode == HITS:
            keep.remove()
        return made

    def _may_ask(self, path: Path, theirs: Message, asked: bytes, tell_which: bool) -> None:
        """The controls of who is asked. Raises Refused with the reason."""
        sent = self._events("sent", run=theirs.run, step=SETUP)
        if not sent or sent[-1]["message"] != theirs.answers:
            raise Refused(f"{path}: asks no set that this case sent to {self.peer.agency}.")
        before = self._events("received", run=theirs.run, step=REQUEST)
        if any(e["message"] == theirs.digest for e in before):
            raise Refused(f"{path}: was answered already: a replay, or a second copy.")
        if any(e["mode"] == theirs.mode for e in before):
            raise Refused(f"{path}: asks the same set again ({theirs.mode}). A new question needs a new set.")
        if not is_step(theirs.size) or theirs.size > sent[-1]["asked"] or len(asked) != theirs.size * psi.POINT:
            raise Refused(f"{path}: asks {len(asked) // psi.POINT} members; allowed are steps up to "
                          f"{sent[-1]['asked']}.")  # fmt: skip
        if theirs.mode == HITS:
            self._may_know(path, before, asked, tell_which)
            return
        most = self.case.settings.deconflict.queries_per_peer
        if len(self._events("received", step=REQUEST, mode=COUNT)) >= most:
            raise Refused(
                f"{path}: {self.peer.agency} has had {most} queries, as many as [deconflict] queries_per_peer."
            )

    def _may_know(self, path: Path, before: list[dict[str, Any]], asked: bytes, tell_which: bool) -> None:
        if not before or before[-1]["members"] != psi.digest_of(asked):
            raise Refused(f"{path}: asks which of other members than were counted.")
        if not tell_which:
            raise Refused(
                f"{path}: asks which are common, not how many. Answer with --hits if your authority covers it."
            )
