"""From a tree of files to a disk image in an E01, by the programs that make such things: mke2fs, debugfs, ewfacquire.

Fixed identifiers and times: the same tree gives the same files, names and times. Inode numbers and the E01's own
acquisition date may differ; nothing in the truth rests on them.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytsk3

PROGRAMS = ("mke2fs", "debugfs", "e2fsck", "ewfacquire")
MADE = 1_520_640_000
"""2018-03-10 00:00 UTC: when the file system claims to have been made, and the latest change of any record."""
PARTITION_START, SECTOR = 2048, 512
MEGABYTES = 48
WEB_USER = 33


@dataclass(frozen=True)
class Placed:
    """One name on the disk. `content` is the file's bytes; a link has none, and names its `target` instead."""

    path: bytes
    content: bytes = b""
    modified: int = MADE
    kind: str = "file"
    target: bytes = b""
    deleted: bool = False


def find_program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def run(program: str, *arguments: str, feed: str | None = None) -> str:
    """Standard output of a program; CalledProcessError when it fails."""
    path = find_program(program)
    if path is None:
        raise FileNotFoundError(f"{program} is not installed")
    environment = {**os.environ, "E2FSPROGS_FAKE_TIME": str(MADE), "LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(  # noqa: S603 (fixed programs, our own arguments)
        [path, *arguments],
        check=True,
        capture_output=True,
        input=feed,
        encoding="utf-8",
        errors="replace",
        env=environment,
    )
    return done.stdout


def build_disk(placed: Sequence[Placed], orphans: Sequence[tuple[bytes, bytes]], work: Path) -> Path:
    """A raw disk with one ext4 partition holding `placed`. Deleted files are written, then removed with debugfs, which
    leaves their extents. `orphans` are (deleted path, linked path): the name of the first is overwritten by a new
    name of the same length for the second, so that only its record remains.
    """
    tree, system, disk = work / "tree", work / "ext4.img", work / "disk.raw"
    _write_tree(placed, tree)
    run("mke2fs", "-q", "-t", "ext4", "-d", str(tree), "-L", "glasshouse", "-N", "2048", "-b", "4096", "-m", "0",
        "-U", "5f0c6f1e-8a54-4c7e-9f6e-1852018520a1", "-J", "size=4",
        "-E", "hash_seed=5f0c6f1e-8a54-4c7e-9f6e-1852018520a2,lazy_itable_init=0,lazy_journal_init=0,nodiscard",
        str(system), f"{MEGABYTES}M")  # fmt: skip
    _settle_records(system)
    _delete([p.path for p in placed if p.deleted], orphans, system)
    run("e2fsck", "-f", "-n", str(system))
    _partition(system, disk)
    return disk


def _write_tree(placed: Sequence[Placed], tree: Path) -> None:
    root = os.fsencode(tree)
    for one in placed:
        at = os.path.join(root, one.path)  # noqa: PTH118 (raw bytes: pathlib knows text only)
        os.makedirs(os.path.dirname(at), exist_ok=True)  # noqa: PTH103, PTH120
        if one.kind == "symlink":
            os.symlink(one.target, at)  # noqa: PTH211
        elif one.kind == "hard link":
            os.link(os.path.join(root, one.target), at)  # noqa: PTH118
        else:
            with open(at, "xb") as file:  # noqa: PTH123
                file.write(one.content)
        os.utime(at, (one.modified, one.modified), follow_symlinks=False)
    for folder, _, _ in os.walk(root, topdown=False):
        os.utime(folder, (MADE, MADE))


def _settle_records(system: Path) -> None:
    """Owner, change time and birth time of every record, which the tree could not carry."""
    records = pytsk3.FS_Info(pytsk3.Img_Info(str(system)))
    commands = []
    for number, modified in sorted(_records(records, records.info.root_inum, set()).items()):
        fields = {"uid": WEB_USER, "gid": WEB_USER, "ctime": f"@{modified}", "atime": f"@{modified}",
                  "mtime": f"@{modified}", "crtime": f"@{modified}"}  # fmt: skip
        fields |= {f"{name}_extra": "0" for name in ("ctime", "atime", "mtime", "crtime")}
        commands += [f"set_inode_field <{number}> {field} {value}" for field, value in fields.items()]
    run("debugfs", "-w", "-f", "-", str(system), feed="\n".join(commands) + "\n")


def _records(system: Any, inode: int, seen: set[int]) -> dict[int, int]:
    """Number and modification time of every record below a directory."""
    found: dict[int, int] = {}
    seen.add(inode)
    for entry in system.open_dir(inode=inode):
        meta = entry.info.meta
        if meta is None or int(meta.type) == int(pytsk3.TSK_FS_META_TYPE_VIRT_DIR):
            continue
        number = int(meta.addr)
        found[number] = min(int(meta.mtime), MADE)
        if int(meta.type) == int(pytsk3.TSK_FS_META_TYPE_DIR) and number not in seen:
            found |= _records(system, number, seen)
    return found


def later_name(gone: bytes) -> bytes:
    """The name that overwrites a deleted one: of the same length, in the same folder."""
    folder, _, name = gone.rpartition(b"/")
    return folder + b"/" + b"x" * len(name)


def _delete(paths: Sequence[bytes], orphans: Sequence[tuple[bytes, bytes]], system: Path) -> None:
    lost = {gone for gone, _ in orphans}
    commands = []
    for gone, linked in orphans:
        commands += [f"rm /{gone.decode()}", f"ln /{linked.decode()} /{later_name(gone).decode()}"]
        commands.append(f"set_inode_field /{linked.decode()} links_count 2")
    commands += [f"rm /{path.decode()}" for path in paths if path not in lost]
    run("debugfs", "-w", "-f", "-", str(system), feed="\n".join(commands) + "\n")


def _partition(system: Path, disk: Path) -> None:
    """A master boot record with one Linux partition (type 0x83) from sector 2048, then the file system, sparse."""
    sectors = system.stat().st_size // SECTOR
    entry = struct.pack("<B3sB3sII", 0x80, b"\x20\x21\x00", 0x83, b"\xfe\xff\xff", PARTITION_START, sectors)
    with disk.open("wb") as target, system.open("rb") as source:
        target.write(bytes(440) + b"CWGH" + bytes(2) + entry + bytes(48) + b"\x55\xaa")
        target.seek(PARTITION_START * SECTOR)
        shutil.copyfileobj(source, target, 1 << 20)


def acquire(disk: Path, target: Path) -> None:
    """Write `target` (ending in .E01) from a raw disk, as an examiner would, with fixed header values."""
    run("ewfacquire", "-u", "-q", "-t", str(target.with_suffix("")), "-f", "encase6", "-c", "best", "-b", "64",
        "-S", "1.4GiB", "-C", "CW-DEMO", "-D", "Disk of the invented market Glasshouse", "-E", "GH-1",
        "-e", "A. Examiner (invented)", "-N", "Harmless demonstration data", "-m", "fixed", "-M", "physical",
        "-d", "sha1", str(disk))  # fmt: skip
