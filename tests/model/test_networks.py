"""Addresses and networks, many at once, held against the standard library one by one."""

import ipaddress
from random import Random

import pytest

from casewright.model.networks import SPECIAL, Networks, network_of, packed, special_kinds, written

DICE = Random(6890)


def addresses(count: int) -> list[str]:
    four = [str(ipaddress.IPv4Address(DICE.getrandbits(32))) for _ in range(count)]
    six = [str(ipaddress.IPv6Address(DICE.getrandbits(128))) for _ in range(count)]
    edges = [str(net[at]) for net in (ipaddress.ip_network(s.network) for s in SPECIAL) for at in (0, -1)]
    return [*four, *six, *edges, "2001:db8::", "::ffff:10.0.0.1", "255.255.255.255", "0.0.0.0"]


def test_addresses_go_to_bytes_and_back() -> None:
    texts = [*addresses(200), "no address", "", "1.2.3", "1.2.3.4:80", "fe80::1%eth0", "1.2.3.4\0", "١.٢.٣.٤"]
    found, good = packed(texts)
    plain = [ipaddress.ip_address(t) for t, fine in zip(texts, good, strict=True) if fine]
    mapped = [getattr(a, "ipv4_mapped", None) or a for a in plain]
    assert written(found[good]) == [str(a) for a in mapped]
    assert [t for t, fine in zip(texts, good, strict=True) if not fine] == texts[-7:]


def test_both_forms_of_an_address_are_equal() -> None:
    found, _ = packed(["10.1.2.3", "::ffff:10.1.2.3", "::FFFF:a01:203"])
    assert len(set(found.tolist())) == 1


def test_networks_within_networks_are_all_found() -> None:
    """Held against the library's own word, address by address and network by network."""
    texts = addresses(60)
    names = [s.network for s in SPECIAL] + ["0.0.0.0/0", "::/0", "10.0.0.0/8", "10.0.0.1/32", "2000::/3", "128.0.0.0/1"]
    names += [f"{a}/{DICE.randrange(1, 33)}" for a in texts[:40]] + [
        f"{a}/{DICE.randrange(1, 129)}" for a in texts[60:99]
    ]
    nets = [str(network_of(name)) for name in names]
    which, network = Networks(nets).holding(packed(texts)[0])
    found = set(zip(which.tolist(), network.tolist(), strict=True))
    assert len(found) == len(which)
    for n, text in enumerate(texts):
        one = ipaddress.ip_address(text)
        forms = {one, getattr(one, "ipv4_mapped", None) or one}
        if one.version == 4:
            forms.add(ipaddress.IPv6Address(f"::ffff:{one}"))
        expected = {k for k, net in enumerate(nets) if any(f in ipaddress.ip_network(net) for f in forms)}
        assert {k for m, k in found if m == n} == expected, text


def test_no_network_holds_nothing() -> None:
    assert [len(side) for side in Networks([]).holding(packed(["1.1.1.1"])[0])] == [0, 0]
    assert [len(side) for side in Networks(["1.0.0.0/8"]).holding(packed([])[0])] == [0, 0]


NEWER = ("192.0.0.", "3fff:", "5f00:", "64:ff9b:", "2001:", "fe")
"""Where versions of the library differ, or it knows less than the registries."""


def test_special_ranges_are_those_that_the_library_does_not_take_for_global() -> None:
    """But for tunnels and addresses of groups, by which nobody is located either."""
    texts = addresses(3000)
    kinds, _ = special_kinds(packed(texts)[0])
    for text, kind in zip(texts, kinds, strict=True):
        one = ipaddress.ip_address(text)
        one = getattr(one, "ipv4_mapped", None) or one
        if not text.startswith(NEWER) and kind != "tunnel":
            assert (kind is None) == (one.is_global and not one.is_multicast), text


@pytest.mark.parametrize(
    ("text", "network"),
    [("1.2.3.4", "1.2.3.4/32"), (" 10.1.2.3/8 ", "10.0.0.0/8"), ("2001:db8::1", "2001:db8::1/128"), ("x", None),
     ("1.2.3.4/33", None), ("", None), ("10.0.0.0/255.0.0.0", "10.0.0.0/8")],
)  # fmt: skip
def test_a_network_is_read_as_people_write_it(text: str, network: str | None) -> None:
    assert network_of(text) == network
