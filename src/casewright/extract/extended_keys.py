"""Extended keys of hierarchical wallets, and the keys below them (BIP 32), with the prefixes that name a script type.

Sources: BIP 32 for derivation and encoding, SLIP 132 for the prefixes. Secrets serve to find the public key that they
stand for, and nothing here writes them down.
"""

import hmac
from dataclasses import dataclass, replace

from coincurve import PrivateKey, PublicKey

from casewright.model.bitcoin import NotAnAddress, base58check_decode, base58check_encode, hash160

HARDENED = 1 << 31
PUBLIC: dict[bytes, tuple[bool, str | None]] = {
    bytes.fromhex(version): (main, script)
    for version, main, script in (
        ("0488b21e", True, None), ("043587cf", False, None),
        ("049d7cb2", True, "p2sh-p2wpkh"), ("044a5262", False, "p2sh-p2wpkh"),
        ("04b24746", True, "p2wpkh"), ("045f1cf6", False, "p2wpkh"),
        ("0295b43f", True, "p2sh-p2wsh"), ("024289ef", False, "p2sh-p2wsh"),
        ("02aa7ed3", True, "p2wsh"), ("02575483", False, "p2wsh"),
    )
}  # fmt: skip
PRIVATE = dict(zip((bytes.fromhex(version) for version in (
    "0488ade4", "04358394", "049d7878", "044a4e28", "04b2430c", "045f18bc", "0295b005", "024285b5", "02aa7a99",
    "02575048")), PUBLIC, strict=True))  # fmt: skip
"""Version bytes of private keys, and those of the public keys they stand for."""
LENGTH = 78
DEEPEST = 255


class NoKey(ValueError):  # noqa: N818  reads as what it says
    """The text is no extended key, or there is no such key below it."""


@dataclass(frozen=True)
class ExtendedKey:
    """A public key with its chain code, and the secret where it was given as one.

    `script`: the type that the prefix names, None for xpub and tpub, which serve for all.
    """

    main: bool
    script: str | None
    depth: int
    parent: bytes
    number: int
    chain: bytes
    key: bytes
    secret: bytes | None = None

    def child(self, number: int) -> "ExtendedKey":
        """The key with this number below it; hardened ones have numbers from `HARDENED`. Raises NoKey."""
        if number >= HARDENED and self.secret is None:
            raise NoKey("a hardened key can't be derived from a public one")
        if self.depth == DEEPEST or number >= 2 * HARDENED:
            raise NoKey("there is no key below it with this number")
        head = b"\0" + self.secret if number >= HARDENED and self.secret else self.key
        mixed = hmac.digest(self.chain, head + number.to_bytes(4, "big"), "sha512")
        below = replace(self, depth=self.depth + 1, parent=hash160(self.key)[:4], number=number, chain=mixed[32:])
        try:
            if self.secret is None:
                return replace(below, key=PublicKey(self.key).add(mixed[:32]).format())
            secret = PrivateKey(self.secret).add(mixed[:32])
        except ValueError as error:  # one number in 2**127
            raise NoKey(f"there is no key {number} below it") from error
        return replace(below, key=secret.public_key.format(), secret=secret.secret)

    @property
    def neutral(self) -> "ExtendedKey":
        """The public key as one that serves for all script types."""
        return replace(self, secret=None, script=None)

    def __str__(self) -> str:
        """The public key as text; never the secret."""
        version = next(v for v, meaning in PUBLIC.items() if meaning == (self.main, self.script))
        return base58check_encode(version + bytes([self.depth]) + self.parent + self.number.to_bytes(4, "big")
                                  + self.chain + self.key)  # fmt: skip

    def __repr__(self) -> str:
        return f"ExtendedKey({self})"


def extended_key(text: str) -> ExtendedKey:
    """The key that a text stands for. Raises NoKey."""
    try:
        raw = base58check_decode(text)
    except NotAnAddress as error:
        raise NoKey(str(error)) from error
    version = PRIVATE.get(raw[:4], raw[:4])
    if len(raw) != LENGTH or version not in PUBLIC:
        raise NoKey("is no extended key")
    return key_of(*PUBLIC[version], raw[4:], secret=raw[:4] in PRIVATE)


def key_of(main: bool, script: str | None, raw: bytes, *, secret: bool = False) -> ExtendedKey:
    """The key in these 74 bytes: an extended key without its version. Raises NoKey."""
    if len(raw) != LENGTH - 4 or (secret and raw[41]):
        raise NoKey("is no extended key")
    depth, parent, number, chain, key = raw[0], raw[1:5], int.from_bytes(raw[5:9], "big"), raw[9:41], raw[41:]
    if depth == 0 and (any(parent) or number):
        raise NoKey("is no extended key: it has no parent, and yet names one")
    try:
        public = PrivateKey(key[1:]).public_key.format() if secret else PublicKey(key).format()
    except ValueError as error:
        raise NoKey("is no extended key: its point is not on the curve") from error
    return ExtendedKey(main, script, depth, parent, number, chain, public, key[1:] if secret else None)
