"""A cluster of two workers against one, beside two processes against one: the stage `media` over invented pictures.

uv run --extra ray python bench/on_ray.py [--pictures 600] [--rounds 3] [--address HOST:PORT]

Wall time of the stage's second run, so that neither starting the cluster counts nor what its workers import. What two
processes gain on the same machine in the same minutes is what it has to give. With `--address` also a cluster that is
there already.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

from claims import Claim, claims_option, hand_over
from scenes import hills, jpeg

from casewright.cli.pipeline import PIPELINE
from casewright.engine.on_ray import OnRay
from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder
from casewright.engine.units import Engine, Inline, Processes
from casewright.model.settings import CaseSettings
from casewright.vault.case import Case, SourceFile


def made(folder: Path, pictures: int) -> Case:
    os.environ["CASEWRIGHT_HOME"] = str(folder)
    case = Case.create(folder / "case", CaseSettings("Bench", "Unit", "Examiner"))
    files, views = [], [hills(960, 720, seed, 3) for seed in range(4)]
    for number in range(pictures):
        path, view = folder / f"{number}.jpg", views[number % len(views)].resize((1600, 1200))
        view.paste((number % 256, number // 256, 0), (0, 0, 200, 100))
        path.write_bytes(jpeg(view))
        files.append(SourceFile(path, path.name.encode()))
    with case.writing():
        case.seal_source(files, "seizure", "pictures")
        run(case, Inline(), "items")
    return case


def run(case: Case, engine: Engine, *stages: str) -> None:
    Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, PIPELINE, engine).run(stages)


def seconds(case: Case, engine: Engine) -> float:
    begun = 0.0
    for _ in range(2):
        shutil.rmtree(case.tables / "media", ignore_errors=True)
        with case.writing():
            begun = time.monotonic()
            run(case, engine, "media")
    return time.monotonic() - begun


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--pictures", type=int, default=600)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--address", default="")
    claims_option(options)
    given = options.parse_args()
    names = ["processes:1", "processes:2", "ray:1", "ray:2", *([f"ray:{given.address}"] if given.address else [])]
    best = dict.fromkeys(names, float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        case = made(Path(folder), given.pictures)
        for _ in range(given.rounds):
            for name in names:
                if name.startswith("ray"):
                    with OnRay(name) as engine:
                        found = seconds(case, engine)
                else:
                    found = seconds(case, Processes(int(name[-1])))
                best[name] = min(best[name], found)
                print(f"{name}: {found:.1f} s (load {os.getloadavg()[0]:.1f})", flush=True)
    for name, found in best.items():
        print(f"{name:<14} {found:6.1f} s  {given.pictures / found:6.1f} pictures/s")
    share = {kind: best[f"{kind}:1"] / best[f"{kind}:2"] / 2 for kind in ("processes", "ray")}
    for kind, one in share.items():
        print(f"two workers against one, {kind}: {one:.0%} of twice as fast")
    hand_over("on_ray", given.claims, [
        Claim("ray", 100 * share["ray"], "% of twice", f"{given.pictures:,} pictures", 100 * share["processes"]),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
