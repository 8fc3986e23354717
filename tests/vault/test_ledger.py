"""The ledger is append-only and chained; whatever is done to it is named."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.engine.verify import verify_case
from casewright.model.errors import BrokenSeal, Missing
from casewright.model.settings import CaseSettings
from casewright.vault.case import Case
from casewright.vault.ledger import GENESIS, Ledger, canonical, line_hash


@pytest.fixture
def filled(case: Case) -> Case:
    with case.writing():
        case.ledger.append(("note", {"text": "one"}), ("note", {"text": "two — café"}))
        case.ledger.append(("judgement", {"link": "link-1", "verdict": "unsure"}))
    return case


def holds(case: Case) -> int:
    return Ledger(case.root, "x").verify(case.settings.seal.public_key)


def test_every_line_names_the_hash_of_the_line_before_it(filled: Case) -> None:
    previous = GENESIS
    for line in filled.ledger.path.read_bytes().splitlines():
        assert json.loads(line)["prev"] == previous
        previous = line_hash(line)
    assert holds(filled) == 5  # opened, settings sealed, two notes, one judgement


def test_any_changed_byte_is_caught_and_its_line_named(filled: Case) -> None:
    raw = filled.ledger.path.read_bytes()
    dice = random.Random(1)
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 1 << dice.randrange(8)
        filled.ledger.path.write_bytes(changed)
        with pytest.raises(BrokenSeal, match=r"line \d+|tail was cut"):
            holds(filled)
    filled.ledger.path.write_bytes(raw)
    assert holds(filled)


def test_any_changed_byte_of_the_signed_head_is_caught(filled: Case) -> None:
    raw = filled.ledger.head_path.read_bytes()
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 0x01
        filled.ledger.head_path.write_bytes(changed)
        with pytest.raises(BrokenSeal):
            holds(filled)


def test_a_cut_tail_is_caught_by_the_signed_head(filled: Case) -> None:
    lines = filled.ledger.path.read_bytes().splitlines(keepends=True)
    filled.ledger.path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(BrokenSeal, match="4 lines, 5 were signed: its tail was cut"):
        holds(filled)


def test_two_lines_that_change_places_are_caught(filled: Case) -> None:
    lines = filled.ledger.path.read_bytes().splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    filled.ledger.path.write_bytes(b"".join(lines))
    with pytest.raises(BrokenSeal, match="line 3: is numbered 3, not 2"):
        holds(filled)


def test_a_rewritten_history_with_a_good_chain_is_caught_by_the_signed_head(filled: Case) -> None:
    lines, previous = [], GENESIS
    for line in filled.ledger.path.read_bytes().splitlines():
        record = json.loads(line)
        record["prev"], record["who"] = previous, "somebody else"
        forged = canonical(record)
        previous = line_hash(forged)
        lines.append(forged + b"\n")
    filled.ledger.path.write_bytes(b"".join(lines))
    with pytest.raises(BrokenSeal, match="line 5: is not the line that was signed"):
        holds(filled)


def test_a_line_torn_by_a_power_cut_is_put_aside_and_the_ledger_goes_on(filled: Case) -> None:
    with filled.ledger.path.open("ab") as file:
        file.write(b'{"data":{"text":"half a li')
    again = Case(filled.root)
    with again.writing():
        again.ledger.append(("note", {"text": "three"}))
    assert holds(filled) == 6
    assert (filled.root / "ledger.torn").read_bytes() == b'{"data":{"text":"half a li\n'


def test_zeros_that_a_power_cut_left_in_a_line_are_put_aside_with_all_behind_them(filled: Case) -> None:
    whole, head = filled.ledger.path.read_bytes(), filled.ledger.head_path.read_bytes()
    other = Case(filled.root)
    with other.writing():
        other.ledger.append(("note", {"text": "t" * 2000}), ("note", {"text": "u"}))
    filled.ledger.head_path.write_bytes(head)
    raw = filled.ledger.path.read_bytes()
    left = raw[: len(whole) + 100] + bytes(1000) + raw[len(whole) + 1100 :]
    filled.ledger.path.write_bytes(left)
    assert len(Case(filled.root).ledger.events()) == 5
    again = Case(filled.root)
    with again.writing():
        again.ledger.append(("note", {"text": "three"}))
    assert (filled.root / "ledger.torn").read_bytes() == left[len(whole) :] + b"\n"


def test_a_torn_line_is_told_as_interrupted_by_both_checkers_and_as_broken_once_it_was_signed(filled: Case) -> None:
    whole = filled.ledger.path.read_bytes()
    checker = [sys.executable, str(Path(__file__).parents[2] / "tools" / "verify_seals.py"), str(filled.root)]
    for raw, state, told in (
        (whole + b'{"data":{"te', "interrupted", b"0 broken, 1 older"),
        (whole + b'{"data":' + bytes(9) + b"}\n{}\n", "interrupted", b"0 broken, 1 older"),
        (whole[:-1], "broken", b"1 broken"),
    ):
        filled.ledger.path.write_bytes(raw)
        (found,) = [c.state for c in verify_case(Case(filled.root)) if c.what == "ledger.jsonl"]
        assert found == state
        assert told in subprocess.run(checker, capture_output=True, check=False).stdout


def test_a_ledger_that_was_tampered_with_takes_no_more_events(filled: Case) -> None:
    raw = filled.ledger.path.read_bytes()
    filled.ledger.path.write_bytes(raw.replace(b"unsure", b"UNSURE"))
    with pytest.raises(BrokenSeal), Case(filled.root).writing():
        pass


def test_two_processes_cannot_write_one_case(filled: Case) -> None:
    script = (
        "import sys; from pathlib import Path; from casewright.vault.case import Case\n"
        "from casewright.model.errors import Missing\n"
        "try:\n    with Case(Path(sys.argv[1])).writing(): sys.exit(0)\n"
        "except Missing as e:\n    print(e); sys.exit(4)\n"
    )
    command = [sys.executable, "-c", script, str(filled.root)]
    with filled.writing():
        blocked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert blocked.returncode == 4
    assert "in use by another casewright" in blocked.stdout
    assert subprocess.run(command, check=False).returncode == 0


def test_another_key_cannot_write_the_case(filled: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CASEWRIGHT_HOME", str(tmp_path / "elsewhere"))
    Case.create(tmp_path / "other", CaseSettings("a", "b", "c"))
    with pytest.raises(Missing, match="sealed with the key"), Case(filled.root).writing():
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=60)
def test_canonical_json_is_one_line_and_reads_back(value: object) -> None:
    raw = canonical(value)
    assert b"\n" not in raw
    assert json.loads(raw) == value
    assert canonical(json.loads(raw)) == raw


def test_floats_have_no_place_in_the_ledger() -> None:
    with pytest.raises(TypeError, match="floating-point"):
        canonical({"a": [1, 2.5]})


def test_lines_that_were_checked_are_not_parsed_again_but_every_byte_of_them_is_looked_at(filled: Case) -> None:
    ledger, public = Ledger(filled.root, "x"), filled.settings.seal.public_key
    told: list[str] = []
    assert ledger.verify(public, tell=lambda event: told.append(event.kind)) == len(told) == 5
    with filled.writing():
        filled.ledger.append(("note", {"text": "by another process"}))
    assert ledger.verify(public, tell=lambda event: told.append(event.kind)) == len(told) == 6
    raw = filled.ledger.path.read_bytes()
    dice = random.Random(2)
    for at in dice.sample(range(len(raw)), 60):
        changed = bytearray(raw)
        changed[at] ^= 1 << dice.randrange(8)
        filled.ledger.path.write_bytes(changed)
        with pytest.raises(BrokenSeal, match=r"line \d+|tail was cut"):
            ledger.verify(public)
    filled.ledger.path.write_bytes(raw)
    assert ledger.verify(public) == 6


def test_what_changes_between_two_judgements_of_one_process_is_caught_at_the_second(filled: Case) -> None:
    with filled.writing():
        filled.ledger.append(("note", {"text": "three"}))
    raw = filled.ledger.path.read_bytes()
    filled.ledger.path.write_bytes(raw.replace(b'"one"', b'"ONE"'))
    with pytest.raises(BrokenSeal, match="line 4"), filled.writing():
        pass
