"""The tables of all claims in docs/performance.md, from what `all.py` keeps in `claims.json`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claims import SAME, Claim, Wanted, wanted
from told import wtv

RESULTS, WTV = Path(__file__).with_name("claims.json"), Path(__file__).with_name("wtv.json")
BEGIN, END = "<!-- bench-all: written by bench/all.py -->\n", "<!-- end of bench-all -->\n"
AGAINST = ("claim", "of what", "ours", "peer", "the peer's", "times as fast", "wanted", "met")
ALONE = ("claim", "of what", "measured", "wanted", "met")
RUNS = ("bench", "called with", "day", "load before and after", "commit", "seconds", "of processor")
NUMBERS = frozenset(("ours", "the peer's", "times as fast", "wanted", "measured", "seconds", "of processor"))
DIGITS = 3
CORES = 2
GOOD, BAD = "yes", "**no**"
Kept = Mapping[str, Any]


def kept() -> dict[str, Any]:
    """What was measured: by bench, small and full."""
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}  # type: ignore[no-any-return]


def write_report(known: Kept, docs: Path | None) -> str:
    """All tables; with `docs`, also into its performance.md."""
    full_size = wtv(json.loads(WTV.read_text("utf-8"))) if WTV.is_file() else {}
    text = tables({**known, "wtv": {"full": full_size} if full_size else {}})
    if docs:
        page = (docs / "performance.md").read_text("utf-8")
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        (docs / "performance.md").write_text(f"{before}{BEGIN}{text}{END}{after}", "utf-8")
    return text


def tables(known: Kept) -> str:
    told = [(line, *measured(line, known)) for line in wanted()]
    against = [row_against(*one) for one in told if one[0].peer]
    alone = [row_alone(*one) for one in told if not one[0].peer]
    runs = [row_of_run(name, run) for name, sizes in known.items() for run in sizes.values()]
    return "\n".join([summary(known, told), "### Against peers", *table(AGAINST, against), "",
                      "### Against the figure that the issue names", *table(ALONE, alone), "",
                      "### Where these were measured", *table(RUNS, runs), ""])  # fmt: skip


def measured(line: Wanted, known: Kept) -> tuple[Claim | None, str]:
    """What was measured of it, at the full size where it was, and what is to be said of that; or why it was not."""
    why = "not measured yet"
    for size in ("full", "small"):
        run = known.get(line.bench, {}).get(size)
        if not run:
            continue
        found = next((one for one in map(_claim, run["claims"]) if one.key == line.key), None)
        if found and found.ours is not None:
            return found, "beside other work" if line.by == "wall" and max(run["load"], default=0) > CORES else ""
        if size == "full" or why == "not measured yet":
            why = (found.note if found else "") or run["reason"] or "the bench told nothing of it"
    return None, why


def _claim(told: Claim | Mapping[str, Any]) -> Claim:
    return told if isinstance(told, Claim) else Claim(**told)


def met(line: Wanted, claim: Claim | None) -> str:
    """Whether what is wanted holds; nothing where nothing is wanted, or the size is not the one that counts."""
    if claim is None or claim.ours is None or (line.ratio, line.most, line.least) == (None, None, None):
        return ""
    if line.size and line.size not in claim.size:
        return f"to be measured with {line.size}"
    if line.ratio is not None:
        if claim.ratio is None:
            return ""
        return GOOD if claim.ratio >= line.ratio else BAD
    good = claim.ours <= line.most if line.most is not None else claim.ours >= (line.least or 0)
    return GOOD if good else BAD


def row_against(line: Wanted, claim: Claim | None, why: str) -> list[str]:
    least = "" if line.ratio is None else f"≥ {line.ratio:g}{' by the clock' * (line.by == 'wall')}"
    if claim is None:
        return [line.what, "", "", line.peer, "", "", least, why]
    peer = f"{line.peer} ({claim.version})" if claim.version else line.peer
    ours, ratio = figure(claim.ours, claim.unit), claim.ratio
    if ratio is None:
        return [line.what, claim.size, ours, peer, "", "", least, f"peer not measured: {claim.note or why}"]
    return [line.what, claim.size, ours, peer, figure(claim.theirs, claim.unit), f"{ratio:.2f}", least,
            remarked(met(line, claim), why)]  # fmt: skip


def row_alone(line: Wanted, claim: Claim | None, why: str) -> list[str]:
    bound = next((f"{sign} {figure(n, line.unit)}" for sign, n in (("≤", line.most), ("≥", line.least)) if n), "")
    if claim is None:
        return [line.what, "", "", bound, why]
    return [line.what, claim.size, figure(claim.ours, claim.unit), bound, remarked(met(line, claim), why)]


def remarked(verdict: str, remark: str) -> str:
    return f"{verdict}, {remark}" if verdict in (GOOD, BAD) and remark else verdict


def row_of_run(name: str, run: Mapping[str, Any]) -> list[str]:
    load, command = " and ".join(f"{one:.1f}" for one in run["load"]), run["command"]
    took = [f"{run[of]:,}" if run.get(of) else "" for of in ("seconds", "cpu")]
    return [name, f"`{command}`" if command else "", run["day"], load, run["commit"], *took]


def summary(known: Kept, told: list[tuple[Wanted, Claim | None, str]]) -> str:
    """How many hold, and on what machine."""
    verdicts = [met(line, claim) for line, claim, _ in told if (line.ratio, line.most, line.least) != (None,) * 3]
    good, bad = verdicts.count(GOOD), verdicts.count(BAD)
    left = len(verdicts) - good - bad
    machines = sorted({run["machine"] for sizes in known.values() for run in sizes.values()})
    where = "; ".join(machines) or "Nothing was measured yet"
    return (f"{where}. {len(told)} claims; of {len(verdicts)} figures that issues want {good} hold, {bad} do not, and "
            f"{left} were not measured, or at a smaller size.\n")  # fmt: skip


def figure(number: float | None, unit: str) -> str:
    """With three digits that count."""
    if number is None:
        return ""
    text = f"{number:,.0f}" if abs(number) >= 10 ** (DIGITS - 1) else f"{number:.{DIGITS}g}"
    return f"{text} {unit}".strip()


def table(head: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    """A claim that the row before has too is told once."""
    sides = ["---:" if name in NUMBERS else "---" for name in head]
    said = [[SAME if n and row[0] == rows[n - 1][0] else row[0], *row[1:]] for n, row in enumerate(rows)]
    return [f"| {' | '.join(row)} |" for row in (list(head), sides, *said)]
