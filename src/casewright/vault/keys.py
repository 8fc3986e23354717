"""The key that seals a case: a minisign key pair. Signatures are checkable with stock `minisign -V`.

A signature file has four lines (https://jedisct1.github.io/minisign/). Ours has a fixed untrusted comment, so that
no byte of it can change unnoticed, and no time stamp: time stands in the ledger only.
"""

import base64
import hashlib
import os
from pathlib import Path

import minisign
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casewright.model.errors import BrokenSeal, Missing, Refused
from casewright.vault.disk import write_secret

UNTRUSTED = "signed by casewright; check with minisign -V"
HOME_VARIABLE = "CASEWRIGHT_HOME"


def key_path() -> Path:
    """Where the examiner's seal key lies: `$CASEWRIGHT_HOME/seal.key`, by default under `~/.config/casewright`."""
    home = os.environ.get(HOME_VARIABLE)
    return (Path(home) if home else Path.home() / ".config" / "casewright") / "seal.key"


class SealKey:
    """A minisign secret key, without a password, readable by its owner only."""

    def __init__(self, secret: minisign.SecretKey) -> None:
        self._secret = secret

    @property
    def public(self) -> str:
        """The public key as `minisign -P` takes it (base64)."""
        return str(self._secret.get_public_key().to_base64(), "ascii")

    def sign(self, data: bytes, comment: str) -> bytes:
        """Bytes of a `.minisig` file over `data`, prehashed; the same data and comment always give the same bytes."""
        signature = self._secret.sign(data, prehash=True, untrusted_comment=UNTRUSTED, trusted_comment=comment)
        return bytes(signature) + b"\n"

    def save(self, path: Path) -> None:
        write_secret(path, bytes(self._secret) + b"\n")

    @classmethod
    def load(cls, path: Path) -> "SealKey":
        try:
            secret = minisign.SecretKey.from_bytes(path.read_bytes())
        except FileNotFoundError as error:
            raise Missing(f"the seal key {path} is not there. Restore it, or set {HOME_VARIABLE}.") from error
        except minisign.Error as error:
            raise Refused(f"{path} is not a minisign secret key: {error}.") from error
        if secret.is_encrypted():
            raise Refused(f"{path} is protected by a password; casewright needs a key without one.")
        return cls(secret)

    @classmethod
    def load_or_create(cls, path: Path) -> "SealKey":
        if not path.exists():
            cls(minisign.KeyPair.generate().secret_key).save(path)
        return cls.load(path)

    @classmethod
    def from_seed(cls, seed: bytes) -> "SealKey":
        """A key that anybody who knows the seed can make: for the demonstration only."""
        private = hashlib.sha256(seed).digest()
        public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        key_id = hashlib.sha256(public).digest()[:8]
        check = hashlib.blake2b(b"Ed" + key_id + private + public, digest_size=32).digest()
        raw = b"Ed" + bytes(2) + b"B2" + bytes(32 + 8 + 8) + key_id + private + public + check
        return cls(minisign.SecretKey.from_base64(base64.standard_b64encode(raw)))


def verify_signature(data: bytes, signature: bytes, public: str) -> str:
    """The trusted comment, if `signature` is `public`'s over `data`, byte for byte as `sign` writes it.

    Raises BrokenSeal otherwise: also when a byte that minisign ignores (the untrusted comment, a line end) differs.
    """
    parsed = _holding(data, signature, public)
    if parsed.untrusted_comment != UNTRUSTED or bytes(parsed) + b"\n" != signature:
        raise BrokenSeal("signature file is not as it was written")
    return str(parsed.trusted_comment)


def verify_foreign(data: bytes, signature: bytes, public: str) -> str:
    """The trusted comment, if `minisign -V` would accept `signature` as `public`'s over `data`: that of somebody else,
    whose program writes its own untrusted comment. Raises BrokenSeal otherwise."""
    return str(_holding(data, signature, public).trusted_comment)


def _holding(data: bytes, signature: bytes, public: str) -> minisign.Signature:
    try:
        parsed = minisign.Signature.from_bytes(signature)
        minisign.PublicKey.from_base64(public).verify(data, parsed)
    except (minisign.Error, ValueError) as error:
        raise BrokenSeal(f"signature does not hold: {error}") from error
    return parsed


def key_number(base64_text: str) -> str:
    """The number of the key in a public key, or in the second line of a signature, as minisign prints it.

    Both begin with two bytes of algorithm and eight of the number. Raises ValueError for what is neither.
    """
    raw = base64.b64decode(base64_text, validate=True)
    if raw[:2] not in (b"Ed", b"ED") or len(raw) not in (42, 74):
        raise ValueError("neither a minisign public key nor a signature")
    return raw[2:10][::-1].hex().upper()


def is_public_key(text: str) -> bool:
    """Whether this is a minisign public key, as `minisign -P` takes it."""
    try:
        minisign.PublicKey.from_base64(text)
    except (minisign.Error, ValueError):
        return False
    return True
