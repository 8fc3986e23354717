"""Checks a proof that two Bitcoin addresses were spent together, from raw transactions alone.

    python check_proof.py PROOF.json FILE...

PROOF.json is what `casewright why CASE ADDRESS ADDRESS --json` prints (docs/formats/cluster-proof.md). Each FILE holds
blocks as Bitcoin Core keeps them (blk*.dat; `xor.dat` beside it is used), one raw block, or transactions in hex, one a
line; any of them may be packed as .bz2. Nothing of Casewright is used, only Python. Exit code 0: every step holds.

A step holds when its transaction, whose id is computed from its bytes, spends an output that pays the one address and
an output that pays the other; for a step by `change`, when it spends from the first and pays the second (or the other
way round). That one person held both keys does not follow: it is what the heuristic supposes.
"""

import bz2
import hashlib
import json
import sys
from pathlib import Path

MAGICS = {bytes.fromhex(m) for m in ("f9beb4d9", "0b110907", "0a03cf40", "fabfb5da")}
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
HEADER = 80


def sha256d(raw):
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()


class Bytes:
    """Raw bytes, read from the front."""

    def __init__(self, raw, at=0):
        self.raw, self.at = raw, at

    def take(self, count):
        piece = self.raw[self.at : self.at + count]
        if len(piece) < count:
            raise ValueError("the bytes end too early")
        self.at += count
        return piece

    def number(self, count):
        return int.from_bytes(self.take(count), "little")

    def compact(self):
        first = self.number(1)
        return first if first < 0xFD else self.number({0xFD: 2, 0xFE: 4, 0xFF: 8}[first])


def transaction(source):
    """Id, outpoints that are spent, and scripts that are paid, of the next transaction. The id leaves witnesses out."""
    version, start = source.take(4), source.at
    segwit = source.raw[start : start + 2] == b"\x00\x01"
    source.at += 2 * segwit
    body = source.at
    spends, pays = [], []
    for _ in range(source.compact()):
        spends.append((source.take(32), source.number(4)))
        source.take(source.compact())
        source.take(4)
    for _ in range(source.compact()):
        source.take(8)
        pays.append(source.take(source.compact()))
    end = source.at
    if segwit:
        for _ in spends:
            for _ in range(source.compact()):
                source.take(source.compact())
    locktime = source.take(4)
    return sha256d(version + source.raw[body:end] + locktime), (spends, pays)


def transactions(path):
    """All transactions of a file."""
    raw = path.read_bytes()
    if path.suffix == ".bz2":
        raw = bz2.decompress(raw)
    elif path.name.startswith("blk") and (path.parent / "xor.dat").exists():
        key = (path.parent / "xor.dat").read_bytes()
        keys = key * (len(raw) // len(key) + 1)
        raw = (int.from_bytes(raw, "big") ^ int.from_bytes(keys[: len(raw)], "big")).to_bytes(len(raw), "big")
    if raw[:4] in MAGICS:
        yield from framed(raw)
    elif is_hex(raw):
        for line in raw.split():
            yield transaction(Bytes(bytes.fromhex(line.decode("ascii"))))
    else:
        yield from block(Bytes(raw))


def is_hex(raw):
    return not raw.strip(b"0123456789abcdefABCDEF \r\n\t")


def framed(raw):
    """Blocks behind magic and size; zeros at the end of a file are no block, and a cut block ends it."""
    at = 0
    while raw[at : at + 4] in MAGICS:
        size = int.from_bytes(raw[at + 4 : at + 8], "little")
        if at + 8 + size > len(raw):
            return
        yield from block(Bytes(raw[at + 8 : at + 8 + size]))
        at += 8 + size


def block(source):
    source.take(HEADER)
    for _ in range(source.compact()):
        yield transaction(source)


def script(address):
    """The script that pays an address."""
    low = address.lower()
    if low.startswith(("bc1", "tb1", "bcrt1")):
        return witness_script(low)
    number = 0
    for letter in address:
        number = 58 * number + BASE58.index(letter)
    raw = number.to_bytes(25, "big")
    if sha256d(raw[:21])[:4] != raw[21:]:
        raise ValueError(f"{address}: its checksum does not hold")
    if raw[0] in (0x00, 0x6F):
        return b"\x76\xa9\x14" + raw[1:21] + b"\x88\xac"
    return b"\xa9\x14" + raw[1:21] + b"\x87"


def witness_script(address):
    hrp, _, tail = address.rpartition("1")
    data = [BECH32.index(letter) for letter in tail]
    check = 1
    for value in [*(ord(c) >> 5 for c in hrp), 0, *(ord(c) & 31 for c in hrp), *data]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    if check != (0x2BC830A3 if data[0] else 1):
        raise ValueError(f"{address}: its checksum does not hold")
    bits = "".join(f"{value:05b}" for value in data[1:-6])
    program = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))
    return bytes([data[0] + 0x50 if data[0] else 0, len(program)]) + program


def gather(files, wanted):
    """The wanted transactions, by id, out of all files."""
    return {txid: found for path in files for txid, found in transactions(path) if txid in wanted}


def problem(step, found, spent):
    """Why a step does not hold; None when it does."""
    if step["txid"] is None:
        return f"rests on {step['heuristic']}, not on a transaction"
    txid = bytes.fromhex(step["txid"])[::-1]
    if txid not in found:
        return "its transaction is in none of the files"
    spends, pays = found[txid]
    missing = [t for t, _ in spends if t not in spent]
    scripts = [spent[t][1][n] for t, n in spends if t in spent and n < len(spent[t][1])]
    one, other = script(step["address_a"]), script(step["address_b"])
    others = pays if step["heuristic"] == "change" else scripts
    if (one in scripts and other in others) or (other in scripts and one in others):
        return None
    more = f" ({len(missing)} of the transactions it spends are in none of the files)" if missing else ""
    return "it does not spend from both addresses" + more


def main(arguments):
    if len(arguments) < 2:
        print(__doc__)
        return 2
    proof, files = json.loads(Path(arguments[0]).read_text("utf-8")), [Path(a) for a in arguments[1:]]
    ways = [proof["steps"], proof.get("merges", proof["steps"])]
    ways = ways[:1] if ways[0] == ways[1] else ways
    found = gather(files, {bytes.fromhex(s["txid"])[::-1] for way in ways for s in way if s["txid"]})
    spent = gather(files, {t for spends, _ in found.values() for t, _ in spends})
    wrong = sum(wrongs(way, proof["addresses"], found, spent) for way in ways) + (not proof["joined"])
    print("every step holds" if not wrong else "the proof does not hold")
    return 1 if wrong else 0


def wrongs(steps, ends, found, spent):
    """How many steps of one way do not hold."""
    wrong, here = 0, ends[0]
    for step in steps:
        why = problem(step, found, spent) if step["address_a"] == here else "it does not begin where the last one ends"
        print(f"{'WRONG' if why else 'holds'}  {step['address_a']} - {step['txid']} - {step['address_b']}"
              + (f": {why}" if why else ""))  # fmt: skip
        wrong, here = wrong + bool(why), step["address_b"]
    if here != ends[1]:
        print("WRONG  the last step does not lead to the second address")
        wrong += 1
    return wrong


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError, KeyError, TypeError, IndexError, OverflowError) as trouble:
        sys.exit(f"cannot be checked: {trouble!r}")
