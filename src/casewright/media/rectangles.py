"""Rectangles of a picture that may be pictures of their own: without a border, or inside a screenshot.

What is around such a picture is flat: of one colour, or blurred. A block is peeled of flat rows and columns on each
side, then cut where a gap of the surrounding colour goes right through it, and each part is treated likewise (the
XY-cut of Nagy and Seth, "Hierarchical representation of optically scanned documents", 1984). Text and buttons fall
away because they are small. A block that was only ever peeled is a picture without its border; one that was cut out of
others stands in a screenshot. A wrong guess costs one hash, and one search for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casewright.kernels.flat import of_colour_fast, quiet
from casewright.kernels.pdq import Pixels

LOOKED_AT = 512
"""The longer side is looked at in so many pixels, picked, not mixed: edges stay sharp."""
TOLERANCE, FLAT, GAP = 24, 0.98, 0.995
"""How far a channel may be from the surrounding colour; and what part of a row or column must be of it to be peeled
off, and to be a gap. Text in a margin breaks it; the noise of JPEG does not."""
STEP, QUIET = 9, 0.97
"""A blurred margin hardly changes from pixel to pixel."""
LEAST_PART, LEAST_SIDE = 0.04, 32
"""What is smaller is no picture: part of the whole area, and pixels of those looked at."""
AROUND = 0.25
"""Part of a block's outline that must be of one colour for it to be the surroundings."""
PAPER = 0.5
"""A part of a screen of which more than this is of the surrounding colour is text, or a picture with much around it."""
DEEPEST, AT_MOST, MOST = 9, 4, 8
"""How often a part is cut again; how many parts of a block are looked at; how many rectangles are given."""
Block = tuple[int, int, int, int]
"""Top, left, bottom, right."""
Guess = tuple[int, str, Block]
"""Its rank, what it would be, and where."""


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in pixels of the picture, and what it would be: `border` or `screenshot`."""

    kind: str
    top: int
    left: int
    bottom: int
    right: int


def rectangles(pixels: Pixels) -> list[Rectangle]:
    """The likeliest rectangles, at most `MOST`, of uint8 [height, width] or [height, width, channels]."""
    colours = pixels[..., None] if pixels.ndim == 2 else pixels[..., :3]
    height, width = colours.shape[:2]
    step = -(-max(height, width) // LOOKED_AT)
    small = np.ascontiguousarray(colours[step // 2 :: step, step // 2 :: step])
    if min(small.shape[:2]) < LEAST_SIDE:
        return []
    guesses = [
        g for g in (*_parts(small, (0, 0, *small.shape[:2]), "border", 0), *_sharp(small)) if _is_large(g[2], small)
    ]
    best: dict[Block, tuple[int, str]] = {}
    for rank, kind, block in guesses:
        best[block] = min(best.get(block, (rank, kind)), (rank, kind))
    chosen = sorted(best, key=lambda block: (best[block][0], -_area(block), block))[:MOST]
    return [Rectangle(best[block][1], *_in_full(block, small, height, width, step)) for block in chosen]


def _in_full(block: Block, small: Pixels, height: int, width: int, step: int) -> Block:
    """The block in pixels of the picture. Its edge lies between two of the pixels that were looked at."""
    ends = (*small.shape[:2], *small.shape[:2])
    full = (height, width, height, width)
    top, left, bottom, right = (
        0 if at == 0 else size if at >= end else at * step for at, end, size in zip(block, ends, full, strict=True)
    )
    return top, left, bottom, right


def _area(block: Block) -> int:
    return (block[2] - block[0]) * (block[3] - block[1])


def _is_large(block: Block, small: Pixels) -> bool:
    """Large enough for a picture, and not the whole."""
    sides, whole = (block[2] - block[0], block[3] - block[1]), small.shape[0] * small.shape[1]
    return min(sides) >= LEAST_SIDE and LEAST_PART * whole <= _area(block) < whole


def _parts(small: Pixels, block: Block, kind: str, depth: int, paper: tuple[Pixels, ...] = ()) -> Iterator[Guess]:
    """What is left of the block when it is peeled, and of what it is cut into. `paper`: what surrounds the block."""
    inner, peeled = _peeled(small, block)
    around = [c for c in (_around(small, b) for b in dict.fromkeys((block, inner))) if c is not None]
    cuts = [(_cut(small, inner, c), c) for c in (*around, *peeled, *paper)] if depth < DEEPEST else []
    cut, colour = max(cuts, key=lambda c: (c[0] != [inner], len(c[0])), default=([inner], None))
    if inner != block:
        yield _guess(small, inner, kind, around[:1], cut != [inner])
    if cut == [inner] or colour is None:
        return
    kind = kind if len(cut) == 1 else "screenshot"
    for part in sorted((b for b in cut if _is_large(b, small)), key=lambda b: (-_area(b), b))[:AT_MOST]:
        inside = list(_parts(small, part, kind, depth + 1, (colour, *paper[:1])))
        yield _guess(small, part, kind, [colour], bool(inside))
        yield from inside


def _guess(small: Pixels, block: Block, kind: str, colours: list[Pixels], holds_more: bool) -> Guess:
    """A block with its rank: 0 when it cannot be taken apart, 1 when it can, 2 when it looks like text on paper."""
    text = kind == "screenshot" and any(_is_text(small, block, colour) for colour in colours)
    return 2 if text else int(holds_more), kind, block


def _is_text(small: Pixels, block: Block, colour: Pixels) -> bool:
    """Much of it is of the surrounding colour."""
    rows, _ = of_colour_fast(small, block, colour, TOLERANCE)
    return bool(rows.sum() > PAPER * _area(block))


def _peeled(small: Pixels, block: Block) -> tuple[Block, list[Pixels]]:
    """Without the rows and columns of one colour at each side, and those colours; each side may have its own."""
    top, left, bottom, right = block
    colours: list[Pixels] = []
    for _ in range(2):  # what is peeled off the sides may free the top
        top += _run(small, (top, left, bottom, right), 0, False, colours)
        bottom -= _run(small, (top, left, bottom, right), 0, True, colours)
        left += _run(small, (top, left, bottom, right), 1, False, colours)
        right -= _run(small, (top, left, bottom, right), 1, True, colours)
        if min(bottom - top, right - left) < LEAST_SIDE:
            return block, []
    return (top, left, bottom, right), colours


def _run(small: Pixels, block: Block, axis: int, from_end: bool, colours: list[Pixels]) -> int:
    """How many rows (axis 0) or columns from this side on are of the colour of the outermost; adds it to `colours`."""
    top, left, bottom, right = block
    if bottom <= top or right <= left:
        return 0
    part = small[top:bottom, left:right]
    line = part.take(-1 if from_end else 0, axis)
    colour = np.median(line, axis=0).astype(np.uint8)
    if (abs(line.astype(np.int16) - colour) <= TOLERANCE).all(axis=1).mean() < FLAT:
        return 0
    counts = of_colour_fast(small, block, colour, TOLERANCE)[axis]
    run = _leading(counts >= FLAT * part.shape[1 - axis], from_end)
    if run and not any((abs(c.astype(np.int16) - colour) <= TOLERANCE).all() for c in colours):
        colours.append(colour)
    return run


def _leading(flat: NDArray[np.bool_], from_end: bool) -> int:
    """Number of true values before the first false one."""
    ordered = flat[::-1] if from_end else flat
    return len(ordered) if ordered.all() else int(ordered.argmin())


def _cut(small: Pixels, block: Block, colour: Pixels) -> list[Block]:
    """The parts between gaps of this colour: gaps across if there are any, otherwise gaps down."""
    top, left, bottom, right = block
    rows, columns = of_colour_fast(small, block, colour, TOLERANCE)
    across = _between(rows >= GAP * (right - left))
    if across != [(0, bottom - top)]:
        return [(top + a, left, top + b, right) for a, b in across]
    return [(top, left + a, bottom, left + b) for a, b in _between(columns >= GAP * (bottom - top))]


def _between(gaps: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last + 1 of each run of false values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], gaps, [True]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _around(small: Pixels, block: Block) -> Pixels | None:
    """The colour that most of the block's outline has; None where it has no such colour."""
    top, left, bottom, right = block
    part = small[top:bottom, left:right]
    line = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    coarse = (line >> 4).astype(np.int64) @ (1 << (4 * np.arange(line.shape[1])))
    kinds, counts = np.unique(coarse, return_counts=True)
    if counts.max() < AROUND * len(line):
        return None
    colour: Pixels = np.median(line[coarse == kinds[counts.argmax()]], axis=0).astype(np.uint8)
    return colour


def _sharp(small: Pixels) -> Iterator[Guess]:
    """Without blurred margins: of the rows, of the columns, and of both."""
    height, width = small.shape[:2]
    rows, columns = quiet(small, STEP)
    top, bottom = (_leading(rows >= QUIET * width, end) for end in (False, True))
    left, right = (_leading(columns >= QUIET * height, end) for end in (False, True))
    for t, le, b, r in ((top, 0, bottom, 0), (0, left, 0, right), (top, left, bottom, right)):
        if t + b < height and le + r < width and (t + b > 0 or le + r > 0):
            yield 0, "border", (t, le, height - b, width - r)
