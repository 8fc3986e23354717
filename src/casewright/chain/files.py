"""The files of the chain exhibits: which may hold blocks, and what obfuscates them.

Bitcoin Core's `blk*.dat` with or without `xor.dat`, single raw blocks, and either packed by bzip2. What Core keeps
beside its blocks (index, locks) holds nothing to find here, and is counted as that; so is undo data, which in targeted
mode goes with the blocks of its number. The Parquet and CSV files of one folder are one export: rows of a transaction
may stand in several of them.
"""

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally
from casewright.kernels.blockfiles import KEY_SIZE
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

KEY_FILE = b"xor.dat"
BESIDE_FOLDERS = {b"index", b"chainstate", b"indexes", b"wallets", b"database"}
BLOCKS = re.compile(rb"blk(\d+\.dat)(?:\.bz2)?")
BESIDE_FILES = re.compile(
    rb"rev\d+\.dat(\.bz2)?|(xor|peers|mempool|fee_estimates|wallet|anchors|banlist)\.dat|.*\.(ldb|log|lock|conf|pid|json)"
    rb"|\.lock|\.cookie|lock|current|manifest-\d+|readme.*"
)
EXPORTS = re.compile(rb".*\.(parquet|(csv|tsv|jsonl)(\.gz)?)|(blocks|transactions|inputs|outputs).*\.json(\.gz)?")
OTHER_EXPORTS = (b".avro", b".orc")
PACKED, ESPLORA = b".bz2", b".esplora"
TO_READ, NOTHING, NOT_SUPPORTED = "to read", "nothing", "not supported"


def chain_files(batch: pa.Table, context: Context) -> Output:
    """`chain_files`, `chain_contents` and, in targeted mode, `searched_contents`: names and sizes decide here, and
    nothing is parsed. Exports and a server's answers are always read whole."""
    rows = context.sql("SELECT * FROM exhibit_files WHERE role = 'chain' ORDER BY exhibit, position").to_pylist()
    keys, exports = _keys(rows, context), _exports(rows)
    files, contents, undo = [], {}, _undo(rows)
    searched: dict[str, dict[str, Any]] = {}
    for row in rows:
        state, content = state_of(row), None
        if state == TO_READ:
            told = exports.get(_folder(row)) if _is_export(row) else _single(row, keys.get(_folder(row), b""))
            assert told
            content = make_id("content", *told["sha256s"], *told["names"], told["key"].hex())
            if context.params["targeted"] and not _is_export(row) and ESPLORA.decode() not in told["names"]:
                own = {"content": content, "sha256": row["sha256"], "name": row["name"], "key": told["key"]}
                beside = undo.get((*_folder(row), _number(row)))
                first = searched.setdefault(content, {**own, "undo": beside, "number": len(searched)})
                first["undo"] = first["undo"] or beside
            else:
                contents[content] = {"content": content, **told}
        place = {name: row[name] for name in ("exhibit", "position", "path", "name", "sha256")}
        files.append({**place, "content": content, "state": state})
    tables = {
        "chain_files": TABLES["chain_files"].rows(files),
        "chain_contents": TABLES["chain_contents"].rows([contents[name] for name in sorted(contents)]),
        "searched_contents": TABLES["searched_contents"].rows(list(searched.values())),
    }
    return Output(tables, [], [Tally("chain files", len(files), len(files))])


def _single(row: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    names = [ending.decode() for ending in (PACKED, ESPLORA) if base_of(row).endswith(ending)]
    return {"sha256s": [row["sha256"]], "names": names, "key": key}


def _number(row: Mapping[str, Any]) -> bytes:
    """What the name of a file of blocks shares with that of its undo data; empty for other files."""
    found = BLOCKS.fullmatch(base_of(row))
    return found[1] if found else b""


def _undo(rows: list[dict[str, Any]]) -> dict[tuple[str, bytes, bytes], str]:
    """SHA-256 of undo data, by its folder and number."""
    names = ((row, base_of(row).removesuffix(PACKED)) for row in rows if row["size"])
    return {(*_folder(row), base[3:]): row["sha256"] for row, base in names if re.fullmatch(rb"rev\d+\.dat", base)}


def _exports(rows: list[dict[str, Any]]) -> dict[tuple[str, bytes], dict[str, Any]]:
    """The export in each folder."""
    found: dict[tuple[str, bytes], dict[str, Any]] = {}
    for row in rows:
        if _is_export(row) and state_of(row) == TO_READ:
            told = found.setdefault(_folder(row), {"sha256s": [], "names": [], "key": b""})
            told["sha256s"].append(row["sha256"])
            told["names"].append(base_of(row).decode("utf-8", "replace"))
    return found


def _is_export(row: Mapping[str, Any]) -> bool:
    return bool(EXPORTS.fullmatch(base_of(row)))


def state_of(row: Mapping[str, Any]) -> str:
    base, folders = base_of(row), bytes(row["path"]).split(b"/")[:-1]
    if base.endswith(OTHER_EXPORTS):
        return NOT_SUPPORTED
    beside = BESIDE_FILES.fullmatch(base) and not EXPORTS.fullmatch(base)
    if not row["size"] or beside or BESIDE_FOLDERS & set(folders):
        return NOTHING
    return TO_READ


def base_of(row: Mapping[str, Any]) -> bytes:
    """Last part of a file's path, in small letters; an exhibit of one file has a name only."""
    path = bytes(row["path"]) or str(row["name"]).encode("utf-8", "replace")
    return path.rpartition(b"/")[2].lower()


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
