"""Harmless films for measuring: shots of hills and of things that scikit-image ships, along which a camera moves at
different speeds; intros, black and logos that many of them share; and what people do to films before they pass them on.

A film is what is seen at any moment, so that it can be encoded at whatever rate."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import av
from PIL import Image, ImageDraw, ImageOps
from scenes import THINGS, hills, thing

SIZE = (320, 240)
THOUSANDTH = Fraction(1, 1000)
SPEEDS = (0.0, 0.02, 0.05, 0.1, 0.2)
"""How much of its view a camera moves in a second."""


@dataclass(frozen=True)
class Shot:
    """A view into a picture, drifting and drawing nearer; without a picture black."""

    seconds: float
    picture: Image.Image | None = None
    left: float = 0.3
    top: float = 0.3
    across: float = 0.0
    down: float = 0.0
    nearer: float = 0.0

    def at(self, moment: float) -> Image.Image:
        if self.picture is None:
            return Image.new("RGB", SIZE)
        width, height = self.picture.size
        view = max(0.25, 0.5 * (1 - self.nearer * moment))
        left = min(max(self.left + self.across * moment * 0.5, 0), 1 - view) * width
        top = min(max(self.top + self.down * moment * 0.5, 0), 1 - view) * height
        box = (left, top, left + view * width, top + view * height)
        return self.picture.resize(SIZE, Image.Resampling.BILINEAR, box)


@dataclass(frozen=True)
class Film:
    """Shots one after the other."""

    shots: Sequence[Shot]

    @property
    def seconds(self) -> float:
        return sum(shot.seconds for shot in self.shots)

    def at(self, moment: float) -> Image.Image:
        for shot in self.shots:
            if moment < shot.seconds:
                return shot.at(moment)
            moment -= shot.seconds
        return self.shots[-1].at(self.shots[-1].seconds)

    def __add__(self, other: "Film") -> "Film":
        return Film([*self.shots, *other.shots])


@dataclass(frozen=True)
class Cut:
    """The seconds of a film from `begin` to `end`."""

    film: Any
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin

    def at(self, moment: float) -> Image.Image:
        return self.film.at(self.begin + moment)


def black(seconds: float) -> Film:
    return Film([Shot(seconds)])


def shots(number: int, seconds: float, dice: Random) -> Film:
    """A film of its own: no other has its pictures."""
    made, left = [], seconds
    while left > 0.5:
        lasts = min(left, dice.uniform(2, 9))
        seed = dice.randrange(1 << 30)
        picture = rich(seed) if dice.random() < 0.8 else _turned(thing(dice.choice(THINGS), 480, 360, seed, 0), dice)
        speed = dice.choice(SPEEDS)
        made.append(Shot(lasts, picture, dice.uniform(0, 0.5), dice.uniform(0, 0.5), speed * dice.choice((-1, 1)),
                         speed * dice.uniform(-1, 1), dice.choice((0, 0, speed))))  # fmt: skip
        left -= lasts
    return Film(made)


def rich(seed: int) -> Image.Image:
    """Hills with the contrast of a photograph: frames of poor quality decide nothing."""
    return ImageOps.autocontrast(hills(480, 360, seed, 0), cutoff=4)


def _turned(picture: Image.Image, dice: Random) -> Image.Image:
    """So that the same thing in two films is not the same view."""
    return picture.rotate(dice.uniform(0, 360), Image.Resampling.BILINEAR).resize(picture.size)


def intro(seed: int) -> Film:
    """What a site or a studio puts before all its films: a card that stands still, and something that moves."""
    dice = Random(f"intro {seed}")
    card = rich(9000 + seed)
    ImageDraw.Draw(card).rectangle((150, 120, 330, 240), fill=(240, 240, 240 - 60 * seed))
    return Film([Shot(4, card, 0.25, 0.25), Shot(4, rich(8000 + seed), dice.uniform(0, 0.4), 0.2, 0.1), Shot(1)])


def logo(picture: Image.Image) -> Image.Image:
    """A small sign in a corner."""
    ImageDraw.Draw(picture, "RGBA").rectangle((8, 8, 48, 20), fill=(250, 220, 40, 110))
    return picture


@dataclass(frozen=True)
class Form:
    """How a film is passed on."""

    form: str = "mp4"
    codec: str = "libx264"
    rate: int = 25
    size: tuple[int, int] = SIZE
    quality: int = 23
    unsteady: bool = False
    signed: bool = False


FORMS = (
    Form(), Form(rate=30, quality=30), Form("webm", "libvpx-vp9", 24, quality=38), Form("avi", "mpeg4", 15, quality=6),
    Form(size=(192, 144), quality=32), Form("matroska", rate=25, unsteady=True, quality=28),
    Form(size=(426, 240), rate=20), Form(signed=True, quality=30),
)  # fmt: skip


def encoded(film: Any, how: Form, dice: Random) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=how.form) as container:
        stream: Any = container.add_stream(how.codec, rate=how.rate, options=_options(how))
        stream.width, stream.height = how.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        if how.unsteady:
            stream.codec_context.time_base = THOUSANDTH
        for number in range(int(film.seconds * how.rate)):
            if how.unsteady and number and dice.random() < 0.4:
                continue
            picture = film.at(number / how.rate)
            picture = logo(picture) if how.signed else picture
            picture = picture.resize(how.size, Image.Resampling.BILINEAR) if how.size != SIZE else picture
            frame = av.VideoFrame.from_image(picture)
            if how.unsteady:
                frame.pts, frame.time_base = number * 1000 // how.rate, THOUSANDTH
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return sink.getvalue()


def _options(how: Form) -> dict[str, str]:
    if how.codec == "mpeg4":
        return {"qmin": str(how.quality), "qmax": str(how.quality)}
    if how.codec == "libvpx-vp9":
        return {"crf": str(how.quality), "b:v": "0", "cpu-used": "8", "deadline": "realtime"}
    return {"crf": str(how.quality), "preset": "veryfast", "g": "100"}
