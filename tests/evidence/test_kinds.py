"""What a file is, is told by its bytes and never by its name."""

import io
import sqlite3
import struct
import tarfile
from pathlib import Path
from typing import Any

import puremagic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from puremagic import main as magic

from casewright.evidence.kinds import kind_of
from casewright.evidence.signatures import kind_by_signature


@pytest.mark.parametrize(
    ("form", "mime"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("GIF", "image/gif"), ("WEBP", "image/webp"), ("BMP", "image/bmp"),
     ("TIFF", "image/tiff")],
)  # fmt: skip
def test_pictures_of_every_usual_format_are_known(form: str, mime: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (0, 90, 160)).save(file, form)
    assert kind_of(file.getvalue(), len(file.getvalue())) == mime


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"", "inode/x-empty"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "video/x-matroska"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"),
        (b"-- MySQL dump 10.13  Distrib 8.0.36\n", "text/x-sql-dump"),
        (b"-- Adminer 4.8.1 MySQL dump\nSET NAMES utf8;\nCREATE TABLE `a` (\n `b` int\n);\n", "text/x-sql-dump"),
        (
            b"-- Host: 127.0.0.1\n-- HeidiSQL Version: 12.6.0.6765\n\n/*!40101 SET NAMES utf8 */;\n"
            b"CREATE TABLE IF NOT EXISTS `a` (\n `b` int\n);\n",
            "text/x-sql-dump",
        ),
        (b"/*M!100100 SET NAMES utf8 */;\nINSERT INTO `a` VALUES\n(1);\n", "text/x-sql-dump"),
        (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nINSERT INTO a VALUES(1);\n", "text/x-sql-dump"),
        (b"INSERT INTO `a` (`b`) VALUES (1);\n", "text/x-sql-dump"),
        (b"<?php\n$sql = <<<X\nCREATE TABLE x (y);\nX;\n", "text/plain"),
        (b"How to: CREATE TABLE x (y);\nand INSERT INTO it\n", "text/plain"),
        (b"\0" * 12 + b"\x62\x31\x05\0" + bytes(500), "application/x-berkeley-db"),
        (b"\0" * 12 + b"\0\x05\x31\x62" + bytes(500), "application/x-berkeley-db"),
        (b"\0" * 4 + b"\x1c\0\0\0" + b"zzzz" + b"\x88\x09\x04\0" + bytes(500), "application/x-berkeley-db-log"),
        (b"QklFMQABCDEF", "application/x-electrum-wallet"),
        (b'{\n    "addr_history": {},\n', "application/x-electrum-wallet"),
        (b'{"use_encryption": false, "keystore": {}}', "application/x-electrum-wallet"),
        (b'{"qt-console-history": [], "seed_version": 60, "wallet_type": "standard"}', "application/x-electrum-wallet"),
        (b'{"name": "shop", "keystore": "x.jks"}', "text/plain"),
        (b"PGDMP\x01\x0e\0\4\x08\1", "application/x-postgresql-dump"),
        (b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n", "text/x-sql-dump"),
        (b"\xef\xbb\xbf-- MariaDB dump 10.19\n", "text/x-sql-dump"),
        (b"--\n-- PostgreSQL database dump\n--\n", "text/x-sql-dump"),
        (b"-- MySQL is what we should dump\n", "text/plain"),
        (b'203.0.113.7 - anna [16/Oct/2019:09:30:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"\n', "text/x-access-log"),
        (b'2001:db8::1 - - [16/Oct/2019:09:30:00 +0200] "GET', "text/x-access-log"),
        (b"a letter about [brackets] and \"quotes\"\n", "text/plain"),
        ("schräge Töne\n".encode("latin-1"), "text/plain"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x28\xb5\x2f\xfd\4", "application/zstd"),
        (b"\x51\x2a\x4d\x18\2\0\0\0no\x28\xb5\x2f\xfd", "application/zstd"),
        (b"\x51\x2a\x4d\x18\2\0\0\0no\x04\x22\x4d\x18", "application/octet-stream"),
        (b"\x5d\0\0\x80\0" + b"\xff" * 8 + b"\0abc", "application/x-lzma"),
        (b"\x5d\0\0\1\0\5\0\0\0\0\0\0\0\0abc", "application/x-lzma"),
        (b"\x5d\0\0\1\0\5\0\0\0\0\0\0\1\0abc", "application/octet-stream"),
        (b"]\n[a text that begins with a bracket]\n", "text/plain"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "application/x-7z-compressed"),
        (b"!<arch>\ndebian-binary   ", "application/x-archive"),
        (b"070701" + b"0" * 104, "application/x-cpio"),
        (b"\xc7\x71\1\0\2\0\xed\x41" + bytes(12) + b"\3\0" + bytes(4) + b"in\0", "application/x-cpio"),
        (b"\xc7\x71\1\0\2\0\xed\x41" + bytes(12) + b"\3\0" + bytes(4) + b"in\1", "application/octet-stream"),
        (b"PK\7\x08PK\3\4", "application/zip"),
        (b"#!/usr/bin/env python3\nPK\3\4\x14\0", "application/zip"),
        (b"#!/usr/bin/env python3\nprint('PK')\n", "text/plain"),
        (b"\x1f\x9d\x90abc", "application/x-compress"),
        (b"hsqs\7\0\0\0", "application/x-squashfs"),
        (bytes(32769) + b"CD001\1", "application/x-iso9660-image"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07" * 8, "application/octet-stream"),
    ],
)  # fmt: skip
def test_first_bytes_decide(head: bytes, mime: str) -> None:
    assert kind_of(head, len(head)) == mime


JSON = (
    b'{"time_local":"03/Nov/2018:05:05:06 +0100","remote_addr":"192.0.2.1","request":"GET / HTTP/1.1","status":"200"}'
)
SSHD = b"Nov  3 04:05:06 vault sshd[123]: Accepted password for root from 192.0.2.1 port 22 ssh2"
ISO = b"2018-11-03T04:05:06.123456+01:00 vault sshd[123]: Accepted password for root from 192.0.2.1 port 22 ssh2"
COMBINED = b'192.0.2.1 - - [16/Oct/2019:09:30:00 +0200] "GET / HTTP/1.1" 200 5 "-" "x"'


@pytest.mark.parametrize(
    ("line", "mime"),
    [
        (COMBINED, "text/x-access-log"),
        (b"vault.example:443 " + COMBINED, "text/x-access-log"),
        (JSON, "text/x-access-log+json"),
        (b'{"@timestamp":"2018-11-03T04:05:06Z","client.ip":"::1","url.path":"/","http.response.status_code":200}',
         "text/x-access-log+json"),
        (b'{"ts":1541217906.2,"request":{"remote_ip":"192.0.2.1","method":"GET","uri":"/"},"status":200}',
         "text/x-access-log+json"),
        (SSHD, "text/x-syslog"),
        (ISO, "text/x-syslog"),
        (b"<38>1 2018-11-03T04:05:06.123456+01:00 vault sshd 123 - - Accepted password", "text/x-syslog"),
        (b'2018/11/03 04:05:06 [error] 9#9: *1 user "amber": password mismatch, client: 192.0.2.1', "text/x-error-log"),
        (b"[Sat Nov 03 04:05:06.123456 2018] [auth_basic:error] [pid 9] [client 192.0.2.1:4] AH01617: user amber",
         "text/x-error-log"),
        (b"[Sat Nov  3 04:05:06 2018] [error] [client 192.0.2.1] File does not exist", "text/x-error-log"),
        (b'{"name":"amber","ip":"192.0.2.1","time":7}', "text/plain"),
        (b"2018-11-03T04:05:06Z INFO main: started", "text/plain"),
        (b"2018-11-03 04:05:06 startup archives unpack", "text/plain"),
        (b"Nov  3 was a fine day: we met", "text/plain"),
    ],
)  # fmt: skip
def test_logs_are_known_by_their_lines(line: bytes, mime: str) -> None:
    for raw in (line, line + b"\n", (line + b"\n") * 3, (line + b"\n") * 900, (line + b"\r\n") * 3):
        assert kind_of(raw[: 1 << 16], len(raw)) == mime


@pytest.mark.parametrize("line", [COMBINED, JSON, SSHD])
def test_half_of_the_lines_must_be_those_of_a_log(line: bytes) -> None:
    mime = kind_of(line, len(line))
    prose, crash = b"Dear curator, this is what I found:\n", bytes(4096)
    assert kind_of(prose * 3 + line + b"\n" + prose, 9) == "text/plain"
    assert kind_of((prose + line + b"\n") * 9, 9) == mime
    assert kind_of(crash + line + b"\n" + crash + line + b"\n", 9) == mime
    assert kind_of(line + b"\n" + bytes(range(256)) * 9 + b"\n" + bytes(range(256)), 9) == "application/octet-stream"


def tablespace(flags: int, size: int, space: int = 9) -> bytes:
    """The heads of the first two pages of an InnoDB tablespace."""
    first = struct.pack(">IIIIQHQI", 1, 0, 0, 0, 77, 8, 0, space) + struct.pack(">IIIII", space, 0, 6, 64, flags)
    return first.ljust(size, b"\0") + struct.pack(">IIIIQHQI", 1, 1, 0, 0, 77, 5, 0, space)


@pytest.mark.parametrize(
    ("flags", "size"),
    [
        (0, 16384),
        (0x21, 16384),
        (0x4021, 16384),
        (0x15, 16384),
        (0xE1, 4096),
        (0x13, 4096),
        (0x17, 65536),
        (0x29, 8192),
    ],
)
def test_tablespaces_of_innodb_are_known_by_their_first_pages(flags: int, size: int) -> None:
    head, mime = tablespace(flags, size), "application/x-innodb-tablespace"
    assert kind_of(head[: 1 << 16], len(head)) == mime
    assert kind_of(head[: 1 << 16].replace(b"\0\x08", b"\0\x07", 1), len(head)) != mime
    assert kind_of(tablespace(0x1F, size)[: 1 << 16], len(head)) != mime
    if size < 1 << 16:
        assert kind_of(tablespace(flags, size * 2)[: 1 << 16], 4 * size) != mime
    assert kind_of(bytes(1 << 16), 1 << 20) != mime


def test_databases_and_tars_of_every_age_are_known(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").execute("CREATE TABLE plates (id)").connection.close()
    assert kind_of((tmp_path / "a.db").read_bytes(), 1) == "application/vnd.sqlite3"
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("plate"))
    raw = bytearray(file.getvalue())
    assert kind_of(bytes(raw), len(raw)) == "application/x-tar"
    raw[257:265] = bytes(8)
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    assert kind_of(bytes(raw), len(raw)) == "application/x-tar"


@pytest.mark.parametrize("length", range(1, 40))
def test_no_beginning_is_too_short_to_be_named(length: int) -> None:
    for byte in (0, 1, 0x1F, 0x50, 0xFF):
        assert "/" in kind_of(bytes([byte]) * length, length)


def _by_all_signatures(head: bytes) -> str:
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"
    named = next((m.mime_type for m in matches if m.mime_type and m.confidence >= 0.5), "")
    return named if named and not named.startswith(("image/", "video/", "text/")) else "application/octet-stream"


def test_the_quick_look_passes_over_no_signature() -> None:
    """Every signature that puremagic has, where it stands, on both kinds of ground."""
    told = 0
    for row in [*magic.magic_header_array, *(r for rows in magic.multi_part_dict.values() for r in rows)]:
        for ground in (0, 0xA5):
            head = bytearray([ground]) * 40_000
            head[max(row.offset, 0) : max(row.offset, 0) + len(row.byte_match)] = row.byte_match
            expected = _by_all_signatures(bytes(head))
            assert kind_by_signature(bytes(head)) == expected
            told += expected != "application/octet-stream"
    assert told > 500


@given(st.binary(max_size=600), st.sampled_from([*magic.magic_footer_array, *magic.magic_header_array]))
def test_the_quick_look_says_what_all_signatures_say(body: bytes, row: Any) -> None:
    for head in (body, row.byte_match + body, body + row.byte_match, body + row.byte_match + bytes(8)):
        assert kind_by_signature(head) == _by_all_signatures(head)
