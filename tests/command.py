"""The command line as tests call it."""

import os
import subprocess
import sys

from casewright.cli.app import run_app


def casewright(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it, in a process of its own."""
    command = [sys.executable, "-m", "casewright", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def in_process(*arguments: str) -> int:
    """The exit code of a command run inside this process."""
    return run_app(list(arguments))
