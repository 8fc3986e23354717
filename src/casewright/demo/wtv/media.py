"""The media of which there are real bytes: invented pictures, each saved again in other ways, and short films; and a
list on which every third is. All others are rows of the site's database.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from PIL import Image

from casewright.demo.media import MediaFile
from casewright.demo.media_scenery import landscape, mosaic, tiling, vase
from casewright.demo.media_variations import NEAR, jpeg
from casewright.demo.media_video import encode, walk
from casewright.demo.seizure_list import Prints, prints_of
from casewright.demo.seizure_truth import REACH, SHARE, WORTHY, share_of
from casewright.demo.wtv.size import Size

DRAWN = (landscape, mosaic, vase, tiling)
VERSIONS, LISTED_EVERY, SECONDS = 4, 3, 3


def build_sample(size: Size, tick: Callable[[int], None]) -> tuple[tuple[MediaFile, ...], Mapping[str, bytes]]:
    """The files, numbered from 1, and what is on the list by its name."""
    made: list[MediaFile] = []
    for file in (*_pictures(size.sample_pictures), *_films(size.sample_films)):
        made.append(replace(file, number=len(made) + 1))
        tick(len(made))
    listed = {f.base: f.content for f in made if f.listed and f.transformation == "original"}
    return tuple(made), listed


def _pictures(count: int) -> Iterator[MediaFile]:
    """Every fourth is an original, and those after it are versions of it."""
    image = Image.new("RGB", (1, 1))
    for n in range(count):
        seed, version = divmod(n, VERSIONS)
        base, listed = f"{DRAWN[seed % len(DRAWN)].__name__}-w{seed}", seed % LISTED_EVERY == 0
        if version == 0:
            image = DRAWN[seed % len(DRAWN)](70_000 + seed)
            yield MediaFile(0, jpeg(image, 82), "jpg", base, "original", listed)
        else:
            how = NEAR[(seed * 5 + version * 7) % len(NEAR)]
            content = how.apply(image, Random(f"wtv {n}"))  # noqa: S311 (a picture, not a secret)
            yield MediaFile(0, content, how.suffix, base, how.name, listed)


def _films(count: int) -> Iterator[MediaFile]:
    """Every second one is another film, and the one behind it is the same in poorer quality."""
    frames = walk(Image.new("RGB", (8, 8)), 1)
    for n in range(count):
        seed, version = divmod(n, 2)
        if version == 0:
            frames = walk(DRAWN[seed % len(DRAWN)](90_000 + seed), SECONDS, closer=5 * (seed % 4))
        content = encode(frames, crf=36, size=(128, 96)) if version else encode(frames)
        yield MediaFile(0, content, "mp4", f"film-w{seed}", ("original", "saved again")[version],
                        seed % LISTED_EVERY == 0)  # fmt: skip


def states(sample: Sequence[MediaFile], listed: Mapping[str, bytes], prints: Mapping[str, Prints]) -> dict[str, Any]:
    """States by SHA-256, by the field's thresholds; `undecided` was made from something listed, and they cannot see
    it."""
    found: dict[str, set[str]] = {s: set() for s in ("known", "near", "new", "undecodable", "undecided")}
    contents = set(listed.values())
    films = {name: p for name, p in prints.items() if name.startswith("film")}
    pictures = [(int(p[0][0], 16), p[0][1]) for name, p in prints.items() if not name.startswith("film")]
    for file in sample:
        if file.content in contents:
            found["known"].add(file.sha256)
            continue
        mine = prints_of(file.content, file.suffix == "mp4")
        if file.suffix == "mp4":
            near = any(share_of(mine, theirs) >= SHARE for theirs in films.values())
        else:
            near = _reached(mine[0], pictures)
        found["near" if near else "undecided" if file.listed else "new"].add(file.sha256)
    return {state: sorted(digests) for state, digests in found.items()}


def _reached(one: tuple[str, int], listed: Sequence[tuple[int, int]]) -> bool:
    """Whether the thresholds see a picture on the list."""
    value, quality = int(one[0], 16), one[1]
    return quality >= WORTHY and any((value ^ other).bit_count() <= REACH for other, _ in listed)
