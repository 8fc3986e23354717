"""What every export asks of the file that it writes."""

from pathlib import Path

from casewright.model.errors import UsageError


def may_be_written(target: Path, option: str) -> None:
    """Raises UsageError for a file that is there already, or has no folder."""
    if target.exists() or not target.parent.is_dir():
        why = "is there already" if target.exists() else "would stand in a folder that is not there"
        raise UsageError(f"{target} {why}. Name another file for {option}.")
