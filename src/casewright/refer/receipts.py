"""The stage `receipts`: which package was confirmed, by whom, and what became of it.

A receipt counts when its signature is that of a key recorded for the country whose package it confirms. One without
such a signature counts only when somebody decided so, by name and with a reason; one whose text was altered after it
was signed never does.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.link.return_mapping import day_of
from casewright.model.errors import BrokenSeal
from casewright.model.ids import make_id
from casewright.model.tables import TABLES
from casewright.refer.receipt_form import (
    COUNTRY,
    PACKAGE,
    RECEIVED_ON,
    WORDS,
    BadLine,
    Filled,
    digest_of_package,
    read_form,
)
from casewright.refer.sealings import Row, events_of, read_held, sealings
from casewright.vault.case import read_manifest
from casewright.vault.keys import is_public_key, key_number, verify_foreign

SIGNATURE_ENDS = b".minisig"
MOST_SIGNATURE = 4096


class NotTakenError(Exception):
    """A receipt that does not count: the reason in short, and what was met. `forgivable`: a person may take it yet."""

    def __init__(self, reason: str, detail: str, forgivable: bool = False) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.forgivable = reason, detail, forgivable


@dataclass(frozen=True)
class Sealed:
    """A receipt as it was sealed: its text, the signature beside it if there is one, and where the text stands."""

    exhibit: str
    name: str
    path: bytes
    text: bytes
    signature: bytes | None


def receipts(batch: pa.Table, context: Context) -> Output:
    """`sealed_packages`, `receipts` and `outcomes`."""
    told = {kind: events_of(context.table(f"ledger/{kind}")) for kind in (
        "sealed", "package sealed", "package sent", "recipient key", "receipt trusted")}  # fmt: skip
    packages = sealings(told["package sealed"], told["package sent"])
    reading = Reading(context, {p["tagmanifest"]: p for p in packages}, told["recipient key"],
                      {e["exhibit"]: e for e in told["receipt trusted"]})  # fmt: skip
    for event in told["sealed"]:
        if event["role"] == "receipt":
            reading.take(event)
    _mark_standing(reading.outcomes)
    tallies = [
        Tally("receipts", reading.received, len(reading.receipts), reading.doubles),
        Tally("lines of receipts", reading.said + reading.blank, reading.said - reading.bad, reading.blank),
    ]
    tables = {"sealed_packages": packages, "receipts": reading.receipts, "outcomes": reading.outcomes}
    return Output({name: TABLES[name].rows(rows) for name, rows in tables.items()}, reading.aside, tallies)


class Reading:
    """Takes receipts in the order in which they came in."""

    def __init__(self, context: Context, packages: Mapping[str, Row], keys: Sequence[Row], trusted: Mapping[str, Row]):
        self._context, self._packages, self._keys, self._trusted = context, packages, keys, trusted
        self._held: dict[str, frozenset[str] | None] = {}
        self._texts: dict[str, Row] = {}
        self.receipts: list[Row] = []
        self.outcomes: list[Row] = []
        self.aside: list[SetAside] = []
        self.received = self.doubles = self.said = self.blank = self.bad = 0

    def take(self, event: Row) -> None:
        """One sealed receipt."""
        self.received += 1
        sealed = _sealed(event, self._context)
        text = hashlib.sha256(sealed.text).hexdigest()
        filled = read_form(sealed.text)
        try:
            package, key = self._checked(sealed, filled, self.received)
        except NotTakenError as no:
            self.aside.append(SetAside("receipts", sealed.exhibit, no.reason, f"{sealed.name}: {no.detail}"))
            return
        if (before := self._texts.get(text)) is not None:  # the same words again, under another signature
            self.doubles += 1
            if before["signed_by"] is None and key is not None:
                before.update(signed_by=key, trusted_by=None, trusted_why=None)
            return
        self._texts[text] = self._add(sealed, filled, package, key)

    def _checked(self, sealed: Sealed, filled: Filled, number: int) -> tuple[Row, str | None]:
        """The package confirmed, and the key whose signature holds; None where somebody decided to do without."""
        if filled.problem:
            raise NotTakenError("malformed", filled.problem)
        package = self._package(filled)
        try:
            return package, signer(sealed, package["country"], self._keys, number)
        except NotTakenError as no:
            if no.forgivable and sealed.exhibit in self._trusted:
                return package, None
            raise

    def _package(self, filled: Filled) -> Row:
        digest = digest_of_package(filled.fields)
        package = self._packages.get(digest)
        if package is None:
            raise NotTakenError("wrong package", f"confirms {digest}, which was never sealed in this case")
        named, country = filled.fields.get(COUNTRY, ""), package["country"]
        if named and named.upper() != country:
            raise NotTakenError("wrong package", f"says it is for {named}, but that package was for {country}")
        return package

    def _add(self, sealed: Sealed, filled: Filled, package: Row, signed_by: str | None) -> Row:
        receipt = make_id("receipt", sealed.exhibit)
        place = {"exhibit": sealed.exhibit, "path": sealed.path}
        trust = self._trusted.get(sealed.exhibit, {}) if signed_by is None else {}
        said = {WORDS[key]: value for key, value in filled.fields.items() if key not in (PACKAGE, COUNTRY)}
        self.receipts.append({
            "receipt": receipt, "tagmanifest": package["tagmanifest"], "kind": package["kind"],
            "country": package["country"], "number": len(self.receipts) + 1, **said, **filled.answers,
            "received_day": day_of(filled.fields[RECEIVED_ON]), "signed_by": signed_by,
            "trusted_by": trust.get("examiner"), "trusted_why": trust.get("why"), **place,
            "span_start": 0, "span_length": len(sealed.text),
        })  # fmt: skip
        held = self._held_in(package)
        for line in filled.outcomes:
            if held is not None and line.item is not None and line.item not in held:
                why = f"speaks of {line.item}, which that package does not hold"
                place_of = (line.row, line.span_start, line.span_length)
                filled.bad.append(BadLine("not in the package", why, *place_of))
                continue
            self.outcomes.append({
                "outcome_id": make_id("outcome", sealed.exhibit, line.row), "receipt": receipt,
                "country": package["country"], "item_id": line.item, "outcome": line.outcome,
                "sent_on_to": line.sent_on_to, "words": line.words, **place, "row": line.row,
                "span_start": line.span_start, "span_length": line.span_length,
            })  # fmt: skip
        self.aside += [_line_aside(sealed, bad) for bad in filled.bad]
        self.said, self.blank, self.bad = self.said + filled.said, self.blank + filled.blank, self.bad + len(filled.bad)
        return self.receipts[-1]

    def _held_in(self, package: Row) -> frozenset[str] | None:
        """Every id in the package; None where no record of it was kept."""
        digest = package["held"]
        if digest is None:
            return None
        if digest not in self._held:
            rows = read_held(self._context.open(digest))
            ids = {s for sources in rows.column("sources").to_pylist() for s in sources or []}
            ids.update(rows.column("figure").to_pylist(), rows.column("subject").to_pylist())
            self._held[digest] = frozenset(ids)
        return self._held[digest]


def _line_aside(sealed: Sealed, bad: BadLine) -> SetAside:
    detail = f"{sealed.name}, line {bad.row}: {bad.detail}"
    return SetAside("lines of receipts", sealed.exhibit, bad.reason, detail, span_start=bad.span_start,
                    span_length=bad.span_length, row=bad.row)  # fmt: skip


def _sealed(event: Row, context: Context) -> Sealed:
    """The text and, where the exhibit has two files, the signature beside it."""
    if event["form"] == "file":
        with context.open(event["exhibit"]) as file:
            return Sealed(event["exhibit"], event["name"], b"", file.read(), None)
    with context.open(event["exhibit"]) as file:
        files = {bytes.fromhex(row["path"]): row["sha256"] for row in read_manifest(file.read())}
    texts = {path: sha256 for path, sha256 in files.items() if not path.endswith(SIGNATURE_ENDS)}
    path, sha256 = next(iter(texts.items()))
    with context.open(sha256) as file:
        text = file.read()
    with context.open(files[path + SIGNATURE_ENDS]) as file:
        return Sealed(event["exhibit"], event["name"], path, text, file.read(MOST_SIGNATURE))


def signer(sealed: Sealed, country: str, keys: Sequence[Row], receipt: int = 0) -> str:
    """The recorded key of this country whose signature holds over the text. Raises NotTakenError with the reason.

    `receipt`: the how manieth receipt of the case it is. Those that were in before a key was withdrawn still count.
    """
    if sealed.signature is None:
        raise NotTakenError("unsigned", "has no signature beside it", forgivable=True)
    try:
        number = key_number(sealed.signature.split(b"\n")[1].strip().decode("ascii"))
    except (ValueError, IndexError) as error:
        raise NotTakenError("altered", f"what stands beside it is no minisign signature ({error})") from error
    known = [key for key in keys if is_public_key(key["key"]) and key_number(key["key"]) == number]
    if not known:
        why = f"is signed by the key {number}, which nobody recorded (casewright receipt CASE --key {country}=KEY)"
        raise NotTakenError("unknown key", why, forgivable=True)
    for key in dict.fromkeys(key["key"] for key in known):
        try:
            verify_foreign(sealed.text, sealed.signature, key)
        except BrokenSeal:
            continue
        countries = sorted({one["country"] for one in known if one["key"] == key})
        if country in countries:
            _check_standing(key, [one for one in known if (one["country"], one["key"]) == (country, key)][-1], receipt)
            return str(key)
        whose = f"is signed by a key of {', '.join(countries)}, and confirms a package for {country}"
        raise NotTakenError("key of another recipient", whose, forgivable=True)
    raise NotTakenError("altered", f"is not what the key {number} signed: the text or the signature was changed")


def _check_standing(key: str, last: Row, receipt: int) -> None:
    """Raises NotTakenError for a receipt that came in after its key was withdrawn; `last`: what was last said of it."""
    if last.get("withdrawn") and receipt > last["after"]:
        who, why = last["examiner"], last["why"]
        why = f"is signed by the key {key_number(key)}, which {who} withdrew before it came in: {why}"
        raise NotTakenError("withdrawn key", why, forgivable=True)


def _mark_standing(outcomes: list[Row]) -> None:
    """Of what one country says of one item, the last receipt counts."""
    last = {(row["country"], row["item_id"]): row["receipt"] for row in outcomes}
    for row in outcomes:
        row["stands"] = last[row["country"], row["item_id"]] == row["receipt"]
