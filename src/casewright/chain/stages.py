"""The stages of the chain room."""

from casewright.chain.blocks import blocks
from casewright.chain.clusters import clusters
from casewright.chain.payments import payments
from casewright.chain.tags import tags
from casewright.chain.trace import trace, trace_params
from casewright.engine.stage import Stage

CHAIN = ("blocks", "transactions", "inputs", "outputs")

STAGES = (
    Stage("blocks", 2, ("exhibits", "exhibit_files"), CHAIN, blocks, hostile=True, noun="files",
          params=lambda settings: {"network": settings.chain.network}),
    Stage("tags", 1, ("exhibits", "exhibit_files"), ("tags",), tags, hostile=True, noun="files"),
    Stage("payments", 1, ("deposit_addresses", *CHAIN), ("payments",), payments),
    Stage("clusters", 1, CHAIN, ("clusters", "cluster_reasons"), clusters),
    Stage("trace", 2, ("payments", "wallet_addresses", "clusters", "cluster_reasons", "tags", "set_aside", *CHAIN),
          ("hops", "services"), trace, params=trace_params),
)  # fmt: skip
