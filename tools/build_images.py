"""Build the evidence room's test images anew: `uv run python tools/build_images.py [NAME...]`, by default all of them.

Each set of disks is written by the real programs (mdadm, lvm, cryptsetup, mkfs.*) and the real kernel in a virtual
machine of its own, and listed there through the kernel's mount. Must be root; says which Debian packages are missing.
Rebuilt images differ in identifiers, keys and times, not in what they hold.
"""

import io
import json
import lzma
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from images_machine import Machine, prepare
from images_recipes import SETS
from PIL import Image

TOOLS = Path(__file__).parent
COMMITTED = TOOLS.parent / "tests" / "evidence" / "images"
INSIDE = "images_inside.py"
PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "depmod": "kmod", "mdadm": "mdadm",
    "lvm": "lvm2", "thin_check": "thin-provisioning-tools", "cryptsetup": "cryptsetup-bin", "mke2fs": "e2fsprogs",
    "mkfs.xfs": "xfsprogs", "mkfs.ntfs": "ntfs-3g", "mkfs.vfat": "dosfstools", "mdel": "mtools",
    "mkfs.exfat": "exfatprogs", "mkfs.btrfs": "btrfs-progs", "genisoimage": "genisoimage", "sgdisk": "gdisk",
    "sfdisk": "fdisk",
}  # fmt: skip


def main(names: list[str]) -> None:
    _check(names)
    with TemporaryDirectory(prefix="cw-") as folder:
        work = Path(folder)
        machine = prepare(work, INSIDE)
        for name in names or SETS:
            _keep(name, _make(name, machine, work))
            print(name, *(f.stat().st_size for f in _fixtures(name)), file=sys.stderr, flush=True)


def _check(names: list[str]) -> None:
    missing = sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})
    if missing:
        sys.exit(f"These are missing; install them with: apt-get install {' '.join(missing)}")
    if os.geteuid():
        sys.exit("Run this as root: the machine's programs read the host's files.")
    if unknown := set(names) - set(SETS):
        sys.exit(f"No such set: {', '.join(sorted(unknown))}. There are: {', '.join(SETS)}")


def _make(name: str, machine: Machine, work: Path) -> list[dict[str, Any]]:
    """Run the machine, compress its disks into the fixtures, and say what its volumes hold."""
    out = work / name
    _hand_in(name, out)
    disks = [work / f"disk-{i}.raw" for i in range(len(SETS[name].disks))]
    for disk, size in zip(disks, SETS[name].disks, strict=True):
        disk.write_bytes(b"")
        os.truncate(disk, size << 20)
    console = machine.run(out, disks)
    if not (out / "result.json").exists():
        sys.exit(f"{name} could not be made:\n{console}")
    kept = [disk for i, disk in enumerate(disks) if i not in SETS[name].left_out]
    for old in COMMITTED.glob(f"{name}.img.xz"):
        old.unlink()
    for disk, path in zip(kept, _fixtures(name), strict=True):
        path.write_bytes(lzma.compress(disk.read_bytes(), preset=9))
    volumes: list[dict[str, Any]] = json.loads((out / "result.json").read_text("utf-8"))
    return volumes


def _hand_in(name: str, out: Path) -> None:
    (out / "pictures").mkdir(parents=True)
    for script in TOOLS.glob("images_*.py"):
        shutil.copy(script, out / script.name)
    (out / "job").write_text(name, "utf-8")
    for picture, content in pictures().items():
        (out / "pictures" / picture).write_bytes(content)


def pictures() -> dict[str, bytes]:
    """Patterns: rings, a grid, and two small ones to be hidden."""
    rings = Image.radial_gradient("L").resize((160, 120))
    grid = Image.new("L", (96, 96))
    grid.putdata([255 * ((x // 8 + y // 8) % 2) for y in range(96) for x in range(96)])
    slope = Image.linear_gradient("L").resize((48, 48))
    return {
        "rings.jpg": _saved(rings, "JPEG"), "grid.png": _saved(grid, "PNG"),
        "hidden-1.jpg": _saved(slope, "JPEG"), "hidden-2.jpg": _saved(slope.rotate(90), "JPEG"),
    }  # fmt: skip


def _saved(picture: Image.Image, form: str) -> bytes:
    held = io.BytesIO()
    picture.save(held, form)
    return held.getvalue()


def _fixtures(name: str) -> list[Path]:
    """Where the set's disks are committed, in order; a disk that is left out keeps its number."""
    wanted = SETS[name]
    kept = [i for i in range(len(wanted.disks)) if i not in wanted.left_out]
    if len(wanted.disks) == 1:
        return [COMMITTED / f"{name}.img.xz"]
    return [COMMITTED / f"{name}-{i}.img.xz" for i in kept]


def _keep(name: str, volumes: list[dict[str, Any]]) -> None:
    """Write the set into expected.json, which keeps the other sets as they are."""
    path, wanted = COMMITTED / "expected.json", SETS[name]
    known = unfolded(json.loads(path.read_text("utf-8"))) if path.exists() else {}
    known[name] = {"kind": wanted.kind, "files": [f.name for f in _fixtures(name)]}
    known[name] |= {"secrets": list(wanted.secrets)} if wanted.secrets else {}
    known[name] |= {"refused": wanted.refused} if wanted.refused else {}
    known[name]["volumes"] = volumes
    ordered = {name: known[name] for name in SETS if name in known}
    path.write_text(_laid_out(folded(ordered)), "utf-8")


def folded(sets: dict[str, Any]) -> dict[str, Any]:
    """Each different tree once: a volume whose tree came before says where, as "tree_of": [set, number]."""
    first: dict[str, list[Any]] = {}
    result = json.loads(json.dumps(sets))
    for name, one in result.items():
        for number, volume in enumerate(one["volumes"]):
            place = first.setdefault(json.dumps(volume["tree"]), [name, number])
            if place != [name, number]:
                del volume["tree"]
                volume["tree_of"] = place
    return dict(result)


def unfolded(sets: dict[str, Any]) -> dict[str, Any]:
    for one in sets.values():
        for volume in one["volumes"]:
            if "tree_of" in volume:
                name, number = volume.pop("tree_of")
                volume["tree"] = sets[name]["volumes"][number]["tree"]
    return sets


def _laid_out(sets: dict[str, Any]) -> str:
    """JSON with one line for each entry of a tree and for each set's other words, so that changes can be read."""
    text = json.dumps(sets, ensure_ascii=True)
    for before in ('{"path_hex"', '"tree": [', '"volumes": ['):
        text = text.replace(before, "\n" + before)
    return text.replace('}]}]}, "', '}]}]},\n"').replace('}]}, "', '}]},\n"') + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
