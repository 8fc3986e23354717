"""Pictures: hashing JPEGs against threatexchange, pdqhash with Pillow, and perception; and that no verdict changes.

uv run --with threatexchange --with perception python bench/media.py [--quick] [--out FILE]
"""

import argparse
import io
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pdqhash
import simplejpeg
from claims import claims_option
from figures import Line, Table, race
from PIL import Image
from scenes import families, hills, jpeg, thing

from casewright.kernels.pdq import Pdq, distance, luma_of_pixels, pdq_of_luma
from casewright.kernels.pdq_fast import pdq_of_pixels
from casewright.media.pictures import Room, read_picture

SIZES = {"12 MP": (4000, 3000), "2 MP": (1600, 1200)}
KEYS = {"threatexchange": "threatexchange", "pdqhash + Pillow": "pillow", "perception": "perception"}
RADIUS, QUALITY, AROUND = 31, 50, range(16, 47)
MOST = 10**9
Hasher = Callable[[bytes], object]


def main() -> None:
    options = argparse.ArgumentParser(description="hashing pictures, side by side")
    options.add_argument("--quick", action="store_true", help="2 MP only, and fewer pairs")
    options.add_argument("--speed", action="store_true", help="speed alone, no verdicts")
    options.add_argument("--out", type=Path, help="write the table here")
    claims_option(options)
    chosen = options.parse_args()
    table = Table("media")
    for name, (width, height) in list(SIZES.items())[chosen.quick :]:
        for kind, grain in (("smooth", 0.0), ("grainy", 5.0)):
            pictures = [jpeg(hills(width, height, 3, grain)), jpeg(thing("coffee", width, height, 4, grain))]
            speed(table, f"{name}, {kind}", pictures, width * height)
    if not chosen.speed:
        verdicts(table, 12 if chosen.quick else 72, 20)
    print("\n" + table.markdown())
    if chosen.out:
        chosen.out.write_text(table.markdown(), "utf-8")
    table.end(chosen.claims)


def speed(table: Table, name: str, pictures: list[bytes], pixels: int) -> None:
    room = Room()
    peers = {**hashers(), **bounds(room)}
    ours = {"ours": lambda raw: read_picture(io.BytesIO(raw), MOST, room)}
    took, _ = race({who: partial(all_of, work, pictures) for who, work in {**ours, **peers}.items()}, 3)
    done = len(pictures) * pixels / 1e6
    what = f"{name}, {sum(map(len, pictures)) / len(pictures) / 1e6:.1f} MB"
    size, kind = name.split(" MP, ")
    keys = {who: f"{kind}-{size}-{key}" for who, key in KEYS.items()}
    for who in peers:
        figures = (done / took["ours"].wall, done / took["ours"].cpu, done / took[who].wall, done / took[who].cpu)
        table.add(Line("hash", what, who, "MP/s", *figures), keys.get(who, ""))
    for who in MISSING:
        table.add(Line("hash", what, who, "MP/s", *figures[:2], note="could not be imported"), keys[who])


def all_of(work: Hasher, pictures: list[bytes]) -> list[str]:
    return [str(work(raw)) for raw in pictures]


MISSING: list[str] = []


def hashers() -> Mapping[str, Hasher]:
    """Those that are installed, each as its own users use it."""
    found: dict[str, Hasher] = {}
    MISSING.clear()
    try:
        from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_bytes  # noqa: PLC0415

        found["threatexchange"] = pdq_from_bytes
    except ImportError:
        MISSING.append("threatexchange")
    found["pdqhash + Pillow"] = lambda raw: pdqhash.compute(np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")))
    try:
        from perception.hashers import PDQHash  # noqa: PLC0415

        hasher = PDQHash()
        found["perception"] = lambda raw: hasher.compute(Image.open(io.BytesIO(raw)))
    except ImportError:
        MISSING.append("perception")
    return found


def bounds(room: Room) -> Mapping[str, Hasher]:
    """Decoding and nothing else."""

    def turbo(colours: str, part: int, raw: bytes) -> object:
        height, width = simplejpeg.decode_jpeg_header(raw)[:2]
        least = {"min_height": -(-height // part), "min_width": -(-width // part)}
        return simplejpeg.decode_jpeg(raw, colours, buffer=room.of(width * height * 3), **least).shape

    return {
        "bound: Pillow decodes": lambda raw: np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).shape,
        "bound: simplejpeg decodes": partial(turbo, "RGB", 1),
        "bound: its brightness only": partial(turbo, "GRAY", 1),
        "bound: brightness at an eighth": partial(turbo, "GRAY", 8),
    }


def verdicts(table: Table, count: int, members: int) -> None:
    """Of pairs around the threshold, how many are judged otherwise than by the definition over Pillow's pixels."""
    ways = {
        "ours": ours,
        "brightness only": partial(screened, 1),
        "brightness, halved down to 512": partial(screened, 0),
    }
    bits: dict[str, Counter[int]] = {name: Counter() for name in ways}
    changed: Counter[str] = Counter()
    around = 0
    for family in families(count, members, 1400, 1050):
        defined = [canonical(raw) for raw in family]
        found = {name: [way(raw) for raw in family] for name, way in ways.items()}
        for name, hashes in found.items():
            bits[name].update(distance(a.hash, b.hash) for a, b in zip(defined, hashes, strict=True))
        for one, other in combinations(range(members), 2):
            if distance(defined[one].hash, defined[other].hash) not in AROUND:
                continue
            around += 1
            for name, hashes in found.items():
                changed[name] += judged(defined[one], defined[other]) != judged(hashes[one], defined[other])
    for name in ways:
        said = f"{changed[name]} of {around:,} judged otherwise; hashes up to {max(bits[name])} bits off"
        table.add(Line("verdicts", f"pairs {AROUND[0]} to {AROUND[-1]} bits apart", name, "", 0, 0, note=said))
    table.must_agree("verdicts", {"the definition": 0, "ours": changed["ours"] + max(bits["ours"])})


def judged(medium: Pdq, listed: Pdq) -> tuple[bool, bool]:
    """Whether it decides anything, and whether it is near."""
    return medium.quality >= QUALITY, distance(medium.hash, listed.hash) <= RADIUS


def canonical(raw: bytes) -> Pdq:
    with Image.open(io.BytesIO(raw)) as picture:
        return pdq_of_luma(luma_of_pixels(np.asarray(picture.convert("RGB"))))


def ours(raw: bytes) -> Pdq:
    found = read_picture(io.BytesIO(raw), MOST)
    return Pdq(found.pdq, found.quality)


def screened(least: int, raw: bytes) -> Pdq:
    """The brightness that the JPEG holds, in full, or as small as libjpeg-turbo makes it with no side below 512."""
    side = 0 if least else 512
    return pdq_of_pixels(simplejpeg.decode_jpeg(raw, "GRAY", min_height=side, min_width=side))


if __name__ == "__main__":
    main()
