"""Extended keys and descriptors, held to the vectors of their own specifications."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.extract.descriptor_checksum import checksum
from casewright.extract.descriptors import NoDescriptor, read_descriptors
from casewright.extract.extended_keys import HARDENED, ExtendedKey, NoKey, extended_key
from casewright.extract.reader import Broken
from casewright.extract.wallet import CHANGE, OWN, Found, Owned, Place, Wallet
from casewright.extract.wallets.written import read_written

# Keys of the specifications' own examples: everybody knows them, and nobody keeps anything there.
MASTER = ("xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGB"
          "xrMPHi")  # fmt: skip
OTHER = ("xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCz"
         "C2U")  # fmt: skip
DEEP = ("xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86p"
        "gKt")  # fmt: skip
DEEP_PUBLIC = ("xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFx"
               "HmwMkQTPH")  # fmt: skip
TWO = ("xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRc"
       "EL",
       "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm"
       "4Y")  # fmt: skip
ZPUB = ("zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZY"
        "s")  # fmt: skip
BIP86 = ("xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReU"
         "sQ")  # fmt: skip
UPRV = ("uprv8tXDerPXZ1QsVNjUJWTurs9kA1KGfKUAts74GCkcXtU8GwnH33GDRbNJpEqTvipfCyycARtQJhmdfWf8oKt41X9LL1zeD2pLsWmxEk3VAw"
        "d")  # fmt: skip
LONG_WIF = "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss"
SHORT_WIF = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"
SHORT = "03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd"
LONG = ("04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa0391"
        "8ba2d492eea75abea235")  # fmt: skip
SIXTEEN = """03669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0
0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600
0362a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8
0261345b53de74a4d721ef877c255429961b7e43714171ac06168d7e08c542a8b8
02da72e8b46901a65d4374fe6315538d8f368557dda3a1dcf9ea903f3afe7314c8
0318c82dd0b53fd3a932d16e0ba9e278fcc937c582d5781be626ff16e201f72286
0297ccef1ef99f9d73dec9ad37476ddb232f1238aff877af19e72ba04493361009
02e502cfd5c3f972fe9a3e2a18827820638f96b6f347e54d63deb839011fd5765d
03e687710f0e3ebe81c1037074da939d409c0025f17eb86adb9427d28f0f7ae0e9
02c04d3a5274952acdbc76987f3184b346a483d43be40874624b29e3692c1df5af
02ed06e0f418b5b43a7ec01d1d7d27290fa15f75771cb69b642a51471c29c84acd
036d46073cbb9ffee90473f3da429abc8de7f8751199da44485682a989a4bebb24
02f5d1ff7c9029a80a4e36b9a5497027ef7f3e73384a4a94fbfe7c4e9164eec8bc
02e41deffd1b7cce11cde209a781adcffdabd1b91c0ba0375857a2bfd9302419f3
02d76625f7956a7fc505ab02556c23ee72d832f1bac391bcd2d3abce5710a13d06
0399eb0a5487515802dc14544cf10b3666623762fbed2ec38a3975716e2c29c232""".replace("\n", ",")


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ((), "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1E"
             "GMcet8"),
        ((HARDENED,), "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8"
                      "PX9rL2dZXvgGDnw"),
        ((HARDENED, 1, HARDENED + 2, 2, 1000000000),
         "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrT"
         "Hy"),
    ],
)  # fmt: skip
def test_keys_below_a_master_key_are_those_of_bip_32(path: tuple[int, ...], public: str) -> None:
    key = extended_key(MASTER)
    for number in path:
        key = key.child(number)
    assert str(key) == public
    assert extended_key(public) == ExtendedKey(**{**key.__dict__, "secret": None})


def test_a_public_key_leads_where_its_private_one_does() -> None:
    key = extended_key(MASTER).child(HARDENED)
    assert str(key.child(7)) == str(extended_key(str(key)).child(7))
    with pytest.raises(NoKey, match="hardened"):
        extended_key(str(key)).child(HARDENED)


def test_keys_end_after_255_steps() -> None:
    key = extended_key(MASTER)
    for _ in range(255):
        key = key.child(0)
    assert extended_key(str(key)).depth == 255
    with pytest.raises(NoKey):
        key.child(0)


@pytest.mark.parametrize(
    "text",
    [  # BIP 32, test vector 5
        "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
        "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFGTQQD3dC4H2D5GBj7vWvSQaaBv5cxi9gafk7NF3pnBju6dwKvH",
        "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEbWrR3FewATdCEebj6znwMfQkhRYHRLpJ",
        "xprv9s2SPatNQ9Vc6GTbVMFPFo7jsaZySyzk7L8n2uqKXJen3KUmvQNTuLh3fhZMBoG3G4ZW1N2kZuHEPY53qmbZzCHshoQnNf4GvELZfqTUrcv",
        "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULY",
        "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHGMQzT7ayAmfo4z3gY5KfbrZWZ6St24UVf2Qgo6oujFktLHdHY4",
    ],
)
def test_what_bip_32_refuses_is_no_key(text: str) -> None:
    with pytest.raises(NoKey):
        extended_key(text)


BOTH_KEYS = f"5121{SHORT}41{LONG}52ae"


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        # BIP 381
        (f"pk({SHORT_WIF})", [f"21{SHORT}ac"]),
        (f"pk({LONG_WIF})", [f"41{LONG}ac"]),
        (f"pkh([deadbeef/1/2'/3/4']{SHORT_WIF})", ["76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac"]),
        (f"pkh([deadbeef/1/2h/3/4h]{SHORT})", ["76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac"]),
        (f"pkh({LONG})", ["76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac"]),
        (f"sh(pk({SHORT}))", ["a9141857af51a5e516552b3086430fd8ce55f7c1a52487"]),
        (f"sh(pkh({SHORT_WIF}))", ["a9141a31ad23bf49c247dd531a623c2ef57da3c400c587"]),
        (f"pkh({OTHER}/2147483647'/0)", ["76a914ebdc90806a9c4356c1c88e42216611e1cb4c1c1788ac"]),
        # BIP 382
        (f"wpkh([ffffffff/13']{DEEP}/1/2/*)",
         ["0014326b2249e3a25d5dc60935f044ee835d090ba859", "0014af0bd98abc2f2cae66e36896a39ffe2d32984fb7",
          "00141fa798efd1cbf95cebf912c031b8a4a6e9fb9f27"]),
        (f"wpkh([ffffffff/13']{DEEP_PUBLIC}/1/2/*)",
         ["0014326b2249e3a25d5dc60935f044ee835d090ba859", "0014af0bd98abc2f2cae66e36896a39ffe2d32984fb7",
          "00141fa798efd1cbf95cebf912c031b8a4a6e9fb9f27"]),
        (f"sh(wpkh({MASTER}/10/20/30/40/*'))",
         ["a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87", "a914bed59fc0024fae941d6e20a3b44a109ae740129287",
          "a9148483aa1116eb9c05c482a72bada4b1db24af654387"]),
        (f"wsh(pkh({SHORT}))", ["0020338e023079b91c58571b20e602d7805fb808c22473cbc391a41b1bd3a192e75b"]),
        (f"wsh(pk({SHORT_WIF}))", ["00202e271faa2325c199d25d22e1ead982e45b64eeb4f31e73dbdf41bd4b5fec23fa"]),
        (f"sh(wsh(pkh({SHORT})))", ["a914b61b92e2ca21bac1e72a3ab859a742982bea960a87"]),
        # BIP 383
        (f"multi(1,{SHORT_WIF},{LONG_WIF})", [BOTH_KEYS]),
        (f"multi(1,{SHORT},{LONG})", [BOTH_KEYS]),
        (f"sortedmulti(1,{LONG},{SHORT})", [BOTH_KEYS]),
        (f"sortedmulti(2,{TWO[0]}/*,{TWO[1]}/0/0/*)",
         ["5221025d5fc65ebb8d44a5274b53bac21ff8307fec2334a32df05553459f8b1f7fe1b62102fbd47cc8034098f0e6a94c6aeee8528abf0"
          "a2153a5d8e46d325b7284c046784652ae",
          "52210264fd4d1f5dea8ded94c61e9641309349b62f27fbffe807291f664e286bfbe6472103f4ece6dfccfa37b211eb3d0af4d0c61dba9"
          "ef698622dc17eecdf764beeb005a652ae"]),
        (f"wsh(multi(2,{OTHER}/2147483647'/0,{DEEP}/1/2/*,{MASTER}/10/20/30/40/*'))",
         ["0020b92623201f3bb7c3771d45b2ad1d0351ea8fbf8cfe0a0e570264e1075fa1948f",
          "002036a08bbe4923af41cf4316817c93b8d37e2f635dd25cfff06bd50df6ae7ea203",
          "0020a96e7ab4607ca6b261bfe3245ffda9c746b28d3f59e83d34820ec0e2b36c139c"]),
        (f"sh(wsh(multi(16,{SIXTEEN})))", ["a9147fc63e13dc25e8a95a3cee3d9a714ac3afd96f1e87"]),
        # BIP 385
        ("raw(a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87)", ["a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87"]),
        ("addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j)", ["a914eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee87"]),
        # BIP 386
        (f"tr({SHORT[2:]})", ["512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11"]),
        (f"tr({SHORT_WIF})", ["512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11"]),
    ],
)  # fmt: skip
def test_descriptors_pay_the_scripts_of_their_bips(text: str, scripts: list[str]) -> None:
    (descriptor,) = read_descriptors(text)
    assert [next(descriptor.scripts(i)).hex() for i in range(len(scripts))] == scripts
    assert not [known for known in (MASTER, OTHER, DEEP, SHORT_WIF, LONG_WIF) if known in repr(descriptor)]
    (again,) = read_descriptors(descriptor.public_text)
    if "'))" not in text and "'/0" not in text:  # hardened keys can't be derived from public ones
        assert [next(again.scripts(i)).hex() for i in range(len(scripts))] == scripts


@pytest.mark.parametrize(
    "text",
    [
        # BIP 381 to 383, 385, 386
        f"pk(pk({SHORT}))", f"pkh(pk({SHORT}))", f"sh({SHORT})", f"sh(sh(pkh({SHORT})))", f"wpkh({LONG_WIF})",
        f"sh(wpkh({LONG_WIF}))", f"wpkh({LONG})", f"wsh(pk({LONG_WIF}))", f"wsh(pk({LONG}))", f"wsh(wpkh({SHORT}))",
        f"wsh(wsh(pkh({SHORT})))", f"sh(wsh(wsh(pkh({SHORT}))))", f"wpkh(wsh(pkh({SHORT})))", f"wsh({SHORT})",
        f"sh(multi(16,{SIXTEEN}))", f"multi(a,{SHORT},{LONG})", f"multi(0,{SHORT},{LONG})",
        f"multi(3,{SHORT_WIF},{LONG_WIF})", "raw(asdf)", "addr(asdf)", "sh(raw(deadbeef))", "wsh(raw(deadbeef))",
        "sh(addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j))", f"tr({LONG_WIF})", f"tr({LONG})", f"wsh(tr({SHORT[2:]}))",
        f"sh(tr({SHORT[2:]}))", f"tr({SHORT[2:]}, pkh({SHORT_WIF}))",
        # BIP 380 and 389
        f"pk([deadbeef/0h/*]{SHORT})", f"pk([deadbeef/0h/]{SHORT})", f"pk([deadbef/0h]{SHORT})",
        f"pk([deadbeeef/0h]{SHORT})", f"pk([deadbeef/0f]{SHORT})", f"pk([deadbeef/-0]{SHORT})", f"pk({SHORT_WIF}/0)",
        f"pk({SHORT_WIF}/*)", f"pk({OTHER}/2147483648)", f"pk({OTHER}/1aa)", f"pk([aaaaaaaa][aaaaaaaa]{OTHER}/0)",
        f"pk(aaaaaaaa]{OTHER}/0)", f"pk([gaaaaaaa]{OTHER}/0)", "pk([deadbeef])", f"pkh({OTHER}/<0;1>/<2;3>)",
        f"pkh([deadbeef/<0;1>]{BIP86}/0)", f"wpkh({BIP86}/<>/*)", f"wpkh({BIP86}/0>/*)", f"wpkh({BIP86}/<0/*)",
        f"wpkh({BIP86}/<0;>/*)", f"sh(multi(2,{TWO[0]}/<1;2;3>/*,{TWO[1]}/<3;4>/*))",
        # and what is not read
        "", "wpkh(", f"foo({SHORT})", f"wsh(and_v(v:pk({SHORT}),after(1)))", f"tr({SHORT[2:]},{{pk({SHORT[2:]})}})",
        "pkh(" * 900 + ")" * 900, "pk(" + "0" * 66 + ")", f"pk({SHORT_WIF[:-1]}2)",
    ],
)  # fmt: skip
def test_what_is_no_descriptor_is_refused_in_words_that_repeat_no_key(text: str) -> None:
    with pytest.raises(NoDescriptor) as refused:
        read_descriptors(text)
    said = str(refused.value)
    assert said
    pieces = [known[i : i + 12] for known in (OTHER, SHORT_WIF, LONG_WIF, SHORT) for i in range(0, len(known) - 12)]
    assert not [piece for piece in pieces if piece in said]


@given(st.text("pkhwsmultir(),/*'[]<>;#0123456789abcdefLK\u0661\u00fc", max_size=60))
def test_any_text_is_a_descriptor_or_refused(text: str) -> None:
    for around in (
        "{}",
        "wpkh({})",
        "sh(wpkh({}))",
        "addr({})",
        "raw({})",
        f"pk({SHORT_WIF}{{}})",
        f"pkh({BIP86}{{}})",
    ):
        try:
            read = read_descriptors(around.format(text))
        except NoDescriptor:
            continue
        assert all(descriptor.public_text for descriptor in read)


def test_a_descriptor_with_a_wrong_letter_is_none() -> None:
    assert checksum("raw(deadbeef)") == "89f8spxm"
    assert checksum("raw(Ü)") is None
    assert read_descriptors("raw(deadbeef)#89f8spxm")
    for wrong in ("raw(deadbeef)#", "raw(deadbeef)#89f8spx", "raw(deadbeef)#89f8spxmx", "raw(deedbeef)#89f8spxm",
                  "raw(deedbeef)##9f8spxm", "raw(Ü)#00000000"):  # fmt: skip
        with pytest.raises(NoDescriptor, match="checksum"):
            read_descriptors(wrong)


def test_a_combination_is_every_script_of_its_key() -> None:
    (descriptor,) = read_descriptors(f"combo({SHORT_WIF})")
    assert [script.hex() for script in descriptor.scripts(0)] == [
        f"21{SHORT}ac", "76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac",
        "00149a1c78a507689f6f54b847ad1cef1e614ee23f1e",
        "a91484ab21b1b2fd065d4504ff693d832434b6108d7b87",
    ]  # fmt: skip
    assert [kind for _, kind in descriptor.addresses(0, "mainnet")] == ["p2pkh", "p2wpkh", "p2sh-p2wpkh"]
    assert len(list(read_descriptors(f"combo({LONG_WIF})")[0].scripts(0))) == 2


def test_a_text_of_digits_as_long_as_a_private_key_is_none() -> None:
    (descriptor,) = read_descriptors("raw(" + "6a18" + "ab" * 24 + ")")
    assert descriptor.path(0) == descriptor.public_text
    assert not descriptor.secret


def test_several_paths_are_several_descriptors() -> None:
    """BIP 389, and the addresses of BIP 86."""
    (one, two) = read_descriptors(f"pkh({OTHER}/<2147483647h;0>/0)")
    assert (one.keys[0].steps, two.keys[0].steps) == ((2 * HARDENED - 1, 0), (0, 0))
    assert [next(d.addresses(0, "mainnet"))[0] for d in read_descriptors(f"tr({BIP86}/<0;1>/*)")] == [
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
    ]


# keys and descriptors that stand in a text


def owned(found: list[Found]) -> list[Owned]:
    return [piece for piece in found if isinstance(piece, Owned)]


def written(kind: str, text: str, gap: int = 2, network: str = "mainnet") -> list[Found]:
    return list(read_written(kind, text, Place(0, len(text)), gap, network))


def test_a_prefix_that_names_a_script_decides_it() -> None:
    """The vectors of BIP 84 and 49."""
    found = {o.address: o for o in owned(written("xpub", ZPUB))}
    assert list(found) == [
        "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
        "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el", "bc1qggnasd834t54yulsep6fta8lpjekv4zj6gv5rf",
    ]  # fmt: skip
    assert [o.role for o in found.values()] == [OWN, OWN, CHANGE, CHANGE]
    nested = owned(written("xprv", UPRV))
    assert "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2" in {o.address for o in nested}


def test_a_key_that_names_none_is_taken_in_every_usual_way() -> None:
    found = owned(written("xpub", BIP86))
    assert {o.kind for o in found} == {"p2pkh", "p2sh-p2wpkh", "p2wpkh", "p2tr"}
    assert "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr" in {o.address for o in found}
    assert len(found) == 4 * 2 * 2, "four uses, two chains, a gap of two"


def test_a_key_is_of_the_network_that_it_names_whatever_the_case_is_of() -> None:
    def network(kind: str, text: str, case: str) -> str:
        (wallet,) = [piece for piece in written(kind, text, network=case) if isinstance(piece, Wallet)]
        return wallet.network

    assert network("wif", SHORT_WIF, "regtest") == "mainnet"
    assert network("xpub", BIP86, "testnet") == "mainnet"
    assert network("xprv", UPRV, "mainnet") == "testnet"
    assert network("xprv", UPRV, "signet") == "signet"
    assert network("descriptor", "addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j)", "regtest") == "mainnet"
    assert network("descriptor", f"wpkh({SHORT})", "regtest") == "regtest"


@pytest.mark.parametrize(("kind", "text"), [("xprv", MASTER), ("xprv", UPRV), ("wif", LONG_WIF), ("wif", SHORT_WIF),
                                            ("descriptor", f"wpkh({MASTER}/84'/0'/0'/0/*)"),
                                            ("descriptor", f"wsh(multi(1,{SHORT_WIF},{MASTER}/*))")])  # fmt: skip
def test_private_keys_are_told_and_not_shown(kind: str, text: str) -> None:
    found = written(kind, text)
    wallet = found[-1]
    assert isinstance(wallet, Wallet)
    assert wallet.private_keys
    assert owned(found)
    shown = repr(found)
    assert not [known for known in (text, MASTER, UPRV, LONG_WIF, SHORT_WIF, "prv") if known in shown]


def test_a_key_that_serves_with_others_only_is_set_aside() -> None:
    """A key for `wsh` says nothing without the others beside it."""
    key = extended_key(MASTER).child(HARDENED)
    text = str(ExtendedKey(**{**key.__dict__, "secret": None, "script": "p2wsh"}))
    (piece,) = written("xpub", text)
    assert isinstance(piece, Broken)
    assert "together" in piece.detail
