"""What benches claim that print their tables and hand nothing over: read from what they print, or what they keep."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from claims import Claim
from wtv_report import verbs_own, whole_growth

Reader = Callable[[str, Sequence[str]], list[Claim]]
"""Of what a bench printed, and of the words that it was called with. Raises ValueError where it is not understood."""


def chain_targeted(said: str, words: Sequence[str]) -> list[Claim]:
    """Its search in bare passes over the same bytes, as it prints them; the most memory of all passes."""
    count = _found(r"^([\d,]+) transactions", said)
    rows, told = _rows(said), list[Claim]()
    for name, seeds, _, times, found, _ in [row for row in rows if row[0].startswith("search, with")]:
        key = f"{'search' if 'without' in name else 'undo'}-{seeds.replace(',', '')}"
        told.append(Claim(key, float(times), "passes", f"{count} transactions, {found} found", 1.0))
    held = [float(row[5]) for row in rows if row[0].startswith(("search", "follow"))]
    return [*told, Claim("memory", max(held), "GB", f"{count} transactions")]


def chain_scale(said: str, words: Sequence[str]) -> list[Claim]:
    """Of the largest chain."""
    row = max(_rows(said), key=lambda one: float(one[0]))
    size = f"{float(row[0]):g} million transactions"
    read, joined, matched = (float(row[n].partition(" ")[0].replace(",", "")) for n in (2, 4, 5))
    return [Claim("read", read, "tx/s", size), Claim("join", joined, "tx/s", size), Claim("match", matched, "s", size),
            Claim("memory", float(row[6]), "GB", size)]  # fmt: skip


def chain_stages(said: str, words: Sequence[str]) -> list[Claim]:
    """Of the largest chain. Where its tables were made at once, nothing is said of the stages that read blocks."""
    rows = _rows(said)
    most = max(float(row[0]) for row in rows)
    stages = {row[1]: row for row in rows if float(row[0]) == most}
    size, told = f"{most:g} million transactions", []
    if "read_blocks" in stages:
        seconds = sum(float(stages[name][2]) for name in ("read_blocks", "blocks"))
        told.append(Claim("blocks", most * 1e6 / seconds, "tx/s", size))
    for name in ("payments", "payments again"):
        if name in stages:
            told.append(Claim(name.replace(" ", "_"), float(stages[name][2]), "s", size))
    held = {name: float(row[4]) for name, row in stages.items() if name != "blocks" or "read_blocks" in stages}
    worst = max(held, key=lambda name: held[name])
    return [*told, Claim("memory", held[worst], "GB", f"{size}, most by {worst}")]


def review(said: str, words: Sequence[str]) -> list[Claim]:
    """The slowest page, the start, and, where a browser was asked, first paint and the graph."""
    accounts = next((int(words[n + 1]) for n, word in enumerate(words) if word == "--accounts"), 1_300_000)
    size = f"{accounts:,} accounts"
    slow = {row[0]: max(float(row[2]), float(row[6])) for row in _rows(said, 9)}
    worst = max(slow, key=lambda name: slow[name])
    told = [Claim("pages", slow[worst], "ms", f"{size}, {worst}"),
            Claim("start", float(_found(r"starts in ([\d.]+) s", said)), "s", size)]  # fmt: skip
    paints = {page: float(ms) for page, ms in re.findall(r"first paint of (\S+): ([\d.]+) ms", said)}
    if not paints:
        note = "measured with --browser only"
        return [*told, *(Claim(key, None, "ms", size, note=note) for key in ("paint", "graph"))]
    late = max(paints, key=lambda page: paints[page])
    nodes, frame = _found(r"a graph of ([\d,]+) nodes", said), _found(r"dragged [\d.]+ ms apart, p95 ([\d.]+)", said)
    return [*told, Claim("paint", paints[late], "ms", f"{size}, {late}"),
            Claim("graph", float(frame), "ms", f"{nodes} nodes")]  # fmt: skip


READERS: Mapping[str, Reader] = {
    "chain_targeted": chain_targeted, "chain_scale": chain_scale, "chain_stages": chain_stages, "review": review,
}  # fmt: skip


def wtv(known: Mapping[str, Any]) -> dict[str, Any]:
    """The largest run that went to its end, and how cost grew: as `all.py` keeps a run."""
    whole = [one for one in known.values() if one.get("grades")]
    if not whole:
        return {}
    largest = min(whole, key=lambda one: one["part"])
    own, verb = verbs_own(largest)
    size = "the whole wtv" if largest["part"] == 1 else f"wtv/{largest['part']}"
    claims = [Claim("memory", own / 1e9, "GB", f"{size}, {verb}")]
    if grown := whole_growth(known):
        claims.append(Claim("linear", grown[1], "times", grown[0]))
    else:
        claims.append(Claim("linear", None, "times", note="three sizes that were run to the end are needed"))
    return {"day": largest["day"], "machine": largest["machine"], "load": largest["load"], "commit": "", "seconds": 0,
            "command": "bench/wtv.py, by itself", "reason": "", "claims": claims}  # fmt: skip


def _rows(said: str, columns: int = 6) -> list[list[str]]:
    """Rows of numbers in the printed tables that are at least so wide; heads and rules are not."""
    split = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in said.splitlines()
             if line.startswith("|")]  # fmt: skip
    found = [row for row in split if len(row) >= columns and re.match(r"[\d.,]+$", row[2])]
    if not found:
        raise ValueError("what it prints is not understood")
    return found


def _found(pattern: str, said: str) -> str:
    match = re.search(pattern, said, re.MULTILINE)
    if not match:
        raise ValueError(f"what it prints is not understood: no {pattern!r}")
    return match[1]
