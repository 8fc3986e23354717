"""Taking the header of a 7z archive apart: numbers, flags, and its properties (7zFormat.txt of the LZMA SDK)."""

from casewright.evidence.reader import Unreadable

END, HEAD, ARCHIVE_PROPERTIES, MORE_STREAMS, MAIN_STREAMS, FILES, PACKED, UNPACKED, SUBSTREAMS = range(9)
SIZES, CHECKSUMS, FOLDER, CODER_SIZES, COUNTS, NO_STREAM, NO_BYTES, ANTI, NAMES = range(9, 18)
CREATED, ACCESSED, MODIFIED, ATTRIBUTES, COMMENT, PACKED_HEADER = range(18, 24)


class HeaderBytes:
    """Takes a header apart. Raises Unreadable where it ends too early."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    @property
    def left(self) -> int:
        return len(self.raw) - self.at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise Unreadable("damaged archive", f"the 7z header breaks off at its byte {self.at}")
        self.at += length
        return self.raw[self.at - length : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def fixed(self, length: int) -> int:
        return int.from_bytes(self.take(length), "little")

    def number(self) -> int:
        """A number of one to nine bytes: the first byte's leading ones say how many follow."""
        first = self.byte()
        for more in range(8):
            if not first & 0x80 >> more:
                return self.fixed(more) + ((first & (0x80 >> more) - 1) << 8 * more)
        return self.fixed(8)

    def size(self) -> int:
        """A number of bytes that a file can have."""
        size = self.number()
        if size >> 62:
            raise Unreadable("damaged archive", f"the 7z header says that something has {size} bytes")
        return size

    def count(self) -> int:
        """A number of things that take at least a byte of header each."""
        count = self.number()
        if count > self.left:
            raise Unreadable("damaged archive", f"the 7z header counts up to {count} and has {self.left} bytes left")
        return count

    def few(self, most: int, what: str) -> int:
        count = self.number()
        if not 0 < count <= most:
            raise Unreadable("not supported", f"a 7z folder with {count} {what}")
        return count

    def expect(self, *kinds: int) -> int:
        kind = self.number()
        if kind not in kinds:
            raise Unreadable("damaged archive", f"the 7z header has a property {kind} where none such can stand")
        return kind

    def bits(self, count: int) -> "Bits":
        return Bits(self.take(-(-count // 8)))

    def bits_unless_all(self, count: int) -> "Bits":
        return Bits(None) if self.byte() else self.bits(count)

    def here(self) -> None:
        if self.byte():
            raise Unreadable("not supported", "a 7z header that keeps a part of itself elsewhere")


class Bits:
    """A row of flags. Without bytes of its own every flag is set."""

    def __init__(self, raw: bytes | None) -> None:
        self._raw = raw

    def __getitem__(self, i: int) -> bool:
        return self._raw is None or bool(self._raw[i >> 3] & 0x80 >> (i & 7))
