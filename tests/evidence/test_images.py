"""Real images made by others, held against the Sleuth Kit's own programs, and the same images damaged."""

import contextlib
import hashlib
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from tests.evidence.builders import Listed, list_files
from tests.world import SHARED, needs_shared

DISK = SHARED / "disk"
needs_sleuthkit = pytest.mark.skipif(not shutil.which("fls"), reason="needs the Sleuth Kit's programs")
EXT2 = {b"a_directory/a_file": 53, b"a_directory/another_file": 22, b"passwords.txt": 116}

pytestmark = needs_shared


def listed(*names: str) -> Listed:
    return list_files({name.encode(): (DISK / name).read_bytes() for name in names})


def said_by(program: str, *arguments: str | Path) -> bytes:
    return subprocess.run([program, *map(str, arguments)], check=True, capture_output=True).stdout


@pytest.mark.parametrize(
    "names",
    [["ext2.E01"], ["ext2.split.E01", "ext2.split.E02"], ["ext2.splitraw.000", "ext2.splitraw.001"], ["ext2.qcow2"],
     ["ext2.vhd"], ["ext2.vmdk"]],
    ids=["E01", "split E01", "split raw", "QCOW2", "VHD", "VMDK"],
)  # fmt: skip
def test_one_file_system_in_six_wrappings_is_one_tree(names: list[str]) -> None:
    found = listed(*names)
    assert {row["path"]: row["size"] for row in found.rows} == EXT2
    assert found.tally() == (7, 3, 4)
    assert found.aside == []
    assert [row["sha256"] for row in found.rows] == [row["sha256"] for row in listed("ext2.E01").rows]


@needs_sleuthkit
@pytest.mark.parametrize("name", ["ext2.E01", "plaso_image.E01"])
def test_names_records_and_bytes_are_those_of_fls_and_icat(name: str) -> None:
    found = listed(name)
    lines = said_by("fls", "-r", "-p", "-F", DISK / name).splitlines()
    live = {line.partition(b"\t")[2]: int(line.split(b":")[0].split()[-1]) for line in lines if b" * " not in line}
    files = {path: inode for path, inode in live.items() if path in found.paths}
    assert {row["path"]: row["inode"] for row in found.rows} == files
    for path, inode in files.items():
        assert found.content(path) == said_by("icat", DISK / name, str(inode))


@needs_sleuthkit
def test_deleted_names_and_the_orphan_are_accounted_for() -> None:
    """Three deleted names have lost their records, and the orphan's record holds no bytes: none of them is an item."""
    found = listed("plaso_image.E01")
    lines = said_by("fls", "-r", "-p", "-d", DISK / "plaso_image.E01").splitlines()
    gone = sorted(line.partition(b"\t")[2].decode() for line in lines)
    assert len(gone) == 4
    assert sorted(detail.partition(": ")[0] for _, detail in found.aside) == gone
    assert set(found.reasons) == {"content gone"}
    assert {row["path"]: row["deleted"] for row in found.rows} == dict.fromkeys(EXT2, False)


def test_images_are_known_by_content_whatever_they_are_called() -> None:
    renamed = list_files({b"holiday.jpg": (DISK / "ext2.E01").read_bytes()})
    assert {row["path"]: row["size"] for row in renamed.rows} == EXT2


@pytest.mark.parametrize("keep", [100, 2000, 6000, 12000, 12100])
def test_a_cut_e01_is_told(keep: int) -> None:
    found = list_files({b"ext2.E01": (DISK / "ext2.E01").read_bytes()[:keep]})
    assert {"truncated", "damaged image"} & set(found.reasons)


def test_a_missing_last_segment_is_told() -> None:
    assert {"truncated", "damaged image"} & set(listed("ext2.split.E01").reasons)


def test_segments_in_the_wrong_order_do_not_change_what_is_read() -> None:
    found = listed("ext2.split.E02", "ext2.split.E01")
    assert found.paths == list(EXT2) or "damaged image" in found.reasons


def test_no_flipped_byte_of_an_e01_is_passed_over() -> None:
    """libewf reads zeros where a chunk's checksum fails, without a word: files vanished or changed unseen."""
    raw, whole = (DISK / "ext2.E01").read_bytes(), listed("ext2.E01")
    silent = []
    for at in range(64, len(raw), 307):
        broken = bytearray(raw)
        broken[at] ^= 0xFF
        found = list_files({b"ext2.E01": bytes(broken)})
        same = [(r["path"], r["sha256"]) for r in found.rows] == [(r["path"], r["sha256"]) for r in whole.rows]
        if not same and not {"damaged image", "truncated"} & set(found.reasons):
            silent.append(at)
    assert silent == []


def test_an_image_in_a_folder_of_other_files_is_an_item_and_is_opened() -> None:
    raw = (DISK / "ext2.qcow2").read_bytes()
    found = list_files({b"vm/ext2.qcow2": raw, b"backup.bin": bytes(2 << 20)})
    assert found.row(b"vm/ext2.qcow2")["sha256"] == hashlib.sha256(raw).hexdigest()
    inside = {path.removeprefix(b"vm/ext2.qcow2!/"): found.row(path)["size"] for path in found.paths if b"!/" in path}
    assert inside == EXT2
    assert found.row(b"vm/ext2.qcow2!/passwords.txt")["parent"] == found.row(b"vm/ext2.qcow2")["item"]
    assert found.aside == []


def test_notes_beside_an_image_are_items_and_the_image_is_opened() -> None:
    found = list_files({b"ext2.E01": (DISK / "ext2.E01").read_bytes(), b"ext2.log": b"acquired by hand"})
    assert found.paths == [b"ext2.log", *EXT2]


def test_a_damaged_gzip_keeps_all_that_stands_before_the_damage() -> None:
    """As much as zlib gives when it is fed one byte at a time."""
    raw = (DISK / "corrupt1.gz").read_bytes()
    pieces: list[bytes] = []
    machine = zlib.decompressobj(31)
    with contextlib.suppress(zlib.error):
        pieces.extend(machine.decompress(raw[i : i + 1]) for i in range(len(raw)))
    before = b"".join(pieces)
    found = list_files({b"corrupt1.gz": raw}, archive_ratio=100_000)
    assert found.reasons in (["damaged"], ["truncated"])
    assert found.content(b"corrupt1.gz!/corrupt1") == before
    assert len(before) > 0
