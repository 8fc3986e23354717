"""Everything the demo's market stored: about 290 harmless files, each with how it was made.

`build_media` is pure: the same code and libraries give the same bytes. Numbers run from 1 without a gap; the order
says nothing about what a file is.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from PIL import Image

from casewright.demo.media_bases import build_bases
from casewright.demo.media_variations import FAR, NEAR, ODD, Variation, jpeg, save, scale
from casewright.demo.media_video import Frames, encode, joined, unsteady, walk

SEED = 1852
LISTED = (
    "chelsea", "coffee", "rocket", "coins", "text", "clock_motion", "gravel-1",
    "gravel-2", "grass-1", "brick-1", "hubble_deep_field-1", "hubble_deep_field-2", "hubble_deep_field-3",
    *(f"landscape-{n}" for n in range(1, 6)), *(f"mosaic-{n}" for n in range(1, 6)),
    *(f"vase-{n}" for n in range(1, 6)), "tiling-1", "tiling-2", "tiling-3",
)  # fmt: skip
LOOSE = ("coffee", "rocket", "mosaic-2", "vase-3", "landscape-2", "gravel-2", "hubble_deep_field-4", "landscape-8",
         "mosaic-6", "vase-9", "grass-2", "landscape-11")  # fmt: skip
ABSENT = frozenset(LISTED[2::3])
"""Listed pictures whose original is not on the server: only their variations are."""
LISTED_FILMS = ("film-coffee", "film-chelsea", "film-landscape")


@dataclass(frozen=True)
class MediaFile:
    """One stored file. `base` is the picture or film it was made from, `listed` whether that is on the hash list."""

    number: int
    content: bytes
    suffix: str
    base: str
    transformation: str
    listed: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def md5(self) -> str:
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()

    @property
    def path(self) -> str:
        """Where the market keeps it, from its web root."""
        name = hashlib.sha256(b"glasshouse %d" % self.number).hexdigest()[:12]
        return f"media/{self.number % 16:02}/{name}.{self.suffix}"


@dataclass(frozen=True)
class Media:
    """`files` lie in the market's media folder, `loose` ones elsewhere (backups, uploads cut short, deleted);
    `originals` are what the hash list was made from, on the server or not.
    """

    files: tuple[MediaFile, ...]
    loose: tuple[MediaFile, ...]
    originals: Mapping[str, bytes]


def build_media() -> Media:
    bases = build_bases()
    films = _films(bases)
    originals = {name: _original(name, bases[name]) for name in LISTED}
    originals |= {name: encode(films[name]) for name in LISTED_FILMS}
    made = [*_pictures(bases, originals), *_videos(films, originals)]
    made += [replace(f, transformation=f"exact copy of: {f.transformation}") for f in made[::23]]
    Random(SEED).shuffle(made)  # noqa: S311 (an order, not a secret)
    return Media(tuple(replace(f, number=n) for n, f in enumerate(made, 1)), _loose(bases), originals)


def _loose(bases: Mapping[str, Image.Image]) -> tuple[MediaFile, ...]:
    """Twelve pictures that the media folder no longer holds."""
    again = Variation("saved again, quality 58", "jpg", True, lambda image, rng: jpeg(scale(image, 85), 58))
    return tuple(_varied(name, bases[name], again, name in LISTED, Random(SEED)) for name in LOOSE)  # noqa: S311


def _original(name: str, image: Image.Image) -> bytes:
    return save(image, "PNG", optimize=True) if name.startswith("vase") else jpeg(image, 82)


def _pictures(bases: Mapping[str, Image.Image], originals: Mapping[str, bytes]) -> Iterator[MediaFile]:
    odd = list(ODD.values())
    for place, (name, image) in enumerate(bases.items()):
        listed, rng = name in LISTED, Random(f"{SEED} {name}")  # noqa: S311 (a picture, not a secret)
        if name not in ABSENT:
            content = originals.get(name) or _original(name, image)
            yield MediaFile(0, content, "png" if name.startswith("vase") else "jpg", name, "original", listed)
        near = [NEAR[(place * 5 + n * 7) % len(NEAR)] for n in range(3 if listed else 2)]
        for variation in (*near, FAR[place % len(FAR)], *([odd[place // 3 % len(odd)]] if place % 3 == 0 else [])):
            yield _varied(name, image, variation, listed, rng)


def _varied(name: str, image: Image.Image, variation: Variation, listed: bool, rng: Random) -> MediaFile:
    return MediaFile(0, variation.apply(image, rng), variation.suffix, name, variation.name, listed)


def _films(bases: Mapping[str, Image.Image]) -> Mapping[str, Frames]:
    return {
        "film-coffee": walk(bases["coffee"], 4),
        "film-chelsea": walk(bases["chelsea"], 3, closer=10),
        "film-landscape": walk(bases["landscape-9"], 5),
        "film-mosaic": walk(bases["mosaic-7"], 4),
        "film-vase": walk(bases["vase-8"], 3, closer=15),
        "film-stars": walk(bases["hubble_deep_field-5"], 2),
    }


def _videos(films: Mapping[str, Frames], originals: Mapping[str, bytes]) -> Iterator[MediaFile]:
    """Films that are listed, re-encoded, part of a longer one, and unlisted."""

    def video(content: bytes, base: str, transformation: str, suffix: str = "mp4") -> MediaFile:
        return MediaFile(0, content, suffix, base, transformation, base in LISTED_FILMS)

    coffee, cat, landscape = (films[name] for name in LISTED_FILMS)
    yield video(originals["film-coffee"], "film-coffee", "original")
    yield video(encode(coffee, crf=35, size=(128, 96)), "film-coffee", "re-encoded smaller")
    yield video(encode(cat, "webm"), "film-chelsea", "re-encoded as WebM", "webm")
    yield video(encode(unsteady(landscape), crf=32), "film-landscape", "re-encoded with a variable frame rate")
    yield video(encode(joined(films["film-mosaic"], cat, films["film-vase"])), "film-chelsea", "inside a longer film")
    for name in ("film-mosaic", "film-vase", "film-stars"):
        yield video(encode(films[name]), name, "original")
