"""Build the wheel twice, in two folders, with other file times, umask and zone; `just wheel-twice` runs it.

python tools/wheel_twice.py [FOLDER FOR THE WHEEL]
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("src", "pyproject.toml", "README.md", "LICENSE")
UNLIKE = (
    {"TZ": "UTC", "umask": 0o022, "time": 1_500_000_000},
    {"TZ": "Pacific/Kiritimati", "umask": 0o077, "time": 1_700_000_001},
)


def built(folder: Path, unlike: dict) -> Path:
    """The wheel of a copy of the source in this folder."""
    source = folder / "source"
    os.umask(unlike["umask"])
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
        source.mkdir(parents=True, exist_ok=True)
        ignore = {"ignore": shutil.ignore_patterns("__pycache__")} if (ROOT / part).is_dir() else {}
        copy(ROOT / part, source / part, **ignore)
    for path in source.rglob("*"):
        os.utime(path, (unlike["time"], unlike["time"]))
    environment = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"} | {"TZ": unlike["TZ"]}
    command = ["uv", "build", "--wheel", "--quiet", "--out-dir", str(folder / "out"), str(source)]
    subprocess.run(command, check=True, env=environment)
    return next((folder / "out").glob("*.whl"))


def main() -> int:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        wheels = [built(Path(folder), unlike) for folder, unlike in zip((first, second), UNLIKE, strict=True)]
        digests = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels]
        for wheel, digest in zip(wheels, digests, strict=True):
            print(f"{digest}  {wheel.name}")
        if len(sys.argv) > 1:
            Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
            shutil.copy(wheels[0], sys.argv[1])
    print("the same" if digests[0] == digests[1] else "DIFFERENT")
    return 0 if digests[0] == digests[1] else 1


if __name__ == "__main__":
    sys.exit(main())
