"""The stage `trace`: each payment back to the services it came from, and forward to where it was cashed out.

All payments of the case go through the chain in one pass: what one of them had to find out of a transaction or a wallet
is there for the next. After them all coins that the market's own wallets spent are followed together.
"""

from dataclasses import replace

import pyarrow as pa

from casewright.chain.back import trace_back
from casewright.chain.findings import BACK, FORWARD, MARKET, Findings, Limits
from casewright.chain.forward import trace_forward, trace_market
from casewright.chain.gaps import load_gaps
from casewright.chain.graph import load_graph, outputs_of
from casewright.chain.stages import LIMITS
from casewright.engine.gathered import Gathered
from casewright.engine.stage import Context, Output, Tally

ORDER = "SELECT * FROM payments ORDER BY height NULLS LAST, txid, vout, account"
MARKET_TRANSACTIONS = 500_000


def trace(batch: pa.Table, context: Context) -> Output:
    """`hops` and `services`. Every branch ends in a row that says why; a payment is *done* when a service was found."""
    graph, gaps, reached = load_graph(context), load_gaps(context), 0
    hops, services = Gathered("hops"), Gathered("services")
    limits = Limits(**{name: context.params[name] for name in LIMITS})
    payments = context.sql(ORDER)
    for name, number in zip(payments["payment"].to_pylist(), outputs_of(graph.chain, payments).tolist(), strict=True):
        coin = graph.coin(number)
        back = trace_back(Findings(graph, name, BACK, limits, gaps), coin)
        forward = trace_forward(Findings(graph, name, FORWARD, limits, gaps), coin)
        for found in (back, forward):
            hops.add_all(found.hops)
            services.add_all(found.finished())
        reached += any(s["confidence"] != "none" for s in back.services)
    whole = replace(limits, max_age_days=0, most_transactions=MARKET_TRANSACTIONS)
    market = trace_market(Findings(graph, "", MARKET, whole, gaps))
    hops.add_all(market.hops)
    services.add_all(market.finished())
    tally = Tally("payments", len(payments), reached, len(payments) - reached)
    return Output({"hops": hops.table(), "services": services.table()}, [], [tally])
