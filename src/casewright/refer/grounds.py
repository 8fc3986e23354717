"""The parts of a package that say why this country, and how far the evidence goes: hints and rungs of each account."""

from typing import Any

from casewright.refer.facts import Facts
from casewright.refer.ladder import AGAINST, AGREEMENT, JUDGEMENT, RECORD, RUNGS
from casewright.refer.placing import Row
from casewright.refer.sheet import LADDER, WHERE, Sheet

YES, NO = "yes", "no"


def where_of(sheet: Sheet, account: str, facts: Facts) -> None:
    """Every hint of the account's country."""
    name = facts.accounts[account]["username"] or account
    for hint in facts.hints[account]:
        cells = {"account": name, "country": hint["country"], "by": hint["kind"], "strength": hint["strength"],
                 "decides": YES if hint["routes"] else NO, "what says so": hint["reason"],
                 "speaks against": hint["against"]}  # fmt: skip
        sheet.add_row(WHERE, hint["id"], cells, [hint["id"]])


def ladder_of(sheet: Sheet, referral: Row, facts: Facts) -> None:
    """How far the evidence goes that the account is somebody's."""
    name = facts.accounts[referral["account"]]["username"] or referral["account"]
    for rung in rungs_of(referral, facts):
        sheet.add_row(LADDER, rung["id"], {"account": name, **_cells(rung)}, [rung["id"]])


def rungs_of(referral: Row, facts: Facts) -> list[Row]:
    """The rungs that a referral may tell: of the person judged, or of the account, whoever it is."""
    mine = facts.rungs[referral["account"]]
    steps = [r for r in mine if r["person"] == referral["person"]]
    if referral["person"] is None:
        return steps
    return [*steps, *(r for r in mine if r["person"] is None and r["step"] == AGAINST)]


def _cells(rung: Row) -> dict[str, Any]:
    if rung["step"] == AGAINST:
        return {"rung": rung["rung"], "speaks against": rung["against"]}
    name = f"{rung['step']} of {JUDGEMENT}, {rung['rung']}: {'reached' if rung['holds'] else 'not reached'}"
    return {"rung": name, "what says so": rung["reason"], "speaks against": rung["against"]}


def summed(rungs: list[Row]) -> str:
    """The rungs in one line: how many are reached, and which are not."""
    reached = [r["rung"] for r in rungs if r["step"] != AGAINST and r["holds"]]
    missing = [rung for rung in RUNGS[:JUDGEMENT] if rung not in reached]
    return f"{len(reached)} of {JUDGEMENT} rungs reached" + (f"; not: {', '.join(missing)}" if missing else "")


def exculpatory(rungs: list[Row]) -> list[str]:
    """The facts that speak for somebody else, and then what makes record and agreement doubtful."""
    steps = {AGAINST: 0, RECORD: 1, AGREEMENT: 2}
    mine = [r for r in rungs if r["against"] and r["step"] in steps]
    return [r["against"] for r in sorted(mine, key=lambda r: steps[r["step"]])]
