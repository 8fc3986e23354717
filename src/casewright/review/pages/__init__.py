"""One file a page, or a list and the page of one of it."""

from casewright.review.page import Page, Tab
from casewright.review.pages import (
    accounts,
    decided,
    graph,
    hits,
    ledger,
    media,
    overview,
    packages,
    pairs,
    payments,
    search,
    services,
    why,
)

_MODULES = (
    overview, accounts, payments, graph, services, media, pairs, hits, packages, ledger, decided, search, why,
)  # fmt: skip
PAGES: tuple[Page, ...] = tuple(page for module in _MODULES for page in module.PAGES)
TABS = (
    Tab("Overview", "/overview", "o"), Tab("Accounts", "/accounts", "a"), Tab("Payments", "/payments", "p"),
    Tab("Services", "/services", "s"), Tab("Media", "/media", "m"), Tab("Identities", "/pairs", "i"),
    Tab("Hits", "/hits", "h"), Tab("Packages", "/packages", "r"), Tab("Ledger", "/ledger", "l"),
)  # fmt: skip
