"""The stage that says which content an upload put on the service."""

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, shaped, sql_stage_text


def uploaded(batch: pa.Table, context: Context) -> Output:
    """Every upload with each content that its record can mean. One whose media are not in the case has no row."""
    rows = shaped("uploaded_media", context.sql(sql_stage_text(__file__, "uploaded")))
    received, found = context.table("uploads").num_rows, len(pa.compute.unique(rows.column("upload")))
    return Output({"uploaded_media": rows}, [], [Tally("uploads", received, found, received - found)])
