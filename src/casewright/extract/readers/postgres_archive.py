"""Custom dumps of PostgreSQL (`pg_dump -Fc`): a table of contents, then blocks of data, each compressed by itself.

Source: the layout that PostgreSQL's own `pg_backup_archiver.c` and `pg_backup_custom.c` (PostgreSQL licence) write,
versions 1.10 to 1.16. Blocks are taken in the order in which they stand, so that a dump that was written to a pipe, and
holds no places, reads like any other, and one that is cut off gives what it has.
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import pyarrow as pa
from backports import zstd

from casewright.extract.reader import Beside, Broken, Piece, Rows, Schema, Skipped
from casewright.extract.readers.postgres import PlainDump, copy_head
from casewright.extract.readers.postgres_rows import Line, copy_rows, gathering_of
from casewright.extract.readers.postgres_schema import PUBLIC, parse_alter, parse_create, with_key
from casewright.extract.readers.postgres_values import text_in

MAGIC, CUSTOM = b"PGDMP", 1
NEWEST, OLDEST = (1, 16), (1, 10)
DATA, BLOBS = 1, 3
GZIP, ZSTANDARD = 1, 3
METHODS = {0: "none", GZIP: "gzip", 2: "lz4", ZSTANDARD: "zstd"}
AT_ONCE = 1 << 22
MOST = 1 << 28
"""Bytes of one text of the table of contents, or of one chunk; entries that it may have."""


class Refused(ValueError):  # noqa: N818  data, not a defect
    """What the archive holds can't be read; the message says what."""

    reason = "unreadable"


class Ended(Refused):
    """It ends before it should."""

    reason = "truncated"


@dataclass(frozen=True)
class Entry:
    """A line of the table of contents."""

    tag: str
    kind: str
    definition: str
    copy: str
    namespace: str

    @property
    def table(self) -> str:
        return self.tag if self.namespace in ("", PUBLIC) else f"{self.namespace}.{self.tag}"


@dataclass
class Archive:
    """The head of an archive, and its numbers and texts one after the other."""

    file: BinaryIO
    version: tuple[int, int] = (0, 0)
    integer: int = 4
    offset: int = 8
    method: int = 0
    encoding: str = "utf8"
    escapes: bool = False
    entries: dict[int, Entry] = field(default_factory=dict)

    def take(self, size: int) -> bytes:
        if not 0 <= size <= MOST:
            raise Refused(f"a length of {size} bytes")
        raw = self.file.read(size)
        if len(raw) < size:
            raise Ended("ends before it should")
        return raw

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """A sign, then the number from its lowest byte on."""
        sign = self.byte()
        value = int.from_bytes(self.take(self.integer), "little")
        return -value if sign else value

    def text(self) -> bytes | None:
        length = self.number()
        return None if length < 0 else self.take(length)

    def read_head(self) -> None:
        if self.take(5) != MAGIC:
            raise Refused("no archive of pg_dump")
        self.version = self.byte(), self.byte()
        self.byte()
        if not OLDEST <= self.version <= NEWEST:
            raise Refused(f"an archive of version {self.version[0]}.{self.version[1]}")
        self.integer, self.offset, form = self.byte(), self.byte(), self.byte()
        if form != CUSTOM or not 1 <= self.integer <= 8 or self.offset > 8:
            raise Refused(f"an archive of form {form}, whose data lie in other files")
        if self.version >= (1, 15):
            self.method = self.byte()
        else:
            self.method = GZIP if self.number() else 0
        for _ in range(7):  # when it was made
            self.number()
        for _ in range(3):  # the database, the server's version, the program's
            self.text()

    def read_contents(self) -> None:
        count = self.number()
        if not 0 <= count <= MOST:
            raise Refused(f"a table of contents of {count} entries")
        raw = dict(self._entry() for _ in range(count))
        for _, kind, definition, *_ in raw.values():
            if kind == b"ENCODING":
                self.encoding = (definition.decode("ascii", "replace").split("'")[1:2] or ["utf8"])[0]
            elif kind == b"STDSTRINGS":
                self.escapes = b"off" in definition
        self.entries = {number: Entry(*(text_in(t, self.encoding) for t in texts)) for number, texts in raw.items()}

    def _entry(self) -> tuple[int, tuple[bytes, ...]]:
        """A line of the table of contents: its number, and the texts that make an `Entry`."""
        number = self.number()
        self.number()
        self.text(), self.text()
        tag, kind = self.text(), self.text()
        if self.version >= (1, 11):
            self.number()
        definition, _, copy, namespace = self.text(), self.text(), self.text(), self.text()
        self.text()  # table space
        if self.version >= (1, 14):
            self.text()  # access method
        if self.version >= (1, 16):
            self.number()  # kind of relation
        self.text(), self.text()  # owner, with oids
        while self.text() is not None:  # what it rests on
            pass
        self.take(1 + self.offset)  # the place of its data, if that was known
        return number, tuple(text or b"" for text in (tag, kind, definition, copy, namespace))

    def pass_over(self) -> None:
        """Go behind a block."""
        for _ in self.chunks():
            pass

    def chunks(self) -> Iterator[bytes]:
        """The bytes of a block."""
        while size := self.number():
            yield self.take(size)

    def unpacked(self) -> Iterator[bytes]:
        """The bytes of a block, unpacked. Raises Refused."""
        if self.method == 0:
            yield from self.chunks()
        elif self.method in (GZIP, ZSTANDARD):
            yield from _inflated(self.chunks(), self.method)
        else:
            self.pass_over()
            raise Refused(f"compressed with {METHODS.get(self.method, self.method)}")


def _inflated(chunks: Iterator[bytes], method: int) -> Iterator[bytes]:
    """Unpacked bytes, never many at once."""
    unpack = _gunzip if method == GZIP else _unzstd
    try:
        yield from unpack(chunks)
    except (zlib.error, zstd.ZstdError, EOFError) as error:
        for _ in chunks:
            pass
        raise Refused(f"damaged: {error}") from error


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    for chunk in chunks:
        yield unpacker.decompress(chunk, AT_ONCE)
        while unpacker.unconsumed_tail:
            yield unpacker.decompress(unpacker.unconsumed_tail, AT_ONCE)
    if not unpacker.eof:
        raise EOFError("the packed bytes do not come to their end")


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zstd.ZstdDecompressor()
    for chunk in chunks:
        yield unpacker.decompress(chunk, AT_ONCE)
        while not unpacker.needs_input and not unpacker.eof:
            yield unpacker.decompress(b"", AT_ONCE)
    if not unpacker.eof:
        raise EOFError("the packed bytes do not come to their end")


def read_postgres_archive(file: BinaryIO, beside: Beside | None = None) -> Iterator[Piece]:
    """Everything in a custom dump: its tables, then their rows, numbered in each block."""
    archive = Archive(file)
    try:
        archive.read_head()
        archive.read_contents()
    except Refused as error:
        yield Broken(error.reason, f"the head of an archive of pg_dump: {error}", 0, file.seek(0, 2))
        return
    contents = file.tell()
    schemas = _schemas(archive, contents)
    yield from schemas.values()
    try:
        yield from _blocks(archive, schemas)
    except Refused as error:
        start = file.tell()
        yield Broken(error.reason, f"a block of an archive of pg_dump: {error}", start, max(0, file.seek(0, 2) - start))


def _schemas(archive: Archive, length: int) -> dict[str, Schema]:
    """Each table with its keys; the table of contents is where all of them stand."""
    found: dict[str, Schema] = {}
    for entry in archive.entries.values():
        if entry.kind == "TABLE" and (schema := parse_create(entry.definition, 0, length)):
            found[schema.table] = schema
    for entry in archive.entries.values():
        key = parse_alter(entry.definition) if entry.kind in ("CONSTRAINT", "FK CONSTRAINT") else None
        if key and key.table in found:
            found[key.table] = with_key(found[key.table], key)
    return found


def _blocks(archive: Archive, schemas: dict[str, Schema]) -> Iterator[Piece]:
    """The blocks of data, up to the end of the file."""
    while True:
        start = archive.file.tell()
        kind = archive.file.read(1)
        if not kind:
            return
        number = archive.number()
        entry = archive.entries.get(number)
        if kind[0] == BLOBS:
            while archive.number():
                archive.pass_over()
            yield Skipped("large objects", start, archive.file.tell() - start)
        elif kind[0] != DATA or entry is None:
            raise Refused(f"kind {kind[0]}, entry {number}")
        elif entry.kind == "TABLE DATA":
            yield from _table(archive, entry, schemas.get(entry.table), start)
        else:
            archive.pass_over()
            yield Skipped(entry.kind, start, archive.file.tell() - start)


def _table(archive: Archive, entry: Entry, schema: Schema | None, start: int) -> Iterator[Piece]:
    """The rows of one block, which have its span, and a number each: what is packed has no bytes of its own."""
    span, number = (start, _length(archive, start)), 0
    for piece in _rows(archive, entry, dict(schema.columns) if schema else {}):
        if not isinstance(piece, Rows):
            yield replace(piece, span_start=span[0], span_length=span[1])
            continue
        starts, lengths = (pa.array([place] * len(piece), pa.int64()) for place in span)
        numbers = pa.array(range(number + 1, number + len(piece) + 1), pa.int64())
        number += len(piece)
        yield replace(piece, span_start=starts, span_length=lengths, row=numbers)


def _rows(archive: Archive, entry: Entry, types: dict[str, str]) -> Iterator[Piece]:
    """Rows that were dumped as COPY's data or as statements; their spans are those in the unpacked bytes."""
    table, columns = copy_head(entry.copy) if entry.copy else (entry.table, ())
    gathering = gathering_of(table, columns or tuple(types), types, archive.encoding)
    data = Unpacked(archive.unpacked())
    try:
        if entry.copy:
            yield from copy_rows(gathering, data.lines(), archive.encoding)
        else:
            dump = PlainDump(data, encoding=archive.encoding, types={table: types})
            dump.text.escapes = archive.escapes
            yield from dump.pieces()
    except Refused as error:
        yield from gathering.rest()
        yield Broken(error.reason, f"the rows of {table}: {error}", 0, 0)


def _length(archive: Archive, start: int) -> int:
    """How long the block is, as far as it goes; the archive is left where it was."""
    here = archive.file.tell()
    with suppress(Refused):
        archive.pass_over()
    end = archive.file.tell()
    archive.file.seek(here)
    return end - start


@dataclass
class Unpacked:
    """A block's bytes as lines, or as a file."""

    chunks: Iterator[bytes]
    buffer: bytes = b""

    def lines(self) -> Iterator[Line]:
        """The lines of COPY's data, up to its mark."""
        for chunk in self.chunks:
            *lines, self.buffer = (self.buffer + chunk).split(b"\n")
            for raw in lines:
                if raw == b"\\.":
                    for _ in self.chunks:
                        pass
                    return
                yield Line(raw, 0, len(raw))
        if self.buffer.strip():
            raise Ended("the last of them is cut off")

    def read(self, size: int) -> bytes:
        while len(self.buffer) < size and (chunk := next(self.chunks, None)) is not None:
            self.buffer += chunk
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found
