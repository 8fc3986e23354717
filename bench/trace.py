"""Traces: all payments of a case in one pass, against one query each.

uv run python bench/trace.py [--transactions 1000000] [--payments 10000] [--asked 30]

The chain is generated, as the tables that the stage reads: services that pay out to their customers, wallets that pay
each other and keep the change, and payments to a market. *One query each* is a recursive query of DuckDB's (on one
thread) over the same tables, in memory and joined by number, that goes back to the tagged addresses; it is asked for
some payments, and the pass must find all that it answers (behind peeling chains, more). Processor time of one core.
"""

import argparse
from collections.abc import Mapping
from random import Random
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from claims import Claim, claims_option, hand_over
from figures import Time, clock, peak

from casewright.chain.stages import trace_params
from casewright.chain.trace import trace
from casewright.engine.stage import Context
from casewright.engine.steps import FreshSteps
from casewright.model.settings import Settings
from casewright.model.tables import TABLES

SERVICES, WALLETS, BLOCK = 40, 20_000, 1_000
FEE, LEAST, NEW_MONEY = 500, 200_000, 0.12
QUERY = """
WITH RECURSIVE back AS (
    SELECT $start::BIGINT AS coin, 1 AS step
    UNION
    SELECT i.spends, b.step + 1
    FROM back b JOIN outputs o ON o.number = b.coin JOIN inputs i ON i.transaction = o.transaction
    JOIN outputs s ON s.number = i.spends
    WHERE b.step <= $hops AND (b.step = 1 OR o.holder >= $services) AND i.spends IS NOT NULL
)
SELECT DISTINCT o.holder FROM back b JOIN outputs o ON o.number = b.coin WHERE b.step > 1 AND o.holder < $services
"""


class World:
    """A chain that grows; holders below SERVICES are services, the market's deposit addresses come last."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.spends: list[int] = []
        self.input_of: list[int] = []
        self.sats: list[int] = []
        self.holder: list[int] = []
        self.output_of: list[int] = []
        self.spender: list[int] = []
        self.till: dict[int, int] = {}
        self.unspent: list[int] = []
        self.count = 0
        self.newest = SERVICES + WALLETS

    def pay(self, coins: list[int], outputs: list[tuple[int, int]]) -> list[int]:
        for coin in coins:
            self.spends.append(coin)
            self.input_of.append(self.count)
            self.spender[coin] = self.count
        made = []
        for holder, sats in outputs:
            made.append(len(self.sats))
            self.sats.append(sats)
            self.holder.append(holder)
            self.output_of.append(self.count)
            self.spender.append(-1)
        self.count += 1
        return made

    def withdraw(self, to: int, sats: int) -> list[int]:
        service = self.dice.randrange(SERVICES)
        coin = self.till[service]
        made = self.pay([coin], [(to, sats), (service, self.sats[coin] - sats - FEE)])
        self.till[service] = made[1]
        return made

    def fresh(self) -> int:
        self.newest += 1
        return self.newest

    def coins(self) -> list[int]:
        """One or two of the coins that wallets hold, worth something; none once in a while."""
        if len(self.unspent) < WALLETS or self.dice.random() < NEW_MONEY:
            return []
        taken = []
        for _ in range(self.dice.choice((1, 2))):
            place = self.dice.randrange(len(self.unspent))
            self.unspent[place], self.unspent[-1] = self.unspent[-1], self.unspent[place]
            taken.append(self.unspent.pop())
        return taken if sum(self.sats[c] for c in taken) > LEAST else []

    def spend(self, to_market: bool = False) -> int:
        """A wallet pays another one or the market, and keeps the change at a new address; or a service pays it out."""
        coins, to = self.coins(), self.fresh()
        total = sum(self.sats[c] for c in coins)
        if not coins:
            made = self.withdraw(to, self.dice.randrange(LEAST, 10**8))[:1]
        else:
            part = total * self.dice.randrange(5, 60) // 100
            made = self.pay(coins, [(to, part), (self.fresh(), total - part - FEE)])
        self.unspent += made[to_market:]
        return made[0]


def build(transactions: int, payments: int, seed: int = 1) -> tuple[World, list[int]]:
    world, paid = World(seed), []
    for service in range(SERVICES):
        (world.till[service],) = world.pay([], [(service, 10**15)])
    every = max(2, transactions // payments)
    while world.count < transactions:
        to_market = world.count % every == 1 and len(paid) < payments
        coin = world.spend(to_market)
        paid += [coin] if to_market else []
    return world, paid


def tables(world: World, paid: list[int]) -> dict[str, pa.Table]:
    """The tables of a case in which this chain was read."""
    count = world.count
    txid = np.char.mod("%064x", np.arange(count))
    block = np.char.mod("%064x", np.arange(count) // BLOCK)
    height = np.arange(count // BLOCK + 1)
    output_of, holder = np.array(world.output_of), np.array(world.holder)
    renamed = {h: n for n, h in enumerate(dict.fromkeys(world.holder))}
    number = np.array([renamed[h] for h in world.holder])
    address = np.char.mod("holder %d", holder)
    vout = np.arange(len(holder)) - np.searchsorted(output_of, output_of)
    spender = pa.array(world.spender, pa.int64(), mask=np.array(world.spender) < 0)
    named = np.char.mod("holder %d", np.arange(SERVICES))
    columns: dict[str, dict[str, Any]] = {
        "blocks": {"hash": np.char.mod("%064x", height), "height": height, "state": ["main"] * len(height),
                   "time": pa.array(height * 600_000_000, pa.timestamp("us"))},
        "transactions": {"txid": txid, "block": block},
        "inputs": {"transaction": world.input_of, "spends": world.spends},
        "outputs": {"txid": txid[output_of], "vout": vout, "sats": world.sats, "address": address,
                    "kind": ["p2wpkh"] * len(holder), "transaction": output_of, "holder": number, "spender": spender},
        "payments": {"payment": np.char.mod("pay-%d", np.arange(len(paid))), "txid": txid[output_of[paid]],
                     "vout": vout[paid], "address": address[paid], "sats": np.array(world.sats)[paid],
                     "height": output_of[paid] // BLOCK, "account": np.char.mod("%d", np.arange(len(paid)))},
        "tags": {"tag": np.char.mod("tag-%d", np.arange(SERVICES)), "address": named, "label": named,
                 "category": ["exchange"] * SERVICES, "confidence": ["ownership"] * SERVICES,
                 "level": [100] * SERVICES},
    }  # fmt: skip
    return {name: _table(name, columns.get(name, {})) for name in TABLES}


def _table(name: str, columns: dict[str, Any]) -> pa.Table:
    schema = TABLES[name].schema
    rows = max((len(c) for c in columns.values()), default=0)
    given = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(rows, f.type) for f in schema]
    return pa.Table.from_arrays(given, schema=schema)


def asked_each(case: dict[str, pa.Table], world: World, paid: list[int], hops: int) -> tuple[Time, list[set[str]]]:
    """The services that one recursive query finds behind each payment; what it took, without loading the tables."""
    outputs = {"number": np.arange(len(world.holder)), "transaction": world.output_of, "holder": world.holder}
    with duckdb.connect(":memory:", config={"threads": 1}) as db:
        db.register("i", case["inputs"])
        db.register("o", pa.table(outputs))
        db.execute("CREATE TABLE inputs AS SELECT transaction, spends FROM i")
        db.execute("CREATE TABLE outputs AS SELECT * FROM o")

        def ask(start: int) -> set[str]:
            rows = db.execute(QUERY, {"start": start, "hops": hops, "services": SERVICES}).fetchall()
            return {f"holder {holder}" for (holder,) in rows}

        return clock(lambda: [ask(start) for start in paid])


def passed(case: dict[str, pa.Table], params: Mapping[str, Any]) -> dict[str, set[str]]:
    """The services behind each payment, by the stage."""
    output = trace(pa.table({}), Context(params, case, FreshSteps))  # type: ignore[arg-type]  it opens nothing
    rows = output.tables["services"].select(["payment", "direction", "service"]).to_pylist()
    print(f"{output.tables['hops'].num_rows:,} hops, {len(rows):,} services; at most {peak() / 1e9:.1f} GB", flush=True)
    found: dict[str, set[str]] = {}
    for row in rows:
        if row["direction"] == "back":
            found.setdefault(row["payment"], set()).add(row["service"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--payments", type=int, default=10_000)
    parser.add_argument("--asked", type=int, default=20)
    claims_option(parser)
    args = parser.parse_args()
    world, paid = build(args.transactions, args.payments)
    case, params = tables(world, paid), trace_params(Settings())
    print(f"{world.count:,} transactions, {len(world.holder):,} outputs, {len(paid):,} payments", flush=True)
    ours, found = clock(lambda: passed(case, params))
    every = max(1, len(paid) // args.asked)
    names = [f"pay-{n}" for n in range(0, len(paid), every)]
    queries, answers = asked_each(case, world, paid[::every], params["max_hops"])
    if not all(asked <= found.get(name, set()) for name, asked in zip(names, answers, strict=True)):
        raise SystemExit("a query found what the pass did not")
    few = {**case, "payments": case["payments"].slice(0, 1)}
    alone, _ = clock(lambda: passed(few, params))
    each = {"one pass": ours.cpu / len(paid), "one query each": queries.cpu / len(names), "one pass each": alone.cpu}
    print(f"{'':>16}  s a payment  s for {len(paid):,}   ratio")
    for name, seconds in each.items():
        ratio = seconds / each["one pass"]
        print(f"{name:>16}  {seconds:11.5f}  {seconds * len(paid):12,.1f}  {ratio:6.1f}")
    size = f"{len(paid):,} payments, {world.count:,} transactions"
    mine, other = (1000 * each[name] for name in ("one pass", "one query each"))
    hand_over("trace", args.claims, [Claim("one-pass", mine, "ms", size, other)])


if __name__ == "__main__":
    main()
