"""The stage `payments`: outputs of the chain that pay an address which the service gave to an account."""

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

BECH32_HEADS = ("bc1", "tb1", "bcrt1")


def payments(batch: pa.Table, context: Context) -> Output:
    """`payments`: one row for each output and account; an address given to two accounts is a payment to each."""
    observed = context.table("deposit_addresses").select(["id", "account", "address"])
    addresses = [as_paid(a) for a in observed.column("address").to_pylist()]
    given = observed.set_column(2, "address", pa.array(addresses, pa.string()))
    rows = context.sql(sql_stage_text(__file__, "payments"), given=given).to_pylist()
    for row in rows:
        row["payment"] = make_id("pay", row["txid"], row["vout"], row["account"])
    paid = {row["address"] for row in rows}
    tally = Tally("deposit addresses", len(set(addresses)), len(paid), len(set(addresses) - paid))
    return Output({"payments": TABLES["payments"].rows(rows)}, [], [tally])


def as_paid(address: str) -> str:
    """The address as outputs write it: bech32 may stand in capitals (as in QR codes) and means the same."""
    small = address.lower()
    return small if small.startswith(BECH32_HEADS) else address
