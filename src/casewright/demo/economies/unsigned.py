"""A transaction without signatures: enough for whoever reads a chain and checks hashes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from struct import pack

from casewright.demo.transactions import compact, sized
from casewright.model.bitcoin import sha256d

FINAL, LOCKABLE = b"\xff\xff\xff\xff", b"\xfe\xff\xff\xff"


@dataclass
class Unsigned:
    """Outpoints that are spent, scripts and satoshis that are paid; a locktime above 0 as wallets set it against fee
    sniping."""

    spends: Sequence[tuple[bytes, int]]
    pays: Sequence[tuple[bytes, int]]
    locktime: int = 0

    def whole(self) -> bytes:
        sequence = LOCKABLE if self.locktime else FINAL
        inputs = b"".join(txid + pack("<I", vout) + b"\x00" + sequence for txid, vout in self.spends)
        outputs = b"".join(pack("<q", sats) + sized(script) for script, sats in self.pays)
        head = pack("<i", 2) + compact(len(self.spends)) + inputs
        return head + compact(len(self.pays)) + outputs + pack("<I", self.locktime)

    @cached_property
    def txid(self) -> bytes:
        return sha256d(self.whole())
