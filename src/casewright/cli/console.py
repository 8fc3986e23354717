"""How a verb speaks: results to stdout (text for people, or one JSON document), progress to stderr."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from casewright.engine.query import plain
from casewright.engine.stage import Progress as StageProgress
from casewright.model.ids import printable_path

WIDE = 1000
"""Columns of a pipe or file, which have no edge: nobody finds a digest that is folded."""


class Voice:
    """One command's way of answering."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        edge = None if sys.stdout.isatty() else WIDE
        self.out = Console(file=sys.stdout, highlight=False, soft_wrap=True, width=edge)
        self.err = Console(file=sys.stderr, highlight=False)

    def answer(self, document: Mapping[str, Any]) -> None:
        """The JSON document, when that is what was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, default=plain, ensure_ascii=False, indent=2) + "\n")

    def say(self, text: str, style: str = "") -> None:
        """A line for people; nothing in it is taken as markup."""
        if not self.as_json:
            self.out.print(Text(safe(text), style=style))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
        if self.as_json:
            return
        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for i, column in enumerate(columns):
            numbers = bool(rows) and all(isinstance(r[i], int) for r in rows)
            table.add_column(column, justify="right" if numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(safe(show(cell))) for cell in row))
        self.out.print(table)

    @contextmanager
    def progress(self) -> Iterator[Any]:
        """A watcher for the engine; draws bars when stderr is a terminal and says one line a stage otherwise."""
        if not self.err.is_terminal:
            yield self._lines()
            return
        columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.err, transient=True) as bars:
            tasks: dict[str, Any] = {}

            def watch(event: StageProgress) -> None:
                if event.stage not in tasks:
                    tasks[event.stage] = bars.add_task(event.stage, total=event.total)
                text = f"{event.stage} {event.note}".strip()
                bars.update(tasks[event.stage], completed=event.done, total=event.total, description=text)

            yield watch

    def _lines(self) -> Any:
        def watch(event: StageProgress) -> None:
            if event.done == event.total and not event.note:
                self.err.print(Text(f"{event.stage}: {event.done}/{event.total}"))

        return watch


def show(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") + "Z"
    if isinstance(value, bytes):
        return printable_path(value)
    if isinstance(value, list):
        return ", ".join(map(show, value))
    return str(value)


def safe(text: str) -> str:
    """Text that cannot steer a terminal: control and direction-changing characters are written as escapes."""
    return "\n".join(printable_path(line.encode("utf-8", "surrogateescape")) for line in text.split("\n"))
