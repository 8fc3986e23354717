"""An invented economy as an investigator gets it: block files, tag packs, deposit addresses; and as columns, at
once."""

import struct
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import yaml

from casewright.demo.economies.ledger import NETWORK, Ledger
from casewright.demo.economies.services import Service
from casewright.demo.economies.world import World
from casewright.model.bitcoin import NETWORKS
from casewright.model.tables import TABLES

MAGIC = NETWORKS[NETWORK].magic
TAGGED_SHARE, TAGGED_LEAST, TAGGED_DEPOSITS, STALE = 20, 2, 2, 3
"""Of a service's own addresses every twentieth has a tag, two at least; and two deposit addresses, whose testers
tell."""


def block_file(ledger: Ledger) -> bytes:
    """`blk00000.dat` as Bitcoin Core frames it, without its genesis block."""
    return b"".join(MAGIC + struct.pack("<I", len(b.raw)) + b.raw for b in ledger.blocks)


def write_economy(world: World, folder: Path) -> None:
    """`bitcoin/blocks/blk00000.dat` and `tags/economy.tagpack.yaml`."""
    for path, content in (
        (folder / "bitcoin" / "blocks" / "blk00000.dat", block_file(world.ledger)),
        (folder / "tags" / "economy.tagpack.yaml", tag_pack(world).encode("utf-8")),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def tag_pack(world: World) -> str:
    """What the investigator knows: a part of each service's addresses, but nothing of the nameless one."""
    dice = Random(f"tags {world.seed}")  # noqa: S311  a story, not a secret
    tags = [
        {"address": address, "label": service.kind.label, "actor": service.kind.label.lower().replace(" ", "_"),
         "category": service.kind.category}
        for service in world.services if service.kind.named
        for address in _known(world.ledger, service, dice)
    ]  # fmt: skip
    if world.size.harsh:
        tags += _stale(world, dice)
    pack = {"title": "Invented services", "creator": "Museum Crimes Unit", "currency": "BTC", "lastmod": "2018-03-01",
            "source": "invented", "confidence": "service_data", "tags": tags}  # fmt: skip
    return yaml.safe_dump(pack, sort_keys=False)


def _stale(world: World, dice: Random) -> list[dict[str, str]]:
    """Tags that a crawler found long ago, on addresses that are people's."""
    held = {world.ledger.holder[coin] for coin in range(len(world.ledger.sats))}
    people = [h for n in sorted(held) if (h := world.ledger.holders[n]).owner.startswith("person")]
    return [
        {"address": h.address or "", "label": world.services[0].kind.label, "category": "exchange",
         "confidence": "web_crawl"}
        for h in dice.sample(people, min(STALE, len(people)))
    ]  # fmt: skip


def _known(ledger: Ledger, service: Service, dice: Random) -> list[str]:
    paid = {ledger.holder[coin] for coin in range(len(ledger.sats))}
    own = [h for h in dict.fromkeys((*service.hot.kept, *service.cold.kept)) if h in paid]
    given = [h for h in service.given if h in paid]
    known = dice.sample(own, min(len(own), max(TAGGED_LEAST, len(own) // TAGGED_SHARE)))
    known += dice.sample(given, min(len(given), TAGGED_DEPOSITS))
    return [address for h in known if (address := ledger.holders[h].address)]


def deposit_addresses(world: World) -> list[dict[str, Any]]:
    """Rows of `deposit_addresses`: which address the market gave to which account."""
    return [
        {"id": f"dep-{n}", "account": account, "address": world.ledger.holders[holder].address}
        for n, (holder, account) in enumerate(world.market.given.items())
    ]


def columns(ledger: Ledger) -> dict[str, pa.Table]:
    """`blocks`, `transactions`, `inputs` and `outputs` as the stage `blocks` would read them, but for where they stand
    in a file: for whoever wants a large chain without parsing one."""
    txids = [deed.txid[::-1].hex() for deed in ledger.deeds]
    hashes = [b.name[::-1].hex() for b in ledger.blocks]
    place = {n: (hashes[i], n - b.deeds.start) for i, b in enumerate(ledger.blocks) for n in b.deeds}
    spent = [(n, vin, coin) for n, deed in enumerate(ledger.deeds) for vin, coin in enumerate(deed.spends)]
    coins = range(len(ledger.sats))
    holders = [ledger.holders[h] for h in ledger.holder]
    number: dict[bytes, int] = {}
    made: dict[str, dict[str, list[Any]]] = {
        "blocks": {
            "hash": hashes, "height": [b.height for b in ledger.blocks], "state": ["main"] * len(hashes),
            "time": [b.time * 1_000_000 for b in ledger.blocks], "prev": [b.prev[::-1].hex() for b in ledger.blocks],
            "transactions": [len(b.deeds) for b in ledger.blocks],
        },
        "transactions": {
            "txid": txids, "block": [place[n][0] for n in range(len(txids))],
            "position": [place[n][1] for n in range(len(txids))],
            "coinbase": [deed.what == "mined" for deed in ledger.deeds],
            "version": [1 if deed.what == "mined" else 2 for deed in ledger.deeds],
            "lock_time": [deed.locktime for deed in ledger.deeds],
        },
        "inputs": {
            "txid": [txids[n] for n, _, _ in spent], "vin": [vin for _, vin, _ in spent],
            "prev_txid": [txids[ledger.made[c]] for _, _, c in spent],
            "prev_vout": [ledger.vout(c) for _, _, c in spent],
            "transaction": [n for n, _, _ in spent], "spends": [c for _, _, c in spent],
        },
        "outputs": {
            "txid": [txids[ledger.made[c]] for c in coins], "vout": [ledger.vout(c) for c in coins],
            "sats": ledger.sats, "address": [h.address for h in holders], "kind": [h.kind for h in holders],
            "spent_by": [txids[s] if s >= 0 else None for s in ledger.spender], "transaction": ledger.made,
            "holder": [number.setdefault(h.script, len(number)) for h in holders],
            "spender": [s if s >= 0 else None for s in ledger.spender],
        },
    }  # fmt: skip
    return {name: _table(name, given) for name, given in made.items()}


def _table(name: str, given: dict[str, list[Any]]) -> pa.Table:
    schema, count = TABLES[name].schema, len(next(iter(given.values())))
    arrays = [pa.array(given.get(f.name, [None] * count), f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)
