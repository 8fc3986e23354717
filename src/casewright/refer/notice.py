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
from casewright.refer.words import Words, english, words_of
from casewright.refer.writers.fonts import Letters
from casewright.refer.writers.letter import write_letter
from casewright.refer.writers.sheets import csv_text, write_text
from casewright.refer.writers.texts import recipient
from casewright.vault.keys import SealKey
from casewright.vault.ledger import canonical

TEMPLATE = "notice.typ"
WITHDRAWN = "withdrawn: it no longer counts"
SHOWN, LONGEST = 200, 400
"""Values that the PDF and the text show, and characters of each; the CSV has all."""
COLUMNS = ("figure", "section", "subject", "label", "said", "should_say")
TO_DO = ("notice_do_1", "notice_do_2", "notice_do_3", "notice_do_4")


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


def write_notice(
    notice: Notice, folder: Path, key: SealKey, about: CaseSettings, fonts: tuple[str, ...] = Letters().folders
) -> tuple[Path, str]:
    """The bag of a notice under `folder`; returns it and the digest of what was signed. `fonts`: where letters are."""
    target = folder / notice.name
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    data = fresh / "data"
    data.mkdir(parents=True)
    said = notice.content
    (data / "notice.json").write_bytes(canonical(said) + b"\n")
    for words, name in _spoken(said):
        write_text(data / f"{name}.txt", text_of(notice, words))
        write_letter(drawn(notice, words), data / f"{name}.pdf", TEMPLATE, Letters(words.scripts, fonts))
    write_text(data / "notice.csv", csv_text(COLUMNS, ([row[c] or "" for c in KEYS] for row in said["said"])))
    (data / "ledger.jsonl").write_bytes(notice.line + b"\n")
    explained = _spoken(said)[-1][0].say("receipt_explained").strip()
    form = blank_form(said["country"], said["handling"], said["contact"], said["items"], explained)
    write_text(data / "receipt.txt", form)
    write_text(data / "recipient.txt", recipient(said["country"], notice.recipients, key.public))
    what = f"{said['recall']} to {said['country']}"
    write_manifests(fresh, about, f"Recall {what}")
    return target, sign_bag(fresh, target, key, f"recall {what}")


def _spoken(said: Mapping[str, Any]) -> list[tuple[Words, str]]:
    """The notice's languages, each with the name of its files: English, and the country's where it is another."""
    own = said.get("language", "en")
    return [(english(), "notice"), *([(words_of(own), f"notice.{own}")] if own != "en" else [])]


def heads(notice: Notice, words: Words) -> list[tuple[str, str]]:
    """The head of a notice, in the order in which a reader asks."""
    said = notice.content
    packages = "; ".join(f"{p['package']}, SHA-256 of its tagmanifest {p['tagmanifest']}{_how(p['sent'])}"
                         for p in said["packages"])  # fmt: skip
    rows = [
        ("Recall", said["recall"]), ("Of", notice.day), ("To", said["country"]),
        ("From", ", ".join(filter(None, (said["agency"], said["examiner"])))), ("Our case", said["case"]),
        ("What", words.value("what", WITHDRAWN if said["form"] == WITHDRAWAL else "corrected")),
        ("Items", ", ".join(said["items"])), ("Why", said["why"]), ("It should say", said["says"]),
        ("You have it from", packages), ("Handling code", said["handling"]), ("Contact", said["contact"]),
    ]  # fmt: skip
    return [(words.label(name), value) for name, value in rows if value]


def _how(sent: str) -> str:
    """How it reached the reader, where we know."""
    return "" if sent == NOT_RECORDED else f" ({sent})"


def title(said: Mapping[str, Any], words: Words) -> str:
    return words.say("notice_withdrawal" if said["form"] == WITHDRAWAL else "notice_correction")


def scope(said: Mapping[str, Any], words: Words) -> str:
    """How far it reaches, beyond the values that can be listed."""
    return words.say("notice_all" if said["form"] == WITHDRAWAL else "notice_sums")


def text_of(notice: Notice, words: Words) -> str:
    """The notice as plain text; nothing in it can steer a terminal."""
    said = notice.content
    lines = [title(said, words).upper(), "", *(f"{name + ':':<18}{_plain(v)}" for name, v in heads(notice, words)), "",
             scope(said, words), "", words.say("notice_to_do") + ":", *(f"  - {words.say(one)}" for one in TO_DO), "",
             words.say("notice_said") + ":"]  # fmt: skip
    for row in said["said"][:SHOWN]:
        told = words.value(row["label"], row["value"])
        lines.append(f"  {row['section']}, {words.label(row['label'])}: {_plain(told)}   [{_plain(row['figure'])}]")
        if row["should"] is not None:
            lines.append(f"      {words.label('it should say')}: {_plain(row['should'])}")
    if more := _more(said, words):
        lines.append(f"  {more}")
    return "\n".join(lines) + "\n"


def drawn(notice: Notice, words: Words) -> dict[str, Any]:
    """The notice for the PDF."""
    said = notice.content
    rows = [[row["section"], words.label(row["label"]), _short(words.value(row["label"], row["value"])),
             _short(row["should"] or ""), row["figure"]] for row in said["said"][:SHOWN]]  # fmt: skip
    fixed = {"to_do": words.say("notice_to_do"), "said": words.say("notice_said"), "page": words.say("page"),
             "of": words.say("of"),
             "columns": [words.label(one) for one in ("Part", "What", "It said", "It should say")]}  # fmt: skip
    return {"title": title(said, words), "agency": said["agency"], "handling": said["handling"],
            "recall": said["recall"], "heads": [list(pair) for pair in heads(notice, words)],
            "scope": scope(said, words), "to_do": [words.say(one) for one in TO_DO], "rows": rows,
            "more": _more(said, words), "fixed": fixed, "language": words.language}  # fmt: skip


def _more(said: Mapping[str, Any], words: Words) -> str:
    """How many values stand in the CSV only, and how many not even there."""
    more = len(said["said"]) - SHOWN
    if more <= 0:
        return ""
    cut = " " + words.say("notice_cut", more=said["more"]) if said["more"] else ""
    return words.say("notice_more", more=more) + cut


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text)} characters, whole in the CSV)"


def _plain(text: str) -> str:
    return printable_path(_short(text).encode("utf-8", "surrogateescape"))
