"""Whether a wallet that no tag names behaves like a service's, which pools what its customers pay in.

Behind such a wallet are its customers, not the one who was paid from it, so a trace stops there and says why. It is no
attribution: of whom the service is, nothing is said. Two rules, each with a limit in `case.toml`:

- *gathering*: one output takes coins that several others paid in, as services empty their customers' deposit
  addresses into a hot wallet. Source: Meiklejohn et al., "A Fistful of Bitcoins", IMC 2013, section 5 (folding);
  Victor, "Address Clustering Heuristics for Ethereum", FC 2020 (deposit addresses). People gather their own, too: where
  one of the payers is a service by tag, the coins are taken for a withdrawal, and are followed.
- *busy*: so many others paid it, and so many were paid by it. Of such a wallet only its own change is followed. Counts
  of payers and payees tell services from people in: Jourdan, Blandin, Wynter, Deshpande, "Characterizing Entities in
  the Bitcoin Blockchain", ICDMW 2018; Ranshous et al., "Exchange Pattern Mining", FC 2017. The limit is ours.
"""

from collections.abc import Sequence

import numpy as np

from casewright.chain.columns import UNKNOWN, Small
from casewright.chain.graph import Coin, Crossing, Graph

PIECE = 1 << 24
"""Outputs that are looked at at once."""


def gathering(graph: Graph, crossing: Crossing, spent: Sequence[Coin], least: int) -> str:
    """What says that the transaction gathers coins that several others paid to one wallet; empty when it does not."""
    if not least or len(spent) < least or len(crossing.outputs) != 1:
        return ""
    payers = {payer for coin in spent if (payer := payer_of(graph, coin)) is not None} - {spent[0].wallet}
    if len(payers) < least or any(graph.verdict(payer).custodial for payer in payers):
        return ""
    return f"one output takes {len(spent)} coins that {len(payers)} other wallets paid in"


def busy(graph: Graph, wallet: int, least: int) -> str:
    """What says that a wallet deals with very many others; empty when it does not."""
    if not least or wallet < 0 or not graph.is_frequented(least)[wallet]:
        return ""
    if wallet not in graph.dealings:
        graph.dealings[wallet] = _dealings(graph, wallet)
    payers, payees = graph.dealings[wallet]
    return f"{payers} others paid it and it paid {payees}" if min(payers, payees) >= least else ""


def payer_of(graph: Graph, coin: Coin) -> int | None:
    """The wallet that paid for a coin, by the first input that is known; None where none is, or the coin is new."""
    chain = graph.chain
    spends = chain.spends[chain.first_input[coin.made_in] : chain.first_input[coin.made_in + 1]]
    known = spends[spends != UNKNOWN]
    return graph.coin(int(known[0])).wallet if len(known) else None


def _dealings(graph: Graph, wallet: int) -> tuple[int, int]:
    """How many other wallets paid this one, and how many it paid."""
    chain = graph.chain
    own = np.concatenate([
        start + np.flatnonzero(graph.wallet_of[chain.holder[start : start + PIECE]] == wallet)
        for start in range(0, len(chain.holder), PIECE)
    ])  # fmt: skip
    made_in = np.unique(np.searchsorted(chain.first_output, own, "right") - 1)
    made_in = made_in[np.diff(chain.first_input)[made_in] > 0]
    payers = _others(graph, chain.spends[chain.first_input[made_in]], wallet)
    spent_in = np.unique(chain.spender[own])
    outputs = [np.arange(*chain.first_output[t : t + 2]) for t in spent_in[spent_in >= 0]]
    return payers, _others(graph, np.concatenate(outputs), wallet) if outputs else 0


def _others(graph: Graph, outputs: Small, wallet: int) -> int:
    holders = graph.chain.holder[outputs[outputs != UNKNOWN]]
    met = np.unique(graph.wallet_of[holders])
    return int(np.count_nonzero(met != wallet))
