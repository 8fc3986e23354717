"""The operation's chain as a node has it: `blocks/blk*.dat`, written as the story is told; and what is true of it."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from struct import pack
from typing import Any, BinaryIO

from casewright.demo.chain import GENESIS_BLOCK, MAGIC, ChainTruth
from casewright.demo.economy import Paid
from casewright.demo.operation import Operation
from casewright.demo.wtv.money import tell
from casewright.demo.wtv.size import Size

A_FILE = 128 << 20
"""Bytes of a block file, as nodes have them (MAX_BLOCKFILE_SIZE)."""


class BlockFiles:
    """Block files in a folder, one after the other."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._number, self._file = folder, 0, self._opened(folder, 0)
        self._used = 0

    @staticmethod
    def _opened(folder: Path, number: int) -> BinaryIO:
        return (folder / f"blk{number:05d}.dat").open("wb")

    def add(self, block: bytes) -> None:
        if self._used and self._used + len(block) + 8 > A_FILE:
            self.close()
            self._number, self._used = self._number + 1, 0
            self._file = self._opened(self._folder, self._number)
        self._file.write(MAGIC + pack("<I", len(block)) + block)
        self._used += len(block) + 8

    def close(self) -> None:
        self._file.close()


def write_chain(operation: Operation, size: Size, folder: Path, truth: Path, tick: Callable[[int], None]) -> None:
    """`folder/blocks/blk*.dat`, and in `truth` what `read_truth` reads."""
    files = BlockFiles(folder / "blocks")
    files.add(GENESIS_BLOCK)
    world = tell(operation, size.transactions, files.add, tick)
    files.close()
    numbers = {id(payment): n for n, payment in enumerate(operation.payments)}
    paid = [{**asdict(p), "payment": numbers[id(p.payment)], "time": p.time.isoformat()} for p in world.paid]
    told: dict[str, Any] = {"paid": paid, "owners": world.owners, "height": world.height,
                            "ends": world.ends.isoformat(), "transactions": world.transactions + 1}  # fmt: skip
    truth.write_text(json.dumps(told), "utf-8")


def read_truth(operation: Operation, path: Path) -> tuple[ChainTruth, int]:
    """What is true of the chain, and how many transactions it has."""
    told = json.loads(path.read_text("utf-8"))
    paid = tuple(
        Paid(**{**p, "payment": operation.payments[p["payment"]], "time": datetime.fromisoformat(p["time"])})
        for p in told["paid"]
    )
    return ChainTruth(paid, told["owners"], told["height"], datetime.fromisoformat(told["ends"])), told["transactions"]
