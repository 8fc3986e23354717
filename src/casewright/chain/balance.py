"""What became of every chain file, block and transaction: set aside with its reason, or in the tallies."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.chain.files import NOT_SUPPORTED, NOTHING, PACKED, base_of
from casewright.engine.stage import Context, SetAside, Tally

INSIDE = b"!/"
BROKE = "what the reader of this block sent does not fit together"
NO_EXPORTS = "exports of this form are not read; give Parquet, CSV, TSV, JSON lines or Bitcoin Core's blocks"
DIED = "its reading was broken off; see what was set aside for its content"


class Files:
    """The chain files, and what was found in the content of each. A content may stand in several files."""

    def __init__(self, context: Context) -> None:
        self._files: list[dict[str, Any]] = context.table("chain_files").to_pylist()
        self._read = {row["content"]: row for row in context.table("read_files").to_pylist()}
        self._damage: dict[str, list[dict[str, Any]]] = {}
        for row in context.table("read_damage").to_pylist():
            self._damage.setdefault(row["content"], []).append(row)
        self._first: dict[str, int] = {}
        for number, file in enumerate(self._files):
            if self._tells(file):
                self._first.setdefault(file["content"], number)

    def in_order(self, contents: pa.ChunkedArray, sound: NDArray[np.bool_]) -> list[int]:
        """Rows of `read_blocks` that are sound, in the order of exhibit, position and place in the file."""
        first = np.array([self._first[content] for content in contents.to_pylist()], np.int64)
        order = np.argsort(first, kind="stable")
        return [int(row) for row in order[sound[order]]]

    def places(self, contents: Iterable[str]) -> tuple[list[str], list[bytes]]:
        """Exhibit and path of each content, where it stands first; the path goes on into a file that was packed."""
        known = {c: self._place(self._files[number]) for c, number in self._first.items() if c}
        pairs = [known[content] for content in contents]
        return [exhibit for exhibit, _ in pairs], [path for _, path in pairs]

    def _place(self, file: dict[str, Any]) -> tuple[str, bytes]:
        packed = self._read.get(file["content"], {}).get("packed")
        inner = INSIDE + base_of(file).removesuffix(PACKED) if packed else b""
        return file["exhibit"], bytes(file["path"]) + inner

    def balance(
        self, read: pa.Table, sound: NDArray[np.bool_], once: int, stale: int, written: int
    ) -> tuple[list[SetAside], list[Tally]]:
        """What is set aside, and the tallies. `once`: different blocks; `stale`: of them; `written`: transactions."""
        contents, transactions = read["content"].to_pylist(), read["transactions"].to_pylist()
        blocks, met = Counter[str](), Counter[str]()
        for content, count, is_block in zip(contents, transactions, sound.tolist(), strict=True):
            blocks[content] += is_block
            met[content] += count if is_block else 0
        self._add_unsound(read, sound)
        aside = [row for file in self._files for row in self._aside_of(file)]
        states = Counter(self._state(file) for file in self._files)
        told = [file for file in self._files if self._tells(file)]
        whole = sum(blocks[file["content"]] for file in told)
        damaged = sum(row.noun == "blocks" for row in aside)
        all_met = sum(met[file["content"]] for file in told)
        return aside, [
            Tally("files", len(self._files), states["blocks"], states[NOTHING]),
            Tally("blocks", whole + damaged, once - stale, whole - once + stale),
            Tally("transactions", all_met, written, all_met - written),
        ]

    def _add_unsound(self, read: pa.Table, sound: NDArray[np.bool_]) -> None:
        wrong = read.select(["content", "span_start", "span_length", "height"]).filter(pa.array(~sound))
        for row in wrong.to_pylist():
            told = {**row, "row": row.pop("height"), "reason": "broke the rules", "detail": BROKE}
            self._damage.setdefault(row["content"], []).append(told)

    def _tells(self, file: dict[str, Any]) -> bool:
        """Whether what was found in a content is told of this file: of an export, that of its transactions."""
        return self._read.get(file["content"], {}).get("sha256") in (None, file["sha256"])

    def _state(self, file: dict[str, Any]) -> str:
        """blocks, nothing, or something else that was set aside."""
        if file["content"] is None:
            return str(file["state"])
        return str(self._read.get(file["content"], {}).get("state", "died"))

    def _aside_of(self, file: dict[str, Any]) -> list[SetAside]:
        own, state, content = f"{file['exhibit']}/{file['position']}", self._state(file), file["content"]
        found = []
        if state not in ("blocks", NOTHING):
            detail = {NOT_SUPPORTED: NO_EXPORTS, "died": DIED}.get(state) or self._read[content]["detail"]
            found.append(SetAside("files", own, state, f"{file['name']}: {detail}"))
        for row in self._damage.get(content, ()) if self._tells(file) else ():
            bytes_or_row = f"{row['span_length']} bytes from byte {row['span_start']}"
            at = f"row {row['row']}" if row["span_start"] is None else bytes_or_row
            where = f"{file['name']}, {at}: {row['detail']}"
            span = {name: row[name] for name in ("span_start", "span_length", "row")}
            found.append(SetAside("blocks", own, row["reason"], where, **span))
        return found
