"""What a child that parses evidence gave back, held to the contract before it counts: evidence may have taken it over.

What does not add up in a stage of this process is a defect of ours and stops the run (`UnbalancedStageError`). What a
child gives is the word of its evidence: it costs the rows that the child was given, which are set aside with a reason.
"""

from collections import Counter

from casewright.engine.stage import Output, Stage, Tally
from casewright.model.tables import TABLES

MOST = 1 << 50
"""No count, place or length is larger; sums of as many as a run has stay numbers of the tables."""


class Given:
    """The outputs of one child, one after the other."""

    def __init__(self, stage: Stage, rows: int) -> None:
        """`rows`: so many the child was given. Of none it may say nothing."""
        self._stage, self._rows, self._outputs = stage, rows, 0
        self._left: Counter[str] = Counter()
        """By noun: received, and neither done nor empty nor set aside."""

    def look_at(self, output: Output) -> Output:
        """The output as it is. Raises ValueError where it is none of the stage's."""
        if wrong := output.tables.keys() ^ set(self._stage.writes):
            raise ValueError(f"it gave other tables than {self._stage.name} writes: {sorted(wrong)}"[:300])
        for name, table in output.tables.items():
            if not table.schema.equals(TABLES[name].schema):  # what is packed otherwise may become any size unpacked
                raise ValueError(f"it gave {name} with other columns than it has: {table.schema}"[:300])
        for tally in output.tallies:
            self._count(tally)
        for aside in output.set_aside:
            _within(aside.count, aside.span_start or 0, aside.span_length or 0, aside.row or 0)
            self._left[aside.noun] -= aside.count
        self._outputs += 1
        return output

    def _count(self, tally: Tally) -> None:
        _within(tally.received, tally.done, tally.nothing)
        self._left[tally.noun] += tally.received - tally.done - tally.nothing

    def wrong(self) -> str:
        """What does not add up, now that the child says that it is done; empty when all of it does."""
        if self._rows and not self._outputs:
            return "it ended without a word of what it was given"
        lost = [f"{noun} ({left:+})" for noun, left in sorted(self._left.items()) if left]
        return f"what it says it did does not add up: {', '.join(lost)}"[:300] if lost else ""


def _within(*numbers: int) -> None:
    if wrong := [number for number in numbers if not 0 <= number <= MOST]:
        raise ValueError(f"{wrong[0]} is no count and no place")
