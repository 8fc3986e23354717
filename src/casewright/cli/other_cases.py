"""`link --case`: what this case shares with another one, which is read and never written."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from casewright import __version__
from casewright.cli.console import Voice
from casewright.engine.query import Reader
from casewright.engine.tables import TableFolder
from casewright.engine.verify import require_tables
from casewright.link.comparable import COLUMNS, COMPARED, SERVICES, Compared, values
from casewright.link.other_case import Near, shared, written
from casewright.model.errors import Missing, UsageError
from casewright.model.settings import CASE_FILE
from casewright.vault.case import Case, SourceFile
from casewright.vault.disk import write_atomically

SHOWN = 20


def take_shared(case: Case, other_root: Path) -> dict[str, Any]:
    """Compare, and seal what both cases have; the caller holds this case, whose tables are up to date.

    Raises BrokenSeal when the other case's ledger or a table of it is not whole, Missing for what is no case.
    """
    if not (other_root / CASE_FILE).is_file():
        raise Missing(f"{other_root} is not a case: it has no {CASE_FILE}.")
    if other_root.resolve() == case.root.resolve():
        raise UsageError(f"{other_root} is this case.")
    other = Case(other_root)
    lines = other.ledger.verify(other.settings.seal.public_key, torn_tail_is_fine=True)
    require_tables(other, (*COLUMNS, "tags"))
    with Reader(case.tables) as reader, Reader(other.tables) as there:
        can, missing = _comparable(there, other)
        services = pa.concat_tables([_services(reader), _services(there)])
        found = shared(
            values(reader.table), values(there.table, can), services, _near(case.settings.media.pdq_distance)
        )
    events = other.ledger.events()[:lines]
    about = other.settings.case
    head = {"title": about.title, "reference": about.reference, "agency": about.agency,
            "key": other.settings.seal.public_key, "ledger_lines": lines, "ledger_last": events[-1].hash,
            "casewright": __version__, "not_compared": missing}  # fmt: skip
    name = f"shared with {about.reference or about.title}.jsonl"
    draft = case.store.fresh_path()
    try:
        write_atomically(draft, written(head, found))
        event = case.seal_source([SourceFile(draft, b"")], "case", name)
    finally:
        draft.unlink(missing_ok=True)
    return {"source": str(other_root), "role": "case", "new": event is not None, "shared": len(found),
            "not_compared": missing, **(dict(event.data) if event else {})}  # fmt: skip


def _comparable(there: Reader, other: Case) -> tuple[list[Compared], list[str]]:
    """What the other case's tables can be asked; and what not, in words: a case of an older version lacks some."""
    folder = TableFolder(other.tables)
    columns = {name: set(there.table(f"SELECT * FROM {name} LIMIT 0").column_names) for name in COLUMNS}  # noqa: S608
    can, missing = [], []
    for one in COMPARED:
        lacks = [name for name, needed in one.needs if folder.run_of(name) is None or not columns[name] >= set(needed)]
        if lacks:
            missing.append(f"{one.what}: no table {lacks[0]} there, or one of another version")
        else:
            can.append(one)
    return can, missing


def _services(reader: Reader) -> pa.Table:
    return reader.table(SERVICES).cast(pa.schema([("address", pa.string())]))


def _near(radius: int) -> Near:
    def near(mine: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int, int]]:
        from casewright.kernels.hamming import packed  # noqa: PLC0415  slow to import, as the next
        from casewright.kernels.hamming_join import near_pairs  # noqa: PLC0415

        return zip(*(column.tolist() for column in near_pairs(packed(mine), packed(theirs), radius)), strict=True)

    return near


LINKS = """
SELECT case_link, other_case, other_agency, kind, value, strength, reason, against, len(accounts) AS accounts
FROM case_links ORDER BY strength, other_case, kind, case_link
"""


def found_cases(reader: Reader) -> list[dict[str, Any]]:
    return reader.rows(LINKS)


BY_CASE = """
SELECT other_case AS "case", other_agency AS agency, kind,
       count(DISTINCT case_link) FILTER (strength = 'strong') AS strong,
       count(DISTINCT case_link) FILTER (strength = 'weak') AS weak, count(DISTINCT account) AS accounts
FROM case_links LEFT JOIN unnest(accounts) AS u(account) ON true GROUP BY ALL ORDER BY ALL
"""


def counted_cases(reader: Reader) -> list[dict[str, Any]]:
    """How much is shared with each case, by kind."""
    return reader.rows(BY_CASE)


def tell_counts(voice: Voice, found: Sequence[Mapping[str, Any]]) -> None:
    if found:
        rows = [list(row.values()) for row in found]
        voice.table([*found[0]], rows, title="Shared with other cases: leads, no verdicts")
        voice.say("")


def tell_cases(voice: Voice, found: Sequence[Mapping[str, Any]]) -> None:
    """The strongest, and how many more."""
    rows = [[r["case_link"], r["other_case"], r["kind"], r["value"], r["strength"], r["reason"], r["against"]]
            for r in found[:SHOWN]]  # fmt: skip
    if rows:
        strong = sum(row["strength"] == "strong" for row in found)
        title = f"Shared with other cases: {strong} strong, {len(found) - strong} weak; leads, no verdicts"
        voice.table(["id", "case", "kind", "value", "", "for", "against"], rows, title=title)
        voice.say("")
