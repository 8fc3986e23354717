"""The stages of the chain room."""

from casewright.chain.blocks import blocks
from casewright.chain.clusters import clusters
from casewright.chain.files import chain_files
from casewright.chain.payments import payments
from casewright.chain.reading import read_blocks
from casewright.chain.tags import tags
from casewright.chain.trace import trace, trace_params
from casewright.engine.stage import Stage

CHAIN = ("blocks", "transactions", "inputs", "outputs")
NUMBERS = {
    "blocks": ("hash", "height", "time"),
    "transactions": ("txid", "block"),
    "inputs": ("transaction", "spends"),
    "outputs": ("transaction", "sats", "address", "kind", "holder", "spender"),
}
"""What the chain as columns needs of its tables: ids of inputs and outputs are most of their size."""

STAGES = (
    Stage("chain_files", 1, ("exhibits", "exhibit_files"), ("chain_files", "chain_contents"), chain_files),
    Stage("read_blocks", 1, ("chain_contents",), ("read_files", "read_blocks", "read_damage"), read_blocks,
          over="chain_contents", order="content", batch=1, hostile=True, streams=True, noun="contents", key="content",
          params=lambda settings: {"network": settings.chain.network}),
    Stage("blocks", 3, ("chain_files", "read_files", "read_blocks", "read_damage"), CHAIN, blocks,
          params=lambda settings: {"network": settings.chain.network}),
    Stage("tags", 1, ("exhibits", "exhibit_files"), ("tags",), tags, hostile=True, noun="files"),
    Stage("payments", 1, ("deposit_addresses", *CHAIN), ("payments",), payments),
    Stage("clusters", 2, CHAIN, ("clusters", "cluster_reasons"), clusters, columns=NUMBERS),
    Stage("trace", 2, ("payments", "wallet_addresses", "clusters", "cluster_reasons", "tags", "set_aside", *CHAIN),
          ("hops", "services"), trace, params=trace_params),
)  # fmt: skip
