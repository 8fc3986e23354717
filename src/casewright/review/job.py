"""Long work that a visitor asked for: the same command that they could type, as a process of its own.

So the server stays quick, and a server that is killed leaves a command that was killed: nothing is lost, and the next
one goes on.
"""

import json
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from casewright.model.errors import Refused

LAST_WORDS = 2_000


@dataclass(frozen=True)
class Said:
    """How far the work is. `state`: nothing, running, done or failed."""

    state: str = "nothing"
    command: str = ""
    words: str = ""


class Work:
    """At most one command at a time."""

    def __init__(self, program: Sequence[str], case: Path) -> None:
        self._program, self._case, self._turn = tuple(program), case, threading.Lock()
        self.said = Said()

    def start(self, verb: str, *options: str) -> None:
        """Begin; raises Refused when another command still runs."""
        with self._turn:
            if self.said.state == "running":
                raise Refused(f"{self.said.command} still runs. Wait for it.")
            self.said = Said("running", f"casewright {verb}")
        line = [*self._program, verb, str(self._case), *options, "--json"]
        threading.Thread(target=self._run, args=(line,), daemon=True).start()

    def _run(self, line: list[str]) -> None:
        try:
            done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603  our own program
        except OSError as error:
            self.said = replace(self.said, state="failed", words=str(error))
            return
        good = done.returncode in (0, 3)
        self.said = replace(self.said, state="done" if good else "failed", words="" if good else _why(done))


def _why(done: "subprocess.CompletedProcess[str]") -> str:
    """What the command said was wrong."""
    try:
        return str(json.loads(done.stdout)["error"])
    except (ValueError, KeyError, TypeError):
        return done.stderr[-LAST_WORDS:].strip()
