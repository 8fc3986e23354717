"""Kinds of selectors: what each looks like, and what decides whether a text that looks like one is one.

Checksums are verified where there are any. A private key becomes the public key or the address that it stands for, also
inside a URL: its place says where it is, and nothing here keeps it.

Sources: BIP 13, 173 and 350 (Bitcoin), EIP 55 (Ethereum), CryptoNote standard 007 (Monero), Tor's rendezvous
specification v3 (onion), RFC 3986 (URLs), RFC 4291 and 5952 (IPv6), RFC 4880 (fingerprints), E.164 (telephone numbers).
"""

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import phonenumbers

from casewright.extract.coins import is_ethereum, is_monero
from casewright.extract.descriptors import NoDescriptor, read_descriptors
from casewright.extract.extended_keys import NoKey, extended_key
from casewright.model.bitcoin import valid_address

CONTEXT = 100
"""Bytes before and after a match that its check may look at."""
REMEMBERED = 1 << 14
"""Texts of a kind whose answer is remembered: in logs the same ones come again and again."""


class Value(NamedTuple):
    """What was found: as it stands there (of a private key, what it stands for), in the one form in which equal ones
    are equal, the bytes of it, and the port that follows an IP address."""

    text: str
    canonical: str
    length: int
    port: int | None = None


Match = re.Match[bytes]
Check = Callable[[Match], Value | None]


@dataclass(frozen=True)
class Kind:
    """`pattern`: what it looks like; no match is longer than half of the overlap of chunks. `check`: what it is."""

    pattern: re.Pattern[bytes]
    check: Check


def _by_text(value_of: Callable[[str], Value | None]) -> Check:
    """A check that looks at nothing but the text of the match."""

    @lru_cache(REMEMBERED)
    def remembered(raw: bytes) -> Value | None:
        return value_of(raw.decode("ascii"))

    return lambda match: remembered(match[0])


def _plain(holds: Callable[[str], bool], canonical: Callable[[str], str] = str) -> Check:
    return _by_text(lambda text: Value(text, canonical(text), len(text)) if holds(text) else None)


def _bitcoin(text: str) -> Value | None:
    if valid_address(text) is None:
        return None
    return Value(text, text.lower() if text[1:3].lower() in ("c1", "b1", "cr") else text, len(text))


CLOSING = {")": "(", "]": "[", "}": "{"}


def _url(text: str) -> Value:
    """Without the punctuation of the sentence around it: brackets that it did not open itself are not its own."""
    while text[-1] in ".,;:!?*" or (text[-1] in CLOSING and text.count(text[-1]) > text.count(CLOSING[text[-1]])):
        text = text[:-1]
    shown = without_keys(text)
    scheme, _, rest = shown.partition("://")
    host, slash, path = rest.partition("/")
    if scheme.islower() and host == host.lower():
        return Value(shown, shown, len(text))
    user, at, name = host.rpartition("@")
    return Value(shown, f"{scheme.lower()}://{user}{at}{name.lower()}{slash}{path}", len(text))


def _ip(match: Match) -> Value | None:
    """An IP address that may be somebody's: not the machine's own, and not everybody's."""
    text, last = match[1].decode("ascii"), match.lastindex or 1
    port = int(match[last]) if last > 1 else 0
    canonical = text if "." in text and ":" not in text else _ipv6(text)
    return Value(text, canonical, len(text), port if 0 < port < 1 << 16 else None) if canonical else None


@lru_cache(REMEMBERED)
def _ipv6(text: str) -> str | None:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    return None if address.is_loopback or address.is_unspecified or address.is_multicast else str(address)


def _is_onion(text: str) -> bool:
    """Tor rendezvous specification v3, section 6: base32(public key | checksum | version)."""
    raw = base64.b32decode(text[:56].upper())
    check = hashlib.sha3_256(b".onion checksum" + raw[:32] + b"\x03").digest()[:2]
    return raw[34:] == b"\x03" and raw[32:34] == check


SHORT = 12
NOISE = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f-\xff]")
NEAR, MUCH = 16, 8
FILES = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "css", "js", "json", "html", "htm", "php",
                   "xml", "txt", "pdf"))  # fmt: skip
"""Endings of files that are no top-level domains: `logo@2x.png` is a picture."""


def _email(match: Match) -> Value | None:
    """Where the bytes around it are no text, a short one is chance: in noise one stands in every twenty megabytes."""
    raw, start, end = match.string, match.start(), match.end()
    if end - start < SHORT:
        around = raw[max(0, start - NEAR) : start] + raw[end : end + NEAR]
        if len(NOISE.findall(around)) > MUCH:
            return None
    return _email_value(match[0])


@lru_cache(REMEMBERED)
def _email_value(raw: bytes) -> Value | None:
    text = without_keys(raw.decode("ascii"))
    name, _, domain = text.rpartition("@")
    if domain.rpartition(".")[2].lower() in FILES:
        return None
    return Value(text, f"{name}@{domain.lower()}", len(raw))


def _extended(text: str, private: bool) -> Value | None:
    try:
        key = extended_key(text)
    except NoKey:
        return None
    return Value(str(key), str(key), len(text)) if (key.secret is not None) == private else None


def _wif(text: str) -> Value | None:
    try:
        descriptor = read_descriptors(f"pkh({text})")[0]
    except NoDescriptor:
        return None
    main = text[0] in "5KL"
    address = next(descriptor.addresses(0, "mainnet" if main else "testnet"))[0] if descriptor.secret else None
    return Value(address, address, len(text)) if address else None


B58 = "[1-9A-HJ-NP-Za-km-z]"
LONG = re.compile(B58 + "{51}")
PRIVATE = re.compile(f"(?=([5KL9c]{B58}{{51}}|[A-Za-z]prv{B58}{{107}}|[59]{B58}{{50}}))")


def without_keys(text: str) -> str:
    """The text with what they stand for in the place of private keys that stand in it, at whatever letter."""
    if len(text) <= 50:
        return text
    at = 0
    while LONG.search(text, at) and (match := PRIVATE.search(text, at)):
        at = match.start() + 1
        for secret in (match[1], match[1][:51]):
            if value := _extended(secret, private=True) if len(secret) > 60 else _wif(secret):
                text = text[: match.start()] + value.text + text[match.start() + len(secret) :]
                at = match.start() + len(value.text)
                break
    return text


def _descriptor(text: str) -> Value | None:
    try:
        found = read_descriptors(text)
    except NoDescriptor:
        return None
    if "#" not in text and not any(key.extended for key in found[0].keys):
        return None  # without a key that has a checksum of its own, or one over it all, any call in a program looks so
    public = " ".join(descriptor.public_text for descriptor in found)
    return Value(text if not found[0].secret else public, public, len(text))


FINGERPRINT = re.compile(rb"(?<![a-z])(?:open)?(?:pgp|gpg)(?![a-z])|fingerprint", re.IGNORECASE)
VARIED = 8
"""Different digits that forty digits of a digest have at the least, but for chance."""


def _fingerprint(match: Match) -> Value | None:
    """Forty hex digits are a fingerprint when something near says so, or when they stand in groups as GnuPG prints
    them; otherwise they may be any SHA-1."""
    text = match[0].decode("ascii")
    digits = text.removeprefix("0x").replace(" ", "").upper()
    before = match.string[max(0, match.start() - CONTEXT) : match.start()]
    if len(set(digits)) < VARIED:
        return None
    if " " not in text and not FINGERPRINT.search(before):
        return None
    return Value(text, digits, len(text))


def _phone(text: str) -> Value | None:
    """A number in international form that some country's plan knows; what follows it may look like more digits."""
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


_private, _public = (_by_text(partial(_extended, private=private)) for private in (True, False))
BASE58 = B58.encode()
ALONE = rb"(?<![A-Za-z0-9])%s(?![A-Za-z0-9])"
LABEL = rb"[A-Za-z0-9][A-Za-z0-9-]{0,62}"
OCTET = rb"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = OCTET + rb"(?:\." + OCTET + rb"){3}"
NOBODYS = rb"(?!127\.|0\.0\.0\.0(?!\d)|22[4-9]\.|23\d\.)"
"""Not of the machine itself, of no machine, or of many."""
IPV6 = (rb"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:]{0,37}(?:::|(?::[0-9A-Fa-f]{1,4}){6}))[0-9A-Fa-f]{4}:[0-9A-Fa-f:]{2,34}"
        rb"(?:(?<=:)" + IPV4 + rb")?(?![0-9A-Za-z:]|\.\d)")  # fmt: skip
DUMPED = rb"(?:(?<=IP )" + IPV4 + rb"(?=\.\d{1,5} > )|(?<= > )" + IPV4 + rb"(?=\.\d{1,5}:))"
"""As tcpdump writes a packet's ends, each with its port: elsewhere five numbers are a version."""
KINDS: Mapping[str, Kind] = {
    "bitcoin": Kind(re.compile(ALONE % (
        rb"(?:(?:bc|tb|bcrt)1[02-9ac-hj-np-z]{11,87}|(?:BC|TB|BCRT)1[02-9AC-HJ-NP-Z]{11,87}"
        rb"|[123mn]" + BASE58 + rb"{25,34})"
    )), _by_text(_bitcoin)),
    "descriptor": Kind(re.compile(
        rb"(?<![A-Za-z0-9])(?:pkh|wpkh|sh|wsh|tr|combo|multi|sortedmulti|addr|raw|pk)\("
        rb"(?:(?:wpkh|wsh|pkh|pk|sh|multi|sortedmulti)\(){0,2}[\[\]0-9A-Za-z'/*,<>;]{20,1900}\){1,3}(?:#[a-z0-9]{8})?"
    ), _by_text(_descriptor)),
    "email": Kind(re.compile(
        rb"(?<![A-Za-z0-9_%+-])(?=[A-Za-z0-9._%+-]{1,64}@)[A-Za-z0-9_%+-]++(?:\.[A-Za-z0-9_%+-]++)*+@"
        rb"(?:" + LABEL + rb"\.){1,8}[A-Za-z]{2,24}(?![A-Za-z])"
    ), _email),
    "ethereum": Kind(re.compile(ALONE % rb"0x[0-9A-Fa-f]{40}"), _plain(is_ethereum, str.lower)),
    "ip": Kind(re.compile(
        rb"(?<![\d.])" + NOBODYS + rb"(?P<ip>" + IPV4 + rb"(?!\.?\d)|" + IPV6 + rb"|" + DUMPED + rb")"
        rb"(?:(?<=\d):(?P<port>\d{1,5})(?![\d:.])|\]:(?P<port6>\d{1,5})(?!\d)| port (?P<words>\d{1,5})(?!\d)"
        rb"|\.(?P<dotted>\d{1,5})(?= > |:))?"
    ), _ip),
    "monero": Kind(re.compile(ALONE % (BASE58 + rb"{95}(?:" + BASE58 + rb"{11})?")), _plain(is_monero)),
    "onion": Kind(re.compile(
        rb"(?<![A-Za-z0-9])[A-Za-z2-7]{56}\.(?i:onion)(?![A-Za-z0-9-])"
    ), _plain(_is_onion, str.lower)),
    "pgp": Kind(re.compile(
        ALONE % rb"(?:(?:0x)?[0-9A-Fa-f]{40}"
        rb"|(?<![0-9A-F]{4} )(?:[0-9A-Fa-f]{4} ){5} ?(?:[0-9A-Fa-f]{4} ){4}[0-9A-Fa-f]{4}"
        rb"(?! [0-9A-F]{4}(?![0-9A-Za-z])))"
    ), _fingerprint),
    "phone": Kind(re.compile(rb"(?<![A-Za-z0-9+])\+[1-9][0-9 ().\-/]{5,20}[0-9](?![0-9])"), _by_text(_phone)),
    "url": Kind(re.compile(
        rb"(?:[hH][tT][tT][pP][sS]?|[sS]?[fF][tT][pP]|[fF][tT][pP][sS])://"
        rb"[0-9A-Za-z\[%_][^\s\"'<>\\\x00-\x20\x7f-\xff]{2,1999}"
    ), _by_text(_url)),
    "wif": Kind(re.compile(ALONE % (rb"[5KL9c]" + BASE58 + rb"{50,51}")), _by_text(_wif)),
    "xprv": Kind(re.compile(ALONE % (rb"[A-Za-z]prv" + BASE58 + rb"{107}")), _private),
    "xpub": Kind(re.compile(ALONE % (rb"[A-Za-z]pub" + BASE58 + rb"{107}")), _public),
}  # fmt: skip
