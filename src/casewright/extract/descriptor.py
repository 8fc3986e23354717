"""What a descriptor says once it is read: its keys, the scripts they pay to, and the addresses of these.

Sources: BIP 380 to 386. `descriptors.py` reads them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from casewright.extract import output_scripts as to
from casewright.extract.extended_keys import HARDENED, ExtendedKey
from casewright.model.bitcoin import address_of_script

Kept = Mapping[tuple[int, ...], ExtendedKey]
"""Keys that are known without deriving them: by the place of a key in a descriptor, the one before its last step; by
the place and the number of an address, that address's."""
SINGLE = {"pk": to.pk, "pkh": to.pkh, "wpkh": to.wpkh, "tr": to.tr}
AROUND = {"sh": to.sh, "wsh": to.wsh}


@dataclass(frozen=True)
class Key:
    """A key in a descriptor: an extended one with the steps below it, or a plain public key.

    `ranged`: a further step follows, one for each address; `hardened`: that step is a hardened one. `secret`: it was
    given as a private key. `main`: it is one of the main network; None where it does not say.
    """

    place: int
    plain: bytes | None
    extended: ExtendedKey | None
    steps: tuple[int, ...]
    ranged: bool
    hardened: bool
    secret: bool
    main: bool | None

    def at(self, index: int, kept: Kept) -> bytes:
        """The public key for one address. Raises NoKey."""
        if self.plain is not None:
            return self.plain
        if (itself := kept.get((self.place, index))) is not None:
            return itself.key
        above = kept.get((self.place,)) or self._above
        if not self.ranged:
            return above.key
        return above.child(index + HARDENED if self.hardened else index).key

    @cached_property
    def _above(self) -> ExtendedKey:
        """The key before the last step."""
        assert self.extended is not None
        key = self.extended
        for step in self.steps:
            key = key.child(step)
        return key


@dataclass(frozen=True)
class Node:
    """A part of a descriptor: what it is called, its keys, the part within it, and what else it was given."""

    name: str
    keys: tuple[Key, ...] = ()
    within: "Node | None" = None
    threshold: int = 0
    raw: bytes = b""

    def scripts(self, index: int, kept: Kept) -> Iterator[bytes]:
        """Raises NoKey."""
        keys = [key.at(index, kept) for key in self.keys]
        if self.within is not None:
            yield AROUND[self.name](next(self.within.scripts(index, kept)))
        elif self.name == "combo":
            yield from to.combo(keys[0])
        elif self.threshold:
            yield to.multi(self.threshold, sorted(keys) if self.name == "sortedmulti" else keys)
        else:
            yield SINGLE[self.name](keys[0]) if keys else self.raw


@dataclass(frozen=True)
class Descriptor:
    """A descriptor that was read. `public_text`: without its checksum, and with public keys in the place of private
    ones. `main`: it is of the main network; None where nothing in it says so."""

    public_text: str
    node: Node
    keys: tuple[Key, ...]
    main: bool | None

    @property
    def ranged(self) -> bool:
        return any(key.ranged for key in self.keys)

    @property
    def secret(self) -> bool:
        return any(key.secret for key in self.keys)

    def path(self, index: int) -> str:
        """The descriptor of one address alone."""
        return self.public_text.replace("/*", f"/{index}")

    def scripts(self, index: int, kept: Kept | None = None) -> Iterator[bytes]:
        """Output scripts of one address; several for `combo` alone. Raises NoKey."""
        return self.node.scripts(index, kept or {})

    def addresses(self, index: int, network: str, kept: Kept | None = None) -> Iterator[tuple[str, str]]:
        """(address, kind) with this number; nothing where a script has no address. Raises NoKey."""
        inner = self.node.within.name if self.node.within and self.node.name == "sh" else ""
        nested = {"wpkh": "-p2wpkh", "wsh": "-p2wsh"}.get(inner, "")
        for script in self.scripts(index, kept):
            address, kind = address_of_script(script, network)
            if address:
                wrapped = "-p2wpkh" if self.node.name == "combo" and kind == "p2sh" else nested
                yield address, kind + wrapped
