"""The seized server of the demo, as an examiner receives it: a disk image, a hash list, and their truth."""

from importlib.resources import files
from pathlib import Path

IMAGE, HASH_LIST = "glasshouse.E01", "knowns.vics.json"
MEDIA_TRUTH, DISK_TRUTH = "media_truth.json", "disk_truth.json"


def unpack_seizure(folder: Path) -> tuple[Path, ...]:
    """Copy the built seizure into `folder`; gives the paths of image, hash list, media truth and disk truth."""
    folder.mkdir(parents=True, exist_ok=True)
    source = files("casewright.demo") / "seizure"
    written = []
    for name in (IMAGE, HASH_LIST, MEDIA_TRUTH, DISK_TRUTH):
        path = folder / name
        path.write_bytes((source / name).read_bytes())
        written.append(path)
    return tuple(written)
