"""Packages at full size: 153,000 accounts over 130 countries, referred twice; time, memory, sizes, and equal bytes.

uv run python bench/packages.py [--accounts N] [--countries N] [--folder FOLDER] [--once]
"""

import argparse
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from figures import clock

from casewright.demo.referred import referred
from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder, parquet_bytes
from casewright.engine.units import Processes
from casewright.model.settings import CaseSettings
from casewright.refer.countries import CODES
from casewright.refer.package import Order, write_packages
from casewright.refer.stages import STAGES
from casewright.vault.case import Case
from casewright.vault.keys import SealKey

KEY = SealKey.from_seed(b"packages of a bench")
MIB = 1 << 20


def main() -> None:
    options = argparse.ArgumentParser(description="packages at full size")
    options.add_argument("--accounts", type=int, default=153_000)
    options.add_argument("--countries", type=int, default=130)
    options.add_argument("--once", action="store_true", help="do not do it a second time")
    options.add_argument("--folder", type=Path, help="where the case is made, and kept")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as made:
        folder = chosen.folder or Path(made)
        shutil.rmtree(folder / "case", ignore_errors=True)
        os.environ["CASEWRIGHT_HOME"] = str(folder / "home")
        case = fill(folder / "case", chosen.accounts, chosen.countries)
        seals = [refer(case, workers) for workers in ((2,) if chosen.once else (2, 3))]
        print("the second time byte for byte the same" if len(seals) == 2 and seals[0] == seals[1] else
              "done once" if chosen.once else "THE SECOND TIME DIFFERS")  # fmt: skip
        raise SystemExit(len({json.dumps(s) for s in seals}) != 1)


def fill(root: Path, accounts: int, countries: int) -> Case:
    """A case whose tables are there up to the referrals."""
    case = Case.create(root, CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example"))
    folder = TableFolder(case.tables)
    for name, rows in referred(accounts, sorted(CODES)[:countries]).items():
        part = root / "part.parquet"
        part.write_bytes(parquet_bytes(rows))
        record = {"file": "part-000000.parquet", "sha256": hashlib.sha256(part.read_bytes()).hexdigest(),
                  "rows": rows.num_rows, "stage": "bench"}  # fmt: skip
        folder.replace(name, {"table": name, "parts": [record]}, [("part-000000.parquet", part)])
        part.unlink()
    return case


def refer(case: Case, workers: int) -> list[str]:
    """Referrals, figures and packages once, by so many processes; returns the seals."""
    print(f"{workers} processes; load before: {' '.join(f'{n:.1f}' for n in os.getloadavg())}", flush=True)
    for gone in (case.packages, case.tables / "figures", case.tables / "referrals"):
        shutil.rmtree(gone, ignore_errors=True)
    case.packages.mkdir()
    runner = Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, STAGES, Processes(workers))
    with watched() as peak:
        took, _ = clock(lambda: runner.run(["referrals"]))
        say("referrals", took, peak)
        took, _ = clock(lambda: runner.run(["figures"]))
        say("figures", took, peak)
        took, seals = clock(lambda: seal(case, workers))
        say("packages", took, peak)
    sizes = sorted(sum(f.stat().st_size for f in bag.rglob("*") if f.is_file()) for bag in case.packages.iterdir())
    pdfs = sorted(f.stat().st_size for f in case.packages.glob("*/data/referral.pdf"))
    print(f"{len(sizes)} packages, largest {sizes[-1] / MIB:.1f} MiB, all {sum(sizes) / MIB:,.0f} MiB; "
          f"largest PDF {pdfs[-1] / MIB:.1f} MiB", flush=True)  # fmt: skip
    return seals


def seal(case: Case, workers: int) -> list[str]:
    figures = [pq.read_table(p, columns=["package"]) for p in sorted((case.tables / "figures").glob("*.parquet"))]
    names = sorted(pa.concat_tables(figures).column("package").unique().to_pylist())
    judged = pq.read_table(case.tables / "judgements" / "part-000000.parquet").to_pylist()
    lines = [json.dumps({"kind": "judgement", "data": {k: j[k] for k in ("link", "verdict", "examiner", "why")}})
             for j in judged]  # fmt: skip
    orders = [Order(name) for name in names]
    return [digest for *_, digest in write_packages(orders, case.tables, lines, case.settings, case.packages, KEY,
                                                workers)]  # fmt: skip


def say(what: str, took: object, peak: list[int]) -> None:
    print(f"{what}: {took.wall:.0f} s, {took.cpu:.0f} s of processor, peak {peak[0] / MIB / 1024:.1f} GiB",  # type: ignore
          flush=True)  # fmt: skip


@contextmanager
def watched() -> Iterator[list[int]]:
    """The most memory that this process and its children have held together, measured twice a second."""
    peak, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            peak[0] = max(peak[0], sum(map(_held, _family(os.getpid()))))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _family(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family, todo = [root], [root]
    while todo:
        mine = [child for child, parent in parents.items() if parent == todo[0]]
        todo = todo[1:] + mine
        family += mine
    return family


def _held(process: int) -> int:
    """Bytes that it holds, shared ones by their share."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(text.split("\nPss:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
