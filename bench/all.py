"""Every speed that Casewright claims, measured against its peers by one command, and made into one table.

uv run python bench/all.py [--only NAME ...] [--full] [--again] [--write] [--blocks FOLDER]

Each bench runs in a process of its own, one after the other, at a size that keeps the whole within half an hour on two
free cores; `--full`: at the sizes that the issues name, which takes hours. What was measured is kept in `claims.json`
with day, machine, load and commit, so that a run that was broken off goes on: a bench that was measured with this very
`src` is not measured again, unless `--again`. `--write` makes the tables of docs/performance.md of all that is kept.
A bench that fails, or whose peer can't be fetched, has its reason in the table.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from claims import Claim
from claims_report import RESULTS, kept, write_report
from figures import machine, processor_time
from told import READERS

HERE = Path(__file__).parent
BLOCKS = HERE.parents[1] / "shared" / "data" / "bitcoin"
LONGEST, LONGEST_FULL = 1800, 4 * 3600
"""Seconds that a bench may take."""


@dataclass(frozen=True)
class Bench:
    """A program of this folder: what it is called with, small and full, and what is fetched for its run only."""

    name: str
    small: str = ""
    full: str = ""
    fetched: tuple[str, ...] = ()
    extra: str = ""
    only_full: str = ""
    """Why it has no small run, where it has none."""


BENCHES = (
    Bench("evidence"),
    Bench("dump", "", "", ("sqlglot",)),
    Bench("logs", "--quick", ""),
    Bench("selector_search", "--megabytes 20", "--megabytes 41"),
    Bench("media", "--speed", "", ("threatexchange", "perception", "pdqhash")),
    Bench("video_speed", "", "", ("vpdq",)),
    Bench("lists", "--records 300000 --entries 1000000 --items 100000", "", ("ijson",)),
    Bench("groups", "--only scale --items 100000", "--only scale"),
    Bench("search", "--millions 10 --only random", "--millions 10", ("faiss-cpu", "usearch")),
    Bench("near_pairs", "--listed 1000000 --pictures 1000", "--listed 10000000 --pictures 15000"),
    Bench("chain", "--blocks {blocks}", "--blocks {blocks}", ("blockchain-parser",)),
    Bench("chain_targeted", "--millions 0.3 --seeds 10000 1000000", "--millions 1 --seeds 10000 1000000"),
    Bench("chain_scale", "--millions 1", "--millions 50"),
    Bench("chain_stages", "--millions 1", "--tables --millions 50 --until trace --tight"),
    Bench("clusters", "--runs 3 --columns 1000000", "--columns 50000000", ("graphsense-clustering",)),
    Bench("trace"),
    Bench("resolution", "--scale", "--scale"),
    Bench("packages", "--accounts 15300 --once", "--once"),
    Bench("deconflict", "--trials 2 --rounds 2", ""),
    Bench("review", "--accounts 65000 --rounds 5", "--browser"),
    Bench("on_ray", "--pictures 200 --rounds 1", "", extra="ray"),
    Bench("wtv", only_full="it takes hours, and is run by itself: `just bench-wtv`"),
)
BUILT = ("vpdq",)
"""Peers without wheels: Debian's libavcodec-dev, libavformat-dev, libswscale-dev, cmake and g++ are needed."""
APART = {
    "coinjoins": "counts what rules name rightly",
    "deconflict_media": "counts what exact digests miss",
    "economy": "counts what of clusters and attributions is true",
    "second": "counts what is found of changed pictures",
    "videos": "counts what is found of clips and parts",
}
"""Programs that measure no speed, and what they measure instead: docs/guides tells their figures."""


def main() -> None:
    options = argparse.ArgumentParser(description="every claim against its peer")
    options.add_argument("--only", nargs="+", default=[], choices=[one.name for one in BENCHES], metavar="NAME")
    options.add_argument("--full", action="store_true", help="at the sizes that the issues name")
    options.add_argument("--again", action="store_true", help="measure also what was measured with this code")
    options.add_argument("--blocks", type=Path, default=BLOCKS, help="folder of raw blocks of mainnet")
    options.add_argument("--read", type=Path, help="take the printed figures of one bench, run by itself (with --only)")
    options.add_argument("--table", action="store_true", help="measure nothing")
    options.add_argument("--write", action="store_true", help="write docs/performance.md")
    chosen = options.parse_args()
    benches = [one for name in chosen.only for one in BENCHES if one.name == name] or BENCHES
    for bench in [] if chosen.table else benches:
        measure(bench, chosen)
    print(write_report(kept(), HERE.parent / "docs" if chosen.write else None))


def measure(bench: Bench, chosen: argparse.Namespace) -> None:
    """Run a bench and keep what it claims; nothing is done twice with the same code."""
    size, code = "full" if chosen.full else "small", git("rev-parse", "--short", "HEAD:src") + changed()
    before = kept().get(bench.name, {}).get(size, {})
    if bench.only_full and not chosen.read:
        return
    if before.get("code") == code and before["claims"] and not (chosen.again or chosen.read):
        print(f"{bench.name}: kept from {before['day']}", file=sys.stderr, flush=True)
        return
    load, began, used = os.getloadavg()[2], time.monotonic(), processor_time()
    claims, reason, command = read(bench, chosen.read) if chosen.read else run(bench, chosen)
    told = {"day": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine(), "load": [load, os.getloadavg()[2]],
            "commit": git("rev-parse", "--short", "HEAD") + changed(), "code": code, "command": command,
            "seconds": round(time.monotonic() - began), "cpu": round(processor_time() - used), "reason": reason,
            "claims": [asdict(one) for one in claims]}  # fmt: skip
    known = kept()
    known.setdefault(bench.name, {})[size] = as_printed(told, chosen.read) if chosen.read else told
    RESULTS.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{bench.name}: {len(claims)} claims in {told['seconds']} s{': ' * bool(reason)}{reason}", file=sys.stderr,
          flush=True)  # fmt: skip


def run(bench: Bench, chosen: argparse.Namespace) -> tuple[list[Claim], str, str]:
    """Its claims, why there are none, or why peers are missing; and how it was called."""
    fetched, missing = fetch(bench)
    words = (bench.full if chosen.full else bench.small).format(blocks=chosen.blocks).split()
    if chosen.blocks in map(Path, words) and not chosen.blocks.is_dir():
        return [], f"no raw blocks in {chosen.blocks.name}: --blocks FOLDER", ""
    told = f"bench/{bench.name}.py {(bench.full if chosen.full else bench.small).replace('{blocks}', 'FOLDER')}".strip()
    with tempfile.TemporaryDirectory(prefix="casewright-bench-all-") as made:
        claims = Path(made) / "claims.json"
        handed = [] if bench.name in READERS else ["--claims", str(claims)]
        command = [*fetched, "python", str(HERE / f"{bench.name}.py"), *words, *handed]
        said, reason = called(command, LONGEST_FULL if chosen.full else LONGEST)
        if reason:
            return [], f"{reason}{'; ' * bool(missing)}{missing}", told
        try:
            found = READERS[bench.name](said, words) if bench.name in READERS else taken(claims)
        except ValueError as error:
            return [], str(error), told
    return found, missing, told


def fetch(bench: Bench) -> tuple[list[str], str]:
    """How a Python is called that has the peers; without those that can't be had, and why they can't."""
    words = ["uv", "run", "-q", *(["--extra", bench.extra] if bench.extra else [])]
    missing = []
    for name in bench.fetched:
        more = ["--with", name, *(["--no-binary-package", name] if name in BUILT else [])]
        _, reason = called([*words, *more, "python", "-c", ""], LONGEST)
        if reason:
            missing.append(f"{name} could not be fetched: {reason}")
        else:
            words += more
    return words, "; ".join(missing)


def called(command: Sequence[str], seconds: float) -> tuple[str, str]:
    """What a program prints, and why it failed."""
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds, env=env,
                              cwd=HERE.parent)  # fmt: skip
    except subprocess.TimeoutExpired:
        return "", f"not done within {seconds:,.0f} s"
    if done.returncode:
        return "", (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1].strip()[:160]
    return done.stdout, ""


def taken(path: Path) -> list[Claim]:
    told: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return [Claim(**one) for one in told]


def read(bench: Bench, printed: Path) -> tuple[list[Claim], str, str]:
    """The figures that a bench printed when it ran by itself."""
    return READERS[bench.name](printed.read_text("utf-8"), ()), "", f"bench/{bench.name}.py, by itself"


def as_printed(told: dict[str, Any], printed: Path) -> dict[str, Any]:
    """Of a run that was made by itself nobody knows load and commit; its day is the file's."""
    day = datetime.fromtimestamp(printed.stat().st_mtime, UTC)
    return {**told, "day": f"{day:%Y-%m-%d}", "load": [], "commit": "", "code": "", "seconds": 0, "cpu": 0}


def changed() -> str:
    """A plus where the working copy's own code differs from its commit."""
    return "+" * bool(git("status", "--porcelain", "-uno", "src"))


def git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False, cwd=HERE.parent).stdout.strip()


if __name__ == "__main__":
    main()
