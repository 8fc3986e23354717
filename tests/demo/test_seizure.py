"""The seized server of the demo: what is committed is sound, and can be made again."""

import gzip
import hashlib
import importlib.util
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyewf
import pytest
import pytsk3
from PIL import Image
from tools.build_demo import COMMITTED, build

from casewright.demo import server
from casewright.demo.operation import build_operation
from casewright.demo.seizure_database import PROGRAMS as DATABASE_PROGRAMS
from casewright.demo.seizure_database import literal
from casewright.demo.seizure_disk import PARTITION_START, SECTOR, find_program
from casewright.demo.seizure_disk import PROGRAMS as DISK_PROGRAMS
from casewright.demo.seizure_logs import combined, nginx_escaped, summer_hours
from casewright.demo.seizure_truth import distance
from casewright.kernels.pdq_fast import pdq_of_image

STATES = ("known", "near", "new", "undecodable", "undecided")
VERSIONED = (b".gz", b".sql", b".yesterday")
"""Names whose bytes depend on the version of zlib or MariaDB; their members and rows are compared instead."""
KINDS = {int(pytsk3.TSK_FS_META_TYPE_REG): "file", int(pytsk3.TSK_FS_META_TYPE_LNK): "symlink"}
Records = dict[tuple[bytes, bool], tuple[bytes, str, int]]
missing = [p for p in (*DISK_PROGRAMS, *DATABASE_PROGRAMS) if find_program(p) is None]
missing += [] if importlib.util.find_spec("skimage") else ["scikit-image"]


class _Disk(pytsk3.Img_Info):  # type: ignore[misc]
    """An E01 as the Sleuth Kit reads it."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def read(self, offset: int, size: int) -> bytes:
        self._handle.seek(offset)
        return bytes(self._handle.read(size))

    def get_size(self) -> int:
        return int(self._handle.get_media_size())


def _target(record: Any) -> bytes:
    """Where a symbolic link leads, which short ones keep in their record; empty for anything else."""
    link = record.info.meta.link
    return link.encode() if isinstance(link, str) else bytes(link or b"")


@pytest.fixture(scope="module")
def image() -> Iterator[Any]:
    handle = pyewf.handle()
    handle.open([str(COMMITTED / server.IMAGE)])
    yield handle
    handle.close()


@pytest.fixture(scope="module")
def found(records: Records) -> dict[tuple[bytes, bool], bytes]:
    """Content of every file by path and whether it is deleted; nameless ones stand under their SHA-256."""
    return {key: raw for key, (raw, kind, _) in records.items() if kind == "file"}


@pytest.fixture(scope="module")
def records(image: Any) -> Records:
    """Content, kind and time of change of everything but directories."""
    system = pytsk3.FS_Info(_Disk(image), offset=PARTITION_START * SECTOR)
    files: Records = {}

    def walk(inode: int, above: bytes) -> None:
        for entry in system.open_dir(inode=inode):
            name, number = bytes(entry.info.name.name), int(entry.info.name.meta_addr)
            deleted = bool(int(entry.info.name.flags) & int(pytsk3.TSK_FS_NAME_FLAG_UNALLOC))
            record = system.open_meta(inode=number)
            kind = int(record.info.meta.type)
            if name in (b".", b".."):
                continue
            if kind in (int(pytsk3.TSK_FS_META_TYPE_DIR), int(pytsk3.TSK_FS_META_TYPE_VIRT_DIR)):
                walk(number, above + name + b"/")
            else:
                size = int(record.info.meta.size)
                raw = bytes(record.read_random(0, size)) if size else b""
                raw = _target(record) if KINDS[kind] == "symlink" else raw
                place = hashlib.sha256(raw).digest() if above.startswith(b"$OrphanFiles") else above + name
                files[place, deleted] = raw, KINDS[kind], int(record.info.meta.mtime)

    walk(int(system.info.root_inum), b"")
    return files


def _truth(name: str, folder: Path = COMMITTED) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return loaded


def _entries() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((COMMITTED / server.HASH_LIST).read_text("utf-8"))["value"]
    return listed


def test_the_committed_seizure_stays_small() -> None:
    assert sum(p.stat().st_size for p in COMMITTED.iterdir()) <= 8 << 20


def test_the_image_agrees_with_the_digest_that_was_stored_at_acquisition(image: Any) -> None:
    image.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := image.read(1 << 20):
        digest.update(chunk)
    assert image.get_hash_value("MD5") == digest.hexdigest()


def test_every_name_of_the_truth_stands_on_the_disk_and_no_other(found: dict[tuple[bytes, bool], bytes]) -> None:
    expected = {
        (bytes.fromhex(f["sha256"]) if f["nameless"] else bytes.fromhex(f["path"]), f["deleted"]): f["sha256"]
        for f in _truth(server.DISK_TRUTH)["files"]
        if f["kind"] != "symlink"
    }
    assert {key: hashlib.sha256(raw).hexdigest() for key, raw in found.items()} == expected


def test_links_and_times_are_as_the_truth_says(records: Records) -> None:
    for one in _truth(server.DISK_TRUTH)["files"]:
        place = one["sha256"] if one["nameless"] else one["path"]
        raw, kind, modified = records[bytes.fromhex(place), one["deleted"]]
        assert modified == one["modified"], one["name"]
        assert (kind == "symlink") == (one["kind"] == "symlink")
        assert kind == "file" or raw.hex() == one["target"]


def test_deleted_files_can_be_recovered_even_without_a_name(found: dict[tuple[bytes, bool], bytes]) -> None:
    deleted = [raw for (_, gone), raw in found.items() if gone]
    assert len(deleted) == 5
    assert sum(raw.startswith(b"\xff\xd8\xff") for raw in deleted) == 4
    assert sum(f["nameless"] for f in _truth(server.DISK_TRUTH)["files"]) == 1


def test_hostile_file_names_are_on_the_disk(found: dict[tuple[bytes, bool], bytes]) -> None:
    names = [path.rpartition(b"/")[2] for path, deleted in found if not deleted]
    assert any(b"\xff\xfe" in n for n in names)
    assert any("\u202e".encode() in n for n in names)
    assert any(b"\n" in n for n in names)
    assert any(n.startswith(b"=HYPERLINK(") for n in names)
    assert max(map(len, names)) == 255


def test_the_dump_is_mariadbs_own_and_names_every_account_verbatim(found: dict[tuple[bytes, bool], bytes]) -> None:
    dump = found[b"var/backups/glasshouse.sql", False]
    assert re.match(rb"(/\*M![^\n]*\n)?-- MariaDB dump ", dump)
    assert dump.endswith(b"-- Dump completed\n")
    for part in (b"DELIMITER ;;", b"TRIGGER keep_path", b"VIEW `busy_members`", b"FOREIGN KEY", b"utf8mb4"):
        assert part in dump
    users = dump.partition(b"INSERT INTO `users`")[2].partition(b"UNLOCK TABLES")[0]
    for account in build_operation().accounts:
        nick = literal(account.username).replace('"', '\\"')
        assert f"({account.number},{nick},'{account.email}',".encode() in users
        assert f",'{account.deposit_address}',".encode() in dump


def test_the_dump_holds_the_rows_that_the_truth_counts(found: dict[tuple[bytes, bool], bytes]) -> None:
    dump = found[b"var/backups/glasshouse.sql", False]
    for table, count in _truth(server.DISK_TRUTH)["dump_rows"].items():
        part = dump.partition(b"Dumping data for table `%s`" % table.encode())[2].partition(b"UNLOCK TABLES")[0]
        assert len(re.findall(rb"^\(", part, re.MULTILINE)) == count, table


def test_the_logs_hold_the_lines_that_the_truth_counts(found: dict[tuple[bytes, bool], bytes]) -> None:
    truth, zones = _truth(server.DISK_TRUTH), set()
    whole = re.compile(
        rb'^\S+ - .+? \[\d\d/[A-Z][a-z]{2}/20\d\d:[012]\d:[0-5]\d:[0-5]\d (\+0[12]00)\] ".*" \d{3} \d+ ".*" ".*"$'
    )
    for name, count in truth["log_lines"].items():
        raw = found[b"var/log/nginx/" + name.encode(), False]
        lines = (gzip.decompress(raw) if name.endswith(".gz") else raw).removesuffix(b"\n").split(b"\n")
        matches = [whole.match(line) for line in lines]
        zones |= {m[1] for m in matches if m}
        assert len(lines) == count
        assert matches.count(None) == truth["log_lines_broken"][name]
    assert zones == {b"+0100", b"+0200"}


def test_each_medium_has_one_state() -> None:
    truth = _truth(server.MEDIA_TRUTH)
    told = [digest for state in STATES for digest in truth[state]]
    assert len(told) == len(set(told))
    assert all(truth[state] for state in STATES)


def test_known_media_are_exactly_those_whose_bytes_are_listed(found: dict[tuple[bytes, bool], bytes]) -> None:
    listed = {e["MD5"].lower() for e in _entries()}
    exact = {
        hashlib.sha256(raw).hexdigest()
        for raw in found.values()
        if raw and hashlib.md5(raw, usedforsecurity=False).hexdigest() in listed
    }
    assert exact == set(_truth(server.MEDIA_TRUTH)["known"])


def test_near_pictures_lie_within_the_fields_threshold_and_undecided_ones_beyond() -> None:
    for made in _truth(server.MEDIA_TRUTH)["provenance"]:
        if "distance" in made:
            assert (made["distance"] <= 31 and made["quality"] >= 50) == (made["state"] == "near"), made


def test_no_new_picture_is_near_anything_listed(found: dict[tuple[bytes, bool], bytes]) -> None:
    listed = [h["HashValue"] for e in _entries() for h in e["AlternativeHashes"] if h["HashName"] == "PDQ"]
    new = set(_truth(server.MEDIA_TRUTH)["new"])
    pictures = {
        hashlib.sha256(raw).hexdigest(): raw for raw in found.values() if raw[4:8] != b"ftyp" and raw[:1] != b"\x1a"
    }
    for digest in sorted(new & pictures.keys()):
        with Image.open(io.BytesIO(pictures[digest])) as picture:
            ours, _ = pdq_of_image(picture)
        assert min(distance(ours, theirs) for theirs in listed) > 31


def test_every_listed_pdq_has_128_ones() -> None:
    hashes = [h["HashValue"] for e in _entries() for h in e["AlternativeHashes"] if h["HashName"] == "PDQ"]
    assert len(hashes) > 300
    assert {int(h, 16).bit_count() for h in hashes} == {128}


def test_the_list_speaks_of_museums_only() -> None:
    assert {e["Series"] for e in _entries()} == {None, "stolen scan, Museum of Invented Antiquities"}
    assert {e["Tags"] for e in _entries()} == {"Scan reported stolen", "Scan of unclear title", "Catalogue picture"}


def test_unpacking_gives_the_committed_bytes(tmp_path: Path) -> None:
    for path in server.unpack_seizure(tmp_path / "evidence"):
        assert path.read_bytes() == (COMMITTED / path.name).read_bytes()


def test_the_servers_clock_knows_summer() -> None:
    moment = datetime.fromisoformat
    assert summer_hours(moment("2017-03-26T00:59")) == 1
    assert summer_hours(moment("2017-03-26T01:00")) == 2
    assert summer_hours(moment("2017-10-29T01:00")) == 1
    line = combined("192.0.2.1", "a", moment("2017-07-31T23:05"), "GET / HTTP/1.1", 200, 5, "-")
    assert b"[01/Aug/2017:01:05:00 +0200]" in line


def test_log_variables_are_escaped_as_nginx_does() -> None:
    assert nginx_escaped('a "b" \\ é\t') == r"a \x22b\x22 \x5C \xC3\xA9\x09"


@pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
def test_the_generator_still_gives_the_same_truth(tmp_path: Path) -> None:
    build(tmp_path)
    assert _truth(server.MEDIA_TRUTH, tmp_path) == _truth(server.MEDIA_TRUTH)
    assert (tmp_path / server.HASH_LIST).read_bytes() == (COMMITTED / server.HASH_LIST).read_bytes()
    assert _comparable(tmp_path) == _comparable(COMMITTED)


def _comparable(folder: Path) -> dict[str, Any]:
    truth = _truth(server.DISK_TRUTH, folder)
    for one in truth["files"]:
        if bytes.fromhex(one["path"]).endswith(VERSIONED):
            del one["sha256"], one["size"]
    return truth
