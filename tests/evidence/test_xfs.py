"""XFS against the kernel that wrote it: the same names, kinds, sizes, times and bytes; and what becomes of damage."""

# names on the mounted file systems are bytes, which Path does not take
# ruff: noqa: PTH102, PTH108, PTH110, PTH115, PTH123, PTH211

import hashlib
import mmap
import os
import random
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pyfsxfs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.disks import DamageLog, Disk, Slice
from casewright.evidence.readers.xfs import XfsTree, is_xfs
from casewright.evidence.readers.xfs_checksum import holds, which_hold

MKFS, DB, IO = shutil.which("mkfs.xfs"), shutil.which("xfs_db"), shutil.which("xfs_io")
SMALLEST = 300 << 20  # that mkfs.xfs makes; the files are sparse
needs_xfsprogs = pytest.mark.skipif(not MKFS or not DB or not IO, reason="needs xfsprogs")


@pytest.fixture(autouse=True)
def no_image_stays(tmp_path: Path) -> Iterator[None]:
    """Images are large; pytest keeps folders of earlier runs."""
    yield
    for image in tmp_path.glob("*.img"):
        image.unlink()


@contextmanager
def mounted(image: Path) -> Iterator[bytes]:
    """The file system as the kernel has it, by the path of its root."""
    at = image.with_suffix(".mounted")
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "xfs", "-o", "loop", str(image), str(at)], check=True, capture_output=True)
    try:
        yield os.fsencode(at)
    finally:
        subprocess.run(["umount", str(at)], check=True, capture_output=True)


def made(image: Path, *options: str) -> Path:
    with image.open("wb") as file:
        file.truncate(SMALLEST)
    subprocess.run(["mkfs.xfs", "-q", "-f", *options, str(image)], check=True, capture_output=True)
    return image


@cache
def kernel_mounts() -> bool:
    """Whether this machine can mount an XFS at all."""
    if os.geteuid() or not MKFS or not shutil.which("mount"):
        return False
    folder = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    try:
        with mounted(made(folder / "try.img")):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False
    finally:
        shutil.rmtree(folder)


needs_mount = pytest.mark.skipif(not kernel_mounts(), reason="needs root and a kernel that mounts XFS")


class Mapped:
    """An image as a disk that needs no closing."""

    def __init__(self, image: Path) -> None:
        self.size = image.stat().st_size
        with image.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b""

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self._bytes[offset : offset + length])


def opened(image: Path) -> Mapped:
    return Mapped(image)


@dataclass(frozen=True)
class Seen:
    """What one walk gave."""

    tree: XfsTree
    entries: dict[bytes, Entry]
    problems: list[Problem]

    def content(self, path: bytes) -> bytes:
        return b"".join(self.entries[path].chunks())


def walk(disk: Disk, log: DamageLog | None = None) -> Seen:
    tree = XfsTree(disk, 3, log)
    found = list(tree.entries())
    entries = [one for one in found if isinstance(one, Entry)]
    assert len({one.path for one in entries}) == len(entries)
    return Seen(tree, {one.path: one for one in entries}, [one for one in found if isinstance(one, Problem)])


def as_read(seen: Seen) -> dict[bytes, tuple[object, ...]]:
    """Kind, inode, size, digest of the content or target, and time of change of each entry."""
    return {
        path: (one.kind, one.inode, one.size, hashlib.sha256(seen.content(path)).digest(), one.modified)
        for path, one in seen.entries.items()
    }


def as_the_kernel_says(root: bytes) -> dict[bytes, tuple[object, ...]]:
    """The same of what is below a mounted root."""
    told: dict[bytes, tuple[object, ...]] = {}
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = folder + b"/" + name
            status = os.lstat(path)
            kind, content = kinds.get(stat.S_IFMT(status.st_mode), "special"), b""
            if kind == "file":
                content = Path(os.fsdecode(path)).read_bytes()
            elif kind == "symlink":
                content = os.readlink(path)
            digest, changed = hashlib.sha256(content).digest(), status.st_mtime_ns // 1000
            told[path[len(root) + 1 :]] = kind, status.st_ino, len(content), digest, changed
    return told


def write(path: bytes, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def many_names(root: bytes) -> None:
    """Directories in each of their forms, and names of every length and of no encoding."""
    for count in (1, 8, 300, 5000):
        os.mkdir(b"%s/of %d" % (root, count))
        for number in range(count):
            write(b"%s/of %d/plate %05d.txt" % (root, count, number), b"%d" % number)
    os.mkdir(root + b"/empty")
    os.mkdir(root + b"/names")
    for length in (1, 2, 100, 254, 255):
        write(root + b"/names/" + b"n" * length, b"n" * length)
    for odd in (b"\xff\xfe", b"caf\xe9", "Gewächshaus".encode(), b"new\nline", b"\xc3"):
        write(root + b"/names/" + odd, odd)
    os.mkdir(root + b"/thinned")
    for number in range(900):
        write(b"%s/thinned/%d" % (root, number), b"")
    for number in range(0, 900, 7):
        os.unlink(b"%s/thinned/%d" % (root, number))
    nested = root
    for depth in range(60):
        nested += b"/deep%d" % depth
        os.mkdir(nested)
    write(nested + b"/bottom", b"bottom")


def many_kinds(root: bytes) -> None:
    """Files with holes, room set aside and shared blocks; links, devices, times and attributes."""
    write(root + b"/plain", random.Random(1).randbytes(3_000_001))
    with open(root + b"/holes", "wb") as file:
        for at in (5_000, 900_000, 2_500_000):
            file.seek(at)
            file.write(b"after a hole")
        file.truncate(4_000_000)
    with open(root + b"/set aside", "wb") as file:
        file.write(b"written" * 1000)
        os.posix_fallocate(file.fileno(), 0, 600_000)
        file.seek(300_000)
        file.write(b"in the middle")
    xfs_io(root + b"/set aside", "falloc -k 600000 4000000")
    subprocess.run([b"cp", b"--reflink=always", root + b"/plain", root + b"/shared"], check=False)
    if os.path.exists(root + b"/shared"):
        with open(root + b"/shared", "r+b") as file:
            file.seek(100_000)
            file.write(b"changed")
    write(root + b"/nothing", b"")
    os.link(root + b"/plain", root + b"/linked")
    os.symlink(b"plain", root + b"/short link")
    os.symlink(b"/".join([b"way"] * 250)[:900], root + b"/long link")
    os.symlink(b"x" * 1023, root + b"/longest link")
    os.mkfifo(root + b"/pipe")
    os.mknod(root + b"/device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.chown(root + b"/plain", 4_000_000, 70_000)
    os.setxattr(root + b"/plain", b"user.note", b"n" * 200)
    write(root + b"/with attributes", b"with attributes")
    for number in range(40):
        os.setxattr(root + b"/with attributes", b"user.%d" % number, b"v" * 1500)
    for name, when in ((b"1960", -300_000_000), (b"2030", 1_900_000_000)):
        write(root + b"/" + name, name)
        os.utime(root + b"/" + name, ns=(when * 10**9 + 5, when * 10**9 + 123_456_789))


def fragmented(root: bytes) -> None:
    """Two files written in turn, so that neither lies in one piece; one with pieces punched out of it."""
    with open(root + b"/odd", "wb", buffering=0) as odd, open(root + b"/even", "wb", buffering=0) as even:
        for number in range(400):
            for file in (odd, even):
                file.write(bytes([number % 251]) * (4096 + 8192 * (number % 3 == 0)))
                os.fdatasync(file.fileno())
    xfs_io(root + b"/even", *(f"fpunch {at} 4096" for at in range(8192, 2_000_000, 12288)))
    big = 1500
    with open(root + b"/comb", "wb", buffering=0) as comb:
        for number in range(big):
            comb.seek(number * 8192)
            comb.write(b"%08d" % number * 512)


def xfs_io(path: bytes, *orders: str) -> None:
    subprocess.run(
        ["xfs_io", *(part for order in orders for part in ("-c", order)), os.fsdecode(path)],
        check=True, capture_output=True,
    )  # fmt: skip


def xfs_db(image: Path, *orders: str) -> str:
    parts = [part for order in orders for part in ("-c", order)]
    return subprocess.run(["xfs_db", "-x", *parts, str(image)], check=True, capture_output=True, text=True).stdout


@needs_xfsprogs
@needs_mount
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-b", "size=1k"),
        ("-b", "size=2k", "-i", "size=1024"),
        ("-b", "size=1k", "-n", "size=8k"),
        ("-n", "size=64k", "-m", "rmapbt=1"),
        ("-i", "nrext64=1"),
        ("-m", "bigtime=0,reflink=0,finobt=0", "-i", "sparse=0"),
        ("-s", "size=4k", "-d", "agcount=3"),
    ],
    ids=" ".join,
)
def test_all_that_the_kernel_shows_is_read_as_it_shows_it(tmp_path: Path, options: tuple[str, ...]) -> None:
    image = made(tmp_path / "disk.img", *options)
    with mounted(image) as root:
        for populate in (many_names, many_kinds, fragmented):
            populate(root)
        told = as_the_kernel_says(root)
    seen = walk(opened(image))
    assert seen.problems == []
    assert as_read(seen) == told
    assert {one.volume for one in seen.entries.values()} == {3}
    assert not any(one.deleted for one in seen.entries.values())


@needs_xfsprogs
@needs_mount
def test_spans_say_where_the_bytes_stand_and_nothing_free_is_claimed(tmp_path: Path) -> None:
    image = made(tmp_path / "disk.img")
    with mounted(image) as root:
        many_kinds(root)
        fragmented(root)
    disk = opened(image)
    seen = walk(disk)
    for path in (b"plain", b"shared", b"odd"):
        assert b"".join(disk.read(*span) for span in seen.entries[path].spans()) == seen.content(path)
    claimed = seen.tree.claimed()
    assert claimed == sorted(claimed)
    assert all(start + length < following for (start, length), (following, _) in pairwise(claimed))
    assert not overlap(claimed, free_space(image))
    assert total(claimed) + total(seen.tree.unclaimed()) == disk.size
    spans = [span for one in seen.entries.values() for span in one.spans()]
    assert not overlap(spans, seen.tree.unclaimed())


def free_space(image: Path) -> list[tuple[int, int]]:
    """(start, length) of all free blocks, as xfs_db lists them by allocation group."""
    fields = xfs_db(image, "sb 0", "print blocksize agblocks").split()
    block, group = int(fields[2]), int(fields[5])
    rows = [line.split() for line in xfs_db(image, "freesp -d").splitlines()]
    numbers = [[int(n) for n in row] for row in rows if len(row) == 3 and all(n.isdigit() for n in row)]
    assert numbers
    return [((ag * group + at) * block, count * block) for ag, at, count in numbers]


def overlap(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches of the first that share a byte with one of the second."""
    edges = sorted([(s, n, 0) for s, n in some] + [(s, n, 1) for s, n in others])
    reach, met = [0, 0], []
    for start, length, side in edges:
        if start < reach[1 - side]:
            met.append((start, length))
        reach[side] = max(reach[side], start + length)
    return met


def total(stretches: list[tuple[int, int]]) -> int:
    return sum(length for _, length in stretches)


@needs_xfsprogs
@needs_mount
def test_room_set_aside_but_never_written_is_left_for_carving(tmp_path: Path) -> None:
    image = made(tmp_path / "disk.img")
    with mounted(image) as root:
        write(root + b"/plate", b"OLDPLATE" * 40_000)
    with mounted(image) as root:
        with open(root + b"/plate", "r+b") as file:
            file.truncate(100)
        xfs_io(root + b"/plate", "falloc 0 40960")
    disk = opened(image)
    seen = walk(disk)
    ((start, length),) = seen.entries[b"plate"].spans()
    assert seen.content(b"plate") == (b"OLDPLATE" * 13)[:100] + bytes(40_860)
    assert (length, disk.read(start + 4096, 8)) == (4096, b"OLDPLATE")
    assert overlap([(start + 4096, 8)], seen.tree.unclaimed())
    assert not overlap([(start, 4096)], seen.tree.unclaimed())


@needs_xfsprogs
@needs_mount
def test_slack_reaches_from_the_end_of_a_file_to_the_end_of_its_block(tmp_path: Path) -> None:
    image = made(tmp_path / "disk.img")
    with mounted(image) as root:
        write(root + b"/plate", b"p" * 5000)
        write(root + b"/full", b"f" * 8192)
    seen = walk(opened(image))
    ((start, length),) = seen.entries[b"plate"].spans()
    assert length == 5000
    assert seen.tree.slack() == [(start + 5000, 8192 - 5000)]


@needs_xfsprogs
@needs_mount
def test_reading_from_the_middle_gives_the_rest(tmp_path: Path) -> None:
    image = made(tmp_path / "disk.img")
    with mounted(image) as root:
        many_kinds(root)
        fragmented(root)
    seen = walk(opened(image))
    for path in (b"plain", b"holes", b"set aside", b"even", b"comb"):
        whole, read = seen.content(path), seen.entries[path].chunks_from
        assert read is not None
        for at in (0, 1, 4095, 4096, 300_007, len(whole) - 1, len(whole)):
            assert b"".join(read(at)) == whole[at:]


@needs_xfsprogs
@needs_mount
def test_a_file_system_that_was_in_use_is_said_to_have_a_journal(tmp_path: Path) -> None:
    image = made(tmp_path / "disk.img")
    with mounted(image) as root:
        write(root + b"/plate", b"plate")
    assert walk(opened(image)).problems == []
    with mounted(image) as root:
        write(root + b"/newer", b"newer")
        xfs_io_at(root, "shutdown -f")
    (problem,) = walk(opened(image)).problems
    assert (problem.path, problem.reason) == (b"", "not replayed")
    with mounted(image) as root:
        for number in range(20_000):  # the ring goes round
            path = b"%s/plate%d" % (root, number)
            write(path, b"")
            os.setxattr(path, b"user.note", b"n" * 3000)
        for number in range(0, 20_000, 2):
            os.unlink(b"%s/plate%d" % (root, number))
    assert journal_round(image) > 1
    assert walk(opened(image)).problems == []
    with mounted(image) as root:
        write(root + b"/newest", b"newest")
        xfs_io_at(root, "shutdown -f")
    assert [p.reason for p in walk(opened(image)).problems] == ["not replayed"]


def journal_round(image: Path) -> int:
    """How often the journal's ring was begun, by its first sector."""
    start = int(xfs_db(image, "sb 0", "print logstart").split()[2])
    byte = int(xfs_db(image, f"convert fsblock {start} byte").replace("(", " ").replace(")", " ").split()[1])
    raw = opened(image).read(byte, 8)
    return int.from_bytes(raw[4:] if raw[:4] == b"\xfe\xed\xba\xbe" else raw[:4], "big")


def xfs_io_at(root: bytes, order: str) -> None:
    subprocess.run(["xfs_io", "-x", "-c", order, os.fsdecode(root)], check=True, capture_output=True)


# ---- without mounting: what mkfs.xfs puts in by a protofile -------------------------------------------------------

PROTO_FILES = {b"plate": b"glass plate " * 3000, b"nothing": b"", b"short": b"s"}


def populated(folder: Path, *options: str, names: int = 300) -> Path:
    """An image with the files above, a directory of many, one in it and symlinks, made without a mount.

    The long symlink is for version 4 only: in version 5 mkfs.xfs 6.1 forgets the head of its block.
    """
    lines = ["/dev/null", "0 0", "d--755 0 0"]
    for name, content in PROTO_FILES.items():
        (folder / os.fsdecode(name)).write_bytes(content)
        lines.append(f"{os.fsdecode(name)} ---644 1000 1000 {folder / os.fsdecode(name)}")
    lines += ["link l--777 0 0 many/inner", "long l--777 0 0 " + "w" * 700, "null c--666 0 0 1 3", "many d--755 0 0"]
    lines += [f"name{number:05d} ---644 0 0 {folder / 'short'}" for number in range(names)]
    lines += ["inner d--755 0 0", f"leaf ---600 0 0 {folder / 'plate'}", "$", "$", "$", ""]
    (folder / "protofile").write_text("\n".join(lines))
    return made(folder / "disk.img", "-p", str(folder / "protofile"), *options)


FORMS = [
    ("-m", "crc=0"),
    ("-m", "crc=0", "-b", "size=512"),
    ("-m", "crc=0", "-n", "ftype=0"),
    ("-m", "crc=0", "-i", "size=256", "-n", "size=8k"),
    (),
    ("-b", "size=1k"),
    ("-m", "bigtime=0"),
]


@needs_xfsprogs
@pytest.mark.parametrize("options", FORMS, ids=" ".join)
@pytest.mark.parametrize("names", [3, 100, 4000])
def test_what_mkfs_put_in_is_read_whatever_the_version(tmp_path: Path, options: tuple[str, ...], names: int) -> None:
    image = populated(tmp_path, *options, names=names)
    seen = walk(opened(image))
    assert seen.problems == []
    many = [b"many/name%05d" % number for number in range(names)]
    assert set(seen.entries) == {
        *PROTO_FILES,
        b"link",
        b"long",
        b"null",
        b"many",
        b"many/inner",
        b"many/inner/leaf",
        *many,
    }
    assert {path: seen.content(path) for path in PROTO_FILES} == PROTO_FILES
    assert {seen.content(path) for path in many} == {b"s"}
    assert seen.content(b"link") == b"many/inner"
    if "crc=0" in options:
        assert seen.content(b"long") == b"w" * 700
    assert seen.entries[b"null"].kind == "special"
    assert seen.entries[b"plate"].modified == pytest.approx(image.stat().st_mtime * 1_000_000, abs=60_000_000)


@needs_xfsprogs
@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_libfsxfs_reads_the_same(tmp_path: Path, options: tuple[str, ...]) -> None:
    image = populated(tmp_path, *options)
    seen = walk(opened(image))
    volume = pyfsxfs.volume()
    with image.open("rb") as file:
        volume.open_file_object(file)
        theirs = dict(below(volume.get_root_directory(), b""))
        volume.close()
    ours = {
        path: (one.inode, one.size if one.kind == "file" else 0, one.modified) for path, one in seen.entries.items()
    }
    assert ours == theirs


def below(folder: object, path: bytes) -> Iterator[tuple[bytes, tuple[int, int, int]]]:
    for one in folder.sub_file_entries:  # type: ignore[attr-defined]
        its = path + one.name.encode()
        size = one.size if stat.S_ISREG(one.file_mode) else 0
        yield its, (one.inode_number, size, one.get_modification_time_as_integer() // 1000)
        if stat.S_ISDIR(one.file_mode):
            yield from below(one, its + b"/")


# ---- damage --------------------------------------------------------------------------------------------------------


@dataclass
class Patched:
    """A disk of which some stretches read differently, and which may end early."""

    disk: Disk
    patches: dict[int, bytes]
    size: int

    def read(self, offset: int, length: int) -> bytes:
        raw = self.disk.read(offset, max(0, min(length, self.size - offset)))
        for start, patch in self.patches.items():
            if start < offset + len(raw) and start + len(patch) > offset:
                inside = bytearray(raw)
                for number, byte in enumerate(patch):
                    if offset <= start + number < offset + len(raw):
                        inside[start + number - offset] = byte
                raw = bytes(inside)
        return raw


@dataclass
class Behind:
    """A disk on which another one begins so many bytes in."""

    disk: Disk
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        return self.disk.read(offset - self.start, length)


def patched(image: Path, patches: dict[int, bytes], size: int | None = None) -> Patched:
    return Patched(opened(image), patches, image.stat().st_size if size is None else size)


def blocks_of(image: Path, *magics: bytes) -> list[int]:
    """Bytes at which metadata of this kind stands, outside the journal."""
    raw = image.read_bytes()
    _, block, group = struct.unpack_from(">4sI76xI", raw)
    journal, length = struct.unpack_from(">Q", raw, 48)[0], struct.unpack_from(">I", raw, 96)[0] * block
    bits = raw[124]
    start = ((journal >> bits) * group + (journal & (1 << bits) - 1)) * block
    found = [at for at in range(0, len(raw), 256) if raw[at : at + len(magics[0])] in magics]
    return [at for at in found if not start <= at < start + length]


def place_of(image: Path, inode: int) -> int:
    """Byte at which an inode stands, as xfs_db says."""
    said = xfs_db(
        image, f"convert inode {inode} inoidx", f"convert inode {inode} fsblock", "sb 0", "print inodesize"
    ).replace("(", " ").replace(")", " ").split()  # fmt: skip
    index, block, size = int(said[1]), int(said[3]), int(said[-1])
    byte = xfs_db(image, f"convert fsblock {block} byte").replace("(", " ").replace(")", " ").split()[1]
    return int(byte) + index * size


@needs_xfsprogs
def test_an_inode_whose_checksum_fails_is_used_and_its_damage_known(tmp_path: Path) -> None:
    image = populated(tmp_path)
    number = walk(opened(image)).entries[b"plate"].inode
    assert number is not None
    place = place_of(image, number)
    disk, log = patched(image, {place + 12: b"\x77"}), DamageLog()
    seen = walk(disk, log)
    (problem,) = seen.problems
    assert problem.reason == "damaged"
    assert f"inode {number}" in problem.detail
    assert [(start, length) for start, length, _ in log.spans] == [(place, 512)]
    before = log.touches
    assert seen.content(b"plate") == PROTO_FILES[b"plate"]
    assert log.touches == before + 1
    assert seen.content(b"short") == b"s"
    assert log.touches == before + 1
    assert len(log.spans) == 1


@needs_xfsprogs
def test_damage_in_a_partition_is_placed_on_its_disk(tmp_path: Path) -> None:
    image = populated(tmp_path)
    log = DamageLog()
    behind = Behind(patched(image, {140: b"\x01"}), 1 << 20, SMALLEST + (1 << 20))
    disk = Slice(behind, 1 << 20, SMALLEST)
    assert walk(disk, log).content(b"short") == b"s"
    assert [(start, length) for start, length, _ in log.spans] == [(1 << 20, 512)]


@needs_xfsprogs
@pytest.mark.parametrize("options", [(), ("-m", "crc=0")], ids=["version 5", "version 4"])
def test_a_lost_block_of_a_directory_costs_its_names_and_says_so(tmp_path: Path, options: tuple[str, ...]) -> None:
    image = populated(tmp_path, *options, names=4000)
    whole = walk(opened(image))
    blocks = blocks_of(image, b"XDD3", b"XD2D")
    seen = walk(patched(image, {blocks[3]: bytes(4096)}))
    (problem,) = seen.problems
    assert (problem.path, problem.reason) == (b"many", "damaged")
    assert 4000 - 200 < len(seen.entries) < len(whole.entries)
    assert set(seen.entries) < set(whole.entries)


@needs_xfsprogs
def test_a_directory_that_leads_back_to_itself_is_met_once(tmp_path: Path) -> None:
    image = populated(tmp_path, "-m", "crc=0", names=3)
    seen = walk(opened(image))
    many, inner = seen.entries[b"many"].inode, seen.entries[b"many/inner"].inode
    assert many is not None
    assert inner is not None
    raw = image.read_bytes()
    at = raw.index(b"inner", place_of(image, many)) + 5 + 1
    assert raw[at : at + 4] == inner.to_bytes(4, "big")
    (problem,) = walk(patched(image, {at: many.to_bytes(4, "big")})).problems
    assert (problem.path, problem.reason) == (b"many/inner", "met before")


@needs_xfsprogs
def test_two_directories_never_list_the_same_blocks(tmp_path: Path) -> None:
    image = populated(tmp_path, "-m", "crc=0", names=300)
    seen = walk(opened(image))
    many, inner = seen.entries[b"many"].inode, seen.entries[b"many/inner"].inode
    assert many is not None
    assert inner is not None
    source = place_of(image, many)
    again = walk(patched(image, {place_of(image, inner): image.read_bytes()[source : source + 256]}))
    assert any("not its own" in p.detail for p in again.problems)
    assert {p.path for p in again.problems} <= {b"many", b"many/inner", b"many/inner/inner"}
    names = [path.rpartition(b"/")[2] for path in again.entries if b"/name" in path]
    assert len(names) == len(set(names)) > 200


@needs_xfsprogs
def test_an_extent_beyond_the_disk_ends_its_file_and_no_other(tmp_path: Path) -> None:
    image = populated(tmp_path, "-m", "crc=0")
    number = walk(opened(image)).entries[b"plate"].inode
    assert number is not None
    place = place_of(image, number)
    seen = walk(patched(image, {place + 100 + 8: b"\x7f"}))
    with pytest.raises(Unreadable) as error:
        seen.content(b"plate")
    assert error.value.reason == "damaged"
    assert seen.content(b"many/inner/leaf") == PROTO_FILES[b"plate"]


@needs_xfsprogs
def test_a_file_that_says_it_is_longer_than_its_disk_is_set_aside(tmp_path: Path) -> None:
    image = populated(tmp_path, "-m", "crc=0")
    number = walk(opened(image)).entries[b"plate"].inode
    assert number is not None
    (problem,) = walk(patched(image, {place_of(image, number) + 56: b"\x01"})).problems
    assert (problem.path, problem.reason) == (b"plate", "sparse")


@needs_xfsprogs
def test_a_realtime_file_is_refused_by_name(tmp_path: Path) -> None:
    image = populated(tmp_path)
    number = walk(opened(image)).entries[b"plate"].inode
    xfs_db(image, f"inode {number}", "write core.realtime 1")
    (problem,) = walk(opened(image)).problems
    assert (problem.path, problem.reason) == (b"plate", "not supported")
    assert "realtime" in problem.detail


@needs_xfsprogs
def test_a_cut_volume_gives_what_is_left_and_says_so(tmp_path: Path) -> None:
    image = populated(tmp_path)
    whole = walk(opened(image))
    last = max(start + length for one in whole.entries.values() for start, length in one.spans())
    seen = walk(patched(image, {}, last - 5000))
    assert "truncated" in {p.reason for p in seen.problems}
    cut = [p for p in seen.entries if seen.entries[p].kind == "file" and not readable(seen, p)]
    assert cut
    assert readable(seen, b"short")


def readable(seen: Seen, path: bytes) -> bool:
    try:
        return len(seen.content(path)) == seen.entries[path].size
    except Unreadable as error:
        assert error.reason == "truncated"  # noqa: PT017
        return False


@pytest.mark.parametrize("head", [b"", b"XFSB", b"XFSB" + bytes(4092), b"XFSB" + b"\xff" * 4092])
def test_a_superblock_that_makes_no_sense_is_unreadable(tmp_path: Path, head: bytes) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(head)
    assert is_xfs(opened(image)) == (head[:4] == b"XFSB")
    with pytest.raises(Unreadable):
        XfsTree(opened(image), 0)


@needs_xfsprogs
def test_an_unknown_feature_is_refused(tmp_path: Path) -> None:
    image = populated(tmp_path)
    with pytest.raises(Unreadable) as error:
        XfsTree(patched(image, {216: b"\x40"}), 0)
    assert error.value.reason == "not supported"


@needs_xfsprogs
@pytest.mark.parametrize("options", [(), ("-m", "crc=0", "-b", "size=512")], ids=["version 5", "version 4"])
def test_hostile_images_end_in_rows_and_nothing_else(tmp_path: Path, options: tuple[str, ...]) -> None:
    image = populated(tmp_path, *options, names=60)
    assert rows_of_spoiled(image, 150) > 150


@needs_xfsprogs
@needs_mount
def test_hostile_trees_and_links_end_in_rows_and_nothing_else(tmp_path: Path) -> None:
    image = made(tmp_path / "disk.img")
    with mounted(image) as root:
        many_kinds(root)
        fragmented(root)
    assert len(blocks_of(image, b"BMA3")) > 10
    assert rows_of_spoiled(image, 100) > 100


METADATA = (b"XFSB", b"IN\x81\xa4", b"IN\x41\xed", b"IN\xa1\xff", b"XDB3", b"XDD3", b"XD2B", b"XD2D", b"BMA3", b"XSLM")


def rows_of_spoiled(image: Path, times: int) -> int:
    """How many rows came of the image with its metadata spoiled in so many ways, some of them cut."""
    places, met = blocks_of(image, *METADATA), 0
    for seed in range(times):
        chance = random.Random(seed)
        patches = {}
        for _ in range(chance.randrange(1, 9)):
            at = chance.choice(places) + chance.randrange(chance.choice([16, 130, 260, 512]))
            patches[at] = chance.randbytes(chance.choice([1, 1, 4, 8]))
        size = chance.choice([SMALLEST, SMALLEST, chance.randrange(SMALLEST)])
        met += hostile(patched(image, patches, size))
    return met


def hostile(disk: Disk) -> int:
    """How many rows a walk gave; files are read, as far as a test has time for."""
    try:
        tree = XfsTree(disk, 0)
    except Unreadable:
        return 1
    rows, budget = 0, 8 << 20
    for one in tree.entries():
        rows += 1
        if isinstance(one, Entry):
            budget -= read_some(one, budget)
    for start, length in [*tree.claimed(), *tree.unclaimed(), *tree.slack()]:
        assert 0 <= start < start + length
    return rows


def read_some(entry: Entry, most: int) -> int:
    length = 0
    try:
        for chunk in entry.chunks():
            length += len(chunk)
            assert length <= entry.size
            if length > most:
                return length
    except Unreadable:
        return length
    assert length == entry.size
    return length


# ---- the checksum --------------------------------------------------------------------------------------------------


def slow_crc32c(data: bytes) -> int:
    """The definition: bit by bit."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def test_the_slow_definition_gives_the_published_check_value() -> None:
    assert slow_crc32c(b"123456789") == 0xE3069283


@given(st.binary(min_size=1, max_size=64), st.integers(1, 4), st.integers(0, 127), st.booleans())
def test_sums_hold_exactly_when_the_definition_says_so(seed: bytes, pieces: int, place: int, spoil: bool) -> None:
    at = place * 4
    block = bytearray((seed * 2048)[: 512 * pieces])
    block[at : at + 4] = bytes(4)
    block[at : at + 4] = slow_crc32c(bytes(block)).to_bytes(4, "little")
    block[-1] ^= spoil
    assert holds(bytes(block), at) is not spoil
    assert which_hold(bytes(block) * 3, len(block), at) == [not spoil] * 3
