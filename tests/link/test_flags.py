"""Flags: the last one on a subject and an indicator counts, and one can be taken back; all stay."""

import json
from typing import Any

import pyarrow as pa
import pytest

from casewright.cli.verbs.link import flags_on
from casewright.engine.stage import Context
from casewright.link.flags import INDICATORS, Flag, flag_record, flags
from casewright.model.errors import Missing, UsageError
from tests.world import context, rows_of


def flagged(*said: tuple[str, str, bool]) -> list[dict[str, Any]]:
    told = [flag_record({"a", "media/i"}, Flag(subject, what, "seen", is_set), "E") for subject, what, is_set in said]
    lines = [json.dumps({"kind": "flag", "data": data}) for data in told]
    world = Context({}, {"ledger/flag": pa.table({"event": pa.array(lines, pa.string())})}, context().blobs)
    return rows_of(flags(pa.table({}), world).tables["flags"])


def test_the_last_flag_of_a_kind_counts_and_all_are_kept() -> None:
    rows = flagged(("a", "access", True), ("a", "harm", True), ("a", "access", False), ("media/i", "access", True))
    assert [r["stands"] for r in rows] == [False, True, False, True]
    assert len({r["flag"] for r in rows}) == 4
    assert flagged(("a", "access", True), ("a", "access", False), ("a", "access", True))[2]["stands"]


def test_no_flag_is_no_row() -> None:
    assert flagged() == []


def test_a_flag_needs_a_subject_an_indicator_and_a_reason() -> None:
    with pytest.raises(Missing, match="no account, person or medium"):
        flag_record({"a"}, Flag("b", "access", "w"), "E")
    with pytest.raises(UsageError, match="no indicator"):
        flag_record({"a"}, Flag("a", "money", "w"), "E")
    with pytest.raises(UsageError, match="needs a reason"):
        flags_on(["a=access"], True, " ")
    with pytest.raises(UsageError, match="ID=INDICATOR"):
        flags_on(["a"], True, "w")
    assert flags_on(None, True, "") == []
    assert set(INDICATORS) == {"access", "harm"}
