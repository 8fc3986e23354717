"""The evidence room against its peers, in one run on the same bytes. See README.md."""

import hashlib
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyewf
import pytsk3
from isal import isal_zlib

from casewright.cli.work import source_files
from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.reader import Entry, Segment
from casewright.evidence.readers.carve import carve
from casewright.evidence.readers.disks import RawDisk
from casewright.evidence.readers.ewf import EwfDisk
from casewright.evidence.readers.tree import Tree
from casewright.evidence.sealed import STAGES as SEALED
from casewright.evidence.stages import STAGES
from casewright.model.settings import CaseSettings
from casewright.vault.case import Case

QUICK = "--quick" in sys.argv
RUNS = 1 if QUICK else 3
MEGABYTES = 64 if QUICK else 512
SMALL_FILES = 10_000 if QUICK else 100_000
DIGESTS = ("md5", "sha1", "sha256")
LINES: list[tuple[str, str, str, str, str]] = []


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="casewright-bench-"))
    os.environ["CASEWRIGHT_HOME"] = str(folder / "home")
    print(
        f"{os.cpu_count()} cores, CPython {sys.version.split()[0]}, medians of {RUNS}; MB/s of processor time, per core"
    )
    try:
        ewf(folder)
        walk_and_hash(folder)
        small_files(folder)
        tree(folder)
        carving()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\npeak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB\n")
    print("| what | ours | peer | ratio (wanted) | bound |\n|---|---|---|---|---|")
    for line in LINES:
        print("| " + " | ".join(line) + " |")


def timed(work: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Median seconds, and what the last run gave."""
    seconds, result = [], None
    for _ in range(RUNS):
        started = clock()
        result = work()
        seconds.append(clock() - started)
    return statistics.median(seconds), result


def say(what: str, ours: float, peer: tuple[str, float], wanted: str, bound: str, unit: str = "MB/s") -> None:
    ratio = ours / peer[1] if peer[1] else float("nan")
    LINES.append((what, f"{ours:,.0f} {unit}", f"{peer[0]}: {peer[1]:,.0f}", f"{ratio:.2f} ({wanted})", bound))
    print("  ".join(LINES[-1]), flush=True)


def same(ours: Any, theirs: Any, what: str) -> None:
    if ours != theirs:
        sys.exit(f"{what}: digests differ: {ours} {theirs}")


def run(*command: str | Path) -> str:
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


def text(size: int) -> bytes:
    dice = random.Random(1)
    words = ["".join(dice.choices("etaoinshrdlu", k=dice.randrange(2, 11))) for _ in range(20_000)]
    block = b""
    while len(block) < 32 << 20:
        block += " ".join(dice.choices(words, k=200_000)).encode()
    return (block * (size // len(block) + 1))[:size]


def ewf(folder: Path) -> None:
    raw = folder / "text.raw"
    raw.write_bytes(text(MEGABYTES << 20))
    size, digest = raw.stat().st_size, hashlib.sha256(raw.read_bytes()).hexdigest()
    for level in ("fast", "best"):
        image = folder / f"{level}.E01"
        fixed = "-u -q -f encase6 -S 4GiB -C x -D x -e x -E x -N x -m fixed -M logical".split()
        run("ewfacquire", *fixed, "-c", f"deflate:{level}", "-t", folder / level, raw)
        seconds, ours = timed(lambda image=image: _ours_ewf(image))
        theirs_seconds, theirs = timed(lambda image=image: _libewf(image))
        same((ours, theirs), (digest, digest), "E01")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        for _ in range(RUNS):
            run("ewfverify", "-q", image)
        verify = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / RUNS
        speed = size / 1e6 / seconds
        bound = f"inflate {_inflate(raw, 1 if level == 'fast' else 9):,.0f}, SHA-256 {_hash_speed('sha256'):,.0f}"
        what = f"E01 deflate:{level}, checksums + SHA-256"
        say(what, speed, ("libewf wheel", size / 1e6 / theirs_seconds), "≥ 5", bound)
        say(what, speed, ("ewfverify (MD5)", size / 1e6 / verify), "≥ 2", bound)


def _ours_ewf(image: Path) -> str:
    with image.open("rb") as file:
        disk = EwfDisk([Segment(b"", image.stat().st_size, lambda: file)], threads=1)
        digest, at = hashlib.sha256(), 0
        while chunk := disk.read(at, 1 << 19):
            digest.update(chunk)
            at += len(chunk)
    return digest.hexdigest()


def _libewf(image: Path) -> str:
    handle, digest = pyewf.handle(), hashlib.sha256()
    handle.open([str(image)])
    while chunk := handle.read(1 << 20):
        digest.update(chunk)
    handle.close()
    return digest.hexdigest()


def _inflate(raw: Path, level: int) -> float:
    plain = raw.read_bytes()[: 32 << 20]
    chunks = [zlib.compress(plain[i : i + 32768], level) for i in range(0, len(plain), 32768)]
    seconds, _ = timed(lambda: [isal_zlib.decompress(c, 15, 32768) for c in chunks])
    return len(plain) / 1e6 / seconds


def _hash_speed(name: str) -> float:
    block = bytes(64 << 20)
    return len(block) / 1e6 / timed(lambda: hashlib.new(name, block))[0]


def _files(folder: Path, count: int, large: int) -> Path:
    """A tree of files of mixed sizes, the same each time."""
    dice, block, root = random.Random(2), text(16 << 20), folder / f"tree-{count}-{large}"
    for number in range(count):
        place = root / f"d{number % 40}"
        place.mkdir(parents=True, exist_ok=True)
        at = dice.randrange(8 << 20)
        (place / f"f{number}").write_bytes(block[at : at + int(dice.lognormvariate(10.5, 1.2))])
    for number in range(large):
        (root / f"large{number}").write_bytes(dice.randbytes(6 << 20))
    return root


def walk_and_hash(folder: Path) -> None:
    image = folder / "mixed.ext4"
    run("mke2fs", "-q", "-t", "ext4", "-d", _files(folder, 2000, 0), image, "400M")
    for names in (("sha256",), DIGESTS):
        seconds, ours = timed(lambda names=names: _ours_walk(image, names))
        bare, theirs = timed(lambda names=names: _bare_walk(image, names))
        same(ours, theirs, "walk")
        size = ours[1] / 1e6
        what = f"walk + {'+'.join(names)} of a raw ext4, 2,000 files, {size:,.0f} MB"
        bound = " + ".join(f"{n} {_hash_speed(n):,.0f}" for n in names)
        say(what, size / seconds, ("bare pytsk3 loop", size / bare), "≥ 0.9", bound)
        if names == ("sha256",) and (found := _dissect(image, "hash")):
            same(hashlib.sha256("".join(sorted(ours[0])).encode()).hexdigest(), found["check"], "dissect")
            say(what, size / seconds, ("dissect", size / found["seconds"]), "≥ 3", bound)


def _digest(chunks: Any, names: tuple[str, ...]) -> tuple[str, int]:
    digests, size = [hashlib.new(n) for n in names], 0
    for chunk in chunks:
        size += len(chunk)
        for one in digests:
            one.update(chunk)
    return digests[-1].hexdigest(), size


def _ours_walk(image: Path, names: tuple[str, ...]) -> tuple[list[str], int]:
    with image.open("rb") as file:
        tree = Tree(RawDisk([Segment(b"", image.stat().st_size, lambda: file)]), 0)
        found = [_digest(e.chunks(), names) for e in tree.entries() if isinstance(e, Entry) and e.kind == "file"]
    return sorted(d for d, _ in found), sum(s for _, s in found)


def _bare_walk(image: Path, names: tuple[str, ...]) -> tuple[list[str], int]:
    found = []
    stack = [pytsk3.FS_Info(pytsk3.Img_Info(str(image))).open_dir("/")]
    while stack:
        for one in stack.pop():
            meta = one.info.meta
            if meta is None or one.info.name.name in (b".", b".."):
                continue
            if meta.type == pytsk3.TSK_FS_META_TYPE_DIR and one.info.name.name != b"$OrphanFiles":
                stack.append(one.as_directory())
            elif meta.type == pytsk3.TSK_FS_META_TYPE_REG:
                found.append(_digest(_pieces(one, meta.size), names) if names else ("", 0))
    return sorted(d for d, _ in found), sum(s for _, s in found)


def _pieces(file: Any, size: int) -> Any:
    for at in range(0, size, 1 << 20):
        yield file.read_random(at, min(1 << 20, size - at))


def _dissect(image: Path, how: str) -> dict[str, Any] | None:
    script = Path(__file__).with_name("dissect_walk.py")
    command = ["uv", "run", "-q", "--no-project", "--with", "dissect.extfs", "python", str(script), str(image), how]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        print("dissect could not be had:", done.stderr[-200:])
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def small_files(folder: Path) -> None:
    root, image = folder / "small", folder / "small.ext4"
    for number in range(SMALL_FILES):
        if number < 400:
            (root / f"d{number}").mkdir(parents=True)
        (root / f"d{number % 400}" / f"f{number}").write_bytes(b"%d" % number)
    run("mke2fs", "-q", "-t", "ext4", "-N", str(SMALL_FILES * 5 // 4), "-d", root, image, f"{SMALL_FILES // 125}M")
    shutil.rmtree(root)
    seconds, count = timed(lambda: _ours_names(image))
    bare, _ = timed(lambda: _bare_walk(image, ()))
    say(
        f"walk of {SMALL_FILES:,} small files",
        count / seconds,
        ("bare pytsk3", count / bare),
        "-",
        "Python",
        "entries/s",
    )
    if found := _dissect(image, "names"):
        peer = ("dissect", found["entries"] / found["seconds"])
        say(f"walk of {SMALL_FILES:,} small files", count / seconds, peer, "≥ 10", "Python", "entries/s")


def _ours_names(image: Path) -> int:
    with image.open("rb") as file:
        return sum(1 for _ in Tree(RawDisk([Segment(b"", image.stat().st_size, lambda: file)]), 0).entries())


def tree(folder: Path) -> None:
    root = _files(folder, 2000, 20 if QUICK else 100)
    size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file()) / 1e6
    _listed(folder / "warm", folder / "home")  # the fork server starts once
    walls = [_listed(folder / f"case-{n}", root) for n in range(RUNS)]
    peer, said = timed(lambda: run("hashdeep", "-c", "md5,sha1,sha256", "-r", "-l", root), time.perf_counter)
    theirs = sorted(line.split(",")[1:4] for line in said.splitlines() if line[:1].isdigit())
    same(sorted(list(row) for row in walls[-1][1]), theirs, "tree")
    bound = f"MD5 {_hash_speed('md5'):,.0f} on one core, SHA-1 and SHA-256 on the other"
    wall = statistics.median(seconds for seconds, _ in walls)
    say(f"MD5+SHA-1+SHA-256 of a tree, {size:,.0f} MB, wall", size / wall, ("hashdeep", size / peer), "≥ 2", bound)


def _listed(place: Path, source: Path) -> tuple[float, list[tuple[str, str, str]]]:
    """Seconds of the stage that lists and hashes, and the digests."""
    if not any(source.iterdir() if source.exists() else ()):
        source.mkdir(parents=True, exist_ok=True)
        (source / "one").write_bytes(b"one")
    case = Case.create(place, CaseSettings("bench", "bench", "bench"))
    with case.writing():
        case.seal_source(source_files(source), "seizure", "tree")
        tables = TableFolder(case.tables)
        work = Runner(tables, case.store, case.ledger, case.settings, (*SEALED, *STAGES), Inline())
        work.run(["exhibits"])
        started = time.perf_counter()
        work.run(["items"])
        seconds = time.perf_counter() - started
    rows = tables.load("items").select(["md5", "sha1", "sha256"]).to_pylist()
    shutil.rmtree(place)
    return seconds, [(r["md5"], r["sha1"], r["sha256"]) for r in rows]


class _Bytes:
    def __init__(self, raw: bytes) -> None:
        self._raw, self.size = raw, len(raw)

    def read(self, offset: int, length: int) -> bytes:
        return self._raw[offset : offset + length]


def carving() -> None:
    for name, raw in (("noise", random.Random(5).randbytes(MEGABYTES << 19)), ("zeros", bytes(MEGABYTES << 19))):
        seconds, _ = timed(lambda raw=raw: list(carve(_Bytes(raw), [(0, len(raw))])))
        say(f"carving {name}", len(raw) / 1e6 / seconds, ("-", 0), "-", "memory")


if __name__ == "__main__":
    main()
