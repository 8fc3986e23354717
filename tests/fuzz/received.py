"""Parsers of what agencies, recipients and services send, and of what a child says, each as a function of any bytes."""

import contextlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casewright.chain.sources.esplora import ENDING
from casewright.engine.messages import decode_output
from casewright.link.deconflict.card import read_card
from casewright.link.return_mapping import read_return_mapping
from casewright.refer.check_notice import notice_problems
from casewright.refer.receipts import NotTakenError, Sealed, signer
from casewright.vault.keys import SealKey
from tests.fuzz.stages import TRIED, File, Rows, Through
from tests.fuzz.trying import Target

CORPUS = Path(__file__).with_name("corpus")
KEY = SealKey.from_seed(b"fuzz")
TEXT = b"the text of a receipt"
READ = {"way": "read", "step": "answer", "run": "run-1", "mode": "hits", "peer": "Other Unit", "common": 1,
        "authority": "A", "reference": "MCU-7"}  # fmt: skip
EMAIL = {"account": "acct-1", "native": "1", "email": "ada@example.org"}
OURS = {"id": "own-1", "kind": "email", "form": "ada@example.org", "account": "acct-1"}
MEDIUM = {"item": "item-9", "exhibit": "0" * 64, "mime": "image/png", "sha256": "cd" * 32, "sha1": "ab" * 20,
          "md5": "ef" * 16, "path": b"p.png", "name": "p.png", "size": 7, "deleted": False,
          "origin": "live"}  # fmt: skip


def export(name: str, *beside: str) -> Target:
    """A file of an export under this name; with others from the corpus, which stay as they are."""
    others = [File(content=(CORPUS / "export-parts" / one).read_bytes()) for one in beside]
    digests = [TRIED, *(one.sha256 for one in others)]
    content = {"content": "content-0", "sha256s": digests, "names": [name, *beside] if name else [], "key": b""}
    return Through("read_blocks", others, {"chain_contents": [content]})


def _notice(name: str) -> Target:
    """A recall's notice of which one file is anything."""

    def check(raw: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for file in (CORPUS / "notice").iterdir():
                (Path(folder) / file.name).write_bytes(raw if file.name == name else file.read_bytes())
            list(notice_problems(Path(folder)))

    return check


def _signature(raw: bytes) -> None:
    known: dict[str, Any] = {"country": "NL", "key": KEY.public}
    with contextlib.suppress(NotTakenError):
        signer(Sealed("0" * 64, "receipt.txt", b"receipt.txt", TEXT, raw), "NL", [known])


def _card(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "card.toml"
        path.write_bytes(raw)
        read_card(path)


def _return_mapping(raw: bytes) -> None:
    read_return_mapping(raw, "x")


def _child(raw: bytes) -> None:
    """What a child gave is taken, or the error is raised by which the parent knows that it lies."""
    with contextlib.suppress(ValueError):
        decode_output(raw)


def _events(kind: str, *data: Mapping[str, Any]) -> Rows:
    return {f"ledger/{kind}": [{"event": json.dumps({"data": one})} for one in data]}


RECEIVED: Mapping[str, Target] = {
    "list-nsrl": Through("harmless", [File(role="list", path=b"rds.db")], {"items": [MEDIUM]}),
    "export-parquet": export("transactions.parquet"),
    "export-packed": export("transactions.csv.gz"),
    "export-outputs": export("outputs.parquet", "transactions.parquet", "inputs.parquet"),
    "esplora": export("told" + ENDING),
    "returns-workbook": Through("returns", [File(role="return", path=b"r.xlsx")]),
    "return-mapping": _return_mapping,
    "case-link": Through("case_links", [File(role="case", path=b"shared")], {"accounts": [EMAIL]}),
    "deconflict-hits": Through(
        "deconfliction",
        [File(role="deconfliction", path=b"hits")],
        {"deconflict_selectors": [OURS], **_events("deconfliction", READ)},
    ),
    "deconflict-card": _card,
    "recall-notice": _notice("notice.json"),
    "recall-sheet": _notice("notice.csv"),
    "receipt-signature": _signature,
    "child-output": _child,
}
