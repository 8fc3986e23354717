"""The stage that inventories wallets: files of wallet programs, and keys that stand in other items."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Stage, Tally
from casewright.extract.formats import SQLITE, Siblings, quoted
from casewright.extract.reader import Broken
from casewright.extract.records import Gathered
from casewright.extract.wallet import Found, Owned, Place, Wallet, WalletReader
from casewright.extract.wallets.core import read_core_berkeley, read_core_sqlite
from casewright.extract.wallets.electrum import read_electrum
from casewright.extract.wallets.written import read_written
from casewright.model.ids import make_id
from casewright.model.settings import Settings

READERS: Mapping[str, WalletReader] = {
    "application/x-berkeley-db": read_core_berkeley,
    SQLITE: read_core_sqlite,
    "application/x-electrum-wallet": read_electrum,
}
"""By the media type of the item."""
WRITTEN = ("descriptor", "xprv", "xpub", "wif")
"""Kinds of selectors that own addresses; descriptors first, for they hold the others."""
RECORDS, TEXTS = "wallet records", "keys in texts"
Item = Mapping[str, Any]


class _Inventory:
    """Rows of our tables, what was set aside, and counts."""

    def __init__(self, context: Context) -> None:
        self._gap, self._network = context.params["wallet_gap"], context.params["network"]
        self._wallets, self._addresses = Gathered("wallets"), Gathered("wallet_addresses")
        self._context = context
        self.aside = list[SetAside]()
        self.counts = dict.fromkeys((RECORDS, TEXTS), (0, 0, 0))

    def file(self, item: Item) -> bool:
        """Whether it is a wallet."""
        siblings = Siblings(self._context, item)
        with self._context.open(item["sha256"]) as file:
            pieces = READERS[item["mime"]](file, siblings, self._gap, self._network)
            return self._take(pieces, item, siblings.opened, RECORDS, Place(0, item["size"]))

    def texts(self, item: Item, found: Iterable[Mapping[str, Any]]) -> bool:
        """Whether a key that stands in the item says which addresses it owns. A key within a descriptor is part of it."""
        spans, good = list[tuple[int, int]](), False
        with self._context.open(item["sha256"]) as file:
            for row in found:
                start, length = row["span_start"], row["span_length"]
                if any(first <= start < last for first, last in spans):
                    continue
                spans.append((start, start + length))
                file.seek(start)
                text, place = file.read(length).decode("utf-8", "replace"), Place(start, length)
                pieces = read_written(row["kind"], text, place, self._gap, self._network)
                good |= self._take(pieces, item, {}, TEXTS, place)
        return good

    def _take(
        self, pieces: Iterator[Found], item: Item, beside: Mapping[str, Item], noun: str, whole: Place
    ) -> bool:
        wallet = make_id("wallet", item["sha256"], whole.span_start)
        rows, aside, facts = 0, 0, None
        for piece in pieces:
            if isinstance(piece, Broken):
                aside += 1
                where = beside[piece.beside]["item"] if piece.beside else item["item"]
                detail = f"{item['name']}: {piece.detail}"
                self.aside.append(SetAside(noun, where, piece.reason, detail, span_start=piece.span_start,
                                           span_length=piece.span_length))  # fmt: skip
            elif isinstance(piece, Wallet):
                facts = piece
            else:
                rows += 1
                where = beside[piece.place.beside]["item"] if piece.place.beside else item["item"]
                self._addresses.add(_row(piece, wallet, where))
        if facts is not None:
            told = {k: v for k, v in asdict(facts).items() if k not in ("done", "nothing")}
            self._wallets.add({"wallet": wallet, **told, "addresses": rows, "item": item["item"],
                               "span_start": whole.span_start, "span_length": whole.span_length})  # fmt: skip
        done, nothing = (facts.done, facts.nothing) if facts else (0, 0)
        before = self.counts[noun]
        self.counts[noun] = before[0] + done + nothing + aside, before[1] + done, before[2] + nothing
        return facts is not None

    def output(self, tally: Tally) -> Output:
        tallies = [Tally(noun, *numbers) for noun, numbers in sorted(self.counts.items()) if numbers[0]]
        tables = {"wallets": self._wallets.table(), "wallet_addresses": self._addresses.table()}
        return Output(tables, self.aside, [tally, *tallies])


def _row(owned: Owned, wallet: str, item: str) -> Mapping[str, Any]:
    place = owned.place
    return {"id": make_id("owned", wallet, owned.address), "wallet": wallet, "item": item,
            **{name: getattr(owned, name) for name in ("address", "kind", "role", "basis", "path", "label",
                                                       "handed_out")},
            "origin": place.origin, "span_start": place.span_start, "span_length": place.span_length}  # fmt: skip


def wallets(batch: pa.Table, context: Context) -> Output:
    """Wallets and the addresses they own, read once where several items have the same bytes."""
    inventory, done = _Inventory(context), 0
    first = context.sql(
        "SELECT min(i.item) AS item FROM items i WHERE i.sha256 IN (SELECT sha256 FROM batch) GROUP BY i.sha256",
        batch=batch,
    ).column("item").to_pylist()  # fmt: skip
    for item in batch.to_pylist():
        if item["item"] not in first:
            continue
        if item["mime"] in READERS and inventory.file(item):
            done += 1
            continue
        done += inventory.texts(item, _written(item["item"], context))
    return inventory.output(Tally("items", batch.num_rows, done, batch.num_rows - done))


def _written(item: str, context: Context) -> list[Mapping[str, Any]]:
    """Keys in an item that stand in none before it."""
    found = context.sql(
        "SELECT s.kind, s.span_start, s.span_length FROM selectors s WHERE s.item = $item AND s.kind IN "
        f"({quoted(WRITTEN)}) AND NOT EXISTS (SELECT * FROM selectors o WHERE o.kind = s.kind AND o.value = s.value "
        "AND (o.item, o.span_start) < (s.item, s.span_start)) ORDER BY s.kind, s.span_start",
        {"item": item},
    ).to_pylist()  # fmt: skip
    return sorted(found, key=lambda row: (WRITTEN.index(row["kind"]), row["span_start"]))


def _params(settings: Settings) -> Mapping[str, Any]:
    return {"wallet_gap": settings.extract.wallet_gap, "network": settings.chain.network}


WALLETS = Stage("wallets", 1, ("items", "exhibits", "selectors"), ("wallets", "wallet_addresses"), wallets,
                over="items", where=f"mime IN ({quoted(READERS)}) OR item IN (SELECT item FROM selectors WHERE kind "
                f"IN ({quoted(WRITTEN)}))", order="item", batch=16, hostile=True, sees_all=True,
                params=_params)  # fmt: skip
