"""The stages of the link room."""

from casewright.engine.stage import Late, Stage
from casewright.link.case_links import case_links
from casewright.link.comparable import COLUMNS
from casewright.link.flags import flags
from casewright.link.joins import CHAIN, links, requests
from casewright.link.judge import judgements
from casewright.link.not_locating import not_locating
from casewright.link.people import persons, returns
from casewright.link.process import legal_process
from casewright.link.reconcile import reconciled
from casewright.link.service_book import service_book

STAGES = (
    Stage("service_book", 1, ("exhibit_files",), ("service_book",), service_book, hostile=True, noun="rows"),
    Stage("not_locating", 1, ("exhibit_files",), ("not_locating",), not_locating, over="exhibit_files",
          where="role = 'not locating'", order="exhibit, position", batch=1, hostile=True, noun="networks",
          key="exhibit"),
    Stage("requests", 4, ("services", "payments", "outputs", "tags", "transactions", "blocks", "service_book"),
          ("requests",), requests, lazy=tuple(CHAIN)),
    Stage("returns", 4, ("exhibit_files",), ("returns",), returns, over="exhibit_files", where="role = 'return'",
          order="exhibit, position", batch=1, hostile=True, sees_all=True, noun="rows", key="exhibit"),
    Stage("legal_process", 1, ("requests", "returns", "payments", "service_book", "ledger/process"),
          ("legal_process", "process_steps"), legal_process,
          params=lambda settings: {"days": settings.refer.reply_within_days}),
    Stage("persons", 3, ("exhibit_files", "returns"), ("persons",), persons, hostile=True, noun="rows"),
    Stage("person_forms", 1, ("persons",), ("person_forms",), Late("casewright.link.forms", "person_forms"),
          over="persons", order="person", batch=10_000, noun="persons", key="person"),
    Stage("suggestions", 1, ("persons", "person_forms"), ("suggestions", "suggestion_reasons"),
          Late("casewright.link.suggest", "suggestions"),
          params=lambda settings: {"suggest_at": settings.link.suggest_at}),
    Stage("links", 5, ("payments", "services", "requests", "returns", "persons", "outputs", "uploaded_media",
                       "worklist", "suggestions"), ("links",), links, lazy=("outputs",)),
    Stage("reconciled", 2, ("credits", "payments", "blocks"), ("reconciled",), reconciled,
          params=lambda settings: {"late_hours": settings.chain.late_hours}),
    Stage("case_links", 1, (*COLUMNS, "exhibit_files", "tags"), ("case_links",), case_links,
          columns={**COLUMNS, "tags": ("address",)}),
)  # fmt: skip
JUDGED = (
    Stage("judgements", 3, ("ledger/judgement",), ("judgements",), judgements),
    Stage("flags", 1, ("ledger/flag",), ("flags",), flags),
)
"""Rest on the ledger alone, and stand before all that a judgement changes: what was judged is not shown again."""
