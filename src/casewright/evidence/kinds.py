"""What a file is, by its first bytes.

Own signatures come first, for what later stages depend on; the long tail is left to puremagic.
"""

import re

import puremagic

HEAD = 1 << 16
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (257, b"ustar", "application/x-tar"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"EVF\x09\x0d\x0a\xff\x00", "application/x-ewf"),
    (0, b"EVF2\x0d\x0a\x81\x00", "application/x-ewf"),
    (0, b"LVF\x09\x0d\x0a\xff\x00", "application/x-ewf"),
    (0, b"QFI\xfb", "application/x-qemu-disk"),
    (0, b"KDMV", "application/x-vmdk-disk"),
    (0, b"# Disk DescriptorFile", "application/x-vmdk-disk"),
    (0, b"conectix", "application/x-vhd-disk"),
    (0, b"vhdxfile", "application/x-vhd-disk"),
)
BRANDS = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic", b"avif": "image/avif",
          b"qt  ": "video/quicktime", b"M4A ": "audio/mp4"}  # fmt: skip
SQL_DUMP = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:/\*M?![^\n]*\n|--\r?\n|\s)*"
    rb"-- (?:MySQL dump|MariaDB dump|PostgreSQL database dump|PostgreSQL database cluster dump|phpMyAdmin SQL Dump)"
)
ACCESS_LINE = re.compile(rb'^\S+ \S+ [^\[\n]* ?\[\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8} [+-]\d{4}\] "', re.MULTILINE)
TEXT_BYTES = frozenset(range(32, 256)) | {7, 8, 9, 10, 12, 13, 27}


def kind_of(head: bytes, size: int) -> str:
    """The media type of a file with these first bytes (up to `HEAD` of them) and this size. Never looks at a name."""
    if size == 0:
        return "inode/x-empty"
    for at, signature, mime in SIGNATURES:
        if head[at : at + len(signature)] == signature:
            return mime
    return _boxed(head) or _text(head) or _other(head)


def _boxed(head: bytes) -> str | None:
    """Formats whose kind stands behind a length or in a header with a checksum."""
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/x-matroska" if b"matroska" in head[:64] else "video/webm"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/x-wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], "video/mp4")
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return "image/bmp"
    return "application/x-tar" if _old_tar(head) else None


def _old_tar(head: bytes) -> bool:
    """A tar header from before the `ustar` mark, known by its checksum."""
    digits = head[148:156].strip(b" \0")
    if len(head) < 512 or not head[0] or not digits or set(digits) - set(b"01234567"):
        return False
    return int(digits, 8) == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def _text(head: bytes) -> str | None:
    if SQL_DUMP.match(head):
        return "text/x-sql-dump"
    if ACCESS_LINE.search(head[:8192]):
        return "text/x-access-log"
    if set(head) <= TEXT_BYTES:
        return "text/plain"
    return None


def _other(head: bytes) -> str:
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"
    named = next((m.mime_type for m in matches if m.mime_type and m.confidence >= 0.5), "")
    # a weak guess must not send a file to a decoder, nor keep it from one: both are decided by own signatures above
    return named if named and not named.startswith(("image/", "video/", "text/")) else "application/octet-stream"
