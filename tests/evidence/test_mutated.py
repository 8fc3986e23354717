"""Spoiled images of every format, through the engine and its confined children: nothing is lost without a row.

Every mutated image is an exhibit of a real case. The parent must come through, no child may outstay its limits, each
exhibit ends in items or in set-aside rows, and the balance holds (the engine refuses tables of which it does not).
"""

import json
import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder
from casewright.engine.units import Processes
from casewright.evidence.sealed import STAGES as SEALED
from casewright.evidence.stages import STAGES
from casewright.model.settings import LimitSettings
from casewright.vault.case import Case, SourceFile
from tests.evidence.builders import needs_mke2fs
from tests.evidence.seeds import seeds
from tests.world import rows_of

LIMITS = replace(LimitSettings(), child_memory=2 << 30, child_cpu_seconds=20, child_wall_seconds=30,
                 archive_bytes=64 << 20)  # fmt: skip
LOT = 100
BARE_WALK = """
import hashlib, json, sys
import pytsk3
def walk(directory, seen):
    try:
        for found in directory:
            name, meta = found.info.name, found.info.meta
            if meta is None or name.name in (b'.', b'..') or int(name.flags) & 2: continue
            if meta.type == pytsk3.TSK_FS_META_TYPE_DIR and meta.addr not in seen:
                seen.add(meta.addr)
                try: walk(found.as_directory(), seen)
                except (OSError, RuntimeError): pass
            elif meta.type == pytsk3.TSK_FS_META_TYPE_REG and meta.size < 1 << 24:
                try: raw = found.read_random(0, meta.size) if meta.size else b''
                except (OSError, RuntimeError): continue
                if len(raw) == meta.size: files.append(hashlib.sha256(raw).hexdigest())
    except (OSError, RuntimeError): pass
files = []
try: walk(pytsk3.FS_Info(pytsk3.Img_Info(sys.argv[1])).open_dir('/'), set())
except (OSError, RuntimeError): pass
print(json.dumps(files))
"""


def spoiled(raw: bytes, some: random.Random) -> bytes:
    """The image with flipped bits, a stretch of zeros or noise, or its end cut off."""
    broken = bytearray(raw)
    how = some.randrange(5)
    near = len(broken) if how % 2 else min(len(broken), 1 << 15)  # headers and tables lie in front
    if how < 3:
        for _ in range(some.choice([1, 3, 20, 200])):
            broken[some.randrange(near)] ^= 1 << some.randrange(8)
    elif how == 3:
        at, length = some.randrange(len(broken)), some.choice([16, 512, 4096, 40_000])
        broken[at : at + length] = some.randbytes(len(broken[at : at + length])) if near % 2 else bytes(length)
    else:
        del broken[some.randrange(len(broken)) :]
    return bytes(broken)


def listed(case: Case, exhibits: list[tuple[str, dict[bytes, bytes]]], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Seals the exhibits, lists them, and gives the rows of items and set_aside."""
    with case.writing():
        for name, files in exhibits:
            sources = []
            for path, raw in files.items():
                target = folder / name / path.decode()
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(raw)
                sources.append(SourceFile(target, path if len(files) > 1 else b""))
            case.seal_source(sources, "seizure", name)
        settings = replace(case.settings, limits=LIMITS)
        tables = TableFolder(case.tables)
        Runner(tables, case.store, case.ledger, settings, (*SEALED, *STAGES), Processes(2)).run(["items"])
    return {name: rows_of(tables.load(name)) for name in ("exhibits", "items", "set_aside")}


def check_lot(case: Case, exhibits: list[tuple[str, dict[bytes, bytes]]], folder: Path) -> int:
    started = time.monotonic()
    found = listed(case, exhibits, folder)
    told = {row["exhibit"] for row in found["items"]} | {row["subject"] for row in found["set_aside"]}
    silent = [r["name"] for r in found["exhibits"] if r["role"] == "seizure" and r["exhibit"] not in told]
    assert silent == []
    assert time.monotonic() - started < len(exhibits) * 4 * LIMITS.child_wall_seconds  # a hang, not a measure of speed
    return sum(r["role"] == "seizure" for r in found["exhibits"])


@needs_mke2fs
def test_a_few_spoiled_images_of_each_format_end_in_rows(case: Case, tmp_path: Path) -> None:
    some, made = random.Random(11), seeds(tmp_path)
    exhibits = [
        (f"{name}-{turn}", {path: spoiled(raw, some) for path, raw in files.items()})
        for name, files in made.items()
        for turn in range(2)
    ]
    assert check_lot(case, exhibits, tmp_path / "exhibits") == len(exhibits)


@pytest.mark.slow
@needs_mke2fs
def test_five_thousand_spoiled_images_end_in_rows(tmp_path: Path, case: Case) -> None:
    some, made = random.Random(4711), seeds(tmp_path)
    names, done, lot = sorted(made), 0, 0
    while done < 5000:
        exhibits = []
        for turn in range(LOT):
            name = names[(done + turn) % len(names)]
            exhibits.append((f"{name}-{turn}", {p: spoiled(raw, some) for p, raw in made[name].items()}))
        lot += 1
        one = Case.create(tmp_path / f"case-{lot}", case.settings.case)
        done += check_lot(one, exhibits, tmp_path / "exhibits")
        shutil.rmtree(one.root)
        shutil.rmtree(tmp_path / "exhibits")


@pytest.mark.slow
@needs_mke2fs
@pytest.mark.parametrize("kind", ["ext4", "NTFS"])
def test_at_least_as_many_files_are_recovered_as_by_a_bare_walk(tmp_path: Path, case: Case, kind: str) -> None:
    made = seeds(tmp_path)
    if kind not in made:
        pytest.skip("needs ntfs-3g")
    some, ((path, raw),) = random.Random(kind), made[kind].items()
    images = [spoiled(raw, some) for _ in range(200)]
    listed(case, [(f"{n}", {path: image}) for n, image in enumerate(images)], tmp_path / "exhibits")
    tables = TableFolder(case.tables)
    items, exhibits = rows_of(tables.load("items")), rows_of(tables.load("exhibits"))
    ours: dict[str, list[str]] = {row["name"]: [] for row in exhibits}
    names = {row["exhibit"]: row["name"] for row in exhibits}
    for row in items:
        ours[names[row["exhibit"]]].append(row["sha256"])
    lost = {name: missing for name, found in ours.items() if (missing := _missing(name, found, path, tmp_path))}
    assert lost == {}


def _missing(name: str, found: list[str], path: bytes, tmp_path: Path) -> list[str]:
    """Digests that a bare walk of the image gives, as often as it does, and that are not among those found."""
    image = tmp_path / "exhibits" / name / path.decode()
    done = subprocess.run([sys.executable, "-c", BARE_WALK, str(image)], capture_output=True, timeout=120, check=False)
    theirs: list[str] = json.loads(done.stdout) if done.returncode == 0 else []
    for one in found:
        if one in theirs:
            theirs.remove(one)
    return theirs
