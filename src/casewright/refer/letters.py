"""Drafts of requests: for each service a PDF to sign and serve, one that asks only to keep the records, and a CSV with
the same lines to answer in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright.engine.query import Reader
from casewright.model.bitcoin import in_coins
from casewright.model.settings import Settings
from casewright.refer.writers.letter import write_letter
from casewright.refer.writers.sheets import csv_text, write_text

ANSWER_COLUMNS = ("customer", "full_name", "born", "email", "phone", "country", "ip", "ip_time", "document")
"""What a customer record is read from, beside reference, service, txid and address."""
LINE_COLUMNS = ("reference", "service", "line", "asked", "txid", "vout", "address", "btc", "sats", "time_utc")
ASKED = {"back": "whose account made this withdrawal", "forward": "whose account was credited with this deposit"}
PROCESS = "SELECT * FROM legal_process ORDER BY service"
LINES = """
SELECT * FROM requests WHERE reference = $reference ORDER BY direction, hops > 1, time, txid, vout
"""
BLANK = "____________________ (to be filled in before signing)"
ASKS = (
    "For each withdrawal, the customer whose account made it; for each deposit, the one whose account was credited.",
    "Of each such customer: number, full name, date of birth, identity documents and the day on which they were "
    "checked, addresses, email, phone, bank accounts and cards.",
    "Sign-ins around the transaction: IP address with port, time with zone, device; and who else uses that device.",
    "All deposits and withdrawals of the account, in every currency, with addresses and transaction ids.",
)
KEPT = (
    "Keep all records of the customers behind the transactions below, until further notice: who they are, sign-ins, "
    "devices, deposits and withdrawals, messages with your service.",
    "Nothing is to be handed out yet: a request for the records follows, or this one is withdrawn.",
)
PARTS = (
    ("back", True, "Withdrawals straight to an address of the investigated site: whose account made them?"),
    ("back", False, "Withdrawals that reached it through other wallets (weaker): whose account made them?"),
    ("forward", True, "Deposits that came straight from the site: whose account was credited?"),
    ("forward", False, "Deposits that came from it through other wallets (weaker): whose account was credited?"),
)
ANSWERS = (
    "Name the reference in your answer; it is tied to it.",
    "As a table, please: the CSV beside this letter has the lines, and empty columns for what is known of each.",
    "If an address is not yours, or a line belongs to no customer, say so for that line: that helps too.",
    "What blockchain analysis says of addresses is a lead. If it is wrong, say so.",
)


@dataclass(frozen=True)
class Letter:
    """One request's files."""

    reference: str
    service: str
    pdf: Path
    preserve: Path
    csv: Path
    lines: int


def write_letters(reader: Reader, settings: Settings, folder: Path) -> list[Letter]:
    """Two PDFs and a CSV for every service that something is asked of. Equal tables give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(row, reader.rows(LINES, {"reference": row["reference"]}), settings, folder)
            for row in reader.rows(PROCESS)]  # fmt: skip


def _write(row: Mapping[str, Any], lines: list[dict[str, Any]], settings: Settings, folder: Path) -> Letter:
    pdf, csv = (folder / f"{row['reference']}{ending}" for ending in (".pdf", ".csv"))
    keep = folder / f"{row['reference']}-preserve.pdf"
    title = f"Request for customer records: {row['service']}"
    write_letter(_content(row, lines, settings, title, ASKS, ANSWERS), pdf)
    title = f"Request to preserve records: {row['service']}"
    write_letter(_content(row, lines, settings, title, KEPT, ANSWERS[:1]), keep)
    cells = (_cells(row, number, line) for number, line in enumerate(lines, 1))
    write_text(csv, csv_text((*LINE_COLUMNS, *ANSWER_COLUMNS), cells))
    return Letter(row["reference"], row["service"], pdf, keep, csv, len(lines))


def _cells(row: Mapping[str, Any], number: int, line: Mapping[str, Any]) -> list[str]:
    place = [
        line["txid"],
        str(line["vout"]),
        line["address"] or "",
        in_coins(line["sats"]),
        str(line["sats"]),
        _time(line),
    ]
    asked = [row["reference"], row["service"], str(number), ASKED[line["direction"]]]
    return [*asked, *place, *("" for _ in ANSWER_COLUMNS)]


def _content(
    row: Mapping[str, Any], lines: list[dict[str, Any]], settings: Settings, title: str, asks: Sequence[str],
    answers: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    about, refer = settings.case, settings.refer
    heads = (
        ("Reference", row["reference"]),
        ("To", _joined((row["legal_name"] or BLANK, f"known as {row['service']}", row["jurisdiction"]))),
        ("Served on", row["serve_on"] or BLANK),
        ("From", _joined((about.agency, about.examiner))),
        ("Contact", refer.contact or BLANK),
        ("Our case", _joined((about.reference, about.title))),
        ("Legal basis", row["legal_basis"] or BLANK),
        ("Answer by", row["due_on"] or f"{row['days_to_answer']} days after it was served"),
        ("Disclosure", "Please do not tell the customers of this request, as far as the law lets you: " + BLANK),
    )
    note = (
        f"{len(lines)} outputs on the Bitcoin blockchain that left or entered addresses attributed to the service; the "
        "number is that of the line in the CSV."
    )
    return {"title": title, "reference": row["reference"], "agency": about.agency, "heads": heads, "asks": asks,
            "answers": answers, "note": note, "parts": _parts(lines)}  # fmt: skip


def _parts(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines by what they are; a withdrawal through other wallets is weaker, and stands apart."""
    numbered = list(enumerate(lines, 1))
    parts = [
        {"title": title, "rows": [_line(n, line) for n, line in numbered
                                  if line["direction"] == direction and (line["hops"] == 1) == direct]}
        for direction, direct, title in PARTS
    ]  # fmt: skip
    return [part for part in parts if part["rows"]]


def _line(number: int, line: Mapping[str, Any]) -> list[str]:
    address = line["address"] or "(a script without an address)"
    return [str(number), _time(line), f"{line['txid']}:{line['vout']}", address, in_coins(line["sats"])]


def _time(line: Mapping[str, Any]) -> str:
    return f"{line['time']:%Y-%m-%d %H:%M:%S}" if line["time"] else ""


def _joined(parts: Iterable[str | None]) -> str:
    return ", ".join(part for part in parts if part)
