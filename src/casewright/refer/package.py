"""A country's package: a BagIt bag, signed. The same figures, ledger lines and key give the same bytes.

Format: docs/formats/package.md.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright import __version__
from casewright.engine.query import Reader
from casewright.model.errors import Refused
from casewright.model.settings import Settings
from casewright.refer.countries import country_of
from casewright.refer.sheet import PERSONS
from casewright.refer.writers.graph import case_graph, vics
from casewright.refer.writers.pdf import write_pdf
from casewright.refer.writers.sheets import Figures, write_csvs, write_xlsx
from casewright.refer.writers.texts import README, RECEIPT, method, recipient
from casewright.vault.keys import SealKey
from casewright.vault.store import write_atomically

BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST, TAGMANIFEST, SIGNATURE = "manifest-sha256.txt", "tagmanifest-sha256.txt", "tagmanifest-sha256.txt.minisig"
MOST_BYTES = 50 << 20


@dataclass(frozen=True)
class PackageInput:
    """What a package is made of."""

    country: str
    reader: Reader
    ledger_lines: list[str]
    recipients: list[str]
    settings: Settings


def write_package(source: PackageInput, target: Path, key: SealKey) -> tuple[Path, str]:
    """Write the bag at `target`, in place of an older one, in one rename; returns it and the digest of what was signed.

    Raises Refused for a package larger than 50 MB, or for what is no country.
    """
    if source.country != country_of(source.country):
        raise Refused(f"{source.country!r} is no country of ISO 3166 that a package could go to.")
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    data = fresh / "data"
    data.mkdir(parents=True)
    figures = source.reader.rows("SELECT * FROM figures WHERE country = $cc ORDER BY position", {"cc": source.country})
    _write_data(source, figures, data, key)
    digest = _seal(source, fresh, key)
    size = sum(p.stat().st_size for p in fresh.rglob("*") if p.is_file())
    if size > MOST_BYTES:
        raise Refused(
            f"the package for {source.country} has {size} bytes, more than {MOST_BYTES}. Refer fewer accounts."
        )
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return target, digest


def _write_data(source: PackageInput, figures: Figures, data: Path, key: SealKey) -> None:
    case, refer = source.settings.case, source.settings.refer
    texts = {"handling": refer.handling, "case": case.reference or case.title}
    write_pdf(figures, source.country, texts, data / "referral.pdf")
    write_xlsx(figures, data / "referral.xlsx")
    write_csvs(figures, data)
    (data / "case.jsonld").write_bytes(case_graph(figures))
    (data / "hashes.vics.json").write_bytes(vics(figures, case.reference or case.title))
    lines = "".join(line + "\n" for line in quoted(source, figures))
    (data / "ledger.jsonl").write_text(lines, "utf-8")
    (data / "method.md").write_text(method(), "utf-8")
    receipt = RECEIPT.format(country=source.country, handling=refer.handling, contact=refer.contact)
    (data / "receipt.txt").write_text(receipt, "utf-8")
    (data / "recipient.txt").write_text(recipient(source.country, source.recipients, key.public), "utf-8")
    (data / "README.txt").write_text(README, "utf-8")


def quoted(source: PackageInput, figures: Figures) -> list[str]:
    """The ledger lines that this country may see: the sealing of evidence, and judgements of whom it is told about.

    Judgements of other people, and the files in which only other people stand, are left out: their words name them.
    """
    rests_on = sorted({s for f in figures for s in f["sources"]})
    told = {s for f in figures if f["section"] == PERSONS for s in f["sources"]}
    papers = source.reader.rows("SELECT DISTINCT exhibit FROM persons WHERE list_contains($ids, person)",
                                {"ids": rests_on})  # fmt: skip
    theirs = {row["exhibit"] for row in papers}
    return [line for line in source.ledger_lines if _may_see(json.loads(line), told, theirs)]


def _may_see(event: Mapping[str, Any], links: set[str], papers: set[str]) -> bool:
    about = event["data"]
    if event["kind"] == "judgement":
        return about["link"] in links
    if about.get("role") == "key":
        return False  # a digest is enough to try passphrases against
    return about.get("role") not in ("return", "prior") or about["exhibit"] in papers


def _seal(source: PackageInput, bag: Path, key: SealKey) -> str:
    """Manifests over everything, and one signature over them; returns the digest of the tag manifest."""
    payload = sorted(p for p in (bag / "data").rglob("*") if p.is_file())
    size = sum(p.stat().st_size for p in payload)
    about = source.settings.case
    info = (
        f"Source-Organization: {_one_line(about.agency)}\n"
        f"External-Identifier: {_one_line(about.reference or about.title)}\n"
        f"Internal-Sender-Description: Referral to {source.country}\nBag-Software-Agent: Casewright {__version__}\n"
        f"Payload-Oxum: {size}.{len(payload)}\n"
    )
    (bag / "bagit.txt").write_text(BAGIT, "utf-8")
    (bag / "bag-info.txt").write_text(info, "utf-8")
    (bag / MANIFEST).write_text(_manifest(bag, payload), "utf-8")
    text = _manifest(bag, [bag / name for name in ("bag-info.txt", "bagit.txt", MANIFEST)])
    write_atomically(bag / TAGMANIFEST, text.encode("utf-8"))
    comment = f"casewright referral to {source.country}"
    write_atomically(bag / SIGNATURE, key.sign(text.encode("utf-8"), comment))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _manifest(bag: Path, files: list[Path]) -> str:
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(bag).as_posix()}\n" for p in files)


def _one_line(text: str) -> str:
    return " ".join(text.split())
