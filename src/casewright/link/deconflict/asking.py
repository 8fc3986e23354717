"""The side that asks: how many are common, then which; and reads what it is answered."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from casewright.link.deconflict import psi
from casewright.link.deconflict.hits import ROLE
from casewright.link.deconflict.keep import ASKED, KEY, SET, Keep
from casewright.link.deconflict.message import ANSWER, COUNT, HITS, REQUEST, SETUP, Message
from casewright.link.deconflict.side import RATE, Made, Own, Side
from casewright.link.deconflict.sizes import compared, filled_up, is_step
from casewright.model.errors import Missing, Refused
from casewright.vault.case import SourceFile


@dataclass(frozen=True)
class Found:
    """What was read of an answer: how many both have and, in hits mode, which of ours; of the peer no more."""

    message: Message
    common: int
    hits: list[Own] = field(default_factory=list)


class Asking(Side):
    """What it asked lies in its keep until the answer is read."""

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
        psi.split(body, psi.parts_of(theirs.size))
        mine = sorted({one for one in own if one[0] in theirs.kinds})
        self._some(mine, theirs.asked, "their most_asked")
        of_item = {compared(*one): one for one in mine}
        items = filled_up(list(of_item))
        key, asked = psi.new_request(items)
        message = self._message(
            REQUEST, theirs.run, COUNT, mine, len(items), asked, theirs.expires, theirs.asked, theirs
        )
        order = json.dumps([of_item.get(item) for item in items]).encode("utf-8")
        self._keep(message, "asks", **{KEY: key, ASKED: order, SET: body, "members": asked, "theirs": theirs.raw})
        return self._sent(message, asked, self._line("received", theirs), members=psi.digest_of(asked))

    def which(self, path: Path) -> Made:
        """After a count: ask which of ours, with the very same blinded members, so that nothing new is asked."""
        theirs, _ = self._read(path, SETUP)
        keep = self._kept(theirs.run, "asks")
        counted = self._events("read", run=theirs.run, mode=COUNT)
        if not counted:
            raise Missing("which are common is asked after how many. Read the count first: casewright deconflict read")
        if not counted[-1]["common"]:
            raise Refused("nothing is common: there is nothing to ask for.")
        if keep.get("theirs") != theirs.raw:
            raise Refused(f"{path}: is not the set that was counted.")
        asked = keep.get("members")
        before = self._events("sent", run=theirs.run, step=REQUEST)[-1]
        size = len(asked) // psi.POINT
        message = self._message(REQUEST, theirs.run, HITS, [], size, asked, theirs.expires, theirs.asked, theirs)
        message = replace(message, kinds=list(before["kinds"]), reference=self.case.settings.case.reference)
        return self._sent(message, asked, members=psi.digest_of(asked))

    def read(self, path: Path) -> Found:
        """What an answer says. In hits mode the hits are sealed into the case; then the exchange is over."""
        theirs, body = self._read(path, ANSWER)
        asked = [e for e in self._events("sent", run=theirs.run, step=REQUEST) if e["message"] == theirs.answers]
        if not asked or asked[-1]["mode"] != theirs.mode:
            raise Refused(f"{path}: answers nothing that this case asked {self.peer.agency}.")
        if self._events("received", message=theirs.digest) or self._events("read", run=theirs.run, mode=theirs.mode):
            raise Refused(f"{path}: was read already: a replay, or a second copy.")
        keep = self._kept(theirs.run, "asks")
        if psi.digest_of(keep.get("members")) != asked[-1]["members"]:
            raise Refused(f"{path}: answers an earlier request; this case has asked the same set again since.")
        if len(body) != len(keep.get("members")):
            raise Refused(f"{path}: answers another number of members than were asked.")
        setup = Message(**json.loads(keep.get("theirs")))
        shape = (setup.size, RATE, setup.asked)
        places = psi.common(keep.get(KEY), keep.get(SET), body, shape, theirs.mode == HITS)
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

    def _seal_hits(self, found: Found, keep: Keep) -> None:
        """The hits as an exhibit: what the table `deconfliction` is made of."""
        about = {"run": found.message.run, "peer": found.message.agency, "peer_reference": found.message.reference}
        lines = [json.dumps({**about, "kind": k, "form": f}, sort_keys=True) + "\n" for k, f in found.hits]
        keep.put(hits="".join(lines or [json.dumps(about, sort_keys=True) + "\n"]).encode("utf-8"))
        file = SourceFile(keep.folder / "hits", b"")
        self.case.seal_source([file], ROLE, f"hits of {found.message.run}")
