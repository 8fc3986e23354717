"""The demo's second agency: its case beside ours, and the exchange with it by files, as two agencies would do it."""

import shutil
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from casewright.cli.verbs.deconflict import selectors_of
from casewright.demo.second_agency import AGENCY, REFERENCE, RUN
from casewright.engine.query import Reader
from casewright.link.deconflict.card import card_of
from casewright.link.deconflict.exchange import Exchange
from casewright.link.deconflict.side import Made, Own
from casewright.model.selectors import KINDS, normal_form
from casewright.model.settings import CaseSettings
from casewright.vault.case import Case
from casewright.vault.disk import write_atomically

FOLDER, KEY_FILE = "second-agency", "seal.key"
AUTHORITY = "joint demonstration"


def ask_second_agency(case: Case, truth: dict[str, Any]) -> None:
    """Ask how many, and then which; the caller holds our case, whose selectors are up to date. Done once; an exchange
    that was stopped in its middle is begun anew."""
    done = [e.data for e in case.ledger.events("deconfliction") if e.data["way"] == "read"]
    if find_spec("private_set_intersection") is None or any(e["mode"] == "hits" for e in done):
        return
    shutil.rmtree(case.root / FOLDER, ignore_errors=True)
    other = _made(case.root / FOLDER)
    run = f"{RUN}{len(case.ledger.events('deconfliction')):04x}"
    now = datetime.now(UTC)
    ours, theirs = (Exchange(a, card_of(b), AUTHORITY, now) for a, b in ((case, other), (other, case)))
    has: list[Own] = [(kind, normal_form(kind, text)) for kind, text in truth["second agency"]]
    with Reader(case.tables) as reader:
        own = selectors_of(reader, KINDS)
    with other.writing():
        setup = _over(case, "1 set.age", theirs.setup(has, run))
        request = _over(case, "2 request.age", ours.request(setup, own))
        found = ours.read(_over(case, "3 answer.age", theirs.answer(request, False)))
        if found.common:
            which = _over(case, "4 which.age", ours.which(setup))
            ours.read(_over(case, "5 hits.age", theirs.answer(which, True)))


def _made(folder: Path) -> Case:
    about = CaseSettings("A sister shop", AGENCY, "H. Example", REFERENCE)
    return Case.create(folder, about, KEY_FILE, network="regtest")


def _over(case: Case, name: str, made: Made) -> Path:
    """The file as it goes over the table."""
    path = case.root / FOLDER / "files" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, made.raw)
    return path
