"""Keys, addresses and signatures of the fictional operation. Every key derives from its name: worth nothing, anywhere.

ECDSA by RFC 6979 (deterministic, low S) and BIP 143; key-path taproot by BIP 340/341.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from coincurve import PrivateKey, PublicKey

from casewright.model.bitcoin import NETWORKS, base58check_encode, hash160, script_of_address, segwit_encode

NETWORK = "regtest"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KINDS = ("p2pkh", "p2wpkh", "p2sh", "p2tr")


def tagged(tag: str, data: bytes) -> bytes:
    """BIP 340 tagged hash."""
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + data).digest()


@dataclass(frozen=True)
class Key:
    """A key with the kind of address it is used for: p2pkh, p2wpkh, p2sh (a nested p2wpkh) or p2tr."""

    name: str
    kind: str

    @cached_property
    def private(self) -> PrivateKey:
        number = int.from_bytes(hashlib.sha256(b"casewright demo key " + self.name.encode()).digest(), "big")
        return PrivateKey((number % (ORDER - 1) + 1).to_bytes(32, "big"))

    @cached_property
    def public(self) -> bytes:
        raw: bytes = self.private.public_key.format(compressed=True)
        return raw

    @cached_property
    def address(self) -> str:
        net = NETWORKS[NETWORK]
        if self.kind == "p2pkh":
            return base58check_encode(bytes([net.p2pkh]) + hash160(self.public))
        if self.kind == "p2sh":
            return base58check_encode(bytes([net.p2sh]) + hash160(self.redeem))
        if self.kind == "p2tr":
            return segwit_encode(net.hrp, 1, self._output_key)
        return segwit_encode(net.hrp, 0, hash160(self.public))

    @property
    def redeem(self) -> bytes:
        """The witness program that a nested p2wpkh's script hash stands for."""
        return b"\x00\x14" + hash160(self.public)

    @property
    def script(self) -> bytes:
        return script_of_address(self.address, NETWORK)

    @property
    def _output_key(self) -> bytes:
        return bytes(PublicKey.from_secret(self._tweaked.secret).format(compressed=True)[1:])

    @property
    def _tweaked(self) -> PrivateKey:
        """BIP 341: the even-y private key plus the hash of its public key, without a script tree."""
        even = self.private
        if self.public[0] == 3:
            even = PrivateKey((ORDER - int.from_bytes(even.secret, "big")).to_bytes(32, "big"))
        return even.add(tagged("TapTweak", self.public[1:]))

    def ecdsa(self, digest: bytes) -> bytes:
        """DER signature with SIGHASH_ALL behind it."""
        signature: bytes = self.private.sign(digest, hasher=None)
        return signature + b"\x01"

    def schnorr(self, digest: bytes) -> bytes:
        signature: bytes = self._tweaked.sign_schnorr(digest, bytes(32))
        return signature
