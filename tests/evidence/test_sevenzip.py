"""7z archives: every member in one pass, in bounded memory, and a reason for whatever is not read."""

import io
import os
import random
import shutil
import stat
import struct
import subprocess
import tracemalloc
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.archives import members
from casewright.evidence.readers.budget import Budget

needs_7z = pytest.mark.skipif(not shutil.which("7z"), reason="needs 7z")
PLATES = b"".join(b"plate %d with a bird, number %d\n" % (n, n * n % 1009) for n in range(9000))
NOISE = random.Random(7).randbytes(30_000)
CODE = b"".join(b"\x8b\x45%c\xe8%s\x0f\x84%s" % (n % 251, struct.pack("<i", 9000 - 12 * n), struct.pack("<i", n))
                for n in range(3000))  # fmt: skip
SEVEN = "application/x-7z-compressed"


@dataclass
class Opened:
    """What an archive gave: its entries, the bytes of its files (also of those that broke off), and what was told."""

    entries: list[Entry] = field(default_factory=list)
    files: list[tuple[bytes, bytes]] = field(default_factory=list)
    problems: list[tuple[bytes, str, str]] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason, _ in self.problems]

    def kinds(self, kind: str) -> list[bytes]:
        return [entry.path for entry in self.entries if entry.kind == kind]


def ample(size: int = 1 << 30) -> Budget:
    return Budget(size, 1000, 1 << 34, 100_000)


def read(entry: Entry, opened: Opened) -> None:
    plain = b""
    try:
        for chunk in entry.chunks():
            assert chunk
            plain += chunk
    except Unreadable as error:
        opened.problems.append((entry.path, error.reason, error.detail))
    opened.files.append((entry.path, plain))


def opened(mime: str, raw: bytes, name: bytes = b"a", budget: Budget | None = None) -> Opened:
    """Everything in an archive, read in its order as the listing does."""
    found = Opened()
    for one in members(mime, io.BytesIO(raw), name, budget or ample()):
        if isinstance(one, Problem):
            found.problems.append((one.path, one.reason, one.detail))
            continue
        found.entries.append(one)
        if one.kind == "file":
            read(one, found)
    return found


def folder(where: Path) -> Path:
    """A folder with files that suit every filter, an empty file, an empty folder, a symlink and a name in German."""
    top = where / "in"
    (top / "sub" / "empty folder").mkdir(parents=True)
    for name, raw in (("plates.txt", PLATES), ("sub/code.exe", CODE), ("sub/noise", NOISE), ("sub/none", b""),
                      ("sub/five", b"five!"), ("sub/Töne", "schräge Töne".encode())):  # fmt: skip
        (top / name).write_bytes(raw)
        os.utime(top / name, (1_571_218_200, 1_571_218_200))
    (top / "link").symlink_to("plates.txt")
    return top


def packed(where: Path, *options: str, source: str = "in", form: str = "7z") -> bytes:
    archive = where / f"{len(list(where.iterdir()))}.{form}"
    order = ["7z", "a", "-y", "-bd", f"-t{form}", *options, str(archive), source]
    subprocess.run(order, check=True, capture_output=True, cwd=where)
    return archive.read_bytes()


def contents(top: Path) -> dict[bytes, bytes]:
    return {
        os.fsencode(p.relative_to(top.parent)): p.read_bytes()
        for p in top.rglob("*")
        if p.is_file() and not p.is_symlink()
    }


METHODS: dict[str, Sequence[str]] = {
    **{method: [f"-m0={method}"] for method in ("LZMA", "LZMA2", "BZip2", "Deflate", "Deflate64", "Copy")},
    **{method: [f"-m0={method}", "-m1=LZMA"] for method in ("Delta:4", "BCJ", "PPC", "IA64", "ARM", "ARMT", "SPARC")},
    "BCJ on LZMA2": ["-m0=BCJ", "-m1=LZMA2"],
    "Delta on Copy": ["-m0=Delta:3", "-m1=Copy"],
    "BCJ on Deflate": ["-m0=BCJ", "-m1=Deflate"],
    "BCJ2": ["-m0=BCJ2", "-m1=LZMA", "-m2=LZMA", "-m3=LZMA", "-mb0:1", "-mb0s1:2", "-mb0s2:3"],
    "plain header": ["-mhc=off"],
    "level 9": ["-mx=9"],
}


@needs_7z
@pytest.mark.parametrize("solid", ["on", "off"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_the_bytes_that_were_packed(method: str, solid: str, tmp_path: Path) -> None:
    top = folder(tmp_path)
    found = opened(SEVEN, packed(tmp_path, *METHODS[method], f"-ms={solid}", "-snl"))
    assert found.problems == []
    assert dict(found.files) == contents(top)
    assert [len(raw) for _, raw in found.files] == [e.size for e in found.entries if e.kind == "file"]
    assert found.kinds("symlink") == [b"in/link"]
    assert sorted(found.kinds("directory")) == [b"in", b"in/sub", b"in/sub/empty folder"]
    (plates,) = [entry for entry in found.entries if entry.path == b"in/plates.txt"]
    assert plates.modified == datetime(2019, 10, 16, 9, 30)


@needs_7z
def test_members_can_be_read_again_and_in_any_order(tmp_path: Path) -> None:
    expected = contents(folder(tmp_path))
    raw = packed(tmp_path, "-ms=on")
    found = Opened()
    entries = [e for e in members(SEVEN, io.BytesIO(raw), b"a", ample()) if isinstance(e, Entry) and e.kind == "file"]
    started = [entry.chunks() for entry in entries]
    firsts = [next(chunks, b"") for chunks in started]
    for entry in (*reversed(entries), *entries):
        read(entry, found)
    assert found.problems == []
    assert all(expected[path] == plain for path, plain in found.files)
    for entry, first, rest in zip(entries, firsts, started, strict=True):
        assert first + b"".join(rest) == expected[entry.path]


@needs_7z
def test_a_solid_archive_is_charged_for_each_byte_once(tmp_path: Path) -> None:
    top = folder(tmp_path)
    (top / "link").unlink()
    expected = contents(top)
    raw = packed(tmp_path, "-ms=on", "-mhc=off", "-mf=off")
    budget = ample()
    opened(SEVEN, raw, budget=budget)
    assert budget.spent == sum(map(len, expected.values()))
    skipping = ample()
    entries = list(members(SEVEN, io.BytesIO(raw), b"a", skipping))
    last = [one for one in entries if isinstance(one, Entry) and one.size][-1]
    assert b"".join(last.chunks()) == expected[last.path]
    assert skipping.spent == sum(map(len, expected.values()))


@needs_7z
def test_a_bomb_costs_little_memory_and_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(64 << 20))
    raw = packed(tmp_path, "-m0=LZMA2:d=1m", source="zeros")
    assert len(raw) < 64 << 10
    tracemalloc.start()
    (entry,) = members(SEVEN, io.BytesIO(raw), b"a", ample())
    assert isinstance(entry, Entry)
    assert sum(map(len, entry.chunks())) == 64 << 20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
    found = opened(SEVEN, raw, budget=Budget(len(raw), 50, 1 << 34, 10))
    assert found.reasons == ["too large"]
    assert len(found.files[0][1]) < 4 << 20


@needs_7z
def test_encrypted_members_and_headers_are_told(tmp_path: Path) -> None:
    folder(tmp_path)
    found = opened(SEVEN, packed(tmp_path, "-psecret"))
    assert set(found.reasons) == {"encrypted"}
    assert len(found.problems) == 6
    assert found.files == [(b"in/sub/none", b"")]
    assert opened(SEVEN, packed(tmp_path, "-psecret", "-mhe=on")).reasons == ["encrypted"]


@needs_7z
@pytest.mark.parametrize("method", ["PPMd", "ARM64"])
def test_methods_that_are_not_read_are_named(method: str, tmp_path: Path) -> None:
    folder(tmp_path)
    found = opened(SEVEN, packed(tmp_path, f"-m0={method}", "-snl", *(["-m1=Copy"] if method == "ARM64" else [])))
    assert {(reason, method in detail) for _, reason, detail in found.problems} == {("not supported", True)}
    assert len(found.problems) == 6


def number(value: int) -> bytes:
    return b"\xff" + value.to_bytes(8, "little")


def framed(header: bytes, body: bytes = b"") -> bytes:
    """A 7z archive of these packed bytes and this header."""
    start = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + body + header


def written(body: bytes, size: int, coder: bytes, files: bytes, sums: bytes = b"") -> bytes:
    """An archive of one folder with one coder. `files`: what follows the number of files."""
    streams = b"\6\0\1\x09" + number(len(body)) + b"\0"
    streams += b"\7\x0b\1\0\1" + coder + b"\x0c" + number(size) + sums + b"\0"
    return framed(b"\1\4" + streams + b"\0\5" + files + b"\0\0", body)


def named(*names: str) -> bytes:
    raw = b"\0" + b"".join(name.encode("utf-16-le", "surrogatepass") + b"\0\0" for name in names)
    return bytes([len(names)]) + b"\x11" + number(len(raw)) + raw


COPIED = b"\1\0"


def test_hostile_names_are_data() -> None:
    for name in ("../../etc/passwd", "/etc/shadow", "C:\\plates", "", "\ud800 alone"):
        found = opened(SEVEN, written(b"bird", 4, COPIED, named(name)))
        assert found.files == [(name.encode("utf-8", "surrogatepass"), b"bird")]
        assert found.problems == []


def test_a_wrong_checksum_keeps_the_bytes_and_is_told() -> None:
    sums = b"\x0a\1" + struct.pack("<I", zlib.crc32(b"fish"))
    found = opened(SEVEN, written(b"bird", 4, COPIED, named("plate"), sums))
    assert found.files == [(b"plate", b"bird")]
    assert found.reasons == ["damaged"]


def test_a_member_without_packed_bytes_and_bytes_without_a_member_are_told() -> None:
    found = opened(SEVEN, written(b"bird", 4, COPIED, named("first", "second")))
    assert found.files == [(b"first", b"bird")]
    assert found.problems[0][:2] == (b"second", "damaged archive")
    nobody = opened(SEVEN, written(b"bird", 4, COPIED, b"\0"))
    assert nobody.reasons == ["damaged archive"]


def test_anti_items_folders_and_empty_files_are_told_apart() -> None:
    bare = b"\x0e\1\xe0" + b"\x0f\1\x60" + b"\x10\1\x20"
    found = opened(SEVEN, written(b"bird", 4, COPIED, named("folder", "empty", "anti", "plate") + bare))
    assert [(e.path, e.kind) for e in found.entries] == [
        (b"folder", "directory"), (b"empty", "file"), (b"anti", "special"), (b"plate", "file"),
    ]  # fmt: skip
    assert found.files == [(b"empty", b""), (b"plate", b"bird")]


def test_a_large_file_that_calls_itself_a_symlink_is_read() -> None:
    attributes = b"\x15\6\1\0" + struct.pack("<I", stat.S_IFLNK << 16 | 0x8000)
    link = opened(SEVEN, written(b"bird", 4, COPIED, named("link") + attributes))
    assert (link.kinds("symlink"), link.files) == ([b"link"], [])
    large = opened(SEVEN, written(NOISE, len(NOISE), COPIED, named("link") + attributes))
    assert large.files == [(b"link", NOISE)]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", "truncated"),
        (framed(b"\1\0")[:-1], "truncated"),
        (framed(b"\1\4\6" + number(1 << 63) + b"\1\x09\1\0"), "damaged archive"),
        (framed(b"\1\4\6\0" + number(1 << 40)), "damaged archive"),
        (framed(b"\1\4\7\x0b" + number(1 << 20) + bytes(1 << 20)), "too many"),
        (framed(b"\1\4\7\x0b\1\0" + number(1 << 40)), "not supported"),
        (framed(b"\1\5" + number(1 << 60)), "damaged archive"),
        (framed(b"\1\5\1\x11" + number(1 << 60)), "damaged archive"),
        (written(b"bird", 1 << 40, b"\x23\3\1\1\5\x5d" + b"\xff" * 4, named("plate")), "too large"),
        (written(b"bird", 4, b"\x23\3\1\1\5\xff" + b"\xff" * 4, named("plate")), "damaged"),
        (written(b"bird", 4, b"\x23\3\1\1\5\x08" + bytes(4), named("plate")), "not supported"),
        (written(b"bird", 5, COPIED, named("plate")), "truncated"),
        (written(b"bird", 4, b"\4\1\2\3\4", named("plate")), "not supported"),
    ],
)  # fmt: skip
def test_hostile_headers_end_in_a_reason(raw: bytes, reason: str) -> None:
    assert opened(SEVEN, raw).reasons == [reason]


def test_a_header_that_packs_itself_for_ever_is_given_up() -> None:
    """The packed header is a description of how to unpack a header, and stands unpacked where it is described."""
    inner = b"\x17\6\0\1\x09" + number(40) + b"\0\7\x0b\1\0\1" + COPIED + b"\x0c" + number(40) + b"\0\0"
    found = opened(SEVEN, framed(inner, inner))
    assert found.reasons == ["damaged archive"]
    assert "packed more than" in found.problems[0][2]


def test_a_header_that_does_not_fit_its_checksum_is_read_and_told() -> None:
    raw = written(b"bird", 4, COPIED, named("plate"))
    found = opened(SEVEN, raw.replace(b"p\0l\0a\0t\0e", b"s\0l\0a\0t\0e"))
    assert found.files == [(b"slate", b"bird")]
    assert found.reasons == ["damaged archive"]


@needs_7z
def test_damage_in_a_solid_folder_costs_what_stands_behind_it(tmp_path: Path) -> None:
    for i in range(40):
        (tmp_path / f"plate-{i:02}").write_bytes(random.Random(i).randbytes(2000))
    whole = packed(tmp_path, "-ms=on", "-m0=LZMA", source="plate-*")
    broken = bytearray(whole)
    broken[50_000:50_004] = b"\xff" * 4
    before, after = opened(SEVEN, whole), opened(SEVEN, bytes(broken))
    assert [path for path, _ in after.files] == [path for path, _ in before.files]
    assert after.files[:20] == before.files[:20]
    told = {path for path, _, _ in after.problems}
    assert all(old == new or new[0] in told for old, new in zip(before.files, after.files, strict=True))
    assert len(told) > 10
