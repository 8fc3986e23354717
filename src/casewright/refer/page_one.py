"""The first page: what an officer asks, in the order in which they ask it.

Who is at risk now and why; what sets the subjects apart; the best identity and its ladder of evidence; why this
country; conduct; handling; legal process; deconfliction; what is asked, until when; whom to call.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from casewright.link.flags import INDICATORS
from casewright.model.bitcoin import amount
from casewright.refer.deconflicted import deconflicted
from casewright.refer.facts import Facts
from casewright.refer.grounds import exculpatory, rungs_of, summed
from casewright.refer.placing import Row
from casewright.refer.sheet import SUMMARY, Sheet, printed

SHOWN = 3
"""Subjects that the first page shows in full; it says how many more there are."""
APART, IDENTITIES = 2, 2
"""Accounts with what sets them apart, and persons with all that speaks for and against them; the page is one page."""
NAME_LIMIT = 40
POINTS = re.compile("elsewhere: |weak hints: ")
Say = Callable[[str, Any, Iterable[str | None]], None]


def page_one(sheet: Sheet, referrals: list[Row], facts: Facts, params: Mapping[str, Any]) -> None:
    """Every figure of the first page."""

    def say(label: str, value: Any, sources: Iterable[str | None]) -> None:
        sheet.add(SUMMARY, sheet.country, label, value, sources)

    ids = [r["referral"] for r in referrals]
    accounts = list(dict.fromkeys(r["account"] for r in referrals))
    _risk(say, referrals, facts)
    _apart(say, referrals, facts)
    _identity(say, referrals, accounts, facts)
    _place(say, referrals, facts)
    _conduct(say, accounts, ids, facts)
    say("Handling code", params["handling"], facts.settings)
    say("Permitted use", params["permitted_use"], facts.settings)
    say("Legal process", *_process(accounts, ids, facts))
    say("Deconfliction", *deconflicted(accounts, facts))
    say("Action asked", "assess each subject; find who is behind accounts without a person; send back the receipt",
        facts.settings)  # fmt: skip
    say("Reply within", f"{params['reply_within_days']} days of receipt", facts.settings)
    say("Contact", params["contact"] or params["agency"], facts.settings)
    reference = f" ({params['reference']})" if params["reference"] else ""
    say("Case", f"{params['title']}{reference}, {params['agency']}", facts.settings)


def _apart(say: Say, referrals: list[Row], facts: Facts) -> None:
    """What sets the first subjects apart from all others of the case: no two first pages are alike."""
    for referral in list({r["account"]: r for r in reversed(referrals)}.values())[::-1][:APART]:
        words = f"{_called(referral, facts)}, priority {referral['priority']}: {referral['stands_out']}"
        say("Subject", words, [referral["referral"], referral["account"]])


def _called(referral: Row, facts: Facts) -> str:
    """An account by its name, cut when it is long, and by the site's own key for it."""
    account = facts.accounts[referral["account"]]
    name = account["username"] or account["account"]
    short = name if len(name) <= NAME_LIMIT else f"{name[:NAME_LIMIT]}..."
    return f"account {short} (no. {(account['native'] or '?')[:NAME_LIMIT]})"


def _risk(say: Say, referrals: list[Row], facts: Facts) -> None:
    """Whom analysts flagged, and whom earlier cases show near those at risk, in their words."""
    urgent = [r for r in referrals if r["flags"] or (r["person"] and facts.priors[r["person"]])]
    if not urgent:
        none = "no subject here is known to have access; that is not a finding that none has"
        say("Access and risk now", none, [r["referral"] for r in referrals])
        first = referrals[0]
        why = first["reason"].removesuffix(f"; {first['place']}")
        say("Most urgent", f"priority {first['priority']}: {why}", [first["referral"]])
    for referral in urgent[:SHOWN]:
        _flagged(say, referral, facts)
        _earlier(say, referral, facts)
    if len(urgent) > SHOWN:
        say("Also at risk", f"{len(urgent) - SHOWN} more subjects of this kind", [r["referral"] for r in urgent])


def _flagged(say: Say, referral: Row, facts: Facts) -> None:
    for flag in (facts.flags[name] for name in referral["flags"]):
        words = (
            f"{_called(referral, facts)}: {INDICATORS[flag['indicator']]}, flagged by {flag['examiner']}: {flag['why']}"
        )
        say("Access and risk now", words, [referral["referral"], flag["flag"]])


def _earlier(say: Say, referral: Row, facts: Facts) -> None:
    if not referral["person"] or not facts.priors[referral["person"]]:
        return
    earlier, person = facts.priors[referral["person"]][0], facts.persons[referral["person"]]
    words = (
        f'{person["full_name"]}: case {earlier["reference"] or "?"} notes "{earlier["note"]}" '
        f"({earlier['reason'].rpartition(', case')[0]}; {judged(earlier)})"
    )
    rests_on = [earlier["link"], earlier["earlier"], earlier["judgement"], person["person"]]
    say("Access and risk now", words, [referral["referral"], *rests_on])


def judged(row: Mapping[str, Any]) -> str:
    """How a suggestion was judged, and by whom."""
    return f"judged {row['verdict']} by {row['examiner']}" if row["judgement"] else "not judged"


def _identity(say: Say, referrals: list[Row], accounts: list[str], facts: Facts) -> None:
    """The persons whom judgements name, each with the ladder that leads to them and what speaks against it."""
    named = [r for r in referrals if r["person"]]
    verdicts = [facts.verdict(r) for r in named]
    persons = list(dict.fromkeys(r["person"] for r in named))
    for referral, (link, verdict) in list(zip(named, verdicts, strict=True))[:IDENTITIES]:
        person, account = facts.persons[referral["person"]], facts.accounts[referral["account"]]
        words = f"{person['full_name']}, born {person['born'] or 'unknown'}, as account {account['username']}"
        say("Best identity", words, [person["person"], account["account"], link["link"], verdict["judgement"]])
        words = f"{link['reason']}; judged {verdict['verdict']} by {verdict['examiner']}: {verdict['why']}"
        say("Rests on", words, [link["link"], verdict["judgement"]])
        rungs = rungs_of(referral, facts)
        say("Ladder", summed(rungs), [r["id"] for r in rungs])
        against = "; ".join(dict.fromkeys(exculpatory(rungs)))
        say(
            "Speaks against it", against or "nothing found; that is no proof", [link["link"], *(r["id"] for r in rungs)]
        )
    ids = [r["referral"] for r in referrals]
    if not named:
        say("Best identity", "none: nobody has been named by a judgement; accounts are referred as accounts", ids)
        rungs = rungs_of(referrals[0], facts)
        say("Ladder", f"{_called(referrals[0], facts)}: {summed(rungs)}", [r["id"] for r in rungs] or ids)
    without = len(set(accounts) - {r["account"] for r in named})
    say("Subjects", f"{len(accounts)} accounts; {len(persons)} persons named by a judgement; "
        f"{without} without a person", [*ids, *(v["judgement"] for _, v in verdicts)])  # fmt: skip


def _place(say: Say, referrals: list[Row], facts: Facts) -> None:
    """Why this country, and what points elsewhere."""
    places = Counter(r["place"] for r in referrals)
    words = "; ".join(f"{count}× {place}" for place, count in sorted(places.items()))
    say("Why this country", words, [r["referral"] for r in referrals])
    torn = [r for r in referrals if POINTS.search(r["place_against"] or "")]
    for referral in list({r["account"]: r for r in torn}.values())[:SHOWN]:
        say("Points elsewhere", f"{_called(referral, facts)}: {referral['place_against']}", [referral["referral"]])


def _conduct(say: Say, accounts: list[str], ids: list[str], facts: Facts) -> None:
    paid = [p for a in accounts for p in facts.payments[a]]
    ups = [u for a in accounts for u in facts.uploads[a]]
    downs = [d for a in accounts for d in facts.downloads[a]]
    if paid:
        say("Payments", f"{len(paid)}, together {amount(sum(p['sats'] for p in paid))}{_between(paid)}",
            [p["payment"] for p in paid])  # fmt: skip
    media = [(link, work) for a in accounts for link, work in facts.media(a)]
    states = Counter(work["state"] for _, work in media)
    matched = ", ".join(f"{states[s]} {s}" for s in ("known", "near", "new") if states[s])
    found = f"; on the worklist: {matched}" if matched else ""
    moved = [u["upload"] for u in ups] + [link["link"] for link, _ in media]
    say("Uploads", f"{len(ups) or 'none on record'}{_between(ups)}{found}", moved or ids)
    say("Downloads", f"{len(downs) or 'none on record'}{_between(downs)}", [d["download"] for d in downs] or ids)


def _between(rows: list[Row]) -> str:
    """First and last day of these rows."""
    times: list[datetime] = [r["time"] for r in rows if r["time"]]
    return f", {printed(min(times))[:10]} to {printed(max(times))[:10]}" if times else ""


def _process(accounts: list[str], ids: list[str], facts: Facts) -> tuple[str, list[str]]:
    """What services were asked about these accounts' payments, when, and what they answered."""
    asked = facts.asked([p for a in accounts for p in facts.payments[a]])
    if not asked:
        return "none drafted: no service was found behind these accounts", ids
    answered = sum(q["answered"] for q in asked)
    references = list(dict.fromkeys(q["reference"] for q in asked))
    services = "; ".join(_served(facts.process[reference]) for reference in references)
    words = f"{services}. Lines about these accounts: {len(asked)}, answered: {answered}"
    return words, [*references, *(q["request"] for q in asked)]


def _served(process: Row) -> str:
    """One request, as far as somebody recorded what became of it."""
    sent = f"sent on {process['sent_on']}" if process["sent_on"] else "no sending recorded"
    return f"{process['service']} ({process['reference']}): {sent}, {process['state']}"
