"""What a bench hands over: each speed that it measured, under the name by which `wanted.toml` lists what is claimed.

A bench takes `--claims FILE` (`claims_option`) and writes there at its end (`hand_over`); `all.py` reads it. The list
is the one place for what is wanted, of which peer, and which issue says so.
"""

import argparse
import json
import shlex
import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("wanted.toml")
SAME = "the same"
PER_SECOND = ("/s", "× real time", "of twice")
"""How a unit ends of which more is better; of seconds and bytes it is less."""


@dataclass(frozen=True)
class Wanted:
    """A line of the list. `ratio`: at least so many times as fast as `peer`; `most`, `least`: the figure itself."""

    bench: str
    key: str
    what: str
    issue: int
    peer: str = ""
    ratio: float | None = None
    most: float | None = None
    least: float | None = None
    unit: str = ""
    by: str = "processor"
    package: str = ""
    program: str = ""
    size: str = ""


@dataclass(frozen=True)
class Claim:
    """What was measured. `size`: of what. `note`: why it, or its peer, was not measured."""

    key: str
    ours: float | None
    unit: str
    size: str = ""
    theirs: float | None = None
    version: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the peer."""
        if not self.ours or not self.theirs:
            return None
        return self.ours / self.theirs if self.unit.endswith(PER_SECOND) else self.theirs / self.ours


def wanted(bench: str = "") -> list[Wanted]:
    """The list, of one bench or of all, in its order."""
    told: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(LIST.read_text("utf-8"))
    before = ""
    for line in (line for lines in told.values() for line in lines.values()):
        before = line["what"] = before if line["what"] == SAME else line["what"]
    return [Wanted(name, key, **line) for name, lines in told.items() if bench in ("", name)
            for key, line in lines.items()]  # fmt: skip


def claims_option(options: argparse.ArgumentParser) -> None:
    options.add_argument("--claims", type=Path, help="write what is claimed here, for bench/all.py")


def hand_over(bench: str, to: Path | None, claims: Iterable[Claim]) -> None:
    """Write claims, each with its peer's version. A name that the list does not have is a mistake."""
    if to is None:
        return
    listed = {one.key: one for one in wanted(bench)}
    told = [asdict(_with_version(_rounded(claim), listed[claim.key])) for claim in claims]
    to.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _rounded(claim: Claim) -> Claim:
    ours, theirs = (None if n is None else float(f"{n:.5g}") for n in (claim.ours, claim.theirs))
    return replace(claim, ours=ours, theirs=theirs)


def _with_version(claim: Claim, line: Wanted) -> Claim:
    if claim.version or claim.theirs is None:
        return claim
    return replace(claim, version=_version_of(line.package) if line.package else said_by(line.program))


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def said_by(command: str) -> str:
    """The number in the first line that a program says of itself; nothing where there is none."""
    if not command:
        return ""
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    except OSError:
        return ""
    words = (done.stdout or done.stderr).strip().partition("\n")[0].split()
    return next((word.strip(",.") for word in words if word[0].isdigit()), "")
