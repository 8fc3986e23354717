"""A large chain as the tables that the stages behind `blocks` read: wallets, services, and a market among them.

Wallets pay each other and keep the change, at addresses old and new; services pay out in batches from a hot wallet, and
sweep the deposits of their customers into it; customers pay the market, which gathers the coins and cashes them out at
services. The chain is told twice from the same seed: first to learn what spends each output, then to write it. Columns
that no later stage reads are NULL, so that fifty million transactions fit on the disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit

from casewright.chain.segments import SEGMENT
from casewright.demo.wtv.traffic import put_script
from casewright.engine.stage import Context, Output, Piece, Tally
from casewright.kernels.encoding import addresses_of, hex_of
from casewright.kernels.runs import starts
from casewright.model.bitcoin import address_of_script
from casewright.model.tables import TABLES

SERVICES, BLOCK, PAYMENTS = 400, 2500, 7_000
SWEPT, GATHERED, DEEP, FEE = 48, 12, 6, 500
"""Coins that a service sweeps, that the market gathers, and that a wallet has at most; satoshis of a fee."""
FRESH, PAYS_OUT, TO_SERVICE = 0.32, 0.1, 0.15


@dataclass
class World:
    """Who holds which coins. `held` and `worth`: coins of wallets, then of services' customers, then of the market."""

    transactions: int

    def __post_init__(self) -> None:
        wallets = max(20_000, self.transactions // 16)
        people = wallets + SERVICES + 1
        self.counts = np.zeros(people, np.int32)
        self.held, self.worth = np.zeros((people, DEEP), np.int32), np.zeros((people, DEEP), np.int64)
        self.many = np.zeros((SERVICES + 1, SWEPT), np.int32), np.zeros((SERVICES + 1, SWEPT), np.int64)
        self.address = np.full(people, -1, np.int32)
        self.till = np.full(SERVICES, -1, np.int32), np.zeros(SERVICES, np.int64)
        self.now = np.zeros(4, np.int64)  # transactions, outputs, holders, payments
        self.paid = np.zeros(PAYMENTS, np.int32)
        seed(self.transactions)

    def stretch(self, count: int) -> tuple[Any, ...]:
        """Inputs and outputs of each of the next transactions; what is spent; satoshis and holders of what is paid."""
        inputs, outputs = np.zeros(count, np.int32), np.zeros(count, np.int32)
        spends = np.empty(8 * count + SWEPT, np.int32)
        sats, holder = np.empty(8 * count + SWEPT, np.int64), np.empty(8 * count + SWEPT, np.int32)
        every = max(2, self.transactions // PAYMENTS)
        spent, made = go_on(count, every, self.counts, self.held, self.worth, *self.many, self.address, *self.till,
                            self.now, self.paid, inputs, outputs, spends, sats, holder)  # fmt: skip
        return inputs, outputs, spends[:spent], sats[:made], holder[:made]


@njit(cache=True)
def seed(number):  # type: ignore[no-untyped-def]
    np.random.seed(number)


@njit(cache=True)
def go_on(count, every, counts, held, worth, many, many_worth, address, till, till_worth, now, paid, inputs, outputs,
          spends, sats, holder):  # type: ignore[no-untyped-def]  # fmt: skip
    services = len(till)
    people = len(counts)
    wallets = people - services - 1
    spent = made = 0
    for row in range(count):
        number, first = now[0], now[1]
        before, total = spent, np.int64(0)
        out = made
        if number < services:  # a service begins with its capital
            holder[made], sats[made] = now[2], 10**15
            address[wallets + number], till[number], till_worth[number] = now[2], first, 10**15
            now[2] += 1
            made += 1
        elif number % BLOCK == 0:
            who = np.random.randint(0, wallets)
            while counts[who] >= DEEP:
                who = np.random.randint(0, wallets)
            made = receive(who, 50 * 10**8, counts, held, worth, address, now, sats, holder, made, first + made - out)
        else:
            who, full = np.random.randint(0, wallets), -1
            for service in (number % services, services):
                if counts[wallets + service] >= (SWEPT if service < services else GATHERED):
                    full = service
            tries = 0
            while counts[who] == 0 and tries < 12:
                who = np.random.randint(0, wallets)
                tries += 1
            if full >= 0:  # what customers paid in goes to the hot wallet, or what the market was paid to a service
                for place in range(counts[wallets + full]):
                    spends[spent] = many[full, place]
                    total += many_worth[full, place]
                    spent += 1
                counts[wallets + full] = 0
                if full < services:
                    spends[spent], total = till[full], total + till_worth[full]
                    spent += 1
                    holder[made], sats[made] = address[wallets + full], total - FEE
                    till[full], till_worth[full] = first, total - FEE
                    made += 1
                else:
                    to = np.random.randint(0, services)
                    while counts[wallets + to] >= SWEPT:
                        to = np.random.randint(0, services)
                    made = deposit(to, total - FEE, wallets, counts, many, many_worth, now, sats, holder, made, first)
            elif np.random.random() < PAYS_OUT or counts[who] == 0:  # a service pays out
                service = np.random.randint(0, services)
                spends[spent], total = till[service], till_worth[service]
                spent += 1
                for _ in range(np.random.randint(1, 8)):
                    to = np.random.randint(0, wallets)
                    if counts[to] < DEEP:
                        part = np.random.randint(10**5, 10**8)
                        made = receive(to, part, counts, held, worth, address, now, sats, holder, made,
                                       first + made - out)  # fmt: skip
                        total -= part
                holder[made], sats[made] = address[wallets + service], total - FEE
                till[service], till_worth[service] = first + made - out, total - FEE
                made += 1
            else:
                take = counts[who] if counts[who] > 4 else 1 + (counts[who] > 1 and np.random.random() < 0.35)
                for _ in range(take):
                    counts[who] -= 1
                    spends[spent] = held[who, counts[who]]
                    total += worth[who, counts[who]]
                    spent += 1
                part = total * np.random.randint(10, 70) // 100
                if np.random.random() < 0.3:
                    part = max(part // 10**6 * 10**6, 1000)
                if total < 200_000:
                    part = max(total - FEE, 1)
                to = np.random.randint(0, wallets)
                if number % every == 1 and now[3] < len(paid):
                    paid[now[3]] = now[2]
                    now[3] += 1
                    made = deposit(services, part, wallets, counts, many, many_worth, now, sats, holder, made, first)
                elif np.random.random() < TO_SERVICE or counts[to] >= DEEP or total < 200_000:
                    to = np.random.randint(0, services)
                    while counts[wallets + to] >= SWEPT:
                        to = np.random.randint(0, services)
                    made = deposit(to, part, wallets, counts, many, many_worth, now, sats, holder, made, first)
                else:
                    made = receive(to, part, counts, held, worth, address, now, sats, holder, made, first)
                if total - part - FEE > 1000 and counts[who] < DEEP:
                    made = receive(who, total - part - FEE, counts, held, worth, address, now, sats, holder, made,
                                   first + 1)  # fmt: skip
        inputs[row], outputs[row] = spent - before, made - out
        now[0], now[1] = number + 1, first + made - out
    return spent, made


@njit(cache=True)
def receive(who, part, counts, held, worth, address, now, sats, holder, made, output):  # type: ignore[no-untyped-def]
    if address[who] < 0 or np.random.random() < FRESH:
        address[who] = now[2]
        now[2] += 1
    held[who, counts[who]], worth[who, counts[who]] = output, part
    counts[who] += 1
    holder[made], sats[made] = address[who], part
    return made + 1


@njit(cache=True)
def deposit(to, part, wallets, counts, many, many_worth, now, sats, holder, made, output):  # type: ignore[no-untyped-def]
    place = counts[wallets + to]
    many[to, place], many_worth[to, place] = output, part
    counts[wallets + to] += 1
    holder[made], sats[made] = now[2], part
    now[2] += 1
    return made + 1


def stretches(transactions: int) -> Iterator[tuple[int, int, tuple[Any, ...], World]]:
    """First transaction and first output of each segment, and what is in it."""
    world = World(transactions)
    for first in range(0, transactions, SEGMENT):
        before = int(world.now[1])
        yield first, before, world.stretch(min(SEGMENT, transactions - first)), world


def chain(batch: pa.Table, context: Context) -> Iterator[Piece]:
    """`blocks`, `transactions`, `inputs` and `outputs`, in pieces."""
    transactions = context.params["transactions"]
    spender = np.full(4 * transactions, -1, np.int32)
    for first, _, (inputs, _, spends, _, _), _ in stretches(transactions):
        spender[spends] = np.repeat(np.arange(first, first + len(inputs)), inputs)
    heights = np.arange(-(-transactions // BLOCK))
    blocks = {"hash": hashes(heights), "height": heights, "state": pa.array(["main"] * len(heights)),
              "time": pa.array((1_400_000_000 + 600 * heights) * 1_000_000, pa.timestamp("us"))}  # fmt: skip
    tally = [Tally("transactions", transactions, transactions)]
    yield Piece("blocks", lambda: Output({"blocks": table("blocks", blocks)}, [], tally))
    for first, output, made, _ in stretches(transactions):
        for name, rows in (("transactions", of_transactions), ("inputs", of_inputs), ("outputs", of_outputs)):
            work = partial(rows, first, output, made, spender)
            yield Piece(f"{name} {first}", lambda n=name, w=work: Output({n: table(n, w())}))  # type: ignore[misc]


def hashes(numbers: Any) -> pa.Array:
    raw = np.zeros((len(numbers), 32), np.uint8)
    raw[:, :8] = np.ascontiguousarray(numbers, "<u8").view(np.uint8).reshape(-1, 8)
    return hex_of(raw).cast(pa.string())


def names(first: int, count: int) -> pa.Array:
    """Ids by chance, as hashes are."""
    return hex_of(np.frombuffer(np.random.default_rng(first).bytes(32 * count), np.uint8)).cast(pa.string())


def of_transactions(first: int, output: int, made: tuple[Any, ...], spender: Any) -> dict[str, Any]:
    count = len(made[0])
    return {"txid": names(first, count), "block": hashes(np.arange(first, first + count) // BLOCK)}


def of_inputs(first: int, output: int, made: tuple[Any, ...], spender: Any) -> dict[str, Any]:
    inputs, _, spends, _, _ = made
    return {"transaction": np.repeat(np.arange(first, first + len(inputs)), inputs), "spends": spends}


def of_outputs(first: int, output: int, made: tuple[Any, ...], spender: Any) -> dict[str, Any]:
    _, outputs, _, sats, holder = made
    of, known = np.repeat(np.arange(len(outputs)), outputs), np.unique(holder)
    place, mine = np.searchsorted(known, holder), spender[output : output + len(sats)]
    scripts, sizes, kinds = scripts_of(known)
    return {
        "txid": names(first, len(outputs)).take(pa.array(of)), "vout": np.arange(len(of)) - starts(outputs)[of],
        "sats": sats, "address": addresses_of(scripts, starts(sizes), "regtest").take(pa.array(place)),
        "kind": pa.array(["p2tr", "p2wpkh", "p2pkh", "p2sh"]).take(pa.array(kinds[place])), "transaction": first + of,
        "holder": holder, "spender": pa.array(mine.astype(np.int64), mask=mine < 0),
    }  # fmt: skip


def scripts_of(holders: Any) -> tuple[Any, Any, Any]:
    """Scripts end to end, their sizes, and their kinds as places in the four that there are."""
    raw, sizes = np.empty(35 * len(holders) + 64, np.uint8), np.empty(len(holders), np.int64)
    end = fill_scripts(np.ascontiguousarray(holders, np.int64), raw, sizes)
    return raw[:end], sizes, np.select([sizes == 34, sizes == 22, sizes == 25], [0, 1, 2], 3)


@njit(cache=True)
def fill_scripts(holders, raw, sizes):  # type: ignore[no-untyped-def]
    at = 0
    for row in range(len(holders)):
        end = put_script(raw.ctypes.data + at, holders[row]) - raw.ctypes.data
        sizes[row] = end - at - 1
        for place in range(at, end - 1):  # without the length before it
            raw[place] = raw[place + 1]
        at = end - 1
    return at


def addresses(holders: Any) -> list[str]:
    scripts, sizes, _ = scripts_of(holders)
    at = starts(sizes)
    return [str(address_of_script(scripts[at[n] : at[n + 1]].tobytes(), "regtest")[0]) for n in range(len(sizes))]


def nobody(count: int) -> list[str]:
    """Addresses that no chain of ours pays."""
    scripts = np.zeros((count, 22), np.uint8)
    scripts[:, 1] = 20
    scripts[:, 14:] = np.arange(count).astype(">u8").view(np.uint8).reshape(-1, 8)
    found: list[str] = addresses_of(scripts.ravel(), 22 * np.arange(count + 1), "regtest").to_pylist()
    return found


def market_and_services(transactions: int) -> tuple[list[str], list[str]]:
    """Addresses that the market was paid at, and those of the services' hot wallets."""
    world = World(transactions)
    for first in range(0, transactions, SEGMENT):
        world.stretch(min(SEGMENT, transactions - first))
    return addresses(world.paid[: world.now[3]]), addresses(world.address[-SERVICES - 1 : -1])


def table(name: str, columns: dict[str, Any]) -> pa.Table:
    schema = TABLES[name].schema
    rows = max(map(len, columns.values()))
    given = [columns[f.name] if f.name in columns else pa.nulls(rows, f.type) for f in schema]
    return pa.table(dict(zip(schema.names, given, strict=True))).cast(schema)
