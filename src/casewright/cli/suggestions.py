"""What `link --suggestions` writes. What left the case, the ledger says."""

from pathlib import Path
from typing import Any

from casewright import __version__
from casewright.cli.exports import may_be_written, write_export
from casewright.cli.side_by_side import About, Pair, page
from casewright.engine.query import Reader
from casewright.engine.verify import require_tables
from casewright.vault.case import Case

MOST = 2_000
"""Pairs on one page."""
PAIRS = """
SELECT s.* FROM suggestions s LEFT JOIN judgements j ON j.link = s.link AND j.stands
ORDER BY j.link IS NOT NULL, s.weight DESC, s.link LIMIT $most
"""
REASONS = "SELECT * FROM suggestion_reasons WHERE list_contains($ids, suggestion) ORDER BY suggestion, number"
PERSONS = "SELECT * FROM persons WHERE list_contains($ids, person)"
JUDGED = "SELECT * FROM judgements WHERE stands AND list_contains($ids, link)"


def export_suggestions(case: Case, target: Path, called: str) -> dict[str, Any]:
    """All pairs on a page, those that nobody judged first, the likeliest of them at the top; the caller holds the case.
    `called`: the case as the command named it."""
    may_be_written(target, "--suggestions", (".html",))
    require_tables(case)
    with Reader(case.tables) as reader:
        pairs = _pairs(reader)
        (counted,) = reader.rows("SELECT count(*) AS n FROM suggestions")
    left_out, settings = counted["n"] - len(pairs), case.settings
    content = page(pairs, About(settings.case.title, called, settings.link.suggest_at, left_out, __version__))
    told = write_export(case, "suggestions", target, content)
    del told["payment"]
    return {**told, "pairs": len(pairs), "left_out": left_out}


def _pairs(reader: Reader) -> list[Pair]:
    found = reader.rows(PAIRS, {"most": MOST})
    reasons: dict[str, list[dict[str, Any]]] = {row["suggestion"]: [] for row in found}
    for row in reader.rows(REASONS, {"ids": list(reasons)}):
        reasons[row["suggestion"]].append(row)
    ids = sorted({row[side] for row in found for side in ("from_id", "to_id")})
    persons = {row["person"]: row for row in reader.rows(PERSONS, {"ids": ids})}
    judged = {row["link"]: row for row in reader.rows(JUDGED, {"ids": [row["link"] for row in found]})}
    return [
        Pair(row, reasons[row["suggestion"]], persons[row["from_id"]], persons[row["to_id"]], judged.get(row["link"]))
        for row in found
    ]
