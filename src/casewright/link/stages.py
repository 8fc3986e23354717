"""The stages of the link room."""

from casewright.engine.stage import Stage
from casewright.link.joins import links, requests
from casewright.link.judge import judgements
from casewright.link.people import persons, returns
from casewright.link.reconcile import reconciled

STAGES = (
    Stage("requests", 2, ("services", "payments", "outputs", "tags", "transactions", "blocks"), ("requests",),
          requests),
    Stage("returns", 2, ("exhibit_files",), ("returns",), returns, over="exhibit_files", where="role = 'return'",
          order="exhibit, position", batch=1, hostile=True, noun="rows", key="exhibit"),
    Stage("persons", 2, ("exhibit_files", "returns"), ("persons",), persons, hostile=True, noun="rows"),
    Stage("links", 4, ("payments", "services", "requests", "returns", "persons", "outputs", "uploaded_media",
                       "worklist"), ("links",), links),
    Stage("reconciled", 1, ("credits", "payments", "blocks"), ("reconciled",), reconciled,
          params=lambda settings: {"late_hours": settings.chain.late_hours}),
)  # fmt: skip
JUDGED = (Stage("judgements", 2, ("ledger/judgement",), ("judgements",), judgements),)
"""Rests on the ledger alone, and stands before all that a judgement changes: what was judged is not shown again."""
