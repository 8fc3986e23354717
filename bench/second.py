"""The second look: what is found of pictures that were cut, framed, shown on a screen or turned, and what is made up.

just bench-second [--quick] [--photographs FOLDER] [--out FILE]

Photographs of things and scenery that scikit-image and scikit-learn ship, and those in FOLDER (where Debian's packages
mate-backgrounds and lomiri-wallpapers put theirs), cut into parts that do not overlap, and invented scenery. Half of
them are listed, among distractors; what is made of the other half must not be found.
"""

import argparse
import io
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image
from scenes import hills
from tests.media.passed_on import CHANGES, LISTED_CUT, saved

from casewright.demo.media_scenery import landscape, mosaic, vase
from casewright.kernels.hamming import packed
from casewright.kernels.hamming_join import near_pairs
from casewright.kernels.pdq_fast import pdq_of_pixels
from casewright.media.pictures import Room, with_pixels
from casewright.media.views import CUT, VIEWS, views_of

SHIPPED = {
    "skimage.data": ("coffee.png", "camera.png", "gravel.png", "brick.png", "grass.png", "hubble_deep_field.jpg",
                     "retina.jpg", "ihc.png", "motorcycle_left.png", "rocket.jpg", "chelsea.png", "coins.png",
                     "moon.png", "page.png", "text.png", "clock_motion.png"),
    "sklearn.datasets.images": ("china.jpg", "flower.jpg"),
}  # fmt: skip
LONGEST, LEAST, PLAIN = 3000, 50, 31
RADII = ((-1, -1), (31, 31), (31, 39), (31, 47), (47, 47))
"""Bits for views that keep the whole picture, and for those in which one of the two was cut."""
FOLDERS = ("mate/nature", "gnome", ".")


def main() -> None:
    options = argparse.ArgumentParser(description="the second look, measured")
    options.add_argument("--quick", action="store_true", help="a tenth of everything")
    options.add_argument("--photographs", type=Path, default=Path("/usr/share/backgrounds"))
    options.add_argument("--out", type=Path, help="write the tables here")
    chosen = options.parse_args()
    dice = Random(7)
    bases = list(pictures(chosen.photographs, 20 if chosen.quick else 90))
    dice.shuffle(bases)
    bases = bases[:: 10 if chosen.quick else 1]
    listed, others = bases[::2], bases[1::2]
    print(f"{len(bases)} pictures, {len(listed)} of them listed", flush=True)
    cases = list(changed(listed, dice))
    negatives = list(changed(others, dice))
    strangers = list(distractors(1000 if chosen.quick else 10_000, dice))
    print(
        f"{len(cases)} variations of listed ones, {len(negatives)} of others, {len(strangers)} distractors", flush=True
    )
    table = Results(cases, negatives, strangers)
    ours(table, 100_000 if chosen.quick else 1_000_000)
    peers(table)
    print(table.markdown())
    if chosen.out:
        chosen.out.write_text(table.markdown(), "utf-8")


def pictures(folder: Path, invented: int) -> Iterator[Image.Image]:
    """Parts of photographs, and invented scenery; each changes enough to be hashed at all."""
    for picture in photographs(folder):
        picture.thumbnail((LONGEST, LONGEST))
        width, height = picture.size
        across, down = max(1, min(3, width // 600)), max(1, min(2, height // 450))
        for n in range(across * down):
            x, y = n % across, n // across
            box = (x * width // across, y * height // down, (x + 1) * width // across, (y + 1) * height // down)
            yield from good(picture.crop(box))
    for seed in range(invented // 2):
        yield from good(hills(800, 600, seed, 4.0))
    for seed in range(invented // 6):
        yield from (p for draw in (landscape, mosaic, vase) for p in good(draw(seed)))


def photographs(folder: Path) -> Iterator[Image.Image]:
    for package, names in SHIPPED.items():
        for name in names:
            try:
                with as_file(files(package) / name) as path, Image.open(path) as picture:
                    yield picture.convert("RGB")
            except (ModuleNotFoundError, FileNotFoundError):
                print(f"{package} {name}: not there")
    for path in (*sorted(folder.glob("*_by_*.jpg")), *sorted(folder.glob("mate/nature/*.jpg"))):
        with Image.open(path) as picture:
            yield picture.convert("RGB")


def good(picture: Image.Image) -> list[Image.Image]:
    return [picture] if pdq_of_pixels(np.asarray(picture)).quality >= LEAST else []


Case = tuple[str, int, Image.Image, bytes]
"""Class; number of the picture; the picture as it is listed; the file that was seized."""


def changed(bases: list[Image.Image], dice: Random) -> Iterator[Case]:
    for number, base in enumerate(bases):
        if number % 3:
            yield from ((name, number, base, saved(change(base, dice), dice)) for name, change in CHANGES.items())
        else:
            change = dice.choice(list(LISTED_CUT.values()))
            yield "the listed one was cut likewise", number, change(base, dice), saved(base, dice)


def distractors(count: int, dice: Random) -> Iterator[Image.Image]:
    """Pictures of nothing that is seized, many of them alike: hills under skies, and windows of hills."""
    for seed in range(count // 5):
        whole = hills(420, 320, 100_000 + seed, 2.0)
        yield whole
        for _ in range(4):
            width, height = dice.randrange(170, 300), dice.randrange(130, 230)
            left, top = dice.randrange(420 - width), dice.randrange(320 - height)
            yield whole.crop((left, top, left + width, top + height))


class Results:
    """What each side found of each class, and the tables of it."""

    def __init__(self, cases: list[Case], negatives: list[Case], strangers: list[Image.Image]) -> None:
        self.cases, self.negatives, self.strangers = cases, negatives, strangers
        self.names = list(dict.fromkeys(name for name, *_ in cases))
        once = {id(picture): (number, picture) for _, number, picture, _ in cases}
        self.listed = [*once.values(), *((-2, picture) for picture in strangers)]
        """Each listed picture, with the number of that which it was made of."""
        place = {key: at for at, key in enumerate(once)}
        self.entries = [place[id(picture)] for _, _, picture, _ in cases]
        self.seized = [raw for *_, raw in (*cases, *negatives)]
        self.made_of = [number for _, number, *_ in (*cases, *negatives)]
        self.right = [*self.made_of[: len(cases)], *(-1 for _ in negatives)]
        self.rows: list[list[str]] = []
        self.notes: list[str] = []

    def add(self, side: str, found: list[bool], wrong: int) -> None:
        """Which cases were found, and how many files matched what they were not made of."""
        by = defaultdict(list)
        for (name, *_), hit in zip(self.cases, found, strict=True):
            by[name].append(hit)
        right = sum(found)
        precision = f"{right / (right + wrong):.4f}" if right + wrong else ""
        shares = (f"{100 * np.mean(by[name]):.0f}" for name in self.names)
        self.rows.append([side, *shares, f"{100 * np.mean(found):.1f}", str(wrong), precision])
        print(" | ".join(self.rows[-1]), flush=True)

    def markdown(self) -> str:
        head = ["class", "number", *(row[0] for row in self.rows)]
        counts = [sum(name == n for n, *_ in self.cases) for name in self.names]
        last = zip(
            ("all", "wrong", "precision"), (len(self.cases), len(self.cases) + len(self.negatives), ""), strict=True
        )
        lines = [head, ["---"] * len(head)]
        for at, (name, count) in enumerate([*zip(self.names, counts, strict=True), *last], 1):
            lines.append([name, str(count), *(row[at] for row in self.rows)])
        return "".join("| " + " | ".join(line) + " |\n" for line in lines) + "\n" + "\n".join(self.notes) + "\n"


def ours(table: Results, random: int) -> None:
    """Plain PDQ, and the views, at several radii: against the listed pictures, the distractors and random hashes."""
    noise = np.random.default_rng(5).integers(0, 2**64, (random, 4), dtype=np.uint64)
    known = np.concatenate([packed([pdq_of_pixels(np.asarray(p)).hash for _, p in table.listed]), noise])
    numbers = [number for number, _ in table.listed] + [-3] * random
    looked = look(table.seized, table)
    pairs = near_pairs_timed(looked, known)
    for radii in RADII:
        found, wrong, views, mistakes = [False] * len(table.cases), 0, defaultdict(lambda: [0, 0]), Counter()
        for at, (hits, wanted) in enumerate(zip(nearest(looked, pairs, radii), table.right, strict=True)):
            if at < len(table.cases):
                found[at] = table.entries[at] in hits
            others = {numbers[hit] for hit in hits} - {wanted}
            wrong += bool(others)
            mistakes.update((at >= len(table.cases), table.made_of[at], other) for other in others)
            for hit, (_, view) in hits.items():
                views[view][numbers[hit] != wanted] += 1
        name = "second look, {} and {} bits".format(*radii) if radii[0] > 0 else f"PDQ, {PLAIN} bits"
        table.add(name, found, wrong)
        said = ", ".join(f"{view} {right}/{other}" for view, (right, other) in sorted(views.items()))
        table.notes.append(f"- {name}; right/wrong by view: {said}")
        print("wrong (of no list; picture; found as):", dict(mistakes), flush=True)


Pairs = tuple[np.ndarray, np.ndarray, np.ndarray, list[int], list[str]]


def near_pairs_timed(looked: list[list[tuple[str, bytes]]], known: np.ndarray) -> Pairs:
    """Every pair of a view and a listed hash up to 47 bits apart; the file and the kind of each view."""
    owners = [at for at, views in enumerate(looked) for _ in views]
    kinds = [view for views in looked for view, _ in views]
    queries = np.frombuffer(b"".join(h for views in looked for _, h in views), ">u8").astype(np.uint64).reshape(-1, 4)
    began = time.process_time()
    found = near_pairs(queries, known, 47)
    print(f"{len(queries):,} views × {len(known):,} hashes: {time.process_time() - began:.1f} s", flush=True)
    return *found, owners, kinds


def look(seized: list[bytes], table: Results) -> list[list[tuple[str, bytes]]]:
    """The views of every file, its own hash first; and what they cost."""
    room, result, pixels, spent = Room(), [], 0, 0.0
    began = time.process_time()
    for raw in seized:

        def work(held: Any, orientation: int, *_: Any) -> list[tuple[str, bytes]]:
            nonlocal pixels, spent
            plain = pdq_of_pixels(held, orientation)
            start = time.process_time()
            views = views_of(held, orientation, LEAST)
            spent += time.process_time() - start
            pixels += held.shape[0] * held.shape[1]
            first = [("pdq", bytes.fromhex(plain.hash))] if plain.quality >= LEAST else []
            return first + [(view, h) for view, hashes in views.items() for h in hashes]

        result.append(with_pixels(io.BytesIO(raw), 10**9, room, work))
    whole, count = time.process_time() - began, len(seized)
    number = sum(map(len, result)) / count
    table.notes.append(
        f"- {count:,} files of {pixels / count / 1e6:.2f} MP: {number:.1f} hashes a file; views "
        f"{1000 * spent / count:.1f} ms a file, with decoding and the plain hash {1000 * whole / count:.1f} ms"
    )
    print(table.notes[-1], flush=True)
    return result


def nearest(looked: list[Any], pairs: Pairs, radii: tuple[int, int]) -> list[dict[int, tuple[int, str]]]:
    """For each file the listed hashes that are found, each with its distance and the view. A file that its plain hash
    finds is not looked at again."""
    order = ["pdq", *VIEWS]
    which, hits, bits, owners, kinds = pairs
    best: list[dict[int, tuple[int, str]]] = [{} for _ in looked]
    limits = {"pdq": PLAIN, **dict.fromkeys(VIEWS, radii[0]), **dict.fromkeys(CUT, radii[1])}
    for query, hit, apart in zip(which.tolist(), hits.tolist(), bits.tolist(), strict=True):
        at, kind = owners[query], kinds[query]
        new = (apart, kind)
        if apart > limits[kind] or (kind != "pdq" and any(view == "pdq" for _, view in best[at].values())):
            continue  # the plain hash stands first among the views of a file
        old = best[at].get(hit)
        if old is None or (new[0], order.index(new[1])) < (old[0], order.index(old[1])):
            best[at][hit] = new
    return best


def peers(table: Results) -> None:
    """perception's hashers, each at the largest distance at which nothing wrong is found here, which nobody knows
    beforehand, and at a usual one; and its PDQ with all that it has to offer for turned and framed pictures."""
    try:
        from perception import hashers  # noqa: PLC0415
    except ImportError:
        print("perception could not be imported")
        return
    usual = PLAIN / 256
    pdq = hashers.PDQHash()
    peer(table, "perception PDQHash", usual, partial(plain, pdq), partial(plain, pdq))
    peer(table, "the same, isometric, and unletterbox", usual, partial(plain, pdq), partial(looked_at, pdq))
    for name, hasher in (
        ("perception PHash", hashers.PHash()),
        ("perception PHash 16×16", hashers.PHash(hash_size=16, highfreq_factor=4)),
    ):
        peer(table, name, 0.1, partial(plain, hasher), partial(plain, hasher))


def plain(hasher: Any, picture: Image.Image) -> list[np.ndarray]:
    text = hasher.compute(picture.convert("RGB"), hash_format="hex")
    return [] if text is None else [np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))]


def looked_at(hasher: Any, picture: Image.Image) -> list[np.ndarray]:
    from perception.hashers import tools  # noqa: PLC0415

    turned = hasher.compute_isometric(picture.convert("RGB")).values()
    found = [hasher.string_to_vector(text, hash_format="base64").astype(np.uint8) for text in turned]
    inside = tools.unletterbox(np.asarray(picture.convert("RGB")))
    if inside is None:
        return found
    (left, right), (top, bottom) = inside
    return [*found, *plain(hasher, picture.crop((left, top, right, bottom)))]


Hasher = Callable[[Image.Image], list[np.ndarray]]


def peer(table: Results, name: str, usual: float, listed: Hasher, seized: Hasher) -> None:
    known = [(number, listed(picture)) for number, picture in table.listed]
    numbers = np.array([number for number, found in known if found])
    held = np.array([found[0] for _, found in known if found], np.float32) * 2 - 1
    size = held.shape[1]
    own, strange = [], []
    for raw, wanted in zip(table.seized, table.right, strict=True):
        signs = np.array(seized(Image.open(io.BytesIO(raw))), np.float32).reshape(-1, size) * 2 - 1
        apart = np.rint((size - signs @ held.T) / 2).min(axis=0, initial=size)
        own.append(apart[numbers == wanted].min(initial=size))
        strange.append(apart[numbers != wanted].min())
    for said, radius in (("none wrong", int(min(strange)) - 1), (f"{usual:.0%} of the bits", int(size * usual))):
        hits = [bool(d <= radius) for d in own[: len(table.cases)]]
        table.add(f"{name}, {radius} of {size} bits ({said})", hits, sum(d <= radius for d in strange))


if __name__ == "__main__":
    main()
