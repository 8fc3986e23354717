"""The money of the operation, block by block: who holds which coins, who pays whom."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from casewright.demo.keys import KINDS, Key
from casewright.demo.operation import CLOSED, OPENED, Operation, Payment
from casewright.demo.transactions import Coin, Transaction, coinbase, mine
from casewright.model.bitcoin import sha256d

START = datetime(2016, 1, 1)  # noqa: DTZ001  naive times are UTC
GENESIS = bytes.fromhex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")[::-1]
SUBSIDY, HALVING, MATURITY = 5_000_000_000, 150, 100
FEE = 2_000
HOT_ADDRESSES, FUNDING = 4, 110
NOTE = b"glasshouse demo"
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


@dataclass(frozen=True)
class Paid:
    """A payment as the chain has it. `service`, `hops`: what a correct trace finds; None and 0 where it must stop."""

    payment: Payment
    txid: str
    vout: int
    sats: int
    height: int
    time: datetime
    service: str | None
    hops: int
    withdrawal: str | None
    payee: str | None


@dataclass
class Economy:
    """The state of the chain while the story is told."""

    operation: Operation
    coins: dict[str, list[Coin]] = field(default_factory=lambda: defaultdict(list))
    blocks: list[tuple[bytes, bytes]] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    pending: list[Transaction] = field(default_factory=list)
    fresh: list[tuple[Transaction, int, Key, str]] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    paid: list[Paid] = field(default_factory=list)
    waiting: list[Paid] = field(default_factory=list)
    made: int = 0

    @property
    def height(self) -> int:
        return len(self.blocks)

    @property
    def ends(self) -> datetime:
        """Time of the last block."""
        return EPOCH + timedelta(seconds=self.times[-1])

    @property
    def tip(self) -> bytes:
        return self.blocks[-1][0] if self.blocks else GENESIS

    def key(self, owner: str, kind: str | None = None) -> Key:
        """A new key of this owner."""
        self.made += 1
        key = Key(f"{owner} {self.made}", kind or KINDS[self.made % len(KINDS)])
        self.owners[key.address] = owner
        return key

    def seal_block(self, when: datetime, miner: Key) -> None:
        """Put the pending transactions into a block; their outputs can be spent from then on."""
        time = max(int((when - EPOCH).total_seconds()), (self.times[-1] + 1) if self.times else 0)
        height = self.height + 1
        reward = SUBSIDY >> height // HALVING
        mined = self.close(height, time, reward, miner.script)
        self.times.append(time)
        self.coins[self.owners[miner.address]].append(Coin(mined, 0, reward, miner, height, True))
        self.paid += [replace(p, height=height, time=EPOCH + timedelta(seconds=time)) for p in self.waiting]
        self.waiting.clear()
        self.pending.clear()

    def close(self, height: int, time: int, reward: int, script: bytes) -> bytes:
        """Make the block's bytes; returns the id of its coinbase."""
        base = coinbase(height, script, reward, self.pending, NOTE)
        self.blocks.append(mine(self.tip, time, base, self.pending))
        return sha256d(base[1])

    def take(self, owner: str, sats: int, most: int = 6) -> list[Coin]:
        """Mature coins of an owner worth at least `sats`, oldest first."""
        ripe = [c for c in self.coins[owner] if not c.coinbase or self.height + 1 - c.height >= MATURITY]
        taken: list[Coin] = []
        for coin in ripe:
            if sum(c.sats for c in taken) >= sats:
                break
            taken.append(coin)
        if sum(c.sats for c in taken) < sats or len(taken) > most:
            raise RuntimeError(f"the story runs out of money: {owner} has no {sats} sat at height {self.height}")
        for coin in taken:
            self.coins[owner].remove(coin)
        return taken

    def send(self, inputs: list[Coin], outputs: list[tuple[Key, int, str]], note: bytes = b"") -> Transaction:
        """A signed transaction; outputs are (key, satoshis, owner). Its coins can be spent in the same block."""
        scripts = [(key.script, sats) for key, sats, _ in outputs]
        if note:
            scripts.append((b"\x6a" + bytes([len(note)]) + note, 0))
        tx = Transaction(inputs, scripts).sign()
        self.pending.append(tx)
        for vout, (key, sats, owner) in enumerate(outputs):
            self.coins[owner].append(Coin(tx.txid, vout, sats, key, self.height + 1))
            self.owners.setdefault(key.address, owner)
        return tx


def day(number: int) -> datetime:
    """Noon of a day of the operation."""
    return min(OPENED + timedelta(days=number, hours=12), CLOSED)
