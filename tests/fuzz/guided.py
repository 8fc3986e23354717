"""Inputs that go where none has been: Atheris (Apache-2.0, Google) sees which lines of Casewright an input reaches.

It is no dependency: `just fuzz` fetches it for the run. What numba compiles it does not see; our own ways of spoiling
(`spoiling.py`) are used beside those of its libFuzzer, for the forms that no single byte leads to.
"""

import contextlib
import io
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fuzz.spoiling import MOST, changed

try:
    import atheris
except ImportError:
    atheris = None
HERE = atheris is not None
SOURCE = Path(__file__).parents[2] / "src"
SLOWEST, MEGABYTES = 60, 3000
"""Seconds of an input that does not even let us end it, and memory of the whole process."""


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """What of Casewright is imported inside is watched; where there is no Atheris, nothing is."""
    if atheris is None:
        yield
        return
    compiled = [_module(path) for path in SOURCE.rglob("*.py") if "njit" in path.read_text("utf-8")]
    with contextlib.redirect_stderr(io.StringIO()), atheris.instrument_imports(["casewright"], compiled):
        yield


def _module(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


def guided(name: str, seeds: list[bytes], trial: Any, seed: int, findings: Path) -> None:
    """Try inputs until the time of the trial is over, and end this process. What led somewhere new is kept in
    `findings/grown`, for the next run."""
    grown, corpus = (findings / folder / name for folder in ("grown", "corpus"))
    for folder in (grown, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(seeds):
        (corpus / str(number)).write_bytes(raw)

    def one(raw: bytes) -> None:
        if trial.over:
            os._exit(trial.end("guided"))
        trial(raw)

    def mutated(raw: bytes, most: int, number: int) -> bytes:
        dice = random.Random(number)
        return changed(raw, seeds, dice)[:most] if dice.random() < 0.5 else bytes(atheris.Mutate(raw, most))

    words = os.open(findings / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)  # libFuzzer's own
    os.dup2(words, 2)
    options = {"max_len": MOST, "len_control": 0, "timeout": SLOWEST, "rss_limit_mb": MEGABYTES, "seed": seed,
               "print_final_stats": 1, "artifact_prefix": f"{findings}/{name}-"}  # fmt: skip
    given = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([name, *given, str(grown), str(corpus)], one, custom_mutator=mutated)
    atheris.Fuzz()
