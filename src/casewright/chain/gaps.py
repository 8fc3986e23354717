"""What is missing from the chain files, in the words that a trace says where it meets the hole."""

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from casewright.chain.columns import numbers
from casewright.engine.stage import Context

SHOWN = 3


@dataclass(frozen=True)
class Gaps:
    """Blocks that were set aside, and the heights between which the files have none."""

    aside: int = 0
    words: str = ""

    def __str__(self) -> str:
        if not self.aside:
            return ""
        blocks = "1 block was" if self.aside == 1 else f"{self.aside} blocks were"
        return f"; {blocks} set aside{self.words}"


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
    return Gaps(count, " " + " and ".join(between) if between else "")
