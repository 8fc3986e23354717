"""The money of the operation inside everybody else's: the same story as the small demo's, told with more services over
two years, in blocks that other people's transactions fill."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import numpy as np

from casewright.demo.economy import EPOCH, NOTE, SUBSIDY, Economy, day
from casewright.demo.economy import START as FIRST_DAY
from casewright.demo.keys import Key
from casewright.demo.operation import Operation
from casewright.demo.story import MARKET, MINER, fund, hot_wallets, pay_all, sweep
from casewright.demo.transactions import RESERVED, Transaction, coinbase_over, compact, worked
from casewright.demo.wtv.told import LAST_DAY
from casewright.demo.wtv.traffic import A_BLOCK, Ids, Traffic, script_of
from casewright.kernels.blockscan import root_of
from casewright.kernels.sha256 import scratch
from casewright.model.bitcoin import sha256d

FIRST_PAID, SWEPT_EVERY, OTHERS = 20, 7, 40
DAYS = LAST_DAY - FIRST_PAID + 1
"""Days on which there is traffic; `OTHERS`: blocks at the start whose coins are other people's."""
Write = Callable[[bytes], None]


@dataclass
class LargeEconomy(Economy):
    """An economy whose blocks go out as they are made, filled with `due` of other people's transactions each."""

    write: Write = lambda block: None
    traffic: Traffic = field(default_factory=Traffic)
    due: int = 0
    transactions: int = 0

    def close(self, height: int, time: int, reward: int, script: bytes) -> bytes:
        raw, ids = self.traffic.some(self.due)
        name, base, block = block_of(self.tip, height, time, reward, script, self.pending, raw, ids)
        self.write(block)
        self.blocks.append((name, b""))
        self.transactions += 1 + len(self.pending) + self.due
        return base

    def grant(self) -> None:
        """A block whose coin is other people's."""
        height = self.height + 1
        time = int((FIRST_DAY - timedelta(days=30) - EPOCH).total_seconds()) + 600 * height
        mined = self.close(height, time, SUBSIDY, script_of(height))
        self.traffic.grant(mined, 0, SUBSIDY)
        self.times.append(time)


def block_of(
    prev: bytes, height: int, time: int, reward: int, script: bytes, own: Sequence[Transaction], raw: bytes, ids: Ids
) -> tuple[bytes, bytes, bytes]:
    """Hash, id of the coinbase, and bytes of a block with these transactions, and others' behind them: their bytes and
    ids, which have no witness."""
    whole = [one.whole() for one in own]
    over = root([RESERVED, *(sha256d(one) for one in whole)], ids)
    base, plain = coinbase_over(over, height, script, reward, NOTE)
    mined = sha256d(plain)
    name, head = worked(prev, root([mined, *(one.txid for one in own)], ids), time)
    return name, mined, b"".join((head, compact(1 + len(own) + len(ids)), base, *whole, raw))


def root(first: Sequence[bytes], ids: Ids) -> bytes:
    """Merkle root of some ids and an array of them: the fast twin of `transactions.merkle`."""
    count = len(first) + len(ids)
    level = np.empty((count + 1, 32), np.uint8)
    level[: len(first)] = np.frombuffer(b"".join(first), np.uint8).reshape(-1, 32)
    level[len(first) : count] = ids
    root_of(level.ctypes.data, count, scratch().ctypes.data)
    return bytes(level[0])


def tell(operation: Operation, transactions: int, write: Write, tick: Callable[[int], None]) -> LargeEconomy:
    """The whole story in about so many transactions. `write` takes the blocks, in order; `tick` hears of every day."""
    world = LargeEconomy(operation, write=write)
    dice = Random(23)  # noqa: S311  a story, not a secret
    hot = hot_wallets(world)
    for account in operation.accounts:
        world.owners[account.deposit_address] = MARKET
    for _ in range(OTHERS):
        world.grant()
    fund(world, hot)
    due: dict[int, list[int]] = {}
    for number, payment in enumerate(operation.payments):
        due.setdefault(payment.day, []).append(number)
    for number in range(FIRST_PAID, LAST_DAY + 1):
        tick(number - FIRST_PAID)
        pay_all(world, [operation.payments[n] for n in due.get(number, ())], dice, hot)
        if number % SWEPT_EVERY == 5:
            sweep(world, hot)
        _seal(world, number, transactions // DAYS, hot[MINER][0])
    return world


def _seal(world: LargeEconomy, number: int, today: int, miner: Key) -> None:
    """The day's blocks: the market's money is in the first of them."""
    blocks = max(1, -(-today // A_BLOCK))
    for nth in range(blocks):
        world.due = today // blocks
        world.seal_block(day(number) + timedelta(seconds=nth * (72_000 // blocks)), miner)
    world.due = 0
