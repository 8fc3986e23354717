"""Names that encoders write into the coded media themselves: x264 and x265 in a message of their own (ITU-T H.264 and
H.265, user data), FFmpeg's libraries in user data and tags."""

import re
from typing import BinaryIO

from casewright.media.trace import ENCODER, Trace, text_of

LOOKED_AT = 1 << 20
"""Bytes that are looked through: an encoder names itself before its first picture."""
NAMED = re.compile(
    rb"x264 - core [ -~]{1,1500}|x265 \(build [ -~]{1,1500}|Lav[cf]\d[\d.]{1,20}(?: lib[a-z0-9_-]{1,30})?|XviD\d{4}"
)


def add_names(file: BinaryIO, start: int, found: list[Trace]) -> None:
    """Each name once, where it stands first."""
    file.seek(start)
    known = {t.value for t in found}
    for match in NAMED.finditer(file.read(LOOKED_AT)):
        value = text_of(match.group())
        if value not in known:
            known.add(value)
            found.append(Trace(ENCODER, value, start + match.start(), len(match.group())))
