"""Documents by typst. Text goes in as JSON; no markup is ever made of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

from casewright.refer.writers.fonts import Letters
from casewright.refer.writers.sheets import FIXED


def compile_pdf(template: Path, data: Mapping[str, Any], path: Path, letters: Letters | None = None) -> None:
    """A tagged PDF/A-2a of a template and its data; no clock and no font that it did not ask for reaches it."""
    letters = letters or Letters()
    told = json.dumps({**data, "fonts": letters.families}, ensure_ascii=False)
    with letters.folder() as folders:
        document = typst.compile(
            str(template), format="pdf", ignore_system_fonts=True, font_paths=folders, pdf_standards=["a-2a"],
            timestamp=int(FIXED.timestamp()), sys_inputs={"data": told},
        )  # fmt: skip
    path.write_bytes(document)
