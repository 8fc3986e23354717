"""The sixty pictures from which every file of the demo is made: sample photographs and invented scenery.

The photographs come inside the scikit-image wheel (see seizure/README.md for their licences). No picture shows a
person. Only `tools/build_demo.py` and its test come here: running the demo needs none of it.
"""

from collections.abc import Mapping
from importlib.resources import as_file, files

from PIL import Image

from casewright.demo.media_scenery import landscape, mosaic, tiling, vase

WHOLE = ("chelsea.png", "coffee.png", "rocket.jpg", "coins.png", "text.png", "clock_motion.png")
"""Only photographs that their makers gave to the public; the package has others whose terms it does not state."""
WINDOWS: tuple[tuple[str, int, tuple[tuple[int, int], ...]], ...] = (
    ("gravel.png", 256, ((0, 0), (256, 0), (0, 256), (256, 256))),
    ("grass.png", 256, ((0, 0), (256, 0), (0, 256), (256, 256))),
    ("brick.png", 256, ((0, 0), (256, 0), (128, 256))),
    ("hubble_deep_field.jpg", 330, ((0, 0), (330, 0), (660, 0), (0, 440), (330, 440), (660, 440))),
)
LONGEST = 300


def build_bases() -> Mapping[str, Image.Image]:
    """Name to RGB picture, no side over `LONGEST`, in a fixed order."""
    bases: dict[str, Image.Image] = {}
    for name in WHOLE:
        bases[name.split(".")[0]] = _small(_sample(name))
    for name, side, corners in WINDOWS:
        whole = _sample(name)
        for number, (x, y) in enumerate(corners, 1):
            bases[f"{name.split('.')[0]}-{number}"] = _small(whole.crop((x, y, x + side, min(y + side, whole.height))))
    for kind, draw, count in (
        ("landscape", landscape, 12),
        ("mosaic", mosaic, 9),
        ("vase", vase, 10),
        ("tiling", tiling, 6),
    ):
        for number in range(1, count + 1):
            bases[f"{kind}-{number}"] = _small(draw(1000 * count + number))
    return bases


def _sample(name: str) -> Image.Image:
    with as_file(files("skimage.data") / name) as path, Image.open(path) as image:
        return image.convert("RGB")


def _small(image: Image.Image) -> Image.Image:
    copy = image.copy()
    copy.thumbnail((LONGEST, LONGEST), Image.Resampling.BICUBIC)
    return copy
