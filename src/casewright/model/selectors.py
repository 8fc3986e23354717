"""The one form of a selector in which two agencies can compare it: `docs/formats/selectors.md`, byte for byte.

What two spellings of one thing must not differ in is taken away here; what cannot be put into the form has none, and
the reason says why. A selector that everybody can guess (an IPv4 address has 32 bits) has none on purpose.

Sources: Unicode Standard Annex 15 (NFKC), UTS 46 and RFC 5891 (names of domains), RFC 5233 (sub-addresses), RFC 4880
and 9580 (fingerprints), E.164 by the plans of libphonenumber, BIP 13, 16, 141 and 350 (addresses), BIP 32 (keys).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import idna
import phonenumbers

from casewright.model.bitcoin import NotAnAddress, base58check_decode, hash160, segwit_decode, valid_address

FORM = "casewright-selectors-1"
"""Name of these rules. Both sides of a comparison must say the same: other rules find nothing, silently."""
LONGEST = 320
"""Letters of a selector: an email of 64 and 255 and its sign (RFC 5321)."""


class NoForm(ValueError):  # noqa: N818  reads as what it says
    """The text has no form in which it could be compared; the message says why."""


@dataclass(frozen=True)
class Kind:
    """A kind of selector. `weak`: few enough exist for a peer to try them; a hit says less."""

    name: str
    meaning: str
    form: Callable[[str], str]
    weak: bool = False


def normal_form(kind: str, text: str) -> str:
    """The form of a selector. Raises NoForm, also for kinds that are never compared."""
    if kind in NEVER:
        raise NoForm(f"{kind}: {NEVER[kind]}")
    if kind not in KINDS:
        raise NoForm(f"there is no kind {kind!r}")
    if len(text) > LONGEST:
        raise NoForm(f"longer than {LONGEST} letters")
    return KINDS[kind].form(text)


def element(kind: str, form: str) -> str:
    """What is put into the comparison: rules, kind and form, so that no two kinds ever meet."""
    return f"{FORM}\0{kind}\0{form}"


def folded(text: str) -> str:
    """Text without what people do not see or do not mean: width, ligatures, case, invisible letters, outer spaces."""
    once = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(c for c in once if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    return " ".join(unicodedata.normalize("NFKC", seen).split())


@lru_cache(1 << 14)
def domain(text: str) -> str:
    """A domain's name as it goes over the wire: lower case, ASCII (A-labels), without the last point."""
    name = folded(text).rstrip(".")
    try:
        return idna.encode(name, uts46=True, transitional=False).decode("ascii")
    except idna.IDNAError as error:
        raise NoForm(f"the domain {name!r} is none: {error}") from error


GMAIL = ("gmail.com", "googlemail.com")


def email(text: str) -> str:
    """The mailbox that it reaches: without a sub-address (`+shop`); at Gmail also without points."""
    whole = folded(text).removeprefix("mailto:").strip("<> ")
    local, sign, host = whole.rpartition("@")
    local = local.strip('"').partition("+")[0]
    if not sign or not local or " " in local or "@" in local:
        raise NoForm("is no email address")
    name = domain(host)
    if "." not in name:
        raise NoForm("its domain has no point")
    return f"{local.replace('.', '')}@{GMAIL[0]}" if name in GMAIL and local.strip(".") else f"{local}@{name}"


def service(text: str) -> str:
    """A service by its name; an address of the web by its host, without `www.`."""
    name = re.sub(r"^[a-z][a-z0-9+.-]*://", "", folded(text)).partition("/")[0].removeprefix("www.")
    if not name:
        raise NoForm("names no service")
    return domain(name) if "." in name and " " not in name else name


def username(text: str) -> str:
    """A user of a service, given as `SERVICE` TAB `NAME`: the same name elsewhere is somebody else."""
    where, tab, who = text.partition("\t")
    name = folded(who).removeprefix("@")
    if not tab or not name:
        raise NoForm("is no service, tab and user name")
    return f"{service(where)}\t{name}"


NETWORKS = {"mainnet": "main", "testnet": "test", "testnet4": "test", "signet": "test", "regtest": "test"}


def bitcoin(text: str) -> str:
    """The script hash in which all spellings of one key meet: 1..., 3... and bc1q... of a key are one.

    A key's hash is wrapped as BIP 141 wraps it into P2SH: from 1... and bc1q... one can go there, and never back.
    """
    name = text.strip().removeprefix("bitcoin:").removeprefix("BITCOIN:").partition("?")[0]
    network = valid_address(name)
    if network is None:
        raise NoForm("is no Bitcoin address whose checksum holds")
    try:
        _, version, program = segwit_decode(name)
    except NotAnAddress:
        payload = base58check_decode(name)
        wrapped = payload[1:] if payload[0] in (0x05, 0xC4) else hash160(b"\0\x14" + payload[1:])
        return f"{NETWORKS[network]}:sh:{wrapped.hex()}"
    if version == 0:
        return f"{NETWORKS[network]}:sh:{hash160(bytes([0, len(program)]) + program).hex()}"
    return f"{NETWORKS[network]}:v{version}:{program.hex()}"


def pgp(text: str) -> str:
    """The whole fingerprint: 40 digits of version 4, 64 of later ones. Short key ids can be made to order."""
    digits = re.sub(r"[\s:]", "", folded(text)).removeprefix("openpgp4fpr").removeprefix("0x")
    if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", digits):
        raise NoForm("is no whole fingerprint of 40 or 64 hex digits")
    return digits


def xpub(text: str) -> str:
    """The key's identifier (BIP 32): hash of the key, whichever script type the prefix names and however deep."""
    try:
        raw = base58check_decode(text.strip())
    except NotAnAddress as error:
        raise NoForm(str(error)) from error
    if len(raw) != 78 or text.strip()[1:4] != "pub" or raw[45] not in (2, 3):
        raise NoForm("is no extended public key; a private one is never compared")
    return hash160(raw[45:]).hex()


def phone(text: str, country: str | None = None) -> str:
    """The number with its country's code (E.164), without an extension; `country`: whose plan holds where the number
    names none."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text).strip().removeprefix("tel:"), country)
    except phonenumbers.NumberParseException as error:
        raise NoForm("is no telephone number with its country's code") from error
    if not phonenumbers.is_possible_number(number):
        raise NoForm("has too many or too few digits for its country")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)).partition(";")[0]


def hex_digits(text: str) -> str:
    """A digest of 256 bits."""
    digits = text.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise NoForm("is no digest of 64 hex digits")
    return digits


KINDS: Mapping[str, Kind] = {
    k.name: k
    for k in (
        Kind("bitcoin", "address", bitcoin),
        Kind("cluster", "least address of a wallet's cluster", bitcoin),
        Kind("email", "mailbox", email),
        Kind("username", "user name at a service", username),
        Kind("pgp", "fingerprint of a PGP key", pgp),
        Kind("xpub", "identifier of a wallet's extended public key", xpub),
        Kind("media", "SHA-256 of a medium that is on no list", hex_digits),
        Kind("picture", "PDQ of the picture that leads a group of such", hex_digits),
        Kind("phone", "telephone number", phone, weak=True),
    )
}
NEVER: Mapping[str, str] = {
    "ip": "addresses of machines are never compared: all of IPv4 can be tried",
    "name": "names of people are never compared: they can be tried from a directory, and are shared by many",
    "born": "dates of birth are never compared: there are few",
    "account": "numbers that a service counts up are never compared: all can be tried",
}
"""Kinds that people ask for, and why they are refused."""
