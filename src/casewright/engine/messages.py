"""What a child and its parent say to each other: JSON and Arrow, never pickles, since the child parses evidence."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

import pyarrow as pa

from casewright.engine.stage import Output, SetAside, Tally

Told = TypeVar("Told", SetAside, Tally)
WHAT_BYTES_MAY_DO = (
    pa.ArrowException, OSError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError,
)  # fmt: skip
"""Errors of JSON and Arrow about bytes that are none; Arrow calls some of them errors of the disk."""


def encode_output(output: Output, kind: bytes) -> bytes:
    """The message, behind the mark of its kind."""
    head = json.dumps({
        "set_aside": [asdict(s) for s in output.set_aside],
        "tallies": [asdict(t) for t in output.tallies],
        "tables": list(output.tables),
    }).encode("utf-8", "surrogatepass")  # fmt: skip
    blocks = [head, *map(_ipc_bytes, output.tables.values())]
    return b"".join([kind, *(part for block in blocks for part in (len(block).to_bytes(8, "big"), block))])


def decode_output(raw: bytes) -> Output:
    """Inverse of `encode_output`; trusts nothing but JSON and Arrow. Raises ValueError on anything else."""
    try:
        return _decoded(raw)
    except WHAT_BYTES_MAY_DO as error:
        raise ValueError(f"{type(error).__name__}: {error}"[:300]) from error


def _decoded(raw: bytes) -> Output:
    view, at = memoryview(raw), 0

    def block() -> memoryview:
        nonlocal at
        size = int.from_bytes(view[at : at + 8], "big")
        at += 8 + size
        return view[at - size : at]

    head = json.loads(bytes(block()))
    tables = {str(name): pa.ipc.open_stream(bytes(block())).read_all() for name in head["tables"]}
    for table in tables.values():
        table.validate(full=True)
    return Output(tables, [_one(SetAside, s) for s in head["set_aside"]], [_one(Tally, t) for t in head["tallies"]])


def _one(kind: type[Told], given: Mapping[str, Any]) -> Told:
    """Raises TypeError where a number is no number, or a text none: sums are made of them later, and tables. Half a
    character, of which no table can be made, is written out."""
    whole: dict[str, Any] = {name: _whole(v) if isinstance(v, str) else v for name, v in given.items()}
    made = kind(**whole)
    for field in fields(made):
        wanted: Any = field.type
        if not isinstance(value := getattr(made, field.name), wanted) or isinstance(value, bool):
            raise TypeError(f"{kind.__name__}.{field.name} is {value!r}")
    return made


def _whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _ipc_bytes(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
