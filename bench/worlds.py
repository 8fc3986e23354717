"""The evidence that is measured on: made from seeds by Debian's own programs, kept in a folder, made once.

A world is finished when its `.done` file stands beside it; what a killed run left is made anew.
"""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MIB = 1 << 20
WORDS = 6000
UUID = "00000000-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class Worlds:
    """Makes or finds the evidence. `quick`: small ones, to see that everything runs."""

    folder: Path
    quick: bool

    def _kept(self, name: str, make: Callable[[Path], None]) -> Path:
        path, done = self.folder / name, self.folder / f"{name}.done"
        if not done.exists():
            print(f"making {name}", flush=True)
            _remove(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            make(path)
            done.touch()
        return path

    def text(self) -> Path:
        """A raw disk full of lines of words: compressible about as logs are."""
        size = (64 if self.quick else 512) * MIB
        return self._kept(f"text-{size // MIB}.raw", lambda path: _write_text(path, size))

    def e01(self, raw: Path, level: str) -> Path:
        """`raw` acquired by ewfacquire in one segment, level `fast` or `best`."""
        return self._kept(f"{raw.stem}-{level}.E01", lambda path: _acquire(raw, path, level))

    def files(self) -> Path:
        """About 160 MB in 2,000 files of mixed size."""
        count = 400 if self.quick else 2000
        return self._kept(f"files-{count}", lambda path: _write_files(path, count, 80_000, 1))

    def small_files(self) -> Path:
        """Many files of a line each, 500 a directory."""
        count = 10_000 if self.quick else 100_000
        return self._kept(f"small-{count}", lambda path: _write_small(path, count))

    def tree(self) -> Path:
        """About 800 MB: 2,000 files of mixed size and 100 of 6 MB; a tenth of that to be quick."""
        many, large = (200, 10) if self.quick else (2000, 100)

        def make(path: Path) -> None:
            _write_files(path, many, 100_000, 2)
            _write_large(path / "large", large)

        return self._kept(f"tree-{many}", make)

    def tiny_tree(self) -> Path:
        """A few files, to start what has to be started before time is taken."""
        return self._kept("tiny", lambda path: _write_files(path, 3, 1000, 3))

    def ext4(self, source: Path, size: int, inodes: int = 0) -> Path:
        """An ext4 file system of `size` bytes, sparse where nothing was written, that holds the files of a folder."""
        return self._kept(f"{source.name}-{size // MIB}.ext4", lambda path: _mke2fs(source, path, size, inodes))

    def filled(self, kind: str) -> Path:
        """Bytes to carve in: `random` or `zeros`."""
        size = (32 if self.quick else 256) * MIB
        return self._kept(f"{kind}-{size // MIB}.raw", lambda path: _fill(path, size, kind))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_text(path: Path, size: int) -> None:
    """Words of invented letters, frequent and rare ones as in a language, in lines with a number."""
    made = np.random.default_rng(20)
    letters = made.integers(97, 123, (WORDS, 9), np.uint8)
    words = [bytes(row[: 2 + number % 8]) for number, row in enumerate(letters)]
    left, line = size, 0
    with path.open("wb") as file:
        while left:
            picks = (made.zipf(1.25, MIB // 5) % WORDS).tolist()
            lines = []
            for start in range(0, len(picks), 12):
                line += 1
                lines.append(b"%08d " % line + b" ".join([words[p] for p in picks[start : start + 12]]))
            left -= file.write((b"\n".join(lines) + b"\n")[:left])


def _acquire(raw: Path, path: Path, level: str) -> None:
    command = ["ewfacquire", "-u", "-q", "-c", f"deflate:{level}", "-S", str(1 << 40), "-f", "encase6", "-t",
               str(path.with_suffix("")), str(raw)]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _write_files(path: Path, count: int, mean: int, seed: int) -> None:
    """Files whose sizes lie far apart, half of them below half the mean; bytes that do not compress."""
    made = np.random.default_rng(seed)
    sizes = made.lognormal(np.log(mean) - 0.72, 1.2, count)
    sizes = (sizes * mean * count / sizes.sum()).astype(int)
    for number, size in enumerate(sizes.tolist()):
        folder = path / f"folder {number // 50:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file {number:05d}.bin").write_bytes(b"file %05d\0" % number + made.bytes(size))


def _write_large(path: Path, count: int) -> None:
    made = np.random.default_rng(4)
    path.mkdir()
    for number in range(count):
        (path / f"large {number:03d}.bin").write_bytes(b"large %03d\0" % number + made.bytes(6_000_000))


def _write_small(path: Path, count: int) -> None:
    for number in range(count):
        folder = path / f"d{number // 500:04d}"
        if number % 500 == 0:
            folder.mkdir(parents=True)
        (folder / f"note-{number:06d}.txt").write_bytes(b"note %d\n" % number)


def _mke2fs(source: Path, path: Path, size: int, inodes: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)
    more = ["-N", str(inodes)] if inodes else []
    command = ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-U", UUID, "-E", f"hash_seed={UUID}", *more, "-d",
               str(source), str(path)]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _fill(path: Path, size: int, kind: str) -> None:
    made = np.random.default_rng(5)
    with path.open("wb") as file:
        for _ in range(0, size, MIB):
            file.write(made.bytes(MIB) if kind == "random" else bytes(MIB))
