"""AFF4 images, which are ZIP archives by their first bytes: recognised, and refused by name.

Taken for a ZIP, such an image would be listed as a handful of compressed streams, and its disk would be lost silently.
Layout: "AFF4 Standard v1.0", B. Schatz and M. Cohen: members named `container.description` and `information.turtle`.
"""

import re
import zipfile
import zlib
from typing import BinaryIO

from casewright.evidence.reader import Unreadable

MEMBERS = {"container.description", "information.turtle"}
TURTLE = 1 << 20
"""Bytes of the description that are looked at."""
SIZE = re.compile(rb"aff4:size\s+\"?(\d{1,19})\"?")
BROKEN = (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, KeyError)


def is_aff4(file: BinaryIO) -> bool:
    """Whether this ZIP archive is an AFF4 image."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = {info.filename for info in archive.infolist()}
            return bool(MEMBERS & names) or archive.comment.startswith(b"aff4://")
    except BROKEN:
        return False


def refuse_aff4(file: BinaryIO) -> Unreadable:
    """The refusal, with the image's own name and how long its largest stream is, where it says so."""
    name, size = "", 0
    try:
        with zipfile.ZipFile(file) as archive:
            name = archive.comment.decode("utf-8", "replace").strip("\0 ")[:100]
            with archive.open("information.turtle") as turtle:
                size = max(map(int, SIZE.findall(turtle.read(TURTLE))), default=0)
    except BROKEN:
        pass  # it stays unnamed
    about = (f" {name}" if name else "") + (f", {size} bytes" if size else "")
    return Unreadable(
        "not supported", f"this is an AFF4 image{about}, which is not read yet. Convert it to raw or E01."
    )
