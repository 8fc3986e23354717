"""The stages of the refer room; the packages themselves are files, written by `package.py`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from casewright.engine.stage import Late, Stage
from casewright.model.settings import Settings
from casewright.refer.figures import figures
from casewright.refer.recall import recalls
from casewright.refer.recalled import Heeding
from casewright.refer.receipts import receipts
from casewright.refer.select import referrals


def _printed(settings: Settings) -> Mapping[str, Any]:
    """Every setting that a package prints."""
    return {**asdict(settings.chain), **asdict(settings.media), **asdict(settings.extract), **asdict(settings.refer),
            **asdict(settings.priority), **asdict(settings.case), "countries": _placing(settings)["table"]}  # fmt: skip


def _placing(settings: Settings) -> Mapping[str, Any]:
    from casewright.refer.places import country_table  # noqa: PLC0415  slow to import, and few verbs need it

    refer = settings.refer
    return {"table": country_table(), "place_days": refer.place_days, "place_share": refer.place_share}


def _agreeing(settings: Settings) -> Mapping[str, Any]:
    return {"agree_hours": settings.refer.agree_hours}


STAGES = (
    Stage("recalls", 1, ("ledger/recalled",), ("recalls",), recalls),
    Stage("jurisdictions", 2, ("accounts", "links", "persons", "judgements", "logins", "uploads", "downloads",
                               "sessions", "not_locating", "recalls"), ("jurisdictions",),
          Heeding(Late("casewright.refer.jurisdiction", "jurisdictions")), params=_placing),
    Stage("ladder", 2, ("accounts", "payments", "services", "requests", "returns", "persons", "links", "judgements",
                        "logins", "uploads", "downloads", "sessions", "not_locating", "recalls"), ("ladder",),
          Heeding(Late("casewright.refer.ladder", "ladder")), params=_agreeing),
    Stage("referrals", 5, ("accounts", "payments", "uploads", "downloads", "links", "worklist", "persons", "judgements",
                           "flags", "jurisdictions", "recalls"), ("referrals",), Heeding(referrals),
          params=lambda settings: asdict(settings.priority)),
    Stage("figures", 17, ("referrals", "accounts", "former_values", "deposit_addresses", "payments", "services", "hops",
                         "persons", "links", "judgements", "uploads", "downloads", "logins", "requests", "returns",
                         "worklist", "items", "media", "tallies", "exhibits", "heuristics_measured",
                         "reconciled", "credits", "legal_process", "jurisdictions", "ladder", "flags",
                         "deconfliction", "deconfliction_runs", "recalls", "case_links", "ledger/handling"),
          ("figures",), Heeding(figures), params=_printed),
)  # fmt: skip
AFTER = (
    Stage("receipts", 2, ("ledger/sealed", "ledger/package sealed", "ledger/package sent", "ledger/recipient key",
                          "ledger/receipt trusted"),
          ("sealed_packages", "receipts", "outcomes"), receipts, hostile=True, noun="receipts"),
)  # fmt: skip
"""What comes back once packages went out. It stands behind all that packages print, so that a receipt changes none."""
