"""Whether the journal of an XFS holds changes that its blocks do not have yet, as after a crash or a pulled plug.

Source: "XFS Algorithms & Data Structures", third edition, chapter on the journaling log. The journal is a ring of
512-byte sectors; each begins with the number of its round, a record's first sector with a magic and then that number.
A clean unmount leaves as last record one that says so. Nothing is replayed here.
"""

from casewright.evidence.readers.xfs_volume import Volume

SECTOR = 512
_MAGIC = b"\xfe\xed\xba\xbe"
_LONGEST = 1024  # sectors of one record, with its heads
_HEAD_HOLDS = 32 << 10
_UNMOUNT = 0x20


def pending(volume: Volume) -> bool:
    """Whether the last record is anything but an unmount; no for a journal on another device. Raises Unreadable."""
    shape = volume.geometry
    if not shape.journal_start:
        return False
    start = volume.place(shape.journal_start, shape.journal_blocks)
    sectors = shape.journal_blocks * volume.block_size // SECTOR
    head = _head(volume, start, sectors)
    back = min(head, _LONGEST)
    last = _last_record(volume.read(start + (head - back) * SECTOR, back * SECTOR))
    if last is None and head < _LONGEST:  # the last record began before the ring's end
        back = min(_LONGEST, sectors)
        last = _last_record(volume.read(start + (sectors - back) * SECTOR, back * SECTOR))
    return last is None or not last[9] & _UNMOUNT


def _round(volume: Volume, start: int, sector: int) -> int:
    raw = volume.read(start + sector * SECTOR, 8)
    return int.from_bytes(raw[4:] if raw[:4] == _MAGIC else raw[:4], "big")


def _head(volume: Volume, start: int, sectors: int) -> int:
    """The sector at which the next record would be written: the first that is not of the first sector's round."""
    first, low, high = _round(volume, start, 0), 0, sectors
    while high - low > 1:
        middle = (low + high) // 2
        if _round(volume, start, middle) == first:
            low = middle
        else:
            high = middle
    return high


def _last_record(raw: bytes) -> bytes | None:
    """The first operation of the last record in these sectors; None when none begins there."""
    for at in range(len(raw) - SECTOR, -1, -SECTOR):
        if raw[at : at + 4] == _MAGIC:
            version, size = (int.from_bytes(raw[at + place : at + place + 4], "big") for place in (8, 320))
            heads = max(1, -(-size // _HEAD_HOLDS)) if version & 2 else 1
            operation = raw[at + heads * SECTOR : at + heads * SECTOR + 12]
            return operation if len(operation) == 12 else bytes(12)
    return None
