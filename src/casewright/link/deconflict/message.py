"""A file of the exchange: what it says, signed by its sender, and encrypted to its receiver.

Decrypted with `age -d` it is a tar of three files: `message.json` (canonical JSON, names sender and receiver by their
keys, and the body by its digest), `message.json.minisig`, and `body`. Format: docs/formats/deconfliction.md.
"""

import hashlib
import io
import json
import tarfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyrage

from casewright.link.deconflict.card import Card
from casewright.model.errors import BrokenSeal, Missing, Refused
from casewright.model.selectors import FORM
from casewright.vault.keys import SealKey, verify_signature
from casewright.vault.ledger import canonical

FORMAT = "casewright-deconfliction-1"
NAMES = ("message.json", "message.json.minisig", "body")
SETUP, REQUEST, ANSWER = "setup", "request", "answer"
COUNT, HITS = "count", "hits"
MOST_BYTES, MOST_HEADER = 32 << 20, 1 << 16
COMMENT = "casewright deconfliction"


@dataclass(frozen=True)
class Message:
    """What a file of the exchange says of itself.

    `run` is the exchange; `mode` is count or hits; `reference` the sender's case, told in hits mode only; `answers` the
    digest of the message that this one replies to; `size` the members of the sender's set, noise included; `asked` the
    most members that a request may have; `rate` the share of exchanges with a false hit; days are YYYY-MM-DD, UTC.
    """

    step: str
    run: str
    mode: str
    agency: str
    sender: str
    sender_age: str
    receiver: str
    receiver_age: str
    reference: str
    authority: str
    made: str
    expires: str
    kinds: list[str]
    size: int
    asked: int
    rate: str
    answers: str
    body: str
    format: str = FORMAT
    rules: str = FORM

    @property
    def raw(self) -> bytes:
        return canonical(asdict(self))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


def written(message: Message, body: bytes, key: SealKey) -> bytes:
    """The file: signed, then encrypted to the receiver whom the signature names."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in zip(NAMES, (message.raw, key.sign(message.raw, COMMENT), body), strict=True):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    return bytes(pyrage.encrypt(sink.getvalue(), [pyrage.x25519.Recipient.from_str(message.receiver_age)]))


def read_message(
    path: Path, step: str, identity: pyrage.x25519.Identity, mine: str, peer: Card
) -> tuple[Message, bytes]:
    """The message and its body, from this peer to the holder of `mine`. Raises Refused with the reason."""
    header, signature, body = _opened(path, identity)
    try:
        if verify_signature(header, signature, peer.sign) != COMMENT:
            raise BrokenSeal("it signs something else")
    except BrokenSeal as error:
        raise Refused(f"{path}: was not signed by {peer.agency}, whose card you gave ({error}).") from error
    message = _parsed(header, path)
    if message.receiver != mine or message.receiver_age != str(identity.to_public()):
        raise Refused(f"{path}: is meant for another agency, or for another case's key.")
    if message.sender != peer.sign or message.sender_age != peer.age:
        raise Refused(f"{path}: names a sender who is not the {peer.agency} of the card.")
    if hashlib.sha256(body).hexdigest() != message.body:
        raise Refused(f"{path}: its body is not the one that was signed.")
    if message.step != step:
        raise Refused(f"{path}: is a {message.step}, not a {step}.")
    return message, body


def _opened(path: Path, identity: pyrage.x25519.Identity) -> tuple[bytes, bytes, bytes]:
    """The three files inside."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Refused(f"{path}: is larger than {MOST_BYTES >> 20} MB, which no file of an exchange is.")
        raw = path.read_bytes()
    except OSError as error:
        raise Missing(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        plain = pyrage.decrypt(raw, [identity])
    except pyrage.DecryptError as error:
        raise Refused(f"{path}: is not encrypted to this agency's key, or was changed on the way ({error}).") from error
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            members = [m for m, _ in zip(archive, range(len(NAMES) + 1), strict=False)]
            if tuple(m.name for m in members) != NAMES or not all(m.isreg() for m in members):
                raise Refused(f"{path}: holds other files than an exchange has.")
            header, signature, body = (archive.extractfile(m).read() for m in members)  # type: ignore[union-attr]
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise Refused(f"{path}: is not a file of an exchange ({error}).") from error
    return header, signature, body


def _parsed(header: bytes, path: Path) -> Message:
    """What was signed, in the form in which we write it. Raises Refused for another version or rules."""
    try:
        if len(header) > MOST_HEADER:
            raise ValueError("too long")
        found = json.loads(header)
        about = (found["format"], found["rules"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(f"{path}: is not a message of an exchange ({error}).") from error
    if about != (FORMAT, FORM):
        raise Refused(f"{path}: follows {about[0]} and {about[1]}; this casewright knows {FORMAT} and {FORM} only.")
    if set(found) != {f.name for f in fields(Message)} or not all(_fits(name, value) for name, value in found.items()):
        raise Refused(f"{path}: a field of its message is missing, unknown or of another type.")
    message = Message(**found)
    if message.raw != header:
        raise Refused(f"{path}: its message is not in canonical form.")
    return message


def _fits(name: str, value: Any) -> bool:
    if name in ("size", "asked"):
        return type(value) is int and 0 < value < 1 << 32
    if name == "kinds":
        return isinstance(value, list) and all(isinstance(kind, str) for kind in value)
    if name in ("step", "mode"):
        return value in ((SETUP, REQUEST, ANSWER) if name == "step" else (COUNT, HITS))
    return isinstance(value, str)
