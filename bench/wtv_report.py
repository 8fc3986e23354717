"""The table and the plot of docs/performance.md, from what `wtv.py` measured."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from wtv_stages import against_figures

from casewright.chain.drawing.svg import put

BEGIN, END = "<!-- bench-wtv: written by bench/wtv.py -->\n", "<!-- end of bench-wtv -->\n"
WIDE, HIGH, LEFT, TOP = 720, 420, 70, 20
SHADES = ("#111", "#2f6f8f", "#b5562a", "#6a8f2f", "#8a4f9e", "#c9a227", "#777", "#3a6", "#a33", "#36a", "#963")
LEAST_SECONDS = 1.0
"""Stages below this are not in the table."""
MEASURED = Mapping[str, Any]


def write_report(known: MEASURED, docs: Path | None) -> str:
    """The tables of all sizes; with `docs`, also into its performance.md, with the plot beside it."""
    if not known:
        return "nothing was measured yet"
    sizes = sorted(known.values(), key=lambda one: -one["part"])
    largest = [size for size in sizes if size.get("grades")][-1]
    upto = [size for size in sizes if size["part"] >= largest["part"] and size.get("told")]
    text = "\n".join([_largest(largest), against_figures(upto), _growth(sizes), _truth(largest)])
    if docs:
        (docs / "images" / "wtv.svg").write_bytes(plot(sizes))
        page = (docs / "performance.md").read_text("utf-8")
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        picture = "![Processor time of each verb against the size](images/wtv.svg)\n"
        (docs / "performance.md").write_text(f"{before}{BEGIN}{text}\n{picture}\n{END}{after}", "utf-8")
    return text


def _name(size: MEASURED) -> str:
    return "wtv" if size["part"] == 1 else f"wtv/{size['part']}"


def _largest(size: MEASURED) -> str:
    """Verbs and their stages at the largest size."""
    told = size["told"]
    lines = [
        f"### {_name(size)}, verb by verb",
        f"{size['machine']}; {size['day']}; load of the machine {size['load'][0]:.1f} to {size['load'][1]:.1f}, most "
        "of it others' work, so that processor time is what to compare.",
        f"{told['accounts']:,} accounts, {told['payments']:,} payments in {told['transactions']:,} transactions, "
        f"{told['log lines']:,} log lines, {told['records']:,} media on record, {told['films']:,} films and "
        f"{told['pictures']:,} pictures with real bytes; {size['packages']} packages for {size['countries']} countries "
        "and for accounts that no record places.", "",
        "| | wall, s | processor, s | memory of its own, GB | with mapped files, GB | disk, GB |",
        "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for verb in size["costs"]:
        lines.append(_line(f"**{verb['name']}**", verb))
        lines += [_line(f"– {s['name']}", s) for s in verb["stages"] if s["wall"] >= LEAST_SECONDS]
    whole = {k: sum(v[k] for v in size["costs"]) for k in ("wall", "cpu", "disk")}
    whole |= {k: max(v[k] for v in size["costs"]) for k in ("own", "whole")}
    return "\n".join([*lines, _line("**all**", whole), ""])


def _line(name: str, cost: MEASURED) -> str:
    figures = (f"{cost['wall']:.1f}", f"{cost['cpu']:.1f}", f"{cost['own'] / 1e9:.2f}", f"{cost['whole'] / 1e9:.2f}",
               f"{cost['disk'] / 1e9:.3f}")  # fmt: skip
    return f"| {name} | {' | '.join(figures)} |"


def verbs_own(size: MEASURED) -> tuple[int, str]:
    """The most memory of its own that a verb took, and which."""
    return max((int(verb["own"]), str(verb["name"])) for verb in size["costs"])


def whole_growth(known: MEASURED) -> tuple[str, float] | None:
    """What the largest whole run cost against the line through the two whole ones before, and which they are."""
    sizes = sorted((one for one in known.values() if one.get("grades")), key=lambda one: -one["part"])[-3:]
    costs = [sum(float(verb["cpu"]) for verb in size["costs"]) for size in sizes]
    grown = _times(costs, sizes, 2) if len(sizes) > 2 else None
    return None if grown is None else (", ".join(map(_name, sizes)), grown)


def _growth(sizes: Sequence[MEASURED]) -> str:
    """Processor time at each size, and how it grows: 1.00 is as the size does. What is spent at any size, as two sizes
    tell it, is taken off before. A size whose run was broken off has some verbs only."""
    names = _names(sizes)
    head = ["processor, s", *map(_name, sizes), *(f"{_name(b)} against {_name(a)}" for a, b in _steps(sizes))]
    lines = ["### Cost against size", "| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    for name in [*names, "all"]:
        costs = [_cpu(size, name, len(names)) for size in sizes]
        times = [_times(costs, sizes, n) for n in range(1, len(sizes))]
        grown = ["" if one is None else f"{one:.2f}" for one in times]
        told = ["" if cost is None else f"{cost:.1f}" for cost in costs]
        lines.append(f"| {name} | {' | '.join([*told, *grown])} |")
    return "\n".join([*lines, ""])


def _names(sizes: Sequence[MEASURED]) -> list[str]:
    """The verbs, in order."""
    return [verb["name"] for verb in max((size["costs"] for size in sizes), key=len)]


def _steps(sizes: Sequence[MEASURED]) -> list[tuple[MEASURED, MEASURED]]:
    return list(pairwise(sizes))


def _cpu(size: MEASURED, name: str, verbs: int) -> float | None:
    found = [float(v["cpu"]) for v in size["costs"] if name in ("all", v["name"])]
    return sum(found) if found and (name != "all" or len(found) == verbs) else None


def _times(costs: Sequence[float | None], sizes: Sequence[MEASURED], at: int) -> float | None:
    """Cost over what the line through the two sizes before says; the second size's over so many times the first's."""
    first, second, third = costs[at - 2] if at > 1 else None, costs[at - 1], costs[at]
    if second is None or third is None:
        return None
    shares = [1 / size["part"] for size in sizes]
    if at == 1:
        return third / (second * shares[1] / shares[0])
    if first is None:
        return None
    line = second + (second - first) / (shares[at - 1] - shares[at - 2]) * (shares[at] - shares[at - 1])
    return third / line if line > 0 else None


def _truth(size: MEASURED) -> str:
    lines = [f"### {_name(size)} held against its truth", "| | right | wrong | missed |", "|---|---:|---:|---:|"]
    lines += [f"| {g['stage']} | {g['right']:,} | {g['wrong']:,} | {g['missed']:,} |" for g in size["grades"]]
    return "\n".join([*lines, ""])


def _points(sizes: Sequence[MEASURED], name: str, verbs: int) -> Iterator[tuple[float, float]]:
    for size in sizes:
        cost = _cpu(size, name, verbs)
        if cost is not None:
            yield log10(1 / size["part"]), log10(max(cost, 0.1))


def plot(sizes: Sequence[MEASURED]) -> bytes:
    """Processor time of each verb against the size, both in powers of ten; the thin lines are twice for twice."""
    names = [*_names(sizes), "all"]
    points = {name: list(_points(sizes, name, len(names) - 1)) for name in names}
    xs = [x for line in points.values() for x, _ in line]
    low, high = min(xs) - 0.1, max(xs) + 0.1
    bottom, top = -1.0, max(y for line in points.values() for _, y in line) + 0.2
    right = WIDE - 230

    def x_of(x: float) -> float:
        return round(LEFT + (x - low) / (high - low) * (right - LEFT), 1)

    def y_of(y: float) -> float:
        return round(HIGH - 50 - (y - bottom) / (top - bottom) * (HIGH - 50 - TOP), 1)

    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDE} {HIGH}", "role": "img",
                              "font-family": "DejaVu Sans, Verdana, sans-serif", "font-size": "11"})  # fmt: skip
    put(root, "title", "Processor time of each verb against the size of the operation")
    put(root, "rect", x=0, y=0, width=WIDE, height=HIGH, fill="#fff")
    for decade in range(-1, int(top) + 1):
        put(root, "line", x1=LEFT, x2=right, y1=y_of(decade), y2=y_of(decade), stroke="#ddd")
        put(root, "text", f"{10.0**decade:g} s", x=LEFT - 8, y=y_of(decade) + 4, text_anchor="end", fill="#333")
        ends = (decade, decade + (high - low))
        put(root, "line", x1=x_of(low), y1=y_of(ends[0]), x2=x_of(high), y2=max(y_of(ends[1]), TOP), stroke="#eee")
    for size in sizes:
        at = x_of(log10(1 / size["part"]))
        put(root, "text", _name(size), x=at, y=HIGH - 30, text_anchor="middle", fill="#333")
    put(root, "text", "size of the operation", x=(LEFT + right) / 2, y=HIGH - 10, text_anchor="middle", fill="#333")
    for number, (name, line) in enumerate(points.items()):
        shade = SHADES[number % len(SHADES)]
        path = " ".join(f"{x_of(x)},{y_of(y)}" for x, y in line)
        put(root, "polyline", points=path, fill="none", stroke=shade, stroke_width=3 if name == "all" else 1.5)
        for x, y in line:
            put(root, "circle", cx=x_of(x), cy=y_of(y), r=3, fill=shade)
        put(root, "rect", x=right + 16, y=TOP + 8 + 18 * number, width=12, height=4, fill=shade)
        put(root, "text", name, x=right + 34, y=TOP + 14 + 18 * number, fill="#111")
    return bytes(ET.tostring(root, "utf-8")) + b"\n"
