"""What people do to a picture before they pass it on, in named classes: cut, framed, shown on a screen, turned.

All pictures are harmless: photographs of things that packages ship, and invented scenery. The measurement
`bench/second.py` and the tests use the same classes.
"""

import io
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

Change = Callable[[Image.Image, Random], Image.Image]
COLOURS = ((255, 255, 255), (0, 0, 0), (128, 128, 128), (246, 240, 220), (20, 30, 80), (200, 30, 60))
TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def saved(picture: Image.Image, dice: Random) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, "JPEG", quality=dice.randrange(65, 96))
    return sink.getvalue()


def cut(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Without these parts of its sides."""
    width, height = picture.size
    return picture.crop((round(left * width), round(top * height), width - round(right * width),
                         height - round(bottom * height)))  # fmt: skip


def anywhere(picture: Image.Image, across: float, down: float, dice: Random) -> Image.Image:
    """Without these parts of width and height, taken from both ends by chance."""
    x, y = dice.random(), dice.random()
    return cut(picture, x * across, y * down, (1 - x) * across, (1 - y) * down)


def area_cut(picture: Image.Image, dice: Random) -> Image.Image:
    part = 1 - (1 - dice.uniform(0.04, 0.1)) ** 0.5
    return anywhere(picture, part, part, dice)


def sides_cut(picture: Image.Image, dice: Random) -> Image.Image:
    return anywhere(picture, dice.uniform(0.04, 0.1), dice.uniform(0.04, 0.1), dice)


def one_side_cut(picture: Image.Image, dice: Random) -> Image.Image:
    parts = [0.0, 0.0, 0.0, 0.0]
    parts[dice.randrange(4)] = dice.uniform(0.04, 0.1)
    return cut(picture, *parts)


def each_side_cut(picture: Image.Image, part: float) -> Image.Image:
    return cut(picture, part, part, part, part)


def framed(picture: Image.Image, left: float, top: float, right: float, bottom: float, colour: Any) -> Image.Image:
    """With margins of these parts of its sides."""
    width, height = picture.size
    whole = Image.new("RGB", (round(width * (1 + left + right)), round(height * (1 + top + bottom))), colour)
    whole.paste(picture, (round(left * width), round(top * height)))
    return whole


def padded(picture: Image.Image, dice: Random) -> Image.Image:
    part = dice.uniform(0.03, 0.2)
    return framed(picture, part, part, part, part, dice.choice(COLOURS))


def letterbox(picture: Image.Image, dice: Random) -> Image.Image:
    part, black = dice.uniform(0.05, 0.3), (dice.randrange(12),) * 3
    if dice.random() < 0.5:
        return framed(picture, 0, part, 0, part, black)
    return framed(picture, part, 0, part, 0, black)


def blurred_padding(picture: Image.Image, dice: Random) -> Image.Image:
    """The picture in the middle of a blurred, enlarged copy of it, as video sites fill a frame."""
    width, height = picture.size
    size = (round(width * dice.uniform(1.3, 1.9)), height)
    whole = picture.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(max(width, height) / 25))
    whole.paste(picture, ((size[0] - width) // 2, 0))
    return whole


def mirrored(picture: Image.Image, dice: Random) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def turned(picture: Image.Image, dice: Random) -> Image.Image:
    return picture.transpose(dice.choice(TURNS))


def _lines(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], ink: Any, dice: Random) -> None:
    """Words, as grey strokes of a text."""
    left, top, right, bottom = box
    for y in range(top, bottom - 6, 14):
        x = left
        while x < right - 40:
            wide = dice.randrange(10, 40)
            draw.rectangle((x, y, x + wide, y + 6), fill=ink)
            x += wide + dice.randrange(5, 9)


def on_a_phone(picture: Image.Image, dice: Random) -> Image.Image:
    """A gallery: black, the picture across the whole width, a line of signs above and below."""
    width = dice.randrange(540, 1081)
    shown = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.BICUBIC)
    height = max(width * 2, shown.height + 300)
    screen = Image.new("RGB", (width, height), dice.choice(((0, 0, 0), (255, 255, 255), (18, 18, 18))))
    draw, ink = ImageDraw.Draw(screen), (140, 140, 140)
    _lines(draw, (20, 14, width - 20, 34), ink, dice)
    for n in range(5):
        x = width * (2 * n + 1) // 10
        draw.ellipse((x - 18, height - 70, x + 18, height - 34), outline=ink, width=4)
    screen.paste(shown, (0, (height - shown.height) // 2))
    return screen


def on_a_page(picture: Image.Image, dice: Random) -> Image.Image:
    """A web page: a bar on top, a column of text beside the picture, text below it."""
    width, height = 1280, dice.choice((720, 800, 1024))
    paper, ink = dice.choice((((255, 255, 255), (60, 60, 60)), ((27, 29, 33), (190, 190, 190))))
    screen = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, width, 60), fill=dice.choice(COLOURS[2:]))
    _lines(draw, (24, 24, 400, 44), (235, 235, 235), dice)
    scale = min(dice.uniform(0.4, 0.62) * width / picture.width, 0.7 * height / picture.height)
    shown = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)
    left, top = dice.randrange(20, 120), dice.randrange(80, 130)
    screen.paste(shown, (left, top))
    _lines(draw, (left + shown.width + 30, top, width - 40, height - 40), ink, dice)
    _lines(draw, (left, top + shown.height + 20, left + shown.width, height - 20), ink, dice)
    return screen


def in_a_window(picture: Image.Image, dice: Random) -> Image.Image:
    """A viewer's window with a bar of its title, on a desktop of one colour with signs along its edge."""
    width, height = 1366, 768
    screen = Image.new("RGB", (width, height), dice.choice(COLOURS[2:]))
    draw = ImageDraw.Draw(screen)
    for n in range(8):
        draw.rectangle((20, 20 + 85 * n, 68, 68 + 85 * n), fill=dice.choice(COLOURS))
        _lines(draw, (16, 76 + 85 * n, 90, 90 + 85 * n), (240, 240, 240), dice)
    draw.rectangle((0, height - 40, width, height), fill=(30, 30, 34))
    scale = min(dice.uniform(0.5, 0.75) * width / picture.width, 0.75 * height / picture.height)
    shown = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)
    left, top = dice.randrange(130, 200), dice.randrange(50, 70)
    draw.rectangle((left - 12, top - 36, left + shown.width + 12, top + shown.height + 12), fill=(232, 232, 232))
    _lines(draw, (left, top - 24, left + shown.width - 90, top - 8), (90, 90, 90), dice)
    screen.paste(shown, (left, top))
    return screen


CHANGES: Mapping[str, Change] = {
    "saved again": lambda picture, dice: picture.resize(
        (picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.BICUBIC
    ),
    "cut by up to 10 % of its area": area_cut,
    "cut by up to 10 % of both sides": sides_cut,
    "one side cut by up to 10 %": one_side_cut,
    "5 % cut off on each side": lambda picture, dice: each_side_cut(picture, 0.05),
    "10 % cut off on each side": lambda picture, dice: each_side_cut(picture, 0.1),
    "margins of up to 20 %": padded,
    "letterbox or pillarbox": letterbox,
    "margins of a blurred copy": blurred_padding,
    "shown on a phone": on_a_phone,
    "shown on a page": on_a_page,
    "shown in a window": in_a_window,
    "mirrored": mirrored,
    "turned by 90, 180 or 270°": turned,
}
LISTED_CUT: Mapping[str, Change] = {
    "listed is cut by up to 10 % of its area": area_cut,
    "listed is cut by up to 10 % of both sides": sides_cut,
    "listed has one side cut by up to 10 %": one_side_cut,
}
"""Here it is the listed picture that was cut, and the seized one that is whole."""
