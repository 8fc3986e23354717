"""Small images and archives of every format, made by the programs that make such things, for the tests that spoil them.

A format whose program is not installed is left out; `just slow` needs those that `.ci/run` installs.
"""

import gzip
import io
import random
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.evidence.builders import ext_image, partitioned

FILES = {
    b"plate one.txt": b"a plate of birds\n" * 400,
    b"scans/one.bin": random.Random(1).randbytes(40_000),
    b"scans/two.bin": random.Random(2).randbytes(90_000),
    b"scans/deep/er/three.txt": b"three",
    b"empty": b"",
    **{b"many/%03d" % n: b"%d" % n for n in range(60)},
}


def seeds(folder: Path) -> dict[str, dict[bytes, bytes]]:
    """For each format, the files of an exhibit."""
    made: dict[str, dict[bytes, bytes]] = {}
    ext4 = ext_image(folder, FILES, "ext4", "4M")
    makers: dict[str, tuple[list[str], Callable[[], dict[bytes, bytes]]]] = {
        "ext2": ([], lambda: {b"d.dd": ext_image(folder, FILES, "ext2", "2M")}),
        "ext4": ([], lambda: {b"d.dd": ext4}),
        "MBR": ([], lambda: {b"d.dd": partitioned((0x83, ext4))}),
        "GPT": (["sgdisk"], lambda: {b"d.dd": _gpt(folder, ext4)}),
        "NTFS": (["mkntfs", "ntfscp"], lambda: {b"d.dd": _ntfs(folder)}),
        "FAT": (["mkfs.vfat", "mcopy"], lambda: {b"d.dd": _fat(folder)}),
        "exFAT": (["mkfs.exfat"], lambda: {b"d.dd": _made(folder, 8 << 20, "mkfs.exfat")}),
        "XFS": (["mkfs.xfs", "qemu-img"], lambda: {b"d.qcow2": _qemu(folder, _xfs(folder), "qcow2")}),
        "ISO 9660": (["genisoimage"], lambda: {b"d.iso": _iso(folder)}),
        "LUKS": (["cryptsetup"], lambda: {b"d.dd": _luks(folder)}),
        "E01": (["ewfacquire"], lambda: _ewf(folder, ext4, "1GiB")),
        "split E01": (["ewfacquire"], lambda: _ewf(folder, ext4, "1MiB")),
        **{kind: (["qemu-img"], lambda kind=kind: {b"d.vm": _qemu(folder, ext4, kind)})  # type: ignore[misc]
           for kind in ("qcow2", "vmdk", "vpc", "vhdx")},
        "tar": ([], lambda: {b"a.tar": _tar("w")}),
        "tar.gz": ([], lambda: {b"a.tar.gz": gzip.compress(_tar("w"), mtime=0)}),
        "tar.bz2": ([], lambda: {b"a.tar.bz2": _tar("w:bz2")}),
        "tar.xz": ([], lambda: {b"a.tar.xz": _tar("w:xz")}),
        "zip": ([], lambda: {b"a.zip": _zip()}),
        "7z": (["7z"], lambda: {b"a.7z": _seven(folder)}),
    }  # fmt: skip
    for name, (programs, make) in makers.items():
        if all(shutil.which(p) for p in programs):
            made[name] = make()
    return made


def _run(program: str, *arguments: str | Path, feed: bytes | None = None) -> None:
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, input=feed)


def _written(folder: Path, name: str, raw: bytes) -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


def _made(folder: Path, size: int, program: str, *options: str) -> bytes:
    image = _written(folder, "made.img", bytes(size))
    _run(program, *options, image)
    return image.read_bytes()


def _tree(folder: Path) -> Path:
    root = folder / "tree"
    for path, content in FILES.items():
        target = root / path.decode()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return root


def _gpt(folder: Path, system: bytes) -> bytes:
    image = _written(folder, "gpt.img", bytes(1 << 20) + system + bytes(1 << 20))
    _run("sgdisk", "-n", f"1:2048:+{len(system) // 1024}K", "-c", "1:server", image)
    return image.read_bytes()


def _ntfs(folder: Path) -> bytes:
    image = _written(folder, "ntfs.img", bytes(4 << 20))
    _run("mkntfs", "-q", "-F", "-f", image)
    for path, content in FILES.items():
        if b"/" not in path:
            _run("ntfscp", "-q", "-f", image, _written(folder, "one", content), path.decode())
    for number in range(30):
        _run("ntfscp", "-q", "-f", image, _written(folder, "one", b"number %d" % number * 300), f"n{number}.txt")
    return image.read_bytes()


def _fat(folder: Path) -> bytes:
    image = _written(folder, "fat.img", bytes(2 << 20))
    _run("mkfs.vfat", image)
    _run("mcopy", "-s", "-i", image, *sorted(_tree(folder).iterdir()), "::/")
    return image.read_bytes()


def _xfs(folder: Path) -> bytes:
    """mkfs.xfs fills a file system from a description of it, without mounting; it makes none under 300 MB."""
    lines = ["/dev/null", "1000 1000", "d--755 0 0"]
    lines += [f"f{n} ---644 0 0 {_written(folder, f'f{n}', bytes([n]) * 5000 * n)}" for n in range(20)]
    proto = _written(folder, "proto", "\n".join([*lines, "$", ""]).encode())
    image = _written(folder, "xfs.img", bytes(300 << 20))
    _run("mkfs.xfs", "-q", "-f", "-p", proto, image)
    return image.read_bytes()


def _iso(folder: Path) -> bytes:
    _run("genisoimage", "-quiet", "-R", "-J", "-o", folder / "d.iso", _tree(folder))
    return (folder / "d.iso").read_bytes()


def _luks(folder: Path) -> bytes:
    image = _written(folder, "luks.img", bytes(4 << 20))
    cheap = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--luks2-metadata-size", "16k",
             "--luks2-keyslots-size", "512k"]  # fmt: skip
    _run("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", *cheap, image, "-", feed=b"bird book")
    return image.read_bytes()


def _ewf(folder: Path, raw: bytes, segment: str) -> dict[bytes, bytes]:
    place = folder / f"ewf-{segment}"
    place.mkdir()
    fixed = ["-u", "-q", "-C", "x", "-D", "x", "-e", "x", "-E", "x", "-N", "x", "-m", "fixed", "-M", "logical"]
    source = _written(folder, "ewf.raw", raw)
    _run("ewfacquire", *fixed, "-f", "encase6", "-c", "deflate:fast", "-S", segment, "-t", place / "d", source)
    return {p.name.encode(): p.read_bytes() for p in sorted(place.iterdir())}


def _qemu(folder: Path, raw: bytes, kind: str) -> bytes:
    _run("qemu-img", "convert", "-O", kind, _written(folder, "qemu.raw", raw), folder / f"d.{kind}")
    return (folder / f"d.{kind}").read_bytes()


def _tar(mode: str) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:  # type: ignore[call-overload]
        for path, content in FILES.items():
            info = tarfile.TarInfo(path.decode())
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


def _zip() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in FILES.items():
            archive.writestr(zipfile.ZipInfo(path.decode()), content, zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def _seven(folder: Path) -> bytes:
    subprocess.run(["7z", "a", "-bd", "-y", str(folder / "a.7z"), "."], cwd=_tree(folder), check=True,
                   capture_output=True)  # fmt: skip
    return (folder / "a.7z").read_bytes()
