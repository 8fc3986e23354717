"""Golden texts: the small case's packages as a person reads them, kept beside the tests.

`uv run python -m tests.refer.golden` writes them anew; look at what changed before you commit it.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pypdfium2

from tests.refer.world import packages

FOLDER = Path(__file__).with_name("golden")
COUNTRIES = ("NL", "DE", "ZZ")
LONG = 320
"""Longer lines are told by their length and digest: names of 10,000 letters are part of the case."""
SEALED = ("manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt", "method.md", "README.txt", "figures.csv")
"""Files whose text follows from others, or is the same in all packages; of the case's own texts figures.csv has ids."""


def told(bag: Path) -> str:
    """Everything that the package says, file by file."""
    lines = []
    for path in sorted(p for p in bag.rglob("*") if p.is_file() and p.suffix != ".minisig"):
        lines.append(f"== {path.relative_to(bag).as_posix()}")
        if path.name not in SEALED:
            lines += [_short(line) for line in _lines(path)]
    return "\n".join(lines) + "\n"


def _lines(path: Path) -> Iterator[str]:
    if path.suffix == ".pdf":
        with pypdfium2.PdfDocument(path) as pdf:
            for page in pdf:
                yield from page.get_textpage().get_text_range().split("\r\n")
    elif path.suffix == ".xlsx":
        for sheet in openpyxl.load_workbook(path).worksheets:
            cells = "\t".join(str(cell.value) for row in sheet.iter_rows() for cell in row)
            yield f"-- {sheet.title}: {sheet.max_row} rows, {sheet.max_column} columns, {_digest(cells)}"
    else:
        yield from path.read_text("utf-8").replace("\r\n", "\n").split("\n")


def _short(line: str) -> str:
    text = line.encode("unicode_escape").decode("ascii") if not line.isprintable() else line
    return text if len(text) <= LONG else f"{text[:LONG]}... {len(text)} {_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        for bag in packages(Path(made) / "case", *COUNTRIES):
            (FOLDER / f"{bag.name}.txt").write_text(told(bag), "utf-8")


if __name__ == "__main__":
    main()
