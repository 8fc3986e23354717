"""A node's data folder as Bitcoin's own consensus engine leaves it: blocks, undo data and key, all written by it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pbk

from casewright.demo.chain import write_chain
from casewright.demo.operation import build_operation
from casewright.kernels.blockfiles import Plain, unmask
from casewright.kernels.undo import Spent, SpentCoin
from tests.demo.test_chain import in_order, raw_blocks


@dataclass(frozen=True)
class Node:
    """The folder `blocks`, and what the engine says is in it: the active chain, each block's id with its transactions'
    ids and outputs, and what it spends."""

    folder: Path
    hashes: tuple[str, ...]
    transactions: Mapping[str, list[tuple[str, list[tuple[int, bytes]]]]]
    spent: Mapping[str, Spent]

    def file(self, name: str) -> Plain:
        return unmask((self.folder / name).read_bytes(), (self.folder / "xor.dat").read_bytes())


@contextmanager
def a_node(folder: Path) -> Iterator[Node]:
    """The demo's chain, handed to the engine block by block."""
    write_chain(build_operation(), folder / "made", obfuscate=False)
    with pbk.load_chainman(folder / "node", pbk.ChainType.REGTEST) as engine:
        for raw in in_order(raw_blocks(folder / "made")):
            engine.process_block(pbk.Block(raw))
        entries = list(engine.get_active_chain().block_tree_entries)
        hashes = tuple(str(entry.block_hash) for entry in entries)
        blocks = {name: engine.blocks[entry] for name, entry in zip(hashes, entries, strict=True)}
        told = {name: [(str(t.txid), [(o.amount, bytes(o.script_pubkey)) for o in t.outputs])
                       for t in block.transactions] for name, block in blocks.items()}  # fmt: skip
        undone = {name: engine.block_spent_outputs[e] for name, e in zip(hashes[1:], entries[1:], strict=True)}
        spent = {name: spent_in(undo) for name, undo in undone.items()}
        yield Node(folder / "node" / "blocks", hashes, told, spent)


def spent_in(block: pbk.BlockSpentOutputs) -> Spent:
    return tuple(
        tuple(
            SpentCoin(c.confirmation_height, c.is_coinbase, c.output.amount, bytes(c.output.script_pubkey))
            for c in transaction.coins
        )
        for transaction in block.transactions
    )
