"""What a child and its parent say to each other: JSON and Arrow, never pickles, since the child parses evidence."""

import io
import json
from dataclasses import asdict

import pyarrow as pa

from casewright.engine.stage import Output, SetAside, Tally


def encode_output(output: Output) -> bytes:
    head = json.dumps({
        "set_aside": [asdict(s) for s in output.set_aside],
        "tallies": [asdict(t) for t in output.tallies],
        "tables": list(output.tables),
    }).encode("utf-8", "surrogatepass")  # fmt: skip
    sink = io.BytesIO()
    sink.write(len(head).to_bytes(8, "big") + head)
    for table in output.tables.values():
        raw = _ipc_bytes(table)
        sink.write(len(raw).to_bytes(8, "big") + raw)
    return sink.getvalue()


def decode_output(raw: bytes) -> Output:
    """Inverse of `encode_output`; trusts nothing but JSON and Arrow. Raises ValueError on anything else."""
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
    return Output(
        tables,
        [SetAside(**s) for s in head["set_aside"]],
        [Tally(**t) for t in head["tallies"]],
    )


def _ipc_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
