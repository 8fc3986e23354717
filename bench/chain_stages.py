"""The stages of the chain room on a generated chain, as the engine runs them: time, memory and disk of each.

uv run python bench/chain_stages.py [--millions 1 2] [--until clusters] [--folder FOLDER] [--kill]

1.3 million deposit addresses are looked for, half of which are paid. `--kill` ends the stage `blocks` by SIGKILL six
times on the way. With `--folder`, what is there is taken up again.
"""

import argparse
import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from chain_maker import write_chain
from chain_scale import DEPOSITS, watched_all

from casewright.chain.stages import STAGES
from casewright.engine.runner import Runner
from casewright.engine.stage import Context, Output, Progress, Stage, Tally
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.bitcoin import address_of_script
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
    chosen = options.parse_args()
    print("| million tx | stage | s (processor) | s (wall) | own memory, GB | with mapped files, GB | tables, GB | "
          "kept arrays, GB |")  # fmt: skip
    print("|" + " --- |" * 8, flush=True)
    for millions in chosen.millions:
        with place(chosen.folder) as folder:
            os.environ["CASEWRIGHT_HOME"] = str(folder / "home")
            case = case_of(folder, millions)
            for _ in range(KILLS if chosen.kill else 0):
                killed(case.root)
            run(case, millions, chosen.until)


@contextmanager
def place(folder: Path | None) -> Iterator[Path]:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="casewright-stages-") as made:
            yield Path(made)


def case_of(folder: Path, millions: float) -> Case:
    root, files = folder / f"case-{millions}", folder / "files"
    if root.exists():
        return Case(root)
    case = Case.create(root, CaseSettings("Generated", "Bench", "R. Example"), network="regtest")
    paths = write_chain(files, int(millions * 1e6))
    with case.writing():
        case.seal_source([SourceFile(p, p.name.encode()) for p in paths], "chain", "chain")
    for path in paths:
        path.unlink()
    return case


def deposits(batch: pa.Table, context: Context) -> Output:
    """1.3 million addresses, half of which the chain pays."""
    own: list[str] = []
    for part in context.parts("outputs"):
        found = part.read(["address"])["address"].drop_null().unique().to_pylist()
        own += found[: DEPOSITS // 2 // len(context.parts("outputs")) + 1]
    own = list(dict.fromkeys(own))
    rest = range(DEPOSITS - len(own))
    nobody = [address_of_script(b"\x00\x14" + n.to_bytes(20, "big"), "regtest")[0] for n in rest]
    names = [f"deposit-{n:020x}" for n in range(DEPOSITS)]
    empty = TABLES["deposit_addresses"].schema
    given = {"id": names, "account": [n.replace("deposit", "account") for n in names], "address": [*own, *nobody]}
    columns = [pa.array(given[f.name], f.type) if f.name in given else pa.nulls(DEPOSITS, f.type) for f in empty]
    return Output({"deposit_addresses": pa.table(columns, schema=empty)}, [], [Tally("addresses", 1, 1)])


NOTHING = ("wallet_addresses",)


def nothing(batch: pa.Table, context: Context) -> Output:
    return Output({name: TABLES[name].empty() for name in NOTHING})


EXTRACTED = (
    Stage("deposits", 1, ("outputs",), ("deposit_addresses",), deposits, lazy=("outputs",)),
    Stage("nothing", 1, (), NOTHING, nothing),
)
AFTER = NAMES.index("blocks") + 1
PIPELINE = (*SEALED, *STAGES[:AFTER], *EXTRACTED, *STAGES[AFTER:])


def runner(case: Case, watch: Any) -> Runner:
    return Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, PIPELINE, Inline(), watch)


def run(case: Case, millions: float, until: str) -> None:
    """Each stage in a process of its own, so that none is charged with the memory of those before it."""
    order = [s.name for s in PIPELINE if s.name in runner(case, silent).closure(NAMES[: NAMES.index(until) + 1])]
    for name in order:
        child = multiprocessing.get_context("spawn").Process(target=measure, args=(case.root, millions, name))
        child.start()
        child.join()
        if child.exitcode:
            raise SystemExit(f"{name} ended with {child.exitcode}")


def measure(root: Path, millions: float, stage: str) -> None:
    case = Case(root)
    with case.writing():
        ready = runner(case, silent)
        used, begun = all_used(), time.monotonic()
        with watched_all() as memory:
            (ran,) = [r for r in ready.run([stage]) if r.stage == stage]
    if not ran.skipped and stage in NAMES:
        own, whole = (max(seen) / 1e9 for seen in zip(*memory, strict=True))
        disk = sum(p.stat().st_size for name in ran.rows for p in (case.tables / name).glob("*.parquet"))
        kept = sum(p.stat().st_size for p in (case.tables / ".units").rglob("*.npy"))
        print(f"| {millions:g} | {stage} | {all_used() - used:.0f} | {time.monotonic() - begun:.0f} | {own:.1f} | "
              f"{whole:.1f} | {disk / 1e9:.2f} | {kept / 1e9:.2f} |", flush=True)  # fmt: skip


def all_used() -> float:
    """Seconds of the processor that this process and its children took."""
    return sum(os.times()[:4])


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
        runner(case, watch).run(["blocks"])


if __name__ == "__main__":
    main()
