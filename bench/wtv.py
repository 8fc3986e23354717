"""The full-size operation from intake to sealed packages, verb by verb as a user would: time, memory and disk of each
verb and of each stage in it, held against the truth; and what it costs against its size.

uv run python bench/wtv.py [wtv/64 wtv/16 ...] [--chain N] [--folder FOLDER] [--write]

Processor time and memory are of the verb with all its children. What is measured goes to `bench/wtv.json`; `--write`
makes of it the table and the plot of docs/performance.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import claims_report
from figures import EVERY, Look, looking, machine, place
from wtv_report import write_report

from casewright.demo.wtv.build import build_wtv, forget
from casewright.demo.wtv.grade import grade_large
from casewright.demo.wtv.size import TRANSACTIONS, Size, named
from casewright.engine.query import Reader

RESULTS = Path(__file__).with_name("wtv.json")
PAIRS = """SELECT l.link, a.native, p.email FROM links l JOIN accounts a ON a.account = l.from_id
JOIN persons p ON p.person = l.to_id WHERE l.kind = 'account-person'"""


@dataclass
class Cost:
    """What one verb or stage took. `disk`: bytes that the case grew by."""

    name: str
    wall: float
    cpu: float
    own: int
    whole: int
    disk: int = 0
    stages: list["Cost"] = field(default_factory=list)


def main() -> None:
    options = argparse.ArgumentParser(description="the full-size operation")
    options.add_argument("sizes", nargs="*", default=[], metavar="wtv/N")
    options.add_argument(
        "--chain", type=int, default=TRANSACTIONS, help="transactions of the whole; its part for parts"
    )
    options.add_argument("--folder", type=Path, help="where it is made; what is there is taken up")
    options.add_argument("--lean", action="store_true", help="take the sources away once they are sealed")
    options.add_argument("--on", default="processes:2")
    options.add_argument("--write", action="store_true", help="write docs/performance.md from all that was measured")
    chosen = options.parse_args()
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
    for size in chosen.sizes:
        with place(chosen.folder) as folder:
            known[size] = measured(size, folder, chosen)
        RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    docs = Path(__file__).parents[1] / "docs" if chosen.write else None
    print(write_report(known, docs))
    if docs:  # two of the claims rest on the largest run
        claims_report.write_report(claims_report.kept(), docs)


def measured(name: str, folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """One size, from nothing to sealed packages."""
    part = named(name)
    if part is None:
        raise SystemExit(f"{name!r} is no size: wtv, or wtv/16")
    os.environ["CASEWRIGHT_HOME"] = str(folder / "home")
    at, case, size = (
        folder / name.replace("/", "-"),
        folder / f"case-{part}",
        Size(part, max(1000, chosen.chain // part)),
    )
    shutil.rmtree(case, ignore_errors=True)
    load = [os.getloadavg()[2]]
    costs = [verb(case, "demo", at, "--scale", name, "--chain", size.transactions, "--evidence-only", grows=at)]
    source = at / "seizure"
    truth = build_wtv(source, size)
    costs += verbs(case, source, truth, chosen)
    with Reader(case / "tables") as reader:
        grades = grade_large(truth, reader.rows, case / "tables", source / "truth")
        packages = [r["package"] for r in reader.rows("SELECT DISTINCT package FROM figures")]
    load.append(os.getloadavg()[2])
    if any(grade.wrong or grade.missed for grade in grades):
        print(f"{case} is kept, with --folder: not all of it is right", file=sys.stderr)
    else:
        shutil.rmtree(case)
    told = {"accounts": size.accounts, "payments": len(truth["payments"]), "transactions": truth["transactions"],
            "log lines": sum(truth["disk"]["log_lines"].values()), "pictures": size.sample_pictures,
            "films": size.sample_films, "records": size.videos + size.pictures}  # fmt: skip
    return {"part": part, "told": told, "costs": [asdict(c) for c in costs], "grades": [vars(g) for g in grades],
            "packages": len(packages), "countries": len({p[:2] for p in packages} - {"ZZ"}), "load": load,
            "machine": machine(), "day": f"{datetime.now():%Y-%m-%d}"}  # fmt: skip  # noqa: DTZ005


def verbs(case: Path, source: Path, truth: Mapping[str, Any], chosen: argparse.Namespace) -> list[Cost]:
    """What a user would type, one after the other."""
    on, tags = ("--on", chosen.on), sorted((source / "tags").iterdir())
    costs = [
        verb(case, "new", case, "--title", "Operation Glasshouse", "--agency", "Museum Crimes Unit", "--examiner",
             "R. Example", "--network", "regtest"),
        verb(case, "intake", case, source / "server", *on),
        verb(case, "extract", case, *on, label="extract: a mapping is proposed", may=(4,)),
        verb(case, "extract", case, "--mapping", case / "mapping.proposed.toml", *on),
        verb(case, "triage", case, "--list", source / "knowns.vics.json", *on),
        verb(case, "trace", case, "--chain", source / "bitcoin", *(w for t in tags for w in ("--tags", t)), *on),
    ]  # fmt: skip
    if chosen.lean:
        forget(source)
    returns = [word for path in sorted((source / "returns").iterdir()) for word in ("--returns", path)]
    costs.append(verb(case, "link", case, *returns, "--prior", source / "prior.csv", *on))
    costs.append(judged(case, truth, on))
    costs.append(verb(case, "run", case, *on, label="run: referrals, figures, packages"))
    costs.append(verb(case, "verify", case))
    return costs


def judged(case: Path, truth: Mapping[str, Any], on: Sequence[str]) -> Cost:
    """The invented examiner's decisions, one command for each reason."""
    with Reader(case / "tables") as reader:
        links = {(r["native"], r["email"]): r["link"] for r in reader.rows(PAIRS)}
    whys: dict[str, list[str]] = {}
    for d in truth["decisions"]:
        if link := links.get((d["account"], d["email"])):
            whys.setdefault(d["why"], []).extend(("--judge", f"{link}={d['verdict']}"))
    parts = [verb(case, "link", case, *words, "--why", why, *on) for why, words in whys.items()]
    sums = {name: sum(getattr(p, name) for p in parts) for name in ("wall", "cpu", "disk")}
    peaks = {name: max(getattr(p, name) for p in parts) for name in ("own", "whole")}
    return Cost("link: judgements", **sums, **peaks)


def verb(case: Path, *words: object, label: str = "", may: Sequence[int] = (), grows: Path | None = None) -> Cost:
    """Run one, and say what it took."""
    name, before, began = label or str(words[0]), size_of(grows or case), time.time()
    ledger = case / "ledger.jsonl"
    known = len(ledger.read_bytes().splitlines()) if ledger.is_file() else 0
    with looking() as looks:
        command = [str(Path(sys.executable).with_name("casewright")), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3, *may):
        raise SystemExit(f"{' '.join(command)[:300]}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    cost = between(name, looks, began, time.time())
    cost.disk = size_of(grows or case) - before
    cost.stages = list(stages(case, known, looks, began))
    print(f"{name}: {cost.wall:.1f} s, {cost.cpu:.1f} s of processor, {cost.own / 1e9:.2f} GB, "
          f"{cost.disk / 1e9:.3f} GB of disk", file=sys.stderr, flush=True)  # fmt: skip
    return cost


def between(name: str, looks: Sequence[Look], began: float, ended: float) -> Cost:
    """What happened between two moments. Processor time is that of the looks nearest to them."""
    mine = [one for one in looks if began - EVERY <= one.at <= ended + EVERY] or list(looks[-1:])
    used = [min(looks, key=lambda one, at=at: abs(one.at - at)).cpu for at in (began, ended)]
    return Cost(name, ended - began, used[1] - used[0], max(m.own for m in mine), max(m.whole for m in mine))


def stages(case: Path, known: int, looks: Sequence[Look], began: float) -> Iterator[Cost]:
    """The stages that a verb ran, by what the ledger says when each was done."""
    ledger = case / "ledger.jsonl"
    last = began
    for line in ledger.read_bytes().splitlines()[known:] if ledger.is_file() else ():
        event = json.loads(line)
        at = datetime.fromisoformat(event["time"]).timestamp()
        if event["kind"] == "stage done":
            cost = between(event["data"]["stage"], looks, last, at)
            cost.disk = sum(size_of(case / "tables" / table) for table in event["data"]["runs"])
            yield cost
        last = at


def size_of(folder: Path) -> int:
    """Bytes on the disk."""
    found = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                found += (Path(root) / name).lstat().st_blocks * 512
            except FileNotFoundError:
                continue
    return found


if __name__ == "__main__":
    main()
