"""The stages of the chain room on a generated chain, as the engine runs them: time, memory and disk of each.

uv run python bench/chain_stages.py [--millions 1 2] [--until clusters] [--paid 650000] [--folder FOLDER] [--kill]
uv run python bench/chain_stages.py --tables [--millions 3 12 50] [--until trace] [--paid 0] [--tight]

1.3 million deposit addresses are looked for, `--paid` of which the chain pays by chance. `--kill` ends the stage
`blocks` by SIGKILL six times on the way. With `--folder`, what is there is taken up again. Each stage runs in a process
of its own, and is charged with its children. `payments` runs twice: when it lays the chain out as arrays, and for other
addresses once that is done.

With `--tables` the chain is made as the tables of the stage `blocks`, with wallets, services and a market in it
(`chain_tables.py`), so that what follows can be measured at a size for which the disk has no room for block files;
`--tight` gives up the largest of these tables once they are laid out as arrays.
"""

import argparse
import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import chain_tables
import pyarrow as pa
from chain_maker import write_chain
from chain_scale import DEPOSITS
from figures import looking, most, place

from casewright.chain.stages import CHAIN, STAGES
from casewright.engine.runner import Runner
from casewright.engine.stage import Context, Output, Progress, Stage, Tally
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.settings import CaseSettings
from casewright.model.tables import TABLES
from casewright.vault.case import Case, SourceFile

KILLS = 6
NAMES = [stage.name for stage in STAGES]


def main() -> None:
    options = argparse.ArgumentParser(description="the stages of the chain room")
    options.add_argument("--millions", type=float, nargs="+", default=[1, 2])
    options.add_argument("--until", choices=NAMES, default="clusters")
    options.add_argument("--folder", type=Path, help="where the cases are made")
    options.add_argument("--kill", action="store_true")
    options.add_argument("--paid", type=int, default=DEPOSITS // 2)
    options.add_argument("--tables", action="store_true")
    options.add_argument("--tight", action="store_true")
    chosen = options.parse_args()
    print("| million tx | stage | s (processor) | s (wall) | own memory, GB | with mapped files, GB | tables, GB | "
          "kept arrays, GB |")  # fmt: skip
    print("|" + " --- |" * 8, flush=True)
    for millions in chosen.millions:
        with place(chosen.folder) as folder:
            os.environ["CASEWRIGHT_HOME"] = str(folder / "home")
            case = case_of(folder, millions, chosen.tables)
            for _ in range(KILLS if chosen.kill else 0):
                killed(case.root)
            run(case, Made(millions, chosen.paid, chosen.tables), chosen.until, chosen.tight)


class Made(NamedTuple):
    """What the chain is. `paid`: so many of the deposit addresses are paid by chance."""

    millions: float
    paid: int
    tables: bool
    again: bool = False
    """Other addresses than those that were looked for before."""


def case_of(folder: Path, millions: float, tables: bool) -> Case:
    root, files = folder / f"case-{millions}", folder / "files"
    if root.exists():
        return Case(root)
    case = Case.create(root, CaseSettings("Generated", "Bench", "R. Example"), network="regtest")
    if tables:
        return case
    paths = write_chain(files, int(millions * 1e6))
    with case.writing():
        case.seal_source([SourceFile(p, p.name.encode()) for p in paths], "chain", "chain")
    for path in paths:
        path.unlink()
    return case


def deposits(batch: pa.Table, context: Context) -> Output:
    """1.3 million addresses, some of which the chain pays; where it has a market, those of the market first."""
    own, tags = list[str](), TABLES["tags"].empty()
    if context.params["tables"]:
        own, services = chain_tables.market_and_services(context.params["transactions"])
        tags = tagged(services)
    for part in context.parts("outputs") if context.params["paid"] else ():
        found = part.read(["address"])["address"].drop_null().unique().to_pylist()
        own += found[: context.params["paid"] // len(context.parts("outputs")) + 1]
    own = list(dict.fromkeys(own))
    nobody = chain_tables.nobody(DEPOSITS - len(own))[:: -1 if context.params["again"] else 1]
    names = [f"deposit-{n:020x}" for n in range(DEPOSITS)]
    empty = TABLES["deposit_addresses"].schema
    given = {"id": names, "account": [n.replace("deposit", "account") for n in names], "address": [*own, *nobody]}
    columns = [pa.array(given[f.name], f.type) if f.name in given else pa.nulls(DEPOSITS, f.type) for f in empty]
    made = {
        "deposit_addresses": pa.table(columns, schema=empty),
        "wallet_addresses": TABLES["wallet_addresses"].empty(),
    }
    return Output(made | ({"tags": tags} if context.params["tables"] else {}), [], [Tally("addresses", 1, 1)])


def tagged(services: Sequence[str]) -> pa.Table:
    rows = [
        {"tag": f"tag-{n}", "address": a, "label": f"Service {n}", "category": "exchange", "confidence": "ownership",
         "level": 100, "exhibit": "d" * 64, "path": b"", "row": n}
        for n, a in enumerate(services)
    ]  # fmt: skip
    return TABLES["tags"].rows(rows)


AFTER = NAMES.index("blocks") + 1


def pipeline(made: Made) -> tuple[Stage, ...]:
    size = {"transactions": int(made.millions * 1e6)}
    params = {**size, "paid": made.paid, "tables": made.tables, "again": made.again}
    before = (*SEALED, *STAGES[:AFTER])
    if made.tables:
        before = (Stage("blocks", 1, (), CHAIN, chain_tables.chain, pieces=True, params=lambda settings: size),)
    writes = ("deposit_addresses", "wallet_addresses", *(("tags",) if made.tables else ()))
    given = Stage("deposits", 1, ("outputs",), writes, deposits, lazy=("outputs",), params=lambda settings: params)
    return (*before, given, *STAGES[AFTER:])


def runner(case: Case, made: Made, watch: Any) -> Runner:
    return Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, pipeline(made), Inline(), watch)


def run(case: Case, made: Made, until: str, tight: bool) -> None:
    """Each stage in a process of its own, so that none is charged with the memory of those before it."""
    wanted = runner(case, made, silent).closure(NAMES[: NAMES.index(until) + 1])
    for name in [stage.name for stage in pipeline(made) if stage.name in wanted]:
        alone(case.root, made, name)
        if name == "payments":
            made = made._replace(again=True)
            alone(case.root, made, "deposits")
            alone(case.root, made, name)
        if tight and name == "change":
            for part in (p for table in CHAIN[1:] for p in (case.tables / table).glob("*.parquet")):
                os.truncate(part, 0)


def alone(root: Path, made: Made, stage: str) -> None:
    child = multiprocessing.get_context("spawn").Process(target=measure, args=(root, made, stage))
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"{stage} ended with {child.exitcode}")


def measure(root: Path, made: Made, stage: str) -> None:
    case = Case(root)
    with case.writing():
        ready = runner(case, made, silent)
        begun = time.monotonic()
        with looking(with_me=True) as looks:
            (ran,) = [r for r in ready.run([stage]) if r.stage == stage]
    if not ran.skipped and stage in NAMES:
        own, whole = (size / 1e9 for size in most(looks))
        disk = sum(p.stat().st_size for name in ran.rows for p in (case.tables / name).glob("*.parquet"))
        kept = sum(p.stat().st_size for p in (case.tables / ".units").rglob("*.npy"))
        again = " again" if made.again and stage == "payments" else ""
        print(f"| {made.millions:g} | {stage}{again} | {looks[-1].cpu:.0f} | {time.monotonic() - begun:.0f} | "
              f"{own:.1f} | {whole:.1f} | {disk / 1e9:.2f} | {kept / 1e9:.2f} |", flush=True)  # fmt: skip


def silent(progress: Progress) -> None:
    pass


def killed(root: Path) -> None:
    """Run the stage `blocks` in a child that dies on its way."""
    child = multiprocessing.get_context("spawn").Process(target=die, args=(root,))
    child.start()
    child.join()
    print(f"killed: {child.exitcode == -signal.SIGKILL}", flush=True)


def die(root: Path) -> None:
    told = 0

    def watch(progress: Progress) -> None:
        nonlocal told
        told += progress.stage == "blocks"
        if told > 2 + len(list((root / "tables" / ".units" / "blocks").glob("*"))):
            os.kill(os.getpid(), signal.SIGKILL)

    case = Case(root)
    with case.writing():
        runner(case, Made(0, 0, False), watch).run(["blocks"])


if __name__ == "__main__":
    main()
