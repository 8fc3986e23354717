"""What a reader of wallets gives: the addresses a wallet owns, and of its private keys only that they are there.

A reader yields `Owned` and `Broken` pieces in the order in which they stand, and at the end one `Wallet`; none where
the file holds no wallet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from casewright.extract.reader import LIVE, Beside, Broken
from casewright.model.bitcoin import valid_address

OWN, CHANGE, WATCHED, CONTACT = "own", "change", "watched", "contact"
STORED, DERIVED = "stored", "derived"
MOST_DERIVED = 200_000
"""Addresses that are derived for one wallet at most: a few bytes can ask for any number."""


@dataclass(frozen=True)
class Place:
    """The bytes in the item, or in the file beside it with this suffix, that say so."""

    span_start: int
    span_length: int
    beside: str = ""
    origin: str = LIVE


@dataclass(frozen=True)
class Owned:
    """An address in a wallet.

    - `role`: `OWN`; `CHANGE`, its own for what is left of a payment; `WATCHED`, without keys; or `CONTACT`, somebody
      else's, kept in its address book.
    - `basis`: `STORED`, the address, its key or its script stands in the file; or `DERIVED`, from an extended key.
    - `path`: of the key, from the wallet's seed or from the extended key, as far as the file says.
    - `handed_out`: whether the wallet knows that it was shown to somebody; None where the file does not say.
    """

    address: str
    kind: str
    role: str
    basis: str
    place: Place
    path: str | None = None
    label: str | None = None
    handed_out: bool | None = None


@dataclass(frozen=True)
class Wallet:
    """What is known of the wallet as a whole. `found`: how many of its records said something, said nothing."""

    program: str
    network: str
    encrypted: bool
    private_keys: bool
    gap: int
    done: int
    nothing: int


Found = Owned | Broken | Wallet
Pieces = Iterator[Found]


class WalletReader(Protocol):
    """Reads the wallet in a file. `gap`: addresses that are derived beyond the last known one; `network`: taken where
    the file names none."""

    def __call__(self, file: BinaryIO, beside: Beside, gap: int, network: str) -> Pieces: ...


def network_of(addresses: Iterable[str], otherwise: str) -> str:
    """The network that these addresses are of. The test networks write most of them alike: `otherwise`
    decides then."""
    test = False
    for address in addresses:
        network = valid_address(address)
        if network in ("mainnet", "regtest"):
            return network
        test |= network == "testnet"
    return "testnet" if test and otherwise == "mainnet" else otherwise


def network_for(main: bool | None, otherwise: str) -> str:
    """The network of a key that is one of the main network, or not; `otherwise` where it agrees or does not say."""
    if main is None or main == (otherwise == "mainnet"):
        return otherwise
    return "mainnet" if main else "testnet"
