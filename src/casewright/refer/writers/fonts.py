"""Letters that a document can draw. typst brings fonts for Latin, Greek, Cyrillic and Hebrew; for others see below.

A document draws the scripts that it asks for, and no others: so its bytes depend on no font that happens to be there.
Every other letter, and what steers text, is written as an escape.
"""

import re
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from casewright.model.errors import Missing, UsageError

COVERED = ((0x20, 0x7E), (0xA1, 0x2AF), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x1E00, 0x1EFF),
           (0x2010, 0x2040), (0x2044, 0x2052), (0x20A0, 0x20BF), (0x2190, 0x21FF))  # fmt: skip
"""What the fonts inside typst can draw, found by trial; a test tries each. PDF/A forbids boxes for missing letters."""
EMBEDDED = ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono")


@dataclass(frozen=True)
class Script:
    """Letters beyond those, the font that draws them, and the Debian package that has its files."""

    family: str
    files: tuple[str, ...]
    package: str
    covered: tuple[tuple[int, int], ...]


SCRIPTS = {
    "hangul": Script("NanumGothic", ("NanumGothic.ttf", "NanumGothicBold.ttf"), "fonts-nanum",
                     ((0x3131, 0x318E), (0xAC00, 0xD7A3), (0x3001, 0x3002), (0x300C, 0x300F))),
    "arabic": Script("Noto Sans Arabic", ("NotoSansArabic-Regular.ttf", "NotoSansArabic-Bold.ttf"), "fonts-noto-core",
                     ((0x60C, 0x60C), (0x61B, 0x61B), (0x61F, 0x61F), (0x621, 0x64A), (0x660, 0x669), (0x671, 0x6D3))),
}  # fmt: skip


@dataclass(frozen=True)
class Letters:
    """What one document can draw: the embedded fonts, and these scripts, whose fonts lie under `folders`."""

    scripts: tuple[str, ...] = ()
    folders: tuple[str, ...] = ("/usr/share/fonts",)

    @property
    def families(self) -> list[str]:
        return [EMBEDDED[0], *(SCRIPTS[name].family for name in self.scripts), *EMBEDDED[1:]]

    def drawable(self, text: str) -> str:
        """Letters that the fonts lack and marks that steer text as escapes; the sheets hold the letters."""
        return _foreign(self.scripts).sub(lambda found: f"\\u{ord(found[0]):04x}", text)

    @contextmanager
    def folder(self) -> Iterator[list[str]]:
        """A folder with the fonts of these scripts and no others. Raises Missing for one that is not on the machine."""
        if not self.scripts:
            yield []
            return
        with tempfile.TemporaryDirectory(prefix="casewright-fonts-") as made:
            for path in self.files():
                (Path(made) / path.name).symlink_to(path)
            yield [made]

    def files(self) -> list[Path]:
        """The fonts' files."""
        return [_found(name, file, self.folders) for name in self.scripts for file in SCRIPTS[name].files]


def check_scripts(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once. Raises UsageError for one that is unknown."""
    for name in names:
        if name not in SCRIPTS:
            raise UsageError(f"there is no script {name!r} to draw. There are: {', '.join(SCRIPTS)}.")
    return tuple(dict.fromkeys(names))


@cache
def _found(script: str, file: str, folders: tuple[str, ...]) -> Path:
    for folder in folders:
        for path in sorted(Path(folder).rglob(file)):
            return path.resolve()
    raise Missing(
        f"letters of the script {script} need the font {file}, which is not under {', '.join(folders)}. On Debian: "
        f"apt-get install {SCRIPTS[script].package}. Or name its folder in case.toml: [refer] font_folders."
    )


@cache
def _foreign(scripts: tuple[str, ...]) -> re.Pattern[str]:
    """One letter that cannot be drawn, or must not be because it steers text."""
    ranges = [*COVERED, *(one for name in scripts for one in SCRIPTS[name].covered)]
    letters = (chr(n) for first, last in ranges for n in range(first, last + 1))
    drawn = "".join(re.escape(c) for c in letters if c.isprintable() and not unicodedata.combining(c))
    return re.compile(f"[^{drawn}]")
