"""Selectors: what has a checksum is checked, what stands inside something else is found, nothing is found twice."""

import io

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.extract.selector_kinds import KINDS
from casewright.extract.selectors import CHUNK, OVERLAP, Hit, all_selectors, find_selectors
from tests.extract.selector_texts import (
    ADDRESS,
    ETHEREUM,
    FINGERPRINT,
    MONERO,
    OLD_WIF,
    ONION,
    SEGWIT,
    WIF,
    WIF_STANDS_FOR,
    XPRV,
    XPUB,
    monero,
)

SECRET = ("wif", "xprv")


def hits_of(text: str | bytes, chunk: int = CHUNK) -> list[Hit]:
    raw = text.encode() if isinstance(text, str) else text
    hits = list(find_selectors(io.BytesIO(raw), chunk))
    assert hits == all_selectors(raw)
    assert len({(h.kind, h.span_start) for h in hits}) == len(hits)
    return hits


def found(text: str | bytes, *kinds: str) -> list[tuple[str, str]]:
    """(kind, value) of what is found; each stands where it is said to."""
    raw = text.encode() if isinstance(text, str) else text
    hits = [hit for hit in hits_of(raw) if not kinds or hit.kind in kinds]
    assert all(
        raw[h.span_start : h.span_start + h.span_length] == h.value.encode() for h in hits if h.kind not in SECRET
    )
    return [(h.kind, h.value) for h in hits]


def values(text: str | bytes, kind: str) -> list[str]:
    return [value for _, value in found(text, kind)]


def test_what_stands_inside_a_url_is_found_too() -> None:
    assert found(f"see http://{ONION}/pay?to={ADDRESS}.") == [
        ("url", f"http://{ONION}/pay?to={ADDRESS}"), ("onion", ONION), ("bitcoin", ADDRESS),
    ]  # fmt: skip


@pytest.mark.parametrize("text", [ADDRESS, SEGWIT, SEGWIT.upper(), ONION, ETHEREUM, MONERO, XPUB])
@pytest.mark.parametrize("at", [9, 17, -8])
def test_one_changed_letter_breaks_the_checksum(text: str, at: int) -> None:
    assert [value for _, value in found(text)] == [text]
    upper, lower = ("A", "C"), ("a", "c")
    letters = upper if text.isupper() else lower
    if text == ETHEREUM:  # its case is the checksum
        other = text[at].swapcase() if text[at].isalpha() else None
        at, other = (at, other) if other else (3, text[3].swapcase())
    else:
        other = letters[0] if text[at] != letters[0] else letters[1]
    assert not found(text[:at] + other + text[at + 1 :])


BIP_350 = [
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", "BC1SW50QGDZ25J",
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
    "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
]  # fmt: skip
BIP_350_INVALID = [
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "bc1pw5dgrnzv",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", "bc1gmk9yu",
]  # fmt: skip


def test_addresses_of_bips_173_and_350_are_found_and_their_invalid_ones_are_not() -> None:
    assert values("\n".join(BIP_350), "bitcoin") == BIP_350
    assert not found("\n".join(BIP_350_INVALID))
    assert [hit.canonical for hit in hits_of(SEGWIT.upper())] == [SEGWIT]


EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]  # fmt: skip


def test_the_addresses_of_eip_55_are_found_and_one_letter_in_the_other_case_is_not() -> None:
    assert values(" ".join(EIP_55), "ethereum") == EIP_55
    for text in EIP_55[4:]:
        at = next(i for i in range(2, 42) if text[i].isalpha())
        assert not values(text[:at] + text[at].swapcase() + text[at + 1 :], "ethereum")


@pytest.mark.parametrize("network", [18, 42, 53, 63, 24, 36])
def test_addresses_of_monero_are_found_on_each_network(network: int) -> None:
    assert values(f"pay {monero(network)}.", "monero") == [monero(network)]


def test_a_monero_address_with_a_payment_id_is_found_and_another_network_is_none() -> None:
    whole = monero(19, b"8 bytes.")
    assert len(whole) == 106
    assert values(whole, "monero") == [whole]
    assert not found(monero(17)) + found(monero(18, b"8 bytes.")) + found(monero(19))


def test_the_donation_address_that_the_monero_project_publishes_is_found() -> None:
    text = "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"
    assert values(text, "monero") == [text]


def test_the_onion_addresses_of_tors_specification_are_found() -> None:
    spec = [ONION, "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion",
            "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd.onion"]  # fmt: skip
    assert values(" ".join(spec), "onion") == spec
    assert values(f"www.{ONION}", "onion") == [ONION]
    assert [hit.canonical for hit in hits_of(ONION.upper())] == [ONION]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1, 192.0.2.2. And 2001:db8::1; fe80::1%eth0", ["192.0.2.1", "192.0.2.2", "2001:db8::1", "fe80::1"]),
        ("2001:0db8:0000:0000:0000:0000:0000:0017", ["2001:0db8:0000:0000:0000:0000:0000:0017"]),
        ("2001:db8::192.0.2.1 and ::ffff:192.0.2.9", ["2001:db8::192.0.2.1", "192.0.2.9"]),
        ("version 1.2.3.4.5, 256.1.1.1, 127.0.0.1, 0.0.0.0, 224.0.0.1, 1.2.3, 01.2.3.4, 192.0.2.1234", []),
        ("12:34:56 00:11:22:33:44:55 2018:01:02 abcd::x dead::beef::1 std::string 2024:12:34:56", []),
    ],
)
def test_ip_addresses_are_told_from_versions_clocks_and_hardware(text: str, expected: list[str]) -> None:
    assert values(text, "ip") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1:8080", [("192.0.2.1", 8080)]),
        ("http://[2001:db8::7]:443/", [("2001:db8::7", 443)]),
        ("Accepted publickey for root from 203.0.113.7 port 52814 ssh2", [("203.0.113.7", 52814)]),
        ("IP 192.0.2.1.443 > 198.51.100.7.55000: Flags [.]", [("192.0.2.1", 443), ("198.51.100.7", 55000)]),
        (
            "192.0.2.1:99999 192.0.2.2:0 192.0.2.3:12:30",
            [("192.0.2.1", None), ("192.0.2.2", None), ("192.0.2.3", None)],
        ),
    ],
)
def test_the_port_that_follows_an_ip_address_is_told(text: str, expected: list[tuple[str, int | None]]) -> None:
    assert [(hit.value, hit.port) for hit in hits_of(text) if hit.kind == "ip"] == expected


def test_equal_addresses_of_machines_are_equal_in_their_canonical_form() -> None:
    hits = hits_of("2001:DB8:0:0:0:0:0:1 2001:0db8::1")
    assert {hit.canonical for hit in hits} == {"2001:db8::1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<o'hara+scans@museum.example.org>.", ["hara+scans@museum.example.org"]),
        ("a@b, a@b.c, @x.org, x@.org, " + "l" * 65 + "@example.org", []),
        ("ünder@example.org", ["nder@example.org"]),
        ("'a@example.org','b@example.net'", ["a@example.org", "b@example.net"]),
        ("mail...curator@example.org, a@b.cd.e@f.gh", ["curator@example.org", "a@b.cd", "e@f.gh"]),
        ("x@example.org2024 y@example.org-", ["x@example.org", "y@example.org"]),
        ("logo@2x.png script@1.min.js", []),
    ],
)
def test_emails_end_where_their_letters_end(text: str, expected: list[str]) -> None:
    assert values(text, "email") == expected


def test_a_short_email_amid_noise_is_chance_and_amid_zeros_is_none() -> None:
    assert not found(b"\x91\xa7\x03\xfe\x88\x9c\x15a@b.cd\xe3\x82\x91\x17\xc4\xb5\x86\xf7\x99")
    assert values(b"\0\0\0\x09\0\0a@b.cd\0\0\x01\0\0\0\0", "email") == ["a@b.cd"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(see https://example.org/a_(b)), or", "https://example.org/a_(b)"),
        ("HTTPS://Example.ORG:8443/A?b=c#d!", "HTTPS://Example.ORG:8443/A?b=c#d"),
        ("ftp://user:word@example.net/pub; sftp", "ftp://user:word@example.net/pub"),
        ("[http://[2001:db8::7]]", "http://[2001:db8::7]"),
        ('<a href="http://example.org/x?y=1&amp;z=2">', "http://example.org/x?y=1&amp;z=2"),
        ("sftp://example.org/x", "sftp://example.org/x"),
    ],
)
def test_urls_end_before_what_belongs_to_the_sentence(text: str, expected: str) -> None:
    assert values(text, "url") == [expected]


def test_schemes_and_hosts_of_urls_are_equal_in_any_case() -> None:
    assert [h.canonical for h in hits_of("HTTP://Me@Example.ORG/A")] == ["http://Me@example.org/A", "Me@example.org"]


def test_example_numbers_of_every_country_are_found() -> None:
    numbers = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number(region)
        if number is not None and phonenumbers.is_valid_number(number):
            numbers.append(number)
    assert len(numbers) > 200
    for form in (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.E164):
        text = "\n".join(phonenumbers.format_number(number, form) for number in numbers)
        hits = [hit for hit in hits_of(text) if hit.kind == "phone"]
        assert [hit.value for hit in hits] == text.split("\n")
        assert [hit.canonical for hit in hits] == [
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) for number in numbers
        ]


def test_numbers_that_no_plan_knows_are_no_telephone_numbers() -> None:
    assert not found("+1 000 000 0000, +999 123456789, 2+49301234567, 1e+12345678")


def test_a_fingerprint_is_told_from_any_other_forty_digits() -> None:
    plain = FINGERPRINT.replace(" ", "")
    assert found(f"      {FINGERPRINT}\n") == [("pgp", FINGERPRINT)]
    assert found(f"PGP: {plain}") == [("pgp", plain)]
    assert found(f"Key fingerprint = {FINGERPRINT.lower()}") == [("pgp", FINGERPRINT.lower())]
    assert not found(f"commit {plain.lower()}")
    assert {hit.canonical for hit in hits_of(f"gpg {plain.lower()} {FINGERPRINT}")} == {plain}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("before", [b"", b"\xff", b"\xfe\xff\0"])
def test_text_of_two_bytes_a_letter_is_searched_and_places_count_its_bytes(encoding: str, before: bytes) -> None:
    text = f"to {ADDRESS}, a@b.org and +49 30 901820"
    raw = before + text.encode(encoding) + b"\xff\xfe"
    hits = hits_of(raw)
    assert [hit.value for hit in hits] == [ADDRESS, "a@b.org", "+49 30 901820"]
    for hit in hits:
        stands = raw[hit.span_start - (encoding == "utf-16-be") :][: hit.span_length]
        assert stands.decode(encoding) == hit.value


def test_of_a_private_key_only_what_it_stands_for_is_told_wherever_it_stands() -> None:
    texts = [WIF, OLD_WIF, XPRV, f"http://example.org/?k={WIF}&x", f"http://example.org/%3D{OLD_WIF}",
             f"{WIF}@example.org", f"wpkh({WIF})#", f"pkh({XPRV}/0/*)",
             f"192.0.2.7 - - [05/Mar/2024:10:11:12 +0000] {WIF}",
             f"http://example.org/{XPRV}/a{XPRV}"]  # fmt: skip
    for text in texts:
        told = repr(hits_of(text)) + repr(hits_of(text.encode("utf-16-le")))
        assert told != "[][]"
        assert not [secret for secret in (WIF, OLD_WIF, XPRV) if secret[:24] in told], text
    assert values(OLD_WIF, "wif") == [WIF_STANDS_FOR]
    assert found(f"{XPRV} {XPUB}", "xprv", "xpub") == [("xprv", XPUB), ("xpub", XPUB)]


MADE = [ADDRESS, SEGWIT, ONION, ETHEREUM, MONERO, FINGERPRINT, FINGERPRINT.replace(" ", ""), XPUB, WIF, XPRV,
        "x@example.org", "192.0.2.7", "192.0.2.7:80", "2001:db8::7", "https://example.net/a", "+49 30 901820",
        f"pkh({XPUB}/0/*)", " port 22", "IP 192.0.2.1.443 > 198.51.100.7.55000: "]  # fmt: skip
GLUE = ["http://", "@", ":", ".", "1", "bc1", " ", ",", "\0", "é", "." * 700, "a" * 900, "pgp ", "\n", "+", "(", ")",
        "//", "::", "0x", "a.b.c.d", "\n2024-03-05 10:11:12 "]  # fmt: skip


@st.composite
def dense(draw: st.DrawFn) -> bytes:
    """Bytes full of selectors, whole, changed and cut, with all that may stand between them."""
    raw = b""
    for part in draw(st.lists(st.sampled_from(MADE + GLUE), max_size=24)):
        one = part.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16-le", "utf-16-be"])))
        if draw(st.integers(0, 5)) == 0:
            at = draw(st.integers(0, len(one) - 1))
            one = one[:at] + draw(st.binary(max_size=2)) + one[at + draw(st.integers(0, 2)) :]
        raw += one
    return raw


@given(dense(), st.integers(1, 5000), st.integers(0, 6000))
@settings(max_examples=300)
def test_the_fast_search_finds_what_the_patterns_find_wherever_chunks_end(raw: bytes, chunk: int, before: int) -> None:
    raw = b"\xc3" * before + raw
    expected = all_selectors(raw)
    assert list(find_selectors(io.BytesIO(raw), CHUNK)) == expected
    assert list(find_selectors(io.BytesIO(raw), max(chunk, len(raw) // 60))) == expected


LETTERS = st.text("0123456789abcdefABCDEF:. @+()/", max_size=40).map(str.encode)


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([m.encode() for m in MADE]), LETTERS), max_size=40))
@settings(max_examples=300)
def test_random_bytes_and_letters_of_selectors_give_the_same_either_way(parts: list[bytes]) -> None:
    hits_of(b"".join(parts))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_every_size_of_chunks_gives_the_same(encoding: str) -> None:
    text = ("\n" + "x" * 1500 + "\n").join(MADE)
    raw = text.encode(encoding)
    expected = all_selectors(raw)
    assert len(expected) >= len(MADE)
    for chunk in (*range(997, 1013), 2048, OVERLAP - 1, OVERLAP, OVERLAP + 1, 2 * OVERLAP):
        assert list(find_selectors(io.BytesIO(raw), chunk)) == expected, chunk


def test_long_runs_of_letters_take_no_longer_than_their_length() -> None:
    runs = [b"a" * 1_000_000, b"." * 1_000_000, b"1" * 1_000_000, b"ab." * 300_000, b"a:" * 300_000, b"a@" * 300_000,
            b"+1" * 300_000, b"a.b@" * 200_000, b"ABCD " * 200_000, b"1.2." * 200_000, b"a\0" * 500_000,
            b"pkh(" * 200_000, b"abcd:" * 200_000, b"http://" * 50_000]  # fmt: skip
    assert {hit.kind for run in runs for hit in find_selectors(io.BytesIO(run))} <= {"url"}


LONGEST = b" ".join([b"http://" + b"a" * 5000, b"a" * 64 + b"@" + b"b.c." * 2000 + b"org", b"2001:" + b"1:" * 4000,
                     b"bc1" + b"q" * 5000, b"1" * 5000, b"pkh(" + b"a" * 5000 + b")", b"+1" + b"2" * 5000])  # fmt: skip


def test_no_pattern_can_match_more_than_the_overlap_holds() -> None:
    for kind, one in KINDS.items():
        assert max((len(m.group()) for m in one.pattern.finditer(LONGEST)), default=0) <= OVERLAP // 2, kind
