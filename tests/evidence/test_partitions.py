"""Partition tables, and partitions that hold something else than a file system we read."""

from pathlib import Path

import pytest

from tests.evidence.builders import ext_image, list_files, needs_mke2fs, partitioned

LINUX = 0x83


@needs_mke2fs
def test_each_partition_is_read_and_named_by_its_number(tmp_path: Path) -> None:
    first = ext_image(tmp_path, {b"same": b"first"}, "ext2", "1M")
    second = ext_image(tmp_path, {b"same": b"second"}, "ext4", "2M")
    listed = list_files({b"disk.dd": partitioned((LINUX, first), (LINUX, second))})
    assert [(row["volume"], row["path"]) for row in listed.rows] == [(0, b"same"), (1, b"same")]
    assert [listed.blobs.held[row["sha256"]] for row in listed.rows] == [b"first", b"second"]


@needs_mke2fs
@pytest.mark.parametrize(
    ("at", "signature", "name"),
    [(0x10040, b"_BHRfS_M", "btrfs"), (4086, b"SWAPSPACE2", "swap"), (3, b"-FVE-FS-", "BitLocker"),
     (32, b"NXSB", "APFS"), (0x400, b"\x10\x20\xf5\xf2", "F2FS"), (0x20000, b"\x0c\xb1\xba\x00", "ZFS")],
)  # fmt: skip
def test_a_partition_we_do_not_read_is_set_aside_by_name(tmp_path: Path, at: int, signature: bytes, name: str) -> None:
    ((reason, detail),) = beside_a_readable_partition(tmp_path, at, signature)
    assert reason == "not supported"
    assert name in detail


@needs_mke2fs
@pytest.mark.parametrize(
    ("at", "signature", "name"),
    [(0, b"LUKS\xba\xbe", "LUKS"), (512, b"LABELONE".ljust(24, b"\0") + b"LVM2 001", "LVM"), (0, b"XFSB", "XFS"),
     (0x1000, b"\xfc\x4e\x2b\xa9\x01\0\0\0", "RAID")],
)  # fmt: skip
def test_a_signature_with_nothing_sound_behind_it_is_told_by_name(
    tmp_path: Path, at: int, signature: bytes, name: str
) -> None:
    assert any(name in detail for _, detail in beside_a_readable_partition(tmp_path, at, signature))


def beside_a_readable_partition(tmp_path: Path, at: int, signature: bytes) -> list[tuple[str, str]]:
    """What is said of a partition with this signature; the one beside it is read."""
    foreign = (bytes(at) + signature).ljust(1 << 18, b"\0")
    readable = ext_image(tmp_path, {b"plate": b"plate"}, "ext2", "1M")
    listed = list_files({b"disk.dd": partitioned((LINUX, foreign), (LINUX, readable))})
    assert listed.paths == [b"plate"]
    assert all("MBR partition 1" in detail for _, detail in listed.aside)
    return listed.aside


def test_a_whole_disk_that_is_encrypted_is_set_aside_by_name() -> None:
    listed = list_files({b"disk.dd": b"LUKS\xba\xbe".ljust(1 << 17, b"\0")})
    assert listed.rows == []
    assert "LUKS" in listed.aside[0][1]


@needs_mke2fs
def test_a_partition_of_noise_is_set_aside_as_unreadable(tmp_path: Path) -> None:
    noise = bytes((n * n * 7 + n) % 251 for n in range(1 << 17))
    readable = ext_image(tmp_path, {b"plate": b"plate"}, "ext2", "1M")
    listed = list_files({b"disk.dd": partitioned((LINUX, noise), (LINUX, readable))})
    assert (listed.paths, listed.reasons) == ([b"plate"], ["unreadable"])


@needs_mke2fs
def test_a_file_system_behind_an_old_partition_table_is_read(tmp_path: Path) -> None:
    image = bytearray(ext_image(tmp_path, {b"plate": b"plate"}, "ext2", "1M"))
    image[:512] = partitioned((LINUX, bytes(512)))[:512]
    listed = list_files({b"disk.dd": bytes(image)})
    assert listed.paths == [b"plate"]


@needs_mke2fs
def test_a_raw_disk_in_parts_is_one_disk(tmp_path: Path) -> None:
    image = ext_image(tmp_path, {b"plate": bytes(range(256)) * 2000}, "ext2", "1M")
    whole = list_files({b"disk.dd": image})
    parts = [image[i : i + 300_000] for i in range(0, len(image), 300_000)]
    split = list_files({b"disk.%03d" % (i + 1): part for i, part in enumerate(parts)})
    assert [r["sha256"] for r in split.rows] == [r["sha256"] for r in whole.rows]
    assert split.aside == []


@needs_mke2fs
def test_a_raw_disk_whose_tail_is_cut_gives_what_is_left(tmp_path: Path) -> None:
    files = {f"f{i}".encode(): bytes([i]) * 60_000 for i in range(10)}
    image = ext_image(tmp_path, files, "ext2", "1M")
    listed = list_files({b"disk.dd": image[: len(image) // 2]})
    whole = [p for p in listed.paths if listed.content(p) == files[p]]
    assert whole
    assert listed.reasons
    assert set(whole) | {d.partition(": ")[0].encode() for _, d in listed.aside} >= set(files)
