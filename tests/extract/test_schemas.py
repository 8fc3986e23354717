"""Schemas of real shops and forums: how much of each a proposal gets right unaided. The floors are what was reached."""

import io
import re
import tomllib

import pytest

from casewright.extract.columns import sample
from casewright.extract.mapping import FIELDS, read_mapping
from casewright.extract.propose import propose
from casewright.extract.reader import Broken, Schema
from casewright.extract.readers.mysql import read_mysql
from tests.extract.schemas import NAMES, score, site

WRONG = {"xenforo": 4}
"""Its table of who is here now is taken for the sign-ins, which stand among other acts in its table of addresses."""


def proposal(name: str) -> str:
    return propose(sample(read_mysql(io.BytesIO(site(name).dump))))


@pytest.mark.parametrize("name", NAMES)
def test_a_proposal_is_as_right_as_it_was(name: str) -> None:
    text, truth = proposal(name), site(name).truth
    read_mapping(text.encode(), name)
    found = score(tomllib.loads(text), truth)
    assert not found.missed
    assert len(found.wrong) <= WRONG.get(name, 0), found.wrong
    assert found.right >= sum(map(len, truth.values())) - WRONG.get(name, 0)


@pytest.mark.parametrize("name", NAMES)
def test_each_guess_has_a_reason_and_a_sample_and_none_is_a_passwords(name: str) -> None:
    text = proposal(name)
    guesses = [line for line in text.partition("[logs]")[0].splitlines() if re.match(r"\w+ = \"", line)]
    for line in guesses:
        if not line.startswith("table"):
            assert re.search(r"    # \S.*; such as \S", line), line
    assert "$2y$" not in text
    assert "pbkdf2" not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_and_its_truth_belong_together(name: str) -> None:
    made = site(name)
    pieces = list(read_mysql(io.BytesIO(made.dump)))
    schemas = {piece.table: set(piece.names) for piece in pieces if isinstance(piece, Schema)}
    assert not [piece for piece in pieces if isinstance(piece, Broken)]
    assert schemas.keys() == made.tables.keys()
    for ours, places in made.truth.items():
        assert {*places} - {"table"} <= set(FIELDS[ours])
        assert {column for place, column in places.items() if place != "table"} <= schemas[places["table"]]


def test_what_is_proposed_otherwise_or_not_at_all_is_no_success() -> None:
    truth = {"accounts": {"table": "t", "native": "id", "email": "mail"}}
    found = score({"accounts": {"table": "t", "native": "uid"}, "logins": {"table": "x", "time": "y"}}, truth)
    assert (found.right, found.missed) == (1, ("accounts.email",))
    assert found.wrong == ("accounts.native = uid", "logins.table = x", "logins.time = y")
    astray = score({"accounts": {"table": "u", "native": "id", "email": "mail"}}, truth)
    assert (astray.right, len(astray.wrong)) == (0, 3)
