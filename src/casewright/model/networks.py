"""IP addresses and networks, many at once: which address lies in which network, and which addresses locate nobody.

Every address is 16 bytes; an IPv4 address is written as IPv6 writes it (`::ffff:a.b.c.d`, RFC 4291 2.5.5.2), so that
both forms of one address are equal. Special ranges: the special-purpose registries of IANA (RFC 6890 and its updates).
"""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Packed = npt.NDArray[np.bytes_]
Numbers = npt.NDArray[np.int64]
MAPPED = bytes(10) + b"\xff\xff"
"""What stands before the four bytes of an IPv4 address."""
WIDE = np.dtype("S16")


class Special(NamedTuple):
    """A range that locates nobody. `many`: strangers have one address there, so that an equal one means nothing."""

    network: str
    kind: str
    many: bool = True


SPECIAL = (
    Special("0.0.0.0/8", "no host"), Special("10.0.0.0/8", "private"), Special("100.64.0.0/10", "behind a carrier"),
    Special("127.0.0.0/8", "the machine itself"), Special("169.254.0.0/16", "private"),
    Special("172.16.0.0/12", "private"), Special("192.0.0.0/24", "reserved"),
    Special("192.0.2.0/24", "documentation", False), Special("192.88.99.0/24", "tunnel"),
    Special("192.168.0.0/16", "private"), Special("198.18.0.0/15", "reserved"),
    Special("198.51.100.0/24", "documentation", False), Special("203.0.113.0/24", "documentation", False),
    Special("224.0.0.0/3", "reserved"),
    Special("::/128", "no host"), Special("::1/128", "the machine itself"), Special("64:ff9b::/96", "tunnel"),
    Special("64:ff9b:1::/48", "tunnel"), Special("100::/64", "reserved"), Special("2001::/32", "tunnel"),
    Special("2001:2::/48", "reserved"), Special("2001:db8::/32", "documentation", False),
    Special("2002::/16", "tunnel"), Special("3fff::/20", "documentation", False), Special("5f00::/16", "reserved"),
    Special("fc00::/7", "private"), Special("fe80::/9", "private"), Special("ff00::/8", "reserved"),
)  # fmt: skip
NO_ADDRESS = "no address"


def packed(texts: Sequence[str]) -> tuple[Packed, npt.NDArray[np.bool_]]:
    """The addresses as 16 bytes each, and which of the texts are addresses at all; the others are zero."""
    raw = [_bytes_of(text) for text in texts]
    found = np.array([one or b"" for one in raw], WIDE)
    return found, np.array([one is not None for one in raw], np.bool_)


def written(addresses: Packed) -> list[str]:
    """Each address as text, in its shortest form: IPv4 as IPv4."""
    return [_text_of(one.ljust(16, b"\0")) for one in addresses.tolist()]


def _bytes_of(text: str) -> bytes | None:
    if ":" not in text:
        try:
            return MAPPED + socket.inet_pton(socket.AF_INET, text)
        except (OSError, ValueError):
            return None
    try:
        return socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return None


def _text_of(raw: bytes) -> str:
    if raw.startswith(MAPPED):
        return socket.inet_ntop(socket.AF_INET, raw[12:])
    return socket.inet_ntop(socket.AF_INET6, raw)


def network_of(text: str) -> str | None:
    """The network that a text names, an address alone being a network of one; None when it names none."""
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return None


class Networks:
    """Networks in any order, which may lie in each other, to be asked which of them hold which addresses."""

    def __init__(self, networks: Sequence[str]) -> None:
        by_length: dict[int, list[tuple[bytes, int]]] = {}
        for number, text in enumerate(networks):
            network = ipaddress.ip_network(text)
            four = network.version == 4
            start = (MAPPED if four else b"") + network.network_address.packed
            by_length.setdefault(network.prefixlen + (96 if four else 0), []).append((start, number))
        self._by_length = {length: _sorted(found) for length, found in sorted(by_length.items())}

    def holding(self, addresses: Packed) -> tuple[Numbers, Numbers]:
        """Pairs of an address and a network that holds it, by their numbers: by network length, then by address."""
        octets = np.ascontiguousarray(addresses, WIDE).view(np.uint8).reshape(-1, 16)
        pairs = [_within(octets & _mask(length), *found) for length, found in self._by_length.items()]
        if not pairs:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate([one for one, _ in pairs]), np.concatenate([other for _, other in pairs])


def _sorted(found: list[tuple[bytes, int]]) -> tuple[Packed, Numbers]:
    found.sort()
    return np.array([start for start, _ in found], WIDE), np.array([number for _, number in found], np.int64)


def _within(octets: npt.NDArray[np.uint8], starts: Packed, numbers: Numbers) -> tuple[Numbers, Numbers]:
    cut = np.ascontiguousarray(octets).view(WIDE).reshape(-1)
    first, behind = np.searchsorted(starts, cut, "left"), np.searchsorted(starts, cut, "right")
    counts = behind - first
    which = np.repeat(np.arange(len(cut)), counts)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    return which, numbers[np.repeat(first, counts) + nth]


def _mask(length: int) -> npt.NDArray[np.uint8]:
    bits = ((1 << length) - 1) << (128 - length)
    return np.frombuffer(bits.to_bytes(16, "big"), np.uint8)


def special_kinds(addresses: Packed) -> tuple[list[str | None], list[bool]]:
    """Of each address the special range it lies in, if any, and whether strangers have the same one."""
    kinds: list[Any] = [None] * len(addresses)
    many = [False] * len(addresses)
    for address, network in zip(*(side.tolist() for side in _SPECIAL.holding(addresses)), strict=True):
        kinds[address], many[address] = SPECIAL[network].kind, SPECIAL[network].many
    return kinds, many


_SPECIAL = Networks([special.network for special in SPECIAL])


def is_public(text: str) -> bool:
    """Whether this is an address of the internet: one, and in no special range."""
    found, are = packed([text])
    return bool(are[0]) and special_kinds(found)[0][0] is None
