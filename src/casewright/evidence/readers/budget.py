"""How much an archive, with all that is nested in it, may unpack to."""

from collections.abc import Iterator
from dataclasses import dataclass

from casewright.evidence.reader import CHUNK, Unreadable


@dataclass
class Budget:
    """What an outermost archive may still unpack; shared with everything nested in it."""

    packed: int
    ratio: int
    bytes_left: int
    members_left: int
    spent: int = 0

    def charge(self, amount: int) -> None:
        """Raises Unreadable when unpacking goes beyond what the settings allow."""
        self.spent += amount
        if self.spent > self.bytes_left:
            raise Unreadable("too large", f"unpacks to more than {self.bytes_left} bytes")
        if self.spent > max(self.packed, 1) * self.ratio + CHUNK:
            raise Unreadable("too large", f"unpacks to more than {self.ratio} times its size: an archive bomb")

    def member(self) -> None:
        self.members_left -= 1
        if self.members_left < 0:
            raise Unreadable("too many", "holds more members than the settings allow; the rest was not looked at")

    def charged(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks, each charged before it is given out."""
        for chunk in chunks:
            self.charge(len(chunk))
            yield chunk
