"""Chain files to blocks, transactions, inputs and outputs; the main chain is the one with most work.

Files are told by their content: Bitcoin Core's block files, raw single blocks, either in bzip2. Undo files, indexes and
locks hold nothing to find here.
"""

import bz2
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casewright.engine.stage import Context, SetAside
from casewright.kernels.blocks import Block, Broken, DamagedBlock, frames, parse_block, unxor, work_of
from casewright.model.bitcoin import NETWORKS

GENESIS = {
    "mainnet": "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    "testnet": "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    "signet": "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    "regtest": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
}
MAX_UNPACKED = 1 << 30


def hex_id(raw: bytes) -> str:
    """A hash as people write it: bytes reversed."""
    return raw[::-1].hex()


@dataclass(frozen=True)
class Found:
    """A whole block and where it stands."""

    block: Block
    exhibit: str
    path: bytes
    start: int
    size: int

    @property
    def hash(self) -> str:
        return hex_id(self.block.hash)

    @property
    def prev(self) -> str:
        return hex_id(self.block.prev)


@dataclass
class Reading:
    """What the chain files gave so far. `blocks` holds each block once, in the order of reading."""

    network: str
    blocks: dict[str, Found] = field(default_factory=dict)
    aside: list[SetAside] = field(default_factory=list)
    files: int = 0
    block_files: int = 0
    repeated: int = 0

    def add_file(self, row: Mapping[str, Any], raw: bytes) -> None:
        """Take in one file, already without obfuscation."""
        self.files += 1
        magic = NETWORKS[self.network].magic
        other = next((n.name for n in NETWORKS.values() if raw[:4] == n.magic and n.name != self.network), None)
        if other:
            detail = f"{row['name']} holds blocks of {other}, but case.toml says {self.network}"
            self.aside.append(SetAside("files", row["exhibit"], "other network", detail))
        elif raw[:4] == magic:
            self.block_files += 1
            for frame in frames(raw, magic):
                self._add_frame(row, frame)
        else:
            self._add_single(row, raw)

    def _add_frame(self, row: Mapping[str, Any], frame: Any) -> None:
        if isinstance(frame, Broken):
            self._damaged(row, frame.start, frame.size, frame.reason, frame.detail)
            return
        try:
            block = parse_block(frame.raw)
        except DamagedBlock as error:
            self._damaged(row, frame.start, len(frame.raw), "damaged", str(error))
            return
        self._add_block(Found(block, row["exhibit"], row["path"], frame.start, len(frame.raw)))

    def _add_single(self, row: Mapping[str, Any], raw: bytes) -> None:
        """A file that may be one raw block; most files that are not are none of ours."""
        try:
            block = parse_block(raw)
        except DamagedBlock as error:
            if row["name"].lower().endswith((".blk", ".blk.bz2")):
                self.block_files += 1
                self._damaged(row, 0, len(raw), "damaged", str(error))
            return
        self.block_files += 1
        self._add_block(Found(block, row["exhibit"], row["path"], 0, len(raw)))

    def _add_block(self, found: Found) -> None:
        if found.hash in self.blocks:
            self.repeated += 1
        else:
            self.blocks[found.hash] = found

    def _damaged(self, row: Mapping[str, Any], start: int, size: int, reason: str, detail: str) -> None:
        self.aside.append(
            SetAside("blocks", row["exhibit"], reason, f"{row['name']}: {detail}", span_start=start, span_length=size)
        )


def chain_files(rows: list[dict[str, Any]], context: Context) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    """Each chain file with its plain bytes, or None for those that hold no blocks (undo data, index, xor.dat, locks)."""
    keys = {}
    for row in rows:
        if row["name"] == "xor.dat" and row["size"] == 8:
            with context.open(row["sha256"]) as file:
                keys[row["exhibit"], _folder(row["path"])] = file.read()
    for row in rows:
        if not _may_hold_blocks(row["name"].lower()):
            yield row, None
            continue
        with context.open(row["sha256"]) as file:
            raw = file.read()
        raw = unxor(raw, keys.get((row["exhibit"], _folder(row["path"])), b""))
        yield row, bz2.BZ2Decompressor().decompress(raw, MAX_UNPACKED) if raw[:3] == b"BZh" else raw


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _may_hold_blocks(name: str) -> bool:
    return name.endswith((".dat", ".blk", ".bz2")) and not name.startswith(("rev", "xor.", "peers", "mempool", "fee_"))


def heights(blocks: Mapping[str, Found], network: str) -> dict[str, tuple[int | None, str]]:
    """Height and state of each block: `main` on the branch with most work from the genesis block, `stale` beside it,
    `unconnected` (no height) where ancestors are missing. Of branches with equal work the one read first is main."""
    known: dict[str, tuple[int, int]] = {}
    waiting: dict[str, list[str]] = {}
    for name, found in blocks.items():
        waiting.setdefault(found.prev, []).append(name)
    ready = [(name, 0, 0) for name in blocks if name == GENESIS[network]]
    ready = ready or [(name, 1, 0) for name in waiting.get(GENESIS[network], [])]
    while ready:
        name, height, before = ready.pop()
        work = before + work_of(blocks[name].block.bits)
        known[name] = (height, work)
        ready.extend((child, height + 1, work) for child in waiting.get(name, []))
    order = {name: i for i, name in enumerate(blocks)}
    tip = max(known, key=lambda n: (known[n][1], -order[n]), default=None)
    main = set()
    while tip in known:
        main.add(tip)
        tip = blocks[tip].prev
    return {
        name: (known[name][0], "main" if name in main else "stale") if name in known else (None, "unconnected")
        for name in blocks
    }
