"""What is missing from the chain files, or was not read in targeted mode, in the words that a trace says where it meets
the hole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc

from casewright.chain.columns import numbers
from casewright.engine.stage import Context

SHOWN = 3


@dataclass(frozen=True)
class Gaps:
    """Blocks that were set aside, and the heights between which the files have none. `followed`: in targeted mode, by
    transaction, what was read before and behind it."""

    aside: int = 0
    words: str = ""
    followed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.aside:
            return ""
        blocks = "1 block was" if self.aside == 1 else f"{self.aside} blocks were"
        return f"; {blocks} set aside{self.words}"

    def before(self, txid: str, unknown: int) -> str:
        """Why a trace does not go on to what so many inputs of a transaction spend."""
        if why := self.followed.get(txid, {}).get("back"):
            return f"{unknown} of its inputs spend outputs that were not read in targeted mode: {why}"
        return f"{unknown} of its inputs spend outputs that are not in the chain files{self}"

    def behind(self, txid: str, vout: int) -> tuple[str, str]:
        """Why a trace does not go on from an output that nothing known spends, and the word for it."""
        told = self.followed.get(txid)
        if told and vout not in told["vouts"]:
            return f"what spends it was not looked for in targeted mode: {told['forward']}", "missing"
        return f"not spent yet{self}", "unspent"


def load_gaps(context: Context) -> Gaps:
    """From what the stage `blocks` set aside, and the heights that it found."""
    aside, blocks = context.table("set_aside"), context.table("blocks")
    ours = pc.and_(pc.equal(aside["stage"], "blocks"), pc.equal(aside["noun"], "blocks"))
    count = pc.sum(aside["count"].filter(ours)).as_py() or 0
    heights = np.sort(numbers(blocks["height"].filter(pc.equal(blocks["state"], "main"))))
    loose = pc.sum(pc.equal(blocks["state"], "unconnected")).as_py() or 0
    holes = np.flatnonzero(np.diff(heights) > 1)[:SHOWN]
    between = [f"between heights {heights[n]} and {heights[n + 1]}" for n in holes]
    if loose:
        after = f"after height {heights[-1]}" if len(heights) else "and no block is joined to the first one"
        between.append(f"{after}; {loose} later blocks are not joined to the chain")
    followed = {row["txid"]: row for row in context.table("followed").to_pylist()}
    return Gaps(count, " " + " and ".join(between) if between else "", followed)
