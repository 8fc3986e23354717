"""What people decide about packages without a new table: codes of single items, and keys that count no more."""

from pathlib import Path

import pytest

from casewright.cli.correspondence import note_keys
from casewright.cli.recorded import check_recipients, note_codes, note_withdrawn, still_counting
from casewright.model.errors import Missing, Refused, UsageError
from casewright.model.tables import TABLES
from casewright.vault.case import Case
from casewright.vault.keys import SealKey
from tests.refer.world import SETTINGS, write_tables

SIGNS, AGE = SealKey.from_seed(b"an officer in NL").public, "age1" + "q" * 58


@pytest.fixture
def case(tmp_path: Path) -> Case:
    SealKey.from_seed(b"tests of decisions").save(tmp_path / "case" / "seal.key")
    made = Case.create(tmp_path / "case", SETTINGS.case, "seal.key")
    write_tables({"payments": TABLES["payments"].rows([{"payment": "pay-1"}])}, made.tables)
    return made


def test_a_code_of_an_item_is_a_line_of_the_ledger_with_who_and_why(case: Case) -> None:
    with case.writing():
        note_codes(case, ["pay-1=TLP:RED"], "another unit's source")
        note_codes(case, ["pay-1="], "released")
    first, last = (event.data for event in case.ledger.events("handling"))
    assert first == {"item": "pay-1", "code": "TLP:RED", "examiner": "R. Example", "why": "another unit's source"}
    assert last["code"] == ""


def test_a_code_needs_a_row_a_code_and_a_reason_or_nothing_is_recorded(case: Case) -> None:
    with case.writing():
        for given, why, error in ((["pay-1=H1", "pay-9=H1"], "why", Missing), (["pay-1=PINK"], "why", Refused),
                                  (["pay-1=H1"], " ", UsageError), (["pay-1"], "why", UsageError)):  # fmt: skip
            with pytest.raises(error):
                note_codes(case, given, why)
    assert not list(case.ledger.events("handling"))


def test_a_key_is_withdrawn_with_a_line_of_the_ledger_and_can_be_replaced(case: Case) -> None:
    with case.writing():
        note_keys(case, [("NL", SIGNS)])
        with pytest.raises(Missing, match="no such key"):
            note_withdrawn(case, [f"DE={SIGNS}"], "lost")
        (event,) = note_withdrawn(case, [f"nl={SIGNS}"], "lost")
        assert (event["country"], event["key"], event["after"]) == ("NL", SIGNS, 0)
        with pytest.raises(Missing, match="no such key"):
            note_withdrawn(case, [f"NL={SIGNS}"], "again")
        note_keys(case, [("NL", SIGNS)])
    assert [e.data.get("withdrawn") for e in case.ledger.events("recipient key")] == [None, True, None]


def test_nothing_is_encrypted_to_a_key_that_was_withdrawn(case: Case) -> None:
    sealed = {"country": "NL", "package": "NL", "tagmanifest": "ab", "recipients": [AGE], "figures": "cd"}
    with case.writing():
        case.ledger.append(("package sealed", sealed))
        check_recipients(case, {"NL": [AGE]})
        note_withdrawn(case, [f"NL={AGE}"], "the officer left")
    with pytest.raises(Refused, match=r"withdrawn by R\. Example: the officer left"):
        check_recipients(case, {"NL": [AGE]})
    check_recipients(case, {"DE": [AGE], "NL": ["age1other"]})
    assert still_counting(case, "NL", [AGE, "age1other"]) == ["age1other"]
