"""A request to one service, or a notice, as a PDF, by typst. Text goes in as JSON; no markup is ever made of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casewright.refer.writers.fonts import Letters
from casewright.refer.writers.pdf import compile_pdf

REQUEST = "request.typ"


def write_letter(
    content: Mapping[str, Any], path: Path, template: str = REQUEST, letters: Letters | None = None
) -> None:
    """One PDF; the same content gives the same bytes."""
    letters = letters or Letters()
    compile_pdf(Path(__file__).with_name(template), _drawable(content, letters), path, letters)


def _drawable(value: Any, letters: Letters) -> Any:
    """The same content, in letters that the fonts can draw."""
    if isinstance(value, str):
        return letters.drawable(value)
    if isinstance(value, Mapping):
        return {key: _drawable(one, letters) for key, one in value.items()}
    return [_drawable(one, letters) for one in value]
