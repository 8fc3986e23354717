"""Arguments and options that several verbs share, so that they read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

CasePath = Annotated[Path, typer.Argument(metavar="CASE", help="Folder of the case.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
On = Annotated[str, typer.Option("--on", metavar="ENGINE", help="inline, processes, processes:N, or ray.")]
ON_DEFAULT = "processes"
