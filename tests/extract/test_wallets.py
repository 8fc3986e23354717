"""Wallets: what owns an address, derived as the wallets themselves derive it; and no secret leaves them."""

import io
import json
import shutil
import sqlite3
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.extract.descriptors import NoDescriptor, checksum, read_descriptors
from casewright.extract.extended_keys import HARDENED, ExtendedKey, NoKey, extended_key
from casewright.extract.reader import FREED, LIVE, Broken, Nothing
from casewright.extract.wallet import CHANGE, CONTACT, DERIVED, OWN, STORED, WATCHED, Found, Owned, Place, Wallet
from casewright.extract.wallets.berkeley import Record, read_berkeley
from casewright.extract.wallets.core import read_core_berkeley, read_core_sqlite
from casewright.extract.wallets.electrum import read_electrum
from casewright.extract.wallets.written import read_written
from casewright.model.bitcoin import base58check_encode, script_of_address

MASTER = ("xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGB"
          "xrMPHi")  # fmt: skip
ZPUB = ("zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs")
BIP86 = ("xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ")
UPRV = ("uprv8tXDerPXZ1QsVNjUJWTurs9kA1KGfKUAts74GCkcXtU8GwnH33GDRbNJpEqTvipfCyycARtQJhmdfWf8oKt41X9LL1zeD2pLsWmxEk3VAwd")
WIF = "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss"
needs_berkeley = pytest.mark.skipif(not shutil.which("db5.3_load"), reason="Debian's db5.3-util is not here")
needs_electrum = pytest.mark.skipif(not shutil.which("electrum"), reason="Debian's electrum is not here")


def owned(found: list[Found]) -> list[Owned]:
    return [piece for piece in found if isinstance(piece, Owned)]


def written(kind: str, text: str, gap: int = 2, network: str = "mainnet") -> list[Found]:
    return list(read_written(kind, text, Place(0, len(text)), gap, network))


# the field's own vectors


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ((), "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"),
        ((HARDENED,), "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw"),
        ((HARDENED, 1, HARDENED + 2, 2, 1000000000), "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy"),
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
)  # fmt: skip
def test_what_bip_32_refuses_is_no_key(text: str) -> None:
    with pytest.raises(NoKey):
        extended_key(text)


@pytest.mark.parametrize(
    ("text", "scripts"),
    [  # BIP 381 to 386
        ("pkh([deadbeef/1/2'/3/4']0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)",
         ["76a914751e76e8199196d454941c45d1b3a323f1433bd688ac"]),
        ("sh(wpkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd))",
         ["a91484ab21b1b2fd065d4504ff693d832434b6108d7b87"]),
        ("wpkh([ffffffff/13']xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dw"
         "SM1fwqWpWkeS3v86pgKt/1/2/*)",
         ["0014326b2249e3a25d5dc60935f044ee835d090ba859", "0014af0bd98abc2f2cae66e36896a39ffe2d32984fb7",
          "00141fa798efd1cbf95cebf912c031b8a4a6e9fb9f27"]),
        ("combo(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)",
         ["210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac"]),
        ("tr(a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)",
         ["512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11"]),
        ("sh(multi(2,022f8bde4d1a07209355b4a7250a5c5128e88b84bddc619ab7cba8d569b240efe4,"
         "03acd484e2f0c7f65309ad178a9f559abde09796974c57e714c35f110dfc27ccbe))#y9zthqta",
         ["a9147fda9cf020c16cacf529c87d8de89bfc70b8c9cb87"]),
    ],
)  # fmt: skip
def test_descriptors_pay_the_scripts_of_their_bips(text: str, scripts: list[str]) -> None:
    (descriptor,) = read_descriptors(text)
    assert [next(descriptor.scripts(i)).hex() for i in range(len(scripts))] == scripts


def test_a_descriptor_with_a_wrong_letter_is_none() -> None:
    assert checksum("raw(deadbeef)") == "89f8spxm"
    assert read_descriptors("raw(deadbeef)#89f8spxm")
    for wrong in ("raw(deadbeef)#", "raw(deadbeef)#89f8spx", "raw(deedbeef)#89f8spxm", "raw(deadbeef)##9f8spxm"):
        with pytest.raises(NoDescriptor, match="checksum"):
            read_descriptors(wrong)


@pytest.mark.parametrize(
    "text",
    ["wpkh(", "sh(sh(pk(02)))", "wsh(wpkh(02))", "multi(3,02,03)", "foo(1)", "pkh(xpub1/0)", "tr(02,{pk(1),pk(2)})", "",
     f"pkh({BIP86}/2147483648)", f"wpkh({BIP86}/<0;1>/<0;1;2>)", "addr(1BoatSLRHtKNngkdXEeobR76b53LETtpyS)",
     "wsh(and_v(v:pk(02),after(1)))", "pkh(" * 900 + ")" * 900],
)  # fmt: skip
def test_what_is_not_read_is_refused_in_words(text: str) -> None:
    with pytest.raises(NoDescriptor):
        read_descriptors(text)


def test_several_paths_are_several_descriptors() -> None:
    two = read_descriptors(f"tr({BIP86}/<0;1>/*)")
    assert [next(d.addresses(0, "mainnet"))[0] for d in two] == [
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7",
    ]


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
    kinds = {o.kind for o in owned(written("xpub", BIP86))}
    assert kinds == {"p2pkh", "p2sh-p2wpkh", "p2wpkh", "p2tr"}
    assert "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr" in {
        o.address for o in owned(written("xpub", BIP86))
    }


@pytest.mark.parametrize(("kind", "text"), [("xprv", MASTER), ("xprv", UPRV), ("wif", WIF),
                                            ("descriptor", f"wpkh({MASTER}/84'/0'/0'/0/*)")])  # fmt: skip
def test_private_keys_are_told_and_not_shown(kind: str, text: str) -> None:
    found = written(kind, text)
    wallet = found[-1]
    assert isinstance(wallet, Wallet)
    assert wallet.private_keys
    assert owned(found)
    shown = repr(found)
    assert text not in shown
    assert "prv" not in shown


# Bitcoin Core


def sized(raw: bytes) -> bytes:
    return bytes([len(raw)]) + raw if len(raw) < 253 else b"\xfd" + struct.pack("<H", len(raw)) + raw


def named(kind: str, rest: bytes = b"") -> bytes:
    return sized(kind.encode()) + rest


PUBLIC = [extended_key(BIP86).child(i).key for i in range(40)]
SECRET = b"\x5e" * 32
LONG = bytes(range(256)) * 200


def records() -> dict[bytes, bytes]:
    """A wallet's records: forty keys, one of them of change; a watched script; an address book; a long transaction."""
    made = {named("key", sized(key)): sized(SECRET) + bytes(32) for key in PUBLIC}
    made[named("keymeta", sized(PUBLIC[3]))] = struct.pack("<iq", 10, 1500000000) + sized(b"m/0'/1'/3'") + bytes(20)
    made[named("watchs", sized(script_of_address("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "mainnet")))] = b"1"
    made[named("name", sized(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"))] = sized("Großhändler".encode())
    made[named("name", sized(first_address().encode()))] = sized(b"=till")
    made[named("tx", bytes(32))] = LONG
    made[named("version")] = struct.pack("<i", 219900)
    made[named("name", b"\xff")] = b"\x09"
    return made


def first_address() -> str:
    return next(read_descriptors(f"pkh({PUBLIC[0].hex()})")[0].addresses(0, "mainnet"))[0]


MAKE = """
import sys, bsddb3.db as db
made = db.DB(); made.set_pagesize(int(sys.argv[2])); made.set_lorder(int(sys.argv[3]))
made.open(sys.argv[1], "main", db.DB_BTREE, db.DB_CREATE)
for line in sys.stdin:
    sign, key, value = line.split(" ")
    if sign == "+": made.put(bytes.fromhex(key), bytes.fromhex(value))
    else: made.delete(bytes.fromhex(key))
made.close()
"""


def berkeley(path: Path, made: dict[bytes, bytes], gone: list[bytes], page: int = 4096, order: int = 1234) -> bytes:
    """A database that Berkeley DB itself wrote, and from which it deleted."""
    lines = [f"+ {k.hex()} {v.hex()}\n" for k, v in made.items()] + [f"- {k.hex()} \n" for k in gone]
    subprocess.run(["/usr/bin/python3", "-c", MAKE, path, str(page), str(order)], input="".join(lines), text=True,
                   check=True)  # fmt: skip
    return path.read_bytes()


@needs_berkeley
@pytest.mark.parametrize(("page", "order"), [(512, 1234), (4096, 1234), (4096, 4321), (65536, 1234)])
def test_pages_give_what_berkeley_db_gives(tmp_path: Path, page: int, order: int) -> None:
    made = records() | {b"k%05d" % i: bytes([i % 256]) * (i % 3000) for i in range(2000)}
    gone = [b"k%05d" % i for i in range(100, 1900, 3)]
    raw = berkeley(tmp_path / "wallet.dat", made, gone, page, order)
    found = list(read_berkeley(io.BytesIO(raw)))
    assert all(isinstance(record, Record) for record in found)
    live = [(r.key, r.value) for r in found if isinstance(r, Record) and r.place.origin == LIVE]
    dumped = subprocess.run(["db5.3_dump", "-s", "main", tmp_path / "wallet.dat"], capture_output=True, check=True)
    lines = dumped.stdout.decode().partition("HEADER=END\n")[2].split("\n")
    pairs = [bytes.fromhex(line.strip()) for line in lines if line.startswith(" ")]
    assert live == list(zip(pairs[::2], pairs[1::2], strict=True))
    assert dict(live) == {k: v for k, v in made.items() if k not in gone}
    for record in found:
        assert isinstance(record, Record)
        span = raw[record.place.span_start : record.place.span_start + record.place.span_length]
        assert record.key in span or record.value in span or len(record.key) > page // 4


@needs_berkeley
def test_a_wallet_with_single_keys_gives_their_addresses_and_its_address_book(tmp_path: Path) -> None:
    raw = berkeley(tmp_path / "wallet.dat", records(), [])
    found = list(read_core_berkeley(io.BytesIO(raw), Nothing(), 20, "mainnet"))
    by_address = {o.address: o for o in owned(found)}
    assert sum(o.basis == STORED and o.role in (OWN, CHANGE) for o in by_address.values()) == 3 * len(PUBLIC)
    assert by_address[first_address()].label == "=till"
    assert by_address["3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"].role == WATCHED
    contact = by_address["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]
    assert (contact.role, contact.label) == (CONTACT, "Großhändler")
    assert sum(o.role == CHANGE for o in by_address.values()) == 3
    wallet, broken = found[-1], [p for p in found if isinstance(p, Broken)]
    assert isinstance(wallet, Wallet)
    assert (wallet.network, wallet.encrypted, wallet.private_keys) == ("mainnet", False, True)
    assert len(broken) == 1
    assert wallet.done + wallet.nothing + len(broken) == len(records())
    assert SECRET.hex() not in repr(found)
    assert repr(SECRET) not in repr(found)


@needs_berkeley
def test_keys_that_a_wallet_deleted_are_marked(tmp_path: Path) -> None:
    gone = [named("key", sized(key)) for key in PUBLIC[5:30]]
    raw = berkeley(tmp_path / "wallet.dat", records(), gone)
    found = owned(list(read_core_berkeley(io.BytesIO(raw), Nothing(), 20, "mainnet")))
    live = {o.address for o in found if o.place.origin == LIVE}
    freed = {o.address for o in found if o.place.origin == FREED}
    assert not live & freed
    assert sum(o.basis == STORED and o.role in (OWN, CHANGE) for o in found if o.place.origin == LIVE) == 3 * 15


@needs_berkeley
def test_another_programs_database_is_no_wallet(tmp_path: Path) -> None:
    raw = berkeley(tmp_path / "rpm", {b"a": b"b"}, [])
    assert list(read_core_berkeley(io.BytesIO(raw), Nothing(), 20, "mainnet")) == []


@needs_berkeley
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_wallet_ends_in_words(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    raw = bytearray(_damaged_base(tmp_path_factory))
    for _ in range(data.draw(st.integers(1, 12))):
        raw[data.draw(st.integers(24, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for piece in read_core_berkeley(io.BytesIO(raw[:cut]), Nothing(), 3, "mainnet"):
        assert isinstance(piece, (Owned, Broken, Wallet))


_BASE: list[bytes] = []


def _damaged_base(factory: pytest.TempPathFactory) -> bytes:
    if not _BASE:
        _BASE.append(berkeley(factory.mktemp("base") / "wallet.dat", records(), [], page=1024))
    return _BASE[0]


TEXT = f"wpkh([d34db33f/84'/1'/0']{extended_key(BIP86)}/0/*)"


def descriptor_wallet(path: Path, magic: str, made: dict[bytes, bytes]) -> BinaryIO:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {struct.unpack('>i', bytes.fromhex(magic))[0]}")
    connection.execute("CREATE TABLE main(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)")
    connection.executemany("INSERT INTO main VALUES (?, ?)", made.items())
    connection.commit()
    connection.close()
    return io.BytesIO(path.read_bytes())


def line_of(text: str, used: int, end: int) -> bytes:
    return sized(f"{text}#{checksum(text)}".encode()) + struct.pack("<Qiii", 1600000000, used, 0, end)


def kept(key: ExtendedKey) -> bytes:
    raw = bytes([key.depth]) + key.parent + struct.pack(">I", key.number) + key.chain + key.key
    return sized(raw)


def test_a_wallet_with_descriptors_gives_what_it_handed_out_and_the_gap_beyond(tmp_path: Path) -> None:
    name, change, hardened = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
    account = extended_key(MASTER).child(HARDENED + 84).child(HARDENED).child(HARDENED)
    root = str(extended_key(MASTER))
    single = {i: account.child(HARDENED + i) for i in range(3)}
    made = {
        named("walletdescriptor", name): line_of(TEXT, 3, 4),
        named("walletdescriptor", change): line_of(f"wpkh({root}/84'/0'/0'/1/*)", 0, 6),
        named("walletdescriptorcache", change + struct.pack("<I", 0)): kept(account.child(1)),
        named("walletdescriptor", hardened): line_of(f"pkh({root}/84'/0'/0'/*')", 1, 3),
        **{named("walletdescriptorcache", hardened + struct.pack("<II", 0, i)): kept(k) for i, k in single.items()},
        named("activeinternalspk", b"\x02"): change,
        named("walletdescriptorckey", name + sized(PUBLIC[0])): sized(SECRET),
        named("mkey", bytes(4)): bytes(60),
        named("flags"): bytes(8),
    }
    file = descriptor_wallet(tmp_path / "wallet.dat", "f9beb4d9", made)
    found = list(read_core_sqlite(file, Nothing(), 5, "regtest"))
    wallet = found[-1]
    assert isinstance(wallet, Wallet)
    assert (wallet.network, wallet.encrypted, wallet.private_keys) == ("mainnet", True, True)
    assert wallet.done + wallet.nothing == len(made)
    lines = {role: [o for o in owned(found) if o.role == role and o.kind == "p2wpkh"] for role in (OWN, CHANGE)}
    assert [o.handed_out for o in lines[OWN]] == [True] * 3 + [False] * 5
    assert len(lines[CHANGE]) == 6
    direct = read_descriptors(f"wpkh({MASTER}/84'/0'/0'/1/*)")[0]
    assert [o.address for o in lines[CHANGE]] == [next(direct.addresses(i, "mainnet"))[0] for i in range(6)]
    alone = [o.address for o in owned(found) if o.kind == "p2pkh"]
    direct = read_descriptors(f"pkh({MASTER}/84'/0'/0'/*')")[0]
    assert alone == [next(direct.addresses(i, "mainnet"))[0] for i in range(3)]
    assert not [p for p in found if isinstance(p, Broken)]


def test_a_descriptor_that_cannot_be_followed_is_set_aside(tmp_path: Path) -> None:
    root = str(extended_key(MASTER))
    made = {named("walletdescriptor", b"\x01" * 32): line_of(f"wpkh({root}/84'/0'/0'/1/*)", 0, 6)}
    found = list(read_core_sqlite(descriptor_wallet(tmp_path / "w", "fabfb5da", made), Nothing(), 5, "mainnet"))
    assert [type(p) for p in found] == [Broken, Wallet]
    assert isinstance(found[0], Broken)
    assert "hardened" in found[0].detail


def test_another_programs_sqlite_database_is_no_wallet(tmp_path: Path) -> None:
    assert list(read_core_sqlite(descriptor_wallet(tmp_path / "w", "00000000", {b"a": b"b"}), Nothing(), 5, "mainnet")) == []


# Electrum


class Electrum:
    """Debian's Electrum, offline, on the regression-test network, with its own folder."""

    def __init__(self, home: Path) -> None:
        self.home, self.path = home, home / "wallet"

    def run(self, *arguments: str) -> Any:
        command = ["electrum", "--offline", "--regtest", "-D", str(self.home), "-w", str(self.path), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout.strip()


@pytest.fixture
def electrum(tmp_path: Path) -> Iterator[Electrum]:
    yield Electrum(tmp_path)


def read(raw: bytes, gap: int = 20) -> list[Found]:
    return list(read_electrum(io.BytesIO(raw), Nothing(), gap, "regtest"))


@needs_electrum
@pytest.mark.parametrize("kind", ["standard", "segwit"])
def test_electrum_lists_what_its_keys_derive(electrum: Electrum, kind: str) -> None:
    seed = electrum.run("create", "--seed_type", kind)["seed"]
    listed = electrum.run("listaddresses", "--receiving"), electrum.run("listaddresses", "--change")
    raw = electrum.path.read_bytes()
    found = {o.address: o for o in owned(read(raw))}
    assert [a for a, o in found.items() if o.role == OWN and o.basis == STORED] == listed[0]
    assert [a for a, o in found.items() if o.role == CHANGE and o.basis == STORED] == listed[1]
    assert all(raw[o.place.span_start :].startswith(a.encode()) for a, o in found.items() if o.basis == STORED)
    assert sum(o.basis == DERIVED for o in found.values()) == 40
    bare = json.loads(raw) | {"addresses": {}}
    derived = owned(read(json.dumps(bare).encode()))
    assert [o.address for o in derived if o.role == OWN] == listed[0]
    assert [o.address for o in derived if o.role == CHANGE][: len(listed[1])] == listed[1]
    assert {o.basis for o in derived} == {DERIVED}
    wallet = read(raw)[-1]
    assert isinstance(wallet, Wallet)
    assert wallet.private_keys
    assert seed not in repr(read(raw))


@needs_electrum
def test_electrums_wallets_with_several_keys_need_them_all(electrum: Electrum) -> None:
    keys = [extended_key(MASTER).child(HARDENED + i) for i in (1, 2)]
    public = [base58check_encode(bytes.fromhex("02575483") + bytes([k.depth]) + k.parent + struct.pack(">I", k.number)
                                 + k.chain + k.key) for k in keys]  # fmt: skip
    electrum.run("restore", public[0])
    store = json.loads(electrum.path.read_bytes())
    document = {"wallet_type": "2of2", "x1/": store["keystore"], "x2/": store["keystore"] | {"xpub": public[1]},
                "addresses": {}, "seed_version": store["seed_version"]}  # fmt: skip
    electrum.path.unlink()
    electrum.path.write_text(json.dumps(document))
    found = owned(read(electrum.path.read_bytes()))
    assert {o.kind for o in found} == {"p2wsh"}
    listed = electrum.run("listaddresses", "--receiving")
    assert listed
    assert [o.address for o in found if o.role == OWN][: len(listed)] == listed


@needs_electrum
def test_labels_and_imported_addresses_are_kept(electrum: Electrum) -> None:
    addresses = ["bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"]
    electrum.run("restore", " ".join(addresses))
    electrum.run("setlabel", addresses[0], "the till")
    electrum.run("setlabel", "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry", "wholesale")
    found = {o.address: (o.role, o.label) for o in owned(read(electrum.path.read_bytes()))}
    assert found == {
        addresses[0]: (OWN, "the till"), addresses[1]: (OWN, None),
        "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry": (CONTACT, "wholesale"),
    }  # fmt: skip
    wallet = read(electrum.path.read_bytes())[-1]
    assert isinstance(wallet, Wallet)
    assert not wallet.private_keys


@needs_electrum
def test_a_file_that_is_encrypted_whole_is_said_to_be(electrum: Electrum) -> None:
    electrum.run("create", "--password", "amber", "--encrypt_file", "true")
    assert [(type(p), getattr(p, "reason", None)) for p in read(electrum.path.read_bytes())] == [(Broken, "encrypted")]


def test_changes_after_the_document_count() -> None:
    """Electrum 4.5 and later append them."""
    raw = json.dumps({"wallet_type": "imported", "addresses": {}, "labels": {"a": "b"}}) + ",\n" + ",\n".join(
        json.dumps(p) for p in (
            {"op": "add", "path": "/addresses/1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "value": {"type": "p2pkh"}},
            {"op": "add", "path": "/addresses/3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "value": {}},
            {"op": "replace", "path": "/labels/1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "value": "till"},
            {"op": "remove", "path": "/addresses/3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"}))  # fmt: skip
    assert [(o.address, o.label) for o in owned(read(raw.encode()))] == [("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "till")]


@pytest.mark.parametrize("raw", [b"{", b"[1]", b"", b"{" * 100_000, b'{"a": 1}, {"op": "add", "path": "x"}', b"\xff{}",
                                 b'{"keystore": {"xpub": "xpub1"}, "addresses": []}'])  # fmt: skip
def test_a_broken_file_is_said_to_be(raw: bytes) -> None:
    assert any(isinstance(piece, Broken) for piece in read(raw))
