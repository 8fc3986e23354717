"""File systems: live, deleted, overwritten and hostile names."""

import io
import random
import subprocess
import time
from pathlib import Path

import pytest
import pytsk3

from casewright.evidence.reader import Segment
from casewright.evidence.readers.disks import RawDisk
from casewright.evidence.readers.tsk import TSK_ERRORS, TskImage, holds_a_system, open_system
from tests.evidence.builders import ext_image, fat12_image, list_files, needs_mke2fs

PLATE = b"a plate with a blue bird\n" * 90


def stable(i: int, size: int) -> bytes:
    return bytes((i * 31 + n * n) % 251 for n in range(size))


@needs_mke2fs
@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_every_file_of_a_file_system_is_an_item(tmp_path: Path, kind: str) -> None:
    files = {b"log.txt": b"one\n", b"a/b/c/plate.bin": stable(1, 70_000), b"empty": b"", b".hidden": b"x"}
    listed = list_files({b"disk.dd": ext_image(tmp_path, files, kind)})
    assert {p: listed.content(p) for p in files} == files
    assert set(listed.paths) == set(files)
    assert listed.row(b"empty")["mime"] == "inode/x-empty"
    assert {row["volume"] for row in listed.rows} == {0}
    assert listed.aside == []


@needs_mke2fs
def test_rows_come_in_one_order_and_twice_the_same(tmp_path: Path) -> None:
    image = ext_image(tmp_path, {f"plate {i % 7}/{i}".encode(): stable(i, 100) for i in range(60)})
    first, second = list_files({b"disk.dd": image}), list_files({b"disk.dd": image})
    assert first.output.tables["items"].equals(second.output.tables["items"])
    assert first.paths == sorted(first.paths)


@needs_mke2fs
@pytest.mark.parametrize("kind", ["ext2", "ext4"])
def test_a_deleted_file_whose_content_stands_is_an_item(tmp_path: Path, kind: str) -> None:
    files = {b"kept": b"kept", b"gone": PLATE, b"big": stable(3, 300_000)}
    listed = list_files({b"disk.dd": ext_image(tmp_path, files, kind, "4M", "rm gone", "rm big")})
    assert [(p, listed.row(p)["deleted"]) for p in listed.paths] == [(b"big", True), (b"gone", True), (b"kept", False)]
    assert (listed.content(b"gone"), listed.content(b"big")) == (PLATE, files[b"big"])


@needs_mke2fs
@pytest.mark.parametrize("taker", ["kept", "folder"])
def test_a_deleted_file_is_never_shown_with_what_overwrote_it(tmp_path: Path, taker: str) -> None:
    orders = ("mkdir folder", "rm gone")
    image = ext_image(tmp_path, {b"gone": PLATE, b"kept": b"kept"}, "ext2", "1M", *orders)
    path, block = tmp_path / "ext2.img", image.index(PLATE) // 1024
    order = f"set_inode_field {taker} block[0] {block}"
    subprocess.run(["debugfs", "-w", "-R", order, str(path)], check=True, capture_output=True)
    listed = list_files({b"disk.dd": path.read_bytes()})
    assert listed.paths == [b"kept"]
    assert "overwritten" in listed.reasons


@needs_mke2fs
def test_a_deleted_name_whose_record_is_in_use_again_is_set_aside(tmp_path: Path) -> None:
    image = ext_image(tmp_path, {b"old name": PLATE}, "ext2", "1M", 'ln "old name" new', 'unlink "old name"')
    listed = list_files({b"disk.dd": image})
    assert listed.paths == [b"new"]
    assert listed.reasons == ["record reused"]


@needs_mke2fs
def test_hostile_names_are_kept_byte_for_byte(tmp_path: Path) -> None:
    names = [b"caf\xe9.txt", b"\xff\xfe", "gnp.\u202egpj".encode(), b"=HYPERLINK(1)", b"new\nline", b"-rf", b" ",
             b"n" * 255, "é".encode(), "e\u0301".encode()]  # fmt: skip
    listed = list_files({b"disk.dd": ext_image(tmp_path, {n: n for n in names})})
    assert sorted(listed.paths) == sorted(names)
    assert all(listed.content(n) == n for n in names)
    assert all(row["name"].isprintable() and "\u202e" not in row["name"] for row in listed.rows)


@needs_mke2fs
def test_links_devices_and_folders_hold_nothing_to_find_and_are_counted(tmp_path: Path) -> None:
    orders = ("symlink link /etc/passwd", "mknod pipe p", "mknod disk b 8 0", "mkdir folder", "ln kept second")
    listed = list_files({b"disk.dd": ext_image(tmp_path, {b"kept": b"kept"}, "ext2", "1M", *orders)})
    assert listed.paths == [b"kept", b"second"]
    assert listed.row(b"kept")["inode"] == listed.row(b"second")["inode"]
    assert listed.tally() == (8, 2, 6)  # with lost+found and the Sleuth Kit's folder of orphans


@needs_mke2fs
def test_folders_that_contain_each_other_do_not_trap_the_walk(tmp_path: Path) -> None:
    orders = ("mkdir a", "mkdir a/b", "ln a a/b/up", "ln / a/root")
    listed = list_files({b"disk.dd": ext_image(tmp_path, {b"kept": b"kept"}, "ext2", "1M", *orders)})
    assert listed.paths == [b"kept"]
    assert listed.reasons == ["met before", "met before"]


@needs_mke2fs
def test_a_file_larger_than_its_disk_is_not_unrolled(tmp_path: Path) -> None:
    image = ext_image(tmp_path, {b"holes": b"x"}, "ext4", "4M", f"set_inode_field holes size {1 << 42}")
    listed = list_files({b"disk.dd": image})
    assert (listed.paths, listed.reasons) == ([], ["sparse"])


@needs_mke2fs
def test_folders_nested_beyond_all_reason_are_walked_to_a_limit(tmp_path: Path) -> None:
    deep = b"/".join([b"d"] * 300)
    listed = list_files({b"disk.dd": ext_image(tmp_path, {deep + b"/x": b"x", b"y": b"y"}, "ext4", "8M")})
    assert (listed.paths, listed.reasons) == ([b"y"], ["too deep"])


@needs_mke2fs
def test_times_keep_their_fractions(tmp_path: Path) -> None:
    image = ext_image(tmp_path, {b"clock": b"x"}, "ext4", "4M", "set_inode_field clock mtime 20200102030405",
                      "set_inode_field clock mtime_extra 0x1d6f3454")  # fmt: skip
    assert str(list_files({b"disk.dd": image}).row(b"clock")["modified"]) == "2020-01-02 03:04:05.123456"


def test_a_fat_disk_gives_its_files_and_its_own_tables_are_no_items() -> None:
    listed = list_files({b"floppy.img": fat12_image(b"PLATE   TXT", PLATE, deleted=b"krater" * 50)})
    assert listed.content(b"PLATE.TXT") == PLATE
    assert listed.content(b"_LATE.TXT") == b"krater" * 50
    assert [row["deleted"] for row in listed.rows] == [False, True]
    assert listed.aside == []


def test_times_without_a_zone_are_taken_as_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the sandbox the zone is UTC; see the sandbox's tests."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    listed = list_files({b"floppy.img": fat12_image(b"PLATE   TXT", b"x")})
    assert str(listed.rows[0]["modified"]) == "2000-05-17 12:00:00"


@needs_mke2fs
def test_any_flipped_stretch_of_a_disk_is_survived_and_counted(tmp_path: Path) -> None:
    files = {f"f{i}".encode(): stable(i, 3000) for i in range(8)}
    image = ext_image(tmp_path, files, "ext2", "1M")
    for at in range(0, 120_000, 4096):
        broken = bytearray(image)
        broken[at : at + 512] = bytes(b ^ 0xA5 for b in broken[at : at + 512])
        list_files({b"disk.dd": bytes(broken)})  # checks the balance


def test_a_disk_without_anything_we_know_is_one_item() -> None:
    raw = stable(9, 1 << 16)
    listed = list_files({b"disk.dd": raw})
    assert listed.content(b"disk.dd") == raw


@needs_mke2fs
def test_a_system_asked_for_by_name_is_the_one_that_the_sleuth_kit_finds_by_itself(tmp_path: Path) -> None:
    for image in (ext_image(tmp_path, {b"plate": PLATE}, "ext2"), ext_image(tmp_path, {b"plate": PLATE}),
                  fat12_image(b"PLATE   BIN", PLATE)):  # fmt: skip
        disk = RawDisk([Segment(b"disk", len(image), lambda raw=image: io.BytesIO(raw))])  # type: ignore[misc]
        named, found = open_system(TskImage(disk)), pytsk3.FS_Info(TskImage(disk))
        assert holds_a_system(disk)
        assert (named.info.ftype, named.info.block_count) == (found.info.ftype, found.info.block_count)


def test_a_volume_of_random_bytes_is_said_to_look_encrypted() -> None:
    raw = random.Random(1).randbytes(8 << 20)
    disk = RawDisk([Segment(b"disk", len(raw), lambda: io.BytesIO(raw))])
    assert not holds_a_system(disk)
    with pytest.raises(TSK_ERRORS, match="encryption"):
        open_system(TskImage(disk))
