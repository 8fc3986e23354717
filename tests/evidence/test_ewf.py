"""Our reader of E01 images, held against images that ewfacquire makes, against libewf, and against damage."""

import hashlib
import io
import random
import shutil
import struct
import subprocess
from functools import partial
from pathlib import Path

import pyewf
import pytest

from casewright.evidence.reader import Segment, Unreadable
from casewright.evidence.readers.disks import DamageLog
from casewright.evidence.readers.ewf import EwfDisk
from casewright.evidence.readers.ewf_sections import HEADER, SIGNATURE
from tests.evidence.builders import ext_image, list_files, needs_mke2fs

needs_ewf = pytest.mark.skipif(not shutil.which("ewfacquire"), reason="needs ewf-tools")
FORMATS = ["ewf", "smart", "ftk", "encase1", "encase2", "encase3", "encase4", "encase5", "encase6", "encase7",
           "linen5", "linen6", "linen7"]  # fmt: skip


def content(size: int = 3 << 20) -> bytes:
    """A disk of text, zeros and noise, whose end fills no chunk."""
    some = random.Random(7)
    text = b" ".join(b"plate %d of the bird book" % n for n in range(60_000))
    return (text + bytes(1 << 20) + some.randbytes(size))[: size - 512]


def acquired(folder: Path, raw: bytes, *options: str) -> list[Path]:
    """The segments of an E01 image of these bytes."""
    source, target = folder / "disk.raw", folder / "image"
    source.write_bytes(raw)
    fixed = ["-u", "-q", "-C", "x", "-D", "x", "-e", "x", "-E", "x", "-N", "x", "-m", "fixed", "-M", "logical"]
    done = subprocess.run(
        ["ewfacquire", *fixed, "-t", str(target), *options, str(source)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout[-500:]
    return sorted(p for p in folder.iterdir() if p.name.startswith("image."))


def disk_of(paths: list[Path], log: DamageLog | None = None) -> EwfDisk:
    segments = [Segment(p.name.encode(), p.stat().st_size, partial(io.BytesIO, p.read_bytes())) for p in paths]
    return EwfDisk(segments, log)


@needs_ewf
@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_that_ewfacquire_writes_reads_as_the_disk_it_was_made_of(tmp_path: Path, format_: str) -> None:
    raw = content()
    disk = disk_of(acquired(tmp_path, raw, "-f", format_, "-c", "deflate:fast"))
    assert disk.size == len(raw)
    assert hashlib.sha256(disk.read(0, disk.size)).digest() == hashlib.sha256(raw).digest()
    assert disk.stored["md5"] == hashlib.md5(raw).hexdigest()
    assert list(disk.problems()) == []


@needs_ewf
@pytest.mark.parametrize("level", ["deflate:none", "deflate:empty-block", "deflate:fast", "deflate:best"])
def test_any_piece_of_a_split_image_is_that_piece_of_the_disk(tmp_path: Path, level: str) -> None:
    raw, some = content(4 << 20), random.Random(level)
    paths = acquired(tmp_path, raw, "-f", "encase6", "-c", level, "-S", "1MiB", "-b", "64", "-d", "sha1")
    disk = disk_of(paths)
    assert len(paths) > 1
    for _ in range(200):
        at, length = some.randrange(len(raw)), some.choice([1, 512, 4096, 40_000, 500_000])
        assert disk.read(at, length) == raw[at : at + length]
    assert disk.read(len(raw), 10) == b""
    assert disk.stored == {"md5": hashlib.md5(raw).hexdigest(), "sha1": hashlib.sha1(raw).hexdigest()}


@needs_ewf
def test_bytes_are_those_of_libewf(tmp_path: Path) -> None:
    paths = acquired(tmp_path, content(), "-f", "encase7", "-c", "deflate:best")
    handle = pyewf.handle()
    handle.open([str(p) for p in paths])
    theirs = handle.read(handle.get_media_size())
    handle.close()
    assert disk_of(paths).read(0, 1 << 30) == theirs


@needs_ewf
def test_a_damaged_chunk_costs_itself_only_and_says_which_bytes_they_are(tmp_path: Path) -> None:
    raw = content()
    (path,) = acquired(tmp_path, raw, "-f", "encase6", "-c", "deflate:fast")
    image = bytearray(path.read_bytes())
    at = image.index(b"sectors") + HEADER + 200_000
    image[at] ^= 0x10
    path.write_bytes(image)
    log = DamageLog()
    disk = disk_of([path], log)
    found = disk.read(0, disk.size)
    ((start, length, _),) = log.spans
    assert found[:start] == raw[:start]
    assert found[start + length :] == raw[start + length :]
    assert found[start : start + length] != raw[start : start + length]
    assert log.touches == 1
    disk.read(start, 1)
    assert (log.touches, len(log.spans)) == (2, 1)


@needs_ewf
def test_what_stands_before_the_damage_in_a_chunk_is_given_out(tmp_path: Path) -> None:
    """libewf gives zeros for the whole chunk."""
    raw = content()
    (path,) = acquired(tmp_path, raw, "-f", "encase6", "-c", "deflate:fast")
    image = bytearray(path.read_bytes())
    image[image.index(b"sectors") + HEADER + 1_000] ^= 0xFF
    path.write_bytes(image)
    found = disk_of([path]).read(0, 32768)
    same = next((i for i, (a, b) in enumerate(zip(found, raw, strict=False)) if a != b), 32768)
    assert 2_000 < same < 32768


@needs_ewf
@needs_mke2fs
def test_a_file_in_a_damaged_chunk_is_kept_and_marked_and_the_hash_is_reported(tmp_path: Path) -> None:
    files = {b"hit.bin": random.Random(1).randbytes(300_000), b"whole.bin": random.Random(2).randbytes(300_000)}
    raw = ext_image(tmp_path, files, "ext4", "4M")
    (path,) = acquired(tmp_path, raw, "-f", "encase6", "-c", "deflate:fast")
    image = bytearray(path.read_bytes())
    image[image.index(files[b"hit.bin"][100_000:100_064])] ^= 1
    found = list_files({b"disk.E01": bytes(image)})
    assert {b"hit.bin", b"whole.bin"} <= set(found.paths)
    assert found.content(b"whole.bin") == files[b"whole.bin"]
    marked = [d for r, d in found.aside if r == "damaged"]
    assert len(marked) == 1
    assert marked[0].startswith("hit.bin: ")
    (stored,) = found.table("stored_hashes")
    assert (stored["algorithm"], stored["holds"]) == ("md5", False)
    assert stored["stored"] == hashlib.md5(raw).hexdigest()
    spans = [s for s in found.output.set_aside if s.span_start is not None]
    assert [s.span_length for s in spans] == [32768]


@needs_ewf
@needs_mke2fs
def test_an_unharmed_image_says_that_its_hash_holds(tmp_path: Path) -> None:
    raw = ext_image(tmp_path, {b"plate": b"plate"}, "ext4", "2M")
    (path,) = acquired(tmp_path, raw, "-f", "encase6", "-d", "sha1")
    found = list_files({b"disk.E01": path.read_bytes()})
    assert [(h["algorithm"], h["computed"], h["holds"]) for h in found.table("stored_hashes")] == [
        ("md5", hashlib.md5(raw).hexdigest(), True), ("sha1", hashlib.sha1(raw).hexdigest(), True)]  # fmt: skip
    assert found.aside == []


@needs_ewf
def test_a_missing_segment_leaves_the_others_readable(tmp_path: Path) -> None:
    raw = content(4 << 20)
    paths = acquired(tmp_path, raw, "-f", "encase6", "-c", "deflate:none", "-S", "1MiB")
    disk = disk_of(paths[:-1])
    assert disk.read(0, 1 << 20) == raw[: 1 << 20]
    assert {p.reason for p in disk.problems()} == {"truncated"}
    with pytest.raises(Unreadable, match="has no chunk"):
        disk.read(len(raw) - 512, 512)


@needs_ewf
@needs_mke2fs
def test_a_disk_said_to_be_larger_than_its_chunks_is_searched_as_far_as_these_reach(tmp_path: Path) -> None:
    """One flipped bit makes an exabyte of it, through which nobody lives to step."""
    raw = random.Random(4).randbytes(1 << 20)
    (path,) = acquired(tmp_path, raw, "-f", "encase6", "-c", "deflate:fast")
    image = bytearray(path.read_bytes())
    image[image.index(struct.pack("<IIQ", 64, 512, len(raw) // 512)) + 14] |= 16
    found = list_files({b"disk.E01": bytes(image)})
    (absent,) = (detail for reason, detail in found.aside if "not in the image" in detail)
    assert absent.endswith(
        f"bytes {len(raw)} to {len(raw) + (1 << 52) * 512 - 1} could not be searched: they are not in the image"
    )


@pytest.mark.parametrize("body", [b"", b"\x01\x01\x00\x00\x00", b"\x01\x01\x00\x00\x00" + bytes(400)])
def test_a_header_with_nothing_behind_it_is_refused(body: bytes) -> None:
    raw = SIGNATURE + body
    with pytest.raises(Unreadable, match="how long its disk is"):
        EwfDisk([Segment(b"x.E01", len(raw), lambda: io.BytesIO(raw))])
