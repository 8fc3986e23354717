"""Output descriptors: which addresses a wallet's description in one line stands for.

Sources: BIP 380 (form, keys, checksum), 381 (pkh, sh), 382 (wpkh, wsh), 383 (multi), 384 (combo), 385 (raw, addr),
386 (tr), 389 (several paths in one).
Of `tr` those with a key alone are read, and of `wsh` those with several keys; Miniscript is not.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coincurve import PrivateKey, PublicKey

from casewright.extract.extended_keys import HARDENED, ExtendedKey, NoKey, extended_key
from casewright.model.bitcoin import NotAnAddress, address_of_script, base58check_decode, hash160, script_of_address

LETTERS = ("0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
           "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ")  # fmt: skip
CHECK_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)
KEY = re.compile(
    r"(?:\[(?P<origin>[0-9a-fA-F]{8}(?:/\d{1,10}['hH]?)*)\])?(?P<key>[0-9A-Za-z]+)(?P<path>(?:/\d{1,10}['hH]?)*)"
    r"(?P<any>/\*['hH]?)?"
)
SEVERAL = re.compile(r"<(\d{1,10}['hH]?(?:;\d{1,10}['hH]?)+)>")
NESTED = {"": ("pk", "pkh", "wpkh", "sh", "wsh", "tr", "combo", "addr", "raw", "multi", "sortedmulti"),
          "sh": ("pk", "pkh", "wpkh", "wsh", "multi", "sortedmulti"),
          "wsh": ("pk", "pkh", "multi", "sortedmulti")}  # fmt: skip
MOST_KEYS = 20
LONGEST = 8192
Kept = Mapping[tuple[int, ...], ExtendedKey]
"""Keys that are known without deriving them: by the place of a key in a descriptor, the one before its last step; by the
place and the number of an address, that address's."""


class NoDescriptor(ValueError):  # noqa: N818  reads as what it says
    """The text is no descriptor, or one that is not read here."""


@dataclass(frozen=True)
class Key:
    """A key in a descriptor: an extended one with the steps below it, or a plain public key.

    `ranged`: a further step follows, one for each address; `hardened`: that step is a hardened one. `secret`: it was
    given as a private key.
    """

    place: int
    plain: bytes | None
    extended: ExtendedKey | None
    steps: tuple[int, ...]
    ranged: bool
    hardened: bool
    secret: bool

    def at(self, index: int, kept: Kept) -> bytes:
        """The public key for one address. Raises NoKey."""
        if self.plain is not None:
            return self.plain
        if (itself := kept.get((self.place, index))) is not None:
            return itself.key
        assert self.extended is not None
        above = kept.get((self.place,))
        if above is None:
            above = self.extended
            for step in self.steps:
                above = above.child(step)
        if not self.ranged:
            return above.key
        return above.child(index + HARDENED if self.hardened else index).key


@dataclass(frozen=True)
class Node:
    """A part of a descriptor: what it is called, its keys, the parts within it, and what else it was given."""

    name: str
    keys: tuple[Key, ...] = ()
    within: "Node | None" = None
    threshold: int = 0
    raw: bytes = b""


@dataclass(frozen=True)
class Descriptor:
    """A descriptor that was read. `text`: without its checksum."""

    text: str
    node: Node
    keys: tuple[Key, ...]

    @property
    def ranged(self) -> bool:
        return any(key.ranged for key in self.keys)

    @property
    def secret(self) -> bool:
        return any(key.secret for key in self.keys)

    @property
    def main(self) -> bool | None:
        """Whether its keys are of the main network; None where none says so."""
        return next((key.extended.main for key in self.keys if key.extended), None)

    @property
    def public_text(self) -> str:
        """The text with public keys in the place of private ones."""
        return re.sub(r"[0-9A-Za-z]{51,}", lambda found: _public(found[0]), self.text)

    def path(self, index: int) -> str:
        """The descriptor of one address alone."""
        return self.public_text.replace("/*", f"/{index}")

    def scripts(self, index: int, kept: Kept | None = None) -> Iterator[bytes]:
        """Output scripts of one address; several for `combo` alone. Raises NoKey."""
        return _scripts(self.node, index, kept or {})

    def addresses(self, index: int, network: str, kept: Kept | None = None) -> Iterator[tuple[str, str]]:
        """(address, kind) with this number; nothing where a script has no address. Raises NoKey."""
        inner = self.node.within.name if self.node.within else ""
        for script in self.scripts(index, kept):
            address, kind = address_of_script(script, network)
            if address:
                nested = {"wpkh": "-p2wpkh", "wsh": "-p2wsh"}.get(inner, "")
                yield address, kind + nested if self.node.name == "sh" else kind


def read_descriptors(text: str) -> list[Descriptor]:
    """The descriptors that a text stands for: several where it names several paths. Raises NoDescriptor."""
    body, mark, check = text.partition("#")
    if len(text) > LONGEST:
        raise NoDescriptor("is too long")
    if mark and check != checksum(body):
        raise NoDescriptor("its checksum does not hold")
    several = SEVERAL.findall(body)
    counts = {found.count(";") for found in several}
    if len(counts) > 1:
        raise NoDescriptor("names different numbers of paths")
    return [_read(SEVERAL.sub(lambda found: found[1].split(";")[i], body)) for i in range(max(counts or {0}) + 1)]  # noqa: B023  called at once


def checksum(body: str) -> str:
    """Eight letters over a descriptor (BIP 380). Raises NoDescriptor."""
    state, groups, classes = 1, 0, 0
    values = list[int]()
    for place, letter in enumerate(body, start=1):
        number = LETTERS.find(letter)
        if number < 0:
            raise NoDescriptor(f"holds {letter!r}, which no descriptor does")
        values.append(number & 31)
        groups, classes = groups * 3 + (number >> 5), classes + 1
        if place % 3 == 0 or place == len(body):
            values.append(groups)
            groups = classes = 0
    for value in [*values, *[0] * 8]:
        top = state >> 35
        state = (state & 0x7FFFFFFFF) << 5 ^ value
        for i, generator in enumerate(GENERATOR):
            state ^= generator if top >> i & 1 else 0
    state ^= 1
    return "".join(CHECK_LETTERS[state >> 5 * (7 - i) & 31] for i in range(8))


def _read(body: str) -> Descriptor:
    keys = list[Key]()
    try:
        node = _node(body, "", keys)
    except (NoKey, NotAnAddress, ValueError) as error:
        raise NoDescriptor(str(error)) from error
    return Descriptor(body, node, tuple(keys))


def _node(text: str, around: str, keys: list[Key]) -> Node:
    name, opened, rest = text.partition("(")
    if not opened or not rest.endswith(")") or name not in NESTED.get(around, ()):
        raise NoDescriptor(f"{text[:40]!r} is nothing that is read here")
    inner = rest[:-1]
    if name in ("sh", "wsh"):
        return Node(name, within=_node(inner, name, keys))
    if name in ("multi", "sortedmulti"):
        threshold, *parts = inner.split(",")
        if not threshold.isdigit() or not 1 <= int(threshold) <= len(parts) <= MOST_KEYS:
            raise NoDescriptor("asks for more keys than it names")
        return Node(name, tuple(_key(part, keys, around) for part in parts), threshold=int(threshold))
    if name == "raw":
        return Node(name, raw=bytes.fromhex(inner))
    if name == "addr":
        return Node(name, raw=_script_of(inner))
    if name == "tr" and "," in inner:
        raise NoDescriptor("has scripts below its key, which are not read here")
    return Node(name, (_key(inner, keys, around or name),))


def _script_of(address: str) -> bytes:
    for network in ("mainnet", "testnet", "regtest"):
        try:
            return script_of_address(address, network)
        except NotAnAddress:
            continue
    raise NoDescriptor(f"{address[:90]!r} is no address")


def _key(text: str, keys: list[Key], around: str) -> Key:
    match = KEY.fullmatch(text)
    if match is None:
        raise NoDescriptor(f"{text[:40]!r} is no key")
    steps = tuple(_step(step) for step in match["path"].split("/")[1:])
    ranged = match["any"] is not None
    key = Key(len(keys), *_stands_for(match["key"], around), steps, ranged, ranged and match["any"] != "/*", False)
    if key.plain is not None and (steps or ranged):
        raise NoDescriptor("a single key has none below it")
    keys.append(Key(**{**key.__dict__, "secret": _is_secret(match["key"])}))
    return keys[-1]


def _stands_for(text: str, around: str) -> tuple[bytes | None, ExtendedKey | None]:
    if len(text) in (66, 130) and (raw := bytes.fromhex(text)):
        return PublicKey(raw).format(compressed=len(raw) == 33), None
    if len(text) == 64 and around == "tr":
        return PublicKey(b"\x02" + bytes.fromhex(text)).format(), None
    if (secret := _wif(text)) is not None:
        return secret, None
    return None, extended_key(text)


def _wif(text: str) -> bytes | None:
    """The public key of a private one in the form that wallets import; None when it is none."""
    if not 51 <= len(text) <= 52:
        return None
    raw = base58check_decode(text)
    if raw[0] not in (0x80, 0xEF) or len(raw) not in (33, 34) or raw[33:] not in (b"", b"\x01"):
        return None
    return PrivateKey(raw[1:33]).public_key.format(compressed=len(raw) == 34)


def _is_secret(text: str) -> bool:
    return len(text) in (51, 52) or (len(text) > 66 and text[1:4] == "prv")


def _public(text: str) -> str:
    if not _is_secret(text):
        return text
    plain, extended = _stands_for(text, "")
    return plain.hex() if plain else str(extended)


def _step(text: str) -> int:
    number = int(text.rstrip("'hH"))
    if number >= HARDENED:
        raise NoDescriptor(f"there is no key {number}")
    return number + HARDENED if text[-1] in "'hH" else number


def _scripts(node: Node, index: int, kept: Kept) -> Iterator[bytes]:
    keys = [key.at(index, kept) for key in node.keys]
    if node.name in ("raw", "addr"):
        yield node.raw
    elif node.within is not None:
        inner = next(_scripts(node.within, index, kept))
        yield b"\xa9\x14" + hash160(inner) + b"\x87" if node.name == "sh" else b"\0\x20" + sha256(inner)
    elif node.name in ("multi", "sortedmulti"):
        ordered = sorted(keys) if node.name == "sortedmulti" else keys
        pushed = b"".join(bytes([len(key)]) + key for key in ordered)
        yield _number(node.threshold) + pushed + _number(len(keys)) + b"\xae"
    elif node.name == "tr":
        yield b"\x51\x20" + output_key(keys[0])
    else:
        yield from FORMS[node.name](keys[0])


def _number(value: int) -> bytes:
    return bytes([0x50 + value]) if value <= 16 else bytes([1, value])


def _combo(key: bytes) -> Iterator[bytes]:
    yield from (*_pk(key), *_pkh(key))
    if len(key) == 33:
        yield from (*_wpkh(key), wrapped(key))


def _pk(key: bytes) -> Iterator[bytes]:
    yield bytes([len(key)]) + key + b"\xac"


def _pkh(key: bytes) -> Iterator[bytes]:
    yield b"\x76\xa9\x14" + hash160(key) + b"\x88\xac"


def _wpkh(key: bytes) -> Iterator[bytes]:
    yield b"\0\x14" + hash160(key)


FORMS = {"pk": _pk, "pkh": _pkh, "wpkh": _wpkh, "combo": _combo}


def wrapped(key: bytes) -> bytes:
    """The script that pays a key's witness program through a script hash (BIP 141)."""
    return b"\xa9\x14" + hash160(b"\0\x14" + hash160(key)) + b"\x87"


def output_key(key: bytes) -> bytes:
    """The key that a Taproot output pays when there are no scripts below it (BIP 341, 386): 32 bytes."""
    tag = sha256(b"TapTweak")
    tweak = sha256(tag + tag + key[1:])
    return PublicKey(b"\x02" + key[1:]).add(tweak).format()[1:]


def sha256(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()
