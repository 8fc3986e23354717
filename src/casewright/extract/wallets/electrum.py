"""Electrum's wallet files: JSON, since version 4.5 with changes (RFC 6902) after the document that they change.

A file that is wholly encrypted, as base64 of an `BIE1` or `BIE2` message, is said to be so.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from casewright.extract.descriptors import NoDescriptor, read_descriptors
from casewright.extract.extended_keys import ExtendedKey, NoKey, extended_key
from casewright.extract.reader import Beside, Broken
from casewright.extract.wallet import CHANGE, CONTACT, DERIVED, OWN, STORED, Found, Owned, Place, Wallet, network_of
from casewright.model.bitcoin import address_of_script, script_of_address, valid_address

LONGEST = 256 << 20
ENCRYPTED = (b"QklFMQ", b"QklFMg")
CHAINS = (("receiving", 0, OWN), ("change", 1, CHANGE))
SEVERAL = re.compile(r"(\d{1,2})of(\d{1,2})")
ALONE = {None: "pkh({})", "p2sh-p2wpkh": "sh(wpkh({}))", "p2wpkh": "wpkh({})"}
TOGETHER = {None: "sh({})", "p2sh-p2wsh": "sh(wsh({}))", "p2wsh": "wsh({})"}
SECRETS = ("seed", "xprv", "passphrase", "keypairs", "master_private_keys")


def read_electrum(file: BinaryIO, beside: Beside, gap: int, network: str) -> Iterator[Found]:
    """A wallet of Electrum."""
    raw = file.read(LONGEST + 1)
    if raw.startswith(ENCRYPTED):
        yield Broken("encrypted", "an Electrum wallet file that opens with a password only", 0, len(raw))
        return
    try:
        if len(raw) > LONGEST:
            raise ValueError(f"is larger than {LONGEST >> 20} MiB")
        document = _document(raw.decode("utf-8"))
    except (ValueError, RecursionError, KeyError, IndexError, TypeError) as error:
        yield Broken("unreadable", f"an Electrum wallet that is no JSON: {error}", 0, len(raw))
        return
    yield from _Electrum(document, raw, gap, network).pieces()


def _document(text: str) -> dict[str, Any]:
    """The document, with the changes that follow it made."""
    decoder, at = json.JSONDecoder(), 0
    document: Any = None
    while at < len(text):
        start = re.compile(r"[\s,]*").match(text, at)
        at = start.end() if start else at
        if at == len(text):
            break
        piece, at = decoder.raw_decode(text, at)
        if document is None:
            document = piece
        else:
            _change(document, piece)
    if not isinstance(document, dict):
        raise ValueError("it holds no object")
    return document


def _change(document: Any, patch: Mapping[str, Any]) -> None:
    *steps, last = [s.replace("~1", "/").replace("~0", "~") for s in patch["path"].split("/")[1:]]
    for step in steps:
        document = document[int(step)] if isinstance(document, list) else document[step]
    if isinstance(document, list):
        place = len(document) if last == "-" else int(last)
        if patch["op"] == "add":
            document.insert(place, patch["value"])
        elif patch["op"] == "replace":
            document[place] = patch["value"]
        else:
            del document[place]
    elif patch["op"] == "remove":
        del document[last]
    else:
        document[last] = patch["value"]


class _Electrum:
    """A wallet's document, and its bytes to say where things stand in it."""

    def __init__(self, document: Mapping[str, Any], raw: bytes, gap: int, network: str) -> None:
        self._document, self._raw, self._gap = document, raw, gap
        self._stores = [self._part(name) for name in ("keystore", *(f"x{i}/" for i in range(1, 16)))]
        self._listed = list(self._addresses())
        self._network = network_of((address for address, _, _ in self._listed), network)
        self._places = dict[str, Place]()

    def pieces(self) -> Iterator[Found]:
        labels = {k: v for k, v in self._part("labels").items() if isinstance(v, str)}
        history = self._part("addr_history")
        seen = set[str]()
        for address, role, path in self._listed:
            if valid_address(address) and address not in seen:
                seen.add(address)
                handed = True if history.get(address) or address in labels else None
                kind = address_of_script(script_of_address(address, self._network), self._network)[1]
                yield Owned(address, kind, role, STORED, self._where(address), path, labels.get(address), handed)
        for piece in self._ahead():
            if isinstance(piece, Broken) or piece.address not in seen:
                yield piece
                seen |= set() if isinstance(piece, Broken) else {piece.address}
        for name, label in labels.items():
            if name not in seen and valid_address(name):
                yield Owned(name, "", CONTACT, STORED, self._where(name), None, label)
        for name, contact in self._part("contacts").items():
            if isinstance(contact, list) and name not in seen and valid_address(name):
                yield Owned(name, "", CONTACT, STORED, self._where(name), None, str(contact[-1]))
        secret = any(store.get(name) for store in (*self._stores, self._document) for name in SECRETS)
        yield Wallet("Electrum", self._network, bool(self._document.get("use_encryption")), secret, self._gap,
                     len(self._document), 0)  # fmt: skip

    def _part(self, name: str) -> dict[str, Any]:
        part = self._document.get(name)
        return part if isinstance(part, dict) else {}

    def _addresses(self) -> Iterator[tuple[str, str, str | None]]:
        """Addresses as the file lists them: by chain, or imported ones as names."""
        addresses = self._part("addresses")
        for name, number, role in CHAINS:
            listed = addresses.get(name)
            if isinstance(listed, list):
                yield from ((str(a), role, f"m/{number}/{i}") for i, a in enumerate(listed) if valid_address(str(a)))
        yield from ((name, OWN, None) for name in addresses if name not in ("receiving", "change"))

    def _where(self, text: str) -> Place:
        """The first bytes that say it."""
        if text not in self._places:
            at = self._raw.find(text.encode())
            self._places[text] = Place(max(at, 0), len(text.encode()) if at >= 0 else len(self._raw))
        return self._places[text]

    def _ahead(self) -> Iterator[Owned | Broken]:
        """Addresses from the extended keys: those that the file lists, and the gap beyond them."""
        texts = [store["xpub"] for store in self._stores if isinstance(store.get("xpub"), str)]
        if not texts:
            return
        place = self._where(texts[0])
        try:
            keys = [extended_key(text) for text in texts]
            template = self._template(keys)
            for name, number, role in CHAINS:
                listed = self._part("addresses").get(name)
                end = (len(listed) if isinstance(listed, list) else 0) + self._gap
                below = [f"{key.neutral}/{number}/*" for key in keys]
                (descriptor,) = read_descriptors(template.format(",".join(below)))
                for index in range(end):
                    for address, kind in descriptor.addresses(index, self._network):
                        yield Owned(address, kind, role, DERIVED, place, f"m/{number}/{index}")
        except (NoKey, NoDescriptor, KeyError) as error:
            yield Broken("unreadable", f"an extended key: {error}", place.span_start, place.span_length)

    def _template(self, keys: list[ExtendedKey]) -> str:
        if several := SEVERAL.fullmatch(str(self._document.get("wallet_type"))):
            return TOGETHER[keys[0].script].format(f"sortedmulti({several[1]},{{}})")
        return ALONE[keys[0].script]

