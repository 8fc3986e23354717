"""What a file is, by its first bytes.

Own signatures come first, for what later stages depend on; the long tail is in `signatures.py`.
"""

import re
import struct

from casewright.evidence.kinds_of_logs import log_kind
from casewright.evidence.signatures import kind_by_signature

HEAD = 1 << 16
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"II+\0\x08\0\0\0", "image/tiff"),
    (0, b"MM\0+\0\x08\0\0", "image/tiff"),
    (0, b"8BPS\0\1\0\0\0\0\0\0", "image/vnd.adobe.photoshop"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51\0", "image/jp2"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (0, b"FUJIFILMCCD-RAW ", "image/x-fuji-raf"),
    (0, b"IIU\0", "image/x-panasonic-rw2"),
    (0, b"IIRO\x08\0\0\0", "image/x-olympus-orf"),
    (0, b"IIRS\x08\0\0\0", "image/x-olympus-orf"),
    (0, b"MMOR\0\0\0\x08", "image/x-olympus-orf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"PK\x07\x08PK\x03\x04", "application/zip"),
    (0, b"PK00PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (257, b"ustar", "application/x-tar"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"PGDMP", "application/x-postgresql-dump"),
    (12, b"\x62\x31\x05\0", "application/x-berkeley-db"),
    (12, b"\0\x05\x31\x62", "application/x-berkeley-db"),
    (12, b"\x88\x09\x04\0", "application/x-berkeley-db-log"),
    (12, b"\0\x04\x09\x88", "application/x-berkeley-db-log"),
    (0, b"QklFMQ", "application/x-electrum-wallet"),
    (0, b"QklFMg", "application/x-electrum-wallet"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"!<arch>\n", "application/x-archive"),
    (0, b"070701", "application/x-cpio"),
    (0, b"070702", "application/x-cpio"),
    (0, b"070707", "application/x-cpio"),
    (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (0, b"\xed\xab\xee\xdb", "application/x-rpm"),
    (0, b"hsqs", "application/x-squashfs"),
    (0, b"\x04\x22\x4d\x18", "application/x-lz4"),
    (0, b"\x02\x21\x4c\x18", "application/x-lz4"),
    (0, b"LZIP\x01", "application/x-lzip"),
    (0, b"\x89LZO\0\r\n\x1a\n", "application/x-lzop"),
    (32769, b"CD001", "application/x-iso9660-image"),
    (0, b"EVF\x09\x0d\x0a\xff\x00", "application/x-ewf"),
    (0, b"EVF2\x0d\x0a\x81\x00", "application/x-ewf"),
    (0, b"LVF\x09\x0d\x0a\xff\x00", "application/x-ewf"),
    (0, b"QFI\xfb", "application/x-qemu-disk"),
    (0, b"KDMV", "application/x-vmdk-disk"),
    (0, b"# Disk DescriptorFile", "application/x-vmdk-disk"),
    (0, b"conectix", "application/x-vhd-disk"),
    (0, b"vhdxfile", "application/x-vhd-disk"),
)
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
BRANDS = {**dict.fromkeys(HEIC, "image/heic"), b"avif": "image/avif", b"avis": "image/avif",
          b"crx ": "image/x-canon-cr3", b"qt  ": "video/quicktime", b"M4A ": "audio/mp4"}  # fmt: skip
SQL_DUMP = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:/\*M?![^\n]*\n|--\r?\n|\s)*"
    rb"-- (?:MySQL dump|MariaDB dump|PostgreSQL database dump|PostgreSQL database cluster dump|phpMyAdmin SQL Dump)"
)
SQL_START = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:/\*(?!M?!).*?\*/|--[^\n]*\n|#[^\n]*\n|\s)*+"
    rb"(?:(?:SET|CREATE|DROP|INSERT|REPLACE|USE|BEGIN|START|PRAGMA|LOCK|ALTER|DELIMITER|COPY|TRUNCATE)\s|/\*M?!\d)",
    re.DOTALL | re.IGNORECASE,
)
SQL_LINES = re.compile(
    rb"^(?:CREATE TABLE [^;]{1,9999};|(?:INSERT|REPLACE) (?:IGNORE )?INTO [^;\n]{1,999} VALUES\b"
    rb"|COPY [^;]{1,9999} FROM stdin;)",
    re.MULTILINE | re.IGNORECASE,
)
"""Statements that dumps are made of, for dumps that do not say so in their first lines."""
ELECTRUM = re.compile(
    rb'\s*\{\s*"(?:active_forwardings|addr_history|addresses|accounts(?:_expanded)?|channels|contacts|fiat_value|keystore'
    rb'|labels|master_public_keys?|seed_version|use_encryption|wallet_type)"\s*:'
    rb'|\s*\{\s*"[a-z0-9_/-]{2,40}"\s*:(?=.*"seed_version"\s*:)(?=.*"wallet_type"\s*:)',
    re.DOTALL,
)
"""Electrum writes its wallets' parts in the order of their names, or as they came: by the part that is first, or by two
that only its wallets have. What is a wallet after all, its reader finds out."""
ARCHIVED = (
    (re.compile(rb"\x1f\x9d[\x89-\x90]"), "application/x-compress"),
    # the properties that every writer uses, a dictionary of whole 64 KiB, a size of under 256 GiB or none given
    (re.compile(rb"\x5d\0\0[\x00-\xff][\x00-\xff](?:.{4}[\0-\x3f]\0{3}|\xff{8})\0", re.DOTALL), "application/x-lzma"),
    (re.compile(rb"\x60\xea.[\0-\x0a][\x1e-\x30]..[\0-\x0b]..\x02", re.DOTALL), "application/x-arj"),
    (re.compile(rb"#![^\n]{1,200}\nPK\x03\x04"), "application/zip"),
)
SKIPPED = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
FIRST = 512
TEXT_BYTES = bytes((7, 8, 9, 10, 12, 13, 27, *range(32, 256)))


def kind_of(head: bytes, size: int) -> str:
    """The media type of a file with these first bytes (up to `HEAD` of them) and this size. Never looks at a name."""
    if size == 0:
        return "inode/x-empty"
    for at, signature, mime in SIGNATURES:
        if head[at : at + len(signature)] == signature:
            return mime
    return _boxed(head) or _archived(head) or _text(head) or kind_by_signature(head)


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
    return next((mime for is_one, mime in CHECKED if is_one(head)), None)


def _tablespace(head: bytes) -> bool:
    """A first page of InnoDB, with the same number of its tablespace in two places, a size that pages can have, and the
    second page behind it."""
    kind, flags = head[24:26], int.from_bytes(head[54:58], "big")
    if len(head) < 150 or kind != b"\0\x08" or any(head[4:8]) or head[34:38] != head[38:42]:
        return False
    packed, shift = flags >> 1 & 15, flags & 15 if flags & 16 else flags >> 6 & 15
    size = 512 << (packed if packed and not flags & 16 else shift or 5)
    return size <= HEAD and head[size + 4 : size + 8] in (b"", b"\0\0\0\1")


def _archived(head: bytes) -> str | None:
    """Archives and packed files whose signature is short, or not at the very start."""
    for pattern, mime in ARCHIVED:
        if pattern.match(head):
            return mime
    if _binary_cpio(head):
        return "application/x-cpio"
    at = 0
    while SKIPPED.match(head, at):  # frames that hold notes: LZ4 and Zstandard have the same ones
        at += 8 + int.from_bytes(head[at + 4 : at + 8], "little")
    if at and (at >= len(head) or head[at : at + 4] == b"\x28\xb5\x2f\xfd"):
        return "application/zstd"
    return None


def _binary_cpio(head: bytes) -> bool:
    """The oldest form of cpio has two bytes of signature only: the mode and the name of its first member must fit."""
    if head[:2] not in (b"\xc7\x71", b"\x71\xc7"):
        return False
    mode, length = (int.from_bytes(head[i : i + 2], "little" if head[0] == 0xC7 else "big") for i in (6, 20))
    name = head[26 : 26 + length]
    return mode >> 12 in (1, 2, 4, 6, 8, 10, 12) and 1 < len(name) == length and name.find(b"\0") == length - 1


def _is_icon(head: bytes) -> bool:
    """An icon's signature is four bytes, three of them zero: its first entry must point behind the list of entries."""
    if head[:4] != b"\0\0\1\0" or len(head) < 22:
        return False
    count, planes, depth, length, start = struct.unpack_from("<4xH4xHHII", head)
    return 0 < count <= 64 and head[9] == 0 and planes <= 1 and depth <= 32 and length > 0 and start >= 6 + 16 * count


def _old_tar(head: bytes) -> bool:
    """A tar header from before the `ustar` mark, known by its checksum."""
    digits = head[148:156].strip(b" \0")
    if len(head) < 512 or not head[0] or not digits or set(digits) - set(b"01234567"):
        return False
    return int(digits, 8) == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def _text(head: bytes) -> str | None:
    if SQL_DUMP.match(head):
        return "text/x-sql-dump"
    if b";" in head and SQL_START.match(head) and SQL_LINES.search(head) and not _is_binary(head):
        return "text/x-sql-dump"
    if ELECTRUM.match(head):
        return "application/x-electrum-wallet"
    return log_kind(head) or (None if _is_binary(head) else "text/plain")


def _is_binary(head: bytes) -> bool:
    """Whether there are bytes that no text has."""
    return bool(head[:FIRST].translate(None, TEXT_BYTES) or head.translate(None, TEXT_BYTES))


CHECKED = (
    (_tablespace, "application/x-innodb-tablespace"),
    (_is_icon, "image/vnd.microsoft.icon"),
    (_old_tar, "application/x-tar"),
)
"""What has no signature to speak of, and is known by what must fit."""
