"""Bitcoin Core's wallets: `wallet.dat` as Berkeley DB with single keys, and as SQLite with descriptors.

Sources: `src/wallet/` of Bitcoin Core; what a wallet with single keys sees as its own is said in `scriptpubkeyman.cpp`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import BinaryIO

from casewright.extract.descriptor import Descriptor
from casewright.extract.descriptors import NoDescriptor, read_descriptors
from casewright.extract.extended_keys import NoKey
from casewright.extract.output_scripts import COMPRESSED, pkh, sh, wpkh
from casewright.extract.reader import LIVE, Beside, Broken, Rows
from casewright.extract.readers.sqlite import read_sqlite
from casewright.extract.wallet import (
    CHANGE,
    CONTACT,
    DERIVED,
    MOST_DERIVED,
    OWN,
    STORED,
    WATCHED,
    Found,
    Owned,
    Place,
    Wallet,
    network_of,
)
from casewright.extract.wallets.berkeley import Record, read_berkeley
from casewright.extract.wallets.core_records import CoreRecords, Line, Short
from casewright.model.bitcoin import NETWORKS, address_of_script, valid_address

MAIN = ("key", "value")
"""Columns of the one table of a SQLite wallet."""
APPLICATION_ID = slice(68, 72)
FORMS = (("p2pkh", pkh), ("p2wpkh", wpkh), ("p2sh-p2wpkh", lambda key: sh(wpkh(key))))
CHANGE_CHAIN = "/1/*"
OWN_PURPOSE = "receive"
"""What the wallet calls an address in its book that it gave out itself."""


def read_core_berkeley(file: BinaryIO, beside: Beside, gap: int, network: str) -> Iterator[Found]:
    """A wallet with single keys. It says no network: its address book may, otherwise it is taken as `network`."""
    yield from _Core("Bitcoin Core, single keys", gap, None, network).pieces(read_berkeley(file), told=True)


def read_core_sqlite(file: BinaryIO, beside: Beside, gap: int, network: str) -> Iterator[Found]:
    """A wallet with descriptors; its header says the network. Another program's database gives nothing."""
    head = file.read(100)
    file.seek(0)
    own = next((n.name for n in NETWORKS.values() if n.magic == head[APPLICATION_ID]), None)
    core = _Core("Bitcoin Core, descriptors", gap, own, network)
    yield from core.pieces(_pairs(file, beside), told=own is not None)


def _pairs(file: BinaryIO, beside: Beside) -> Iterator[Record | Broken]:
    for piece in read_sqlite(file, beside):
        if isinstance(piece, Broken):
            yield piece
        elif isinstance(piece, Rows) and piece.table == "main" and piece.columns == MAIN:
            for (key, value), start, length, _ in piece.each():
                yield Record(key or b"", value or b"", Place(start, length, piece.beside, piece.origin))


@dataclass
class _Core:
    """A wallet that is being read. `own`: the network that it names; `otherwise`: the one taken where none is named."""

    program: str
    gap: int
    own: str | None
    otherwise: str
    records: CoreRecords = field(default_factory=CoreRecords)

    def pieces(self, records: Iterable[Record | Broken], *, told: bool) -> Iterator[Found]:
        """`told`: damage is said even where no record of a wallet is left. Otherwise somebody else reads the file."""
        self.records.main = (self.own or self.otherwise) == "mainnet"
        damage, failed = list[Broken](), list[Broken]()
        for record in records:
            if isinstance(record, Broken):
                damage.append(record)
                continue
            try:
                self.records.take(record)
            except (Short, NoKey) as error:
                if record.place.origin == LIVE:
                    failed.append(_broken(f"a record {error}", record.place))
        if self.records.known:
            yield from (*damage, *failed)
            yield from self._owned()
        elif told:
            yield from damage

    def _owned(self) -> Iterator[Found]:
        said = self.records
        network = self.own or network_of(said.labels, self.otherwise)
        seen = set[str]()
        for owned in chain(self._of_keys(network), self._of_lines(network), self._of_book()):
            if isinstance(owned, Broken):
                yield owned
            elif owned.address not in seen:
                seen.add(owned.address)
                yield owned
        yield Wallet(self.program, network, said.encrypted, said.secrets, self.gap, said.done, said.nothing)

    def _of_keys(self, network: str) -> Iterator[Owned]:
        """Each key in the forms in which the wallet sees payments to it; scripts that it watches."""
        for public, place in self.records.keys.items():
            path = self.records.paths.get(public)
            change = self.records.waiting.get(public) or (path is not None and path.split("/")[2:3] == ["1'"])
            for kind, form in FORMS[: None if len(public) == COMPRESSED else 1]:
                address, _ = address_of_script(form(public), network)
                assert address is not None
                handed = False if public in self.records.waiting else None
                yield self._labelled(Owned(address, kind, CHANGE if change else OWN, STORED, place, path, None, handed))
        for script, place in self.records.watched.items():
            address, kind = address_of_script(script, network)
            if address:
                yield self._labelled(Owned(address, kind, WATCHED, STORED, place))

    def _labelled(self, owned: Owned) -> Owned:
        """With its label; an address that has one was shown to somebody."""
        if owned.address not in self.records.labels:
            return owned
        return replace(owned, label=self.records.labels[owned.address][0], handed_out=True)

    def _of_lines(self, network: str) -> Iterator[Owned | Broken]:
        left = MOST_DERIVED
        for name, line in self.records.lines.items():
            end = max(line.end, line.next_index + self.gap)
            if end > left:
                yield _broken(f"asks for {end:,} addresses, of which {left:,} were derived", line.place)
            try:
                for owned in self._of_line(network, name, line, min(end, left)):
                    left -= 1
                    yield self._labelled(owned)
            except (NoDescriptor, NoKey) as error:
                yield _broken(f"a descriptor: {error}", line.place)

    def _of_line(self, network: str, name: bytes, line: Line, end: int) -> Iterator[Owned]:
        """Raises NoDescriptor and NoKey."""
        descriptor, *_ = read_descriptors(line.text)
        kept = self.records.caches.get(name, {})
        role, basis = CHANGE if self._is_change(name, descriptor) else OWN, DERIVED
        if not descriptor.ranged:
            role, basis, end = role if name in self.records.signing else WATCHED, STORED, 1
        elif any(key.hardened and not key.secret for key in descriptor.keys):
            end = min(end, 1 + max((which[1] for which in kept if len(which) == 2), default=-1))
        for index in range(end):
            for address, kind in descriptor.addresses(index, network, kept):
                handed = index < line.next_index if descriptor.ranged else None
                yield Owned(address, kind, role, basis, line.place, descriptor.path(index), None, handed)

    def _is_change(self, name: bytes, descriptor: Descriptor) -> bool:
        """The wallet says so of descriptors in use; those that it replaced when it was encrypted end as these do."""
        if name in self.records.internal or name in self.records.external:
            return name in self.records.internal
        return CHANGE_CHAIN in descriptor.public_text

    def _of_book(self) -> Iterator[Owned]:
        """The rest of the address book: whom the wallet's owner meant to pay, and addresses whose keys are gone."""
        for address, (label, place) in self.records.labels.items():
            if valid_address(address):
                role = OWN if self.records.purposes.get(address) == OWN_PURPOSE else CONTACT
                yield Owned(address, "", role, STORED, place, None, label, True if role == OWN else None)


def _broken(detail: str, place: Place) -> Broken:
    return Broken("unreadable", detail, place.span_start, place.span_length, place.beside)
