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
from backports import zstd
from backports.zstd import zipfile as zstd_zipfile

from casewright.evidence.readers.archives import REFUSED
from tests.evidence.builders import list_files, only_problem
from tests.evidence.test_sevenzip import opened
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


@pytest.mark.parametrize(
    ("pack", "ending"),
    [(gzip.compress, b"gz"), (bz2.compress, b"bz2"), (lzma.compress, b"xz"), (zstd.compress, b"zst"),
     (lambda raw: lzma.compress(raw, lzma.FORMAT_ALONE), b"lzma")],
)  # fmt: skip
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
    assert listed.paths == []
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


@pytest.mark.parametrize(
    ("name", "pack"), [(b"site.tar.zst", zstd.compress), (b"site.tzst", zstd.compress), (b"site.tgz", gzip.compress)]
)
def test_a_packed_tar_is_opened_to_its_members(name: bytes, pack: Callable[[bytes], bytes]) -> None:
    listed = list_files({name: pack(tarred(("plate", tarfile.REGTYPE, PLATE)))})
    assert listed.content(name + b"!/site.tar!/plate") == PLATE
    assert listed.aside == []


HEADS = {
    "application/vnd.rar": b"Rar!\x1a\x07\x01\x00", "application/x-arj": b"\x60\xea\x29\0\x22\x0b\1\0\0\0\2",
    "application/vnd.ms-cab-compressed": b"MSCF\0\0\0\0", "application/x-rpm": b"\xed\xab\xee\xdb\3",
    "application/x-compress": b"\x1f\x9d\x90", "application/x-lz4": b"\x04\x22\x4d\x18",
    "application/x-lzip": b"LZIP\1", "application/x-lzop": b"\x89LZO\0\r\n\x1a\n", "application/x-squashfs": b"hsqs",
    "application/x-iso9660-image": bytes(32769) + b"CD001\1",
}  # fmt: skip


@pytest.mark.parametrize("mime", HEADS)
def test_archives_that_are_not_read_are_kept_and_named(mime: str) -> None:
    listed = list_files({b"backup": HEADS[mime] + PLATE})
    assert [(row["path"], row["mime"]) for row in listed.rows] == [(b"backup", mime)]
    assert listed.reasons == ["not supported"]
    assert REFUSED[mime] in only_problem(listed).detail


ZIP = "application/zip"
FILES = {"first": PLATE, "second": b"second", "third": PLATE[::-1]}


def test_a_zip_with_zstandard_members_is_read() -> None:
    file = io.BytesIO()
    with zstd_zipfile.ZipFile(file, "w", zstd_zipfile.ZIP_ZSTANDARD) as archive:
        archive.writestr("plate", PLATE)
    assert opened(ZIP, file.getvalue()).files == [(b"plate", PLATE)]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_without_its_directory_gives_its_members_by_their_own_headers(method: int) -> None:
    raw = zipped(FILES, method)
    found = opened(ZIP, raw[: raw.index(b"PK\1\2")])
    assert found.files == [(name.encode(), plain) for name, plain in FILES.items()]
    assert found.problems == [
        (b"", "damaged archive", "its directory is lost; 3 members were found by their own headers")
    ]


def test_a_zip_that_breaks_off_in_a_member_gives_that_members_beginning() -> None:
    raw = zipped(FILES, zipfile.ZIP_STORED)
    found = opened(ZIP, raw[:30_000])
    assert found.files[:2] == [(b"first", PLATE), (b"second", b"second")]
    assert FILES["third"].startswith(found.files[2][1])
    assert len(found.files[2][1]) > 9000
    assert found.reasons == ["truncated", "damaged archive"]


def test_a_directory_that_breaks_off_costs_no_member() -> None:
    raw = zipped(FILES)
    second = raw.index(b"PK\1\2", raw.index(b"PK\1\2") + 1)
    found = opened(ZIP, raw[:second] + b"XX" + raw[second + 2 :])
    assert found.files == [(name.encode(), plain) for name, plain in FILES.items()]
    assert found.reasons == ["damaged archive", "bytes left over"]
    assert "name 3 members, and 1 can be read" in found.problems[0][2]


def test_members_that_the_directory_is_silent_about_are_found_and_told() -> None:
    """Two archives, one behind the other: whoever reads the last directory sees the second only."""
    first, second = (
        zipped({"hidden": b"hidden", "inner.zip": zipped({"not twice": b"x"}, 0)}, 0),
        zipped({"shown": b"y"}),
    )
    assert zipfile.ZipFile(io.BytesIO(first + second)).namelist() == ["shown"]
    found = opened(ZIP, first + second)
    assert [path for path, _ in found.files] == [b"shown", b"hidden", b"inner.zip"]
    assert found.reasons == ["bytes left over"]
    assert found.problems[0][2].startswith("2 members are not in the archive's directory")


def test_members_that_share_their_bytes_are_each_counted_and_charged() -> None:
    """The bomb of overlapping members: a directory names the same bytes again and again."""
    raw = zipped({"plate": bytes(1 << 20)})
    listed, last = raw.index(b"PK\1\2"), raw.index(b"PK\5\6")
    entry, end = raw[listed:last], bytearray(raw[last:])
    end[8:16] = struct.pack("<HHI", 500, 500, 500 * len(entry))
    bomb = raw[:listed] + entry * 500 + end
    found = opened(ZIP, bomb, budget=None)
    assert len(found.files) == 500
    capped = list_files({b"a.zip": bomb}, archive_ratio=100)
    assert "too large" in capped.reasons
    assert sum(row["size"] for row in capped.rows) < 9 << 20


def test_a_part_of_a_split_zip_is_named_and_gives_what_is_in_it() -> None:
    raw = zipped(FILES, zipfile.ZIP_STORED)
    first = opened(ZIP, b"PK\7\x08" + raw[:25_000])
    assert first.files[:2] == [(b"first", PLATE), (b"second", b"second")]
    assert "not supported" in first.reasons
    assert any("split" in detail for _, _, detail in first.problems)
    last = bytearray(raw[raw.index(b"PK\1\2") :])
    at = last.index(b"PK\5\6")
    last[at + 4 : at + 8] = struct.pack("<HH", 1, 1)
    last[at + 16 : at + 20] = bytes(4)
    rest = opened(ZIP, bytes(last))
    assert rest.reasons == ["content elsewhere"] * 3 + ["not supported"]
    assert [path for path, _, _ in rest.problems] == [b"first", b"second", b"third", b""]


@pytest.mark.parametrize("name", [b"T\x94ne", "Töne".encode(), b"..\\up", b"a\xff"])
def test_names_in_any_code_page_are_kept_as_they_stand(name: bytes) -> None:
    raw = zipped({"x" * len(name): b"tones"}).replace(b"x" * len(name), name)
    assert opened(ZIP, raw).files == [(name, b"tones")]


def test_a_folder_or_symlink_that_hides_bytes_is_read_as_a_file() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in (("link", b"target"), ("large", PLATE)):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, raw)
    found = opened(ZIP, file.getvalue())
    assert (found.kinds("symlink"), found.files) == ([b"link"], [(b"large", PLATE)])
    lying = bytearray(zipped({"folder/": PLATE}))
    at = lying.index(b"PK\1\2")
    lying[at + 24 : at + 28] = bytes(4)
    found = opened(ZIP, bytes(lying))
    assert (found.files, found.reasons) == ([(b"folder/", PLATE)], ["damaged"])


def test_a_directory_of_many_small_members_can_be_lost_too() -> None:
    files = {f"plate-{n}": b"%d" % n for n in range(4000)}
    raw = zipped(files, 0)
    found = opened(ZIP, raw[: raw.index(b"PK\1\2")])
    assert found.files == [(name.encode(), plain) for name, plain in files.items()]
    assert found.reasons == ["damaged archive"]


def test_members_that_never_end_are_given_up_after_some_readings() -> None:
    """Each says that its size stands behind its bytes, where none does: finding out takes a reading of all the rest."""
    head = b"PK\3\4\x14\0\x08\0\x08\0" + bytes(16) + b"\1\0\0\0x"
    found = opened(ZIP, head * 6000)
    assert found.reasons[-1] == "too many"
    assert 100 < len(found.entries) < 6000


@pytest.mark.parametrize(("field", "size"), [(b"comment", 20 << 20), (b"path", 17 << 20)])
def test_a_tar_header_that_is_all_header_is_not_taken_into_memory(field: bytes, size: int) -> None:
    value = field + b"=" + b"x" * size
    record = b"%d %s\n" % (len(value) + 2 + 8, value)
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    raw = info.tobuf() + record + bytes(-len(record) % 512) + tarred(("plate", tarfile.REGTYPE, PLATE))
    found = opened("application/x-tar", tarred(("first", tarfile.REGTYPE, b"x"))[:1024] + raw)
    assert found.files == [(b"first", b"x")]
    assert found.reasons == ["too large"]
