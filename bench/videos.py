"""Videos: what is found of known clips inside longer videos, and of parts of known videos, and what is found wrongly.

uv run python bench/videos.py [--quick] [--seed N] [--out FILE]
"""

import argparse
import io
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pyarrow as pa
from films import FORMS, Cut, Film, Form, black, encoded, intro, shots

from casewright.media.containment import Rules
from casewright.media.films import Films
from casewright.media.streams import Video
from casewright.media.video_matching import video_matches
from casewright.media.videos import read_frames, read_keyframes
from casewright.model.settings import MediaSettings
from casewright.model.tables import TABLES

MOST = 10**12


@dataclass(frozen=True)
class Case:
    """A video of the case, and of which listed film it shows what: seconds here from and to, and there."""

    name: str
    film: Any
    kind: str
    entry: str | None = None
    here: tuple[float, float] = (0, 0)
    there: tuple[float, float] = (0, 0)


def main() -> None:
    options = argparse.ArgumentParser(description="containment of videos")
    options.add_argument("--quick", action="store_true", help="fewer films")
    options.add_argument("--seed", type=int, default=41, help="other films")
    options.add_argument("--out", type=Path, help="write the table here")
    chosen = options.parse_args()
    dice = Random(chosen.seed)
    known, cases = world(dice, 6 if chosen.quick else 24)
    listed = {name: hashed(encoded(film, Form(), dice), read_frames) for name, film in known.items()}
    table = [
        "| hashed | kind | videos | found | called so | span off, median s | most s | beyond 2 s | wrongly found |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    raws = {case.name: encoded(case.film, FORMS[number % len(FORMS)], dice) for number, case in enumerate(cases)}
    for name, read in (("a frame a second", read_frames), ("keyframes", read_keyframes)):
        table += measured(name, cases, listed, {n: hashed(raw, read) for n, raw in raws.items()})
    print("\n".join(table))
    if chosen.out:
        chosen.out.write_text("\n".join(table) + "\n", "utf-8")


def world(dice: Random, count: int) -> tuple[dict[str, Film], list[Case]]:
    """Known films with intros, and videos of the case: the whole inside a longer one, with and without its intro; a
    part alone; the whole; and films that share nothing but intros, black and logos."""
    intros = [intro(n) for n in range(3)]
    known, cases = {}, []
    for n in range(count):
        name, start = f"known {n}", intros[n % 3] + black(1)
        body = shots(n, dice.uniform(15, 60), dice)
        known[name] = start + body + black(2)
        head, lasts = start.seconds, body.seconds
        before, after = shots(n, dice.uniform(8, 40), dice), shots(n, dice.uniform(8, 40), dice)
        at = before.seconds
        cases += [
            Case(f"clip {n}", before + body + after, "clip inside", name, (at, at + lasts), (head, head + lasts)),
            Case(f"whole {n}", intros[(n + 1) % 3] + before + known[name] + after, "whole inside", name,
                 (9 + at, 9 + at + head + lasts), (0, head + lasts)),
            Case(f"again {n}", known[name], "the same", name, (0, head + lasts), (0, head + lasts)),
            Case(f"other {n}", intros[n % 3] + black(1) + shots(n, dice.uniform(10, 50), dice) + black(2), "another"),
        ]  # fmt: skip
        for seconds in (4.0, 8.0, 15.0):
            begin = dice.uniform(head, head + max(0.0, lasts - seconds))
            end = min(begin + seconds, head + lasts)
            cases.append(Case(f"part {n} {seconds:.0f}", Cut(known[name], begin, end), f"part of {seconds:.0f} s", name,
                              (0, end - begin), (begin, end)))  # fmt: skip
    for n in range(3):
        cases.append(Case(f"intro {n}", intros[n], "intro alone"))
        cases.append(Case(f"intro and little {n}", intros[n] + black(3) + shots(n, 3, dice), "intro and little"))
        cases.append(Case(f"black {n}", black(5 + n), "black"))
    return known, cases


def hashed(raw: bytes, read: Any) -> Video:
    more = (MOST,) if read is read_frames else ()
    found: Video = read(io.BytesIO(raw), 1.0, MOST, *more)
    return found


def measured(what: str, cases: list[Case], listed: dict[str, Video], held: dict[str, Video]) -> list[str]:
    """A line for each kind."""
    entries = TABLES["list_entries"].rows(
        [{"entry": name, "pdq": [h for _, h, _ in video.frames]} for name, video in listed.items()]
    )
    frames = pa.Table.from_pylist([
        {"item": name, "second": s, "pdq": h, "pdq_quality": q, "is_whole": is_whole}
        for name in sorted(held)
        for s, h, q, is_whole in sorted(
            [(*f, True) for f in held[name].frames] + [(*f, False) for f in held[name].between]
        )
    ])  # fmt: skip
    seconds = sum(len(v.frames) for v in held.values())
    print(f"{what}: {seconds} frames, {sum(len(v.between) for v in held.values())} between")
    settings = MediaSettings()
    rules = Rules(settings.pdq_distance, settings.frame_share, settings.excerpt_seconds, settings.common_films,
                  settings.common_seconds)  # fmt: skip
    began = time.process_time()
    films = Films.of_case(frames, settings.pdq_quality)
    rows: list[dict[str, Any]] = video_matches(films, Films.of_lists(entries), rules).to_pylist()
    print(f"{what}: judged in {time.process_time() - began:.1f} s")
    lines = []
    for kind in dict.fromkeys(case.kind for case in cases):
        mine = [case for case in cases if case.kind == kind]
        truth = {(case.name, case.entry): case for case in mine}
        found = [row for row in rows if (row["item"], row["entry"]) in truth]
        wrong = [
            row for row in rows if row["item"] in {c.name for c in mine} and (row["item"], row["entry"]) not in truth
        ]
        for row in wrong:
            print("wrong", row)
        off = []
        for row in found:
            case = truth[row["item"], row["entry"]]
            off.append(
                max(
                    abs(row["item_from"] - case.here[0]),
                    abs(row["item_to"] - case.here[1]),
                    abs(row["entry_from"] - case.there[0]),
                    abs(row["entry_to"] - case.there[1]),
                )
            )
            if off[-1] > 2:
                print("off", case.kind, case.here, case.there, row)
        for case in mine:
            if case.entry and not any(r["item"] == case.name for r in found):
                print("missed", case.name, case.kind, case.here, case.there)
        methods = ", ".join(f"{m} {n}" for m, n in sorted(Counter(r["method"] for r in found).items()))
        wanted = sum(case.entry is not None for case in mine)
        lines.append(
            f"| {what} | {kind} | {len(mine)} | {f'{100 * len(found) / wanted:.1f} %' if wanted else ''} | {methods} | "
            f"{median(off) if off else 0:.2f} | {max(off, default=0):.2f} | {sum(o > 2 for o in off)} | {len(wrong)} |"
        )
    return lines


if __name__ == "__main__":
    main()
