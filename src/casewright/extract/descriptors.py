"""Output descriptors as text: which addresses a wallet's description in one line stands for.

Sources: BIP 380 (form, keys), 381 (pk, pkh, sh), 382 (wpkh, wsh), 383 (multi, sortedmulti), 384 (combo), 385 (raw,
addr), 386 (tr), 389 (several paths in one). Of `tr` those with a key alone are read; Miniscript is not. A private key
is replaced by its public one as soon as it is read, and no message repeats what stood there.
"""

import re
from dataclasses import dataclass, field

from coincurve import PrivateKey, PublicKey

from casewright.extract.descriptor import Descriptor, Key, Node
from casewright.extract.descriptor_checksum import checksum
from casewright.extract.extended_keys import HARDENED, ExtendedKey, NoKey, extended_key
from casewright.extract.output_scripts import COMPRESSED
from casewright.model.bitcoin import NotAnAddress, base58check_decode, script_of_address

KEY = re.compile(
    r"(?:\[[0-9a-fA-F]{8}(?:/\d{1,10}['hH]?)*\])?(?P<key>[0-9A-Za-z]+)(?P<path>(?:/\d{1,10}['hH]?)*)(?P<any>/\*['hH]?)?",
    re.ASCII,
)
SEVERAL = re.compile(r"<(\d{1,10}['hH]?(?:;\d{1,10}['hH]?)+)>", re.ASCII)
MISPLACED = re.compile(r"\[[^\]]*<|>[^,()]*<")
"""Several paths before a key, or twice below one."""
NESTED = {"": ("pk", "pkh", "wpkh", "sh", "wsh", "tr", "combo", "addr", "raw", "multi", "sortedmulti"),
          "sh": ("pk", "pkh", "wpkh", "wsh", "multi", "sortedmulti"),
          "wsh": ("pk", "pkh", "multi", "sortedmulti")}  # fmt: skip
MOST_KEYS = {"": 3, "sh": 15, "wsh": 20}
SHORT_KEYS = ("wpkh", "wsh", "tr")
"""What only compressed keys serve for."""
LONGEST = 8192
WIF_MAIN, WIF_TEST = 0x80, 0xEF


class NoDescriptor(ValueError):  # noqa: N818  reads as what it says
    """The text is no descriptor, or one that is not read here."""


def read_descriptors(text: str) -> list[Descriptor]:
    """The descriptors that a text stands for: several where it names several paths. Raises NoDescriptor."""
    if len(text) > LONGEST:
        raise NoDescriptor("is too long")
    body, mark, check = text.partition("#")
    if mark and check != checksum(body):
        raise NoDescriptor("its checksum does not hold")
    counts = {found.count(";") for found in SEVERAL.findall(body)}
    if len(counts) > 1 or MISPLACED.search(body):
        raise NoDescriptor("names different numbers of paths, or paths where none can be")
    return [_read(_with_path(body, number)) for number in range(max(counts or {0}) + 1)]


def _with_path(body: str, number: int) -> str:
    return SEVERAL.sub(lambda found: found[1].split(";")[number], body)


def _read(body: str) -> Descriptor:
    reading = _Reading()
    try:
        node = reading.node(body, "")
    except (NoKey, NotAnAddress) as error:
        raise NoDescriptor(str(error)) from error
    for private, public in reading.shown.items():
        body = body.replace(private, public)
    main = next((key.main for key in reading.keys if key.main is not None), reading.main)
    return Descriptor(body, node, tuple(reading.keys), main)


@dataclass
class _Reading:
    """What was met so far: keys in their order, and of private ones what is shown in their place."""

    keys: list[Key] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    main: bool | None = None

    def node(self, text: str, around: str) -> Node:
        name, opened, rest = text.partition("(")
        if not opened or not rest.endswith(")") or name not in NESTED.get(around, ()):
            raise NoDescriptor(f"{_named(name)} is nothing that is read {f'in {around}()' if around else 'here'}")
        inner = rest[:-1]
        if name in ("sh", "wsh"):
            return Node(name, within=self.node(inner, name))
        if name in ("multi", "sortedmulti"):
            return self._multi(name, inner, around)
        if name == "raw":
            return Node(name, raw=_hex(inner))
        if name == "addr":
            return Node(name, raw=self._script(inner))
        if name == "tr" and "," in inner:
            raise NoDescriptor("has scripts below its key, which are not read here")
        return Node(name, (self._key(inner, name if name in SHORT_KEYS else around),))

    def _multi(self, name: str, inner: str, around: str) -> Node:
        threshold, *parts = inner.split(",")
        if not re.fullmatch(r"[0-9]{1,2}", threshold) or not 1 <= int(threshold) <= len(parts) <= MOST_KEYS[around]:
            raise NoDescriptor("asks for more keys than it names, or names too many")
        return Node(name, tuple(self._key(part, around) for part in parts), threshold=int(threshold))

    def _script(self, address: str) -> bytes:
        for network in ("mainnet", "testnet", "regtest"):
            try:
                script = script_of_address(address, network)
            except NotAnAddress:
                continue
            self.main = network == "mainnet"
            return script
        raise NoDescriptor("names an address that is none")

    def _key(self, text: str, around: str) -> Key:
        match = KEY.fullmatch(text)
        if match is None:
            raise NoDescriptor("a key in it is none")
        itself = _stands_for(match["key"], around)
        steps = tuple(_step(step) for step in match["path"].split("/")[1:])
        last = match["any"]
        key = Key(len(self.keys), itself.plain, itself.extended, steps, last is not None, last not in (None, "/*"),
                  itself.secret, itself.main)  # fmt: skip
        if key.plain is not None and (steps or key.ranged):
            raise NoDescriptor("a single key has none below it")
        if key.plain is not None and around in SHORT_KEYS and len(key.plain) != COMPRESSED:
            raise NoDescriptor(f"{around}() with a key that is not compressed")
        if key.secret:
            self.shown[match["key"]] = key.plain.hex() if key.plain else str(key.extended)
        self.keys.append(key)
        return key


@dataclass(frozen=True)
class _Itself:
    """A key alone, without steps."""

    plain: bytes | None
    extended: ExtendedKey | None
    secret: bool
    main: bool | None


def _named(name: str) -> str:
    """Names of functions are repeated, and nothing that could be a part of a key."""
    return f"{name}()" if re.fullmatch(r"[a-z_:]{1,12}", name) else "a part of it"


def _hex(text: str) -> bytes:
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text):
        raise NoDescriptor("has something else where hex digits belong")
    return bytes.fromhex(text)


def _stands_for(text: str, around: str) -> _Itself:
    if len(text) in (66, 130) and text[:2] in ("02", "03", "04"):
        return _Itself(_point(_hex(text)), None, False, None)
    if len(text) == 64 and around == "tr":
        return _Itself(_point(b"\x02" + _hex(text)), None, False, None)
    if len(text) in (51, 52):
        return _private(base58check_decode(text))
    key = extended_key(text)
    return _Itself(None, key, key.secret is not None, key.main)


def _point(raw: bytes) -> bytes:
    """The public key itself, once it is known to be one."""
    try:
        return bytes(PublicKey(raw).format(compressed=len(raw) == COMPRESSED))
    except ValueError as error:
        raise NoDescriptor("a key in it is not on the curve") from error


def _private(raw: bytes) -> _Itself:
    """The public key of a private one in the form in which wallets export it: version, 32 bytes, and a 1 when the
    public key is compressed."""
    if raw[0] not in (WIF_MAIN, WIF_TEST) or len(raw) not in (33, 34) or raw[33:] not in (b"", b"\x01"):
        raise NoDescriptor("a key in it is none")
    try:
        public = PrivateKey(raw[1:33]).public_key.format(compressed=len(raw) == 34)
    except ValueError as error:
        raise NoDescriptor("a private key in it is out of range") from error
    return _Itself(bytes(public), None, True, raw[0] == WIF_MAIN)


def _step(text: str) -> int:
    number = int(text.rstrip("'hH"))
    if number >= HARDENED:
        raise NoDescriptor(f"there is no key {number}")
    return number + HARDENED if text[-1] in "'hH" else number
