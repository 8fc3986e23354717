"""Groups and the worklist: how right they are on photographs whose truth is known, and how fast on a full case.

uv run python bench/groups.py [--families 150] [--items 300000] [--only scene|scale|stills]

The scene: photographs of harmless things, passed on in several versions; photographs that invented cameras took, in
series, with and without a serial number. Every file goes through the stages as in a case. The scale: generated hashes
and headers. Processor time of one core, and the most memory that the process held.
"""

import argparse
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
from claims import Claim, claims_option, hand_over
from figures import clock, peak
from lists import case_of, filled, numbered
from PIL import Image
from scenes import THINGS, families, hills, jpeg, thing

from casewright.engine.stage import Context
from casewright.engine.steps import Digests
from casewright.kernels.frame_groups import films_joined
from casewright.kernels.hamming_groups import joined
from casewright.media.stages import STAGES, WORKLIST
from casewright.model.settings import Settings
from casewright.model.tables import TABLES

MIB = 1 << 20
START = datetime(2017, 1, 1)  # noqa: DTZ001  times of tables are UTC
SIZE = (640, 480)
VERSIONS = ("saved again", "cut and turned")
ALL = {stage.name: stage for stage in (*STAGES, WORKLIST)}


def main() -> None:
    options = argparse.ArgumentParser(description="groups and the worklist")
    options.add_argument("--families", type=int, default=150)
    options.add_argument("--items", type=int, default=300_000)
    options.add_argument("--only", choices=("scene", "scale", "stills"))
    claims_option(options)
    chosen, told = options.parse_args(), list[Claim]()
    if chosen.only in (None, "scene"):
        scene(chosen.families)
    if chosen.only in (None, "stills"):
        stills(chosen.items)
    if chosen.only in (None, "scale"):
        told = scale(chosen.items)
    hand_over("groups", chosen.claims, told)


class Held:
    """Sealed bytes in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def open(self, sha256: str) -> Any:
        return io.BytesIO(self.held[sha256])

    def put(self, chunks: Iterable[bytes]) -> Digests:
        raise NotImplementedError


class World:
    """Files of a case, and of which thing, device and series each is."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.blobs = Held()
        self.truth: dict[str, dict[str, str]] = {
            "saved again": {},
            "cut and turned": {},
            "device": {},
            "made alike": {},
            "series": {},
        }

    def add(self, path: str, raw: bytes, modified: datetime | None = None, **of: str) -> None:
        item = f"item-{len(self.items):06}"
        sha256 = hashlib.sha256(raw).hexdigest()
        self.blobs.held[sha256] = raw
        self.items.append({"item": item, "exhibit": "e", "path": path.encode(), "name": path, "mime": "image/jpeg",
                           "sha256": sha256, "origin": "live", "size": len(raw), "modified": modified})  # fmt: skip
        for kind, name in of.items():
            self.truth[kind.replace("_", " ")][item] = name


def scene(count: int) -> None:
    world = World()
    _passed_on(world, count)
    _cameras(world)
    tables = {name: table.empty() for name, table in TABLES.items()}
    tables["items"] = TABLES["items"].rows(world.items)
    for name in ("media", "traces", "uploaded", "groups", "worklist"):
        stage = ALL[name]
        batch = tables["items"] if stage.over else pa.table({})
        output = stage.work(batch, Context(stage.params(Settings()), tables, world.blobs))
        tables |= output.tables
    for kind, truth in world.truth.items():
        _grade(kind, truth, tables["media_groups"])
    opened = sum(tables["worklist"].column("opens").to_pylist())
    print(f"{len(world.items):,} items, {opened:,} to open ({100 * opened / len(world.items):.1f} %)")


def _passed_on(world: World, count: int) -> None:
    """Photographs in four versions each, saved again or also cut and turned a little, and every tenth file twice."""
    dice = Random(31)
    for number, hard in enumerate(families(count, 4, *SIZE)):
        for turn in range(8):
            again = turn < 4
            name = f"store/{(number * 7919 + turn * 104729) % 99991:05x}{turn}q.jpg"
            raw = _saved_again(hills(*SIZE, 9000 + number, 3), dice) if again else hard[turn - 4]
            thing_of = f"{THINGS[number % len(THINGS)]}" if number % 3 else f"hills {number}"
            near = {"saved_again": f"other hills {number}"} if again else {"cut_and_turned": thing_of}
            world.add(name, raw, **near)
            if (number + turn) % 10 == 0:
                world.add(f"copies/{name}", raw, **near)


def _saved_again(picture: Image.Image, dice: Random) -> bytes:
    """Smaller, brighter or darker, at another quality: what sites and messengers do."""
    share, light = dice.uniform(0.4, 1), dice.uniform(0.75, 1.3)
    size = int(picture.width * share), int(picture.height * share)
    levels = [round(255 * (v / 255) ** light) for v in range(256)] * 3
    return jpeg(picture.resize(size, Image.Resampling.BICUBIC).point(levels), dice.randrange(30, 95))


TABLES_OF = ("web_low", "web_medium", "web_high", "web_very_high", "web_maximum", "low", "medium", "high", "maximum")


def _cameras(world: World) -> None:
    """Cameras with serial numbers, telephones without, two of each model, each model with tables and a program of its
    own. Every device takes three series of six; the numbers in their names go on from one to the next."""
    dice = Random(5)
    for number in range(30):
        model, with_serial = number // 2, number < 20
        tables = TABLES_OF[model % len(TABLES_OF)]
        for turn in range(3):
            moment = START + timedelta(days=31 * (number % 12) + 3 * turn, hours=dice.randrange(24))
            for shot in range(6):
                moment += timedelta(seconds=dice.randrange(5, 400))
                seed = number * 100 + turn * 10 + shot
                picture = hills(*SIZE, seed + 5000, 3) if shot % 2 else _framed(thing(
                    THINGS[seed % len(THINGS)], *SIZE, seed, 3), seed)  # fmt: skip
                raw = _shot(picture, model, f"SN{4000 + number * 37}" if with_serial else "", tables, moment)
                path = f"from {number}/IMG_{turn * 6 + shot + 12:04}.JPG"
                device = {"device": f"device {number}"} if with_serial else {"made_alike": f"model {model}"}
                world.add(path, raw, moment, series=f"series {number}/{turn}", **device)


def _framed(picture: Image.Image, seed: int) -> Image.Image:
    """Another part of the thing each time, so that no two shots are versions of each other."""
    dice = Random(seed)
    width, height = picture.size
    left, top = dice.randrange(width // 2), dice.randrange(height // 2)
    return (
        picture.crop((left, top, left + width // 2, top + height // 2))
        .rotate(dice.randrange(360))
        .resize((width, height))
    )


def _shot(picture: Image.Image, model: int, serial: str, tables: str, moment: datetime) -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", f"Model {model}"
    exif.get_ifd(0x8769)[0x9003] = moment.strftime("%Y:%m:%d %H:%M:%S")
    if serial:
        exif.get_ifd(0x8769)[0xA431] = serial
    else:
        exif[0x0131] = f"OS {model}.1"
    sink = io.BytesIO()
    picture.save(sink, "JPEG", exif=exif, qtables=tables, subsampling=("4:2:0", "4:2:2")[model % 2])
    return sink.getvalue()


def _grade(kind: str, truth: dict[str, str], groups: pa.Table) -> None:
    """Pairs of items that are in one group, against those that belong together. Copies count for near ones."""
    kinds = ("near", "bytes") if kind in VERSIONS else (kind,)
    found: dict[str, list[str]] = defaultdict(list)
    for row in groups.to_pylist():
        if row["kind"] in kinds and (row["item"] in truth or kind not in VERSIONS):
            found[row["media_group"]].append(row["item"])
    real: dict[str, list[str]] = defaultdict(list)
    for item, name in truth.items():
        real[name].append(item)
    said, wanted = _pairs(found.values()), _pairs(real.values())
    right = len(said & wanted)
    shares = " | ".join(f"{right / max(1, len(pairs)):.4f}" for pairs in (said, wanted))
    print(f"| {kind} | {len(wanted):,} | {len(said):,} | {shares} |", flush=True)


def _pairs(groups: Iterable[list[str]]) -> set[tuple[str, str]]:
    return {pair for several in groups for pair in combinations(sorted(several), 2)}


def stills(count: int) -> None:
    """Near groups alone, of hashes that are hard: frames of still films, and such as agree in half of their slots."""
    dice = np.random.default_rng(8)
    random = dice.integers(0, 1 << 63, (count, 4), dtype=np.uint64)
    skewed = random.copy()
    skewed[: count // 2] = _flipped(random[dice.integers(0, 100, count // 2)], dice, 24)
    crowded = random.copy()
    crowded[:, :2] = random[0, :2]
    for name, hashes in (("random", random), ("skewed", skewed), ("crowded", crowded)):
        took, (leaders, _) = clock(lambda hashes=hashes: joined(hashes, 31))
        led = len(np.unique(leaders))
        print(f"| {count:,} pictures, {name} | {took.cpu:.1f} s | {led:,} leaders | {peak() // MIB} MiB |", flush=True)
    frames = _flipped(random[dice.integers(0, 3000, count)], dice, 16)
    starts = np.arange(0, count + 1, 30, dtype=np.int64)
    took, found = clock(lambda: films_joined(frames[: starts[-1]], starts, 31, 0.8))
    led = len(np.unique(found[0]))
    print(f"| {len(starts) - 1:,} films of 30 frames | {took.cpu:.1f} s | {led:,} leaders | {peak() // MIB} MiB |")


def _flipped(hashes: Any, dice: np.random.Generator, bits: int) -> Any:
    changed = hashes.copy()
    for _ in range(bits):
        word, bit = dice.integers(0, 4, len(hashes)), dice.integers(0, 64, len(hashes)).astype(np.uint64)
        changed[np.arange(len(hashes)), word] ^= np.uint64(1) << bit
    return changed


def scale(count: int) -> list[Claim]:
    """A case of so many media: a tenth of the pictures in families, a thirtieth films; headers, folders, uploads."""
    dice, told = np.random.default_rng(6), list[Claim]()
    tables = {name: table.empty() for name, table in TABLES.items()}
    tables |= {name: table for name, table in case_of(1, count).items() if name != "list_entries"}
    tables["items"] = _with_paths(tables["items"], count)
    tables["media_traces"] = _headers(tables["items"].column("item"), count, dice)
    tables["uploads"] = _uploads(tables["items"], count, dice)
    tables["media_matches"] = _matches(tables["items"].column("item"), count)
    for name in ("uploaded", "groups", "worklist"):
        stage = ALL[name]
        context = Context(stage.params(Settings()), tables, Held())
        took, output = clock(lambda stage=stage, context=context: stage.work(pa.table({}), context))
        tables |= output.tables
        rows = sum(table.num_rows for table in output.tables.values())
        print(f"| {count:,} media: {name} | {took.cpu:.1f} s | {rows:,} rows | {peak() // MIB} MiB |")
        told.append(Claim(name, took.cpu, "s", f"{count:,} media"))
    return [one for one in told if one.key != "uploaded"]


def _with_paths(items: pa.Table, count: int) -> pa.Table:
    """Two thirds in folders of two hundred as a telephone numbers them, one third under names of a store."""
    paths = [
        f"u/{n // 200}/IMG_{n % 200:04}.JPG" if n % 3 else f"store/{n * 2654435761 % (1 << 32):08x}q"
        for n in range(count)
    ]
    columns = {name: items.column(name) for name in ("item", "sha256", "md5", "sha1")}
    return filled("items", {
        **columns, "exhibit": pa.repeat("e", count), "path": pa.array([p.encode() for p in paths], pa.binary()),
        "name": pa.array(paths), "modified": pa.array([START + timedelta(seconds=n * 90) for n in range(count)]),
    })  # fmt: skip


def _headers(items: Any, count: int, dice: np.random.Generator) -> pa.Table:
    """Two thousand devices, half of them with a serial number, a quarter of the pictures from none."""
    device = dice.integers(0, 2000, count)
    told = {
        "camera": [f"Maker {d % 300}" for d in device], "serial": [f"SN{d:07}7" if d % 2 else None for d in device],
        "quantisation": [f"tables {d % 700}" for d in device], "container": [f"SOI {d % 90}" for d in device],
        "encoder": [f"OS {d % 400}" for d in device],
    }  # fmt: skip
    keep = pa.array(dice.random(count) < 0.75)
    parts = []
    for kind, values in told.items():
        ids = pa.array([f"{kind}-{n}" for n in range(count)])
        part = {"id": ids, "item": items.combine_chunks(), "kind": pa.repeat(kind, count), "value": pa.array(values)}
        table = filled("media_traces", part).filter(keep)
        parts.append(table.filter(pa.compute.is_valid(table.column("value"))))
    return pa.concat_tables(parts)


def _uploads(items: pa.Table, count: int, dice: np.random.Generator) -> pa.Table:
    chosen = items.take(dice.integers(0, count, count))
    return filled("uploads", {
        "upload": numbered("upload", count), "sha256": chosen.column("sha256"),
        "account": pa.array([f"account-{n}" for n in dice.integers(0, 5000, count).tolist()]),
        "time": pa.array([START] * count),
    })  # fmt: skip


def _matches(items: Any, count: int) -> pa.Table:
    some = items.slice(0, count // 10)
    return filled("media_matches", {
        "match_id": numbered("match", len(some)), "item": some, "list": pa.repeat("l", len(some)),
        "entry": numbered("entry", len(some)), "method": pa.repeat("pdq", len(some)),
        "distance": pa.repeat(12, len(some)), "category": pa.repeat("1", len(some)),
    })  # fmt: skip


if __name__ == "__main__":
    main()
