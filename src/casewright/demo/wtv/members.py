"""The market's members by number: name, mail, day and address of joining, deposit address. Each is worked out from the
number alone, so that a million of them need no memory. Payers have keys; the addresses of all others are nobody's.
"""

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache

from casewright.demo.keys import KINDS, NETWORK, Key
from casewright.demo.operation import FIRST, HOSTILE, OPENED, RANGES, SECOND
from casewright.demo.wtv.size import Size
from casewright.model.bitcoin import address_of_script

JOINING_DAYS = 650
MAILS = ("example.org", "example.net", "mail.example")
AGENTS = (
    "Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Firefox/52.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:45.0) Gecko/20100101 Firefox/45.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/62.0 Safari/537.36",
    "curl/7.52.1",
)


def drawn(number: int, salt: int, below: int) -> int:
    """A number below another one that looks drawn, and is not: splitmix64 of both."""
    word = (number * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & 0xFFFFFFFFFFFFFFFF
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    word = (word ^ word >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return (word ^ word >> 31) % below


def plain_nick(number: int) -> str:
    return f"{FIRST[drawn(number, 1, len(FIRST))]}_{SECOND[drawn(number, 2, len(SECOND))]}{number}"


def nick(number: int) -> str:
    """Now and then one that breaks careless tools."""
    turn = number // 11
    return HOSTILE[turn % len(HOSTILE)] if number % 11 == 0 and turn <= len(HOSTILE) else plain_nick(number)


def mail(number: int) -> str:
    return f"{plain_nick(number)}@{MAILS[number % len(MAILS)]}"


def address_on_the_net(number: int, salt: int) -> str:
    """In a range reserved for documentation: it is nobody's, and nowhere."""
    pick = drawn(number, salt, 0xFFFFFF)
    return f"2001:db8::{pick % 65535 + 1:x}" if pick % 10 == 0 else f"{RANGES[pick % 3]}{pick % 254 + 1}"


def agent(number: int) -> str:
    return AGENTS[drawn(number, 4, len(AGENTS))]


def joined(size: Size, number: int) -> datetime:
    """Members join in the order of their numbers."""
    return OPENED + timedelta(seconds=number * JOINING_DAYS * 86_400 // size.accounts)


def stride(size: Size) -> int:
    return size.accounts // size.payers


def payer(size: Size, index: int) -> int:
    """Number of the account of a payer, who are counted from 0."""
    return (index + 1) * stride(size)


def is_payer(size: Size, number: int) -> bool:
    return number % stride(size) == 0 and number // stride(size) <= size.payers


@lru_cache(1 << 14)
def deposit_key(number: int) -> Key:
    return Key(f"wtv deposit {number}", KINDS[number % len(KINDS)])


def deposit_address(size: Size, number: int) -> str:
    if is_payer(size, number):
        return deposit_key(number).address
    digest = hashlib.sha256(b"wtv deposit %d" % number).digest()
    kind = KINDS[number % len(KINDS)]
    script = {
        "p2pkh": b"\x76\xa9\x14" + digest[:20] + b"\x88\xac", "p2wpkh": b"\x00\x14" + digest[:20],
        "p2sh": b"\xa9\x14" + digest[:20] + b"\x87", "p2tr": b"\x51\x20" + digest,
    }[kind]  # fmt: skip
    return address_of_script(script, NETWORK)[0] or ""
