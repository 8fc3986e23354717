"""Which blocks are the chain: most work from the genesis block wins, whatever the order in the files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from casewright.kernels.blocks import work_of

GENESIS: Mapping[str, bytes] = {
    network: bytes.fromhex(name)[::-1]
    for network, name in (
        ("mainnet", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
        ("testnet", "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"),
        ("testnet4", "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
        ("signet", "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
        ("regtest", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
    )
}


class Header(Protocol):
    """What decides a block's place."""

    @property
    def hash(self) -> bytes: ...

    @property
    def prev(self) -> bytes: ...

    @property
    def bits(self) -> int: ...


@dataclass(frozen=True)
class Place:
    """`main` or `stale` with a height, or `unconnected` without one: an ancestor is not in the files."""

    state: str
    height: int | None = None


def places(blocks: Iterable[Header], genesis: bytes) -> dict[bytes, Place]:
    """Place of every block by hash. The genesis block need not be there: its child has height 1 all the same.

    Of branches with equal work the one whose tip has the least hash is taken: the files' order decides nothing.
    """
    by_hash = {b.hash: b for b in blocks}
    children: dict[bytes, list[Header]] = {}
    for block in by_hash.values():
        children.setdefault(block.prev, []).append(block)
    height, work = {genesis: 0}, {genesis: 0}
    queue = [genesis]
    for parent in queue:  # grows while it is walked: children follow their parents
        for child in children.get(parent, ()):
            height[child.hash], work[child.hash] = height[parent] + 1, work[parent] + work_of(child.bits)
            queue.append(child.hash)
    tip = min(queue, key=lambda h: (-work[h], h[::-1]))
    main = {genesis}
    while tip != genesis:
        main.add(tip)
        tip = by_hash[tip].prev
    return {
        h: Place("main" if h in main else "stale", height[h]) if h in height else Place("unconnected") for h in by_hash
    }
