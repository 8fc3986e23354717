"""One content of the chain exhibits, parsed in a child: its blocks as columns, and what is damaged in it.

A content is a unit of its own that stays when others come to it: a folder that grew by one file is read in that file.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain.source import WRITES, blobs, output
from casewright.chain.sources.esplora import ENDING as ESPLORA
from casewright.chain.sources.esplora import read_esplora
from casewright.chain.sources.exports import is_export, read_export
from casewright.engine.stage import Context, Output
from casewright.kernels.blockcolumns import Columns, Run, read_runs, read_single_run
from casewright.kernels.blockfiles import Found, Plain, unmask, unpack
from casewright.kernels.packing import script_keys, spans_of
from casewright.model.bitcoin import NETWORKS
from casewright.model.tables import TABLES

EASIEST = {"mainnet": 0x1D00FFFF, "testnet": 0x1D00FFFF, "testnet4": 0x1D00FFFF, "signet": 0x1E0377AE,
           "regtest": 0x207FFFFF}  # fmt: skip
"""The least work each network accepts, as header bits (Bitcoin Core, chainparams)."""


def read_blocks(batch: pa.Table, context: Context) -> Iterator[Output]:
    """`read_files`, `read_blocks` and `read_damage` of one content."""
    for row in batch.to_pylist():
        yield from _read(row, context, context.params["network"])
    if not batch.num_rows:
        yield Output({name: TABLES[name].empty() for name in WRITES})


def _read(row: Mapping[str, Any], context: Context, network: str) -> Iterator[Output]:
    if ESPLORA in row["names"]:
        yield from read_esplora(row, context, network)
        return
    if any(map(is_export, row["names"])):
        yield from read_export(row, context, network)
        return
    content, told, holds = opened(context, row["content"], row["sha256s"][0], row["key"], bool(row["names"]))
    yield output(read_files=TABLES["read_files"].rows([told]))
    for run in stretches(content, network) if holds else ():
        yield _taken(run, row["content"], content)
        context.steps.alive()


def opened(
    context: Context, content: str, sha256: str, key: bytes, packed: bool = False
) -> tuple[Plain, dict[str, Any], bool]:
    """A file in the clear, its row of `read_files`, and whether blocks are to be taken from it."""
    file, packed, cut = plain(context, sha256, key, packed)
    problem = cut or refusal(file, context.params["network"])
    empty = not problem and file.blank(0, len(file.clear))
    state = "unreadable" if problem else "nothing" if empty else "blocks"
    told = {"content": content, "packed": packed, "state": state, "detail": problem}
    return file, told, bool(cut) or state == "blocks"


def plain(context: Context, sha256: str, key: bytes, packed: bool = False) -> tuple[Plain, bool, str]:
    """A file in the clear, whether it was packed, and why its end is missing."""
    with context.open(sha256) as stream:
        stored = stream.read()
    if not packed and stored[:3] != b"BZh":
        return unmask(stored, key), False, ""
    unpacked, cut = unpack(stored)
    return unmask(unpacked, b""), True, cut


def stretches(content: Plain, network: str) -> Iterator[Run]:
    """The blocks of a file, or the one that it is, with what is damaged between them."""
    magic, easiest = NETWORKS[network].magic, EASIEST[network]
    if not content.clear.startswith(magic) and (single := read_single_run(content, easiest)):
        yield single
    elif magic in content.clear:
        yield from read_runs(content, magic, easiest)


def refusal(content: Plain, network: str) -> str:
    """Why a file as a whole is not read; empty when it is."""
    head, magic = content.clear[:4], NETWORKS[network].magic
    other = next((n.name for n in NETWORKS.values() if head == n.magic and n.name != network), None)
    if other:
        return f"holds blocks of {other}, but case.toml says {network}; correct the setting or leave the file out"
    if content.blank(0, len(content.clear)) or magic in content.clear or read_single_run(content, EASIEST[network]):
        return ""
    return f"holds no block of {network}: is it something else, or is its xor.dat missing or wrong?"


def _taken(run: Run, content: str, file: Plain) -> Output:
    if run.damage:
        return output(read_damage=TABLES["read_damage"].rows([_damage(run.damage, content)]))
    return output(read_blocks=packed_blocks(run.columns, content, file.clear))


def _damage(found: Found, content: str) -> dict[str, Any]:
    span = {"span_start": found.start, "span_length": found.length}
    return {"content": content, "reason": found.reason, "detail": found.detail, **span}


def packed_blocks(columns: Columns, content: str, clear: bytes) -> pa.Table:
    """Rows of `read_blocks`."""
    spans = spans_of(columns)
    shapes = np.stack([columns.length, spans.inputs, columns.outputs], axis=1).astype("<u4")
    stamps = np.stack([columns.version, columns.lock_time], axis=1).astype("<u4")
    spends = np.concatenate([columns.prev_txid, columns.prev_vout.astype("<u4").view(np.uint8).reshape(-1, 4)], axis=1)
    sizes, scripts = script_keys(clear, columns.script, columns.script_size)
    of_outputs = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))[spans.outputs_at]
    arrays = {
        "content": pa.array([content] * len(columns.hash), pa.string()),
        "hash": blobs(columns.hash, np.arange(len(columns.hash) + 1)),
        "prev": blobs(columns.prev, np.arange(len(columns.hash) + 1)),
        "time": columns.time,
        "bits": columns.bits,
        "height": pa.nulls(len(columns.hash), pa.int64()),
        "span_start": columns.block_start,
        "span_length": columns.block_size,
        "transactions": columns.transactions,
        "txids": blobs(columns.txid, spans.transactions_at),
        "shapes": blobs(shapes, spans.transactions_at),
        "stamps": blobs(stamps, spans.transactions_at),
        "spends": blobs(spends[spans.spending], spans.inputs_at),
        "sats": blobs(columns.sats.astype("<i8"), spans.outputs_at),
        "kinds": blobs(columns.kind, spans.outputs_at),
        "script_sizes": blobs(sizes, spans.outputs_at),
        "scripts": blobs(scripts, of_outputs),
    }
    return pa.table(arrays, schema=TABLES["read_blocks"].schema)
