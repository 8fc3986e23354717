"""How speed is measured here: wall and processor time of both sides in turns, medians, and one table of them.

Processor time is that of the process with all its descendants, living or gone, so that a program and a function count
alike. Both sides take turns, so that a busy minute of the machine falls on both. A side's answer is made of digests;
where two sides' answers differ the figures mean nothing, and the run fails.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

Side = Callable[[], Any]
CHILD = "seconds"
"""A side that is a program of its own answers with its own time under this name, so that its start does not count."""


@dataclass(frozen=True)
class Time:
    """Seconds of one run, or the medians of several. `cpu`: of one core."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Line:
    """A line of the table. Speeds in `unit`; `wanted` is a lower bound of the ratio, of processor or wall time."""

    claim: str
    what: str
    peer: str
    unit: str
    ours_wall: float
    ours_core: float
    peer_wall: float | None = None
    peer_core: float | None = None
    wanted: float | None = None
    by_wall: bool = False
    bound: str = ""
    note: str = ""

    @property
    def ratios(self) -> tuple[float, float] | None:
        """By wall time and by processor time; None without a peer."""
        if not self.peer_wall or not self.peer_core:
            return None
        return self.ours_wall / self.peer_wall, self.ours_core / self.peer_core

    @property
    def verdict(self) -> str:
        if self.note or self.wanted is None or not (ratios := self.ratios):
            return self.note
        return "reached" if ratios[not self.by_wall] >= self.wanted else "short"


@dataclass
class Table:
    """All lines, and where the answers of two sides differ."""

    lines: list[Line] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def add(self, line: Line) -> None:
        self.lines.append(line)
        print(" | ".join(cells(line)[1:]), flush=True)

    def must_agree(self, where: str, answers: Mapping[str, Any]) -> None:
        """The first answer is the reference for the others. Of two mappings the names that both have are compared."""
        (first, reference), *others = answers.items()
        for name, answer in others:
            if not _agree(reference, answer):
                self.differences.append(f"{where}: {first} says {reference!s:.200}, {name} says {answer!s:.200}")

    def markdown(self) -> str:
        head = ["claim", "what", "peer", "ours", "peer's", "ours a core", "peer's a core", "ratio", "ratio a core",
                "wanted", "bounds", ""]  # fmt: skip
        rows = [head, ["---"] * len(head), *map(cells, self.lines)]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _agree(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        shared = one.keys() & other.keys()
        return bool(shared) and all(one[name] == other[name] for name in shared)
    return bool(one == other)


def cells(line: Line) -> list[str]:
    ratios = line.ratios
    wanted = "" if line.wanted is None else f"≥ {line.wanted:g}{'' if line.by_wall else ' a core'}"
    return [
        line.claim, line.what, line.peer, _speed(line.ours_wall, line.unit), _speed(line.peer_wall, line.unit),
        _speed(line.ours_core, line.unit), _speed(line.peer_core, line.unit),
        *([f"{ratio:.2f}" for ratio in ratios] if ratios else ["", ""]), wanted, line.bound, line.verdict,
    ]  # fmt: skip


def _speed(figure: float | None, unit: str) -> str:
    return "" if figure is None else f"{figure:,.0f} {unit}"


def race(sides: Mapping[str, Side], runs: int, warm: bool = True) -> tuple[dict[str, Time], dict[str, Any]]:
    """Every side's median times and its last answer. `warm`: each runs once before, and that run does not count."""
    times: dict[str, list[Time]] = {name: [] for name in sides}
    answers: dict[str, Any] = {}
    for turn in range(runs + warm):
        for name, side in sides.items():
            took, answers[name] = clock(side)
            if turn >= warm:
                times[name].append(took)
    medians = {name: Time(median(t.wall for t in mine), median(t.cpu for t in mine)) for name, mine in times.items()}
    return medians, answers


def clock(side: Side) -> tuple[Time, Any]:
    wall, cpu = time.perf_counter(), processor_time()
    answer = side()
    took = Time(time.perf_counter() - wall, max(processor_time() - cpu, 1e-9))
    if isinstance(answer, dict) and CHILD in answer:
        took = Time(answer.pop(CHILD), answer.pop("cpu"))
    return took, answer


def processor_time() -> float:
    """Seconds that this process and all its descendants have used."""
    gone = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + gone.ru_utime + gone.ru_stime + sum(_ticks(p) for p in descendants()) / _HERTZ


_HERTZ = 100
"""USER_HZ, in which Linux tells times: the same on all common machines."""


def descendants() -> Iterable[Path]:
    """Folders under /proc of the processes that live below this one."""
    found, todo = [], [Path("/proc/self")]
    while todo:
        for task in todo.pop().glob("task/*/children"):
            try:
                below = [Path("/proc") / number for number in task.read_text().split()]
            except OSError:  # it ended just now
                continue
            found += below
            todo += below
    return found


def _ticks(process: Path) -> int:
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended just now
        return 0
    return sum(int(number) for number in fields[11:15])


def peak() -> int:
    """Bytes that this program held at most; the resource module would count the program that started it, too."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@contextmanager
def place(folder: Path | None) -> Iterator[Path]:
    """The folder, which stays; or one that goes when the measurement is over."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="casewright-bench-") as made:
            yield Path(made)
