"""What other agencies look at too, as comparisons without showing anything else found out (docs/deconfliction.md)."""

from typing import Any

from casewright.review.page import Ask, Page

PEERS = """
SELECT peer, count(*) AS hits, count(DISTINCT account) AS accounts, count(DISTINCT peer_reference) AS cases,
       count(*) FILTER (weak) AS weak FROM listed_hits GROUP BY peer ORDER BY hits DESC, peer
"""
RUNS = "SELECT * FROM deconfliction_runs ORDER BY run, side, id"
OF_ACCOUNT = "SELECT * FROM listed_hits WHERE account = $account ORDER BY place"
"""The hits on one account, for its page and for pairs that it is part of."""


def find(ask: Ask) -> dict[str, Any]:
    peer = ask.text("peer")
    found = ask.listed("listed_hits", "place", "peer = $peer" if peer else "", {"peer": peer})
    return {"hits": found._asdict(), "peers": ask.rows(PEERS), "peer": peer, "runs": ask.rows(RUNS)}


PAGES = (Page("/hits", "hits.html", find, "hits"),)
