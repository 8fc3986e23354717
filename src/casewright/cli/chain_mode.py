"""Whether a case's chain was read whole or searched, and what that means for what is said of it."""

from typing import Any

from casewright.cli.console import Voice
from casewright.engine.query import Reader
from casewright.vault.case import Case

SEARCHED = """
SELECT count(*) AS contents, count(undo) AS with_undo, (SELECT count(*) FROM searched_heads) AS blocks,
       (SELECT count(*) FROM followed) AS transactions,
       (SELECT count(*) FROM followed WHERE back LIKE '%[chain]%' OR forward LIKE '%[chain]%') AS limited
FROM searched_contents
"""
MEANS = (
    "Clusters, votes on change and balances know these transactions only: a service may have addresses that are not "
    "seen, and what spends a coin was looked for only where the market's own coins go."
)


def chain_mode(reader: Reader, case: Case) -> dict[str, Any]:
    """The mode that the tables were made in, and how much was found; empty before any chain."""
    (row,) = reader.rows(SEARCHED)
    if row["contents"]:
        return {"mode": "targeted", **row, "hops": case.settings.chain.targeted_hops}
    (read,) = reader.rows("SELECT count(*) AS contents FROM chain_contents")
    return {"mode": "full"} if read["contents"] else {}


def tell_chain_mode(voice: Voice, mode: dict[str, Any]) -> None:
    if mode.get("mode") != "targeted":
        return
    beside = f"{mode['with_undo']} of {mode['contents']} files with undo data"
    found = f"{mode['blocks']} blocks searched ({beside}), {mode['transactions']} transactions read"
    voice.say(f"The chain was read in targeted mode: {found}.", style="bold")
    voice.say(MEANS)
    if mode["limited"]:
        voice.say(f"At {mode['limited']} transactions a limit of [chain] in case.toml ended the reading.")
    voice.say("To read all: casewright trace CASE --full")
