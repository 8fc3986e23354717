"""Which outputs pay the service's accounts."""

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.model.ids import make_id
from casewright.model.tables import TABLES


def payments(batch: pa.Table, context: Context) -> Output:
    """Outputs to deposit addresses, joined exactly."""
    rows = context.sql(sql_stage_text(__file__, "payments")).to_pylist()
    for row in rows:
        row["payment"] = make_id("pay", row["txid"], row["vout"], row["account"])
    given = set(context.table("deposit_addresses").column("address").to_pylist())
    paid = {row["address"] for row in rows}
    tally = Tally("deposit addresses", len(given), len(paid), len(given - paid))
    return Output({"payments": TABLES["payments"].rows(rows)}, [], [tally])
