"""The stage `trace`: each payment back to the services it came from, and forward to where it was cashed out."""

import pyarrow as pa

from casewright.chain.back import trace_back
from casewright.chain.findings import Findings, Limits
from casewright.chain.forward import trace_forward
from casewright.chain.graph import load_graph
from casewright.engine.stage import Context, Output, Tally
from casewright.model.tables import TABLES

ORDER = "SELECT * FROM payments ORDER BY height NULLS LAST, txid, vout, account"


def trace(batch: pa.Table, context: Context) -> Output:
    """`hops` and `services`. Every branch ends in a row that says why; a payment is *done* when a service was found."""
    graph, hops, services, reached = load_graph(context), [], [], 0
    limits = Limits(context.params["max_hops"], context.params["dust_sats"])
    payments = context.sql(ORDER).to_pylist()
    for row in payments:
        coin = graph.outputs[row["txid"]][row["vout"]]
        back = trace_back(Findings(graph, row["payment"], "back", limits), coin)
        forward = trace_forward(Findings(graph, row["payment"], "forward", limits), coin)
        for found in (back, forward):
            hops += found.hops
            services += found.finished()
        reached += any(s["confidence"] != "none" for s in back.services)
    tally = Tally("payments", len(payments), reached, len(payments) - reached)
    return Output({"hops": TABLES["hops"].rows(hops), "services": TABLES["services"].rows(services)}, [], [tally])
