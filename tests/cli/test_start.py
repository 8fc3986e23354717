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


@pytest.mark.parametrize("module", ["casewright.cli.app", "duckdb", "pyarrow"])
def test_ctrl_c_while_the_program_still_loads_is_answered_in_a_sentence(module: str) -> None:
    program = [sys.executable, "-c", STOPPED_EARLY.format(module=module)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr.strip().startswith("Stopped. Nothing is lost")
    assert "Traceback" not in done.stderr


def test_the_package_runs_as_the_command_does() -> None:
    done = casewright("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("casewright ")
