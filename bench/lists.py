"""Hash lists at full size: reading VICS, and judging a whole case again against ten million entries.

uv run --with ijson python bench/lists.py [--records 1000000] [--entries 10000000] [--items 300000] [--folder FOLDER]

Every side runs in a process of its own; processor time of one core, and the most memory that the process held.
"""

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from claims import Claim, claims_option, hand_over
from figures import peak, place

from casewright.engine.stage import Context, Output
from casewright.media.listing import lists
from casewright.model.settings import MediaSettings
from casewright.model.tables import TABLES

PARAMS = {**asdict(MediaSettings()), "second_look": False}
MIB = 1 << 20
FRAMES = 20
DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


def main() -> None:
    options = argparse.ArgumentParser(description="hash lists at full size")
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--entries", type=int, default=10_000_000)
    options.add_argument("--items", type=int, default=300_000)
    options.add_argument("--folder", type=Path, help="where the list is made and kept")
    options.add_argument("--only", choices=SIDES)
    claims_option(options)
    options.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.side:
        print(json.dumps(SIDES[chosen.side](chosen)))
        return
    with place(chosen.folder) as folder:
        make(folder, chosen.records)
        sizes = [f"--{name}={vars(chosen)[name]}" for name in ("records", "entries", "items")]
        got = {side: show(side, [*sizes, "--folder", str(folder), "--side", side])
               for side in ([chosen.only] if chosen.only else SIDES)}  # fmt: skip
    if not chosen.only:
        hand_over("lists", chosen.claims, claims(chosen, got))


def show(side: str, arguments: list[str]) -> dict[str, Any] | str:
    """What a side found in a process of its own, or why it found nothing."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)
    found = done.stdout.strip() or (done.stderr.strip().splitlines() or ["it failed"])[-1]
    print(f"| {side} | {found} |", flush=True)
    return json.loads(found) if done.stdout.strip() else found[:120]  # type: ignore[no-any-return]


def claims(chosen: argparse.Namespace, got: dict[str, dict[str, Any] | str]) -> list[Claim]:
    """Records a second, beside each other reader's; seconds of a whole case."""
    records, case = f"{chosen.records:,} records", f"{chosen.entries:,} entries × {chosen.items:,} items"
    speeds = {k: one if isinstance(one, str) else one.get("records", 0) / one["seconds"] for k, one in got.items()}
    mine = speeds["reading, ours"]
    assert not isinstance(mine, str), mine
    told = [Claim("reading", mine, "records/s", records)]
    for side, key in (("reading, json.loads", "reading-json"), ("reading, ijson", "reading-ijson")):
        other = speeds[side]
        told.append(Claim(key, mine, "records/s", records, note=other) if isinstance(other, str) else
                    Claim(key, mine, "records/s", records, other))  # fmt: skip
    told.append(Claim("memory", got["reading, ours"]["MiB"] * MIB / 1e9, "GB", records))  # type: ignore[index]
    judged = got["judging a case again"]
    seconds, note = (None, judged) if isinstance(judged, str) else (judged["seconds"], "")
    told.append(Claim("judging", seconds, "s", case, note=note))
    return told


def list_of(chosen: argparse.Namespace) -> Path:
    return Path(chosen.folder / f"list-{chosen.records}.json")


def make(folder: Path, records: int) -> None:
    """A hash set of invented values, as an exporter writes it."""
    path = folder / f"list-{records}.json"
    if path.exists():
        return
    dice = np.random.default_rng(3)
    with path.with_suffix(".part").open("w") as file:
        file.write('{"@odata.context": "x/2.0.xml/NL/$metadata#Media", "value": [\n')
        for number in range(records):
            md5, sha1, photo, pdq = (dice.bytes(size).hex() for size in (16, 20, 96, 32))
            file.write(("" if number == 0 else ",\n") + json.dumps({
                "MediaID": number, "Category": number % 6, "MD5": md5.upper(), "SHA1": sha1.upper(), "PhotoDNA": photo,
                "VictimIdentified": "false", "IsDistributed": False, "Series": "", "Tags": "", "Comments": "invented",
                "DateUpdated": "/Date(1500000000000)/", "MediaSize": number, "AlternativeHashes": [
                    {"HashName": "PDQ", "HashValue": balanced(pdq)}],
                "MediaFiles": [{"MD5": md5.upper(), "FileName": f"{number}.jpg", "FilePath": "C:\\invented"}],
            }))  # fmt: skip
        file.write("\n]}\n")
    path.with_suffix(".part").rename(path)


def balanced(pdq: str) -> str:
    """A value of which 128 bits are ones: half of it, and the same bits the other way round."""
    half = int(pdq[:32], 16)
    return f"{half:032x}{half ^ ((1 << 128) - 1):032x}"


def measured(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    before, began = peak(), time.process_time()
    answer = work()
    seconds = max(time.process_time() - began, 0.001)
    return {**answer, "seconds": round(seconds, 3), "MiB": peak() // MIB, "MiB before": before // MIB}


class Opened:
    """The sealed list, as a child sees it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, sha256: str) -> Any:
        return self._path.open("rb")

    def put(self, chunks: Any) -> Any:
        raise NotImplementedError


def read_ours(chosen: argparse.Namespace) -> dict[str, Any]:
    file = {"exhibit": "e", "role": "list", "position": 0, "path": b"", "name": "l", "size": 0, "sha256": "0" * 64}
    context = Context({}, {}, Opened(list_of(chosen)))
    import casewright.kernels.vicsspans  # noqa: F401, PLC0415  as the process has it that children are forked from

    gc.freeze()  # as a child does
    outputs: Iterator[Output] = lists(TABLES["exhibit_files"].rows([file]), context)
    return measured(lambda: {"records": sum(o.tables["list_entries"].num_rows for o in outputs)})


def read_json(chosen: argparse.Namespace) -> dict[str, Any]:
    return measured(lambda: {"records": len(json.loads(list_of(chosen).read_bytes())["value"])})


def read_ijson(chosen: argparse.Namespace) -> dict[str, Any]:
    import ijson  # noqa: PLC0415

    with list_of(chosen).open("rb") as file:
        return measured(lambda: {"records": sum(1 for _ in ijson.items(file, "value.item")), "by": ijson.backend_name})


def judge(chosen: argparse.Namespace) -> dict[str, Any]:
    tables = case_of(chosen.entries, chosen.items)
    context = Context(PARAMS, tables, Opened(Path()))
    from casewright.media.matching import matches  # noqa: PLC0415  reading must not pay for it

    return measured(lambda: {"matches": matches(pa.table({}), context).tables["media_matches"].num_rows})


def case_of(entries: int, items: int) -> dict[str, pa.Table]:
    """Every thirtieth item is a video; so is every four-hundredth entry. One item in ten is near a listed one, one in a
    hundred has the MD5 of one."""
    dice = np.random.default_rng(5)
    films, listed_films = items // 30, entries // 400
    pictures, listed = items - films, entries - listed_films
    pool = dice.integers(0, 256, (listed + listed_films * FRAMES, 32), dtype=np.uint8)
    md5 = dice.integers(0, 256, (entries, 16), dtype=np.uint8)
    table = {
        "entry": numbered("entry", entries), "list": pa.repeat("list", entries), "category": pa.repeat("1", entries),
        "sha256": pa.nulls(entries, pa.string()), "md5": in_hex(md5),
        "sha1": in_hex(dice.integers(0, 256, (entries, 20), dtype=np.uint8)),
        "pdq": pa.ListArray.from_arrays(
            pa.array([*range(listed + 1), *range(listed + FRAMES, len(pool) + 1, FRAMES)], pa.int32()), in_hex(pool)),
    }  # fmt: skip
    seen = dice.integers(0, 256, (pictures, 32), dtype=np.uint8)
    seen[: pictures // 10] = near(pool[: pictures // 10], dice)
    frames = dice.integers(0, 256, (films * FRAMES, 32), dtype=np.uint8)
    frames[: len(frames) // 10] = near(np.resize(pool[listed:], (len(frames) // 10, 32)), dice)
    own = dice.integers(0, 256, (items, 16), dtype=np.uint8)
    own[::100] = np.resize(md5, (len(own[::100]), 16))
    names = numbered("item", items)
    media = {"item": names, "kind": pa.array(["picture"] * pictures + ["video"] * films),
             "pdq": pa.concat_arrays([in_hex(seen), pa.nulls(films, pa.string())]),
             "pdq_quality": pa.repeat(90, items)}  # fmt: skip
    found = {"item": names.take(np.repeat(np.arange(pictures, items), FRAMES)), "pdq": in_hex(frames),
             "second": pa.array(np.tile(np.arange(FRAMES), films), pa.float64()),
             "pdq_quality": pa.repeat(90, len(frames))}  # fmt: skip
    sealed = in_hex(dice.integers(0, 256, (items, 32), dtype=np.uint8))
    held = {"item": names, "sha256": sealed, "md5": in_hex(own), "sha1": pa.nulls(items, pa.string())}
    made = {"list_entries": pa.table(table), "media": filled("media", media),
            "media_frames": filled("media_frames", found), "items": filled("items", held)}  # fmt: skip
    return {name: table.empty() for name, table in TABLES.items()} | made


def filled(name: str, columns: dict[str, Any]) -> pa.Table:
    rows = len(next(iter(columns.values())))
    schema = TABLES[name].schema
    return pa.table({f.name: columns.get(f.name, pa.nulls(rows, f.type)) for f in schema}).cast(schema)


def numbered(prefix: str, count: int) -> Any:
    return pa.array([f"{prefix}-{number:020x}" for number in range(count)])


def in_hex(raw: np.ndarray) -> Any:
    digits = np.empty((len(raw), raw.shape[1] * 2), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = DIGITS[raw >> 4], DIGITS[raw & 15]
    offsets = np.arange(0, digits.size + 1, digits.shape[1], dtype=np.int32)
    return pa.StringArray.from_buffers(len(raw), pa.py_buffer(offsets), pa.py_buffer(digits.ravel()))


def near(hashes: np.ndarray, dice: np.random.Generator) -> np.ndarray:
    """Each with sixteen bits changed, one in every second byte."""
    changed = hashes.copy()
    changed[:, ::2] ^= (1 << dice.integers(0, 8, (len(hashes), 16))).astype(np.uint8)
    return changed


SIDES = {"reading, ours": read_ours, "reading, json.loads": read_json, "reading, ijson": read_ijson,
         "judging a case again": judge}  # fmt: skip

if __name__ == "__main__":
    main()
