"""Our readers against 7-Zip, GNU tar and the packers themselves: the same members, the same bytes."""

import bz2
import gzip
import io
import lzma
import os
import random
import re
import shutil
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from casewright.evidence.kinds import HEAD, kind_of
from casewright.evidence.reader import CHUNK, Entry, Problem, Unreadable
from casewright.evidence.readers.archives import members
from casewright.evidence.readers.budget import Budget
from tests.evidence.test_sevenzip import METHODS, NOISE, PLATES, Opened, folder, needs_7z, opened, packed
from tests.world import SHARED, needs_shared

needs_tar = pytest.mark.skipif(not shutil.which("tar"), reason="needs GNU tar")
needs_ar = pytest.mark.skipif(not shutil.which("ar"), reason="needs ar")
ARCHIVES = sorted((SHARED / "archives").glob("*")) if SHARED.is_dir() else []


def seven_listing(archive: Path) -> list[dict[str, str]]:
    """What `7z l -slt` says of each member."""
    order = ["7z", "l", "-slt", "-sccUTF-8", "-pwrong", str(archive)]
    said = subprocess.run(order, capture_output=True, check=False).stdout.decode()
    blocks = said.split("----------\n", 1)[1].split("\n\n")
    return [dict(re.findall(r"^([\w ]+) = ?(.*)$", block, re.MULTILINE)) for block in blocks if "Path = " in block]


def seven_bytes(archive: Path) -> bytes:
    """All members' bytes one behind the other, as `7z e -so` gives them."""
    order = ["7z", "e", "-so", "-pwrong", str(archive)]
    return subprocess.run(order, capture_output=True, check=False).stdout


def ours(archive: Path) -> Opened:
    raw = archive.read_bytes()
    return opened(kind_of(raw[:HEAD], len(raw)), raw, os.fsencode(archive.name))


def hold_against_seven(archive: Path, lost: frozenset[str] = frozenset()) -> Opened:
    """Every member that 7-Zip lists is an entry or a problem of ours, and nothing else is; bytes and checksums agree.

    `lost` are reasons for which a member may be a problem here.
    """
    found, listing = ours(archive), seven_listing(archive)
    told = [path.decode() for path, reason, _ in found.problems if reason in lost]
    assert sorted([e.path.decode().rstrip("/") for e in found.entries] + told) == sorted(m["Path"] for m in listing)
    assert set(found.reasons) <= lost
    files: dict[str, list[bytes]] = {}
    for path, plain in found.files:
        files.setdefault(path.decode(), []).append(plain)
    for member in listing:
        if member["Path"] in files and member.get("Folder") != "+":
            plain = files[member["Path"]].pop(0)
            assert len(plain) == int(member["Size"])
            assert member.get("CRC", "") in ("", f"{zlib.crc32(plain):08X}")
    return found


@needs_7z
@pytest.mark.parametrize("solid", ["on", "off"])
@pytest.mark.parametrize("method", METHODS)
def test_7z_archives_hold_what_7_zip_says(method: str, solid: str, tmp_path: Path) -> None:
    folder(tmp_path)
    raw = packed(tmp_path, *METHODS[method], f"-ms={solid}", "-snl")
    archive = tmp_path / "a.7z"
    archive.write_bytes(raw)
    found = hold_against_seven(archive)
    plain = b"".join(raw for _, raw in found.files)
    assert plain == seven_bytes(archive).replace(b"plates.txt", b"", 1)  # the symlink's target, which is no file here


@needs_7z
@pytest.mark.parametrize(
    ("options", "reason"),
    [(["-m0=PPMd"], "not supported"), (["-psecret"], "encrypted"), (["-m0=ARM64"], "not supported")],
)
def test_members_that_are_not_read_are_still_the_ones_that_7_zip_lists(
    options: list[str], reason: str, tmp_path: Path
) -> None:
    folder(tmp_path)
    (tmp_path / "a.7z").write_bytes(packed(tmp_path, *options, "-snl"))
    found = hold_against_seven(tmp_path / "a.7z", frozenset([reason]))
    assert reason in found.reasons


@needs_7z
@pytest.mark.parametrize("method", ["Copy", "Deflate", "Deflate64", "BZip2", "LZMA", "XZ"])
def test_zips_of_7_zip_hold_what_it_says(method: str, tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "in" / "link").unlink()
    (tmp_path / "a.zip").write_bytes(packed(tmp_path, f"-mm={method}", form="zip"))
    found = hold_against_seven(tmp_path / "a.zip", frozenset())
    assert b"".join(raw for _, raw in found.files) == seven_bytes(tmp_path / "a.zip")


@needs_7z
@pytest.mark.parametrize(("options", "reason"), [(["-mm=PPMd"], "not supported"), (["-psecret"], "encrypted")])
def test_zips_that_are_not_read_are_told_member_by_member(options: list[str], reason: str, tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "a.zip").write_bytes(packed(tmp_path, *options, form="zip"))
    hold_against_seven(tmp_path / "a.zip", frozenset([reason]))


class Pipe(io.RawIOBase):
    """Somewhere to write a ZIP to that cannot go back: sizes then stand behind the members."""

    def __init__(self) -> None:
        self.raw = b""

    def writable(self) -> bool:
        return True

    def write(self, chunk: bytes) -> int:  # type: ignore[override]
        self.raw += bytes(chunk)
        return len(chunk)


MANY = {f"a/plate-{i}": random.Random(i).randbytes(40) * (i % 7) for i in range(60)} | {"ä/Töne": PLATES, "n": NOISE}


def written(method: int, wide: bool = False, streamed: bool = False) -> bytes:
    target: io.BytesIO | Pipe = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, raw in MANY.items():
            with archive.open(name, "w", force_zip64=wide) as member:
                member.write(raw)
        archive.comment = b"PK\5\6 stands in this comment, and means nothing"
    return target.raw if isinstance(target, Pipe) else target.getvalue()


@needs_7z
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zips_of_python_are_whole_with_a_directory_and_without(
    method: int, wide: bool, streamed: bool, tmp_path: Path
) -> None:
    raw = written(method, wide, streamed)
    archive = tmp_path / "a.zip"
    archive.write_bytes(raw)
    found = hold_against_seven(archive)
    expected = [(name.encode(), plain) for name, plain in MANY.items()]
    assert found.files == expected
    prefixed = opened("application/zip", b"#!/bin/sh\nexit\n" * 50 + raw)
    assert (prefixed.files, prefixed.problems) == (expected, [])
    for cut in (raw[: raw.index(b"PK\1\2")], raw[: raw.index(b"PK\1\2") + 300], raw[:-60]):
        lost = opened("application/zip", cut)
        assert lost.files == expected
        assert lost.reasons == ["damaged archive"]
        assert "directory is lost" in lost.problems[0][2]


@needs_shared
@needs_7z
@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_real_archives_hold_what_7_zip_says(archive: Path) -> None:
    found = hold_against_seven(archive)
    assert found.files
    assert b"".join(raw for _, raw in found.files) == seven_bytes(archive)


TREE_ORDERS = {
    "gnu": ["--format=gnu"], "oldgnu": ["--format=oldgnu"], "pax": ["--format=pax"], "ustar": ["--format=ustar"],
    "v7": ["--format=v7"], "gnu, sparse": ["--format=gnu", "-S"],
    **{f"pax, sparse {v}": ["--format=pax", "-S", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0")},
}  # fmt: skip


def tree(where: Path, old: bool) -> None:
    top = folder(where)
    os.link(top / "plates.txt", top / "same plates")
    with (top / "holes").open("wb") as file:
        for at in range(0, 6 << 20, 512 << 10):
            file.seek(at + 70_000)
            file.write(NOISE[:5000])
        file.truncate(7 << 20)
    if not old:
        os.mkfifo(top / "pipe")
        deep = top / "/".join(["a folder"] * 30)
        deep.mkdir(parents=True)
        (deep / ("long " * 40)).write_bytes(b"deep")
        (deep / "long link").symlink_to("x" * 180)


@needs_tar
@pytest.mark.parametrize("form", TREE_ORDERS)
def test_tars_hold_what_gnu_tar_says(form: str, tmp_path: Path) -> None:
    tree(tmp_path, old=form in ("v7", "ustar"))
    (tmp_path / "w").mkdir()
    archive = tmp_path / "a.tar"
    sources = ["../in", f"{tmp_path}/in/plates.txt"]
    order = ["tar", "-cPf", str(archive), *TREE_ORDERS[form], *sources]
    subprocess.run(order, check=True, cwd=tmp_path / "w", capture_output=True)
    hold_against_tar(archive)


def hold_against_tar(archive: Path) -> None:
    order = ["tar", "-tvPf", str(archive), "--full-time", "--numeric-owner", "--quoting-style=literal"]
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    said = subprocess.run(order, check=True, capture_output=True, env=environment).stdout.decode().splitlines()
    found = ours(archive)
    assert found.problems == []
    assert len(said) == len(found.entries)
    contents = dict(found.files)
    plain = b""
    for line, entry in zip(said, found.entries, strict=True):
        mode, _, size, day, clock, name = line.split(maxsplit=5)
        kind = {"-": "file", "h": "file", "d": "directory", "l": "symlink"}.get(mode[0], "special")
        name = re.split(" -> | link to ", name)[0]
        assert (entry.kind, entry.path.decode()) == (kind, name.rstrip("/") or "/")
        assert str(entry.modified).startswith(f"{day} {clock[:8]}")
        if mode[0] == "-":
            assert len(contents[entry.path]) == entry.size == int(size)
            plain += contents[entry.path]
    order = ["tar", "-xOPf", str(archive)]
    assert plain == subprocess.run(order, check=True, capture_output=True).stdout


@needs_tar
@needs_shared
@pytest.mark.parametrize("archive", [a for a in ARCHIVES if a.suffix == ".tar"], ids=lambda path: path.name)
def test_real_tars_hold_what_gnu_tar_says(archive: Path) -> None:
    hold_against_tar(archive)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd.compress,
    "lzma": lambda raw: lzma.compress(raw, lzma.FORMAT_ALONE),
}  # fmt: skip
PROGRAMS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}


@pytest.mark.parametrize("ending", PROGRAMS)
def test_packed_files_of_several_streams_hold_what_their_own_program_says(ending: str, tmp_path: Path) -> None:
    if not shutil.which(PROGRAMS[ending]):
        pytest.skip(f"needs {PROGRAMS[ending]}")
    archive = tmp_path / f"dump.sql.{ending}"
    archive.write_bytes(b"".join(PACKERS[ending](raw) for raw in (PLATES, b"", NOISE, b"end")))
    said = subprocess.run([PROGRAMS[ending], "-dc", str(archive)], check=True, capture_output=True).stdout
    found = ours(archive)
    assert found.files == [(b"dump.sql", said)]
    assert (said, found.problems) == (PLATES + NOISE + b"end", [])


@pytest.mark.skipif(not shutil.which("zstd"), reason="needs zstd")
@pytest.mark.parametrize("options", [["-1"], ["-19", "-T2"], ["--long=30"], ["--no-check"], ["--fast=9"]])
def test_zstandard_files_of_every_kind_are_read(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "plates").write_bytes(PLATES * 20 + NOISE)
    subprocess.run(["zstd", "-q", *options, str(tmp_path / "plates")], check=True)
    assert ours(tmp_path / "plates.zst").files == [(b"plates", PLATES * 20 + NOISE)]


@pytest.mark.skipif(not shutil.which("zstd"), reason="needs zstd")
def test_a_window_that_would_take_too_much_memory_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "plates").write_bytes(PLATES)
    with (tmp_path / "plates").open("rb") as file, (tmp_path / "plates.zst").open("wb") as target:
        subprocess.run(["zstd", "-q", "--ultra", "--long=31", "-c"], check=True, stdin=file, stdout=target)
    found = ours(tmp_path / "plates.zst")
    assert found.reasons == ["too large"]


def cpio(form: str) -> bytes:
    """An archive of a folder, two hard links (the bytes with the second), a symlink, a file and an end."""
    folder_mode, file_mode, link_mode = 0o040755, 0o100644, 0o120777
    rows = (
        (b"in", 1, folder_mode, 2, b""),
        (b"in/one", 2, file_mode, 2, b""),
        (b"in/link", 3, link_mode, 1, b"one"),
        (b"in/two", 2, file_mode, 2, PLATES),
        (b"in/none", 4, file_mode, 1, b""),
        (b"TRAILER!!!", 0, 0, 1, b""),
    )
    return b"".join(_cpio_member(form, *row) for row in rows)


def _cpio_member(form: str, name: bytes, inode: int, mode: int, links: int, body: bytes) -> bytes:
    time, name = 1_571_218_200, name + b"\0"
    if form == "newc":
        numbers = (inode, mode, 0, 0, links, time, len(body), 0, 1, 0, 0, len(name), 0)
        head, step = b"070701" + b"".join(b"%08X" % n for n in numbers) + name, 4
    elif form == "odc":
        head = b"070707" + b"".join(b"%06o" % n for n in (1, inode, mode, 0, 0, links, 0))
        head, step = head + b"%011o%06o%011o" % (time, len(name), len(body)) + name, 1
    else:
        words = (0o070707, 1, inode, mode, 0, 0, links, 0, time >> 16, time & 0xFFFF, len(name), len(body) >> 16)
        order = "<" if form == "little" else ">"
        head, step = struct.pack(f"{order}13H", *words, len(body) & 0xFFFF) + name, 2
    return head + bytes(-len(head) % step) + body + bytes(-len(body) % step)


@needs_7z
@pytest.mark.parametrize("form", ["newc", "odc", "little", "big"])
def test_cpio_archives_hold_what_7_zip_says(form: str, tmp_path: Path) -> None:
    archive = tmp_path / "a.cpio"
    archive.write_bytes(cpio(form))
    found = ours(archive)
    assert {m["Path"] for m in seven_listing(archive)} == {e.path.decode() for e in found.entries}
    assert dict(found.files) == {b"in/one": PLATES, b"in/two": PLATES, b"in/none": b""}
    assert found.problems == []
    assert seven_bytes(archive).replace(b"one", b"", 1) == PLATES * 2  # the symlink's target, which is no file here
    assert {str(e.modified) for e in found.entries} == {"2019-10-16 09:30:00"}


def test_an_initial_ram_disk_is_read_to_its_last_part() -> None:
    rest = gzip.compress(PLATES)
    found = opened("application/x-cpio", cpio("newc") + bytes(300) + cpio("newc") + rest)
    assert len(found.entries) == 11
    assert found.files[-1] == (b"behind the end", rest)
    assert found.reasons == ["bytes left over"]


@needs_ar
@needs_7z
def test_ar_archives_hold_what_ar_says(tmp_path: Path) -> None:
    files = {"plates.txt": PLATES, "a name that is longer than sixteen bytes": NOISE, "odd": b"odd", "none": b""}
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
    subprocess.run(["ar", "rc", "a.a", *files], check=True, cwd=tmp_path)
    found = hold_against_seven(tmp_path / "a.a")
    said = subprocess.run(["ar", "t", "a.a"], check=True, capture_output=True, cwd=tmp_path).stdout.decode()
    assert [path.decode() for path, _ in found.files] == said.splitlines()
    assert {path.decode(): raw for path, raw in found.files} == files


def seeds() -> dict[str, bytes]:
    """A small archive of each format that can be built without a program."""
    files = {"plates.txt": PLATES[:3000], "noise": NOISE[:900], "none": b""}
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        for name, raw in files.items():
            info = tarfile.TarInfo(name * 30)
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    packs = {ending: pack(PLATES[:20_000]) for ending, pack in PACKERS.items()}
    ar = b"!<arch>\n" + b"".join(b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (n.encode(), 0, 0, 0, 0o644, len(r)) + r
                                 for n, r in files.items())  # fmt: skip
    return {"zip": zipped.getvalue(), "tar": tarred.getvalue(), "cpio": cpio("newc")[:9000], "ar": ar, **packs}


SEED_KINDS = {
    "zip": "application/zip",
    "7z": "application/x-7z-compressed",
    "tar": "application/x-tar",
    "cpio": "application/x-cpio",
    "ar": "application/x-archive",
    "gz": "application/gzip",
    "bz2": "application/x-bzip2",
    "xz": "application/x-xz",
    "lzma": "application/x-lzma",
    "zst": "application/zstd",
}
CHECKED = {"gz", "bz2", "xz", "7z"}  # formats that carry checksums of all their bytes


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """The archive cut off, with bits flipped, a stretch overwritten, or a stretch twice."""
    broken, at = bytearray(raw), chance.randrange(len(raw))
    how = chance.randrange(4)
    if how == 0:
        return bytes(broken[:at])
    if how == 1:
        for _ in range(chance.randint(1, 3)):
            broken[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    elif how == 2:
        broken[at : at + 8] = chance.choice((b"\xff", b"\0", b"\x7f")) * len(broken[at : at + 8])
    else:
        broken[at:at] = broken[at // 2 : at // 2 + 60]
    return bytes(broken)


@needs_7z
@pytest.mark.parametrize("form", SEED_KINDS)
def test_no_mutated_archive_ends_in_anything_but_entries_and_reasons(form: str, tmp_path: Path) -> None:
    """Forty of each format. Where checksums cover all bytes, what is not told is what was packed."""
    if form == "7z":
        (tmp_path / "in").mkdir()
        for name, plain in (("plates", PLATES[:3000]), ("noise", NOISE[:900]), ("code.exe", b"\xe8\1\2\0\0" * 300)):
            (tmp_path / "in" / name).write_bytes(plain)
        raw = packed(tmp_path, *METHODS["BCJ2"])
    else:
        raw = seeds()[form]
    whole, chance = opened(SEED_KINDS[form], raw), random.Random(form)
    assert whole.files
    assert whole.problems == [] or form == "cpio"
    for _ in range(40):
        broken = mutated(raw, chance)
        budget = Budget(len(broken), 200, 1 << 30, 100)
        found, members_met = Opened(), 0
        for one in members(SEED_KINDS[form], io.BytesIO(broken), b"a", budget):
            members_met += 1
            if isinstance(one, Problem):
                found.problems.append((one.path, one.reason, one.detail))
            elif one.kind == "file":
                _read_bounded(one, found)
        assert members_met <= 3 + 2 * 100
        assert budget.spent <= 200 * len(broken) + 2 * CHUNK
        assert all(reason and detail for _, reason, detail in found.problems)
        assert form not in CHECKED or found.problems or found.files == whole.files


def _read_bounded(one: Entry, found: Opened) -> None:
    plain = b""
    try:
        for chunk in one.chunks():
            assert 0 < len(chunk) <= CHUNK
            plain += chunk
    except Unreadable as error:
        found.problems.append((one.path, error.reason, error.detail))
    found.files.append((one.path, plain))
