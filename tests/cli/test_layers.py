"""What if a heuristic is off: a flag, recorded like every setting."""

import json
import tomllib
from pathlib import Path

import pytest

from casewright.cli.layers import switched, with_setting
from casewright.model.errors import UsageError
from casewright.vault.case import Case
from tests.command import casewright


@pytest.mark.parametrize(
    "text",
    [
        '[chain]\nnetwork = "regtest" # ours\nlayers = [\n    "co-spend",\n]\n[seal]\npublic_key = "x"\n',
        '[chain] # how it is traced\nnetwork = "regtest"\n\n[seal]\nlayers = 1\n',
        '[case]\ntitle = "layers = [1]"\n',
    ],
)
def test_only_the_line_of_layers_is_rewritten(text: str) -> None:
    changed, wanted = with_setting(text, "layers", '["change", "tags"]'), tomllib.loads(text)
    wanted.setdefault("chain", {})["layers"] = ["change", "tags"]
    assert tomllib.loads(changed) == wanted
    assert ("# ours" in changed) == ("# ours" in text)


def test_layers_are_switched_one_by_one() -> None:
    assert switched(["co-spend"], ["tags", "change"], []) == ("co-spend", "change", "tags")
    assert switched(["co-spend"], [], ["co-spend"]) == ()
    with pytest.raises(UsageError, match="no layer 'guess'"):
        switched([], ["guess"], [])
    with pytest.raises(UsageError, match="on and off at once"):
        switched([], ["tags"], ["tags"])


def test_a_trace_without_co_spending_is_told_beside_the_one_with_it_and_recorded(copy: Path) -> None:
    sealed = len([e for e in Case(copy).ledger.events("sealed") if e.data["role"] == "settings"])
    said = json.loads(casewright("trace", str(copy), "--without", "co-spend", "--json").stdout)
    assert (said["layers"]["before"], said["layers"]["now"]) == (["co-spend"], [])
    assert [c["labels"] for c in said["conflicting_tags"]] == [["Kestrel Exchange", "Kestrel OTC (closed)"]]
    assert said["services"] != said["layers"]["services_before"]
    assert {s["stage"] for s in said["stages"] if not s["skipped"]} >= {"clusters", "trace"}
    assert {s["stage"] for s in said["stages"] if s["skipped"]} >= {"read_blocks", "blocks", "change"}
    assert Case(copy).settings.chain.layers == ()
    assert len([e for e in Case(copy).ledger.events("sealed") if e.data["role"] == "settings"]) == sealed + 1
    back = json.loads(casewright("trace", str(copy), "--with", "co-spend", "--json").stdout)
    assert back["services"] == said["layers"]["services_before"]
