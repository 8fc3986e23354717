"""E01 images through libewf, in one segment or several in the order of the manifest.

libewf gives zeros for a chunk whose checksum fails, and says nothing; so the image's own hash is checked before its
files are believed. Format: "Expert Witness Compression Format", J. Metz, libewf documentation.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import pyewf

from casewright.evidence.reader import CHUNK, Problem, Segment, Unreadable
from casewright.evidence.readers.images import first_line

SECTION = 76  # bytes of a section's header; the section that ends a segment is nothing but its header
HASHES = ("SHA1", "MD5")  # as libewf calls them, the one that computes faster first


class EwfDisk:
    """The disk inside an E01 image. `read` raises Unreadable where libewf does."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments, self._handle = segments, pyewf.handle()
        try:
            self._handle.open_file_objects([s.open() for s in segments])
            self.size = int(self._handle.get_media_size())
        except OSError as error:
            raise Unreadable("damaged image", f"the E01 image cannot be opened: {first_line(error)}") from error
        if self.size <= 0:
            raise Unreadable("damaged image", "the E01 image does not say how long its disk is, or has lost it")

    def read(self, offset: int, length: int) -> bytes:
        try:
            self._handle.seek(offset)
            return bytes(self._handle.read(length))
        except OSError as error:
            raise Unreadable("damaged image", f"E01 data at byte {offset}: {first_line(error)}") from error

    def problems(self) -> Iterator[Problem]:
        """A cut end, and content that does not have the hash that was stored when the image was made."""
        for segment in self._segments:
            mark = b"done" if segment is self._segments[-1] else b"next"
            if _last_section(segment) != mark:
                detail = "the E01 image has no end mark; bytes or whole segments behind it are missing"
                yield Problem(segment.path, "truncated", detail)
        try:
            yield from self._broken_hash()
        except Unreadable as error:
            yield Problem(b"", error.reason, error.detail)

    def _broken_hash(self) -> Iterator[Problem]:
        name, stored = next(((n, h) for n in HASHES if (h := self._stored(n))), ("", ""))
        if not stored:
            return
        digest = hashlib.new(name, usedforsecurity=False)
        for at in range(0, self.size, CHUNK):
            digest.update(self.read(at, min(CHUNK, self.size - at)))
        if digest.hexdigest() != stored:
            detail = f"the E01 image says that its content has {name} {stored}; it has {digest.hexdigest()} now"
            yield Problem(b"", "damaged image", f"{detail}. Files may be missing or changed.")

    def _stored(self, name: str) -> str:
        value: Any = self._handle.get_hash_value(name)
        return str(value or "").lower()


def _last_section(segment: Segment) -> bytes:
    with segment.open() as file:
        file.seek(max(0, segment.size - SECTION))
        return file.read(16).rstrip(b"\0")
