"""Small exhibits for the evidence room's tests: disks, file systems and archives, and what the stage lists in them."""

import hashlib
import shutil
import struct
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.evidence.stages import STAGES
from casewright.model.settings import LimitSettings
from casewright.model.tables import TABLES
from tests.world import MemoryBlobs, context, rows_of

(ITEMS,) = STAGES
needs_mke2fs = pytest.mark.skipif(not shutil.which("mke2fs") or not shutil.which("debugfs"), reason="needs e2fsprogs")


@dataclass(frozen=True)
class Listed:
    """What the items stage made of an exhibit; its balance has been checked."""

    output: Output
    blobs: MemoryBlobs

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Items by volume and path."""
        rows = rows_of(self.output.tables["items"])
        return sorted(rows, key=lambda r: (-1 if r["volume"] is None else r["volume"], r["path"], r["item"]))

    def table(self, name: str) -> list[dict[str, Any]]:
        return rows_of(self.output.tables[name])

    @property
    def paths(self) -> list[bytes]:
        return [row["path"] for row in self.rows]

    @property
    def aside(self) -> list[tuple[str, str]]:
        """Reason and detail of what was set aside."""
        return [(s.reason, s.detail) for s in self.output.set_aside]

    @property
    def reasons(self) -> list[str]:
        return [s.reason for s in self.output.set_aside]

    def row(self, path: bytes) -> dict[str, Any]:
        (found,) = [row for row in self.rows if row["path"] == path]
        return found

    def content(self, path: bytes) -> bytes:
        return self.blobs.held[self.row(path)["sha256"]]

    def tally(self, noun: str = "entries") -> tuple[int, int, int]:
        """Received, done, nothing to find."""
        (found,) = [t for t in self.output.tallies if t.noun == noun]
        return found.received, found.done, found.nothing


def list_files(files: dict[bytes, bytes], secrets: Sequence[bytes] = (), **limits: int) -> Listed:
    """The stage's output for an exhibit of these files, in this order, with these passphrases and key files."""
    exhibit = hashlib.sha256(repr(files).encode()).hexdigest()
    common = {"exhibit": exhibit, "role": "seizure"}
    rows = [
        {**common, "position": i, "path": path, "name": path.decode("utf-8", "replace"), "size": len(raw),
         "sha256": hashlib.sha256(raw).hexdigest()}
        for i, (path, raw) in enumerate(files.items())
    ]  # fmt: skip
    keys = [
        {"exhibit": f"key {i}", "role": "key", "position": 0, "path": b"", "name": "key", "size": len(raw),
         "sha256": hashlib.sha256(raw).hexdigest()}
        for i, raw in enumerate(secrets)
    ]  # fmt: skip
    tables: dict[str, list[dict[str, Any]]] = {
        "exhibits": [{**common, "name": "seizure", "form": "folder"}],
        "exhibit_files": [*rows, *keys],
    }
    where = context(tables, [*files.values(), *secrets], asdict(LimitSettings(**limits)))
    listed = Listed(joined(ITEMS.work(TABLES["exhibits"].rows(tables["exhibits"]), where)), blobs_of(where))
    check(listed, exhibit)
    return listed


def blobs_of(where: Context) -> MemoryBlobs:
    assert isinstance(where.blobs, MemoryBlobs)
    return where.blobs


def joined(outputs: Output | Iterable[Output]) -> Output:
    """The outputs of a streaming stage as one, with sums for tallies, as the engine makes them."""
    made = [outputs] if isinstance(outputs, Output) else list(outputs)
    sums = {
        noun: Tally(noun, *(sum(getattr(t, part) for t in tallies) for part in ("received", "done", "nothing")))
        for noun in dict.fromkeys(t.noun for o in made for t in o.tallies)
        for tallies in [[t for o in made for t in o.tallies if t.noun == noun]]
    }
    tables = {name: pa.concat_tables([o.tables[name] for o in made]) for name in made[0].tables}
    return Output(tables, [s for o in made for s in o.set_aside], list(sums.values()))


def check(listed: Listed, exhibit: str) -> None:
    """What holds for every exhibit: the balance, unique ids, and that `why` can walk every row down."""
    for tally in listed.output.tallies:
        aside = sum(s.count for s in listed.output.set_aside if s.noun == tally.noun)
        assert tally.received == tally.done + tally.nothing + aside, tally
    assert {s.noun for s in listed.output.set_aside} <= {t.noun for t in listed.output.tallies}
    ids = [row["item"] for row in listed.rows]
    assert len(set(ids)) == len(ids)
    known = {exhibit, *ids}
    assert all(s.subject in known for s in listed.output.set_aside)
    for row in listed.rows:
        assert row["exhibit"] == exhibit
        assert row["parent"] is None or row["parent"] in ids
        raw = listed.blobs.held[row["sha256"]]
        assert (len(raw), hashlib.md5(raw).hexdigest()) == (row["size"], row["md5"])


def only_problem(listed: Listed) -> SetAside:
    (problem,) = listed.output.set_aside
    return problem


def ext_image(folder: Path, files: dict[bytes, bytes], kind: str = "ext4", size: str = "4M", *orders: str) -> bytes:
    """A file system with these files, made by mke2fs; then debugfs carries out the orders."""
    source, image = folder / "source", folder / f"{kind}.img"
    shutil.rmtree(source, ignore_errors=True)
    image.unlink(missing_ok=True)
    source.mkdir(parents=True)
    for path, raw in files.items():
        target = Path(str(source)) / path.decode("utf-8", "surrogateescape")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(raw)
    subprocess.run(["mke2fs", "-q", "-t", kind, "-d", str(source), str(image), size], check=True, capture_output=True)
    for order in orders:
        subprocess.run(["debugfs", "-w", "-R", order, str(image)], check=True, capture_output=True)
    return image.read_bytes()


def partitioned(*parts: tuple[int, bytes]) -> bytes:
    """A disk with an MBR and these partitions (type, content), the first at sector 64."""
    table, body, sector = b"", b"", 64
    for kind, content in parts:
        padded = content + bytes(-len(content) % 512)
        table += struct.pack("<B3sB3sII", 0, b"\0\0\0", kind, b"\0\0\0", sector, len(padded) // 512)
        body, sector = body + padded, sector + len(padded) // 512
    head = bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"
    return head + bytes(64 * 512 - 512) + body


def fat12_image(name: bytes, content: bytes, deleted: bytes = b"") -> bytes:
    """A FAT12 floppy's beginning: one file, and one deleted file after it, each in clusters of its own.

    Layout as in Microsoft's FAT specification 1.03: one reserved sector, two FATs of one sector, 16 root entries.
    """
    boot = b"\xeb\x3c\x90" + b"MSDOS5.0" + struct.pack("<HBHBHHBHHHII", 512, 1, 1, 2, 16, 400, 0xF8, 1, 32, 2, 0, 0)
    boot += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 1, b"GLASSHOUSE ", b"FAT12   ")
    clusters = max(1, -(-len(content) // 512))
    chain = [0xFF8, 0xFFF, *range(3, 2 + clusters), 0xFFF]
    bits = sum(value << 12 * i for i, value in enumerate(chain))
    fat = bits.to_bytes(512, "little")
    root = name.ljust(11) + b"\x20\0" + _fat_entry(2, len(content))
    gone = b"\xe5" + name[1:].ljust(10) + b"\x20\0" + _fat_entry(2 + clusters, len(deleted)) if deleted else b""
    body = content.ljust(clusters * 512, b"\0") + deleted
    sectors: list[bytes] = [boot.ljust(510, b"\0"), b"\x55\xaa", fat, fat, (root + gone).ljust(512, b"\0"), body]
    return b"".join(sectors).ljust(400 * 512, b"\0")


def _fat_entry(cluster: int, size: int) -> bytes:
    """The end of a directory entry: times (noon of 17 May 2000), first cluster, size."""
    noon, day = 12 << 11, 20 << 9 | 5 << 5 | 17
    return struct.pack("<BHHHHHHHI", 0, noon, day, day, 0, noon, day, cluster, size)
