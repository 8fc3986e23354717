"""Extended keys, descriptors and private keys that stand in a text: a shop's configuration, a note, a backup."""

from collections.abc import Iterator

from casewright.extract.descriptors import Descriptor, NoDescriptor, read_descriptors
from casewright.extract.extended_keys import ExtendedKey, NoKey, extended_key
from casewright.extract.reader import Broken
from casewright.extract.wallet import CHANGE, DERIVED, OWN, STORED, Found, Owned, Place, Wallet

FORMS = {"p2pkh": "pkh({})", "p2sh-p2wpkh": "sh(wpkh({}))", "p2wpkh": "wpkh({})", "p2tr": "tr({})"}
ACCOUNTS = {"p2pkh": 44, "p2sh-p2wpkh": 49, "p2wpkh": 84, "p2tr": 86}
"""Where wallets keep their first account below a master key (BIP 44, 49, 84, 86)."""
CHAINS = (("/0/*", OWN), ("/1/*", CHANGE))


def read_written(kind: str, text: str, place: Place, gap: int, network: str) -> Iterator[Found]:
    """What a text of this kind owns: `xpub`, `xprv`, `descriptor` or `wif`.

    An extended key does not say how it is used, so every usual use is taken that its prefix allows: as an account, with
    one chain for addresses and one for change, or with addresses right below it.
    """
    try:
        secret, parts = kind in ("xprv", "wif"), list(_parts(kind, text))
        mains = {part.main for part, _ in parts if part.main is not None}
        if mains and mains != {network == "mainnet"}:
            network = "mainnet" if True in mains else "testnet"
        seen = set[str]()
        for descriptor, role in parts:
            for index in range(gap if descriptor.ranged else 1):
                for address, form in descriptor.addresses(index, network):
                    if address not in seen:
                        seen.add(address)
                        basis = DERIVED if descriptor.ranged else STORED
                        yield Owned(address, form, role, basis, place, descriptor.path(index))
        secret |= any(part.secret for part, _ in parts)
        yield Wallet(WORDS[kind], network, False, secret, gap, 1, 0)
    except (NoDescriptor, NoKey) as error:
        yield Broken("unreadable", f"{WORDS[kind]}: {error}", place.span_start, place.span_length)


WORDS = {"xpub": "extended public key", "xprv": "extended private key", "descriptor": "descriptor",
         "wif": "private key"}  # fmt: skip


def _parts(kind: str, text: str) -> Iterator[tuple[Descriptor, str]]:
    if kind == "descriptor":
        several = read_descriptors(text)
        for place, descriptor in enumerate(several):
            yield descriptor, CHANGE if place else OWN
    elif kind == "wif":
        yield read_descriptors(f"combo({text})")[0], OWN
    else:
        yield from _of_key(extended_key(text), text)


def _of_key(key: ExtendedKey, text: str) -> Iterator[tuple[Descriptor, str]]:
    if key.script in ("p2wsh", "p2sh-p2wsh"):
        raise NoKey("serves with others together only, and these do not stand beside it")
    for script, form in FORMS.items():
        if key.script not in (None, script):
            continue
        for chain, role in (*CHAINS, ("/*", OWN)):
            if key.depth == 3 and chain == "/*" or key.depth == 4 and chain != "/*":
                continue
            yield read_descriptors(form.format(f"{key.neutral}{chain}"))[0], role
        if key.secret is not None and key.depth == 0:
            account = key
            for step in (ACCOUNTS[script], 0 if key.main else 1, 0):
                account = account.child(step | 1 << 31)
            for chain, role in CHAINS:
                yield read_descriptors(form.format(f"{account.neutral}{chain}"))[0], role
