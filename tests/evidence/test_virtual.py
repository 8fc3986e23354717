"""Disks of virtual machines, as qemu-img makes them: each reads as the disk it was made of, parents included."""

import io
import random
import shutil
import struct
import subprocess
import uuid
from functools import partial
from pathlib import Path

import pytest

from casewright.evidence.reader import Problem, Segment, Unreadable
from casewright.evidence.readers.virtual import is_virtual, open_all, open_virtual, refused_image
from tests.evidence.builders import ext_image, list_files, needs_mke2fs
from tests.world import SHARED, needs_shared

needs_qemu = pytest.mark.skipif(not shutil.which("qemu-img"), reason="needs qemu-utils")
pytestmark = needs_qemu
SIZE = 8 << 20
FORMATS = [
    ("qcow2", []), ("qcow2", ["-o", "compat=0.10"]), ("qcow2", ["-c"]),
    ("qcow2", ["-o", "cluster_size=4096"]), ("qcow2", ["-c", "-o", "compression_type=zstd"]),
    ("qcow2", ["-c", "-o", "compat=0.10,cluster_size=512"]), ("qcow", []), ("vmdk", []),
    ("vmdk", ["-o", "subformat=streamOptimized"]),
    ("vmdk", ["-o", "subformat=twoGbMaxExtentSparse"]), ("vmdk", ["-o", "subformat=monolithicFlat"]),
    ("vmdk", ["-o", "subformat=twoGbMaxExtentFlat"]), ("vpc", []), ("vpc", ["-o", "subformat=fixed"]), ("vhdx", []),
    ("vhdx", ["-o", "subformat=fixed"]),
]  # fmt: skip


def qemu(program: str, *arguments: str | Path) -> str:
    done = subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True)
    return done.stdout


def disk_bytes() -> bytes:
    some, raw = random.Random(3), bytearray(SIZE)
    for at, length in ((0, 5000), (1 << 20, 200_000), ((5 << 20) + 77, 70_000), (SIZE - 512, 512)):
        raw[at : at + length] = some.randbytes(length)
    return bytes(raw)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "source" / "disk.raw"
    path.parent.mkdir()
    path.write_bytes(disk_bytes())
    return path


def converted(raw: Path, folder: Path, kind: str, *options: str) -> Path:
    target = folder / f"disk.{kind}"
    qemu("qemu-img", "convert", "-O", kind, *options, raw, target)
    return target


def segments(*paths: Path) -> list[Segment]:
    return [Segment(p.name.encode(), p.stat().st_size, partial(io.BytesIO, p.read_bytes())) for p in paths]


def in_folder(folder: Path) -> list[Segment]:
    return segments(*sorted(p for p in folder.iterdir() if p.is_file()))


@pytest.mark.parametrize(("kind", "options"), FORMATS, ids=lambda v: "-".join(v) if isinstance(v, list) else v)
def test_every_format_reads_as_the_disk_it_was_made_of(
    tmp_path: Path, raw: Path, kind: str, options: list[str]
) -> None:
    converted(raw, tmp_path, kind, *options)
    (opened,), problems, left = open_all(in_folder(tmp_path))
    content = disk_bytes()
    assert (problems, left) == ([], [])
    assert opened.disk.read(0, SIZE) == content
    assert not any(opened.disk.read(SIZE, 1 << 20))  # VHD rounds its size up to a cylinder
    some = random.Random(kind)
    for _ in range(100):
        at, length = some.randrange(SIZE), some.choice([1, 512, 70_000])
        assert opened.disk.read(at, length)[: SIZE - at] == content[at : at + length]


@pytest.mark.parametrize("kind", ["qcow2", "vmdk"])
def test_a_child_is_read_with_its_parents(tmp_path: Path, raw: Path, kind: str) -> None:
    parent = converted(raw, tmp_path, kind)
    middle, child = tmp_path / f"middle.{kind}", tmp_path / f"child.{kind}"
    expected = bytearray(disk_bytes())
    for image, behind, at, byte in ((middle, parent, 2 << 20, 7), (child, middle, (2 << 20) + 65536, 9)):
        qemu("qemu-img", "create", "-q", "-f", kind, "-b", behind, "-F", kind, image)
        qemu("qemu-io", "-f", kind, "-c", f"write -P {byte} {at} 128k", image)
        expected[at : at + (128 << 10)] = bytes([byte]) * (128 << 10)
    (opened,), problems, left = open_all(in_folder(tmp_path))
    assert (problems, left) == ([], [])
    assert opened.disk.read(0, SIZE) == bytes(expected)
    assert opened.used == (child.name.encode(), middle.name.encode(), parent.name.encode())
    assert "2 files behind it" in opened.said


@pytest.mark.parametrize("kind", ["qcow2", "vmdk"])
def test_a_child_without_its_parent_is_refused_with_the_parents_name(tmp_path: Path, raw: Path, kind: str) -> None:
    parent, child = converted(raw, tmp_path, kind), tmp_path / f"child.{kind}"
    qemu("qemu-img", "create", "-q", "-f", kind, "-b", parent, "-F", kind, child)
    with pytest.raises(Unreadable, match=f"disk.{kind}"):
        open_virtual(segments(child))


def test_a_parent_that_was_changed_since_is_refused(tmp_path: Path, raw: Path) -> None:
    parent, child = converted(raw, tmp_path, "vmdk"), tmp_path / "child.vmdk"
    qemu("qemu-img", "create", "-q", "-f", "vmdk", "-b", parent, "-F", "vmdk", child)
    image = parent.read_bytes()
    at = image.index(b"CID=") + 4
    end = image.index(b"\n", at)  # its id has as many digits as it needs
    parent.write_bytes(image[:at] + b"1badcafe"[: end - at] + image[end:])
    with pytest.raises(Unreadable, match="changed since"):
        open_virtual(segments(child, parent))


def test_an_image_that_is_its_own_parent_is_refused(tmp_path: Path, raw: Path) -> None:
    first, second = converted(raw, tmp_path, "qcow2"), tmp_path / "second.qcow2"
    qemu("qemu-img", "create", "-q", "-f", "qcow2", "-b", first, "-F", "qcow2", second)
    qemu("qemu-img", "rebase", "-u", "-b", second, "-F", "qcow2", first)
    with pytest.raises(Unreadable, match="own parent"):
        open_virtual(segments(second, first))


def test_snapshots_inside_an_image_are_noted(tmp_path: Path, raw: Path) -> None:
    image = converted(raw, tmp_path, "qcow2")
    qemu("qemu-img", "snapshot", "-c", "before", image)
    (note,) = open_virtual(segments(image)).notes
    assert "1 snapshot" in note


def test_a_differential_vhd_is_read_over_its_parent(tmp_path: Path, raw: Path) -> None:
    """qemu-img writes none, so this one is made by Microsoft's specification (Virtual Hard Disk Image Format, 1.0)."""
    parent = converted(raw, tmp_path, "vpc", "-o", "force_size")
    child = tmp_path / "child.vpc"
    child.write_bytes(differential_vhd(parent.read_bytes(), parent.name, {2: b"\x07" * 512}))
    (opened,), problems, _ = open_all(segments(child, parent))
    expected = bytearray(disk_bytes())
    expected[2 << 20 : (2 << 20) + 512] = b"\x07" * 512
    assert problems == []
    assert opened.disk.read(0, SIZE) == bytes(expected)


def differential_vhd(parent: bytes, name: str, first_sectors: dict[int, bytes]) -> bytes:
    """A VHD that changes the first sector of these blocks (2 MiB each, so block 2 begins at 4 MiB... see `at`)."""
    footer = bytearray(parent[:512])
    footer[60:64] = struct.pack(">I", 4)
    footer[68:84] = uuid.UUID(int=4711).bytes
    footer[64:68] = bytes(4)
    footer[64:68] = struct.pack(">I", ~sum(footer) & 0xFFFFFFFF)
    block, blocks = 2 << 20, -(-SIZE // (2 << 20))
    data = 512 + 1024 + 512
    table, body = [0xFFFFFFFF] * 128, b""
    for megabyte, content in first_sectors.items():
        at = megabyte << 20
        bitmap, inside = bytearray(512), at % block // 512
        bitmap[inside // 8] |= 0x80 >> inside % 8
        table[at // block] = (data + len(body)) // 512
        body += bytes(bitmap) + (bytes(at % block) + content).ljust(block, b"\0")
    header = bytearray(1024)
    header[:8] = b"cxsparse"
    struct.pack_into(">QQIII", header, 8, 0xFFFFFFFFFFFFFFFF, 1536, 0x10000, blocks, block)
    header[40:56] = parent[68:84]
    header[64 : 64 + 2 * len(name)] = name.encode("utf-16-be")
    header[36:40] = struct.pack(">I", ~sum(header) & 0xFFFFFFFF)
    return bytes(footer) + bytes(header) + struct.pack(">128I", *table) + body + bytes(footer)


@needs_shared
@pytest.mark.parametrize("name", ["ext2.qcow2", "ext2.vhd", "ext2.vmdk"])
def test_images_made_by_others_hold_the_bytes_of_the_raw_disk(name: str) -> None:
    folder = SHARED / "disk"
    raw = (folder / "ext2.splitraw.000").read_bytes() + (folder / "ext2.splitraw.001").read_bytes()
    disk = open_virtual(segments(folder / name)).disk
    assert disk.read(0, len(raw)) == raw
    assert not any(disk.read(len(raw), 1 << 20))


@needs_mke2fs
@pytest.mark.parametrize("kind", ["qcow2", "vmdk", "vpc", "vhdx"])
def test_files_in_a_virtual_disk_are_items(tmp_path: Path, kind: str) -> None:
    image = tmp_path / "disk.raw"
    image.write_bytes(ext_image(tmp_path, {b"plate": b"a plate"}, "ext4", "4M"))
    found = list_files({b"vm": converted(image, tmp_path, kind).read_bytes()})
    assert found.content(b"plate") == b"a plate"
    assert found.aside == []


@pytest.mark.parametrize("kind", ["qcow2", "vmdk", "vpc", "vhdx"])
def test_damage_ends_in_bytes_or_a_reason(tmp_path: Path, raw: Path, kind: str) -> None:
    image, some = converted(raw, tmp_path, kind).read_bytes(), random.Random(kind)
    reasons = set()
    for turn in range(150):
        broken = bytearray(image)
        for _ in range(1 + turn % 5):
            at = some.randrange(min(len(broken), 1 << 17 if turn % 2 else len(broken)))
            broken[at] ^= 1 << some.randrange(8)
        kept = bytes(broken[: some.randrange(len(broken))]) if turn % 3 == 0 else bytes(broken)
        try:
            disk = open_virtual([Segment(b"vm", len(kept), partial(io.BytesIO, kept))]).disk
            for at in range(0, min(disk.size, SIZE), 1 << 20):
                disk.read(at, 4096)
        except Unreadable as error:
            reasons.add(error.reason)
    assert reasons <= {"damaged image", "truncated", "parent missing", "not supported", "encrypted"}
    assert reasons


def test_formats_are_known_by_content_and_those_not_read_by_name(tmp_path: Path, raw: Path) -> None:
    vdi = converted(raw, tmp_path, "vdi").read_bytes()
    assert refused_image(vdi[:512], vdi[-512:]) == "a VDI image of VirtualBox"
    assert is_virtual(vdi[:512], vdi[-512:]) is None
    fixed = converted(raw, tmp_path, "vpc", "-o", "subformat=fixed").read_bytes()
    assert is_virtual(fixed[:512], fixed[-512:]) == "VHD"
    _, problems, left = open_all(segments(raw))
    assert (problems, [s.path for s in left]) == ([], [b"disk.raw"])
    found = list_files({b"innocent.dd": vdi})
    assert "VDI" in found.aside[0][1]


def test_a_vmdk_descriptor_whose_extents_are_missing_says_which(tmp_path: Path, raw: Path) -> None:
    descriptor = converted(raw, tmp_path, "vmdk", "-o", "subformat=monolithicFlat")
    _, (problem,), _ = open_all(segments(descriptor))
    assert isinstance(problem, Problem)
    assert (problem.reason, "disk-flat.vmdk" in problem.detail) == ("parent missing", True)


def test_a_disk_said_to_be_larger_than_its_tables_is_read_as_far_as_these_reach(tmp_path: Path, raw: Path) -> None:
    """One flipped bit makes a petabyte of it, which nobody reads to its end."""
    image = converted(raw, tmp_path, "qcow2")
    spoiled = bytearray(image.read_bytes())
    spoiled[25] |= 4
    image.write_bytes(spoiled)
    disk = open_virtual(segments(image)).disk
    assert disk.read(0, SIZE) == disk_bytes()
    assert SIZE < disk.size <= 1 << 32
    (problem,) = disk.problems()  # type: ignore[attr-defined]
    assert f"{(1 << 50) + SIZE} bytes" in problem.detail
    assert disk.next_held(SIZE << 7) == disk.size  # type: ignore[attr-defined]


def test_what_a_sparse_disk_does_not_hold_is_passed_over_when_it_is_checked(tmp_path: Path) -> None:
    image, part = tmp_path / "sparse.qcow2", 512 << 20
    qemu("qemu-img", "create", "-q", "-f", "qcow2", image, "8G")
    qemu("qemu-io", "-c", f"write -q -P 65 {5 * part + 7} 100", image)
    disk = open_virtual(segments(image)).disk
    held = [disk.next_held(at) for at in (0, 5 * part - 1, 5 * part + 9, 6 * part)]  # type: ignore[attr-defined]
    assert held == [5 * part, 5 * part, 5 * part + 9, disk.size]
    assert disk.read(5 * part + 7, 100) == b"A" * 100
