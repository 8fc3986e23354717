"""CRC-32C as XFS version 5 keeps it: over a whole block, as if the four bytes of the sum itself were zero.

The sum is that of RFC 3720 (`kernels/pagesums.py`), stored little-endian.
"""

import numpy as np


def which_hold(blocks: bytes, size: int, at: int) -> list[bool]:
    """Of blocks that follow each other, `size` bytes each, those whose sum at `at` holds."""
    from casewright.kernels.pagesums import crc32c  # noqa: PLC0415  slow to import: only what reads XFS waits for it

    rows = np.frombuffer(blocks, np.uint8).reshape(-1, size).copy()
    stored = rows[:, at : at + 4].copy().view("<u4")[:, 0].tolist()
    rows[:, at : at + 4] = 0
    return [int(crc32c(row)) == sum_ for row, sum_ in zip(rows, stored, strict=True)]


def holds(block: bytes, at: int) -> bool:
    """Whether the sum at `at` of this one block holds."""
    return which_hold(block, len(block), at)[0]
