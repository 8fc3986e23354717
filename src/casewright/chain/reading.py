"""The files of the chain exhibits: which hold blocks, what obfuscates them, and every block in them.

Bitcoin Core's `blk*.dat` with or without `xor.dat`, single raw blocks, and either packed by bzip2. What Core keeps
beside its blocks (undo data, index, locks) holds nothing to find here, and is counted as that.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casewright.engine.stage import Context, SetAside
from casewright.kernels.blockfiles import KEY_SIZE, Found, Plain, read_frames, read_single, unmask, unpack
from casewright.kernels.blocks import Block
from casewright.model.bitcoin import NETWORKS

EASIEST = {"mainnet": 0x1D00FFFF, "testnet": 0x1D00FFFF, "signet": 0x1E0377AE, "regtest": 0x207FFFFF}
"""The least work each network accepts, as header bits (Bitcoin Core, chainparams)."""
KEY_FILE = b"xor.dat"
BESIDE_FOLDERS = {b"index", b"chainstate", b"indexes", b"wallets", b"database"}
BESIDE_FILES = re.compile(
    rb"rev\d+\.dat(\.bz2)?|(xor|peers|mempool|fee_estimates|wallet|anchors|banlist)\.dat|.*\.(ldb|log|lock|conf|pid|json)"
    rb"|\.lock|\.cookie|lock|current|manifest-\d+|readme.*"
)
EXPORTS = (b".parquet", b".csv", b".csv.gz", b".tsv", b".tsv.gz")
PACKED = b".bz2"


@dataclass(frozen=True)
class Stored:
    """A whole block and the file it stands in; `path` goes on after `!/` into a file that was packed."""

    block: Block
    exhibit: str
    path: bytes
    start: int


@dataclass
class Reading:
    """What the files gave. Every file and every stretch of one is in exactly one of the counts or set aside."""

    blocks: list[Stored] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    files: int = 0
    files_done: int = 0
    files_nothing: int = 0
    damaged: int = 0


@dataclass(frozen=True)
class ChainFile:
    """One file of an exhibit, and its id for set-aside rows."""

    row: Mapping[str, Any]
    key: bytes

    @property
    def id(self) -> str:
        return f"{self.row['exhibit']}/{self.row['position']}"

    @property
    def path(self) -> bytes:
        return bytes(self.row["path"])

    @property
    def base(self) -> bytes:
        """Last part of its path, in small letters; an exhibit of one file has a name only."""
        return (self.path or self.row["name"].encode("utf-8", "replace")).rpartition(b"/")[2].lower()


def read_files(context: Context, network: str) -> Reading:
    """All blocks of all chain exhibits, in the order of exhibit, position and offset."""
    rows = context.sql("SELECT * FROM exhibit_files WHERE role = 'chain' ORDER BY exhibit, position").to_pylist()
    keys, reading = _keys(rows, context), Reading()
    for row in rows:
        _read_file(ChainFile(row, keys.get(_folder(row), b"")), context, network, reading)
    return reading


def _folder(row: Mapping[str, Any]) -> tuple[str, bytes]:
    return row["exhibit"], bytes(row["path"]).rpartition(b"/")[0]


def _keys(rows: list[dict[str, Any]], context: Context) -> dict[tuple[str, bytes], bytes]:
    """The XOR key that lies in each folder. One of a wrong length is no key; the files beside it then cannot be read,
    and say so themselves."""
    keys = {}
    for row in rows:
        if bytes(row["path"]).rpartition(b"/")[2] == KEY_FILE and row["size"] == KEY_SIZE:
            with context.open(row["sha256"]) as file:
                keys[_folder(row)] = file.read(KEY_SIZE)
    return keys


def _read_file(file: ChainFile, context: Context, network: str, reading: Reading) -> None:
    reading.files += 1
    if file.base.endswith(EXPORTS):
        detail = f"{file.row['name']}: exports of a chain are not read yet; give Bitcoin Core's blocks folder"
        reading.aside.append(SetAside("files", file.id, "not supported", detail))
        return
    if not file.row["size"] or BESIDE_FILES.fullmatch(file.base) or BESIDE_FOLDERS & set(file.path.split(b"/")[:-1]):
        reading.files_nothing += 1
        return
    with context.open(file.row["sha256"]) as stream:
        stored = stream.read()
    content, path, cut = unmask(stored, file.key), file.path, ""
    if file.base.endswith(PACKED) or stored[:3] == b"BZh":
        unpacked, cut = unpack(stored)
        content, path = unmask(unpacked, b""), file.path + b"!/" + file.base.removesuffix(PACKED)
    problem = cut or refusal(content, network)
    if problem:
        reading.aside.append(SetAside("files", file.id, "unreadable", f"{file.row['name']}: {problem}"))
    elif content.blank(0, len(content.clear)):
        reading.files_nothing += 1
        return
    else:
        reading.files_done += 1
    for found in stretches(content, network) if cut or not problem else ():
        _take(found, file, path, reading)


def stretches(content: Plain, network: str) -> Iterator[Found]:
    """The blocks of a file, or the one that it is, with what is damaged between them."""
    magic, easiest = NETWORKS[network].magic, EASIEST[network]
    if not content.clear.startswith(magic) and (single := read_single(content, easiest)):
        yield single
    elif magic in content.clear:
        yield from read_frames(content, magic, easiest)


def refusal(content: Plain, network: str) -> str:
    """Why a file as a whole is not read; empty when it is."""
    head, magic = content.clear[:4], NETWORKS[network].magic
    other = next((n.name for n in NETWORKS.values() if head == n.magic and n.name != network), None)
    if other:
        return f"holds blocks of {other}, but case.toml says {network}; correct the setting or leave the file out"
    if content.blank(0, len(content.clear)) or magic in content.clear or read_single(content, EASIEST[network]):
        return ""
    return f"holds no block of {network}: is it something else, or is its xor.dat missing or wrong?"


def _take(found: Found, file: ChainFile, path: bytes, reading: Reading) -> None:
    if found.block:
        reading.blocks.append(Stored(found.block, file.row["exhibit"], path, found.start))
        return
    reading.damaged += 1
    where = f"{file.row['name']}, {found.length} bytes from byte {found.start}: {found.detail}"
    span = {"span_start": found.start, "span_length": found.length}
    reading.aside.append(SetAside("blocks", file.id, found.reason, where, **span))
