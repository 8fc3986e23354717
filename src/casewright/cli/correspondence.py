"""What the ledger is told of packages once they are sealed: whose keys count, what went out, what came back."""

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

from casewright.cli.pipeline import OF_VERB
from casewright.cli.work import runner
from casewright.engine.query import Reader
from casewright.engine.runner import Ran
from casewright.engine.units import Inline
from casewright.engine.verify import digests_of_exhibit
from casewright.model.errors import Missing, Refused, UsageError
from casewright.refer.contents import FIGURES
from casewright.refer.countries import country_of
from casewright.refer.receipt_form import MOST_BYTES
from casewright.refer.sealings import held_bytes
from casewright.vault.case import Case, SourceFile
from casewright.vault.keys import is_public_key

SIGNATURE = ".minisig"


def note_keys(case: Case, signers: list[tuple[str, str]]) -> None:
    """Record in the ledger whose signature counts for a country's receipts; the caller holds the case."""
    if strange := [country for country, _ in signers if country != country_of(country)]:
        raise UsageError(f"{strange[0]!r} is no country of ISO 3166, nor ZZ.")
    last = {(e.data["country"], e.data["key"]): e.data for e in case.ledger.events("recipient key")}
    known = {pair for pair, event in last.items() if not event.get("withdrawn")}
    examiner = case.settings.case.examiner
    fresh = [pair for pair in dict.fromkeys(signers) if pair not in known]
    case.ledger.append(*(("recipient key", {"country": c, "key": key, "examiner": examiner}) for c, key in fresh))


def note_sealed(case: Case, made: list[dict[str, Any]], recipients: dict[str, list[str]]) -> None:
    """Tell the ledger of packages that are new or were sealed for somebody else, and keep what each of them held."""
    known = {(e.data["country"], e.data["tagmanifest"]) for e in case.ledger.events("package sealed")}
    fresh = [m for m in made if (m["country"], m["tagmanifest"]) not in known or m["encrypted"]]
    with Reader(case.tables) as reader:
        held = {m["package"]: _keep(case, held_bytes(reader.table(FIGURES, {"name": m["package"]}))) for m in fresh}
    case.ledger.append(*(
        ("package sealed", {"country": m["country"], "package": m["package"], "tagmanifest": m["tagmanifest"],
                            "recipients": recipients.get(m["country"], []), "figures": held[m["package"]]})
        for m in fresh
    ))  # fmt: skip


def _keep(case: Case, raw: bytes) -> str:
    return case.store.put([raw], durable=True)


def note_sent(case: Case, given: list[str]) -> list[dict[str, Any]]:
    """Record in the ledger that packages went out; the caller holds the case. Raises Missing for one never sealed."""
    sealed = case.ledger.events("package sealed")
    made = []
    for one in given:
        name, sign, day = one.partition("=")
        found = [e.data for e in sealed if name.upper() == e.data["package"].upper() or name == e.data["tagmanifest"]]
        try:
            date.fromisoformat(day if sign else "")
        except ValueError as error:
            raise UsageError(f"--sent takes CC=DAY, such as NL=2026-03-31, not {one!r}.") from error
        if not found:
            names = ", ".join(sorted({e.data["package"] for e in sealed})) or "none"
            raise Missing(f"no package {name} was sealed. There are: {names}.")
        last = {key: found[-1][key] for key in ("country", "package", "tagmanifest")}
        made.append({**last, "day": day, "examiner": case.settings.case.examiner})
    case.ledger.append(*(("package sent", event) for event in made))
    keep_account(case)
    return made


def signer_named(text: str) -> tuple[str, str]:
    """CC=KEY, as somebody wrote it."""
    country, sign, key = text.partition("=")
    if not sign or not is_public_key(key):
        raise UsageError(f"--key takes CC=KEY with a minisign public key (RW...), not {text!r}.")
    return country.upper(), key


def seal_receipt(case: Case, path: Path) -> str:
    """Seal a receipt, with the signature beside it if there is one; returns its exhibit. The caller holds the case."""
    if not path.is_file():
        raise Missing(f"{path} is not there, or is no file.")
    if path.stat().st_size > MOST_BYTES:
        raise Refused(f"{path} has more than {MOST_BYTES} bytes: that is no receipt. Nothing was sealed.")
    beside = path.with_name(path.name + SIGNATURE)
    files = [SourceFile(path, b"")]
    if beside.is_file():
        files = [SourceFile(path, b"receipt.txt"), SourceFile(beside, b"receipt.txt" + SIGNATURE.encode())]
    event = case.seal_source(files, "receipt", path.name)
    return str(event.data["exhibit"]) if event else _sealed_before(case, path)


def _sealed_before(case: Case, path: Path) -> str:
    """The exhibit of a receipt that was given before."""
    text = hashlib.sha256(path.read_bytes()).hexdigest()
    for event in case.ledger.events("sealed"):
        if event.data["role"] == "receipt" and text in digests_of_exhibit(case.store, event):
            return str(event.data["exhibit"])
    raise Missing(f"{path} changed while it was being sealed.")


def trust(case: Case, exhibits: list[str], why: str, examiner: str) -> None:
    """Record that receipts are taken without a signature that holds; the caller holds the case."""
    if not why.strip():
        raise UsageError("to take a receipt without a signature needs a reason: add --why TEXT.")
    known = {e.data["exhibit"] for e in case.ledger.events("receipt trusted")}
    case.ledger.append(*(
        ("receipt trusted", {"exhibit": exhibit, "why": why, "examiner": examiner})
        for exhibit in dict.fromkeys(exhibits) if exhibit not in known
    ))  # fmt: skip


def keep_account(case: Case) -> list[Ran]:
    """Bring the tables of packages and receipts up to what the ledger says."""
    return runner(case, Inline()).run(OF_VERB["receipt"])
