"""Error logs of nginx and Apache: understood, and empty of what is looked for.

They name users only where a sign-in failed, which proves nobody's presence. Messages may go on for several lines.
"""

from collections.abc import Iterator
from typing import BinaryIO

from casewright.extract.log import Given, Line, Quiet
from casewright.extract.logs.lines import read_lines


def read_errors(file: BinaryIO, given: Given) -> Iterator[Line | Quiet]:
    """Counts the lines."""
    return read_lines(file, lambda raw: None)
