"""The stages of comparing with other agencies; the exchange itself is files, made and read by `exchange.py`."""

from casewright.engine.stage import Stage
from casewright.link.deconflict.hits import deconfliction
from casewright.link.deconflict.own import own_selectors

NARROW = {
    "selectors": ("selector", "kind", "canonical"),
    "items": ("item", "sha256"),
    "media": ("item", "pdq", "pdq_quality"),
    "hops": ("hop", "payment", "direction", "step", "from_cluster", "ends"),
}
"""What is looked at of tables that may be large."""
STAGES = (
    Stage("deconflict_selectors", 1,
          ("exhibit_files", "accounts", "former_values", "persons", "judgements", "links", "deposit_addresses",
           "wallet_addresses", "hops", "payments", "clusters", "selectors", "worklist", "uploaded_media", "items",
           "media"),
          ("deconflict_selectors",), own_selectors,
          lazy=("clusters",), columns=NARROW,
          params=lambda settings: {"service": settings.deconflict.service, "phones": settings.deconflict.phones,
                                   "quality": settings.media.pdq_quality}),
    Stage("deconfliction", 1, ("exhibit_files", "deconflict_selectors", "ledger/deconfliction"),
          ("deconfliction", "deconfliction_runs"), deconfliction),
)  # fmt: skip
