"""How the program begins and is stopped."""

import subprocess
import sys

import pytest

from tests.command import casewright

STOPPED_EARLY = """
import sys
class Finger:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finger())
sys.argv = ["casewright", "--version"]
from casewright.cli.start import main
main()
"""
ASKED = """
import sys
from casewright.cli.app import run_app
code = run_app(sys.argv[1:])
sys.stderr.write(" ".join(name for name in {slow} if name in sys.modules))
sys.exit(code)
"""
SLOW = (
    "numba",
    "pandas",
    "splink",
    "scipy",
    "av",
    "PIL",
    "simplejpeg",
    "casewright.cli.pipeline",
    "casewright.engine.child",
)
"""What takes long to import, and has no part in reading a case."""


@pytest.mark.parametrize("module", ["casewright.cli.app", "duckdb", "pyarrow"])
def test_ctrl_c_while_the_program_still_loads_is_answered_in_a_sentence(module: str) -> None:
    program = [sys.executable, "-c", STOPPED_EARLY.format(module=module)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr.strip().startswith("Stopped. Nothing is lost")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["why", "--help"]])
def test_a_verb_imports_nothing_slow_that_it_has_no_use_for(arguments: list[str]) -> None:
    program = [sys.executable, "-c", ASKED.format(slow=SLOW), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_verb_written_wrong_is_answered_with_those_that_are_like_it() -> None:
    done = casewright("revie")
    assert done.returncode == 2
    assert "Did you mean 'review'" in done.stderr


def test_the_package_runs_as_the_command_does() -> None:
    done = casewright("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("casewright ")
