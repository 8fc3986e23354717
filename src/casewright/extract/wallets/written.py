"""Extended keys, descriptors and private keys that stand in a text: a shop's configuration, a note, a backup."""

from collections.abc import Iterator

from casewright.extract.descriptor import Descriptor
from casewright.extract.descriptors import NoDescriptor, read_descriptors
from casewright.extract.extended_keys import HARDENED, ExtendedKey, NoKey, extended_key
from casewright.extract.reader import Broken
from casewright.extract.wallet import CHANGE, DERIVED, OWN, STORED, Found, Owned, Place, Wallet, network_for

WORDS = {"xpub": "extended public key", "xprv": "extended private key", "descriptor": "descriptor",
         "wif": "private key"}  # fmt: skip
FORMS = {"p2pkh": "pkh({})", "p2sh-p2wpkh": "sh(wpkh({}))", "p2wpkh": "wpkh({})", "p2tr": "tr({})"}
ACCOUNTS = {"p2pkh": 44, "p2sh-p2wpkh": 49, "p2wpkh": 84, "p2tr": 86}
"""Where wallets keep their first account below a master key (BIP 44, 49, 84, 86)."""
CHAINS = (("/0/*", OWN), ("/1/*", CHANGE))
RIGHT_BELOW = ("/*", OWN)
ACCOUNT_DEPTH = 3
Parts = Iterator[tuple[Descriptor, str]]


def read_written(kind: str, text: str, place: Place, gap: int, network: str) -> Iterator[Found]:
    """What a text of this kind owns: `xpub`, `xprv`, `descriptor` or `wif`.

    An extended key does not say how it is used, so every usual use is taken that its prefix allows: as an account, with
    one chain for addresses and one for change, or with addresses right below it.
    """
    try:
        parts = list(_parts(kind, text))
        network = network_for(next((part.main for part, _ in parts if part.main is not None), None), network)
        seen = set[str]()
        for descriptor, role in parts:
            for owned in _of_part(descriptor, role, place, gap, network):
                if owned.address not in seen:
                    seen.add(owned.address)
                    yield owned
        secret = kind in ("xprv", "wif") or any(part.secret for part, _ in parts)
        yield Wallet(WORDS[kind], network, False, secret, gap, 1, 0)
    except (NoDescriptor, NoKey) as error:
        yield Broken("unreadable", f"{WORDS[kind]}: {error}", place.span_start, place.span_length)


def _of_part(descriptor: Descriptor, role: str, place: Place, gap: int, network: str) -> Iterator[Owned]:
    """Raises NoKey."""
    basis = DERIVED if descriptor.ranged else STORED
    for index in range(gap if descriptor.ranged else 1):
        for address, kind in descriptor.addresses(index, network):
            yield Owned(address, kind, role, basis, place, descriptor.path(index))


def _parts(kind: str, text: str) -> Parts:
    """Raises NoDescriptor and NoKey."""
    if kind == "descriptor":
        for place, descriptor in enumerate(read_descriptors(text)):
            yield descriptor, CHANGE if place == 1 else OWN
    elif kind == "wif":
        yield read_descriptors(f"combo({text})")[0], OWN
    else:
        yield from _of_key(extended_key(text))


def _of_key(key: ExtendedKey) -> Parts:
    if key.script in ("p2wsh", "p2sh-p2wsh"):
        raise NoKey("serves with others together only, and these do not stand beside it")
    for script, form in FORMS.items():
        if key.script not in (None, script):
            continue
        for chain, role in _chains(key):
            yield read_descriptors(form.format(f"{key.neutral}{chain}"))[0], role
        if key.secret is not None and key.depth == 0:
            account = key
            for step in (ACCOUNTS[script], 0 if key.main else 1, 0):
                account = account.child(step + HARDENED)
            for chain, role in CHAINS:
                yield read_descriptors(form.format(f"{account.neutral}{chain}"))[0], role


def _chains(key: ExtendedKey) -> tuple[tuple[str, str], ...]:
    """Which steps may lead from it to addresses: an account has chains, and a chain has addresses."""
    if key.depth == ACCOUNT_DEPTH:
        return CHAINS
    return (RIGHT_BELOW,) if key.depth == ACCOUNT_DEPTH + 1 else (*CHAINS, RIGHT_BELOW)
