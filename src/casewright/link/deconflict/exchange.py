"""The four steps of comparing with another agency, by files; each side's ledger says what it sent, took and read.

One agency sends its set (setup), the other asks (request), is answered (answer), and reads (read): first how many both
have, then, when both want it, which. Nothing is told to the one that was asked. docs/deconfliction.md says what a peer
that does not play fair can learn.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from casewright.link.deconflict import library
from casewright.link.deconflict.card import Card, card_of
from casewright.link.deconflict.hits import ROLE
from casewright.link.deconflict.keep import ASKED, KEY, SET, Keep
from casewright.link.deconflict.message import ANSWER, COUNT, HITS, REQUEST, SETUP, Message, read_message, written
from casewright.link.deconflict.sizes import compared, filled_up, is_step, step_above
from casewright.model.errors import Missing, Refused
from casewright.vault.age_keys import age_identity
from casewright.vault.case import Case, SourceFile

RATE = 1e-6
"""Of so many exchanges one may have a false hit."""
Own = tuple[str, str]
"""Kind and form of a selector of ours."""


@dataclass(frozen=True)
class Made:
    """A file to hand over, and what the ledger says of it; the ledger was told before the file is written."""

    raw: bytes
    message: Message


@dataclass(frozen=True)
class Found:
    """What was read of an answer: how many both have and, in hits mode, which of ours; of the peer no more."""

    message: Message
    common: int
    hits: list[Own] = field(default_factory=list)


@dataclass(frozen=True)
class Exchange:
    """Our side: the case, which the caller holds; whose card; on which authority; and the time."""

    case: Case
    peer: Card
    authority: str
    now: datetime

    def setup(self, own: Iterable[Own], run: str = "") -> Made:
        """Send our set, under a fresh key; the exchange's number is drawn, if none is given."""
        mine = sorted(set(own))
        limits = self.case.settings.deconflict
        self._some(mine, limits.most_selectors, "most_selectors")
        items = filled_up([compared(*one) for one in mine])
        key, body = library.new_setup(items, RATE, limits.most_asked)
        expires = (self.now + timedelta(days=limits.valid_days)).date().isoformat()
        run = run or secrets.token_hex(16)
        message = self._message(SETUP, run, COUNT, mine, len(items), body, expires, limits.most_asked)
        self._keep(message, "answers", **{KEY: key})
        return self._sent(message, body)

    def request(self, path: Path, own: Iterable[Own]) -> Made:
        """Ask how many of ours, of the kinds that the peer has, are in its set, under a fresh key."""
        theirs, body = self._read(path, SETUP)
        done = self._events("read", run=theirs.run)
        if done:
            raise Refused(f"{path}: was asked and read already. `--hits` asks which; a new question needs a new set.")
        if not is_step(theirs.size) or theirs.size > self.case.settings.deconflict.most_selectors:
            raise Refused(
                f"{path}: a set of {theirs.size} is none of the steps, or larger than [deconflict] most_selectors."
            )
        library.split(body, library.parts_of(theirs.size))
        mine = sorted({one for one in own if one[0] in theirs.kinds})
        self._some(mine, theirs.asked, "their most_asked")
        of_item = {compared(*one): one for one in mine}
        items = filled_up(list(of_item))
        key, asked = library.new_request(items)
        message = self._message(
            REQUEST, theirs.run, COUNT, mine, len(items), asked, theirs.expires, theirs.asked, theirs
        )
        order = json.dumps([of_item.get(item) for item in items]).encode("utf-8")
        self._keep(message, "asks", **{KEY: key, ASKED: order, SET: body, "members": asked, "theirs": theirs.raw})
        return self._sent(message, asked, self._line("received", theirs), members=library.digest_of(asked))

    def which(self, path: Path) -> Made:
        """After a count: ask which of ours, with the very same blinded members, so that nothing new is asked."""
        theirs, _ = self._read(path, SETUP)
        keep = self._kept(theirs.run, "asks")
        counted = self._events("read", run=theirs.run, mode=COUNT)
        if not counted:
            raise Missing("which are common is asked after how many. Read the count first: casewright deconflict read")
        if not counted[-1]["common"]:
            raise Refused("nothing is common: there is nothing to ask for.")
        asked = keep.get("members")
        before = self._events("sent", run=theirs.run, step=REQUEST)[-1]
        size = len(asked) // library.POINT
        message = self._message(REQUEST, theirs.run, HITS, [], size, asked, theirs.expires, theirs.asked, theirs)
        message = replace(message, kinds=list(before["kinds"]), reference=self.case.settings.case.reference)
        return self._sent(message, asked, members=library.digest_of(asked))

    def answer(self, path: Path, tell_which: bool) -> Made:
        """Answer a peer's request. Which are common is told on `tell_which` only, and only after their number."""
        theirs, asked = self._read(path, REQUEST)
        try:
            self._may_ask(path, theirs, asked, tell_which)
        except Refused as refusal:
            self._tell(self._line("refused", theirs, why=str(refusal).replace(str(path), path.name)))
            raise
        keep = self._kept(theirs.run, "answers")
        body = library.answer(keep.get(KEY), asked, theirs.mode == HITS)
        message = self._message(
            ANSWER, theirs.run, theirs.mode, [], theirs.size, body, theirs.expires, theirs.asked, theirs
        )
        if theirs.mode == HITS:
            message = replace(message, reference=self.case.settings.case.reference)
        made = self._sent(message, body, self._line("received", theirs, members=library.digest_of(asked)))
        if theirs.mode == HITS:
            keep.remove()
        return made

    def read(self, path: Path) -> Found:
        """What an answer says. In hits mode the hits are sealed into the case; then the exchange is over."""
        theirs, body = self._read(path, ANSWER)
        asked = [e for e in self._events("sent", run=theirs.run, step=REQUEST) if e["message"] == theirs.answers]
        if not asked or asked[-1]["mode"] != theirs.mode:
            raise Refused(f"{path}: answers nothing that this case asked {self.peer.agency}.")
        if self._events("received", message=theirs.digest) or self._events("read", run=theirs.run, mode=theirs.mode):
            raise Refused(f"{path}: was read already: a replay, or a second copy.")
        keep = self._kept(theirs.run, "asks")
        if library.digest_of(keep.get("members")) != asked[-1]["members"]:
            raise Refused(f"{path}: answers an earlier request; this case has asked the same set again since.")
        if len(body) != len(keep.get("members")):
            raise Refused(f"{path}: answers another number of members than were asked.")
        setup = Message(**json.loads(keep.get("theirs")))
        shape = (setup.size, RATE, setup.asked)
        places = library.common(keep.get(KEY), keep.get(SET), body, shape, theirs.mode == HITS)
        order = json.loads(keep.get(ASKED))
        found = Found(theirs, len(places), self._hits(theirs, order, places))
        if theirs.mode == HITS:
            self._seal_hits(found, keep)
        kinds = sorted({kind for kind, _ in found.hits})
        self._tell(self._line("received", theirs), self._line("read", theirs, common=found.common, kinds=kinds))
        if theirs.mode == HITS or not found.common:
            keep.remove()
        return found

    def _hits(self, theirs: Message, order: list[Any], places: list[int]) -> list[Own]:
        if theirs.mode != HITS:
            return []
        return sorted((order[place][0], order[place][1]) for place in places if order[place])

    def _some(self, mine: list[Own], most: int, name: str) -> None:
        if not mine:
            raise Missing(
                "this case has nothing to compare. The table deconflict_selectors says what is left out, and why."
            )
        if step_above(len(mine)) > most:
            raise Refused(f"{len(mine):,} selectors are more than {most:,} ({name}), noise included. Choose fewer with "
                          "--kind or --exclude.")  # fmt: skip

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
            answers=to.digest if to else "", body=library.digest_of(body),
        )  # fmt: skip

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
        if not is_step(theirs.size) or theirs.size > sent[-1]["asked"] or len(asked) != theirs.size * library.POINT:
            raise Refused(f"{path}: asks {len(asked) // library.POINT} members; allowed are steps up to "
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
        if not before or before[-1]["members"] != library.digest_of(asked):
            raise Refused(f"{path}: asks which of other members than were counted.")
        if not tell_which:
            raise Refused(
                f"{path}: asks which are common, not how many. Answer with --hits if your authority covers it."
            )

    def _keep(self, message: Message, side: str, **files: bytes) -> None:
        about = json.dumps({"expires": message.expires, "peer": self.peer.agency}).encode("utf-8")
        self._kept(message.run, side).put(**{"about.json": about, **files})

    def _kept(self, run: str, side: str) -> Keep:
        return Keep.of(self.case.root, run, side, self.peer.sign)

    def _seal_hits(self, found: Found, keep: Keep) -> None:
        """The hits as an exhibit: what the table `deconfliction` is made of."""
        about = {"run": found.message.run, "peer": found.message.agency, "peer_reference": found.message.reference}
        lines = [json.dumps({**about, "kind": k, "form": f}, sort_keys=True) + "\n" for k, f in found.hits]
        keep.put(hits="".join(lines or [json.dumps(about, sort_keys=True) + "\n"]).encode("utf-8"))
        file = SourceFile(keep.folder / "hits", b"")
        self.case.seal_source([file], ROLE, f"hits of {found.message.run}")

    def _sent(self, message: Message, body: bytes, *before: dict[str, Any], **more: Any) -> Made:
        """The file; the ledger is told of it, and of what came before it, in one write."""
        made = Made(written(message, body, self.case.seal_key()), message)
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
