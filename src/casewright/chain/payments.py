"""The stage `payments`: outputs of the chain that pay an address which the service gave to an account."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.chain.columns import numbers
from casewright.engine.parts import TablePart
from casewright.engine.stage import Context, Output, Tally, shaped, sql_stage_text
from casewright.kernels.keys import Keys, matched
from casewright.kernels.packing import starts
from casewright.model.bitcoin import as_paid
from casewright.model.tables import TABLES

AT_ONCE = 2
"""Parts that are searched at a time: what takes long needs no lock of the interpreter."""
COIN = ("txid", "vout", "sats", "address", "transaction")


def payments(batch: pa.Table, context: Context) -> Output:
    """`payments`: one row for each output and account; an address given to two accounts is a payment to each."""
    observed = context.table("deposit_addresses").select(["id", "account", "address"])
    addresses = [as_paid(a) for a in observed.column("address").to_pylist()]
    given, different = observed.set_column(2, "address", pa.array(addresses, pa.string())), set(addresses)
    coins = _with_blocks(pa.concat_tables(_paying(different, context)), context)
    rows = context.sql(sql_stage_text(__file__, "payments"), given=given, coins=coins)
    paid = len(pc.unique(rows["address"]))
    tally = Tally("deposit addresses", len(different), paid, len(different) - paid)
    return Output({"payments": shaped("payments", rows)}, [], [tally])


def _paying(addresses: set[str], context: Context) -> Iterator[pa.Table]:
    """The outputs that pay one of the addresses, part by part: of those that have none, only the addresses are read."""
    keys = Keys([address.encode() for address in sorted(addresses) if address])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield TABLES["outputs"].empty().select(COIN)
        yield from pool.map(partial(_paying_of, keys), context.parts("outputs"))


def _paying_of(keys: Keys, part: TablePart) -> pa.Table:
    met = np.flatnonzero(_known(part.read(["address"])["address"], keys))
    return (part.read(COIN) if len(met) else TABLES["outputs"].empty().select(COIN)).take(pa.array(met))


def _known(column: pa.ChunkedArray, keys: Keys) -> NDArray[np.bool_]:
    """Of each text whether it is one of the keys."""
    return np.concatenate([np.empty(0, np.bool_), *(_some_known(chunk, keys) for chunk in column.chunks)])


def _some_known(chunk: pa.Array, keys: Keys) -> NDArray[np.bool_]:
    _, places, text = chunk.buffers()
    if text is None:
        return np.zeros(len(chunk), np.bool_)
    at = np.frombuffer(places, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return matched(np.frombuffer(text, np.uint8), at.astype(np.int64), keys) >= 0


def _with_blocks(coins: pa.Table, context: Context) -> pa.Table:
    """The outputs with the block of each."""
    parts, wanted = context.parts("transactions"), numbers(coins["transaction"])
    first, blocks = starts(np.array([part.rows for part in parts])), [pa.chunked_array([], pa.string())]
    for number, part in enumerate(parts):
        mine = wanted[(wanted >= first[number]) & (wanted < first[number + 1])] - first[number]
        if len(mine):
            blocks.append(part.read(["block"])["block"].take(pa.array(mine)))
    found = pa.chunked_array([chunk for column in blocks for chunk in column.chunks], pa.string())
    return coins.append_column("block", found)
