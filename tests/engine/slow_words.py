"""A stage whose units take a moment each, so that a node can die in the middle of it."""

import time
from dataclasses import replace

import pyarrow as pa

from casewright.engine.stage import Context, Output
from tests.engine.toys import WORDS, split_words


def ponder_words(batch: pa.Table, context: Context) -> Output:
    until = time.process_time() + 0.25
    while time.process_time() < until:
        pass
    return split_words(batch, context)


PONDERED = replace(WORDS, work=ponder_words, batch=1)
