"""What page one says of other agencies: which were asked, and what of the accounts of this package they have too.

Of the selectors themselves only the kind is said: which they are is told to nobody but the case.
"""

from collections import Counter
from collections.abc import Container

from casewright.refer.facts import Facts
from casewright.refer.placing import Row


def deconflicted(accounts: Container[str], facts: Facts) -> tuple[str, list[str]]:
    """The words, and the rows that they rest on."""
    read = [run for run in facts.compared if run["side"] == "asked"]
    found_us = [run for run in facts.compared if run["side"] == "was asked" and run["mode"] == "hits"]
    if not read and not found_us:
        return "not checked: no other agency was asked", facts.settings
    hits = [hit for hit in facts.hits if hit["account"] in accounts]
    told = {run["run"] for run in read if run["mode"] == "hits"}
    words = [_of_peer(peer, [h for h in hits if h["peer"] == peer]) for peer in dict.fromkeys(h["peer"] for h in hits)]
    for run in read:
        if run["run"] not in told:
            which = "; which, was not asked" if run["common"] else ""
            words.append(f"{run['peer']}: {run['common'] or 'no'} selectors of the whole case in common{which}")
        elif not any(hit["run"] == run["run"] for hit in hits):
            words.append(f"{run['peer']}: nothing about these accounts in common")
    for run in found_us:
        case = run["peer_reference"] or "without reference"
        words.append(f"{run['peer']} found selectors of its own in this case, its case {case}; which, they can tell")
    rests_on = [*(h["hit"] for h in hits), *(run["id"] for run in (*read, *found_us))]
    return "; ".join(dict.fromkeys(words)), rests_on if hits else [*rests_on, *facts.settings]


def _of_peer(peer: str, hits: list[Row]) -> str:
    """The kinds of what a peer has too, and its case; weak ones are called so."""
    kinds = Counter(hit["kind"] + (" (weak)" if hit["weak"] else "") for hit in hits)
    references = sorted({hit["peer_reference"] or "without reference" for hit in hits})
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{peer} has {said} too, case {', '.join(references)}; ask them before acting"
