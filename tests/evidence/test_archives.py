"""Archives: nothing escapes, nothing explodes, nothing is lost without a word."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evidence.builders import list_files, only_problem
from tests.world import SHARED, needs_shared

PLATE = bytes(n * n % 251 for n in range(20_000))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, raw in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2019, 10, 16, 9, 30, 0)), raw, method)
    return file.getvalue()


def tarred(*members: tuple[str, bytes, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of (name, type, content or link target)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.mtime = kind, 1_571_218_200
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = content.decode()
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_members_of_a_zip_are_items_below_it(method: int) -> None:
    listed = list_files({b"backup.zip": zipped({"a/plate.bin": PLATE, "empty": b""}, method)})
    assert listed.paths == [b"backup.zip", b"backup.zip!/a/plate.bin", b"backup.zip!/empty"]
    assert listed.content(b"backup.zip!/a/plate.bin") == PLATE
    assert listed.row(b"backup.zip!/empty")["parent"] == listed.row(b"backup.zip")["item"]
    assert str(listed.row(b"backup.zip!/empty")["modified"]) == "2019-10-16 09:30:00"


def test_archives_within_archives_are_opened_whatever_their_names() -> None:
    inner = zipped({"deep.txt": b"deep"})
    middle = gzip.compress(tarred(("inner.png", tarfile.REGTYPE, inner)))
    listed = list_files({b"outer.doc": zipped({"middle.log": middle})})
    path = b"outer.doc!/middle.log!/middle.log.unpacked!/inner.png!/deep.txt"
    assert listed.content(path) == b"deep"
    assert listed.aside == []


@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, b"gz"), (bz2.compress, b"bz2"), (lzma.compress, b"xz")])
def test_compressed_files_are_unpacked_with_all_their_streams(pack: Callable[[bytes], bytes], ending: bytes) -> None:
    listed = list_files({b"dump.sql." + ending: pack(PLATE) + pack(b"second") + bytes(512)})
    assert listed.content(b"dump.sql." + ending + b"!/dump.sql") == PLATE + b"second"
    assert listed.aside == []


def test_bytes_behind_the_end_are_told() -> None:
    listed = list_files({b"a.gz": gzip.compress(b"plate") + b"and then some"})
    assert listed.content(b"a.gz!/a") == b"plate"
    assert only_problem(listed).reason == "bytes left over"


def test_a_bomb_is_cut_short_and_told() -> None:
    bomb = bz2.compress(bytes(64 << 20))
    listed = list_files({b"bomb.bz2": bomb, b"plate": PLATE}, archive_ratio=50)
    assert listed.content(b"plate") == PLATE
    assert listed.reasons == ["too large"]
    assert sum(row["size"] for row in listed.rows) < 4 << 20


def test_a_bomb_inside_archives_is_charged_to_the_outermost() -> None:
    bomb = zipped({"zeros": bytes(8 << 20)})
    listed = list_files({b"outer.zip": zipped({"bomb.zip": bomb, "after": b"after"})}, archive_ratio=20)
    assert "too large" in listed.reasons
    assert sum(row["size"] for row in listed.rows) < 3 << 20


def test_caps_on_bytes_members_and_depth_are_told() -> None:
    many = zipped({f"m{i}": b"x" for i in range(20)})
    assert list_files({b"a.zip": many}, archive_members=5).reasons == ["too many"]
    assert list_files({b"a.zip": zipped({"p": PLATE})}, archive_bytes=5000).reasons == ["too large"]
    nested = b"bottom"
    for _ in range(6):
        nested = zipped({"n": nested})
    listed = list_files({b"a.zip": nested}, archive_depth=3)
    assert listed.reasons == ["too deep"]
    assert len(listed.rows) == 4


def test_an_encrypted_member_is_set_aside_and_the_others_are_read() -> None:
    raw = bytearray(zipped({"open": b"open", "shut": b"shut"}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.rindex(signature)
        raw[at + flags] |= 1
    listed = list_files({b"a.zip": bytes(raw)})
    assert listed.paths == [b"a.zip", b"a.zip!/open"]
    assert listed.reasons == ["encrypted"]


def test_a_name_that_lies_about_utf8_costs_nothing() -> None:
    """zipfile itself gives up the whole archive over one such name."""
    raw = zipped({"plate-é": b"plate", "second": b"second"})
    lying = raw.replace("é".encode(), b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        zipfile.ZipFile(io.BytesIO(lying))
    listed = list_files({b"a.zip": lying})
    assert listed.content(b"a.zip!/plate-\xff\xfe") == b"plate"
    assert listed.content(b"a.zip!/second") == b"second"
    assert list_files({b"a.zip": raw}).content("a.zip!/plate-é".encode()) == b"plate"


def test_a_folder_with_bytes_in_it_is_a_file() -> None:
    listed = list_files({b"a.zip": zipped({"hidden/": b"hidden", "folder/": b""})})
    assert listed.content(b"a.zip!/hidden/") == b"hidden"
    assert listed.tally() == (3, 2, 1)


def test_two_members_of_one_name_are_two_items() -> None:
    raw = zipped({"plate-1": b"first", "plate-2": b"second"}).replace(b"plate-2", b"plate-1")
    listed = list_files({b"a.zip": raw})
    assert sorted(listed.blobs.held[r["sha256"]] for r in listed.rows if r["path"] == b"a.zip!/plate-1") == [
        b"first",
        b"second",
    ]


def test_a_member_that_breaks_keeps_what_stands_before_the_damage() -> None:
    text = b"".join(b"plate %d with a bird, number %d\n" % (n, n * n % 1009) for n in range(2000))
    raw = bytearray(zipped({"broken": text, "whole": b"whole"}))
    raw[len(raw) // 2 : len(raw) // 2 + 40] = b"\xff" * 40
    listed = list_files({b"a.zip": bytes(raw)})
    kept = listed.content(b"a.zip!/broken")
    assert kept[:20_000] == text[:20_000]
    assert listed.content(b"a.zip!/whole") == b"whole"
    assert listed.reasons == ["damaged"]


def test_an_aff4_image_is_not_taken_for_a_mere_zip() -> None:
    listed = list_files({b"disk.aff4": zipped({"container.description": b"aff4://x", "data/00000000": PLATE})})
    assert listed.paths == [b"disk.aff4"]
    assert only_problem(listed).reason == "not supported"
    assert "AFF4" in only_problem(listed).detail


def test_hostile_paths_links_and_devices_in_a_tar_are_data() -> None:
    raw = tarred(("../../etc/passwd", tarfile.REGTYPE, b"up"), ("/etc/shadow", tarfile.REGTYPE, b"root"),
                 ("link", tarfile.SYMTYPE, b"/etc/passwd"), ("device", tarfile.BLKTYPE, b""),
                 ("pipe", tarfile.FIFOTYPE, b""), ("hard", tarfile.LNKTYPE, b"/etc/shadow"),
                 ("away", tarfile.LNKTYPE, b"/etc/hosts"), ("caf\udce9", tarfile.REGTYPE, b"name"))  # fmt: skip
    listed = list_files({b"a.tar": raw})
    assert listed.content(b"a.tar!/../../etc/passwd") == b"up"
    assert listed.content(b"a.tar!//etc/shadow") == listed.content(b"a.tar!/hard") == b"root"
    assert listed.content(b"a.tar!/caf\xe9") == b"name"
    assert listed.reasons == ["content elsewhere"]
    assert listed.tally() == (9, 5, 3)


@needs_shared
@pytest.mark.parametrize("name", ["absolute_paths.tar", "absolute_paths.zip", "mixed_paths.tar"])
def test_archives_with_absolute_paths_write_nothing_under_their_own_names(name: str, tmp_path: Path) -> None:
    raw = (SHARED / "archives" / name).read_bytes()
    listed = list_files({name.encode(): raw})
    if name.endswith("tar"):
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            files = {m.name: m.size for m in archive if m.isreg()}
    else:
        with zipfile.ZipFile(io.BytesIO(raw)) as zip_archive:
            files = {m.filename: m.file_size for m in zip_archive.infolist() if not m.is_dir()}
    assert files
    assert {r["path"].decode(): r["size"] for r in listed.rows[1:]} == {f"{name}!/{n}": s for n, s in files.items()}
    assert listed.aside == []


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_whole_in_every_dialect(form: int) -> None:
    name = "/".join(["folder"] * 25) + "/plate"
    listed = list_files({b"a.tar": tarred((name, tarfile.REGTYPE, PLATE), form=form)})
    assert listed.content(f"a.tar!/{name}".encode()) == PLATE


def test_a_tar_goes_on_behind_a_broken_header_only_with_a_word() -> None:
    raw = bytearray(tarred(*((f"m{i}", tarfile.REGTYPE, b"x") for i in range(4)), form=tarfile.USTAR_FORMAT))
    raw[2 * 1024 : 2 * 1024 + 512] = b"\x07" * 512
    listed = list_files({b"a.tar": bytes(raw)})
    assert listed.paths == [b"a.tar", b"a.tar!/m0", b"a.tar!/m1"]
    assert only_problem(listed).reason == "damaged archive"
    assert "byte 2048" in only_problem(listed).detail


def test_a_cut_tar_keeps_the_part_of_the_last_member() -> None:
    raw = tarred(("first", tarfile.REGTYPE, PLATE), ("second", tarfile.REGTYPE, PLATE), form=tarfile.USTAR_FORMAT)
    listed = list_files({b"a.tar": raw[:30_000]})
    assert listed.content(b"a.tar!/first") == PLATE
    assert PLATE.startswith(listed.content(b"a.tar!/second"))
    assert len(listed.content(b"a.tar!/second")) == 30_000 - 512 * 2 - 20_480
    assert "truncated" in listed.reasons


def test_a_tar_member_with_a_negative_size_does_not_trap_the_reader() -> None:
    raw = bytearray(
        tarred(("first", tarfile.REGTYPE, b"x"), ("second", tarfile.REGTYPE, b"x"), form=tarfile.GNU_FORMAT)
    )
    raw[1024 + 124 : 1024 + 136] = b"\xff" * 8 + struct.pack(">i", -1536)
    raw[1024 + 148 : 1024 + 156] = b" " * 8
    raw[1024 + 148 : 1024 + 156] = b"%06o\0 " % sum(raw[1024:1536])
    listed = list_files({b"a.tar": bytes(raw)})
    assert listed.content(b"a.tar!/first") == b"x"
    assert "damaged archive" in listed.reasons


@pytest.mark.parametrize("pack", ["zip", "tar", "gz"])
def test_any_flipped_or_cut_archive_is_survived_and_counted(pack: str) -> None:
    raw = {"zip": zipped({"a": PLATE[:900], "b": b"b"}), "gz": gzip.compress(PLATE[:900]),
           "tar": tarred(("a", tarfile.REGTYPE, b"a"), ("b" * 120, tarfile.REGTYPE, b"b"))}[pack]  # fmt: skip
    for at in range(0, len(raw), max(1, len(raw) // 25)):
        broken = bytearray(raw)
        broken[at] ^= 0xFF
        list_files({b"x": bytes(broken)})  # checks the balance
        list_files({b"x": raw[:at]})


@pytest.mark.parametrize("head", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\x00", b"\x28\xb5\x2f\xfd"])
def test_archives_that_are_not_read_yet_are_kept_and_named(head: bytes) -> None:
    listed = list_files({b"backup": head + PLATE})
    assert listed.paths == [b"backup"]
    assert listed.reasons == ["not supported"]
