"""The programs and libraries that ours is held against, each used as its own users use it."""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyewf
import pytsk3
from answers import Row

CHUNK = 1 << 20
DISSECT = ["uv", "run", "-q", "--no-project", "--with", "dissect.target", "--with", "dissect.extfs", "--python", "3.11"]


def libewf(image: Path, algorithms: Sequence[str]) -> dict[str, str]:
    """The libewf wheel: the whole disk, a mebibyte at a time."""
    handle = pyewf.handle()
    handle.open([str(image)])
    digests = [hashlib.new(name, usedforsecurity=False) for name in algorithms]
    while chunk := handle.read(CHUNK):
        for one in digests:
            one.update(chunk)
    handle.close()
    return dict(zip(algorithms, (one.hexdigest() for one in digests), strict=True))


def ewfverify(image: Path, more: str = "") -> dict[str, str]:
    """Debian's ewfverify: MD5, and one digest more where it is asked for."""
    command = ["ewfverify", *(["-d", more] if more else []), str(image)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^(MD5|SHA1|SHA256) hash calculated over data:\s+([0-9a-f]+)", said, re.MULTILINE)
    return {name.lower(): value for name, value in found}


def _tsk_files(image: Path) -> Iterator[tuple[bytes, Any]]:
    system = pytsk3.FS_Info(pytsk3.Img_Info(str(image)))
    todo, seen = [(b"", system.open_dir("/"))], {int(system.info.root_inum)}
    while todo:
        path, names = todo.pop()
        for file in names:
            name, meta = file.info.name.name, file.info.meta
            if name in (b".", b"..") or meta is None:
                continue
            if meta.type == pytsk3.TSK_FS_META_TYPE_DIR:
                if meta.addr not in seen:
                    seen.add(meta.addr)
                    todo.append((path + name + b"/", file.as_directory()))
            elif meta.type == pytsk3.TSK_FS_META_TYPE_REG:
                yield path + name, file


def tsk_listed(image: Path) -> list[Row]:
    """A bare loop over pytsk3: names and metadata."""
    rows: list[Row] = []
    for path, file in _tsk_files(image):
        meta = file.info.meta
        rows.append(
            (path, (int(meta.size), int(meta.addr), int(meta.mtime) * 1_000_000 + int(meta.mtime_nano) // 1000))
        )
    return rows


def tsk_hashed(image: Path, algorithms: Sequence[str]) -> list[Row]:
    """A bare loop over pytsk3: every file's bytes, a mebibyte at a time."""
    rows: list[Row] = []
    for path, file in _tsk_files(image):
        digests = [hashlib.new(name, usedforsecurity=False) for name in algorithms]
        at, size = 0, file.info.meta.size
        while at < size:
            chunk = file.read_random(at, min(CHUNK, size - at))
            if not chunk:
                break
            for one in digests:
                one.update(chunk)
            at += len(chunk)
        rows.append((path, [one.hexdigest() for one in digests]))
    return rows


def dissect(image: Path, algorithms: Sequence[str] = ()) -> dict[str, Any] | str:
    """dissect.target in a process of its own, or why it can't be had."""
    command = [*DISSECT, str(Path(__file__).with_name("dissect_walk.py")), str(image), *algorithms]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it failed"])[-1][:120]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def hashdeep(folder: Path) -> list[Row]:
    """Debian's hashdeep over a folder, with as many threads as it likes."""
    command = ["hashdeep", "-c", "md5,sha1,sha256", "-r", "-l", "."]
    said = subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout
    rows: list[Row] = []
    for line in said.splitlines():
        if line.startswith((b"%", b"#")):
            continue
        _, md5, sha1, sha256, path = line.split(b",", 4)
        rows.append((path.removeprefix(b"./"), [md5.decode(), sha1.decode(), sha256.decode()]))
    return rows


def first_words(command: Sequence[str]) -> str:
    """The first line that a program says, for the line about the machine; nothing where it is missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return f"{command[0]} missing"
    return (done.stdout or done.stderr).strip().splitlines()[0].strip()
