"""Linux software RAID: superblocks, the kernel's mappings sector by sector, and other programs as witnesses."""

import hashlib
import random
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import pytsk3
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import Disk, Slice
from casewright.evidence.readers.raid import Assembled, assemble
from casewright.evidence.readers.raid_superblock import Member, member_of

SECTOR = 512
needs_grub = pytest.mark.skipif(not shutil.which("grub-fstest"), reason="needs grub-fstest")
needs_mke2fs = pytest.mark.skipif(not shutil.which("mke2fs"), reason="needs e2fsprogs")
needs_mdadm = pytest.mark.skipif(not shutil.which("mdadm"), reason="needs mdadm")


class MemoryDisk:
    def __init__(self, raw: bytes) -> None:
        self.raw, self.size, self.reads = raw, len(raw), 0

    def read(self, offset: int, length: int) -> bytes:
        self.reads += 1
        return self.raw[offset : offset + length]


# --- superblocks, written field by field from md_p.h ---


@dataclass(frozen=True)
class Sb:
    """What a superblock is to say. Sizes in sectors."""

    level: int = 5
    layout: int = 2
    chunk: int = 8
    members: int = 3
    role: int = 0
    events: int = 42
    version: str = "1.2"
    size: int = 0  # 0: all of the data
    name: bytes = b"srv:0"
    uuid: bytes = bytes(range(16))
    features: int = 0
    roles: tuple[int, ...] | None = None
    number: int | None = None
    in_sync: int = (1 << 64) - 1
    created: int = 1_600_000_000
    data_offset: int = 16
    bad: tuple[tuple[int, int], ...] = ()
    pad: bytes = bytes(32)
    data_size: int | None = None


def codes(sb: Sb) -> tuple[int, ...]:
    return tuple(range(sb.members)) if sb.roles is None else sb.roles


def superblock_1(sb: Sb, at: int, data_offset: int, data_size: int) -> bytes:
    table = codes(sb)
    number = sb.role if sb.number is None else sb.number
    body = struct.pack("<4I16s32sQiIQII", 0xA92B4EFC, 1, sb.features | (8 if sb.bad else 0), 0, sb.uuid, sb.name,
                       sb.created, sb.level, sb.layout, sb.size or data_size, sb.chunk, sb.members)  # fmt: skip
    body += struct.pack("<iIQIIIi", 0, 0, 0, 0, 0, 0, 0)
    body += struct.pack("<4QII16sBBHi", data_offset, data_size, at, 0, number, 0, bytes([number % 256]) * 16, 0, 0,
                        1 if sb.bad else 0, 4 if sb.bad else 0)  # fmt: skip
    body += struct.pack("<3QII32s", sb.created + 60, sb.events, sb.in_sync, 0, len(table), sb.pad)
    body += struct.pack(f"<{len(table)}H", *table)
    words = body + bytes(-len(body) % 4)
    total = sum(struct.unpack(f"<{len(words) // 4}I", words))
    return body[:216] + struct.pack("<I", ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF) + body[220:]


def superblock_90(sb: Sb, kilobytes: int, order: str = "<") -> bytes:
    words = [0] * 1024
    words[:12] = [0xA92B4EFC, 0, 91 if sb.features & 4 else 90, 0, 0, 0x11111111, sb.created, sb.level & 0xFFFFFFFF,
                  kilobytes, sb.members, sb.members, 7]  # fmt: skip
    words[13:16] = [0x22222222, 0x33333333, 0x44444444]
    words[32:34] = [sb.created + 60, 1 if sb.in_sync == (1 << 64) - 1 else 0]
    words[39:41] = [sb.events & 0xFFFFFFFF, sb.events >> 32]
    words[64:66] = [sb.layout, sb.chunk * SECTOR]
    for i, role in enumerate(codes(sb)):
        words[128 + 32 * i : 133 + 32 * i] = [i, 8, i, role if role < 0xFF00 else i, 6 if role < 0xFF00 else 1]
    number = sb.role if sb.number is None else sb.number
    words[992:997] = words[128 + 32 * number : 133 + 32 * number]
    total = sum(words)
    words[38] = ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF
    return struct.pack(f"{order}1024I", *words)


def member_disk(sb: Sb, data: bytes) -> bytes:
    """A disk with this data and its superblock where the version puts it."""
    sectors = len(data) // SECTOR
    if sb.version == "0.90":
        at = -(-len(data) // 65536) * 65536
        return data.ljust(at, b"\xd1") + superblock_90(sb, sb.size // 2 or sectors // 2).ljust(65536, b"\xd2")
    if sb.version == "1.0":
        at = -(-sectors // 8) * 8
        block = superblock_1(sb, at, 0, sb.data_size or sectors)
        return data.ljust(at * SECTOR, b"\xd1") + with_bad_blocks(sb, block).ljust(8192, b"\0")
    at = {"1.1": 0, "1.2": 8}[sb.version]
    block = superblock_1(sb, at, sb.data_offset, sb.data_size or sectors)
    return (bytes(at * SECTOR) + with_bad_blocks(sb, block)).ljust(sb.data_offset * SECTOR, b"\0") + data


def with_bad_blocks(sb: Sb, block: bytes) -> bytes:
    """The list, one sector long, four sectors after the superblock's beginning."""
    words = b"".join(struct.pack("<Q", place << 10 | length) for place, length in sb.bad)
    return block.ljust(4 * SECTOR, b"\0") + words.ljust(SECTOR, b"\xff") if sb.bad else block


def members_of(disks: Sequence[bytes]) -> list[Member]:
    found = [member_of(MemoryDisk(raw)) for raw in disks]
    assert all(found)
    return [member for member in found if member]


# --- the slow definition: where each sector lies, as the kernel's drivers compute it, and what parity holds ---


def slow_raid0(sizes: Sequence[int], chunk: int, original: bool) -> Iterator[tuple[int, int]]:
    """Of each sector in turn, member and sector there (create_strip_zones and map_sector)."""
    rounded, start, done = [size // chunk * chunk for size in sizes], 0, 0
    while taking := [i for i, size in enumerate(rounded) if size > start]:
        smallest = min(rounded[i] for i in taking)
        length = (smallest - start) * len(taking)
        for inside in range(length):
            sector = done + inside if original else inside
            yield (
                taking[sector // chunk % len(taking)],
                start + inside // (chunk * len(taking)) * chunk + inside % chunk,
            )
        start, done = smallest, done + length


def slow_parity(level: int, layout: int, n: int, stripe: int, dd: int) -> tuple[int, int, int]:
    """Data, P and Q member of the dd-th data chunk of a stripe (raid5_compute_sector)."""
    data = n - (2 if level == 6 else 1)
    q = -1
    if level == 4:
        return dd, data, q
    if level == 5:
        p = {0: data - stripe % n, 1: stripe % n, 2: data - stripe % n, 3: stripe % n, 4: 0, 5: data}[layout]
        if layout in (0, 1):
            dd += dd >= p
        elif layout in (2, 3):
            dd = (p + 1 + dd) % n
        elif layout == 4:
            dd += 1
        return dd, p, q
    if layout in (0, 1):
        p = n - 1 - stripe % n if layout == 0 else stripe % n
        q = p + 1
        if p == n - 1:
            dd, q = dd + 1, 0
        elif dd >= p:
            dd += 2
    elif layout in (2, 3):
        p = n - 1 - stripe % n if layout == 2 else stripe % n
        q, dd = (p + 1) % n, (p + 2 + dd) % n
    elif layout == 4:
        p, q, dd = 0, 1, dd + 2
    elif layout == 5:
        p, q = data, data + 1
    else:
        p = {
            16: data - stripe % (n - 1),
            17: stripe % (n - 1),
            18: data - stripe % (n - 1),
            19: stripe % (n - 1),
            20: 0,
        }[layout]
        q = n - 1
        if layout in (16, 17):
            dd += dd >= p
        elif layout in (18, 19):
            dd = (p + 1 + dd) % (n - 1)
        else:
            dd += 1
    return dd, p, q


def doubled(a: int) -> int:
    return (a << 1 ^ 0x11D if a & 0x80 else a << 1) & 0xFF


def slow_parity_array(level: int, layout: int, n: int, chunk: int, content: bytes) -> list[bytes]:
    """The members' data: chunks placed one by one, then P by XOR, and Q by Horner's rule from the member after Q on."""
    width, size = n - (2 if level == 6 else 1), chunk * SECTOR
    members = [bytearray() for _ in range(n)]
    for stripe in range(len(content) // (size * width)):
        row: dict[int, bytes] = {}
        for k in range(width):
            member, p, q = slow_parity(level, layout, n, stripe, k)
            row[member] = content[(stripe * width + k) * size :][:size]
        data = set(row)
        row[p] = bytes(reduce(lambda a, b: a ^ b, column) for column in zip(*row.values(), strict=True))
        if q >= 0:
            cycle = [m for m in ((q + 1 + i) % n for i in range(n)) if m in data]
            columns = zip(*(row[m] for m in reversed(cycle)), strict=True)
            row[q] = bytes(reduce(lambda acc, b: doubled(acc) ^ b, column, 0) for column in columns)
        for member, raw in row.items():
            members[member] += raw
    return [bytes(m) for m in members]


def slow_copies(n: int, near: int, far: int, offset: bool, chunk: int, rows: int, content: bytes) -> list[bytes]:
    """RAID 10: near copies go over into the next row, far ones start `stride` further down (__raid10_find_phys)."""
    size = chunk * SECTOR
    members = [bytearray(b"\xee" * size * rows) for _ in range(n)]
    total = rows // far * n // near
    stride = 1 if offset else (total * near * far + n - 1) // n // far
    for number in range(total):
        stripe, dev = divmod(number * near, n)
        stripe *= far if offset else 1
        for _ in range(near):
            d, s = dev, stripe
            for copy in range(far):
                if copy:
                    d, s = (d + near) % n, s + stride
                members[d][s * size : (s + 1) * size] = content[number * size : (number + 1) * size]
            dev += 1
            if dev >= n:
                dev, stripe = 0, stripe + 1
    return [bytes(m) for m in members]


def noise(sectors: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(sectors * SECTOR)


def raid5(sb: Sb | None = None, stripes: int = 12, **said: Any) -> tuple[bytes, list[bytes]]:
    """Content of a RAID 5, and its members' disks."""
    base = replace(sb or Sb(), **said)
    content = noise(stripes * base.chunk * (base.members - 1))
    parts = slow_parity_array(5, base.layout, base.members, base.chunk, content)
    return content, [member_disk(replace(base, role=i), part) for i, part in enumerate(parts)]


def raid1(copies: int = 2, **said: Any) -> tuple[bytes, list[bytes]]:
    content = noise(600)
    base = replace(Sb(level=1, layout=0, chunk=0, members=copies), **said)
    return content, [member_disk(replace(base, role=i), content) for i in range(copies)]


def outcome(look: Callable[[], Any]) -> Any:
    """What comes back, or the reason of what is raised."""
    try:
        return look()
    except Unreadable as error:
        return error.reason


def whole(assembled: Assembled) -> bytes:
    return assembled.disk.read(0, assembled.disk.size)


def refused(members: Sequence[Member]) -> str:
    with pytest.raises(Unreadable) as error:
        assemble(members)
    assert error.value.reason == "not supported"
    return error.value.detail


ranges = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 1 << 15)), min_size=1, max_size=4)


def reads_like(disk: Disk, content: bytes, where: Sequence[tuple[int, int]]) -> None:
    assert disk.size == len(content)
    assert disk.read(0, disk.size) == content
    for offset, length in where:
        assert disk.read(offset, length) == content[offset : offset + length]


# --- the mappings ---


@settings(max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 5), st.sampled_from([1, 2]), ranges)
def test_every_sector_of_a_raid_0_of_unequal_members_is_where_the_kernel_puts_it(
    sizes: list[int], chunk: int, layout: int, where: list[tuple[int, int]]
) -> None:
    sizes[0] = max(sizes[0], chunk)
    parts = [noise(size, seed) for seed, size in enumerate(sizes)]
    places = list(slow_raid0(sizes, chunk, layout == 1))
    content = b"".join(parts[m][s * SECTOR : (s + 1) * SECTOR] for m, s in places)
    base = Sb(level=0, layout=layout, chunk=chunk, members=len(sizes), features=4096)
    disks = [member_disk(replace(base, role=i), part) for i, part in enumerate(parts)]
    reads_like(assemble(members_of(disks)).disk, content, where)


@st.composite
def parity_arrays(draw: st.DrawFn) -> tuple[int, int, int, int, int]:
    level = draw(st.sampled_from([4, 5, 5, 6]))
    layouts = {4: [0], 5: list(range(6)), 6: [*range(6), *range(16, 21)]}[level]
    fewest = 4 if level == 6 else 2
    stripes = draw(st.integers(1, 14))
    return level, draw(st.sampled_from(layouts)), draw(st.integers(fewest, 6)), draw(st.integers(1, 4)), stripes


@settings(max_examples=60)
@given(parity_arrays(), ranges, st.randoms(use_true_random=False))
def test_an_array_with_parity_reads_the_same_with_every_loss_that_it_survives(
    array: tuple[int, int, int, int, int], where: list[tuple[int, int]], chance: random.Random
) -> None:
    level, layout, n, chunk, stripes = array
    parities = 2 if level == 6 else 1
    content = noise(stripes * chunk * (n - parities))
    parts = slow_parity_array(level, layout, n, chunk, content)
    base = Sb(level=level, layout=layout, chunk=chunk, members=n)
    members = members_of([member_disk(replace(base, role=i), part) for i, part in enumerate(parts)])
    losses = [loss for k in range(parities + 1) for loss in combinations(range(n), k)]
    for loss in [(), *chance.sample(losses, min(4, len(losses)))]:
        reads_like(assemble([m for m in members if m.role not in loss]).disk, content, where)
    beyond = chance.sample(range(n), parities + 1)
    if len(beyond) < n:
        refused([m for m in members if m.role not in beyond])


@pytest.mark.parametrize("layout", [*range(6), *range(16, 21)])
def test_a_raid_6_reads_the_same_without_any_two_members(layout: int) -> None:
    content = noise(5 * 4 * 3)
    parts = slow_parity_array(6, layout, 5, 1, content)
    base = Sb(level=6, layout=layout, chunk=1, members=5)
    members = members_of([member_disk(replace(base, role=i), part) for i, part in enumerate(parts)])
    for loss in combinations(range(5), 2):
        assert whole(assemble([m for m in members if m.role not in loss])) == content


LAYOUTS_10 = {"near": lambda k: 0x100 + k, "far": lambda k: (k << 8) + 1, "offset": lambda k: 0x10001 + (k << 8)}


@settings(max_examples=80)
@given(st.sampled_from(sorted(LAYOUTS_10)), st.integers(2, 6), st.integers(1, 3), st.integers(1, 4), st.integers(3, 9),
       ranges)  # fmt: skip
def test_a_raid_10_reads_the_same_as_long_as_one_copy_of_everything_is_left(
    kind: str, n: int, copies: int, chunk: int, rows: int, where: list[tuple[int, int]]
) -> None:
    copies = min(copies, n)
    near, far = (copies, 1) if kind == "near" else (1, copies)
    content = noise(rows // far * n // near * chunk)
    parts = slow_copies(n, near, far, kind == "offset", chunk, rows, content)
    base = Sb(level=10, layout=LAYOUTS_10[kind](copies), chunk=chunk, members=n)
    members = members_of([member_disk(replace(base, role=i), part) for i, part in enumerate(parts)])
    for lost in range(n):
        left = [m for m in members if m.role != lost]
        if copies > 1:
            reads_like(assemble(left).disk, content, where)
        else:
            assert f"without member {lost}" in refused(left)
    reads_like(assemble(members).disk, content, where)


def test_a_linear_array_is_its_members_one_after_the_other() -> None:
    parts = [noise(size, size) for size in (30, 17, 45)]
    base = Sb(level=-1, layout=0, chunk=8, members=3)
    disks = [member_disk(replace(base, role=i), part) for i, part in enumerate(parts)]
    assembled = assemble(members_of(disks[::-1]))
    reads_like(assembled.disk, b"".join(p[: len(p) // 4096 * 4096] for p in parts), [(24 * 512 - 3, 9), (0, 99999)])
    assert assembled.said == "linear RAID 'srv:0', 3 members"


@pytest.mark.parametrize("version", ["0.90", "1.0", "1.1", "1.2"])
def test_all_superblock_versions_lead_to_the_same_array(version: str) -> None:
    content, disks = raid5(version=version, chunk=128)
    assembled = assemble(members_of(disks))
    assert (whole(assembled), assembled.problems) == (content, ())
    named = "RAID 5 'md7'" if version == "0.90" else "RAID 5 'srv:0'"
    assert assembled.said == f"{named}, left-symmetric, 3 members"


def test_a_long_read_asks_each_member_only_a_few_times() -> None:
    content, disks = raid5(stripes=100)
    for lost in (None, 1):
        members = [m for m in members_of(disks) if m.role != lost]
        array = assemble(members).disk
        for member in members:
            member.disk.reads = 0  # type: ignore[attr-defined]
        assert array.read(0, array.size) == content
        assert all(member.disk.reads == 1 for member in members)  # type: ignore[attr-defined]


class TskDisk(pytsk3.Img_Info):  # type: ignore[misc]  # pytsk3 has no types
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def get_size(self) -> int:
        return self.disk.size

    def read(self, offset: int, length: int) -> bytes:
        return self.disk.read(offset, length)


@needs_mke2fs
@pytest.mark.parametrize("lost", [None, 0, 1, 2])
def test_the_files_of_an_ext4_on_a_raid_5_have_their_hashes(tmp_path: Path, lost: int | None) -> None:
    files = {f"{name}.txt": noise(sectors, sectors) for name, sectors in (("glass", 3), ("museum", 400), ("scan", 901))}
    (tmp_path / "source").mkdir()
    for name, raw in files.items():
        (tmp_path / "source" / name).write_bytes(raw)
    image = tmp_path / "ext4.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(tmp_path / "source"), str(image), "2M"], check=True)
    parts = slow_parity_array(5, 2, 3, 16, image.read_bytes())
    members = members_of([member_disk(Sb(chunk=16, role=i), part) for i, part in enumerate(parts)])
    system = pytsk3.FS_Info(TskDisk(assemble([m for m in members if m.role != lost]).disk))
    for name, raw in files.items():
        found = system.open(f"/{name}")
        got = found.read_random(0, found.info.meta.size)
        assert hashlib.sha256(got).digest() == hashlib.sha256(raw).digest()


@needs_grub
@pytest.mark.parametrize(("level", "layout", "members"), [
    (5, 0, 3), (5, 1, 4), (5, 2, 3), (5, 3, 4), (6, 1, 4), (6, 2, 5), (6, 3, 5),
    (10, 0x102, 3), (10, 0x102, 4), (10, 0x201, 3), (10, 0x10201, 4),
])  # fmt: skip
def test_grub_reads_the_same_from_an_array_without_its_last_member(
    tmp_path: Path, level: int, layout: int, members: int
) -> None:
    if level == 10:
        near, far, offset = layout & 255, layout >> 8 & 255, bool(layout >> 16)
        parts = slow_copies(members, near, far, offset, 8, 12, noise(12 // far * members // near * 8))
    else:
        parts = slow_parity_array(level, layout, members, 8, noise(96 * (members - level + 4)))
    disks = [member_disk(Sb(level=level, layout=layout, members=members, role=i), p) for i, p in enumerate(parts)]
    paths = [tmp_path / f"{i}.img" for i in range(members)]
    for path, disk in zip(paths, disks, strict=True):
        path.write_bytes(disk if path != paths[-1] else b"")
    array = assemble(members_of(disks[:-1])).disk
    there = f"(mduuid/{bytes(range(16)).hex()})0+{array.size // SECTOR}"
    subprocess.run(["grub-fstest", "-c", str(members), *paths, "cp", there, tmp_path / "out"], check=True)
    assert (tmp_path / "out").read_bytes() == array.read(0, array.size)


# --- superblocks ---


@needs_mdadm
@pytest.mark.parametrize("version", ["0.90", "1.0", "1.1", "1.2"])
@pytest.mark.parametrize(("level", "layout", "said"), [(5, 2, "left-symmetric"), (6, 1, "right-asymmetric"),
                                                       (10, 0x102, "near=2")])  # fmt: skip
def test_mdadm_reads_the_same_from_a_superblock(
    tmp_path: Path, version: str, level: int, layout: int, said: str
) -> None:
    sb = Sb(version=version, level=level, layout=layout, chunk=128, members=4, role=2, events=(7 << 32) + 5)
    image = tmp_path / "member.img"
    image.write_bytes(member_disk(sb, noise(2048)))
    examined = subprocess.run(["mdadm", "--examine", str(image)], check=True, capture_output=True, text=True).stdout
    fields = {k.strip(): v.strip() for k, v in re.findall(r"^ *([^:\n]+?) : (.*)$", examined, re.M)}
    member = member_of(MemoryDisk(image.read_bytes()))
    assert member is not None
    assert "correct" in fields["Checksum"]
    assert fields["UUID" if version == "0.90" else "Array UUID"].split()[0] == member.array
    assert (fields["Raid Level"], fields["Raid Devices"]) == (f"raid{member.level}", str(member.members))
    assert (fields["Chunk Size"], fields["Layout"].startswith(said)) == ("64K", True)
    assert (member.layout, member.chunk, member.role, member.version) == (layout, 65536, 2, version)
    if version == "0.90":
        assert fields["Used Dev Size"].split()[0] == str(member.used // 1024)
        assert fields["Events"] == str(member.events)  # mdadm 4.2 prints both halves as one number
    else:
        assert fields["Name"].split()[0] == member.name
        assert fields["Events"] == str(member.events)
        assert fields["Device Role"] == f"Active device {member.role}"
        assert int(fields.get("Data Offset", "0 sectors").split()[0]) * SECTOR == member.data_offset
        assert int(fields["Avail Dev Size"].split()[0]) * SECTOR == member.data_size


@settings(max_examples=80)
@given(st.sampled_from(["0.90", "1.0", "1.1", "1.2"]), st.data())
def test_a_superblock_with_one_changed_byte_is_damaged_or_no_superblock(version: str, data: st.DataObject) -> None:
    _, disks = raid1(version=version)
    raw = bytearray(disks[0])
    at = raw.index(struct.pack("<I", 0xA92B4EFC)) + data.draw(st.integers(0, 4095 if version == "0.90" else 259))
    raw[at] ^= data.draw(st.integers(1, 255))
    assert outcome(lambda: member_of(MemoryDisk(bytes(raw)))) in (None, "damaged")


def test_the_checksum_decides_whether_a_superblock_is_damaged() -> None:
    _, disks = raid1()
    raw = bytearray(disks[0])
    raw[4096 + 40] ^= 1
    with pytest.raises(Unreadable, match=r"1\.2 at byte 4096 does not hold its checksum") as error:
        member_of(MemoryDisk(bytes(raw)))
    assert error.value.reason == "damaged"


@pytest.mark.parametrize(("wrong", "says"), [
    ({"members": 10**9, "roles": (0, 1, 2)}, "1000000000 members"), ({"chunk": 0}, "chunk of 0"),
    ({"members": 0, "roles": (0,)}, "0 members"), ({"roles": (9, 1, 2)}, "position 9 of 3"),
    ({"size": 1 << 40}, "used of"), ({"data_size": 1 << 60}, "data of"), ({"data_offset": 8}, "over itself"),
])  # fmt: skip
def test_absurd_fields_are_damage(wrong: dict[str, Any], says: str) -> None:
    data = superblock_1(replace(Sb(), **wrong), 8, wrong.get("data_offset", 16), wrong.get("data_size", 64))
    with pytest.raises(Unreadable, match=says) as error:
        member_of(MemoryDisk((bytes(4096) + data).ljust(100_000, b"\0")))
    assert error.value.reason == "damaged"


def test_a_disk_that_ends_before_its_data_begin_is_truncated() -> None:
    data = superblock_1(Sb(), 8, 1 << 20, 1 << 20)
    with pytest.raises(Unreadable, match="begin at byte 536870912, the disk ends at byte 100000") as error:
        member_of(MemoryDisk((bytes(4096) + data).ljust(100_000, b"\0")))
    assert error.value.reason == "truncated"


def test_random_superblocks_with_true_checksums_never_do_worse_than_unreadable() -> None:
    chance, odd = random.Random(11), (0, 1, 2, 3, 8, 255, 1 << 31, (1 << 32) - 1)
    seen = set[Any]()
    for _ in range(600):
        sb = Sb(
            level=chance.choice([-4, -1, 0, 1, 4, 5, 6, 10, 77]),
            layout=chance.choice([*odd, 0x102]),
            chunk=chance.choice([1, 2, 8, *odd]),
            members=chance.choice([1, 2, 2, 3, 3, 4, *odd]),
            features=chance.choice([0, 0, 0, 4096, 4, 512, 1 << 20]),
            roles=tuple(chance.choice([0, 1, 2, 0xFFFF, 0xFFFE]) for _ in range(4)),
        )
        disks = [member_disk(replace(sb, number=n), noise(40, n)) for n in range(chance.randrange(1, 4))]
        got = outcome(lambda disks=disks: len(whole(assemble(members_of(disks)))) > 0)  # type: ignore[misc]
        seen.add(got)
    assert seen == {True, "damaged", "not supported"}


def test_a_disk_without_a_superblock_is_no_member() -> None:
    for size in (0, 512, 4096, 8191, 65536, 300_000):
        assert member_of(MemoryDisk(noise(-(-size // 512))[:size])) is None


def test_a_superblock_1_0_seen_from_the_whole_disk_is_not_the_disks() -> None:
    _, disks = raid1(version="1.0")
    raw = bytes(1 << 20) + disks[0]
    assert member_of(MemoryDisk(raw)) is None
    part: Any = Slice(MemoryDisk(raw), 1 << 20, len(disks[0]))
    assert member_of(part) is not None


def test_a_superblock_0_90_that_a_disk_and_its_last_partition_share_is_the_partitions() -> None:
    content, disks = raid1(version="0.90")
    both = [MemoryDisk(bytes(1 << 20) + disk) for disk in disks]
    parts: list[Any] = [Slice(disk, 1 << 20, disk.size - (1 << 20)) for disk in both]
    members = [member for disk in (*both, *parts) if (member := member_of(disk))]
    assert len(members) == 4
    assembled = assemble(members)
    assert (whole(assembled), assembled.problems) == (content, ())


def test_a_big_endian_superblock_is_refused_by_name() -> None:
    raw = noise(128) + superblock_90(Sb(), 32, ">").ljust(65536, b"\0")
    with pytest.raises(Unreadable, match="big-endian"):
        member_of(MemoryDisk(raw))


def test_the_newer_of_two_superblocks_counts_and_the_other_is_mentioned() -> None:
    _, disks = raid1(created=1_700_000_000)
    old, at = superblock_90(Sb(level=1, created=1_000_000_000), 64), len(disks[0]) // 65536 * 65536 - 65536
    disks = [disk[:at] + old + disk[at + len(old) :] for disk in disks]  # where the newer array has its data
    assembled = assemble(members_of(disks))
    assert whole(assembled) == disks[0][8192:]
    assert "member 0 carries two superblocks: an older superblock 0.90 of array 11111111" in assembled.problems[0]


def test_an_array_inside_an_array_is_found_after_the_outer_one() -> None:
    content, inner = raid1(copies=1, created=1_700_000_000)
    outer = [member_disk(Sb(level=1, layout=0, chunk=0, members=2, role=i, version="1.0", uuid=b"o" * 16), inner[0])
             for i in range(2)]  # fmt: skip
    around = assemble(members_of(outer))
    member = member_of(around.disk)
    assert member is not None
    assert whole(assemble([member])) == content


# --- which members are used ---


def test_a_missing_member_is_computed_and_said() -> None:
    content, disks = raid5()
    assembled = assemble(members_of(disks)[:2])
    assert whole(assembled) == content
    assert assembled.said == "RAID 5 'srv:0', left-symmetric, 3 members, 1 missing"
    assert assembled.problems == ("member 2 is missing; its bytes are computed from parity",)


def test_a_stale_member_is_never_mixed_in() -> None:
    content, disks = raid5()
    _, stale = raid5(events=17)
    rotten = stale[1][: 16 * SECTOR] + bytes(len(stale[1]) - 16 * SECTOR)
    assembled = assemble(members_of([disks[0], rotten, disks[2]]))
    assert whole(assembled) == content
    assert "member 1 is stale (events 17 against 42) and is not used" in assembled.problems
    assert "without members 1, 2 (member 1 is stale" in refused(members_of([disks[0], rotten]))


def test_one_event_less_is_no_difference_unless_the_newest_counts_the_member_as_failed() -> None:
    content, disks = raid5()
    _, before = raid5(events=41)
    assert assemble(members_of([disks[0], before[1], disks[2]])).problems == ()
    _, after = raid5(roles=(0, 0xFFFE, 2))
    assembled = assemble(members_of([after[0], before[1], after[2]]))
    assert whole(assembled) == content
    assert "member 1 counts as failed for the newest superblock and is not used" in assembled.problems


def test_mirrors_that_went_on_apart_are_not_taken_for_one() -> None:
    one = member_disk(Sb(level=1, layout=0, chunk=0, members=2, role=0, roles=(0, 0xFFFE)), noise(99, 1))
    other = member_disk(Sb(level=1, layout=0, chunk=0, members=2, role=1, roles=(0xFFFE, 1)), noise(99, 2))
    assert "member 0 and member 1 disagree about who has failed" in refused(members_of([one, other]))
    later = member_disk(Sb(level=1, layout=0, chunk=0, members=2, role=1, roles=(0xFFFE, 1), events=60), noise(99, 2))
    assembled = assemble(members_of([one, later]))
    assert whole(assembled) == noise(99, 2)
    assert "stale (events 42 against 60), went on without the others" in assembled.problems[0]


def test_spares_say_nothing_and_rebuilding_faulty_and_replacing_disks_are_not_used() -> None:
    content, disks = raid5(roles=(0, 1, 2, 0xFFFF, 0xFFFE))
    base = Sb(roles=(0, 1, 2, 0xFFFF, 0xFFFE))
    junk = noise(96, 9)
    spare, faulty = (member_disk(replace(base, number=n), junk) for n in (3, 4))
    rebuilding = member_disk(replace(base, role=2, features=2), junk)
    replacing = member_disk(replace(base, role=2, features=2 | 16), junk)
    assert [m.state for m in members_of([spare, faulty, rebuilding, replacing])] == [
        "spare", "faulty", "rebuilding", "replacement"]  # fmt: skip
    assembled = assemble(members_of([spare, *disks]))
    assert (whole(assembled), assembled.problems) == (content, ())
    assembled = assemble(members_of([rebuilding, faulty, *disks[:2]]))
    assert whole(assembled) == content
    assert assembled.problems[:2] == (
        "member 2 is not rebuilt to its end and is not used", "device 4 is marked faulty and is not used")  # fmt: skip
    assembled = assemble(members_of([replacing, *disks]))
    assert whole(assembled) == content
    assert assembled.problems == ("member 2 is a replacement that was not finished and is not used",)
    assert "only device 3 (spare)" in refused(members_of([spare]))


def test_two_disks_that_claim_one_role_are_both_left_out() -> None:
    content, disks = raid5()
    impostor = member_disk(replace(Sb(role=1), in_sync=5), noise(96, 9))
    assembled = assemble(members_of([*disks, impostor]))
    assert whole(assembled) == content
    assert "2 disks claim to be member 1; none of them is used" in assembled.problems
    assert "claim to be member 1" in refused(members_of([*disks[:2], impostor]))


def test_a_disk_given_twice_is_read_once_and_said() -> None:
    content, disks = raid5()
    assembled = assemble(members_of([*disks, disks[1]]))
    assert whole(assembled) == content
    assert assembled.problems == ("two disks carry the superblock of member 1; the smaller or first of them is read",)


def test_a_cut_member_is_left_out_where_parity_can_stand_in_and_fails_at_its_end_where_not() -> None:
    content, disks = raid5()
    cut = disks[1][:-4096]
    assembled = assemble(members_of([disks[0], cut, disks[2]]))
    assert whole(assembled) == content
    assert f"member 1 ends at byte {len(cut)} of {len(disks[1])}; its bytes are computed" in assembled.problems[0]
    degraded = assemble(members_of([disks[0], cut]))
    assert degraded.disk.read(0, 32768) == content[:32768]
    with pytest.raises(Unreadable, match="member 1 ends at byte") as error:
        whole(degraded)
    assert error.value.reason == "truncated"
    assert any("what it lacks can not be read" in problem for problem in degraded.problems)


def test_blocks_that_the_array_lists_as_bad_are_not_read_as_if_they_were_good() -> None:
    content, disks = raid1()
    bad = member_disk(Sb(level=1, layout=0, chunk=0, members=2, bad=((16 + 100, 3),)), bytes(len(content)))
    (listed,) = members_of([bad])
    assert listed.bad == ((116 * SECTOR, 119 * SECTOR),)
    both = assemble([listed, *members_of(disks[1:])])
    assert (whole(both), both.problems) == (content, ("member 0 has bad blocks listed; another copy is read",))
    alone = assemble([listed]).disk
    assert alone.read(0, 100 * SECTOR) == bytes(100 * SECTOR)
    with pytest.raises(Unreadable, match="bad blocks"):
        alone.read(101 * SECTOR, SECTOR)


def test_bad_blocks_in_a_copy_that_nobody_needs_do_not_hinder_reading_around_them() -> None:
    content = noise(9 * 8)
    parts = slow_copies(3, 2, 1, False, 8, 6, content)
    base = Sb(level=10, layout=0x102)
    listed = member_disk(replace(base, bad=((16 + 8, 8),)), parts[0])  # row 1 of member 0: the second copy of chunk 1
    assembled = assemble(members_of([listed, member_disk(replace(base, role=2), parts[2])]))
    assert whole(assembled) == content
    assert "member 0 has bad blocks listed; what it lacks can not be read" in assembled.problems


def test_an_array_that_was_running_says_what_that_leaves_open() -> None:
    _, disks = raid5(in_sync=0)
    assert assemble(members_of(disks)).problems == ()
    assert any("was not stopped cleanly" in p for p in assemble(members_of(disks[:2])).problems)
    _, mirrors = raid1(in_sync=0, version="0.90")
    assert "copies may differ" in assemble(members_of(mirrors)).problems[0]
    _, journaled = raid5(features=512)
    assert "journal" in assemble(members_of(journaled)).problems[0]


# --- what is refused, by name ---


@pytest.mark.parametrize(("said", "words"), [
    ({"features": 4}, "'srv:0' in the middle of a change of its shape"), ({"layout": 9}, "with layout 9"),
    ({"features": 1 << 14}, "of which some are unknown"), ({"pad": bytes(20) + b"\1" * 12}, "some are unknown"),
    ({"level": 6, "layout": 8, "members": 4}, "RAID 6 'srv:0' with layout 8"),
    ({"level": 6, "members": 3}, "RAID 6 'srv:0' with 3 members"),
    ({"level": 10, "layout": 0x202, "members": 4}, "RAID 10 'srv:0' with layout 0x202"),
    ({"level": 10, "layout": 0x20201, "members": 4}, "with layout 0x20201"),
    ({"level": 10, "layout": 0, "members": 4}, "with layout 0x0"),
    ({"level": -4}, "RAID of level -4 'srv:0' which is not read"),
    ({"level": 0}, "RAID 0 'srv:0' without member"), ({"level": -1}, "linear RAID 'srv:0' without member"),
])  # fmt: skip
def test_what_is_not_read_is_refused_by_name(said: dict[str, Any], words: str) -> None:
    assert words in refused(members_of([member_disk(replace(Sb(), **said), noise(64))]))


def test_a_reshape_of_version_0_91_is_refused() -> None:
    _, disks = raid5(version="0.90", chunk=128, features=4)
    assert "reshape" in refused(members_of(disks))


def test_unequal_members_of_a_raid_0_need_a_stated_layout_only_where_it_matters() -> None:
    sizes = (8, 40, 56)
    parts = [noise(size, size) for size in sizes]
    unstated = [member_disk(Sb(level=0, layout=0, members=3, role=i), part) for i, part in enumerate(parts)]
    assert "does not say whether its layout is original or alternate" in refused(members_of(unstated))
    two = [member_disk(Sb(level=0, layout=0, members=2, role=i), part) for i, part in enumerate(parts[:2])]
    places = slow_raid0(sizes[:2], 8, True)
    content = b"".join(parts[m][s * SECTOR : (s + 1) * SECTOR] for m, s in places)
    assert whole(assemble(members_of(two))) == content


def test_a_chunk_larger_than_the_members_is_damage() -> None:
    disks = [member_disk(Sb(chunk=4096, role=i), noise(64)) for i in range(3)]
    with pytest.raises(Unreadable, match="no room for a single chunk"):
        assemble(members_of(disks))
