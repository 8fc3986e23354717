"""The inventory of wallets: rows of our tables, what was set aside, and counts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from casewright.engine.gathered import Gathered
from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.extract.formats import SQLITE, Siblings
from casewright.extract.reader import Broken
from casewright.extract.wallet import Found, Owned, Place, Wallet, WalletReader
from casewright.extract.wallets.berkeley_log import read_berkeley_log
from casewright.extract.wallets.core import read_core_berkeley, read_core_sqlite
from casewright.extract.wallets.electrum import read_electrum
from casewright.extract.wallets.written import read_written
from casewright.model.ids import make_id

READERS: Mapping[str, WalletReader] = {
    "application/x-berkeley-db": read_core_berkeley,
    "application/x-berkeley-db-log": read_berkeley_log,
    SQLITE: read_core_sqlite,
    "application/x-electrum-wallet": read_electrum,
}
"""By the media type of the item."""
ITEMS, RECORDS, TEXTS = "items", "wallet records", "keys in texts"
DONE, NOTHING, ASIDE = "done", "nothing", "set aside"
Item = Mapping[str, Any]


@dataclass(frozen=True)
class _Read:
    """What a reader gave, and the item in which each piece stands."""

    item: Item
    beside: Mapping[str, Item]
    noun: str
    whole: Place
    wallet: Wallet | None
    owned: list[Owned]
    broken: list[Broken]

    def where(self, suffix: str) -> Any:
        return (self.beside[suffix] if suffix else self.item)["item"]


@dataclass
class Inventory:
    """Rows of our tables, what was set aside, and counts: received, done, nothing."""

    context: Context
    wallets: Gathered = field(default_factory=lambda: Gathered("wallets"))
    addresses: Gathered = field(default_factory=lambda: Gathered("wallet_addresses"))
    aside: list[SetAside] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=dict)

    def file(self, item: Item) -> str:
        """What became of a file of a kind that may be a wallet."""
        siblings = Siblings(self.context, item)
        gap, network = self.context.params["wallet_gap"], self.context.params["network"]
        with self.context.open(item["sha256"]) as file:
            pieces = READERS[item["mime"]](file, siblings, gap, network)
            read = _sorted(pieces, item, siblings.opened, RECORDS, Place(0, item["size"]))
        if read.wallet is None and read.broken:
            first, *read.broken[:] = read.broken
            self._put_aside(read, first, ITEMS)
            self._take(read)
            return ASIDE
        self._take(read)
        return DONE if read.wallet else NOTHING

    def texts(self, item: Item, found: Iterable[Mapping[str, Any]]) -> str:
        """What became of the keys that stand in an item. A key within a descriptor is part of it."""
        spans, outcome = list[tuple[int, int]](), NOTHING
        gap, network = self.context.params["wallet_gap"], self.context.params["network"]
        with self.context.open(item["sha256"]) as file:
            for row in found:
                place = Place(row["span_start"], row["span_length"])
                if any(first <= place.span_start < last for first, last in spans):
                    continue
                spans.append((place.span_start, place.span_start + place.span_length))
                file.seek(place.span_start)
                text = file.read(place.span_length).replace(b"\0", b"").decode("ascii", "replace")  # of UTF-16 too
                read = _sorted(read_written(row["kind"], text, place, gap, network), item, {}, TEXTS, place)
                self._take(read)
                outcome = DONE if read.wallet else outcome
        return outcome

    def _take(self, read: _Read) -> None:
        identity = make_id("wallet", read.item["sha256"], read.whole.span_start)
        done = nothing = 0
        for piece in read.broken:
            self._put_aside(read, piece, read.noun)
        if read.wallet is not None:
            done, nothing = read.wallet.done, read.wallet.nothing
            self.wallets.add(_wallet_row(read, identity))
            for owned in read.owned:
                self.addresses.add(_owned_row(owned, identity, read.where(owned.place.beside)))
        counts = self.counts.setdefault(read.noun, [0, 0, 0])
        for place, number in enumerate((done + nothing + len(read.broken), done, nothing)):
            counts[place] += number

    def _put_aside(self, read: _Read, piece: Broken, noun: str) -> None:
        detail = f"{read.item['name']}: {piece.detail}"
        self.aside.append(SetAside(noun, read.where(piece.beside), piece.reason, detail,
                                   span_start=piece.span_start, span_length=piece.span_length))  # fmt: skip

    def output(self, items: Tally) -> Output:
        tallies = [Tally(noun, *numbers) for noun, numbers in sorted(self.counts.items()) if numbers[0]]
        tables = {"wallets": self.wallets.table(), "wallet_addresses": self.addresses.table()}
        return Output(tables, self.aside, [items, *tallies])


def _sorted(pieces: Iterator[Found], item: Item, beside: Mapping[str, Item], noun: str, whole: Place) -> _Read:
    read = list(pieces)
    wallet = next((piece for piece in read if isinstance(piece, Wallet)), None)
    owned = [piece for piece in read if isinstance(piece, Owned)]
    return _Read(item, beside, noun, whole, wallet, owned, [piece for piece in read if isinstance(piece, Broken)])


def _wallet_row(read: _Read, identity: str) -> dict[str, Any]:
    assert read.wallet is not None
    told = {name: value for name, value in asdict(read.wallet).items() if name not in ("done", "nothing")}
    return {"wallet": identity, **told, "addresses": len(read.owned), "item": read.item["item"],
            "span_start": read.whole.span_start, "span_length": read.whole.span_length}  # fmt: skip


def _owned_row(owned: Owned, wallet: str, item: str) -> dict[str, Any]:
    told = {name: value for name, value in vars(owned).items() if name != "place"}
    place = owned.place
    return {"id": make_id("owned", wallet, owned.address), "wallet": wallet, **told, "item": item,
            "origin": place.origin, "span_start": place.span_start, "span_length": place.span_length}  # fmt: skip
