"""From an image to a file through everything that can lie between: partition, encryption, volume group, file system."""

import io
import shutil
from functools import partial
from pathlib import Path

import pytest

from casewright.evidence.reader import Segment
from casewright.evidence.readers.content import Content, runs_of
from casewright.evidence.readers.disks import RawDisk
from casewright.evidence.readers.tree import Tree
from tests.evidence.builders import ext_image, list_files, needs_mke2fs, partitioned
from tests.evidence.test_luks import CHEAP_2, PASSPHRASE, Volume, by_the_book
from tests.evidence.test_lvm import EXTENT, FIRST, Disks, linear, volume

needs_cryptsetup = pytest.mark.skipif(not shutil.which("cryptsetup"), reason="needs cryptsetup")
FILES = {b"etc/passwd": b"root:x:0:0", b"srv/plates.bin": bytes(range(256)) * 2000}
MIB = 1 << 20


def group(system: bytes) -> bytes:
    """One disk of a volume group whose volume `root` holds the file system."""
    count = -(-len(system) // EXTENT)
    disks = Disks("a", {"root": volume("root", linear(count, "pv0", 0))})
    return disks.image("a", content=system.ljust(32 * EXTENT, b"\0"))


def locked(folder: Path, inside: bytes) -> bytes:
    """A LUKS2 volume with these bytes inside."""
    made = Volume(
        folder,
        "--type",
        "luks2",
        "--cipher",
        "aes-xts-plain64",
        *CHEAP_2,
        "--sector-size",
        "512",
        size=16 * MIB + len(inside),
    )
    raw, key = bytearray(made.raw), made.key()
    start = 16 * MIB
    for at in range(0, len(inside), 512):
        sealed = by_the_book("aes-xts-plain64", key, at // 512).encryptor().update(inside[at : at + 512])
        raw[start + at : start + at + 512] = sealed
    return bytes(raw)


@needs_mke2fs
@needs_cryptsetup
def test_a_server_with_an_encrypted_volume_group_is_read_with_its_passphrase(tmp_path: Path) -> None:
    inside = group(ext_image(tmp_path, FILES, "ext4", "2M"))
    assert len(inside) > FIRST
    disk = partitioned(
        (0x83, ext_image(tmp_path, {b"vmlinuz": b"kernel"}, "ext2", "1M")), (0x83, locked(tmp_path, inside))
    )
    found = list_files({b"server.dd": disk}, secrets=[b"wrong", PASSPHRASE + b"\n"])
    assert found.paths == [b"vmlinuz", *sorted(FILES)]
    assert found.content(b"srv/plates.bin") == FILES[b"srv/plates.bin"]
    assert found.aside == []
    layers = {row["system"]: row["layers"] for row in found.table("volumes")}
    assert [said.split(",")[0].split(" (")[0] for said in layers["ext4"]] == [
        "MBR partition 2", "LUKS2", "logical volume vg0/root"]  # fmt: skip
    starts = {row["system"]: row["start"] for row in found.table("volumes")}
    assert (starts["ext2"], starts["ext4"]) == (64 * 512, None)


@needs_mke2fs
@needs_cryptsetup
def test_without_a_passphrase_the_rest_is_read_and_the_volume_is_named(tmp_path: Path) -> None:
    boot = ext_image(tmp_path, {b"vmlinuz": b"kernel"}, "ext2", "1M")
    disk = partitioned((0x83, boot), (0x83, locked(tmp_path, bytes(1 << 16))))
    found = list_files({b"server.dd": disk})
    assert found.paths == [b"vmlinuz"]
    ((reason, detail),) = found.aside
    assert reason == "encrypted"
    assert "MBR partition 2" in detail
    assert "--unlock" in detail


@needs_mke2fs
def test_two_disks_of_one_volume_group_are_read_together(tmp_path: Path) -> None:
    system = ext_image(tmp_path, FILES, "ext4", "2M")
    extents = [system[at : at + EXTENT].ljust(EXTENT, b"\0") for at in range(0, len(system), EXTENT)]
    half = len(extents) // 2
    parts = (linear(half, "pv1", 0), linear(len(extents) - half, "pv0", 0, start=half))
    disks = Disks("ab", {"root": volume("root", *parts)})
    first = disks.image("a", content=b"".join(extents[half:]).ljust(32 * EXTENT, b"\0"))
    second = disks.image("b", content=b"".join(extents[:half]).ljust(32 * EXTENT, b"\0"))
    found = list_files({b"a.dd": first.ljust(2 * MIB, b"\0"), b"b.dd": second.ljust(2 * MIB, b"\0")})
    assert found.paths == sorted(FILES)
    assert found.content(b"srv/plates.bin") == FILES[b"srv/plates.bin"]
    alone = list_files({b"a.dd": first})
    assert alone.rows == []
    assert "missing" in alone.reasons


@needs_mke2fs
@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_content_by_runs_is_what_the_sleuth_kit_reads(tmp_path: Path, kind: str) -> None:
    """Sparse, fragmented, empty, small and large files, read both ways, and from any byte on."""
    sizes = (0, 1, 4095, 4096, 4097, 70_000, 900_000)
    files = {b"f%d" % size: bytes(1 + n * 31 % 251 for n in range(size)) for size in sizes}
    files |= {b"fragment%d" % n: b"%d" % n * 9000 for n in range(20)}
    orders = [f"rm fragment{n}" for n in range(0, 20, 2)]
    (tmp_path / "late").write_bytes(b"late" * 60_000)
    (tmp_path / "holes").write_bytes(b"a" * 5000)
    with (tmp_path / "holes").open("r+b") as file:
        file.seek(400_000)
        file.write(b"z" * 3000)
    image = ext_image(
        tmp_path, files, kind, "6M", *orders, f"write {tmp_path}/late late", f"write {tmp_path}/holes holes"
    )
    tree = Tree(RawDisk([Segment(b"d", len(image), partial(io.BytesIO, image))]), 0)
    seen = 0
    for entry in tree.entries():
        content = getattr(getattr(entry, "chunks_from", None), "__self__", None)
        if not isinstance(content, Content) or not content.size:
            continue
        by_runs = b"".join(content.chunks())
        record = content._file
        plain = Content(tree._content, record, content.size, [])
        assert by_runs == b"".join(plain.chunks())
        assert b"".join(content.chunks(3000)) == by_runs[3000:]
        assert sum(length for _, length in content.spans()) <= content.size
        pieces = b"".join(image[start : start + length] for start, length in content.spans())
        assert pieces == by_runs or b"\0" * 512 in by_runs  # holes stand nowhere
        assert bool(runs_of(record)) == bool(pieces)
        seen += 1
    assert seen > 15
