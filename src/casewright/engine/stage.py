"""What a stage is: a plain function from a batch of rows to rows, and the declaration the engine runs it by.

A stage opens no files, reads no clock, draws no random numbers and logs nothing. Evidence bytes come through
`Context.open`, tables through `Context.table` and `Context.sql`, settings through `Context.params`. What it can't
process it returns as `SetAside` rows, and it counts what it was given in `Tally`s; the engine checks that
received = done + nothing to find + set aside, for every noun, and refuses the stage's output otherwise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

from casewright.engine.parts import HeldPart, TablePart
from casewright.engine.room import Memory, Room
from casewright.engine.steps import Blobs, Digests, FreshSteps, Steps
from casewright.model.settings import Settings
from casewright.model.tables import TABLES


@dataclass(frozen=True)
class SetAside:
    """Something that could not be processed. `reason` is a short code in plain words, `detail` says what was met."""

    noun: str
    subject: str
    reason: str
    detail: str
    count: int = 1
    span_start: int | None = None
    span_length: int | None = None
    row: int | None = None


@dataclass(frozen=True)
class Tally:
    """How much of one noun (items, rows, lines, blocks, ...) was received, done, and held nothing to find.

    What was set aside is not stated here: the engine counts the `SetAside` rows with the same noun.
    """

    noun: str
    received: int
    done: int
    nothing: int = 0


@dataclass(frozen=True)
class Output:
    """What a stage returns for one batch: rows for each table it writes, what it set aside, and its tallies."""

    tables: Mapping[str, pa.Table]
    set_aside: list[SetAside] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """A part of the output of a stage that works in pieces; it may hold some of the stage's tables only.

    `key` names all that decides it, but for the stage, its version and its settings: `make` is not called where an
    earlier run kept what the key names. `of`: how many pieces there will be.
    """

    key: str
    make: Callable[[], Output]
    of: int = 0


@dataclass
class Context:
    """All that a stage may look at besides its batch."""

    params: Mapping[str, Any]
    tables: Mapping[str, pa.Table]
    blobs: Blobs
    given_steps: Steps | None = None
    lazy: Mapping[str, Sequence[TablePart]] = field(default_factory=dict)
    room: Room = field(default_factory=Memory)
    """For stages that work in pieces or ask for lazy tables: arrays that are mapped from the disk."""

    @cached_property
    def steps(self) -> Steps:
        """For streaming stages: the steps in which they work."""
        return self.given_steps or FreshSteps(self.blobs)

    def open(self, sha256: str) -> BinaryIO:
        """A seekable stream of the sealed bytes with this SHA-256."""
        return self.blobs.open(sha256)

    def put(self, chunks: Iterable[bytes]) -> Digests:
        """Keep the bytes in the store; returns their digests."""
        return self.blobs.put(chunks)

    def table(self, name: str) -> pa.Table:
        """A table that the stage declared in `reads`, whole."""
        return pa.concat_tables([part.read() for part in self.lazy[name]]) if name in self.lazy else self.tables[name]

    def parts(self, name: str) -> Sequence[TablePart]:
        """A table in the parts in which it was written, which are read when they are asked for."""
        return self.lazy[name] if name in self.lazy else [HeldPart(self.tables[name])]

    def sql(self, query: str, bind: Mapping[str, Any] | None = None, **more: pa.Table) -> pa.Table:
        """Result of a query over the tables in `reads` (and `more`), as Arrow. One thread, no file access.

        Values are bound (`$name`), never spliced. A query whose order matters must say ORDER BY over a total order.
        """
        config = {"threads": 1, "enable_external_access": "false", "temp_directory": ""}  # nothing is left on a disk
        connection = duckdb.connect(":memory:", config=config)
        try:
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            for name, table in {**self.tables, **more}.items():
                if name in query:  # to register a table takes longer than to search a small one
                    connection.register(name, table)
            return connection.sql(query, params=bind or {}).to_arrow_table()
        finally:
            connection.close()


Work = Callable[[pa.Table, Context], Any]
"""Gives one Output a batch, or an iterator of as many as it likes, cut where its rows or its evidence decide; a stage
that works in pieces gives an iterator of these."""


@dataclass(frozen=True)
class Late:
    """Work that is imported when it is first done, because its module is slow to: a verb that needs none of it must not
    wait."""

    module: str
    name: str

    def __call__(self, batch: pa.Table, context: Context) -> Any:
        return getattr(import_module(self.module), self.name)(batch, context)


@dataclass(frozen=True)
class Stage:
    """A stage of the work.

    - `over`: name of the table in `reads` whose rows are the work; None: the stage runs once, on an empty batch.
    - `where`, `order`: SQL over that table: which rows, which may depend on other tables in `reads`, and the total
      order in which they are taken.
    - `batch`: rows of `over` in one unit of work. A unit is what is lost when the process is killed.
    - `reads`: tables it may look at. `ledger/KIND` makes the ledger's events of that kind a table of one JSON column,
      `event`, in the order of the ledger.
    - `hostile`: it parses evidence: each unit runs in a sandboxed child; a child that dies is retried row by row, and
      the row that kills it is set aside.
    - `sees_all`: it may look at the whole of `over` through `Context.table` too, not only at its batch.
    - `keeps_bytes`: it calls `Context.put` or `Steps.keep`.
    - `streams`: it is hostile, takes one row at a time, may take hours over it, and yields Outputs as it goes. It works
      in steps (`Context.steps`); a run that was killed goes on at the step where it was, and a step
      that kills its child is passed over. Time limits then hold for each step. A finished row is kept, and is not
      worked on again when other rows come to it.
    - `beside`: for a table in `reads`, SQL that picks the rows a batch may look at; `$key` is the batch's `key`.
    - `lazy`: tables in `reads` that may be larger than memory: they are not loaded, and the work asks for their parts
      (`Context.parts`).
    - `shared`: for a stage with lazy tables, the name of the place where its arrays are kept. Stages that give the same
      name share what they keep: a key must name all that decides it, and the engine adds nothing but the name.
    - `pieces`: it runs once, in this process, and yields Pieces in an order that what it reads decides; each is kept by
      itself, so a kill costs one, and a later run makes only those whose key changed. Arrays that it needs on the way
      are mapped from the disk (`Context.room`), and kept likewise or thrown away.
    - `columns`: for a wide table in `reads`, the columns that it looks at; the others are not loaded.
    - `imports`: modules that its work imports late because they are slow to; a child must have them before it begins.
    - `params`: the settings that change its result, from the case's settings.
    - `noun`: what a row of `over` is called in set-aside rows, and `key` its id column.
    """

    name: str
    version: int
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    work: Work
    over: str | None = None
    where: str = "true"
    order: str = "1"
    batch: int = 256
    hostile: bool = False
    keeps_bytes: bool = False
    streams: bool = False
    lazy: tuple[str, ...] = ()
    shared: str = ""
    pieces: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sees_all: bool = False
    imports: tuple[str, ...] = ()
    params: Callable[[Settings], Mapping[str, Any]] = lambda settings: {}
    noun: str = "items"
    key: str = "item"


@dataclass(frozen=True)
class Progress:
    """How far a stage is: `done` of `total` units; sent to whoever is watching."""

    stage: str
    done: int
    total: int
    note: str = ""


def sql_stage_text(package_file: str, name: str) -> str:
    """Text of `sql/NAME.sql` beside the module whose `__file__` is given."""
    return (Path(package_file).parent / "sql" / f"{name}.sql").read_text("utf-8")


def shaped(name: str, rows: pa.Table) -> pa.Table:
    """The rows cast to the contract's columns of table `name`, in the contract's order."""
    return rows.select(TABLES[name].schema.names).cast(TABLES[name].schema)
