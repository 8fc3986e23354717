"""One input in one parser: how it ended, and whether that is a finding; and what a run of many found."""

import hashlib
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from casewright.kernels.blocks import DamagedBlock
from casewright.model.errors import CasewrightError

OURS = (CasewrightError, DamagedBlock)
"""What a parser may raise: then a person is told why. Anything else is a finding."""
SECONDS = 10
Target = Callable[[bytes], None]


class TooLong(BaseException):
    """An input took longer than it may."""


def tried_on(target: Target, raw: bytes) -> tuple[str, str]:
    """How it ended, in a word that inputs of one kind share; and the trouble, if it was none of our own errors."""
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        target(raw)
    except OURS as error:
        return f"{type(error).__name__} {_shape(str(error))}", ""
    except (Exception, TooLong) as error:  # noqa: BLE001  that is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} {last.filename}:{last.lineno}", traceback.format_exc(limit=-6)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return f"done {len(raw) // 64}", ""


def _shape(text: str) -> str:
    return "".join("9" if c.isdigit() else c for c in text)[:60]


def _too_long(*_: object) -> None:
    raise TooLong(f"more than {SECONDS} s")


class Trial:
    """A parser that is tried for some time. What is found is kept as a file, one for each way of failing."""

    def __init__(self, name: str, target: Target, seconds: float, findings: Path) -> None:
        self._name, self._target, self._findings = name, target, findings
        self._end = time.monotonic() + seconds
        self._now = findings / f"{name}.now"
        self.tried, self.known, self.found, self._slowest = 0, set[str](), set[str](), 0.0

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._end

    def __call__(self, raw: bytes) -> bool:
        """Whether it ended in a way that was not met before."""
        self._now.write_bytes(raw)
        before = time.process_time()
        outcome, trouble = tried_on(self._target, raw)
        self._slowest, self.tried = max(self._slowest, time.process_time() - before), self.tried + 1
        if trouble:
            self._keep(outcome, trouble, raw)
        new = outcome not in self.known
        self.known.add(outcome)
        return new

    def _keep(self, outcome: str, trouble: str, raw: bytes) -> None:
        if outcome not in self.found:
            self.found.add(outcome)
            path = self._findings / f"{self._name}-{hashlib.sha256(raw).hexdigest()[:12]}"
            path.write_bytes(raw)
            print(f"FOUND {self._name}: {path}\n{trouble}", flush=True)

    def end(self, how: str) -> int:
        """Say what came of it; the exit code."""
        self._now.unlink(missing_ok=True)
        print(f"{self._name}: {self.tried:,} inputs {how}, {len(self.known)} outcomes, slowest {self._slowest:.2f} s, "
              f"{len(self.found)} findings", flush=True)  # fmt: skip
        return 1 if self.found else 0
