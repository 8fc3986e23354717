"""From where to where a film and a listed one agree: what counts for nothing belongs to the span all the same."""

from dataclasses import replace

import numpy as np

from casewright.media.containment import GROW, UNSURE, Film, Stretch


def widened(film: Film, listed: Film, span: Stretch) -> Stretch:
    """The stretch with what lies before and behind it, agrees, and counts for nothing: dark seconds, an intro. Black is
    passed over, but no stretch ends with it."""
    from casewright.kernels.alignment import meetings  # noqa: PLC0415  slow to import

    every = np.ones(len(listed.counts), bool)
    met = dict(meetings(listed.seconds, listed.hashes, every, film.seconds, film.hashes, film.shows, -span.offset,
                        UNSURE + 0.01, GROW).tolist())  # fmt: skip
    firsts = _reached(film, listed, met, range(span.first - 1, -1, -1), span.offset)
    lasts = _reached(film, listed, met, range(span.last + 1, len(listed.counts)), span.offset)
    first, last = (reached[-1] if reached else at for reached, at in ((firsts, span.first), (lasts, span.last)))
    begin = min(span.begin, float(film.seconds[met[first]])) if firsts else span.begin
    end = max(span.end, float(film.seconds[met[last]]) + 1) if lasts else span.end
    return replace(span, first=first, last=last, begin=begin, end=end)


def _reached(film: Film, listed: Film, met: dict[int, int], way: range, offset: float) -> list[int]:
    """Frames of the listed film on this way that agree, until one faces another picture that counts, or nothing."""
    reached = []
    for at in way:
        here = listed.seconds[at] + offset
        if at in met:
            reached.append(at)
        elif not film.seconds[0] - 1 <= here <= film.seconds[-1] + 1 or _counts_at(film, here):
            break
    return reached


def _counts_at(film: Film, here: float) -> bool:
    low, high = np.searchsorted(film.seconds, [here - UNSURE, here + UNSURE])
    return bool(film.counts[low:high].any())
