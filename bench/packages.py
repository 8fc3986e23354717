"""Packages at full size: 153,000 accounts over 130 countries, referred twice; time, memory, sizes, and equal bytes.

uv run python bench/packages.py [--accounts N] [--countries N] [--folder FOLDER] [--once]
"""

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from claims import Claim, claims_option, hand_over
from figures import Look, Time, clock, looking, most, place

from casewright.demo.referred import referred
from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder, parquet_bytes
from casewright.engine.units import Processes
from casewright.model.settings import CaseSettings
from casewright.refer.check import contents_problems
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
    claims_option(options)
    chosen = options.parse_args()
    with place(chosen.folder) as folder:
        shutil.rmtree(folder / "case", ignore_errors=True)
        os.environ["CASEWRIGHT_HOME"] = str(folder / "home")
        case = fill(folder / "case", chosen.accounts, chosen.countries)
        done = [refer(case, workers) for workers in ((2,) if chosen.once else (2, 3))]
        seals, size = [one for one, _, _ in done], f"{chosen.accounts:,} accounts in {chosen.countries} countries"
        hand_over("packages", chosen.claims, [
            Claim("time", done[0][1], "s", size), Claim("memory", done[0][2], "GB", size), own_check(case),
        ])  # fmt: skip
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


def refer(case: Case, workers: int) -> tuple[list[str], float, float]:
    """Referrals, figures and packages once, by so many processes; returns the seals, seconds and gigabytes."""
    print(f"{workers} processes; load before: {' '.join(f'{n:.1f}' for n in os.getloadavg())}", flush=True)
    for gone in (case.packages, case.tables / "figures", case.tables / "referrals"):
        shutil.rmtree(gone, ignore_errors=True)
    case.packages.mkdir()
    runner = Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, STAGES, Processes(workers))
    with looking(with_me=True) as looks:
        took, _ = clock(lambda: runner.run(["referrals"]))
        walls = [say("referrals", took, looks)]
        took, _ = clock(lambda: runner.run(["figures"]))
        walls.append(say("figures", took, looks))
        took, seals = clock(lambda: seal(case, workers))
        walls.append(say("packages", took, looks))
    sizes = sorted(sum(f.stat().st_size for f in bag.rglob("*") if f.is_file()) for bag in case.packages.iterdir())
    pdfs = sorted(f.stat().st_size for f in case.packages.glob("*/data/referral.pdf"))
    print(f"{len(sizes)} packages, largest {sizes[-1] / MIB:.1f} MiB, all {sum(sizes) / MIB:,.0f} MiB; "
          f"largest PDF {pdfs[-1] / MIB:.1f} MiB", flush=True)  # fmt: skip
    return seals, sum(walls), most(looks)[1] / 1e9


def own_check(case: Case) -> Claim:
    """The check of what stands in the package with the most figures, without its hashes."""
    bag = max(case.packages.iterdir(), key=lambda one: sum(f.stat().st_size for f in one.glob("data/figures.csv*")))
    size = sum(f.stat().st_size for f in bag.rglob("*"))
    took, problems = clock(lambda: list(contents_problems(bag / "data")))
    assert not problems, problems[:3]
    return Claim("own-check", took.cpu, "s", f"{bag.name}, {size / MIB:.1f} MiB")


def seal(case: Case, workers: int) -> list[str]:
    figures = [pq.read_table(p, columns=["package"]) for p in sorted((case.tables / "figures").glob("*.parquet"))]
    names = sorted(pa.concat_tables(figures).column("package").unique().to_pylist())
    judged = pq.read_table(case.tables / "judgements" / "part-000000.parquet").to_pylist()
    lines = [json.dumps({"kind": "judgement", "data": {k: j[k] for k in ("link", "verdict", "examiner", "why")}})
             for j in judged]  # fmt: skip
    orders = [Order(name) for name in names]
    return [digest for *_, digest in write_packages(orders, case.tables, lines, case.settings, case.packages, KEY,
                                                workers)]  # fmt: skip


def say(what: str, took: Time, looks: list[Look]) -> float:
    """Print it, with the most memory until now; its seconds by the clock."""
    peak = most(looks)[1] / 2**30
    print(f"{what}: {took.wall:.0f} s, {took.cpu:.0f} s of processor, peak {peak:.1f} GiB", flush=True)
    return took.wall


if __name__ == "__main__":
    main()
