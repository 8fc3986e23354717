"""How good clusters and service attributions are: invented economies of known truth through the real stages.

just bench-economy [--seeds N] [--first SEED] [--people N] [--blocks N] [--acts N] [--out FILE]

Each seed makes a chain of block files (unsigned), a tag pack that names a part of each service's addresses, and deposit
addresses of a market. The stages of the chain room read them as they read a case. A second table is of economies with
one exchange more that no tag names, so that what it pays out is traced on through it, and with stale tags. A third is
of the first economies with the layer `change` on.
"""

import argparse
from collections import Counter
from pathlib import Path
from time import process_time

from tests.chain.case import run_stages
from tests.world import context

from casewright.chain.coinjoin import coinjoin_rule
from casewright.chain.shapes import spending
from casewright.demo.economies.files import block_file, deposit_addresses, tag_pack
from casewright.demo.economies.grading import Grades, Score, grade
from casewright.demo.economies.truth import Truth, truth_of
from casewright.demo.economies.world import Size, World, tell
from casewright.engine.stage import Context
from casewright.model.settings import ChainSettings

GRADED = ("clusters", "payments", "services", "change")
LISTED = 25
RUNS = (
    ("Every service in a tag pack", False, ("co-spend",)),
    ("One exchange in no tag pack, three stale tags", True, ("co-spend",)),
    ("Every service in a tag pack, and votes for change join addresses too", False, ("co-spend", "change")),
)


def graded(world: World, layers: tuple[str, ...]) -> tuple[Grades, int, float]:
    """Grades of one economy, its transactions, and the stages' processor time."""
    truth, begun = truth_of(world), process_time()
    files = {"blk00000.dat": block_file(world.ledger)}, {"economy.yaml": tag_pack(world).encode()}
    tables = run_stages(*files, deposit_addresses(world), layers=layers)
    took = process_time() - begun
    grades = grade(
        truth, {name: tables[name].to_pylist() for name in GRADED if name in tables}, ChainSettings().max_hops
    )
    base = context()
    _coinjoins(truth, Context({}, {**base.tables, **tables}, base.blobs), world, grades)
    return grades, len(world.ledger.deeds), took


def _coinjoins(truth: Truth, chain: Context, world: World, grades: Grades) -> None:
    """Whether the rules name what strangers signed together. A Stonewall is named whoever made it, and is left out."""
    joint = {d.txid[::-1].hex() for d in world.ledger.deeds if d.joint}
    score = grades.scores["CoinJoins"]
    for txid, shape in spending(chain):
        named, several = coinjoin_rule(shape) is not None, txid in joint
        if truth.kinds[txid] != "Stonewall":
            score += Score(named and several, named and not several, named and several, several and not named)
    grades.scores["CoinJoins"] = score


def table(seeds: range, size: Size, layers: tuple[str, ...]) -> list[str]:
    """A table over all seeds, and what was false in them."""
    total, worst, transactions, took = Grades(), 1.0, 0, 0.0
    for seed in seeds:
        grades, count, seconds = graded(tell(seed, size), layers)
        total, transactions, took = total + grades, transactions + count, took + seconds
        worst = min(worst, grades.scores["back: all"].precision)
    lines = [f"{len(seeds)} seeds, {transactions:,} transactions, {took:.0f} s in the stages", ""]
    lines += ["| | said | of it true, % | true | of it found, % |", "|---|---:|---:|---:|---:|"]
    lines += [f"| {name} | {score.told()} |" for name, score in sorted(total.scores.items())]
    lines += ["", f"Lowest precision of one seed, back: {100 * worst:.2f} %. Not true, and why:", ""]
    causes = Counter((f.claimed, f.direction, f.why) for f in total.false)
    for (claimed, direction, why), count in sorted(causes.items(), key=lambda c: (not c[0][0], -c[1])):
        lines.append(f"- {count} {direction}, {'attributed' if claimed else 'a hint'}: {why}")
    through = sum("CoinJoin" in f.why for f in total.false)
    lines += [f"- through a CoinJoin: {through}", "", f"Those that were attributed, {LISTED} at most:", ""]
    lines += [f"- {f.payment} {f.direction}: {f.service}, {f.hops} hops, {f.confidence}: {f.why}"
              for f in [f for f in total.false if f.claimed][:LISTED]]  # fmt: skip
    joined = Counter(" + ".join(name.split()[0] for name in m.split(" + ")) for m in total.mixed_clusters)
    lines += ["", f"Clusters of several owners: {dict(joined)}", ""]
    return lines


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    for name, number in (("seeds", 20), ("first", 0), ("people", 300), ("blocks", 300), ("acts", 25)):
        given.add_argument(f"--{name}", type=int, default=number)
    given.add_argument("--out", type=Path)
    options = given.parse_args()
    lines = []
    for title, harsh, layers in RUNS:
        size = Size(options.people, options.blocks, options.acts, harsh)
        lines += [f"### {title}", "", *table(range(options.first, options.first + options.seeds), size, layers)]
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
