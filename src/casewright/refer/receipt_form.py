"""The receipt: a form that goes along with each package, filled in with any editor and signed with minisign.

Format: docs/formats/receipt.md. What comes back was written by others: it is read line by line, and what cannot be
understood is named with its line.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

HEAD = "CASEWRIGHT RECEIPT 1"
MOST_BYTES, LONGEST = 8 << 20, 4096
"""Bytes of a receipt, and characters of what is said in one line."""
PACKAGE, COUNTRY, RECEIVED_ON, RECEIVED_BY = "package sha-256", "package for", "received on", "received by"
WORDS = {
    PACKAGE: "tagmanifest", COUNTRY: "country", RECEIVED_ON: "received_on", RECEIVED_BY: "received_by",
    "unit": "unit", "our reference": "reference", "note": "note",
}  # fmt: skip
QUESTIONS = {
    "signature verified": "signature_verified", "every file verified": "files_verified",
    "handling code accepted": "handling_accepted",
}  # fmt: skip
NEEDED = (PACKAGE, RECEIVED_ON, RECEIVED_BY)
OUTCOME, EVERYTHING = "outcome of ", "everything"
OUTCOMES = (
    "received", "opened", "under investigation", "person identified", "child safeguarded", "no offence", "not ours",
    "copies destroyed", "copies corrected",
)  # fmt: skip
SENT_ON = "sent on"
SAYS = {"yes": True, "y": True, "no": False, "n": False}
IGNORED = ("#", HEAD.casefold(), "handling code:", "please send")
_FIELD = re.compile(r"\s*([^:]{1,200}?)\s*:(.*)", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}")

TEMPLATE = """\
{head}

# Fill in what stands behind the colons, in any editor, save as UTF-8, and send back this file. Sign it, please:
#     minisign -S -m receipt.txt
# and send receipt.txt.minisig along. Your public key should have come to us before, by another way.
# The digest proves which package you have; you compute it:  sha256sum tagmanifest-sha256.txt
{explained}
Package SHA-256:
Package for: {country}
Handling code: {handling}

# Day as 2026-03-31; the answers in the second part are yes or no.
Received on:
Received by:
Unit:
Our reference:
Signature verified:
Every file verified:
Handling code accepted:
Note:

# What became of it, one of: {outcomes},
# or: sent on to ...
# What you want to add stands behind a semicolon. Send further receipts as things go on; the latest counts.
# An id below is that of the account, as in accounts.csv. Any other id of the package may stand in its place.
Outcome of everything:
{items}
Please send this back to: {contact}
"""


def blank_form(country: str, handling: str, contact: str, items: Iterable[str], explained: str = "") -> str:
    """The form to fill in; `items` are ids, never names. Its own words are English, which is what is read when it comes
    back; `explained` says in the recipient's language what they mean.
    """
    told = "".join(f"# {line}\n" for line in ["", *explained.split("\n")]) if explained else ""
    lines = "".join(f"Outcome of {item}:\n" for item in dict.fromkeys(items))
    return TEMPLATE.format(head=HEAD, country=country, handling=_one_line(handling), contact=_one_line(contact),
                           items=lines, outcomes=", ".join(OUTCOMES), explained=told)  # fmt: skip


def _one_line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class Line:
    """What is said of an item (None: of everything) in one line of the receipt."""

    item: str | None
    outcome: str
    sent_on_to: str | None
    words: str | None
    row: int
    span_start: int
    span_length: int


@dataclass(frozen=True)
class BadLine:
    reason: str
    detail: str
    row: int
    span_start: int
    span_length: int


@dataclass
class Filled:
    """A receipt as it was filled in; `problem` says why it cannot be taken at all."""

    fields: dict[str, str] = field(default_factory=dict)
    answers: dict[str, bool] = field(default_factory=dict)
    outcomes: list[Line] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    said: int = 0
    blank: int = 0
    problem: str = ""


def read_form(raw: bytes) -> Filled:
    """What a receipt says. Never raises: what is wrong with it as a whole is its `problem`."""
    filled = Filled()
    if len(raw) > MOST_BYTES:
        filled.problem = f"has {len(raw)} bytes, more than {MOST_BYTES}"
        return filled
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        filled.problem = "is UTF-16: ask for it saved as UTF-8"
        return filled
    text = _text(raw)
    if HEAD.casefold() not in text[:LONGEST].casefold():
        filled.problem = f"is no receipt: its first line is not {HEAD}"
        return filled
    for row, start, line in _lines(raw):
        _take(filled, _text(line), row, start, len(line))
    _check(filled)
    return filled


def _text(raw: bytes) -> str:
    """UTF-8, or else Windows-1252; what neither has stands escaped."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "backslashreplace")


def _lines(raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    start = 0
    for row, line in enumerate(raw.splitlines(keepends=True), 1):
        yield row, start, line.rstrip(b"\r\n")
        start += len(line)


def _take(filled: Filled, line: str, row: int, start: int, length: int) -> None:
    if not line.strip() or line.strip().casefold().startswith(IGNORED):
        return
    bad = _Bad(filled, row, start, length)
    found = _FIELD.fullmatch(line)
    key = " ".join(found[1].casefold().split()) if found else ""
    value = found[2].strip() if found else ""
    filled.said += 1
    if wrong := _hostile(line):
        bad("hostile text", wrong)
    elif not found or not (key in WORDS or key in QUESTIONS or key.startswith(OUTCOME)):
        bad("not understood", "is none of the form's lines")
    elif not value:
        filled.said, filled.blank = filled.said - 1, filled.blank + 1
    elif key in QUESTIONS:
        _answer(filled, key, value, bad)
    elif key in WORDS:
        if filled.fields.setdefault(key, value) != value:
            filled.problem = filled.problem or f"says {key!r} twice, and not the same"
    else:
        item = " ".join(found[1].split())[len(OUTCOME) :]
        _outcome(filled, item, value, bad)


@dataclass(frozen=True)
class _Bad:
    """Sets a line aside."""

    filled: Filled
    row: int
    start: int
    length: int

    def __call__(self, reason: str, detail: str) -> None:
        self.filled.bad.append(BadLine(reason, detail, self.row, self.start, self.length))


def _hostile(line: str) -> str:
    if len(line) > LONGEST:
        return f"has {len(line)} characters, more than {LONGEST}"
    control = next((c for c in line if unicodedata.category(c) == "Cc" and c != "\t"), None)
    return f"holds the control character \\u{ord(control):04x}" if control is not None else ""


def _answer(filled: Filled, key: str, value: str, bad: _Bad) -> None:
    said = SAYS.get(value.casefold().rstrip("."))
    if said is None:
        bad("not understood", "is answered neither yes nor no")
    elif filled.answers.setdefault(QUESTIONS[key], said) != said:
        filled.problem = filled.problem or f"says {key!r} twice, and not the same"


def _outcome(filled: Filled, item: str, value: str, bad: _Bad) -> None:
    word, _, words = (part.strip() for part in value.partition(";"))
    plain = " ".join(word.casefold().split())
    to = " ".join(word.split())[len(SENT_ON) :].strip() if plain.startswith(SENT_ON + " ") else ""
    if plain not in OUTCOMES and not plain.startswith(SENT_ON):
        bad("not understood", f"none of the outcomes: {', '.join(OUTCOMES)}, {SENT_ON} to ...")
    elif plain.startswith(SENT_ON) and not (to := to.removeprefix("to").strip()):
        bad("not understood", "does not say to whom it was sent on")
    else:
        named = None if item.casefold() == EVERYTHING else item
        outcome = SENT_ON if plain.startswith(SENT_ON) else plain
        filled.outcomes.append(Line(named, outcome, to or None, words or None, bad.row, bad.start, bad.length))


def _check(filled: Filled) -> None:
    """What must be there, and of two lines about one item that differ, neither."""
    filled.problem = filled.problem or _lacks(filled.fields)
    by_item: dict[str | None, set[tuple[str | None, ...]]] = {}
    for line in filled.outcomes:
        by_item.setdefault(line.item, set()).add((line.outcome, line.sent_on_to, line.words))
    twice = {item for item, said in by_item.items() if len(said) > 1}
    kept: dict[str | None, Line] = {}
    for line in filled.outcomes:
        if line.item in twice:
            detail = f"says two things of {line.item or EVERYTHING}"
            filled.bad.append(BadLine("said twice", detail, line.row, line.span_start, line.span_length))
        elif kept.setdefault(line.item, line) is not line:
            filled.said, filled.blank = filled.said - 1, filled.blank + 1
    filled.outcomes = list(kept.values())


def _lacks(fields: Mapping[str, str]) -> str:
    if missing := [key for key in NEEDED if key not in fields]:
        return f"is not filled in: {missing[0]!r} is missing"
    if not _DIGEST.fullmatch(digest_of_package(fields)):
        return "its package SHA-256 is not 64 hex digits"
    return ""


def digest_of_package(fields: Mapping[str, str]) -> str:
    """The digest, as `sha256sum` prints it or as a person copies it: in capitals, in groups, with the file's name."""
    return "".join(fields[PACKAGE].removesuffix("tagmanifest-sha256.txt").split()).lower()
