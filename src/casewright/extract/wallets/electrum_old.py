"""Addresses of Electrum's first kind of keys, from before there was BIP 32.

Source: `Old_KeyStore` in `keystore.py` of Electrum. The master public key is a point without its first byte; each key
is that point moved by a digest of the key's number, its chain and the master key.
"""

from collections.abc import Iterator

from coincurve import PublicKey

from casewright.extract.extended_keys import NoKey
from casewright.extract.output_scripts import pkh
from casewright.model.bitcoin import address_of_script, sha256d


def old_addresses(master: str, chain: int, count: int, network: str) -> Iterator[str]:
    """The first addresses of a chain. Raises NoKey."""
    try:
        raw = bytes.fromhex(master)
        point = PublicKey(b"\x04" + raw)
    except ValueError as error:
        raise NoKey("is no master public key") from error
    for index in range(count):
        moved = point.add(sha256d(f"{index}:{chain}:".encode() + raw))
        address, _ = address_of_script(pkh(moved.format(compressed=False)), network)
        assert address is not None
        yield address
