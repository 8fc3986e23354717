"""One side of an exchange: what it checks of every file, what it keeps, and what its ledger says."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from casewright.link.deconflict import psi
from casewright.link.deconflict.card import Card, card_of
from casewright.link.deconflict.hits import ROLE
from casewright.link.deconflict.keep import Keep
from casewright.link.deconflict.message import Message, read_message, written
from casewright.link.deconflict.sizes import step_above
from casewright.model.errors import Missing, Refused
from casewright.vault.age_keys import age_identity
from casewright.vault.case import Case

RATE = 1e-6
"""Of so many exchanges one may have a false hit."""
Own = tuple[str, str]
"""Kind and form of a selector of ours."""


@dataclass(frozen=True)
class Made:
    """A file to hand over, and what it says of itself."""

    raw: bytes
    message: Message


@dataclass(frozen=True)
class Side:
    """Our side: the case, which the caller holds; whose card; on which authority; and the time.

    `hold` puts a file aside before the ledger is told of it: killed in between, neither is lost.
    """

    case: Case
    peer: Card
    authority: str
    now: datetime
    hold: Callable[[bytes], None] = lambda raw: None

    def _read(self, path: Path, step: str) -> tuple[Message, bytes]:
        """A peer's file, and whether it is of this day. Raises Refused."""
        identity = age_identity(self.case.age_key_path())
        theirs, body = read_message(path, step, identity, self.case.settings.seal.public_key, self.peer)
        if theirs.expires < self.now.date().isoformat():
            raise Refused(f"{path}: is stale: it was valid until {theirs.expires}. Ask for a new one.")
        if _moment(theirs.made, path) > self.now + timedelta(days=1):
            raise Refused(f"{path}: was made on {theirs.made}, which is not yet. Compare the clocks of both machines.")
        if theirs.rate != f"{RATE:g}":
            raise Refused(f"{path}: its share of false hits is {theirs.rate}, not {RATE:g}.")
        return theirs, body

    def _message(
        self, step: str, run: str, mode: str, mine: list[Own], size: int, body: bytes, expires: str, asked: int,
        to: Message | None = None,
    ) -> Message:  # fmt: skip
        me = card_of(self.case)
        return Message(
            step=step, run=run, mode=mode, agency=me.agency, sender=me.sign, sender_age=me.age,
            receiver=self.peer.sign, receiver_age=self.peer.age, reference="",
            authority=self.authority, made=self.now.isoformat(timespec="seconds"), expires=expires,
            kinds=sorted({kind for kind, _ in mine}), size=size, asked=asked, rate=f"{RATE:g}",
            answers=to.digest if to else "", body=psi.digest_of(body),
        )  # fmt: skip

    def _some(self, mine: list[Own], most: int, name: str) -> None:
        if not mine:
            raise Missing(
                "this case has nothing to compare. The table deconflict_selectors says what is left out, and why."
            )
        if step_above(len(mine)) > most:
            raise Refused(f"{len(mine):,} selectors are more than {most:,} ({name}), noise included. Choose fewer with "
                          "--kind or --exclude.")  # fmt: skip

    def _keep(self, message: Message, side: str, **files: bytes) -> None:
        about = json.dumps({"expires": message.expires, "peer": self.peer.agency}).encode("utf-8")
        self._kept(message.run, side).put(**{"about.json": about, **files})

    def _kept(self, run: str, side: str) -> Keep:
        return Keep.of(self.case.root, run, side, self.peer.sign)

    def _sent(self, message: Message, body: bytes, *before: dict[str, Any], **more: Any) -> Made:
        """The file is held; the ledger is told of it, and of what came before it, in one write; then it may go out."""
        made = Made(written(message, body, self.case.seal_key()), message)
        self.hold(made.raw)
        self._tell(*before, self._line("sent", message, **more))
        return made

    def _tell(self, *lines: dict[str, Any]) -> None:
        self.case.ledger.append(*(("deconfliction", line) for line in lines))

    def _line(self, way: str, message: Message, **more: Any) -> dict[str, Any]:
        """What the ledger says of a message."""
        about = {"way": way, "step": message.step, "run": message.run, "mode": message.mode, "peer": self.peer.agency,
                 "peer_key": self.peer.sign, "authority": message.authority, "reference": message.reference,
                 "kinds": message.kinds, "size": message.size, "asked": message.asked,
                 "message": message.digest}  # fmt: skip
        return {**about, **more}

    def _events(self, way: str, **wanted: Any) -> list[dict[str, Any]]:
        """What the ledger says of exchanges with this peer."""
        return [dict(e.data) for e in self.case.ledger.events(ROLE)
                if e.data["way"] == way and e.data["peer_key"] == self.peer.sign
                and all(e.data.get(name) == value for name, value in wanted.items())]  # fmt: skip


def _moment(text: str, path: Path) -> datetime:
    try:
        made = datetime.fromisoformat(text)
        if made.tzinfo is None:
            raise ValueError("names no zone")
    except ValueError as error:
        raise Refused(f"{path}: {text!r} is no time.") from error
    return made
