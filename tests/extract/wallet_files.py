"""Wallet files for tests: Berkeley DB as Berkeley DB itself writes it, SQLite, and the records in them as Bitcoin Core
lays them out (`src/wallet/walletdb.cpp`). All keys are invented here."""

import hashlib
import hmac
import io
import shutil
import sqlite3
import struct
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import pytest
from coincurve import PrivateKey

from casewright.extract.descriptor_checksum import checksum
from casewright.extract.extended_keys import HARDENED, ExtendedKey
from casewright.model.bitcoin import base58check_encode, hash160, script_of_address

needs_berkeley = pytest.mark.skipif(
    not shutil.which("db5.3_dump") or not Path("/usr/lib/python3/dist-packages/bsddb3").is_dir(),
    reason="Debian's db5.3-util and python3-bsddb3 are not here",
)
GENESIS = bytes.fromhex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
WATCHED = "2N3oefVeg6stiTb5Kh3ozCSkaqmx91FDbsm"
CONTACT = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"


def sized(raw: bytes) -> bytes:
    return bytes([len(raw)]) + raw if len(raw) < 253 else b"\xfd" + struct.pack("<H", len(raw)) + raw


def named(kind: str, rest: bytes = b"") -> bytes:
    return sized(kind.encode()) + rest


def secret(number: int) -> bytes:
    return hashlib.sha256(b"a key for tests %d" % number).digest()


SEED, IMPORTED, OLD = 100, (0, 1, 2), 2
"""Numbers of the seed, and of single keys beside it, one of them not compressed."""


def public_of(raw: bytes, *, compressed: bool = True) -> bytes:
    return bytes(PrivateKey(raw).public_key.format(compressed=compressed))


def master() -> ExtendedKey:
    """The key that Bitcoin Core makes of its seed (BIP 32)."""
    mixed = hmac.digest(b"Bitcoin seed", secret(SEED), "sha512")
    return ExtendedKey(False, None, 0, bytes(4), 0, mixed[32:], public_of(mixed[:32]), mixed[:32])


def chain_keys(chain: int, count: int) -> list[tuple[str, bytes]]:
    """Paths and private keys of one chain, as wallets have them that can be split into two."""
    above = master().child(HARDENED).child(HARDENED + chain)
    found = [(f"m/0'/{chain}'/{number}'", above.child(HARDENED + number).secret) for number in range(count)]
    return [(path, raw) for path, raw in found if raw is not None]


def private(raw: bytes, point: bytes) -> bytes:
    """The private key as Bitcoin Core keeps it: as OpenSSL writes one, in DER."""
    field = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
    order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
    base = bytes(PrivateKey(b"\1".rjust(32, b"\0")).public_key.format(compressed=len(point) == 33))
    prime = _der(0x30, _der(6, bytes.fromhex("2a8648ce3d0101")) + _der(2, b"\0" + bytes.fromhex(field)))
    curve = _der(0x30, _der(2, b"\1") + prime
                 + _der(0x30, _der(4, b"\0") + _der(4, b"\7")) + _der(4, base)
                 + _der(2, b"\0" + bytes.fromhex(order)) + _der(2, b"\1"))  # fmt: skip
    return _der(0x30, _der(2, b"\1") + _der(4, raw) + _der(0xA0, curve) + _der(0xA1, _der(3, b"\0" + point)))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    head = bytes([size]) if size < 128 else b"\x81" + bytes([size]) if size < 256 else b"\x82" + struct.pack(">H", size)
    return bytes([tag]) + head + content


def key_records(raw: bytes, path: str = "", *, compressed: bool = True) -> dict[bytes, bytes]:
    """A private key, ending in a digest of both keys, and what is known of it."""
    point = public_of(raw, compressed=compressed)
    encoded = private(raw, point)
    seed_id = hash160(public_of(secret(SEED))) if path else bytes(20)
    return {
        named("key", sized(point)): sized(encoded) + hashlib.sha256(hashlib.sha256(point + encoded).digest()).digest(),
        named("keymeta", sized(point)): struct.pack("<iq", 10, 1500000000) + sized(path.encode()) + seed_id,
    }


def p2pkh(point: bytes) -> str:
    return base58check_encode(b"\x6f" + hash160(point))


EXTERNAL, INTERNAL = 5, 3
FIRST = p2pkh(public_of(chain_keys(0, 1)[0][1]))
"""The first address that was given out."""


def legacy_records() -> tuple[dict[bytes, bytes], list[str]]:
    """A wallet of single keys as versions 0.16 to 0.21 wrote it, and its private keys as text."""
    made = key_records(secret(SEED), "s")
    private_keys = {secret(SEED): True}
    for number in IMPORTED:
        made |= key_records(secret(number), compressed=number != OLD)
        private_keys[secret(number)] = number != OLD
    waiting = list[tuple[bytes, bool]]()
    for chain, count, used in ((0, EXTERNAL, 3), (1, INTERNAL, 1)):
        for place, (path, raw) in enumerate(chain_keys(chain, count)):
            made |= key_records(raw, path)
            private_keys[raw] = True
            waiting += [(public_of(raw), bool(chain))] if place >= used else []
    for number, (point, internal) in enumerate(waiting, start=1):
        made[named("pool", struct.pack("<q", number))] = (
            struct.pack("<iq", 219900, 1500000000) + sized(point) + bytes([internal, 0])
        )
    made |= book_records()
    made[named("hdchain")] = (
        struct.pack("<iI", 2, EXTERNAL) + hash160(public_of(secret(SEED))) + struct.pack("<I", INTERNAL)
    )
    made[named("watchs", sized(script_of_address(WATCHED, "testnet")))] = b"1"
    made[named("watchmeta", sized(script_of_address(WATCHED, "testnet")))] = struct.pack("<iq", 1, 1)
    made[named("version")] = struct.pack("<i", 219900)
    made[named("minversion")] = struct.pack("<i", 169900)
    made[named("flags")] = bytes(8)
    made[named("orderposnext")] = bytes(8)
    made[named("bestblock")] = struct.pack("<i", 70016) + b"\0"
    made[named("bestblock_nomerkle")] = struct.pack("<i", 70016) + b"\1" + GENESIS[::-1]
    wifs = [base58check_encode(b"\xef" + raw + (b"\1" if short else b"")) for raw, short in private_keys.items()]
    return made, [*wifs, *(raw.hex() for raw in private_keys)]


def book_records() -> dict[bytes, bytes]:
    """An address book: an own address, and somebody else's."""
    made = dict[bytes, bytes]()
    for address, label, purpose in ((FIRST, "=till", "receive"), (CONTACT, "Großhändler", "send")):
        made[named("name", sized(address.encode()))] = sized(label.encode())
        made[named("purpose", sized(address.encode()))] = sized(purpose.encode())
    return made


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


def berkeley(
    path: Path, made: Mapping[bytes, bytes], gone: Iterable[bytes], page: int = 4096, order: int = 1234
) -> bytes:
    """A database that Berkeley DB itself wrote, and from which it deleted."""
    lines = [f"+ {k.hex()} {v.hex()}\n" for k, v in made.items()] + [f"- {k.hex()} \n" for k in gone]
    subprocess.run(["/usr/bin/python3", "-c", MAKE, path, str(page), str(order)], input="".join(lines), text=True,
                   check=True)  # fmt: skip
    return path.read_bytes()


def descriptor_wallet(path: Path, magic: str, made: Mapping[bytes, bytes]) -> BinaryIO:
    """A SQLite database as Bitcoin Core lays it out; its header says the network."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {struct.unpack('>i', bytes.fromhex(magic))[0]}")
    connection.execute("CREATE TABLE main(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)")
    connection.executemany("INSERT INTO main VALUES (?, ?)", made.items())
    connection.commit()
    connection.close()
    return io.BytesIO(path.read_bytes())


def line_of(text: str, used: int, end: int) -> bytes:
    """The value of a record with a descriptor."""
    return sized(f"{text}#{checksum(text)}".encode()) + struct.pack("<Qiii", 1600000000, used, 0, end)


def kept(key: ExtendedKey) -> bytes:
    """The value of a record with a key that was derived already."""
    raw = bytes([key.depth]) + key.parent + struct.pack(">I", key.number) + key.chain + key.key
    return sized(raw)
