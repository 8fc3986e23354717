"""One file a page, or a list and the page of one of it."""

from casewright.review.page import Page, Tab
from casewright.review.pages import (
    accounts,
    decided,
    graph,
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

PAGES: tuple[Page, ...] = tuple(
    page
    for module in (overview, accounts, payments, graph, services, media, pairs, packages, ledger, decided, search, why)
    for page in module.PAGES
)
TABS = (
    Tab("Overview", "/overview", "o"), Tab("Accounts", "/accounts", "a"), Tab("Payments", "/payments", "p"),
    Tab("Services", "/services", "s"), Tab("Media", "/media", "m"), Tab("Identities", "/pairs", "i"),
    Tab("Packages", "/packages", "r"), Tab("Ledger", "/ledger", "l"),
)  # fmt: skip
