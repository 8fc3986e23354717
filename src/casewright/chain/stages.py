"""The stages of the chain room."""

from collections.abc import Mapping
from typing import Any

from casewright.chain.files import chain_files
from casewright.chain.layer_names import checked
from casewright.chain.tags import tags
from casewright.chain.taint import METHODS
from casewright.engine.stage import Late, Stage
from casewright.model.errors import Refused
from casewright.model.settings import Settings

CHAIN = ("blocks", "transactions", "inputs", "outputs")
NUMBERS = {"blocks": ("hash", "height", "time")}
"""What the chain as columns needs of the blocks; of the other tables it takes what it needs part by part."""
PARTS = ("transactions", "inputs", "outputs")
PROOF = ("clusters", "cluster_reasons")
SHARED = "chain"
"""Where the stages that go through the whole chain keep it as arrays."""
KNOWN = ("payments", "wallet_addresses", "clusters", "cluster_reasons", "joined_services", "tags", *CHAIN)
"""What the chain's graph is made of (`graph.load_graph`)."""

LIMITS = ("max_hops", "dust_sats", "max_age_days", "taint", "gathered_from", "busy_wallet")
"""Settings that limit a trace."""
READING = "casewright.chain.reading"
SOUGHT = "casewright.chain.targeted.sought"
SEARCHING, FOLLOWING = "casewright.chain.targeted.searching", "casewright.chain.targeted.following"
SEARCHED = ("searched_files", "searched_damage", "searched_heads", "searched_finds")
FOLLOWED = ("followed_finds", "followed")


def trace_params(settings: Settings) -> Mapping[str, Any]:
    """The settings that decide how far and how a trace goes."""
    chain = settings.chain
    if chain.taint not in METHODS:
        raise Refused(f"case.toml: [chain] taint is {chain.taint!r}, but must be one of {', '.join(METHODS)}.")
    return {**{name: getattr(chain, name) for name in LIMITS}, **graph_params(settings)}


def graph_params(settings: Settings) -> Mapping[str, Any]:
    """The setting that decides what of the chain is the market's wallet."""
    return {"market_members": settings.chain.market_members}


def follow_params(settings: Settings) -> Mapping[str, Any]:
    """The settings that decide what is read in targeted mode besides what is sought."""
    names = ("network", "dust_sats", "targeted_hops", "targeted_inputs", "targeted_transactions")
    return {name: getattr(settings.chain, name) for name in names}


def cluster_params(settings: Settings) -> Mapping[str, Any]:
    """What joins addresses, in the order in which it does."""
    chosen = checked(settings.chain.layers)
    return {"layers": list(chosen), "change_votes": settings.chain.change_votes if "change" in chosen else 0}


STAGES = (
    Stage("chain_files", 2, ("exhibits", "exhibit_files"), ("chain_files", "chain_contents", "searched_contents"),
          chain_files, params=lambda settings: {"targeted": settings.chain.targeted}),
    Stage("read_blocks", 4, ("chain_contents",), ("read_files", "read_blocks", "read_damage"),
          Late(READING, "read_blocks"), over="chain_contents", order="content", batch=1, hostile=True, streams=True,
          noun="contents", key="content", imports=(READING,),
          params=lambda settings: {"network": settings.chain.network}),
    Stage("tags", 2, ("exhibits", "exhibit_files"), ("tags",), tags, hostile=True, noun="files"),
    Stage("sought", 1, ("deposit_addresses", "wallet_addresses", "tags"), ("sought",), Late(SOUGHT, "sought"),
          params=lambda settings: {"network": settings.chain.network, "targeted": settings.chain.targeted}),
    Stage("search", 3, ("searched_contents", "sought"), SEARCHED, Late(SEARCHING, "search_files"),
          over="searched_contents", order="number", batch=16, hostile=True, streams=True, noun="contents",
          key="content", imports=(SEARCHING,), params=lambda settings: {"network": settings.chain.network}),
    Stage("follow", 2, ("searched_contents", "sought", "searched_heads", "searched_finds"), FOLLOWED,
          Late(FOLLOWING, "follow"), over="searched_contents", order="number", batch=1 << 40, hostile=True,
          streams=True, noun="contents", key="content", imports=(FOLLOWING,), params=follow_params),
    Stage("blocks", 6, ("chain_files", "read_files", "read_blocks", "read_damage", "searched_contents", *SEARCHED,
                        *FOLLOWED), CHAIN, Late("casewright.chain.targeted.blocks", "blocks"),
          lazy=("read_blocks",), pieces=True, params=lambda settings: {"network": settings.chain.network}),
    Stage("payments", 2, ("deposit_addresses", *CHAIN), ("payments",), Late("casewright.chain.payments", "payments"),
          lazy=PARTS, shared=SHARED, columns=NUMBERS),
    Stage("change", 3, CHAIN, ("change",), Late("casewright.chain.change", "change"), lazy=PARTS, shared=SHARED,
          columns=NUMBERS),
    Stage("clusters", 5, (*CHAIN, "change", "tags"), ("clusters", "cluster_reasons", "coinjoins", "layer_links"),
          Late("casewright.chain.clusters", "clusters"), lazy=(*PARTS, "change"), shared=SHARED, params=cluster_params,
          columns=NUMBERS),
    Stage("guard", 1, ("clusters", "cluster_reasons", "tags"), ("joined_services",),
          Late("casewright.chain.guard", "guard"), lazy=PROOF),
    Stage("heuristics_measured", 3, ("deposit_addresses", "change", *KNOWN), ("heuristics_measured",),
          Late("casewright.chain.measured", "measured"), lazy=(*PARTS, *PROOF, "change"), shared=SHARED,
          columns=NUMBERS, params=graph_params),
    Stage("trace", 7, ("set_aside", "followed", *KNOWN), ("hops", "services"), Late("casewright.chain.trace", "trace"),
          lazy=(*PARTS, *PROOF), shared=SHARED, params=trace_params,
          columns={**NUMBERS, "blocks": (*NUMBERS["blocks"], "state")}),
)  # fmt: skip
