"""Bitcoin Core's wallets: `wallet.dat` as Berkeley DB with single keys, and as SQLite with descriptors.

Both hold pairs of a key, which begins with the name of a record type, and a value. Source of the types:
`src/wallet/walletdb.cpp` of Bitcoin Core. Secrets are never looked at: a public key stands in the record's key.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

from coincurve import PublicKey

from casewright.extract.descriptors import Descriptor, Kept, NoDescriptor, read_descriptors, wrapped
from casewright.extract.extended_keys import ExtendedKey, NoKey, key_of
from casewright.extract.reader import LIVE, Beside, Broken, Rows
from casewright.extract.readers.sqlite import read_sqlite
from casewright.extract.wallet import CHANGE, CONTACT, DERIVED, OWN, STORED, WATCHED, Found, Owned, Place, Wallet, network_of
from casewright.extract.wallets.berkeley import Record, read_berkeley
from casewright.model.bitcoin import NETWORKS, address_of_script, hash160, valid_address

MAIN = ("key", "value")
"""Columns of the one table of a SQLite wallet."""
APPLICATION_ID = slice(68, 72)
SECRETS = ("key", "wkey", "ckey", "walletdescriptorkey", "walletdescriptorckey")
ENCRYPTED = ("mkey", "ckey", "walletdescriptorckey")
SAYS = (*SECRETS, "name", "purpose", "watchs", "keymeta", "mkey", "walletdescriptor", "walletdescriptorcache",
        "activeinternalspk")  # fmt: skip


class _Short(ValueError):
    """A record that ends too early."""


class _Bytes:
    """Takes a record apart, in Bitcoin's serialisation."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    @property
    def left(self) -> int:
        return len(self._raw) - self._at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise _Short("ends too early")
        self._at += length
        return self._raw[self._at - length : self._at]

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def string(self) -> bytes:
        """Bytes with their length before them."""
        length = self.number(1)
        return self.take(length if length < 253 else self.number(1 << (length - 252)))

    def text(self) -> str:
        return self.string().decode("utf-8", "backslashreplace")


@dataclass
class _Line:
    """A descriptor of the wallet, and how far it was used."""

    text: str
    next_index: int
    end: int
    place: Place


@dataclass
class _Core:
    """What the records of a wallet said."""

    main: bool = True
    keys: dict[bytes, Place] = field(default_factory=dict)
    paths: dict[bytes, str] = field(default_factory=dict)
    watched: dict[bytes, Place] = field(default_factory=dict)
    labels: dict[str, tuple[str | None, Place]] = field(default_factory=dict)
    purposes: dict[str, str] = field(default_factory=dict)
    lines: dict[bytes, _Line] = field(default_factory=dict)
    caches: dict[bytes, dict[tuple[int, ...], ExtendedKey]] = field(default_factory=dict)
    internal: set[bytes] = field(default_factory=set)
    encrypted: bool = False
    secrets: bool = False
    done: int = 0
    nothing: int = 0
    known: int = 0

    def take(self, record: Record) -> None:
        """Raises _Short, and NoKey, at a record that is not what its type says."""
        key, value = _Bytes(record.key), _Bytes(record.value)
        kind = key.text()
        self.known += kind in TYPES
        if kind not in SAYS:
            self.nothing += 1
            return
        self.secrets |= kind in SECRETS
        self.encrypted |= kind in ENCRYPTED
        take = getattr(self, f"_{kind}", None)
        if take is not None:
            take(key, value, record.place)
        self.done += 1

    def _key(self, key: _Bytes, value: _Bytes, place: Place) -> None:
        public = key.string()
        try:
            PublicKey(public)
        except ValueError as error:
            raise NoKey("its point is not on the curve") from error
        self.keys.setdefault(public, place)

    _wkey = _ckey = _key

    def _keymeta(self, key: _Bytes, value: _Bytes, place: Place) -> None:
        public, version = key.string(), value.number(4, signed=True)
        value.take(8)
        if version >= 10 and value.left and (path := value.text()):
            self.paths[public] = path

    def _watchs(self, key: _Bytes, value: _Bytes, place: Place) -> None:
        self.watched.setdefault(key.string(), place)

    def _name(self, key: _Bytes, value: _Bytes, place: Place) -> None:
        self.labels.setdefault(key.text(), (value.text() or None, place))

    def _purpose(self, key: _Bytes, value: _Bytes, place: Place) -> None:
        self.purposes.setdefault(key.text(), value.text())

    def _walletdescriptor(self, key: _Bytes, value: _Bytes, place: Place) -> None:
        name, text = key.take(32), value.text()
        value.take(8)
        next_index, _, end = (value.number(4, signed=True) for _ in range(3))
        self.lines.setdefault(name, _Line(text, next_index, end, place))

    def _walletdescriptorcache(self, key: _Bytes, value: _Bytes, place: Place) -> None:
        name, which = key.take(32), (key.number(4),)
        if key.left:
            which = (*which, key.number(4))
        self.caches.setdefault(name, {})[which] = key_of(self.main, None, value.string())

    def _activeinternalspk(self, key: _Bytes, value: _Bytes, place: Place) -> None:
        self.internal.add(value.take(32))


TYPES = (*SAYS, "version", "minversion", "bestblock", "bestblock_nomerkle", "flags", "tx", "pool", "defaultkey",
         "hdchain", "keymeta", "activeexternalspk", "orderposnext", "walletdescriptorlhcache")  # fmt: skip
"""Record types that tell Bitcoin Core's wallet from another program's file."""


def read_core_berkeley(file: BinaryIO, beside: Beside, gap: int, network: str) -> Iterator[Found]:
    """A wallet with single keys. It says no network: its address book may, otherwise it is taken as `network`."""
    yield from _wallet("Bitcoin Core, single keys", read_berkeley(file), gap, None, network)


def read_core_sqlite(file: BinaryIO, beside: Beside, gap: int, network: str) -> Iterator[Found]:
    """A wallet with descriptors; its header says the network. Another program's database gives nothing."""
    head = file.read(100)
    file.seek(0)
    own = next((n.name for n in NETWORKS.values() if n.magic == head[APPLICATION_ID]), None)
    yield from _wallet("Bitcoin Core, descriptors", _pairs(file, beside), gap, own, network)


def _pairs(file: BinaryIO, beside: Beside) -> Iterator[Record | Broken]:
    for piece in read_sqlite(file, beside):
        if isinstance(piece, Broken):
            yield piece
        elif isinstance(piece, Rows) and piece.table == "main" and piece.columns == MAIN:
            for (key, value), start, length, _ in piece.each():
                yield Record(key or b"", value or b"", Place(start, length, piece.beside, piece.origin))


def _wallet(
    program: str, records: Iterable[Record | Broken], gap: int, own: str | None, network: str
) -> Iterator[Found]:
    core, broken = _Core(main=(own or network) == "mainnet"), list[Broken]()
    for record in records:
        if isinstance(record, Broken):
            broken.append(record)
            continue
        try:
            core.take(record)
        except (_Short, NoKey) as error:
            place = record.place
            if place.origin == LIVE:
                broken.append(Broken("unreadable", f"a record {error}", place.span_start, place.span_length, place.beside))
    if not core.known:
        return
    network = own or network_of(core.labels, network)
    yield from broken
    seen = set[str]()
    for owned in chain(_of_keys(core, network), _of_lines(core, network, gap)):
        if isinstance(owned, Owned):
            if owned.address in seen:
                continue
            seen.add(owned.address)
        yield owned
    yield from _contacts(core, seen)
    yield Wallet(program, network, core.encrypted, core.secrets, gap, core.done, core.nothing)


def _of_keys(core: _Core, network: str) -> Iterator[Owned]:
    """Each key in the forms in which the wallet sees payments to it; scripts that it watches."""
    for public, place in core.keys.items():
        path = core.paths.get(public)
        role = CHANGE if path and path.split("/")[2:3] == ["1'"] else OWN
        scripts = [b"\x76\xa9\x14" + hash160(public) + b"\x88\xac"]
        scripts += [b"\0\x14" + hash160(public), wrapped(public)] if len(public) == 33 else []
        for script, kind in zip(scripts, ("p2pkh", "p2wpkh", "p2sh-p2wpkh"), strict=False):
            address, _ = address_of_script(script, network)
            assert address is not None
            yield _labelled(core, Owned(address, kind, role, STORED, place, path))
    for script, place in core.watched.items():
        address, kind = address_of_script(script, network)
        if address:
            yield _labelled(core, Owned(address, kind, WATCHED, STORED, place))


def _labelled(core: _Core, owned: Owned) -> Owned:
    label, _ = core.labels.get(owned.address, (None, None))
    if owned.address not in core.labels:
        return owned
    return Owned(**{**owned.__dict__, "label": label, "handed_out": True})


def _of_lines(core: _Core, network: str, gap: int) -> Iterator[Owned | Broken]:
    for name, line in core.lines.items():
        role = CHANGE if name in core.internal else OWN
        try:
            descriptor, *_ = read_descriptors(line.text)
            kept = core.caches.get(name, {})
            end = max(line.end, line.next_index + gap) if descriptor.ranged else 1
            if any(key.hardened and not key.secret for key in descriptor.keys):
                end = min(end, 1 + max((which[1] for which in kept if len(which) == 2), default=-1))
            yield from _of_line(core, network, line, descriptor, kept, role, end)
        except (NoDescriptor, NoKey) as error:
            place = line.place
            yield Broken("unreadable", f"a descriptor: {error}", place.span_start, place.span_length, place.beside)


def _of_line(core: _Core, network: str, line: _Line, descriptor: Descriptor, kept: Kept, role: str,
             end: int) -> Iterator[Owned]:  # fmt: skip
    for index in range(end):
        for address, kind in descriptor.addresses(index, network, kept):
            handed = index < line.next_index if descriptor.ranged else None
            path = descriptor.path(index)
            yield _labelled(core, Owned(address, kind, role, DERIVED, line.place, path, None, handed))


def _contacts(core: _Core, own: set[str]) -> Iterator[Owned]:
    """The rest of the address book: whom the wallet's owner meant to pay, or addresses of keys that are gone."""
    for address, (label, place) in core.labels.items():
        if address not in own and valid_address(address):
            yield Owned(address, "", CONTACT, STORED, place, None, label)
