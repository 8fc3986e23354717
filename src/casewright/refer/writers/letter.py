"""A request to one service as a PDF, by typst. Text goes in as JSON; no markup is ever made of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casewright.refer.writers.pdf import compile_pdf, drawable

TEMPLATE = Path(__file__).with_name("request.typ")


def write_letter(content: Mapping[str, Any], path: Path) -> None:
    """One PDF; the same content gives the same bytes."""
    compile_pdf(TEMPLATE, _drawable(content), path)


def _drawable(value: Any) -> Any:
    """The same content, in letters that the fonts can draw."""
    if isinstance(value, str):
        return drawable(value)
    if isinstance(value, Mapping):
        return {key: _drawable(one) for key, one in value.items()}
    return [_drawable(one) for one in value]
