"""How speed is measured here: wall and processor time of both sides in turns, medians, and one table of them.

Processor time is that of the process with all its descendants, living or gone, so that a program and a function count
alike. Both sides take turns, so that a busy minute of the machine falls on both. A side's answer is made of digests;
where two sides' answers differ the figures mean nothing, and the run fails.
"""

import os
import platform
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from claims import Claim, Wanted, hand_over, wanted

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
    """A line of the table. Speeds in `unit`; `wanted`: what the list of claims says of it, where it stands there."""

    claim: str
    what: str
    peer: str
    unit: str
    ours_wall: float
    ours_core: float
    peer_wall: float | None = None
    peer_core: float | None = None
    wanted: Wanted | None = None
    bound: str = ""
    note: str = ""

    @property
    def by_wall(self) -> bool:
        return self.wanted is not None and self.wanted.by == "wall"

    @property
    def least(self) -> float | None:
        """The ratio that is wanted."""
        return self.wanted.ratio if self.wanted else None

    @property
    def ratios(self) -> tuple[float, float] | None:
        """By wall time and by processor time; None without a peer."""
        if not self.peer_wall or not self.peer_core:
            return None
        return self.ours_wall / self.peer_wall, self.ours_core / self.peer_core

    @property
    def verdict(self) -> str:
        if self.note or self.least is None or not (ratios := self.ratios):
            return self.note
        return "reached" if ratios[not self.by_wall] >= self.least else "short"

    def told(self) -> Claim:
        """As it is handed over. With a peer in the list, the speeds that it is held against the peer by."""
        assert self.wanted
        speeds = (self.ours_wall, self.peer_wall) if self.by_wall else (self.ours_core, self.peer_core)
        ours, theirs = speeds if self.unit else (None, None)
        return Claim(self.wanted.key, ours or None, self.unit, self.what, theirs, note=self.note)


@dataclass
class Table:
    """All lines of a bench, what else it hands over, and where the answers of two sides differ."""

    bench: str
    lines: list[Line] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def add(self, line: Line, key: str = "") -> None:
        """`key`: of a claim in the list, where it is one."""
        if key:
            line = replace(line, wanted=next(one for one in wanted(self.bench) if one.key == key))
            self.claims.append(line.told())
        self.lines.append(line)
        print(" | ".join(cells(line)[1:]), flush=True)

    def end(self, claims: Path | None) -> None:
        """Hand over what is claimed, and fail where answers differ."""
        if self.differences:
            raise SystemExit("ANSWERS DIFFER, so the figures mean nothing:\n" + "\n".join(self.differences))
        hand_over(self.bench, claims, self.claims)

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
    least = "" if line.least is None else f"≥ {line.least:g}{'' if line.by_wall else ' a core'}"
    return [
        line.claim, line.what, line.peer, _speed(line.ours_wall, line.unit), _speed(line.peer_wall, line.unit),
        _speed(line.ours_core, line.unit), _speed(line.peer_core, line.unit),
        *([f"{ratio:.2f}" for ratio in ratios] if ratios else ["", ""]), least, line.bound, line.verdict,
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


def descendants(of: Path = Path("/proc/self")) -> list[Path]:
    """Folders under /proc of the processes that live below one."""
    found, todo = [], [of]
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


EVERY = 0.5
"""Seconds from one look at processes to the next."""


@dataclass
class Look:
    """What processes held and had used at one moment: bytes of their own, bytes with mapped files, seconds."""

    at: float
    own: int
    whole: int
    cpu: float


def held(process: Path) -> tuple[int, int]:
    """Bytes of its own, and with what is mapped from files; shared ones by their share."""
    try:
        lines = dict(one.split(":", 1) for one in (process / "smaps_rollup").read_text().splitlines()[1:])
    except (OSError, ValueError):  # it ended just now
        return 0, 0
    own = sum(int(lines[name].split()[0]) for name in ("Pss_Anon", "Pss_Shmem"))
    return own * 1024, int(lines["Pss"].split()[0]) * 1024


@contextmanager
def looking(with_me: bool = False) -> Iterator[list[Look]]:
    """All processes below this one (`with_me`: and itself), looked at twice a second, and once at the end."""
    looks, over, before = list[Look](), threading.Event(), processor_time()

    def look() -> None:
        me = [Path("/proc/self")] * with_me
        sizes = [held(process) for process in (*me, *descendants())] or [(0, 0)]
        own, whole = (sum(column) for column in zip(*sizes, strict=True))
        used = max(processor_time() - before, looks[-1].cpu if looks else 0.0)  # what a process used stays used
        looks.append(Look(time.time(), own, whole, used))

    def go_on() -> None:
        while not over.wait(EVERY):
            look()

    look()
    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield looks
    finally:
        over.set()
        thread.join()
        look()


def most(looks: Sequence[Look]) -> tuple[int, int]:
    """The most bytes that were held at once: their own, and with mapped files."""
    return max(one.own for one in looks), max(one.whole for one in looks)


def machine() -> str:
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB of memory, CPython {platform.python_version()}"


@contextmanager
def place(folder: Path | None) -> Iterator[Path]:
    """The folder, which stays; or one that goes when the measurement is over."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="casewright-bench-") as made:
            yield Path(made)
