"""What this case would bring to a comparison with another agency, and what it leaves out, each with the reason.

Only what belongs to accounts, their uploads and whoever paid for them, and keys of PGP and wallets: what else stands in
evidence without an account is not taken, since it may be a victim's. What an analyst excludes stays out for good.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, shaped, sql_stage_text
from casewright.link.chain_rows import rows_among
from casewright.model.ids import make_id
from casewright.model.selectors import KINDS, NoForm, normal_form
from casewright.model.tables import TABLES

EXCLUSION = "exclusion"
LARGEST_WALLET = 1000
"""Addresses of a payer's cluster are compared up to so many; of a larger one its least address stands for all."""
AT_ONCE = 1 << 16
WEAK = "few exist, so that all can be tried; set [deconflict] phones to compare them"
NO_SERVICE = "the case does not say what its service is called: [deconflict] service"
EXCLUDED = "excluded by an analyst"


def own_selectors(batch: pa.Table, context: Context) -> Output:
    """`deconflict_selectors`: every candidate once for each account, with its form or why it has none."""
    excluded = _exclusions(context)
    bind = {"service": context.params["service"], "wallet": LARGEST_WALLET, "quality": context.params["quality"]}
    wallets = context.table("hops")["from_cluster"].drop_null()
    clusters = rows_among(context, "clusters", "cluster", wallets, ("address", "cluster"))
    candidates = context.sql(sql_stage_text(__file__, "own"), bind, clusters=clusters)
    parts = [_judged(part, excluded, context.params) for part in candidates.to_batches(max_chunksize=AT_ONCE)]
    table = pa.concat_tables([TABLES["deconflict_selectors"].empty(), *parts])
    out = len(table) - table.column("left_out").null_count
    return Output({"deconflict_selectors": table}, [], [Tally("selectors", len(table), len(table) - out, out)])


def _judged(part: pa.RecordBatch, excluded: set[str], params: Mapping[str, Any]) -> pa.Table:
    """Some candidates, with their forms and reasons beside them: a site has millions."""
    rows = part.to_pylist()
    judged = [_form(row, excluded, params) for row in rows]
    names = [make_id("own", row["kind"], row["value"], row["account"] or "") for row in rows]
    weak = [KINDS[row["kind"]].weak for row in rows]
    more = {"id": names, "form": [form for form, _ in judged], "weak": weak, "left_out": [why for _, why in judged]}
    table = pa.Table.from_batches([part])
    for name, values in more.items():
        table = table.append_column(name, pa.array(values, TABLES["deconflict_selectors"].schema.field(name).type))
    return shaped("deconflict_selectors", table)


def _form(row: dict[str, Any], excluded: set[str], params: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The form in which a candidate is compared, or why it is not."""
    kind, value = row["kind"], row["value"]
    if kind == "username" and value.startswith("\t"):
        return None, NO_SERVICE
    form: str | None = None
    why = WEAK if KINDS[kind].weak and not params["phones"] else None
    try:
        form = normal_form(kind, value)
    except NoForm as reason:
        why = str(reason)
    if not excluded.isdisjoint((value, form, row["account"], *row["sources"])):
        why = EXCLUDED
    return (None, why) if why else (form, None)


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
