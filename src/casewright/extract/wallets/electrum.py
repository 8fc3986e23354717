"""Electrum's wallet files: what they list, and what their extended keys lead to beyond that.

Sources: `wallet_db.py` and `keystore.py` of Electrum. A file that is encrypted as a whole, as base64 of a `BIE1` or
`BIE2` message, is said to be so. Of files from before version 2.7, which keep keys in `accounts`, only what they list
is read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO

from casewright.extract.descriptors import NoDescriptor, read_descriptors
from casewright.extract.extended_keys import ExtendedKey, NoKey, extended_key
from casewright.extract.reader import Beside, Broken
from casewright.extract.wallet import (
    CHANGE,
    CONTACT,
    DERIVED,
    MOST_DERIVED,
    OWN,
    STORED,
    Found,
    Owned,
    Place,
    Wallet,
    network_for,
    network_of,
)
from casewright.extract.wallets.electrum_file import NoDocument, read_document
from casewright.extract.wallets.electrum_old import old_addresses
from casewright.model.bitcoin import NotAnAddress, address_of_script, script_of_address, valid_address

LONGEST = 64 << 20
ENCRYPTED = (b"QklFMQ", b"QklFMg")
CHAINS = (("receiving", 0, OWN), ("change", 1, CHANGE))
SEVERAL = re.compile(r"([0-9]{1,2})of[0-9]{1,2}")
WITH_A_SERVICE = "2fa"
"""Two keys of three, one of them a service's."""
ALONE = {None: "pkh({})", "p2sh-p2wpkh": "sh(wpkh({}))", "p2wpkh": "wpkh({})"}
TOGETHER = {None: "sh({})", "p2sh-p2wsh": "sh(wsh({}))", "p2wsh": "wsh({})"}
SECRETS = ("seed", "xprv", "passphrase", "keypairs", "master_private_keys")
QUOTED = re.compile(rb'"([0-9A-Za-z]{26,130})"')
"""Addresses and keys as JSON writes them."""


def read_electrum(file: BinaryIO, beside: Beside, gap: int, network: str) -> Iterator[Found]:
    """A wallet of Electrum. Another program's JSON gives nothing."""
    raw = file.read(LONGEST + 1)
    if raw.startswith(ENCRYPTED):
        yield Broken("encrypted", "an Electrum wallet file that opens with a password only", 0, len(raw))
        return
    try:
        if len(raw) > LONGEST:
            raise NoDocument(f"is larger than {LONGEST >> 20} MiB")
        document = read_document(raw)
    except NoDocument as error:
        yield Broken("unreadable", f"an Electrum wallet file that {error}", 0, len(raw))
        return
    if not {"wallet_type", "seed_version", "accounts"} & document.parts.keys():
        return
    if document.intact < len(raw):
        detail = "changes at the end of an Electrum wallet file that are cut off, or make no sense"
        yield Broken("truncated", detail, document.intact, len(raw) - document.intact)
    yield from _Electrum(document.parts, raw, gap, network).pieces()


class _Electrum:
    """A wallet's document, and its bytes to say where things stand in it."""

    def __init__(self, document: Mapping[str, Any], raw: bytes, gap: int, network: str) -> None:
        self._document, self._size, self._gap = document, len(raw), gap
        self._places = dict[str, Place]()
        for found in QUOTED.finditer(raw):
            self._places.setdefault(found[1].decode(), Place(found.start(1), len(found[1])))
        self._stores = [self._part(name) for name in ("keystore", *(f"x{i}/" for i in range(1, 16)))]
        self._labels = {name: text for name, text in self._part("labels").items() if isinstance(text, str)}
        self._listed = list(self._addresses())
        known = (address for address, _, _ in chain(self._listed, self._seen_before()))
        self._network = network_of(known, network)

    def pieces(self) -> Iterator[Found]:
        seen = set[str]()
        for piece in chain(self._stored(self._listed), self._ahead(), self._stored(self._seen_before()), self._book()):
            if isinstance(piece, Broken) or piece.address not in seen:
                yield piece
            if isinstance(piece, Owned):
                seen.add(piece.address)
        stores = (*self._stores, self._document, *self._part("accounts").values())
        secret = any(part.get(name) for part in stores if isinstance(part, dict) for name in (*SECRETS, "imported"))
        encrypted = bool(self._document.get("use_encryption"))
        yield Wallet("Electrum", self._network, encrypted, secret, self._gap, len(self._document), 0)

    def _part(self, name: str) -> dict[str, Any]:
        part = self._document.get(name)
        return part if isinstance(part, dict) else {}

    def _addresses(self) -> Iterator[tuple[str, str, str | None]]:
        """Addresses as the file lists them: by chain, or imported ones as names."""
        addresses = self._part("addresses")
        for name, number, role in CHAINS:
            listed = addresses.get(name)
            for index, address in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(address, str) and valid_address(address):
                    yield address, role, f"m/{number}/{index}"
        yield from ((name, OWN, None) for name in addresses if valid_address(name))

    def _seen_before(self) -> Iterator[tuple[str, str, str | None]]:
        """Addresses whose history it keeps, which are its own."""
        listed = {address for address, _, _ in self._listed}
        names = (name for name in self._part("addr_history") if name not in listed)
        yield from ((name, OWN, None) for name in names if valid_address(name))

    def _stored(self, listed: Iterable[tuple[str, str, str | None]]) -> Iterator[Owned]:
        history = self._part("addr_history")
        for address, role, path in listed:
            try:
                kind = address_of_script(script_of_address(address, self._network), self._network)[1]
            except NotAnAddress:
                kind = ""  # one of another network than the rest
            handed = True if history.get(address) or address in self._labels else None
            yield Owned(address, kind, role, STORED, self._where(address), path, self._label(address), handed)

    def _label(self, name: str) -> str | None:
        return _text(self._labels[name]) if name in self._labels else None

    def _where(self, text: str) -> Place:
        """The first bytes that say it."""
        return self._places.get(text) or Place(0, self._size)

    def _ahead(self) -> Iterator[Owned | Broken]:
        """Addresses from the extended keys: those that the file lists, and the gap beyond them."""
        texts = [store["xpub"] for store in self._stores if isinstance(store.get("xpub"), str)]
        old = self._stores[0].get("mpk")
        place = self._where(texts[0] if texts else str(old))
        try:
            if texts:
                yield from self._of_keys([extended_key(text) for text in texts], place)
            elif isinstance(old, str):
                for name, number, role in CHAINS:
                    for index, address in enumerate(old_addresses(old, number, self._end(name), self._network)):
                        yield Owned(address, "p2pkh", role, DERIVED, place, f"m/{number}/{index}")
            elif self._document.get("accounts"):
                yield Broken(
                    "unreadable", "keys as Electrum before 2.7 kept them; what it lists is read", 0, self._size
                )
        except (NoKey, NoDescriptor) as error:
            yield Broken("unreadable", f"an extended key: {error}", place.span_start, place.span_length)

    def _end(self, name: str) -> int:
        listed = self._part("addresses").get(name)
        return min((len(listed) if isinstance(listed, list) else 0) + self._gap, MOST_DERIVED)

    def _of_keys(self, keys: list[ExtendedKey], place: Place) -> Iterator[Owned]:
        """Raises NoKey and NoDescriptor."""
        template = self._template(keys[0].script)
        self._network = network_for(keys[0].main, self._network)
        for name, number, role in CHAINS:
            below = ",".join(f"{key.neutral}/{number}/*" for key in keys)
            (descriptor,) = read_descriptors(template.format(below))
            for index in range(self._end(name)):
                for address, kind in descriptor.addresses(index, self._network):
                    yield Owned(address, kind, role, DERIVED, place, f"m/{number}/{index}")

    def _template(self, script: str | None) -> str:
        """How its keys are used. Raises NoKey."""
        kind = str(self._document.get("wallet_type"))
        several = SEVERAL.fullmatch(kind)
        needed = several[1] if several else "2" if kind == WITH_A_SERVICE else None
        template = (TOGETHER if needed else ALONE).get(script)
        if template is None:
            raise NoKey(f"its prefix says {script}, which a wallet of this type is not")
        return template.format(f"sortedmulti({needed},{{}})") if needed else template

    def _book(self) -> Iterator[Owned]:
        """Addresses that are not its own: labelled ones, and contacts."""
        for name in self._labels:
            if valid_address(name):
                yield Owned(name, "", CONTACT, STORED, self._where(name), None, self._label(name))
        for name, contact in self._part("contacts").items():
            if valid_address(name):
                label = _text(contact[-1]) if isinstance(contact, list) and contact else None
                yield Owned(name, "", CONTACT, STORED, self._where(name), None, label)


def _text(value: Any) -> str:
    """As text that can be kept: JSON may hold halves of letters."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
