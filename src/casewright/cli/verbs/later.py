"""Verbs of the contract whose rooms are not built yet: they say so and leave with exit code 4."""

from typing import Annotated

import typer

from casewright.cli.verbs.options import AsJson
from casewright.model.errors import Missing


def review(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Folder of the case.")],
    port: Annotated[int, typer.Option(metavar="N", help="Port on this machine.")] = 8710,
    as_json: AsJson = False,
) -> None:
    """Decide in a browser. Not built yet."""
    raise Missing("review is not built yet. Until then: casewright status, query, why and link --judge.")
