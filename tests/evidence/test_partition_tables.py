"""Partition tables against the tools that make and list them, and against what damage and malice make of them."""

import json
import os
import random
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import Slice
from casewright.evidence.readers.partitions import Partition, gaps, partitions_of
from tests.evidence.builders import ext_image, fat12_image, needs_mke2fs

MIB = 1 << 20
needs_sfdisk = pytest.mark.skipif(not shutil.which("sfdisk"), reason="needs sfdisk")
needs_sgdisk = pytest.mark.skipif(not shutil.which("sgdisk"), reason="needs sgdisk")
needs_mmls = pytest.mark.skipif(not shutil.which("mmls"), reason="needs the Sleuth Kit's tools")


class Bytes:
    """A disk in memory. Reads that begin at or beyond `broken` fail."""

    def __init__(self, raw: bytes, broken: int | None = None) -> None:
        self.raw, self.size, self._broken = raw, len(raw), broken

    def read(self, offset: int, length: int) -> bytes:
        if self._broken is not None and offset >= self._broken:
            raise Unreadable("truncated", "the image ends here")
        return self.raw[offset : offset + length]


def blank(path: Path, size: int = 64 * MIB) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def sfdisk(image: Path, script: str) -> list[tuple[int, int]]:
    """Partition an image; where sfdisk then says that the partitions are, in bytes."""
    subprocess.run(["sfdisk", "-q", str(image)], input=script, text=True, check=True, capture_output=True)
    told = json.loads(subprocess.run(["sfdisk", "-J", str(image)], check=True, capture_output=True).stdout)
    table = told["partitiontable"]
    rows = [row for row in table["partitions"] if row["type"] not in ("5", "f", "85")]
    return [(row["start"] * table["sectorsize"], row["size"] * table["sectorsize"]) for row in rows]


def sgdisk(image: Path, *orders: str) -> None:
    subprocess.run(["sgdisk", *orders, str(image)], check=True, capture_output=True)


def mmls(image: Path, *options: str) -> dict[str, list[tuple[int, int]]]:
    """The Sleuth Kit's list, in bytes: partitions, and what it calls unallocated."""
    done = subprocess.run(["mmls", *options, str(image)], check=True, capture_output=True, text=True)
    (unit,) = re.findall(r"Units are in (\d+)-byte", done.stdout)
    lists: dict[str, list[tuple[int, int]]] = {"partitions": [], "unallocated": []}
    for line in done.stdout.splitlines():
        if row := re.match(r"\d{3}:\s+(\S+)\s+(\d+)\s+\d+\s+(\d+)", line):
            span = int(row[2]) * int(unit), int(row[3]) * int(unit)
            if row[1] not in ("Meta",):
                lists["unallocated" if row[1].startswith("--") else "partitions"].append(span)
    return lists


def but_the_table(span: tuple[int, int]) -> tuple[int, int]:
    """The Sleuth Kit counts the master boot record as unallocated too."""
    assert span[0] == 0
    return 512, span[1] - 512


def spans(partitions: list[Partition]) -> list[tuple[int, int]]:
    return [(p.start, p.size) for p in partitions]


def found(raw: bytes) -> tuple[list[Partition], list[tuple[str, str]]]:
    """Partitions, and reason and detail of each problem."""
    read = partitions_of(Bytes(raw))
    assert read is not None
    return read[0], [(p.reason, p.detail) for p in read[1]]


def reasons(raw: bytes) -> list[str]:
    return [reason for reason, _ in found(raw)[1]]


MBR_SCRIPT = """label: dos
start=2048, size=20480, type=83, bootable
start=22528, size=8192, type=7
start=30720, size=90000, type=5
start=32768, size=4096, type=83
start=40960, size=4096, type=8e
start=51200, size=10000, type=82
"""
GPT_SCRIPT = """label: gpt
start=2048, size=20480, type=L, name="root"
start=30000, size=4096, type=S, name="Gewächshaus ☂"
start=40960, size=8192, type=U
"""


# ---- as the tools that make them say -------------------------------------------------------------------------------


@needs_sfdisk
@needs_mmls
def test_primary_and_logical_partitions_stand_where_sfdisk_says(tmp_path: Path) -> None:
    image = blank(tmp_path / "disk.img")
    told = sfdisk(image, MBR_SCRIPT)
    partitions, problems = found(image.read_bytes())
    assert spans(partitions) == told == mmls(image)["partitions"]
    assert [p.number for p in partitions] == [1, 2, 5, 6, 7]
    assert [p.said for p in partitions][1:3] == ["MBR partition 2 (0x07)", "MBR partition 5 (0x83)"]
    assert problems == []
    unallocated = mmls(image)["unallocated"]
    ours = gaps(Bytes(image.read_bytes()), partitions)
    assert ours[0] == but_the_table(unallocated[0])
    assert ours[-1] == unallocated[-1]
    chain = 3  # sectors of the tables of the logical partitions
    assert sum(n for _, n in ours) + sum(p.size for p in partitions) == 64 * MIB - 512 * (1 + chain)


@needs_sfdisk
@needs_mmls
def test_a_gpt_stands_where_sfdisk_says_with_its_names(tmp_path: Path) -> None:
    image = blank(tmp_path / "disk.img")
    told = sfdisk(image, GPT_SCRIPT)
    partitions, problems = found(image.read_bytes())
    assert spans(partitions) == told == mmls(image)["partitions"]
    assert [p.said for p in partitions] == [
        "GPT partition 1 'root' (Linux filesystem)",
        "GPT partition 2 'Gewächshaus ☂' (Linux swap)",
        "GPT partition 3 (EFI system)",
    ]
    assert problems == []


@needs_sgdisk
@needs_mmls
def test_a_gpt_stands_where_the_sleuth_kit_says_with_holes_in_its_numbers(tmp_path: Path) -> None:
    image = blank(tmp_path / "disk.img")
    sgdisk(image, "-n3:2048:+4M", "-c3:third", "-t3:fd00", "-n7:0:+8M", "-t7:8e00", "-n128:0:+1M")
    partitions, problems = found(image.read_bytes())
    assert spans(partitions) == mmls(image)["partitions"]
    assert [(p.number, p.said) for p in partitions][:2] == [
        (3, "GPT partition 3 'third' (Linux RAID)"), (7, "GPT partition 7 (Linux LVM)")
    ]  # fmt: skip
    assert partitions[2].number == 128
    assert problems == []
    covered = mmls(image)["unallocated"]
    ours = gaps(Bytes(image.read_bytes()), partitions)
    assert ours[-1][0] == covered[-1][0]
    assert sum(n for _, n in ours) + sum(p.size for p in partitions) == 64 * MIB - 512 - 33 * 512 * 2


@needs_sgdisk
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("losetup"), reason="needs root and loop devices")
def test_a_gpt_of_a_disk_with_sectors_of_4096_bytes_is_read(tmp_path: Path) -> None:
    image = blank(tmp_path / "disk.img")
    try:
        made = subprocess.run(
            ["losetup", "-b", "4096", "--show", "-f", str(image)], check=True, capture_output=True, text=True
        )
    except subprocess.CalledProcessError:
        pytest.skip("this kernel makes no loop device of such sectors")
    device = made.stdout.strip()
    try:
        subprocess.run(
            ["sgdisk", "-n1:256:+16M", "-c1:root", "-n2:0:+8M", device], check=True, capture_output=True
        )  # fmt: skip
    finally:
        subprocess.run(["losetup", "-d", device], check=True)
    raw = image.read_bytes()
    assert raw[4096:4104] == b"EFI PART"
    partitions, problems = found(raw)
    assert spans(partitions) == [(256 * 4096, 16 * MIB), (256 * 4096 + 16 * MIB, 8 * MIB)]
    assert problems == []
    primary = bytearray(raw)
    primary[4096:8192] = bytes(4096)
    assert spans(found(bytes(primary))[0]) == spans(partitions)


# ---- GPT, whole and damaged ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpt_disk(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    if not shutil.which("sgdisk"):
        pytest.skip("needs sgdisk")
    image = blank(tmp_path_factory.mktemp("gpt") / "disk.img", 16 * MIB)
    sgdisk(image, "-n1:2048:+4M", "-c1:root", "-n2:0:+4M", "-c2:data", "-t2:8300")
    return image.read_bytes()


def spoiled(raw: bytes, *places: int) -> bytes:
    changed = bytearray(raw)
    for place in places:
        changed[place] ^= 0x55
    return bytes(changed)


LAST = 16 * MIB - 512


@pytest.mark.parametrize("place", [512, 512 + 40, 512 + 16, 1024 + 33, 1024 + 128 + 40, 1024 + 60])
def test_where_the_primary_gpt_is_damaged_the_backup_is_used(gpt_disk: bytes, place: int) -> None:
    whole, no_problems = found(gpt_disk)
    assert no_problems == []
    partitions, problems = found(spoiled(gpt_disk, place))
    assert partitions == whole
    ((reason, detail),) = problems
    assert reason == "damaged"
    assert "backup" in detail


def test_a_gpt_whose_first_sectors_were_wiped_is_read_from_its_backup(gpt_disk: bytes) -> None:
    partitions, problems = found(bytes(34 * 512) + gpt_disk[34 * 512 :])
    assert partitions == found(gpt_disk)[0]
    assert "backup" in problems[0][1]


def test_a_damaged_backup_does_no_harm(gpt_disk: bytes) -> None:
    assert found(spoiled(gpt_disk, LAST, LAST - 33 * 512)) == found(gpt_disk)


def test_when_both_copies_are_damaged_what_still_makes_sense_is_kept(gpt_disk: bytes) -> None:
    partitions, problems = found(spoiled(gpt_disk, 1024 + 60, LAST + 16))
    assert spans(partitions) == spans(found(gpt_disk)[0])
    assert [reason for reason, _ in problems] == ["damaged"]
    assert "both" in problems[0][1]


def test_a_gpt_that_is_gone_is_missed(gpt_disk: bytes) -> None:
    partitions, problems = found(gpt_disk[:512] + bytes(len(gpt_disk) - 512))
    assert partitions == []
    assert [reason for reason, _ in problems] == ["damaged"]
    assert gaps(Bytes(gpt_disk[:512] + bytes(4096)), []) == [(512, 4096)]


def test_partitions_of_a_cut_disk_are_kept_with_what_is_there(gpt_disk: bytes) -> None:
    whole = found(gpt_disk)[0]
    cut = whole[1].start + 5000
    partitions, problems = found(gpt_disk[:cut])
    assert spans(partitions) == [(whole[0].start, whole[0].size), (whole[1].start, 5000)]
    assert [reason for reason, _ in problems] == ["truncated"]
    partitions, problems = found(gpt_disk[: whole[1].start])
    assert spans(partitions) == [(whole[0].start, whole[0].size)]
    assert "0 are there" in problems[0][1]


@needs_sgdisk
def test_a_hybrid_mbr_adds_only_what_the_gpt_lacks(tmp_path: Path) -> None:
    image = blank(tmp_path / "disk.img", 16 * MIB)
    sgdisk(image, "-n1:2048:+4M", "-n2:0:+4M")
    plain = found(image.read_bytes())
    sgdisk(image, "-h", "1:2:EE")
    raw = image.read_bytes()
    assert raw[446 + 4] != 0xEE or raw[462 + 4] != 0xEE
    assert spans(found(raw)[0]) == spans(plain[0])
    assert "two tables" not in reasons(raw)
    moved = bytearray(raw)
    at = next(446 + 16 * n for n in range(4) if raw[446 + 16 * n + 4] not in (0, 0xEE))
    struct.pack_into("<II", moved, at + 8, 20480, 2048)
    partitions, problems = found(bytes(moved))
    assert (20480 * 512, MIB) in spans(partitions)
    assert "two tables" in [reason for reason, _ in problems]


@needs_sgdisk
def test_an_mbr_beside_a_gpt_that_it_does_not_protect_is_read_too(gpt_disk: bytes) -> None:
    disk = bytearray(gpt_disk)
    disk[:512] = mbr_sector((0x83, 100, 1000))
    partitions, problems = found(bytes(disk))
    assert [p.said for p in partitions][2:] == ["MBR partition 1 (0x83)"]
    assert [reason for reason, _ in problems] == ["two tables"]


# ---- MBR, whole and damaged ----------------------------------------------------------------------------------------


def mbr_sector(*rows: tuple[int, ...]) -> bytes:
    """A sector with these entries: kind, start, size, and perhaps the flag."""
    table = b"".join(
        struct.pack("<B3sB3sII", flag[0] if flag else 0, b"", kind, b"", start, size)
        for kind, start, size, *flag in rows
    )
    return bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"


def disk_of(sectors: dict[int, bytes], size: int = 4096) -> bytes:
    """A disk of so many sectors, zero where nothing is given."""
    disk = bytearray(size * 512)
    for at, raw in sectors.items():
        disk[at * 512 : at * 512 + len(raw)] = raw
    return bytes(disk)


@needs_mmls
def test_gaps_are_what_the_sleuth_kit_calls_unallocated(tmp_path: Path) -> None:
    raw = disk_of({0: mbr_sector((0x83, 64, 100), (0x83, 200, 100), (7, 1000, 2000))})
    (tmp_path / "disk.img").write_bytes(raw)
    first, *others = mmls(tmp_path / "disk.img")["unallocated"]
    assert gaps(Bytes(raw), found(raw)[0]) == [but_the_table(first), *others]


def test_a_disk_without_a_table_has_none() -> None:
    for raw in (b"", bytes(100), bytes(1 << 16), b"\xff" * (1 << 16), bytes(510) + b"\x55\xaa" + bytes(4096)):
        assert partitions_of(Bytes(raw)) is None
        assert gaps(Bytes(raw), []) == ([(0, len(raw))] if raw else [])


@needs_mke2fs
def test_file_systems_are_no_partition_tables(tmp_path: Path) -> None:
    assert partitions_of(Bytes(ext_image(tmp_path, {b"plate": b"plate"}))) is None
    assert partitions_of(Bytes(fat12_image(b"PLATE", b"plate"))) is None
    for program, options in (
        ("mkfs.fat", ("-F", "32")),
        ("mkfs.ntfs", ("-F", "-q")),
        ("mkfs.exfat", ()),
        ("mkfs.xfs", ("-q",)),
    ):
        if shutil.which(program):
            image = blank(tmp_path / "made.img", 300 * MIB)
            subprocess.run([program, *options, str(image)], check=True, capture_output=True)
            with image.open("rb") as file:
                assert partitions_of(Bytes(file.read(16 * MIB))) is None
            image.unlink()


def test_a_boot_sector_of_code_is_no_partition_table() -> None:
    code = bytes(random.Random(3).randbytes(510)) + b"\x55\xaa"
    ntfs = b"\xeb\x52\x90NTFS    " + code[11:]
    assert partitions_of(Bytes(disk_of({0: ntfs}))) is None
    assert partitions_of(Bytes(disk_of({0: code}))) is None


def test_an_old_table_before_a_file_system_is_still_a_table() -> None:
    partitions, problems = found(disk_of({0: mbr_sector((0x83, 64, 500)), 2: b"\0" * 56 + b"\x53\xef"}))
    assert (spans(partitions), problems) == ([(64 * 512, 500 * 512)], [])


def test_one_bad_entry_costs_one_partition() -> None:
    partitions, problems = found(disk_of({0: mbr_sector((0x83, 64, 500), (0x83, 600, 500, 0x41), (7, 2000, 10))}))
    assert [p.number for p in partitions] == [1, 3]
    assert [reason for reason, _ in problems] == ["damaged"]
    assert "entry 2" in problems[0][1]


def test_an_entry_of_the_whole_disk_and_empty_ones_are_passed_over() -> None:
    raw = disk_of({0: mbr_sector((0x17, 0, 4096, 0x80), (0xEF, 300, 20), (0x83, 500, 0), (0, 600, 50))})
    assert (spans(found(raw)[0]), reasons(raw)) == ([(300 * 512, 20 * 512)], [])


def test_overlapping_partitions_are_both_kept_and_it_is_said() -> None:
    raw = disk_of({0: mbr_sector((0x83, 64, 500), (0x83, 300, 500), (7, 2000, 100), (7, 2100, 100))})
    partitions, problems = found(raw)
    assert len(partitions) == 4
    ((reason, detail),) = problems
    assert reason == "overlap"
    assert "partition 2" in detail
    assert "partition 1" in detail
    assert gaps(Bytes(raw), partitions)[1] == (800 * 512, 1200 * 512)


@pytest.mark.parametrize("back_to", [0, 100], ids=["the first", "itself"])
def test_a_chain_of_logical_partitions_that_leads_back_ends(back_to: int) -> None:
    first = mbr_sector((0x83, 2, 10), (5, 100, 50))
    second = mbr_sector((0x83, 2, 10), (5, back_to, 50))
    partitions, problems = found(disk_of({0: mbr_sector((5, 1000, 2000)), 1000: first, 1100: second}))
    assert spans(partitions) == [(1002 * 512, 5120), (1102 * 512, 5120)]
    assert [reason for reason, _ in problems] == ["damaged"]


def test_a_chain_that_leads_out_of_its_partition_ends() -> None:
    first = mbr_sector((0x83, 2, 10), (5, 2500, 50))
    partitions, problems = found(
        disk_of({0: mbr_sector((15, 1000, 2000)), 1000: first, 3500: mbr_sector((0x83, 1, 1))})
    )
    assert len(partitions) == 1
    assert "leads out" in problems[0][1]


def test_a_chain_that_breaks_off_or_cannot_be_read_is_said_to() -> None:
    raw = disk_of({0: mbr_sector((0x83, 64, 10), (5, 1000, 2000)), 1000: mbr_sector((0x83, 2, 10), (5, 100, 50))})
    partitions, problems = found(raw)
    assert len(partitions) == 2
    assert "breaks off" in problems[0][1]
    read = partitions_of(Bytes(raw, broken=1000 * 512))
    assert read is not None
    assert (len(read[0]), [p.reason for p in read[1]]) == (1, ["truncated"])


def test_a_chain_has_an_end_even_if_the_disk_has_none() -> None:
    links = {1000 + n: mbr_sector((0x83, 1, 1), (5, n + 1, 1)) for n in range(3000)}
    partitions, problems = found(disk_of({0: mbr_sector((5, 1000, 5000)), **links}, 8192))
    assert len(partitions) == 1024
    assert "damaged" in [reason for reason, _ in problems]


def test_a_table_that_cannot_be_read_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        partitions_of(Bytes(bytes(1 << 16), broken=0))


# ---- other machines' tables, against the Sleuth Kit ----------------------------------------------------------------


def bsd_label(*rows: tuple[int, int, int]) -> bytes:
    """FreeBSD's disklabel of these partitions: size, start, kind. Numbers in sectors."""
    label = bytearray(148) + b"".join(struct.pack("<IIIBBH", size, start, 0, kind, 0, 0) for size, start, kind in rows)
    struct.pack_into("<I", label, 0, 0x82564557)
    struct.pack_into("<I", label, 132, 0x82564557)
    struct.pack_into("<I", label, 40, 512)
    struct.pack_into("<I", label, 60, 4096)
    struct.pack_into("<H", label, 138, len(rows))
    total = 0
    for (word,) in struct.iter_unpack("<H", label):
        total ^= word
    struct.pack_into("<H", label, 136, total)
    return bytes(label)


@needs_mmls
def test_a_bsd_disklabel_is_read_as_the_sleuth_kit_does(tmp_path: Path) -> None:
    raw = disk_of({1: bsd_label((1000, 16, 7), (500, 1016, 1), (4096, 0, 0), (2000, 1516, 7), (0, 0, 0))})
    (tmp_path / "disk.img").write_bytes(raw)
    partitions, problems = found(raw)
    theirs = mmls(tmp_path / "disk.img", "-t", "bsd")["partitions"]
    assert spans(partitions) == [span for span in theirs if span != (0, 4096 * 512)]
    assert [p.said for p in partitions] == [
        "BSD partition a (4.2BSD)",
        "BSD partition b (swap)",
        "BSD partition d (4.2BSD)",
    ]
    assert problems == []
    assert reasons(raw[:520] + b"x" + raw[521:]) == ["damaged"]


def test_a_disklabel_in_a_partition_is_counted_from_that_partition() -> None:
    for base, whole in ((64, 64), (64, 0), (0, 0)):
        label = bsd_label((100, base, 7), (200, base + 100, 7), (1000, whole, 0))
        disk = Slice(Bytes(disk_of({0: mbr_sector((0xA5, 64, 1000)), 65: label})), 64 * 512, 1000 * 512)
        read = partitions_of(disk)
        assert read is not None
        assert spans(read[0]) == [(0, 100 * 512), (100 * 512, 200 * 512)]


def test_a_partition_that_begins_with_its_own_table_does_not_hold_it_again() -> None:
    disk = Slice(Bytes(disk_of({1: bsd_label((100, 0, 7), (200, 100, 7))})), 0, 4096 * 512)
    read = partitions_of(disk)
    assert read is not None
    first = read[0][0]
    assert (first.start, first.size) == (0, 100 * 512)
    assert partitions_of(Slice(disk, first.start, first.size)) is None


def sparc_label(*rows: tuple[int, int, int]) -> bytes:
    """Sun's label of these slices: tag, cylinder, size; 4 heads of 16 sectors."""
    label = bytearray(512)
    struct.pack_into(">I", label, 128, 1)
    struct.pack_into(">H", label, 140, 8)
    struct.pack_into(">I", label, 188, 0x600DDEEE)
    struct.pack_into(">HH", label, 436, 4, 16)
    for index, (tag, cylinder, size) in enumerate(rows):
        struct.pack_into(">HH", label, 142 + 4 * index, tag, 0)
        struct.pack_into(">II", label, 444 + 8 * index, cylinder, size)
    struct.pack_into(">H", label, 508, 0xDABE)
    total = 0
    for (word,) in struct.iter_unpack(">H", label):
        total ^= word
    struct.pack_into(">H", label, 510, total)
    return bytes(label)


@needs_mmls
def test_a_sparc_label_is_read_as_the_sleuth_kit_does(tmp_path: Path) -> None:
    raw = disk_of({0: sparc_label((2, 1, 640), (3, 11, 320), (5, 0, 4096), (8, 20, 1000))})
    (tmp_path / "disk.img").write_bytes(raw)
    partitions, problems = found(raw)
    theirs = mmls(tmp_path / "disk.img", "-t", "sun")["partitions"]
    assert spans(partitions) == [span for span in theirs if span != (0, 4096 * 512)]
    assert [p.said for p in partitions] == ["Sun slice 0 (root)", "Sun slice 1 (swap)", "Sun slice 3 (home)"]
    assert problems == []


@needs_mmls
def test_solaris_on_x86_is_read_as_the_sleuth_kit_does(tmp_path: Path) -> None:
    label = bytearray(512)
    struct.pack_into("<II", label, 12, 0x600DDEEE, 1)
    struct.pack_into("<HH", label, 28, 512, 16)
    for index, row in enumerate([(2, 0, 64, 500), (3, 0, 600, 300), (5, 0, 0, 4096)]):
        struct.pack_into("<HHII", label, 72 + 12 * index, *row)
    struct.pack_into("<H", label, 508, 0xDABE)
    total = 0
    for (word,) in struct.iter_unpack("<H", label):
        total ^= word
    struct.pack_into("<H", label, 510, total)
    raw = disk_of({1: bytes(label)})
    (tmp_path / "disk.img").write_bytes(raw)
    theirs = mmls(tmp_path / "disk.img", "-t", "sun")["partitions"]
    assert (
        spans(found(raw)[0]) == [span for span in theirs if span[0]] == [(64 * 512, 500 * 512), (600 * 512, 300 * 512)]
    )


def apple_map(unit: int, *rows: tuple[bytes, bytes, int, int]) -> dict[int, bytes]:
    """Apple's map of these entries: name, kind, start, size. Numbers in blocks of `unit` bytes."""
    blocks = [b"ER" + struct.pack(">HI", unit, 4096 * 512 // unit)]
    for name, kind, start, size in rows:
        blocks.append(struct.pack(">2sHIII32s32sIII", b"PM", 0, len(rows), start, size, name, kind, 0, size, 0x33))
    return {index * unit // 512: block.ljust(unit, b"\0") for index, block in enumerate(blocks)}


@needs_mmls
@pytest.mark.parametrize("unit", [512, 2048])
def test_apples_map_is_read_as_the_sleuth_kit_does(tmp_path: Path, unit: int) -> None:
    rows = (
        (b"Apple", b"Apple_partition_map", 1, 7), (b"plates", b"Apple_HFS", 8, 100),
        (b"free", b"Apple_Free", 108, 20), (b"\x8e", b"Apple_HFS", 128, 200),
    )  # fmt: skip
    raw = disk_of(apple_map(unit, *rows))
    partitions, problems = found(raw)
    assert spans(partitions) == [(8 * unit, 100 * unit), (128 * unit, 200 * unit)]
    assert [p.said for p in partitions] == [
        "Apple partition 2 'plates' (Apple_HFS)",
        "Apple partition 4 'é' (Apple_HFS)",
    ]
    assert problems == []
    if unit == 512:  # the Sleuth Kit takes the map's own room for a partition too
        (tmp_path / "disk.img").write_bytes(raw)
        assert set(spans(partitions)) <= set(mmls(tmp_path / "disk.img", "-t", "mac")["partitions"])
    assert reasons(raw[: 3 * unit] + bytes(unit) + raw[4 * unit :]) == ["damaged"]


# ---- hostile tables ------------------------------------------------------------------------------------------------


def hostile_gpt(count: int, entry_size: int, entries: bytes, entries_at: int = 2, own: int = 1) -> bytes:
    """A disk with one GPT whose checksums hold, whatever it says."""
    body = (entries * (count * entry_size // max(1, len(entries)) + 1))[: min(count * entry_size, 1 << 22)]
    fields = 0x10000, 92, 0, 0, own, 4095, 34, 4000, b"", entries_at, count, entry_size & 0xFFFFFFFF, zlib.crc32(body)
    head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", *fields)
    head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
    return disk_of({0: mbr_sector((0xEE, 1, 4095)), 1: head, 2: body}, 1 << 14)


def gpt_entry(start: int, last: int) -> bytes:
    return struct.pack("<16s16sQQQ72s", b"\x0f" * 16, b"", start, last, 0, "name\n\x1b[31m".encode("utf-16-le"))


def test_a_gpt_names_no_more_partitions_than_are_listed() -> None:
    partitions, problems = found(hostile_gpt(30_000, 128, gpt_entry(100, 200)))
    assert len(partitions) == 4096
    assert "too many" in [reason for reason, _ in problems]
    assert all(p.said.isprintable() for p in partitions)


@pytest.mark.parametrize(
    "raw",
    [
        hostile_gpt(0xFFFFFFFF, 128, b""),
        hostile_gpt(128, 0, b""),
        hostile_gpt(4, 0xFFFFFFF8, b""),
        hostile_gpt(4, 128, gpt_entry(100, 200), entries_at=1 << 62),
        hostile_gpt(4, 128, gpt_entry(100, 200), own=7),
        hostile_gpt(4, 128, gpt_entry(200, 100)),
        hostile_gpt(4, 128, gpt_entry(1 << 63, (1 << 64) - 1)),
    ],
)
def test_a_gpt_that_cannot_be_is_a_problem_and_no_more(raw: bytes) -> None:
    partitions, problems = found(raw)
    assert partitions == []
    assert problems


@given(
    st.dictionaries(st.integers(0, 8), st.binary(min_size=1, max_size=40), min_size=1, max_size=8),
    st.integers(0, 511),
    st.sampled_from(["mbr", "bsd", "sparc", "apple", "gpt"]),
)
def test_noise_in_a_table_ends_in_partitions_on_the_disk(noise: dict[int, bytes], at: int, kind: str) -> None:
    raw = bytearray(TABLES[kind])
    for number, patch in noise.items():
        start = number * 512 + at
        raw[start : start + len(patch)] = patch
    disk = Bytes(bytes(raw))
    read = partitions_of(disk)
    for partition in read[0] if read else []:
        assert 0 <= partition.start < partition.start + partition.size <= disk.size
    free = gaps(disk, read[0] if read else [])
    assert free == sorted(free)
    assert all(0 <= start < start + length <= disk.size for start, length in free)


TABLES = {
    "mbr": disk_of({0: mbr_sector((0x83, 64, 100), (5, 200, 2000)), 200: mbr_sector((0x83, 2, 10), (5, 100, 50))}),
    "bsd": disk_of({1: bsd_label((1000, 16, 7), (500, 1016, 1), (4096, 0, 0))}),
    "sparc": disk_of({0: sparc_label((2, 1, 640), (3, 11, 320))}),
    "apple": disk_of(apple_map(512, (b"map", b"Apple_partition_map", 1, 7), (b"p", b"Apple_HFS", 8, 100))),
    "gpt": hostile_gpt(8, 128, gpt_entry(100, 200) + gpt_entry(300, 400) + bytes(768)),
}
