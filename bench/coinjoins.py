"""CoinJoins: what each rule finds of what it should, what it makes up, and the single rule of other tools beside it.

just bench-coinjoins [--count N] [--blocks FOLDER] [--out FILE]

Transactions of the published shapes come from `casewright.demo.mixes`; ordinary ones from there too, and from the real
blocks in FOLDER (../shared/data/bitcoin), which spend coins of blocks that are not there: where a value or an address
is not known, our rules check nothing of it, and the other rule counts it as one more address. Both may only name more
so.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.chain.shapes import shape_of
from tests.chain.world import PARAMS, read
from tests.world import context

from casewright.chain.coinjoin import coinjoin, whirlpool_tx0
from casewright.chain.shapes import Shape, spending
from casewright.demo.mixes.kinds import COINJOINS, ENTRANCES, HARD, ORDINARY, Maker
from casewright.engine.stage import Context

RULE_OF = {"Wasabi 1.0": "Wasabi 1", "Wasabi 1.1": "Wasabi 1", "Stonewall x2": "Stonewall", "PayJoin": "none can"}
DUST = (546, 2_730)
BLOCKS = Path(__file__).parents[2] / "shared" / "data" / "bitcoin"


def single_rule(shape: Shape) -> bool:
    """As BlockSci's `is_coinjoin` and GraphSense's clustering have it: two inputs and three outputs or more; half of
    the outputs, rounded up, is the number of peers; the commonest value comes exactly as often; as many addresses
    pay."""
    peers = (len(shape.paid) + 1) // 2
    payers = len({a for a in shape.spenders if a}) + sum(a is None for a in shape.spenders)
    if len(shape.spent) < 2 or len(shape.paid) < 3 or peers > min(payers, len(shape.spent)):
        return False
    value, times = Counter(shape.paid).most_common(1)[0]
    return times == peers and value not in DUST


def made(name: str, make: Maker, count: int) -> str:
    """A line of the table: found by its own rule, by any, and by the single rule."""
    own, any_, single, sure = 0, 0, 0, 0
    for seed in range(count):
        shape = shape_of(make(Random(f"{name} {seed}")))
        join = coinjoin(shape)
        named = whirlpool_tx0(shape) if name in ENTRANCES else join.rule if join else None
        own += named == RULE_OF.get(name, name)
        any_ += join is not None
        sure += join is not None and join.confidence != "low"
        single += single_rule(shape)
    share = [f"{100 * n / count:.1f}" for n in (own, any_, sure, single)]
    return f"| {name} | {count:,} | {' | '.join(share)} |"


def real(folder: Path) -> Iterator[tuple[str, str, Shape]]:
    """File, transaction and shape of everything in the real blocks that spends."""
    for path in sorted(folder.iterdir()):
        output = read({path.name: path.read_bytes()}, network="testnet" if "testnet" in path.name else "mainnet")
        base = context(params=PARAMS)
        for txid, shape in spending(Context(base.params, {**base.tables, **output.tables}, base.blobs)):
            yield path.name, txid, shape


def real_lines(folder: Path) -> list[str]:
    shapes = list(real(folder))
    known = sum(s is not None for _, _, shape in shapes for s in shape.spent)
    coins = sum(len(shape.spent) for _, _, shape in shapes)
    rules: dict[str, Callable[[Shape], object]] = {"ours": coinjoin, "the single rule": single_rule}
    lines = [f"{len(shapes):,} transactions spend {coins:,} coins, of which {known:,} are in the files."]
    for name, rule in rules.items():
        hits = [(file, txid, shape) for file, txid, shape in shapes if rule(shape)]
        lines.append(f"- {name}: {len(hits)} named, {100 * len(hits) / len(shapes):.3f} %")
        lines += [f"  - {file} {txid}: {len(s.spent)} in, {len(s.paid)} out, {rule(s)}" for file, txid, s in hits]
    return lines


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--count", type=int, default=2_000)
    given.add_argument("--blocks", type=Path, default=BLOCKS)
    given.add_argument("--out", type=Path)
    options = given.parse_args()
    head = "| kind | made | named by its rule, % | named as any, % | of medium or high confidence, % | single rule, % |"
    lines = [head, "|---|---:|---:|---:|---:|---:|"]
    for group in (COINJOINS, ENTRANCES, HARD, ORDINARY):
        lines += [made(name, make, options.count) for name, make in group.items()]
    if options.blocks.is_dir():
        lines += ["", *real_lines(options.blocks)]
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
