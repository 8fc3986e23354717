"""The stage `payments`: outputs of the chain that pay an address which the service gave to an account."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casewright.chain.columns import UNKNOWN, Chain
from casewright.chain.links import Flags
from casewright.chain.loading import EPOCH_MICROS, load_chain
from casewright.engine.stage import Context, Output, Tally, shaped, sql_stage_text
from casewright.kernels.keys import Keys, matched
from casewright.model.bitcoin import as_paid

AT_ONCE, STRETCH = 2, 1 << 21
"""So many stretches of so many addresses are searched at a time: what takes long needs no lock of the interpreter."""


def payments(batch: pa.Table, context: Context) -> Output:
    """`payments`: one row for each output and account; an address given to two accounts is a payment to each."""
    observed = context.table("deposit_addresses").select(["id", "account", "address"])
    addresses = [as_paid(a) for a in observed.column("address").to_pylist()]
    given, different = observed.set_column(2, "address", pa.array(addresses, pa.string())), set(addresses)
    coins = _paying(different, load_chain(context))
    rows = context.sql(sql_stage_text(__file__, "payments"), given=given, coins=coins)
    paid = len(pc.unique(rows["address"]))
    tally = Tally("deposit addresses", len(different), paid, len(different) - paid)
    return Output({"payments": shaped("payments", rows)}, [], [tally])


def _paying(addresses: set[str], chain: Chain) -> pa.Table:
    """The outputs that pay one of the addresses: their holders are looked for, each once, and then what pays those."""
    is_paid = _held_by(addresses, chain)
    found = [np.empty(0, np.int64)]
    for start in range(0, len(chain.holder), STRETCH):
        found.append(start + np.flatnonzero(is_paid[chain.holder[start : start + STRETCH]]))
    outputs = np.concatenate(found)
    made_in = np.searchsorted(chain.first_output, outputs, "right") - 1
    height = chain.height[made_in].astype(np.int64)
    return pa.table({
        "txid": chain.named(pa.array(made_in)), "vout": outputs - chain.first_output[made_in],
        "sats": chain.sats[outputs], "address": chain.addresses.take(pa.array(chain.holder[outputs])),
        "height": pa.array(height, mask=height == UNKNOWN),
        "time": pa.array(chain.time[made_in] * EPOCH_MICROS, pa.timestamp("us")),
    })  # fmt: skip


def _held_by(addresses: set[str], chain: Chain) -> Flags:
    """Of each holder whether it is one of the addresses."""
    keys = Keys([address.encode() for address in sorted(addresses) if address])
    _, places, texts = chain.addresses.buffers()
    at = np.frombuffer(places, np.int64)[: len(chain.addresses) + 1]
    raw = np.frombuffer(texts, np.uint8) if texts else np.empty(0, np.uint8)
    starts = range(0, len(chain.addresses), STRETCH)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda start: matched(raw, at[start : start + STRETCH + 1], keys) >= 0, starts)
        return np.concatenate([np.empty(0, np.bool_), *found])
