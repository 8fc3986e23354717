"""What this case would bring to a comparison with another agency, and what it leaves out, each with the reason.

Only what belongs to accounts, their uploads and whoever paid for them, and keys of PGP and wallets: what else stands in
evidence without an account is not taken, since it may be a victim's. What an analyst excludes stays out for good.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.model.ids import make_id
from casewright.model.selectors import KINDS, NoForm, normal_form
from casewright.model.tables import TABLES

EXCLUSION = "exclusion"
LARGEST_WALLET = 1000
"""Addresses of a payer's cluster are compared up to so many; of a larger one its least address stands for all."""
WEAK = "few exist, so that all can be tried; set [deconflict] phones to compare them"
NO_SERVICE = "the case does not say what its service is called: [deconflict] service"
EXCLUDED = "excluded by an analyst"


def own_selectors(batch: pa.Table, context: Context) -> Output:
    """`deconflict_selectors`: every candidate once for each account, with its form or why it has none."""
    excluded = _exclusions(context)
    bind = {"service": context.params["service"], "wallet": LARGEST_WALLET, "quality": context.params["quality"]}
    rows = [
        _row(row, excluded, context.params) for row in context.sql(sql_stage_text(__file__, "own"), bind).to_pylist()
    ]
    out = sum(row["left_out"] is not None for row in rows)
    tally = Tally("selectors", len(rows), len(rows) - out, out)
    return Output({"deconflict_selectors": TABLES["deconflict_selectors"].rows(rows)}, [], [tally])


def _row(row: dict[str, Any], excluded: set[str], params: Mapping[str, Any]) -> dict[str, Any]:
    kind, value = row["kind"], row["value"]
    form, why = None, None
    if kind == "username" and value.startswith("\t"):
        why = NO_SERVICE
    else:
        try:
            form = normal_form(kind, value)
        except NoForm as reason:
            why = str(reason)
    if form and KINDS[kind].weak and not params["phones"]:
        why = WEAK
    if not excluded.isdisjoint((value, form, row["account"], *row["sources"])):
        why = EXCLUDED
    name = make_id("own", kind, value, row["account"] or "")
    return {"id": name, **row, "form": None if why else form, "weak": KINDS[kind].weak, "left_out": why}


def _exclusions(context: Context) -> set[str]:
    """Lines of the sealed lists of exclusions, as they stand and in the form of each kind that takes them."""
    files = context.sql(f"SELECT sha256 FROM exhibit_files WHERE role = '{EXCLUSION}' ORDER BY exhibit, position")  # noqa: S608
    found: set[str] = set()
    for sha256 in files.column("sha256").to_pylist():
        with context.open(sha256) as file:
            found.update(_spellings(file.read().decode("utf-8", "replace").splitlines()))
    return found


def _spellings(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if text := line.strip():
            yield text
            for kind in KINDS:
                try:
                    yield normal_form(kind, text)
                except NoForm:
                    continue
