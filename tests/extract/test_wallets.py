"""Wallets' files: what owns an address, derived as the wallets' own programs derive it; and no secret leaves them."""

import io
import json
import shutil
import sqlite3
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewright.extract.descriptors import read_descriptors
from casewright.extract.extended_keys import HARDENED, extended_key
from casewright.extract.reader import FREED, LIVE, Broken, Nothing
from casewright.extract.wallet import CHANGE, CONTACT, DERIVED, OWN, STORED, WATCHED, Found, Owned, Wallet
from casewright.extract.wallets.berkeley import Record, read_berkeley
from casewright.extract.wallets.core import read_core_berkeley, read_core_sqlite
from casewright.extract.wallets.electrum import read_electrum
from casewright.model.bitcoin import base58check_encode, valid_address
from tests.extract import wallet_files as files
from tests.extract.beside import Files
from tests.extract.test_descriptors import BIP86, MASTER, TWO
from tests.extract.wallet_files import named, needs_berkeley, sized

REAL = Path(__file__).parent / "core_wallets"
TRUTH: dict[str, Any] = json.loads((REAL / "truth.json").read_text("utf-8"))
needs_electrum = pytest.mark.skipif(not shutil.which("electrum"), reason="Debian's electrum is not here")


def owned(found: list[Found]) -> list[Owned]:
    return [piece for piece in found if isinstance(piece, Owned)]


def broken(found: list[Found]) -> list[Broken]:
    return [piece for piece in found if isinstance(piece, Broken)]


def the_wallet(found: list[Found]) -> Wallet:
    (wallet,) = [piece for piece in found if isinstance(piece, Wallet)]
    assert found[-1] is wallet
    return wallet


# Bitcoin Core's own files, and what it says of them (tools/build_wallets.py)


def real(name: str, gap: int = 5) -> list[Found]:
    read = read_core_berkeley if name == "single" else read_core_sqlite
    with (REAL / f"{name}.dat").open("rb") as file:
        return list(read(file, Nothing(), gap, "regtest"))


@pytest.mark.parametrize("name", ["till", "locked", "watch"])
def test_a_wallet_gives_the_addresses_that_its_own_program_derives(name: str) -> None:
    found, truth = real(name), TRUTH[name]
    by_address = {o.address: o for o in owned(found)}
    derived = {address for line in truth["lines"] for address in line["addresses"]}
    assert by_address.keys() == derived | truth["book"].keys()
    assert broken(found) == []
    for line in truth["lines"]:
        for index, address in enumerate(line["addresses"]):
            if line["internal"] is not None:
                assert by_address[address].role == (CHANGE if line["internal"] else OWN)
                assert by_address[address].handed_out == (index < line["next"])


@pytest.mark.parametrize("name", ["till", "locked", "watch", "single"])
def test_a_wallets_labels_are_those_of_its_own_program(name: str) -> None:
    by_address = {o.address: o for o in owned(real(name))}
    for address, book in TRUTH[name]["book"].items():
        assert by_address[address].label == book["label"]
        assert (by_address[address].role == CONTACT) == (book["purpose"] == "send")
    assert sum(o.label is not None for o in by_address.values()) == len(TRUTH[name]["book"])


def test_a_wallet_of_single_keys_gives_what_its_program_made_of_it() -> None:
    """The program turned it into descriptors; those called `combo` stand for the old wallet's keys."""
    lines = [line["addresses"] for line in TRUTH["single"]["lines"] if line["desc"][:5] == "combo"]
    found = real("single")
    ours = {o.address for o in owned(found) if o.role in (OWN, CHANGE)}
    assert ours == {address for line in lines for address in line}
    external, change = sorted((line for line in lines if len(line) > 3), key=len, reverse=True)
    by_address = {o.address: o for o in owned(found)}
    assert {by_address[a].role for a in external} == {OWN}
    assert {by_address[a].role for a in change} == {CHANGE}
    assert [by_address[a].path for a in external[:5]] == [f"m/0'/0'/{i}'" for i in range(5)]
    waiting = [a for a, o in by_address.items() if o.handed_out is False]
    assert len(waiting) == 3 * (2 + 2), "two keys each in the pools of both chains, in three forms"
    assert [o.address for o in by_address.values() if o.role == WATCHED] == [files.WATCHED]


@pytest.mark.parametrize(
    ("name", "encrypted", "private"),
    [("till", False, True), ("locked", True, True), ("watch", False, False), ("single", False, True)],
)
def test_that_a_wallet_has_private_keys_is_told_and_none_of_them(name: str, encrypted: bool, private: bool) -> None:
    found = real(name)
    wallet = the_wallet(found)
    assert (wallet.network, wallet.encrypted, wallet.private_keys) == ("regtest", encrypted, private)
    assert bool(TRUTH[name]["secrets"]) == private
    assert not [secret for secret in TRUTH[name]["secrets"] if secret in repr(found)]


# Berkeley DB


@needs_berkeley
@pytest.mark.parametrize(("page", "order"), [(512, 1234), (4096, 1234), (4096, 4321), (65536, 1234)])
def test_pages_give_what_berkeley_db_gives(tmp_path: Path, page: int, order: int) -> None:
    made = files.legacy_records()[0] | {b"k%05d" % i: bytes([i % 256]) * (i % 3000) for i in range(2000)}
    gone = [b"k%05d" % i for i in range(100, 1900, 3)]
    raw = files.berkeley(tmp_path / "wallet.dat", made, gone, page, order)
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
def test_keys_that_a_wallet_deleted_come_back_and_are_marked(tmp_path: Path) -> None:
    """As long as nothing was written over them."""
    numbers = {n: files.public_of(files.secret(n)) for n in range(200)}
    made = dict(pair for n in numbers for pair in files.key_records(files.secret(n)).items())
    gone = [named("key", sized(numbers[n])) for n in range(50, 180)]
    raw = files.berkeley(tmp_path / "wallet.dat", made, gone)
    found = owned(list(read_core_berkeley(io.BytesIO(raw), Nothing(), 20, "mainnet")))
    origins = {o.address: o.place.origin for o in found}
    address = {
        n: next(read_descriptors(f"wpkh({key.hex()})")[0].addresses(0, "mainnet"))[0] for n, key in numbers.items()
    }
    assert {n for n in numbers if origins.get(address[n]) == LIVE} == {*range(50), *range(180, 200)}
    freed = {n for n in numbers if origins.get(address[n]) == FREED}
    standing = {n for n in range(50, 180) if named("key", sized(numbers[n])) in raw}
    assert freed <= standing
    assert len(freed) > 0.9 * len(standing) > 20
    for one in found:
        span = raw[one.place.span_start : one.place.span_start + one.place.span_length]
        assert any(key in span for n, key in numbers.items() if address[n] == one.address or one.kind != "p2wpkh")


@needs_berkeley
def test_an_address_whose_key_is_gone_is_still_the_wallets_own(tmp_path: Path) -> None:
    gone = "mkHS9ne12qx9pS9VojpwU5xtRd4T7X7ZUt"
    made = {
        named("name", sized(gone.encode())): sized(b"old"),
        named("purpose", sized(gone.encode())): sized(b"receive"),
    }
    raw = files.berkeley(tmp_path / "wallet.dat", made, [])
    (found,) = owned(list(read_core_berkeley(io.BytesIO(raw), Nothing(), 20, "regtest")))
    assert (found.address, found.role, found.label, found.handed_out) == (gone, OWN, "old", True)


@needs_berkeley
def test_an_encrypted_wallet_gives_the_addresses_of_its_public_keys(tmp_path: Path) -> None:
    point = files.public_of(files.secret(1))
    made = {named("ckey", sized(point)): sized(bytes(48)), named("mkey", struct.pack("<I", 1)): bytes(70)}
    raw = files.berkeley(tmp_path / "wallet.dat", made, [])
    found = list(read_core_berkeley(io.BytesIO(raw), Nothing(), 20, "regtest"))
    assert files.p2pkh(point) in {o.address for o in owned(found)}
    assert the_wallet(found).encrypted


@needs_berkeley
def test_a_record_that_is_none_is_set_aside_and_counted(tmp_path: Path) -> None:
    made = files.legacy_records()[0] | {named("name", b"\xff"): b"\x09", named("key", sized(b"\2" + bytes(32))): b"\0"}
    raw = files.berkeley(tmp_path / "wallet.dat", made, [])
    found = list(read_core_berkeley(io.BytesIO(raw), Nothing(), 20, "regtest"))
    wallet = the_wallet(found)
    assert len(broken(found)) == 2
    assert wallet.done + wallet.nothing + 2 == len(made)


@needs_berkeley
def test_another_programs_database_is_no_wallet_and_its_damage_is_told(tmp_path: Path) -> None:
    raw = files.berkeley(tmp_path / "rpm", {b"a": b"b"}, [])
    assert list(read_core_berkeley(io.BytesIO(raw), Nothing(), 20, "mainnet")) == []
    cut = list(read_core_berkeley(io.BytesIO(raw[:-100]), Nothing(), 20, "mainnet"))
    assert cut
    assert broken(cut) == cut


@needs_berkeley
@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_wallet_ends_in_words(small: bytes, data: st.DataObject) -> None:
    raw = bytearray(small)
    for _ in range(data.draw(st.integers(1, 12))):
        raw[data.draw(st.integers(24, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for piece in read_core_berkeley(io.BytesIO(raw[:cut]), Nothing(), 3, "mainnet"):
        assert isinstance(piece, (Owned, Broken, Wallet))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A wallet of many small pages."""
    made = files.legacy_records()[0] | {named("tx", bytes(32)): bytes(range(256)) * 40}
    return files.berkeley(tmp_path_factory.mktemp("small") / "wallet.dat", made, [], page=512)


def pages_of(raw: bytes, kind: int, page: int = 512) -> list[int]:
    return [at for at in range(page, len(raw), page) if raw[at + 25] == kind]


@needs_berkeley
def test_pages_that_lead_back_to_themselves_are_read_once(small: bytes) -> None:
    raw = bytearray(small)
    (inner, *_) = pages_of(small, 3)
    count = struct.unpack_from("<H", raw, inner + 20)[0]
    for (at,) in struct.iter_unpack("<H", raw[inner + 26 : inner + 26 + 2 * count]):
        struct.pack_into("<I", raw, inner + at + 4, inner // 512)
    found = list(read_core_berkeley(io.BytesIO(raw), Nothing(), 3, "regtest"))
    assert "is reached twice" in broken(found)[0].detail
    assert {o.place.origin for o in owned(found)} == {FREED}, "what no page leads to is not lost"


@needs_berkeley
def test_a_large_item_whose_pages_go_in_circles_ends(small: bytes) -> None:
    raw = bytearray(small)
    for at in pages_of(small, 7):
        struct.pack_into("<I", raw, at + 16, at // 512)
    found = list(read_core_berkeley(io.BytesIO(raw), Nothing(), 3, "regtest"))
    assert "breaks off" in " ".join(piece.detail for piece in broken(found))


@needs_berkeley
def test_items_that_stand_upon_each_other_are_not_read_again_and_again(small: bytes) -> None:
    """A page can name the same item thousands of times."""
    raw = bytearray(small)
    for page in pages_of(small, 5):
        first = raw[page + 26 : page + 30]
        raw[page + 26 : page + 26 + 4 * 30] = first * 30
        struct.pack_into("<H", raw, page + 20, 60)
    found = list(read_berkeley(io.BytesIO(raw)))
    assert len([piece for piece in found if isinstance(piece, Record)]) < 30 * len(pages_of(small, 5))
    assert "upon each other" in " ".join(piece.detail for piece in found if isinstance(piece, Broken))


# SQLite


TEXT = f"wpkh([d34db33f/84'/1'/0']{extended_key(BIP86)}/0/*)"


def test_descriptors_give_what_was_handed_out_and_the_gap_beyond(tmp_path: Path) -> None:
    name, change, hardened = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
    account = extended_key(MASTER).child(HARDENED + 84).child(HARDENED).child(HARDENED)
    root = str(extended_key(MASTER))
    single = {i: account.child(HARDENED + i) for i in range(3)}
    made = {
        named("walletdescriptor", name): files.line_of(TEXT, 3, 4),
        named("walletdescriptor", change): files.line_of(f"wpkh({root}/84'/0'/0'/1/*)", 0, 6),
        named("walletdescriptorcache", change + struct.pack("<I", 0)): files.kept(account.child(1)),
        named("walletdescriptor", hardened): files.line_of(f"pkh({root}/84'/0'/0'/*')", 1, 3),
        **{
            named("walletdescriptorcache", hardened + struct.pack("<II", 0, i)): files.kept(k)
            for i, k in single.items()
        },
        named("activeinternalspk", b"\x02"): change,
        named("walletdescriptorckey", name + sized(files.public_of(files.secret(1)))): sized(files.secret(1)),
        named("mkey", bytes(4)): bytes(60),
        named("flags"): bytes(8),
    }
    file = files.descriptor_wallet(tmp_path / "wallet.dat", "f9beb4d9", made)
    found = list(read_core_sqlite(file, Nothing(), 5, "regtest"))
    wallet = the_wallet(found)
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
    assert broken(found) == []


def test_a_descriptor_that_cannot_be_followed_is_set_aside(tmp_path: Path) -> None:
    root = str(extended_key(MASTER))
    made = {named("walletdescriptor", b"\x01" * 32): files.line_of(f"wpkh({root}/84'/0'/0'/1/*)", 0, 6)}
    found = list(read_core_sqlite(files.descriptor_wallet(tmp_path / "w", "fabfb5da", made), Nothing(), 5, "mainnet"))
    assert [type(p) for p in found] == [Broken, Wallet]
    assert isinstance(found[0], Broken)
    assert "hardened" in found[0].detail


def test_another_programs_sqlite_database_is_no_wallet(tmp_path: Path) -> None:
    other = files.descriptor_wallet(tmp_path / "w", "00000000", {b"a": b"b"})
    assert list(read_core_sqlite(other, Nothing(), 5, "mainnet")) == []


def test_a_wallet_that_asks_for_any_number_of_addresses_gets_a_bounded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casewright.extract.wallets.core.MOST_DERIVED", 30)
    made = {
        named("walletdescriptor", bytes([n]) * 32): files.line_of(f"wpkh({BIP86}/{n}/*)", 2**31 - 1, -5)
        for n in range(3)
    }
    found = list(read_core_sqlite(files.descriptor_wallet(tmp_path / "w", "f9beb4d9", made), Nothing(), 5, "mainnet"))
    assert len(owned(found)) == 30
    assert len(broken(found)) == 3
    assert "were derived" in broken(found)[0].detail


def test_what_stands_only_in_the_log_beside_a_wallet_is_taken_from_there(tmp_path: Path) -> None:
    path = tmp_path / "wallet.dat"
    shutil.copyfile(REAL / "till.dat", path)
    address = TRUTH["till"]["lines"][0]["addresses"][4]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("INSERT INTO main VALUES (?, ?)", (named("name", sized(address.encode())), sized(b"in the log")))
    copy = tmp_path / "copy.dat"
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
    connection.close()
    labels = []
    for beside in (Nothing(), Files(copy)):
        with copy.open("rb") as file:
            found = owned(list(read_core_sqlite(file, beside, 5, "regtest")))
        labels.append({o.address: o.label for o in found}[address])
    assert labels == [None, "in the log"]


@given(data=st.data())
@settings(max_examples=60)
def test_a_damaged_wallet_of_descriptors_ends_in_words(data: st.DataObject) -> None:
    raw = bytearray((REAL / "watch.dat").read_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for piece in read_core_sqlite(io.BytesIO(raw[:cut]), Nothing(), 3, "mainnet"):
        assert isinstance(piece, (Owned, Broken, Wallet))


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
def electrum(tmp_path: Path) -> Electrum:
    return Electrum(tmp_path)


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
    assert the_wallet(read(raw)).private_keys
    assert seed not in repr(read(raw))


@needs_electrum
@pytest.mark.parametrize(("version", "kind"), [("043587cf", "p2sh"), ("02575483", "p2wsh"), ("024289ef", "p2sh-p2wsh")])
def test_electrums_wallets_with_several_keys_need_them_all(electrum: Electrum, version: str, kind: str) -> None:
    """Electrum itself derives from the document with two keys that is made here of one with one."""
    electrum.run("create")
    made = json.loads(electrum.path.read_bytes())
    stores = {f"x{n}/": {"type": "bip32", "xpub": shared(n, version), "pw_hash_version": 1} for n in (1, 2)}
    document = {"wallet_type": "2of2", **stores, "addresses": {}, "seed_version": made["seed_version"]}
    electrum.path.write_text(json.dumps(document))
    found = owned(read(electrum.path.read_bytes()))
    assert {o.kind for o in found} == {kind}
    listed = electrum.run("listaddresses", "--receiving")
    assert listed
    assert [o.address for o in found if o.role == OWN][: len(listed)] == listed
    document["wallet_type"] = "2fa"
    document["x3/"] = {"type": "bip32", "xpub": shared(3, version)}
    assert len(owned(read(json.dumps(document).encode()))) == 40


def shared(number: int, version: str) -> str:
    key = extended_key(MASTER).child(HARDENED + number)
    return base58check_encode(bytes.fromhex(version) + bytes([key.depth]) + key.parent + struct.pack(">I", key.number)
                              + key.chain + key.key)  # fmt: skip


@needs_electrum
def test_keys_of_electrums_first_kind_are_derived_too(electrum: Electrum) -> None:
    electrum.run("restore", " ".join(["like"] * 12))
    raw = electrum.path.read_bytes()
    document = json.loads(raw)
    assert document["keystore"]["type"] == "old"
    listed = electrum.run("listaddresses", "--receiving"), electrum.run("listaddresses", "--change")
    bare = owned(read(json.dumps(document | {"addresses": {}, "addr_history": {}}).encode()))
    assert {o.basis for o in bare} == {DERIVED}
    assert [o.address for o in bare if o.role == OWN][: len(listed[0])] == listed[0]
    assert [o.address for o in bare if o.role == CHANGE][: len(listed[1])] == listed[1]
    assert the_wallet(read(raw)).private_keys
    assert document["keystore"]["seed"] not in repr(read(raw))


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
    assert not the_wallet(read(electrum.path.read_bytes())).private_keys


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


def test_a_change_that_is_cut_off_costs_itself_alone() -> None:
    whole = b'{"wallet_type": "imported", "addresses": {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": {}}}'
    secret = "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss"
    for tail in (b',\n{"op": "add", "path": "/keystore/x',
                 b',\n{"op": "add", "path": "/%s", "valu": 1}' % secret.encode(),
                 b',\n{"op": "remove", "path": "/addresses/%s"}' % secret.encode(),
                 b",\n[1]", b',\n{"op": "add", "path": 7}',
                 b',\n{"op": "replace", "path": "/wallet_type/0", "value": 1}', b",\n" + b"[" * 100_000):  # fmt: skip
        found = read(whole + tail)
        assert [o.address for o in owned(found)] == ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]
        (piece,) = broken(found)
        assert (piece.reason, piece.span_start + piece.span_length) == ("truncated", len(whole + tail))
        assert secret not in repr(found)


def test_of_a_wallet_from_before_2_7_what_it_lists_is_read() -> None:
    raw = json.dumps({"accounts": {"0": {"receiving": [], "change": []}},
                      "labels": {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": "x"},
                      "addr_history": {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": []}, "seed": "word " * 12})  # fmt: skip
    found = read(raw.encode())
    assert [(o.address, o.role, o.label) for o in owned(found)] == [("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", OWN, "x")]
    assert "before 2.7" in broken(found)[0].detail
    assert the_wallet(found).private_keys
    assert "word word" not in repr(found)


def test_labels_of_half_letters_and_of_other_things_are_no_trouble() -> None:
    """JSON can write half of a letter that takes two numbers, and anything where a text belongs."""
    raw = b"""{"wallet_type": "imported", "addresses": {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": 1}, "labels":
        {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": "\\ud800", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy": []}, "contacts":
        {"3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy": [], "x": 1}, "addr_history": [], "keystore": [{"xpub": 1}]}"""
    found = read(raw)
    assert [(o.address, o.label) for o in owned(found)] == [
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "\\ud800"), ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", None),
    ]  # fmt: skip


def test_another_programs_json_is_no_wallet() -> None:
    assert read(b'{"keystore": {"type": "jks", "seed": 1}}') == []


@pytest.mark.parametrize("raw", [b"{", b"[1]", b"", b"{" * 100_000, b'{"a": ' * 100_000, b"\xff{}",
                                 b'{"a": ' + b"9" * 9999,
                                 b'{"wallet_type": "standard", "keystore": {"xpub": "xpub1"}, "addresses": []}',
                                 b'{"wallet_type": "standard", "keystore": {"type": "old", "mpk": "zz"}}'])  # fmt: skip
def test_a_broken_file_is_said_to_be(raw: bytes) -> None:
    assert broken(read(raw))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.just(BIP86) | st.just(TWO[0]),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "addresses",
                        "receiving",
                        "change",
                        "keystore",
                        "x1/",
                        "xpub",
                        "labels",
                        "contacts",
                        "accounts",
                        "wallet_type",
                        "addr_history",
                        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
                        "2of2",
                        "mpk",
                    ]
                ),
                inner,
            )
        ),
    )
)
@settings(max_examples=200)  # fmt: skip
def test_any_json_ends_in_words(document: Any) -> None:
    for piece in read(json.dumps(document).encode(), gap=1):
        assert isinstance(piece, (Owned, Broken, Wallet))
        if isinstance(piece, Owned):
            assert valid_address(piece.address)
