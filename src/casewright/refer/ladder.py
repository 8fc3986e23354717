"""The stage `ladder`: the evidence that an account is somebody's, rung by rung, and what speaks against it.

payment < service record < identity document < agreement of address and time < judgement. Each rung is told whether it
is reached or not. A payment alone names nobody, and nor do the next three rungs: only a judgement does. Of an account
without one, rungs are told without saying who stands in the records.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.model.tables import TABLES
from casewright.refer.places import hidden, places

RUNGS = ("payment", "service record", "identity document", "agreement", "judgement", "speaks against")
PAYMENT, RECORD, DOCUMENT, AGREEMENT, JUDGEMENT, AGAINST = range(1, 7)
Row = dict[str, Any]
ADDRESSES = "SELECT DISTINCT ip FROM sightings ORDER BY ip"
CONCERNED = """
SELECT s.*, p.address, p.country FROM sightings s JOIN places p USING (ip)
WHERE s.account IN (SELECT from_id FROM links WHERE kind = 'account-person')
   OR p.address IN (SELECT address FROM places SEMI JOIN returns USING (ip) WHERE address IS NOT NULL)
"""
"""What a site of millions saw is not held: only of accounts with customers, and at addresses of customers."""


def ladder(batch: pa.Table, context: Context) -> Output:
    """The rungs of every account that paid, and of every customer whom a service names for an account."""
    first = context.sql(sql_stage_text(__file__, "ladder_of_accounts"))
    pairs = context.sql(sql_stage_text(__file__, "pairs")).to_pylist()
    agreed = {row["link"]: row for row in _agreements(context).to_pylist()}
    by_account: dict[str, list[Row]] = defaultdict(list)
    for pair in pairs:
        by_account[pair["account"]].append({**_no_address(), **agreed.get(pair["link"], {}), **pair})
    rows = [row for mine in by_account.values() for row in _climbed(mine)]
    table = pa.concat_tables([first.cast(TABLES["ladder"].schema), TABLES["ladder"].rows(rows)])
    received = context.table("accounts").num_rows
    done = pc.count_distinct(table["account"]).as_py()
    tally = Tally("accounts", received, done, received - done)
    return Output({"ladder": table.sort_by([("account", "ascending"), ("id", "ascending")])}, [], [tally])


def _agreements(context: Context) -> pa.Table:
    """Addresses of customer records held against those of the site, in the one form of each."""
    sightings = f"WITH sightings AS ({sql_stage_text(__file__, 'sightings')}) "
    seen, returned = context.sql(sightings + ADDRESSES)["ip"], context.table("returns")["ip"]
    texts = pc.unique(pa.chunked_array([*seen.chunks, *returned.chunks], pa.string()).drop_null()).to_pylist()
    found, addresses = places(texts)
    lists = hidden(texts, addresses, context.table("not_locating"))
    joined = context.sql(sightings + CONCERNED, places=found)
    bind = {"hours": context.params["agree_hours"]}
    return context.sql(sql_stage_text(__file__, "agreement"), bind, seen=joined, places=found, hidden=lists)


def _no_address() -> Row:
    return {
        "addresses": 0,
        "nowhere": 0,
        "agree": 0,
        "ids": [],
        "returns": [],
        "other_times": 0,
        "shared": 0,
        "apart": 0,
    }


def _climbed(pairs: list[Row]) -> Iterator[Row]:
    """Of each customer all rungs, and of the account those from the second on, as counts."""
    rungs = [row for pair in pairs for row in _of_pair(pair)]
    yield from rungs
    account = pairs[0]["account"]
    for step in (RECORD, DOCUMENT, AGREEMENT, JUDGEMENT):
        mine = [row for row in rungs if row["step"] == step]
        reached = sum(row["holds"] for row in mine)
        words = f"of {len(mine)} customer(s) whom services name for it, {reached} reach this rung"
        sources = [s for row in mine for s in row["sources"]]
        yield _row(account, None, step, reached > 0, words, None, sources)
    if len(pairs) > 1:
        words = f"services name {len(pairs)} different customers for its payments"
        yield _row(account, None, AGAINST, True, None, words, [p["link"] for p in pairs], "several")


def _of_pair(pair: Row) -> Iterator[Row]:
    account, person, link = pair["account"], pair["person"], pair["link"]
    paid = f"{pair['payments']} payment(s) to the account's addresses"
    yield _row(account, person, PAYMENT, pair["payments"] > 0, paid,
               "anybody can pay any address: a payment names nobody", [*pair["paid"], link])  # fmt: skip
    yield _row(account, person, RECORD, True, pair["reason"], pair["against"], [link])
    papers = pair["documents"]
    yield _row(account, person, DOCUMENT, papers is not None, papers or "no record says that a document was seen",
               "documents can be borrowed or forged" if papers else None, [*pair["document_rows"], link])  # fmt: skip
    yield _row(account, person, AGREEMENT, (pair["agree"] or 0) > 0, _agreement(pair), _less(pair),
               [*(pair["ids"] or []), *(pair["returns"] or []), link])  # fmt: skip
    said = f"{pair['verdict']} by {pair['examiner']}: {pair['why']}" if pair["verdict"] else "nobody judged it"
    yield _row(account, person, JUDGEMENT, pair["verdict"] == "positive", said, None, [pair["judgement"] or link])
    yield from _exculpatory(pair)


def _agreement(pair: Row) -> str:
    if not pair["addresses"]:
        return "no record names an address"
    if pair["agree"]:
        return f"the site's records show the account at an address of the customer, at the same time ({pair['agree']})"
    if pair["other_times"]:
        return f"an address of the customer is the account's, but at other times ({pair['other_times']})"
    return "no address of the customer is one of the account's"


def _less(pair: Row) -> str | None:
    """What makes an agreement worth less."""
    if pair["agree"] and pair["shared"]:
        return f"other accounts at that address then: {pair['shared']}; it is shared"
    return "an address may be shared" if pair["agree"] else None


def _exculpatory(pair: Row) -> Iterator[Row]:
    """Facts that speak for somebody else."""
    rows, link = [*(pair["returns"] or [])], pair["link"]
    nowhere = f"addresses of the records that locate nobody: {{}} ({pair.get('nowhere_kinds')})"
    facts: tuple[tuple[str, int, str, list[str]], ...] = (
        ("rivals", pair["rivals"], "other customers named for the same payments: {}", pair["rival_links"]),
        ("accounts", pair["other_accounts"], "other accounts for which the same customer is named: {}", []),
        ("nowhere", pair["nowhere"], nowhere, rows),
        ("apart", pair["apart"], "seen in another country within an hour of the record: {} time(s)", rows),
        (
            "times",
            0 if pair["agree"] else pair["other_times"],
            "its addresses agree at other times only: {} record(s)",
            rows,
        ),
    )
    for name, count, words, sources in facts:
        if count:
            yield _row(pair["account"], pair["person"], AGAINST, True, None, words.replace("{}", str(count), 1),
                       [link, *sources], name)  # fmt: skip


def _row(account: str, person: str | None, step: int, holds: bool, reason: str | None, against: str | None,
         sources: list[str], name: str = "") -> Row:  # fmt: skip
    parts = ["ladder", account, person or "", str(step), *([name] if name else [])]
    return {"id": "/".join(parts), "account": account, "person": person, "step": step, "rung": RUNGS[step - 1],
            "holds": holds, "reason": reason, "against": against, "sources": list(dict.fromkeys(sources))}  # fmt: skip
