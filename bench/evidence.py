"""The evidence room against its peers, in one run on the same bytes. See README.md.

uv run python bench/evidence.py [--quick] [--folder FOLDER] [--out FILE] [--only WORD]
"""

import argparse
import gc
import hashlib
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ours
import peers
from answers import summed
from claims import Claim, claims_option
from figures import Line, Table, Time, place, race
from figures import machine as this_machine
from isal import isal_zlib
from worlds import MIB, Worlds

THREE = ("md5", "sha1", "sha256")
CHUNK = 1 << 15
SMALL_INODES = 120_000
BOTH = "ewfverify -d sha256 (with MD5, which it always does)"


def main() -> None:
    options = argparse.ArgumentParser(description="The evidence room against its peers")
    options.add_argument("--quick", action="store_true", help="small evidence, one run: to see that everything works")
    options.add_argument("--folder", type=Path, help="where the evidence is made and kept (default: a temporary one)")
    options.add_argument("--out", type=Path, help="write the table here too")
    options.add_argument("--only", default="", help="one part: " + ", ".join(PARTS))
    claims_option(options)
    chosen = options.parse_args()
    gc.freeze()  # as a child does: what was imported need not be looked through again and again
    with place(chosen.folder) as folder, place(None) as scratch:
        os.environ["CASEWRIGHT_HOME"] = str(scratch / "home")
        bench = Bench(Worlds(folder, chosen.quick), 1 if chosen.quick else 3, scratch)
        print(machine(), flush=True)
        for name, part in PARTS.items():
            if chosen.only in ("", name):
                part(bench)
    gc.unfreeze()
    text = f"{machine()}\n\n{bench.table.markdown()}"
    print("\n" + text)
    if chosen.out:
        chosen.out.write_text(text, "utf-8")
    bench.table.end(chosen.claims)


class Bench:
    """What all parts share. `runs`: how many of each side count."""

    def __init__(self, worlds: Worlds, runs: int, scratch: Path) -> None:
        self.worlds, self.runs, self.scratch = worlds, runs, scratch
        self.table = Table("evidence")

    def race(self, where: str, sides: dict[str, Callable[[], Any]]) -> dict[str, Time]:
        """Medians of all sides, whose answers must agree."""
        times, answers = race(sides, self.runs)
        self.table.must_agree(where, {name: _answer(answer) for name, answer in answers.items()})
        return times

    def line(self, claim: str, what: str, amount: float, unit: str, times: dict[str, Time], peer: str,
             key: str, bound: str) -> None:  # fmt: skip
        mine, other = times["ours"], times[peer]
        self.table.add(Line(claim, what, peer, unit, amount / mine.wall, amount / mine.cpu, amount / other.wall,
                            amount / other.cpu, bound=bound), key)  # fmt: skip

    def alone(self, claim: str, what: str, amount: float, unit: str, took: Time, key: str) -> None:
        self.table.add(Line(claim, what, "", unit, amount / took.wall, amount / took.cpu), key)


def _answer(answer: Any) -> Any:
    """Rows are summed here, outside of the time taken."""
    return summed(answer) if isinstance(answer, list) else answer


def machine() -> str:
    versions = ", ".join(peers.first_words(command) for command in (["ewfverify", "-V"], ["hashdeep", "-V"]))
    return f"{this_machine()}, ewfverify and hashdeep: {versions}"


def speed_of(work: Callable[[], Any], amount: float, runs: int) -> float:
    """Amount a second of one core."""
    return amount / race({"it": work}, runs)[0]["it"].cpu


def hash_bound(names: Sequence[str], runs: int) -> str:
    block = bytes(64 * MIB)
    return ", ".join(f"{name} {speed_of(partial(_digest, name, block), len(block) / 1e6, runs):,.0f}" for name in names)


def _digest(name: str, block: bytes) -> str:
    return hashlib.new(name, block, usedforsecurity=False).hexdigest()


def inflate_bound(raw: Path, level: int, runs: int) -> str:
    with raw.open("rb") as file:
        plain = file.read(32 * MIB)
    packed = [zlib.compress(plain[at : at + CHUNK], level) for at in range(0, len(plain), CHUNK)]
    return (
        f"inflate {speed_of(lambda: [isal_zlib.decompress(c, 15, CHUNK) for c in packed], len(plain) / 1e6, runs):,.0f}"
    )


def ewf(bench: Bench) -> None:
    raw = bench.worlds.text()
    size = raw.stat().st_size / 1e6
    for level, number in (("fast", 1), ("best", 9)):
        image = bench.worlds.e01(raw, level)
        bound = f"{inflate_bound(raw, number, bench.runs)}, {hash_bound(THREE, bench.runs)} MB/s"
        for names in (("sha256",), ("md5", "sha256")):
            what = f"E01 deflate:{level}, checksums + {' + '.join(names)}"
            sides = {"ours": partial(ours.e01, image, names), "the libewf wheel": partial(peers.libewf, image, names),
                     BOTH: partial(peers.ewfverify, image, "sha256")}  # fmt: skip
            times = bench.race(what, sides)
            for peer, key in (("the libewf wheel", f"e01-{level}-libewf"), (BOTH, f"e01-{level}-ewfverify")):
                bench.line("E01", what, size, "MB/s", times, peer, key if len(names) == 1 else "", bound)


def walk(bench: Bench) -> None:
    folder = bench.worlds.files()
    image = bench.worlds.ext4(folder, (64 if bench.worlds.quick else 240) * MIB)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    for names, key in ((("sha256",), "walk-sha256"), (THREE, "walk-three")):
        what = f"walk + {' + '.join(names)} of a raw ext4, {size:,.0f} MB"
        sides = {"ours": partial(ours.hashed, image, names), "bare pytsk3": partial(peers.tsk_hashed, image, names)}
        bound = hash_bound(names, bench.runs) + " MB/s"
        bench.line("walk", what, size, "MB/s", bench.race(what, sides), "bare pytsk3", f"{key}-pytsk3", bound)
        dissect(bench, what, size, "MB/s", partial(ours.hashed, image, names), (image, names), f"{key}-dissect", bound)


def small(bench: Bench) -> None:
    folder = bench.worlds.small_files()
    image = bench.worlds.ext4(folder, (96 if bench.worlds.quick else 700) * MIB, SMALL_INODES)
    count = int(folder.name.rpartition("-")[2])
    for names, key in (((), "small-names"), (("sha256",), "small-sha256")):
        what = f"walk of {count:,} small files" + ("".join(f" + {name}" for name in names) or ", names and metadata")
        mine = partial(ours.hashed, image, names) if names else partial(ours.listed, image)
        other = partial(peers.tsk_hashed, image, names) if names else partial(peers.tsk_listed, image)
        bench.line("small files", what, count, "files/s", bench.race(what, {"ours": mine, "bare pytsk3": other}),
                   "bare pytsk3", f"{key}-pytsk3", "pytsk3 and Python, an entry each")  # fmt: skip
        dissect(bench, what, count, "files/s", mine, (image, names), f"{key}-dissect", "Python, an entry each")


def dissect(bench: Bench, what: str, amount: float, unit: str, mine: Callable[[], Any],
            asked: tuple[Path, Sequence[str]], key: str, bound: str) -> None:  # fmt: skip
    said = peers.dissect(*asked)
    if isinstance(said, str):
        bench.table.add(Line("dissect", what, "dissect.target", unit, 0, 0, note=f"not measured: {said}"), key)
        return
    times = bench.race(what, {"ours": mine, "dissect.target": partial(peers.dissect, *asked)})
    bench.line("dissect", what, amount, unit, times, "dissect.target", key, bound)
    bench.table.claims[-1] = replace(bench.table.claims[-1], version=said["version"])


def tree(bench: Bench) -> None:
    items = ours.Items(bench.scratch / "tiny", bench.worlds.tiny_tree())
    items.run()  # the fork server starts once
    folder = bench.worlds.tree()
    items = ours.Items(bench.scratch / "case", folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6

    def mine() -> list[ours.Row]:
        items.forget()
        items.run()
        return items.rows()

    bound = hash_bound(THREE, bench.runs) + " MB/s, on two cores"
    for part, side_by_side, key in (("in the first GiB of a run", False, "tree-first"),
                                    ("after it, MD5 side by side", True, "tree-after")):  # fmt: skip
        ours.hash_files(side_by_side)
        what = f"MD5 + SHA-1 + SHA-256 of a tree of {size:,.0f} MB, {part}"
        times = bench.race(what, {"ours": mine, "hashdeep": partial(peers.hashdeep, folder)})
        bench.line("tree", what, size, "MB/s", times, "hashdeep", key, bound)


def carving(bench: Bench) -> None:
    for kind in ("random", "zeros"):
        path = bench.worlds.filled(kind)
        took = race({"ours": partial(ours.carved, path)}, bench.runs)[0]["ours"]
        what = f"carving of {kind}, {path.stat().st_size / 1e6:,.0f} MB"
        bench.alone("carving", what, path.stat().st_size / 1e6, "MB/s", took, f"carving-{kind}")


def memory(bench: Bench) -> None:
    """Peak of a process that lists a whole image, for a small and a large one."""
    folder = bench.worlds.files()
    for size in (240 * MIB, (1 if bench.worlds.quick else 16) << 30):
        image = bench.worlds.ext4(folder, size)
        said = subprocess.run([sys.executable, ours.__file__, str(image)], check=True, capture_output=True, text=True)
        found = json.loads(said.stdout)
        note = (
            f"peak {found['peak'] >> 20} MiB, of which {found['before'] >> 20} before it began; {found['items']} items"
        )
        what = f"an ext4 of {size / MIB:,.0f} MiB listed and carved"
        bench.table.add(Line("memory", what, "", "", 0, 0, note=note))
    bench.table.claims.append(Claim("memory", found["peak"] / 1e9, "GB", what))


PARTS: dict[str, Callable[[Bench], None]] = {
    "ewf": ewf, "walk": walk, "small": small, "tree": tree, "carving": carving, "memory": memory,
}  # fmt: skip


if __name__ == "__main__":
    main()
