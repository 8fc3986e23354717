"""Kinds of selectors: what each looks like, and what decides whether a text that looks like one is one.

Checksums are verified where there are any. A private key becomes the public key or the address that it stands for: its
place says where it is, and nothing here keeps it.
"""

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import phonenumbers

from casewright.extract.coins import is_ethereum, is_monero
from casewright.extract.descriptors import NoDescriptor, read_descriptors
from casewright.extract.extended_keys import NoKey, extended_key
from casewright.model.bitcoin import valid_address

CONTEXT = 100
"""Bytes before a match that its check may look at."""


@dataclass(frozen=True, slots=True)
class Value:
    """What was found: as it stands there (of a private key, what it stands for), in the one form in which equal ones
    are equal, the bytes of it, and the port that follows an IP address."""

    text: str
    canonical: str
    length: int
    port: int | None = None


Match = re.Match[bytes]


@dataclass(frozen=True)
class Kind:
    """`pattern`: what it looks like; no match is longer than half of the overlap of chunks. `check`: what it is."""

    pattern: re.Pattern[bytes]
    check: Callable[[Match], Value | None]


def _plain(holds: Callable[[str], bool], canonical: Callable[[str], str] = str) -> Callable[[Match], Value | None]:
    def check(match: Match) -> Value | None:
        text = match[0].decode("ascii")
        return Value(text, canonical(text), len(text)) if holds(text) else None

    return check


def _bitcoin(match: Match) -> Value | None:
    text = match[0].decode("ascii")
    if valid_address(text) is None:
        return None
    return Value(text, text.lower() if text[1:3].lower() in ("c1", "b1", "cr") else text, len(text))


def _url(match: Match) -> Value:
    text = match[0].decode("ascii").rstrip(".,;:)]}>")
    return Value(text, text, len(text))


def _ip(match: Match) -> Value | None:
    """An IP address that may be somebody's: not the machine's own, and not everybody's."""
    text, port = match["ip"].decode("ascii"), int(match["port"] or match["port6"] or 0)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return None
    return Value(text, str(address), len(text), port if 0 < port < 65536 else None)


def _is_onion(text: str) -> bool:
    """Tor rendezvous specification v3, section 6: base32(public key | checksum | version)."""
    raw = base64.b32decode(text[:56].upper())
    check = hashlib.sha3_256(b".onion checksum" + raw[:32] + b"\x03").digest()[:2]
    return raw[34:] == b"\x03" and raw[32:34] == check


def _email(text: str) -> str:
    name, _, domain = text.rpartition("@")
    return f"{name}@{domain.lower()}"


def _extended(private: bool) -> Callable[[Match], Value | None]:
    def check(match: Match) -> Value | None:
        try:
            key = extended_key(match[0].decode("ascii"))
        except NoKey:
            return None
        return Value(str(key), str(key), len(match[0])) if (key.secret is not None) == private else None

    return check


def _wif(match: Match) -> Value | None:
    try:
        descriptor = read_descriptors(f"pkh({match[0].decode('ascii')})")[0]
    except NoDescriptor:
        return None
    main = match[0][:1] in b"5KL"
    address = next(descriptor.addresses(0, "mainnet" if main else "testnet"))[0] if descriptor.secret else None
    return Value(address, address, len(match[0])) if address else None


def _descriptor(match: Match) -> Value | None:
    text = match[0].decode("ascii")
    try:
        found = read_descriptors(text)
    except NoDescriptor:
        return None
    if "#" not in text and not any(key.extended for key in found[0].keys):
        return None  # without a key that has a checksum of its own, or one over it all, any call in a program looks so
    public = " ".join(descriptor.public_text for descriptor in found)
    return Value(text if not found[0].secret else public, public, len(text))


FINGERPRINT = re.compile(rb"pgp|gpg|fingerprint|0x\Z", re.IGNORECASE)


def _fingerprint(match: Match) -> Value | None:
    """Forty hex digits are a fingerprint when something near says so, or when they stand in groups as GnuPG prints
    them; otherwise they may be any SHA-1."""
    text = match[0].decode("ascii")
    digits = text.replace(" ", "").upper()
    before = match.string[max(0, match.start() - CONTEXT) : match.start()]
    if " " not in text and not FINGERPRINT.search(before):
        return None
    return Value(text, digits, len(text))


def _phone(match: Match) -> Value | None:
    """A number in international form that some country's plan knows; what follows it may look like more digits."""
    text = match[0].decode("ascii")
    while len(text) > 7:
        try:
            number = phonenumbers.parse(text)
            if phonenumbers.is_valid_number(number):
                form = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                return Value(text, form, len(text))
        except phonenumbers.NumberParseException:
            return None
        shorter = re.sub(r"[^0-9]+[0-9]+\Z", "", text)
        if shorter == text:
            return None
        text = shorter
    return None


B58 = rb"[1-9A-HJ-NP-Za-km-z]"
ALONE = rb"(?<![A-Za-z0-9])%s(?![A-Za-z0-9])"
KINDS: Mapping[str, Kind] = {
    "bitcoin": Kind(re.compile(ALONE % (
        rb"(?:(?:bc|tb|bcrt)1[02-9ac-hj-np-z]{11,87}|(?:BC|TB|BCRT)1[02-9AC-HJ-NP-Z]{11,87}|[123mn]" + B58 + rb"{25,34})"
    )), _bitcoin),
    "descriptor": Kind(re.compile(
        rb"(?<![A-Za-z0-9])(?:pkh|wpkh|sh|wsh|tr|combo|multi|sortedmulti|addr|raw|pk)\("
        rb"(?:(?:wpkh|wsh|pkh|pk|sh|multi|sortedmulti)\(){0,2}[\[\]0-9A-Za-z'/*,<>;]{20,1900}\){1,3}(?:#[a-z0-9]{8})?"
    ), _descriptor),
    "email": Kind(re.compile(
        rb"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+-][A-Za-z0-9._%+-]{0,63}+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
        rb"(?![A-Za-z0-9-])"
    ), _plain(bool, _email)),
    "ethereum": Kind(re.compile(ALONE % rb"0x[0-9A-Fa-f]{40}"), _plain(is_ethereum, str.lower)),
    "ip": Kind(re.compile(
        rb"(?<![\d.])(?P<ip>(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)"
        rb"|(?<![0-9A-Za-z:.])[0-9A-Fa-f]{4}:[0-9A-Fa-f:]{2,34}(?![0-9A-Za-z:]))"
        rb"(?:(?<=\d):(?P<port>\d{1,5})(?![\d:.])|\]:(?P<port6>\d{1,5})(?!\d))?"
    ), _ip),
    "monero": Kind(re.compile(ALONE % (B58 + rb"{95}(?:" + B58 + rb"{11})?")), _plain(is_monero)),
    "onion": Kind(re.compile(rb"(?<![A-Za-z0-9])[a-z2-7]{56}\.onion(?![A-Za-z0-9-])"), _plain(_is_onion)),
    "pgp": Kind(re.compile(
        ALONE % rb"(?:0x)?(?:[0-9A-Fa-f]{40}|(?:[0-9A-Fa-f]{4} ){5} ?(?:[0-9A-Fa-f]{4} ){4}[0-9A-Fa-f]{4})"
    ), _fingerprint),
    "phone": Kind(re.compile(rb"(?<![A-Za-z0-9+])\+[1-9][0-9 ().\-/]{6,20}[0-9](?![0-9])"), _phone),
    "url": Kind(re.compile(rb"(?:https?|ftp)://[^\s\"'<>\\\x00-\x20\x7f-\xff]{4,2000}"), _url),
    "wif": Kind(re.compile(ALONE % (rb"[5KL9c]" + B58 + rb"{50,51}")), _wif),
    "xprv": Kind(re.compile(ALONE % (rb"[A-Za-z]prv" + B58 + rb"{107}")), _extended(private=True)),
    "xpub": Kind(re.compile(ALONE % (rb"[A-Za-z]pub" + B58 + rb"{107}")), _extended(private=False)),
}  # fmt: skip
