"""Small chains of real bytes: wallets by name, transactions, mined regtest blocks, files as Bitcoin Core writes them.

Signatures are left empty: reading a chain does not check them, and the demo's chain, which a consensus engine accepts,
has real ones.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import pack
from typing import Any

import pyarrow as pa

from casewright.chain.blocks import blocks
from casewright.chain.change import change
from casewright.chain.clusters import clusters
from casewright.chain.files import chain_files
from casewright.chain.guard import guard
from casewright.chain.heights import GENESIS
from casewright.chain.payments import payments
from casewright.chain.reading import read_blocks
from casewright.chain.stages import CHAIN
from casewright.chain.trace import trace
from casewright.engine.stage import Context, Output, Piece, Work
from casewright.kernels.blocks import display, merkle_root, sha256d, target_of
from casewright.model.bitcoin import NETWORKS, address_of_script
from casewright.model.tables import TABLES
from tests.world import context, digests_of, rows_of

EASY = 0x207FFFFF
MAGIC = NETWORKS["regtest"].magic
COIN = 100_000_000
EXHIBIT = "c" * 64
PARAMS = {"network": "regtest", "max_hops": 6, "dust_sats": 546, "max_age_days": 0, "taint": "haircut",
          "gathered_from": 2, "busy_wallet": 50, "market_members": 50, "layers": ["co-spend"], "change_votes": 3,
          "targeted": False, "targeted_hops": 6, "targeted_inputs": 100, "targeted_transactions": 500_000}  # fmt: skip


def script(name: str) -> bytes:
    """The p2wpkh script of a wallet with this name; `data` is an OP_RETURN, `key` one without an address."""
    if name == "data":
        return b"\x6a\x04here"
    if name in ("p2pkh", "p2sh"):
        hashed = hashlib.sha256(name.encode()).digest()[:20]
        return b"\x76\xa9\x14" + hashed + b"\x88\xac" if name == "p2pkh" else b"\xa9\x14" + hashed + b"\x87"
    if name.startswith("key"):
        return b"\x21\x02" + hashlib.sha256(name.encode()).digest() + b"\xac"
    return b"\x00\x14" + hashlib.sha256(name.encode()).digest()[:20]


def address(name: str) -> str:
    found, _ = address_of_script(script(name), "regtest")
    assert found
    return found


def compact(number: int) -> bytes:
    return bytes([number]) if number < 0xFD else b"\xfd" + pack("<H", number)


def transaction(
    spends: Sequence[tuple[bytes, int]], pays: Sequence[tuple[str, int]], witness: bool = False, mark: bytes = b""
) -> bytes:
    raw = compact(len(spends)) + b"".join(
        t + pack("<I", n) + compact(len(mark)) + mark + b"\xff" * 4 for t, n in spends
    )
    raw += compact(len(pays))
    raw += b"".join(pack("<Q", sats) + compact(len(script(to))) + script(to) for to, sats in pays)
    if not witness:
        return pack("<i", 2) + raw + bytes(4)
    return pack("<i", 2) + b"\x00\x01" + raw + b"\x01\x03sig" * len(spends) + bytes(4)


def txid_of(raw: bytes) -> bytes:
    """Of transactions without witness data."""
    return sha256d(raw)


def mine(prev: bytes, transactions: Sequence[bytes], time: int = 1_500_000_000, txids: Sequence[bytes] = ()) -> bytes:
    root, _ = merkle_root(list(txids) or [txid_of(t) for t in transactions])
    for nonce in range(1 << 16):
        header = pack("<i", 4) + prev + root + pack("<III", time, EASY, nonce)
        if int.from_bytes(sha256d(header), "little") <= target_of(EASY):
            return header + compact(len(transactions)) + b"".join(transactions)
    raise AssertionError("no nonce found")


def frame(raw: bytes, magic: bytes = MAGIC) -> bytes:
    return magic + pack("<I", len(raw)) + raw


def masked(raw: bytes, key: bytes) -> bytes:
    return bytes(b ^ key[i % 8] for i, b in enumerate(raw))


@dataclass
class Chain:
    """A chain that grows by one block for each payment; coins are named by the wallet that holds them."""

    blocks: list[bytes] = field(default_factory=list)
    tip: bytes = GENESIS["regtest"]
    time: int = 1_500_000_000

    def mint(self, *holders: tuple[str, int]) -> list[tuple[bytes, int]]:
        """Newly mined coins, one output each."""
        base = transaction([(bytes(32), 0xFFFFFFFF)], holders, mark=pack("<I", len(self.blocks)))
        self._add([base])
        return [(txid_of(base), n) for n in range(len(holders))]

    def pay(self, spends: Sequence[tuple[bytes, int]], *pays: tuple[str, int]) -> list[tuple[bytes, int]]:
        """One payment in a block of its own; returns its outputs."""
        raw = transaction(spends, pays)
        base = transaction([(bytes(32), 0xFFFFFFFF)], [("miner", COIN)], mark=pack("<I", len(self.blocks)))
        self._add([base, raw])
        return [(txid_of(raw), n) for n in range(len(pays))]

    def many(self, pays: Sequence[Sequence[tuple[str, int]]]) -> list[bytes]:
        """One block with a transaction for each, which spend what nobody knows; their ids."""
        base = transaction([(bytes(32), 0xFFFFFFFF)], [("miner", COIN)], mark=pack("<I", len(self.blocks)))
        raws = [transaction([(sha256d(base), n + 1)], own) for n, own in enumerate(pays)]
        self._add([base, *raws])
        return [txid_of(raw) for raw in raws]

    def _add(self, transactions: Sequence[bytes]) -> None:
        self.time += 600
        raw = mine(self.tip, transactions, self.time)
        self.blocks.append(raw)
        self.tip = sha256d(raw[:80])

    def file(self) -> bytes:
        return b"".join(frame(b) for b in self.blocks)


def read(files: Mapping[str, bytes], network: str = "regtest") -> Output:
    """The stage `blocks` on one exhibit with these files."""
    rows = [
        {"exhibit": EXHIBIT, "role": "chain", "position": i, "path": name.encode(), "name": name, "size": len(raw),
         "sha256": digests_of(raw).sha256}
        for i, (name, raw) in enumerate(files.items())
    ]  # fmt: skip
    given = context({"exhibit_files": rows}, files.values(), {**PARAMS, "network": network})
    listed = chain_files(pa.table({}), given)
    world = Context(given.params, {**given.tables, **listed.tables}, given.blobs)
    read = whole(*read_blocks(listed.tables["chain_contents"], world))
    world = Context(given.params, {**world.tables, **read.tables}, given.blobs)
    made = whole(*blocks(pa.table({}), world))
    empty = {name: TABLES[name].empty() for name in CHAIN}
    return Output({**empty, **made.tables}, made.set_aside, made.tallies)


def whole(*made: Output | Piece) -> Output:
    """The outputs of one stage as one."""
    outputs = [one.make() if isinstance(one, Piece) else one for one in made]
    parts: dict[str, list[pa.Table]] = {}
    for name, table in (pair for output in outputs for pair in output.tables.items()):
        parts.setdefault(name, [TABLES[name].empty()]).append(table.cast(TABLES[name].schema))
    tables = {name: pa.concat_tables(some) for name, some in parts.items()}
    return Output(tables, [a for o in outputs for a in o.set_aside], [t for o in outputs for t in o.tallies])


def tag(name: str, label: str, category: str = "exchange", level: int = 50, **more: Any) -> dict[str, Any]:
    """A tag of the wallet's address."""
    locus = {"exhibit": "d" * 64, "path": b"", "row": 1}
    own = {"tag": f"tag-{label}-{name}-{level}", "address": address(name), "label": label, "category": category}
    return {**own, "confidence": "service_data", "level": level, **locus, **more}


def follow(
    chain: Chain,
    deposits: Mapping[str, str],
    tags: Sequence[dict[str, Any]] = (),
    wallet_addresses: Sequence[dict[str, Any]] = (),
    **params: Any,
) -> dict[str, list[dict[str, Any]]]:
    """All tables of the room for a chain, the market's deposit addresses (wallet name by account) and tags."""
    given = [{"id": f"dep-{a}", "account": a, "address": address(n)} for a, n in deposits.items()]
    tables = {**read({"blk00000.dat": chain.file()}).tables}
    rows = {"deposit_addresses": given, "tags": list(tags), "wallet_addresses": list(wallet_addresses)}
    base = context(rows, params={**PARAMS, **params})
    world = Context(base.params, {**base.tables, **tables}, base.blobs)
    stages: tuple[Work, ...] = (payments, change, clusters, guard, trace)
    for work in stages:
        output = work(pa.table({}), world)
        made = (output if isinstance(output, Output) else whole(*output)).tables
        world = Context(base.params, {**world.tables, **made}, base.blobs)
        tables.update(made)
    return {name: rows_of(table) for name, table in tables.items()} | {"tags": list(tags), "deposit_addresses": given}


def name_of(coin: tuple[bytes, int]) -> str:
    return f"{display(coin[0])}:{coin[1]}"
