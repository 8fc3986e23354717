"""What a comparison between agencies misses of media: exact hashes and leaders' PDQ against what PDQ would call near.

`uv run python bench/deconflict_media.py [--pictures 300]`; harmless pictures (scenes.py), each in versions as they are
passed on. Two agencies hold some versions each; one of them leads its group, as in a case (the largest file). They meet
over a picture when any digest that they would compare is the same.
"""

import argparse
import hashlib
from collections.abc import Callable
from io import BytesIO
from random import Random

from PIL import Image, ImageEnhance, ImageOps
from scenes import THINGS, hills, jpeg, passed_on, thing

from casewright.kernels.pdq_fast import pdq_of_image

SIZE = (640, 480)
NEAR = 31
Change = Callable[[Image.Image], bytes]


def png(picture: Image.Image) -> bytes:
    sink = BytesIO()
    picture.save(sink, "PNG")
    return sink.getvalue()


CHANGES: dict[str, Change] = {
    "copied": lambda p: jpeg(p, 90),
    "other metadata, same pixels": lambda p: jpeg(p, 90, comment=b"x"),
    "saved as PNG": lambda p: png(Image.open(BytesIO(jpeg(p, 90)))),
    "saved again at quality 95": lambda p: jpeg(Image.open(BytesIO(jpeg(p, 90))), 95),
    "saved again at quality 80": lambda p: jpeg(Image.open(BytesIO(jpeg(p, 90))), 80),
    "saved again at quality 50": lambda p: jpeg(Image.open(BytesIO(jpeg(p, 90))), 50),
    "half as large": lambda p: jpeg(p.resize((SIZE[0] // 2, SIZE[1] // 2)), 85),
    "a quarter as large": lambda p: jpeg(p.resize((SIZE[0] // 4, SIZE[1] // 4)), 85),
    "brighter": lambda p: jpeg(ImageEnhance.Brightness(p).enhance(1.15), 85),
    "grey": lambda p: jpeg(p.convert("L"), 85),
    "cut by 2 percent": lambda p: jpeg(p.crop((6, 5, SIZE[0] - 6, SIZE[1] - 5)), 85),
    "cut by 10 percent": lambda p: jpeg(p.crop((32, 24, SIZE[0] - 32, SIZE[1] - 24)), 85),
    "mirrored": lambda p: jpeg(ImageOps.mirror(p), 85),
}  # fmt: skip


def hashed(raw: bytes) -> tuple[str, str, int]:
    """SHA-256, PDQ and size."""
    return hashlib.sha256(raw).hexdigest(), pdq_of_image(Image.open(BytesIO(raw)))[0], len(raw)


def bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def one_version_each(pictures: list[Image.Image]) -> None:
    """The other side holds one changed version of what we hold."""
    originals = [hashed(jpeg(p, 90)) for p in pictures]
    print("| the other side has it | same SHA-256 | same PDQ | PDQ within 31 |\n|---|---|---|---|")
    for name, change in CHANGES.items():
        found = [hashed(change(p)) for p in pictures]
        pairs = list(zip(originals, found, strict=True))
        counts = [sum(a[0] == b[0] for a, b in pairs), sum(a[1] == b[1] for a, b in pairs),
                  sum(bits(a[1], b[1]) <= NEAR for a, b in pairs)]  # fmt: skip
        print(f"| {name} | " + " | ".join(f"{100 * n / len(pairs):.0f} %" for n in counts) + " |", flush=True)


def versions_of(picture: Image.Image, dice: Random) -> list[tuple[str, str, int]]:
    """Twelve versions that go round: half saved again or shrunk, half cut, turned or filtered."""
    plain = [dice.choice(list(CHANGES)[3:8]) for _ in range(6)]
    return [hashed(CHANGES[name](picture)) for name in plain] + [hashed(passed_on(picture, dice)) for _ in range(6)]


def some_versions_each(pictures: list[Image.Image], dice: Random) -> None:
    """Both sides hold some of the twelve versions that go round; those of one side near its leader are its group."""
    pools = [versions_of(p, dice) for p in pictures]
    print("\n| versions on each side | SHA-256 | and leader's PDQ | and PDQ of all | any pair within 31 |")
    print("|---|---|---|---|---|")
    for held in (1, 2, 4, 8):
        met = [0, 0, 0, 0]
        for pool in pools:
            ours, theirs = (dice.sample(pool, held) for _ in range(2))
            exact = bool({a[0] for a in ours} & {b[0] for b in theirs})
            leaders = max(ours, key=lambda v: v[2])[1] == max(theirs, key=lambda v: v[2])[1]
            every = bool({a[1] for a in ours} & {b[1] for b in theirs})
            near = any(bits(a[1], b[1]) <= NEAR for a in ours for b in theirs)
            met = [n + m for n, m in zip(met, (exact, exact or leaders, exact or every, near), strict=True)]
        print(f"| {held} | " + " | ".join(f"{100 * n / len(pools):.0f} %" for n in met) + " |", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pictures", type=int, default=300)
    count = options.parse_args().pictures
    pictures = [thing(THINGS[n % len(THINGS)], *SIZE, n, 6) if n % 4 == 0 else hills(*SIZE, n, 4) for n in range(count)]
    one_version_each(pictures)
    some_versions_each(pictures, Random(11))


if __name__ == "__main__":
    main()
