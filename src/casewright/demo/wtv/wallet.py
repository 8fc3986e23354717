"""The operator's wallet as it lay on the server: an Electrum file that lists the addresses to which deposits were
swept. It opens with a password only, and what stands where keys would stand is no key.
"""

import hashlib
import json
from collections.abc import Mapping


def electrum_wallet(owners: Mapping[str, str], owner: str, deposits: frozenset[str]) -> bytes:
    """The file of a wallet of imported addresses: all of this owner's but the deposit addresses."""
    own = [address for address, of in owners.items() if of == owner and address not in deposits]
    listed = {a: {"pubkey": hashlib.sha256(a.encode()).hexdigest(), "type": _kind(a)} for a in own}
    keys = {entry["pubkey"]: "encrypted" for entry in listed.values()}
    document = {"addresses": listed, "keystore": {"keypairs": keys, "type": "imported"}, "seed_version": 18,
                "use_encryption": True, "wallet_type": "imported"}  # fmt: skip
    return json.dumps(document, indent=4, sort_keys=True).encode() + b"\n"


def _kind(address: str) -> str:
    return "p2wpkh" if address.startswith("bcrt1q") else "p2tr" if address.startswith("bcrt1p") else "p2pkh"
