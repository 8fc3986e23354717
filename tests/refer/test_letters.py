"""Requests as a service gets them: who asks what of whom, the lines to answer in, and nothing that could run."""

import csv
from pathlib import Path

import pypdfium2
import pytest

from casewright.engine.query import Reader
from casewright.model.settings import Settings
from casewright.model.tables import TABLES
from casewright.refer.letters import write_letters
from tests.refer.world import HOSTILE, SETTINGS, write_tables


def text_of(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        return "\n".join(page.get_textpage().get_text_bounded() for page in pdf)


def test_each_service_gets_a_letter_that_names_every_line(demo: Path, tmp_path: Path) -> None:
    with Reader(demo / "tables") as reader:
        letters = write_letters(reader, Settings.load(demo), tmp_path)
        lines = reader.rows("SELECT txid, vout, sats, reference FROM requests ORDER BY ALL")
    assert sorted(letter.service for letter in letters) == ["Brightwater Desk", "Kestrel Exchange", "Tallow Coin"]
    for letter in letters:
        mine = [line for line in lines if line["reference"] == letter.reference]
        with letter.csv.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        told = sorted((r["txid"], int(r["vout"]), int(r["sats"])) for r in rows)
        assert told == sorted((line["txid"], line["vout"], line["sats"]) for line in mine)
        text = text_of(letter.pdf).replace("\r\n", "").replace("\n", "")
        assert all(f"{line['txid']}:{line['vout']}" in text for line in mine)
        assert letter.reference in text
        assert "DRAFT until signed and served" in text
        assert "Request to preserve records" in text_of(letter.preserve)


def test_withdrawals_through_other_wallets_stand_apart(demo: Path, tmp_path: Path) -> None:
    with Reader(demo / "tables") as reader:
        letter = next(x for x in write_letters(reader, Settings.load(demo), tmp_path) if x.service.startswith("Bright"))
    text = text_of(letter.pdf)
    assert text.index("Withdrawals straight to") < text.index("through other wallets (weaker)")


def test_the_same_tables_give_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    with Reader(demo / "tables") as reader:
        one = write_letters(reader, Settings.load(demo), tmp_path / "one")
        two = write_letters(reader, Settings.load(demo), tmp_path / "two")
    for first, second in zip(one, two, strict=True):
        assert first.pdf.read_bytes() == second.pdf.read_bytes()
        assert first.csv.read_bytes() == second.csv.read_bytes()


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_name_of_a_service_stays_text(name: str, tmp_path: Path) -> None:
    request = {"request": "r", "reference": "CW-1", "service": HOSTILE[name], "payments": ["p"], "direction": "back",
               "hops": 1, "txid": "t", "vout": 0, "address": None, "sats": 5}  # fmt: skip
    process = {"reference": "CW-1", "service": HOSTILE[name], "serve_on": HOSTILE[name], "days_to_answer": 30}
    made = {"requests": TABLES["requests"].rows([request]), "legal_process": TABLES["legal_process"].rows([process])}
    write_tables(made, tmp_path / "tables")
    with Reader(tmp_path / "tables") as reader:
        (letter,) = write_letters(reader, SETTINGS, tmp_path / "letters")
    with letter.csv.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert not row["service"].startswith(("=", "+", "-", "@"))
    assert "CW-1" in text_of(letter.pdf)
    assert letter.pdf.parent == tmp_path / "letters"
