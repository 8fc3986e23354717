"""The tables `clusters` and `cluster_reasons` as arrays by number, mapped from the disk as the chain is (`loading`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.chain.assembly import flat, sizes_of
from casewright.chain.columns import UNKNOWN, Chain, Numbers, as_texts, numbers
from casewright.chain.layer_names import LAYERS
from casewright.chain.loading import key_of
from casewright.chain.payjoin import POSSIBLE, UNNECESSARY
from casewright.engine.parts import TablePart
from casewright.engine.room import Arrays, Room
from casewright.engine.stage import Context
from casewright.kernels.forest import TOP, Forest, tops
from casewright.model.ids import make_id

DOUBTS = (POSSIBLE, UNNECESSARY)
Parts = Sequence[TablePart]


@dataclass(frozen=True)
class Merges:
    """The rows of `cluster_reasons`, by number; `told` says what `trace` needs of some of them."""

    chain: Chain
    transaction: NDArray[np.int32]
    holder_a: NDArray[np.int32]
    holder_b: NDArray[np.int32]
    layer: NDArray[np.int8]
    doubt: NDArray[np.int8]
    """Places in `LAYERS` and `DOUBTS`; -1: none."""

    def told(self, merges: Sequence[int]) -> tuple[Mapping[str, Any], ...]:
        return tuple(self._told(merge) for merge in merges)

    def _told(self, merge: int) -> Mapping[str, Any]:
        transaction, doubt = int(self.transaction[merge]), int(self.doubt[merge])
        txid = self.chain.txid(transaction) if transaction != UNKNOWN else None
        sides = [self.chain.address(int(side[merge])) or "" for side in (self.holder_a, self.holder_b)]
        return {"id": make_id("reason", *sides, txid or ""), "txid": txid, "heuristic": LAYERS[self.layer[merge]],
                "doubt": DOUBTS[doubt] if doubt != UNKNOWN else None}  # fmt: skip


@dataclass(frozen=True)
class Proven:
    """`cluster_of`: number of each holder's cluster, in the order in which their first addresses appear in the chain;
    UNKNOWN outside any. `names`: the clusters' ids. `forest`: the merges that join holders, by their numbers."""

    cluster_of: NDArray[np.int32]
    names: pa.Array
    forest: Forest
    merges: Merges


def load_proven(chain: Chain, context: Context) -> Proven:
    """What the stage `clusters` found."""
    count, clusters = len(chain.addresses), context.parts("clusters")
    found = dict(context.room.keep_grown(lambda: f"clusters 1 {count} {key_of(clusters)}",
                                         partial(_clusters, clusters, count, context.room)))  # fmt: skip
    names = as_texts(found.pop("name_at"), found.pop("names"))
    reasons = context.parts("cluster_reasons")
    merges = Merges(chain, **dict(context.room.keep_grown(lambda: f"merges 1 {key_of(reasons)}",
                                                          partial(_merges, reasons))))  # fmt: skip
    return Proven(found.pop("cluster_of"), names, Forest(**found), merges)


def _clusters(parts: Parts, count: int, room: Room) -> Iterator[Arrays]:
    """Cluster of each holder: that of the first one above it, which is numbered when its row comes."""
    columns = {name: np.full(count, empty, np.int32) for name, empty in (("up", TOP), ("by", TOP), ("depth", 0))}
    number, met, end = np.full(count, UNKNOWN, np.int32), 0, 0
    yield {"name_at": np.zeros(1, np.int64), "names": np.empty(0, np.uint8)}
    for part in parts:
        rows = part.read(["cluster", "holder", "above", "reason", "depth"])
        holder, above = numbers(rows["holder"]), numbers(rows["above"])
        columns["up"][holder], columns["by"][holder] = above, numbers(rows["reason"])
        columns["depth"][holder] = numbers(pc.fill_null(rows["depth"], 0))
        first = np.flatnonzero(above == TOP)
        number[holder[first]] = met + np.arange(len(first))
        names = rows["cluster"].take(pa.array(first))
        at = end + np.cumsum(sizes_of(names))
        met, end = met + len(first), int(at[-1]) if len(at) else end
        yield {"name_at": at, "names": flat(names)}
    yield {**columns, "cluster_of": number[tops(columns["up"])]}


def _merges(parts: Parts) -> Iterator[Arrays]:
    yield {**dict.fromkeys(("transaction", "holder_a", "holder_b"), np.empty(0, np.int32)),
           **dict.fromkeys(("layer", "doubt"), np.empty(0, np.int8))}  # fmt: skip
    for part in parts:
        rows = part.read(["transaction", "holder_a", "holder_b", "heuristic", "doubt"])
        told = {name: numbers(rows[name]).astype(np.int32) for name in ("transaction", "holder_a", "holder_b")}
        yield {**told, "layer": _places(rows["heuristic"], LAYERS), "doubt": _places(rows["doubt"], DOUBTS)}


def _places(column: pa.ChunkedArray, words: Sequence[str]) -> NDArray[np.int8]:
    """Place of each text among the words; -1 for NULL. Raises ValueError for a word that is none of them."""
    found: Numbers = numbers(pc.index_in(column, pa.array(words)))
    if int((found == UNKNOWN).sum()) != column.null_count:
        raise ValueError(f"a text is none of {words}")
    return found.astype(np.int8)
