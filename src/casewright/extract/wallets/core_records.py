"""Records of Bitcoin Core's wallets: pairs of a key, which begins with the name of a record type, and a value.

Source of the types: `src/wallet/walletdb.cpp` and `src/serialize.h` of Bitcoin Core. A public key stands in its
record's key, so the value of a record with a private key is never looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coincurve import PublicKey

from casewright.extract.extended_keys import ExtendedKey, NoKey, key_of
from casewright.extract.reader import LIVE
from casewright.extract.wallet import Place
from casewright.extract.wallets.berkeley import Record

SECRETS = ("key", "wkey", "ckey", "walletdescriptorkey", "walletdescriptorckey")
ENCRYPTED = ("mkey", "ckey", "walletdescriptorckey")


class Short(ValueError):  # noqa: N818  reads as what it says
    """A record that ends too early."""


class Serialised:
    """Takes a record apart, in Bitcoin's serialisation."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    @property
    def left(self) -> int:
        return len(self._raw) - self._at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise Short("ends too early")
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
class Line:
    """A descriptor of the wallet, how far it was used, and how far the wallet itself looks."""

    text: str
    next_index: int
    end: int
    place: Place


@dataclass
class CoreRecords:
    """What the records of a wallet said. Of two records about the same, the first counts: live ones come first.

    `done`: records that said something; `nothing`: others; `known`: those of a type that only such wallets have.
    """

    main: bool = True
    keys: dict[bytes, Place] = field(default_factory=dict)
    paths: dict[bytes, str] = field(default_factory=dict)
    waiting: dict[bytes, bool | None] = field(default_factory=dict)
    watched: dict[bytes, Place] = field(default_factory=dict)
    labels: dict[str, tuple[str | None, Place]] = field(default_factory=dict)
    purposes: dict[str, str] = field(default_factory=dict)
    lines: dict[bytes, Line] = field(default_factory=dict)
    caches: dict[bytes, dict[tuple[int, ...], ExtendedKey]] = field(default_factory=dict)
    internal: set[bytes] = field(default_factory=set)
    external: set[bytes] = field(default_factory=set)
    signing: set[bytes] = field(default_factory=set)
    seen: set[bytes] = field(default_factory=set)
    encrypted: bool = False
    secrets: bool = False
    done: int = 0
    nothing: int = 0
    known: int = 0

    def take(self, record: Record) -> None:
        """Raises Short, and NoKey, at a record that is not what its type says."""
        key, value = Serialised(record.key), Serialised(record.value)
        kind = key.text()
        self.known += kind in KNOWN
        if kind not in SAYS:
            self.nothing += record.place.origin == LIVE  # what only looks like a record is none
            return
        SAYS[kind](self, key, value, record.place)
        self.secrets |= kind in SECRETS
        self.encrypted |= kind in ENCRYPTED
        self.done += record.place.origin == LIVE or record.key not in self.seen  # space that is free holds old copies
        self.seen.add(record.key)

    def take_key(self, key: Serialised, value: Serialised, place: Place) -> None:
        public = key.string()
        try:
            PublicKey(public)
        except ValueError as error:
            raise NoKey("its point is not on the curve") from error
        self.keys.setdefault(public, place)

    def take_keymeta(self, key: Serialised, value: Serialised, place: Place) -> None:
        public, version = key.string(), value.number(4, signed=True)
        value.take(8)
        if version >= 10 and value.left and (path := value.text()):
            self.paths.setdefault(public, path)

    def take_pool(self, key: Serialised, value: Serialised, place: Place) -> None:
        """A key that was handed to nobody yet; whether it is one for change is said since version 0.15."""
        if place.origin != LIVE:
            return  # a key leaves the pool when it is handed out
        value.take(12)
        public = value.string()
        self.waiting.setdefault(public, bool(value.number(1)) if value.left else None)

    def take_watchs(self, key: Serialised, value: Serialised, place: Place) -> None:
        self.watched.setdefault(key.string(), place)

    def take_name(self, key: Serialised, value: Serialised, place: Place) -> None:
        self.labels.setdefault(key.text(), (value.text() or None, place))

    def take_purpose(self, key: Serialised, value: Serialised, place: Place) -> None:
        self.purposes.setdefault(key.text(), value.text())

    def take_line(self, key: Serialised, value: Serialised, place: Place) -> None:
        name, text = key.take(32), value.text()
        value.take(8)
        next_index, _, end = (value.number(4, signed=True) for _ in range(3))
        self.lines.setdefault(name, Line(text, next_index, end, place))

    def take_cache(self, key: Serialised, value: Serialised, place: Place) -> None:
        name, which = key.take(32), [key.number(4)]
        if key.left:
            which.append(key.number(4))
        self.caches.setdefault(name, {}).setdefault(tuple(which), key_of(self.main, None, value.string()))

    def take_internal(self, key: Serialised, value: Serialised, place: Place) -> None:
        self.internal.add(value.take(32))

    def take_external(self, key: Serialised, value: Serialised, place: Place) -> None:
        self.external.add(value.take(32))

    def take_signing(self, key: Serialised, value: Serialised, place: Place) -> None:
        """A private key of a descriptor."""
        self.signing.add(key.take(32))

    def take_said(self, key: Serialised, value: Serialised, place: Place) -> None:
        """That there is such a record says it all."""


SAYS: Mapping[str, Callable[[CoreRecords, Serialised, Serialised, Place], None]] = {
    "key": CoreRecords.take_key,
    "wkey": CoreRecords.take_key,
    "ckey": CoreRecords.take_key,
    "mkey": CoreRecords.take_said,
    "keymeta": CoreRecords.take_keymeta,
    "pool": CoreRecords.take_pool,
    "watchs": CoreRecords.take_watchs,
    "name": CoreRecords.take_name,
    "purpose": CoreRecords.take_purpose,
    "walletdescriptor": CoreRecords.take_line,
    "walletdescriptorkey": CoreRecords.take_signing,
    "walletdescriptorckey": CoreRecords.take_signing,
    "walletdescriptorcache": CoreRecords.take_cache,
    "activeinternalspk": CoreRecords.take_internal,
    "activeexternalspk": CoreRecords.take_external,
}
KNOWN = (*SAYS, "version", "minversion", "bestblock", "bestblock_nomerkle", "flags", "tx", "defaultkey", "hdchain",
         "orderposnext", "walletdescriptorlhcache")  # fmt: skip
"""Record types that tell Bitcoin Core's wallet from another program's file."""
