"""The plain texts of a package: how to check it, the method, the receipt, the recipient."""

README = """\
This is a referral package, made by Casewright. It holds hashes and metadata, never media.

  referral.pdf         what an officer reads first
  referral.xlsx        the same figures as sheets
  *.csv                the same figures for programs; figures.csv names for each value what it rests on
  case.jsonld          the same as a CASE/UCO graph
  hashes.vics.json     hashes of the media as VICS 2.0 metadata
  ledger.jsonl         lines of the case's ledger: what was sealed, and what people judged
  ledger-head.txt      how long the ledger was, and how it ended
  method.md            how the figures were made, with the known weaknesses of each method
  receipt.txt          to be filled in and sent back
  recipient.txt        for whom this was sealed

To check it with stock tools, in the folder that holds bagit.txt (KEY is the sender's key, which you should have from
another source than this package):

  minisign -V -m tagmanifest-sha256.txt -P KEY
  sha256sum -c tagmanifest-sha256.txt
  sha256sum -c manifest-sha256.txt

An encrypted copy (.tar.age) opens with: age -d -i YOUR_KEY_FILE FILE.tar.age | tar -x

In CSV files, a cell that begins like a formula has a single quote put before it. Times are UTC.
"""

METHOD = """\
# Method

Every figure of this package rests on rows that rest on bytes of sealed evidence. `casewright why CASE FIGURE` shows the
way; `figures.csv` lists each value with the ids it rests on.

A payment or a match is a lead, never a verdict. A person is named only by a recorded human judgement.

| step | how | known weakness |
|---|---|---|
| accounts, logs | read from the service's own dump and logs, by a mapping that a person accepted | the records may be wrong; they say which account, not who sat there |
| payments | outputs of the chain to the address that the service gave to an account, joined exactly | anybody can pay any address |
| clusters | addresses spent together, CoinJoins of published shapes left out | an unseen CoinJoin or PayJoin, a custodial or shared wallet joins strangers |
| services | tags of addresses and of their cluster; nothing is traced through a service or a CoinJoin | tags may be stale or wrong; conflicts are shown |
| direct | the service itself paid the deposit address | the service knows its customer, who may have paid for another |
| weak | wallets without a tag lie in between | they may belong to other persons |
| known media | the same cryptographic hash as a list's entry | lists contain mistakes |
| near media | PDQ within the threshold, quality at least 50 | crops and turns are missed; rare pictures agree by chance |
| identity | a service's customer record for the transaction that was asked about | records may be forged or borrowed |

What could not be processed is counted on the first page of the PDF and in balance.csv.
"""

RECEIPT = """\
RECEIPT

Package for:            {country}
Seal of the package:    SHA-256 of tagmanifest-sha256.txt, which you compute: ________________________________
Received on (UTC):      ____________________
By (name, unit):        ____________________
Signature verified:     yes / no
Every file verified:    yes / no
Our reference:          ____________________
Handling code accepted: {handling}   yes / no
Outcome:                ____________________

Please send this back to: {contact}
"""


def recipient(country: str, keys: list[str], public: str) -> str:
    """Whom the seal covers: a package that is passed on shows for whom it was meant."""
    listed = "\n".join(f"age key: {key}" for key in keys) or "age key: none, not encrypted"
    return f"country: {country}\n{listed}\nsealed with minisign key: {public}\n"
