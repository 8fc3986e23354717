"""The notice of a recall as a small bag, signed as a package is: what was said, what should be, why, and what to do.

Format: docs/formats/recall.md. It is made of the words that the ledger names and of nothing else, so that a run which
was stopped writes the same bytes.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright.model.ids import printable_path
from casewright.model.settings import CaseSettings
from casewright.refer.check_notice import KEYS
from casewright.refer.package import sign_bag, write_manifests
from casewright.refer.recall import NOT_RECORDED, WITHDRAWAL
from casewright.refer.receipt_form import blank_form
from casewright.refer.sealings import Row
from casewright.refer.writers.letter import write_letter
from casewright.refer.writers.sheets import csv_text, write_text
from casewright.refer.writers.texts import recipient
from casewright.vault.keys import SealKey
from casewright.vault.ledger import canonical

TEMPLATE = "notice.typ"
SHOWN, LONGEST = 200, 400
"""Values that the PDF and the text show, and characters of each; the CSV has all."""
COLUMNS = ("figure", "section", "subject", "label", "said", "should_say")
TO_DO = (
    "Destroy the copies of what is withdrawn, or mark them as withdrawn; correct what is corrected.",
    "Do not act on it any more. If something was done because of it, tell us what and when.",
    "Tell everybody to whom you passed it on, and let us know whom.",
    "Send back receipt.txt, filled in and signed, with the outcome: copies destroyed, or copies corrected.",
)


@dataclass(frozen=True)
class Notice:
    """What a notice is made of: its words, the ledger's line of the decision, its day, and the age keys it goes to."""

    content: Row
    line: bytes
    day: str
    recipients: list[str]

    @property
    def name(self) -> str:
        """Its folder under packages/."""
        return f"{self.content['country']}-{self.content['recall']}"


def write_notice(notice: Notice, folder: Path, key: SealKey, about: CaseSettings) -> tuple[Path, str]:
    """The bag of a notice under `folder`; returns it and the digest of what was signed."""
    target = folder / notice.name
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    data = fresh / "data"
    data.mkdir(parents=True)
    said = notice.content
    (data / "notice.json").write_bytes(canonical(said) + b"\n")
    write_text(data / "notice.txt", text_of(notice))
    write_letter(drawn(notice), data / "notice.pdf", TEMPLATE)
    write_text(data / "notice.csv", csv_text(COLUMNS, ([row[c] or "" for c in KEYS] for row in said["said"])))
    (data / "ledger.jsonl").write_bytes(notice.line + b"\n")
    form = blank_form(said["country"], said["handling"], said["contact"], said["items"])
    write_text(data / "receipt.txt", form)
    write_text(data / "recipient.txt", recipient(said["country"], notice.recipients, key.public))
    what = f"{said['recall']} to {said['country']}"
    write_manifests(fresh, about, f"Recall {what}")
    return target, sign_bag(fresh, target, key, f"recall {what}")


def heads(notice: Notice) -> list[tuple[str, str]]:
    """The head of a notice, in the order in which a reader asks."""
    said = notice.content
    packages = "; ".join(f"{p['package']}, SHA-256 of its tagmanifest {p['tagmanifest']}{_how(p['sent'])}"
                         for p in said["packages"])  # fmt: skip
    rows = [
        ("Recall", said["recall"]), ("Of", notice.day), ("To", said["country"]),
        ("From", ", ".join(filter(None, (said["agency"], said["examiner"])))), ("Our case", said["case"]),
        ("What", "withdrawn: it no longer counts" if said["form"] == WITHDRAWAL else "corrected"),
        ("Items", ", ".join(said["items"])), ("Why", said["why"]), ("It should say", said["says"]),
        ("You have it from", packages), ("Handling code", said["handling"]), ("Contact", said["contact"]),
    ]  # fmt: skip
    return [(name, value) for name, value in rows if value]


def _how(sent: str) -> str:
    """How it reached the reader, where we know."""
    return "" if sent == NOT_RECORDED else f" ({sent})"


def title(said: Mapping[str, Any]) -> str:
    return "Withdrawal of what was referred" if said["form"] == WITHDRAWAL else "Correction of what was referred"


def scope(said: Mapping[str, Any]) -> str:
    """How far it reaches, beyond the values that can be listed."""
    if said["form"] == WITHDRAWAL:
        return ("All that the packages say of these items is withdrawn, under their ids and, for an account, under its "
                "name: also transfers, sign-ins, and totals that counted them.")  # fmt: skip
    return "Where totals or summaries of the packages rest on these values, they are corrected with them."


def text_of(notice: Notice) -> str:
    """The notice as plain text; nothing in it can steer a terminal."""
    said = notice.content
    lines = [title(said).upper(), "", *(f"{name + ':':<18}{_plain(value)}" for name, value in heads(notice)), "",
             scope(said), "", "What to do:", *(f"  - {one}" for one in TO_DO), "", "What was said:"]  # fmt: skip
    for row in said["said"][:SHOWN]:
        lines.append(f"  {row['section']}, {row['label']}: {_plain(row['value'])}   [{_plain(row['figure'])}]")
        if row["should"] is not None:
            lines.append(f"      should say: {_plain(row['should'])}")
    if more := _more(said):
        lines.append(f"  and {more} values more, in notice.csv" + _cut(said))
    return "\n".join(lines) + "\n"


def drawn(notice: Notice) -> dict[str, Any]:
    """The notice for the PDF."""
    said = notice.content
    rows = [[row["section"], row["label"], _short(row["value"]), _short(row["should"] or ""), row["figure"]]
            for row in said["said"][:SHOWN]]  # fmt: skip
    more = _more(said)
    return {"title": title(said), "agency": said["agency"], "handling": said["handling"], "recall": said["recall"],
            "heads": [list(pair) for pair in heads(notice)], "scope": scope(said), "to_do": list(TO_DO), "rows": rows,
            "more": f"And {more} values more, in notice.csv{_cut(said)}." if more else ""}  # fmt: skip


def _more(said: Mapping[str, Any]) -> int:
    return max(0, len(said["said"]) - SHOWN)


def _cut(said: Mapping[str, Any]) -> str:
    return f" (which itself leaves out {said['more']})" if said["more"] else ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text)} characters, whole in the CSV)"


def _plain(text: str) -> str:
    return printable_path(_short(text).encode("utf-8", "surrogateescape"))
