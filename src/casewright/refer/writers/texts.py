"""The plain texts of a package: how to check it, the method, the recipient."""

from collections.abc import Sequence
from pathlib import Path

from casewright.refer.words import FOLDER

README = """\
This is a referral package, made by Casewright. It holds hashes and metadata, never media.

  referral.pdf         what an officer reads first
  referral.xlsx        the same figures as sheets
  *.csv                the same figures for programs; figures.csv names for each value what it rests on
  case.jsonld          the same as a CASE/UCO graph
  entities.ftm.json    the same as FollowTheMoney entities, one a line
  hashes.vics.json     hashes of the media as VICS 2.0 metadata
  ledger.jsonl         lines of the case's ledger, unchanged: what was sealed, and judgements of the persons in this
                       package (lines about anybody else are left out, so the chain of `prev` has gaps)
  method.md            how the figures were made, with the known weaknesses of each method
  receipt.txt          to be filled in, signed with minisign, and sent back
  recipient.txt        for whom this was sealed

To check it with stock tools, in the folder that holds bagit.txt (KEY is the sender's key, which you should have from
another source than this package):

  minisign -V -m tagmanifest-sha256.txt -P KEY
  sha256sum -c tagmanifest-sha256.txt
  sha256sum -c manifest-sha256.txt

An encrypted copy (.tar.age) opens with: age -d -i YOUR_KEY_FILE FILE.tar.age | tar -x

In CSV files, a cell that begins like a formula (after any single quotes) has one single quote put before it: a program
takes one off again. In the PDF, letters that its fonts lack, and marks that steer text, are written \\uXXXX; sheets,
CSV and graph hold them as they are. Times are UTC. `state` of media: known and near are on a list, new is on none.

The document shows the most urgent subjects and says what it leaves out; the sheets hold everything. A value that you
may not have under its handling code reads "withheld: CODE", and the first page counts them. A country of many accounts
gets several packages, CC-01, CC-02 and so on, the most urgent subjects in the first; each is whole by itself. Large
tables of a package that would be too large end in .gz (gunzip). Titles, labels and our own sentences in the document
and in referral.xlsx may be in your language; then this text and the method stand here in it too, and receipt.txt says
in it what its lines mean. CSV and graphs are in English. Words of evidence are never translated.
"""


def method() -> str:
    """How the figures were made, with the known weaknesses of each method."""
    return Path(__file__).with_name("method.md").read_text("utf-8")


def translated(language: str) -> dict[str, str]:
    """README and method once more in the package's language, by file name; the English ones stay beside them."""
    if language == "en":
        return {}
    return {f"README.{language}.txt": (FOLDER / "readme" / f"{language}.txt").read_text("utf-8"),
            f"method.{language}.md": (FOLDER / "method" / f"{language}.md").read_text("utf-8")}  # fmt: skip


def recipient(country: str, keys: Sequence[str], public: str) -> str:
    """Whom the seal covers: a package that is passed on shows for whom it was meant."""
    listed = "\n".join(f"age key: {key}" for key in keys) or "age key: none, not encrypted"
    return f"country: {country}\n{listed}\nsealed with minisign key: {public}\n"
