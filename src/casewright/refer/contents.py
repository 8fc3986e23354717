"""What stands in a package: the same figures as a document, sheets, tables and graphs, and the texts beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from casewright.engine.query import Reader
from casewright.model.settings import Settings
from casewright.refer.quoted import Quotable
from casewright.refer.receipt_form import blank_form
from casewright.refer.sheet import ACCOUNTS
from casewright.refer.words import words_of
from casewright.refer.writers.followthemoney import ftm_lines
from casewright.refer.writers.fonts import Letters, check_scripts
from casewright.refer.writers.graph import case_graph, vics
from casewright.refer.writers.grid import Figures
from casewright.refer.writers.referral import Cover, write_referral
from casewright.refer.writers.sheets import write_csvs, write_xlsx
from casewright.refer.writers.texts import README, method, recipient, translated

FIGURES = """
SELECT figure, section, subject, label, CASE WHEN withheld THEN 'withheld: ' || handling ELSE value END AS value,
       CASE WHEN withheld THEN [] ELSE sources END AS sources, handling, withheld
FROM figures WHERE package = $name ORDER BY position
"""


@dataclass(frozen=True)
class PackageInput:
    """What a package is made of."""

    package: str
    reader: Reader
    ledger: Quotable
    recipients: Sequence[str]
    settings: Settings
    language: str = "en"

    @property
    def country(self) -> str:
        return self.package[:2]


def write_data(source: PackageInput, data: Path, public: str) -> None:
    """Every file of the payload. `public` is the sender's key, which the package names."""
    case, refer = source.settings.case, source.settings.refer
    figures = figures_of(source.reader, source.package)
    words = words_of(source.language)
    letters = Letters(check_scripts((*words.scripts, *refer.scripts)), refer.font_folders)
    cover = Cover(source.country, refer.handling, case.reference or case.title, words, letters)
    write_referral(figures, cover, data / "referral.pdf")
    write_xlsx(figures, data / "referral.xlsx", words)
    write_csvs(figures, data)
    (data / "case.jsonld").write_bytes(case_graph(figures))
    (data / "entities.ftm.json").write_bytes(ftm_lines(figures))
    (data / "hashes.vics.json").write_bytes(vics(figures, case.reference or case.title))
    lines = "".join(line + "\n" for line in source.ledger.lines(figures, source.reader))
    (data / "ledger.jsonl").write_text(lines, "utf-8")
    (data / "method.md").write_text(method(), "utf-8")
    accounts = [f.value for f in figures.listed if (f.section, f.label, f.withheld) == (ACCOUNTS, "account", False)]
    form = blank_form(source.country, refer.handling, refer.contact, accounts, words.say("receipt_explained").strip())
    (data / "receipt.txt").write_text(form, "utf-8")
    (data / "recipient.txt").write_text(recipient(source.country, source.recipients, public), "utf-8")
    for name, text in {"README.txt": README, **translated(source.language)}.items():
        (data / name).write_text(text, "utf-8")


def figures_of(reader: Reader, package: str) -> Figures:
    """The package's figures, in order; of a value that the recipient may not have only the code that withholds it."""
    return Figures.of(reader.table(FIGURES, {"name": package}))
