"""Large tables as Arrow in a file without a name that is mapped: the system may take that memory back, and does before
it runs short, while a query scans it as it would scan memory. The file is gone when nothing looks at it any more.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa


def laid_out(parts: Iterable[pa.Table], schema: pa.Schema, folder: Path) -> pa.Table:
    """The parts as one table, mapped from a file in the folder. A part is held only while it is written."""
    with tempfile.TemporaryFile(dir=folder, prefix=".laid-out-") as file:
        with pa.ipc.new_file(file, schema) as writer:
            for part in parts:
                writer.write_table(part)
        file.flush()
        with pa.memory_map(f"/proc/self/fd/{file.fileno()}") as mapped:
            return pa.ipc.open_file(mapped).read_all()
