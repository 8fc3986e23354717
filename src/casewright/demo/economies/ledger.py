"""The chain of an invented economy in the making: who holds which coin, and what each transaction was for.

Transactions are unsigned: their bytes are well-formed and hash to the ids by which they are spent, and nothing else is
asked of them here. `demo/economy.py` tells the signed story that a consensus engine accepts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from struct import pack

from casewright.demo.economies.unsigned import Unsigned
from casewright.demo.transactions import coinbase, mine
from casewright.model.bitcoin import address_of_script, sha256d

NETWORK = "regtest"
GENESIS = bytes.fromhex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")[::-1]
START, SPACING = 1_483_228_800, 5_400
SUBSIDY, HALVING, MATURITY = 5_000_000_000, 150, 100
SCRIPTS = {
    "p2pkh": (b"\x76\xa9\x14", 20, b"\x88\xac"), "p2sh": (b"\xa9\x14", 20, b"\x87"),
    "p2wpkh": (b"\x00\x14", 20, b""), "p2tr": (b"\x51\x20", 32, b""),
}  # fmt: skip


@dataclass(frozen=True)
class Holder:
    """An address, or a script without one, and whose it is."""

    script: bytes
    address: str | None
    kind: str
    owner: str


@dataclass(eq=False)
class Deed:
    """One transaction. `spends` and `makes` are numbers of coins; `what` says what it was for; `joint`, that strangers
    signed it together, so that no output is anybody's in particular."""

    height: int
    spends: tuple[int, ...]
    makes: range
    what: str
    joint: bool = False
    txid: bytes = b""
    locktime: int = 0


@dataclass(eq=False)
class Block:
    height: int
    time: int
    name: bytes
    prev: bytes
    raw: bytes
    deeds: range


@dataclass(eq=False)
class Ledger:
    """Coins and deeds by number, in the order of the chain."""

    seed: str
    holders: list[Holder] = field(default_factory=list)
    receivers: list[Callable[[int], None] | None] = field(default_factory=list)
    sats: list[int] = field(default_factory=list)
    holder: list[int] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    spender: list[int] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    pending: list[Unsigned] = field(default_factory=list)
    opened: int = 0
    rate: int = 10

    @property
    def height(self) -> int:
        """Of the block that is being filled."""
        return len(self.blocks) + 1

    def hold(self, owner: str, kind: str, receive: Callable[[int], None] | None = None) -> int:
        """A new address of this owner; `receive` is told of each coin that is paid to it."""
        head, size, tail = SCRIPTS[kind]
        script = head + sha256(f"{self.seed} {len(self.holders)} {owner}".encode()).digest()[:size] + tail
        return self._held(script, owner, receive)

    def data(self, content: bytes) -> int:
        return self._held(b"\x6a" + bytes([len(content)]) + content, "data", None)

    def _held(self, script: bytes, owner: str, receive: Callable[[int], None] | None) -> int:
        address, kind = address_of_script(script, NETWORK)
        self.holders.append(Holder(script, address, kind, owner))
        self.receivers.append(receive)
        return len(self.holders) - 1

    def owner(self, coin: int) -> str:
        return self.holders[self.holder[coin]].owner

    def open_block(self, miner: int) -> None:
        """Begin the next block with its coinbase, whose bytes follow when the block is full."""
        self.opened = len(self.deeds)
        commitment = self._held(b"\x6a\x24", "data", None)
        self._deed((), [(miner, SUBSIDY >> self.height // HALVING), (commitment, 0)], "mined")

    def seal_block(self) -> None:
        """Put what was sent since `open_block` into a block."""
        first = self.deeds[self.opened]
        miner = self.holders[self.holder[first.makes[0]]]
        base = coinbase(self.height, miner.script, self.sats[first.makes[0]], self.pending, b"economy")
        first.txid = sha256d(base[1])
        self.holders[self.holder[first.makes[1]]] = Holder(commitment_of(base[1]), None, "op_return", "data")
        prev, time = self.blocks[-1].name if self.blocks else GENESIS, START + SPACING * self.height
        name, raw = mine(prev, time, base, self.pending)
        self.blocks.append(Block(self.height, time, name, prev, raw, range(self.opened, len(self.deeds))))
        self.pending.clear()

    def send(
        self, spends: Sequence[int], pays: Sequence[tuple[int, int]], what: str, joint: bool = False, locktime: int = 0
    ) -> Deed:
        """Spend coins; `pays` are holders and satoshis. The new coins can be spent at once."""
        if any(self.spender[c] >= 0 for c in spends) or sum(self.sats[c] for c in spends) < sum(s for _, s in pays):
            raise RuntimeError(f"{what}: a coin is spent twice, or more is paid than there is")
        deed = self._deed(tuple(spends), pays, what, joint)
        for coin in spends:
            self.spender[coin] = len(self.deeds) - 1
        outpoints = [(self.deeds[self.made[c]].txid, self.vout(c)) for c in spends]
        raw = Unsigned(outpoints, [(self.holders[h].script, sats) for h, sats in pays], locktime)
        deed.txid, deed.locktime = raw.txid, locktime
        self.pending.append(raw)
        return deed

    def vout(self, coin: int) -> int:
        return coin - self.deeds[self.made[coin]].makes.start

    def outpoint(self, coin: int) -> str:
        return f"{self.deeds[self.made[coin]].txid[::-1].hex()}:{self.vout(coin)}"

    def _deed(self, spends: tuple[int, ...], pays: Sequence[tuple[int, int]], what: str, joint: bool = False) -> Deed:
        first = len(self.sats)
        deed = Deed(self.height, spends, range(first, first + len(pays)), what, joint)
        for coin, (holder, sats) in enumerate(pays, first):
            self.sats.append(sats)
            self.holder.append(holder)
            self.made.append(len(self.deeds))
            self.spender.append(-1)
            if receive := self.receivers[holder]:
                receive(coin)
        self.deeds.append(deed)
        return deed


def commitment_of(plain: bytes) -> bytes:
    """The script of a coinbase's second output: the witness commitment of 38 bytes before the locktime."""
    return plain[-42:-4]


def note(text: str) -> bytes:
    return pack("<H", len(text)) + text.encode()
